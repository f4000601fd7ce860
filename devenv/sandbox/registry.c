#include "devenv/sandbox/registry.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/builtin.h"
#include "devenv/sandbox/crd.h"
#include "devenv/sandbox/events.h"
#include "devenv/sandbox/namespaces.h"
#include "devenv/sandbox/registry_state.h"
#include "devenv/sandbox/selectors.h"

#define CRD_KIND  "apiextensions.k8s.io/customresourcedefinitions"
#define EXPIRE_MS (5 * 60 * 1000)

struct registry_subscription {
    struct registry *r;
    char *group, *plural; /* plural NULL: every kind */
    registry_event_fn *fn;
    void *arg;
    bool dead;
    struct registry_subscription *next;
};

/* ---- birth and death ---- */

static void
expire(void *arg)
{
    struct registry *r = arg;

    events_expire(r);
    loop_timer_set(r->timer, EXPIRE_MS);
}

void
registry_serve(struct registry *r, const struct json *crd)
{
    struct resource *old = kinds_resource(
        &r->kinds, json_string_or(json_at(crd, "spec", "group", NULL), ""),
        json_string_or(json_at(crd, "spec", "names", "plural", NULL), ""));

    /* A write of the status alone changes nothing that is served. */
    if (old && old->n &&
        json_equal(json_get(old->v[0]->crd, "spec"), json_get(crd, "spec")))
        return;
    for (size_t i = 0; old && i < old->n; i++)
        registry_drop_views(r, old->v[i]);
    kinds_add(&r->kinds, crd);
}

void
registry_reload(struct registry *r)
{
    struct strlist groups = {0}, plurals = {0};
    struct store_cursor c;
    struct store_item it;

    for (struct map_entry *e = map_first(&r->kinds.resources); e;
         e = map_next(&r->kinds.resources, e)) {
        const struct resource *res = e->value;

        if (res->n && !res->v[0]->pub.builtin) {
            strlist_add(&groups, str_of(res->v[0]->pub.group));
            strlist_add(&plurals, str_of(res->v[0]->pub.plural));
        }
    }
    for (size_t i = 0; i < groups.n; i++)
        kinds_remove(&r->kinds, groups.v[i], plurals.v[i]);
    strlist_release(&groups);
    strlist_release(&plurals);
    /* A deletion that was taken back must not go on. */
    map_release(&r->going, NULL);
    map_release(&r->terminating, NULL);
    store_scan(r->store, STR(CRD_KIND), STR(""), STR(""), 0, &c);
    while (store_next(&c, &it)) {
        AUTO(json_free_ptr)
        struct json *crd = json_parse(blob_view(it.json), NULL, NULL);

        if (crd_established(crd))
            registry_serve(r, crd);
        if (stored_deleting(crd))
            crd_stays(r, crd, false);
    }
    store_cursor_release(&c);
    namespaces_resume(r);
}

struct registry *
registry_new(const struct registry_options *o, struct error *err)
{
    struct registry *r = mem_zalloc(1, sizeof(*r));

    r->loop = o->loop;
    r->clock = o->clock ? o->clock : clock_system();
    r->store = o->store;
    r->hub = o->hub;
    buf_init(&r->print, STORE_OBJECT_MAX);
    if (!kinds_add_builtin(&r->kinds, err))
        goto fail;
    registry_reload(r);
    if (!namespaces_ensure(r, err))
        goto fail;
    r->gc = gc_new(r);
    if (r->hub)
        hub_listen(r->hub, (struct str){0}, registry_on_event, r);
    if (r->loop)
        r->timer = loop_timer_add(r->loop, EXPIRE_MS, expire, r);
    return r;
fail:
    registry_free(r);
    return NULL;
}

void
registry_free(struct registry *r)
{
    struct registry_subscription *next;

    if (!r)
        return;
    for (struct registry_subscription *s = r->subs; s; s = next) {
        next = s->next;
        free(s->group);
        free(s->plural);
        free(s);
    }
    loop_timer_del(r->timer);
    gc_free(r->gc);
    kinds_release(&r->kinds);
    map_release(&r->emitted, free);
    map_release(&r->terminating, NULL);
    map_release(&r->going, NULL);
    buf_release(&r->print);
    free(r);
}

/* ---- kinds ---- */

static const struct kind *
face(const struct kind_info *k)
{
    return k ? &k->pub : NULL;
}

const struct kind *
registry_kind(struct registry *r, const char *api_version, const char *kind)
{
    return face(kinds_kind(&r->kinds, api_version, kind));
}

const struct kind *
registry_resource(struct registry *r, const char *group, const char *version,
                  const char *plural)
{
    return face(kinds_find(&r->kinds, group, version, plural));
}

void
registry_each_kind(struct registry *r, registry_kind_fn *fn, void *arg)
{
    for (struct map_entry *e = map_first(&r->kinds.resources); e;
         e = map_next(&r->kinds.resources, e)) {
        const struct resource *res = e->value;

        if (res->n)
            fn(arg, &res->v[0]->pub);
    }
}

const struct schema *
registry_schema(const struct kind *k)
{
    return kind_types(kind_info(k))->root;
}

bool
registry_in_category(const struct kind *k, const char *name)
{
    for (char **c = kind_info(k)->categories; *c; c++) {
        if (!strcmp(*c, name))
            return true;
    }
    return false;
}

bool
registry_install_crd(struct registry *r, const struct registry_write *w,
                     const struct json *crd, struct status *st)
{
    const struct kind *k =
        registry_kind(r, "apiextensions.k8s.io/v1", "CustomResourceDefinition");
    AUTO(json_free_ptr)
    struct json *old = registry_get(r, k, NULL, stored_name(crd));
    struct json *made;

    if (!old) {
        made = registry_create(r, k, w, NULL, json_copy(crd), st);
    } else {
        struct json *next = json_copy(old);

        json_set(next, "spec", json_copy(json_get(crd, "spec")));
        made = registry_update(r, k, w, NULL, next, st);
    }
    json_free(made);
    return made != NULL;
}

