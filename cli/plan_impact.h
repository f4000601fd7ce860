/*
 * plan_impact.h - what changed definitions and Compositions do to what is
 * there, for `meshtop plan`.
 *
 * What: for each composite kind that a run of plans changes the machinery of,
 * all composites, page by page (lib/mesh/impact.h). On a terminal with a line
 * of progress; the first Ctrl-C stops it and what was seen so far is told.
 * Lifetimes: plan_impact_release; the run outlives it.
 */
#ifndef CLI_PLAN_IMPACT_H
#define CLI_PLAN_IMPACT_H

#include "lib/mesh/impact.h"

#include "cli/plan_text.h"

enum plan_impact_depth {
    PLAN_IMPACT_SUMMARY,
    PLAN_IMPACT_FULL, /* each composite too */
    PLAN_IMPACT_NONE
};

struct plan_impact {
    struct plan_run *run;
    enum plan_impact_depth depth;
    struct mesh_planner *before;
    struct mesh_impact *impact; /* NULL: nothing to look at */
    struct strlist kinds;       /* "meshifi.io/v1alpha1 DataProduct" */
    struct strlist because;     /* "Composition dataproduct-core" */
    struct json *composites;    /* an array of those that change, when full */
    bool cancelled;             /* before all were looked at */
    const volatile int *stop;   /* the progress was interrupted */
};

/* By --impact summary|full|none. ERR_USAGE: another word. */
bool plan_impact_depth_of(const struct args *a, enum plan_impact_depth *out,
                          struct error *err);
/* Turns the loop. Release p in any case. */
bool plan_impact_run(struct plan_impact *p, struct plan_run *r,
                     enum plan_impact_depth depth, struct error *err);
void plan_impact_release(struct plan_impact *p);
void plan_impact_text(const struct plan_impact *p, const struct plan_style *s);
/* NULL when there was nothing to look at. */
struct json *plan_impact_json(const struct plan_impact *p);

#endif
