/*
 * fields.h - which fields of an object differ, which a configuration names,
 * and how a configuration is merged: the typed half of server-side apply.
 *
 * What: walks an object beside its schema, so that granular maps and lists
 * with keys are looked into, and atomic ones are one field. What no schema
 * describes is deduced: maps granular, lists atomic. The rules are those of
 * structured-merge-diff (typed/compare.go, tofieldset.go, merge.go,
 * remove.go). Field sets are in the form of fieldset.h.
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
/* Adds the leaves of config to set. False: config does not fit the schema;
 * why gets ".spec.bogus: field not declared in schema" (several: "errors:" and
 * a line each). */
bool fields_of(const struct fields_types *t, const struct json *config,
               struct json *set, struct buf *why);
/* Merges config into object. */
void fields_merge(const struct fields_types *t, struct json *object,
                  const struct json *config);
/* Removes from object the fields of last that nobody in owned has. */
void fields_prune(const struct fields_types *t, struct json *object,
                  const struct json *last, const struct json *owned);

#endif
