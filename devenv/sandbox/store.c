#include "devenv/sandbox/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/versions.h"

/*
 * The file has one row per live object and a few notes ("revision", "port").
 * Memory is the authority while the process lives: rows are found by an id
 * that memory hands out, so the file needs no second index, and an object that
 * is written many times in a turn costs one row. The lock is SQLite's own
 * (locking_mode=EXCLUSIVE, taken when opening, dropped by the kernel with the
 * process); with it the WAL needs no shared memory file.
 */

#define OBJECTS_MAX      1000000
#define BYTES_MAX        ((size_t)2 << 30)
#define KEY_MAX          512
#define DEFAULT_EVENTS   200000
#define DEFAULT_BYTES    ((size_t)128 << 20)
#define DEFAULT_LOG_MS   600000
#define FILE_VERSION     1
#define APPLICATION_ID   0x6d746f70 /* "mtop" */
#define APPLICATION_ID_S "1836347248"

enum statement { SQL_BEGIN, SQL_COMMIT, SQL_PUT, SQL_DELETE, SQL_NOTE, SQL_N };

static const char *const statement_text[SQL_N] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_PUT] = "INSERT OR REPLACE INTO object VALUES (?1, ?2, ?3, ?4, ?5)",
    [SQL_DELETE] = "DELETE FROM object WHERE id = ?1",
    [SQL_NOTE] = "INSERT OR REPLACE INTO note VALUES (?1, ?2)",
};

static const char layout[] =
    "CREATE TABLE object (id INTEGER PRIMARY KEY, kind TEXT NOT NULL,"
    " key TEXT NOT NULL, revision INTEGER NOT NULL, json BLOB NOT NULL);"
    "CREATE TABLE note (name TEXT PRIMARY KEY, value TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "PRAGMA application_id = " APPLICATION_ID_S ";"
    "PRAGMA user_version = 1;";

struct store {
    struct versions v;
    struct store_options o;
    char *path;
    sqlite3 *db;
    sqlite3_stmt *sql[SQL_N];
    struct map notes;
    uint64_t commits;
};

/* ---- the file ---- */

/* Says what SQLite says; the extended codes of a full disk and of a lock have
 * words of their own. */
static bool
sql_error(const struct store *s, int code, const char *what, struct error *err)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return error_set(err, ERR_LIMIT, "%s %s: the disk is full", what,
                         s->path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        error_set(err, ERR_CONFLICT, "%s is in use by another sandbox",
                  s->path);
        error_remedy(err, "MT-SANDBOX-BUSY",
                     "Stop the other one, or give --data another file.");
        return false;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return error_set(err, ERR_DENIED, "%s %s: %s", what, s->path,
                         sqlite3_errstr(code));
    case SQLITE_NOTADB:
        return error_set(err, ERR_UNSUPPORTED,
                         "%s is no database of meshtop's sandbox", s->path);
    case SQLITE_CORRUPT:
        return error_set(err, ERR_PARSE, "%s is damaged: %s", s->path,
                         s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(code));
    default:
        return error_set(err, ERR_IO, "%s %s: %s", what, s->path,
                         s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(code));
    }
}

static bool
sql_exec(struct store *s, const char *text, struct error *err)
{
    int rc = sqlite3_exec(s->db, text, NULL, NULL, NULL);

    return rc == SQLITE_OK || sql_error(s, rc, "cannot set up", err);
}

