#include <stdio.h>
#include <stdlib.h>

#include "tui/app.h"
#include "tui/pane.h"
#include "tui/table.h"
#include "tui/theme.h"
#include "tui/treeview.h"

/*
 * One object: what it is composed of, why it is not ready, and below its
 * events, conditions or ports. 100 columns and more: tree beside why; less:
 * one above the other; a small terminal: one at a time.
 */

enum pane { TREE, WHY, DETAIL, PANES };
enum detail { EVENTS, CONDITIONS, PORTS, DETAILS };

struct page {
    struct tui_page *p;
    uint64_t seen;
    bool read;
    struct treeview tree;
    struct tui_table *events;
    struct table events_t;
    size_t why_top, detail_top;
    int focus; /* enum pane */
    enum detail detail;
    bool zoom;
};

static const char *const detail_names[] = {"Events", "Conditions", "Ports"};

static void
open_page(struct view *v)
{
    struct page *g = v->state;
    struct tui_source *s = v->app->source;

    g->p = s->ops->page_open(s, &v->place.ref);
    g->events = s->ops->open(
        s, &(struct tui_query){.what = TUI_EVENTS, .ref = v->place.ref});
    table_init(&g->events_t, s, v->app->clock);
    table_set(&g->events_t, g->events);
    g->events_t.empty = "no events";
    treeview_init(&g->tree);
    if (strcmp(v->place.word, "why") == 0)
        g->focus = WHY;
    else if (strcmp(v->place.word, "ports") == 0) {
        g->focus = DETAIL;
        g->detail = PORTS;
    }
}

static void
close_page(struct view *v)
{
    struct page *g = v->state;
    struct tui_source *s = v->app->source;

    treeview_release(&g->tree);
    table_release(&g->events_t);
    s->ops->close(s, g->events);
    s->ops->page_close(s, g->p);
}

static int64_t
update(struct view *v)
{
    struct page *g = v->state;
    int64_t wait;

    if (!g->read || g->seen != g->p->generation) {
        v->app->source->ops->page_refresh(v->app->source, g->p);
        treeview_set(&g->tree, g->p->nodes, g->p->nodes_n);
        g->seen = g->p->generation;
        g->read = true;
    }
    table_sync(&g->events_t, false, &wait);
    return wait;
}

/* ---- drawing ---- */

static void
draw_headline(const struct view *v, struct canvas *c, struct rect r)
{
    const struct page *g = v->state;
    enum tui_state st = g->p->state;
    char age[16];
    int x = r.x + 1;

    if (g->p->gone) {
        canvas_puts(c, x, r.y, r.w - 1, ST_DEL,
                    "gone \xe2\x80\x93 this is its last state");
        return;
    }
    if (!g->p->object) {
        canvas_cut(c, x, r.y, r.w - 1, ST_WAIT,
                   str_of(g->p->problem ? g->p->problem : "loading"));
        return;
    }
    if (st != TUI_NONE) {
        x += canvas_puts(c, x, r.y, 2, theme_style(st), theme_glyph(st)) + 1;
        x += canvas_puts(c, x, r.y, 8, theme_style(st), theme_word(st)) + 2;
    }
    if (*v->place.ref.ns)
        x += canvas_printf(c, x, r.y, r.x + r.w - x, ST_DIM, "ns %s  ",
                           v->place.ref.ns);
    x += canvas_printf(
        c, x, r.y, r.x + r.w - x, ST_DIM, "age %s  ",
        table_age(clock_wall_ms(v->app->clock), g->p->created_ms, age));
    canvas_cut(c, x, r.y, r.x + r.w - x, ST_TEXT, str_of(g->p->headline));
}

static void
draw_why(const struct page *g, struct canvas *c, struct rect r)
{
    int y = 0;

    r.x++;
    r.w = MAX(0, r.w - 1);
    if (g->p->why_n == 0)
        canvas_cut(c, r.x, r.y, r.w, ST_DIM, STR("nothing is wrong with it"));
    for (size_t i = g->why_top; i < g->p->why_n && y < r.h; i++) {
        const struct tui_line *l = &g->p->why[i];
        enum style st = l->state == TUI_NONE ? ST_TEXT : theme_style(l->state);
        int x = r.x + 2 * l->indent;

        if (l->state != TUI_NONE)
            x += canvas_puts(c, x, r.y + y, 2, st, theme_glyph(l->state)) + 1;
        y += canvas_wrap(c, (struct rect){x, r.y + y, r.x + r.w - x, r.h - y},
                         st, str_of(l->text));
    }
}

