#include <stdlib.h>

#include "lib/base/mem.h"

#include "tui/app.h"
#include "tui/key.h"
#include "tui/pane.h"
#include "tui/stepspane.h"
#include "tui/textview.h"

/*
 * The app's work while it runs and after: the tree of its steps, the log of
 * the step one looks at, and below what it asks or how it ended. 100 columns
 * and more: beside each other; less: one above the other; a small terminal:
 * one at a time. The cursor follows what runs until it is moved.
 */

enum pane { STEPS, LOG, PANES };
enum { OPENS_MS = 2000 };

struct steps_view {
    struct steptree tree;
    struct textview log;
    struct lineedit name;
    size_t run, child; /* the cursor: child 0 is the row of the step itself */
    size_t top;        /* first row shown */
    int page;
    int focus; /* enum pane */
    bool zoom, stay;
    bool moved;    /* the cursor, by the user */
    uint8_t *open; /* of each run: 0 by itself, 1 open, 2 folded */
    size_t open_n;
};

static void
open_steps(struct view *v)
{
    struct steps_view *s = v->state;

    steptree_init(&s->tree);
    textview_init(&s->log, TEXT_PLAIN);
    lineedit_init(&s->name, 100);
}

static void
close_steps(struct view *v)
{
    struct steps_view *s = v->state;

    steptree_release(&s->tree);
    textview_release(&s->log);
    lineedit_release(&s->name);
    free(s->open);
}

/* ---- what there is ---- */

static bool
is_open(void *arg, size_t run)
{
    const struct steps_view *s = arg;
    const struct step_run *r = s->tree.runs[run];

    if (s->open[run])
        return s->open[run] == 1;
    return steptext_runs(r->state) || r->state == STEP_FAILED ||
           r->state == STEP_WARNED;
}

static void
set_runs(struct steps_view *s, const struct tui_work *w, int64_t now)
{
    if (s->open_n != w->runs_n) {
        free(s->open);
        s->open = mem_zalloc(MAX(w->runs_n, (size_t)1), 1);
        s->open_n = w->runs_n;
        s->run = s->child = s->top = 0;
        s->moved = false;
    }
    steptree_set(&s->tree, (const struct step_run *const *)w->runs, w->runs_n,
                 now);
    steptree_all(&s->tree, is_open, s);
}

/* What went wrong, else the first that runs, else where it was. */
static void
follow(struct steps_view *s)
{
    s->child = 0;
    for (size_t i = 0; i < s->tree.runs_n; i++) {
        if (s->tree.runs[i]->state == STEP_FAILED) {
            s->run = i;
            return;
        }
    }
    for (size_t i = 0; i < s->tree.runs_n; i++) {
        if (steptext_runs(s->tree.runs[i]->state)) {
            s->run = i;
            return;
        }
    }
}

static void
set_log(struct steps_view *s, size_t run)
{
    AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);
    const struct strlist *log = &s->tree.runs[run]->log;
    bool at_end = s->log.top + (size_t)MAX(s->log.page, 1) >= s->log.n;

    for (size_t i = 0; i < log->n; i++) {
        buf_puts(&text, log->v[i]);
        buf_putc(&text, '\n');
    }
    textview_set(&s->log, buf_view(&text));
    if (at_end)
        s->log.top = s->log.n;
}

static bool
opens_itself(const struct steps_view *s, const struct tui_work *w)
{
    return w->kind == WORK_UP && w->state == WORK_DONE && !s->stay;
}

static int64_t
update(struct view *v)
{
    struct steps_view *s = v->state;
    struct tui_work *w = v->app->work;
    int64_t now = clock_mono_ms(v->app->clock);

    if (!w)
        return 0;
    set_runs(s, w, now);
    if (!s->moved)
        follow(s);
    if (s->tree.runs_n)
        set_log(s, s->run);
    if (opens_itself(s, w)) {
        if (now >= w->ended_ms + OPENS_MS) {
            app_back(v->app);
            return 1;
        }
        return MIN(w->ended_ms + OPENS_MS - now, 1000);
    }
    return w->state == WORK_RUNNING ? 100 : 0;
}

/* ---- the cursor ---- */

/* Rows of the step at row at, its children among them. */
static size_t
rows_of(const struct steps_view *s, size_t at)
{
    size_t n = 1;

    while (at + n < s->tree.n && s->tree.rows[at + n].run == s->run &&
           s->tree.rows[at + n].type != TREE_STEP)
        n++;
    return n;
}

/* The row of the step one looks at. */
static size_t
step_row(const struct steps_view *s)
{
    for (size_t i = 0; i < s->tree.n; i++) {
        if (s->tree.rows[i].type == TREE_STEP && s->tree.rows[i].run == s->run)
            return i;
    }
    return 0;
}

static size_t
cursor(const struct steps_view *s)
{
    size_t at = step_row(s);

    return at + MIN(s->child, rows_of(s, at) - 1);
}

/* ---- drawing ---- */

