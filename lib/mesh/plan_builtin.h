/*
 * plan_builtin.h - the kinds that every cluster with Crossplane serves, as far
 * as the program knows their schemas; and which fields of them never change.
 *
 * Source: assets/sandbox, assets/crossplane (the sandbox serves the same);
 * k8s.io/kubernetes pkg/apis, package validation: ValidateImmutableField.
 */
#ifndef LIB_MESH_PLAN_BUILTIN_H
#define LIB_MESH_PLAN_BUILTIN_H

#include "lib/base/json.h"

/* The CustomResourceDefinition that would define it, a fresh tree; NULL: not
 * known. */
struct json *plan_builtin_definition(const char *api_version, const char *kind);
/* One of Kubernetes' or Crossplane's own API groups. */
bool plan_builtin_group(struct str group);
/* Kinds of those groups that have no namespace. */
bool plan_builtin_cluster_scoped(struct str group, const char *kind);
/* Why the field at path (as a struct mesh_diff has it) of before cannot be
 * changed in place; NULL: it can. */
const char *plan_builtin_immutable(const struct json *before, const char *path);

#endif