static void
draw_conditions(const struct view *v, struct canvas *c, struct rect r)
{
    const struct page *g = v->state;
    int64_t now = clock_wall_ms(v->app->clock);
    char age[16];
    int y = 0;

    if (g->p->conditions_n == 0)
        canvas_puts(c, r.x + 1, r.y, r.w - 1, ST_DIM, "no conditions");
    for (size_t i = g->detail_top; i < g->p->conditions_n && y < r.h;
         i++, y++) {
        const struct tui_condition *d = &g->p->conditions[i];
        enum style st = d->bad ? ST_FAIL : ST_OK;
        int x = r.x + 1;

        canvas_puts(c, x, r.y + y, 2, st,
                    theme_glyph(d->bad ? TUI_FAIL : TUI_OK));
        canvas_cut(c, x + 2, r.y + y, 18, ST_NAME, str_of(d->type));
        canvas_cut(c, x + 21, r.y + y, 7, st, str_of(d->status));
        canvas_puts(c, x + 29, r.y + y, 5, ST_DIM,
                    table_age(now, d->since_ms, age));
        x += 34;
        x += canvas_cut(c, x, r.y + y, MIN(24, r.x + r.w - x), ST_TEXT,
                        str_of(d->reason)) +
             2;
        canvas_cut(c, x, r.y + y, r.x + r.w - x, ST_DIM, str_of(d->message));
    }
}

static void
draw_ports(const struct page *g, struct canvas *c, struct rect r)
{
    int y = 0;

    if (g->p->ports_n == 0)
        canvas_puts(c, r.x + 1, r.y, r.w - 1, ST_DIM, "no ports declared");
    for (size_t i = g->detail_top; i < g->p->ports_n && y < r.h; i++, y++) {
        const struct tui_port *p = &g->p->ports[i];
        enum style st = theme_style(p->state);
        int x = r.x + 1;

        canvas_puts(c, x, r.y + y, 2, st, theme_glyph(p->state));
        canvas_puts(c, x + 2, r.y + y, 4, ST_DIM, p->input ? "in" : "out");
        canvas_cut(c, x + 6, r.y + y, 18, ST_NAME, str_of(p->name));
        canvas_cut(c, x + 25, r.y + y, 8, ST_TEXT, str_of(p->version));
        x += 34;
        if (*p->peer)
            x += canvas_printf(c, x, r.y + y, r.x + r.w - x, ST_TEXT, "%s %s  ",
                               p->input ? "from" : "contract", p->peer);
        else if (*p->contract)
            x += canvas_printf(c, x, r.y + y, r.x + r.w - x, ST_TEXT,
                               "contract %s  ", p->contract);
        canvas_cut(c, x, r.y + y, r.x + r.w - x, st, str_of(p->note));
    }
}

static void
draw_detail(const struct view *v, struct canvas *c, struct rect r, bool focus)
{
    struct page *g = v->state;

    if (g->detail == EVENTS)
        table_draw(&g->events_t, c, r, focus);
    else if (g->detail == CONDITIONS)
        draw_conditions(v, c, r);
    else
        draw_ports(g, c, r);
}

static void
tree_title(const struct page *g, struct buf *out)
{
    size_t bad = 0;

    for (size_t i = 1; i < g->p->nodes_n; i++)
        bad +=
            g->p->nodes[i].state != TUI_OK && g->p->nodes[i].state != TUI_NONE;
    buf_printf(out, "1 Tree  %zu composed",
               g->p->nodes_n ? g->p->nodes_n - 1 : 0);
    if (bad)
        buf_printf(out, ", %zu not ready", bad);
    if (g->tree.only_bad)
        buf_puts(out, "  not ready only");
}

static void
draw_pane(const struct view *v, struct canvas *c, struct rect r, enum pane p)
{
    AUTO(buf_release) struct buf t = BUF_INIT(512);
    struct page *g = v->state;
    bool focus = g->focus == (int)p;

    if (p == TREE) {
        tree_title(g, &t);
    } else if (p == WHY) {
        buf_puts(&t, "2 Why");
    } else {
        buf_puts(&t, "3 ");
        for (int i = 0; i < DETAILS; i++) {
            bool now = g->detail == (enum detail)i;

            buf_printf(&t, "%s%s%s%s", i ? " " : "", now ? "[" : " ",
                       detail_names[i], now ? "]" : " ");
        }
    }
    r = pane_draw(c, r, buf_view(&t), focus);
    if (p == TREE) {
        r.x++;
        r.w = MAX(0, r.w - 1);
        treeview_draw(&g->tree, c, r, focus);
    } else if (p == WHY) {
        draw_why(g, c, r);
    } else {
        draw_detail(v, c, r, focus);
    }
}

