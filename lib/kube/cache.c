/*
 * The life of a cache, one step at a time (client-go tools/cache/reflector.go):
 *
 *   STEP_STREAM_LIST  WatchList: initial events, then the bookmark that ends
 *                     them; the same stream goes on as the watch
 *   STEP_LIST         paged LIST, where a server knows no WatchList
 *   STEP_WATCH        from the last resourceVersion
 *   STEP_PAUSE        a failure; a timer leads back to the next step
 *
 * The next step follows from two facts: `version` (a resourceVersion to watch
 * from, or "": list first) and `plain` (WatchList is not to be had).
 */
#include "lib/kube/cache.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/random.h"

#include "lib/kube/skim.h"
#include "lib/kube/store.h"

#define OBJECTS_MAX       200000
#define OBJECT_MAX        ((size_t)4 << 20)
#define ENVELOPE          4096
#define BACKOFF_MS        800
#define BACKOFF_MAX_MS    30000
#define STABLE_MS         10000
#define LIST_TIMEOUT_MS   120000
#define WATCH_S           300 /* to twice that */
#define STALL_MS          630000
#define STALL_BOOKMARK_MS 150000
/* A server that sends initial events is never this long between two. */
#define INITIAL_QUIET_MS 10000
#define BATCH            1000

enum step { STEP_STREAM_LIST, STEP_LIST, STEP_WATCH, STEP_PAUSE };

struct kube_cache {
    struct kube_client *c;
    struct loop *l;
    struct kube_cache_options o;
    char *group, *api_version, *resource, *ns, *labels, *fields;
    struct kube_cache_fns fns;
    struct kube_store store;
    enum step step;
    struct kube_call *call;
    struct loop_timer *timer; /* the pause, or the quiet of a stream list */
    struct buf line;
    char version[128]; /* to watch from; "": list first */
    bool plain;
    bool once; /* list, and no more */
    bool synced, live;
    bool has_error;
    bool bookmarks; /* this server sends them */
    bool spoke;     /* this stream had a line */
    bool telling, telling_state;
    unsigned failures, quick_ends;
    int64_t began_ms, heard_ms; /* of this stream, loop time */
    int64_t as_of_ms;           /* wall time */
    struct error error;
    struct error trouble; /* why we stopped the stream ourselves */
};

static void begin(void *arg);

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

static void
changed(struct kube_cache *k)
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

static void
set_live(struct kube_cache *k, bool live)
{
    if (k->live == live && !(live && k->has_error))
        return;
    k->live = live;
    if (live) {
        k->has_error = false;
        k->as_of_ms = clock_wall_ms(clock_system());
    }
    state_changed(k);
}

static void
heard(struct kube_cache *k)
{
    k->heard_ms = loop_now(k->l);
    k->as_of_ms = clock_wall_ms(clock_system());
}

static void
set_version(struct kube_cache *k, struct str version)
{
    if (version.n >= sizeof(k->version))
        version.n = 0; /* no server's: list anew */
    memcpy(k->version, version.s ? version.s : "", version.n);
    k->version[version.n] = '\0';
}

/* ---- failures ---- */

static void
pause_for(struct kube_cache *k, int64_t ms)
{
    k->step = STEP_PAUSE;
    loop_timer_del(k->timer);
    k->timer = loop_timer_add(k->l, ms, begin, k);
}

/* Marks the view, keeps it, tries again later. */
static void
failed(struct kube_cache *k, const struct error *err, int64_t retry_after_s)
{
    int64_t ms = k->o.backoff_ms;

    k->error = *err;
    k->has_error = true;
    k->live = false;
    state_changed(k);
    for (unsigned i = 0; i < k->failures && ms < BACKOFF_MAX_MS; i++)
        ms *= 2;
    k->failures++;
    ms = MIN(ms, BACKOFF_MAX_MS);
    ms += random_below((uint32_t)ms / 2 + 1);
    pause_for(k, MAX(ms, MIN(retry_after_s * 1000, BACKOFF_MAX_MS)));
}

