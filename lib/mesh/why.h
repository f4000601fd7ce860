/*
 * why.h - why something is not well, root causes first.
 *
 * What: from the composed tree of an item, its ports and its domain, the
 * causes: the deepest objects that fail (a parent that fails because of its
 * children is a symptom), then those that are waited for, then broken inputs;
 * equal messages are merged, also across products ("hits 7 products").
 * Messages are compared after the names of the object and its parents and
 * long numbers are taken out.
 * Lifetimes: results live in the arena and point at items: until the next
 * mesh_put or mesh_del.
 */
#ifndef LIB_MESH_WHY_H
#define LIB_MESH_WHY_H

#include "lib/mesh/model.h"

enum mesh_cause_kind {
    MESH_CAUSE_CONDITION,   /* problem says it */
    MESH_CAUSE_MISSING,     /* referred to and not there */
    MESH_CAUSE_STUCK,       /* deleting for more than a minute: finalizers */
    MESH_CAUSE_WAITING,     /* not ready for more than 10 minutes */
    MESH_CAUSE_INPUT,       /* port: an input that cannot be resolved */
    MESH_CAUSE_CONTRACT,    /* port: contract missing or of other version */
    MESH_CAUSE_NO_DOMAIN,   /* the domain is not there, or ambiguous */
    MESH_CAUSE_NO_OWNER,    /* a domain without owner */
    MESH_CAUSE_NO_CONTRACT, /* an active product's port without contract */
    MESH_CAUSE_POLICY,      /* problem: PolicyCompliant=False */
    MESH_CAUSE_UPSTREAM,    /* port: an input whose product is not well */
    MESH_CAUSE_PAUSED
};

struct mesh_cause {
    enum mesh_cause_kind kind;
    enum mesh_health health;            /* FAIL, WAIT, ...: how bad it is */
    const struct mesh_item *item;       /* where; the first of `items` */
    const struct mesh_problem *problem; /* or NULL */
    const struct mesh_port *port;       /* or NULL */
    int64_t since_s;                    /* the oldest; 0: unknown */
    const char *text; /* one line: "403 on 2 DatasetIAMMember: ..." */
    const char *hint; /* what to do or to look at, or "" */
    /* Every object with this cause, and every product and domain it hits. */
    const struct mesh_item *const *items;
    size_t items_n;
    const struct mesh_item *const *hits;
    size_t hits_n;
    /* From item's parent up to the root: whose Ready it holds up. */
    const struct mesh_item *const *blocks;
    size_t blocks_n;
};

struct mesh_causes {
    struct mesh_cause *v; /* worst and deepest first */
    size_t n;
    size_t more; /* causes beyond the cap of 1,000 */
};

/* Of one item of any kind. Empty when it is well. `hits` counts other products
 * with the same cause as well. */
void mesh_why(const struct mesh *m, const struct mesh_item *root,
              struct arena *a, struct mesh_causes *out);
/* Of the whole mesh: the overview's "needs attention". Costs in proportion to
 * what is not well. */
void mesh_attention(const struct mesh *m, struct arena *a,
                    struct mesh_causes *out);

#endif
