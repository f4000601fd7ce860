#include <stdlib.h>

#include "lib/base/ascii.h"
#include "lib/base/json_node.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"
#include "lib/base/yaml_scalar.h"

/*
 * The block style of yaml.v2's emitter (emitterc.go, encode.go): which scalars
 * go plain, quoted or literal, where long ones fold, and how far each level is
 * indented. yaml.v3 differs in the indentation and never folds.
 *
 * An indent of -1 is that of the document. Columns count characters.
 */

enum { FOLD_WIDTH = 80, SIMPLE_KEY_MAX = 128 };

enum style { PLAIN, SINGLE_QUOTED, DOUBLE_QUOTED, LITERAL };

struct printer {
    struct buf *out;
    unsigned flags;
};

/* ---- what a scalar allows (yaml_emitter_analyze_scalar) ---- */

/* Bytes of the character at p, 1 for a stray byte. */
static size_t
width(const char *p)
{
    unsigned char c = (unsigned char)*p;
    size_t n = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;

    return strnlen(p, n);
}

static bool
is_break(const char *p)
{
    return *p == '\n' || *p == '\r' || strncmp(p, "\xC2\x85", 2) == 0 ||
           strncmp(p, "\xE2\x80\xA8", 3) == 0 ||
           strncmp(p, "\xE2\x80\xA9", 3) == 0;
}

/* Go's is_printable: no tab, and nothing beyond the basic plane. */
static bool
is_printable(const char *z)
{
    const unsigned char *p = (const unsigned char *)z;

    if (p[0] < 0x80)
        return p[0] == '\n' || (p[0] >= 0x20 && p[0] < 0x7F);
    if (p[0] == 0xC2)
        return p[1] >= 0xA0;
    if (p[0] == 0xED)
        return p[1] < 0xA0;
    if (p[0] == 0xEF)
        return !(p[1] == 0xBB && p[2] == 0xBF) &&
               !(p[1] == 0xBF && p[2] >= 0xBE);
    return p[0] > 0xC2 && p[0] < 0xEF;
}

struct shape {
    bool indicators, special, tab, lines;
    bool space_first, space_last, break_edge, break_space, space_break;
};

/* Would the character at p, the first or a later one, mean something else in
 * plain block style? */
static bool
is_indicator(const char *z, const char *p, bool after_blank)
{
    bool blank_next = !p[1] || strchr(" \t\n\r", p[1]);

    if (p == z && *p && strchr("#,[]{}&*!|>'\"%@`", *p))
        return true;
    if (p == z && (*p == '?' || *p == '-'))
        return blank_next;
    return (*p == ':' && blank_next) || (*p == '#' && after_blank);
}

static struct shape
analyze(const char *z)
{
    struct shape s = {0};
    bool space = false, line = false, blank = true;

    if (strncmp(z, "---", 3) == 0 || strncmp(z, "...", 3) == 0)
        s.indicators = true;
    for (const char *p = z; *p; p += width(p)) {
        bool last = !p[width(p)];

        if (is_indicator(z, p, blank))
            s.indicators = true;
        if (*p == '\t')
            s.tab = true;
        else if (!is_printable(p) || (is_break(p) && *p != '\n'))
            s.special = true; /* a reader would fold other line breaks */
        if (*p == ' ') {
            s.space_first |= p == z;
            s.space_last |= last;
            s.break_space |= line;
        } else if (is_break(p)) {
            s.lines = true;
            s.break_edge |= p == z || last;
            s.space_break |= space;
        }
        space = *p == ' ';
        line = !space && is_break(p);
        blank = space || line || *p == '\t';
    }
    return s;
}

