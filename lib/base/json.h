/*
 * json.h - JSON as a tree, and JSON text item by item.
 *
 * What: our scanner reads text (RFC 8259) with caps, positions and a say on
 * duplicate keys; it builds cJSON nodes, which only json.c may know. There is
 * no other tree type in the program. Numbers keep their source text, so that
 * int64 and double both survive; the accessors read them.
 * Invariants: keys and strings are valid UTF-8 without NUL; a node has at most
 * one parent; objects keep the order of insertion.
 * Lifetimes: the root owns all below it; json_set and json_append take over
 * the child; json_free frees a root (or a detached node). Text handed out
 * lives as long as its node.
 */
#ifndef LIB_BASE_JSON_H
#define LIB_BASE_JSON_H

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/json_place.h"

struct json;

enum json_type {
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

/* All zero means the defaults: 64 MiB, depth 200, 4 million nodes; the last of
 * equal keys wins and duplicates are not reported. */
struct json_options {
    size_t max_bytes;
    unsigned max_depth;
    size_t max_nodes;
    /* Paths of duplicate keys ("spec.color", "a.b[0].c") are added here. */
    struct strlist *duplicates;
    struct json_places *places; /* where each value stands is added here */
};

/* Parses one value with nothing but white space around it. Errors name line
 * and column (from 1). */
struct json *json_parse(struct str text, const struct json_options *o,
                        struct error *err);
void json_free(struct json *j);
/* For AUTO(json_free_ptr) struct json *j. */
void json_free_ptr(struct json **j);
struct json *json_copy(const struct json *j);

/* ---- reading; every accessor accepts NULL and answers "absent" ---- */
enum json_type json_type_of(const struct json *j);       /* NULL: JSON_NULL */
bool json_is(const struct json *j, enum json_type type); /* NULL: false */
/* An integer in form: no fraction, no exponent. */
bool json_is_integer(const struct json *j);
/* Member of an object; NULL when absent or j is no object. */
struct json *json_get(const struct json *j, const char *key);
struct json *json_get_str(const struct json *j, struct str key);
/* Members one below the other: json_at(j, "metadata", "name", NULL). */
struct json *json_at(const struct json *j, ...) __attribute__((sentinel));
/* Element i of an array, or NULL. Linear in i: iterate instead. */
struct json *json_item(const struct json *j, size_t i);
/* Members of an object, elements of an array, else 0. */
size_t json_len(const struct json *j);
/* for (struct json *c = json_first(j); c; c = json_next(c)) */
struct json *json_first(const struct json *j);
struct json *json_next(const struct json *child);
/* The key of a member, NULL for an element or a root. */
const char *json_key(const struct json *member);
/* The text of a string, NULL for anything else. */
const char *json_string(const struct json *j);
/* The text of a string, or fallback. */
const char *json_string_or(const struct json *j, const char *fallback);
/* json_string(json_get(j, key)). */
const char *json_get_string(const struct json *j, const char *key);
/* The same, "" instead of NULL: for what is compared or printed. */
const char *json_get_text(const struct json *j, const char *key);
/* json_get_text(json_get(j, outer), key): a name in metadata, say. */
const char *json_at_text(const struct json *j, const char *outer,
                         const char *key);
bool json_bool(const struct json *j, bool fallback);
/* Exact integers only ("3", and "3.0" or "3e0" too); false otherwise. */
bool json_int64(const struct json *j, int64_t *out);
int64_t json_int64_or(const struct json *j, int64_t fallback);
bool json_double(const struct json *j, double *out);
/* The source text of a number, NULL for anything else. */
const char *json_number_text(const struct json *j);
/* Deep equality: members in any order, numbers by value. */
bool json_equal(const struct json *a, const struct json *b);

/* ---- building ---- */
struct json *json_new_null(void);
struct json *json_new_bool(bool v);
struct json *json_new_int(int64_t v);
/* Shortest text that reads back the same, integers without ".0"; NaN and
 * infinities become null. */
struct json *json_new_double(double v);
/* The text must be a JSON number. */
struct json *json_new_number(struct str text);
struct json *json_new_string(const char *z);
struct json *json_new_str(struct str s);
struct json *json_new_array(void);
struct json *json_new_object(void);
/* Sets obj[key]: replaces in place (order kept) or appends. Takes child;
 * returns it. */
struct json *json_set(struct json *obj, const char *key, struct json *child);
void json_set_string(struct json *obj, const char *key, const char *z);
void json_set_int(struct json *obj, const char *key, int64_t v);
void json_set_bool(struct json *obj, const char *key, bool v);
/* obj[key] when it is an object, else a new object put there. */
struct json *json_need_object(struct json *obj, const char *key);
struct json *json_need_array(struct json *obj, const char *key);
/* Appends to an array; takes child and returns it. */
struct json *json_append(struct json *array, struct json *child);
/* Inserts before element i (i == length: appends). Takes child. */
struct json *json_insert(struct json *array, size_t i, struct json *child);
/* Removes and frees; absent is fine. */
void json_del(struct json *obj, const char *key);
void json_del_item(struct json *array, size_t i);
/* Takes node out of its parent container; the caller owns it now. */
struct json *json_detach(struct json *container, struct json *node);
/* Moves a member with its key to the end of another object, which has no
 * member of that key. */
void json_move(struct json *from, struct json *member, struct json *to);
/* Puts fresh in the place of old (which is freed). Takes fresh. */
void json_replace(struct json *container, struct json *old, struct json *fresh);
/* Sorts the members of an object and of every object below by key. */
void json_sort(struct json *j);

/* ---- printing ---- */
enum {
    JSON_COMPACT = 0,
    JSON_PRETTY = 1, /* two spaces, as kubectl prints */
    JSON_SORTED = 2, /* members in byte order of keys */
    JSON_HTML = 4    /* < > & as \u003c..., as Go's encoding/json */
};
/* Appends to out; false when out is full. */
bool json_print(const struct json *j, unsigned flags, struct buf *out);
/* Appends v as Go's %v and strconv's 'g' print a float64 ("1e+06", "0.5"); with
 * single as they print a float32. v must be finite. */
bool json_print_float(double v, bool single, struct buf *out);
/* In fresh memory. */
char *json_text(const struct json *j, unsigned flags);

/* ---- a list's items one by one, without a tree of the list ---- */
/* Called with the text of each element; false stops the walk (and is not an
 * error). */
typedef bool json_item_fn(void *arg, struct str item);
/* Walks the object in text: elements of the array member `key` go to fn, all
 * other members come back as a tree in *rest (may be NULL). */
bool json_each_item(struct str text, const char *key, json_item_fn *fn,
                    void *arg, struct json **rest, struct error *err);

#endif
