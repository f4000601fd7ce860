/*
 * plan_run.h - the plans of several manifests, each on what those before it
 * would bring.
 *
 * What: plans in the order of the set; what a pipeline missed and a later
 * document brings is planned once more at the end, since Crossplane comes back
 * to it too. Documents that no cluster takes (a package's crossplane.yaml) are
 * passed over.
 * Lifetimes: plan_run_release; world and set outlive it.
 */
#ifndef CLI_PLAN_RUN_H
#define CLI_PLAN_RUN_H

#include "cli/plan_world.h"

/* The plan of one document. */
struct plan_doc {
    const struct manifest *m;
    struct arena *a;
    struct mesh_plan plan;
};

struct plan_run {
    struct plan_world *world;
    struct overlay overlay; /* what the plans would bring */
    struct mesh_host host;
    struct mesh_planner *planner;
    struct plan_doc *docs;
    size_t n;
};

/* The sums of a run. */
struct plan_total {
    size_t add, change, destroy, replace, keep, conflict, blockers, warnings;
    size_t external_lost;
    bool incomplete;
};

/* Turns the loop. Release r in any case. */
bool plan_run(struct plan_run *r, struct plan_world *w,
              const struct manifest_set *set, struct error *err);
void plan_run_release(struct plan_run *r);
struct plan_total plan_run_total(const struct plan_run *r);

#endif
