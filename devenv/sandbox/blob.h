/*
 * blob.h - immutable bytes with a count of their users.
 *
 * What: the JSON text of one version of one object, or one formatted watch
 * event. Why: the index, the event log, lists under way and every watcher
 * hold the same bytes; nothing is copied.
 * Invariants: the bytes never change; data[n] is NUL. aux is a place where the
 * owner of a projection (labels, owners) may keep it beside the bytes it was
 * made from; it is freed with them.
 * Lifetime: from blob_new (one user) until the last blob_drop.
 */
#ifndef DEVENV_SANDBOX_BLOB_H
#define DEVENV_SANDBOX_BLOB_H

#include "lib/base/buf.h"

struct blob {
    size_t users, n;
    void *aux;
    void (*aux_free)(void *aux);
    char data[];
};

/* A copy of s, with one user. */
struct blob *blob_new(struct str s);
/* n bytes that the caller fills before anybody else sees them. */
struct blob *blob_room(size_t n);
/* One user more; returns b. */
struct blob *blob_keep(struct blob *b);
/* One user less. NULL is fine. */
void blob_drop(struct blob *b);
struct str blob_view(const struct blob *b);
/* Keeps aux (freed by aux_free, may be NULL) with b; an earlier one is freed.
 */
void blob_set_aux(struct blob *b, void *aux, void (*aux_free)(void *));

#endif
