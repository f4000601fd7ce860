/*
 * store_sample.h - a small file of the store and all that it says, so that a
 * copy of it can be damaged and held to: either it is refused and left byte for
 * byte as it was, or it says what it said.
 *
 * The one exception is a crash's own trace: of a write-ahead log whose last
 * transaction does not add up, that transaction is dropped, as after a loss of
 * power in the middle of it.
 */
#ifndef TESTS_STORE_SAMPLE_H
#define TESTS_STORE_SAMPLE_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/sandbox/store.h"

#define SAMPLE_MAX  ((size_t)4 << 20)
#define SAMPLE_KIND STR("example.org/widgets")

struct sample {
    char *folder, *path, *wal;
    struct buf db, log;     /* the bytes of the file and of its WAL */
    struct strlist states;  /* by revision - oldest */
    int64_t oldest, newest; /* revisions */
    int64_t before_last;    /* without the last transaction */
};

/* From now on no file of this process grows past bytes, as on a full disk; the
 * caller ignores SIGXFSZ. */
static inline void
sample_room(rlim_t bytes)
{
    struct rlimit r;

    getrlimit(RLIMIT_FSIZE, &r);
    r.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &r);
}

/* "key=json@rev ..." at a revision */
static inline char *
sample_state(const struct store *s, int64_t rev)
{
    struct buf b = BUF_INIT(SAMPLE_MAX);
    struct store_cursor c;
    struct store_item it;

    store_scan(s, SAMPLE_KIND, STR(""), STR(""), rev, &c);
    while (store_next(&c, &it))
        buf_printf(&b, "%s=%s@%lld ", it.key.s, it.json->data,
                   (long long)it.rev);
    store_cursor_release(&c);
    buf_cstr(&b);
    return b.s ? buf_take(&b) : mem_strdup("");
}

static inline void
sample_put(struct store *s, int key, int value)
{
    char name[16], text[64];
    struct blob *b;

    snprintf(name, sizeof(name), "ns/k%d", key);
    snprintf(text, sizeof(text), "{\"value\":%d,\"pad\":\"%*s\"}", value,
             value % 30, "");
    b = blob_new(str_of(text));
    if (value % 7 == 6)
        store_delete(s, SAMPLE_KIND, str_of(name), STORE_ANY, b, NULL);
    else
        store_put(s, SAMPLE_KIND, str_of(name), STORE_ANY, b, NULL);
    blob_drop(b);
}

static inline void
sample_read(const char *path, struct buf *b)
{
    buf_reset(b);
    file_read(path, b, NULL);
}

/* Half of it in the file, half in the WAL, with history forgotten in both. */
static inline void
sample_make(struct sample *m)
{
    struct store_options o = {.log_events = 60};
    struct store *s;

    /* in memory where that is possible: thousands of files come and go */
    *m = (struct sample){.folder = mem_strdup(access("/dev/shm", W_OK) == 0
                                                  ? "/dev/shm/sample.XXXXXX"
                                                  : "/tmp/sample.XXXXXX"),
                         .db = BUF_INIT(SAMPLE_MAX),
                         .log = BUF_INIT(SAMPLE_MAX)};
    if (!mkdtemp(m->folder))
        die("no folder");
    m->path = file_join(m->folder, "s.db");
    m->wal = file_join(m->folder, "s.db-wal");
    s = store_open(m->path, &o, NULL);
    for (int i = 0; i < 200; i++) {
        sample_put(s, i * 7 % 23, i);
        if (i % 9 == 0)
            store_commit(s, NULL);
        if (i == 120) {
            store_commit(s, NULL);
            store_close(s); /* folds the WAL into the file */
            s = store_open(m->path, &o, NULL);
        }
    }
    store_rollback(s);
    m->before_last = store_rev(s);
    sample_put(s, 1, 1000);
    sample_put(s, 2, 1001);
    store_commit(s, NULL);
    m->oldest = store_oldest(s);
    m->newest = store_rev(s);
    for (int64_t r = m->oldest; r <= m->newest; r++) {
        AUTO(mem_free_ptr) char *text = sample_state(s, r);

        strlist_add(&m->states, str_of(text));
    }
    /* as kill -9 leaves them */
    sample_read(m->path, &m->db);
    sample_read(m->wal, &m->log);
    store_close(s);
    unlink(m->path);
    unlink(m->wal);
}

static inline void
sample_release(struct sample *m)
{
    file_remove_tree(m->folder, NULL);
    strlist_release(&m->states);
    buf_release(&m->db);
    buf_release(&m->log);
    free(m->folder);
    free(m->path);
    free(m->wal);
}

static inline bool
sample_untouched(const char *path, struct str was)
{
    struct buf now = BUF_INIT(SAMPLE_MAX);
    bool same;

    sample_read(path, &now);
    same = str_eq(buf_view(&now), was);
    buf_release(&now);
    return same;
}

/* What an opened file says that the sample did not; NULL: nothing. least: the
 * oldest revision it may end with. */
static inline const char *
sample_compare(const struct sample *m, const struct store *s, int64_t least)
{
    int64_t newest = store_rev(s);

    if (newest > m->newest || newest < least)
        return "another revision";
    if (newest == m->newest && store_oldest(s) != m->oldest)
        return "another history";
    for (int64_t r = MAX(store_oldest(s), m->oldest); r <= newest; r++) {
        AUTO(mem_free_ptr) char *text = sample_state(s, r);

        if (strcmp(text, m->states.v[r - m->oldest]) != 0)
            return "another state";
    }
    return NULL;
}

/* Writes db and wal, opens them, and says what is wrong with the outcome; NULL:
 * nothing. least as above; *refused tells which it was. */
static inline const char *
sample_try(const struct sample *m, struct str db, struct str wal, int64_t least,
           struct error *refused)
{
    const char *wrong = NULL;
    struct store *s;

    *refused = (struct error){0};
    if (!file_write(m->path, db, 0600, NULL) ||
        (wal.n && !file_write(m->wal, wal, 0600, NULL)))
        die("cannot write the sample");
    s = store_open(m->path, NULL, refused);
    if (s)
        wrong = sample_compare(m, s, least);
    else if (!refused->code || !*refused->msg)
        wrong = "refused without a word";
    else if (!sample_untouched(m->path, db) || !sample_untouched(m->wal, wal))
        wrong = "refused, and changed";
    store_close(s);
    unlink(m->path);
    unlink(m->wal);
    return wrong;
}

#endif
