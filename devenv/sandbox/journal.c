#include "devenv/sandbox/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"

#include "devenv/sandbox/wal.h"

/*
 * A file is looked at in three steps before a byte of it may change: its
 * header without SQLite (which would roll back somebody else's transaction),
 * its WAL (wal.h), then all it says (journal_load). Until then closing does
 * not fold the WAL into the file either.
 */

#define FILE_VERSION     2
#define FILE_VERSION_S   "2"
#define APPLICATION_ID   0x6d746f70 /* "mtop" */
#define APPLICATION_ID_S "1836347248"
/* Offsets in https://www.sqlite.org/fileformat2.html#the_database_header */
enum { HEADER = 100, PAGE_AT = 16, VERSION_AT = 60, APPLICATION_AT = 68 };

enum statement {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_APPEND,
    SQL_FORGET,
    SQL_READ,
    SQL_NOTE,
    SQL_N
};

static const char *const statement_text[SQL_N] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_APPEND] = "INSERT INTO log VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [SQL_FORGET] = "DELETE FROM log WHERE revision = ?1",
    [SQL_READ] = "SELECT revision, gone, at, sum, kind, key, json FROM log"
                 " WHERE revision = ?1",
    [SQL_NOTE] = "INSERT OR REPLACE INTO note VALUES (?1, ?2, ?3)",
};

#define LAYOUT                                                                 \
    "CREATE TABLE log (revision INTEGER PRIMARY KEY, gone INTEGER NOT NULL,"   \
    " at INTEGER NOT NULL, sum INTEGER NOT NULL, kind TEXT NOT NULL,"          \
    " key TEXT NOT NULL, json BLOB NOT NULL);"                                 \
    "CREATE TABLE note (name TEXT PRIMARY KEY, value TEXT NOT NULL,"           \
    " sum INTEGER NOT NULL) WITHOUT ROWID;"                                    \
    "PRAGMA application_id = " APPLICATION_ID_S ";"                            \
    "PRAGMA user_version = " FILE_VERSION_S ";"

struct journal {
    char *path;
    sqlite3 *db;
    sqlite3_stmt *sql[SQL_N];
    struct map notes;
    bool had_wal;
};

/* ---- errors ---- */

bool
journal_damaged(const struct journal *j, int64_t rev, struct error *err)
{
    error_set(err, ERR_PARSE, "%s is damaged: revision %lld makes no sense",
              j->path, (long long)rev);
    error_remedy(err, "MT-SANDBOX-DAMAGED",
                 "It was left as it is. Move it away (with its -wal) or use "
                 "\"meshtop sandbox reset\", and start anew.");
    return false;
}

static bool
damaged(const struct journal *j, const char *how, struct error *err)
{
    journal_damaged(j, 0, err);
    if (err)
        snprintf(err->msg, sizeof(err->msg), "%s is damaged: %s", j->path, how);
    return false;
}

static bool
foreign(const struct journal *j, struct error *err)
{
    error_set(err, ERR_UNSUPPORTED, "%s is no database of meshtop's sandbox",
              j->path);
    error_remedy(err, "MT-SANDBOX-FOREIGN",
                 "It was left as it is. Give --data another file, or move "
                 "this one away.");
    return false;
}

static bool
newer(const struct journal *j, int64_t version, struct error *err)
{
    error_set(err, ERR_UNSUPPORTED,
              "%s was written by a newer meshtop (file version %lld, this "
              "one reads %d)",
              j->path, (long long)version, FILE_VERSION);
    error_remedy(err, "MT-SANDBOX-NEWER",
                 "Use that meshtop, or \"meshtop sandbox reset\".");
    return false;
}

/* Says what SQLite says; a full disk and a lock have words of their own. */
static bool
sql_error(const struct journal *j, int code, const char *what,
          struct error *err)
{
    const char *said =
        j->db ? sqlite3_errmsg(j->db) : sqlite3_errstr(code & 0xff);