/* A failure behind which a fresh list is needed. */
static void
forget_version(struct kube_cache *k)
{
    set_version(k, STR(""));
    k->quick_ends = 0;
}

static bool
is_gone(const struct error *err)
{
    return err->code == ERR_GONE || err->http == 410;
}

/* The server said no, and would again. */
static bool
is_refusal(const struct error *err)
{
    return (err->http / 100 == 4 && err->http != 429) || err->http == 501;
}

/* ---- lists ---- */

static void
list_complete(struct kube_cache *k, struct str version)
{
    kube_store_sweep(&k->store);
    k->synced = true;
    set_version(k, version);
    changed(k);
}

static bool
on_item(void *arg, struct str item)
{
    struct kube_cache *k = arg;
    bool ok;

    heard(k);
    if (item.n > k->o.max_object)
        ok = error_set(&k->trouble, ERR_LIMIT,
                       "an object of more than %zu bytes", k->o.max_object);
    else
        ok = kube_store_put(&k->store, item, NULL, &k->trouble);
    changed(k);
    return ok;
}

static void
on_list_end(void *arg, const struct kube_reply *r, const struct error *err)
{
    struct kube_cache *k = arg;

    k->call = NULL;
    if (k->trouble.code != ERR_NONE)
        err = &k->trouble;
    if (err) {
        failed(k, err, r->status ? r->status->retry_after_s : 0);
        return;
    }
    list_complete(k, str_of(r->resource_version));
    if (k->once)
        set_live(k, true);
    else
        begin(k);
}

static void
start_list(struct kube_cache *k, struct error *err)
{
    struct kube_request r = {
        .gvr = k->o.gvr,
        .ns = k->o.ns,
        .label_selector = k->o.label_selector,
        .field_selector = k->o.field_selector,
        .page = k->o.page,
        .timeout_ms = LIST_TIMEOUT_MS,
    };

    k->step = STEP_LIST;
    kube_store_begin(&k->store);
    k->call = kube_client_list(k->c, &r, on_item, on_list_end, k, err);
}

/* ---- streams ---- */

static bool
on_error_event(struct kube_cache *k, const struct kube_skim *s)
{
    struct kube_status status = {
        .http = (int)s->code,
        .reason = mem_strndup(s->reason.s, s->reason.n),
        .message = mem_strndup(s->message.s, s->message.n),
        .retry_after_s = -1,
    };

    kube_status_error(&status, &k->trouble);
    kube_status_release(&status);
    return false;
}

static bool
on_bookmark(struct kube_cache *k, const struct kube_skim *s)
{
    if (k->step == STEP_STREAM_LIST) {
        if (!s->initial_end)
            return true;
        k->step = STEP_WATCH;
        loop_timer_del(k->timer);
        k->timer = NULL;
        list_complete(k, s->o.version);
        set_live(k, true);
        return true;
    }
    k->bookmarks = true;
    if (s->o.version.n)
        set_version(k, s->o.version);
    return true;
}

static bool
on_object(struct kube_cache *k, struct str type, struct str object)
{
    struct str version = {0};
    bool ok = true;

    if (object.n > k->o.max_object)
        return error_set(&k->trouble, ERR_LIMIT,
                         "an object of more than %zu bytes", k->o.max_object);
    if (str_eq(type, STR("DELETED")))
        ok = kube_store_del(&k->store, object, &version, &k->trouble);
    else if (str_eq(type, STR("ADDED")) || str_eq(type, STR("MODIFIED")))
        ok = kube_store_put(&k->store, object, &version, &k->trouble);
    /* Initial events come in any order, later ones do not. */
    if (ok && k->step == STEP_WATCH && version.n)
        set_version(k, version);
    return ok;
}

