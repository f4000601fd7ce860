/*
 * steplist.h - the tree of steps with a cursor: it scrolls, folds, and follows
 * what runs until the cursor is moved.
 *
 * Invariants: the cursor is kept as a step and the count of rows below it, so
 * that it stays where it is while rows come and go. A step that runs or
 * failed shows its parts by itself, another one when it is opened.
 * Lifetimes: steplist_init ... steplist_release; runs are the caller's, set
 * before every use: they may have moved since.
 */
#ifndef TUI_STEPLIST_H
#define TUI_STEPLIST_H

#include "tui/action.h"
#include "tui/steptree.h"

struct steplist {
    struct steptree tree;
    size_t run, child; /* the cursor: child 0 is the row of the step itself */
    size_t top;        /* first row shown */
    int page;
    bool moved;    /* the cursor, by the user */
    uint8_t *open; /* of each run: 0 by itself, 1 open, 2 folded */
    size_t open_n;
};

void steplist_init(struct steplist *l);
void steplist_release(struct steplist *l);
void steplist_set(struct steplist *l, const struct step_run *const *runs,
                  size_t n, int64_t now_ms);
/* The cursor follows what runs again. */
void steplist_follow(struct steplist *l);
void steplist_draw(struct steplist *l, struct canvas *c, struct rect r,
                   bool focus);
bool steplist_act(struct steplist *l, enum action a);
/* Opens or folds the step under the cursor. */
void steplist_toggle(struct steplist *l);
/* What is under the cursor; NULL when there is none. */
const struct step_run *steplist_run(const struct steplist *l);
const struct step_part *steplist_part(const struct steplist *l);

#endif