    switch (code & 0xff) {
    case SQLITE_FULL:
        return error_set(err, ERR_LIMIT, "%s %s: the disk is full", what,
                         j->path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        error_set(err, ERR_CONFLICT, "%s is in use by another sandbox",
                  j->path);
        error_remedy(err, "MT-SANDBOX-BUSY",
                     "Stop the other one, or give --data another file.");
        return false;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return error_set(err, ERR_DENIED, "%s %s: %s", what, j->path,
                         sqlite3_errstr(code));
    case SQLITE_NOTADB:
        return foreign(j, err);
    case SQLITE_CORRUPT:
        return damaged(j, said, err);
    default:
        return error_set(err, ERR_IO, "%s %s: %s", what, j->path, said);
    }
}

/* ---- statements ---- */

static bool
sql_exec(struct journal *j, const char *text, struct error *err)
{
    int rc = sqlite3_exec(j->db, text, NULL, NULL, NULL);

    return rc == SQLITE_OK || sql_error(j, rc, "cannot set up", err);
}

/* Runs a prepared statement that answers no rows. */
static bool
sql_step(struct journal *j, enum statement which, struct error *err)
{
    int rc = sqlite3_step(j->sql[which]);

    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        sql_error(j, rc, "cannot write", err);
    sqlite3_reset(j->sql[which]);
    return rc == SQLITE_DONE || rc == SQLITE_ROW;
}

static bool
sql_number(struct journal *j, const char *text, int64_t *out, struct error *err)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(j->db, text, -1, &q, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(q);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return rc == SQLITE_ROW || sql_error(j, rc, "cannot read", err);
}

static struct str
column_text(sqlite3_stmt *q, int i)
{
    const void *p = sqlite3_column_blob(q, i);

    return str_n(p ? p : "", (size_t)sqlite3_column_bytes(q, i));
}

/* ---- sums ---- */

/* Each step is a bijection of the 64 bits: one word that differs always
 * shows. */
static uint64_t
mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

static uint64_t
mix_text(uint64_t h, struct str s)
{
    uint64_t word;
    size_t i = 0;

    h = mix(h, s.n);
    for (; i + 8 <= s.n; i += 8) {
        memcpy(&word, s.s + i, 8);
        h = mix(h, word);
    }
    word = 0;
    if (i < s.n)
        memcpy(&word, s.s + i, s.n - i);
    return mix(h, word);
}

static int64_t
row_sum(const struct journal_row *r)
{
    uint64_t h =
        mix(mix(mix(0, (uint64_t)r->rev), r->gone), (uint64_t)r->at_ms);

    return (int64_t)mix_text(mix_text(mix_text(h, r->kind), r->key), r->json);
}

static int64_t
note_sum(struct str name, struct str value)
{
    return (int64_t)mix_text(mix_text(0, name), value);
}

/* ---- opening ---- */

static uint32_t
big(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static int64_t
size_of(const char *path, const char *end)
{
    AUTO(mem_free_ptr) char *full = mem_printf("%s%s", path, end);
    struct stat st;

    return stat(full, &st) == 0 ? (int64_t)st.st_size : -1;
}

/* Until its first fold into the file, the header of a file of version 1 says
 * nothing yet: then it is one page and a WAL. */
static bool
maybe_ours(const struct journal *j, const uint8_t h[HEADER], int64_t size)
{
    uint32_t id = big(h + APPLICATION_AT);
    uint32_t page = (uint32_t)h[PAGE_AT] << 8 | h[PAGE_AT + 1];

    if (memcmp(h, "SQLite format 3", 16) != 0)
        return false;
    return id == APPLICATION_ID ||
           (id == 0 && (size <= (int64_t)page || j->had_wal) &&
            size_of(j->path, "-journal") <= 0);
}

/* Creates the file with its mode before SQLite sees it, and refuses what is
 * certainly not ours. */
static bool
look(struct journal *j, struct error *err)
{
    int fd = open(j->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    uint8_t h[HEADER] = {0};
    struct stat st;
    ssize_t n = -1;

    if (fd < 0)
        return error_errno(err,
                           errno == EACCES || errno == EROFS || errno == EPERM
                               ? ERR_DENIED
                               : ERR_IO,
                           "cannot open %s", j->path);
    if (fstat(fd, &st) == 0)
        n = pread(fd, h, sizeof(h), 0);
    /* Closed before SQLite locks it: closing drops a process's locks. */
    close(fd);
    if (n < 0)
        return error_errno(err, ERR_IO, "cannot read %s", j->path);
    j->had_wal = size_of(j->path, "-wal") > 0;
    if (st.st_size == 0 && !j->had_wal)
        return true;
    if (n < HEADER || !maybe_ours(j, h, st.st_size))
        return foreign(j, err);
    if (big(h + VERSION_AT) > FILE_VERSION)
        return newer(j, big(h + VERSION_AT), err);
    return true;
}

static bool
check_wal(const struct journal *j, struct error *err)
{
    AUTO(mem_free_ptr) char *wal = mem_printf("%s-wal", j->path);

    return wal_sound(wal) || damaged(j, "its write-ahead log was changed", err);
}

static bool
prepare(struct journal *j, struct error *err)
{
    for (int i = 0; i < SQL_N && !j->sql[SQL_N - 1]; i++) {
        int rc = sqlite3_prepare_v3(j->db, statement_text[i], -1,
                                    SQLITE_PREPARE_PERSISTENT, &j->sql[i], 0);

        if (rc != SQLITE_OK)
            return sql_error(j, rc == SQLITE_ERROR ? SQLITE_CORRUPT : rc,
                             "cannot use", err);
    }
    return true;
}

/* A new file gets our layout; any other must be ours, and not newer. */
static bool
check_layout(struct journal *j, int64_t *version, struct error *err)
{
    int64_t tables, id;

    if (!sql_number(j, "SELECT count(*) FROM sqlite_master", &tables, err) ||
        !sql_number(j, "PRAGMA application_id", &id, err) ||
        !sql_number(j, "PRAGMA user_version", version, err))
        return false;
    if (tables == 0 && id == 0 && *version == 0) {
        *version = FILE_VERSION;
        return sql_exec(j, "BEGIN;" LAYOUT, err) && prepare(j, err) &&
               journal_commit(j, &(struct journal_mark){0}, err);
    }
    if (id != APPLICATION_ID)
        return foreign(j, err);
    if (*version > FILE_VERSION)
        return newer(j, *version, err);
    return *version >= 1 || damaged(j, "it has no version", err);
}

/* ---- files of version 1 ---- */

/* A table `object` (id, kind, key, revision, json), and the newest revision as
 * a note. */

static bool
old_note(struct journal *j, sqlite3_stmt *q, struct journal_mark *m,
         struct error *err)
{
    struct str n = column_text(q, 0), v = column_text(q, 1);
    AUTO(mem_free_ptr) char *name = mem_strndup(n.s, n.n);
    AUTO(mem_free_ptr) char *value = mem_strndup(v.s, v.n);

    if (strcmp(name, "revision") != 0)
        return journal_set_note(j, name, value, err);
    return (str_to_i64(str_of(value), &m->rev) && m->rev >= 0) ||
           damaged(j, "it has no revision", err);
}

static bool
old_notes(struct journal *j, struct journal_mark *m, struct error *err)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(j->db, "SELECT name, value FROM old_note", -1,
                                &q, NULL);
    bool good = rc == SQLITE_OK;

    while (good && (rc = sqlite3_step(q)) == SQLITE_ROW)
        good = old_note(j, q, m, err);
    sqlite3_finalize(q);
    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        return good;
    return sql_error(j, rc, "cannot read", err);
}

/* Takes one row over and deletes it, so that its pages are used again. */
static bool
old_object(struct journal *j, sqlite3_stmt *q, sqlite3_stmt *del, int64_t id,
           const struct journal_mark *m, struct error *err)
{
    struct journal_row r = {.at_ms = clock_wall_ms(clock_system())};
    bool good;

    sqlite3_bind_int64(q, 1, id);
    if (sqlite3_step(q) != SQLITE_ROW)
        return damaged(j, "an object is gone", err);
    r.kind = column_text(q, 0);
    r.key = column_text(q, 1);
    r.rev = sqlite3_column_int64(q, 2);
    r.json = column_text(q, 3);
    if (r.rev <= 0 || r.rev > m->rev)
        return journal_damaged(j, r.rev, err);
    good = journal_append(j, &r, err);
    sqlite3_reset(q);
    sqlite3_bind_int64(del, 1, id);
    if (good && sqlite3_step(del) != SQLITE_DONE)
        good = sql_error(j, sqlite3_errcode(j->db), "cannot migrate", err);
    sqlite3_reset(del);
    return good;
}

static bool
old_objects(struct journal *j, struct journal_mark *m, struct error *err)
{
    sqlite3_stmt *ids = NULL, *one = NULL, *del = NULL;
    int64_t *id = NULL;
    size_t cap = 0;
    bool good =
        sqlite3_prepare_v2(j->db, "SELECT id FROM object ORDER BY revision", -1,
                           &ids, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(j->db,
                           "SELECT kind, key, revision, json FROM object"
                           " WHERE id = ?1",
                           -1, &one, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(j->db, "DELETE FROM object WHERE id = ?1", -1, &del,
                           NULL) == SQLITE_OK;
    int rc = SQLITE_DONE;

    while (good && (rc = sqlite3_step(ids)) == SQLITE_ROW) {
        id = mem_grow(id, &cap, m->base + 1, sizeof(*id));
        id[m->base++] = sqlite3_column_int64(ids, 0);
    }
    if (!good || rc != SQLITE_DONE)
        good = sql_error(j, sqlite3_errcode(j->db), "cannot migrate", err);
    for (size_t i = 0; good && i < m->base; i++)
        good = old_object(j, one, del, id[i], m, err);
    sqlite3_finalize(ids);
    sqlite3_finalize(one);
    sqlite3_finalize(del);
    free(id);
    return good;
}

static bool
migrate(struct journal *j, struct error *err)
{
    struct journal_mark m = {0};
    bool good = sql_exec(j,
                         "BEGIN IMMEDIATE;"
                         "ALTER TABLE note RENAME TO old_note;" LAYOUT,
                         err) &&
                prepare(j, err) && old_notes(j, &m, err) &&
                old_objects(j, &m, err) &&
                sql_exec(j, "DROP TABLE object; DROP TABLE old_note;", err);

    m.compacted = m.rev;
    if (good && journal_commit(j, &m, err))
        return true;
    if (!sqlite3_get_autocommit(j->db))
        sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
    return error_wrap(err, "taking over a file of version 1");
}

static void
guard(struct journal *j, bool on)
{
    sqlite3_db_config(j->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, (int)on, NULL);
}

static bool
open_file(struct journal *j, struct error *err)
{
    bool memory = strcmp(j->path, ":memory:") == 0;
    int64_t version = 0;
    int rc;

    if (!memory && !look(j, err))
        return false;
    rc = sqlite3_open_v2(j->path, &j->db,
                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK)
        return sql_error(j, rc, "cannot open", err);
    guard(j, true);
    if (sqlite3_db_readonly(j->db, "main") == 1)
        return error_set(err, ERR_DENIED, "%s cannot be written", j->path);
    /* BEGIN EXCLUSIVE takes the lock that locking_mode then keeps. */
    if (!sql_exec(j,
                  "PRAGMA trusted_schema = OFF;"
                  "PRAGMA locking_mode = EXCLUSIVE;"
                  "PRAGMA synchronous = FULL;"
                  "PRAGMA page_size = 8192;"
                  "BEGIN EXCLUSIVE; COMMIT;",
                  err) ||
        (!memory && !check_wal(j, err)) || !check_layout(j, &version, err))
        return false;
    return (version == FILE_VERSION || migrate(j, err)) && prepare(j, err);
}

struct journal *
journal_open(const char *path, struct error *err)
{
    struct journal *j = mem_zalloc(1, sizeof(*j));

    j->path = mem_strdup(path);
    if (open_file(j, err))
        return j;
    journal_close(j);
    return NULL;
}

void
journal_close(struct journal *j)
{
    if (!j)
        return;
    for (int i = 0; i < SQL_N; i++)
        sqlite3_finalize(j->sql[i]);
    sqlite3_close(j->db);
    if (!j->had_wal && size_of(j->path, "-wal") == 0) {
        AUTO(mem_free_ptr) char *wal = mem_printf("%s-wal", j->path);

        unlink(wal);
    }
    map_release(&j->notes, free);
    free(j->path);
    free(j);
}

/* ---- loading ---- */

static bool
load_note(struct journal *j, sqlite3_stmt *q, struct error *err)
{
    struct str name = column_text(q, 0), value = column_text(q, 1);

    if (sqlite3_column_int64(q, 2) != note_sum(name, value))
        return damaged(j, "a note was changed", err);
    free(map_put(&j->notes, name, mem_strndup(value.s, value.n)));
    return true;
}

static bool
load_notes(struct journal *j, struct error *err)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(j->db, "SELECT name, value, sum FROM note", -1,
                                &q, NULL);
    bool good = true;

    if (rc == SQLITE_OK) {
        while (good && (rc = sqlite3_step(q)) == SQLITE_ROW)
            good = load_note(j, q, err);
    }
    sqlite3_finalize(q);
    return good && (rc == SQLITE_DONE || sql_error(j, rc, "cannot read", err));
}

/* "REVISION COMPACTED BASE" */
bool
journal_mark(struct journal *j, struct journal_mark *out, struct error *err)
{
    struct str rest, word;
    const char *text;
    int64_t v[3] = {0};

    if (!load_notes(j, err))
        return false;
    text = journal_note(j, "log");
    rest = str_of(text ? text : "");
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        if (!str_next(&rest, ' ', &word) || !str_to_i64(word, &v[i]) ||
            v[i] < 0)
            return damaged(j, "it does not say where it ends", err);
    }
    *out = (struct journal_mark){v[0], v[1], (size_t)v[2]};
    return true;
}

static bool
row_of(const struct journal *j, sqlite3_stmt *q, struct journal_row *r,
       struct error *err)
{
    *r = (struct journal_row){.rev = sqlite3_column_int64(q, 0),
                              .gone = sqlite3_column_int64(q, 1) != 0,
                              .at_ms = sqlite3_column_int64(q, 2),
                              .kind = column_text(q, 4),
                              .key = column_text(q, 5),
                              .json = column_text(q, 6)};
    if (sqlite3_column_int64(q, 3) != row_sum(r) || r->rev <= 0 || !r->kind.n ||
        !r->key.n || r->key.n > JOURNAL_KEY_MAX ||
        memchr(r->key.s, '\0', r->key.n))
        return journal_damaged(j, r->rev, err);
    return true;
}

static bool
load_rows(struct journal *j, const struct journal_mark *m, journal_row_fn *fn,
          void *arg, struct error *err)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(j->db,
                                "SELECT revision, gone, at, sum, kind, key,"
                                " json FROM log ORDER BY revision",
                                -1, &q, NULL);
    int64_t next = m->compacted + 1;
    size_t base = 0;
    bool good = rc == SQLITE_OK;

    while (good && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct journal_row r;

        good = row_of(j, q, &r, err);
        if (!good)
            break;
        base += r.rev <= m->compacted;
        if (r.rev > m->compacted && (r.rev != next++ || r.rev > m->rev))
            good = journal_damaged(j, r.rev, err);
        else
            good = fn(arg, &r, err);
    }
    sqlite3_finalize(q);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return sql_error(j, rc, "cannot read", err);
    if (good && (base != m->base || next != m->rev + 1))
        return damaged(j, "revisions are missing", err);
    return good;
}

bool
journal_load(struct journal *j, const struct journal_mark *m,
             journal_row_fn *fn, void *arg, struct error *err)
{
    if (!load_rows(j, m, fn, arg, err))
        return false;
    guard(j, false);
    return sql_exec(j,
                    "PRAGMA journal_mode = WAL;"
                    "PRAGMA wal_autocheckpoint = 2000;"
                    "PRAGMA journal_size_limit = 67108864;",
                    err);
}

struct blob *
journal_read(struct journal *j, int64_t rev, struct error *err)
{
    sqlite3_stmt *q = j->sql[SQL_READ];
    struct journal_row r;
    struct blob *b = NULL;
    int rc;

    sqlite3_bind_int64(q, 1, rev);
    rc = sqlite3_step(q);
    if (rc == SQLITE_DONE)
        journal_damaged(j, rev, err);
    else if (rc != SQLITE_ROW)
        sql_error(j, rc, "cannot read", err);
    else if (row_of(j, q, &r, err))
        b = blob_new(r.json);
    sqlite3_reset(q);
    return b;
}

/* ---- writing ---- */

bool
journal_begin(struct journal *j, struct error *err)
{
    return sql_step(j, SQL_BEGIN, err);
}

bool
journal_append(struct journal *j, const struct journal_row *r,
               struct error *err)
{
    sqlite3_stmt *q = j->sql[SQL_APPEND];

