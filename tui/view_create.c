#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "tui/app.h"
#include "tui/form.h"
#include "tui/key.h"
#include "tui/pane.h"
#include "tui/planview.h"
#include "tui/table.h"

/*
 * Creating one object: a form made from its schema, and beside it the plan:
 * what Crossplane would compose. The plan is made again at every change; ^S
 * asks, then creates.
 */

struct create {
    struct tui_ref kind;
    struct form form;
    struct tui_plan plan;
    struct arena *arena;
    char problem[1024];
    bool ready;   /* the schema is here */
    bool planned; /* for the body as it is */
    bool preview; /* where only one of both fits */
    bool sending;
    bool nameless; /* nothing can be created yet */
};

static void on_created(void *arg, const struct json *result,
                       const char *warnings, const struct error *err);

static void
open_create(struct view *v)
{
    struct create *k = v->state;
    struct app *a = v->app;

    k->arena = arena_new();
    if (!a->source->ops->kind(a->source, v->place.word, &k->kind))
        snprintf(k->problem, sizeof(k->problem),
                 "the cluster serves no kind \"%s\"", v->place.word);
}

static void
close_create(struct view *v)
{
    struct create *k = v->state;

    v->app->source->ops->forget(v->app->source, on_created, v);
    form_release(&k->form);
    arena_free(k->arena);
}

/* ---- the form ---- */

/* Names of the domains, to choose from. */
static void
offer_domains(struct view *v, struct field *field)
{
    struct tui_source *s = v->app->source;
    struct tui_table *t =
        s->ops->open(s, &(struct tui_query){.what = TUI_DOMAINS});

    s->ops->refresh(s, t);
    for (size_t i = 0; i < t->rows_n; i++)
        strlist_add(&field->choices, str_of(t->rows[i]->name));
    s->ops->close(s, t);
}

static void
make_form(struct view *v)
{
    struct create *k = v->state;
    struct tui_source *s = v->app->source;
    struct error err = {0};
    AUTO(json_free_ptr)
    struct json *schema = s->ops->schema(s, &k->kind, &err);
    struct field *domain;

    if (!schema && err.code == ERR_NOT_FOUND)
        return;
    if (*v->place.ref.ns && *k->kind.ns)
        snprintf(k->kind.ns, sizeof(k->kind.ns), "%s", v->place.ref.ns);
    form_init(&k->form, &k->kind, schema);
    k->ready = true;
    domain = form_field(&k->form, "spec.dataDomainRef");
    if (domain) {
        offer_domains(v, domain);
        if (*v->place.ref.name)
            form_put(&k->form, domain, str_of(v->place.ref.name));
    }
    k->form.touched = false;
}

static void
make_plan(struct view *v)
{
    struct create *k = v->state;
    struct tui_source *s = v->app->source;
    struct error err = {0};
    const char *name =
        json_string(json_at(k->form.body, "metadata", "name", NULL));

    arena_reset(k->arena);
    k->plan = (struct tui_plan){.summary = ""};
    k->problem[0] = '\0';
    k->planned = true;
    form_check(&k->form);
    k->nameless = !name || !*name;
    if (k->nameless)
        snprintf(k->problem, sizeof(k->problem), "give it a name first");
    else if (!s->ops->plan_create(s, k->form.body, k->arena, &k->plan, &err))
        snprintf(k->problem, sizeof(k->problem), "%s", err.msg);
}

static int64_t
update(struct view *v)
{
    struct create *k = v->state;

    if (!*k->kind.kind)
        return 0;
    if (!k->ready)
        make_form(v);
    if (k->ready && !k->sending && !k->planned)
        make_plan(v);
    return 0;
}

/* ---- drawing ---- */

static void
draw_plan(struct create *k, struct canvas *c, struct rect r)
{
    AUTO(buf_release) struct buf t = BUF_INIT(512);
    int rows;

    buf_puts(&t, "Plan: what it would bring");
    r = pane_draw(c, r, buf_view(&t), false);
    if (*k->problem) {
        canvas_wrap(c, (struct rect){r.x + 1, r.y, r.w - 2, r.h}, ST_WAIT,
                    str_of(k->problem));
        return;
    }
    canvas_cut(c, r.x + 1, r.y, r.w - 2, ST_TITLE, str_of(k->plan.summary));
    rect_top(&r, 1);
    rows = MAX(r.h / 2, r.h - 3 * (int)k->plan.notes_n - 1);
    planview_items(c, rect_top(&r, MIN(rows, (int)k->plan.items_n)), &k->plan,
                   0);
    rect_top(&r, 1);
    planview_notes(c, r, &k->plan, 0);
}

static void
draw_form(struct create *k, struct canvas *c, struct rect r)
{
    AUTO(buf_release) struct buf t = BUF_INIT(512);

    buf_printf(&t, "New %s  * needed", k->kind.kind);
    r = pane_draw(c, r, buf_view(&t), true);
    r.x++;
    r.w = MAX(0, r.w - 1);
    if (k->ready)
        form_draw(&k->form, c, r);
    else
        canvas_cut(c, r.x, r.y, r.w, ST_WAIT,
                   *k->problem ? str_of(k->problem)
                               : STR("reading its schema"));
}

