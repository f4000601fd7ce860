#include "tui/steptree.h"

#include <stdlib.h>

#include "lib/base/mem.h"

enum { TIME_W = 8, NOTE_MIN = 8, BAR_W = 24, EVERY = 100000 };

void
steptree_init(struct steptree *t)
{
    *t = (struct steptree){0};
}

void
steptree_release(struct steptree *t)
{
    free(t->meters);
    free(t->rows);
    *t = (struct steptree){0};
}

void
steptree_set(struct steptree *t, const struct step_run *const *runs, size_t n,
             int64_t now_ms)
{
    t->runs = runs;
    t->runs_n = n;
    t->now_ms = now_ms;
    if (t->meters_n != n) {
        free(t->meters);
        t->meters = mem_zalloc(MAX(n, (size_t)1), sizeof(*t->meters));
        t->meters_n = n;
    }
    for (size_t i = 0; i < n; i++) {
        if (runs[i]->done || runs[i]->total)
            step_meter_feed(&t->meters[i], runs[i]->done, now_ms);
    }
}

/* ---- choosing rows ---- */

static struct steptree_row *
add(struct steptree *t, enum steptree_type type, size_t run)
{
    struct steptree_row *row;

    t->rows = mem_grow(t->rows, &t->cap, t->n + 1, sizeof(*t->rows));
    row = &t->rows[t->n++];
    *row = (struct steptree_row){.type = type, .run = run};
    return row;
}

static bool
went_wrong(const struct step_run *run)
{
    return run->state == STEP_FAILED || run->state == STEP_WARNED;
}

static bool
moves_bytes(const struct step_run *run)
{
    return steptext_runs(run->state) && (run->done || run->total);
}

static const char *
reason_of(const struct step_run *run)
{
    if (went_wrong(run) && *run->error.msg)
        return run->error.msg;
    return run->detail;
}

/* How many rows of each sort there may be; less and less. */
struct measure {
    size_t to_come, ended, parts;
    bool ended_parts, reasons;
};

static const struct measure measures[] = {
    {EVERY, EVERY, EVERY, true, true},
    {3, EVERY, EVERY, true, true},
    {3, 4, EVERY, true, true},
    {2, 2, EVERY, false, true},
    {1, 1, 5, false, true},
    {0, 0, 3, false, true},
    {0, 0, 1, false, true},
    {0, 0, 0, false, true},
    {0, 0, 0, false, false},
};

static size_t
count_parts(const struct step_run *run, bool ended)
{
    size_t n = 0;

    for (size_t i = 0; i < run->parts_n; i++)
        n += steptext_ended(run->parts[i].state) == ended;
    return n;
}

/* Those that go on, or went wrong, stay longest. */
static void
add_parts(struct steptree *t, size_t run, const struct measure *m)
{
    const struct step_run *r = t->runs[run];
    size_t open = 0;

    for (size_t i = 0; i < r->parts_n; i++) {
        bool over = steptext_ended(r->parts[i].state);
        bool bad = r->parts[i].state == STEP_FAILED;

        if (over ? bad || m->ended_parts : open++ < m->parts)
            add(t, TREE_PART, run)->part = i;
    }
}

static void
add_step(struct steptree *t, size_t run, const struct measure *m)
{
    const struct step_run *r = t->runs[run];
    size_t first = t->n;

    add(t, TREE_STEP, run);
    if (m->parts)
        add_parts(t, run, m);
    if (m->reasons && moves_bytes(r))
        add(t, TREE_BAR, run);
    if (m->reasons && *reason_of(r) &&
        (steptext_runs(r->state) || went_wrong(r)))
        add(t, TREE_REASON, run);
    if (t->n > first + 1)
        t->rows[t->n - 1].last = true;
}

static bool
is_quiet(const struct step_run *run)
{
    return steptext_ended(run->state) && !went_wrong(run);
}