/* Runs a prepared statement that answers no rows. */
static int
sql_step(struct store *s, enum statement which)
{
    int rc = sqlite3_step(s->sql[which]);

    sqlite3_reset(s->sql[which]);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static bool
sql_number(struct store *s, const char *text, int64_t *out, struct error *err)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(s->db, text, -1, &q, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(q);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return rc == SQLITE_ROW || sql_error(s, rc, "cannot read", err);
}

/* Creates the file with its mode before SQLite sees it. */
static bool
create_private(const char *path, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return error_errno(err, errno == EACCES ? ERR_DENIED : ERR_IO,
                           "cannot open %s", path);
    /* Closed before SQLite locks it: closing drops a process's locks. */
    close(fd);
    return true;
}

/* A new file gets our layout; any other must be ours, and not newer. */
static bool
check_layout(struct store *s, struct error *err)
{
    int64_t tables, id, version;

    if (!sql_number(s, "SELECT count(*) FROM sqlite_master", &tables, err) ||
        !sql_number(s, "PRAGMA application_id", &id, err) ||
        !sql_number(s, "PRAGMA user_version", &version, err))
        return false;
    if (tables == 0 && id == 0 && version == 0) {
        if (!sql_exec(s, "BEGIN", err) || !sql_exec(s, layout, err))
            return false;
        return sql_exec(s, "COMMIT", err);
    }
    if (id != APPLICATION_ID)
        return error_set(err, ERR_UNSUPPORTED,
                         "%s is no database of meshtop's sandbox", s->path);
    if (version > FILE_VERSION) {
        error_set(err, ERR_UNSUPPORTED,
                  "%s was written by a newer meshtop (file version %d, this "
                  "one reads %d)",
                  s->path, (int)version, FILE_VERSION);
        error_remedy(err, "MT-SANDBOX-NEWER",
                     "Use that meshtop, or \"meshtop sandbox reset\".");
        return false;
    }
    return true;
}

static bool
open_file(struct store *s, struct error *err)
{
    bool memory = strcmp(s->path, ":memory:") == 0;
    int rc;

    if (!memory && !create_private(s->path, err))
        return false;
    rc = sqlite3_open_v2(s->path, &s->db,
                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK)
        return sql_error(s, rc, "cannot open", err);
    if (sqlite3_db_readonly(s->db, "main") == 1)
        return error_set(err, ERR_DENIED, "%s cannot be written", s->path);
    /* BEGIN EXCLUSIVE takes the lock that locking_mode then keeps. */
    return sql_exec(s,
                    "PRAGMA trusted_schema = OFF;"
                    "PRAGMA locking_mode = EXCLUSIVE;"
                    "PRAGMA journal_mode = WAL;"
                    "PRAGMA synchronous = FULL;"
                    "PRAGMA wal_autocheckpoint = 4000;"
                    "PRAGMA journal_size_limit = 67108864;"
                    "BEGIN EXCLUSIVE; COMMIT;",
                    err) &&
           check_layout(s, err);
}

static struct str
column_text(sqlite3_stmt *q, int i)
{
    const void *p = sqlite3_column_blob(q, i);

    return str_n(p, (size_t)sqlite3_column_bytes(q, i));
}

static bool
load_object(struct store *s, sqlite3_stmt *q, struct error *err)
{
    struct str kind = column_text(q, 1), key = column_text(q, 2);
    int64_t row = sqlite3_column_int64(q, 0);
    int64_t rev = sqlite3_column_int64(q, 3);
    bool good = row > 0 && rev > 0 && rev <= s->v.rev && kind.n && key.n &&
                key.n <= KEY_MAX && !memchr(key.s, '\0', key.n);
    struct blob *json = blob_new(column_text(q, 4));

    good = good && versions_load(&s->v, kind, key, row, rev, json);
    blob_drop(json);
    return good || error_set(err, ERR_PARSE,
                             "%s is damaged: object %lld makes no sense",
                             s->path, (long long)row);
}

static bool
load_note(struct store *s, sqlite3_stmt *q, struct error *err)
{
    struct str name = column_text(q, 0), value = column_text(q, 1);

    (void)err;
    free(map_put(&s->notes, name, mem_strndup(value.s, value.n)));
    return true;
}

static bool
load_rows(struct store *s, const char *text,
          bool (*row)(struct store *, sqlite3_stmt *, struct error *),
          struct error *err)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(s->db, text, -1, &q, NULL);
    bool good = true;

    if (rc == SQLITE_OK) {
        while (good && (rc = sqlite3_step(q)) == SQLITE_ROW)
            good = row(s, q, err);
    }
    sqlite3_finalize(q);
    if (!good)
        return false;
    return rc == SQLITE_DONE || sql_error(s, rc, "cannot read", err);
}

