/*
 * control.h - what the controllers of the sandbox share.
 *
 * What: Crossplane's core and a simulated provider as functions that look at
 * one object each (a job) and bring the world one step nearer to it. They read
 * and write through registry.h alone. control.c keeps what they must remember
 * between jobs and decides which change makes which job.
 * What is remembered can be lost at any time: after a restart every object is
 * looked at once and it is all there again.
 * Lifetimes: struct control owns everything below it.
 */
#ifndef DEVENV_SANDBOX_CONTROL_H
#define DEVENV_SANDBOX_CONTROL_H

#include "lib/base/map.h"

#include "lib/compose/functions.h"
#include "lib/compose/pipeline.h"

#include "devenv/sandbox/queue.h"
#include "devenv/sandbox/registry.h"

#define CROSSPLANE_GROUP "apiextensions.crossplane.io"
#define PACKAGE_GROUP    "pkg.crossplane.io"
#define CORE_MANAGER     "crossplane"
#define PROVIDER_MANAGER "provider-sandbox"

/* A kind of composite resource, as its established XRD says. */
struct xr_type {
    char *xrd; /* the XRD's name */
    char *group, *version, *plural, *api_version, *kind;
    bool namespaced, legacy;
    char *enforced, *fallback; /* Composition names, NULL: none */
    char *claim_plural;        /* of its claims; NULL: it offers none */
    struct json *keys; /* of connection details to be published; NULL: all */
};

/* What is remembered of one composite resource. */
struct xr_state {
    struct xr_type *type; /* NULL: its XRD is gone */
    char *ns, *name;
    bool nested;             /* composed by another one */
    bool manual;             /* stays with the revision it has */
    int64_t seen;            /* newest resourceVersion of our own making */
    struct json *asked;      /* what its functions asked for last time */
    struct strlist children; /* keys in control.children */
    struct strlist wanted;   /* keys in control.wanted */
    struct map applied;      /* composition resource name -> struct applied */
    char status_hash[65];    /* of the desired status last applied */
    char *revision;          /* CompositionRevision in use */
    int64_t cost_ms;         /* how long the last look took */
    struct circuit *circuit; /* 2.3: of the events that ask for a look */
};

/* What was last applied of one composed resource. */
struct applied {
    char hash[65];
    int64_t revision; /* resourceVersion after it */
};

struct circuit;
struct provider;
struct server_module;
struct usage_index;

struct control {
    struct registry *registry;
    struct loop *loop;
    const struct clock *clock;
    bool core_23; /* as Crossplane 2.3, else as 2.0.8 */
    struct queue *queue;
    struct functions functions;
    struct map types;     /* "group/plural" -> struct xr_type */
    struct map claims;    /* the same for their claims, borrowed */
    struct map states;    /* "group/plural/ns/name" -> struct xr_state */
    struct map children;  /* object key -> struct followers */
    struct map wanted;    /* object or kind key -> struct followers */
    struct map pipelines; /* revision name -> struct pipeline */
    struct map fetched;   /* "group/Kind" -> struct map: selector -> items */
    size_t fetched_n;     /* objects in it */
    uint64_t heard;       /* resourceVersion of the newest event */
    uint64_t written;     /* the newest one after a job of the normal lane */
    bool low;             /* the job at hand is of the low lane */
    int64_t low_ms;       /* when the low lane was last served */
    struct usage_index *usages;
    struct map delays; /* the provider's: step and object -> int64_t ms */
    int64_t provider_delay_ms;
    struct provider *provider;
    struct registry_subscription *subscription;
    struct loop_timer *timer;
    void (*kick)(void *arg); /* asks for a turn */
    void *kick_arg;
};

/* ---- the whole (control.c) ---- */
extern const struct server_module crossplane_module; /* crossplane.c */

struct control_options {
    struct registry *registry;
    struct loop *loop;
    const struct clock *clock;
    int64_t provider_delay_ms; /* until a simulated resource is Ready */
    bool core_23;              /* as Crossplane 2.3, else as 2.0.8 */
    void (*kick)(void *arg);   /* there is work: call control_turn soon */
    void *kick_arg;
};
/* Serves Crossplane's own kinds and looks at everything that is there. */
struct control *control_new(const struct control_options *o, struct error *err);
void control_free(struct control *c);
/* Works for at most about 25 ms. True: there is more to do now. */
bool control_turn(struct control *c);
/* Nothing to do now (delayed jobs may wait). */
bool control_idle(const struct control *c);
/* The writes since the last commit were taken back: look at all again. */
void control_rolled_back(struct control *c);

