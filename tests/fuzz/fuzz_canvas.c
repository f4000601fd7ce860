/*
 * Bytes from a cluster onto the canvas, through every way of cutting, and a
 * filter made of them: nothing unsafe becomes a cell, wide characters stay
 * whole.
 * covers: tui/canvas.c tui/filter.c */
#include <assert.h>

#include "lib/base/utf8.h"

#include "tui/canvas.h"
#include "tui/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct canvas *c)
{
    for (int i = 0; i < c->w * c->h; i++) {
        const struct canvas_cell *cell = &c->cells[i];

        assert(cell->width <= 2);
        if (cell->width == 0)
            assert(i % c->w > 0 && cell[-1].width == 2);
        else
            assert(!utf8_unsafe(cell->cp) &&
                   (!cell->mark || !utf8_unsafe(cell->mark)));
        if (cell->width == 2)
            assert(i % c->w < c->w - 1 && cell[1].width == 0);
    }
}

static void
filter(struct str text)
{
    static const struct tui_column columns[] = {{"NAME", COL_NAME, 0, false},
                                                {"AGE", COL_AGE, 0, false}};
    static const struct tui_cell cells[] = {{"orders", 0}, {"", 1}};
    const struct tui_table t = {.columns = columns, .columns_n = 2};
    const struct tui_row row = {
        .key = "k", .cells = cells, .labels = "a=b", .name = "orders"};
    struct filter *f = filter_parse(text, NULL);

    filter_match(f, &t, &row, 1000);
    filter_free(f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size);
    struct canvas c;

    canvas_init(&c, 17, 5, size & 1);
    for (int x = -3; x < 17; x += 4) {
        canvas_put(&c, x, 0, 9, ST_TEXT, text);
        canvas_cut(&c, x, 1, 9, ST_TEXT, text);
        canvas_cut_middle(&c, x, 2, 9, ST_TEXT, text);
        canvas_right(&c, x, 3, 9, ST_TEXT, text);
        check(&c);
    }
    canvas_wrap(&c, (struct rect){1, 0, 7, 5}, ST_TEXT, text);
    canvas_box(&c, (struct rect){2, 1, 12, 3}, ST_BORDER, text);
    check(&c);
    canvas_release(&c);
    if (size < 4096)
        filter(text);
    return 0;
}
