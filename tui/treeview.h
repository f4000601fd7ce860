/*
 * treeview.h - a tree that folds: what an object is composed of.
 *
 * Invariants: nodes come in pre-order with depths; selection and folds are
 * kept by the object's address, so they survive every update. "Only bad" keeps
 * the path to each node that is not ready.
 * Lifetime: treeview_init ... treeview_release; nodes belong to the source.
 */
#ifndef TUI_TREEVIEW_H
#define TUI_TREEVIEW_H

#include "lib/base/map.h"

#include "tui/action.h"
#include "tui/canvas.h"
#include "tui/source.h"

struct treeview {
    const struct tui_node *nodes;
    size_t nodes_n;
    size_t *shown; /* indexes of the nodes that are not folded away */
    size_t n, cap;
    size_t at, top;
    int page;
    struct tui_ref selected;
    struct map folded; /* "api kind ns name" */
    bool only_bad;
};

void treeview_init(struct treeview *v);
void treeview_release(struct treeview *v);
/* New nodes (kept by reference until the next set). */
void treeview_set(struct treeview *v, const struct tui_node *nodes, size_t n);
void treeview_draw(struct treeview *v, struct canvas *c, struct rect r,
                   bool focus);
bool treeview_act(struct treeview *v, enum action a);
/* The node under the cursor, or NULL. */
const struct tui_node *treeview_node(const struct treeview *v);

#endif
