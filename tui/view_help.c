#include "tui/app.h"
#include "tui/pane.h"
#include "tui/textview.h"

/* The keys that mean something in the view below, from the action table. */

struct help {
    struct textview text;
};

static void
add_row(const struct action_row *row, struct buf *out)
{
    struct str rest = str_of(row->keys), word;
    size_t start = out->n;

    buf_puts(out, "    ");
    while (str_next(&rest, ' ', &word)) {
        buf_str(out, word);
        buf_putc(out, ' ');
    }
    while (out->n - start < 24)
        buf_putc(out, ' ');
    buf_printf(out, "%s\n", row->help);
}

static void
open_help(struct view *v)
{
    AUTO(buf_release) struct buf b = BUF_INIT(64 << 10);
    struct help *h = v->state;
    const struct view *below = v->app->stack[v->app->depth - 2];
    unsigned shown = below->ops->contexts(below);
    const char *group = "";

    for (size_t i = 0; i < action_count(); i++) {
        const struct action_row *row = &action_table[i];

        if (!(row->contexts & shown))
            continue;
        if (strcmp(group, row->group) != 0)
            buf_printf(&b, "%s%s\n", *group ? "\n" : "", row->group);
        group = row->group;
        add_row(row, &b);
    }
    buf_puts(&b, "\nCommands (:)\n");
    for (size_t i = 0; commands_at(i); i++) {
        const struct command_word *w = commands_at(i);

        buf_printf(&b, "    :%-8s %-10s %s\n", w->name, w->args, w->help);
    }
    textview_init(&h->text, TEXT_PLAIN);
    textview_set(&h->text, buf_view(&b));
}

static void
close_help(struct view *v)
{
    struct help *h = v->state;

    textview_release(&h->text);
}

static void
title(const struct view *v, struct buf *out)
{
    buf_printf(out, "keys of the %s", v->place.word);
}

static void
draw(struct view *v, struct canvas *c, struct rect r)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1024);
    struct help *h = v->state;

    title(v, &b);
    textview_caption(&h->text, &b);
    r = pane_draw(c, r, buf_view(&b), true);
    r.x++;
    r.w = MAX(0, r.w - 2);
    textview_draw(&h->text, c, r);
}

static unsigned
contexts(const struct view *v)
{
    (void)v;
    return CTX_ANY | CTX_TEXT;
}

static bool
act(struct view *v, enum action a)
{
    struct help *h = v->state;

    if (a == ACT_HELP) {
        app_back(v->app);
        return true;
    }
    return textview_act(&h->text, a);
}

static void
search(struct view *v, struct str text)
{
    struct help *h = v->state;

    textview_search(&h->text, text);
}

static const char *
searched(const struct view *v)
{
    const struct help *h = v->state;

    return h->text.needle;
}

const struct view_ops view_help = {
    .name = "help",
    .size = sizeof(struct help),
    .open = open_help,
    .close = close_help,
    .draw = draw,
    .contexts = contexts,
    .act = act,
    .title = title,
    .search = search,
    .searched = searched,
};
