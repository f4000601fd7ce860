#include "devenv/sandbox/hub.h"

#include <stdlib.h>

#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/random.h"

/*
 * A watch is a position in the store's log. Its reader (called by http.c when
 * the connection can take bytes) formats from there on; when nothing is left
 * it sleeps, and flush wakes those for whom something came. A view remembers
 * the lines of the last events, so that of 200 watches one formats and 199
 * copy. The initial objects are read from the store at the revision the watch
 * began with, so a big list is never held in memory for a slow client.
 */

#define JOIN_MS      10 /* between two flushes, */
#define JOIN_MAX_MS  25 /* more with many watches: a flush writes to each */
#define JOIN_WATCHES 40 /* that many cost 1 ms more */
#define BOOKMARK_MS  55000
#define LAST_WORD_MS 2000 /* a bookmark that long before the end */
#define LIFE_MS      1800000
#define VIEW_LINES   512 /* a power of two */
#define LINE_MAX     ((size_t)64 << 20)

struct listener {
    const char *kind; /* the store's pointer; NULL: every kind */
    hub_event_fn *fn;
    void *arg;
};

/* A formatted event, kept while it is young. */
struct line {
    int64_t rev;
    enum hub_type type;
    struct blob *text;
};

/* What a selector said of the last states; shared by its watches. */
struct verdicts {
    struct verdicts *next;
    char *name;
    size_t users;
    struct {
        int64_t rev;
        bool match;
    } v[VIEW_LINES];
};

struct hub_view {
    struct hub *hub;
    struct verdicts *verdicts;
    const struct hub_view_ops *ops;
    void *arg;
    size_t users; /* watches, and the hub while it is known by name */
    bool dropped;
    struct line lines[VIEW_LINES];
};

enum phase { OBJECTS, EVENTS, OVER };

struct hub_watch {
    struct hub *hub;
    struct hub_watch *next, **link;
    const char *kind;
    char *ns, *name;
    struct hub_view *view;
    struct verdicts *verdicts; /* or NULL */
    struct hub_watch_options o;
    enum phase phase;
    struct store_cursor cursor; /* of OBJECTS */
    int64_t at;                 /* everything up to here was shown */
    bool first, awake, initial_end;
    bool bookmark_due;
    int64_t bookmark_at, end_at; /* loop's time */
    struct blob *text;           /* under way */
    size_t text_at;
    void (*wake)(void *arg);
    void *wake_arg;
    struct http_stream *stream;
};

struct hub {
    struct loop *loop;
    struct store *store;
    struct map views;
    struct listener *listeners;
    size_t listeners_n, listeners_cap;
    struct hub_watch *watches;
    size_t watches_n;
    int64_t heard, flushed; /* revisions */
    int64_t flushed_ms;
    struct loop_timer *flush_timer, *timer;
    int64_t timer_at; /* INT64_MAX: not armed */
    bool flush_armed;
};

/* ---- views ---- */

static void
view_leave(struct hub_view *v)
{
    if (--v->users > 0)
        return;
    for (size_t i = 0; i < VIEW_LINES; i++)
        blob_drop(v->lines[i].text);
    if (v->ops->free)
        v->ops->free(v->arg);
    free(v);
}

struct hub_view *
hub_view(struct hub *h, const char *name, const struct hub_view_ops *ops,
         void *arg)
{
    struct hub_view *v = map_get(&h->views, str_of(name));

    if (v) {
        if (ops->free)
            ops->free(arg);
        return v;
    }
    v = mem_zalloc(1, sizeof(*v));
    v->hub = h;
    v->ops = ops;
    v->arg = arg;
    v->users = 1;
    map_put(&h->views, str_of(name), v);
    return v;
}

void
hub_view_drop(struct hub *h, const char *name)
{
    struct hub_view *v = map_del(&h->views, str_of(name));

    if (!v)
        return;
    v->dropped = true;
    for (struct hub_watch *w = h->watches; w; w = w->next) {
        if (w->view == v)
            w->wake(w->wake_arg);
    }
    view_leave(v);
}

/* Takes the formatted bytes of b. */
static struct blob *
to_blob(struct buf *b)
{
    struct blob *text = blob_new(buf_view(b));

    buf_release(b);
    return text;
}

/* One event as a watch sees it. */
struct sight {
    enum hub_type type;
    int64_t rev, json_rev; /* the event's; of the state to show */
};

