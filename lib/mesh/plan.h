/*
 * plan.h - what a change would do, before it is done.
 *
 * What: one shape for delete, create and edit plans: items with a sign, notes
 * with a weight, counts in terraform's words. A plan promises nothing: it is
 * computed from the last known state and says what it could not know.
 * Lifetimes: all of it lives in the arena given; it holds no pointers into the
 * model.
 */
#ifndef LIB_MESH_PLAN_H
#define LIB_MESH_PLAN_H

#include "lib/mesh/model.h"

enum mesh_sign {
    MESH_ADD,
    MESH_CHANGE,
    MESH_DESTROY,
    MESH_KEEP,     /* stays as it is */
    MESH_CONFLICT, /* cannot be done: of somebody else, name taken, ... */
    MESH_REPLACE   /* a field changes that never may: only a new one can */
};

/* One field of an object; a missing side is NULL. Values are compact JSON; of
 * long ones 256 bytes from where they differ. */
struct mesh_diff {
    const char *path; /* "spec.size", "metadata.labels[a/b]" */
    const char *before, *after;
};

struct mesh_plan_item {
    enum mesh_sign sign;
    unsigned depth;
    const char *api_version, *kind, *ns, *name; /* name: "x-..." when the
                                                   server will complete it */
    const char *resource; /* composition resource name, or "" */
    const char *note;     /* "external data lost: orders_raw", or "" */
    /* Of a composite resource: what composes it, else "". */
    const char *composition, *revision;
    const struct mesh_diff *diff;
    size_t diff_n;
    const struct json *object; /* as it would be; NULL for a delete */
};

enum mesh_weight {
    MESH_INFO,
    MESH_WARN,
    MESH_BLOCK /* the server will refuse, or it will never come to an end */
};

#define MESH_NO_ITEM SIZE_MAX

struct mesh_note {
    enum mesh_weight weight;
    const char *code; /* for programs: "unknown-field"; "" where none */
    const char *text;
    size_t item; /* which item it is about, or MESH_NO_ITEM */
};

struct mesh_plan {
    struct mesh_plan_item *items;
    size_t items_n, items_cap;
    struct mesh_note *notes;
    size_t notes_n, notes_cap;
    size_t add, change, destroy, keep, conflict, replace;
    size_t blockers; /* notes of weight MESH_BLOCK */
    size_t external_lost, external_kept;
    bool incomplete; /* something could not be looked at, or not composed */
    struct arena *a;
    struct json *owned; /* an array of the trees `object` points to */
};

/* ---- deleting ---- */
struct mesh_delete_options {
    bool with_products; /* of a domain: its products too */
    bool orphan;        /* propagationPolicy Orphan: children stay */
};
/* The deletion of items (any kinds, present). Order: as it would go, parents
 * before children. Notes: who reads it, which products lose their domain,
 * Usages and labels that block, finalizers, external data. */
void mesh_plan_delete(const struct mesh *m,
                      const struct mesh_item *const *items, size_t n,
                      const struct mesh_delete_options *o, struct arena *a,
                      struct mesh_plan *out);

/* "3 to add, 1 to change, 0 to destroy", and what must be replaced when there
 * is any; lives in the plan's arena. */
const char *mesh_plan_summary(const struct mesh_plan *p);
/* Releases the trees; the rest goes with the arena. For AUTO. */
void mesh_plan_release(struct mesh_plan *p);

/* For those who make plans. */
void mesh_plan_init(struct mesh_plan *p, struct arena *a);
struct mesh_plan_item *mesh_plan_add(struct mesh_plan *p, enum mesh_sign sign,
                                     unsigned depth);
void mesh_plan_note(struct mesh_plan *p, enum mesh_weight w, const char *fmt,
                    ...) PRINTF_LIKE(3, 4);
/* The same with a code (a literal) and the item it is about. */
void mesh_plan_tell(struct mesh_plan *p, enum mesh_weight w, const char *code,
                    size_t item, const char *fmt, ...) PRINTF_LIKE(5, 6);

#endif
