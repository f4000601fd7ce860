/*
 * store.h - every object of the sandbox and every state it had lately: an
 * ordered index and a log of events in memory, the states in an SQLite file.
 *
 * What: objects are JSON bytes under (kind, key). kind is "group/plural"
 * ("/configmaps" for the core group); key is "namespace/name", or "name" for a
 * cluster-scoped object. One rising integer, the revision, counts every write
 * of the whole store; it is the resourceVersion (one writer, so dense: each
 * put and each delete takes exactly the next one).
 * Group commit: a put or delete is visible to readers at once and lasts only
 * when store_commit has answered true; the server commits once per turn and
 * holds every answer until then (server.h). A commit that fails takes all
 * writes since the last one back, revision included: nobody was told.
 * History: the file is the log (journal.h): one row a revision. It serves
 * store_scan and store_get at an older revision, and watches. It is bounded by
 * count, by bytes and by age (log_ms); each commit forgets the oldest beyond
 * that, a slice at a time.
 * After kill -9: what was committed is there with all of its retained history,
 * the revision goes on above every revision ever committed.
 * Memory: keys and revisions of all objects and events; of the states as many
 * as fit cache_bytes (bodies.h), the others are read from the file when asked
 * for. A file that does not give back what was committed ends the program.
 * Caps: 3 MiB an object, 1,000,000 objects, 2 GiB of JSON -> ERR_LIMIT.
 * Lifetimes: what a reader gets lives until the next put, delete, commit or
 * rollback (of a walk: until its next step), or until 8 MiB of other states
 * were read; except blobs, which blob_keep holds longer.
 */
#ifndef DEVENV_SANDBOX_STORE_H
#define DEVENV_SANDBOX_STORE_H

#include "lib/base/clock.h"
#include "lib/base/error.h"

#include "devenv/sandbox/blob.h"

struct store;

#define STORE_OBJECT_MAX ((size_t)3 << 20)

/* All zero means the defaults. */
struct store_options {
    size_t log_events;         /* 200,000 */
    size_t log_bytes;          /* 256 MiB: JSON kept only for the log */
    int64_t log_ms;            /* 10 minutes */
    const struct clock *clock; /* clock_system() */
    size_t cache_bytes;        /* 32 MiB: JSON kept in memory; at least 16 */
    /* Asked of every state that is loaded: what it marks can be found later
     * without reading all the others again. NULL: everything is marked. */
    bool (*mark)(struct str json);
    /* Of tests/tools/lossy.c alone: every n-th commit answers true and writes
     * what updates and deletes found instead of what they left, so that the
     * crash checker can be seen to find it. */
    unsigned lose_every;
};

/* Opens or creates the file (0600), or ":memory:". Errors: ERR_CONFLICT when
 * another server has the file; ERR_UNSUPPORTED when it is not ours or made by
 * a newer meshtop; ERR_PARSE when it is damaged; ERR_DENIED when it cannot be
 * written; ERR_IO. A file that is refused is left as it was. */
struct store *store_open(const char *path, const struct store_options *o,
                         struct error *err);
/* Does not commit what is pending. NULL is fine. */
void store_close(struct store *s);

/* ---- writing ---- */
enum { STORE_ANY = -1, STORE_ABSENT = 0 };
/* The revision that the next put or delete takes, if it succeeds: the caller
 * writes it into metadata.resourceVersion before it calls. */
int64_t store_next_rev(const struct store *s);
/* Puts json (takes a user of its own). expect: STORE_ANY, STORE_ABSENT, or the
 * revision the object must have. Returns the new revision, or 0: ERR_EXISTS,
 * ERR_NOT_FOUND (a revision expected, nothing there), ERR_CONFLICT,
 * ERR_LIMIT. */
int64_t store_put(struct store *s, struct str kind, struct str key,
                  int64_t expect, struct blob *json, struct error *err);
/* Deletes; last is the final state with the revision of the delete, as
 * watchers will see it. expect: STORE_ANY or a revision. Returns the revision
 * or 0: ERR_NOT_FOUND, ERR_CONFLICT. */
int64_t store_delete(struct store *s, struct str kind, struct str key,
                     int64_t expect, struct blob *last, struct error *err);
/* True when there are writes since the last commit. */
bool store_dirty(const struct store *s);
/* Makes the pending writes last (fsync). False: they were taken back; ERR_LIMIT
 * when the disk is full, ERR_IO otherwise (a read-only file too). */
