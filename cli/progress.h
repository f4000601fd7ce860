/*
 * progress.h - long work shown while it runs.
 *
 * What: the steps of a graph, or one piece of work outside of one, in one of
 * three ways. On a terminal (standard error) a live tree, drawn again in place
 * at most each 100 ms. Elsewhere plain lines: one when a step starts, when its
 * reason changes (at most one a second and step), when it ends, and one when
 * nothing was said for 5 s. With -o json one object a line on standard output
 * (docs/STEPS.md). A graph ends with a table of times.
 * Ctrl-C: the first stops starting steps and waiting, the second ends
 * children, the third ends the program (130).
 * Invariants: the terminal's cursor and colours are put back however it ends.
 * What is said of a step was filtered (lib/base/utf8.h).
 * Lifetimes: progress_start ... progress_end; the loop and what is shown
 * outlive it, or are taken away with progress_report before they go.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "devenv/step.h"

#include "tui/steptree.h"

#include "cli/command.h"
#include "cli/inplace.h"

enum progress_how { PROGRESS_PLAIN, PROGRESS_TREE, PROGRESS_JSON };

struct progress_said; /* what was last said of one run */

struct progress {
    enum progress_how how;
    bool terminal, json; /* of how */
    struct loop *loop;
    FILE *out;       /* of lines: standard error, or standard output for JSON */
    char title[128]; /* "up  profile demo (kind)" */
    struct step_graph *graph; /* shown now, or NULL */
    struct step_run *own;     /* of progress_start */
    struct step_run **runs;   /* those of the graph, or heard of */
    size_t runs_n, runs_cap;
    struct progress_said *said; /* runs_n */
    int64_t begun_ms, spoke_ms; /* monotonic */
    /* How often: 100, 1000, 5000. */
    int64_t frame_ms, reason_ms, heartbeat_ms;
    struct steptree tree;
    struct inplace place;
    struct canvas canvas;
    volatile int cancelled; /* 0; 1, 2: as struct step_run says */
    bool ascii;
    struct loop_signal *signals[5];
    struct loop_timer *timer;
};

/* Chooses the way by a's flags and the terminal, and fills run for work
 * outside of a graph. */
void progress_start(struct progress *p, const struct args *a, struct loop *loop,
                    struct step_run *run);
/* The same with everything given; out is borrowed (a terminal for the tree).
 * For tests. */
void progress_open(struct progress *p, enum progress_how how, FILE *out,
                   struct loop *loop);
/* First line of the tree: "up  profile demo (kind)". */
void progress_title(struct progress *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* on_change of a graph or a run; arg is the progress. */
void progress_changed(void *progress, struct step_run *run);
/* From now on this graph is shown, and stopped by Ctrl-C; NULL: none. */
void progress_graph(struct progress *p, struct step_graph *g);
/* The graph has ended: its table of times, or with JSON the summary (next:
 * commands to go on with, ends with NULL, or NULL); then it is forgotten.
 * err: of a failure, or NULL. */
void progress_report(struct progress *p, const struct error *err,
                     const char *const *next);
/* Takes what stands in place away, so that the caller may print; it comes back
 * with the next change. */
void progress_aside(struct progress *p);
void progress_end(struct progress *p);

#endif
