#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "tui/app.h"
#include "tui/objtext.h"
#include "tui/pane.h"
#include "tui/textview.h"

/*
 * Editing one object: $EDITOR -> the server checks it (dry run) -> the
 * difference -> y writes it. A refusal is shown above the difference and `e`
 * goes back to the same text; nothing typed is lost.
 */

enum stage { LOADING, CHECKING, ASKING, WRITING, REFUSED };

struct edit {
    struct tui_page *page;
    struct textview text;
    struct buf before, after;
    struct json *body;
    enum stage stage;
    char problem[1024];
};

static void check_text(struct view *v);
static void on_checked(void *arg, const struct json *result,
                       const char *warnings, const struct error *err);

static void
refuse(struct edit *e, const struct error *err)
{
    e->stage = REFUSED;
    snprintf(e->problem, sizeof(e->problem), "%s", err->msg);
}

static void
show_diff(struct edit *e)
{
    AUTO(buf_release) struct buf diff = BUF_INIT(BUF_TEXT_MAX);

    objtext_diff(buf_view(&e->before), buf_view(&e->after), &diff);
    textview_set(&e->text, buf_view(&diff));
}

static void
run_editor(struct view *v)
{
    AUTO(buf_release) struct buf out = BUF_INIT(16 << 20);
    struct edit *e = v->state;
    struct app *a = v->app;

    if (!app_edit(a, buf_view(&e->after), &out)) {
        app_back(a);
        return;
    }
    buf_reset(&e->after);
    buf_str(&e->after, buf_view(&out));
    if (str_eq(buf_view(&e->after), buf_view(&e->before))) {
        app_back(a);
        app_say(a, TUI_NONE, "nothing changed");
        return;
    }
    check_text(v);
}

/* The text as an object of the same name, with the dry run under way. */
static void
check_text(struct view *v)
{
    struct edit *e = v->state;
    struct error err = {0};
    struct tui_write w = {.verb = TUI_REPLACE, .dry_run = true};

    show_diff(e);
    json_free(e->body);
    e->body = yaml_parse_one(buf_view(&e->after), NULL, &err);
    if (e->body &&
        (!tui_ref_of(&w.ref, e->body) || !tui_ref_eq(&w.ref, &v->place.ref)))
        error_set(&err, ERR_INVALID,
                  "apiVersion, kind, name and namespace cannot be edited");
    if (!e->body || err.code) {
        refuse(e, &err);
        return;
    }
    w.body = e->body;
    e->stage = CHECKING;
    if (!v->app->source->ops->write(v->app->source, &w, on_checked, v, &err))
        refuse(e, &err);
}

static void
on_written(void *arg, const struct json *result, const char *warnings,
           const struct error *err)
{
    struct view *v = arg;
    struct app *a = v->app;

    (void)result;
    if (err) {
        refuse(v->state, err);
        a->dirty = true;
        return;
    }
    app_say(a, *warnings ? TUI_WAIT : TUI_OK, "%s %s is changed%s%s",
            v->place.ref.kind, v->place.ref.name,
            *warnings ? "; warning: " : "", warnings);
    app_back(a);
}

static void
on_answer(void *arg, bool yes)
{
    struct view *v = arg;
    struct edit *e = v->state;
    struct app *a = v->app;
    struct error err = {0};
    struct tui_write w = {
        .verb = TUI_REPLACE, .ref = v->place.ref, .body = e->body};

    if (!yes) {
        app_back(a);
        app_say(a, TUI_NONE, "nothing was written");
        return;
    }
    e->stage = WRITING;
    if (!a->source->ops->write(a->source, &w, on_written, v, &err))
        refuse(e, &err);
}

static void
on_checked(void *arg, const struct json *result, const char *warnings,
           const struct error *err)
{
    struct view *v = arg;
    struct edit *e = v->state;

    (void)result;
    v->app->dirty = true;
    if (err) {
        refuse(e, err);
        return;
    }
    e->stage = ASKING;
    snprintf(e->problem, sizeof(e->problem), "%s", warnings);
    app_ask(v->app, on_answer, v, "write this to %s?", v->place.ref.name);
}