static enum style
style_of(const struct printer *p, const char *z, bool is_key)
{
    bool v3 = p->flags & YAML_INDENT4;
    struct shape s = analyze(z);
    struct yaml_scalar v;
    bool literal = !s.space_last && !s.space_break && !s.special &&
                   !(s.tab && !v3) && !is_key;
    bool single = !s.break_space && !s.space_break && !s.special && !s.tab;

    if (strchr(z, '\n'))
        return literal ? LITERAL : DOUBLE_QUOTED;
    yaml_resolve(str_of(z), &v);
    if (v.kind == YAML_MERGE && !is_key)
        return PLAIN;
    if (v.kind != YAML_STRING || yaml_base60(str_of(z)))
        return DOUBLE_QUOTED;
    if (single && !s.indicators && !s.lines && !s.space_first && !s.space_last)
        return PLAIN;
    return single ? SINGLE_QUOTED : DOUBLE_QUOTED;
}

/* ---- scalars ---- */

static void
new_line(struct printer *p, int indent)
{
    buf_putc(p->out, '\n');
    buf_fill(p->out, ' ', (size_t)MAX(indent, 0));
}

static size_t
column(const struct printer *p)
{
    const char *s = buf_cstr(p->out);
    size_t n = p->out->n, columns = 0;

    while (n && s[n - 1] != '\n')
        columns += (s[--n] & 0xC0) != 0x80;
    return columns;
}

/* Writes z in plain or single quotes; folds at a lone space. */
static void
print_flow(struct printer *p, const char *z, bool quoted, bool fold, int indent)
{
    size_t at = column(p) + quoted;
    bool space = false;

    if (quoted)
        buf_putc(p->out, '\'');
    for (const char *c = z; *c; c++) {
        if (fold && *c == ' ' && !space && at > FOLD_WIDTH && c[1] != ' ' &&
            (!quoted || (c > z && c[1]))) {
            new_line(p, indent);
            at = (size_t)MAX(indent, 0);
            space = true;
            continue;
        }
        if (quoted && *c == '\'') {
            buf_putc(p->out, '\'');
            at++;
        }
        buf_putc(p->out, *c);
        at += (*c & 0xC0) != 0x80;
        space = *c == ' ';
    }
    if (quoted)
        buf_putc(p->out, '\'');
}

static uint32_t
code_point(const char *p)
{
    static const unsigned char masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    size_t n = width(p);
    uint32_t cp = (unsigned char)*p & masks[n];

    for (size_t i = 1; i < n; i++)
        cp = cp << 6 | ((unsigned char)p[i] & 0x3F);
    return cp;
}

static size_t
print_escaped(struct printer *p, const char *c)
{
    static const struct {
        uint32_t cp;
        char letter;
    } letters[] = {
        {0x07, 'a'}, {0x08, 'b'}, {0x09, 't'},   {0x0A, 'n'},   {0x0B, 'v'},
        {0x0C, 'f'}, {0x0D, 'r'}, {0x1B, 'e'},   {0x22, '"'},   {0x5C, '\\'},
        {0x85, 'N'}, {0xA0, '_'}, {0x2028, 'L'}, {0x2029, 'P'},
    };
    uint32_t cp = code_point(c);
    size_t before = p->out->n;

    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        if (letters[i].cp == cp) {
            buf_putc(p->out, '\\');
            buf_putc(p->out, letters[i].letter);
            return 2;
        }
    }
    if (cp <= 0xFF)
        buf_printf(p->out, "\\x%02X", (unsigned)cp);
    else if (cp <= 0xFFFF)
        buf_printf(p->out, "\\u%04X", (unsigned)cp);
    else
        buf_printf(p->out, "\\U%08X", (unsigned)cp);
    return p->out->n - before;
}

static void
print_double(struct printer *p, const char *z, bool fold, int indent)
{
    size_t at = column(p) + 1;
    bool space = false;

    buf_putc(p->out, '"');
    for (const char *c = z; *c; c += width(c)) {
        if (!is_printable(c) || is_break(c) || *c == '"' || *c == '\\') {
            at += print_escaped(p, c);
            space = false;
        } else if (fold && *c == ' ' && !space && at > FOLD_WIDTH && c > z &&
                   c[1]) {
            new_line(p, indent);
            at = (size_t)MAX(indent, 0);
            if (c[1] == ' ') {
                buf_putc(p->out, '\\');
                at++;
            }
            space = true;
        } else {
            buf_add(p->out, c, width(c));
            at++;
            space = *c == ' ';
        }
    }
    buf_putc(p->out, '"');
}

