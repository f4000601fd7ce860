#include "tui/app.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "tui/key.h"

struct app *
app_new(const struct app_options *o)
{
    struct app *a = mem_zalloc(1, sizeof(*a));

    a->source = o->source;
    a->clock = o->clock;
    a->host = o->host;
    a->state_dir = o->state_dir;
    a->frame = arena_new();
    canvas_init(&a->canvas, o->w, o->h, o->ascii);
    lineedit_init(&a->line, 4096);
    app_open(a, &view_overview, NULL, NULL);
    return a;
}

/* Takes the top view off the stack. */
static void
drop(struct app *a)
{
    struct view *v = a->stack[--a->depth];

    app_unask(a, v);
    if (v->ops->close)
        v->ops->close(v);
    free(v->state);
    free(v);
    a->dirty = true;
}

void
app_free(struct app *a)
{
    if (!a)
        return;
    while (a->depth)
        drop(a);
    if (a->work)
        a->work->ops->free(a->work);
    canvas_release(&a->canvas);
    lineedit_release(&a->line);
    arena_free(a->frame);
    free(a->before);
    free(a->chosen);
    free(a);
}

struct view *
app_top(const struct app *a)
{
    return a->stack[a->depth - 1];
}

unsigned
app_contexts(const struct app *a)
{
    struct view *v = app_top(a);

    return v->ops->contexts(v);
}

void
app_say(struct app *a, enum tui_state s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(a->message, sizeof(a->message), fmt, ap);
    va_end(ap);
    a->message_state = s;
    a->dirty = true;
}

void
app_ask(struct app *a, app_answer_fn *fn, void *arg, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(a->question, sizeof(a->question), fmt, ap);
    va_end(ap);
    a->prompt = PROMPT_ASK;
    a->answer = fn;
    a->answer_arg = arg;
    a->dirty = true;
}

void
app_unask(struct app *a, void *arg)
{
    if (a->prompt == PROMPT_ASK && a->answer_arg == arg)
        a->prompt = PROMPT_NONE;
}

/* ---- places ---- */

static bool
same_place(const struct place *a, const struct place *b)
{
    return a->ops == b->ops && tui_ref_eq(&a->ref, &b->ref) &&
           strcmp(a->word, b->word) == 0;
}

static void
note(struct app *a, const struct place *p)
{
    if (a->moving || p->ops->overlay || p->ops->may_leave)
        return;
    if (a->history_at && same_place(&a->history[a->history_at - 1], p))
        return;
    if (a->history_at)
        a->last = a->history[a->history_at - 1];
    if (a->history_at == APP_HISTORY) {
        memmove(a->history, a->history + 1,
                (APP_HISTORY - 1) * sizeof(a->history[0]));
        a->history_at--;
    }
    a->history[a->history_at++] = *p;
    a->history_n = a->history_at;
}

void
app_go(struct app *a, const struct place *p)
{
    struct view *v;

    /* Far down, the oldest place but the overview goes. */
    if (a->depth == APP_DEPTH) {
        struct view *top = a->stack[1];

        memmove(a->stack + 1, a->stack + 2,
                (APP_DEPTH - 2) * sizeof(a->stack[0]));
        a->stack[APP_DEPTH - 1] = top;
        drop(a);
    }
    v = mem_zalloc(1, sizeof(*v));
    v->ops = p->ops;
    v->app = a;
    v->place = *p;
    v->state = mem_zalloc(1, MAX(p->ops->size, (size_t)1));
    a->stack[a->depth++] = v;
    note(a, p);
    v->ops->open(v);
    a->dirty = true;
}

void
app_open(struct app *a, const struct view_ops *ops, const struct tui_ref *ref,
         const char *word)
{
    struct place p = {.ops = ops};

    if (ref)
        p.ref = *ref;
    snprintf(p.word, sizeof(p.word), "%s", word ? word : "");
    app_go(a, &p);
}

void
app_back(struct app *a)
{
    if (a->depth > 1) {
        drop(a);
        note(a, &app_top(a)->place);
    }
}

bool
app_list(struct app *a, const char *word)
{
    struct tui_ref kind;

    if (!a->source->ops->kind(a->source, word, &kind)) {
        app_say(a, TUI_FAIL, "the cluster serves no kind \"%s\"", word);
        return false;
    }
    while (a->depth > 1)
        drop(a);
    app_open(a, &view_list, &kind, word);
    return true;
}

/* ---- leaving, and work ---- */

static void
on_quit(void *arg, bool yes)
{
    if (yes)
        app_leave(arg);
}

void
app_quit(struct app *a)
{
    if (tui_work_runs(a->work))
        app_ask(a, on_quit, a, "%s is running: stop it and quit?",
                a->work->name);
    else
        a->quit = true;
}

