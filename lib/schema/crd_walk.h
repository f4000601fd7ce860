/*
 * crd_walk.h - where a walk down the schema of a CRD is, and what it says.
 *
 * What: structural.c and openapi_check.c walk the same JSON with a path that
 * grows and shrinks (schema_path_key); their findings are about a field below
 * the place ("items.type"), or about the place itself ("").
 */
#ifndef LIB_SCHEMA_CRD_WALK_H
#define LIB_SCHEMA_CRD_WALK_H

#include "lib/base/buf.h"

#include "lib/schema/schema.h"

struct openapi_rules;

struct crd_walk {
    struct schema_findings *out;
    struct buf path;
    const struct openapi_rules *rules; /* asked for expressions, or NULL */
};

void crd_walk_problem(struct crd_walk *w, const char *field, const char *reason,
                      const char *message);
/* `Required value: why`, `Forbidden: why`. */
void crd_walk_required(struct crd_walk *w, const char *field, const char *why);
void crd_walk_forbidden(struct crd_walk *w, const char *field, const char *why);
/* `Invalid value: v: why`; v NULL: null. */
void crd_walk_invalid(struct crd_walk *w, const char *field,
                      const struct json *v, const char *why);

#endif