    sqlite3_bind_int64(q, 1, r->rev);
    sqlite3_bind_int64(q, 2, r->gone);
    sqlite3_bind_int64(q, 3, r->at_ms);
    sqlite3_bind_int64(q, 4, row_sum(r));
    sqlite3_bind_text(q, 5, r->kind.s, (int)r->kind.n, SQLITE_STATIC);
    sqlite3_bind_text(q, 6, r->key.s, (int)r->key.n, SQLITE_STATIC);
    sqlite3_bind_blob(q, 7, r->json.n ? r->json.s : "", (int)r->json.n,
                      SQLITE_STATIC);
    return sql_step(j, SQL_APPEND, err);
}

bool
journal_forget(struct journal *j, int64_t rev, struct error *err)
{
    sqlite3_bind_int64(j->sql[SQL_FORGET], 1, rev);
    return sql_step(j, SQL_FORGET, err);
}

static bool
write_note(struct journal *j, const char *name, const char *value,
           struct error *err)
{
    sqlite3_stmt *q = j->sql[SQL_NOTE];

    sqlite3_bind_text(q, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, value, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 3, note_sum(str_of(name), str_of(value)));
    return sql_step(j, SQL_NOTE, err);
}

bool
journal_commit(struct journal *j, const struct journal_mark *m,
               struct error *err)
{
    char text[80];

    snprintf(text, sizeof(text), "%lld %lld %zu", (long long)m->rev,
             (long long)m->compacted, m->base);
    return write_note(j, "log", text, err) && sql_step(j, SQL_COMMIT, err);
}

void
journal_abort(struct journal *j)
{
    if (!sqlite3_get_autocommit(j->db))
        sql_step(j, SQL_ROLLBACK, NULL);
}

const char *
journal_note(const struct journal *j, const char *name)
{
    return map_get(&j->notes, str_of(name));
}

bool
journal_set_note(struct journal *j, const char *name, const char *value,
                 struct error *err)
{
    if (!write_note(j, name, value, err))
        return false;
    free(map_put(&j->notes, str_of(name), mem_strdup(value)));
    return true;
}
