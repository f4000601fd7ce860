#include "devenv/sandbox/versions.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#define LOG_FIRST_CAP 1024 /* a power of two */

void
versions_init(struct versions *v)
{
    *v = (struct versions){.next_row = 1};
}

static void
change_release(struct versions_change *c)
{
    blob_drop(c->json);
    blob_drop(c->prev);
}

static void
kind_free(void *arg)
{
    struct versions_kind *k = arg;

    for (struct index_node *n = k->index.head[0]; n; n = index_next(n)) {
        struct versions_object *o = n->value;

        blob_drop(o->json);
        free(o);
    }
    index_release(&k->index);
    free(k->name);
    free(k);
}

void
versions_release(struct versions *v)
{
    for (size_t i = 0; i < v->log_n; i++)
        change_release(&v->log[(v->log_first + i) & (v->log_cap - 1)]);
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

        *o = (struct versions_object){.kind = k, .node = n};
        o->row = v->next_row++;
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

/* Puts json (whose user o takes over) and rev into o and keeps the sums. */
static void
object_set(struct versions *v, struct versions_object *o, struct blob *json,
           int64_t rev)
{
    if (o->json) {
        o->kind->live--;
        v->live--;
        v->live_bytes -= o->json->n;
        blob_drop(o->json);
    }
    if (json) {
        o->kind->live++;
        v->live++;
        v->live_bytes += json->n;
    }
    o->json = json;
    o->rev = rev;
}

bool
versions_load(struct versions *v, struct str kind, struct str key, int64_t row,
              int64_t rev, struct blob *json)
{
    struct versions_object *o;

    if (versions_find(v, kind, key))
        return false;
    o = object_need(v, versions_kind(v, kind), key);
    o->row = row;
    if (v->next_row <= row)
        v->next_row = row + 1;
    object_set(v, o, blob_keep(json), rev);
    return true;
}

/* ---- the log ---- */

/* What only the log keeps alive. */
static size_t
change_bytes(const struct versions_change *c)
{
    return (c->prev ? c->prev->n : 0) +
           (c->op == STORE_DELETED ? c->json->n : 0);
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
                enum store_op op, struct blob *json, int64_t now_ms)
{
    struct versions_object *o = object_need(v, kind, key);
    bool gone = op == STORE_DELETED;

    if (v->log_n == v->log_cap)
        log_grow(v);
    v->rev++;
    v->log_n++;

    struct versions_change *c = versions_at(v, v->rev);

    *c = (struct versions_change){
        .object = o,
        .op = op,
        .json = blob_keep(json),
        .prev = o->json ? blob_keep(o->json) : NULL,
        .prev_rev = o->rev,
        .at_ms = now_ms,
    };
    v->log_bytes += change_bytes(c);
    object_set(v, o, gone ? NULL : blob_keep(json), v->rev);
}

void
versions_undo(struct versions *v)
{
    while (v->rev > v->committed) {
        struct versions_change *c = versions_at(v, v->rev);
        struct versions_object *o = c->object;

        v->log_bytes -= change_bytes(c);
        object_set(v, o, c->prev ? blob_keep(c->prev) : NULL, c->prev_rev);
        if (!c->prev_rev)
            object_remove(v, o);
        change_release(c);
        v->rev--;
        v->log_n--;
    }
}

static void
forget_oldest(struct versions *v)
{
    struct versions_change *c = &v->log[v->log_first];
    int64_t rev = v->rev - (int64_t)v->log_n + 1;

    v->log_bytes -= change_bytes(c);
    /* A tombstone is there for the log's sake alone. */
    if (c->op == STORE_DELETED && c->object->rev == rev)
        object_remove(v, c->object);
    change_release(c);
    v->log_first = (v->log_first + 1) & (v->log_cap - 1);
    v->log_n--;
}

void
versions_trim(struct versions *v, size_t max_n, size_t max_bytes,
              int64_t before_ms)
{
    while (v->log_n && v->rev - (int64_t)v->log_n < v->committed &&
           (v->log_n > max_n || v->log_bytes > max_bytes ||
            v->log[v->log_first].at_ms < before_ms))
        forget_oldest(v);
}

bool
versions_state(const struct versions *v, const struct versions_object *o,
               int64_t rev, struct store_item *out)
{
    struct blob *json = o->json;
    int64_t made = o->rev;

    while (rev && made > rev) {
        const struct versions_change *c = versions_at(v, made);

        assert(c); /* rev is not below the log */
        json = c->prev;
        made = c->prev_rev;
    }
    if (!json)
        return false;
    *out = (struct store_item){.key = o->node->key, .json = json, .rev = made};
    versions_split(out->key, &out->ns, &out->name);
    return true;
}
