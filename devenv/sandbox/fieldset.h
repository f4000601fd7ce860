/*
 * fieldset.h - sets of field paths in Kubernetes' FieldsV1 form.
 *
 * What: {"f:spec":{".":{},"f:color":{}}} is a set of paths; a node without
 * children, or with ".", is a member. The form that is stored is also the one
 * that is calculated with (structured-merge-diff fieldpath/set.go).
 * Invariant: below the root every node is a member or has one below it.
 * Path elements: f:NAME, k:{"key":"value"} of a list map, v:VALUE of a set,
 * i:INDEX.
 */
#ifndef DEVENV_SANDBOX_FIELDSET_H
#define DEVENV_SANDBOX_FIELDSET_H

#include "lib/base/json.h"

/* NULL counts as empty, here and below. */
bool fieldset_empty(const struct json *s);
/* The node itself is a path of the set. */
bool fieldset_is_member(const struct json *node);
/* Makes node a member, whether or not it has children. */
void fieldset_mark(struct json *node);
/* into gets the paths of other. */
void fieldset_union(struct json *into, const struct json *other);
/* from loses exactly the paths of other (not those below them). */
void fieldset_subtract(struct json *from, const struct json *other);
/* Paths in both; a new tree, {} when none. */
struct json *fieldset_intersect(const struct json *a, const struct json *b);
/* Calls fn with each path as structured-merge-diff prints it:
 * `.spec.ports[name="a"].port`. Members of a level come before what is below.
 */
typedef void fieldset_path_fn(void *arg, const char *path);
void fieldset_each(const struct json *s, fieldset_path_fn *fn, void *arg);
/* Appends one element as it stands in such a path: `.name`, `[name="a"]`. */
void fieldset_print_element(const char *element, struct buf *out);

#endif
