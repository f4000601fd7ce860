/*
 * types_schema.h - the types of built-in kinds as OpenAPI schemas.
 *
 * What: whole, as a CRD's openAPIV3Schema (for lib/schema: server-side apply,
 * expressions), or one type at a time with references (for /openapi).
 * A type inside itself (JSONSchemaProps) is open there.
 */
#ifndef DEVENV_SANDBOX_TYPES_SCHEMA_H
#define DEVENV_SANDBOX_TYPES_SCHEMA_H

#include "lib/schema/schema.h"

#include "devenv/sandbox/types.h"

/* A fresh tree; s is of a whole object. NULL in, NULL out. */
struct json *types_schema(struct types *t, const struct types_struct *s);
/* ObjectMeta, compiled when first asked for; lives as long as t. */
const struct schema *types_schema_of_meta(struct types *t);

/* One type as a component: $refs to prefix + the name of the others; fn hears
 * of each that is referred to. A fresh tree. */
typedef void types_ref_fn(void *arg, const struct types_struct *s);
struct json *types_component(struct types *t, const struct types_struct *s,
                             const char *prefix, types_ref_fn *fn, void *arg);
/* "io.k8s.api.core.v1.PodSpec", in fresh memory. */
char *types_model_name(const struct types_struct *s);

#endif
