/*
 * crd_parts.h - the parts of a CRD's version apart from its schema, and the
 * words of findings about a CRD.
 *
 * Source: apiextensions-apiserver validation.go
 * ValidateCustomResourceColumnDefinition, ...Subresources, ...SelectableFields.
 */
#ifndef LIB_SCHEMA_CRD_PARTS_H
#define LIB_SCHEMA_CRD_PARTS_H

#include "lib/schema/schema.h"

/* `Invalid value: "x": why`; the JSON of what is a pointer in Go; `Required
 * value: why`, or without why ("") alone. */
void crd_invalid(struct schema_findings *bad, const char *field,
                 const char *value, const char *why);
void crd_invalid_json(struct schema_findings *bad, const char *field,
                      const struct json *value, const char *why);
void crd_required(struct schema_findings *bad, const char *field,
                  const char *why);

/* at: "spec" or "spec.versions[1]". */
void crd_check_columns(const struct json *list, const char *at,
                       struct schema_findings *bad);
void crd_check_subresources(const struct json *sub, const char *at,
                            struct schema_findings *bad);
/* schema: that they are fields of, or NULL. */
void crd_check_selectables(const struct json *list, const struct json *schema,
                           const char *at, struct schema_findings *bad);

#endif