void
app_leave(struct app *a)
{
    a->leaving = true;
    if (!tui_work_runs(a->work)) {
        a->quit = true;
        return;
    }
    if (app_top(a)->ops != &view_steps)
        app_open(a, &view_steps, NULL, NULL);
    a->work->ops->stop(a->work);
}

static void
on_leave(void *arg, bool yes)
{
    struct view *v = arg;

    if (yes)
        app_back(v->app);
}

bool
app_ask_leave(struct view *v, const char *question)
{
    app_ask(v->app, on_leave, v, "%s", question);
    return false;
}

/* Who looks elsewhere hears of the end in a line. */
static void
say_ended(struct app *a, const struct tui_work *w)
{
    if (app_top(a)->ops == &view_steps)
        return;
    if (w->state == WORK_DONE)
        app_say(a, TUI_OK, "%s is done", w->name);
    else
        app_say(a, w->state == WORK_FAILED ? TUI_FAIL : TUI_WAIT,
                "%s %s; \":steps\" shows it", w->name,
                w->state == WORK_FAILED ? "failed" : "was stopped");
}

static void
on_work(void *arg)
{
    struct app *a = arg;
    bool runs = tui_work_runs(a->work);

    a->dirty = true;
    if (a->work_ran && !runs) {
        a->host.ended(a->host.arg, a->work);
        say_ended(a, a->work);
        a->quit |= a->leaving;
    }
    a->work_ran = runs;
}

void
app_work_start(struct app *a)
{
    struct error err = {0};

    if (!a->work->ops->start(a->work, &err))
        app_say(a, TUI_FAIL, "%s", err.msg);
}

void
app_take_work(struct app *a, struct tui_work *w)
{
    if (a->work)
        a->work->ops->free(a->work);
    a->work = w;
    a->work_ran = false;
    w->changed = on_work;
    w->changed_arg = a;
    while (a->depth > 1)
        drop(a);
    app_open(a, &view_steps, NULL, NULL);
    app_work_start(a);
}

void
app_work(struct app *a, enum tui_work_kind kind, struct str words)
{
    struct error err = {0};
    struct tui_work *w;

    if (tui_work_runs(a->work)) {
        app_say(a, TUI_WAIT, "%s is still running; \":steps\" shows it",
                a->work->name);
        return;
    }
    w = a->host.work(a->host.arg, kind, words, &err);
    if (w)
        app_take_work(a, w);
    else
        app_say(a, TUI_FAIL, "%s", err.msg);
}

/* Goes to the place n steps away in the history. */
static void
history_move(struct app *a, int step)
{
    struct place p;

    if ((step < 0 && a->history_at < 2) ||
        (step > 0 && a->history_at >= a->history_n)) {
        app_say(a, TUI_NONE, "no place %s this one",
                step < 0 ? "before" : "after");
        return;
    }
    a->history_at = (size_t)((int64_t)a->history_at + step);
    p = a->history[a->history_at - 1];
    a->moving = true;
    while (a->depth > 1)
        drop(a);
    if (p.ops != &view_overview)
        app_go(a, &p);
    a->moving = false;
    a->dirty = true;
}

/* Between the last two places, there and back. */
static void
history_last(struct app *a)
{
    struct place p = a->last;

    if (!p.ops) {
        app_say(a, TUI_NONE, "no place before this one");
        return;
    }
    while (a->depth > 1)
        drop(a);
    if (p.ops == &view_overview)
        note(a, &p);
    else
        app_go(a, &p);
}

/* ---- actions ---- */

static void
interrupt(struct app *a)
{
    if (a->interrupted) {
        app_quit(a);
        return;
    }
    a->interrupted = true;
    app_say(a, TUI_NONE, "once more ^C quits");
}

static void
go_back(struct app *a, bool quit)
{
    struct view *v = app_top(a);

    if (v->ops->may_leave && !v->ops->may_leave(v))
        return;
    if (a->depth > 1)
        app_back(a);
    else if (quit)
        app_quit(a);
}

static void
start_search(struct app *a)
{
    struct view *v = app_top(a);
    const char *now = v->ops->searched ? v->ops->searched(v) : NULL;

    if (!v->ops->search)
        return;
    free(a->before);
    a->before = now ? mem_strdup(now) : NULL;
    lineedit_set(&a->line, str_of(now));
    a->prompt = PROMPT_SEARCH;
}

/* What is the same in every view; false: not such an action. */
static bool
act_app(struct app *a, enum action act)
{
    switch (act) {
    case ACT_BACK:
        go_back(a, false);
        return true;
    case ACT_QUIT:
        go_back(a, true);
        return true;
    case ACT_INTERRUPT:
        interrupt(a);
        return true;
    case ACT_HISTORY_BACK:
        history_move(a, -1);
        return true;
    case ACT_HISTORY_FORWARD:
        history_move(a, 1);
        return true;
    case ACT_LAST:
        history_last(a);
        return true;
    case ACT_FILTER:
    case ACT_SEARCH:
        start_search(a);
        return true;
    case ACT_PALETTE:
        app_open(a, &view_palette, NULL, NULL);
        return true;
    case ACT_HELP:
        app_open(a, &view_help, NULL, app_top(a)->ops->name);
        return true;
    case ACT_FREEZE:
        a->frozen = !a->frozen;
        return true;
    case ACT_REDRAW:
        a->host.redraw(a->host.arg);
        return true;
    case ACT_RESYNC:
        a->source->ops->resync(a->source);
        app_say(a, TUI_NONE, "asking the cluster again");
        return true;
    case ACT_SUSPEND:
        a->host.suspend(a->host.arg);
        return true;
    default:
        return false;
    }
}

