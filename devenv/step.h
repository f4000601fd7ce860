/*
 * step.h - long work as a table of steps, run side by side, and what is told
 * about it.
 *
 * What: a row of the table says what a step needs, how to see whether its work
 * is done already, how to do it, how to take it back, and how long it usually
 * takes. A graph runs a table: each step is a task (lib/base/task.h) that
 * starts when all it needs is done, so independent steps run in parallel; the
 * code of a step is written straight down and may wait. Whoever shows progress
 * reads the struct step_run of each step and hears of every change.
 * Invariants: `check` observes the world, never a file; `act` is idempotent,
 * so that running a graph again repairs; after a failure, or a stop asked for
 * by the user, no further step starts, and steps that run end in their waits
 * (STEP_CANCELLED), but for STEP_GOES_ON. A soft step's failure is a warning
 * and stops nobody. After devenv.md section 5 (step graphs). Lifetimes: table,
 * context and loop outlive the graph; texts of a step_run live until it
 * changes.
 */
#ifndef DEVENV_STEP_H
#define DEVENV_STEP_H

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/loop.h"
#include "lib/base/str.h"

enum step_state {
    STEP_PENDING,  /* what it needs is not done */
    STEP_CHECKING, /* looking whether there is anything to do */
    STEP_RUNNING,
    STEP_DONE,
    STEP_ALREADY, /* the check found it done */
    STEP_WARNED,  /* a soft step that failed */
    STEP_FAILED,
    STEP_CANCELLED,
    STEP_SKIPPED, /* never started: something failed or a stop was asked for */
};

enum step_verdict {
    STEP_IS_TODO,
    STEP_IS_DONE,
    STEP_IS_BROKEN /* there, but not as it must be: act repairs or replaces */
};

struct step_run;

/* Looks at the world; says in the detail what it saw. May wait. */
typedef enum step_verdict step_check_fn(void *context, struct step_run *run);
/* Makes it so and waits until it is. */
typedef bool step_act_fn(void *context, struct step_run *run,
                         struct error *err);
/* Bytes act would fetch, as far as known. */
typedef uint64_t step_bytes_fn(void *context);
/* What the step is made from (versions, manifests), for its digest. */
typedef void step_inputs_fn(void *context, struct buf *out);

enum {
    STEP_SOFT = 1,   /* its failure is a warning */
    STEP_GOES_ON = 2 /* its failure ends nobody's waits: what does not need it
                        goes on, and then the graph has failed */
};

struct step {
    const char *id, *title;
    const char *lane;  /* "host", "tools", "cluster", "crossplane", "mesh" */
    const char *on;    /* engines it belongs to, "kind context"; NULL: all */
    const char *needs; /* ids, spaces between; ids not in the graph are none */
    int64_t usual_ms;  /* on a warm machine; for the plan's estimate */
    int64_t quick_ms;  /* the same where options say quick; 0: usual_ms */
    step_check_fn *check; /* NULL: always acts */
    step_act_fn *act;
    step_act_fn *undo; /* NULL: nothing to take back */
    step_bytes_fn *bytes;
    step_inputs_fn *inputs;
    unsigned flags;
};

/* Part of a step that has a life of its own: a line of kind's, a pod, a
 * function. */
struct step_part {
    char *name, *detail;
    enum step_state state;
};

#define STEP_LOG_LINES 400

/* A piece of work that runs: a step of a graph, or work done outside of one
 * (zeroed but for loop, on_change and cancelled). For reading. */
struct step_run {
    struct loop *loop;
    const char *id, *title;
    const struct step *step; /* NULL outside a graph */
    const char *needs;       /* its step's, as far as they take part; or NULL */
    enum step_state state;
    int64_t usual_ms; /* how long it usually takes */
    bool looked;      /* its check has been asked, and said: */
    enum step_verdict verdict;
    int64_t began_ms, ended_ms; /* monotonic; 0: not yet */
    char detail[512];           /* why it waits, what was done; or "" */
    uint64_t done, total;       /* bytes; total 0: not known; both 0: none */
    struct step_part *parts;
    size_t parts_n, parts_cap;
    struct strlist log; /* the newest STEP_LOG_LINES lines */
    struct error error; /* of a failed or warned step */
    /* asked of whoever shows it: */
    void (*on_change)(void *arg, struct step_run *run);
    void *arg;
    /* 1: stop waiting; 2: end children as well. NULL: never. */
    const volatile int *cancelled;
};

