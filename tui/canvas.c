#include "tui/canvas.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/utf8.h"

/* Box pieces: character, and what stands for it in ASCII. */
static const struct {
    uint32_t cp;
    char ascii;
} plain[] = {
    {0x2500, '-'}, {0x2502, '|'}, {0x256d, '+'}, {0x256e, '+'}, {0x2570, '`'},
    {0x256f, '+'}, {0x251c, '|'}, {0x2514, '`'}, {0x2026, '~'}, {0x25cf, '.'},
    {0x2716, 'X'}, {0x25d0, '~'}, {0x25cc, 'D'}, {0x2016, '|'}, {0x203a, '>'},
    {0x25b8, '>'}, {0x25be, 'v'}, {0x2191, '^'}, {0x2193, 'v'}, {0x2190, '<'},
    {0x2192, '>'}, {0x2022, '*'}, {0x2713, '.'}, {0x21b5, '/'}, {0x25b4, '^'},
    {0x258f, '|'}, {0x25b6, '>'}, {0x2717, 'X'}, {0x00b7, '.'}, {0x2013, '-'},
    {0x2588, '#'},
};

void
canvas_init(struct canvas *c, int w, int h, bool ascii)
{
    *c = (struct canvas){.ascii = ascii};
    canvas_resize(c, w, h);
}

void
canvas_release(struct canvas *c)
{
    free(c->cells);
    *c = (struct canvas){0};
}

void
canvas_resize(struct canvas *c, int w, int h)
{
    c->w = MAX(1, MIN(w, CANVAS_MAX));
    c->h = MAX(1, MIN(h, CANVAS_MAX));
    free(c->cells);
    c->cells = mem_zalloc((size_t)c->w * (size_t)c->h, sizeof(*c->cells));
    canvas_clear(c);
}

static struct canvas_cell *
cell_at(const struct canvas *c, int x, int y)
{
    return &c->cells[(size_t)y * (size_t)c->w + (size_t)x];
}

static bool
inside(const struct canvas *c, int x, int y)
{
    return x >= 0 && y >= 0 && x < c->w && y < c->h;
}

void
canvas_clear(struct canvas *c)
{
    c->attrs = 0;
    c->cursor_x = c->cursor_y = -1;
    canvas_fill(c, (struct rect){0, 0, c->w, c->h}, ' ', ST_TEXT);
}

static uint32_t
to_ascii(uint32_t cp)
{
    for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
        if (plain[i].cp == cp)
            return (uint32_t)plain[i].ascii;
    }
    return '?';
}

/* What may be shown for cp: itself, a space for white space, or the
 * replacement mark. */
static uint32_t
safe(const struct canvas *c, uint32_t cp)
{
    if (cp == '\t' || cp == '\n' || cp == '\r')
        return ' ';
    if (utf8_unsafe(cp))
        cp = UTF8_REPLACEMENT;
    return c->ascii && cp > 0x7e ? to_ascii(cp) : cp;
}

/* Makes a space of the half of a wide character that is left at (x, y) when
 * its other half goes. */
static void
orphan(struct canvas *c, int x, int y, int width)
{
    struct canvas_cell *cell;

    if (!inside(c, x, y))
        return;
    cell = cell_at(c, x, y);
    if (cell->width == width)
        *cell = (struct canvas_cell){' ', 0, 1, cell->style, cell->attrs, 0};
}

/* Writes one character; a wide one that is overwritten in half loses the
 * other half too. */
static void
set(struct canvas *c, int x, int y, uint32_t cp, int width, enum style st)
{
    struct canvas_cell *cell = cell_at(c, x, y);

    if (cell->width == 0)
        orphan(c, x - 1, y, 2);
    orphan(c, x + width, y, 0);
    *cell =
        (struct canvas_cell){cp, 0, (uint8_t)width, (uint8_t)st, c->attrs, 0};
    if (width == 2)
        cell[1] = (struct canvas_cell){0, 0, 0, (uint8_t)st, c->attrs, 0};
}

