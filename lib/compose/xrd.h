/*
 * xrd.h - the CustomResourceDefinition that an XRD defines.
 *
 * What: Crossplane rebuilds the schema instead of copying it; this does the
 * same: what it keeps, drops, injects and names, for v1 and v2 XRDs of scope
 * Namespaced, Cluster and LegacyCluster, and for the claims a legacy one
 * offers. Lifetimes: results are fresh trees of the caller. Source:
 * crossplane 2.0.8 internal/xcrd/{crd,schemas}.go;
 * apis/apiextensions/v2/xrd_types.go.
 */
#ifndef LIB_COMPOSE_XRD_H
#define LIB_COMPOSE_XRD_H

#include "lib/base/error.h"
#include "lib/base/json.h"

/* The CRD (apiextensions.k8s.io/v1), without status. xrd may leave out what
 * the API server defaults (scope, defaultCompositionUpdatePolicy). Its
 * ownerReference names the XRD with the XRD's uid ("" when it has none).
 * Errors in upstream's words: `cannot generate CRD for "Composite Resource"
 * "<name>": custom resource validation cannot be nil`. */
struct json *xrd_to_crd(const struct json *xrd, struct error *err);

/* The CRD of the claims that an XRD with claimNames offers: namespaced, named
 * after the claim's plural. Errors as of xrd_to_crd, and `invalid resource
 * claim names: missing names` when it offers none. */
struct json *xrd_to_claim_crd(const struct json *xrd, struct error *err);

/* "Namespaced", "Cluster" or "LegacyCluster"; the default of its version. */
const char *xrd_scope(const struct json *xrd);
/* The name of the referenceable version, NULL when there is none. */
const char *xrd_referenceable(const struct json *xrd);
/* The object whose members drive an XR: spec.crossplane or, for a legacy
 * XRD, spec. NULL when xr has none. */
struct json *xrd_machinery(const struct json *xr, bool legacy);

#endif
