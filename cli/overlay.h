/*
 * overlay.h - a cluster as it would be: what plans so far would bring lies over
 * what is there.
 *
 * Why: of several manifests the later ones build on the earlier ones (a product
 * on its domain and contract); each plan must see what those before it would
 * have made.
 * Lifetimes: the base host outlives the overlay.
 */
#ifndef CLI_OVERLAY_H
#define CLI_OVERLAY_H

#include "lib/mesh/planner.h"

struct overlay_entry {
    char *api_version, *kind, *ns, *name, *text;
};

struct overlay {
    const struct mesh_host *base;
    struct overlay_entry *v;
    size_t n, cap;
};

void overlay_release(struct overlay *o);
/* Takes what p would add or change. True when a planner must forget what it
 * compiled (definitions and compositions are among them). */
bool overlay_take(struct overlay *o, const struct mesh_plan *p);
/* The host to give to a planner; points at o. */
struct mesh_host overlay_host(struct overlay *o);

#endif
