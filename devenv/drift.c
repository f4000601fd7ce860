#include "devenv/drift.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/owner.h"

#define BODY_MAX   ((size_t)4 << 20)
#define VALUE_MAX  ((size_t)60)
#define CONTEXT    ((size_t)20)
#define DEPTH_MAX  64
#define FIELDS_MAX 5

static const char *const server_fields[] = {"managedFields", "resourceVersion",
                                            "generation", "uid",
                                            "creationTimestamp"};

struct differences {
    struct buf *text;
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
        buf_printf(d->text, "%s%s is %s, should be %s", d->n > 1 ? "; " : "",
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

/* The object as it would be after another apply; is: as it is. */
static struct json *
would_be(struct env *e, const struct manifest *m, const struct json *is,
         const struct kube_request *get, struct error *err)
{
    AUTO(buf_release) struct buf body = BUF_INIT(BODY_MAX);
    AUTO(json_free_ptr) struct json *wanted = json_copy(m->object);
    struct kube_request r = *get;

    owner_copy(is, wanted);
    if (!json_print(wanted, JSON_COMPACT, &body)) {
        error_set(err, ERR_LIMIT, "the manifest is larger than %zu bytes",
                  BODY_MAX);
        return NULL;
    }
    r.verb = KUBE_PATCH;
    r.patch = KUBE_PATCH_APPLY;
    r.force = true;
    r.dry_run = true;
    r.body = buf_view(&body);
    return kube_client_wait_json(e->client, &r, err);
}

bool
drift_is_foreign(const struct json *object)
{
    const struct json *list =
        json_at(object, "metadata", "managedFields", NULL);

    if (*owner_of(object))
        return false;
    for (const struct json *m = json_first(list); m; m = json_next(m)) {
        if (strcmp(json_string_or(json_get(m, "manager"), ""),
                   KUBE_FIELD_MANAGER) == 0)
            return false;
    }
    return true;
}

static enum drift
look(struct env *e, const struct manifest *m, const struct kube_kind *k,
     struct drift_found *found, struct error *err)
{
    struct kube_request get = {.gvr = k->gvr, .name = m->name};
    struct differences d = {.text = &found->fields};
    struct error why = {0};
    AUTO(json_free_ptr) struct json *is = NULL;
    AUTO(json_free_ptr) struct json *would = NULL;

    if (k->namespaced)
        get.ns = m->ns ? m->ns : "default";
    is = kube_client_wait_json(e->client, &get, &why);
    would = is ? would_be(e, m, is, &get, &why) : NULL;
    if (!would) {
        if (err)
            *err = why;
        return !is && why.code == ERR_NOT_FOUND ? DRIFT_ABSENT : DRIFT_UNKNOWN;
    }
    found->foreign = drift_is_foreign(is);
    strip(is);
    strip(would);
    compare(&d, "", 0, is, would);
    if (d.n > FIELDS_MAX)
        buf_printf(d.text, "; and %zu more", d.n - FIELDS_MAX);
    return d.n ? DRIFT_CHANGED : DRIFT_NONE;
}

enum drift
drift_look(struct env *e, const struct manifest *m, struct drift_found *found,
           struct error *err)
{
    const struct kube_kind *k = NULL;

    *found = (struct drift_found){.fields = BUF_INIT(BUF_TEXT_MAX)};
    if (!kube_discovery_wait(e->discovery, false, err))
        return DRIFT_UNKNOWN;
    k = kube_discovery_of(e->discovery, str_of(m->api_version),
                          str_of(m->kind));
    if (k)
        return look(e, m, k, found, err);
    error_set(err, ERR_NOT_FOUND, "the cluster serves no kind %s in %s",
              m->kind, m->api_version);
    return DRIFT_ABSENT;
}
