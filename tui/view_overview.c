#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "tui/app.h"
#include "tui/pane.h"
#include "tui/table.h"
#include "tui/theme.h"

/*
 * The landing screen: domains, products, and what needs attention (root
 * causes, not symptoms). Wide: domains beside products, attention below.
 * Narrower than 100 columns: one of them at a time, attention as one line.
 */

enum pane { DOMAINS, PRODUCTS, ATTENTION, PANES };

struct overview {
    struct tui_table *data[PANES];
    struct table t[PANES];
    int focus; /* enum pane */
    bool zoom;
    char *domain; /* products of this one only, or NULL */
};

static const struct {
    enum tui_what what;
    const char *title, *empty;
} panes[PANES] = {
    [DOMAINS] = {TUI_DOMAINS, "Domains",
                 "no domains yet \xe2\x80\x93 press n to create one"},
    [PRODUCTS] = {TUI_PRODUCTS, "Products",
                  "no products yet \xe2\x80\x93 press n to create one"},
    [ATTENTION] = {TUI_ATTENTION, "Needs attention",
                   "nothing: everything is as it should be"},
};

static void
open_overview(struct view *v)
{
    struct overview *o = v->state;
    struct tui_source *s = v->app->source;

    for (int i = 0; i < PANES; i++) {
        o->data[i] =
            s->ops->open(s, &(struct tui_query){.what = panes[i].what});
        table_init(&o->t[i], s, v->app->clock);
        table_set(&o->t[i], o->data[i]);
        o->t[i].empty = panes[i].empty;
    }
    o->t[DOMAINS].sort = o->t[PRODUCTS].sort = 0; /* HEALTH, worst first */
    o->focus = PRODUCTS;
}

static void
close_overview(struct view *v)
{
    struct overview *o = v->state;
    struct tui_source *s = v->app->source;

    for (int i = 0; i < PANES; i++) {
        table_release(&o->t[i]);
        s->ops->close(s, o->data[i]);
    }
    free(o->domain);
}

static int64_t
update(struct view *v)
{
    struct overview *o = v->state;
    int64_t wait, least = 0;

    for (int i = 0; i < PANES; i++) {
        table_sync(&o->t[i], false, &wait);
        if (wait && (!least || wait < least))
            least = wait;
    }
    return least;
}

/* ---- drawing ---- */

static void
draw_pane(struct overview *o, struct canvas *c, struct rect r, enum pane p)
{
    AUTO(buf_release) struct buf title = BUF_INIT(512);
    struct rect inner;

    buf_printf(&title, "%d %s", p + 1, panes[p].title);
    table_caption(&o->t[p], &title);
    if (p == PRODUCTS && o->domain)
        buf_printf(&title, "  domain %s", o->domain);
    inner = pane_draw(c, r, buf_view(&title), o->focus == (int)p);
    table_draw(&o->t[p], c, inner, o->focus == (int)p);
}

/* Attention in one line: the worst, and how many. */
static void
draw_attention_line(struct overview *o, struct canvas *c, struct rect r)
{
    const struct tui_table *t = o->data[ATTENTION];
    int x = r.x + 1;

    if (t->rows_n == 0) {
        if (!t->loading)
            canvas_puts(c, x, r.y, r.w - 1, ST_DIM, "nothing needs attention");
        return;
    }
    x += canvas_printf(c, x, r.y, r.w - 1, ST_FAIL, "! %zu ", t->rows_n);
    canvas_puts(c, x, r.y, 2, theme_style(t->rows[0]->state),
                theme_glyph(t->rows[0]->state));
    for (size_t i = 0; i < t->columns_n; i++) {
        if (t->columns[i].type == COL_MESSAGE)
            canvas_cut(c, x + 2, r.y, r.x + r.w - x - 10, ST_TEXT,
                       str_of(t->rows[0]->cells[i].text));
    }
    canvas_puts(c, r.x + r.w - 7, r.y, 7, ST_DIM, "3 shows");
}

/* Widest pane of domains that leaves the products theirs. */
static int
domains_width(const struct canvas *c)
{
    return MIN(56, c->w >= 120 ? c->w * 9 / 25 : 34);
}

/* Nothing is up: what one can do about it. */
static void
draw_nothing(const struct app *a, struct canvas *c, struct rect r)
{
    static const char *const rows[][2] = {
        {":up", "brings a mesh up: on Kind where a container engine answers, "
                "else on the sandbox"},
        {":up sandbox", "on the embedded control plane: seconds, no engine"},
        {":up sandbox corner-shop", "with an example mesh on it"},
        {":ctx", "looks at another cluster of your kubeconfig"},
    };
    bool brief = r.w < 60;
    int x = r.x + 2;

    rect_top(&r, r.h > 12 ? 2 : 0);
    canvas_puts(c, x, r.y, r.w - 3, ST_TITLE, "Nothing is up here yet.");
    rect_top(&r, 2);
    for (size_t i = 0; i < ARRAY_LEN(rows) && r.h > 0; i++) {
        struct rect at = {x + 26, r.y, r.w - 28, r.h};

        canvas_puts(c, x, r.y, r.w - 3, ST_KEY, rows[i][0]);
        if (brief) {
            rect_top(&r, 1);
            at = (struct rect){x + 2, r.y, r.w - 5, r.h};
        }
        rect_top(&r, canvas_wrap(c, at, ST_TEXT, str_of(rows[i][1])));
    }
    if (a->work && r.h > 1)
        canvas_puts(c, x, r.y + 1, r.w - 3, ST_DIM,
                    tui_work_runs(a->work)
                        ? ":steps shows what runs"
                        : ":steps shows how it went last time");
}

