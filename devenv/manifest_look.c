/* manifest_in_place of manifest.h: are the objects there as they must be? */
#include "lib/base/mem.h"

#include "devenv/env.h"
#include "devenv/manifest.h"

#define PATH_BYTES 512

static bool holds(const struct json *have, const struct json *want,
                  struct buf *path);

static bool
holds_members(const struct json *have, const struct json *want,
              struct buf *path)
{
    for (const struct json *w = json_first(want); w; w = json_next(w)) {
        size_t before = path->n;

        buf_printf(path, ".%s", json_key(w));
        if (!holds(json_get(have, json_key(w)), w, path))
            return false;
        buf_truncate(path, before);
    }
    return true;
}

static bool
holds_items(const struct json *have, const struct json *want, struct buf *path)
{
    const struct json *h = json_first(have);
    size_t i = 0;

    if (json_len(have) != json_len(want))
        return false;
    for (const struct json *w = json_first(want); w; w = json_next(w), i++) {
        size_t before = path->n;

        buf_printf(path, "[%zu]", i);
        if (!holds(h, w, path))
            return false;
        buf_truncate(path, before);
        h = json_next(h);
    }
    return true;
}

/* have has all that want says; else path is left at what differs. */
static bool
holds(const struct json *have, const struct json *want, struct buf *path)
{
    /* An empty value may be left out by the server. */
    if (!have)
        return json_is(want, JSON_NULL) ||
               ((json_is(want, JSON_OBJECT) || json_is(want, JSON_ARRAY)) &&
                json_len(want) == 0);
    if (json_is(want, JSON_OBJECT) && json_is(have, JSON_OBJECT))
        return holds_members(have, want, path);
    if (json_is(want, JSON_ARRAY) && json_is(have, JSON_ARRAY))
        return holds_items(have, want, path);
    return json_equal(have, want);
}

static bool
one_in_place(const struct manifest *m, const struct manifest_apply *o,
             const char *condition, struct buf *why)
{
    const struct kube_kind *k =
        kube_discovery_wait(o->discovery, false, NULL)
            ? kube_discovery_of(o->discovery, str_of(m->api_version),
                                str_of(m->kind))
            : NULL;
    AUTO(buf_release) struct buf path = BUF_INIT(PATH_BYTES);
    struct error err = {0};

    if (!k) {
        buf_printf(why, "the kind %s is not served", m->kind);
        return false;
    }
    struct kube_request get = {
        .verb = KUBE_GET, .gvr = k->gvr, .name = m->name};

    if (k->namespaced)
        get.ns = m->ns ? m->ns : o->ns ? o->ns : "default";
    AUTO(json_free_ptr)
    struct json *have = kube_client_wait_json(o->client, &get, &err);

    if (!have)
        buf_puts(why, err.msg);
    else if (!holds(have, m->object, &path))
        buf_printf(why, "%s %s differs at %s", m->kind, m->name,
                   buf_cstr(&path));
    else if (condition && !env_condition_true(have, condition))
        buf_printf(why, "%s %s is not %s", m->kind, m->name, condition);
    else
        return true;
    return false;
}

bool
manifest_in_place(const struct manifest_set *s, const struct manifest_apply *o,
                  const char *condition, struct buf *why)
{
    for (size_t i = 0; i < s->n; i++) {
        if (!one_in_place(&s->v[i], o, condition, why))
            return false;
    }
    return true;
}
