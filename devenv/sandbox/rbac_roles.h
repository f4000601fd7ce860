/*
 * rbac_roles.h - the roles that are there without anybody's doing: those of
 * every cluster, the rules of aggregated ones, and those that say who may see
 * the kinds of Crossplane.
 *
 * Sources: kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy,
 * controller/clusterroleaggregation; Crossplane's controller/rbac/definition.
 */
#ifndef DEVENV_SANDBOX_RBAC_ROLES_H
#define DEVENV_SANDBOX_RBAC_ROLES_H

#include "devenv/sandbox/registry.h"

/* Makes what assets/sandbox/rbac.yaml has and the store has not. */
bool rbac_roles_ensure(struct registry *r, struct error *err);
/* Fills aggregated ClusterRoles; true when one changed. */
bool rbac_roles_aggregate(struct registry *r);
/* The roles of an XRD (its name), as Crossplane's rbac manager makes them:
 * system, edit, view, browse; owned by it. One that is gone makes none. */
void rbac_roles_of_xrd(struct registry *r, const char *name);
/* It has them. */
bool rbac_roles_has_xrd(struct registry *r, const char *name);
/* The role that lets readers see managed kinds, of those served now. */
void rbac_roles_of_managed(struct registry *r);

#endif
