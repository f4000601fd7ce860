/*
 * types_json.h - objects of built-in kinds as Go's types would read and write
 * them.
 *
 * What: the real server decodes a body into a Go struct and prints that. What
 * it does not know is dropped (and reported), what does not fit is an error in
 * encoding/json's words, what is empty is left out or written out by the tags
 * of the field, members come in the order of the struct. Quantities come back
 * in their canonical form. Defaults are the second step: what a field's
 * fallback says (those that depend on other fields are the kind's own code).
 * Caps: those of the JSON tree (depth); types refer to each other, so the walk
 * is as deep as the object.
 */
#ifndef DEVENV_SANDBOX_TYPES_JSON_H
#define DEVENV_SANDBOX_TYPES_JSON_H

#include "lib/base/json.h"

#include "devenv/sandbox/types.h"

/* Changes obj in place. Paths of unknown fields ("spec.ports[0].bogus", in the
 * order they stand in) go to unknown (may be NULL). False: why gets Go's text
 * ("json: cannot unmarshal string into Go struct field ..."). */
bool types_decode(struct types *t, const struct types_struct *s,
                  struct json *obj, struct strlist *unknown, struct buf *why);
/* Fills in fallbacks, and what is written even when it is empty; brings the
 * members into order. obj has been decoded. */
void types_complete(const struct types_struct *s, struct json *obj);
/* What an object is before anything is set; a fresh tree. */
struct json *types_empty(const struct types_struct *s);

#endif
