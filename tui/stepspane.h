/*
 * stepspane.h - the parts of the steps view around its tree: what the work
 * says of itself (a question, a failure with its remedy, the end), and what
 * there is to say of one step.
 */
#ifndef TUI_STEPSPANE_H
#define TUI_STEPSPANE_H

#include "tui/lineedit.h"
#include "tui/steptree.h"
#include "tui/work.h"

/* Takes rows from the bottom of *r and draws there what the work has to say;
 * nothing while it simply runs. name: where the answer is typed. opens_ms:
 * until the overview opens by itself, or -1. */
void stepspane_notice(const struct tui_work *w, const struct lineedit *name,
                      int64_t opens_ms, struct canvas *c, struct rect *r);
/* Takes rows from the top of *r: the step's state, its reason or its failure
 * with the id and the remedy (unless the work's notice says it). */
void stepspane_step(const struct tui_work *w, const struct step_run *run,
                    int64_t now_ms, struct canvas *c, struct rect *r);
/* The same of one of its parts. */
void stepspane_part(const struct step_part *part, struct canvas *c,
                    struct rect *r);

#endif
