/*
 * crossplane_watch.h - live copies of a few kinds, judged until all is well or
 * nothing can become well any more.
 *
 * What: a watch holds a cache per kind and turns the loop until its judge says
 * that it is done or has failed; the judge sees whole objects, knows since when
 * it has seen a state, and reports parts of the step. One judge of pods serves
 * Crossplane's own and those of functions.
 * Why: a wait that only looks for success takes its whole limit to tell of a
 * name that is spelt wrong (devenv.md 3.4).
 * Lifetimes: watch_open ... watch_close; objects as kube_cache.
 */
#ifndef DEVENV_CROSSPLANE_WATCH_H
#define DEVENV_CROSSPLANE_WATCH_H

#include "lib/base/clock.h"

#include "devenv/crossplane.h"

#define WATCH_KINDS 6

enum watch_verdict {
    WATCH_WAIT, /* not yet; the step's detail says what for */
    WATCH_DONE,
    WATCH_FAILED /* err is filled */
};

struct watch_since {
    char *key;
    int64_t ms;
    bool seen; /* in this look */
};

struct watch {
    struct env *env;
    struct step_run *run;
    struct kube_cache *caches[WATCH_KINDS];
    const char *names[WATCH_KINDS]; /* "pods", for details */
    size_t n;
    struct watch_since *since;
    size_t since_n, since_cap;
    enum watch_verdict verdict;
    struct error *err;
    const struct clock *clock;
    int64_t began_ms;
};

struct watch_kind {
    struct kube_gvr gvr;
    const char *ns; /* NULL: all, or cluster-scoped */
    const char *field_selector, *label_selector;
    const char *what;
};

typedef enum watch_verdict watch_judge(void *arg, struct watch *w,
                                       struct error *err);

/* Opens a cache per row (the last has a NULL what), at most WATCH_KINDS. */
bool watch_open(struct watch *w, struct env *e, struct step_run *run,
                const struct watch_kind *kinds, struct error *err);
void watch_close(struct watch *w);
/* Turns the loop until every first list is there. */
bool watch_sync(struct watch *w, int64_t limit_ms, struct error *err);
/* Judges after each change and at least every 200 ms. Limit passed:
 * ERR_TIMEOUT with the last detail. */
bool watch_until(struct watch *w, int64_t limit_ms, watch_judge *judge,
                 void *arg, struct error *err);
/* How long, in ms, the judge has gone on saying key; 0 at first. A key that was
 * not said in one look begins anew. */
int64_t watch_since(struct watch *w, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A tree of the object; the caller frees it. */
struct json *watch_object(const struct kube_object *o);

/* ---- pods ---- */

struct pod_state {
    bool ready;
    char what[200]; /* "Running", "Init:ImagePullBackOff", for parts */
    char why[900];  /* the kubelet's or the scheduler's words, or "" */
    /* The newest failure of an init container, "" when none failed; for its
     * log. */
    char failed_init[64];
    int64_t restarts;
};

/* Reads a pod; what is wrong for longer than may be fails (MT-PKG-PULL,
 * MT-NET-RATELIMIT, MT-POD-START). WATCH_DONE: Ready. */
enum watch_verdict watch_pod(struct watch *w, const struct json *pod,
                             struct pod_state *out, struct error *err);
/* The last line of the log of a container's previous run, else of this one's;
 * "" when there is none. Turns the loop. */
void watch_last_log(struct watch *w, const char *ns, const char *pod,
                    const char *container, char *out, size_t size);

#endif
