/*
 * fieldpath.h - Crossplane's field paths: `spec.tags[0].name`, `data[a.b]`.
 *
 * What: reads a path, looks it up in a tree and changes what it names. A
 * bracket holds a field or an index (a number below 2^32); dots inside brackets
 * are literal; quotes at the ends of a field are dropped; the empty path names
 * nothing at all. Errors are upstream's texts.
 * Invariants: numbers are never read, so what a tree holds (int64, double)
 * stays as it is written. A change that fails may leave the maps and arrays it
 * made on its way, as upstream's does.
 * Lifetimes: a parsed path views the text.
 * Source: crossplane-runtime 2.1 pkg/fieldpath/{fieldpath,paved}.go.
 */
#ifndef LIB_COMPOSE_FIELDPATH_H
#define LIB_COMPOSE_FIELDPATH_H

#include "lib/base/error.h"
#include "lib/base/json.h"

#define FIELDPATH_SEGMENTS_MAX 64

struct fieldpath_segment {
    bool is_index;
    uint32_t index;
    struct str field; /* views the path's text */
};

struct fieldpath {
    struct fieldpath_segment v[FIELDPATH_SEGMENTS_MAX];
    size_t n;
};

/* `unexpected '.' at position 0`; more than the maximum is ERR_LIMIT. out
 * views text. */
bool fieldpath_parse(struct str text, struct fieldpath *out, struct error *err);

/* ---- reading ---- */
/* The value, owned by j; the empty path gives j. NULL: err is ERR_NOT_FOUND
 * (`spec.a: no such field`) or ERR_INVALID (`cannot parse path "p": ...`,
 * `spec.a: not an object`). */
const struct json *fieldpath_get(const struct json *j, struct str text,
                                 struct error *err);
/* As fieldpath_get for a string; else `spec.a: not a string`. */
const char *fieldpath_string(const struct json *j, struct str text,
                             struct error *err);

/* ---- changing ---- */
#define FIELDPATH_INDEX_MAX 1024

/* Puts value (taken over, also on failure) where the path says; maps and
 * arrays on the way are made, arrays padded with null. The empty path changes
 * nothing. ERR_INVALID: `spec.a is not an array`, `index 2000 is greater than
 * max allowed index 1024`, `cannot parse path ...`. */
bool fieldpath_set(struct json *j, struct str text, struct json *value,
                   struct error *err);
/* Removes what the path names; elements behind it move up. Nothing there is
 * fine; ERR_INVALID: `cannot delete spec.a[0]: not an array`. */
bool fieldpath_delete(struct json *j, struct str text, struct error *err);
/* Adds to out the paths that a path with wildcards (`spec.list[*].name`, over
 * arrays and maps) stands for in j, in j's order; those that lead nowhere are
 * left out. ERR_NOT_FOUND: a wildcard at a null; ERR_INVALID: at a scalar. */
bool fieldpath_expand(const struct json *j, struct str text,
                      struct strlist *out, struct error *err);

#endif
