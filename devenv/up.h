/*
 * up.h - bringing a mesh up, and taking it down again.
 *
 * Invariants: every step makes the world so, whatever it was before: running
 * up again repairs. The profile's state is written before anything is started,
 * so that down finds whatever a killed up left behind.
 */
#ifndef DEVENV_UP_H
#define DEVENV_UP_H

#include "devenv/engine.h"

struct up_options {
    const char *engine;             /* "auto", "sandbox", ... */
    const struct strlist *examples; /* names or paths, or NULL */
    const char *until;              /* the last step to run, or NULL */
    bool only_packages;             /* the engine must be there already */
};

/* Chooses the engine: the one the profile has, else what was asked for
 * ("auto": sandbox). Another one than the profile has is ERR_USAGE. */
const struct engine *up_engine(const struct env *e, const char *asked,
                               struct error *err);
/* The table of steps, for --plan; ends with a zero row. */
const struct step *up_steps(void);
bool up_run(struct env *e, const struct up_options *o, struct step_run *run,
            struct error *err);

/* Removes what up made. force: go on when the engine cannot be asked; purge
 * is given by the caller as examples and packages go with the engine anyway.
 * What is left is listed in leftovers (empty: clean). */
bool down_run(struct env *e, bool force, struct step_run *run,
              struct strlist *leftovers, struct error *err);

#endif