/* The cursor shows, and where there is room all that belongs to its step. */
static void
scroll_to(struct steps_view *s, int h)
{
    size_t first = step_row(s), end = first + rows_of(s, first);
    size_t at = cursor(s), page = (size_t)MAX(h, 1);

    s->page = h;
    if (s->tree.n <= page)
        s->top = 0;
    if (end > s->top + page)
        s->top = end - page;
    if (first < s->top && !s->child)
        s->top = first;
    if (at < s->top)
        s->top = at;
    if (at >= s->top + page)
        s->top = at - page + 1;
}

static void
draw_tree(struct steps_view *s, struct canvas *c, struct rect r)
{
    struct rect in = pane_draw(c, r, STR("1 Steps"), s->focus == STEPS);
    size_t at = cursor(s);

    rect_left(&in, 1);
    rect_right(&in, 1);
    if (s->tree.n == 0)
        canvas_puts(c, in.x, in.y, in.w, ST_DIM, "looking what there is");
    scroll_to(s, in.h);
    for (int y = 0; y < in.h && s->top + (size_t)y < s->tree.n; y++) {
        struct rect line = {in.x, in.y + y, in.w, 1};

        steptree_draw(&s->tree, s->top + (size_t)y, c, line);
        if (s->top + (size_t)y == at)
            canvas_attr(c, (struct rect){in.x - 1, line.y, in.w + 2, 1},
                        s->focus == STEPS ? CV_SELECTED : CV_CURSOR);
    }
}

static void
draw_log(struct steps_view *s, const struct tui_work *w, struct canvas *c,
         struct rect r)
{
    AUTO(buf_release) struct buf title = BUF_INIT(1024);
    const struct step_run *run = s->tree.runs_n ? s->tree.runs[s->run] : NULL;
    struct rect in;

    buf_printf(&title, "2 %s", run ? steptext_title(run) : "Log");
    textview_caption(&s->log, &title);
    in = pane_draw(c, r, buf_view(&title), s->focus == LOG);
    rect_left(&in, 1);
    rect_right(&in, 1);
    if (!run)
        return;
    stepspane_step(w, run, s->tree.now_ms, c, &in);
    if (s->tree.rows[cursor(s)].type == TREE_PART)
        stepspane_part(&run->parts[s->tree.rows[cursor(s)].part], c, &in);
    if (in.h > 2 && s->log.n) {
        struct rect line = rect_top(&in, 1);

        canvas_hline(c, line.x, line.y, line.w, ST_BORDER);
    }
    if (in.h > 0)
        textview_draw(&s->log, c, in);
}

static void
draw_summary(const struct steps_view *s, const struct tui_work *w,
             struct canvas *c, struct rect r)
{
    AUTO(buf_release) struct buf text = BUF_INIT(1024);
    int x = r.x + 1;

    x += canvas_printf(c, x, r.y, r.w - 1, ST_TITLE, "%s  %s  ", w->name,
                       w->about);
    if (w->runs_n && (w->state == WORK_RUNNING || w->ended_ms)) {
        struct steptree t = s->tree;

        t.now_ms = w->ended_ms ? w->ended_ms : t.now_ms;
        steptree_summary(&t, w->began_ms, &text);
        canvas_cut(c, x, r.y, r.x + r.w - x, ST_DIM, buf_view(&text));
    }
}

static void
draw(struct view *v, struct canvas *c, struct rect r)
{
    struct steps_view *s = v->state;
    const struct tui_work *w = v->app->work;
    int64_t left = -1;
    struct rect part;

    if (!w) {
        canvas_puts(c, r.x + 1, r.y, r.w - 1, ST_DIM, "nothing ran yet");
        return;
    }
    if (opens_itself(s, w))
        left = w->ended_ms + OPENS_MS - s->tree.now_ms;
    draw_summary(s, w, c, rect_top(&r, 1));
    stepspane_notice(w, &s->name, left, c, &r);
    if (s->zoom || r.h < 8 || (c->w < 100 && r.h < 14)) {
        if (s->focus == LOG)
            draw_log(s, w, c, r);
        else
            draw_tree(s, c, r);
        return;
    }
    if (c->w >= 100)
        part = rect_left(&r, r.w * 11 / 20);
    else
        part = rect_top(&r, MAX(r.h - 9, r.h * 11 / 20));
    draw_tree(s, c, part);
    draw_log(s, w, c, r);
}

/* ---- keys ---- */

static unsigned
contexts(const struct view *v)
{
    const struct steps_view *s = v->state;
    const struct tui_work *w = v->app->work;

    if (w && w->state == WORK_ASKING)
        return CTX_DELETE;
    return CTX_ANY | CTX_STEPS | (s->focus == LOG ? CTX_TEXT : 0);
}

static void
on_quit(void *arg, bool yes)
{
    struct view *v = arg;

    if (yes)
        app_leave(v->app);
}

static void
quit(struct view *v)
{
    struct tui_link link = {0};

    v->app->source->ops->link(v->app->source, &link);
    if (tui_work_runs(v->app->work))
        app_ask(v->app, on_quit, v, "%s is running: stop it and quit?",
                v->app->work->name);
    else if (link.none)
        app_quit(v->app);
    else
        app_back(v->app);
}

