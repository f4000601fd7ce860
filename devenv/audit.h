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

/* Looks at what there is on this machine beside an engine's containers
 * (down_kind.c): the sandbox's process, programs that a killed run left, the
 * profile's folder. engine is the one it had; after a removal the profile no
 * longer says. Turns the loop. */
void audit_take(struct env *e, const char *engine, struct step_run *run,
                struct audit *out);
/* The objects in the cluster that carry the profile's label, for a cluster that
 * is not ours. The API must answer. */
void audit_objects(struct env *e, struct audit *out);

#endif
