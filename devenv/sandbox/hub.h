/*
 * hub.h - who hears of committed events: watches over HTTP, and controllers.
 *
 * What: a watch walks the store's event log at its client's speed, so the log
 * is its queue and a slow watch costs nothing; one that falls behind the log's
 * oldest event is ended (its client lists again, as Kubernetes' do). Events
 * are formatted once per (event, view) and the bytes shared by all watches of
 * the view; a selector is evaluated once per (state, selector) as well. States
 * are read from the store only where somebody wants to see them. Wake-ups are
 * joined: at once when the hub was idle, then every 10 ms (15 with 200 watches,
 * never more than 25). Only committed events are ever shown. Lifetimes: views
 * and listeners live as long as the hub; a watch belongs to the hub once
 * started and dies with its stream.
 */
#ifndef DEVENV_SANDBOX_HUB_H
#define DEVENV_SANDBOX_HUB_H

#include "devenv/sandbox/http.h"
#include "devenv/sandbox/store.h"

struct hub;
struct hub_view;
struct hub_watch;

struct hub *hub_new(struct loop *l, struct store *s);
void hub_free(struct hub *h);
/* Shows the events committed since the last call to listeners (at once) and
 * wakes watches. Called by the server after each commit. */
void hub_turn(struct hub *h);
size_t hub_watches(const struct hub *h);

/* ---- controllers ---- */
/* Calls fn for each committed event of kind (kind.s NULL: of every kind), in
 * order, after its commit. fn may write to the store. */
typedef void hub_event_fn(void *arg, const struct store_event *e);
void hub_listen(struct hub *h, struct str kind, hub_event_fn *fn, void *arg);

/* ---- how a watch's events look ---- */
enum hub_type { HUB_ADDED, HUB_MODIFIED, HUB_DELETED };
struct hub_view_ops {
    /* Appends one line with its newline. json is the object to show; rev is
     * the resourceVersion it must show (differs from the one inside json when
     * an object stopped matching a selector: old content, new revision).
     * first: nothing was sent on this stream before (a Table's columns). */
    void (*event)(void *arg, enum hub_type type, struct blob *json, int64_t rev,
                  bool first, struct buf *out);
    void (*bookmark)(void *arg, int64_t rev, bool initial_end, bool first,
                     struct buf *out);
    void (*free)(void *arg); /* or NULL */
};
/* The view called name ("apis/g/v/plural;table;Metadata"): two requests that
 * want the same bytes give the same name. Made with ops and arg when new;
 * otherwise arg is freed through ops->free at once. */
struct hub_view *hub_view(struct hub *h, const char *name,
                          const struct hub_view_ops *ops, void *arg);
/* Forgets the view (its kind changed or is gone): watches that use it are
 * ended, a later hub_view makes it anew. */
void hub_view_drop(struct hub *h, const char *name);

/* ---- watches ---- */
struct hub_watch_options {
    struct str kind; /* copied, as ns and name */
    struct str ns;   /* only this namespace; empty: all */
    struct str name; /* only this object; empty: all */
    struct hub_view *view;
    /* True when json matches the selectors; NULL: everything does. */
    bool (*filter)(void *filter_arg, struct blob *json);
    void *filter_arg;
    void (*filter_free)(void *filter_arg); /* or NULL */
    /* Watches of one view whose filters have the same name (copied) answer
     * alike and ask once for each state; NULL: each asks for itself. */
    const char *filter_name;
    /* Shows events above since. With initial, first the objects as they are
     * now as ADDED, then everything after that; since is not used. */
    int64_t since;
    bool initial;
    /* After the initial objects a bookmark with the initial-events-end
     * annotation; then bookmarks about once a minute and 2 s before the end.
     */
    bool bookmarks;
    bool initial_end_bookmark;
    int64_t timeout_ms; /* ends cleanly then; 0: 30 to 60 minutes */
    const char *type;   /* content type; NULL: application/json */
};
/* Answers r with the stream. ERR_GONE when since is below the log (the caller
 * then answers with one ERROR event): r is still to be answered then.
 * filter_arg is the hub's in both cases. */
bool hub_watch(struct hub *h, struct http_request *r,
               const struct hub_watch_options *o, struct error *err);

/* The same without HTTP, for tests: wake is called when there is something to
 * read; hub_watch_read is an http_stream_ops.read. */
struct hub_watch *hub_watch_new(struct hub *h,
                                const struct hub_watch_options *o,
                                void (*wake)(void *arg), void *arg,
                                struct error *err);
size_t hub_watch_read(struct hub_watch *w, char *out, size_t max);
void hub_watch_free(struct hub_watch *w);

#endif