/* ---- inside a step ---- */

/* Says why the step waits, or what it did. */
void step_detail(struct step_run *run, const char *fmt, ...) PRINTF_LIKE(2, 3);
void step_bytes(struct step_run *run, uint64_t done, uint64_t total);
/* Adds the part called name, or changes it; detail may be "". */
void step_part(struct step_run *run, const char *name, enum step_state state,
               const char *detail);
/* A line for the step's log; control characters are taken out. */
void step_log(struct step_run *run, struct str line);
/* Turns the loop until condition answers true. False: cancelled
 * (ERR_CANCELLED) or limit_ms passed (ERR_TIMEOUT with the last detail). */
bool step_wait(struct step_run *run, int64_t limit_ms,
               bool (*condition)(void *arg), void *arg, struct error *err);
/* Lets ms pass; false when cancelled. */
bool step_pause(struct step_run *run, int64_t ms, struct error *err);
/* Was a stop asked for? Fills err with ERR_CANCELLED and the remedy. */
bool step_cancelled(const struct step_run *run, struct error *err);

/* Runs a program to its end: each line of its output goes to the log and to
 * on_line. The first stop waits for it (a killed `kind create` leaves half a
 * cluster), the second ends it. *status is its exit code; what it printed on
 * standard output into out (may be NULL). False: it could not be started, took
 * longer than limit_ms (it is ended) or was cancelled. */
struct step_program {
    const char *const *argv;
    const char *const *env; /* extra, or NULL */
    struct str input;
    int64_t limit_ms;
    void (*on_line)(void *arg, int fd, struct str line); /* or NULL */
    void *arg;
};
bool step_program(struct step_run *run, const struct step_program *p,
                  int *status, struct buf *out, struct error *err);

void step_run_release(struct step_run *run);

/* ---- a graph ---- */

struct step_graph;

struct step_graph_options {
    const char *engine;  /* rows of other engines are left out */
    bool quick;          /* this engine takes quick_ms a step */
    const char *until;   /* only this step and what it needs; NULL: all */
    const char *without; /* ids left out, spaces between; or NULL */
    void (*on_change)(void *arg, struct step_run *run);
    /* The graph ended; err NULL: all went well. May be NULL. */
    void (*on_end)(void *arg, const struct error *err);
    void *arg;
};

/* A step that is not in the table (until) is ERR_USAGE. The table ends with a
 * zero row. */
struct step_graph *steps_new(struct loop *l, const struct step *table,
                             void *context, const struct step_graph_options *o,
                             struct error *err);
/* Not while it runs. NULL is fine. */
void steps_free(struct step_graph *g);
/* Only checks; nothing is changed. Each step's state is then STEP_ALREADY or
 * STEP_PENDING (looked says whether it was asked: a step that needs something
 * missing is not). Turns the loop. */
void steps_plan(struct step_graph *g);
/* Starts; what is done already stays done, what failed is tried again. */
void steps_start(struct step_graph *g);
/* Starts and turns the loop until it ended. The first failure is err. */
bool steps_wait(struct step_graph *g, struct error *err);
bool steps_running(const struct step_graph *g);
/* A stop the user asked for: the first starts no more steps and ends waits,
 * the second ends children. */
void steps_stop(struct step_graph *g);
/* Takes back what this graph's run did or began, newest first, as far as steps
 * have an undo; the first failure is err, the others are tried all the same.
 * Turns the loop. */
bool steps_undo(struct step_graph *g, struct error *err);
size_t steps_count(const struct step_graph *g);
struct step_run *steps_at(const struct step_graph *g, size_t i);
struct step_run *steps_find(const struct step_graph *g, const char *id);
/* The longest chain of what is left, by usual_ms: the estimate of a plan. */
int64_t steps_estimate_ms(const struct step_graph *g);
/* SHA-256 in hex of a step's inputs (65 bytes with NUL), "" without any. */
void steps_digest(const struct step_graph *g, const char *id, char out[65]);

#endif
