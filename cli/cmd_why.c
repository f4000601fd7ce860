/* meshtop why: why something is not well, root causes first. */
#include "cli/commands.h"
#include "cli/named.h"
#include "cli/output.h"
#include "cli/why.h"

static int
run(const struct args *a)
{
    AUTO(arena_free_ptr) struct arena *arena = arena_new();
    struct error err = {0};
    struct mesh_causes causes;
    enum output how;
    struct named n;

    if (!output_of(a, &how, &err) || !named_open(&n, a, &err))
        return command_fail(&err);
    mesh_why(mesh_live_model(n.live), n.item, arena, &causes);
    enum mesh_health health = mesh_item_health(n.item);

    if (how == OUTPUT_JSON || how == OUTPUT_YAML) {
        AUTO(json_free_ptr) struct json *j = why_json(n.item, &causes);

        output_tree(j, how);
    } else {
        output_text(str_of(arena_printf(arena, "%s: %s\n",
                                        mesh_item_text(n.item, arena),
                                        mesh_health_word(health))));
        why_print(&causes, "");
    }
    named_release(&n);
    return health <= MESH_OK ? EXIT_DONE : EXIT_MESH;
}

const struct command cmd_why = {
    .name = "why",
    .args = "NAME | KIND NAME",
    .summary = "why it is not well, root causes first; exit 80 unless it is",
    .help = "The deepest failing objects come first, equal messages are one "
            "cause; then what\nis waited for, what cannot be resolved, and "
            "inputs that are not well upstream.",
    .group = "Look",
    .min_words = 1,
    .max_words = 2,
    .run = run,
};
