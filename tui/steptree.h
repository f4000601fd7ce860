/*
 * steptree.h - steps that run, as rows of a tree on a canvas.
 *
 * What: a row a step, below it its parts (kind's own steps, pods, functions)
 * and one line of reason while it waits or of what went wrong. Two ways to
 * choose rows: steptree_fit for a place of few lines that cannot scroll
 * (finished steps collapse first, then those to come, then parts), and
 * steptree_all for a view with a cursor. Both are drawn the same.
 * Why here: cli/progress.h draws it in place, tui/view_steps.c on the full
 * screen.
 * Invariants: a running or failed step is left out last. Lifetimes: runs are
 * the caller's and outlive the rows; steptree_init ... steptree_release.
 */
#ifndef TUI_STEPTREE_H
#define TUI_STEPTREE_H

#include "tui/steptext.h"

enum steptree_type {
    TREE_STEP,
    TREE_PART,   /* parts[part] of the run */
    TREE_BAR,    /* its bytes */
    TREE_REASON, /* its detail, or its error */
    TREE_ENDED,  /* count steps that are over, in one row */
    TREE_TO_COME /* count steps that have not begun, in one row */
};

struct steptree_row {
    enum steptree_type type;
    size_t run, part, count;
    bool last; /* the last child of its step */
};

struct steptree {
    const struct step_run *const *runs;
    size_t runs_n;
    struct step_meter *meters; /* one a run */
    size_t meters_n;
    struct steptree_row *rows;
    size_t n, cap;
    int64_t now_ms;
    int title_w; /* columns of the longest title */
};

void steptree_init(struct steptree *t);
void steptree_release(struct steptree *t);
/* The runs as they are at now_ms (monotonic); kept by reference. */
void steptree_set(struct steptree *t, const struct step_run *const *runs,
                  size_t n, int64_t now_ms);
/* At most max rows (at least 1). */
void steptree_fit(struct steptree *t, int max);
/* Every step; parts where open answers true, or always when the step runs or
 * went wrong and open answers for it. open NULL: every part. */
void steptree_all(struct steptree *t, bool (*open)(void *arg, size_t run),
                  void *arg);
/* Row i into the one line r. */
void steptree_draw(const struct steptree *t, size_t i, struct canvas *c,
                   struct rect r);
/* "12 of 21 steps  1m04s  slowest: fetch the node image 41 s"; began_ms: of
 * the whole, monotonic. */
void steptree_summary(const struct steptree *t, int64_t began_ms,
                      struct buf *out);

#endif
