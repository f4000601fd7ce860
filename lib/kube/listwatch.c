/*
 * Asks what reflect.h says comes next and gives it what became of it. One
 * question is open at a time: a stream (events, a line each), a page of a list
 * or the probe (both taken apart as they arrive, items.h).
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/random.h"

#include "lib/kube/cache_in.h"
#include "lib/kube/skim.h"

#define LIST_STALL_MS 60000
/* A server that sends initial events is never this long between two. */
#define INITIAL_QUIET_MS 10000
#define PAGE_ITEMS       500
#define PATH_MAX_BYTES   ((size_t)64 << 10)

static int64_t
now(const struct kube_cache *k)
{
    return clock_mono_ms(k->clock);
}

/* ---- ends ---- */

static void
set_timer(struct kube_cache *k, int64_t ms, loop_fn *fn)
{
    loop_timer_del(k->timer);
    k->timer = loop_timer_add(k->l, ms, fn, k);
    k->paused = fn == kube_cache_begin;
}

static bool
is_too_large(const struct kube_status *s)
{
    for (size_t i = 0; s && i < s->causes_n; i++) {
        if (str_eqz(str_of(s->causes[i].reason), "ResourceVersionTooLarge"))
            return true;
    }
    /* Servers before 1.19 say it in words only. */
    return s &&
           str_contains(str_of(s->message), STR("Too large resource version"));
}

/* The question ended without what was asked for; err NULL: properly. */
static void
ended(struct kube_cache *k, const struct kube_status *s,
      const struct error *err)
{
    bool own = k->trouble.code != ERR_NONE;
    struct kube_reflect_end e = {
        .ask = k->ask,
        .err = own ? &k->trouble : err,
        .answered = k->answered,
        .continued = k->pages > 0,
        .too_large = own ? k->too_large : is_too_large(s),
        .retry_after_s = own ? k->retry_after_s
                         : s ? s->retry_after_s
                             : -1,
    };
    struct error none = {0};
    int64_t ms;
    bool lost;

    error_set(&none, ERR_NETWORK, "%s",
              k->ask == KUBE_ASK_WATCH
                  ? "the watch ended as soon as it began"
                  : "the list ended before it was complete");
    ms = kube_reflect_ended(&k->r, now(k), &e, random_below, &lost);
    if (lost)
        kube_cache_set_stale(k, e.err ? e.err : &none);
    free(k->next);
    k->next = NULL;
    set_timer(k, ms, kube_cache_begin);
}

static void
complete(struct kube_cache *k, struct str version, bool in_pages)
{
    kube_store_sweep(&k->store);
    k->synced = true;
    kube_reflect_listed(&k->r, version, in_pages);
    kube_cache_changed(k);
}

/* ---- objects ---- */

/* Events of another kind are none of ours (client-go skips them). Who was not
 * told the kind takes the first list's word for it, never a watch's. */
static bool
is_foreign(struct kube_cache *k, struct str kind)
{
    if (!kind.n ||
        (k->o.form == KUBE_META && str_eqz(kind, "PartialObjectMetadata")))
        return false;
    if (!k->kind && k->ask == KUBE_ASK_STREAM)
        k->kind = mem_strndup(kind.s, kind.n);
    return k->kind && !str_eqz(kind, k->kind);
}

/* "WidgetList" */
static void
learn_kind(struct kube_cache *k, const struct json *list)
{
    struct str kind = str_of(json_string_or(json_get(list, "kind"), ""));

    if (!k->kind && k->o.form == KUBE_FULL && kind.n > 4 &&
        str_ends(kind, STR("List")))
        k->kind = mem_strndup(kind.s, kind.n - 4);
}

static bool
too_big(struct kube_cache *k, struct str text)
{
    return text.n > k->o.max_object &&
           !error_set(&k->trouble, ERR_LIMIT,
                      "an object of more than %zu bytes", k->o.max_object);
}

static bool
on_item(void *arg, struct str item)
{
    struct kube_cache *k = arg;

    if (k->ask == KUBE_ASK_PROBE)
        return true;
    return !too_big(k, item) &&
           kube_store_put(&k->store, item, NULL, &k->trouble);
}

/* The columns of a Table; the first one of a stream has them. */
static void
take_columns(struct kube_cache *k, const struct json *rest)
{
    struct json *c = json_get(rest, "columnDefinitions");

    if (!json_is(c, JSON_ARRAY) || !json_len(c))
        return;
    json_free(k->columns);
    k->columns = json_copy(c);
}

/* ---- events ---- */

