/*
 * fields_place.h - one place of an object beside its schema, for the fields_*.c
 * files alone.
 *
 * What: which forms a value may have here (a schema without type allows all
 * three), which of them a value has, the place of a member or an item, and the
 * path element of an item. The rules are those by which the API server turns an
 * OpenAPI schema into structured-merge-diff's (kube-openapi schemaconv).
 * Lifetimes: places are values; they point into the schemas.
 */
#ifndef DEVENV_SANDBOX_FIELDS_PLACE_H
#define DEVENV_SANDBOX_FIELDS_PLACE_H

#include "devenv/sandbox/fields.h"

struct place {
    const struct fields_types *t;
    const struct schema *s; /* NULL: deduced from the value */
    bool root;
    bool open; /* fields that the schema does not name are kept here */
};

/* A set of these; the forms of a value are tried in this order. */
enum form { FORM_MAP = 1, FORM_SCALAR = 2, FORM_LIST = 4 };

struct place place_root(const struct fields_types *t);
/* The forms that v may be looked at in: one when it fits the place, all that
 * the place allows otherwise (null, absent, a wrong type). */
unsigned place_forms(const struct place *p, const struct json *v);
enum form place_first(unsigned forms);
bool place_map_atomic(const struct place *p);
enum schema_list place_list(const struct place *p);
/* False: the schema does not know such a member. named: it is a property. */
bool place_member(const struct place *p, const char *key, struct place *out,
                  bool *named);
struct place place_item(const struct place *p);
/* The path element of item in a list of type set or map: `v:"x"`,
 * `k:{"name":"a"}`. False: it has none; why (may be NULL) says so in
 * structured-merge-diff's words. out is overwritten. */
bool place_element(const struct place *list, const struct json *item,
                   struct buf *out, struct buf *why);

#endif
