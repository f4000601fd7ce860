/*
 * bodies.h - the states that memory keeps beside the file: newest use first.
 *
 * What: revision -> the JSON that its write left, bounded by bytes; what was
 * not used for longest goes first. Why: every committed state is in the file
 * (journal.h), so memory holds only what is asked for, live objects and
 * history alike, and no byte twice.
 * Lifetime: bodies_new ... bodies_free; a blob that a caller keeps outlives
 * its place here.
 */
#ifndef DEVENV_SANDBOX_BODIES_H
#define DEVENV_SANDBOX_BODIES_H

#include "devenv/sandbox/blob.h"

struct bodies;

struct bodies *bodies_new(size_t max_bytes);
void bodies_free(struct bodies *b);
/* The state of rev, or NULL. use: counts as a use. */
struct blob *bodies_get(struct bodies *b, int64_t rev, bool use);
/* Keeps json (a user more) as the state of rev, which is not here yet; others
 * go when it gets too much. */
void bodies_put(struct bodies *b, int64_t rev, struct blob *json);
void bodies_drop(struct bodies *b, int64_t rev);
size_t bodies_bytes(const struct bodies *b);

#endif
