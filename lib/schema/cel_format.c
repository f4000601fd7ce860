#include <math.h>
#include <stdio.h>

#include "lib/base/utf8.h"

#include "lib/schema/cel_node.h"

/*
 * "...".format([...]): cel-go's ext/formatting.go in the locale en_US, which
 * is why %f groups digits and %e writes a power of ten.
 */

enum { PRECISION = 6, PRECISION_MAX = 100, DEPTH_MAX = 100 };

struct formatter {
    struct buf *out;
    char why[256];
};

static bool
refuse(struct formatter *f, const char *why, const struct cel_value *v)
{
    snprintf(f->why, sizeof(f->why),
             "error during formatting: %s, was given %s", why, cel_type_of(v));
    return false;
}

/* Go's %q. */
static void
put_quoted(struct str s, struct buf *out)
{
    static const char from[] = "\a\b\f\n\r\t\v\"\\", to[] = "abfnrtv\"\\";

    buf_putc(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        const char *hit = s.s[i] ? strchr(from, s.s[i]) : NULL;

        if (hit)
            buf_printf(out, "\\%c", to[hit - from]);
        else if ((unsigned char)s.s[i] < 0x20 || s.s[i] == 0x7F)
            buf_printf(out, "\\x%02x", (unsigned)s.s[i]);
        else
            buf_putc(out, s.s[i]);
    }
    buf_putc(out, '"');
}

static bool put_text(struct cel_eval *e, struct formatter *f,
                     const struct cel_value *v, unsigned depth);

/* A value inside a list or map: as a literal of the language. */
static bool
put_member(struct cel_eval *e, struct formatter *f, const struct cel_value *v,
           unsigned depth)
{
    AUTO(buf_release) struct buf b = BUF_INIT(8 << 20);

    switch (v->kind) {
    case CEL_BYTES:
        buf_putc(f->out, 'b');
        FALLTHROUGH;
    case CEL_STRING:
        put_quoted(v->s, f->out);
        return true;
    case CEL_DOUBLE:
        if (isfinite(v->d))
            buf_printf(f->out, "%.*f", PRECISION, v->d);
        else
            buf_puts(f->out, isnan(v->d) ? "\"NaN\""
                             : v->d > 0  ? "\"+Inf\""
                                         : "\"-Inf\"");
        return true;
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        cel_to_text(v, &b);
        buf_printf(f->out, "%s(\"%s\")",
                   v->kind == CEL_DURATION ? "duration" : "timestamp",
                   buf_cstr(&b));
        return true;
    default:
        return put_text(e, f, v, depth);
    }
}

static bool
put_list(struct cel_eval *e, struct formatter *f, const struct cel_list *l,
         unsigned depth)
{
    const struct cel_value *items = cel_list_items(e, l);

    buf_putc(f->out, '[');
    for (size_t i = 0; items && i < l->n; i++) {
        if (i)
            buf_puts(f->out, ", ");
        if (!put_member(e, f, &items[i], depth + 1))
            return false;
    }
    return buf_putc(f->out, ']');
}

/* Members in the order of their keys as text. */
static bool
put_map(struct cel_eval *e, struct formatter *f, const struct cel_map *m,
        unsigned depth)
{
    AUTO(strlist_release) struct strlist members = {0};
    struct cel_list *keys = cel_map_keys(e, m);
    struct buf *out = f->out;
    bool ok = true;

    for (size_t i = 0; keys && i < keys->n && ok; i++) {
        AUTO(buf_release) struct buf b = BUF_INIT(8 << 20);
        const struct cel_value *k = &keys->v[i];
        struct cel_value v = {.kind = CEL_NULL};

        f->out = &b;
        if (k->kind == CEL_DOUBLE || k->kind == CEL_NULL ||
            k->kind > CEL_STRING) {
            snprintf(f->why, sizeof(f->why),
                     "error during formatting: no formatting function for map "
                     "key of type %s",
                     cel_type_of(k));
            ok = false;
            break;
        }
        ok = put_member(e, f, k, depth + 1) && buf_putc(&b, ':');
        cel_map_find(e, m, k, &v);
        ok = ok && put_member(e, f, &v, depth + 1);
        strlist_add(&members, buf_view(&b));
    }
    f->out = out;
    strlist_sort(&members);
    buf_putc(out, '{');
    for (size_t i = 0; i < members.n; i++)
        buf_printf(out, "%s%s", i ? ", " : "", members.v[i]);
    return buf_putc(out, '}') && ok;
}

