#include "devenv/sandbox/xr_compose.h"

#include <stdlib.h>

#include "lib/base/digest.h"
#include "lib/base/mem.h"

#include "lib/compose/xrd.h"

#include "devenv/sandbox/connection.h"
#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/xr_look.h"

struct run {
    struct control *c;
    struct xr_state *s;
    const struct kind *k;
    struct json **xr;
    struct json *observed; /* NAME -> {resource}: what the pipeline is given */
    struct json *existing; /* NAME -> apiVersion, kind, metadata of it */
    struct xr_outcome *out;
    struct error *err;
};

/* ---- what a pipeline asks for ---- */

static const struct function *
find_function(void *arg, const char *name, struct error *err)
{
    const struct run *r = arg;

    return functions_find(&r->c->functions, name, err);
}

static const struct kind *
served(struct control *c, const char *api_version, const char *kind,
       struct error *err)
{
    const struct kind *k = registry_kind(c->registry, api_version, kind);

    if (!k)
        error_set(err, ERR_NOT_FOUND,
                  "no matches for kind \"%s\" in version \"%s\"", kind,
                  api_version);
    return k;
}

static bool
is_namespaced(void *arg, const char *api_version, const char *kind,
              bool *namespaced, struct error *err)
{
    const struct run *r = arg;
    const struct kind *k = served(r->c, api_version, kind, err);

    if (!k)
        return error_wrap(err, "failed to get restmapping");
    *namespaced = k->namespaced;
    return true;
}

/* Managed fields are half of an object and nothing a function would read. */
static void
strip(struct json *items)
{
    for (struct json *i = json_first(items); i; i = json_next(i))
        json_del(json_get(i, "metadata"), "managedFields");
}

static struct json *
look_up(const struct run *r, const struct kind *k, const struct json *sel,
        struct error *err)
{
    const char *name = json_get_string(sel, "matchName");
    const char *ns = json_string_or(json_get(sel, "namespace"), "");
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    AUTO(status_release) struct status st = {0};
    struct json *items;

    if (name) {
        struct json *obj = registry_get(r->c->registry, k, ns, name);

        if (!obj)
            return json_new_null();
        json_append(items = json_new_array(), obj);
        return items;
    }
    xr_labels(json_at(sel, "matchLabels", "labels", NULL), &b);
    items = registry_list_json(r->c->registry, k, *ns ? ns : NULL,
                               b.n ? buf_cstr(&b) : NULL, &st);
    if (!items)
        error_set(err, ERR_INVALID, "cannot list required resources: %s",
                  st.message);
    return items;
}

static bool
fetch(void *arg, const struct json *sel, struct json **items, struct error *err)
{
    const struct run *r = arg;
    const struct kind *k =
        served(r->c, kobj_api_version(sel), kobj_kind(sel), err);
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);
    const struct json *known;

    if (!k)
        return error_wrap(err, "%s",
                          json_get(sel, "matchName")
                              ? "cannot get required resource by name"
                              : "cannot list required resources");
    json_print(sel, JSON_COMPACT, &key);
    known = control_fetched(r->c, k, buf_view(&key));
    if (!known) {
        struct json *found = look_up(r, k, sel, err);

        if (!found)
            return false;
        strip(found);
        known = control_keep_fetched(r->c, k, buf_view(&key), found);
    }
    if (json_is(known, JSON_ARRAY))
        *items = json_copy(known);
    return true;
}

/* ---- what exists ---- */

static void
add_connection(struct run *r, const struct json *obj, struct json *wrapper)
{
    const struct json *ref =
        json_at(obj, "spec", "writeConnectionSecretToRef", NULL);
    AUTO(json_free_ptr)
    struct json *data = connection_read(r->c, ref, kobj_namespace(obj));

    if (json_len(data))
        json_set(wrapper, "connectionDetails", json_copy(data));
}

/* What is asked of an existing resource after the pipeline took it. */
static void
note_existing(struct run *r, const char *name, struct json *obj)
{
    struct json *e = json_set(r->existing, name, json_new_object());
    struct json *meta = json_get(obj, "metadata");

    json_del(meta, "managedFields");
    json_set_string(e, "apiVersion", kobj_api_version(obj));
    json_set_string(e, "kind", kobj_kind(obj));
    json_set(e, "metadata", json_copy(meta));
}