static bool
on_event(struct kube_cache *k, struct str line)
{
    struct arena *a = k->store.scratch;
    struct str type, object;
    struct kube_skim s;

    if (!str_trim(line).n)
        return true;
    k->spoke = true;
    if (!kube_skim_event(line, &type, &object, &k->trouble))
        return false;
    if (str_eq(type, STR("BOOKMARK")) || str_eq(type, STR("ERROR"))) {
        arena_reset(a);
        if (!kube_skim_object(object, a, &s, &k->trouble))
            return false;
        return type.s[0] == 'B' ? on_bookmark(k, &s) : on_error_event(k, &s);
    }
    return on_object(k, type, object);
}

static bool
on_data(void *arg, struct str piece)
{
    struct kube_cache *k = arg;
    struct str line;
    bool ok = true;

    heard(k);
    while (ok && str_cut(piece, '\n', &line, &piece)) {
        if (k->line.n == 0) {
            ok = on_event(k, line);
        } else if (buf_str(&k->line, line)) {
            ok = on_event(k, buf_view(&k->line));
            buf_reset(&k->line);
        } else {
            break;
        }
    }
    if (ok && !k->line.over)
        buf_str(&k->line, line); /* what follows the last newline */
    if (k->line.over)
        ok = error_set(&k->trouble, ERR_LIMIT,
                       "an event of more than %zu bytes", k->line.max);
    changed(k);
    return ok;
}

static void
on_open(void *arg)
{
    struct kube_cache *k = arg;

    heard(k);
    k->began_ms = loop_now(k->l);
    if (k->step == STEP_WATCH)
        set_live(k, true);
}

/* The server ended the stream properly. A watch from a version the server has
 * not reached yet (its database was put back) ends at once, again and again:
 * then only a list helps. */
static void
on_clean_end(struct kube_cache *k)
{
    bool quick = loop_now(k->l) - k->began_ms < 1000 && !k->spoke;
    struct error err = {0};

    if (k->step == STEP_STREAM_LIST) {
        error_set(&err, ERR_NETWORK, "the list ended before it was complete");
        failed(k, &err, 0);
    } else if (!quick) {
        k->quick_ends = 0;
        begin(k);
    } else if (++k->quick_ends >= 2) {
        forget_version(k);
        begin(k);
    } else {
        error_set(&err, ERR_NETWORK, "the watch ended as soon as it began");
        failed(k, &err, 0);
    }
}

static void
on_stream_end(void *arg, const struct kube_reply *r, const struct error *err)
{
    struct kube_cache *k = arg;
    int64_t after = r->status ? r->status->retry_after_s : 0;

    k->call = NULL;
    buf_reset(&k->line);
    loop_timer_del(k->timer);
    k->timer = NULL;
    if (loop_now(k->l) - k->began_ms > STABLE_MS && r->http / 100 == 2)
        k->failures = 0;
    if (k->trouble.code != ERR_NONE)
        err = &k->trouble;
    if (!err) {
        on_clean_end(k);
    } else if (is_gone(err) && k->version[0]) {
        forget_version(k);
        begin(k);
    } else if (k->step == STEP_STREAM_LIST && is_refusal(err)) {
        k->plain = true;
        begin(k);
    } else if (is_refusal(err)) {
        /* Lists may be allowed where watches are not: then look again. */
        forget_version(k);
        failed(k, err, after);
    } else {
        failed(k, err, after);
    }
}

/* No event and no end of the initial ones: the server ignored our wish and
 * this is a plain watch. */
static void
on_initial_quiet(void *arg)
{
    struct kube_cache *k = arg;
    int64_t quiet = loop_now(k->l) - MAX(k->heard_ms, k->began_ms);

    if (quiet < INITIAL_QUIET_MS) {
        loop_timer_set(k->timer, INITIAL_QUIET_MS - quiet);
        return;
    }
    kube_call_cancel(k->call);
    k->call = NULL;
    k->plain = true;
    begin(k);
}

static bool
stream_path(const struct kube_cache *k, bool list, struct buf *path,
            struct error *err)
{
    char seconds[16];

