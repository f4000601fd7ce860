/*
 * step.h - long work as a table of steps, and what is told about it.
 *
 * What: a step has an id, a title and an act that makes the world so and waits
 * until it is; acts are idempotent, so that running the table again repairs.
 * Whoever shows progress gets an event when a step starts, says why it waits,
 * ends or fails. Invariant: events of a step come in that order; after a
 * failure no further step starts. A stop asked for by the user is looked at
 * between two steps and inside every wait (ERR_CANCELLED).
 */
#ifndef DEVENV_STEP_H
#define DEVENV_STEP_H

#include "lib/base/error.h"
#include "lib/base/loop.h"

enum step_state { STEP_STARTED, STEP_WAITS, STEP_DONE, STEP_FAILED };

struct step_event {
    const char *id, *title;
    enum step_state state;
    const char *detail; /* why it waits, what was done; or "" */
    int64_t ms;         /* since the step started */
    size_t index, count;
};

typedef void step_event_fn(void *arg, const struct step_event *e);

struct step_run {
    struct loop *loop;
    step_event_fn *on_event; /* or NULL */
    void *arg;
    const bool *cancelled; /* set by a signal handler of the caller, or NULL */
    /* kept by steps_run: */
    struct step_event now;
    int64_t started_ms;
    char detail[256];
};

struct step {
    const char *id, *title;
    bool (*act)(void *context, struct step_run *run, struct error *err);
};

/* Runs the table (ends with a zero row) in order. */
bool steps_run(const struct step *table, void *context, struct step_run *run,
               struct error *err);
/* Says why the running step waits, or what it did; told at once when it is
 * another text than before. */
void step_detail(struct step_run *run, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Turns the loop until condition answers true. False: cancelled
 * (ERR_CANCELLED) or limit_ms passed (ERR_TIMEOUT with the last detail). */
bool step_wait(struct step_run *run, int64_t limit_ms,
               bool (*condition)(void *arg), void *arg, struct error *err);

#endif
