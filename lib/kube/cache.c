#include "lib/kube/cache.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include "lib/kube/cache_in.h"

#define OBJECTS_MAX 200000
#define OBJECT_MAX  ((size_t)4 << 20)
#define ENVELOPE    4096
#define REST_MAX    ((size_t)1 << 20) /* of a list beside its items */
#define BATCH       1000

/* ---- telling ---- */

static void
tell_changes(void *arg)
{
    struct kube_cache *k = arg;
    struct kube_change v[BATCH];
    size_t n;

    k->telling = false;
    n = kube_store_take(&k->store, v, BATCH);
    if (k->store.queued) {
        k->telling = true;
        loop_defer(k->l, tell_changes, k);
    }
    if (n && k->fns.on_changes)
        k->fns.on_changes(k->fns.arg, v, n);
    kube_store_drop(v, n);
}

void
kube_cache_changed(struct kube_cache *k)
{
    if (k->telling || !k->store.queued)
        return;
    k->telling = true;
    loop_defer(k->l, tell_changes, k);
}

static void
tell_state(void *arg)
{
    struct kube_cache *k = arg;

    k->telling_state = false;
    if (k->fns.on_state)
        k->fns.on_state(k->fns.arg);
}

static void
state_changed(struct kube_cache *k)
{
    if (k->telling_state)
        return;
    k->telling_state = true;
    loop_defer(k->l, tell_state, k);
}

void
kube_cache_set_live(struct kube_cache *k, bool live)
{
    if (k->live == live && !(live && k->has_error))
        return;
    k->live = live;
    if (live) {
        k->has_error = false;
        k->as_of_ms = clock_wall_ms(k->clock);
    }
    state_changed(k);
}

void
kube_cache_heard(struct kube_cache *k)
{
    kube_reflect_heard(&k->r, clock_mono_ms(k->clock));
    k->as_of_ms = clock_wall_ms(k->clock);
}

void
kube_cache_set_stale(struct kube_cache *k, const struct error *err)
{
    k->error = *err;
    k->has_error = true;
    k->live = false;
    state_changed(k);
}

/* ---- caches ---- */

struct kube_cache *
kube_cache_new(struct kube_client *c, const struct kube_cache_options *o,
               const struct kube_cache_fns *fns, struct error *err)
{
    struct kube_cache *k;
    AUTO(buf_release) struct buf path = BUF_INIT(64 << 10);

    if (!kube_gvr_path(&o->gvr, o->ns, NULL, NULL, &path, err))
        return NULL;
    k = mem_zalloc(1, sizeof(*k));
    k->c = c;
    k->l = kube_client_loop(c);
    k->o = *o;
    k->o.gvr.group = k->group = mem_strdup(o->gvr.group ? o->gvr.group : "");
    k->o.gvr.version = k->api_version = mem_strdup(o->gvr.version);
    k->o.gvr.resource = k->resource = mem_strdup(o->gvr.resource);
    k->o.kind = k->kind = mem_strdup(o->kind);
    k->o.ns = k->ns = mem_strdup(o->ns);
    k->o.label_selector = k->labels = mem_strdup(o->label_selector);
    k->o.field_selector = k->fields = mem_strdup(o->field_selector);
    k->o.max_objects = o->max_objects ? o->max_objects : OBJECTS_MAX;
    k->o.max_object = o->max_object ? o->max_object : OBJECT_MAX;
    k->clock = o->clock ? o->clock : clock_system();
    kube_reflect_init(&k->r, o->backoff_ms);
    k->r.once = kube_client_once(c);
    k->r.plain = o->no_watchlist || k->r.once;
    if (fns)
        k->fns = *fns;
    buf_init(&k->line, k->o.max_object + ENVELOPE);
    kube_items_init(&k->items, o->form == KUBE_TABLE ? "rows" : "items",
                    k->o.max_object, REST_MAX, NULL, NULL);
    kube_store_init(&k->store, k->o.max_objects, o->form);
    kube_cache_begin(k);
    return k;
}

void
kube_cache_free(struct kube_cache *k)
{
    if (!k)
        return;
    kube_call_cancel(k->call);
    loop_timer_del(k->timer);
    loop_undefer(k->l, tell_changes, k);
    loop_undefer(k->l, tell_state, k);
    kube_store_release(&k->store);
    buf_release(&k->line);
    kube_items_release(&k->items);
    json_free(k->columns);
    free(k->kind);
    free(k->next);
    free(k->group);
    free(k->api_version);
    free(k->resource);
    free(k->ns);
    free(k->labels);
    free(k->fields);
    free(k);
}

void
kube_cache_retry(struct kube_cache *k)
{
    if (k->paused) {
        k->r.failures = 0;
        kube_cache_begin(k);
    }
}

/* ---- reading ---- */

enum kube_cache_state
kube_cache_state(const struct kube_cache *k)
{
    if (!k->synced)
        return KUBE_CACHE_SYNCING;
    /* Between its list and the watch the view has no fault either. */
    return k->has_error ? KUBE_CACHE_STALE : KUBE_CACHE_LIVE;
}

bool
kube_cache_synced(const struct kube_cache *k)
{
    return k->synced;
}

int64_t
kube_cache_as_of(const struct kube_cache *k)
{
    return k->live ? clock_wall_ms(k->clock) : k->as_of_ms;
}

const struct error *
kube_cache_error(const struct kube_cache *k)
{
    return k->has_error ? &k->error : NULL;
}

const struct json *
kube_cache_columns(const struct kube_cache *k)
{
    return k->columns;
}

size_t
kube_cache_bytes(const struct kube_cache *k)
{
    return k->store.bytes + k->store.cap * sizeof(*k->store.v);
}

size_t
kube_cache_count(const struct kube_cache *k)
{
    return k->store.n;
}

const struct kube_object *
kube_cache_at(const struct kube_cache *k, size_t i)
{
    return kube_store_at(&k->store, i);
}

size_t
kube_cache_lower(const struct kube_cache *k, const char *ns, const char *name)
{
    return kube_store_lower(&k->store, str_of(ns), str_of(name));
}

const struct kube_object *
kube_cache_find(const struct kube_cache *k, const char *ns, const char *name)
{
    const struct kube_object *o =
        kube_store_at(&k->store, kube_cache_lower(k, ns, name));

    return o && str_eq(o->ns, str_of(ns)) && str_eq(o->name, str_of(name))
               ? o
               : NULL;
}

bool
kube_cache_wait(struct kube_cache *k, int64_t timeout_ms, struct error *err)
{
    int64_t until = clock_mono_ms(clock_system()) + timeout_ms;

    while (!k->synced) {
        int64_t left = until - clock_mono_ms(clock_system());

        if (k->has_error && k->paused && k->error.code != ERR_TIMEOUT &&
            k->error.http != 429 && k->error.http < 500) {
            if (err)
                *err = k->error;
            return false;
        }
        if (left <= 0)
            return error_set(err, ERR_TIMEOUT,
                             "the list of %s was not complete after %.0f s",
                             k->o.gvr.resource, (double)timeout_ms / 1000.0);
        loop_turn(k->l, (int)MIN(left, 1000));
    }
    return true;
}