static void
draw(struct view *v, struct canvas *c, struct rect r)
{
    struct create *k = v->state;

    if (c->w >= 100) {
        struct rect right = rect_right(&r, MAX(40, r.w * 9 / 20));

        draw_form(k, c, r);
        draw_plan(k, c, right);
        return;
    }
    if (k->preview) {
        draw_plan(k, c, r);
        c->cursor_x = -1;
        return;
    }

    struct rect line = rect_bottom(&r, 1);

    draw_form(k, c, r);
    if (*k->problem)
        canvas_cut(c, line.x + 1, line.y, line.w - 2, ST_WAIT,
                   str_of(k->problem));
    else
        canvas_printf(c, line.x + 1, line.y, line.w - 2,
                      k->plan.blockers ? ST_FAIL : ST_OK,
                      "%s; %zu notes, %zu of them block  (^P shows)",
                      k->plan.summary, k->plan.notes_n, k->plan.blockers);
}

/* ---- doing it ---- */

static void
on_created(void *arg, const struct json *result, const char *warnings,
           const struct error *err)
{
    struct view *v = arg;
    struct create *k = v->state;
    struct app *a = v->app;
    struct tui_ref ref;

    k->sending = false;
    a->dirty = true;
    if (err) {
        app_say(a, TUI_FAIL, "%s", err->msg);
        return;
    }
    if (!tui_ref_of(&ref, result))
        tui_ref_of(&ref, k->form.body);
    app_back(a);
    app_open(a, &view_page, &ref, NULL);
    app_say(a, *warnings ? TUI_WAIT : TUI_OK, "%s %s is created%s%s", ref.kind,
            ref.name, *warnings ? "; warning: " : "", warnings);
}

static void
on_answer(void *arg, bool yes)
{
    struct view *v = arg;
    struct create *k = v->state;
    struct app *a = v->app;
    struct error err = {0};
    struct tui_write w = {.verb = TUI_CREATE, .body = k->form.body};

    if (!yes)
        return;
    tui_ref_of(&w.ref, k->form.body);
    k->sending = true;
    if (!a->source->ops->write(a->source, &w, on_created, v, &err)) {
        k->sending = false;
        app_say(a, TUI_FAIL, "%s", err.msg);
    }
}

static void
ask_create(struct view *v)
{
    struct create *k = v->state;
    struct app *a = v->app;

    if (k->sending || !k->ready)
        return;
    make_plan(v);
    if (!app_may_write(a))
        return;
    if (k->nameless)
        app_say(a, TUI_FAIL, "%s", k->problem);
    else if (*k->problem)
        app_ask(a, on_answer, v, "there is no plan; create it anyway?");
    else if (k->plan.blockers)
        app_ask(a, on_answer, v, "the plan is blocked; create it anyway?");
    else
        app_ask(a, on_answer, v, "create it? %s", k->plan.summary);
}

static void
run_editor(struct view *v)
{
    AUTO(buf_release) struct buf text = BUF_INIT(16 << 20);
    AUTO(buf_release) struct buf out = BUF_INIT(16 << 20);
    struct create *k = v->state;
    struct app *a = v->app;
    struct error err = {0};
    struct json *body;

    if (!k->ready)
        return;
    yaml_print(k->form.body, 0, &text);
    if (!app_edit(a, buf_view(&text), &out))
        return;
    body = yaml_parse_one(buf_view(&out), NULL, &err);
    if (!body) {
        app_say(a, TUI_FAIL, "%s", err.msg);
        return;
    }
    form_set_body(&k->form, body);
    k->planned = false;
}

/* ---- keys ---- */

static bool
key(struct view *v, unsigned code)
{
    struct create *k = v->state;

    if (code == K_ESC) {
        app_act(v->app, ACT_BACK);
        return true;
    }
    if (!k->ready || k->sending || action_of(code, CTX_FORM) != ACT_NONE)
        return false;
    if (form_key(&k->form, code))
        k->planned = false;
    return true;
}

static void
paste(struct view *v, struct str text)
{
    struct create *k = v->state;

    if (k->ready) {
        form_paste(&k->form, text);
        k->planned = false;
    }
}

static unsigned
contexts(const struct view *v)
{
    (void)v;
    return CTX_FORM;
}

static bool
act(struct view *v, enum action a)
{
    struct create *k = v->state;

    switch (a) {
    case ACT_FIELD_NEXT:
        if (k->ready)
            form_move(&k->form, 1);
        return true;
    case ACT_FIELD_PREV:
        if (k->ready)
            form_move(&k->form, -1);
        return true;
    case ACT_PREVIEW:
        k->preview = !k->preview;
        return true;
    case ACT_EDITOR:
        run_editor(v);
        return true;
    case ACT_CREATE:
        ask_create(v);
        return true;
    default:
        return false;
    }
}

static void
title(const struct view *v, struct buf *out)
{
    const struct create *k = v->state;

    buf_printf(out, "new %s", *k->kind.kind ? k->kind.kind : v->place.word);
}

static bool
may_leave(struct view *v)
{
    struct create *k = v->state;

    if (!k->form.touched)
        return true;
    return app_ask_leave(v, "throw the form away?");
}

const struct view_ops view_create = {
    .name = "form",
    .size = sizeof(struct create),
    .open = open_create,
    .close = close_create,
    .update = update,
    .draw = draw,
    .contexts = contexts,
    .act = act,
    .key = key,
    .paste = paste,
    .title = title,
    .may_leave = may_leave,
};
