#include "tui/app.h"
#include "tui/objtext.h"
#include "tui/pane.h"
#include "tui/textview.h"

/* One object as YAML, live. A Secret's values show only after `R`. */

struct yaml_view {
    struct tui_page *page;
    struct textview text;
    uint64_t seen;
    bool reveal, shown;
};

static void
open_yaml(struct view *v)
{
    struct yaml_view *y = v->state;
    struct tui_source *s = v->app->source;

    y->page = s->ops->page_open(s, &v->place.ref);
    textview_init(&y->text, TEXT_YAML);
}

static void
close_yaml(struct view *v)
{
    struct yaml_view *y = v->state;

    textview_release(&y->text);
    v->app->source->ops->page_close(v->app->source, y->page);
}

static int64_t
update(struct view *v)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    struct yaml_view *y = v->state;

    if (y->shown && y->seen == y->page->generation)
        return 0;
    v->app->source->ops->page_refresh(v->app->source, y->page);
    y->seen = y->page->generation;
    if (y->page->object) {
        objtext_yaml(y->page->object, y->reveal, &b);
        textview_set(&y->text, buf_view(&b));
        y->shown = true;
    }
    return 0;
}

static void
title(const struct view *v, struct buf *out)
{
    buf_printf(out, "%s/%s yaml", v->place.ref.kind, v->place.ref.name);
}

static void
draw(struct view *v, struct canvas *c, struct rect r)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1024);
    struct yaml_view *y = v->state;

    title(v, &b);
    textview_caption(&y->text, &b);
    if (y->page->gone)
        buf_puts(&b, "  (it is gone; this is its last state)");
    r = pane_draw(c, r, buf_view(&b), true);
    if (!y->shown)
        canvas_cut(c, r.x + 1, r.y, r.w - 1, ST_WAIT,
                   str_of(y->page->problem ? y->page->problem : "loading"));
    r.x++;
    r.w = MAX(0, r.w - 2);
    textview_draw(&y->text, c, r);
}

static unsigned
contexts(const struct view *v)
{
    (void)v;
    return CTX_ANY | CTX_TEXT | CTX_OBJECT;
}

static bool
act(struct view *v, enum action a)
{
    struct yaml_view *y = v->state;

    if (a == ACT_REVEAL) {
        y->reveal = !y->reveal;
        y->shown = false;
        return true;
    }
    if (a == ACT_YAML)
        return true;
    return textview_act(&y->text, a);
}

static bool
selected(const struct view *v, struct tui_ref *out)
{
    *out = v->place.ref;
    return true;
}

static void
search(struct view *v, struct str text)
{
    struct yaml_view *y = v->state;

    textview_search(&y->text, text);
}

static const char *
searched(const struct view *v)
{
    const struct yaml_view *y = v->state;

    return y->text.needle;
}

const struct view_ops view_yaml = {
    .name = "yaml",
    .size = sizeof(struct yaml_view),
    .open = open_yaml,
    .close = close_yaml,
    .update = update,
    .draw = draw,
    .contexts = contexts,
    .act = act,
    .title = title,
    .selected = selected,
    .search = search,
    .searched = searched,
};
