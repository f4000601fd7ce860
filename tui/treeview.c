#include "tui/treeview.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "tui/theme.h"

void
treeview_init(struct treeview *v)
{
    *v = (struct treeview){0};
}

void
treeview_release(struct treeview *v)
{
    free(v->shown);
    map_release(&v->folded, NULL);
    *v = (struct treeview){0};
}

static struct str
fold_key(const struct tui_ref *r, struct buf *b)
{
    buf_reset(b);
    buf_printf(b, "%s %s %s %s", r->api, r->kind, r->ns, r->name);
    return buf_view(b);
}

static bool
is_folded(const struct treeview *v, size_t i)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1024);

    return map_count(&v->folded) &&
           map_has(&v->folded, fold_key(&v->nodes[i].ref, &b));
}

static bool
has_children(const struct treeview *v, size_t i)
{
    return i + 1 < v->nodes_n && v->nodes[i + 1].depth > v->nodes[i].depth;
}

static bool
is_bad(const struct tui_node *n)
{
    return n->state != TUI_OK && n->state != TUI_NONE;
}

/* Node i or one below it is not ready. */
static bool
leads_to_bad(const struct treeview *v, size_t i)
{
    if (is_bad(&v->nodes[i]))
        return true;
    for (size_t k = i + 1;
         k < v->nodes_n && v->nodes[k].depth > v->nodes[i].depth; k++) {
        if (is_bad(&v->nodes[k]))
            return true;
    }
    return false;
}

static void
flatten(struct treeview *v)
{
    int hidden_below = INT32_MAX;

    v->shown = mem_grow(v->shown, &v->cap, v->nodes_n, sizeof(*v->shown));
    v->n = 0;
    for (size_t i = 0; i < v->nodes_n; i++) {
        if (v->nodes[i].depth > hidden_below)
            continue;
        hidden_below = INT32_MAX;
        if (v->only_bad && i > 0 && !leads_to_bad(v, i))
            continue;
        v->shown[v->n++] = i;
        if (is_folded(v, i))
            hidden_below = v->nodes[i].depth;
    }
    for (size_t i = 0; i < v->n; i++) {
        if (tui_ref_eq(&v->nodes[v->shown[i]].ref, &v->selected)) {
            v->at = i;
            return;
        }
    }
    v->at = v->n ? MIN(v->at, v->n - 1) : 0;
}

static void
remember(struct treeview *v)
{
    const struct tui_node *n = treeview_node(v);

    v->selected = n ? n->ref : (struct tui_ref){0};
}

void
treeview_set(struct treeview *v, const struct tui_node *nodes, size_t n)
{
    v->nodes = nodes;
    v->nodes_n = n;
    flatten(v);
    remember(v);
}

const struct tui_node *
treeview_node(const struct treeview *v)
{
    return v->at < v->n ? &v->nodes[v->shown[v->at]] : NULL;
}

static void
set_fold(struct treeview *v, size_t node, bool fold)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1024);
    struct str key = fold_key(&v->nodes[node].ref, &b);

    if (!fold)
        map_del(&v->folded, key);
    else if (has_children(v, node))
        map_put(&v->folded, key, v);
}

static void
fold_all(struct treeview *v)
{
    bool fold = map_count(&v->folded) == 0;

    map_release(&v->folded, NULL);
    for (size_t i = 1; fold && i < v->nodes_n; i++)
        set_fold(v, i, true);
}

static void
move(struct treeview *v, int64_t by)
{
    int64_t last = v->n ? (int64_t)v->n - 1 : 0;

    v->at = (size_t)MAX(0, MIN((int64_t)v->at + by, last));
    remember(v);
}

/* Left folds, or goes to the parent when there is nothing to fold. */
static void
left(struct treeview *v)
{
    size_t i = v->shown[v->at];

    if (has_children(v, i) && !is_folded(v, i)) {
        set_fold(v, i, true);
        return;
    }
    for (size_t k = v->at; k-- > 0;) {
        if (v->nodes[v->shown[k]].depth < v->nodes[i].depth) {
            move(v, (int64_t)k - (int64_t)v->at);
            return;
        }
    }
}

