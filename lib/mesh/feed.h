/*
 * feed.h - the objects of one kind, of everywhere or of where one may read.
 *
 * What: one live copy (lib/kube/cache.h) over all namespaces; when the server
 * forbids that, one for each namespace that the user may list (scope.h), read
 * as one collection. What stays forbidden says so: verb, resource and scope.
 * Invariants: iteration is sorted by namespace, then name. A copy that was
 * complete once is never exchanged: it goes stale and says why.
 * Lifetimes: objects as in cache.h. Free feeds before their scope and client.
 */
#ifndef LIB_MESH_FEED_H
#define LIB_MESH_FEED_H

#include "lib/kube/cache.h"

#include "lib/mesh/scope.h"

struct mesh_feed;

struct mesh_feed_options {
    const struct kube_kind *kind; /* not copied */
    enum kube_form form;
    const char *ns;   /* NULL: all, or cluster-scoped */
    const char *name; /* that object alone; NULL: all */
    const char *label_selector;
};

/* fns as for a cache, with the feed's own on_state; called from the loop. */
struct mesh_feed *mesh_feed_new(struct kube_client *c, struct mesh_scope *s,
                                const struct mesh_feed_options *o,
                                const struct kube_cache_fns *fns,
                                struct error *err);
void mesh_feed_free(struct mesh_feed *f);
/* To be called when the scope became known. */
void mesh_feed_scoped(struct mesh_feed *f);
void mesh_feed_retry(struct mesh_feed *f);

/* True once every copy was complete. */
bool mesh_feed_synced(const struct mesh_feed *f);
/* The server forbids it, does not serve it, or cannot list it. */
bool mesh_feed_refused(const struct mesh_feed *f);
/* The worst of its copies; SYNCING before a scope is known. */
enum kube_cache_state mesh_feed_state(const struct mesh_feed *f);
int64_t mesh_feed_as_of(const struct mesh_feed *f);
/* Why it is not LIVE, or NULL: "no permission: list widgets.example.org at
 * cluster scope", or the server's words. */
const struct error *mesh_feed_error(const struct mesh_feed *f);

size_t mesh_feed_count(const struct mesh_feed *f);
const struct kube_object *mesh_feed_at(const struct mesh_feed *f, size_t i);
const struct kube_object *mesh_feed_find(const struct mesh_feed *f,
                                         const char *ns, const char *name);
size_t mesh_feed_lower(const struct mesh_feed *f, const char *ns,
                       const char *name);
/* KUBE_TABLE: columnDefinitions, or NULL. */
const struct json *mesh_feed_columns(const struct mesh_feed *f);

#endif
