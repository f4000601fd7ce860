#include "cli/columns.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/base/utf8.h"

#define UNBROKEN 100000

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

/* The next word; what separates words is any white space. */
static bool
next_word(struct str *s, struct str *word)
{
    static const char spaces[] = " \t\r\n";
    size_t from = 0, to;

    while (from < s->n && memchr(spaces, s->s[from], 4))
        from++;
    for (to = from; to < s->n && !memchr(spaces, s->s[to], 4);)
        to++;
    *word = str_sub(*s, from, to - from);
    *s = str_from(*s, to);
    return word->n > 0;
}

void
columns_wrap(struct str s, size_t indent, size_t width, FILE *out)
{
    size_t room = width > indent + 20 ? width - indent : 20, at = 0;
    struct str word;

    while (next_word(&s, &word)) {
        size_t n = utf8_columns(word);

        if (at && at + 1 + n > room) {
            fprintf(out, "\n%*s", (int)indent, "");
            at = 0;
        } else if (at) {
            fputc(' ', out);
            at++;
        }
        columns_text(word, false, out);
        at += n;
    }
    fputc('\n', out);
}

size_t
columns_of_terminal(void)
{
    struct winsize size = {0};
    const char *said = getenv("COLUMNS");
    uint64_t n;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return str_to_u64(str_of(said), &n) && n >= 20 && n < UNBROKEN ? n
                                                                   : UNBROKEN;
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