/* Rows of the tree in a column: what it needs, but it leaves the why some. */
static int
tree_rows(const struct page *g, int h)
{
    int why = MIN(h / 2, MAX(3, (int)g->p->why_n + 2));

    return MAX(h - MAX(why, 6), MIN((int)g->tree.n + 2, h - why));
}

static void
draw(struct view *v, struct canvas *c, struct rect r)
{
    struct page *g = v->state;

    draw_headline(v, c, rect_top(&r, 1));
    if (g->zoom || r.h < 14) {
        draw_pane(v, c, r, g->focus);
    } else if (c->w >= 100) {
        struct rect low = rect_bottom(&r, MAX(7, r.h / 3));
        struct rect right = rect_right(&r, c->w >= 120 ? c->w * 2 / 5 : 36);

        draw_pane(v, c, r, TREE);
        draw_pane(v, c, right, WHY);
        draw_pane(v, c, low, DETAIL);
    } else {
        struct rect low = rect_bottom(&r, MAX(5, r.h / 3));
        struct rect tree = rect_top(&r, tree_rows(g, r.h));

        draw_pane(v, c, tree, TREE);
        draw_pane(v, c, r, WHY);
        draw_pane(v, c, low, DETAIL);
    }
}

/* ---- keys ---- */

static unsigned
contexts(const struct view *v)
{
    const struct page *g = v->state;
    unsigned base = CTX_ANY | CTX_PRODUCT | CTX_OBJECT;

    if (g->focus == TREE)
        return base | CTX_TREE;
    return base |
           (g->focus == DETAIL && g->detail == EVENTS ? CTX_LIST : CTX_TEXT);
}

static void
scroll(size_t *top, size_t n, enum action a)
{
    if (a == ACT_UP && *top > 0)
        --*top;
    else if (a == ACT_DOWN && *top + 1 < n)
        ++*top;
    else if (a == ACT_TOP)
        *top = 0;
}

static bool
act_pane(struct view *v, enum action a)
{
    struct page *g = v->state;
    const struct tui_node *n = treeview_node(&g->tree);

    if (g->focus == TREE) {
        if (a == ACT_OPEN && n && n->depth > 0) {
            app_open(v->app, &view_page, &n->ref, NULL);
            return true;
        }
        return treeview_act(&g->tree, a);
    }
    if (g->focus == DETAIL && g->detail == EVENTS)
        return table_act(&g->events_t, a);
    if (g->focus == WHY)
        scroll(&g->why_top, g->p->why_n, a);
    else
        scroll(&g->detail_top,
               g->detail == PORTS ? g->p->ports_n : g->p->conditions_n, a);
    return a == ACT_UP || a == ACT_DOWN || a == ACT_TOP;
}

static void
show(struct page *g, enum detail d)
{
    g->detail = d;
    g->detail_top = 0;
    g->focus = DETAIL;
}

static bool
act(struct view *v, enum action a)
{
    struct page *g = v->state;

    if (act_pane(v, a) || pane_act(a, &g->focus, PANES, &g->zoom))
        return true;
    switch (a) {
    case ACT_TREE:
        g->focus = TREE;
        return true;
    case ACT_WHY:
        g->focus = WHY;
        return true;
    case ACT_EVENTS:
        show(g, EVENTS);
        return true;
    case ACT_CONDITIONS:
        show(g, CONDITIONS);
        return true;
    case ACT_PORTS:
        show(g, PORTS);
        return true;
    default:
        return false;
    }
}

static bool
selected(const struct view *v, struct tui_ref *out)
{
    const struct page *g = v->state;
    const struct tui_node *n = treeview_node(&g->tree);

    *out = g->focus == TREE && n ? n->ref : v->place.ref;
    return true;
}

static void
title(const struct view *v, struct buf *out)
{
    buf_printf(out, "%s/%s", v->place.ref.kind, v->place.ref.name);
}

static void
search(struct view *v, struct str text)
{
    struct page *g = v->state;

    if (g->focus == DETAIL && g->detail == EVENTS)
        table_filter(&g->events_t, text);
}

const struct view_ops view_page = {
    .name = "page",
    .size = sizeof(struct page),
    .open = open_page,
    .close = close_page,
    .update = update,
    .draw = draw,
    .contexts = contexts,
    .act = act,
    .title = title,
    .selected = selected,
    .search = search,
};
