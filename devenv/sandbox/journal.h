/*
 * journal.h - the store's file: every write of every object, in order.
 *
 * What: an SQLite database whose table `log` has one row for each revision:
 * the state after a put, or the last state of what a delete took. The newest
 * row of a key is the object; the older ones are its history. Rows are added
 * at the end and never changed; what no reader can ask for any more is
 * deleted from behind (journal_forget).
 * Invariants: with the mark (rev, compacted, base) of the last commit, all
 * rows of (compacted, rev] are there, and of those up to compacted exactly
 * the `base` that were objects at compacted, one a key. Every row carries a
 * sum over all its bytes. So a file whose bytes were changed is found out when
 * it is read: either it says what it said, or it is refused.
 * A file that is refused is left as it was, byte for byte.
 * Files of version 1 (one row an object, no history) are taken over in one
 * transaction.
 * The lock is SQLite's own (locking_mode=EXCLUSIVE, dropped by the kernel with
 * the process); with it the WAL needs no shared memory file.
 */
#ifndef DEVENV_SANDBOX_JOURNAL_H
#define DEVENV_SANDBOX_JOURNAL_H

#include "lib/base/error.h"

#include "devenv/sandbox/blob.h"

#define JOURNAL_KEY_MAX 512

struct journal;
struct journal_row {
    int64_t rev;
    bool gone;     /* a delete; json is the last state */
    int64_t at_ms; /* wall clock */
    struct str kind, key, json;
};
struct journal_mark {
    int64_t rev, compacted;
    size_t base;
};

/* Opens or creates (0600) the file and takes its lock; ":memory:" has none.
 * Errors as store_open's. */
struct journal *journal_open(const char *path, struct error *err);
/* What is not committed is lost. NULL is fine. */
void journal_close(struct journal *j);
/* What the last commit said of the rows. ERR_PARSE. */
bool journal_mark(struct journal *j, struct journal_mark *out,
                  struct error *err);
/* Reads all rows in order; fn false (err set) ends it. Rows live during the
 * call of fn. Once, and before anything is written. ERR_PARSE: damaged;
 * ERR_IO. */
typedef bool journal_row_fn(void *arg, const struct journal_row *r,
                            struct error *err);
bool journal_load(struct journal *j, const struct journal_mark *m,
                  journal_row_fn *fn, void *arg, struct error *err);
/* For fn: the row makes no sense where it is. Returns false. */
bool journal_damaged(const struct journal *j, int64_t rev, struct error *err);

/* The json of a row that was committed and not forgotten, with one user; NULL:
 * the disk does not give it back, err says why. */
struct blob *journal_read(struct journal *j, int64_t rev, struct error *err);

/* One transaction: begin, any of append and forget, then commit (fsync). Where
 * one answers false the caller calls journal_abort and nothing has happened.
 * ERR_LIMIT: the disk is full; ERR_DENIED; ERR_IO. */
bool journal_begin(struct journal *j, struct error *err);
bool journal_append(struct journal *j, const struct journal_row *r,
                    struct error *err);
bool journal_forget(struct journal *j, int64_t rev, struct error *err);
bool journal_commit(struct journal *j, const struct journal_mark *m,
                    struct error *err);
void journal_abort(struct journal *j);

/* The small texts kept beside the log; NULL when absent. Lives until the next
 * journal_set_note of that name. */
const char *journal_note(const struct journal *j, const char *name);
bool journal_set_note(struct journal *j, const char *name, const char *value,
                      struct error *err);

#endif
