#include <math.h>
#include <stdio.h>

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

static bool
put_special(struct formatter *f, double d)
{
    if (isfinite(d))
        return false;
    buf_puts(f->out, isnan(d) ? "NaN"
                     : d > 0  ? "\xE2\x88\x9E"
                              : "-\xE2\x88\x9E");
    return true;
}

static bool
put_fixed(struct formatter *f, const struct cel_value *v, int precision)
{
    char text[512];
    double d;

    if (!take_double(f, v, true, &d))
        return false;
    if (put_special(f, d))
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
    if (put_special(f, d))
        return true;
    snprintf(text, sizeof(text), "%.*e", precision, d);
    char *exponent = strchr(text, 'e');

    buf_add(f->out, text, (size_t)(exponent - text));
    buf_puts(f->out, "\xE2\x80\xAF\xC3\x97\xE2\x80\xAF"
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

/* %[.digits]letter at s; takes it off. */
static bool
read_clause(struct formatter *f, struct str *s, char *clause, int *precision)
{
    uint64_t digits;
    size_t n = 0;

    *precision = PRECISION;
    *s = str_from(*s, 1);
    if (s->n && s->s[0] == '.') {
        while (n + 1 < s->n && s->s[n + 1] >= '0' && s->s[n + 1] <= '9')
            n++;
        if (!str_to_u64(str_sub(*s, 1, n), &digits) || digits > PRECISION_MAX) {
            snprintf(f->why, sizeof(f->why),
                     "could not parse formatting clause: error while parsing "
                     "precision: could not find end of precision specifier");
            return false;
        }
        *precision = (int)digits;
        *s = str_from(*s, n + 1);
    }
    if (!s->n) {
        snprintf(f->why, sizeof(f->why), "unexpected end of string");
        return false;
    }
    *clause = s->s[0];
    *s = str_from(*s, 1);
    return true;
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

struct cel_value
cel_format(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    AUTO(buf_release) struct buf b = BUF_INIT(8 << 20);
    struct formatter f = {.out = &b};
    const struct cel_value *items = cel_list_items(e, a[1].list);
    struct str s = a[0].s;
    size_t next = 0;
    int precision;
    char clause;

    while (s.n && items) {
        size_t plain = str_find(s, STR("%"), 0);

        buf_str(&b, str_sub(s, 0, plain));
        s = str_from(s, plain);
        if (!s.n)
            break;
        if (str_starts(s, STR("%%"))) {
            buf_putc(&b, '%');
            s = str_from(s, 2);
            continue;
        }
        if (next >= a[1].list->n)
            return cel_error(e, "index %zu out of range", next);
        if (!read_clause(&f, &s, &clause, &precision) ||
            !put_clause(e, &f, clause, precision, &items[next]))
            return cel_error(e, "%s", f.why);
        next++;
    }
    e->run->stopped |= b.over;
    return cel_text(e, CEL_STRING, buf_view(&b));
}