bool
app_act(struct app *a, enum action act)
{
    struct view *v = app_top(a);

    a->dirty = true;
    return v->ops->act(v, act) || acts_common(a, act) || act_app(a, act);
}

bool
app_may_write(struct app *a)
{
    struct tui_link link = {0};

    a->source->ops->link(a->source, &link);
    if (link.read_only)
        app_say(a, TUI_WAIT,
                "read-only: \":write 10m\" lifts it for ten minutes");
    return !link.read_only;
}

bool
app_edit(struct app *a, struct str text, struct buf *out)
{
    struct error err = {0};

    if (a->host.edit(a->host.arg, text, out, &err))
        return true;
    app_say(a, TUI_FAIL, "%s", err.msg);
    return false;
}

/* ---- keys ---- */

static void
search_now(struct app *a, struct str text)
{
    struct view *v = app_top(a);

    v->ops->search(v, text);
}

static void
search_key(struct app *a, unsigned key)
{
    if (key == K_ESC || key == (K_CTRL | 'c')) {
        a->prompt = PROMPT_NONE;
        search_now(a, str_of(a->before));
    } else if (key == K_ENTER) {
        a->prompt = PROMPT_NONE;
    } else if (key == K_BACKSPACE && a->line.text.n == 0) {
        a->prompt = PROMPT_NONE;
    } else if (lineedit_key(&a->line, key)) {
        search_now(a, buf_view(&a->line.text));
    } else if (key == K_UP || key == K_DOWN) {
        app_act(a, key == K_UP ? ACT_UP : ACT_DOWN);
    }
}

static void
ask_key(struct app *a, unsigned key)
{
    bool yes = key == 'y' || key == 'Y';

    a->prompt = PROMPT_NONE;
    a->answer(a->answer_arg, yes);
}

void
app_key(struct app *a, unsigned key)
{
    struct view *v = app_top(a);
    bool interrupted = a->interrupted;
    enum action act;

    /* Several keys may come before a frame: each acts on what the one before
     * it made of the screen (a filter, say), as if it had been painted. */
    if (!a->settled && (!a->frozen || v->ops->own) && v->ops->update) {
        v->ops->update(v);
        v = app_top(a);
    }
    a->settled = false;
    a->dirty = true;
    a->message[0] = '\0';
    a->interrupted = interrupted && key == (K_CTRL | 'c');
    if (a->prompt == PROMPT_SEARCH) {
        search_key(a, key);
        return;
    }
    if (a->prompt == PROMPT_ASK) {
        ask_key(a, key);
        return;
    }
    if (v->ops->key && v->ops->key(v, key))
        return;
    act = action_of(key, v->ops->contexts(v));
    if (act != ACT_NONE)
        app_act(a, act);
}

void
app_paste(struct app *a, struct str text)
{
    struct view *v = app_top(a);

    a->dirty = true;
    if (a->prompt == PROMPT_SEARCH) {
        lineedit_paste(&a->line, text);
        search_now(a, buf_view(&a->line.text));
    } else if (a->prompt == PROMPT_NONE && v->ops->paste) {
        v->ops->paste(v, text);
    }
}

void
app_resize(struct app *a, int w, int h)
{
    canvas_resize(&a->canvas, w, h);
    a->dirty = true;
}

/* Ends what `:write` lifted; the milliseconds until then, or -1. */
static int64_t
end_writing(struct app *a)
{
    int64_t left = a->write_until_ms - clock_wall_ms(a->clock);

    if (!a->write_until_ms)
        return -1;
    if (left > 0)
        return left;
    a->write_until_ms = 0;
    a->source->ops->set_read_only(a->source, true);
    app_say(a, TUI_WAIT, "read-only again");
    return -1;
}

int64_t
app_frame(struct app *a)
{
    struct view *v = app_top(a);
    int64_t wait = 0, tick, writing = end_writing(a);

    arena_reset(a->frame);
    if ((!a->frozen || v->ops->own) && v->ops->update)
        wait = v->ops->update(v);
    tick = frame_draw(a);
    a->dirty = false;
    a->settled = true;
    if (writing >= 0)
        tick = tick < 0 ? writing : MIN(tick, writing);
    if (wait <= 0)
        return tick;
    return tick < 0 ? wait : MIN(wait, tick);
}
