/*
 * impact_groups.h - changes that composites have in common, for impact.c.
 *
 * Lifetimes: a change points to texts of the composite that is looked at; a
 * group has copies.
 */
#ifndef LIB_MESH_IMPACT_GROUPS_H
#define LIB_MESH_IMPACT_GROUPS_H

#include "lib/base/map.h"

#include "lib/mesh/impact.h"

/* One field, or one object, of one composite. */
struct impact_change {
    enum mesh_sign sign;
    const char *kind, *resource, *path, *before, *after, *why;
    bool whole; /* the first of its object */
    bool lost;  /* an external resource goes */
};

struct impact_changes {
    struct impact_change *v;
    size_t n, cap;
};

/* Texts are not copied. Past 10,000 nothing happens. */
void impact_changes_add(struct impact_changes *v, struct impact_change c);
void impact_changes_release(struct impact_changes *v);

struct impact_groups {
    struct arena *a;
    struct map by_key; /* "sign/kind/resource/path" -> its group */
    struct mesh_impact_group **sorted;
    size_t sorted_n, dropped;
};

void impact_groups_init(struct impact_groups *g);
void impact_groups_release(struct impact_groups *g);
/* Adds the changes of one composite; answers how many external resources they
 * lose. */
size_t impact_groups_take(struct impact_groups *g,
                          const struct impact_changes *v,
                          const char *composite);
/* As mesh_impact_at. */
const struct mesh_impact_group *impact_groups_at(struct impact_groups *g,
                                                 size_t n);

#endif
