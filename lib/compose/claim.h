/*
 * claim.h - how a claim and its composite resource follow each other.
 *
 * What: a claim's spec goes to the XR (all but what is the claim's own), the
 * XR's status and choices come back. Pure: who calls applies claim_to_xr's
 * patch with force as CLAIM_MANAGER after it has written the claim that
 * claim_bind changed, in this order, so that no XR is ever lost.
 * Lifetimes: results are fresh trees of the caller.
 * Source: crossplane 2.0.8 internal/controller/apiextensions/claim/
 * syncer_ssa.go.
 */
#ifndef LIB_COMPOSE_CLAIM_H
#define LIB_COMPOSE_CLAIM_H

#include "lib/base/error.h"
#include "lib/base/json.h"

#define CLAIM_MANAGER "apiextensions.crossplane.io/claim"

/* How one claim is to be synced. */
struct claim_sync {
    const struct json *xrd;
    const struct json *xr; /* as observed; NULL: not there yet */
    /* The XR's name when the claim refers to none yet: made by the caller of
     * "<claim>-" and a free suffix. */
    const char *fresh_name;
};

/* The patch that makes the XR what the claim wants. Fails when the claim's
 * spec is no object. */
struct json *claim_to_xr(const struct json *claim, const struct claim_sync *s,
                         struct error *err);
/* Gives the claim its resourceRef to patch's XR and what the XR has chosen:
 * external name, composition and, when revisions follow on their own, the
 * revision. True when the claim was changed. */
bool claim_bind(struct json *claim, const struct claim_sync *s,
                const struct json *patch);
/* The claim's status becomes the XR's, but its own conditions and its own
 * connectionDetails stay. True when it was changed. An XR without status
 * changes nothing. */
bool claim_take_status(struct json *claim, const struct json *xr);

#endif
