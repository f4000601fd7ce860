/*
 * types.h - the types of the built-in kinds: their fields as Go's types have
 * them, and how lists and maps merge.
 *
 * What: one table for everything that has to know what a Deployment is: strict
 * decoding, strategic merge patch, server-side apply, protobuf bodies, OpenAPI
 * and explain. Why one: they contradict each other otherwise.
 * Source: assets/api/types.txt, made by scripts/apitypes from k8s.io/api and a
 * real server's OpenAPI. One line begins a type, the lines after it are its
 * fields in the order of the Go struct:
 *     @core.v1.ServicePort
 *     protocol 2 s gv1.Protocol eTCP|UDP|SCTP =TCP
 * name, protobuf number, type (* pointer, [ list, { map; then a letter or a
 * type's name), then flags: + written even when empty, z left out when zero,
 * ! required, gX the name Go's errors give its type, a atomic, kX,Y list-map
 * keys (k alone: a set), mX patch merge key (m alone: plain values merged), R
 * retainKeys, eA|B choices (~ is a space), =X the default as JSON without
 * quotes. A field named "-" has no name in JSON: its type's fields stand in its
 * place. Invariants: apiVersion and kind of whole objects are no fields here.
 * The table is unpacked and read when the first type is asked for, never at
 * start. Lifetimes: everything handed out lives as long as the struct types.
 */
#ifndef DEVENV_SANDBOX_TYPES_H
#define DEVENV_SANDBOX_TYPES_H

#include "lib/base/str.h"

struct types;

enum types_base {
    TYPES_STRUCT,
    TYPES_STRING,
    TYPES_BOOL,
    TYPES_INT32,
    TYPES_INT64,
    TYPES_NUMBER,
    TYPES_BYTES,         /* base64 in JSON */
    TYPES_TIME,          /* RFC 3339, seconds */
    TYPES_MICRO_TIME,    /* RFC 3339, microseconds */
    TYPES_DURATION,      /* "1m30s" */
    TYPES_QUANTITY,      /* "500m" */
    TYPES_INT_OR_STRING, /* 80 or "http" */
    TYPES_RAW,           /* an object of any kind */
    TYPES_JSON,          /* any value */
    TYPES_FIELDS,        /* fieldsV1 */
    /* what JSON schemas have: a schema or ... */
    TYPES_SCHEMA_OR_ARRAY,
    TYPES_SCHEMA_OR_BOOL,
    TYPES_SCHEMA_OR_STRINGS
};
enum types_shape { TYPES_ONE, TYPES_LIST, TYPES_MAP, TYPES_MAP_OF_LISTS };

struct types_field {
    const char *name;    /* in JSON; "-": its fields are its parent's */
    const char *go_name; /* "v1.Protocol", or NULL */
    const struct types_struct *type; /* of TYPES_STRUCT, else NULL */
    enum types_base base;
    enum types_shape shape;
    unsigned number; /* in protobuf; 0: not sent */
    bool pointer;    /* zero is a value of its own */
    bool always;     /* written even when empty */
    bool omit_zero;  /* a struct that is left out when empty */
    bool required, atomic, retain_keys;
    bool merged;           /* a list: strategic patches merge it */
    const char *merge_key; /* of merged; "": by value */
    bool keyed;            /* a list: applies merge it */
    const char *list_keys; /* of keyed: "port,protocol"; "": a set */
    const char *choices;   /* "TCP|UDP", or NULL */
    const char *fallback;  /* the default without quotes, or NULL */
};

struct types_struct {
    const char *name;               /* "core.v1.PodSpec" */
    const char *api_version, *kind; /* of whole objects, else NULL */
    bool atomic;
    const struct types_field *fields;
    size_t fields_n;
};

struct types *types_new(void);
void types_free(struct types *t);

/* Of a whole object by "v1"/"apps/v1" and Kind; NULL: not in the table. */
const struct types_struct *types_kind(struct types *t, const char *api_version,
                                      const char *kind);
/* By name ("meta.v1.ObjectMeta"); NULL: not in the table. */
const struct types_struct *types_find(struct types *t, const char *name);
/* The field a JSON member of that name is; NULL: unknown. s may be NULL. */
const struct types_field *types_field(const struct types_struct *s,
                                      const char *name);
/* Something made from the table that lives and dies with it: *slot is NULL at
 * first; release is called with it by types_free. */
void **types_keep(struct types *t, void (*release)(void *kept));
/* "DeploymentSpec" of "apps.v1.DeploymentSpec". */
const char *types_short_name(const struct types_struct *s);

#endif
