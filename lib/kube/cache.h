/*
 * cache.h - the live copy of one collection: list, then watch, for ever.
 *
 * What: keeps every object of (resource, namespace or all, selectors) as its
 * bytes plus a small projection, and tells what changed. WatchList first
 * (sendInitialEvents), else paged LIST and WATCH; bookmarks; 410 -> relist;
 * any failure -> the view stays, marked STALE with the server's words, and is
 * healed by itself after a back-off of 0.8 s, doubled to 30 s, with jitter
 * (reflect.h has the rules, after client-go's reflector). Three forms: whole
 * objects, their metadata alone, or rows of the server's own Table.
 * Invariants: iteration is sorted by namespace, then name (bytes). An object is
 * never changed in place: a new version is a new struct kube_object.
 * Lifetimes: an object pointer is valid until the loop turns on (a change may
 * replace it): copy what outlives that, or look it up again by name; uids are
 * stable. Free caches before their client.
 * Bodies: the object's JSON as the server sent it, without
 * metadata.managedFields and the annotation
 * kubectl.kubernetes.io/last-applied-configuration; parse the one that is
 * open (docs/STYLE.md rule 13). List items of core kinds have no apiVersion
 * and kind: take them from the kind you asked for.
 */
#ifndef LIB_KUBE_CACHE_H
#define LIB_KUBE_CACHE_H

#include "lib/base/clock.h"

#include "lib/kube/client.h"

struct kube_cache;

enum kube_form {
    KUBE_FULL,
    KUBE_META, /* PartialObjectMetadata: no spec, no status, no data */
    KUBE_TABLE /* a row: {"cells":[...],"object":{"metadata":{...}}}, with
                  kube_cache_columns; the metadata is projected as ever */
};

enum kube_cache_state {
    KUBE_CACHE_SYNCING, /* not everything is here yet */
    KUBE_CACHE_LIVE,
    KUBE_CACHE_STALE /* was complete; the connection is lost or broken */
};

/* A condition of status.conditions, by type. */
struct kube_condition {
    char status;       /* 'T', 'F', 'U'; 0: there is no such condition */
    struct str reason; /* "" when absent */
    int64_t since_s;   /* lastTransitionTime, or 0 */
};

struct kube_object {
    struct str ns, name, uid, version; /* NUL-terminated; version is the
                                          resourceVersion */
    int64_t generation;
    int64_t created_s, deleted_s; /* since 1970; 0: not */
    struct kube_condition ready, synced;
    struct str owner; /* uid of the controlling owner, "" when none */
    struct str body;  /* JSON text, NUL-terminated */
};

enum kube_change_type {
    KUBE_ADDED,
    KUBE_MODIFIED,
    KUBE_DELETED, /* object is its last state */
};

struct kube_change {
    enum kube_change_type type;
    const struct kube_object *object;
};

struct kube_cache_fns {
    /* What changed since the last call, at most once a turn of the loop and at
     * most 1,000 changes at once; several changes of one object are folded
     * into one. The cache may already be ahead of the changes told. May be
     * NULL. */
    void (*on_changes)(void *arg, const struct kube_change *v, size_t n);
    /* The state, the error or "as of" changed. May be NULL. */
    void (*on_state)(void *arg);
    void *arg;
};

struct kube_cache_options {
    struct kube_gvr gvr; /* strings are copied */
    const char *kind;    /* of its objects: events of others are skipped;
                            NULL: what the first list says */
    const char *ns;      /* NULL: all namespaces, or cluster-scoped */
    const char *label_selector, *field_selector;
    size_t max_objects; /* more is ERR_LIMIT and a STALE view; 0: 200,000 */
    size_t max_object;  /* bytes of one; 0: 4 MiB */
    unsigned page;      /* items a page of a LIST; 0: 500 */
    int64_t stall_ms;   /* longest silence of a watch; 0: 10.5 minutes, or
                           150 s once the server was seen to send bookmarks */
    int64_t backoff_ms; /* first back-off; 0: 800 */
    bool no_watchlist;  /* LIST and WATCH from the start */
    enum kube_form form;
    const struct clock *clock; /* NULL: the system's; of a test: all waiting
                                  but the loop's own timers */
};

/* Starts at once; the first callbacks come from the loop. */
struct kube_cache *kube_cache_new(struct kube_client *c,
                                  const struct kube_cache_options *o,
                                  const struct kube_cache_fns *fns,
                                  struct error *err);
/* Ends it; no callback after. NULL is fine. Not from its own callbacks. */
void kube_cache_free(struct kube_cache *k);
/* Gives up waiting for the back-off and tries now. */
void kube_cache_retry(struct kube_cache *k);
/* Looks at the clock now: is the stream silent for too long? For those whose
 * clock is their own (tests). */
void kube_cache_look(struct kube_cache *k);

enum kube_cache_state kube_cache_state(const struct kube_cache *k);
/* True once the first list was complete. */
bool kube_cache_synced(const struct kube_cache *k);
/* Wall time (ms since 1970) up to which the view is known to be true: of the
 * last byte from the server; 0 before the first. For LIVE: now. */
int64_t kube_cache_as_of(const struct kube_cache *k);
/* Why it is not LIVE, or NULL. */
const struct error *kube_cache_error(const struct kube_cache *k);

/* KUBE_TABLE: the server's columnDefinitions, or NULL; until the loop turns. */
const struct json *kube_cache_columns(const struct kube_cache *k);
/* Memory of all objects, bookkeeping included. */
size_t kube_cache_bytes(const struct kube_cache *k);
size_t kube_cache_count(const struct kube_cache *k);
/* The i-th in order, NULL past the last. O(1). */
const struct kube_object *kube_cache_at(const struct kube_cache *k, size_t i);
/* ns NULL or "" for cluster-scoped kinds. O(log n). */
const struct kube_object *kube_cache_find(const struct kube_cache *k,
                                          const char *ns, const char *name);
/* Position of the first object that does not sort before (ns, name): where a
 * namespace begins. */
size_t kube_cache_lower(const struct kube_cache *k, const char *ns,
                        const char *name);

/* Turns the loop until the first list is complete, for commands. Fails at
 * timeout_ms, or at once when the server refuses (403, 404). */
bool kube_cache_wait(struct kube_cache *k, int64_t timeout_ms,
                     struct error *err);

#endif
