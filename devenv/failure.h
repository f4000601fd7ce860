/*
 * failure.h - the catalogue of failures: every id the program prints.
 *
 * What: one data table (failure_table.c) with a row an id: the exit code, the
 * form of the sentence, the remedy, upstream's issues, and whether trying again
 * may help. From it come the program's exit codes, the JSON of an error,
 * `meshtop help MT-ID` and docs/FAILURES.md.
 * Why: a script decides by the exit code, a person by the remedy, and both
 * find the same words everywhere (DESIGN 3; facts/devenv.md 5.4).
 * Invariants: an id anywhere in the source has a row here and a row is used
 * somewhere (tests/lint/failures.test); remedies fit into struct error; in
 * forms, <words> stand for what was seen.
 * A new id: error_remedy(err, id, ...) and its row in failure_table.c; then
 * GENERATE=1 build/release/tests/unit/devenv/test_failure writes the page.
 */
#ifndef DEVENV_FAILURE_H
#define DEVENV_FAILURE_H

#include "lib/base/json.h"

#include "devenv/step.h"

struct failure {
    const char *id;
    int exit;             /* 0: as the error's code says */
    const char *sentence; /* the first line */
    const char *remedy;   /* lines of at most 76 columns, the first an order */
    const char *issues;   /* "kind#2586 kind#3317", or "" */
    bool retryable;       /* the same command may succeed without a change */
};

/* Ends with a zero row; in the order of exit codes. */
extern const struct failure failure_table[];

/* NULL when there is none; capital and small letters are the same. */
const struct failure *failure_find(const char *id);
/* The program's exit code: its id's, else its code's, else 1. */
int failure_exit(const struct error *err);
/* Gives err (which is set) the id and the catalogue's remedy as it stands;
 * for remedies that name nothing seen. The id must have a row. */
void failure_remedy(struct error *err, const char *id);
/* An error for programs: {id, message, step, exit, retryable, docs, evidence[],
 * remedy[]}. step may be NULL, evidence too; a remedy's lines become the
 * elements. The caller frees it. */
struct json *failure_json(const struct error *err, const char *step,
                          const struct strlist *evidence);
/* What a step saw before it failed: its parts that are not well, and the last
 * lines of its log. Adds at most FAILURE_EVIDENCE lines to out. */
#define FAILURE_EVIDENCE 8
void failure_evidence(const struct step_run *run, struct strlist *out);
/* failure_json of a step's own error, with that evidence. */
struct json *failure_of_step(const struct step_run *run);
/* "docs/FAILURES.md#mt-port-taken" for people, into out. */
void failure_anchor(const char *id, struct buf *out);
/* What `meshtop help ID` prints. */
void failure_explain(const struct failure *f, struct buf *out);
/* docs/FAILURES.md as a whole. */
void failure_page(struct buf *out);

#endif
