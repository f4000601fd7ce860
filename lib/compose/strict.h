/*
 * strict.h - a function's input, checked as its Go type would take it.
 *
 * What: functions decode their input strictly: an unknown member or a value of
 * the wrong JSON type is refused, null is the zero value everywhere, nothing is
 * defaulted. A table says what the Go type looks like; the message is the one
 * the Go decoder gives for the first thing it meets (members in byte order, as
 * protojson writes them).
 * Why a table: a lenient reader accepts compositions that fail on a cluster.
 * Invariants: names match by case; types are static and may refer to
 * themselves.
 * Source: function-sdk-go resource.AsObject; go-json-experiment/json at
 * ebd3a8989ca1 (errors.go, arshal_default.go). Its messages start with "cannot"
 * or "unable to" by chance; here it is always "unable to".
 */
#ifndef LIB_COMPOSE_STRICT_H
#define LIB_COMPOSE_STRICT_H

#include "lib/base/error.h"
#include "lib/base/json.h"

enum strict_kind {
    STRICT_ANY, /* any JSON: extv1.JSON, runtime.RawExtension */
    STRICT_STRING,
    STRICT_BOOL,
    STRICT_INT,  /* a signed integer of 64 bits */
    STRICT_UINT, /* an unsigned one */
    STRICT_FLOAT,
    STRICT_LIST,  /* of item */
    STRICT_MAP,   /* of strings to item */
    STRICT_STRUCT /* of fields */
};

struct strict_field;

struct strict_type {
    enum strict_kind kind;
    const char *go; /* "string", "v1beta1.InputSpec", "[]v1beta1.Patch" */
    const struct strict_field *fields; /* STRICT_STRUCT; ends with a zero row */
    const struct strict_type *item;
    /* What the type's own UnmarshalJSON reads into, when it has one. */
    const char *own;
};

struct strict_field {
    const char *name;
    const struct strict_type *type;
};

extern const struct strict_type strict_any, strict_string, strict_bool,
    strict_int64, strict_uint64, strict_strings, strict_string_map,
    strict_object, /* map[string]interface {} */
    strict_object_meta;

/* Static types of one's own. */
#define STRICT_NAMED(id, name)                                                 \
    static const struct strict_type id = {.kind = STRICT_STRING, .go = (name)}
#define STRICT_LIST_OF(id, name, of)                                           \
    static const struct strict_type id = {                                     \
        .kind = STRICT_LIST, .go = (name), .item = &(of)}
#define STRICT_FIELDS(id, name, ...)                                           \
    static const struct strict_type id = {                                     \
        .kind = STRICT_STRUCT,                                                 \
        .go = (name),                                                          \
        .fields = (const struct strict_field[]){__VA_ARGS__, {0}}}

/* The three members every input has: apiVersion, kind, metadata. */
#define STRICT_TYPE_META                                                       \
    {"apiVersion", &strict_string}, {"kind", &strict_string},                  \
    {                                                                          \
        "metadata", &strict_object_meta                                        \
    }

/* ERR_INVALID: `json: unable to unmarshal JSON string into Go value of type
 * bool`, `... Go value of type v1beta1.InputSpec: unknown name "x"`. NULL and
 * null are fine. */
bool strict_check(const struct json *j, const struct strict_type *type,
                  struct error *err);
/* strict_check of a function's whole input (NULL: none), with the SDK's words
 * before: `cannot get function input *v1beta1.Input from
 * *v1.RunFunctionRequest: cannot unmarshal JSON from *structpb.Struct into
 * *v1beta1.Input: json: ...`. */
bool strict_input(const struct json *input, const struct strict_type *type,
                  struct error *err);

#endif
