/*
 * work.h - what every command on a profile does first and last: a loop, the
 * profile's environment, the progress of its steps.
 */
#ifndef CLI_WORK_H
#define CLI_WORK_H

#include "devenv/up.h"

#include "cli/progress.h"

struct work {
    struct loop *loop;
    struct env env;
    struct progress progress;
    struct step_run run;
};

/* Opens the profile named by --profile; connect: its cluster as well. */
bool work_begin(struct work *w, const struct args *a, bool connect,
                struct error *err);
/* Brings the mesh up, shown. */
bool work_up(struct work *w, const struct up_options *o, struct error *err);
void work_end(struct work *w);

#endif