static bool
observe_one(struct run *r, const struct json *ref)
{
    const char *name = json_string_or(json_get(ref, "name"), "");
    const char *ns = r->s->type->namespaced
                         ? r->s->ns
                         : json_string_or(json_get(ref, "namespace"), "");
    struct error why = {0};
    const struct kind *k =
        served(r->c, kobj_api_version(ref), kobj_kind(ref), &why);
    struct json *obj, *wrapper;
    const char *key;

    if (!*name)
        return true;
    if (!k)
        return error_set(r->err, ERR_NOT_FOUND,
                         "cannot get existing composed resources: cannot get "
                         "composed resource: %s",
                         why.msg);
    obj = registry_get(r->c->registry, k, ns, name);
    if (!obj)
        return true;
    if (kobj_controller(obj) && !kobj_is_controlled_by(obj, kobj_uid(*r->xr))) {
        json_free(obj);
        return true;
    }
    key = kobj_annotation(obj, COMPOSE_ANNOTATION_NAME);
    if (!*key) {
        json_free(obj);
        return error_set(r->err, ERR_INVALID,
                         "cannot get existing composed resources: encountered "
                         "composed resource without required "
                         "\"" COMPOSE_ANNOTATION_NAME "\" annotation");
    }
    note_existing(r, key, obj);
    wrapper = json_set(r->observed, key, json_new_object());
    json_set(wrapper, "resource", obj);
    add_connection(r, obj, wrapper);
    return true;
}

static bool
observe(struct run *r)
{
    const struct json *m = xrd_machinery(*r->xr, r->s->type->legacy);
    const struct json *refs = json_get(m, "resourceRefs");

    r->observed = json_new_object();
    r->existing = json_new_object();
    for (const struct json *ref = json_first(refs); ref; ref = json_next(ref)) {
        if (!observe_one(r, ref))
            return false;
    }
    return true;
}

/* ---- the pipeline of a revision ---- */

static struct pipeline *
need_pipeline(struct control *c, const struct json *revision, struct error *err)
{
    struct str name = str_of(kobj_name(revision));
    struct pipeline *p = map_get(&c->pipelines, name);

    if (!p) {
        p = pipeline_new(json_get(revision, "spec"), err);
        if (p)
            map_put(&c->pipelines, name, p);
    }
    return p;
}

static bool
run_pipeline(struct run *r, const struct json *revision)
{
    const struct compose_host host = {
        .arg = r,
        .function = find_function,
        .fetch = fetch,
        .namespaced = is_namespaced,
        .world = {.now_ns = clock_wall_ms(r->c->clock) * 1000000}};
    AUTO(json_free_ptr) struct json *own = NULL;
    struct compose_input in = {.mode = r->c->core_23 ? COMPOSE_LIVE_23
                                                     : COMPOSE_LIVE,
                               .xr = *r->xr,
                               .host = &host};

    in.pipeline = need_pipeline(r->c, revision, r->err);
    if (!in.pipeline)
        return false;
    if (r->s->type->legacy)
        own = connection_read(
            r->c, json_at(*r->xr, "spec", "writeConnectionSecretToRef", NULL),
            "");
    in.connection = own;
    in.observed = r->observed;
    r->observed = NULL;
    in.known = r->s->asked;
    bool ok = compose(&in, &r->out->result, r->err);

    json_free(r->s->asked);
    r->s->asked = json_copy(r->out->result.outcome.asked);
    return ok;
}

/* ---- writing ---- */

/* Deletes what exists and is no longer desired; its labels go first, so that
 * it can be told from what goes because its composite went. */
static bool
collect_one(struct run *r, const char *name, const struct json *obj)
{
    static const char *const labels[] = {
        COMPOSE_LABEL_COMPOSITE, COMPOSE_LABEL_CLAIM, COMPOSE_LABEL_CLAIM_NS};
    const struct kind *k =
        registry_kind(r->c->registry, kobj_api_version(obj), kobj_kind(obj));
    const struct json *owner = kobj_controller(obj);
    const struct registry_delete how = {.propagation = PROPAGATE_FOREGROUND,
                                        .uid = kobj_uid(obj)};
    AUTO(json_free_ptr) struct json *copy = NULL;
    AUTO(status_release) struct status st = {0};

    if (owner && !kobj_is_controlled_by(obj, kobj_uid(*r->xr)))
        return error_set(r->err, ERR_CONFLICT,
                         "refusing to delete composed resource \"%s\" that is "
                         "controlled by %s \"%s\"",
                         name, kobj_kind(owner),
                         json_string_or(json_get(owner, "name"), ""));
    copy = registry_get(r->c->registry, k, kobj_namespace(obj), kobj_name(obj));
    if (!copy)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(labels); i++)
        json_del(json_at(copy, "metadata", "labels", NULL), labels[i]);
    if (!control_update(r->c, k, CORE_MANAGER, &copy, &st) &&
        !status_is(&st, "NotFound")) {
        r->out->invalid = status_is(&st, "Invalid");
        return error_set(r->err, ERR_INVALID,
                         "cannot cleanup composed resource labels of resource "
                         "\"%s\" (a %s named %s): %s",
                         name, kobj_kind(obj), kobj_name(obj), st.message);
    }
    status_release(&st);
    st = (struct status){0};
    if (!registry_delete(r->c->registry, k, kobj_namespace(obj), kobj_name(obj),
                         r->c->core_23 ? &how : NULL, NULL, &st) &&
        !status_is(&st, "NotFound"))
        return error_set(r->err, ERR_INVALID,
                         "cannot delete composed resource \"%s\" (a %s named "
                         "%s): %s",
                         name, kobj_kind(obj), kobj_name(obj), st.message);
    return true;
}

