#include "lib/mesh/graph.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/utf8.h"

/* ---- lists ---- */

void
items_add(struct items *l, struct item *i)
{
    l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
    l->v[l->n++] = &i->pub;
}

bool
items_has(const struct items *l, const struct item *i)
{
    for (size_t k = 0; k < l->n; k++) {
        if (l->v[k] == &i->pub)
            return true;
    }
    return false;
}

bool
items_del(struct items *l, const struct item *i)
{
    for (size_t k = 0; k < l->n; k++) {
        if (l->v[k] == &i->pub) {
            l->v[k] = l->v[--l->n];
            return true;
        }
    }
    return false;
}

void
items_release(struct items *l)
{
    free(l->v);
    *l = (struct items){0};
}

void
graph_publish(struct item *i)
{
    i->pub.children = i->children.v;
    i->pub.children_n = i->children.n;
    i->pub.parents = i->parents.v;
    i->pub.parents_n = i->parents.n;
    i->pub.usages = i->usages.v;
    i->pub.usages_n = i->usages.n;
    if (i->product) {
        i->product->readers = i->readers.v;
        i->product->readers_n = i->readers.n;
    }
    if (i->contract) {
        i->contract->users = i->users.v;
        i->contract->users_n = i->users.n;
    }
    if (i->domain) {
        i->domain->products = i->products.v;
        i->domain->products_n = i->products.n;
    }
}

/* ---- packs ---- */

struct pack_piece {
    struct pack_piece *next;
    size_t size, used;
    _Alignas(max_align_t) char data[];
};

#define PIECE_SIZE ((size_t)464)

void *
pack_alloc(struct pack *p, size_t size)
{
    struct pack_piece *piece = p->first;

    size = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
    if (!piece || piece->size - piece->used < size) {
        size_t want = MAX(size, PIECE_SIZE);

        piece = mem_alloc(sizeof(*piece) + want);
        *piece = (struct pack_piece){.next = p->first, .size = want};
        p->first = piece;
    }
    void *at = piece->data + piece->used;

    piece->used += size;
    return memset(at, 0, size);
}

const char *
pack_str(struct pack *p, const char *z, size_t max)
{
    size_t n = z ? strnlen(z, max + 1) : 0;

    if (!n)
        return "";
    if (n > max) {
        n = max;
        while (n && ((unsigned char)z[n] & 0xc0) == 0x80)
            n--;
    }
    char *copy = pack_alloc(p, n + 1);

    memcpy(copy, z, n);
    return copy;
}

void
pack_release(struct pack *p)
{
    while (p->first) {
        struct pack_piece *next = p->first->next;

        free(p->first);
        p->first = next;
    }
}

/* ---- kinds ---- */

#define GROUP_LIMIT 253
#define KIND_LIMIT  63
#define NAME_LIMIT  253
/* References of a hostile object could invent kinds without end. */
#define KINDS_LIMIT 5000

static const struct known {
    const char *group, *kind;
    enum mesh_role role;
} known[] = {
    {MESH_GROUP, "Mesh", MESH_ROLE_MESH},
    {MESH_GROUP, "DataDomain", MESH_ROLE_DOMAIN},
    {MESH_GROUP, "DataProduct", MESH_ROLE_PRODUCT},
    {MESH_GROUP, "DataContract", MESH_ROLE_CONTRACT},
    {"protection.crossplane.io", "Usage", MESH_ROLE_USAGE},
    {"protection.crossplane.io", "ClusterUsage", MESH_ROLE_USAGE},
};

static enum mesh_role
role_of(const char *group, const char *kind)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (strcmp(known[i].group, group) == 0 &&
            strcmp(known[i].kind, kind) == 0)
            return known[i].role;
    }
    return MESH_ROLE_OTHER;
}

static struct mesh_kind *
new_kind(struct mesh *m, const char *api_version, struct str group,
         const char *kind)
{
    struct mesh_kind *k = mem_zalloc(1, sizeof(*k));

    k->api_version = mem_strdup(api_version);
    k->group = mem_strndup(group.s, group.n);
    k->kind = mem_strdup(kind);
    k->role = role_of(k->group, kind);
    m->kind_list =
        mem_grow(m->kind_list, &m->kinds_cap, m->kinds_n + 1, sizeof(k));
    m->kind_list[m->kinds_n++] = k;
    m->kinds_generation++;
    return k;
}

