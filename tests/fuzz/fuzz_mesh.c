/* Objects as a hostile cluster could send them, one JSON text a line (a line
 * that starts with '-' takes its object away): the graph's two ends of every
 * edge agree, counters say what is there, causes and plans come to an end, and
 * when all is taken away nothing is left.
 * covers: lib/mesh/facts.c lib/mesh/graph.c lib/mesh/health.c
 * covers: lib/mesh/model.c lib/mesh/plan_delete.c lib/mesh/relations.c
 * covers: lib/mesh/rollup.c lib/mesh/why.c lib/mesh/words.c */
#include <stdlib.h>

#include "lib/mesh/plan.h"
#include "lib/mesh/why.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
among(struct mesh_item *const *v, size_t n, const struct mesh_item *i)
{
    for (size_t k = 0; k < n; k++) {
        if (v[k] == i)
            return true;
    }
    return false;
}

static void
check_item(const struct mesh *m, const struct mesh_item *i, struct arena *a)
{
    struct mesh_causes causes;
    struct mesh_plan plan;
    struct mesh_tree tree;

    for (size_t k = 0; k < i->children_n; k++) {
        const struct mesh_item *c = i->children[k];

        if (!among(c->parents, c->parents_n, i))
            abort();
    }
    for (size_t k = 0; i->product && k < i->product->inputs_n; k++) {
        const struct mesh_item *peer = i->product->ports[k].peer;

        if (peer && peer->product &&
            !among(peer->product->readers, peer->product->readers_n, i))
            abort();
    }
    mesh_tree(i, a, &tree);
    mesh_why(m, i, a, &causes);
    mesh_lineage(i, true, a, &tree);
    mesh_plan_delete(m, &i, 1, NULL, a, &plan);
    mesh_plan_release(&plan);
}

static void
check_domain(const struct mesh_item *i)
{
    size_t count[MESH_HEALTHS] = {0};

    for (size_t k = 0; i->domain && k < i->domain->products_n; k++)
        count[i->domain->products[k]->roll.health]++;
    if (i->domain && memcmp(count, i->domain->by_health, sizeof(count)) != 0)
        abort();
}

static void
check(struct mesh *m)
{
    struct arena *a = arena_new();
    struct mesh_causes causes;

    mesh_settle(m);
    for (int r = 0; r < MESH_ROLES; r++) {
        for (size_t i = 0; i < mesh_role_count(m, (enum mesh_role)r); i++) {
            check_item(m, mesh_role_at(m, (enum mesh_role)r, i), a);
            check_domain(mesh_role_at(m, (enum mesh_role)r, i));
        }
    }
    mesh_attention(m, a, &causes);
    arena_free(a);
}

static void
take_away(struct mesh *m, struct str line)
{
    struct json *j = json_parse(line, NULL, NULL);
    const struct json *meta = json_get(j, "metadata");

    mesh_del(m, json_get_string(j, "apiVersion"), json_get_string(j, "kind"),
             json_get_string(meta, "namespace"), json_get_string(meta, "name"));
    json_free(j);
}

static void
empty(struct mesh *m)
{
    const struct mesh_item *i;

    for (int r = 0; r < MESH_ROLES; r++) {
        while ((i = mesh_role_at(m, (enum mesh_role)r, 0)))
            mesh_del(m, i->kind->api_version, i->kind->kind, i->ns, i->name);
    }
    mesh_settle(m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_n((const char *)data, size), line;
    struct clock clock;
    unsigned lines = 0;

    clock_fake(&clock, 1795236125000);
    struct mesh *m = mesh_new(&clock);

    mesh_watched(m, "meshifi.io/v1alpha1", "DataProduct", MESH_SYNCED);
    mesh_watched(m, "meshifi.io/v1alpha1", "DataDomain", MESH_SYNCED);
    mesh_watched(m, "meshifi.io/v1alpha1", "DataContract", MESH_SYNCED);
    while (size && str_next(&rest, '\n', &line) && lines++ < 64) {
        if (line.n && line.s[0] == '-')
            take_away(m, str_from(line, 1));
        else
            mesh_put(m, NULL, NULL, line, NULL);
    }
    check(m);
    empty(m);
    check(m);
    mesh_free(m);
    return 0;
}
