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
    volatile int cancelled;
    struct step_graph *graph; /* stopped too */
    struct loop_signal *interrupt;
    int64_t begun_ms;
};

/* Fills run, for work outside a graph; a graph takes progress_changed. What is
 * told goes to standard error (standard output with -o json). The loop must
 * outlive the progress. */
void progress_start(struct progress *p, const struct args *a, struct loop *loop,
                    struct step_run *run);
/* on_change of a graph or a run; arg is the progress. */
void progress_changed(void *progress, struct step_run *run);
/* Ctrl-C stops this graph from here on; NULL: none. */
void progress_graph(struct progress *p, struct step_graph *g);
void progress_end(struct progress *p);
/* Milliseconds since the start. */
int64_t progress_ms(const struct progress *p);

#endif
