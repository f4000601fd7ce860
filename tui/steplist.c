#include "tui/steplist.h"

#include <stdlib.h>

#include "lib/base/mem.h"

enum { BY_ITSELF, OPEN, FOLDED };

void
steplist_init(struct steplist *l)
{
    *l = (struct steplist){0};
    steptree_init(&l->tree);
}

void
steplist_release(struct steplist *l)
{
    steptree_release(&l->tree);
    free(l->open);
    *l = (struct steplist){0};
}

/* ---- what there is ---- */

static bool
is_open(void *arg, size_t run)
{
    const struct steplist *l = arg;
    const struct step_run *r = l->tree.runs[run];

    if (l->open[run])
        return l->open[run] == OPEN;
    return steptext_runs(r->state) || r->state == STEP_FAILED;
}

/* What went wrong, else the first that runs, else where it was. */
static void
follow(struct steplist *l)
{
    const struct steptree *t = &l->tree;

    l->child = 0;
    for (size_t i = 0; i < t->runs_n; i++) {
        if (t->runs[i]->state == STEP_FAILED) {
            l->run = i;
            return;
        }
    }
    for (size_t i = 0; i < t->runs_n; i++) {
        if (steptext_runs(t->runs[i]->state)) {
            l->run = i;
            return;
        }
    }
}

void
steplist_set(struct steplist *l, const struct step_run *const *runs, size_t n,
             int64_t now_ms)
{
    if (l->open_n != n || !l->open) {
        free(l->open);
        l->open = mem_zalloc(MAX(n, (size_t)1), 1);
        l->open_n = n;
        l->run = l->child = l->top = 0;
        l->moved = false;
    }
    steptree_set(&l->tree, runs, n, now_ms);
    steptree_all(&l->tree, is_open, l);
    if (!l->moved)
        follow(l);
}

void
steplist_follow(struct steplist *l)
{
    l->moved = false;
}

/* ---- the cursor ---- */

/* The row of the step one looks at. */
static size_t
step_row(const struct steplist *l)
{
    for (size_t i = 0; i < l->tree.n; i++) {
        if (l->tree.rows[i].type == TREE_STEP && l->tree.rows[i].run == l->run)
            return i;
    }
    return 0;
}

/* Rows of the step at row at, its children among them. */
static size_t
rows_of(const struct steplist *l, size_t at)
{
    size_t n = 1;

    while (at + n < l->tree.n && l->tree.rows[at + n].type != TREE_STEP)
        n++;
    return n;
}

static size_t
cursor(const struct steplist *l)
{
    size_t at = step_row(l);

    return at + MIN(l->child, rows_of(l, at) - 1);
}

const struct step_run *
steplist_run(const struct steplist *l)
{
    return l->run < l->tree.runs_n ? l->tree.runs[l->run] : NULL;
}

const struct step_part *
steplist_part(const struct steplist *l)
{
    const struct steptree_row *row;

    if (l->tree.n == 0)
        return NULL;
    row = &l->tree.rows[cursor(l)];
    return row->type == TREE_PART ? &l->tree.runs[row->run]->parts[row->part]
                                  : NULL;
}

static void
move(struct steplist *l, int64_t by)
{
    int64_t last = (int64_t)l->tree.n - 1;
    size_t row = (size_t)MAX(0, MIN((int64_t)cursor(l) + by, last));

    if (last < 0)
        return;
    l->moved = true;
    l->run = l->tree.rows[row].run;
    l->child = row - step_row(l);
}

static void
fold(struct steplist *l, uint8_t how)
{
    if (l->run < l->open_n)
        l->open[l->run] = how;
    l->child = 0;
}

void
steplist_toggle(struct steplist *l)
{
    if (l->run < l->tree.runs_n)
        fold(l, is_open(l, l->run) ? FOLDED : OPEN);
}

bool
steplist_act(struct steplist *l, enum action a)
{
    static const struct {
        enum action a;
        int by, pages;
    } moves[] = {{ACT_UP, -1, 0},          {ACT_DOWN, 1, 0},
                 {ACT_PAGE_UP, 0, -1},     {ACT_PAGE_DOWN, 0, 1},
                 {ACT_TOP, -INT16_MAX, 0}, {ACT_BOTTOM, INT16_MAX, 0}};

    for (size_t i = 0; i < ARRAY_LEN(moves); i++) {
        if (moves[i].a == a) {
            move(l, moves[i].by + moves[i].pages * MAX(l->page - 1, 1));
            return true;
        }
    }
    switch (a) {
    case ACT_LEFT:
    case ACT_FOLD:
        fold(l, FOLDED);
        return true;
    case ACT_RIGHT:
    case ACT_UNFOLD:
        fold(l, OPEN);
        return true;
    case ACT_FOLD_ALL:
        memset(l->open, l->open_n && l->open[0] == OPEN ? FOLDED : OPEN,
               l->open_n);
        return true;
    default:
        return false;
    }
}

/* ---- drawing ---- */

/* The cursor shows, and where there is room all that belongs to its step. */
static void
scroll_to(struct steplist *l, int h)
{
    size_t first = step_row(l), end = first + rows_of(l, first);
    size_t at = cursor(l), page = (size_t)MAX(h, 1);

    l->page = h;
    if (l->tree.n <= page)
        l->top = 0;
    if (end > l->top + page)
        l->top = end - page;
    if (first < l->top && !l->child)
        l->top = first;
    if (at < l->top)
        l->top = at;
    if (at >= l->top + page)
        l->top = at - page + 1;
}

void
steplist_draw(struct steplist *l, struct canvas *c, struct rect r, bool focus)
{
    struct rect in = rect_inset((struct rect){r.x, r.y - 1, r.w, r.h + 2}, 1);
    size_t at = cursor(l);

    if (l->tree.n == 0)
        canvas_puts(c, in.x, in.y, in.w, ST_DIM, "looking what there is");
    scroll_to(l, r.h);
    for (int y = 0; y < r.h && l->top + (size_t)y < l->tree.n; y++) {
        size_t row = l->top + (size_t)y;

        steptree_draw(&l->tree, row, c, (struct rect){in.x, r.y + y, in.w, 1});
        if (row == at)
            canvas_attr(c, (struct rect){r.x, r.y + y, r.w, 1},
                        focus ? CV_SELECTED : CV_CURSOR);
    }
}