static void
draw(struct view *v, struct canvas *c, struct rect r)
{
    struct overview *o = v->state;
    bool wide = c->w >= 100 && c->h >= 20;
    struct tui_link link = {0};

    v->app->source->ops->link(v->app->source, &link);
    if (link.none) {
        draw_nothing(v->app, c, r);
        return;
    }

    if (!wide || o->zoom) {
        if (c->h >= 12 && o->focus != ATTENTION && !o->zoom)
            draw_attention_line(o, c, rect_bottom(&r, 1));
        draw_pane(o, c, r, o->focus);
        return;
    }

    int rows = (int)MIN(o->t[ATTENTION].n, (size_t)r.h) + 3;
    struct rect low = rect_bottom(&r, MAX(4, MIN(rows, r.h / 3)));
    struct rect left = rect_left(&r, domains_width(c));

    draw_pane(o, c, left, DOMAINS);
    draw_pane(o, c, r, PRODUCTS);
    draw_pane(o, c, low, ATTENTION);
}

/* ---- keys ---- */

static unsigned
contexts(const struct view *v)
{
    const struct overview *o = v->state;
    struct tui_link link = {0};
    struct tui_ref ref;

    v->app->source->ops->link(v->app->source, &link);
    if (link.none)
        return CTX_ANY;
    return CTX_ANY | CTX_HOME | CTX_LIST | CTX_KIND |
           (table_ref(&o->t[o->focus], &ref) ? CTX_OBJECT : 0);
}

static void
set_domain(struct overview *o, const char *name)
{
    free(o->domain);
    o->domain = name ? mem_strdup(name) : NULL;
    table_narrow(&o->t[PRODUCTS], "DOMAIN", o->domain);
}

static void
open_row(struct view *v)
{
    struct overview *o = v->state;
    const struct tui_row *row = table_row(&o->t[o->focus]);
    struct tui_ref ref;

    if (!row)
        return;
    if (o->focus == DOMAINS) {
        set_domain(o, row->name);
        o->focus = PRODUCTS;
    } else if (table_ref(&o->t[o->focus], &ref)) {
        app_open(v->app, &view_page, &ref, NULL);
    }
}

/* A new domain, or a new product of the domain one looks at. */
static void
create(struct view *v)
{
    struct overview *o = v->state;
    const struct tui_row *row = table_row(&o->t[o->focus]);
    struct tui_ref near = {0};

    if (row && row->ns)
        tui_ref_set(&near, "", "", row->ns, o->domain);
    app_open(v->app, &view_create, &near,
             o->focus == DOMAINS ? "datadomains" : "dataproducts");
}

/* From the products of one domain to the domains. */
static bool
leave_domain(struct overview *o)
{
    if (o->focus != PRODUCTS || !o->domain)
        return false;
    set_domain(o, NULL);
    o->focus = DOMAINS;
    return true;
}

static bool
act(struct view *v, enum action a)
{
    struct overview *o = v->state;
    struct table *t = &o->t[o->focus];

    if (table_act(t, a) || (a == ACT_BACK && leave_domain(o)) ||
        pane_act(a, &o->focus, PANES, &o->zoom))
        return true;
    switch (a) {
    case ACT_OPEN:
        open_row(v);
        return true;
    case ACT_NEW:
        create(v);
        return true;
    default:
        return false;
    }
}

static void
search(struct view *v, struct str text)
{
    struct overview *o = v->state;

    table_filter(&o->t[o->focus], text);
}

static const char *
searched(const struct view *v)
{
    const struct overview *o = v->state;

    return o->t[o->focus].filter_text;
}

static bool
selected(const struct view *v, struct tui_ref *out)
{
    const struct overview *o = v->state;

    return table_ref(&o->t[o->focus], out);
}

static size_t
marked(const struct view *v, struct tui_ref *out, size_t max)
{
    const struct overview *o = v->state;

    return table_marked(&o->t[o->focus], out, max);
}

static void
title(const struct view *v, struct buf *out)
{
    (void)v;
    buf_puts(out, "overview");
}

const struct view_ops view_overview = {
    .name = "overview",
    .size = sizeof(struct overview),
    .open = open_overview,
    .close = close_overview,
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