struct mesh_kind *
graph_kind(struct mesh *m, const char *api_version, const char *kind)
{
    struct str group, version;
    char key[GROUP_LIMIT + KIND_LIMIT + 2];

    if (!api_version || !kind || !*kind || strlen(kind) > KIND_LIMIT)
        return NULL;
    if (!str_cut(str_of(api_version), '/', &group, &version))
        group.n = 0;
    if (group.n > GROUP_LIMIT || strlen(api_version) > GROUP_LIMIT)
        return NULL;
    snprintf(key, sizeof(key), "%.*s/%s", STR_ARG(group), kind);
    struct mesh_kind *k = map_get(&m->kinds, str_of(key));

    if (!k && m->kinds_n < KINDS_LIMIT) {
        k = new_kind(m, api_version, group, kind);
        map_put(&m->kinds, str_of(key), k);
    }
    return k;
}

/* ---- items ---- */

struct item *
graph_item(struct mesh *m, struct mesh_kind *k, const char *ns,
           const char *name, bool create)
{
    char key[GROUP_LIMIT + KIND_LIMIT + 2 * NAME_LIMIT + 4];
    size_t ns_n = ns ? strlen(ns) : 0, name_n = name ? strlen(name) : 0;

    if (!k || !name_n || ns_n > NAME_LIMIT || name_n > NAME_LIMIT)
        return NULL;
    snprintf(key, sizeof(key), "%s/%s|%s|%s", k->group, k->kind, ns ? ns : "",
             name);
    struct item *i = map_get(&m->items, str_of(key));

    if (i || !create)
        return i;
    i = mem_zalloc(1, sizeof(*i));
    i->own_name = mem_printf("%s%c%s", ns ? ns : "", '\0', name);
    i->pub.ns = i->own_name;
    i->pub.name = i->own_name + ns_n + 1;
    i->pub.kind = k;
    i->walks = &m->stamp;
    facts_clear(i);
    map_put(&m->items, str_of(key), i);
    return i;
}

void
graph_item_free(struct item *i)
{
    pack_release(&i->pack);
    items_release(&i->children);
    items_release(&i->parents);
    items_release(&i->readers);
    items_release(&i->users);
    items_release(&i->usages);
    items_release(&i->products);
    free(i->own_name);
    free(i);
}

static void
sick_add(struct mesh *m, struct item *i)
{
    if (i->sick_index)
        return;
    items_add(&m->sick, i);
    i->sick_index = m->sick.n;
}

static void
sick_del(struct mesh *m, struct item *i)
{
    if (!i->sick_index)
        return;
    struct item *last = item_at(&m->sick, m->sick.n - 1);

    m->sick.v[i->sick_index - 1] = &last->pub;
    last->sick_index = i->sick_index;
    m->sick.n--;
    i->sick_index = 0;
}

void
graph_drop_unheld(struct mesh *m, struct item *i)
{
    char key[GROUP_LIMIT + KIND_LIMIT + 2 * NAME_LIMIT + 4];

    if (i->pub.present || i->parents.n || i->readers.n || i->users.n ||
        i->usages.n)
        return;
    snprintf(key, sizeof(key), "%s/%s|%s|%s", i->pub.kind->group,
             i->pub.kind->kind, i->pub.ns, i->pub.name);
    map_del(&m->items, str_of(key));
    sick_del(m, i);
    if (i->dirty)
        items_del(&m->dirty, i);
    if (i->wanted)
        items_del(&m->wanted, i);
    graph_item_free(i);
}

static bool
is_sick(const struct item *i)
{
    if (!i->pub.present)
        return i->parents.n > 0;
    if (i->pub.health >= MESH_PAUSED || rollup_has_fault(i))
        return true;
    if (i->domain && !*i->domain->owner)
        return true;
    for (size_t k = 0; k < i->pub.problems_n; k++) {
        if (strcmp(i->pub.problems[k].type, "PolicyCompliant") == 0)
            return true;
    }
    for (size_t k = 0; i->product && k < i->product->ports_n; k++) {
        if (i->ports[k].state == MESH_PORT_NO_CONTRACT)
            return true;
    }
    return false;
}

void
graph_sick(struct mesh *m, struct item *i)
{
    if (is_sick(i))
        sick_add(m, i);
    else
        sick_del(m, i);
}

/* Walks up; an item is visited once a walk, which ends cycles. */
static void
mark_roots(struct mesh *m, struct item *i, unsigned depth)
{
    if (i->stamp == m->stamp || depth > MESH_DEPTH_MAX)
        return;
    i->stamp = m->stamp;
    if (i->pub.kind->role != MESH_ROLE_OTHER && !i->dirty) {
        i->dirty = true;
        items_add(&m->dirty, i);
    }
    for (size_t k = 0; k < i->parents.n; k++)
        mark_roots(m, item_at(&i->parents, k), depth + 1);
}

void
graph_changed(struct mesh *m, struct item *i)
{
    i->pub.changed = ++m->generation;
    graph_sick(m, i);
    m->stamp++;
    mark_roots(m, i, 0);
}
