#include "cli/columns.h"

#include <assert.h>

#include "lib/base/utf8.h"

void
columns_init(struct columns *c, size_t per_row)
{
    assert(per_row > 0 && per_row <= COLUMNS_MAX);
    *c = (struct columns){.per_row = per_row};
}

void
columns_row(struct columns *c, const char *const *cells)
{
    for (size_t i = 0; i < c->per_row; i++)
        strlist_add(&c->cells, str_of(cells[i] && *cells[i] ? cells[i] : "-"));
}

void
columns_text(struct str s, bool lines, FILE *out)
{
    for (size_t i = 0; i < s.n;) {
        uint32_t cp;
        size_t n = utf8_decode(str_from(s, i), &cp);

        if (cp == '\n' && lines)
            fputc('\n', out);
        else if (cp == '\t')
            fputc(' ', out);
        else if (utf8_unsafe(cp))
            fputs("\xEF\xBF\xBD", out);
        else
            fwrite(s.s + i, 1, n, out);
        i += n;
    }
}

void
columns_print(const struct columns *c, const char *indent, FILE *out)
{
    size_t widths[COLUMNS_MAX] = {0};

    for (size_t i = 0; i < c->cells.n; i++) {
        size_t *w = &widths[i % c->per_row];

        *w = MAX(*w, utf8_columns(str_of(c->cells.v[i])));
    }
    for (size_t i = 0; i < c->cells.n; i++) {
        size_t column = i % c->per_row;
        struct str cell = str_of(c->cells.v[i]);
        bool last = column + 1 == c->per_row;

        if (column == 0)
            fputs(indent, out);
        columns_text(cell, false, out);
        if (last)
            fputc('\n', out);
        else
            fprintf(out, "%*s", (int)(widths[column] - utf8_columns(cell)) + 2,
                    "");
    }
}

void
columns_release(struct columns *c)
{
    strlist_release(&c->cells);
}
