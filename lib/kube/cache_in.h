/*
 * cache_in.h - inside of cache.h: what cache.c (state, telling, reading) and
 * listwatch.c (questions and answers) share.
 */
#ifndef LIB_KUBE_CACHE_IN_H
#define LIB_KUBE_CACHE_IN_H

#include "lib/base/json.h"

#include "lib/kube/cache.h"
#include "lib/kube/items.h"
#include "lib/kube/reflect.h"
#include "lib/kube/store.h"

struct kube_cache {
    struct kube_client *c;
    struct loop *l;
    const struct clock *clock;
    struct kube_cache_options o;
    char *group, *api_version, *resource, *ns, *labels, *fields;
    struct kube_cache_fns fns;
    struct kube_store store;
    struct kube_reflect r;
    enum kube_ask ask; /* the question that is open */
    struct kube_call *call;
    struct kube_stream_fns stream; /* of call */
    struct loop_timer *timer;      /* the pause, or the silence of a stream */
    struct buf line;               /* of a stream, as far as it came */
    struct kube_items items;       /* of a list, or of a Table in an event */
    char *next;                    /* continue token of the list, or NULL */
    char first[128];               /* the list's version, of its first page */
    size_t pages;
    struct json *columns; /* columnDefinitions, or NULL */
    char *kind;           /* what events hold; NULL: not known */
    bool paused;          /* the timer is a pause */
    bool answered;        /* a head came */
    bool synced, live;
    bool has_error;
    bool telling, telling_state;
    int64_t as_of_ms; /* wall time */
    struct error error;
    struct error trouble;  /* why we stopped the question ourselves */
    bool too_large;        /* the trouble is a version too large */
    int64_t retry_after_s; /* the trouble says so, or -1 */
};

/* Asks the next question; for the timer as well. */
void kube_cache_begin(void *arg);
/* ---- of cache.c ---- */
void kube_cache_changed(struct kube_cache *k);
void kube_cache_set_live(struct kube_cache *k, bool live);
/* Keeps the view, and says why it is not live. */
void kube_cache_set_stale(struct kube_cache *k, const struct error *err);
void kube_cache_heard(struct kube_cache *k);

#endif