static bool
on_error_event(struct kube_cache *k, struct str object)
{
    struct kube_status status;
    struct kube_skim s;

    arena_reset(k->store.scratch);
    if (!kube_skim_object(object, k->store.scratch, &s, &k->trouble))
        return false;
    kube_status_read(s.code ? (int)s.code : 500, object, -1, &status);
    kube_status_error(&status, &k->trouble);
    k->too_large = is_too_large(&status);
    k->retry_after_s = status.retry_after_s;
    kube_status_release(&status);
    return false;
}

static bool
out_of_order(struct kube_cache *k, struct str version)
{
    return error_set(&k->trouble, ERR_PARSE,
                     "the server's events are out of order: version %.*s after "
                     "%s",
                     (int)MIN(version.n, 40), version.s, k->r.version);
}

static bool
on_bookmark(struct kube_cache *k, const struct kube_skim *s)
{
    if (k->ask == KUBE_ASK_STREAM) {
        if (!s->initial_end)
            return true;
        k->ask = KUBE_ASK_WATCH;
        complete(k, s->o.version, false);
        k->r.spoke = true;
        kube_cache_set_live(k, true);
        return true;
    }
    k->r.bookmarks = true;
    return kube_reflect_saw(&k->r, s->o.version, true) ||
           out_of_order(k, s->o.version);
}

static bool
on_change(struct kube_cache *k, struct str type, struct str object,
          const struct kube_skim *s)
{
    bool added = str_eq(type, STR("ADDED"));

    if (!added && !str_eq(type, STR("MODIFIED")) &&
        !str_eq(type, STR("DELETED")))
        return true; /* of a later Kubernetes */
    if (k->ask == KUBE_ASK_WATCH &&
        !kube_reflect_saw(&k->r, s->o.version, !added))
        return out_of_order(k, s->o.version);
    k->r.spoke = true;
    if (type.s[0] == 'D')
        return kube_store_drop_skimmed(&k->store, s, &k->trouble);
    return kube_store_put_skimmed(&k->store, object, s, &k->trouble);
}

struct row_event {
    struct kube_cache *k;
    struct str type;
    bool any;
};

/* A row of a Table that an event holds. */
static bool
on_row(void *arg, struct str row)
{
    struct row_event *e = arg;
    struct kube_cache *k = e->k;
    struct kube_skim s;

    e->any = true;
    arena_reset(k->store.scratch);
    if (!kube_skim_row(row, k->store.scratch, &s, &k->trouble))
        return false;
    if (str_eq(e->type, STR("BOOKMARK")))
        return on_bookmark(k, &s);
    if (str_eq(e->type, STR("ERROR")))
        return on_error_event(k, s.object);
    return on_change(k, e->type, row, &s);
}

static bool
on_table_event(struct kube_cache *k, struct str type, struct str object)
{
    struct row_event e = {k, type, false};
    struct json *tree;
    struct str rest;
    bool ok;

    kube_items_reset(&k->items);
    k->items.fn = on_row;
    k->items.arg = &e;
    ok = kube_items_feed(&k->items, object, &k->trouble) &&
         kube_items_end(&k->items, &rest, &k->trouble);
    if (!ok || (e.any && k->columns))
        return ok;
    tree = json_parse(rest, NULL, &k->trouble);
    take_columns(k, tree);
    if (tree && !e.any && str_eq(type, STR("ERROR")))
        ok = on_error_event(k, rest);
    json_free(tree);
    return ok && tree;
}

static bool
on_event(struct kube_cache *k, struct str line)
{
    struct str type, object;
    struct kube_skim s;

    if (!str_trim(line).n)
        return true;
    if (!kube_skim_event(line, &type, &object, &k->trouble) ||
        too_big(k, object))
        return false;
    if (k->o.form == KUBE_TABLE)
        return on_table_event(k, type, object);
    if (str_eq(type, STR("ERROR")))
        return on_error_event(k, object);
    arena_reset(k->store.scratch);
    if (!kube_skim_object(object, k->store.scratch, &s, &k->trouble))
        return false;
    if (is_foreign(k, s.kind)) {
        k->r.spoke = true;
        return true;
    }
    return str_eq(type, STR("BOOKMARK")) ? on_bookmark(k, &s)
                                         : on_change(k, type, object, &s);
}

/* ---- streams ---- */

static bool
on_stream_data(void *arg, struct str piece)
{
    struct kube_cache *k = arg;
    struct str line;
    bool ok = true;

    kube_cache_heard(k);
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
    kube_cache_changed(k);
    return ok;
}

