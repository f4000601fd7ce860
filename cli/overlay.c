#include "cli/overlay.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/kube/gvr.h"

static struct str
group_of(const char *api_version)
{
    struct str group = STR(""), version;

    kube_api_version_split(str_of(api_version), &group, &version);
    return group;
}

static bool
is_kind(const struct overlay_entry *e, const char *api_version,
        const char *kind)
{
    return strcmp(e->kind, kind) == 0 &&
           str_eq(group_of(e->api_version), group_of(api_version));
}

/* An object is known by group, kind, namespace and name. */
static struct overlay_entry *
find(const struct overlay *o, const char *api_version, const char *kind,
     const char *ns, const char *name)
{
    for (size_t i = 0; i < o->n; i++) {
        struct overlay_entry *e = &o->v[i];

        if (is_kind(e, api_version, kind) && strcmp(e->name, name) == 0 &&
            strcmp(e->ns, ns ? ns : "") == 0)
            return e;
    }
    return NULL;
}

void
overlay_release(struct overlay *o)
{
    for (size_t i = 0; i < o->n; i++) {
        free(o->v[i].api_version);
        free(o->v[i].kind);
        free(o->v[i].ns);
        free(o->v[i].name);
        free(o->v[i].text);
    }
    free(o->v);
}

bool
overlay_take(struct overlay *o, const struct mesh_plan *p)
{
    bool machinery = false;

    for (size_t i = 0; i < p->items_n; i++) {
        const struct mesh_plan_item *item = &p->items[i];
        struct overlay_entry *e;

        if (!item->object ||
            (item->sign != MESH_ADD && item->sign != MESH_CHANGE))
            continue;
        e = find(o, item->api_version, item->kind, item->ns, item->name);
        if (!e) {
            o->v = mem_grow(o->v, &o->cap, o->n + 1, sizeof(*o->v));
            e = &o->v[o->n++];
            *e = (struct overlay_entry){
                .api_version = mem_strdup(item->api_version),
                .kind = mem_strdup(item->kind),
                .ns = mem_strdup(item->ns),
                .name = mem_strdup(item->name),
            };
        }
        free(e->text);
        e->text = json_text(item->object, JSON_COMPACT);
        machinery = machinery || str_eqz(group_of(item->api_version),
                                         "apiextensions.crossplane.io");
    }
    return machinery;
}

/* ---- the host ---- */

static struct str
get(void *arg, const char *api_version, const char *kind, const char *ns,
    const char *name, bool *known)
{
    const struct overlay *o = arg;
    const struct overlay_entry *e = find(o, api_version, kind, ns, name);

    if (!e)
        return o->base->get(o->base->arg, api_version, kind, ns, name, known);
    *known = true;
    return str_of(e->text);
}

struct walk {
    const struct overlay *o;
    const char *api_version, *kind;
    bool (*fn)(void *fn_arg, struct str body);
    void *arg;
    bool stopped;
};

static bool
on_base(void *arg, struct str body)
{
    struct walk *w = arg;
    AUTO(json_free_ptr) struct json *j = json_parse(body, NULL, NULL);
    const struct json *meta = json_get(j, "metadata");

    if (find(w->o, w->api_version, w->kind,
             json_string_or(json_get(meta, "namespace"), ""),
             json_string_or(json_get(meta, "name"), "")))
        return true;
    w->stopped = !w->fn(w->arg, body);
    return !w->stopped;
}

static bool
each(void *arg, const char *api_version, const char *kind, const char *ns,
     bool (*fn)(void *fn_arg, struct str body), void *fn_arg)
{
    const struct overlay *o = arg;
    struct walk w = {o, api_version, kind, fn, fn_arg, false};
    bool any = false;

    for (size_t i = 0; i < o->n; i++)
        any = any || is_kind(&o->v[i], api_version, kind);
    if (!any)
        return o->base->each(o->base->arg, api_version, kind, ns, fn, fn_arg);
    if (!o->base->each(o->base->arg, api_version, kind, ns, on_base, &w))
        return false;
    for (size_t i = 0; i < o->n && !w.stopped; i++) {
        const struct overlay_entry *e = &o->v[i];

        if (is_kind(e, api_version, kind) && (!ns || strcmp(e->ns, ns) == 0))
            w.stopped = !fn(fn_arg, str_of(e->text));
    }
    return true;
}

static bool
served(void *arg, const char *api_version, const char *kind, bool *namespaced)
{
    const struct overlay *o = arg;

    return o->base->served(o->base->arg, api_version, kind, namespaced);
}

struct mesh_host
overlay_host(struct overlay *o)
{
    return (struct mesh_host){o, get, each, served};
}
