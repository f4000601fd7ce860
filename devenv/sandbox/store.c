#include "devenv/sandbox/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/bodies.h"
#include "devenv/sandbox/journal.h"
#include "devenv/sandbox/versions.h"

/*
 * Three parts: versions (which revision made which state of which object),
 * journal (the file: the states by revision), bodies (the states that memory
 * keeps). States of revisions that are not committed yet are in `pending`.
 */

#define OBJECTS_MAX    1000000
#define BYTES_MAX      ((size_t)2 << 30)
#define DEFAULT_EVENTS 200000
#define DEFAULT_BYTES  ((size_t)256 << 20)
#define DEFAULT_LOG_MS 600000
#define DEFAULT_CACHE  ((size_t)32 << 20)
#define LEAST_CACHE    ((size_t)16 << 20)
#define SLICE          256 /* events forgotten in a turn, or twice the new */

struct store {
    struct versions v;
    struct store_options o;
    char *path;
    struct journal *journal;
    struct bodies *bodies;
    struct blob **pending; /* of revisions committed + 1 and on */
    size_t pending_cap;
    uint64_t commits;
    int64_t wall_ahead; /* wall clock minus monotonic, when opened */
    int64_t opened;     /* the newest revision then */
    struct map notes;   /* name -> text, owned: of the next commit */
};

/* ---- opening ---- */

static bool
load_row(void *arg, const struct journal_row *r, struct error *err)
{
    struct store *s = arg;
    struct versions_object *o;
    int64_t now = clock_mono_ms(s->o.clock);

    if (r->rev <= s->v.rev && !s->v.log_n) {
        if (r->gone ||
            !versions_load(&s->v, r->kind, r->key, r->rev, (uint32_t)r->json.n))
            return journal_damaged(s->journal, r->rev, err);
    } else {
        o = versions_find(&s->v, r->kind, r->key);
        if (r->gone && (!o || o->gone))
            return journal_damaged(s->journal, r->rev, err);
        versions_change(&s->v, versions_kind(&s->v, r->kind), r->key, r->gone,
                        (uint32_t)r->json.n,
                        MIN(now, r->at_ms - s->wall_ahead));
    }
    if ((!s->o.mark || s->o.mark(r->json)) &&
        (o = versions_find(&s->v, r->kind, r->key)))
        o->marked = true;
    if (bodies_bytes(s->bodies) + r->json.n < s->o.cache_bytes) {
        struct blob *b = blob_new(r->json);

        bodies_put(s->bodies, r->rev, b);
        blob_drop(b);
    }
    return true;
}

/* The rows up to the mark's `compacted` are objects, the others events. */
static bool
load(struct store *s, struct error *err)
{
    struct journal_mark m;

    if (!journal_mark(s->journal, &m, err))
        return false;
    s->v.rev = m.compacted;
    if (!journal_load(s->journal, &m, load_row, s, err))
        return false;
    s->v.committed = s->opened = s->v.rev;
    return true;
}

static void
set_defaults(struct store_options *o)
{
    if (!o->log_events)
        o->log_events = DEFAULT_EVENTS;
    if (!o->log_bytes)
        o->log_bytes = DEFAULT_BYTES;
    if (!o->log_ms)
        o->log_ms = DEFAULT_LOG_MS;
    if (!o->clock)
        o->clock = clock_system();
    if (!o->cache_bytes)
        o->cache_bytes = DEFAULT_CACHE;
    o->cache_bytes = MAX(o->cache_bytes, LEAST_CACHE);
}

struct store *
store_open(const char *path, const struct store_options *o, struct error *err)
{
    struct store *s = mem_zalloc(1, sizeof(*s));

    if (o)
        s->o = *o;
    set_defaults(&s->o);
    s->path = mem_strdup(path);
    s->wall_ahead = clock_wall_ms(s->o.clock) - clock_mono_ms(s->o.clock);
    versions_init(&s->v);
    s->bodies = bodies_new(s->o.cache_bytes);
    s->journal = journal_open(path, err);
    if (s->journal && load(s, err))
        return s;
    store_close(s);
    return NULL;
}

static void
drop_pending(struct store *s)
{
    for (int64_t r = s->v.committed + 1; r <= s->v.rev; r++)
        blob_drop(s->pending[r - s->v.committed - 1]);
}

void
store_close(struct store *s)
{
    if (!s)
        return;
    if (s->pending)
        drop_pending(s);
    free(s->pending);
    map_release(&s->notes, free);
    journal_close(s->journal);
    bodies_free(s->bodies);
    versions_release(&s->v);
    free(s->path);
    free(s);
}

/* ---- states ---- */

/* The state of a committed revision, from the file. */
static struct blob *
fetch(const struct store *s, int64_t rev)
{
    struct error err = {0};
    struct blob *b = journal_read(s->journal, rev, &err);

    if (!b)
        die("%s", err.msg);
    return b;
}

static struct blob *
known(const struct store *s, int64_t rev, bool use)
{
    return rev > s->v.committed ? s->pending[rev - s->v.committed - 1]
                                : bodies_get(s->bodies, rev, use);
}

