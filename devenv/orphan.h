/*
 * orphan.h - programs that a killed meshtop left running.
 *
 * What: `kind create` goes on when the meshtop that started it dies, and would
 * make again what down has removed. A program is ours when it is of our user
 * and one of its words is the path of the profile's own kubeconfig behind
 * --kubeconfig, with the words of a creation: nobody else says that.
 * Invariants: found by exact words, never by name alone; the process that is
 * signalled is the one that was looked at (pidfd), whatever became of its
 * number since.
 */
#ifndef DEVENV_ORPHAN_H
#define DEVENV_ORPHAN_H

#include "devenv/profile.h"
#include "devenv/step.h"

struct orphan {
    int pid;
    char words[256]; /* for people */
};

/* The first such process; false: none. */
bool orphan_find(const struct profile *p, struct orphan *out);
/* Ends all: SIGTERM, after grace_ms SIGKILL. What is left is ERR_TIMEOUT. */
bool orphan_end(const struct profile *p, int64_t grace_ms, struct step_run *run,
                size_t *ended, struct error *err);

#endif