static bool
load(struct store *s, struct error *err)
{
    const char *rev;

    if (!load_rows(s, "SELECT name, value FROM note", load_note, err))
        return false;
    rev = store_note(s, "revision");
    if (rev && (!str_to_i64(str_of(rev), &s->v.rev) || s->v.rev < 0))
        return error_set(err, ERR_PARSE, "%s is damaged: no revision", s->path);
    s->v.committed = s->v.rev;
    return load_rows(s, "SELECT id, kind, key, revision, json FROM object",
                     load_object, err);
}

struct store *
store_open(const char *path, const struct store_options *o, struct error *err)
{
    struct store *s = mem_zalloc(1, sizeof(*s));

    if (o)
        s->o = *o;
    if (!s->o.log_events)
        s->o.log_events = DEFAULT_EVENTS;
    if (!s->o.log_bytes)
        s->o.log_bytes = DEFAULT_BYTES;
    if (!s->o.log_ms)
        s->o.log_ms = DEFAULT_LOG_MS;
    if (!s->o.clock)
        s->o.clock = clock_system();
    s->path = mem_strdup(path);
    versions_init(&s->v);
    if (!open_file(s, err))
        goto failed;
    for (int i = 0; i < SQL_N; i++) {
        int rc = sqlite3_prepare_v3(s->db, statement_text[i], -1,
                                    SQLITE_PREPARE_PERSISTENT, &s->sql[i], 0);

        if (rc != SQLITE_OK) {
            sql_error(s, rc, "cannot use", err);
            goto failed;
        }
    }
    if (load(s, err))
        return s;
failed:
    store_close(s);
    return NULL;
}

void
store_close(struct store *s)
{
    if (!s)
        return;
    for (int i = 0; i < SQL_N; i++)
        sqlite3_finalize(s->sql[i]);
    sqlite3_close(s->db);
    versions_release(&s->v);
    map_release(&s->notes, free);
    free(s->path);
    free(s);
}

/* ---- writing ---- */

int64_t
store_next_rev(const struct store *s)
{
    return s->v.rev + 1;
}

static bool
room_for(const struct store *s, struct str key, const struct blob *json,
         bool fresh, struct error *err)
{
    if (!key.n || key.n > KEY_MAX || memchr(key.s, '\0', key.n))
        return error_set(err, ERR_LIMIT, "a name of %zu bytes", key.n);
    if (json->n > STORE_OBJECT_MAX)
        return error_set(err, ERR_LIMIT,
                         "an object of %zu bytes; the limit is %zu", json->n,
                         STORE_OBJECT_MAX);
    if ((fresh && s->v.live >= OBJECTS_MAX) ||
        s->v.live_bytes + json->n > BYTES_MAX)
        return error_set(err, ERR_LIMIT,
                         "the sandbox is full (%zu objects, %zu MiB)",
                         s->v.live, s->v.live_bytes >> 20);
    return true;
}

/* Compares what is there with what the caller expects. */
static bool
as_expected(const struct versions_object *o, struct str key, int64_t expect,
            struct error *err)
{
    bool there = o && o->json;

    if (expect == STORE_ABSENT && there)
        return error_set(err, ERR_EXISTS, "%.*s already exists", STR_ARG(key));
    if (expect > 0 && !there)
        return error_set(err, ERR_NOT_FOUND, "%.*s not found", STR_ARG(key));
    if (expect > 0 && o->rev != expect)
        return error_set(err, ERR_CONFLICT, "%.*s has been modified",
                         STR_ARG(key));
    return true;
}

int64_t
store_put(struct store *s, struct str kind, struct str key, int64_t expect,
          struct blob *json, struct error *err)
{
    const struct versions_object *o = versions_find(&s->v, kind, key);
    enum store_op op = o && o->json ? STORE_MODIFIED : STORE_ADDED;

