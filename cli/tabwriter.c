#include "cli/tabwriter.h"

#include <stdlib.h>

#include "lib/base/mem.h"

struct line {
    struct str *cells;
    size_t n, cap;
};

struct block {
    const struct tabwriter *w;
    struct line *lines;
    size_t n, cap;
    size_t *widths; /* of the columns left of the one being formatted */
    size_t depth, cap_widths;
    struct buf *out;
};

static size_t
runes(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.s[i] & 0xC0) != 0x80;
    return n;
}

static void
split(struct block *b, struct str text)
{
    struct str rest = text, row, cells, cell;

    for (bool more = true; more;) {
        more = str_cut(rest, '\n', &row, &rest);
        b->lines = mem_grow(b->lines, &b->cap, b->n + 1, sizeof(*b->lines));
        struct line *l = &b->lines[b->n++];

        *l = (struct line){0};
        cells = row;
        for (bool tab = true; tab;) {
            tab = str_cut(cells, '\t', &cell, &cells);
            l->cells = mem_grow(l->cells, &l->cap, l->n + 1, sizeof(cell));
            l->cells[l->n++] = cell;
        }
    }
}

static void
print_lines(struct block *b, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        const struct line *l = &b->lines[i];

        for (size_t c = 0; c < l->n; c++) {
            size_t width = runes(l->cells[c]);

            buf_str(b->out, l->cells[c]);
            if (c < b->depth && width < b->widths[c])
                buf_fill(b->out, ' ', b->widths[c] - width);
        }
        if (i + 1 < b->n)
            buf_putc(b->out, '\n');
    }
}

/* The lines from..to share every column left of b->depth. */
static void
format(struct block *b, size_t from, size_t to)
{
    size_t column = b->depth;

    for (size_t i = from; i < to; i++) {
        size_t width = b->w->min_width;

        if (column + 1 >= b->lines[i].n)
            continue;
        print_lines(b, from, i);
        from = i;
        for (; i < to && column + 1 < b->lines[i].n; i++)
            width =
                MAX(width, runes(b->lines[i].cells[column]) + b->w->padding);
        b->widths = mem_grow(b->widths, &b->cap_widths, b->depth + 1,
                             sizeof(*b->widths));
        b->widths[b->depth++] = width;
        format(b, from, i);
        b->depth--;
        from = i--;
    }
    print_lines(b, from, to);
}

bool
tabwriter_align(const struct tabwriter *w, struct str text, struct buf *out)
{
    struct block b = {.w = w, .out = out};

    split(&b, text);
    format(&b, 0, b.n);
    for (size_t i = 0; i < b.n; i++)
        free(b.lines[i].cells);
    free(b.lines);
    free(b.widths);
    return !out->over;
}
