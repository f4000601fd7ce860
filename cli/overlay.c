#include "cli/overlay.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/compose/xrd.h"

#include "lib/kube/gvr.h"

#include "lib/mesh/plan_builtin.h"

/* The objects of a kind: "ns/name" -> its text, "" when it is gone. */
struct pile {
    struct map objects;
};

static struct str
group_of(const char *api_version)
{
    struct str group = STR(""), version;

    kube_api_version_split(str_of(api_version), &group, &version);
    return group;
}

static void
kind_key(struct buf *out, struct str group, const char *kind)
{
    buf_reset(out);
    buf_printf(out, "%.*s/%s", STR_ARG(group), kind);
}

static struct pile *
pile_of(const struct overlay *o, const char *api_version, const char *kind)
{
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);

    kind_key(&key, group_of(api_version), kind);
    return map_get(&o->kinds, buf_view(&key));
}

static const char *
find(const struct pile *p, const char *ns, const char *name)
{
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);

    if (!p)
        return NULL;
    buf_printf(&key, "%s/%s", ns ? ns : "", name);
    return map_get(&p->objects, buf_view(&key));
}

static void
free_pile(void *v)
{
    struct pile *p = v;

    map_release(&p->objects, free);
    free(p);
}

void
overlay_release(struct overlay *o)
{
    map_release(&o->kinds, free_pile);
    map_release(&o->definitions, free);
    strlist_release(&o->assumed);
}

/* ---- what lies over ---- */

/* True when it is one of the kinds that planners keep compiled. */
static bool
is_machinery(struct str group, const char *kind)
{
    return str_eqz(group, "apiextensions.crossplane.io") ||
           str_eqz(group, "apiextensions.k8s.io") ||
           (str_eqz(group, "pkg.crossplane.io") &&
            strcmp(kind, "Function") == 0);
}

static void
put_definition(struct overlay *o, const struct json *object)
{
    const struct json *spec = json_get(object, "spec");
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);
    const char *kind = json_get_text(object, "kind");

    if (strcmp(kind, "CompositeResourceDefinition") != 0 &&
        strcmp(kind, "CustomResourceDefinition") != 0)
        return;
    kind_key(&key, str_of(json_get_text(spec, "group")),
             json_get_text(json_get(spec, "names"), "kind"));
    free(map_put(&o->definitions, buf_view(&key),
                 json_text(object, JSON_COMPACT)));
}

/* text is taken over. */
static bool
put(struct overlay *o, const char *api_version, const char *kind,
    const char *ns, const char *name, char *text)
{
    struct pile *p = pile_of(o, api_version, kind);
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);

    if (!p) {
        p = mem_zalloc(1, sizeof(*p));
        kind_key(&key, group_of(api_version), kind);
        map_put(&o->kinds, buf_view(&key), p);
    }
    buf_reset(&key);
    buf_printf(&key, "%s/%s", ns ? ns : "", name);
    free(map_put(&p->objects, buf_view(&key), text));
    return is_machinery(group_of(api_version), kind);
}

bool
overlay_put(struct overlay *o, const struct json *object)
{
    const struct json *meta = json_get(object, "metadata");

    put_definition(o, object);
    return put(o, json_get_text(object, "apiVersion"),
               json_get_text(object, "kind"), json_get_text(meta, "namespace"),
               json_get_text(meta, "name"), json_text(object, JSON_COMPACT));
}

bool
overlay_has(const struct overlay *o, const struct json *object)
{
    const struct json *meta = json_get(object, "metadata");
    const char *text =
        find(pile_of(o, json_get_text(object, "apiVersion"),
                     json_get_text(object, "kind")),
             json_get_text(meta, "namespace"), json_get_text(meta, "name"));

    return text && *text;
}

static bool
lay(struct overlay *o, const struct mesh_plan_item *i, char *text)
{
    return put(o, i->api_version, i->kind, i->ns, i->name, text);
}

/* What goes first: an object that is made anew is there at the end. */
bool
overlay_take(struct overlay *o, const struct mesh_plan *p)
{
    bool machinery = false;

    for (size_t i = 0; i < p->items_n; i++) {
        const struct mesh_plan_item *item = &p->items[i];

        if (item->sign == MESH_DESTROY)
            machinery = lay(o, item, mem_strdup("")) || machinery;
    }
    for (size_t i = 0; i < p->items_n; i++) {
        const struct mesh_plan_item *item = &p->items[i];

        if (!item->object ||
            (item->sign != MESH_ADD && item->sign != MESH_CHANGE))
            continue;
        put_definition(o, item->object);
        machinery =
            lay(o, item, json_text(item->object, JSON_COMPACT)) || machinery;
    }
    return machinery;
}

