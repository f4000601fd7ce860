/*
 * field_path.h - JSON paths of members that a schema knows: .spec.ports or
 * .spec['a.b'], as fieldPath of rules and selectableFields write them.
 *
 * Source: apiextensions-apiserver pkg/apiserver/schema/cel ValidFieldPath.
 */
#ifndef LIB_SCHEMA_FIELD_PATH_H
#define LIB_SCHEMA_FIELD_PATH_H

#include "lib/base/json.h"

/* Follows path from schema (as it stands in a CRD). The schema it ends at, with
 * the path as findings write it ("spec.map[key]") added to out; or NULL with
 * the server's words in why. brackets: may ['x'] be written? out and why may be
 * NULL. */
const struct json *field_path_find(const struct json *schema, struct str path,
                                   bool brackets, struct buf *out,
                                   struct buf *why);

#endif