static bool
collect(struct run *r)
{
    for (const struct json *o = json_first(r->existing); o; o = json_next(o)) {
        const char *name = json_key(o);

        if (compose_find(&r->out->result, name))
            continue;
        if (!collect_one(r, name, o))
            return error_wrap(r->err,
                              "cannot garbage collect composed resources that "
                              "are no longer desired");
        free(map_del(&r->s->applied, str_of(name)));
    }
    return true;
}

static void
replace_xr(struct run *r, struct json *stored)
{
    json_free(*r->xr);
    *r->xr = stored;
}

static struct json *
xr_stub(const struct run *r)
{
    return kobj_new(kobj_api_version(*r->xr), kobj_kind(*r->xr), r->s->ns,
                    r->s->name);
}

/* The references are written before anything is created, so that nothing is
 * ever leaked. */
static bool
apply_refs(struct run *r)
{
    const struct registry_write w = {.manager = COMPOSE_OWNER_XR,
                                     .force = true};
    bool legacy = r->s->type->legacy;
    struct json *refs = compose_refs(&r->out->result, *r->xr, r->c->core_23);
    const struct json *had =
        json_get(xrd_machinery(*r->xr, legacy), "resourceRefs");
    AUTO(json_free_ptr) struct json *config = xr_stub(r);
    AUTO(status_release) struct status st = {0};
    struct json *spec = json_need_object(config, "spec"), *stored;
    bool same = had && json_equal(had, refs);

    xr_state_follow(r->c, r->s, refs, r->out->result.outcome.required);
    json_set(legacy ? spec : json_need_object(spec, "crossplane"),
             "resourceRefs", refs);
    if (same)
        return true;
    stored = registry_apply(r->c->registry, r->k, &w, r->s->ns, config, &st);
    if (!stored) {
        r->out->invalid = status_is(&st, "Invalid");
        return error_set(r->err, ERR_INVALID,
                         "cannot update composed resource references: %s",
                         st.message);
    }
    /* What was marked is not written yet. */
    if (json_get(*r->xr, "status"))
        json_set(stored, "status", json_copy(json_get(*r->xr, "status")));
    replace_xr(r, stored);
    return true;
}

static void
hash_of(const struct json *j, char out[65])
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    char hex[DIGEST_HEX_MAX];

    json_print(j, JSON_COMPACT, &b);
    digest_hex(DIGEST_SHA256, buf_view(&b), hex);
    memcpy(out, hex, 65);
}

/* An object that nobody touched since the same was applied needs no apply. */
static bool
is_applied(const struct run *r, const struct compose_resource *cd,
           const char *hash)
{
    const struct applied *a = map_get(&r->s->applied, str_of(cd->name));
    const struct json *obj = json_get(r->existing, cd->name);

    return a && obj && strcmp(a->hash, hash) == 0 &&
           kobj_revision(obj) == a->revision;
}

static void
remember(struct run *r, const char *name, const char *hash, int64_t revision)
{
    struct applied *a = map_get(&r->s->applied, str_of(name));

    if (!a) {
        a = mem_zalloc(1, sizeof(*a));
        map_put(&r->s->applied, str_of(name), a);
    }
    memcpy(a->hash, hash, sizeof(a->hash));
    a->revision = revision;
}

