/*
 * doctor.h - all checks of the machine side by side, and what can be mended.
 *
 * What: the rows of host.h for an engine as a graph of steps; a result a row,
 * in the order of the table; the program's exit code; and, for what is wrong,
 * the shell lines that mend it on this distribution.
 * Invariants: looking changes nothing. Lines to mend are fixed texts: nothing
 * that was read goes into a shell. No check stops another.
 * Lifetimes: doctor_new ... doctor_free; options outlive it.
 */
#ifndef DEVENV_DOCTOR_H
#define DEVENV_DOCTOR_H

#include "lib/base/json.h"

#include "devenv/host.h"

struct doctor;

/* Called when row i has its result; rows before it may still run. */
typedef void doctor_fn(void *arg, size_t i);

struct doctor *doctor_new(struct loop *l, const struct host_options *o,
                          doctor_fn *on_row, void *arg);
/* NULL is fine. */
void doctor_free(struct doctor *d);
/* Runs every row; turns the loop. False: stopped by the user. */
bool doctor_run(struct doctor *d, struct error *err);

size_t doctor_count(const struct doctor *d);
const struct host_row *doctor_row(const struct doctor *d, size_t i);
/* NULL while the row has no result. */
const struct host_check *doctor_check(const struct doctor *d, size_t i);
/* How many rows have this verdict. */
size_t doctor_sum(const struct doctor *d, enum host_verdict v);
/* Exit code of the first row that failed; 0: none did. */
int doctor_exit(const struct doctor *d);
/* Looks whether the sandbox would have what it needs (it needs less). */
bool doctor_sandbox_works(const struct doctor *d);
/* {engine, ready, exit, checks: [{id, title, verdict, found, needed,
 * evidence[], failure{...}}]}; the caller frees it. */
struct json *doctor_json(const struct doctor *d);

/* ---- what can be mended ---- */

struct doctor_fix {
    const char *why;  /* "installs a container engine" */
    const char *line; /* for sh; as it is printed, so it is run */
};

/* Fills out (room for max) for what is wrong on this distribution, in the
 * order to run them; returns how many. root: we are root, without sudo. */
size_t doctor_fixes(const struct doctor *d, bool root, struct doctor_fix *out,
                    size_t max);
/* The name of the distribution as /etc/os-release says, or "". */
const char *doctor_distribution(const struct doctor *d);

#endif
