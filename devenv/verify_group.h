/*
 * verify_group.h - what the groups of verify share; for verify_*.c only.
 *
 * A group is a function in a file of its own; it reports each check once. What
 * it cannot read is a miss with the server's words, and the other checks go
 * on. Between two checks verify_stopped says whether to go on.
 */
#ifndef DEVENV_VERIFY_GROUP_H
#define DEVENV_VERIFY_GROUP_H

#include "lib/base/json.h"

#include "devenv/manifest.h"
#include "devenv/verify.h"

struct verify {
    struct env *env;
    const struct verify_options *o;
    struct verify_result *result;
    const struct verify_group *group;
    const char *subject;
    struct strlist examples, packages; /* what is looked at */
    struct strlist nodes; /* "NAME IMAGE" of a Kind cluster's containers */
    bool dead;            /* the API does not answer, or no more */
    bool sandbox;         /* the cluster is one; known since V-b */
    int64_t last_ms;      /* of the check before */
};

typedef void verify_group_fn(struct verify *v);
verify_group_fn verify_alive, verify_versions, verify_conditions,
    verify_examples, verify_negative, verify_drift, verify_rules,
    verify_scratch;

/* ---- reporting ---- */
void verify_report(struct verify *v, enum verify_outcome outcome,
                   const char *name, const char *detail);
/* ok or a miss with detail; the name by format. */
void verify_say(struct verify *v, bool ok, const char *detail, const char *fmt,
                ...) PRINTF_LIKE(4, 5);
/* Something that is no check: why nothing was looked at. */
void verify_note(struct verify *v, const char *detail, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* One condition of object is True, for the object as it is now; a miss has its
 * reason and message, and what else is known (more; "" or NULL: nothing). */
bool verify_condition(struct verify *v, const struct json *object,
                      const char *name, const char *type, const char *more);
/* Whether to go on: not when a stop was asked for, nor without an API. */
bool verify_stopped(const struct verify *v);
/* A request failed: was it that nobody answered? Then nothing else is asked.
 * verify_get and verify_list do it themselves. why may be unset. */
void verify_heed(struct verify *v, const struct error *why);

/* Must there be Deployments of Crossplane? The sandbox has one built in; asked
 * after V-b began. */
bool verify_wants_crossplane(const struct verify *v);

/* ---- reading ---- */
#define VERIFY_ANSWER_MS 10000
/* A GET by kind, through discovery; NULL and err. ns may be NULL. */
struct json *verify_get(struct verify *v, const char *api_version,
                        const char *kind, const char *ns, const char *name,
                        struct error *err);
/* Calls fn with every object of a collection (it takes it); more than 200,000
 * are ERR_LIMIT. */
bool verify_each(struct verify *v, const struct kube_request *r,
                 void (*fn)(void *arg, struct json *object), void *arg,
                 struct error *err);
/* All of a small collection, as an array; NULL and err. 5,000 are ERR_LIMIT:
 * what was not seen cannot be proven. */
struct json *verify_list(struct verify *v, const struct kube_request *r,
                         struct error *err);
const char *verify_name_of(const struct json *object);

/* Warning events of the cluster, once read. */
struct verify_events {
    struct json *list; /* NULL: err */
    struct error err;
};
void verify_events_read(struct verify *v, struct verify_events *out);
void verify_events_release(struct verify_events *w);
/* The newest Warning about object after since_s ("Reason: message, xN"), in
 * fresh memory; NULL: none. */
char *verify_events_about(const struct verify_events *w,
                          const struct json *object, int64_t since_s);
/* lastTransitionTime of a condition, seconds since 1970; 0: none. */
int64_t verify_since(const struct json *object, const char *type);

#endif
