/*
 * planner.h - the plan of creating or changing one object.
 *
 * What: checks the object against its schema, chooses the Composition as core
 * does (enforced, ref, selector, default), runs the pipeline until nothing new
 * appears (composed objects are taken as Ready, so that what waits for others
 * is in the plan too), does the same for composed XRs, and compares with what
 * is there, field by field, as server-side apply would.
 * Why an object: compiled pipelines and schemas are kept between plans (a plan
 * of one product: <= 2 ms).
 * Lifetimes: the host outlives the planner; plans outlive both.
 */
#ifndef LIB_MESH_PLANNER_H
#define LIB_MESH_PLANNER_H

#include "lib/mesh/plan.h"

/* What a plan needs of the cluster; from caches, or asked for by a command. */
struct mesh_host {
    void *arg;
    /* One object as JSON text (valid until the next call), by apiVersion's
     * group and kind; {NULL, 0}: not there. *known false: it cannot be said
     * (not watched): the plan says so. */
    struct str (*get)(void *arg, const char *api_version, const char *kind,
                      const char *ns, const char *name, bool *known);
    /* Calls fn with each object of a kind (ns NULL: all). False: the kind is
     * not known. */
    bool (*each)(void *arg, const char *api_version, const char *kind,
                 const char *ns, bool (*fn)(void *fn_arg, struct str body),
                 void *fn_arg);
    /* Whether a kind is served and namespaced; false: not served. */
    bool (*served)(void *arg, const char *api_version, const char *kind,
                   bool *namespaced);
};

struct mesh_planner;

struct mesh_planner *mesh_planner_new(const struct mesh_host *host);
void mesh_planner_free(struct mesh_planner *p);
void mesh_planner_free_ptr(struct mesh_planner **p);
/* XRDs, Compositions or Functions changed: forget what was compiled. */
void mesh_planner_forget(struct mesh_planner *p);

/* From now on the plans take object for there (the other documents of a file
 * that is applied as a whole); NULL: no more of them. Copied. */
void mesh_planner_pretend(struct mesh_planner *p, const struct json *object);

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
