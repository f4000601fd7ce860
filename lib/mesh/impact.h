/*
 * impact.h - what a change of definitions, Compositions or Functions does to
 * the composite resources that are there: the "upgrade impact".
 *
 * What: each composite is composed twice, by the cluster as it is and by the
 * cluster as it would be, both times with what it wants taken for existing and
 * Ready; the difference is what the change does (what drifted does not count).
 * Changes that many composites share are one group: the same field of the same
 * resource, with examples. Composed XRs that change are followed down.
 * Why not the composed objects: 5,000 products have 60,000 of them; all that
 * is needed are the composites and what their pipelines ask for.
 * Invariants: memory grows with the groups (IMPACT_GROUPS_MAX, then they are
 * counted only), not with the composites.
 * Lifetimes: planners outlive it; texts live as long as it.
 */
#ifndef LIB_MESH_IMPACT_H
#define LIB_MESH_IMPACT_H

#include "lib/mesh/planner.h"

#define IMPACT_GROUPS_MAX   2000
#define IMPACT_EXAMPLES_MAX 3

struct mesh_impact;

/* One change that composites have in common. */
struct mesh_impact_group {
    enum mesh_sign sign;
    const char *kind;
    const char *resource; /* composition resource name; "": the composite */
    const char *path;     /* of the field; "" for whole objects and refusals */
    const char *before, *after; /* of the first, or NULL */
    const char *why;            /* of a refusal or failure, else "" */
    bool varies;                /* the values are not the same for all */
    size_t composites, objects;
    size_t external_lost;
    const char *examples[IMPACT_EXAMPLES_MAX]; /* "ns/name" of composites */
    size_t examples_n;
};

struct mesh_impact_sum {
    size_t composites; /* looked at */
    size_t changed;    /* of them: something below it changes */
    size_t kept;       /* stay on an older revision */
    size_t failing;    /* cannot be composed afterwards, could before */
    size_t refused;    /* the new schema refuses them as they are */
    size_t add, change, destroy, replace; /* objects */
    size_t external_lost;
    size_t dropped; /* changes past IMPACT_GROUPS_MAX */
};

/* What the change does to one composite. */
struct mesh_impact_one {
    size_t add, change, destroy, replace;
    bool changed, kept, failing, refused;
};

struct mesh_impact *mesh_impact_new(struct mesh_planner *before,
                                    struct mesh_planner *after);
void mesh_impact_free(struct mesh_impact *i);
/* Adds xr as it is stored. False: the hosts do not know all that is needed
 * yet; nothing was added, try again. one may be NULL. */
bool mesh_impact_add(struct mesh_impact *i, const struct json *xr,
                     struct mesh_impact_one *one);
const struct mesh_impact_sum *mesh_impact_sum(const struct mesh_impact *i);
/* The groups: destroyed first, then replaced, refused and failing, changed,
 * added; the most composites first. NULL past the last. */
const struct mesh_impact_group *mesh_impact_at(struct mesh_impact *i, size_t n);

#endif
