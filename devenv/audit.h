/*
 * audit.h - everything a profile has on this machine and in its cluster.
 *
 * What: one look that lists what `up` made and `down` has to remove: processes,
 * containers, volumes, the network, entries in the user's kubeconfig, objects
 * in a cluster that is not ours, the profile's folder; each with the exact
 * command that removes it by hand. `down` looks before (what will go) and
 * after (nothing may be left): devenv.md 5.3, D0 and D9.
 * Invariants: looks only. What cannot be looked at (an engine that does not
 * answer) is an entry as well: not knowing is not clean.
 */
#ifndef DEVENV_AUDIT_H
#define DEVENV_AUDIT_H

#include "devenv/env.h"

struct docker;

struct audit_item {
    char *what;    /* "container meshtop-mesh-control-plane" */
    char *command; /* "docker rm -f -v meshtop-mesh-control-plane" */
    bool unknown;  /* it could not be looked at */
};

struct audit {
    struct audit_item *v;
    size_t n, cap;
};

void audit_add(struct audit *a, bool unknown, const char *command,
               const char *fmt, ...) PRINTF_LIKE(4, 5);
void audit_release(struct audit *a);

/* Looks at everything of the profile. engine is the one it had: after a
 * removal the profile no longer says ("": sandbox). docker may be NULL: then,
 * for kind, `why` says why the engine cannot be asked. Turns the loop. */
struct audit_look {
    struct env *env;
    const char *engine;
    struct docker *docker;
    const char *why;
};
void audit_take(const struct audit_look *l, struct step_run *run,
                struct audit *out);
/* The objects in the cluster that carry the profile's label, for a cluster that
 * is not ours. The API must answer. */
void audit_objects(struct env *e, struct audit *out);

#endif