static void
on_stream_open(void *arg)
{
    struct kube_cache *k = arg;

    k->answered = true;
    kube_cache_heard(k);
    if (k->ask == KUBE_ASK_WATCH)
        kube_cache_set_live(k, true);
}

static void
on_stream_end(void *arg, const struct kube_reply *r, const struct error *err)
{
    struct kube_cache *k = arg;

    k->call = NULL;
    /* A proper end inside a line was made by somebody between. */
    if (!err && k->trouble.code == ERR_NONE && str_trim(buf_view(&k->line)).n)
        error_set(&k->trouble, ERR_NETWORK,
                  "the stream was cut inside of an event");
    buf_reset(&k->line);
    ended(k, r->status, err);
}

static void
stop_call(struct kube_cache *k)
{
    kube_call_cancel(k->call);
    k->call = NULL;
}

/* Silence: of a link that is dead, or of a server that took our WatchList for
 * a plain watch. */
static void
on_silence(void *arg)
{
    struct kube_cache *k = arg;
    int64_t quiet = now(k) - k->r.heard_ms;
    int64_t left = kube_reflect_stall(&k->r, now(k), k->o.stall_ms);

    if (k->ask == KUBE_ASK_STREAM && k->answered && quiet >= INITIAL_QUIET_MS) {
        stop_call(k);
        k->r.plain = true;
        set_timer(k, 0, kube_cache_begin);
    } else if (left == 0) {
        stop_call(k);
        error_set(&k->trouble, ERR_TIMEOUT, "%s was silent for %.0f s",
                  kube_client_access(k->c)->server, (double)quiet / 1000.0);
        ended(k, NULL, NULL);
    } else {
        if (k->ask == KUBE_ASK_STREAM)
            left = MIN(left, MAX(INITIAL_QUIET_MS - quiet, 1000));
        set_timer(k, left, on_silence);
    }
}

void
kube_cache_look(struct kube_cache *k)
{
    if (k->timer && !k->paused && k->call)
        on_silence(k);
}

/* ---- lists ---- */

static bool
on_list_data(void *arg, struct str piece)
{
    struct kube_cache *k = arg;
    bool ok;

    kube_cache_heard(k);
    ok = kube_items_feed(&k->items, piece, &k->trouble);
    kube_cache_changed(k);
    return ok;
}

static void
on_list_open(void *arg)
{
    ((struct kube_cache *)arg)->answered = true;
}

/* A page: its version and where to go on; false when it is no list. */
static bool
read_page(struct kube_cache *k, struct error *err)
{
    const char *version, *next;
    struct json *tree;
    struct str rest;

    if (!kube_items_end(&k->items, &rest, err))
        return false;
    tree = json_parse(rest, NULL, err);
    if (!tree)
        return false;
    version = json_string(json_at(tree, "metadata", "resourceVersion", NULL));
    next = json_string(json_at(tree, "metadata", "continue", NULL));
    if (!k->pages)
        snprintf(k->first, sizeof(k->first), "%s", version ? version : "");
    free(k->next);
    k->next = next && *next ? mem_strdup(next) : NULL;
    take_columns(k, tree);
    learn_kind(k, tree);
    /* An empty list may be null; anything else without items must at least
     * be called a list. */
    bool list = k->items.found ||
                str_ends(str_of(json_string_or(json_get(tree, "kind"), "")),
                         STR("List"));

    json_free(tree);
    return list || error_set(err, ERR_PARSE, "the answer is no list");
}

static void
on_list_end(void *arg, const struct kube_reply *r, const struct error *err)
{
    struct kube_cache *k = arg;
    struct error own = {0};

    k->call = NULL;
    if (!err && k->trouble.code == ERR_NONE && !read_page(k, &own)) {
        k->trouble = own;
        k->trouble.http = 0;
    }
    if (err || k->trouble.code != ERR_NONE) {
        ended(k, r->status, err);
    } else if (k->ask == KUBE_ASK_PROBE) {
        free(k->next);
        k->next = NULL;
        kube_reflect_probed(&k->r, str_of(k->first));
        kube_cache_begin(k);
    } else if (k->next) {
        k->pages++;
        kube_cache_begin(k);
    } else {
        complete(k, str_of(k->first), k->pages > 0);
        if (k->r.once)
            kube_cache_set_live(k, true);
        else
            kube_cache_begin(k);
    }
}

/* ---- questions ---- */