/* ---- reading ---- */

struct json *
registry_get(struct registry *r, const struct kind *k, const char *ns,
             const char *name)
{
    struct store_item it;

    return stored_find(r, k, ns, name, &it) ? stored_read(k, it.json) : NULL;
}

bool
registry_has(struct registry *r, const struct kind *k, const char *ns,
             const char *name)
{
    struct store_item it;

    return stored_find(r, k, ns, name, &it);
}

bool
registry_get_raw(struct registry *r, const struct kind *k, const char *ns,
                 const char *name, struct str *text)
{
    struct store_item it;

    if (!stored_find(r, k, ns, name, &it))
        return false;
    *text = blob_view(it.json);
    return true;
}

bool
registry_list(struct registry *r, const struct kind *k, const char *ns,
              const char *label_selector, registry_object_fn *fn, void *arg,
              struct status *st)
{
    AUTO(selector_release) struct selector labels = {0};
    struct store_cursor c;
    struct store_item it;
    bool more = true;

    if (label_selector &&
        !selector_labels_parse(str_of(label_selector), &labels, st))
        return false;
    store_scan(r->store, str_of(kind_info(k)->store_kind), str_of(ns), STR(""),
               0, &c);
    while (more && store_next(&c, &it)) {
        if (!labels.n || stored_labels_match(&labels, it.json))
            more = fn(arg, blob_view(it.json));
    }
    store_cursor_release(&c);
    return true;
}

static bool
append(void *arg, struct str text)
{
    json_append(arg, json_parse(text, NULL, NULL));
    return true;
}

struct json *
registry_list_json(struct registry *r, const struct kind *k, const char *ns,
                   const char *label_selector, struct status *st)
{
    struct json *list = json_new_array();

    if (registry_list(r, k, ns, label_selector, append, list, st))
        return list;
    json_free(list);
    return NULL;
}

struct store *
registry_store(const struct registry *r)
{
    return r->store;
}

uint64_t
registry_revision(struct registry *r)
{
    return (uint64_t)store_rev(r->store);
}

/* ---- hearing of changes ---- */

struct registry_subscription *
registry_subscribe(struct registry *r, const char *group, const char *plural,
                   registry_event_fn *fn, void *arg)
{
    struct registry_subscription *s = mem_zalloc(1, sizeof(*s)), **at;

    *s = (struct registry_subscription){.r = r,
                                        .group = mem_strdup(group),
                                        .plural = mem_strdup(plural),
                                        .fn = fn,
                                        .arg = arg};
    at = &r->subs;
    while (*at)
        at = &(*at)->next;
    *at = s;
    return s;
}

void
registry_unsubscribe(struct registry_subscription *s)
{
    if (s)
        s->dead = true;
}

static void
bury(struct registry *r)
{
    struct registry_subscription **at = &r->subs;

    while (*at) {
        struct registry_subscription *s = *at;

        if (!s->dead) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        free(s->group);
        free(s->plural);
        free(s);
    }
}

static bool
wants(const struct registry_subscription *s, struct str group,
      struct str plural)
{
    return !s->dead && (!s->plural || (str_eqz(plural, s->plural) &&
                                       str_eqz(group, s->group)));
}

static void
tell(struct registry *r, const struct store_event *e)
{
    static const enum registry_change types[] = {
        [STORE_ADDED] = CHANGE_ADDED,
        [STORE_MODIFIED] = CHANGE_MODIFIED,
        [STORE_DELETED] = CHANGE_DELETED};
    struct str group, plural;

    if (!r->subs)
        return;
    str_cut(str_of(e->kind), '/', &group, &plural);
    for (struct registry_subscription *s = r->subs; s; s = s->next) {
        struct registry_event out = {.type = types[e->op],
                                     .revision = (uint64_t)e->rev,
                                     .text = blob_view(e->json)};
        AUTO(mem_free_ptr) char *g = NULL, *p = NULL, *ns = NULL, *name = NULL;

        if (!wants(s, group, plural))
            continue;
        g = mem_strndup(group.s, group.n);
        p = mem_strndup(plural.s, plural.n);
        out.kind = registry_resource(r, g, NULL, p);
        out.ns = ns = mem_strndup(e->ns.s ? e->ns.s : "", e->ns.n);
        out.name = name = mem_strndup(e->name.s, e->name.n);
        if (out.kind)
            s->fn(s->arg, &out);
    }
    bury(r);
}

void
registry_on_event(void *arg, const struct store_event *e)
{
    struct registry *r = arg;
    struct store_event kept = *e;
    AUTO(mem_free_ptr) char *key = mem_strndup(e->key.s, e->key.n);

    /* Listeners write, which may move what the event points to. */
    kept.key = str_of(key);
    kept.name = str_from(kept.key, e->ns.n ? e->ns.n + 1 : 0);
    kept.ns = str_sub(kept.key, 0, e->ns.n);
    blob_keep(kept.json);
    if (kept.prev)
        blob_keep(kept.prev);
    gc_on_event(r->gc, &kept);
    namespaces_on_event(r, &kept);
    crd_on_event(r, &kept);
    tell(r, &kept);
    blob_drop(kept.json);
    blob_drop(kept.prev);
}

bool
registry_turn(struct registry *r)
{
    bool a = namespaces_turn(r), b = crd_turn(r);

    return gc_turn(r->gc) || a || b;
}
