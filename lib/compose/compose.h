/*
 * compose.h - composition as a pure function: XR + Composition + what exists
 * -> what should exist.
 *
 * What: runs the pipeline and gives the desired composed resources the
 * metadata, names and owner that Crossplane's core gives them, with readiness,
 * events and conditions. The sandbox's controller applies the answer; a plan
 * compares it with what is there; render prints it.
 * Invariants: deterministic; resources come sorted by composition resource
 * name; nothing here knows a clock or a server.
 * Lifetimes: compose_release frees all of a result; a result is released also
 * after a failure (it holds the events up to it).
 * Source: crossplane 2.0.8 composite/composition_functions.go,
 * composition_render.go, reconciler.go; cmd/crank/render/render.go of 2.0.2 and
 * 2.0.8.
 */
#ifndef LIB_COMPOSE_COMPOSE_H
#define LIB_COMPOSE_COMPOSE_H

#include "lib/compose/pipeline.h"

#define COMPOSE_ANNOTATION_NAME "crossplane.io/composition-resource-name"
#define COMPOSE_LABEL_COMPOSITE "crossplane.io/composite"
#define COMPOSE_LABEL_CLAIM     "crossplane.io/claim-name"
#define COMPOSE_LABEL_CLAIM_NS  "crossplane.io/claim-namespace"

struct compose_input {
    enum compose_mode mode;
    /* The composite as it is. LIVE: without label crossplane.io/composite its
     * own name is the root (core has set the label by then); without uid (not
     * created yet) names that core would hash stay unset and generateName
     * tells the prefix. */
    const struct json *xr;
    struct pipeline *pipeline; /* of the Composition or its revision */
    /* Existing composed resources by composition resource name: NAME ->
     * {resource, connectionDetails}; taken over, NULL: none. */
    struct json *observed;
    const struct json *connection; /* xr's own, k -> base64; NULL: none */
    struct json *context;          /* taken over; NULL: empty */
    /* outcome.asked of an earlier composition of xr, or NULL. */
    const struct json *known;
    const struct compose_host *host;
};

struct compose_resource {
    char *name;          /* composition resource name */
    struct json *object; /* complete, as it is to be applied */
    bool ready;          /* a function said READY_TRUE */
    bool exists;         /* was among the observed */
};

struct compose_event {
    bool warning;
    enum fn_target target;
    char *reason;
    char *message; /* as it stands on the XR */
};

struct compose_result {
    struct compose_resource *resources; /* sorted by name */
    size_t resource_count;
    /* The desired composite's status, an object; NULL: none. */
    struct json *status;
    enum fn_ready composite_ready;
    struct compose_event *events;
    size_t event_count, event_cap;
    struct pipeline_outcome outcome; /* results, conditions, context, ttl */
};

/* False: err->msg is what upstream puts behind "cannot compose resources: ".
 * out need not be initialised and is always to be released. */
bool compose(const struct compose_input *in, struct compose_result *out,
             struct error *err);
void compose_release(struct compose_result *out);

/* ---- helpers the callers share ---- */
/* The composed resource of name in r, or NULL. */
const struct compose_resource *compose_find(const struct compose_result *r,
                                            const char *name);
/* spec.crossplane.resourceRefs for the result: apiVersion, kind, name and,
 * for a cluster scoped XR, namespace; in upstream's order, to which the
 * namespace counts from 2.3 on. */
struct json *compose_refs(const struct compose_result *r, const struct json *xr,
                          bool by_namespace);
/* The field manager of an XR's composed resources:
 * "apiextensions.crossplane.io/composed/<sha256 of name + Kind.group>". */
#define COMPOSE_OWNER_MAX 112
void compose_owner(const struct json *xr, char out[COMPOSE_OWNER_MAX]);
#define COMPOSE_OWNER_XR "apiextensions.crossplane.io/composite"
/* True when the function may not set that condition type. */
bool compose_reserved_condition(const char *type);

#endif
