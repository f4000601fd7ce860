#include <stdio.h>

#include "tui/app.h"
#include "tui/steptext.h"
#include "tui/theme.h"

/*
 * The frame: a header line (where we are, how true it is), the view, and a
 * bottom line (a prompt, a question, a message or the keys that matter here).
 */

static void
crumbs(const struct app *a, struct buf *out)
{
    for (size_t i = 0; i < a->depth; i++) {
        const struct view *v = a->stack[i];

        if (v->ops->overlay)
            continue;
        buf_puts(out, " \xe2\x80\xba ");
        if (v->ops->title)
            v->ops->title(v, out);
        else
            buf_puts(out, v->ops->name);
    }
}

static void
wall_time(int64_t ms, char out[16])
{
    int s = (int)(ms / 1000 % 86400);

    snprintf(out, 16, "%02d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
}

/* "STALE as of 12:41:07, retry in 4 s", or what is the case. Answers the
 * milliseconds until it says something else, or -1. */
static int64_t
link_text(const struct app *a, const struct tui_link *l, struct buf *out)
{
    int64_t now = clock_wall_ms(a->clock), left = l->retry_ms - now;
    char at[16];

    if (a->frozen) {
        buf_puts(out, "FROZEN");
        return -1;
    }
    if (l->none) {
        buf_puts(out, "no cluster yet");
        return -1;
    }
    if (l->live) {
        buf_puts(out, "\xe2\x97\x8f LIVE");
        return -1;
    }
    if (l->ever) {
        wall_time(l->as_of_ms, at);
        buf_printf(out, "STALE as of %s", at);
    } else {
        buf_puts(out, l->problem ? "NOT CONNECTED" : "connecting\xe2\x80\xa6");
    }
    if (l->retry_ms == 0) {
        buf_puts(out, l->ever ? ", retrying" : "");
        return -1;
    }
    if (left <= 0) {
        buf_puts(out, ", trying");
        return 1000;
    }
    buf_printf(out, ", retry in %d s", (int)((left + 999) / 1000));
    return left % 1000 ? left % 1000 : 1000;
}

/* "up 12/21  ", while it runs and is not looked at. */
static int64_t
work_text(const struct app *a, struct buf *out)
{
    const struct tui_work *w = a->work;
    size_t ended = 0;

    if (!tui_work_runs(w) || app_top(a)->ops == &view_steps)
        return -1;
    for (size_t i = 0; i < w->runs_n; i++)
        ended += steptext_ended(w->runs[i]->state);
    buf_printf(out, "%s %zu/%zu  ", w->name, ended, w->runs_n);
    return 1000;
}

static enum style
link_style(const struct app *a, const struct tui_link *l)
{
    if (a->frozen)
        return ST_PAUSED;
    if (l->live)
        return ST_OK;
    if (l->none)
        return ST_DIM;
    return l->ever || l->problem ? ST_ALERT : ST_WAIT;
}

static int64_t
draw_header(struct app *a, struct rect r, const struct tui_link *l)
{
    AUTO(buf_release) struct buf left = BUF_INIT(8192);
    AUTO(buf_release) struct buf right = BUF_INIT(256);
    struct canvas *c = &a->canvas;
    const char *rights = l->read_only ? "RO" : "RW";
    int64_t again = work_text(a, &right), link = link_text(a, l, &right);
    int w = canvas_columns(c, buf_view(&right)) + 4, x;
    struct str text;

    buf_printf(&left, "%s", r.w >= 60 ? "meshtop " : "");
    buf_puts(&left, l->where);
    crumbs(a, &left);
    text = buf_view(&left);
    /* The end says where one is: the beginning goes first. */
    while (canvas_columns(c, text) > r.w - w - 2 &&
           str_find(text, STR("\xe2\x80\xba "), 1) != SIZE_MAX)
        text = str_from(text, str_find(text, STR("\xe2\x80\xba "), 1) + 4);
    canvas_cut(c, r.x + 1, r.y, r.w - w - 2, ST_BAR, text);
    x = r.x + r.w - w;
    canvas_put(c, x, r.y, w - 4, link_style(a, l), buf_view(&right));
    canvas_puts(c, r.x + r.w - 3, r.y, 2, l->read_only ? ST_ALERT : ST_DIM,
                rights);
    return again < 0 || (link >= 0 && link < again) ? link : again;
}

/* ---- the bottom line ---- */

static bool
hinted(const struct app *a, const struct action_row *row, unsigned contexts)
{
    if (!row->hint || !(row->contexts & contexts))
        return false;
    if (row->id == ACT_BACK)
        return a->depth > 1;
    if (row->id == ACT_RETRY || row->id == ACT_FOLLOW)
        return tui_work_runs(a->work) == (row->id == ACT_FOLLOW);
    return row->id != ACT_QUIT || a->depth == 1;
}

/* The row of an action that means something here, or NULL. */
static const struct action_row *
row_for(enum action act, unsigned contexts)
{
    for (size_t i = 0; i < action_count(); i++) {
        if (action_table[i].id == act && action_table[i].contexts & contexts)
            return &action_table[i];
    }
    return NULL;
}

static int
draw_hint(struct canvas *c, int x, int y, int w, const struct action_row *row)
{
    AUTO(buf_release) struct buf key = BUF_INIT(64);
    int need;

    action_key(row, &key);
    need = canvas_columns(c, buf_view(&key)) + 1 + (int)strlen(row->hint) + 2;
    if (need > w)
        return 0;
    x += canvas_put(c, x, y, w, ST_KEY, buf_view(&key)) + 1;
    canvas_puts(c, x, y, w, ST_DIM, row->hint);
    return need;
}

/* What is shown first where there is little room. */
static const enum action hint_order[] = {
    ACT_OPEN,     ACT_CREATE,   ACT_DO_DELETE,  ACT_BACK,      ACT_QUIT,
    ACT_FILTER,   ACT_SEARCH,   ACT_NEW,        ACT_EDIT,      ACT_DELETE,
    ACT_WHY,      ACT_YAML,     ACT_PALETTE,    ACT_EDITOR,    ACT_PREVIEW,
    ACT_RETRY,    ACT_FOLLOW,   ACT_FIELD_NEXT, ACT_NEXT_PANE, ACT_EVENTS,
    ACT_DESCRIBE, ACT_ONLY_BAD,
};

static void
draw_hints(struct app *a, struct rect r)
{
    unsigned contexts = app_contexts(a);
    const struct action_row *help = row_for(ACT_HELP, contexts);
    int reserved = help ? 9 : 0, x = r.x + 1;

    for (size_t i = 0; i < ARRAY_LEN(hint_order); i++) {
        const struct action_row *row = row_for(hint_order[i], contexts);

        if (row && hinted(a, row, contexts))
            x += draw_hint(&a->canvas, x, r.y, r.x + r.w - reserved - x, row);
    }
    if (help)
        draw_hint(&a->canvas, x, r.y, r.x + r.w + 2 - x, help);
}

static void
draw_prompt(struct app *a, struct rect r)
{
    int x = r.x + canvas_puts(&a->canvas, r.x, r.y, r.w, ST_KEY, " /");
    int w = *a->message ? r.w / 2 : r.w - 3;

    lineedit_draw(&a->line, &a->canvas, x, r.y, w, true);
    if (*a->message)
        canvas_cut(&a->canvas, x + w + 1, r.y, r.w - w - 4, ST_FAIL,
                   str_of(a->message));
}

static void
draw_bottom(struct app *a, struct rect r)
{
    struct canvas *c = &a->canvas;

    if (a->prompt == PROMPT_SEARCH) {
        draw_prompt(a, r);
    } else if (a->prompt == PROMPT_ASK) {
        int x = r.x + 1;

        x += canvas_puts(c, x, r.y, r.w - 8, ST_WAIT, a->question);
        canvas_puts(c, x, r.y, 8, ST_KEY, " [y/N] ");
        c->cursor_x = x + 7;
        c->cursor_y = r.y;
    } else if (*a->message) {
        enum style st = a->message_state == TUI_NONE
                            ? ST_TEXT
                            : theme_style(a->message_state);

        canvas_cut(c, r.x + 1, r.y, r.w - 2, st, str_of(a->message));
    } else if (app_contexts(a) == 0) {
        canvas_puts(c, r.x + 1, r.y, r.w - 2, ST_DIM,
                    "Enter goes there  Tab next  Esc closes");
    } else {
        draw_hints(a, r);
    }
}

int64_t
frame_draw(struct app *a)
{
    struct canvas *c = &a->canvas;
    struct rect r = {0, 0, c->w, c->h};
    struct rect top = rect_top(&r, c->h > 3), bottom = rect_bottom(&r, 1);
    size_t first = a->depth - 1;
    struct tui_link link = {.where = "", .server = "", .ns = ""};
    int64_t again;

    a->source->ops->link(a->source, &link);
    canvas_clear(c);
    again = draw_header(a, top, &link);
    while (first > 0 && a->stack[first]->ops->overlay)
        first--;
    for (size_t i = first; i < a->depth; i++) {
        c->cursor_x = -1;
        a->stack[i]->ops->draw(a->stack[i], c, r);
        if (!link.live && link.ever && i == first && !a->stack[i]->ops->own)
            canvas_attr(c, r, CV_STALE);
    }
    draw_bottom(a, bottom);
    return again;
}
