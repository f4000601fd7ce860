#include "tui/planview.h"

#include "tui/theme.h"

static const struct {
    const char *sign;
    enum style style;
} signs[] = {
    [PLAN_ADD] = {"+", ST_OK},        [PLAN_CHANGE] = {"~", ST_WAIT},
    [PLAN_DELETE] = {"-", ST_FAIL},   [PLAN_KEEP] = {" ", ST_DIM},
    [PLAN_CONFLICT] = {"!", ST_FAIL},
};

void
planview_items(struct canvas *c, struct rect r, const struct tui_plan *plan,
               size_t top)
{
    for (int y = 0; y < r.h && top + (size_t)y < plan->items_n; y++) {
        const struct tui_plan_item *i = &plan->items[top + (size_t)y];
        int x = r.x + 1 + 2 * MIN(i->depth, 8), end = r.x + r.w;

        x += canvas_puts(c, x, r.y + y, 2, signs[i->sign].style,
                         signs[i->sign].sign) +
             1;
        x += canvas_cut(c, x, r.y + y, MIN(22, end - x), ST_DIM,
                        str_of(i->kind));
        x += canvas_puts(c, x, r.y + y, MIN(1, end - x), ST_DIM, "/");
        x += canvas_cut_middle(c, x, r.y + y, end - x, ST_NAME,
                               str_of(i->name)) +
             2;
        canvas_cut(c, x, r.y + y, end - x, ST_WAIT, str_of(i->note));
    }
}

size_t
planview_notes(struct canvas *c, struct rect r, const struct tui_plan *plan,
               size_t top)
{
    size_t shown = 0;
    int y = 0;

    for (; y < r.h && top + shown < plan->notes_n; shown++) {
        const struct tui_line *l = &plan->notes[top + shown];
        enum style st = l->state == TUI_NONE ? ST_TEXT : theme_style(l->state);
        struct rect in = {r.x + 3, r.y + y, r.w - 3, r.h - y};

        canvas_puts(c, r.x + 1, r.y + y, 2, st,
                    l->state == TUI_FAIL   ? "!"
                    : l->state == TUI_WAIT ? "~"
                                           : " ");
        y += MAX(1, canvas_wrap(c, in, st, str_of(l->text)));
    }
    return shown;
}
