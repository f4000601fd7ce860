/*
 * V-f: applying once more what was put on the cluster would change nothing.
 *
 * A server-side dry run with the fields forced answers with the object as it
 * would be; what differs from the object as it is has drifted: a field another
 * manager changed, one that is gone, one that an earlier version of ours left.
 * What only the server writes (managedFields, versions, status) is no part of
 * the comparison.
 */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/owner.h"
#include "devenv/package.h"
#include "devenv/verify_group.h"

#define BODY_MAX   ((size_t)4 << 20)
#define VALUE_MAX  ((size_t)60)
#define CONTEXT    ((size_t)20)
#define DEPTH_MAX  64
#define FIELDS_MAX 5

static const char *const server_fields[] = {"managedFields", "resourceVersion",
                                            "generation", "uid",
                                            "creationTimestamp"};

struct differences {
    struct buf text;
    size_t n;
};

/* A value short enough for a line; the first `skip` bytes say nothing new. */
static char *
short_text(const char *all, size_t skip)
{
    struct str s = str_of(all);
    size_t from = skip > CONTEXT && s.n > VALUE_MAX ? skip - CONTEXT : 0;
    size_t n = MIN(s.n - MIN(from, s.n), VALUE_MAX);

    while (from && from < s.n && (all[from] & 0xC0) == 0x80)
        from--;
    while (from + n < s.n && n && (all[from + n] & 0xC0) == 0x80)
        n--;
    return mem_printf("%s%.*s%s", from ? "..." : "", (int)n, all + from,
                      from + n < s.n ? "..." : "");
}

static void
add_difference(struct differences *d, const char *path, const struct json *is,
               const struct json *would)
{
    AUTO(mem_free_ptr)
    char *a = is ? json_text(is, JSON_COMPACT) : mem_strdup("nothing");
    AUTO(mem_free_ptr)
    char *b = would ? json_text(would, JSON_COMPACT) : mem_strdup("nothing");
    size_t same = 0;

    while (is && would && a[same] && a[same] == b[same])
        same++;
    AUTO(mem_free_ptr) char *have = short_text(a, same);
    AUTO(mem_free_ptr) char *want = short_text(b, same);

    if (d->n++ < FIELDS_MAX)
        buf_printf(&d->text, "%s%s is %s, should be %s", d->n > 1 ? "; " : "",
                   path, have, want);
}

static void compare(struct differences *d, const char *path, unsigned depth,
                    const struct json *is, const struct json *would);

static void
compare_members(struct differences *d, const char *path, unsigned depth,
                const struct json *is, const struct json *would)
{
    for (const struct json *m = json_first(would); m; m = json_next(m)) {
        AUTO(mem_free_ptr)
        char *sub = mem_printf("%s%s%s", path, *path ? "." : "", json_key(m));

        compare(d, sub, depth + 1, json_get(is, json_key(m)), m);
    }
    for (const struct json *m = json_first(is); m; m = json_next(m)) {
        AUTO(mem_free_ptr)
        char *sub = mem_printf("%s%s%s", path, *path ? "." : "", json_key(m));

        if (!json_get(would, json_key(m)))
            add_difference(d, sub, m, NULL);
    }
}

static void
compare_items(struct differences *d, const char *path, unsigned depth,
              const struct json *is, const struct json *would)
{
    const struct json *a = json_first(is), *b = json_first(would);

    for (size_t i = 0; a || b; i++) {
        AUTO(mem_free_ptr) char *sub = mem_printf("%s[%zu]", path, i);

        compare(d, sub, depth + 1, a, b);
        a = a ? json_next(a) : NULL;
        b = b ? json_next(b) : NULL;
    }
}

static void
compare(struct differences *d, const char *path, unsigned depth,
        const struct json *is, const struct json *would)
{
    enum json_type type = json_type_of(would);

    if (is && would && json_equal(is, would))
        return;
    if (is && would && depth < DEPTH_MAX && json_type_of(is) == type &&
        type == JSON_OBJECT)
        compare_members(d, path, depth, is, would);
    else if (is && would && depth < DEPTH_MAX && json_type_of(is) == type &&
             type == JSON_ARRAY)
        compare_items(d, path, depth, is, would);
    else
        add_difference(d, path, is, would);
}

static void
strip(struct json *object)
{
    struct json *meta = json_get(object, "metadata");

    json_del(object, "status");
    for (size_t i = 0; i < ARRAY_LEN(server_fields); i++)
        json_del(meta, server_fields[i]);
}

/* The object as it would be after another apply. */
static struct json *
would_be(struct verify *v, const struct manifest *m, const char *ns,
         const struct kube_kind *k, struct error *err)
{
    AUTO(buf_release) struct buf body = BUF_INIT(BODY_MAX);
    struct kube_request r = {.verb = KUBE_PATCH,
                             .patch = KUBE_PATCH_APPLY,
                             .gvr = k->gvr,
                             .ns = ns,
                             .name = m->name,
                             .force = true,
                             .dry_run = true};

    if (!json_print(m->object, JSON_COMPACT, &body)) {
        error_set(err, ERR_LIMIT, "the manifest is larger than %zu bytes",
                  BODY_MAX);
        return NULL;
    }
    r.body = buf_view(&body);
    return kube_client_wait_json(v->env->client, &r, err);
}

static void
check_manifest(struct verify *v, const struct manifest *m)
{
    const struct kube_kind *k = kube_discovery_of(
        v->env->discovery, str_of(m->api_version), str_of(m->kind));
    const char *ns = !k || !k->namespaced ? NULL : m->ns ? m->ns : "default";
    struct differences d = {.text = BUF_INIT(BUF_TEXT_MAX)};
    struct error why = {0};
    AUTO(json_free_ptr)
    struct json *is = verify_get(v, m->api_version, m->kind, ns, m->name, &why);

    owner_copy(is, m->object); /* put on when it was applied */
    AUTO(json_free_ptr)
    struct json *would = is ? would_be(v, m, ns, k, &why) : NULL;

    if (would) {
        strip(is);
        strip(would);
        compare(&d, "", 0, is, would);
        if (d.n > FIELDS_MAX)
            buf_printf(&d.text, "; and %zu more", d.n - FIELDS_MAX);
    }
    verify_say(v, would && !d.n, would ? buf_cstr(&d.text) : why.msg,
               "%s/%s%s%s is as it was applied", m->kind,
               m->ns && k && k->namespaced ? m->ns : "",
               m->ns && k && k->namespaced ? "/" : "", m->name);
    buf_release(&d.text);
}

static void
check_set(struct verify *v, const char *subject, bool loaded,
          struct manifest_set *set, const struct error *why)
{
    v->subject = subject;
    if (!loaded)
        verify_say(v, false, why->msg, "the manifests of %s can be read",
                   subject);
    for (size_t i = 0; i < set->n && !verify_stopped(v); i++)
        check_manifest(v, &set->v[i]);
    manifest_release(set);
}

void
verify_drift(struct verify *v)
{
    struct manifest_set set = {0};

    for (size_t p = 0; p < v->packages.n; p++) {
        for (enum package_part i = PACKAGE_FUNCTIONS; i <= PACKAGE_COMPOSITIONS;
             i++) {
            struct error why = {0};
            bool ok = package_load(&set, v->packages.v[p], i, &why);

            check_set(v, v->packages.v[p], ok, &set, &why);
        }
    }
    for (size_t i = 0; i < v->examples.n; i++) {
        struct error why = {0};
        bool ok = example_load(&set, v->examples.v[i], &why);

        check_set(v, v->examples.v[i], ok, &set, &why);
    }
}
