/*
 * jsonpath.h - the JSONPath of printer columns and scale paths.
 *
 * What: the part of client-go util/jsonpath that may follow a leading dot:
 * children (.a, ['a'], \. for a dot), indices and slices, [*], .., and filters
 * [?(@.type=='Ready')] with == != < <= > >= or a bare path (exists). A missing
 * member is no error, it finds nothing. Unions are refused.
 * Caps: 4 KiB of text, 64 steps, 10,000 nodes visited in one search.
 * Lifetime: jsonpath_compile ... jsonpath_free; what is found belongs to the
 * tree that was searched.
 */
#ifndef LIB_SCHEMA_JSONPATH_H
#define LIB_SCHEMA_JSONPATH_H

#include "lib/base/error.h"
#include "lib/base/json.h"

struct jsonpath;

/* text as in a column: ".spec.color". ERR_PARSE, ERR_LIMIT, ERR_UNSUPPORTED. */
struct jsonpath *jsonpath_compile(struct str text, struct error *err);
void jsonpath_free(struct jsonpath *p);
/* Fills out with the first max nodes found below root; returns how many. */
size_t jsonpath_find(const struct jsonpath *p, const struct json *root,
                     const struct json **out, size_t max);
/* The first node found, or NULL. */
const struct json *jsonpath_first(const struct jsonpath *p,
                                  const struct json *root);
/* The names of a path that is nothing but plain members (".spec.replicas"),
 * NULL past its end or when it is another kind of path. */
const char *jsonpath_member(const struct jsonpath *p, size_t i);

#endif
