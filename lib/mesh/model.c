#include "lib/mesh/model.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/mesh/graph.h"

struct mesh *
mesh_new(const struct clock *clock)
{
    struct mesh *m = mem_zalloc(1, sizeof(*m));

    m->clock = clock;
    return m;
}

static void
free_item(void *v)
{
    graph_item_free(v);
}

static void
free_kind(void *v)
{
    struct mesh_kind *k = v;

    free((char *)k->group);
    free((char *)k->kind);
    free((char *)k->api_version);
    free(k);
}

static void
free_bucket(void *v)
{
    items_release(v);
    free(v);
}

void
mesh_free(struct mesh *m)
{
    if (!m)
        return;
    map_release(&m->items, free_item);
    map_release(&m->kinds, free_kind);
    map_release(&m->by_label, free_bucket);
    map_release(&m->by_ref, free_bucket);
    for (size_t r = 0; r < MESH_ROLES; r++)
        items_release(&m->roles[r]);
    items_release(&m->dirty);
    items_release(&m->sick);
    items_release(&m->wanted);
    free(m->kind_list);
    free(m);
}

void
mesh_set_lookup(struct mesh *m, mesh_lookup_fn *fn, void *arg)
{
    m->lookup = fn;
    m->lookup_arg = arg;
}

/* ---- feeding ---- */

static void
role_add(struct mesh *m, struct item *i)
{
    struct items *l = &m->roles[i->pub.kind->role];

    i->role_index = l->n;
    items_add(l, i);
    i->pub.kind->present++;
}

static void
role_del(struct mesh *m, struct item *i)
{
    struct items *l = &m->roles[i->pub.kind->role];
    struct item *last = item_at(l, l->n - 1);

    l->v[i->role_index] = &last->pub;
    last->role_index = i->role_index;
    l->n--;
    i->pub.kind->present--;
}

static void
put(struct mesh *m, struct item *i, const struct json *object)
{
    bool was_present = i->pub.present;
    uint32_t offer = i->offer;

    if (was_present)
        relations_unlink(m, i);
    else
        role_add(m, i);
    facts_read(i, object);
    relations_link(m, i, object);
    graph_changed(m, i);
    if (!was_present || offer != i->offer)
        relations_notify(m, i);
}

static bool
put_as(struct mesh *m, const char *api_version, const char *kind,
       const struct json *object, struct error *err)
{
    const struct json *meta = json_get(object, "metadata");
    const char *name = json_get_string(meta, "name");

    if (!json_is(object, JSON_OBJECT))
        return error_set(err, ERR_INVALID, "not a Kubernetes object");
    if (!api_version)
        api_version = json_get_string(object, "apiVersion");
    if (!kind)
        kind = json_get_string(object, "kind");
    struct mesh_kind *k = graph_kind(m, api_version, kind);

    if (!k)
        return error_set(err, ERR_INVALID, "an object without kind");
    struct item *i =
        graph_item(m, k, json_get_string(meta, "namespace"), name, true);

    if (!i)
        return error_set(err, ERR_INVALID, "a %s without a name", kind);
    put(m, i, object);
    return true;
}

bool
mesh_put_json(struct mesh *m, const struct json *object, struct error *err)
{
    return put_as(m, NULL, NULL, object, err);
}

bool
mesh_put(struct mesh *m, const char *api_version, const char *kind,
         struct str body, struct error *err)
{
    AUTO(json_free_ptr) struct json *j = json_parse(body, NULL, err);

    return j && put_as(m, api_version, kind, j, err);
}

static struct item *
find(const struct mesh *m, const char *api_version, const char *kind,
     const char *ns, const char *name)
{
    /* Nothing is created: only the table of kinds may grow. */
    struct mesh *w = (struct mesh *)m;

    return graph_item(w, graph_kind(w, api_version, kind), ns, name, false);
}

void
mesh_del(struct mesh *m, const char *api_version, const char *kind,
         const char *ns, const char *name)
{
    struct item *i = find(m, api_version, kind, ns, name);

    if (!i || !i->pub.present)
        return;
    /* First up, while the way to the roots is still there. */
    graph_changed(m, i);
    relations_unlink(m, i);
    role_del(m, i);
    facts_clear(i);
    relations_notify(m, i);
    graph_sick(m, i);
    graph_drop_unheld(m, i);
}

/* Who refers to an object that is not there must judge it anew. */
static void
look_again(struct mesh *m, struct item *i, enum mesh_watch watch)
{
    if (i->pub.present)
        return;
    graph_changed(m, i);
    relations_notify(m, i);
    if (watch == MESH_SYNCED && !i->wanted) {
        i->wanted = true;
        items_add(&m->wanted, i);
    }
}

