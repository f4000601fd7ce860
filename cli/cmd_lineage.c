/* meshtop lineage: who reads what. */
#include "lib/base/mem.h"

#include "cli/columns.h"
#include "cli/commands.h"
#include "cli/mesh_table.h"
#include "cli/named.h"
#include "cli/output.h"

#define WAIT_MS 20000

/* ---- around one product ---- */

static void
print_side(const struct mesh_item *of, bool upstream, struct arena *a)
{
    struct mesh_tree side;

    mesh_lineage(of, upstream, a, &side);
    printf("%s (%zu)\n", upstream ? "Reads" : "Read by", side.n);
    for (size_t i = 0; i < side.n; i++) {
        const struct mesh_node *n = &side.v[i];

        printf("%*s%-7s ", (int)n->depth * 2, "",
               mesh_health_word(mesh_item_health(n->item)));
        columns_text(str_of(mesh_item_text(n->item, a)), false, stdout);
        putchar('\n');
    }
}

static struct json *
side_json(const struct mesh_item *of, bool upstream, struct arena *a)
{
    struct json *list = json_new_array();
    struct mesh_tree side;

    mesh_lineage(of, upstream, a, &side);
    for (size_t i = 0; i < side.n; i++) {
        const struct mesh_item *item = side.v[i].item;
        struct json *j = json_append(list, json_new_object());

        json_set_string(j, "namespace", item->ns);
        json_set_string(j, "name", item->name);
        json_set_string(j, "health", mesh_health_word(mesh_item_health(item)));
        json_set_int(j, "distance", side.v[i].depth);
    }
    return list;
}

static bool
around_one(const struct args *a, enum output how, struct error *err)
{
    AUTO(arena_free_ptr) struct arena *arena = arena_new();
    struct named n;

    if (!named_open(&n, a, err))
        return false;
    if (how == OUTPUT_JSON || how == OUTPUT_YAML) {
        AUTO(json_free_ptr) struct json *j = json_new_object();

        json_set(j, "upstream", side_json(n.item, true, arena));
        json_set(j, "downstream", side_json(n.item, false, arena));
        output_tree(j, how);
    } else {
        print_side(n.item, true, arena);
        print_side(n.item, false, arena);
    }
    named_release(&n);
    return true;
}

/* ---- every edge of the mesh ---- */

typedef void edge_fn(void *arg, const struct mesh_item *to,
                     const struct mesh_port *p);

static void
each_edge(const struct mesh *m, const char *ns, struct arena *a, edge_fn *fn,
          void *arg)
{
    const struct mesh_table_options all = {.ns = ns};
    size_t n;
    const struct mesh_item **v =
        mesh_table_items(m, MESH_ROLE_PRODUCT, &all, a, &n);

    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < v[i]->product->inputs_n; k++) {
            if (v[i]->product->ports[k].peer)
                fn(arg, v[i], &v[i]->product->ports[k]);
        }
    }
}

static const char *
state_word(const struct mesh_port *p)
{
    return p->state == MESH_PORT_OK ? "ok" : mesh_port_word(p->state);
}

static void
edge_row(void *arg, const struct mesh_item *to, const struct mesh_port *p)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    const char *const cells[] = {
        arena_printf(a, "%s/%s", p->peer->ns, p->peer->name), p->peer_port,
        arena_printf(a, "%s/%s", to->ns, to->name), p->name, state_word(p)};

    columns_row(arg, cells);
}

static void
edge_json(void *arg, const struct mesh_item *to, const struct mesh_port *p)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct json *j = json_append(arg, json_new_object());

    json_set_string(j, "from",
                    arena_printf(a, "%s/%s", p->peer->ns, p->peer->name));
    json_set_string(j, "port", p->peer_port);
    json_set_string(j, "to", arena_printf(a, "%s/%s", to->ns, to->name));
    json_set_string(j, "input", p->name);
    json_set_string(j, "state", state_word(p));
}

static bool
all_edges(const struct args *a, enum output how, struct error *err)
{
    static const char *const heads[] = {"FROM", "PORT", "TO", "INPUT", "STATE"};
    AUTO(arena_free_ptr) struct arena *arena = arena_new();
    const char *ns = target_ns(a, NULL);
    struct target t;

    if (!target_open(&t, a, err))
        return false;
    struct mesh_live *live = mesh_live_new_on(t.client, t.discovery, NULL, err);
    bool ok = live && mesh_live_wait(live, WAIT_MS, err);

    if (ok && (how == OUTPUT_JSON || how == OUTPUT_YAML)) {
        AUTO(json_free_ptr) struct json *list = json_new_array();

        each_edge(mesh_live_model(live), ns, arena, edge_json, list);
        output_tree(list, how);
    } else if (ok) {
        struct columns c;

        columns_init(&c, ARRAY_LEN(heads));
        columns_row(&c, heads);
        each_edge(mesh_live_model(live), ns, arena, edge_row, &c);
        columns_print(&c, "", stdout);
        columns_release(&c);
    }
    mesh_live_free(live);
    target_release(&t);
    return ok;
}

static int
run(const struct args *a)
{
    struct error err = {0};
    enum output how;

    if (!output_of(a, &how, &err))
        return command_fail(&err);
    if (args_word(a, 0) ? !around_one(a, how, &err) : !all_edges(a, how, &err))
        return command_fail(&err);
    return EXIT_DONE;
}

const struct command cmd_lineage = {
    .name = "lineage",
    .args = "[NAME]",
    .summary = "who reads what: all edges, or what is around one product",
    .group = "Look",
    .max_words = 2,
    .run = run,
};
