/*
 * live.h - the model of a cluster, kept live.
 *
 * What: discovery, one cache a kind (the mesh's kinds, the kinds that occur in
 * references, XRDs, Compositions, Functions, Usages where served), the model
 * fed from them, and a planner that reads them. The caches are open to screens
 * and commands, so that nothing is asked for twice.
 * Invariants: a kind is watched once a tree refers to it and stays watched; of
 * Kubernetes' own kinds (Secrets!) trees only need what Crossplane composed:
 * the others are not asked for unless a screen or a plan wants the kind; of
 * Secrets, ConfigMaps and the like metadata alone. What a screen shows is
 * watched while it shows it. A user who may not list over all namespaces gets
 * those he may read (feed.h, scope.h).
 * Lifetimes: free it before its client. The model's lifetimes are model.h's;
 * bodies live until the loop turns on.
 */
#ifndef LIB_MESH_LIVE_H
#define LIB_MESH_LIVE_H

#include "lib/kube/cache.h"
#include "lib/kube/discovery.h"

#include "lib/mesh/feed.h"
#include "lib/mesh/model.h"
#include "lib/mesh/planner.h"

struct mesh_live;

struct mesh_live_fns {
    /* Something visible changed, at most once a turn of the loop. May be
     * NULL. */
    void (*on_change)(void *arg);
    void *arg;
};

/* Starts discovery and the first watches. The client is used, not owned. */
struct mesh_live *mesh_live_new(struct kube_client *c,
                                const struct mesh_live_fns *fns,
                                struct error *err);
/* The same on a discovery that is there already (used, not owned; it must
 * outlive the model): the server is not asked twice what it serves. NULL makes
 * one. */
struct mesh_live *mesh_live_new_on(struct kube_client *c,
                                   struct kube_discovery *discovery,
                                   const struct mesh_live_fns *fns,
                                   struct error *err);
void mesh_live_free(struct mesh_live *l);
void mesh_live_free_ptr(struct mesh_live **l);

struct mesh *mesh_live_model(struct mesh_live *l);
struct kube_discovery *mesh_live_discovery(struct mesh_live *l);
struct mesh_planner *mesh_live_planner(struct mesh_live *l);
/* The objects of a kind for a screen, watched until as many drops; what is
 * there already is shared (whole objects are given for any form). Left, it is
 * kept for half a minute, at most four of them, so that who goes back does not
 * list again. NULL and err when the kind cannot be watched. */
struct mesh_feed *mesh_live_hold(struct mesh_live *l,
                                 const struct mesh_feed_options *o,
                                 struct error *err);
/* NULL is fine. */
void mesh_live_drop(struct mesh_live *l, struct mesh_feed *f);
/* For tests: that half minute. And how many feeds there are. */
void mesh_live_unseen(struct mesh_live *l, int64_t ms);
size_t mesh_live_feeds(const struct mesh_live *l);
/* From now on every object of the kind is in the model, whoever composed it;
 * mesh_live_wait waits for them. */
bool mesh_live_follow(struct mesh_live *l, const struct kube_kind *kind,
                      struct error *err);
/* The JSON text of an item from its cache; {NULL, 0} when it has none. */
struct str mesh_live_body(struct mesh_live *l, const struct mesh_item *i);

struct mesh_live_state {
    bool synced;  /* every kind of the mesh and every referred kind is here */
    bool live;    /* and none is stale */
    bool no_mesh; /* the cluster serves no DataProduct */
    int64_t as_of_ms;            /* wall; the oldest of the stale ones */
    const struct error *problem; /* the first, or NULL */
};
void mesh_live_state(const struct mesh_live *l, struct mesh_live_state *out);
/* Tries again now what waits for a back-off. */
void mesh_live_retry(struct mesh_live *l);
/* Turns the loop until synced, for commands. */
bool mesh_live_wait(struct mesh_live *l, int64_t timeout_ms, struct error *err);

#endif
