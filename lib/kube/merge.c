#include "lib/kube/merge.h"

static bool
is_object(const struct json *j)
{
    return json_is(j, JSON_OBJECT);
}

struct json *
kube_merge_diff(const struct json *before, const struct json *after)
{
    struct json *patch = json_new_object();

    for (struct json *a = json_first(after); a; a = json_next(a)) {
        const struct json *b = json_get(before, json_key(a));

        if (b && json_equal(a, b))
            continue;
        if (is_object(a) && is_object(b))
            json_set(patch, json_key(a), kube_merge_diff(b, a));
        else
            json_set(patch, json_key(a), json_copy(a));
    }
    for (struct json *b = json_first(before); b; b = json_next(b)) {
        if (!json_get(after, json_key(b)))
            json_set(patch, json_key(b), json_new_null());
    }
    return patch;
}

/* Paths from the root; the last word is the member that goes. */
static const struct {
    unsigned when;
    const char *path[4];
} rows[] = {
    {KUBE_STRIP_SERVER, {"status"}},
    {KUBE_STRIP_SERVER, {"metadata", "managedFields"}},
    {KUBE_STRIP_SERVER, {"metadata", "uid"}},
    {KUBE_STRIP_SERVER, {"metadata", "resourceVersion"}},
    {KUBE_STRIP_SERVER, {"metadata", "creationTimestamp"}},
    {KUBE_STRIP_SERVER, {"metadata", "deletionTimestamp"}},
    {KUBE_STRIP_SERVER, {"metadata", "deletionGracePeriodSeconds"}},
    {KUBE_STRIP_SERVER, {"metadata", "generation"}},
    {KUBE_STRIP_SERVER, {"metadata", "selfLink"}},
    {KUBE_STRIP_SERVER,
     {"metadata", "annotations",
      "kubectl.kubernetes.io/last-applied-configuration"}},
    {KUBE_STRIP_OWNED, {"metadata", "finalizers"}},
    {KUBE_STRIP_OWNED, {"metadata", "ownerReferences"}},
    {KUBE_STRIP_OWNED, {"spec", "crossplane", "resourceRefs"}},
    {KUBE_STRIP_OWNED, {"spec", "crossplane", "compositionRevisionRef"}},
    {KUBE_STRIP_OWNED, {"spec", "resourceRefs"}},
};

static void
strip_row(struct json *j, const char *const *path)
{
    struct json *child;

    if (!path[1]) {
        json_del(j, path[0]);
        return;
    }
    child = json_get(j, path[0]);
    if (!is_object(child))
        return;
    strip_row(child, path + 1);
    if (json_len(child) == 0)
        json_del(j, path[0]);
}

void
kube_strip(struct json *object, unsigned what)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].when & what)
            strip_row(object, rows[i].path);
    }
}