/* "|", its hints, and the lines; the last line break is left to the caller. */
static void
print_literal(struct printer *p, const char *z, int indent, int step)
{
    size_t n = strlen(z);
    const char *line = z, *end;

    buf_putc(p->out, '|');
    /* A leading tab needs the hint too: no reader takes it as indentation. */
    if (*z == ' ' || *z == '\t' || is_break(z))
        buf_printf(p->out, "%d", step);
    if (z[n - 1] != '\n')
        buf_putc(p->out, '-');
    else if (n == 1 || z[n - 2] == '\n')
        buf_putc(p->out, '+');
    while (*line) {
        end = strchrnul(line, '\n');
        if (end > line)
            new_line(p, indent);
        else
            buf_putc(p->out, '\n');
        buf_add(p->out, line, (size_t)(end - line));
        line = end + (*end == '\n');
    }
}

/* The indentation one level below a node at indent. */
static int
deeper(const struct printer *p, int indent, bool in_list)
{
    int step = p->flags & YAML_INDENT4 ? 4 : 2;

    if (indent < 0)
        return 0;
    return in_list ? indent + 2 : (indent + step) / step * step;
}

/* Integers as they stand, floats as Go prints them. */
static bool
print_number(struct printer *p, const struct json *j)
{
    const char *text = json_number_text(j);
    uint64_t big;
    int64_t whole;
    double d;

    if (json_is_integer(j) && json_int64(j, &whole))
        return buf_puts(p->out, whole ? text : "0");
    if (str_to_u64(str_of(text), &big) || !json_double(j, &d))
        return buf_puts(p->out, text);
    return json_print_float(d, false, p->out);
}

static void
print_string(struct printer *p, const char *z, bool is_key, int indent,
             bool in_list)
{
    bool simple = is_key && strlen(z) <= SIMPLE_KEY_MAX;
    bool fold = !simple && !(p->flags & YAML_INDENT4);
    int inner = deeper(p, MAX(indent, 0), in_list);
    enum style style = style_of(p, z, is_key);

    if (style == LITERAL)
        print_literal(p, z, inner, inner - MAX(indent, 0));
    else if (style == DOUBLE_QUOTED)
        print_double(p, z, fold, inner);
    else
        print_flow(p, z, style == SINGLE_QUOTED, fold, inner);
}

/* ---- collections ---- */

static bool print_node(struct printer *p, const struct json *j, int indent,
                       bool in_list);

static bool
is_block(const struct json *j)
{
    return (json_is(j, JSON_OBJECT) || json_is(j, JSON_ARRAY)) && json_first(j);
}

static bool
print_list(struct printer *p, const struct json *j, int indent)
{
    bool ok = true;

    for (struct json *c = json_first(j); ok && c; c = json_next(c)) {
        if (c != json_first(j))
            new_line(p, indent);
        buf_puts(p->out, "- ");
        ok = print_node(p, c, indent, true);
    }
    return ok;
}

static bool
print_member(struct printer *p, const struct json *c, int indent)
{
    const char *name = json_key(c);
    bool simple = strlen(name) <= SIMPLE_KEY_MAX;

    if (!simple)
        buf_puts(p->out, "? ");
    print_string(p, name, true, indent, false);
    if (!simple)
        new_line(p, indent);
    buf_putc(p->out, ':');
    if (!is_block(c)) {
        buf_putc(p->out, ' ');
        return print_node(p, c, indent, false);
    }
    bool flush = json_is(c, JSON_ARRAY) &&
                 !(p->flags & (YAML_INDENT4 | YAML_LIST_INDENT));
    int inner = flush ? indent : deeper(p, indent, false);

    new_line(p, inner);
    return json_is(c, JSON_ARRAY) ? print_list(p, c, inner)
                                  : print_node(p, c, indent, false);
}

