/*
 * target.h - which cluster a command speaks to.
 *
 * Order: --kubeconfig/--context; else the profile (--profile, or the default
 * one; with neither up and exactly one profile up, that one); else the user's
 * current context, which is said on standard error; else an error that names
 * `meshtop up`.
 * Lifetimes: target_open ... target_release.
 */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include "lib/kube/client.h"
#include "lib/kube/discovery.h"

#include "devenv/env.h"

#include "cli/args.h"

struct target {
    char *kubeconfig;       /* NULL: kubectl's rules */
    char *context;          /* NULL: the file's current one */
    char *title;            /* "profile demo (sandbox)", "context kind-mesh" */
    struct profile profile; /* state folder; engine "" when not used */
    bool of_profile;

    /* after target_open: */
    struct loop *loop;
    struct kube_client *client;
    struct kube_discovery *discovery;
};

/* Chooses, connects to nothing. */
bool target_choose(struct target *t, const struct args *a, struct error *err);
/* Chooses and makes a client (--read-only is honoured). */
bool target_open(struct target *t, const struct args *a, struct error *err);
void target_release(struct target *t);
/* The same as an environment for the work of devenv/; it borrows everything:
 * not released, and t must not move. */
struct env target_env(const struct target *t);
/* A command on one cluster: opens it, calls fn, releases it; the exit code. */
typedef bool target_fn(const struct args *a, struct target *t,
                       struct error *err);
int target_run(const struct args *a, target_fn *fn);
/* The namespace flags: -A gives NULL, -n NS that, else fallback. */
const char *target_ns(const struct args *a, const char *fallback);

#endif
