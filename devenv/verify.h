/*
 * verify.h - the proof that a mesh works, by looking at the cluster only.
 *
 * What: a table of groups of checks (devenv.md 5.2): V-a engine and cluster
 * live, V-b versions, V-c packages and kinds, V-d examples as their
 * hand-written expectations.yaml says, V-e an invalid object is refused, V-f
 * nothing drifted, V-m the mesh's own rules, V-g a scratch domain lives and
 * goes. Works on a profile and on any other cluster.
 * Invariants: nothing is written but dry runs and what V-g makes and removes
 * again, also after a stop or a failure. A thing that cannot be looked at is a
 * miss, never a pass. The expectations are compared with raw objects, not with
 * lib/mesh's view of them: the proof must not share a bug with the program it
 * proves.
 * Lifetimes: texts given to the callback live during the call. Turns the loop
 * (in a task: puts it aside).
 */
#ifndef DEVENV_VERIFY_H
#define DEVENV_VERIFY_H

#include "devenv/env.h"

enum verify_outcome {
    VERIFY_OK,
    VERIFY_MISS,
    VERIFY_NOTE /* could not or need not be looked at; counts for nothing */
};

struct verify_check {
    const char *group;   /* "V-c" */
    const char *subject; /* "mesh-core", "corner-shop", "cluster" */
    const char *name;    /* "dataproducts.meshifi.io is Established" */
    enum verify_outcome outcome;
    const char *detail; /* what was found instead; "" when ok */
    int64_t ms;         /* since the check before it */
};
typedef void verify_fn(void *arg, const struct verify_check *check);

/* A row of the table, for whoever shows it. */
struct verify_group {
    const char *id, *title;
};
/* Ends with a zero row. */
const struct verify_group *verify_groups(void);
/* "ok", "MISS", "note". */
const char *verify_word(enum verify_outcome outcome);

struct verify_options {
    /* The loop, the stop, and who hears what is looked at: each group is a
     * part of this run. */
    struct step_run *run;
    /* Names or folders; NULL: those of the profile, and on a cluster without
     * profile the built-in ones of which something is there. */
    const struct strlist *examples;
    bool scratch; /* V-g too */
    verify_fn *fn;
    void *arg;
};

struct verify_result {
    size_t passed, missed;
};

/* Runs every check. The client of e may be of a cluster that is not the
 * profile's (then e->profile.engine is ""). False only when it was cancelled
 * (ERR_CANCELLED). */
bool verify_run(struct env *e, const struct verify_options *o,
                struct verify_result *out, struct error *err);

#endif