    if (!as_expected(o, key, expect, err) ||
        !room_for(s, key, json, op == STORE_ADDED, err))
        return 0;
    versions_change(&s->v, versions_kind(&s->v, kind), key, op, json,
                    clock_mono_ms(s->o.clock));
    return s->v.rev;
}

int64_t
store_delete(struct store *s, struct str kind, struct str key, int64_t expect,
             struct blob *last, struct error *err)
{
    struct versions_object *o = versions_find(&s->v, kind, key);

    if (!o || !o->json) {
        error_set(err, ERR_NOT_FOUND, "%.*s not found", STR_ARG(key));
        return 0;
    }
    if (!as_expected(o, key, expect, err))
        return 0;
    versions_change(&s->v, o->kind, o->node->key, STORE_DELETED, last,
                    clock_mono_ms(s->o.clock));
    return s->v.rev;
}

bool
store_dirty(const struct store *s)
{
    return s->v.rev > s->v.committed;
}

static int
write_object(struct store *s, const struct versions_object *o)
{
    sqlite3_stmt *q = s->sql[SQL_PUT];

    if (!o->json) {
        sqlite3_bind_int64(s->sql[SQL_DELETE], 1, o->row);
        return sql_step(s, SQL_DELETE);
    }
    sqlite3_bind_int64(q, 1, o->row);
    sqlite3_bind_text(q, 2, o->kind->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 3, o->node->key.s, (int)o->node->key.n, SQLITE_STATIC);
    sqlite3_bind_int64(q, 4, o->rev);
    sqlite3_bind_blob(q, 5, o->json->data, (int)o->json->n, SQLITE_STATIC);
    return sql_step(s, SQL_PUT);
}

