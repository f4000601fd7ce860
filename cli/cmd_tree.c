/* meshtop tree: what an object is composed of, and how each part is. */
#include "lib/base/mem.h"

#include "cli/columns.h"
#include "cli/commands.h"
#include "cli/named.h"
#include "cli/output.h"
#include "cli/tree.h"

static int
run(const struct args *a)
{
    AUTO(arena_free_ptr) struct arena *arena = arena_new();
    struct error err = {0};
    struct mesh_tree tree;
    enum output how;
    struct named n;

    if (!output_of(a, &how, &err) || !named_open(&n, a, &err))
        return command_fail(&err);
    mesh_tree(n.item, arena, &tree);
    if (how == OUTPUT_TEXT || how == OUTPUT_WIDE) {
        tree_print(&tree, how == OUTPUT_WIDE, args_has(a, "ascii"), "");
    } else if (how == OUTPUT_NAME) {
        for (size_t i = 0; i < tree.n; i++) {
            columns_text(str_of(mesh_item_text(tree.v[i].item, arena)), false,
                         stdout);
            putchar('\n');
        }
    } else {
        AUTO(json_free_ptr) struct json *j = tree_json(&tree);

        output_tree(j, how);
    }
    named_release(&n);
    return EXIT_DONE;
}

const struct command cmd_tree = {
    .name = "tree",
    .args = "NAME | KIND NAME",
    .summary = "what an object is composed of, and how each part is",
    .help = "NAME is a product, a domain or a contract (NS/NAME where several "
            "have it);\nKIND NAME or KIND/NAME an object of any kind that "
            "Crossplane composes.",
    .group = "Look",
    .min_words = 1,
    .max_words = 2,
    .run = run,
};
