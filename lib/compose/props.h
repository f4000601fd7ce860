/*
 * props.h - an OpenAPI schema as Kubernetes' type JSONSchemaProps holds it
 * (private to lib/compose).
 *
 * What: Crossplane reads an XRD's schema into that type and writes it again,
 * so a CRD has what survives this: known keys (whose case Go's reader
 * forgives), nothing that is empty, false or null where the type says so.
 * Lifetimes: the result is a fresh tree of the caller.
 * Source: k8s.io/apiextensions-apiserver pkg/apis/apiextensions/v1
 * {types_jsonschema,marshal}.go; Go's encoding/json.
 */
#ifndef LIB_COMPOSE_PROPS_H
#define LIB_COMPOSE_PROPS_H

#include "lib/base/error.h"
#include "lib/base/json.h"

/* Errors are those of Go's reader: `json: cannot unmarshal number into Go
 * struct field JSONSchemaProps.properties.type of type string`. Deeper than
 * 100 schemas is ERR_LIMIT. */
struct json *props_read(const struct json *schema, struct error *err);

#endif