    if (!kube_gvr_path(&k->o.gvr, k->o.ns, NULL, NULL, path, err))
        return false;
    kube_query_add(path, "watch", STR("true"));
    kube_query_add(path, "allowWatchBookmarks", STR("true"));
    if (list) {
        kube_query_add(path, "sendInitialEvents", STR("true"));
        kube_query_add(path, "resourceVersionMatch", STR("NotOlderThan"));
    } else {
        kube_query_add(path, "resourceVersion", str_of(k->version));
    }
    if (k->o.label_selector)
        kube_query_add(path, "labelSelector", str_of(k->o.label_selector));
    if (k->o.field_selector)
        kube_query_add(path, "fieldSelector", str_of(k->o.field_selector));
    snprintf(seconds, sizeof(seconds), "%u", WATCH_S + random_below(WATCH_S));
    kube_query_add(path, "timeoutSeconds", str_of(seconds));
    if (path->over)
        return error_set(err, ERR_LIMIT, "the selectors are too long");
    return true;
}

static void
start_stream(struct kube_cache *k, bool list, struct error *err)
{
    static const struct kube_stream_fns fns = {
        .on_open = on_open, .on_data = on_data, .on_end = on_stream_end};
    AUTO(buf_release) struct buf path = BUF_INIT(64 << 10);
    int64_t stall = k->o.stall_ms;

    if (!stall)
        stall = k->bookmarks ? STALL_BOOKMARK_MS : STALL_MS;
    k->step = list ? STEP_STREAM_LIST : STEP_WATCH;
    k->began_ms = loop_now(k->l);
    k->spoke = false;
    if (!stream_path(k, list, &path, err))
        return;
    if (list)
        kube_store_begin(&k->store);
    k->call = kube_client_stream(k->c, buf_cstr(&path), stall, &fns, k, err);
    if (k->call && list)
        k->timer = loop_timer_add(k->l, INITIAL_QUIET_MS, on_initial_quiet, k);
}

/* ---- the next step ---- */

static void
begin(void *arg)
{
    struct kube_cache *k = arg;
    struct error err = {0};

    loop_timer_del(k->timer);
    k->timer = NULL;
    k->trouble = (struct error){0};
    buf_reset(&k->line);
    if (k->version[0])
        start_stream(k, false, &err);
    else if (k->plain)
        start_list(k, &err);
    else
        start_stream(k, true, &err);
    if (!k->call)
        failed(k, &err, 0);
}

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
    k->o.ns = k->ns = mem_strdup(o->ns);
    k->o.label_selector = k->labels = mem_strdup(o->label_selector);
    k->o.field_selector = k->fields = mem_strdup(o->field_selector);
    k->o.max_objects = o->max_objects ? o->max_objects : OBJECTS_MAX;
    k->o.max_object = o->max_object ? o->max_object : OBJECT_MAX;
    k->o.backoff_ms = o->backoff_ms ? o->backoff_ms : BACKOFF_MS;
    k->once = kube_client_once(c);
    k->plain = o->no_watchlist || k->once;
    if (fns)
        k->fns = *fns;
    buf_init(&k->line, k->o.max_object + ENVELOPE);
    kube_store_init(&k->store, k->o.max_objects);
    begin(k);
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
    if (k->step == STEP_PAUSE) {
        k->failures = 0;
        begin(k);
    }
}

/* ---- reading ---- */

enum kube_cache_state
kube_cache_state(const struct kube_cache *k)
{
    if (!k->synced)
        return KUBE_CACHE_SYNCING;
    return k->live ? KUBE_CACHE_LIVE : KUBE_CACHE_STALE;
}

bool
kube_cache_synced(const struct kube_cache *k)
{
    return k->synced;
}

int64_t
kube_cache_as_of(const struct kube_cache *k)
{
    return k->live ? clock_wall_ms(clock_system()) : k->as_of_ms;
}

const struct error *
kube_cache_error(const struct kube_cache *k)
{
    return k->has_error ? &k->error : NULL;
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

        if (k->has_error && k->step == STEP_PAUSE &&
            k->error.code != ERR_TIMEOUT && k->error.http != 429 &&
            k->error.http < 500) {
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
