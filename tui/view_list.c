#include <stdio.h>

#include "tui/app.h"
#include "tui/pane.h"
#include "tui/table.h"

/*
 * One table over the whole screen: the objects of a kind, and the small lists
 * that `:events`, `:ctx` and `:ns` show (place.word "@events", ...).
 */

struct list {
    struct tui_table *data;
    struct table t;
    enum tui_what what;
};

static const struct {
    const char *word;
    enum tui_what what;
    const char *title, *empty;
} special[] = {
    {"@events", TUI_EVENTS, "events", "no events"},
    {"@contexts", TUI_CONTEXTS, "contexts", "the kubeconfig has no context"},
    {"@namespaces", TUI_NAMESPACES, "namespaces", "no namespaces"},
    {"@kinds", TUI_KINDS, "kinds", "no kinds yet"},
};

static void
open_list(struct view *v)
{
    struct list *l = v->state;
    struct tui_source *s = v->app->source;
    struct tui_query q = {.what = TUI_OBJECTS, .kind = v->place.word};

    for (size_t i = 0; i < ARRAY_LEN(special); i++) {
        if (strcmp(v->place.word, special[i].word) == 0)
            q.what = special[i].what;
    }
    q.ref = v->place.ref;
    l->what = q.what;
    l->data = s->ops->open(s, &q);
    table_init(&l->t, s, v->app->clock);
    table_set(&l->t, l->data);
    l->t.empty = "none here yet \xe2\x80\x93 press n to create one";
    for (size_t i = 0; i < ARRAY_LEN(special); i++) {
        if (q.what == special[i].what)
            l->t.empty = special[i].empty;
    }
}

static void
close_list(struct view *v)
{
    struct list *l = v->state;

    table_release(&l->t);
    v->app->source->ops->close(v->app->source, l->data);
}

static int64_t
update(struct view *v)
{
    struct list *l = v->state;
    int64_t wait;

    table_sync(&l->t, false, &wait);
    return wait;
}

static size_t
marked(const struct view *v, struct tui_ref *out, size_t max)
{
    const struct list *l = v->state;

    return table_marked(&l->t, out, max);
}

static void
title(const struct view *v, struct buf *out)
{
    const struct list *l = v->state;

    for (size_t i = 0; i < ARRAY_LEN(special); i++) {
        if (l->what != special[i].what)
            continue;
        buf_puts(out, special[i].title);
        if (*v->place.ref.name)
            buf_printf(out, " of %s", v->place.ref.name);
        return;
    }
    buf_puts(out, v->place.ref.kind);
}

static void
draw(struct view *v, struct canvas *c, struct rect r)
{
    AUTO(buf_release) struct buf text = BUF_INIT(1024);
    struct list *l = v->state;

    title(v, &text);
    table_caption(&l->t, &text);
    table_draw(&l->t, c, pane_draw(c, r, buf_view(&text), true), true);
}

static unsigned
contexts(const struct view *v)
{
    const struct list *l = v->state;
    struct tui_ref ref;

    return CTX_ANY | CTX_LIST | (l->what == TUI_OBJECTS ? CTX_KIND : 0) |
           (table_ref(&l->t, &ref) && l->what != TUI_NAMESPACES ? CTX_OBJECT
                                                                : 0);
}

static void
open_row(struct view *v)
{
    struct list *l = v->state;
    const struct tui_row *row = table_row(&l->t);
    struct app *a = v->app;
    struct error err = {0};
    struct tui_ref ref;

    if (!row)
        return;
    if (l->what == TUI_CONTEXTS) {
        if (!a->source->ops->set_context(a->source, row->key, &err))
            app_say(a, TUI_FAIL, "%s", err.msg);
        else
            app_back(a);
    } else if (l->what == TUI_NAMESPACES) {
        a->source->ops->set_namespace(
            a->source, strcmp(row->key, "*") == 0 ? "" : row->key);
        app_back(a);
    } else if (l->what == TUI_KINDS) {
        app_list(a, row->key);
    } else if (table_ref(&l->t, &ref)) {
        app_open(a, &view_page, &ref, NULL);
    }
}

static bool
act(struct view *v, enum action a)
{
    struct list *l = v->state;

    if (a == ACT_OPEN) {
        open_row(v);
        return true;
    }
    if (a == ACT_NEW) {
        if (l->what == TUI_OBJECTS)
            app_open(v->app, &view_create, NULL, v->place.word);
        return true;
    }
    return table_act(&l->t, a);
}

static void
search(struct view *v, struct str text)
{
    struct list *l = v->state;

    table_filter(&l->t, text);
    if (*l->t.filter_problem)
        app_say(v->app, TUI_FAIL, "%s", l->t.filter_problem);
}

static const char *
searched(const struct view *v)
{
    const struct list *l = v->state;

    return l->t.filter_text;
}

static bool
selected(const struct view *v, struct tui_ref *out)
{
    const struct list *l = v->state;

    return table_ref(&l->t, out);
}

const struct view_ops view_list = {
    .name = "list",
    .size = sizeof(struct list),
    .open = open_list,
    .close = close_list,
    .update = update,
    .draw = draw,
    .contexts = contexts,
    .act = act,
    .title = title,
    .selected = selected,
    .marked = marked,
    .search = search,
    .searched = searched,
};
