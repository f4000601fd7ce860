/*
 * fields.h - which fields of an object differ, which a configuration names,
 * and how a configuration is merged: the typed half of server-side apply.
 *
 * What: walks an object beside its schema, so that granular maps and lists
 * with keys are looked into, and atomic ones are one field. What no schema
 * describes is deduced: maps granular, lists atomic. The rules are those of
 * structured-merge-diff (typed/compare.go, tofieldset.go, validate.go,
 * merge.go, remove.go, reconcile_schema.go; merge/update.go for pruning).
 * Field sets are in the form of fieldset.h.
 */
#ifndef DEVENV_SANDBOX_FIELDS_H
#define DEVENV_SANDBOX_FIELDS_H

#include "lib/base/json.h"

#include "lib/schema/schema.h"

struct fields_types {
    const struct schema *root; /* of the object; NULL: all deduced */
    const struct schema *meta; /* of its metadata */
};

/* Adds to changed the fields of now that are new or have another value than in
 * old, to removed those that only old has. Either object may be NULL. */
void fields_compare(const struct fields_types *t, const struct json *old,
                    const struct json *now, struct json *changed,
                    struct json *removed);
/* Whether config fits the schema; if not, why gets ".spec.bogus: field not
 * declared in schema" (several: "errors:" and a line each). */
bool fields_fit(const struct fields_types *t, const struct json *config,
                struct buf *why);
/* Adds the leaves of object to set. */
void fields_of(const struct fields_types *t, const struct json *object,
               struct json *set);
/* Merges config into *object; both fit the schema. */
void fields_merge(const struct fields_types *t, struct json **object,
                  const struct json *config);
/* What a list or map that became atomic had below it belongs to it now. False:
 * set is as it was. */
bool fields_reconcile(const struct fields_types *t, struct json *set);

/* What one version's managers own together. */
struct fields_owned {
    const struct fields_types *t;
    struct json *set;
};
/* Removes from *object (of types t) the fields of last that are in none of the
 * n owned sets; owned[0] is that of t itself. */
void fields_prune(const struct fields_types *t, struct json **object,
                  const struct json *last, const struct fields_owned *owned,
                  size_t n);

#endif
