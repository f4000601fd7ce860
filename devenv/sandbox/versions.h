/*
 * versions.h - which versions of which objects there are; not what they say.
 *
 * What: per kind an ordered index of objects, and one log of all changes.
 * Because each change takes exactly the next revision, the log is an array
 * indexed by revision, and an object's history is a chain through it: its
 * current revision names the event that made it, which names the one before.
 * The JSON of a version is found by its revision (bodies.h, journal.h).
 * Invariants: a deleted object stays in the index as a tombstone (gone) until
 * the log forgets its deletion; events above `committed` are never forgotten,
 * so that they can be taken back.
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
    int64_t rev;
    uint32_t size; /* bytes of its JSON, of the last state when gone */
    bool gone;     /* deleted at rev */
    bool marked;   /* a state of it was, when it was loaded (store.h) */
};

struct versions_change {
    struct versions_object *object;
    int64_t prev_rev; /* 0: nothing was there before, not even a tombstone */
    int64_t at_ms;    /* monotonic */
    uint32_t prev_size, last_size; /* of the JSON that only the log keeps */
    enum store_op op;
};

struct versions {
    struct map kinds; /* name -> struct versions_kind */
    struct versions_change *log;
    size_t log_first, log_n, log_cap; /* a ring; cap is a power of two */
    size_t log_bytes, live, live_bytes;
    size_t base; /* objects there were at the revision the log begins with */
    int64_t rev, committed; /* the log holds (rev - log_n, rev] */
    uint64_t shape;         /* counts changes of the indexes' nodes */
};

void versions_init(struct versions *v);
void versions_release(struct versions *v);
/* An object that is older than the log, read from the file. False: it is
 * there already. */
bool versions_load(struct versions *v, struct str kind, struct str key,
                   int64_t rev, uint32_t size);
struct versions_kind *versions_kind(struct versions *v, struct str name);
/* The object, tombstones included, or NULL. */
struct versions_object *versions_find(const struct versions *v, struct str kind,
                                      struct str key);
/* Makes the next revision: a put of size bytes, or with gone a delete whose
 * last state has that size. */
void versions_change(struct versions *v, struct versions_kind *kind,
                     struct str key, bool gone, uint32_t size, int64_t now_ms);
/* The change with revision rev, or NULL when the log does not have it. */
struct versions_change *versions_at(const struct versions *v, int64_t rev);
/* Takes every change above committed back. */
void versions_undo(struct versions *v);
/* How many of the oldest changes are to be forgotten: those above max_n, above
 * max_bytes or older than before_ms; at_most at once, none above last. */
size_t versions_surplus(const struct versions *v, int64_t last, size_t max_n,
                        size_t max_bytes, int64_t before_ms, size_t at_most);
/* The number of objects once the n oldest changes are forgotten. */
size_t versions_base(const struct versions *v, size_t n);
/* Forgets the n oldest changes. */
void versions_forget(struct versions *v, size_t n);
/* The revision that made o's state at revision rev (0: now); 0: there was
 * none. */
int64_t versions_state(const struct versions *v,
                       const struct versions_object *o, int64_t rev);
/* namespace and name of a key */
void versions_split(struct str key, struct str *ns, struct str *name);

#endif
