/*
 * path.h - the value that a finding's field names.
 *
 * What: fields are field.Path texts ("spec.ports[1].name", "data[a.b]") or
 * pruned paths, whose keys may hold dots ("metadata.labels.a/b.c"): at each
 * object the longest key that fits is taken.
 * Lifetimes: the answer lives as long as root, *rest as long as field.
 */
#ifndef LIB_SCHEMA_PATH_H
#define LIB_SCHEMA_PATH_H

#include "lib/base/json.h"

/* The deepest value on the way that is there; root when nothing is. *rest
 * (may be NULL) is what was not found, "" when all was. */
const struct json *schema_path_find(const struct json *root, const char *field,
                                    const char **rest);

#endif