void
mesh_watched(struct mesh *m, const char *api_version, const char *kind,
             enum mesh_watch watch)
{
    struct mesh_kind *k = graph_kind(m, api_version, kind);

    if (!k || k->watch == watch)
        return;
    k->watch = watch;
    m->generation++;
    for (struct map_entry *e = map_first(&m->items); e;
         e = map_next(&m->items, e)) {
        struct item *i = e->value;

        if (i->pub.kind == k)
            look_again(m, i, watch);
    }
    for (size_t p = 0;
         k->role == MESH_ROLE_DOMAIN && p < m->roles[MESH_ROLE_PRODUCT].n;
         p++) {
        struct item *product = item_at(&m->roles[MESH_ROLE_PRODUCT], p);

        relations_domain(m, product);
        graph_changed(m, product);
    }
}

bool
mesh_wants(const struct mesh *m, const char *api_version, const char *kind,
           const char *ns, const char *name)
{
    return find(m, api_version, kind, ns, name) != NULL;
}

static void
fetch_wanted(struct mesh *m)
{
    while (m->wanted.n) {
        struct item *i = item_at(&m->wanted, --m->wanted.n);
        struct str body = {0};

        i->wanted = false;
        if (m->lookup && !i->pub.present)
            body = m->lookup(m->lookup_arg, &i->pub);
        if (body.n)
            mesh_put(m, i->pub.kind->api_version, i->pub.kind->kind, body,
                     NULL);
    }
}

bool
mesh_settle(struct mesh *m)
{
    fetch_wanted(m);
    while (m->dirty.n) {
        struct item *i = item_at(&m->dirty, --m->dirty.n);

        i->dirty = false;
        rollup_refresh(m, i);
    }
    bool news = m->generation != m->told;

    m->told = m->generation;
    return news;
}

uint64_t
mesh_generation(const struct mesh *m)
{
    return m->generation;
}

/* ---- reading ---- */

struct mesh_kind *
mesh_kind_at(const struct mesh *m, size_t i)
{
    return i < m->kinds_n ? m->kind_list[i] : NULL;
}

uint64_t
mesh_kinds_generation(const struct mesh *m)
{
    return m->kinds_generation;
}

const struct mesh_item *
mesh_role_at(const struct mesh *m, enum mesh_role r, size_t i)
{
    return i < m->roles[r].n ? m->roles[r].v[i] : NULL;
}

size_t
mesh_role_count(const struct mesh *m, enum mesh_role r)
{
    return m->roles[r].n;
}

const struct mesh_item *
mesh_find(const struct mesh *m, const char *api_version, const char *kind,
          const char *ns, const char *name)
{
    struct item *i = find(m, api_version, kind, ns, name);

    return i ? &i->pub : NULL;
}

static const char *const role_words[] = {
    [MESH_ROLE_OTHER] = "object",      [MESH_ROLE_MESH] = "mesh",
    [MESH_ROLE_DOMAIN] = "domain",     [MESH_ROLE_PRODUCT] = "product",
    [MESH_ROLE_CONTRACT] = "contract", [MESH_ROLE_USAGE] = "usage",
};

const struct mesh_item *
mesh_named(const struct mesh *m, enum mesh_role r, const char *name,
           struct error *err)
{
    struct str head, tail;
    bool with_ns = str_cut(str_of(name), '/', &head, &tail);
    const struct mesh_item *found = NULL;

    for (size_t k = 0; k < m->roles[r].n; k++) {
        const struct mesh_item *i = m->roles[r].v[k];

        if (!str_eqz(with_ns ? tail : head, i->name) ||
            (with_ns && !str_eqz(head, i->ns)))
            continue;
        if (found) {
            error_set(err, ERR_CONFLICT, "%s is ambiguous: say %s/%s or %s/%s",
                      name, found->ns, name, i->ns, name);
            return NULL;
        }
        found = i;
    }
    if (!found)
        error_set(err, ERR_NOT_FOUND, "no %s named %s", role_words[r], name);
    return found;
}

const char *
mesh_item_text(const struct mesh_item *i, struct arena *a)
{
    return arena_printf(a, *i->ns ? "%s/%s (%s)" : "%s/%s", i->kind->kind,
                        i->name, i->ns);
}

const char *
mesh_owner(const struct mesh_item *product)
{
    const struct mesh_product *p = product->product;

    if (!p || *p->owner || !p->domain || !p->domain->domain)
        return p ? p->owner : "";
    return p->domain->domain->owner;
}