struct blob *
store_state(const struct store *s, int64_t rev)
{
    struct blob *b = known(s, rev, true);

    if (b)
        return b;
    b = fetch(s, rev);
    bodies_put(s->bodies, rev, b);
    blob_drop(b);
    return b;
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
    if (!key.n || key.n > JOURNAL_KEY_MAX || memchr(key.s, '\0', key.n))
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
    bool there = o && !o->gone;

    if (expect == STORE_ABSENT && there)
        return error_set(err, ERR_EXISTS, "%.*s already exists", STR_ARG(key));
    if (expect > 0 && !there)
        return error_set(err, ERR_NOT_FOUND, "%.*s not found", STR_ARG(key));
    if (expect > 0 && o->rev != expect)
        return error_set(err, ERR_CONFLICT, "%.*s has been modified",
                         STR_ARG(key));
    return true;
}

/* Makes the next revision; json is its state. */
static int64_t
change(struct store *s, struct versions_kind *kind, struct str key, bool gone,
       struct blob *json)
{
    size_t n = (size_t)(s->v.rev - s->v.committed);

    s->pending =
        mem_grow(s->pending, &s->pending_cap, n + 1, sizeof(struct blob *));
    s->pending[n] = blob_keep(json);
    versions_change(&s->v, kind, key, gone, (uint32_t)json->n,
                    clock_mono_ms(s->o.clock));
    return s->v.rev;
}

int64_t
store_put(struct store *s, struct str kind, struct str key, int64_t expect,
          struct blob *json, struct error *err)
{
    const struct versions_object *o = versions_find(&s->v, kind, key);

    if (!as_expected(o, key, expect, err) ||
        !room_for(s, key, json, !o || o->gone, err))
        return 0;
    return change(s, versions_kind(&s->v, kind), key, false, json);
}

int64_t
store_delete(struct store *s, struct str kind, struct str key, int64_t expect,
             struct blob *last, struct error *err)
{
    struct versions_object *o = versions_find(&s->v, kind, key);

    if (!o || o->gone) {
        error_set(err, ERR_NOT_FOUND, "%.*s not found", STR_ARG(key));
        return 0;
    }
    if (!as_expected(o, key, expect, err))
        return 0;
    return change(s, o->kind, o->node->key, true, last);
}

bool
store_dirty(const struct store *s)
{
    return s->v.rev > s->v.committed || map_count(&s->notes);
}

static bool
append(struct store *s, int64_t rev, bool lose, struct error *err)
{
    const struct versions_change *c = versions_at(&s->v, rev);
    struct journal_row r = {
        .rev = rev,
        .gone = c->op == STORE_DELETED,
        .at_ms = c->at_ms + s->wall_ahead,
        .kind = str_of(c->object->kind->name),
        .key = c->object->node->key,
        .json = blob_view(s->pending[rev - s->v.committed - 1]),
    };

    if (lose && c->op != STORE_ADDED) {
        r.gone = false;
        r.json = blob_view(store_state(s, c->prev_rev));
    }
    return journal_append(s->journal, &r, err);
}

/* Deletes the rows that only the n oldest events needed. */
static bool
forget(struct store *s, size_t n, struct error *err)
{
    int64_t rev = store_oldest(s) + 1;

    for (; n > 0; n--, rev++) {
        const struct versions_change *c = versions_at(&s->v, rev);

        if (c->op != STORE_ADDED &&
            !journal_forget(s->journal, c->prev_rev, err))
            return false;
        if (c->op == STORE_DELETED && !journal_forget(s->journal, rev, err))
            return false;
    }
    return true;
}

static bool
keep_notes(struct store *s, struct error *err)
{
    bool good = true;

    for (struct map_entry *e = map_first(&s->notes); e && good;
         e = map_next(&s->notes, e))
        good = journal_set_note(s->journal, e->key.s, e->value, err);
    return good;
}

/* All pending writes, and the end of the n oldest events. */
static bool
transaction(struct store *s, size_t n, struct error *err)
{
    bool lose = s->o.lose_every && s->commits % s->o.lose_every == 0;
    struct journal_mark m = {.rev = s->v.rev,
                             .compacted = store_oldest(s) + (int64_t)n,
                             .base = versions_base(&s->v, n)};
    bool good = journal_begin(s->journal, err);

    for (int64_t r = s->v.committed + 1; good && r <= s->v.rev; r++)
        good = append(s, r, lose, err);
    if (good && keep_notes(s, err) && forget(s, n, err) &&
        journal_commit(s->journal, &m, err))
        return true;
    journal_abort(s->journal);
    return false;
}

/* The states of the n oldest events leave memory with them. */
static void
forget_bodies(struct store *s, size_t n)
{
    int64_t rev = store_oldest(s) + 1;

    for (; n > 0; n--, rev++) {
        const struct versions_change *c = versions_at(&s->v, rev);

        if (c->op != STORE_ADDED)
            bodies_drop(s->bodies, c->prev_rev);
        if (c->op == STORE_DELETED)
            bodies_drop(s->bodies, rev);
    }
}