void
canvas_fill(struct canvas *c, struct rect r, uint32_t cp, enum style st)
{
    uint32_t shown = safe(c, cp);
    int first = MAX(r.x, 0), last = MIN(r.x + r.w, c->w);

    for (int y = MAX(r.y, 0); y < MIN(r.y + r.h, c->h) && first < last; y++) {
        if (cell_at(c, first, y)->width == 0)
            orphan(c, first - 1, y, 2);
        orphan(c, last, y, 0);
        for (int x = first; x < last; x++)
            *cell_at(c, x, y) =
                (struct canvas_cell){shown, 0, 1, (uint8_t)st, c->attrs, 0};
    }
}

void
canvas_attr(struct canvas *c, struct rect r, unsigned attrs)
{
    for (int y = MAX(r.y, 0); y < MIN(r.y + r.h, c->h); y++) {
        for (int x = MAX(r.x, 0); x < MIN(r.x + r.w, c->w); x++)
            cell_at(c, x, y)->attrs |= (uint8_t)attrs;
    }
}

int
canvas_columns(const struct canvas *c, struct str text)
{
    int columns = 0;
    uint32_t cp;

    while (text.n) {
        text = str_from(text, utf8_decode(text, &cp));
        columns += utf8_width(safe(c, cp));
    }
    return columns;
}

/* A variation selector: terminals disagree whether what is before it becomes
 * wider, so it is left out. */
static bool
chooses_look(uint32_t cp)
{
    return cp >= 0xfe00 && cp <= 0xfe0f;
}

int
canvas_put(struct canvas *c, int x, int y, int w, enum style st,
           struct str text)
{
    int used = 0;
    uint32_t cp;

    while (text.n) {
        text = str_from(text, utf8_decode(text, &cp));
        cp = safe(c, cp);

        int width = utf8_width(cp);
        int at = x + used;

        if (width == 0) {
            if (used && inside(c, at - 1, y) && !chooses_look(cp)) {
                struct canvas_cell *base = cell_at(c, at - 1, y);

                base -= base->width == 0 && at >= 2;
                base->mark = base->mark ? base->mark : cp;
            }
            continue;
        }
        if (used + width > w)
            break;
        if (inside(c, at, y) && inside(c, at + width - 1, y))
            set(c, at, y, cp, width, st);
        else if (inside(c, at, y))
            set(c, at, y, ' ', 1, st);
        used += width;
    }
    return used;
}

int
canvas_puts(struct canvas *c, int x, int y, int w, enum style st, const char *z)
{
    return canvas_put(c, x, y, w, st, str_of(z));
}

int
canvas_printf(struct canvas *c, int x, int y, int w, enum style st,
              const char *fmt, ...)
{
    AUTO(buf_release) struct buf b = BUF_INIT(8192);
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    return canvas_put(c, x, y, w, st, buf_view(&b));
}

static const struct str ellipsis = {"\xe2\x80\xa6", 3};

int
canvas_cut(struct canvas *c, int x, int y, int w, enum style st,
           struct str text)
{
    if (w <= 0)
        return 0;
    if (canvas_columns(c, text) <= w)
        return canvas_put(c, x, y, w, st, text);

    int used = canvas_put(c, x, y, w - 1, st, text);

    return used + canvas_put(c, x + used, y, 1, st, ellipsis);
}

int
canvas_cut_middle(struct canvas *c, int x, int y, int w, enum style st,
                  struct str text)
{
    int total = canvas_columns(c, text);

    if (total <= w || w < 5)
        return canvas_cut(c, x, y, w, st, text);

    int used = canvas_put(c, x, y, (w - 1) / 2, st, text);

    used += canvas_put(c, x + used, y, 1, st, ellipsis);
    while (text.n && total > w - used) {
        uint32_t cp;

        text = str_from(text, utf8_decode(text, &cp));
        total -= utf8_width(safe(c, cp));
    }
    return used + canvas_put(c, x + used, y, w - used, st, text);
}

/* Bytes of text that fit into w columns, ending before a space if there is
 * one. */
static size_t
line_bytes(const struct canvas *c, struct str text, int w)
{
    size_t n = 0, space = 0;
    int used = 0;

    while (n < text.n) {
        uint32_t cp;
        size_t bytes = utf8_decode(str_from(text, n), &cp);

        used += utf8_width(safe(c, cp));
        if (used > w)
            return space ? space : n;
        if (cp == ' ')
            space = n;
        n += bytes;
    }
    return n;
}