static const char *
accept_of(const struct kube_cache *k, bool list)
{
    static const char *const forms[][2] = {
        [KUBE_FULL] = {"application/json", "application/json"},
        [KUBE_META] =
            {"application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,"
             "application/json",
             "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,"
             "application/json"},
        [KUBE_TABLE] = {"application/json;as=Table;v=v1;g=meta.k8s.io",
                        "application/json;as=Table;v=v1;g=meta.k8s.io"},
    };

    return forms[k->o.form][list];
}

static void
add_number(struct buf *path, const char *key, unsigned n)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", n);
    kube_query_add(path, key, str_of(text));
}

static void
add_stream(const struct kube_cache *k, struct buf *path)
{
    kube_query_add(path, "watch", STR("true"));
    kube_query_add(path, "allowWatchBookmarks", STR("true"));
    if (k->ask == KUBE_ASK_STREAM) {
        kube_query_add(path, "sendInitialEvents", STR("true"));
        kube_query_add(path, "resourceVersionMatch", STR("NotOlderThan"));
    } else if (k->r.version[0]) {
        kube_query_add(path, "resourceVersion", str_of(k->r.version));
    }
    add_number(path, "timeoutSeconds", k->r.seconds);
}

static void
add_list(const struct kube_cache *k, struct buf *path)
{
    const char *version = kube_reflect_list_version(&k->r);

    if (k->ask == KUBE_ASK_PROBE) {
        add_number(path, "limit", 1);
        return;
    }
    if (kube_reflect_pages(&k->r))
        add_number(path, "limit", k->o.page ? k->o.page : PAGE_ITEMS);
    if (k->next)
        kube_query_add(path, "continue", str_of(k->next));
    else if (*version)
        kube_query_add(path, "resourceVersion", str_of(version));
}

static bool
make_path(const struct kube_cache *k, struct buf *path, struct error *err)
{
    bool list = k->ask == KUBE_ASK_LIST || k->ask == KUBE_ASK_PROBE;

    if (!kube_gvr_path(&k->o.gvr, k->o.ns, NULL, NULL, path, err))
        return false;
    if (list)
        add_list(k, path);
    else
        add_stream(k, path);
    if (k->o.form == KUBE_TABLE)
        kube_query_add(path, "includeObject", STR("Metadata"));
    if (k->o.label_selector)
        kube_query_add(path, "labelSelector", str_of(k->o.label_selector));
    if (k->o.field_selector)
        kube_query_add(path, "fieldSelector", str_of(k->o.field_selector));
    return !path->over ||
           error_set(err, ERR_LIMIT, "the selectors are too long");
}

static void
ask_stream(struct kube_cache *k, struct error *err)
{
    AUTO(buf_release) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    kube_reflect_began(&k->r, now(k), random_below);
    if (!make_path(k, &path, err))
        return;
    if (k->ask == KUBE_ASK_STREAM)
        kube_store_begin(&k->store);
    k->stream = (struct kube_stream_fns){accept_of(k, false), on_stream_open,
                                         on_stream_data, on_stream_end};
    k->call = kube_client_stream(k->c, buf_cstr(&path), 0, &k->stream, k, err);
    if (k->call)
        set_timer(k, 0, on_silence);
}

static void
ask_list(struct kube_cache *k, struct error *err)
{
    AUTO(buf_release) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    if (!k->pages && k->ask == KUBE_ASK_LIST)
        kube_store_begin(&k->store);
    kube_items_reset(&k->items);
    k->items.fn = on_item;
    k->items.arg = k;
    k->stream = (struct kube_stream_fns){accept_of(k, true), on_list_open,
                                         on_list_data, on_list_end};
    if (make_path(k, &path, err))
        k->call = kube_client_stream(k->c, buf_cstr(&path), LIST_STALL_MS,
                                     &k->stream, k, err);
}

void
kube_cache_begin(void *arg)
{
    struct kube_cache *k = arg;
    struct error err = {0};

    loop_timer_del(k->timer);
    k->timer = NULL;
    k->paused = k->answered = k->too_large = false;
    k->trouble = (struct error){0};
    k->retry_after_s = -1;
    buf_reset(&k->line);
    /* The next page of the same list, or another question. */
    if (!k->next) {
        k->ask = kube_reflect_ask(&k->r);
        k->pages = 0;
    }
    if (k->ask == KUBE_ASK_LIST || k->ask == KUBE_ASK_PROBE)
        ask_list(k, &err);
    else
        ask_stream(k, &err);
    if (!k->call) {
        k->trouble = err;
        ended(k, NULL, &err);
    }
}