/* The line of an event; one user more. */
static struct blob *
view_line(struct hub_view *v, const struct sight *s, bool first)
{
    struct line *l = &v->lines[(size_t)s->rev & (VIEW_LINES - 1)];
    struct buf b = BUF_INIT(LINE_MAX);

    if (!first && l->text && l->rev == s->rev && l->type == s->type)
        return blob_keep(l->text);
    v->ops->event(v->arg, s->type, store_state(v->hub->store, s->json_rev),
                  s->rev, first, &b);

    struct blob *text = to_blob(&b);

    if (!first) {
        blob_drop(l->text);
        *l = (struct line){s->rev, s->type, blob_keep(text)};
    }
    return text;
}

/* ---- selectors ---- */

static struct verdicts *
verdicts_join(struct hub_view *v, const char *name)
{
    struct verdicts *x = v->verdicts;

    while (x && strcmp(x->name, name) != 0)
        x = x->next;
    if (!x) {
        x = mem_zalloc(1, sizeof(*x));
        x->name = mem_strdup(name);
        x->next = v->verdicts;
        v->verdicts = x;
    }
    x->users++;
    return x;
}

static void
verdicts_leave(struct hub_view *v, struct verdicts *x)
{
    struct verdicts **at = &v->verdicts;

    if (!x || --x->users > 0)
        return;
    while (*at != x)
        at = &(*at)->next;
    *at = x->next;
    free(x->name);
    free(x);
}

static bool
matches(const struct hub_watch *w, struct blob *json)
{
    return !w->o.filter || w->o.filter(w->o.filter_arg, json);
}

/* Whether the state that revision rev left is for w. */
static bool
wants(const struct hub_watch *w, int64_t rev)
{
    size_t i = (size_t)rev & (VIEW_LINES - 1);
    struct verdicts *x = w->verdicts;

    if (!w->o.filter)
        return true;
    if (!x)
        return matches(w, store_state(w->hub->store, rev));
    if (x->v[i].rev != rev) {
        x->v[i].match = matches(w, store_state(w->hub->store, rev));
        x->v[i].rev = rev;
    }
    return x->v[i].match;
}

/* ---- what a watch shows next ---- */

/* The states are read only when a filter or the client wants to see them. */
static bool
sees(const struct hub_watch *w, const struct store_event *e, struct sight *s)
{
    bool gone = e->op == STORE_DELETED, now, before;

    if (e->kind != w->kind || (*w->ns && !str_eqz(e->ns, w->ns)) ||
        (*w->name && !str_eqz(e->name, w->name)))
        return false;
    now = !gone && wants(w, e->rev);
    before = e->prev_rev && wants(w, e->prev_rev);
    if (!now && !before)
        return false;
    s->rev = e->rev;
    s->json_rev = now || gone ? e->rev : e->prev_rev;
    s->type = !now ? HUB_DELETED : before ? HUB_MODIFIED : HUB_ADDED;
    return true;
}

/* Steps over what is not for w; true when an event for it comes next. */
static bool
next_event(struct hub_watch *w, struct sight *s)
{
    int64_t last = store_committed(w->hub->store);
    struct store_event e;

    while (w->at < last && store_event_head(w->hub->store, w->at + 1, &e)) {
        if (sees(w, &e, s))
            return true;
        w->at++;
    }
    return false;
}

static struct blob *
next_object(struct hub_watch *w)
{
    struct store_item it;
    struct buf b = BUF_INIT(LINE_MAX);

    while (w->at && store_next(&w->cursor, &it)) {
        if ((*w->name && !str_eqz(it.name, w->name)) || !matches(w, it.json))
            continue;
        w->view->ops->event(w->view->arg, HUB_ADDED, it.json, it.rev, w->first,
                            &b);
        w->first = false;
        return to_blob(&b);
    }
    w->phase = EVENTS;
    return NULL;
}

static struct blob *
bookmark(struct hub_watch *w, bool initial_end)
{
    struct buf b = BUF_INIT(LINE_MAX);

    w->view->ops->bookmark(w->view->arg, w->at, initial_end, w->first, &b);
    w->first = false;
    return to_blob(&b);
}

/* The next piece of text; NULL: nothing now, or phase is OVER. */
static struct blob *
next_text(struct hub_watch *w)
{
    struct blob *text;
    struct sight s;

    if (w->view->dropped || w->at < store_oldest(w->hub->store))
        w->phase = OVER;
    if (w->phase == OBJECTS && (text = next_object(w)))
        return text;
    if (w->phase != EVENTS)
        return NULL;
    if (w->initial_end) {
        w->initial_end = false;
        return bookmark(w, true);
    }
    if (next_event(w, &s)) {
        text = view_line(w->view, &s, w->first);
        w->first = false;
        w->at = s.rev;
        return text;
    }
    if (w->bookmark_due) {
        w->bookmark_due = false;
        return bookmark(w, false);
    }
    if (loop_now(w->hub->loop) >= w->end_at)
        w->phase = OVER;
    return NULL;
}

