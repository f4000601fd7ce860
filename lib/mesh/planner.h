/*
 * planner.h - the plan of creating or changing one object.
 *
 * What: checks the object against its schema, chooses the Composition and its
 * revision as core does (enforced, ref, selector, default; update policy,
 * revision selector), runs the pipeline until nothing new appears (composed
 * objects are taken as Ready, so that what waits for others is in the plan
 * too), does the same for composed XRs, and compares with what is there, field
 * by field, as server-side apply would. Every object is checked: its schema,
 * fields that never change, who controls what has its name.
 * Why an object: compiled pipelines and schemas are kept between plans (a plan
 * of one product: <= 2 ms). It asks the host for single objects by name and
 * for lists by label, never for the world.
 * Invariants: what the host does not know (yet) is not remembered: plan again
 * when it knows more.
 * Lifetimes: the host outlives the planner; plans outlive both.
 */
#ifndef LIB_MESH_PLANNER_H
#define LIB_MESH_PLANNER_H

#include "lib/mesh/plan.h"

/* An object's JSON text; false: no more of them. */
typedef bool mesh_body_fn(void *arg, struct str body);

/* What a plan needs of the cluster; from caches, or asked for by a command. */
struct mesh_host {
    void *arg;
    /* One object as JSON text (valid until the next call), by apiVersion's
     * group and kind; {NULL, 0}: not there. *known false: it cannot be said
     * (not watched): the plan says so. */
    struct str (*get)(void *arg, const char *api_version, const char *kind,
                      const char *ns, const char *name, bool *known);
    /* Calls fn with each object of a kind (ns NULL: all) that has these labels
     * (an object, or NULL: any; a host may give more than match). False: the
     * kind is not known. */
    bool (*each)(void *arg, const char *api_version, const char *kind,
                 const char *ns, const struct json *labels, mesh_body_fn *fn,
                 void *fn_arg);
    /* Whether a kind is served and namespaced; false: not served. */
    bool (*served)(void *arg, const char *api_version, const char *kind,
                   bool *namespaced);
    /* What defines a kind: the CompositeResourceDefinition, else the
     * CustomResourceDefinition, as get; {NULL, 0}: neither. NULL: XRDs are
     * found by each, CRDs not at all. */
    struct str (*definition)(void *arg, const char *api_version,
                             const char *kind, bool *known);
};

struct mesh_planner;

struct mesh_planner *mesh_planner_new(const struct mesh_host *host);
void mesh_planner_free(struct mesh_planner *p);
/* XRDs, Compositions or Functions changed: forget what was compiled. */
void mesh_planner_forget(struct mesh_planner *p);

/* The plan of applying object (any kind; an object that is no XR is a plan of
 * one item). Findings of the schema are notes of weight MESH_BLOCK in the API
 * server's words. An object with metadata.resourceVersion is one that was read
 * and edited: it replaces what is there, all others are applied over it.
 * ERR_INVALID: no object, or without apiVersion, kind, name. out is complete
 * on true (and to be released); a pipeline that fails is a blocking note. */
bool mesh_plan_apply(struct mesh_planner *p, const struct json *object,
                     struct arena *a, struct mesh_plan *out, struct error *err);

/* Field by field: what applying `after` over `before` changes (NULL before:
 * nothing; members that after does not mention stay). At most 200 rows; lives
 * in a. */
const struct mesh_diff *mesh_diff_of(const struct json *before,
                                     const struct json *after, struct arena *a,
                                     size_t *n);

#endif