void
overlay_give_back(struct overlay *o, const struct mesh_plan *p)
{
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);

    for (size_t i = 0; i < p->items_n; i++) {
        const struct mesh_plan_item *item = &p->items[i];
        struct pile *pile = pile_of(o, item->api_version, item->kind);

        buf_reset(&key);
        buf_printf(&key, "%s/%s", item->ns, item->name);
        if (pile)
            free(map_del(&pile->objects, buf_view(&key)));
    }
}

/* ---- the host ---- */

static struct str
get(void *arg, const char *api_version, const char *kind, const char *ns,
    const char *name, bool *known)
{
    const struct overlay *o = arg;
    const char *text = find(pile_of(o, api_version, kind), ns, name);

    if (!text && o->base)
        return o->base->get(o->base->arg, api_version, kind, ns, name, known);
    *known = true;
    return text && *text ? str_of(text) : (struct str){0};
}

struct walk {
    const struct pile *pile;
    mesh_body_fn *fn;
    void *arg;
    bool stopped;
};

static bool
on_base(void *arg, struct str body)
{
    struct walk *w = arg;
    AUTO(json_free_ptr) struct json *j = json_parse(body, NULL, NULL);
    const struct json *meta = json_get(j, "metadata");

    if (find(w->pile, json_get_text(meta, "namespace"),
             json_get_text(meta, "name")))
        return true;
    w->stopped = !w->fn(w->arg, body);
    return !w->stopped;
}

static bool
is_in(struct str key, const char *ns)
{
    struct str of, name;

    return !ns || (str_cut(key, '/', &of, &name) && str_eqz(of, ns));
}

static bool
each(void *arg, const char *api_version, const char *kind, const char *ns,
     const struct json *labels, mesh_body_fn *fn, void *fn_arg)
{
    const struct overlay *o = arg;
    const struct mesh_host *b = o->base;
    struct pile *pile = pile_of(o, api_version, kind);
    struct walk w = {pile, fn, fn_arg, false};

    if (!pile)
        return !b || b->each(b->arg, api_version, kind, ns, labels, fn, fn_arg);
    if (b && !b->each(b->arg, api_version, kind, ns, labels, on_base, &w))
        return false;
    for (struct map_entry *e = map_first(&pile->objects); e && !w.stopped;
         e = map_next(&pile->objects, e)) {
        if (*(const char *)e->value && is_in(e->key, ns))
            w.stopped = !fn(fn_arg, str_of(e->value));
    }
    return true;
}

static struct str
own_definition(const struct overlay *o, const char *api_version,
               const char *kind)
{
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);

    kind_key(&key, group_of(api_version), kind);
    return str_of(map_get(&o->definitions, buf_view(&key)));
}

static struct str
definition(void *arg, const char *api_version, const char *kind, bool *known)
{
    const struct overlay *o = arg;
    struct str own = own_definition(o, api_version, kind);

    if (!own.n && o->base)
        return o->base->definition(o->base->arg, api_version, kind, known);
    *known = true;
    return own;
}

/* Without a cluster there is nobody to say what is served. */
static bool
assume(struct overlay *o, const char *api_version, const char *kind,
       bool *namespaced)
{
    struct str group = group_of(api_version);

    *namespaced = !plan_builtin_cluster_scoped(group, kind);
    if (!plan_builtin_group(group) && o->assumed.n < 100 &&
        !strlist_has(&o->assumed, str_of(kind)))
        strlist_add(&o->assumed, str_of(kind));
    return true;
}

static bool
served(void *arg, const char *api_version, const char *kind, bool *namespaced)
{
    struct overlay *o = arg;
    struct str own = own_definition(o, api_version, kind);
    AUTO(json_free_ptr)
    struct json *j = own.n ? json_parse(own, NULL, NULL) : NULL;

    if (j) {
        bool composite = strcmp(json_get_text(j, "kind"),
                                "CompositeResourceDefinition") == 0;
        const char *scope = composite
                                ? xrd_scope(j)
                                : json_get_text(json_get(j, "spec"), "scope");

        *namespaced = strcmp(scope, "Namespaced") == 0;
        return true;
    }
    return o->base
               ? o->base->served(o->base->arg, api_version, kind, namespaced)
               : assume(o, api_version, kind, namespaced);
}

struct mesh_host
overlay_host(struct overlay *o)
{
    bool looks_up = !o->base || o->base->definition;

    return (struct mesh_host){.arg = o,
                              .get = get,
                              .each = each,
                              .served = served,
                              .definition = looks_up ? definition : NULL};
}
