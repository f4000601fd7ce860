/*
 * kind_output.h - what the `kind` program says, understood.
 *
 * What: kind's plain output (no terminal) line by line: " • STEP ..." begins a
 * step, " ✓ STEP" and " ✗ STEP" end it, "ERROR:" says why all ended and
 * "Command Output:" what docker or kubeadm said. Steps become the parts of a
 * step_run. When kind has failed, a table of what is known to go wrong turns
 * the words into one of the failures of devenv.md 5.4, with the words that
 * prove it.
 * Why a table of words: kind ends with 1 whatever happened.
 * Invariants: bytes of kind's are hostile: they are cut, and control
 * characters never pass. Recordings of every row are in tests/wire/kind.
 */
#ifndef DEVENV_KIND_OUTPUT_H
#define DEVENV_KIND_OUTPUT_H

#include "lib/base/buf.h"
#include "lib/base/error.h"

#include "devenv/step.h"

#define KIND_OUTPUT_MAX (256 << 10) /* bytes of words kept */

struct kind_output {
    struct step_run *run;
    char step[128];   /* the one under way, or the last */
    bool step_failed; /* it ended with ✗ */
    bool timed_out;   /* "Timed out waiting for Ready"; kind ends with 0 */
    struct buf words; /* from "ERROR:" on */
};

void kind_output_init(struct kind_output *o, struct step_run *run);
void kind_output_release(struct kind_output *o);
/* One line of standard output or error. For step_program.on_line with the
 * kind_output as arg. */
void kind_output_line(void *o, int fd, struct str line);
/* Sets err from what was said and the exit code (128 + n: died of signal n).
 * Returns false. */
bool kind_output_error(const struct kind_output *o, int status,
                       struct error *err);

/* What node logs (systemd's console) and kubelets are known to say when they
 * cannot go on. */
struct kind_last_words {
    const char *words; /* that the line holds */
    const char *id;    /* of the failure */
    const char *why;   /* the sentence */
    bool final;        /* nothing comes of the node after it; else it is the
                          cause only when the node has ended */
};
/* NULL when the line is none of them. */
const struct kind_last_words *kind_last_words(struct str line);

#endif
