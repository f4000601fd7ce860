#include "tui/app.h"
#include "tui/key.h"
#include "tui/pane.h"
#include "tui/steplist.h"
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
    struct steplist list;
    struct textview log;
    struct lineedit name;
    int focus; /* enum pane */
    bool zoom, stay;
};

static void
open_steps(struct view *v)
{
    struct steps_view *s = v->state;

    steplist_init(&s->list);
    textview_init(&s->log, TEXT_PLAIN);
    lineedit_init(&s->name, 100);
}

static void
close_steps(struct view *v)
{
    struct steps_view *s = v->state;

    steplist_release(&s->list);
    textview_release(&s->log);
    lineedit_release(&s->name);
}

/* ---- what there is ---- */

static void
set_log(struct steps_view *s)
{
    AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);
    const struct step_run *run = steplist_run(&s->list);
    size_t page = (size_t)MAX(s->log.page, 1);
    bool at_end = s->log.top + page >= s->log.n;

    for (size_t i = 0; run && i < run->log.n; i++) {
        buf_puts(&text, run->log.v[i]);
        buf_putc(&text, '\n');
    }
    textview_set(&s->log, buf_view(&text));
    if (at_end)
        s->log.top = s->log.n > page ? s->log.n - page : 0;
}

/* The steps as they are now: they may have moved since the last frame. */
static void
sync(struct view *v)
{
    struct steps_view *s = v->state;
    const struct tui_work *w = v->app->work;

    if (!w)
        return;
    steplist_set(&s->list, (const struct step_run *const *)w->runs, w->runs_n,
                 clock_mono_ms(v->app->clock));
    set_log(s);
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
    sync(v);
    if (opens_itself(s, w)) {
        if (now >= w->ended_ms + OPENS_MS) {
            app_back(v->app);
            return 1;
        }
        return MIN(w->ended_ms + OPENS_MS - now, 1000);
    }
    return w->state == WORK_RUNNING ? 100 : 0;
}

/* ---- drawing ---- */

static void
draw_tree(struct steps_view *s, struct canvas *c, struct rect r)
{
    bool focus = s->focus == STEPS;

    steplist_draw(&s->list, c, pane_draw(c, r, STR("1 Steps"), focus), focus);
}

static void
draw_log(struct steps_view *s, const struct tui_work *w, struct canvas *c,
         struct rect r)
{
    AUTO(buf_release) struct buf title = BUF_INIT(1024);
    const struct step_run *run = steplist_run(&s->list);
    const struct step_part *part = steplist_part(&s->list);
    struct rect in;

    buf_printf(&title, "2 %s", run ? steptext_title(run) : "Log");
    textview_caption(&s->log, &title);
    in = pane_draw(c, r, buf_view(&title), s->focus == LOG);
    rect_left(&in, 1);
    rect_right(&in, 1);
    if (!run)
        return;
    stepspane_step(w, run, s->list.tree.now_ms, c, &in);
    if (part)
        stepspane_part(part, c, &in);
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
        struct steptree t = s->list.tree;

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
    sync(v);
    if (opens_itself(s, w))
        left = w->ended_ms + OPENS_MS - s->list.tree.now_ms;
    draw_summary(s, w, c, rect_top(&r, 1));
    stepspane_notice(w, &s->name, left, c, &r);
    if (s->zoom || r.h < 8 || (c->w < 100 && r.h < 10)) {
        if (s->focus == LOG)
            draw_log(s, w, c, r);
        else
            draw_tree(s, c, r);
        return;
    }
    if (c->w >= 100)
        part = rect_left(&r, r.w * 11 / 20);
    else
        part = rect_top(&r, MAX(r.h - 9, r.h * 6 / 10));
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
    s->stay = false;
    steplist_follow(&s->list);
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
open_row(struct view *v)
{
    struct steps_view *s = v->state;

    if (v->app->work && v->app->work->state == WORK_DONE)
        app_back(v->app);
    else
        steplist_toggle(&s->list);
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
    sync(v);
    if (s->focus == LOG ? textview_act(&s->log, a) : steplist_act(&s->list, a))
        return true;
    if (pane_act(a, &s->focus, PANES, &s->zoom))
        return true;
    switch (a) {
    case ACT_OPEN:
        open_row(v);
        return true;
    case ACT_FOLLOW:
        steplist_follow(&s->list);
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