/* Close enough to unicode.IsLetter for the order of keys. */
static bool
is_letter(char c)
{
    return (c | 0x20) >= 'a' ? (c | 0x20) <= 'z' : c & 0x80;
}

/* Two runs of digits that differ at a and b: the smaller number first. After
 * digits other than 0 a 0 counts as a digit, else as a leading zero. */
static int
compare_digits(const char *start, const char *a, const char *b)
{
    int64_t x = 0, y = 0;
    const char *p = a, *q = b;

    for (const char *s = a - 1;
         (*a == '0' || *b == '0') && s >= start && ascii_digit(*s); s--) {
        if (*s != '0') {
            x = y = 1;
            break;
        }
    }
    for (; ascii_digit(*p) && p < a + 17; p++)
        x = x * 10 + (*p - '0');
    for (; ascii_digit(*q) && q < b + 17; q++)
        y = y * 10 + (*q - '0');
    if (x != y)
        return x < y ? -1 : 1;
    if (p - a != q - b)
        return p - a < q - b ? -1 : 1;
    return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

/* keyList.Less of yaml.v2 and yaml.v3 (sorter.go): letters behind other
 * characters, numbers by value. */
static int
compare_keys(const char *a, const char *b, bool v3)
{
    size_t i = 0;

    while (a[i] && a[i] == b[i])
        i++;
    if (!a[i] || !b[i])
        return (a[i] != '\0') - (b[i] != '\0');
    bool x = is_letter(a[i]), y = is_letter(b[i]);

    if (x && y)
        return (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
    if (x != y) {
        bool after_digit = v3 && i && ascii_digit(a[i - 1]);

        return x == after_digit ? -1 : 1;
    }
    return compare_digits(a, a + i, b + i);
}

static int
by_key_v2(const void *a, const void *b)
{
    return compare_keys(json_key(*(struct json *const *)a),
                        json_key(*(struct json *const *)b), false);
}

static int
by_key_v3(const void *a, const void *b)
{
    return compare_keys(json_key(*(struct json *const *)a),
                        json_key(*(struct json *const *)b), true);
}

static bool
print_map(struct printer *p, const struct json *j, int indent)
{
    size_t n;
    AUTO(mem_free_ptr) struct json **v = json_children(j, false, &n);
    bool ok = true;

    if (p->flags & YAML_SORTED)
        qsort(v, n, sizeof(struct json *),
              p->flags & YAML_INDENT4 ? by_key_v3 : by_key_v2);
    for (size_t i = 0; ok && i < n; i++) {
        if (i)
            new_line(p, indent);
        ok = print_member(p, v[i], indent);
    }
    return ok;
}

/* Below a parent at indent; the cursor stands where the node begins. */
static bool
print_node(struct printer *p, const struct json *j, int indent, bool in_list)
{
    switch (json_type_of(j)) {
    case JSON_OBJECT:
        if (!is_block(j))
            return buf_puts(p->out, "{}");
        return print_map(p, j, deeper(p, indent, in_list));
    case JSON_ARRAY:
        if (!is_block(j))
            return buf_puts(p->out, "[]");
        return print_list(p, j, deeper(p, indent, in_list));
    case JSON_STRING:
        print_string(p, json_string(j), false, indent, in_list);
        return !p->out->over;
    case JSON_NUMBER:
        return print_number(p, j);
    default:
        return json_print(j, JSON_COMPACT, p->out);
    }
}

bool
yaml_print(const struct json *j, unsigned flags, struct buf *out)
{
    struct printer p = {out, flags};

    return print_node(&p, j, -1, false) && buf_putc(out, '\n');
}