static bool
apply_one(struct run *r, const struct compose_resource *cd, const char *owner)
{
    const struct registry_write w = {.manager = owner, .force = true};
    struct error why = {0};
    const struct kind *k =
        served(r->c, kobj_api_version(cd->object), kobj_kind(cd->object), &why);
    AUTO(status_release) struct status st = {0};
    AUTO(json_free_ptr) struct json *stored = NULL;
    char hash[65];

    if (!k)
        return error_set(r->err, ERR_NOT_FOUND,
                         "cannot apply composed resource \"%s\": %s", cd->name,
                         why.msg);
    hash_of(cd->object, hash);
    if (is_applied(r, cd, hash))
        return true;
    stored = registry_apply(r->c->registry, k, &w, kobj_namespace(cd->object),
                            cd->object, &st);
    if (stored) {
        remember(r, cd->name, hash, kobj_revision(stored));
        return true;
    }
    if (!status_is(&st, "Invalid"))
        return error_set(r->err, ERR_INVALID,
                         "cannot apply composed resource \"%s\": %s", cd->name,
                         st.message);
    strlist_addf(&r->out->refused, "cannot apply composed resource \"%s\": %s",
                 cd->name, st.message);
    strlist_add(&r->out->unsynced, str_of(cd->name));
    return true;
}

static bool
apply_all(struct run *r)
{
    char owner[COMPOSE_OWNER_MAX];

    compose_owner(*r->xr, owner);
    for (size_t i = 0; i < r->out->result.resource_count; i++) {
        const struct compose_resource *cd = &r->out->result.resources[i];

        if (!apply_one(r, cd, owner))
            return false;
        if (!cd->ready)
            strlist_add(&r->out->unready, str_of(cd->name));
    }
    return true;
}

/* Every member of want is in have, with that value. */
static bool
holds(const struct json *have, const struct json *want)
{
    if (!json_is(want, JSON_OBJECT))
        return json_equal(have, want);
    for (const struct json *m = json_first(want); m; m = json_next(m)) {
        const struct json *v = json_get(have, json_key(m));

        if (!v || !holds(v, m))
            return false;
    }
    return true;
}

/* What the status has to hold; 2.3 adds the conditions marked so far. NULL:
 * nothing. Belongs to config. */
static const struct json *
wanted_status(const struct run *r, struct json *config)
{
    const struct json *want = r->out->result.status;
    const struct json *marked =
        r->c->core_23 ? json_at(*r->xr, "status", "conditions", NULL) : NULL;

    if (want)
        json_set(config, "status", json_copy(want));
    if (json_len(marked))
        json_set(json_need_object(config, "status"), "conditions",
                 json_copy(marked));
    return json_get(config, "status");
}

static bool
apply_status(struct run *r)
{
    const struct registry_write w = {
        .manager = COMPOSE_OWNER_XR, .subresource = "status", .force = true};
    AUTO(json_free_ptr) struct json *config = xr_stub(r);
    const struct json *want = wanted_status(r, config);
    AUTO(status_release) struct status st = {0};
    struct json *stored;
    char hash[65];

    hash_of(config, hash);
    if (!r->c->core_23 && strcmp(hash, r->s->status_hash) == 0 &&
        holds(json_get(*r->xr, "status"), want))
        return true;
    if (!want && !*r->s->status_hash)
        return true;
    stored = registry_apply(r->c->registry, r->k, &w, r->s->ns, config, &st);
    if (!stored) {
        r->out->invalid = status_is(&st, "Invalid");
        return error_set(r->err, ERR_INVALID,
                         "cannot apply composite resource status: %s",
                         st.message);
    }
    memcpy(r->s->status_hash, hash, sizeof(hash));
    replace_xr(r, stored);
    return true;
}

bool
xr_compose(struct control *c, struct xr_state *s, const struct kind *k,
           const struct json *revision, struct json **xr,
           struct xr_outcome *out, struct error *err)
{
    struct run r = {.c = c, .s = s, .k = k, .xr = xr, .out = out, .err = err};
    bool ok;

    *out = (struct xr_outcome){0};
    ok = observe(&r) && run_pipeline(&r, revision) && collect(&r) &&
         apply_refs(&r) && apply_all(&r) && apply_status(&r);
    /* A failed run still follows what its functions asked for. */
    if (!ok && out->result.outcome.required)
        xr_state_follow(
            c, s, json_get(xrd_machinery(*xr, s->type->legacy), "resourceRefs"),
            out->result.outcome.required);
    json_free(r.observed);
    json_free(r.existing);
    return ok;
}

void
xr_outcome_release(struct xr_outcome *out)
{
    compose_release(&out->result);
    strlist_release(&out->unsynced);
    strlist_release(&out->refused);
    strlist_release(&out->unready);
}
