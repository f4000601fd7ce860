/*
 * xr_compose.h - the middle of a composite resource's reconcile: what exists,
 * what should exist, and the writes that lead from one to the other.
 *
 * Source: crossplane 2.0.8 composite/composition_functions.go.
 */
#ifndef DEVENV_SANDBOX_XR_COMPOSE_H
#define DEVENV_SANDBOX_XR_COMPOSE_H

#include "lib/compose/compose.h"

#include "devenv/sandbox/control.h"

#define XR_COMPONENT                                                           \
    "defined/compositeresourcedefinition.apiextensions.crossplane.io"

struct xr_outcome {
    struct compose_result result;
    struct strlist unsynced, unready; /* composition resource names */
    struct strlist refused; /* what the API said to those not synced */
    bool invalid; /* the failure was the API's Invalid: its text is unstable */
};

/* Composes *xr with revision; *xr becomes what is stored. False: err says why,
 * in the words that follow "cannot compose resources: ". out need not be
 * initialised and is always to be released. */
bool xr_compose(struct control *c, struct xr_state *s, const struct kind *k,
                const struct json *revision, struct json **xr,
                struct xr_outcome *out, struct error *err);
void xr_outcome_release(struct xr_outcome *out);

#endif
