/*
 * env.h - a profile and the connection to its cluster, while a command runs.
 *
 * Lifetimes: env_open ... env_release; client and discovery are there after
 * env_connect. The loop is the caller's.
 */
#ifndef DEVENV_ENV_H
#define DEVENV_ENV_H

#include "lib/kube/cache.h"
#include "lib/kube/discovery.h"

#include "devenv/profile.h"
#include "devenv/step.h"

struct env {
    struct loop *loop;
    struct profile profile;
    struct kube_client *client;
    struct kube_discovery *discovery;
};

bool env_open(struct env *e, struct loop *loop, const char *profile,
              struct error *err);
/* Connects with the profile's kubeconfig; a profile that is not up is
 * ERR_NOT_FOUND with the remedy. Connecting again is fine. */
bool env_connect(struct env *e, struct error *err);
void env_disconnect(struct env *e);
void env_release(struct env *e);

/* Looks at one object of a kind; fills why (one short phrase) and answers
 * false when it is not as wanted. Asked again when an object changed. */
typedef bool env_check_fn(void *arg, const struct kube_object *o,
                          struct buf *why);

struct env_wait {
    struct kube_gvr gvr;
    size_t at_least;  /* objects there must be */
    const char *what; /* "data products" */
    env_check_fn *check;
    void *arg;
    int64_t limit_ms;
};

/* Waits on a watch until every object of each row passes its check; the
 * step's detail names the first that does not. rows end with a NULL check. */
bool env_wait_all(struct env *e, const struct env_wait *rows,
                  struct step_run *run, struct error *err);

/* The entry of status.conditions with this type, or NULL. */
const struct json *env_condition(const struct json *object, const char *type);

/* Has it the status "True", said of the object as it is now (a True from before
 * its last change may be stale: crossplane#4196)? */
bool env_condition_true(const struct json *object, const char *type);

/* Ready and Synced are True for the newest generation. */
bool env_check_ready(void *unused, const struct kube_object *o,
                     struct buf *why);

#endif