bool
treeview_act(struct treeview *v, enum action a)
{
    int page = MAX(1, v->page - 1);

    switch (a) {
    case ACT_UP:
        move(v, -1);
        return true;
    case ACT_DOWN:
        move(v, 1);
        return true;
    case ACT_PAGE_UP:
        move(v, -page);
        return true;
    case ACT_PAGE_DOWN:
        move(v, page);
        return true;
    case ACT_TOP:
        move(v, INT32_MIN);
        return true;
    case ACT_BOTTOM:
        move(v, INT32_MAX);
        return true;
    case ACT_LEFT:
    case ACT_FOLD:
        if (v->n)
            left(v);
        break;
    case ACT_RIGHT:
    case ACT_UNFOLD:
        if (v->n)
            set_fold(v, v->shown[v->at], false);
        break;
    case ACT_FOLD_ALL:
        fold_all(v);
        break;
    case ACT_ONLY_BAD:
        v->only_bad = !v->only_bad;
        break;
    default:
        return false;
    }
    flatten(v);
    remember(v);
    return true;
}

/* ---- drawing ---- */

/* True when another sibling of node i's ancestor at depth d comes later. */
static bool
more_at(const struct treeview *v, size_t shown, int d)
{
    for (size_t k = shown + 1; k < v->n; k++) {
        int depth = v->nodes[v->shown[k]].depth;

        if (depth < d)
            return false;
        if (depth == d)
            return true;
    }
    return false;
}

static int
draw_branches(const struct treeview *v, struct canvas *c, struct rect r,
              size_t i)
{
    const struct tui_node *n = &v->nodes[v->shown[i]];
    int x = 0;

    for (int d = 1; d <= n->depth && x + 3 < r.w; d++, x += 3) {
        bool more = more_at(v, i, d);
        const char *piece = d == n->depth ? (more ? "\xe2\x94\x9c\xe2\x94\x80 "
                                                  : "\xe2\x94\x94\xe2\x94\x80 ")
                                          : (more ? "\xe2\x94\x82  " : "   ");

        canvas_puts(c, r.x + x, r.y, 3, ST_BORDER, piece);
    }
    return x;
}

static void
draw_node(const struct treeview *v, struct canvas *c, struct rect r, size_t i,
          bool focus)
{
    const struct tui_node *n = &v->nodes[v->shown[i]];
    enum style st = theme_style(n->state);
    int note = r.w >= 50 && *n->note ? MIN(20, r.w / 3) : 0;
    int x = draw_branches(v, c, r, i), w = r.w - (note ? note + 2 : 0), used;

    canvas_puts(c, r.x + x, r.y, 2, st, theme_glyph(n->state));
    x += 2;
    if (is_folded(v, v->shown[i]))
        x += canvas_puts(c, r.x + x, r.y, 2, ST_FOCUS, "\xe2\x96\xb8 ");
    used = canvas_cut(c, r.x + x, r.y, MIN(w - x, 24), ST_DIM,
                      str_of(n->ref.kind));
    x += used;
    x += canvas_puts(c, r.x + x, r.y, MAX(0, w - x), ST_DIM, "/");
    canvas_cut_middle(c, r.x + x, r.y, MAX(0, w - x), ST_NAME,
                      str_of(n->ref.name));
    if (note)
        canvas_cut(c, r.x + r.w - note, r.y, note, is_bad(n) ? st : ST_DIM,
                   str_of(n->note));
    if (i == v->at)
        canvas_attr(c, r, focus ? CV_SELECTED : CV_CURSOR);
}

void
treeview_draw(struct treeview *v, struct canvas *c, struct rect r, bool focus)
{
    size_t h = (size_t)MAX(r.h, 1);

    v->page = r.h;
    if (v->n == 0)
        canvas_puts(c, r.x, r.y, r.w, ST_DIM, "nothing composed");
    if (v->at < v->top)
        v->top = v->at;
    if (v->at >= v->top + h)
        v->top = v->at - h + 1;
    if (v->n <= h)
        v->top = 0;
    for (int i = 0; i < r.h && v->top + (size_t)i < v->n; i++)
        draw_node(v, c, (struct rect){r.x, r.y + i, r.w, 1}, v->top + (size_t)i,
                  focus);
}
