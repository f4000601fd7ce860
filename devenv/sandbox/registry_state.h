/*
 * registry_state.h - the inside of struct registry, for the files that make it
 * up, and what they share: keys, facts of an object, storing.
 */
#ifndef DEVENV_SANDBOX_REGISTRY_STATE_H
#define DEVENV_SANDBOX_REGISTRY_STATE_H

#include "devenv/sandbox/gc.h"
#include "devenv/sandbox/hub.h"
#include "devenv/sandbox/kinds.h"
#include "devenv/sandbox/registry.h"
#include "devenv/sandbox/selectors.h"
#include "devenv/sandbox/store.h"

struct registry {
    struct loop *loop;
    const struct clock *clock;
    struct store *store;
    struct hub *hub;
    struct kinds kinds;
    struct gc *gc;
    struct registry_subscription *subs;
    struct loop_timer *timer;
    struct map emitted;       /* identity of an event -> "ns/name", owned */
    struct map terminating;   /* namespaces that are going */
    struct map going;         /* "group/plural" whose CRD is going */
    registry_guard_fn *guard; /* or NULL */
    void *guard_arg;
    registry_gate_fn *gate; /* or NULL */
    void *gate_arg;
    registry_admit_fn *admit; /* or NULL */
    void *admit_arg;
    struct buf print; /* scratch of stored_put */
};

/* ---- facts: what lists, selectors and the collector ask of an object ---- */

struct stored_owner {
    char *uid, *api_version, *kind, *name;
    bool block;
};
struct stored_facts {
    const char *uid;
    struct str labels; /* their JSON, in the object's bytes; or empty */
    bool deleting;
    bool foreground, orphan; /* has the finalizer of that propagation */
    size_t owners_n;
    struct stored_owner owners[];
};
/* The facts of a stored object; kept with its bytes, made when asked for. */
const struct stored_facts *stored_facts(struct blob *b);
bool stored_labels_match(const struct selector *labels, struct blob *b);

/* ---- keys, reading, storing ---- */

/* "ns/name" or "name" into b; valid until b changes. */
struct str stored_key(const struct kind *k, const char *ns, const char *name,
                      struct buf *b);
bool stored_find(struct registry *r, const struct kind *k, const char *ns,
                 const char *name, struct store_item *out);
/* The tree of a stored object as kind k shows it. */
struct json *stored_read(const struct kind *k, struct blob *b);
/* Whether stored bytes can be shown by k as they are, and otherwise how many
 * leading bytes are to be replaced by *head; SIZE_MAX: the object has to be
 * read as a tree. */
size_t stored_raw_head(const struct kind_info *k, struct str text,
                       struct str *head);
/* Stores obj under a new resourceVersion, which is also set in obj. expect as
 * for store_put. False: conflict, exists, or the store is full. */
bool stored_put(struct registry *r, const struct kind *k, struct json *obj,
                int64_t expect, struct status *st);
/* Deletes; obj is its last state and gets the revision of the delete. */
bool stored_remove(struct registry *r, const struct kind *k, struct json *obj,
                   int64_t expect, struct status *st);
const char *stored_name(const struct json *obj);
const char *stored_ns(const struct json *obj); /* "" when it has none */
bool stored_deleting(const struct json *obj);
/* "2026-11-21T05:00:00Z" of now. */
void registry_now(const struct registry *r, char out[CLOCK_RFC3339_LEN]);

/* ---- parts with a life of their own ---- */

/* Puts the CRDs of the store into the table, in place of what is there. */
void registry_reload(struct registry *r);
/* Serves the versions of a CRD from now on. */
void registry_serve(struct registry *r, const struct json *crd);
/* Ends the watches of a kind that changed or goes. */
void registry_drop_views(struct registry *r, const struct kind_info *k);
/* Every committed event. */
void registry_on_event(void *arg, const struct store_event *e);
/* Namespaces and definitions that are going; true when something was done. */
bool registry_turn(struct registry *r);

#endif