static void
choose(struct steptree *t, const struct measure *m)
{
    const struct measure bare = {0};
    size_t ended = 0, to_come = 0, over = 0, waiting = 0;

    t->n = 0;
    for (size_t i = 0; i < t->runs_n; i++)
        ended += is_quiet(t->runs[i]);
    if (ended > m->ended)
        add(t, TREE_ENDED, 0)->count = ended - m->ended;
    for (size_t i = 0; i < t->runs_n; i++) {
        const struct step_run *r = t->runs[i];

        if (is_quiet(r) && ended - over++ > m->ended)
            continue;
        if (r->state == STEP_PENDING && waiting++ >= m->to_come)
            to_come++;
        else
            add_step(t, i, is_quiet(r) ? &bare : m);
    }
    if (to_come)
        add(t, TREE_TO_COME, 0)->count = to_come;
}

void
steptree_fit(struct steptree *t, int max)
{
    size_t most = (size_t)MAX(max, 1);

    for (size_t i = 0; i < ARRAY_LEN(measures); i++) {
        choose(t, &measures[i]);
        if (t->n <= most)
            return;
    }
    t->n = most;
}

void
steptree_all(struct steptree *t, bool (*open)(void *arg, size_t run), void *arg)
{
    const struct measure folded = {.reasons = true};

    t->n = 0;
    for (size_t i = 0; i < t->runs_n; i++)
        add_step(t, i, !open || open(arg, i) ? &measures[0] : &folded);
}

/* ---- drawing ---- */

static int
title_width(const struct steptree *t, const struct canvas *c, int w)
{
    int longest = 12;

    for (size_t i = 0; i < t->runs_n; i++)
        longest =
            MAX(longest, canvas_columns(c, str_of(steptext_title(t->runs[i]))));
    return MIN(longest, w >= 60 ? w * 11 / 20 : w - TIME_W - 4);
}

static void
draw_time(const struct steptree *t, const struct step_run *run,
          struct canvas *c, struct rect r)
{
    char text[STEPTEXT_LEN];

    if (run->began_ms && run->state != STEP_SKIPPED)
        canvas_right(c, r.x + r.w - TIME_W, r.y, TIME_W,
                     steptext_runs(run->state) ? ST_TEXT : ST_DIM,
                     str_of(steptext_ms(steptext_took(run, t->now_ms), text)));
}

static void
draw_bytes(const struct steptree *t, size_t run, struct canvas *c,
           struct rect r)
{
    AUTO(buf_release) struct buf text = BUF_INIT(1024);
    const struct step_run *s = t->runs[run];
    int w = s->total ? MIN(BAR_W, r.w / 3) : 0;
    int full = w ? (int)(w * MIN((double)s->done / (double)s->total, 1)) : 0;

    canvas_fill(c, (struct rect){r.x, r.y, full, 1}, 0x2588, ST_WAIT);
    canvas_fill(c, (struct rect){r.x + full, r.y, w - full, 1}, 0x2500,
                ST_BORDER);
    steptext_progress(s, &t->meters[run], &text);
    w += w > 0;
    canvas_cut(c, r.x + w, r.y, r.w - w, ST_TEXT, buf_view(&text));
}

/* What stands behind the title: how far it is, what was done. */
static void
draw_note(const struct step_run *r, struct canvas *c, struct rect at)
{
    AUTO(buf_release) struct buf note = BUF_INIT(1024);

    if (moves_bytes(r) && r->total)
        buf_printf(&note, "%d %%",
                   (int)MIN(100.0 * (double)r->done / (double)r->total, 100));
    else if (steptext_runs(r->state) && r->parts_n)
        buf_printf(&note, "%zu of %zu", count_parts(r, true), r->parts_n);
    else if (is_quiet(r) && *r->detail)
        buf_puts(&note, r->detail);
    else if (is_quiet(r) && r->state != STEP_DONE)
        buf_puts(&note, steptext_word(r->state));
    if (at.w >= NOTE_MIN)
        canvas_cut(c, at.x, at.y, at.w, ST_DIM, buf_view(&note));
}