int
canvas_wrap(struct canvas *c, struct rect r, enum style st, struct str text)
{
    int y = 0;

    while (text.n && y < r.h) {
        size_t n = line_bytes(c, text, r.w);

        if (n == 0)
            break;
        canvas_put(c, r.x, r.y + y++, r.w, st, str_sub(text, 0, n));
        text = str_from(text, n);
        while (text.n && text.s[0] == ' ')
            text = str_from(text, 1);
    }
    return y;
}

void
canvas_right(struct canvas *c, int x, int y, int w, enum style st,
             struct str text)
{
    int columns = MIN(canvas_columns(c, text), w);

    canvas_put(c, x + w - columns, y, columns, st, text);
}

void
canvas_hline(struct canvas *c, int x, int y, int w, enum style st)
{
    canvas_fill(c, (struct rect){x, y, w, 1}, 0x2500, st);
}

void
canvas_box(struct canvas *c, struct rect r, enum style st, struct str title)
{
    if (r.w < 2 || r.h < 2)
        return;
    canvas_hline(c, r.x, r.y, r.w, st);
    canvas_hline(c, r.x, r.y + r.h - 1, r.w, st);
    canvas_fill(c, (struct rect){r.x, r.y, 1, r.h}, 0x2502, st);
    canvas_fill(c, (struct rect){r.x + r.w - 1, r.y, 1, r.h}, 0x2502, st);
    canvas_fill(c, (struct rect){r.x, r.y, 1, 1}, 0x256d, st);
    canvas_fill(c, (struct rect){r.x + r.w - 1, r.y, 1, 1}, 0x256e, st);
    canvas_fill(c, (struct rect){r.x, r.y + r.h - 1, 1, 1}, 0x2570, st);
    canvas_fill(c, (struct rect){r.x + r.w - 1, r.y + r.h - 1, 1, 1}, 0x256f,
                st);
    if (title.n && r.w > 6) {
        int used = canvas_cut(c, r.x + 3, r.y, r.w - 6,
                              st == ST_FOCUS ? ST_FOCUS : ST_TITLE, title);

        canvas_put(c, r.x + 2, r.y, 1, st, STR(" "));
        canvas_put(c, r.x + 3 + used, r.y, 1, st, STR(" "));
    }
}

void
canvas_text(const struct canvas *c, struct buf *out)
{
    for (int y = 0; y < c->h; y++) {
        size_t end = out->n;

        for (int x = 0; x < c->w; x++) {
            const struct canvas_cell *cell = cell_at(c, x, y);
            char bytes[4];

            if (cell->width == 0)
                continue;
            buf_add(out, bytes, utf8_encode(cell->cp, bytes));
            if (cell->mark)
                buf_add(out, bytes, utf8_encode(cell->mark, bytes));
            if (cell->cp != ' ')
                end = out->n;
        }
        buf_truncate(out, end);
        buf_putc(out, '\n');
    }
}

struct rect
rect_top(struct rect *r, int n)
{
    struct rect part = *r;

    part.h = MAX(0, MIN(n, r->h));
    r->y += part.h;
    r->h -= part.h;
    return part;
}

struct rect
rect_bottom(struct rect *r, int n)
{
    struct rect part = *r;

    part.h = MAX(0, MIN(n, r->h));
    r->h -= part.h;
    part.y = r->y + r->h;
    return part;
}

struct rect
rect_left(struct rect *r, int n)
{
    struct rect part = *r;

    part.w = MAX(0, MIN(n, r->w));
    r->x += part.w;
    r->w -= part.w;
    return part;
}

struct rect
rect_right(struct rect *r, int n)
{
    struct rect part = *r;

    part.w = MAX(0, MIN(n, r->w));
    r->w -= part.w;
    part.x = r->x + r->w;
    return part;
}

struct rect
rect_inset(struct rect r, int n)
{
    r.x += n;
    r.y += n;
    r.w = MAX(0, r.w - 2 * n);
    r.h = MAX(0, r.h - 2 * n);
    return r;
}
