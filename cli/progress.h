/*
 * progress.h - long work shown while it runs.
 *
 * On a terminal the running step is one line that is redrawn, finished steps
 * stay; elsewhere plain lines, one when a step starts to wait for something
 * new and one when it ends; with -o json one JSON object a line.
 * Ctrl-C sets cancelled, which steps look at; a second one ends the program.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "devenv/step.h"

#include "cli/command.h"

struct progress {
    bool terminal, json, quiet;
    bool cancelled;
    struct loop_signal *interrupt;
    int64_t begun_ms;
};

/* Fills run for steps_run: events go to standard error (standard output with
 * -o json). The loop must outlive the progress. */
void progress_start(struct progress *p, const struct args *a, struct loop *loop,
                    struct step_run *run);
void progress_end(struct progress *p);
/* Milliseconds since the start. */
int64_t progress_ms(const struct progress *p);

#endif