static int
write_note(struct store *s, const char *name, const char *value)
{
    sqlite3_bind_text(s->sql[SQL_NOTE], 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_text(s->sql[SQL_NOTE], 2, value, -1, SQLITE_STATIC);
    return sql_step(s, SQL_NOTE);
}

/* Every object that changed, in its newest state, and the revision. */
static int
write_changes(struct store *s)
{
    char rev[24];
    int rc = SQLITE_OK;

    for (int64_t r = s->v.committed + 1; rc == SQLITE_OK && r <= s->v.rev;
         r++) {
        const struct versions_object *o = versions_at(&s->v, r)->object;

        if (o->rev == r)
            rc = write_object(s, o);
    }
    if (rc != SQLITE_OK)
        return rc;
    snprintf(rev, sizeof(rev), "%lld", (long long)s->v.rev);
    return write_note(s, "revision", rev);
}

static int
transaction(struct store *s)
{
    int rc = sql_step(s, SQL_BEGIN);

    if (rc == SQLITE_OK)
        rc = write_changes(s);
    if (rc == SQLITE_OK)
        rc = sql_step(s, SQL_COMMIT);
    if (rc != SQLITE_OK && !sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

bool
store_commit(struct store *s, struct error *err)
{
    if (!store_dirty(s))
        return true;
    s->commits++;
    if (!s->o.lose_every || s->commits % s->o.lose_every != 0) {
        int rc = transaction(s);

        if (rc != SQLITE_OK) {
            sql_error(s, rc, "cannot write", err);
            versions_undo(&s->v);
            return false;
        }
    }
    s->v.committed = s->v.rev;
    versions_trim(&s->v, s->o.log_events, s->o.log_bytes,
                  clock_mono_ms(s->o.clock) - s->o.log_ms);
    return true;
}

void
store_rollback(struct store *s)
{
    versions_undo(&s->v);
}

/* ---- reading ---- */

int64_t
store_rev(const struct store *s)
{
    return s->v.rev;
}

int64_t
store_committed(const struct store *s)
{
    return s->v.committed;
}

int64_t
store_oldest(const struct store *s)
{
    return s->v.rev - (int64_t)s->v.log_n;
}

bool
store_get(const struct store *s, struct str kind, struct str key, int64_t rev,
          struct store_item *out)
{
    const struct versions_object *o = versions_find(&s->v, kind, key);

    return o && versions_state(&s->v, o, rev, out);
}

size_t
store_count(const struct store *s, struct str kind)
{
    const struct versions_kind *k;

    if (!kind.s)
        return s->v.live;
    k = map_get(&s->v.kinds, kind);
    return k ? k->live : 0;
}

const char *
store_kind(const struct store *s, size_t i)
{
    for (const struct map_entry *e = map_first(&s->v.kinds); e;
         e = map_next(&s->v.kinds, e)) {
        if (i-- == 0)
            return ((const struct versions_kind *)e->value)->name;
    }
    return NULL;
}

void
store_scan(const struct store *s, struct str kind, struct str ns,
           struct str from, int64_t rev, struct store_cursor *c)
{
    *c = (struct store_cursor){.store = s, .kind = kind, .ns = ns, .rev = rev};
    c->at = BUF_INIT(2 * KEY_MAX);
    if (ns.n) {
        buf_str(&c->at, ns);
        buf_putc(&c->at, '/');
        if (str_cmp(from, buf_view(&c->at)) <= 0)
            return;
        buf_reset(&c->at);
    }
    buf_str(&c->at, from);
}

/* The node to look at next; the place is found again by key when the index
 * moved since. */
static struct index_node *
cursor_node(struct store_cursor *c)
{
    const struct versions *v = &c->store->v;
    const struct versions_kind *k = map_get(&v->kinds, c->kind);
    struct index_node *n;

    if (!k)
        return NULL;
    if (c->node && c->shape == v->shape)
        return index_next(c->node);
    n = index_seek(&k->index, buf_view(&c->at));
    if (n && c->shown && str_eq(n->key, buf_view(&c->at)))
        n = index_next(n);
    return n;
}

bool
store_next(struct store_cursor *c, struct store_item *out)
{
    const struct versions *v = &c->store->v;

    for (struct index_node *n = cursor_node(c); n; n = index_next(n)) {
        struct str key = n->key;

        if (c->ns.n && !(key.n > c->ns.n && key.s[c->ns.n] == '/' &&
                         str_starts(key, c->ns)))
            break;
        if (!versions_state(v, n->value, c->rev, out))
            continue;
        buf_reset(&c->at);
        buf_str(&c->at, key);
        c->shown = true;
        c->node = n;
        c->shape = v->shape;
        return true;
    }
    return false;
}

void
store_cursor_release(struct store_cursor *c)
{
    buf_release(&c->at);
}

/* ---- the log, notes, figures ---- */

bool
store_event(const struct store *s, int64_t rev, struct store_event *out)
{
    const struct versions_change *c = versions_at(&s->v, rev);

    if (!c)
        return false;
    *out = (struct store_event){
        .rev = rev,
        .op = c->op,
        .kind = c->object->kind->name,
        .key = c->object->node->key,
        .json = c->json,
        .prev = c->prev,
    };
    versions_split(out->key, &out->ns, &out->name);
    return true;
}

const char *
store_intern(struct store *s, struct str kind)
{
    return versions_kind(&s->v, kind)->name;
}

static int64_t
file_bytes(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

void
store_stats(const struct store *s, struct store_stats *out)
{
    char *wal = mem_printf("%s-wal", s->path);

    *out = (struct store_stats){
        .objects = s->v.live,
        .object_bytes = s->v.live_bytes,
        .log_events = s->v.log_n,
        .log_bytes = s->v.log_bytes,
        .commits = s->commits,
        .file_bytes = file_bytes(s->path) + file_bytes(wal),
    };
    free(wal);
}

const char *
store_note(const struct store *s, const char *name)
{
    return map_get(&s->notes, str_of(name));
}

bool
store_set_note(struct store *s, const char *name, const char *value,
               struct error *err)
{
    int rc = write_note(s, name, value);

    if (rc != SQLITE_OK)
        return sql_error(s, rc, "cannot write", err);
    free(map_put(&s->notes, str_of(name), mem_strdup(value)));
    return true;
}
