/*
 * fieldpath.h - Crossplane's field paths: `spec.tags[0].name`, `data[a.b]`.
 *
 * What: reads a path and looks it up in a tree. A bracket holds a field or an
 * index (a number below 2^32); dots inside brackets are literal; quotes at the
 * ends of a field are dropped. Errors are upstream's texts.
 * Source: crossplane-runtime 2.0 pkg/fieldpath/{fieldpath,paved}.go.
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
/* The value, owned by j. NULL: err is ERR_NOT_FOUND (`spec.a: no such field`)
 * or ERR_INVALID (`cannot parse path "p": ...`, `spec.a: not an object`). */
const struct json *fieldpath_get(const struct json *j, struct str text,
                                 struct error *err);
/* As fieldpath_get for a string; else `spec.a: not a string`. */
const char *fieldpath_string(const struct json *j, struct str text,
                             struct error *err);

#endif
