/*
 * value.h - a Go value, as far as templates can see one.
 *
 * What: what text/template, fmt and sprig tell apart: int64 from int from
 * float64, a nil interface from no value at all, []string from []interface {}.
 * Maps and lists wrap JSON lazily: one level is unpacked when it is first
 * looked into; the JSON itself is never changed.
 * Invariants: copying a struct value copies a reference, as in Go: two copies
 * of a map see each other's changes. Lists never change once they are made
 * (sprig copies them). The entries of a map are sorted by key. Strings may
 * hold any byte.
 * Lifetimes: everything lives in an arena; values that wrap JSON need it alive
 * and unchanged.
 */
#ifndef LIB_COMPOSE_VALUE_H
#define LIB_COMPOSE_VALUE_H

#include "lib/base/arena.h"
#include "lib/base/json.h"

#include "lib/compose/gotime.h"

enum value_type {
    VALUE_NONE, /* reflect's zero Value: prints as <no value> */
    VALUE_NIL,  /* an interface that holds nothing */
    VALUE_BOOL,
    VALUE_INT, /* Go's int: constants, len, loop indexes */
    VALUE_INT64,
    VALUE_INT32,
    VALUE_UINT8,
    VALUE_FLOAT,
    VALUE_STRING,
    VALUE_BYTES, /* []uint8 */
    VALUE_LIST,
    VALUE_MAP,
    VALUE_STRUCT, /* a condition, a version */
    VALUE_TIME
};

/* What a list or a map is declared to hold. */
enum value_elem {
    ELEM_ANY,
    ELEM_STRING,
    ELEM_INT,
    ELEM_LIST,
    ELEM_BYTES,
    ELEM_GENERAL /* a map whose keys are not all strings; here they are */
};

/* How numbers of wrapped JSON become Go's. */
enum value_numbers {
    NUMBERS_K8S,  /* protojson, then Kubernetes' decoder: integral -> int64 */
    NUMBERS_JSON, /* encoding/json: float64 */
    NUMBERS_YAML  /* yaml.v3: int, float64 */
};

struct value_list;
struct value_map;
struct value_struct;

struct value {
    uint8_t type;     /* enum value_type */
    bool boxed;       /* it was read out of an interface {} slot */
    const char *name; /* of a named string type ("v1.ConditionStatus") */
    union {
        bool b;
        int64_t i;
        struct gotime time;
        double f;
        struct str s; /* VALUE_STRING, VALUE_BYTES */
        struct value_list *list;
        struct value_map *map;
        const struct value_struct *st;
    };
};

struct value_list {
    struct value *v;
    size_t n;
    uint8_t elem;           /* enum value_elem */
    uint8_t numbers;        /* enum value_numbers, while src is set */
    bool nil;               /* a nil slice */
    const struct json *src; /* not yet unpacked; value_items() does it */
};

struct value_entry {
    struct str key;
    struct value value;
};

struct value_map {
    struct value_entry *v;
    size_t n, cap;
    uint8_t elem, numbers;
    bool nil; /* a nil map: may be read, not written */
    const struct json *src;
};

/* A struct with exported fields, or a type with methods when text is set. */
struct value_struct {
    const char *type;
    const struct value_entry *fields;
    size_t n;
    const char *const *tags; /* names in JSON, "?x": x,omitempty; or NULL */
    struct str text; /* what String() gives; s == NULL: no such method */
};

/* ---- making ---- */
struct value value_none(void);
struct value value_nil(void);
struct value value_bool(bool b);
struct value value_int(int64_t i);
struct value value_int64(int64_t i);
struct value value_float(double f);
/* Views the text; it must live as long as the value. */
struct value value_str(struct str s);
struct value value_bytes(struct str s);
struct value value_time(struct gotime t);
/* A list of n elements, each VALUE_NIL. */
struct value value_list(struct arena *a, size_t n, enum value_elem elem);
struct value value_nil_list(struct arena *a, enum value_elem elem);
struct value value_map(struct arena *a, enum value_elem elem);
struct value value_nil_map(struct arena *a, enum value_elem elem);
struct value value_json(struct arena *a, const struct json *j,
                        enum value_numbers numbers);

/* ---- reading ---- */
/* Lists: the elements; *n their number. Of a VALUE_BYTES use .s. */
struct value *value_items(struct arena *a, struct value list, size_t *n);
struct value_entry *value_entries(struct arena *a, struct value map, size_t *n);
/* Elements of a list, bytes of a string, entries of a map; else 0. */
size_t value_len(struct value v);
/* The value of key as it lies in the map (boxed when the map holds
 * interfaces); false when absent. */
bool value_get(struct arena *a, struct value map, struct str key,
               struct value *out);
bool value_has(struct arena *a, struct value map, struct str key);
/* The path a.b.c of string keys; VALUE_NONE when anything is missing. */
struct value value_at(struct arena *a, struct value map, ...)
    __attribute__((sentinel));
/* text/template's truth. */
bool value_true(struct value v);
/* sprig's empty. */
bool value_empty(struct value v);
bool value_is_nil(struct value v);
bool value_is_integer(struct value v);
/* reflect's Type and Kind as text: "map[string]interface {}", "map". */
const char *value_type_name(struct value v);
const char *value_kind_name(struct value v);
/* reflect.DeepEqual; the nodes it looked at are added to *work. */
bool value_equal(struct arena *a, struct value x, struct value y, size_t *work);

/* ---- changing and copying ---- */
/* Sets or adds key (copied into a). */
void value_set(struct arena *a, struct value map, struct str key,
               struct value v);
void value_unset(struct arena *a, struct value map, struct str key);
struct value value_deep_copy(struct arena *a, struct value v);
/* mergo's Merge of dst and src in place of dst; override: src wins. */
void value_merge(struct arena *a, struct value dst, struct value src,
                 bool override);

/* ---- JSON and YAML; each adds the nodes it met to *work ---- */
/* What encoding/json writes. flags: JSON_PRETTY, JSON_HTML. Fails when v nests
 * deeper than 200 or has more than 1 million nodes. */
bool value_print_json(struct arena *a, struct value v, unsigned flags,
                      struct buf *out, size_t *work, struct error *err);
/* The same as a tree; the caller frees it. */
struct json *value_to_json(struct arena *a, struct value v, size_t *work,
                           struct error *err);
/* A tree of v for yaml_print, as yaml.v3 would write it: floats in Go's %g
 * form; bytes that are not UTF-8 become U+FFFD. Caps as before. */
struct json *value_to_tree(struct arena *a, struct value v, size_t *work,
                           struct error *err);
/* What yaml.v3 makes of a text. Errors: "yaml: line 2: ...". */
bool value_read_yaml(struct arena *a, struct str text, struct value *out,
                     size_t *work, struct error *err);

#endif
