#include "tui/pane.h"

/* Whether a canvas of this size gets titles at all. */
static bool
has_title(const struct canvas *c)
{
    return c->w >= 60 && c->h >= 16;
}

struct rect
pane_draw(struct canvas *c, struct rect r, struct str title, bool focus)
{
    enum style st = focus ? ST_FOCUS : ST_BORDER;

    if (!has_title(c))
        return r;
    if (c->w >= 100) {
        canvas_box(c, r, st, title);
        return rect_inset(r, 1);
    }

    struct rect line = rect_top(&r, 1);

    canvas_hline(c, line.x, line.y, line.w, st);
    canvas_put(c, line.x + 1, line.y, 1, st, STR(" "));

    int used = canvas_cut(c, line.x + 2, line.y, line.w - 4,
                          focus ? ST_FOCUS : ST_TITLE, title);

    canvas_put(c, line.x + 2 + used, line.y, 1, st, STR(" "));
    return r;
}

bool
pane_act(enum action a, int *focus, int n, bool *zoom)
{
    int number = (int)a - ACT_PANE_1;

    if (a == ACT_NEXT_PANE)
        *focus = (*focus + 1) % n;
    else if (a == ACT_PREV_PANE)
        *focus = (*focus + n - 1) % n;
    else if (number >= 0 && number < n)
        *focus = number;
    else if (a == ACT_ZOOM)
        *zoom = !*zoom;
    else if (a == ACT_BACK && *zoom)
        *zoom = false;
    else
        return false;
    return true;
}
