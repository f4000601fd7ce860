#include "devenv/sandbox/versions.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#define LOG_FIRST_CAP 1024 /* a power of two */

void
versions_init(struct versions *v)
{
    *v = (struct versions){0};
}

static void
kind_free(void *arg)
{
    struct versions_kind *k = arg;

    for (struct index_node *n = k->index.head[0]; n; n = index_next(n))
        free(n->value);
    index_release(&k->index);
    free(k->name);
    free(k);
}

void
versions_release(struct versions *v)
{
    free(v->log);
    map_release(&v->kinds, kind_free);
    versions_init(v);
}

struct versions_kind *
versions_kind(struct versions *v, struct str name)
{
    struct versions_kind *k = map_get(&v->kinds, name);

    if (k)
        return k;
    k = mem_zalloc(1, sizeof(*k));
    k->name = mem_strndup(name.s, name.n);
    index_init(&k->index);
    map_put(&v->kinds, name, k);
    return k;
}

struct versions_object *
versions_find(const struct versions *v, struct str kind, struct str key)
{
    struct versions_kind *k = map_get(&v->kinds, kind);
    struct index_node *n = k ? index_find(&k->index, key) : NULL;

    return n ? n->value : NULL;
}

void
versions_split(struct str key, struct str *ns, struct str *name)
{
    if (!str_cut(key, '/', ns, name)) {
        *name = key;
        *ns = STR("");
    }
}

static struct versions_object *
object_need(struct versions *v, struct versions_kind *k, struct str key)
{
    struct index_node *n = index_need(&k->index, key);

    if (!n->value) {
        struct versions_object *o = mem_zalloc(1, sizeof(*o));

        *o = (struct versions_object){.kind = k, .node = n, .gone = true};
        n->value = o;
        v->shape++;
    }
    return n->value;
}

static void
object_remove(struct versions *v, struct versions_object *o)
{
    index_delete(&o->kind->index, o->node);
    free(o);
    v->shape++;
}

/* Makes rev the newest version of o and keeps the sums. */
static void
object_set(struct versions *v, struct versions_object *o, int64_t rev,
           uint32_t size, bool gone)
{
    if (!o->gone) {
        o->kind->live--;
        v->live--;
        v->live_bytes -= o->size;
    }
    if (!gone) {
        o->kind->live++;
        v->live++;
        v->live_bytes += size;
    }
    o->rev = rev;
    o->size = size;
    o->gone = gone;
}

bool
versions_load(struct versions *v, struct str kind, struct str key, int64_t rev,
              uint32_t size)
{
    if (versions_find(v, kind, key))
        return false;
    object_set(v, object_need(v, versions_kind(v, kind), key), rev, size,
               false);
    v->base++;
    return true;
}

/* ---- the log ---- */

/* What only the log keeps. */
static size_t
change_bytes(const struct versions_change *c)
{
    return (size_t)c->prev_size + c->last_size;
}

static void
log_grow(struct versions *v)
{
    size_t cap = v->log_cap ? v->log_cap * 2 : LOG_FIRST_CAP;
    struct versions_change *log = mem_zalloc(cap, sizeof(*log));

    for (size_t i = 0; i < v->log_n; i++)
        log[i] = v->log[(v->log_first + i) & (v->log_cap - 1)];
    free(v->log);
    v->log = log;
    v->log_cap = cap;
    v->log_first = 0;
}

struct versions_change *
versions_at(const struct versions *v, int64_t rev)
{
    int64_t oldest = v->rev - (int64_t)v->log_n;

    if (rev <= oldest || rev > v->rev)
        return NULL;
    return &v->log[(v->log_first + (size_t)(rev - oldest - 1)) &
                   (v->log_cap - 1)];
}

void
versions_change(struct versions *v, struct versions_kind *kind, struct str key,
                bool gone, uint32_t size, int64_t now_ms)
{
    struct versions_object *o = object_need(v, kind, key);
    struct versions_change *c;

    if (v->log_n == v->log_cap)
        log_grow(v);
    v->rev++;
    v->log_n++;
    c = versions_at(v, v->rev);
    *c = (struct versions_change){
        .object = o,
        .prev_rev = o->rev,
        .at_ms = now_ms,
        .prev_size = o->gone ? 0 : o->size,
        .last_size = gone ? size : 0,
        .op = gone      ? STORE_DELETED
              : o->gone ? STORE_ADDED
                        : STORE_MODIFIED,
    };
    v->log_bytes += change_bytes(c);
    object_set(v, o, v->rev, size, gone);
}

void
versions_undo(struct versions *v)
{
    while (v->rev > v->committed) {
        struct versions_change *c = versions_at(v, v->rev);

        v->log_bytes -= change_bytes(c);
        object_set(v, c->object, c->prev_rev, c->prev_size,
                   c->op == STORE_ADDED);
        if (!c->prev_rev)
            object_remove(v, c->object);
        v->rev--;
        v->log_n--;
    }
}

static struct versions_change *
nth(const struct versions *v, size_t i)
{
    return &v->log[(v->log_first + i) & (v->log_cap - 1)];
}

static size_t
base_after(size_t base, const struct versions_change *c)
{
    return base + (c->op == STORE_ADDED) - (c->op == STORE_DELETED);
}

void
versions_forget(struct versions *v, size_t n)
{
    for (; n > 0; n--) {
        struct versions_change *c = nth(v, 0);

        v->log_bytes -= change_bytes(c);
        v->base = base_after(v->base, c);
        /* A tombstone is there for the log's sake alone. */
        if (c->op == STORE_DELETED &&
            c->object->rev == v->rev - (int64_t)v->log_n + 1)
            object_remove(v, c->object);
        v->log_first = (v->log_first + 1) & (v->log_cap - 1);
        v->log_n--;
    }
}

size_t
versions_base(const struct versions *v, size_t n)
{
    size_t base = v->base;

    for (size_t i = 0; i < n; i++)
        base = base_after(base, nth(v, i));
    return base;
}

size_t
versions_surplus(const struct versions *v, int64_t last, size_t max_n,
                 size_t max_bytes, int64_t before_ms, size_t at_most)
{
    size_t bytes = v->log_bytes, n = 0;
    int64_t oldest = v->rev - (int64_t)v->log_n;

    while (n < at_most && n < v->log_n && oldest + (int64_t)n < last &&
           (v->log_n - n > max_n || bytes > max_bytes ||
            nth(v, n)->at_ms < before_ms))
        bytes -= change_bytes(nth(v, n++));
    return n;
}

int64_t
versions_state(const struct versions *v, const struct versions_object *o,
               int64_t rev)
{
    int64_t made = o->rev;
    bool gone = o->gone;

    while (rev && made > rev) {
        const struct versions_change *c = versions_at(v, made);

        assert(c); /* rev is not below the log */
        made = c->prev_rev;
        gone = c->op == STORE_ADDED;
    }
    return gone ? 0 : made;
}
