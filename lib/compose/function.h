/*
 * function.h - what a composition function gets and what it gives.
 *
 * What: Crossplane's RunFunction call as a plain C call. The request is one
 * JSON tree in the layout of protojson (camelCase; what is empty is absent),
 * so that a template can walk it as it is:
 *   observed.composite.{resource, connectionDetails{k: base64}}
 *   observed.resources.NAME.{resource, connectionDetails}
 *   desired.composite.{resource, ready}, desired.resources.NAME.{...}
 *       ready is "READY_TRUE" or "READY_FALSE"; absent: unspecified
 *   input, context, credentials.NAME.credentialData.data{k: base64}
 *   requiredResources.NAME.items[].resource   (`{}`: asked for, none found;
 *       NAME absent: not asked for yet)
 * The response starts as a copy of the request's desired state and context:
 * a function changes it in place and what it removes is dropped.
 * Invariants: a function reads no clock, no file and no environment, never
 * changes the request and always returns; what goes wrong is a fatal result.
 * Lifetimes: the request belongs to the caller and lives through the call; all
 * in the response is owned by the response.
 * Source: crossplane proto/fn/v1/run_function.proto; function-sdk-go.
 */
#ifndef LIB_COMPOSE_FUNCTION_H
#define LIB_COMPOSE_FUNCTION_H

#include "lib/base/json.h"

struct manifests_memo;

/* What the world outside says when a function asks; set by who composes. */
struct fn_world {
    void *arg;
    int64_t now_ns; /* since 1970: the time of this run, for `now` and TTLs */
    /* Appends the text files below dir, as the function's own file system has
     * them (FileSystem templates). False: err says why. NULL: there are none,
     * and asking is a fatal result. */
    bool (*files)(void *arg, const char *dir, struct buf *out,
                  struct error *err);
    struct manifests_memo *memo; /* of the documents templates write, or NULL */
};

struct fn_request {
    const struct json *data;      /* the layout above, always an object */
    void *prepared;               /* what .prepare answered, else NULL */
    const struct fn_world *world; /* NULL: 1970, no files */
};

enum fn_severity { FN_UNSPECIFIED, FN_FATAL, FN_WARNING, FN_NORMAL };
enum fn_target { FN_TARGET_COMPOSITE, FN_TARGET_COMPOSITE_AND_CLAIM };
enum fn_ready { FN_READY_UNSPECIFIED, FN_READY_TRUE, FN_READY_FALSE };

struct fn_result {
    enum fn_severity severity;
    enum fn_target target;
    char *message;
    char *reason; /* NULL: the caller's default */
};

struct fn_condition {
    char *type, *status, *reason; /* status: "True", "False", "Unknown" */
    char *message;                /* NULL: none */
    enum fn_target target;
};

/* A function adds at most this many results and conditions; more are
 * dropped and the last result says so. */
#define FN_RESULTS_MAX    1000
#define FN_CONDITIONS_MAX 200

struct fn_response {
    struct json *desired; /* {composite: {...}, resources: {...}} or {} */
    struct json *context; /* an object */
    /* What else the function wants to see: NAME -> {apiVersion, kind,
     * matchName | matchLabels: {labels: {k: v}}, namespace}. Never NULL. */
    struct json *requirements;
    struct fn_result *results;
    size_t result_count, result_cap;
    struct fn_condition *conditions;
    size_t condition_count, condition_cap;
    int64_t ttl_s; /* 0: the caller's default */
};

/* One built-in function. */
struct function {
    const char *name; /* "function-go-templating": the repository's name */
    /* Reads a step's input (NULL: none) once for many runs; the result is
     * req->prepared of each run and ends in .discard. An error becomes the
     * step's fatal result with err->msg as its message. May be NULL. */
    void *(*prepare)(const struct json *input, struct error *err);
    void (*discard)(void *prepared);
    void (*run)(const struct fn_request *req, struct fn_response *rsp);
};

extern const struct function fn_gotemplate;
extern const struct function fn_patch;
extern const struct function fn_autoready;
extern const struct function fn_extraresources;
extern const struct function fn_environmentconfigs;
extern const struct function fn_sequencer;
extern const struct function fn_statustransformer;

/* ---- the request; NULL when absent ---- */
const struct json *fn_input(const struct fn_request *req);
const struct json *fn_context(const struct fn_request *req);
/* The composite as it was observed: apiVersion, kind, metadata, ... */
const struct json *fn_observed_composite(const struct fn_request *req);
/* observed.resources: NAME -> {resource, connectionDetails}. */
const struct json *fn_observed_all(const struct fn_request *req);
/* The observed composed resource itself (not its wrapper). */
const struct json *fn_observed(const struct fn_request *req, const char *name);
/* requiredResources.NAME: {items: [{resource}]}; {} when nothing was found. */
const struct json *fn_required(const struct fn_request *req, const char *name);

/* ---- the response ---- */
/* rsp starts as the request's desired state and context. */
void fn_response_init(struct fn_response *rsp, const struct fn_request *req);
void fn_response_release(struct fn_response *rsp);
/* FN_FATAL ends the pipeline. */
void fn_resultf(struct fn_response *rsp, enum fn_severity severity,
                const char *fmt, ...) PRINTF_LIKE(3, 4);
/* As fn_resultf, with a reason (NULL: the caller's default) and a target;
 * copies its texts. */
void fn_result_add(struct fn_response *rsp, enum fn_severity severity,
                   const char *reason, enum fn_target target,
                   const char *message);
/* Copies its texts; reason and message may be NULL. */
void fn_condition_add(struct fn_response *rsp, const char *type,
                      const char *status, const char *reason,
                      const char *message, enum fn_target target);
bool fn_is_fatal(const struct fn_response *rsp);

/* ---- desired state, for functions and for the pipeline ---- */
/* desired.composite.resource / desired.resources, made when absent. */
struct json *fn_desired_composite(struct fn_response *rsp);
struct json *fn_desired_all(struct fn_response *rsp);
/* Puts resource (taken over) in the place of the desired resource name,
 * whose readiness becomes ready. */
void fn_desired_set(struct fn_response *rsp, const char *name,
                    struct json *resource, enum fn_ready ready);
/* Readiness of a wrapper ({resource, ready}). */
enum fn_ready fn_ready_of(const struct json *wrapper);
/* FN_READY_UNSPECIFIED removes the member. */
void fn_ready_set(struct json *wrapper, enum fn_ready ready);

#endif