/* %s */
static bool
put_text(struct cel_eval *e, struct formatter *f, const struct cel_value *v,
         unsigned depth)
{
    if (depth > DEPTH_MAX)
        return refuse(f, "the value is nested too deeply", v);
    if (v->kind == CEL_LIST)
        return put_list(e, f, v->list, depth);
    if (v->kind == CEL_MAP)
        return put_map(e, f, v->map, depth);
    if (v->kind >= CEL_OPTIONAL)
        return depth
                   ? snprintf(f->why, sizeof(f->why),
                              "error during formatting: no formatting "
                              "function for %s",
                              cel_type_of(v)) < 0
                   : refuse(f,
                            "string clause can only be used on strings, "
                            "bools, bytes, ints, doubles, maps, lists, types, "
                            "durations, and timestamps",
                            v);
    cel_to_text(v, f->out);
    return true;
}

/* ---- numbers ---- */

static bool
put_decimal(struct formatter *f, const struct cel_value *v)
{
    if (v->kind != CEL_INT && v->kind != CEL_UINT)
        return refuse(f, "decimal clause can only be used on integers", v);
    cel_print(v, f->out);
    return true;
}

/* The number behind %f and %e. */
static bool
take_double(struct formatter *f, const struct cel_value *v, bool fixed,
            double *d)
{
    static const struct {
        const char *name;
        double value;
    } names[] = {
        {"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};

    *d = v->d;
    if (v->kind == CEL_DOUBLE)
        return true;
    for (size_t i = 0; v->kind == CEL_STRING && i < ARRAY_LEN(names); i++) {
        *d = names[i].value;
        if (str_eqz(v->s, names[i].name))
            return true;
    }
    return refuse(f,
                  fixed ? "fixed-point clause can only be used on doubles"
                        : "scientific clause can only be used on doubles",
                  v);
}

/* width: at least so many characters, as Go's message printer has it. */
static bool
put_special(struct formatter *f, double d, size_t width)
{
    const char *text = isnan(d) ? "NaN"
                       : d > 0  ? "\xE2\x88\x9E"
                                : "-\xE2\x88\x9E";
    size_t n = utf8_count(str_of(text));

    if (isfinite(d))
        return false;
    if (width > n)
        buf_fill(f->out, ' ', width - n);
    buf_puts(f->out, text);
    return true;
}

static bool
put_fixed(struct formatter *f, const struct cel_value *v, int precision)
{
    char text[512];
    double d;

    if (!take_double(f, v, true, &d))
        return false;
    if (put_special(f, d, 0))
        return true;
    snprintf(text, sizeof(text), "%.*f", precision, d);
    size_t whole = strcspn(text, ".");

    for (size_t i = 0; text[i]; i++) {
        if (i && i < whole && (whole - i) % 3 == 0 && text[i - 1] != '-')
            buf_putc(f->out, ',');
        buf_putc(f->out, text[i]);
    }
    return true;
}

static bool
put_scientific(struct formatter *f, const struct cel_value *v, int precision)
{
    static const char *const raised[] = {
        "\xE2\x81\xB0", "\xC2\xB9",     "\xC2\xB2",     "\xC2\xB3",
        "\xE2\x81\xB4", "\xE2\x81\xB5", "\xE2\x81\xB6", "\xE2\x81\xB7",
        "\xE2\x81\xB8", "\xE2\x81\xB9"};
    char text[512];
    double d;

    if (!take_double(f, v, false, &d))
        return false;
    if (put_special(f, d, (size_t)MAX(precision, 0)))
        return true;
    snprintf(text, sizeof(text), "%.*e", PRECISION, d);
    char *exponent = strchr(text, 'e');
    size_t width = strlen(text) + 2;

    /* What upstream takes for the precision is Go's width. */
    buf_fill(f->out, ' ', (size_t)precision > width ? precision - width : 0);
    buf_add(f->out, text, (size_t)(exponent - text));
    buf_puts(f->out, "\xC3\x97"
                     "10");
    for (const char *p = exponent + 1; *p; p++) {
        if (*p == '-')
            buf_puts(f->out, "\xE2\x81\xBB");
        else if (*p != '+')
            buf_puts(f->out, raised[*p - '0']);
    }
    return true;
}

static bool
put_radix(struct formatter *f, const struct cel_value *v, unsigned bits,
          bool upper)
{
    char digits[80];
    size_t n = sizeof(digits);
    bool negative = v->kind == CEL_INT && v->i < 0;
    uint64_t u = v->kind == CEL_BOOL ? v->b : negative ? 0 - v->u : v->u;

    do {
        digits[--n] = (upper ? "0123456789ABCDEF"
                             : "0123456789abcdef")[u & ((1u << bits) - 1)];
        u >>= bits;
    } while (u);
    if (negative)
        digits[--n] = '-';
    return buf_add(f->out, digits + n, sizeof(digits) - n);
}

static bool
put_bits(struct formatter *f, const struct cel_value *v, char clause)
{
    bool number = v->kind == CEL_INT || v->kind == CEL_UINT;
    bool text = v->kind == CEL_STRING || v->kind == CEL_BYTES;

    if (clause == 'b')
        return number || v->kind == CEL_BOOL
                   ? put_radix(f, v, 1, false)
                   : refuse(f,
                            "only integers and bools can be formatted as "
                            "binary",
                            v);
    if (clause == 'o')
        return number
                   ? put_radix(f, v, 3, false)
                   : refuse(f, "octal clause can only be used on integers", v);
    if (number)
        return put_radix(f, v, 4, clause == 'X');
    if (!text)
        return refuse(f,
                      "only integers, byte buffers, and strings can be "
                      "formatted as hex",
                      v);
    for (size_t i = 0; i < v->s.n; i++)
        buf_printf(f->out, clause == 'X' ? "%02X" : "%02x",
                   (unsigned)(unsigned char)v->s.s[i]);
    return true;
}

/* ---- clauses ---- */

static const char no_precision[] =
    "could not parse formatting clause: error while parsing precision: could "
    "not find end of precision specifier";

bool
cel_next_clause(struct cel_clauses *c)
{
    size_t n = 0;
    uint64_t digits;

    c->from = c->rest;
    c->ends = false;
    for (size_t at = 0; (at = str_find(c->rest, STR("%"), at)) != SIZE_MAX;) {
        if (str_starts(str_from(c->rest, at), STR("%%"))) {
            at += 2;
            continue;
        }
        c->from = str_sub(c->rest, 0, at);
        c->rest = str_from(c->rest, at + 1);
        c->precision = PRECISION;
        c->letter = 0;
        c->broken = "unexpected end of string";
        if (c->rest.n && c->rest.s[0] == '.') {
            while (n + 1 < c->rest.n && c->rest.s[n + 1] >= '0' &&
                   c->rest.s[n + 1] <= '9')
                n++;
            if (!str_to_u64(str_sub(c->rest, 1, n), &digits) ||
                digits > PRECISION_MAX) {
                c->broken = no_precision;
                return true;
            }
            c->precision = (int)digits;
            c->rest = str_from(c->rest, n + 1);
        }
        c->ends = !c->rest.n && !n;
        if (!c->rest.n) {
            c->broken = n ? no_precision : c->broken;
            return true;
        }
        c->broken = NULL;
        c->letter = c->rest.s[0];
        c->rest = str_from(c->rest, 1);
        return true;
    }
    c->rest = str_from(c->rest, c->rest.n);
    return false;
}

static const struct clause {
    char letter;
    const char *types; /* of signatures */
    const char *words;
} clauses[] = {
    {'s', "lmiudbstyrTn",
     "string clause can only be used on strings, bools, bytes, ints, doubles, "
     "maps, lists, types, durations, and timestamps"},
    {'d', "iu", "decimal clause can only be used on integers"},
    {'f', "ds", "fixed-point clause can only be used on doubles"},
    {'e', "ds", "scientific clause can only be used on doubles"},
    {'b', "iub", "only integers and bools can be formatted as binary"},
    {'o', "iu", "octal clause can only be used on integers"},
    {'x', "iusy",
     "only integers, byte buffers, and strings can be formatted as hex"},
    {'X', "iusy",
     "only integers, byte buffers, and strings can be formatted as hex"},
};

static const struct clause *
find_clause(char letter)
{
    for (size_t i = 0; i < ARRAY_LEN(clauses); i++) {
        if (clauses[i].letter == letter)
            return &clauses[i];
    }
    return NULL;
}

bool
cel_clause_takes(struct cel_clauses *c, const struct cel_type *type,
                 struct buf *why)
{
    const struct clause *known = c->broken ? NULL : find_clause(c->letter);

    if (c->broken) {
        buf_puts(why, c->broken);
    } else if (!known) {
        c->broken = "";
        buf_printf(why,
                   "could not parse formatting clause: unrecognized formatting "
                   "clause \"%c\"",
                   c->letter);
    } else if (type->kind != '*' && !strchr(known->types, type->kind)) {
        buf_printf(why, "error during formatting: %s, was given ",
                   known->words);
        size_t mark = why->n;

        cel_type_runtime_text(type, why);
        buf_truncate(why, mark + strcspn(why->s + mark, "("));
    }
    return !why->n;
}

static bool
put_clause(struct cel_eval *e, struct formatter *f, char clause, int precision,
           const struct cel_value *v)
{
    switch (clause) {
    case 's':
        return put_text(e, f, v, 0);
    case 'd':
        return put_decimal(f, v);
    case 'f':
        return put_fixed(f, v, precision);
    case 'e':
        return put_scientific(f, v, precision);
    case 'b':
    case 'o':
    case 'x':
    case 'X':
        return put_bits(f, v, clause);
    default:
        snprintf(f->why, sizeof(f->why),
                 "could not parse formatting clause: unrecognized formatting "
                 "clause \"%c\"",
                 clause);
        return false;
    }
}

/* Text between clauses, where %% is %. */
static void
put_plain(struct formatter *f, struct str s)
{
    struct str head, tail;

    while (str_cut(s, '%', &head, &tail)) {
        buf_str(f->out, head);
        buf_putc(f->out, '%');
        s = str_from(tail, 1);
    }
    buf_str(f->out, s);
}

struct cel_value
cel_format(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    AUTO(buf_release) struct buf b = BUF_INIT(8 << 20);
    struct formatter f = {.out = &b};
    const struct cel_value *items = cel_list_items(e, a[1].list);
    struct cel_clauses c = {.rest = a[0].s};
    size_t i = 0;

    while (items && cel_next_clause(&c)) {
        put_plain(&f, c.from);
        if (i >= a[1].list->n && !c.ends)
            return cel_error(e, "index %zu out of range", i);
        if (c.broken)
            return cel_error(e, "%s", c.broken);
        if (!put_clause(e, &f, c.letter, c.precision, &items[i++]))
            return cel_error(e, "%s", f.why);
    }
    put_plain(&f, c.from);
    e->run->stopped |= b.over;
    return cel_text(e, CEL_STRING, buf_view(&b));
}
