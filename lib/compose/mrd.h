/*
 * mrd.h - definitions of managed resources and what makes them active.
 *
 * What: Crossplane turns the CRDs of a provider's package into
 * ManagedResourceDefinitions; an active one becomes a CRD again. Activation
 * policies name definitions by patterns.
 * Lifetimes: what is given is an object; results are fresh trees of the caller.
 * Source: crossplane 2.0.8 internal/converter/custom_to_managed.go,
 * internal/controller/apiextensions/managed/crd.go,
 * apis/apiextensions/v1alpha1/mrd_policy_types.go.
 */
#ifndef LIB_COMPOSE_MRD_H
#define LIB_COMPOSE_MRD_H

#include "lib/base/json.h"

/* The definition that a package's CRD becomes, or NULL for the kinds that stay
 * CRDs (ProviderConfig and its sisters). active: the provider's package cannot
 * wait to be activated (it lacks the capability safe-start). */
struct json *mrd_of_crd(const struct json *crd, bool active);
/* The CRD of a definition: only what Crossplane has an opinion on, versions by
 * name, owned by the definition (with its uid) and by what controls it. */
struct json *mrd_to_crd(const struct json *mrd);
bool mrd_is_active(const struct json *mrd);

/* Whether a pattern of spec.activate matches a definition's name, as Go's
 * filepath.Match: * ? [a-z] [^a-z] \x. A bad pattern matches nothing. */
bool mrd_matches(const char *pattern, const char *name);
/* Whether a ManagedResourceActivationPolicy activates the definition. */
bool mrd_activated_by(const struct json *policy, const char *name);

#endif
