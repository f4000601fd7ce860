/*
 * crd_schema.h - the checks of a CRD's schema, for the files of this floor.
 *
 * What: apiextensions-apiserver looks at a schema twice: whether it is
 * structural (pkg/apiserver/schema/{validation,complete}.go), and whether it
 * says only what is supported (pkg/apis/apiextensions/validation,
 * ValidateCustomResourceDefinitionOpenAPISchema). Both walk the JSON: a node is
 * compiled only when it is known to be sound.
 * Paths are put in front of every finding's field.
 */
#ifndef LIB_SCHEMA_CRD_SCHEMA_H
#define LIB_SCHEMA_CRD_SCHEMA_H

#include "lib/schema/schema.h"

/* Adds what keeps it from being structural, sorted; the number of findings. */
size_t structural_check(const struct json *schema, const char *path,
                        struct schema_findings *problems);
/* Why the server cannot read it as a structural schema at all, or NULL: told
 * only when nothing else is wrong with it. */
const char *structural_unreadable(const struct json *schema);

/* What openapi_check asks for expressions: those of a sound node, whose
 * compiled schema is s. uncorrelated: the part of the schema in which oldSelf
 * may not be used because nothing tells what stood there before, or NULL.
 * count: how many values of this node an object can have; NULL: nothing says.
 */
struct openapi_rules {
    void (*check)(void *arg, struct schema *s, const char *path,
                  const char *uncorrelated, const uint64_t *count);
    void *arg;
};

/* Adds what is not supported. root: the compiled schema, or NULL when there is
 * none; rules are given nodes that have no findings here or below. */
void openapi_check(const struct json *schema, struct schema *root,
                   const char *path, const struct openapi_rules *rules,
                   struct schema_findings *problems);

#endif