/* ---- for the controllers ---- */
int64_t control_now_ms(const struct control *c); /* monotonic */
int64_t control_now_s(const struct control *c);  /* wall */
/* The kind of one of Crossplane's own resources, in the version core uses: v1
 * where there is one, else the preferred one. */
const struct kind *control_kind(struct control *c, const char *group,
                                const char *plural);
void control_add(struct control *c, enum job_kind kind, const char *group,
                 const char *plural, const char *ns, const char *name);
/* The same after delay_ms. */
void control_add_later(struct control *c, const struct job *j,
                       int64_t delay_ms);
/* Every object of a kind becomes a job. */
void control_add_all(struct control *c, enum job_kind kind,
                     const struct kind *k);
/* Every known composite resource for which pick (NULL: all) says yes, in the
 * low lane: there may be thousands. */
void control_add_xrs(struct control *c,
                     bool (*pick)(const struct xr_state *s, const void *arg),
                     const void *arg);
void control_event(struct control *c, const struct json *obj,
                   const char *component, bool warning, const char *reason,
                   const char *fmt, ...) PRINTF_LIKE(6, 7);
/* Sets a condition, as of obj's generation and now; message NULL or "": none.
 * True: something changed. */
bool control_mark(const struct control *c, struct json *obj, const char *type,
                  const char *status, const char *reason, const char *message);
/* Puts *obj through the status subresource; *obj becomes what is stored. False:
 * it was refused, *obj is as before. */
bool control_update_status(struct control *c, const struct kind *k,
                           const char *manager, struct json **obj);
/* The same for everything but status; st says why it was refused. */
bool control_update(struct control *c, const struct kind *k,
                    const char *manager, struct json **obj, struct status *st);

/* What a selector found among the objects of k, kept until one of them
 * changes: an array, or JSON null for a name that is not there; NULL: not
 * known. Belongs to the control, for this job. */
const struct json *control_fetched(struct control *c, const struct kind *k,
                                   struct str selector);
/* Takes items; answers what is kept. */
const struct json *control_keep_fetched(struct control *c, const struct kind *k,
                                        struct str selector,
                                        struct json *items);
/* One of Crossplane's own objects by name, or NULL; kept as above. */
const struct json *control_get(struct control *c, const char *plural,
                               const char *name);
/* Those with these labels ("a=b,c=d"; NULL: all); NULL: a bad selector. */
const struct json *control_list(struct control *c, const char *plural,
                                const char *labels, struct status *st);

/* Makes the activation policy that every Crossplane starts with. */
void control_default_policy(struct control *c);

/* ---- composite resources: what is remembered (xr_state.c) ---- */
struct xr_state *xr_state_need(struct control *c, struct xr_type *type,
                               const char *ns, const char *name);
struct xr_state *xr_state_find(struct control *c, const char *group,
                               const char *plural, const char *ns,
                               const char *name);
void xr_state_drop(struct control *c, struct xr_state *s);
/* Which objects the XR looks at from now on: its composed ones (an array of
 * references) and those its functions asked for (selectors). */
void xr_state_follow(struct control *c, struct xr_state *s,
                     const struct json *refs, const struct json *selectors);
/* Makes jobs of the XRs that look at the object. */
void xr_state_changed(struct control *c, const struct registry_event *e);
/* Whether the event may ask the XR for a look: 2.3's circuit says no when too
 * many do. It counts, so ask once for an event. */
bool xr_state_hears(struct control *c, struct xr_state *s,
                    const struct registry_event *e);
void xr_type_free(void *type);
void xr_state_free(void *state);
void xr_followers_free(void *followers);

/* ---- one file each: look at one object; false asks to be tried again ---- */
bool control_xrd(struct control *c, const struct job *j);
bool control_composition(struct control *c, const struct job *j);
bool control_revision(struct control *c, const struct job *j);
bool control_package(struct control *c, const struct job *j);
bool control_xr(struct control *c, const struct job *j);
bool control_claim(struct control *c, const struct job *j);
bool control_mrd(struct control *c, const struct job *j);
bool control_mrap(struct control *c, const struct job *j);
bool control_managed(struct control *c, const struct job *j);
bool control_workload(struct control *c, const struct job *j);
bool control_usage(struct control *c, const struct job *j);
bool control_replay(struct control *c, const struct job *j);

#endif
