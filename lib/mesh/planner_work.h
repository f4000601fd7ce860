/*
 * planner_work.h - one plan on its way, for the planner_*.c files alone.
 *
 * What: planner.c takes the object and places it, planner_merge.c says what it
 * becomes (server-side apply), planner_check.c judges each object,
 * planner_xr.c runs pipelines and goes down to what is composed.
 * Lifetimes: a work lives for one mesh_plan_apply.
 */
#ifndef LIB_MESH_PLANNER_WORK_H
#define LIB_MESH_PLANNER_WORK_H

#include "lib/mesh/catalog.h"

struct mesh_planner {
    struct catalog catalog;
};

struct work {
    struct catalog *c;
    struct mesh_plan *p;
    struct arena *a;
    struct map placed; /* "group/Kind/ns/name" -> index of its row, plus 1 */
};

/* ---- planner_merge.c ---- */
/* What before becomes when the manager applies `applied` over it: members of
 * objects one by one, lists as the schema says (NULL: replaced as a whole,
 * owner references excepted), and what the manager had applied before and now
 * leaves out is gone, unless somebody else wants it too. before NULL: applied.
 * A fresh tree. Source: sigs.k8s.io/structured-merge-diff merge/update.go. */
struct json *planner_merge(const struct json *before,
                           const struct json *applied,
                           const struct schema *schema, const char *manager);

/* Fields of before that another manager owns and applied changes: "manager:
 * .spec.a" each, as the server would refuse them without force. */
void planner_conflicts(const struct json *before, const struct json *applied,
                       const char *manager, struct strlist *out);

/* ---- planner_check.c ---- */
struct judged {
    const struct definition *definition; /* NULL: not known */
    const struct json *before;           /* NULL: it is made */
    struct json *merged;                 /* as it would be; is defaulted */
    bool composed;                       /* applied by core, not by the user */
};

/* The row of an object that becomes j->merged (a copy goes into the plan, after
 * pruning and defaulting): its schema, rules and version are judged, its fields
 * compared. A field that never changes makes it MESH_REPLACE. */
size_t planner_place(struct work *w, const struct judged *j, unsigned depth);
/* Notes that two rows of the plan are the same object; true when so. */
bool planner_collides(struct work *w, size_t item);
/* Notes that what goes has the name of what comes. */
void planner_note_renamed(struct work *w, size_t gone);
/* What becomes of the outside world when a managed resource goes; "". */
const char *planner_external(struct work *w, const struct json *gone);
/* "Kind/name" of what controls j, or NULL; lives in the plan. */
const char *planner_controller(struct work *w, const struct json *j);

/* ---- planner_xr.c ---- */
/* Rows for all that xr composes, and what it no longer composes. item: its own
 * row. */
void planner_compose(struct work *w, const struct definition *d,
                     const struct json *xr, size_t item, unsigned depth);

/* What is known of a result that will be much the same; it saves runs. */
struct similar {
    const struct json *foreseen; /* planner_foresee of it */
    const struct json *asked;    /* its outcome.asked */
};

/* What xr would have composed by recipe once all is there and Ready, without a
 * look at what is. like may be NULL. False: err; out is to be released in any
 * case. */
bool planner_desire(struct work *w, struct recipe *recipe,
                    const struct json *xr, const struct similar *like,
                    struct compose_result *out, struct error *err);
/* NAME -> {resource}: what would be observed of r once it is there. */
struct json *planner_foresee(const struct json *observed,
                             const struct compose_result *r);

/* ---- planner.c ---- */
const char *planner_meta(const struct json *j, const char *key);
/* crossplane.io/composition-resource-name, or "". */
const char *planner_resource(const struct json *j);
/* A row that names j. */
struct mesh_plan_item *planner_row(struct work *w, enum mesh_sign sign,
                                   unsigned depth, const struct json *j);
/* Counts follow. */
void planner_resign(struct mesh_plan *p, size_t item, enum mesh_sign sign);
/* The tree now belongs to the plan. */
const struct json *planner_own(struct work *w, struct json *j);
/* A plan is shown and logged: the values of Secrets are not for that. */
void planner_mask(struct work *w, size_t item);

#endif
