/*
 * steplog.h - what the last `up` or `down` did, step by step, in a file.
 *
 * What: PROFILE/logs/up.log (the one before it is up.log.1): a line for each
 * step that begins, waits for something new, says something, or ends. For
 * `meshtop logs` and the support bundle: what was on the screen is gone when
 * it is asked for.
 * Invariants: every line is written at once, so that a kill leaves all of them;
 * a step's wait is told at most once a second; control characters are taken
 * out; a full disk silences the log and stops nothing. At most 8 MiB.
 */
#ifndef DEVENV_STEPLOG_H
#define DEVENV_STEPLOG_H

#include "devenv/profile.h"
#include "devenv/step.h"

#define STEPLOG_NAME "up.log"

struct steplog;

/* Begins a new log. NULL: it cannot be written; nothing else suffers. */
struct steplog *steplog_open(const struct profile *p, const char *title);
/* Call for each change of a step. l may be NULL. */
void steplog_changed(struct steplog *l, const struct step_run *run);
/* A line of its own. */
void steplog_say(struct steplog *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
void steplog_close(struct steplog *l);

#endif
