/*
 * overlay.h - a world of objects in memory, alone or laid over a cluster.
 *
 * What: a host for plans (lib/mesh/planner.h). What plans so far would bring
 * lies over what is there: of several manifests the later ones build on the
 * earlier ones (a product on its domain and contract). Without a base it is
 * all there is: a folder of exported manifests, or nothing but the files
 * themselves; then kinds that nothing defines are taken on trust.
 * Lifetimes: the base host outlives the overlay.
 */
#ifndef CLI_OVERLAY_H
#define CLI_OVERLAY_H

#include "lib/base/map.h"

#include "lib/mesh/planner.h"

struct overlay {
    const struct mesh_host *base; /* NULL: none */
    struct map kinds;             /* "group/Kind" -> its objects */
    struct map definitions;       /* "group/Kind" -> text of one of them */
    struct strlist assumed;       /* kinds without a definition that were met */
};

void overlay_release(struct overlay *o);
/* Lays object over. True when a planner must forget
 * what it compiled (definitions and compositions are machinery). */
bool overlay_put(struct overlay *o, const struct json *object);
/* Is an object of that name among what was laid over? */
bool overlay_has(const struct overlay *o, const struct json *object);
/* Takes what p would add, change or destroy; as overlay_put. */
bool overlay_take(struct overlay *o, const struct mesh_plan *p);
/* Takes back what overlay_take(p) laid over. */
void overlay_give_back(struct overlay *o, const struct mesh_plan *p);
/* The host to give to a planner; points at o. */
struct mesh_host overlay_host(struct overlay *o);

#endif