static void
open_edit(struct view *v)
{
    struct edit *e = v->state;
    struct tui_source *s = v->app->source;

    e->before = BUF_INIT(16 << 20);
    e->after = BUF_INIT(16 << 20);
    e->page = s->ops->page_open(s, &v->place.ref);
    textview_init(&e->text, TEXT_DIFF);
}

static void
close_edit(struct view *v)
{
    struct edit *e = v->state;
    struct tui_source *s = v->app->source;

    s->ops->forget(s, on_checked, v);
    s->ops->forget(s, on_written, v);
    s->ops->page_close(s, e->page);
    textview_release(&e->text);
    buf_release(&e->before);
    buf_release(&e->after);
    json_free(e->body);
}

static int64_t
update(struct view *v)
{
    struct edit *e = v->state;

    if (e->stage != LOADING)
        return 0;
    v->app->source->ops->page_refresh(v->app->source, e->page);
    if (!e->page->object)
        return 0;
    objtext_editable(e->page->object, &e->before);
    buf_str(&e->after, buf_view(&e->before));
    run_editor(v);
    return 1; /* the view may be gone: draw again with what is there */
}

/* True when a controller owns it: what is edited by hand is put back. */
static bool
is_composed(const struct edit *e)
{
    for (const struct json *o = json_first(
             json_at(e->page->object, "metadata", "ownerReferences", NULL));
         o; o = json_next(o)) {
        if (json_bool(json_get(o, "controller"), false))
            return true;
    }
    return false;
}

static void
draw(struct view *v, struct canvas *c, struct rect r)
{
    static const char *const stages[] = {
        [LOADING] = "loading\xe2\x80\xa6",
        [CHECKING] = "the server is checking it\xe2\x80\xa6",
        [ASKING] = "the server accepts this (dry run); nothing is written yet",
        [WRITING] = "writing\xe2\x80\xa6",
        [REFUSED] = "refused \xe2\x80\x93 e edits it again, Esc gives up",
    };
    struct edit *e = v->state;
    enum style st = e->stage == REFUSED  ? ST_FAIL
                    : e->stage == ASKING ? ST_OK
                                         : ST_WAIT;

    r = pane_draw(c, r, STR("Difference"), true);
    canvas_puts(c, r.x + 1, r.y, r.w - 2, st, stages[e->stage]);
    rect_top(&r, 1);
    if (*e->problem) {
        canvas_cut(c, r.x + 1, r.y, r.w - 2, e->stage == REFUSED ? st : ST_WAIT,
                   str_of(e->problem));
        rect_top(&r, 1);
    }
    if (is_composed(e)) {
        canvas_cut(c, r.x + 1, r.y, r.w - 2, ST_WAIT,
                   STR("its owner composes this object and will put it back"));
        rect_top(&r, 1);
    }
    r.x++;
    r.w = MAX(0, r.w - 2);
    textview_draw(&e->text, c, r);
}

static unsigned
contexts(const struct view *v)
{
    const struct edit *e = v->state;

    return CTX_ANY | CTX_TEXT | (e->stage == REFUSED ? CTX_OBJECT : 0);
}

static bool
act(struct view *v, enum action a)
{
    struct edit *e = v->state;

    if (a == ACT_EDIT) {
        e->problem[0] = '\0';
        run_editor(v);
        return true;
    }
    return textview_act(&e->text, a);
}

static void
title(const struct view *v, struct buf *out)
{
    buf_printf(out, "edit %s", v->place.ref.name);
}

static bool
may_leave(struct view *v)
{
    return app_ask_leave(v, "throw the changes away?");
}

const struct view_ops view_edit = {
    .name = "edit",
    .size = sizeof(struct edit),
    .open = open_edit,
    .close = close_edit,
    .update = update,
    .draw = draw,
    .contexts = contexts,
    .act = act,
    .title = title,
    .may_leave = may_leave,
};