static bool
committed(struct store *s, size_t forgotten)
{
    for (int64_t r = s->v.committed + 1; r <= s->v.rev; r++)
        bodies_put(s->bodies, r, s->pending[r - s->v.committed - 1]);
    drop_pending(s);
    map_release(&s->notes, free);
    s->v.committed = s->v.rev;
    forget_bodies(s, forgotten);
    versions_forget(&s->v, forgotten);
    return true;
}

bool
store_commit(struct store *s, struct error *err)
{
    size_t fresh = (size_t)(s->v.rev - s->v.committed);
    size_t surplus;

    if (!store_dirty(s))
        return true;
    s->commits++;
    surplus = versions_surplus(&s->v, s->v.rev, s->o.log_events, s->o.log_bytes,
                               clock_mono_ms(s->o.clock) - s->o.log_ms,
                               MAX(SLICE, 2 * fresh));
    /* Where there is no room to forget there may be room to write. */
    if (surplus && transaction(s, surplus, NULL))
        return committed(s, surplus);
    if (transaction(s, 0, err))
        return committed(s, 0);
    store_rollback(s);
    return false;
}

void
store_rollback(struct store *s)
{
    drop_pending(s);
    map_release(&s->notes, free);
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

static struct store_item
item_of(const struct store *s, const struct versions_object *o, int64_t made)
{
    struct store_item it = {.key = o->node->key,
                            .rev = made,
                            .marked = o->marked || made > s->opened};

    versions_split(it.key, &it.ns, &it.name);
    return it;
}

bool
store_get(const struct store *s, struct str kind, struct str key, int64_t rev,
          struct store_item *out)
{
    const struct versions_object *o = versions_find(&s->v, kind, key);
    int64_t made = o ? versions_state(&s->v, o, rev) : 0;

    if (!made)
        return false;
    *out = item_of(s, o, made);
    out->json = store_state(s, made);
    return true;
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
    c->at = BUF_INIT(2 * JOURNAL_KEY_MAX);
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
store_next_key(struct store_cursor *c, struct store_item *out)
{
    const struct versions *v = &c->store->v;

    for (struct index_node *n = cursor_node(c); n; n = index_next(n)) {
        struct str key = n->key;
        int64_t made;

        if (c->ns.n && !(key.n > c->ns.n && key.s[c->ns.n] == '/' &&
                         str_starts(key, c->ns)))
            break;
        if (!(made = versions_state(v, n->value, c->rev)))
            continue;
        buf_reset(&c->at);
        buf_str(&c->at, key);
        c->shown = true;
        c->node = n;
        c->shape = v->shape;
        *out = item_of(c->store, n->value, made);
        return true;
    }
    return false;
}

/* A walk leaves no trace in memory: it may see more than fits. */
struct blob *
store_item_json(struct store_cursor *c, const struct store_item *it)
{
    struct blob *b = known(c->store, it->rev, false);

    b = b ? blob_keep(b) : fetch(c->store, it->rev);
    blob_drop(c->held);
    c->held = b;
    return b;
}

bool
store_next(struct store_cursor *c, struct store_item *out)
{
    if (!store_next_key(c, out))
        return false;
    out->json = store_item_json(c, out);
    return true;
}

size_t
store_left(struct store_cursor *c)
{
    struct store_item it;
    size_t n = 0;

    while (store_next_key(c, &it))
        n++;
    return n;
}

void
store_cursor_release(struct store_cursor *c)
{
    blob_drop(c->held);
    c->held = NULL;
    buf_release(&c->at);
}

/* ---- the log, notes, figures ---- */

bool
store_event_head(const struct store *s, int64_t rev, struct store_event *out)
{
    const struct versions_change *c = versions_at(&s->v, rev);

    if (!c)
        return false;
    *out = (struct store_event){
        .rev = rev,
        .op = c->op,
        .kind = c->object->kind->name,
        .key = c->object->node->key,
        .prev_rev = c->op == STORE_ADDED ? 0 : c->prev_rev,
    };
    versions_split(out->key, &out->ns, &out->name);
    return true;
}

bool
store_event(const struct store *s, int64_t rev, struct store_event *out)
{
    if (!store_event_head(s, rev, out))
        return false;
    out->json = store_state(s, rev);
    if (out->prev_rev)
        out->prev = store_state(s, out->prev_rev);
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
        .cache_bytes = bodies_bytes(s->bodies),
        .commits = s->commits,
        .file_bytes = file_bytes(s->path) + file_bytes(wal),
    };
    free(wal);
}

const char *
store_note(const struct store *s, const char *name)
{
    return journal_note(s->journal, name);
}

void
store_keep_note(struct store *s, const char *name, const char *value)
{
    free(map_put(&s->notes, str_of(name), mem_strdup(value)));
}

bool
store_set_note(struct store *s, const char *name, const char *value,
               struct error *err)
{
    return journal_set_note(s->journal, name, value, err);
}
