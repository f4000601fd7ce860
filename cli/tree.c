#include "cli/tree.h"

#include <stdio.h>

#include "cli/columns.h"

/* The lines that lead to a node: a rung for each level above it. */
struct rungs {
    const char *through, *gap, *branch, *last;
};

static const struct rungs lines = {"│  ", "   ", "├─ ", "└─ "};
static const struct rungs plain = {"|  ", "   ", "|- ", "`- "};

static const char *
status_word(char letter)
{
    return letter == 'T'   ? "True"
           : letter == 'F' ? "False"
           : letter        ? "Unknown"
                           : "";
}

static const char *
first_message(const struct mesh_item *i)
{
    for (size_t k = 0; k < i->problems_n; k++) {
        if (*i->problems[k].message)
            return i->problems[k].message;
    }
    return "";
}

static const char *
note(const struct mesh_node *n)
{
    return n->again ? "(above)" : mesh_item_note(n->item);
}

void
tree_print(const struct mesh_tree *t, bool wide, bool ascii, const char *indent)
{
    static const char *const heads[] = {"NAME", "HEALTH",   "SYNCED", "READY",
                                        "NOTE", "RESOURCE", "MESSAGE"};
    const struct rungs *r = ascii ? &plain : &lines;
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    bool ended[MESH_DEPTH_MAX + 2] = {0};
    struct columns c;

    columns_init(&c, wide ? 7 : 5);
    columns_row(&c, heads);
    for (size_t k = 0; k < t->n; k++) {
        const struct mesh_node *n = &t->v[k];
        const struct mesh_item *i = n->item;
        const char *name = "";

        for (unsigned d = 1; d < n->depth; d++)
            name =
                arena_printf(a, "%s%s", name, ended[d] ? r->gap : r->through);
        ended[n->depth] = n->last;
        const char *cells[] = {
            arena_printf(a, "%s%s%s", name,
                         !n->depth ? ""
                         : n->last ? r->last
                                   : r->branch,
                         mesh_item_text(i, a)),
            mesh_health_word(k ? i->health : mesh_item_health(i)),
            status_word(i->synced),
            status_word(i->ready),
            note(n),
            i->resource_name,
            first_message(i)};

        columns_row(&c, cells);
    }
    columns_print(&c, indent, stdout);
    columns_release(&c);
}
