/*
 * versions.h - the objects in memory, with every version the log still knows.
 *
 * What: per kind an ordered index of objects, and one log of all changes.
 * Because each change takes exactly the next revision, the log is an array
 * indexed by revision, and an object's history is a chain through it: its
 * current revision names the event that made it, which names the state before.
 * Invariants: a deleted object stays in the index as a tombstone (json NULL)
 * until the log forgets its deletion; events above `committed` are never
 * forgotten, so that they can be taken back.
 * Lifetime: versions_init ... versions_release. Used by store.c alone.
 */
#ifndef DEVENV_SANDBOX_VERSIONS_H
#define DEVENV_SANDBOX_VERSIONS_H

#include "lib/base/map.h"

#include "devenv/sandbox/index.h"
#include "devenv/sandbox/store.h"

struct versions_kind {
    char *name;
    struct index index; /* values are struct versions_object */
    size_t live;
};

struct versions_object {
    struct versions_kind *kind;
    struct index_node *node;
    int64_t row; /* its id in the file, never used again */
    int64_t rev;
    struct blob *json; /* NULL: deleted at rev */
};

struct versions_change {
    struct versions_object *object;
    enum store_op op;
    struct blob *json, *prev;
    int64_t prev_rev; /* 0: nothing was there before, not even a tombstone */
    int64_t at_ms;
};

struct versions {
    struct map kinds; /* name -> struct versions_kind */
    struct versions_change *log;
    size_t log_first, log_n, log_cap; /* a ring; cap is a power of two */
    size_t log_bytes, live, live_bytes;
    int64_t rev, committed; /* the log holds (rev - log_n, rev] */
    int64_t next_row;
    uint64_t shape; /* counts changes of the indexes' nodes */
};

void versions_init(struct versions *v);
void versions_release(struct versions *v);
/* An object read from the file. False: it is there already. */
bool versions_load(struct versions *v, struct str kind, struct str key,
                   int64_t row, int64_t rev, struct blob *json);
struct versions_kind *versions_kind(struct versions *v, struct str name);
/* The object, tombstones included, or NULL. */
struct versions_object *versions_find(const struct versions *v, struct str kind,
                                      struct str key);
/* Makes the next revision: json (kept) is the new state, or the last one when
 * op is STORE_DELETED. */
void versions_change(struct versions *v, struct versions_kind *kind,
                     struct str key, enum store_op op, struct blob *json,
                     int64_t now_ms);
/* The change with revision rev, or NULL when the log does not have it. */
struct versions_change *versions_at(const struct versions *v, int64_t rev);
/* Takes every change above committed back. */
void versions_undo(struct versions *v);
/* Forgets the oldest committed changes while there are more than max_n, more
 * than max_bytes, or older ones than before_ms. */
void versions_trim(struct versions *v, size_t max_n, size_t max_bytes,
                   int64_t before_ms);
/* The state of o at revision rev (0: now). False: it was not there. */
bool versions_state(const struct versions *v, const struct versions_object *o,
                    int64_t rev, struct store_item *out);
/* namespace and name of a key */
void versions_split(struct str key, struct str *ns, struct str *name);

#endif
