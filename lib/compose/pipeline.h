/*
 * pipeline.h - a Composition's function pipeline, run step by step.
 *
 * What: spec.pipeline of a Composition (or a CompositionRevision), compiled
 * once and run many times: state, context, bootstrap requirements, the
 * requirements loop, credentials; results and conditions gathered in the words
 * of Crossplane 2.0.8. Compiling keeps what functions prepared from their
 * inputs (parsed templates), so that a run costs microseconds.
 * Why the host: what a run needs from outside comes through three callbacks;
 * the pipeline itself does no I/O and reads no clock.
 * Invariants: the same input and the same answers give the same result, byte
 * for byte; desired state is total (what no step returned is dropped).
 * Lifetimes: pipeline_new ... pipeline_free; it keeps no pointer to spec. A
 * run's outcome is the caller's and is released also when the run failed: it
 * holds the results up to the failure.
 * Source: crossplane internal/controller/apiextensions/composite/
 * composition_functions.go, internal/xfn/{required_resources,
 * function_runner}.go.
 */
#ifndef LIB_COMPOSE_PIPELINE_H
#define LIB_COMPOSE_PIPELINE_H

#include "lib/base/map.h"

#include "lib/compose/function.h"

/* Whose ways: they differ in names, labels, namespaces and in some words. */
enum compose_mode {
    /* As core does it: hashed names, the root's label, the XR's namespace. */
    COMPOSE_LIVE,
    /* The same from 2.3 on: a namespace that the XR's own replaces is said. */
    COMPOSE_LIVE_23,
    /* As `crossplane render` 2.0.2: generateName stays, the XR's own name as
     * label and prefix, namespaces untouched, kinds not looked up. */
    COMPOSE_RENDER,
    /* As `crossplane render` from 2.0.7 to 2.2: the root's label and the XR's
     * namespace as in core, names still not made. */
    COMPOSE_RENDER_208
};

/* Core itself, not one of its render commands. */
bool compose_is_live(enum compose_mode mode);

/* ---- what a run needs from outside ---- */
struct compose_host {
    void *arg; /* handed to each call below */
    /* The built-in that serves Function `name` (functions_find). Never NULL. */
    const struct function *(*function)(void *arg, const char *name,
                                       struct error *err);
    /* Whole objects that match selector {apiVersion, kind, matchName |
     * matchLabels: {labels}, namespace}, as an array the pipeline takes over;
     * *items stays NULL when a name is not found. By labels without namespace:
     * all namespaces; no match member: all; sorted by namespace/name. False:
     * err says why. NULL: nothing is ever found. */
    bool (*fetch)(void *arg, const struct json *selector, struct json **items,
                  struct error *err);
    /* As fetch, for the Secrets of step credentials (v1 Secret, matchName) and
     * for what the Composition itself requires. NULL: fetch is asked. */
    bool (*secret)(void *arg, const struct json *selector, struct json **items,
                   struct error *err);
    bool (*bootstrap)(void *arg, const struct json *selector,
                      struct json **items, struct error *err);
    /* Whether a kind is namespaced; false and err when it is not served
     * (upstream: `failed to get restmapping: no matches for kind "K" in
     * version "v"`). NULL: everything is namespaced. */
    bool (*namespaced)(void *arg, const char *api_version, const char *kind,
                       bool *namespaced, struct error *err);
    struct fn_world world; /* handed to the functions */
};

/* ---- the pipeline ---- */
struct pipeline;

#define PIPELINE_STEPS_MAX      99 /* the Composition CRD's maxItems */
#define PIPELINE_ITERATIONS_MAX 5

/* Compiles spec.pipeline of a Composition's or CompositionRevision's spec.
 * Functions are resolved at each run. ERR_INVALID: no steps, too many, a step
 * without name or functionRef.name, mode not Pipeline. */
struct pipeline *pipeline_new(const struct json *spec, struct error *err);
void pipeline_free(struct pipeline *p);
/* For AUTO(pipeline_free_ptr) struct pipeline *p. */
void pipeline_free_ptr(struct pipeline **p);

/* A result of a step, as upstream's events carry it. */
struct pipeline_result {
    const char *step; /* belongs to the pipeline */
    struct fn_result result;
};

struct pipeline_outcome {
    struct json *desired; /* {composite: {...}, resources: {...}} */
    struct json *context;
    /* Of a run that a fatal result ended: the whole message, which err may
     * have cut; else NULL. */
    char *fatal;
    struct pipeline_result *results; /* fatal ones are not among them */
    size_t result_count, result_cap;
    struct fn_condition *conditions;
    size_t condition_count, condition_cap;
    /* Every selector asked for, [{apiVersion, kind, ...}]: what to watch. */
    struct json *required;
    /* What each step asked for in the end: STEP -> requirements. */
    struct json *asked;
    int64_t ttl_s; /* the shortest of the steps'; 0: none */
};

struct pipeline_input {
    enum compose_mode mode;
    const struct compose_host *host;
    /* {composite: {resource}, resources: {NAME: {resource}}}, taken over by the
     * run: it becomes part of the request. */
    struct json *observed;
    struct json *context; /* of the first step; taken over, NULL: empty */
    /* `asked` of an earlier run for the same composite, or NULL: a step that
     * asks for the same again is called once instead of twice. */
    const struct json *known;
};

/* What functions see and answer is what google.protobuf.Struct keeps: numbers
 * are doubles. out need not be initialised; it is complete on true and holds
 * what came before the failure on false. */
bool pipeline_run(struct pipeline *p, const struct pipeline_input *in,
                  struct pipeline_outcome *out, struct error *err);
void pipeline_outcome_release(struct pipeline_outcome *out);

#endif