bool store_commit(struct store *s, struct error *err);
/* Takes the pending writes back. */
void store_rollback(struct store *s);

/* ---- reading ---- */
/* The newest revision, pending writes included; a list's resourceVersion. */
int64_t store_rev(const struct store *s);
/* The newest revision that lasts. */
int64_t store_committed(const struct store *s);
/* The oldest revision that store_scan can still show: events above it are all
 * in the log. A watch may start at it or later. */
int64_t store_oldest(const struct store *s);

struct store_item {
    struct str key;      /* NUL-terminated */
    struct str ns, name; /* parts of key; ns is empty at cluster scope */
    struct blob *json;
    int64_t rev; /* of the write that made this version */
    bool marked; /* when the store was opened, or written since */
};

/* The object now (rev 0) or at an older revision (within the log; the caller
 * has compared with store_oldest). False when there is none. */
bool store_get(const struct store *s, struct str kind, struct str key,
               int64_t rev, struct store_item *out);
/* Number of objects of kind now; of every kind when kind.s is NULL. O(1). */
size_t store_count(const struct store *s, struct str kind);
/* The kinds that ever had an object since the start; i from 0; NULL past the
 * end. Lives as long as the store. */
const char *store_kind(const struct store *s, size_t i);

/* Walks the objects of a kind in byte order of their keys. All zero but kind
 * walks everything now. Writes between two store_next calls are allowed: the
 * cursor finds its place by key. */
struct store_cursor {
    const struct store *store;
    struct str kind; /* the caller's, as is ns */
    struct str ns;   /* only this namespace; empty: all */
    int64_t rev;     /* 0: now */
    struct buf at;   /* the key to start from, or the last one shown */
    bool shown;
    const void *node; /* of that key while nothing moved since */
    uint64_t shape;
    struct blob *held; /* the state shown last */
};
/* Starts a walk at the first key >= from (empty: the beginning). c need not be
 * initialised; release it with store_cursor_release. */
void store_scan(const struct store *s, struct str kind, struct str ns,
                struct str from, int64_t rev, struct store_cursor *c);
bool store_next(struct store_cursor *c, struct store_item *out);
/* The same without reading the state: out->json is NULL. */
bool store_next_key(struct store_cursor *c, struct store_item *out);
/* The state of the item that store_next_key showed last. */
struct blob *store_item_json(struct store_cursor *c,
                             const struct store_item *it);
/* How many items are left; c is at its end afterwards. */
size_t store_left(struct store_cursor *c);
void store_cursor_release(struct store_cursor *c);

/* ---- the log ---- */
enum store_op { STORE_ADDED, STORE_MODIFIED, STORE_DELETED };
struct store_event {
    int64_t rev;
    enum store_op op;
    const char *kind; /* one pointer per kind: comparable by == */
    struct str key, ns, name;
    struct blob *json; /* the state after; of a delete: the final state */
    struct blob *prev; /* the state before, NULL for STORE_ADDED */
    int64_t prev_rev;  /* that made the state before; 0: there was none */
};
/* The event with revision rev; false when rev <= store_oldest or above
 * store_rev. */
bool store_event(const struct store *s, int64_t rev, struct store_event *out);
/* The same without reading states: json and prev are NULL. */
bool store_event_head(const struct store *s, int64_t rev,
                      struct store_event *out);
/* The state that the write with revision rev left (of a delete: the last one).
 * rev is of an event in the log, or prev_rev of one. */
struct blob *store_state(const struct store *s, int64_t rev);
/* The pointer that store_event.kind has for kind (made when new). */
const char *store_intern(struct store *s, struct str kind);

struct store_stats {
    size_t objects, object_bytes, log_events, log_bytes, cache_bytes;
    int64_t file_bytes; /* database and its WAL; 0 for :memory: */
    uint64_t commits;
};
void store_stats(const struct store *s, struct store_stats *out);
/* The small texts kept with the objects ("port"); NULL when absent. Lives
 * until the next store_set_note of that name. */
const char *store_note(const struct store *s, const char *name);
/* Lasts when it answers true. */
bool store_set_note(struct store *s, const char *name, const char *value,
                    struct error *err);
/* The same with the next commit, as a write: lasts when that does. */
void store_keep_note(struct store *s, const char *name, const char *value);

#endif
