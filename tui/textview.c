#include "tui/textview.h"

#include <ctype.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/utf8.h"

#include "tui/filter.h"

void
textview_init(struct textview *v, enum text_look look)
{
    *v = (struct textview){.text = BUF_INIT(BUF_TEXT_MAX), .look = look};
}

void
textview_release(struct textview *v)
{
    buf_release(&v->text);
    free(v->lines);
    free(v->needle);
    *v = (struct textview){0};
}

void
textview_set(struct textview *v, struct str text)
{
    size_t at = 0;

    buf_reset(&v->text);
    buf_str(&v->text, text);
    v->n = 0;
    while (at < v->text.n) {
        size_t end = str_find(buf_view(&v->text), STR("\n"), at);

        v->lines = mem_grow(v->lines, &v->cap, v->n + 1, sizeof(*v->lines));
        v->lines[v->n++] = at;
        if (end == SIZE_MAX)
            break;
        v->text.s[end] = '\0';
        at = end + 1;
    }
    if (v->top >= v->n)
        v->top = v->n ? v->n - 1 : 0;
}

/* ---- one line ---- */

static enum style
diff_style(const char *line)
{
    return line[0] == '+'   ? ST_OK
           : line[0] == '-' ? ST_FAIL
           : line[0] == '@' ? ST_FOCUS
                            : ST_TEXT;
}

/* Offset behind the key of "  - key:", or 0. */
static size_t
yaml_key(struct str line)
{
    size_t i = 0;

    while (i < line.n && (line.s[i] == ' ' || line.s[i] == '-'))
        i++;
    if (i < line.n && (line.s[i] == '"' || line.s[i] == '\'')) {
        char quote = line.s[i++];

        while (i < line.n && line.s[i] != quote)
            i++;
    }
    for (; i < line.n; i++) {
        if (line.s[i] == ':' && (i + 1 == line.n || line.s[i + 1] == ' '))
            return i + 1;
        if (line.s[i] == ' ')
            return 0;
    }
    return 0;
}

/* Draws text from column skip on; returns the columns used. */
static int
put_from(struct canvas *c, struct rect r, int *skip, enum style st,
         struct str text)
{
    uint32_t cp;

    while (*skip > 0 && text.n) {
        text = str_from(text, utf8_decode(text, &cp));
        *skip -= utf8_unsafe(cp) ? 1 : utf8_width(cp);
    }
    return canvas_put(c, r.x, r.y, r.w, st, text);
}

static void
draw_matches(const struct textview *v, struct canvas *c, struct rect r,
             int skip, struct str line)
{
    struct str needle = str_of(v->needle);

    for (size_t i = 0; i + needle.n <= line.n; i++) {
        size_t k = 0;
        int x;

        while (k < needle.n &&
               tolower((unsigned char)line.s[i + k]) == needle.s[k])
            k++;
        if (k < needle.n)
            continue;
        x = canvas_columns(c, str_sub(line, 0, i)) - skip;
        if (x >= r.w)
            return;
        if (x >= 0)
            canvas_put(c, r.x + x, r.y, r.w - x, ST_MATCH,
                       str_sub(line, i, needle.n));
    }
}

static void
draw_line(const struct textview *v, struct canvas *c, struct rect r, int skip,
          const char *text)
{
    struct str line = str_of(text);
    struct rect at = r;
    int left = skip;

    if (v->look == TEXT_YAML) {
        size_t key = yaml_key(line);
        int used = put_from(c, at, &left, ST_KEY, str_sub(line, 0, key));

        at.x += used;
        at.w -= used;
        put_from(c, at, &left, key ? ST_TEXT : ST_VALUE, str_from(line, key));
    } else {
        put_from(c, at, &left,
                 v->look == TEXT_DIFF ? diff_style(text) : ST_TEXT, line);
    }
    if (v->needle)
        draw_matches(v, c, r, skip, line);
}

