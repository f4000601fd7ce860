#include "lib/mesh/impact_groups.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#define CHANGES_MAX 10000

void
impact_changes_add(struct impact_changes *v, struct impact_change c)
{
    if (v->n >= CHANGES_MAX)
        return;
    v->v = mem_grow(v->v, &v->cap, v->n + 1, sizeof(*v->v));
    v->v[v->n++] = c;
}

void
impact_changes_release(struct impact_changes *v)
{
    free(v->v);
}

void
impact_groups_init(struct impact_groups *g)
{
    *g = (struct impact_groups){.a = arena_new()};
}

void
impact_groups_release(struct impact_groups *g)
{
    map_release(&g->by_key, NULL);
    free(g->sorted);
    arena_free(g->a);
}

static const char *
keep(struct arena *a, const char *text)
{
    return text ? arena_strdup(a, text) : NULL;
}

/* NULL: there are too many. */
static struct mesh_impact_group *
group_of(struct impact_groups *g, const struct impact_change *c)
{
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);

    buf_printf(&key, "%d/%s/%s/%s/%s", (int)c->sign, c->kind, c->resource,
               c->path, c->why);
    struct mesh_impact_group *group = map_get(&g->by_key, buf_view(&key));

    if (group || map_count(&g->by_key) >= IMPACT_GROUPS_MAX)
        return group;
    group = arena_alloc(g->a, sizeof(*group));
    *group = (struct mesh_impact_group){.sign = c->sign,
                                        .kind = keep(g->a, c->kind),
                                        .resource = keep(g->a, c->resource),
                                        .path = keep(g->a, c->path),
                                        .before = keep(g->a, c->before),
                                        .after = keep(g->a, c->after),
                                        .why = keep(g->a, c->why)};
    map_put(&g->by_key, buf_view(&key), group);
    free(g->sorted);
    g->sorted = NULL;
    return group;
}

static bool
same(const char *a, const char *b)
{
    return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

static bool
is_last_example(const struct mesh_impact_group *g, const char *composite)
{
    return g->examples_n &&
           strcmp(g->examples[g->examples_n - 1], composite) == 0;
}

/* seen: groups this composite is counted in already. */
static void
take(struct impact_groups *g, const struct impact_change *c,
     const char *composite, struct map *seen)
{
    struct mesh_impact_group *group = group_of(g, c);
    char key[32];

    if (!group) {
        g->dropped++;
        return;
    }
    group->objects++;
    group->external_lost += c->lost;
    group->varies = group->varies || !same(group->before, c->before) ||
                    !same(group->after, c->after);
    snprintf(key, sizeof(key), "%p", (void *)group);
    if (map_put(seen, str_of(key), group))
        return;
    group->composites++;
    if (group->examples_n < IMPACT_EXAMPLES_MAX &&
        !is_last_example(group, composite))
        group->examples[group->examples_n++] = keep(g->a, composite);
}

size_t
impact_groups_take(struct impact_groups *g, const struct impact_changes *v,
                   const char *composite)
{
    struct map seen = {0};
    size_t lost = 0;

    for (size_t i = 0; i < v->n; i++) {
        take(g, &v->v[i], composite, &seen);
        lost += v->v[i].lost;
    }
    map_release(&seen, NULL);
    return lost;
}

static int
rank(const struct mesh_impact_group *g)
{
    static const int ranks[] = {
        [MESH_DESTROY] = 0, [MESH_REPLACE] = 1, [MESH_CONFLICT] = 2,
        [MESH_CHANGE] = 3,  [MESH_ADD] = 4,     [MESH_KEEP] = 5,
    };

    return ranks[g->sign];
}

static int
compare(const void *a, const void *b)
{
    const struct mesh_impact_group *const *x = a, *const *y = b;
    int d = rank(*x) - rank(*y);

    if (!d)
        d = ((*x)->composites < (*y)->composites) -
            ((*x)->composites > (*y)->composites);
    if (!d)
        d = strcmp((*x)->kind, (*y)->kind);
    if (!d)
        d = strcmp((*x)->resource, (*y)->resource);
    return d ? d : strcmp((*x)->path, (*y)->path);
}

const struct mesh_impact_group *
impact_groups_at(struct impact_groups *g, size_t n)
{
    if (!g->sorted) {
        g->sorted_n = 0;
        g->sorted = mem_zalloc(map_count(&g->by_key) + 1, sizeof(*g->sorted));
        for (struct map_entry *e = map_first(&g->by_key); e;
             e = map_next(&g->by_key, e))
            g->sorted[g->sorted_n++] = e->value;
        qsort(g->sorted, g->sorted_n, sizeof(*g->sorted), compare);
    }
    return n < g->sorted_n ? g->sorted[n] : NULL;
}