static void
confirm(struct view *v)
{
    struct steps_view *s = v->state;
    struct tui_work *w = v->app->work;

    if (w->state != WORK_ASKING)
        return;
    if (str_eqz(buf_view(&s->name.text), w->answer))
        w->ops->confirm(w);
    else
        app_say(v->app, TUI_WAIT, "type the name first");
}

static void
retry(struct view *v)
{
    struct steps_view *s = v->state;
    struct tui_work *w = v->app->work;

    if (!w || tui_work_runs(w)) {
        app_say(v->app, TUI_NONE, "it runs");
        return;
    }
    s->moved = s->stay = false;
    app_work_start(v->app);
}

static void
interrupt(struct view *v)
{
    struct tui_work *w = v->app->work;

    if (w->stops >= 2)
        v->app->quit = true;
    else
        w->ops->stop(w);
}

static void
move(struct steps_view *s, int64_t by)
{
    int64_t last = (int64_t)s->tree.n - 1;
    size_t row = (size_t)MAX(0, MIN((int64_t)cursor(s) + by, last));

    s->moved = true;
    if (last < 0)
        return;
    s->run = s->tree.rows[row].run;
    s->child = row - step_row(s);
}

static void
fold(struct steps_view *s, uint8_t how)
{
    if (s->run < s->open_n)
        s->open[s->run] = how;
}

static bool
act_tree(struct steps_view *s, enum action a)
{
    static const struct {
        enum action a;
        int by, pages;
    } moves[] = {{ACT_UP, -1, 0},          {ACT_DOWN, 1, 0},
                 {ACT_PAGE_UP, 0, -1},     {ACT_PAGE_DOWN, 0, 1},
                 {ACT_TOP, -INT16_MAX, 0}, {ACT_BOTTOM, INT16_MAX, 0}};

    for (size_t i = 0; i < ARRAY_LEN(moves); i++) {
        if (moves[i].a == a) {
            move(s, moves[i].by + moves[i].pages * MAX(s->page - 1, 1));
            return true;
        }
    }
    switch (a) {
    case ACT_LEFT:
    case ACT_FOLD:
        fold(s, 2);
        return true;
    case ACT_RIGHT:
    case ACT_UNFOLD:
        fold(s, 1);
        return true;
    case ACT_FOLD_ALL:
        memset(s->open, s->open_n && s->open[0] == 1 ? 2 : 1, s->open_n);
        return true;
    default:
        return false;
    }
}

static void
open_row(struct view *v)
{
    struct steps_view *s = v->state;

    if (v->app->work && v->app->work->state == WORK_DONE)
        app_back(v->app);
    else if (s->run < s->open_n)
        s->open[s->run] = is_open(s, s->run) ? 2 : 1;
}

static bool
act(struct view *v, enum action a)
{
    struct steps_view *s = v->state;

    if (a == ACT_INTERRUPT && tui_work_runs(v->app->work)) {
        interrupt(v);
        return true;
    }
    if (a != ACT_OPEN)
        s->stay = true;
    if (s->focus == LOG ? textview_act(&s->log, a) : act_tree(s, a))
        return true;
    if (pane_act(a, &s->focus, PANES, &s->zoom))
        return true;
    switch (a) {
    case ACT_OPEN:
        open_row(v);
        return true;
    case ACT_FOLLOW:
        s->moved = false;
        return true;
    case ACT_DO_DELETE:
        confirm(v);
        return true;
    case ACT_RETRY:
        retry(v);
        return true;
    case ACT_QUIT:
        quit(v);
        return true;
    default:
        return false;
    }
}

/* While it asks, letters are the answer; Enter does nothing. */
static bool
key(struct view *v, unsigned k)
{
    struct steps_view *s = v->state;
    struct tui_work *w = v->app->work;

    if (!w || w->state != WORK_ASKING)
        return false;
    if (k == K_ESC) {
        w->ops->stop(w);
        app_back(v->app);
        return true;
    }
    return k == K_ENTER || lineedit_key(&s->name, k);
}

static void
paste(struct view *v, struct str text)
{
    struct steps_view *s = v->state;

    lineedit_paste(&s->name, text);
}

static void
title(const struct view *v, struct buf *out)
{
    buf_puts(out, v->app->work ? v->app->work->name : "steps");
}

static void
search(struct view *v, struct str text)
{
    struct steps_view *s = v->state;

    textview_search(&s->log, text);
}

static const char *
searched(const struct view *v)
{
    const struct steps_view *s = v->state;

    return s->log.needle;
}

const struct view_ops view_steps = {
    .name = "steps",
    .size = sizeof(struct steps_view),
    .own = true,
    .open = open_steps,
    .close = close_steps,
    .update = update,
    .draw = draw,
    .contexts = contexts,
    .act = act,
    .key = key,
    .paste = paste,
    .title = title,
    .search = search,
    .searched = searched,
};
