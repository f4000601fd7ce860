/*
 * up.h - bringing a mesh up.
 *
 * What: one table of steps (up.c) for every engine; a run is a step graph of
 * the rows that belong to the engine. Whoever shows it (cli/progress.h, the
 * TUI's step view) works on up_graph().
 * Invariants: every step makes the world so, whatever it was before: running
 * up again repairs. The profile's state is written before anything is started,
 * so that down finds whatever a killed up left behind. An up that fails before
 * it made anything leaves nothing behind, not even the profile.
 * Lifetimes: up_new ... up_free; env, options and what they point to outlive
 * it. The profile is locked from up_begin to up_free.
 */
#ifndef DEVENV_UP_H
#define DEVENV_UP_H

#include "devenv/engine.h"

struct up_options {
    const char *engine;             /* "auto", "sandbox", "kind", "context" */
    const struct strlist *examples; /* names or paths, or NULL */
    const char *until;              /* the last step to run, or NULL */
    bool only_packages;             /* the engine must be there already */
    bool rollback;                  /* a failure takes this run's work back */

    const char *kubeconfig, *context; /* engine context; NULL: kubectl's */
    bool adopt;                       /* take over what is not ours */

    const char *cluster;         /* kind-config/NAME.yaml; NULL: "single" */
    const char *node_image;      /* NULL: by the lock and the engine's cgroup */
    const char *registry_mirror; /* HOST[:PORT][/PREFIX], or NULL */
    const char *registry_ca;     /* PEM file, or NULL */
    const char *crossplane;      /* version, NULL: the lock's default */
};

struct up;

/* Chooses the engine: the one the profile has, else what was asked for ("auto":
 * kind where a container engine answers, else sandbox). Another one than the
 * profile has is ERR_USAGE, MT-OTHER-ENGINE. Turns the loop. */
const struct engine *up_engine(const struct env *e, const char *asked,
                               struct error *err);
/* Names and words are checked here (ERR_USAGE); nothing is looked at yet.
 * g tells the graph whom to tell of changes (engine, until and without are
 * filled in here). */
struct up *up_new(struct env *e, const struct up_options *o,
                  const struct step_graph_options *g, struct error *err);
void up_free(struct up *up);
struct step_graph *up_graph(struct up *up);
const struct engine *up_chosen(const struct up *up);
/* Takes the profile's lock; before steps_start. Not needed for a plan. */
bool up_begin(struct up *up, struct error *err);
/* After the graph ended: writes the state, keeps the failure as the fact
 * "last-error", rolls back if asked for and removes a profile in which nothing
 * was made. failure NULL: it went well. Turns the loop. */
void up_end(struct up *up, const struct error *failure);
/* up_begin, steps_wait, up_end. */
bool up_run(struct up *up, struct error *err);

#endif