size_t
hub_watch_read(struct hub_watch *w, char *out, size_t max)
{
    size_t done = 0;

    while (done < max) {
        if (!w->text) {
            w->text = next_text(w);
            w->text_at = 0;
        }
        if (!w->text)
            break;

        size_t n = MIN(w->text->n - w->text_at, max - done);

        memcpy(out + done, w->text->data + w->text_at, n);
        done += n;
        w->text_at += n;
        if (w->text_at == w->text->n) {
            blob_drop(w->text);
            w->text = NULL;
        }
    }
    if (!done && w->phase == OVER)
        return HTTP_STREAM_END;
    w->awake = done > 0;
    return done;
}

/* ---- waking ---- */

static void
flush(void *arg)
{
    struct hub *h = arg;
    struct sight s;

    h->flush_armed = false;
    h->flushed = store_committed(h->store);
    h->flushed_ms = loop_now(h->loop);
    for (struct hub_watch *w = h->watches, *next; w; w = next) {
        next = w->next;
        /* One that is awake will come for more by itself. */
        if (!w->awake && w->phase == EVENTS && next_event(w, &s)) {
            w->awake = true;
            w->wake(w->wake_arg);
        }
    }
}

static void
tell_listeners(struct hub *h)
{
    struct store_event e;

    while (h->heard < store_committed(h->store)) {
        h->heard++;
        for (size_t i = 0; i < h->listeners_n; i++) {
            struct listener *l = &h->listeners[i];

            if (!store_event_head(h->store, h->heard, &e))
                break;
            if ((!l->kind || l->kind == e.kind) &&
                store_event(h->store, h->heard, &e))
                l->fn(l->arg, &e);
        }
    }
}

void
hub_turn(struct hub *h)
{
    int64_t since = loop_now(h->loop) - h->flushed_ms;
    int64_t join = JOIN_MS + (int64_t)(h->watches_n / JOIN_WATCHES);

    join = MIN(join, JOIN_MAX_MS);
    tell_listeners(h);
    if (h->flush_armed || h->flushed == store_committed(h->store))
        return;
    if (since >= join) {
        flush(h);
        return;
    }
    h->flush_armed = true;
    loop_timer_set(h->flush_timer, join - since);
}

/* ---- bookmarks and ends ---- */

/* When w next needs the timer. */
static int64_t
next_date(const struct hub_watch *w)
{
    int64_t at = w->end_at;

    if (w->o.bookmarks)
        at = MIN(at, w->bookmark_at);
    return at;
}

static void
arm(struct hub *h, int64_t at)
{
    if (at >= h->timer_at)
        return;
    h->timer_at = at;
    loop_timer_set(h->timer, MAX(0, at - loop_now(h->loop)));
}

/* The next bookmark: in about a minute, or 2 s before the end. */
static void
date_bookmark(struct hub_watch *w, int64_t now)
{
    int64_t last = w->end_at - LAST_WORD_MS;

    w->bookmark_at = now + BOOKMARK_MS;
    if (now < last && w->bookmark_at > last)
        w->bookmark_at = last;
    else if (now >= last)
        w->bookmark_at = INT64_MAX;
}

static void
on_timer(void *arg)
{
    struct hub *h = arg;
    int64_t now = loop_now(h->loop), at = INT64_MAX;

    h->timer_at = INT64_MAX;
    for (struct hub_watch *w = h->watches, *next; w; w = next) {
        bool due = now >= w->end_at;

        next = w->next;
        if (w->o.bookmarks && now >= w->bookmark_at) {
            date_bookmark(w, now);
            w->bookmark_due = due = true;
        }
        if (now < w->end_at)
            at = MIN(at, next_date(w));
        if (due && !w->awake) {
            w->awake = true;
            w->wake(w->wake_arg);
        }
    }
    if (at != INT64_MAX)
        arm(h, at);
}

/* ---- watches ---- */

