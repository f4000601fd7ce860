#include "lib/compose/claim.h"

#include "lib/base/mem.h"

#include "lib/compose/xrd.h"

#define EXTERNAL_NAME "crossplane.io/external-name"

/* Of the claim alone, never the XR's (compositionRef, its selector, the
 * update policy and the revision selector go along). */
static const char *const own[] = {"compositeDeletePolicy", "resourceRef",
                                  "writeConnectionSecretToRef"};

static const char *
external_name(const struct json *object)
{
    return json_string_or(
        json_at(object, "metadata", "annotations", EXTERNAL_NAME, NULL), "");
}

static bool
manual(const struct json *xr)
{
    return strcmp(json_at_text(xr, "spec", "compositionUpdatePolicy"),
                  "Manual") == 0;
}

static bool
enforced(const struct claim_sync *s)
{
    return json_at(s->xrd, "spec", "enforcedCompositionRef", NULL) != NULL;
}

/* kubectl's annotations and Kubernetes' labels mean the claim, not the XR. */
static bool
is_reserved(const char *key)
{
    struct str host = str_of(key);
    const char *slash = strchr(key, '/');

    if (slash)
        host.n = (size_t)(slash - key);
    return str_ends(host, STR("kubernetes.io")) ||
           str_ends(host, STR("k8s.io"));
}

static void
add_unreserved(struct json *metadata, const char *which,
               const struct json *claim)
{
    const struct json *from = json_at(claim, "metadata", which, NULL);

    for (const struct json *j = json_first(from); j; j = json_next(j)) {
        if (!is_reserved(json_key(j)))
            json_set(json_need_object(metadata, which), json_key(j),
                     json_copy(j));
    }
}

static bool
stays_behind(const char *key, const struct claim_sync *s)
{
    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        if (strcmp(key, own[i]) == 0)
            return true;
    }
    if (strcmp(key, "compositionRef") == 0)
        return enforced(s);
    /* Who sets the revision depends on the policy that the XR has. */
    return strcmp(key, "compositionRevisionRef") == 0 && !manual(s->xr);
}

static void
add_reference(struct json *to, const char *key, const struct json *object,
              bool namespaced)
{
    struct json *r = json_set(to, key, json_new_object());

    json_set_string(r, "apiVersion",
                    json_string_or(json_get(object, "apiVersion"), ""));
    json_set_string(r, "kind", json_string_or(json_get(object, "kind"), ""));
    json_set_string(r, "name", json_at_text(object, "metadata", "name"));
    if (namespaced)
        json_set_string(r, "namespace",
                        json_at_text(object, "metadata", "namespace"));
}

static void
add_spec(struct json *patch, const struct json *claim,
         const struct claim_sync *s)
{
    struct json *spec = json_need_object(patch, "spec");

    for (const struct json *j = json_first(json_get(claim, "spec")); j;
         j = json_next(j)) {
        if (!stays_behind(json_key(j), s))
            json_set(spec, json_key(j), json_copy(j));
    }
    add_reference(spec, "claimRef", claim, true);
}

struct json *
claim_to_xr(const struct json *claim, const struct claim_sync *s,
            struct error *err)
{
    const char *name =
        json_string(json_at(claim, "spec", "resourceRef", "name", NULL));
    AUTO(mem_free_ptr) char *api_version = NULL;
    struct json *patch, *m, *labels;

    if (!json_is(json_get(claim, "spec"), JSON_OBJECT)) {
        error_set(err, ERR_INVALID, "claim spec was not an object");
        return NULL;
    }
    api_version = mem_printf("%s/%s", json_at_text(s->xrd, "spec", "group"),
                             xrd_referenceable(s->xrd));
    patch = json_new_object();
    json_set_string(patch, "apiVersion", api_version);
    json_set_string(
        patch, "kind",
        json_string_or(json_at(s->xrd, "spec", "names", "kind", NULL), ""));
    m = json_need_object(patch, "metadata");
    json_set_string(m, "name", name && *name ? name : s->fresh_name);
    add_unreserved(m, "annotations", claim);
    /* What exists outside is never renamed after the fact. */
    if (*external_name(s->xr))
        json_set_string(json_need_object(m, "annotations"), EXTERNAL_NAME,
                        external_name(s->xr));
    add_unreserved(m, "labels", claim);
    labels = json_need_object(m, "labels");
    json_set_string(labels, "crossplane.io/claim-name",
                    json_at_text(claim, "metadata", "name"));
    json_set_string(labels, "crossplane.io/claim-namespace",
                    json_at_text(claim, "metadata", "namespace"));
    add_spec(patch, claim, s);
    return patch;
}

bool
claim_bind(struct json *claim, const struct claim_sync *s,
           const struct json *patch)
{
    const struct json *theirs = json_get(s->xr, "spec");
    const struct json *choice = json_get(theirs, "compositionRef");
    const struct json *revision = json_get(theirs, "compositionRevisionRef");
    AUTO(json_free_ptr) struct json *was = json_copy(claim);
    struct json *spec = json_need_object(claim, "spec");

    add_reference(spec, "resourceRef", patch, false);
    if (*external_name(s->xr))
        json_set_string(json_need_object(json_need_object(claim, "metadata"),
                                         "annotations"),
                        EXTERNAL_NAME, external_name(s->xr));
    if (choice && (!json_get(spec, "compositionRef") || enforced(s)))
        json_set(spec, "compositionRef", json_copy(choice));
    if (revision &&
        strcmp(json_at_text(s->xr, "spec", "compositionUpdatePolicy"),
               "Automatic") == 0)
        json_set(spec, "compositionRevisionRef", json_copy(revision));
    return !json_equal(was, claim);
}

bool
claim_take_status(struct json *claim, const struct json *xr)
{
    /* Crossplane's own part of a status. */
    static const char *const kept[] = {"conditions", "connectionDetails",
                                       "claimConditionTypes"};
    const struct json *theirs = json_get(xr, "status");
    const struct json *mine = json_get(claim, "status");
    struct json *status;

    if (!json_is(theirs, JSON_OBJECT))
        return false;
    status = json_copy(theirs);
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        json_del(status, kept[i]);
        if (i < 2 && json_get(mine, kept[i]))
            json_set(status, kept[i], json_copy(json_get(mine, kept[i])));
    }
    if (json_equal(mine, status)) {
        json_free(status);
        return false;
    }
    json_set(claim, "status", status);
    return true;
}