/* Rows that a line takes when it wraps at w columns. */
static int
rows_of(const struct canvas *c, const char *line, int w)
{
    int columns = canvas_columns(c, str_of(line));

    return MAX(1, (columns + w - 1) / MAX(w, 1));
}

void
textview_draw(struct textview *v, struct canvas *c, struct rect r)
{
    int y = 0;

    v->page = r.h;
    if (!v->wrap && v->top + (size_t)r.h > v->n)
        v->top = v->n > (size_t)r.h ? v->n - (size_t)r.h : 0;
    for (size_t i = v->top; i < v->n && y < r.h; i++) {
        const char *line = v->text.s + v->lines[i];
        int rows = v->wrap ? rows_of(c, line, r.w) : 1;

        for (int k = 0; k < rows && y < r.h; k++, y++)
            draw_line(v, c, (struct rect){r.x, r.y + y, r.w, 1},
                      v->wrap ? k * r.w : v->left, line);
    }
}

/* ---- keys ---- */

static bool
line_has(const struct textview *v, size_t i)
{
    return filter_contains(v->text.s + v->lines[i], str_of(v->needle));
}

static void
find(struct textview *v, size_t from, int step)
{
    v->missed = false;
    for (size_t k = 0; k < v->n; k++) {
        size_t i = (from + v->n + (step > 0 ? k : v->n - k)) % v->n;

        if (line_has(v, i)) {
            v->match = i;
            if (i < v->top || i >= v->top + (size_t)MAX(v->page, 1))
                v->top = i > 2 ? i - 2 : 0;
            return;
        }
    }
    v->missed = true;
}

void
textview_search(struct textview *v, struct str text)
{
    free(v->needle);
    v->needle = NULL;
    v->missed = false;
    if (text.n == 0)
        return;
    v->needle = mem_strndup(text.s, text.n);
    for (char *p = v->needle; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    find(v, v->top, 1);
}

static void
scroll(struct textview *v, int64_t by)
{
    int64_t last = v->n ? (int64_t)v->n - 1 : 0;

    v->top = (size_t)MAX(0, MIN((int64_t)v->top + by, last));
}

bool
textview_act(struct textview *v, enum action a)
{
    static const struct {
        enum action a;
        int lines, pages, columns;
    } moves[] = {
        {ACT_UP, -1, 0, 0},         {ACT_DOWN, 1, 0, 0},
        {ACT_PAGE_UP, 0, -1, 0},    {ACT_PAGE_DOWN, 0, 1, 0},
        {ACT_TOP, INT32_MIN, 0, 0}, {ACT_BOTTOM, INT32_MAX, 0, 0},
        {ACT_LEFT, 0, 0, -8},       {ACT_RIGHT, 0, 0, 8},
    };

    for (size_t i = 0; i < ARRAY_LEN(moves); i++) {
        if (moves[i].a == a) {
            scroll(v, moves[i].lines +
                          (int64_t)moves[i].pages * MAX(v->page - 1, 1));
            v->left = MAX(0, MIN(v->left + moves[i].columns, 1 << 20));
            return true;
        }
    }
    if (a == ACT_WRAP) {
        v->wrap = !v->wrap;
        v->left = 0;
        return true;
    }
    if ((a == ACT_NEXT || a == ACT_PREVIOUS) && v->needle && v->n) {
        find(v, v->match + (a == ACT_NEXT ? 1 : v->n - 1),
             a == ACT_NEXT ? 1 : -1);
        return true;
    }
    if (a == ACT_BACK && v->needle) {
        textview_search(v, STR(""));
        return true;
    }
    return false;
}

void
textview_caption(const struct textview *v, struct buf *out)
{
    if (v->n > (size_t)MAX(v->page, 1))
        buf_printf(out, " line %zu of %zu", v->top + 1, v->n);
    if (v->needle)
        buf_printf(out, "  /%s%s", v->needle, v->missed ? " (nowhere)" : "");
    if (v->wrap)
        buf_puts(out, "  wrapped");
}