static void
draw_step(const struct steptree *t, size_t run, struct canvas *c, struct rect r)
{
    const struct step_run *s = t->runs[run];
    int title = title_width(t, c, r.w), x = r.x + 2;
    enum style st = steptext_runs(s->state) ? ST_NAME
                    : went_wrong(s)         ? steptext_style(s->state)
                    : is_quiet(s)           ? ST_TEXT
                                            : ST_DIM;

    canvas_puts(c, r.x, r.y, 1, steptext_style(s->state),
                steptext_glyph(s->state, t->now_ms, c->ascii));
    canvas_cut(c, x, r.y, title, st, str_of(steptext_title(s)));
    x += title + 2;
    draw_note(s, c, (struct rect){x, r.y, r.x + r.w - TIME_W - 1 - x, 1});
    draw_time(t, s, c, r);
}

static void
draw_child(const struct steptree *t, const struct steptree_row *row,
           struct canvas *c, struct rect r)
{
    const struct step_run *s = t->runs[row->run];
    int x = r.x + 2, end = r.x + r.w;

    x += canvas_puts(c, x, r.y, 3, ST_BORDER,
                     row->last ? "\xe2\x94\x94 " : "\xe2\x94\x9c ");
    if (row->type == TREE_BAR) {
        draw_bytes(t, row->run, c, (struct rect){x, r.y, end - x, 1});
        return;
    }
    if (row->type == TREE_REASON) {
        canvas_cut(c, x, r.y, end - x,
                   went_wrong(s) ? steptext_style(s->state) : ST_DIM,
                   str_of(reason_of(s)));
        return;
    }

    const struct step_part *p = &s->parts[row->part];
    bool bad = p->state == STEP_FAILED;
    /* A part of a step that is over does not go on. */
    enum step_state st = steptext_ended(s->state) && steptext_runs(p->state)
                             ? STEP_CANCELLED
                             : p->state;

    canvas_puts(c, x, r.y, 1, steptext_style(st),
                steptext_glyph(st, t->now_ms, c->ascii));
    x += 2;
    x += canvas_cut(c, x, r.y, end - x,
                    bad                        ? ST_FAIL
                    : steptext_ended(p->state) ? ST_DIM
                                               : ST_TEXT,
                    str_of(p->name)) +
         2;
    if (p->detail && *p->detail && x < end)
        canvas_cut(c, x, r.y, end - x, bad ? ST_FAIL : ST_DIM,
                   str_of(p->detail));
}

void
steptree_draw(const struct steptree *t, size_t i, struct canvas *c,
              struct rect r)
{
    const struct steptree_row *row = &t->rows[i];

    switch (row->type) {
    case TREE_STEP:
        draw_step(t, row->run, c, r);
        return;
    case TREE_PART:
    case TREE_BAR:
    case TREE_REASON:
        draw_child(t, row, c, r);
        return;
    case TREE_ENDED:
        canvas_puts(c, r.x, r.y, 1, ST_OK,
                    steptext_glyph(STEP_DONE, 0, c->ascii));
        canvas_printf(c, r.x + 2, r.y, r.w - 2, ST_DIM, "%zu step%s before",
                      row->count, row->count == 1 ? "" : "s");
        return;
    case TREE_TO_COME:
        canvas_puts(c, r.x, r.y, 1, ST_DIM,
                    steptext_glyph(STEP_PENDING, 0, c->ascii));
        canvas_printf(c, r.x + 2, r.y, r.w - 2, ST_DIM, "%zu more to come",
                      row->count);
        return;
    }
}

void
steptree_summary(const struct steptree *t, int64_t began_ms, struct buf *out)
{
    const struct step_run *slow =
        steptext_slowest(t->runs, t->runs_n, t->now_ms);
    char text[STEPTEXT_LEN];
    size_t ended = 0;

    for (size_t i = 0; i < t->runs_n; i++)
        ended += steptext_ended(t->runs[i]->state) &&
                 t->runs[i]->state != STEP_SKIPPED;
    buf_printf(out, "%zu of %zu steps  %s", ended, t->runs_n,
               steptext_ms(t->now_ms - began_ms, text));
    if (slow && t->runs_n > 1)
        buf_printf(out, "  slowest: %s %s", slow->id ? slow->id : "",
                   steptext_ms(steptext_took(slow, t->now_ms), text));
}