static void
begin(struct hub_watch *w, const struct hub_watch_options *o)
{
    struct store *s = w->hub->store;

    w->kind = store_intern(s, o->kind);
    w->ns = mem_strndup(o->ns.s, o->ns.n);
    w->name = mem_strndup(o->name.s, o->name.n);
    w->view->users++;
    if (o->filter && o->filter_name)
        w->verdicts = verdicts_join(w->view, o->filter_name);
    w->o.filter_name = NULL; /* the caller's */
    w->first = true;
    w->initial_end = o->initial && o->initial_end_bookmark;
    w->at = o->initial ? store_committed(s) : o->since;
    /* Of the future nothing is known: such a stream ends at once. */
    w->phase = o->initial ? OBJECTS : w->at > store_rev(s) ? OVER : EVENTS;
    store_scan(s, str_of(w->kind), str_of(w->ns), STR(""), w->at, &w->cursor);
    w->end_at =
        loop_now(w->hub->loop) +
        (o->timeout_ms > 0 ? o->timeout_ms : LIFE_MS + random_below(LIFE_MS));
    date_bookmark(w, loop_now(w->hub->loop));
}

struct hub_watch *
hub_watch_new(struct hub *h, const struct hub_watch_options *o,
              void (*wake)(void *arg), void *arg, struct error *err)
{
    if (!o->initial && o->since < store_oldest(h->store)) {
        error_set(err, ERR_GONE, "too old resource version: %lld (%lld)",
                  (long long)o->since, (long long)store_oldest(h->store));
        if (o->filter_free)
            o->filter_free(o->filter_arg);
        return NULL;
    }
    struct hub_watch *w = mem_zalloc(1, sizeof(*w));

    w->hub = h;
    w->view = o->view;
    w->o = *o;
    w->wake = wake;
    w->wake_arg = arg;
    begin(w, o);
    w->next = h->watches;
    w->link = &h->watches;
    if (w->next)
        w->next->link = &w->next;
    h->watches = w;
    h->watches_n++;
    arm(h, next_date(w));
    return w;
}

void
hub_watch_free(struct hub_watch *w)
{
    if (!w)
        return;
    *w->link = w->next;
    if (w->next)
        w->next->link = w->link;
    w->hub->watches_n--;
    verdicts_leave(w->view, w->verdicts);
    view_leave(w->view);
    store_cursor_release(&w->cursor);
    blob_drop(w->text);
    if (w->o.filter_free)
        w->o.filter_free(w->o.filter_arg);
    free(w->ns);
    free(w->name);
    free(w);
}

static size_t
read_watch(void *arg, char *out, size_t max)
{
    return hub_watch_read(arg, out, max);
}

static void
close_watch(void *arg)
{
    hub_watch_free(arg);
}

static void
wake_stream(void *arg)
{
    struct hub_watch *w = arg;

    http_stream_wake(w->stream);
}

bool
hub_watch(struct hub *h, struct http_request *r,
          const struct hub_watch_options *o, struct error *err)
{
    static const struct http_stream_ops ops = {read_watch, close_watch};
    struct hub_watch *w = hub_watch_new(h, o, wake_stream, NULL, err);

    if (!w)
        return false;
    w->wake_arg = w;
    w->awake = true; /* the server asks for the first bytes by itself */
    w->stream = http_stream(r, o->type, &ops, w);
    return true;
}

/* ---- the hub ---- */

struct hub *
hub_new(struct loop *l, struct store *s)
{
    struct hub *h = mem_zalloc(1, sizeof(*h));

    h->loop = l;
    h->store = s;
    h->heard = h->flushed = store_committed(s);
    h->flushed_ms = loop_now(l) - JOIN_MS;
    h->timer_at = INT64_MAX;
    h->flush_timer = loop_timer_add(l, -1, flush, h);
    h->timer = loop_timer_add(l, -1, on_timer, h);
    return h;
}

static void
forget_view(void *arg)
{
    view_leave(arg);
}

void
hub_free(struct hub *h)
{
    if (!h)
        return;
    while (h->watches)
        hub_watch_free(h->watches);
    map_release(&h->views, forget_view);
    loop_timer_del(h->flush_timer);
    loop_timer_del(h->timer);
    free(h->listeners);
    free(h);
}

size_t
hub_watches(const struct hub *h)
{
    return h->watches_n;
}

void
hub_listen(struct hub *h, struct str kind, hub_event_fn *fn, void *arg)
{
    h->listeners = mem_grow(h->listeners, &h->listeners_cap, h->listeners_n + 1,
                            sizeof(*h->listeners));
    h->listeners[h->listeners_n++] = (struct listener){
        kind.s ? store_intern(h->store, kind) : NULL, fn, arg};
}
