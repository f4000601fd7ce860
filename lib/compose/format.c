#include "lib/compose/format.h"

#include <math.h>
#include <stdio.h>

#include "lib/base/utf8.h"

#include "lib/compose/gotime.h"

/*
 * One verb is worked off into a scratch text without its width; pad() then
 * puts it into the field. A flag set and a number pair describe the verb, as
 * in Go's printer.
 */
struct verb {
    bool plus, minus, sharp, space, zero;
    bool names; /* %+v: structs show the names of their fields */
    bool go;    /* %#v: as Go source */
    bool has_width, has_precision;
    int width, precision;
    uint32_t c; /* the verb character */
};

struct printer {
    struct arena *a;
    struct buf *out;
    unsigned depth;
};

#define MAX_DEPTH 200
#define MAX_FIELD 1000000 /* Go's tooLarge */

static void print_value(struct printer *p, struct verb *f, struct value v,
                        unsigned depth);

/* ---- the field ---- */

static void
pad(struct printer *p, const struct verb *f, struct str s)
{
    size_t n = f->has_width ? utf8_count(s) : 0;
    size_t gap =
        f->has_width && (size_t)f->width > n ? (size_t)f->width - n : 0;

    if (!f->minus)
        buf_fill(p->out, f->zero ? '0' : ' ', gap);
    buf_str(p->out, s);
    if (f->minus)
        buf_fill(p->out, ' ', gap);
}

/* s, its sign in front of the zeros that fill the field. */
static void
pad_signed(struct printer *p, const struct verb *f, struct str s)
{
    struct verb rest = *f;

    if (f->zero && !f->minus && f->has_width && s.n &&
        (s.s[0] == '-' || s.s[0] == '+' || s.s[0] == ' ')) {
        buf_putc(p->out, s.s[0]);
        rest.width -= rest.width > 0;
        s = str_from(s, 1);
    }
    pad(p, &rest, s);
}

static void
bad_verb(struct printer *p, struct verb *f, struct value v)
{
    char c[4];
    struct verb plain = *f;

    buf_puts(p->out, "%!");
    buf_add(p->out, c, utf8_encode(f->c, c));
    buf_putc(p->out, '(');
    if (v.type == VALUE_NIL || v.type == VALUE_NONE) {
        buf_puts(p->out, "<nil>");
    } else {
        buf_puts(p->out, value_type_name(v));
        buf_putc(p->out, '=');
        plain.c = 'v';
        print_value(p, &plain, v, 0);
    }
    buf_putc(p->out, ')');
}

/* ---- one kind of value each ---- */

static void
put_hex(const struct verb *f, struct str s, struct buf *out)
{
    if (f->has_precision)
        s = str_sub(s, 0, (size_t)f->precision);
    if (f->sharp && s.n)
        buf_puts(out, f->c == 'x' ? "0x" : "0X");
    for (size_t i = 0; i < s.n; i++) {
        if (f->space && i) {
            buf_putc(out, ' ');
            if (f->sharp)
                buf_puts(out, f->c == 'x' ? "0x" : "0X");
        }
        buf_printf(out, f->c == 'x' ? "%02x" : "%02X", (unsigned char)s.s[i]);
    }
}

static struct str
cut_runes(const struct verb *f, struct str s)
{
    size_t at = 0;
    uint32_t cp;

    for (int i = 0; f->has_precision && at < s.n; i++) {
        if (i == f->precision)
            return str_sub(s, 0, at);
        at += utf8_decode(str_from(s, at), &cp);
    }
    return s;
}

/* strconv.CanBackquote */
static bool
can_backquote(struct str s)
{
    while (s.n) {
        uint32_t cp;
        size_t n = utf8_decode(s, &cp);

        if ((n == 1 && cp == UTF8_REPLACEMENT) || (cp < ' ' && cp != '\t') ||
            cp == '`' || cp == 0x7f || cp == 0xfeff)
            return false;
        s = str_from(s, n);
    }
    return true;
}

static void
print_text(struct printer *p, struct verb *f, struct str s, struct value v)
{
    AUTO(buf_release) struct buf text = BUF_INIT(p->out->max);

    switch (f->c) {
    case 'v':
        if (f->go) {
            s = cut_runes(f, s);
            format_quote(s, false, &text);
            break;
        }
        FALLTHROUGH;
    case 's':
        pad(p, f, cut_runes(f, s));
        return;
    case 'q':
        s = cut_runes(f, s);
        if (f->sharp && can_backquote(s))
            buf_printf(&text, "`%.*s`", STR_ARG(s));
        else
            format_quote(s, f->plus, &text);
        break;
    case 'x':
    case 'X':
        put_hex(f, s, &text);
        break;
    default:
        bad_verb(p, f, v);
        return;
    }
    pad(p, f, buf_view(&text));
}

static void
put_digits(uint64_t u, unsigned base, bool upper, int least, struct buf *out)
{
    char text[64];
    size_t n = sizeof(text);

    do {
        unsigned d = (unsigned)(u % base);

        text[--n] = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[d];
        u /= base;
    } while (u);
    if (least > (int)(sizeof(text) - n))
        buf_fill(out, '0', (size_t)least - (sizeof(text) - n));
    buf_add(out, text + n, sizeof(text) - n);
}

static void
print_radix(struct printer *p, struct verb *f, int64_t i, unsigned base)
{
    AUTO(buf_release) struct buf text = BUF_INIT(p->out->max);
    uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    struct verb field = *f;
    int least = 0;

    if (i < 0 || f->plus || f->space)
        buf_putc(&text, i < 0 ? '-' : f->plus ? '+' : ' ');
    if (f->has_precision) {
        least = f->precision;
        field.zero = false;
        if (least == 0 && i == 0) {
            field.zero = false;
            if (f->has_width)
                buf_fill(p->out, ' ', (size_t)f->width);
            return;
        }
    } else if (f->zero && f->has_width && !f->minus) {
        least = f->width - (int)text.n;
    }
    if (f->c == 'O')
        buf_puts(&text, "0o");
    if (f->sharp && base == 8) {
        AUTO(buf_release) struct buf digits = BUF_INIT(p->out->max);

        put_digits(u, base, false, least, &digits);
        if (digits.n && digits.s[0] != '0')
            buf_putc(&text, '0');
    } else if (f->sharp && base != 10) {
        buf_puts(&text, base == 2 ? "0b" : f->c == 'X' ? "0X" : "0x");
    }
    put_digits(u, base, f->c == 'X', least, &text);
    field.zero = false;
    pad(p, &field, buf_view(&text));
}

static void
print_rune(struct printer *p, struct verb *f, int64_t i)
{
    AUTO(buf_release) struct buf text = BUF_INIT(256);
    uint32_t cp = i < 0 || i > 0x10ffff || (i >= 0xd800 && i < 0xe000)
                      ? UTF8_REPLACEMENT
                      : (uint32_t)i;
    char c[4];

    if (f->c == 'U') {
        buf_puts(&text, "U+");
        put_digits((uint64_t)i, 16, true, MAX(4, f->precision), &text);
        if (f->sharp && i == (int64_t)cp && format_printable(cp)) {
            buf_puts(&text, " '");
            buf_add(&text, c, utf8_encode(cp, c));
            buf_putc(&text, '\'');
        }
    } else if (f->c == 'q') {
        buf_putc(&text, '\'');
        format_quote_char(cp, '\'', f->plus, &text);
        buf_putc(&text, '\'');
    } else {
        buf_add(&text, c, utf8_encode(cp, c));
    }
    pad(p, f, buf_view(&text));
}

static void
print_integer(struct printer *p, struct verb *f, struct value v)
{
    struct verb hex = *f;

    switch (f->c) {
    case 'v':
        if (f->go && v.type == VALUE_UINT8) {
            hex.sharp = true;
            print_radix(p, &hex, v.i, 16);
            break;
        }
        FALLTHROUGH;
    case 'd':
        print_radix(p, f, v.i, 10);
        break;
    case 'b':
        print_radix(p, f, v.i, 2);
        break;
    case 'o':
    case 'O':
        print_radix(p, f, v.i, 8);
        break;
    case 'x':
    case 'X':
        print_radix(p, f, v.i, 16);
        break;
    case 'c':
    case 'q':
    case 'U':
        print_rune(p, f, v.i);
        break;
    default:
        bad_verb(p, f, v);
    }
}

static void
print_float(struct printer *p, struct verb *f, struct value v)
{
    AUTO(buf_release) struct buf text = BUF_INIT(p->out->max);
    struct verb field = *f;
    char c = f->c == 'v' ? 'g' : (char)f->c;

    if (f->c > 0x7f || !strchr("vgGeEfFxXb", (int)f->c) || !f->c) {
        bad_verb(p, f, v);
        return;
    }
    int precision = f->has_precision    ? f->precision
                    : strchr("eEfF", c) ? 6
                                        : -1;

    if ((f->plus || f->space) && !signbit(v.f) && !isnan(v.f) && !isinf(v.f))
        buf_putc(&text, f->plus ? '+' : ' ');
    if (f->sharp && c != 'b' && isfinite(v.f)) {
        AUTO(buf_release) struct buf plain = BUF_INIT(p->out->max);

        format_float(v.f, c, precision, &plain);
        format_sharp_float(buf_view(&plain), c, precision, &text);
    } else {
        format_float(v.f, c, precision, &text);
    }
    if (isnan(v.f) || isinf(v.f))
        field.zero = false;
    pad_signed(p, &field, buf_view(&text));
}

static void
print_bytes(struct printer *p, struct verb *f, struct value v)
{
    if (f->c != 'v' && f->c != 'd') {
        print_text(p, f, v.s, v);
        return;
    }
    buf_putc(p->out, '[');
    for (size_t i = 0; i < v.s.n; i++) {
        if (i)
            buf_putc(p->out, ' ');
        print_radix(p, f, (unsigned char)v.s.s[i], 10);
    }
    buf_putc(p->out, ']');
}

static void
print_struct(struct printer *p, struct verb *f, struct value v, unsigned depth)
{
    const struct value_struct *st = v.st;

    if (st->text.s) {
        print_text(p, f, st->text, v);
        return;
    }
    buf_putc(p->out, '{');
    for (size_t i = 0; i < st->n; i++) {
        if (i)
            buf_putc(p->out, ' ');
        if (f->names)
            buf_printf(p->out, "%.*s:", STR_ARG(st->fields[i].key));
        print_value(p, f, st->fields[i].value, depth + 1);
    }
    buf_putc(p->out, '}');
}

static void
print_list(struct printer *p, struct verb *f, struct value v, unsigned depth)
{
    bool go = f->go;
    size_t n;
    const struct value *items = value_items(p->a, v, &n);

    if (go)
        buf_puts(p->out, value_type_name(v));
    buf_putc(p->out, go ? '{' : '[');
    for (size_t i = 0; i < n && !p->out->over; i++) {
        if (i)
            buf_puts(p->out, go ? ", " : " ");
        print_value(p, f, items[i], depth + 1);
    }
    buf_putc(p->out, go ? '}' : ']');
}

static void
print_map(struct printer *p, struct verb *f, struct value v, unsigned depth)
{
    bool go = f->go;
    size_t n;
    const struct value_entry *e = value_entries(p->a, v, &n);

    buf_puts(p->out, go ? value_type_name(v) : "map");
    buf_putc(p->out, go ? '{' : '[');
    for (size_t i = 0; i < n && !p->out->over; i++) {
        if (i)
            buf_puts(p->out, go ? ", " : " ");
        print_value(p, f, value_str(e[i].key), depth + 1);
        buf_putc(p->out, ':');
        print_value(p, f, e[i].value, depth + 1);
    }
    buf_putc(p->out, go ? '}' : ']');
}

static void
print_time(struct printer *p, struct verb *f, struct value v)
{
    AUTO(buf_release) struct buf text = BUF_INIT(64);

    gotime_format(v.time, STR("2006-01-02 15:04:05.999999999 -0700 MST"),
                  &text);
    print_text(p, f, buf_view(&text), value_str(buf_view(&text)));
}

static void
print_value(struct printer *p, struct verb *f, struct value v, unsigned depth)
{
    if (depth > MAX_DEPTH) {
        buf_puts(p->out, "...");
        return;
    }
    if (f->c == 'w') { /* Errorf's alone */
        bad_verb(p, f, v);
        return;
    }
    switch (v.type) {
    case VALUE_NONE:
    case VALUE_NIL:
        if (depth > 0)
            buf_puts(p->out, f->go ? "interface {}(nil)" : "<nil>");
        else if (f->c == 'v')
            pad(p, f, STR("<nil>"));
        else
            bad_verb(p, f, v);
        break;
    case VALUE_BOOL:
        if (f->c == 't' || f->c == 'v')
            pad(p, f, v.b ? STR("true") : STR("false"));
        else
            bad_verb(p, f, v);
        break;
    case VALUE_FLOAT:
        print_float(p, f, v);
        break;
    case VALUE_STRING:
        print_text(p, f, v.s, v);
        break;
    case VALUE_BYTES:
        print_bytes(p, f, v);
        break;
    case VALUE_LIST:
        print_list(p, f, v, depth);
        break;
    case VALUE_MAP:
        print_map(p, f, v, depth);
        break;
    case VALUE_STRUCT:
        print_struct(p, f, v, depth);
        break;
    case VALUE_TIME:
        print_time(p, f, v);
        break;
    default:
        print_integer(p, f, v);
    }
}

/* ---- Sprint and its sisters ---- */

void
format_value(struct arena *a, struct value v, struct buf *out)
{
    struct printer p = {a, out, 0};
    struct verb f = {.c = 'v'};

    if (v.type == VALUE_STRING)
        buf_str(out, v.s);
    else
        print_value(&p, &f, v, 0);
}

void
format_print(struct arena *a, const struct value *v, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        if (i && v[i].type != VALUE_STRING && v[i - 1].type != VALUE_STRING)
            buf_putc(out, ' ');
        format_value(a, v[i], out);
    }
}

void
format_println(struct arena *a, const struct value *v, size_t n,
               struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_putc(out, ' ');
        format_value(a, v[i], out);
    }
    buf_putc(out, '\n');
}

/* ---- Sprintf ---- */

struct format {
    struct printer p;
    struct str fmt;
    size_t at;
    const struct value *v;
    size_t n, arg;
    bool reordered, good_index, was_index;
};

static char
peek(const struct format *s)
{
    return s->at < s->fmt.n ? s->fmt.s[s->at] : '\0';
}

/* Digits at the cursor; false when there are none or too many. */
static bool
read_number(struct format *s, int *out)
{
    int v = 0;
    bool any = false;

    for (; s->at < s->fmt.n && peek(s) >= '0' && peek(s) <= '9'; s->at++) {
        if (v > MAX_FIELD) {
            *out = 0;
            return false;
        }
        v = v * 10 + (peek(s) - '0');
        any = true;
    }
    *out = v;
    return any;
}

static void
read_flags(struct format *s, struct verb *f)
{
    for (; s->at < s->fmt.n; s->at++) {
        switch (peek(s)) {
        case '#':
            f->sharp = true;
            break;
        case '0':
            f->zero = true;
            break;
        case '+':
            f->plus = true;
            break;
        case '-':
            f->minus = true;
            break;
        case ' ':
            f->space = true;
            break;
        default:
            return;
        }
    }
}

/* "[3]" moves the argument cursor. */
static void
read_index(struct format *s)
{
    struct str rest = str_from(s->fmt, s->at);
    uint64_t k;

    s->was_index = false;
    if (peek(s) != '[')
        return;
    s->reordered = true;
    const char *close = memchr(rest.s, ']', rest.n);

    if (!close) {
        s->good_index = false;
        s->at++;
        return;
    }
    s->at += (size_t)(close - rest.s) + 1;
    s->was_index =
        str_to_u64(str_n(rest.s + 1, (size_t)(close - rest.s) - 1), &k);
    if (s->was_index && k && k <= s->n)
        s->arg = (size_t)k - 1;
    else
        s->good_index = false;
}

/* "*": an int argument. */
static bool
star(struct format *s, int *out)
{
    if (s->arg >= s->n)
        return false;
    struct value v = s->v[s->arg++];

    if (!value_is_integer(v) || v.i > MAX_FIELD || v.i < -MAX_FIELD)
        return false;
    *out = (int)v.i;
    return true;
}

static void
read_width(struct format *s, struct verb *f)
{
    if (peek(s) != '*') {
        f->has_width = read_number(s, &f->width);
        if (s->was_index && f->has_width)
            s->good_index = false;
        return;
    }
    s->at++;
    f->has_width = star(s, &f->width);
    if (!f->has_width)
        buf_puts(s->p.out, "%!(BADWIDTH)");
    if (f->width < 0) {
        f->width = -f->width;
        f->minus = true;
        f->zero = false;
    }
    s->was_index = false;
}

static void
read_precision(struct format *s, struct verb *f)
{
    if (s->at + 1 >= s->fmt.n || peek(s) != '.')
        return;
    s->at++;
    if (s->was_index)
        s->good_index = false;
    read_index(s);
    if (peek(s) != '*') {
        f->has_precision = true;
        read_number(s, &f->precision);
        return;
    }
    s->at++;
    f->has_precision = star(s, &f->precision);
    if (f->precision < 0) {
        f->precision = 0;
        f->has_precision = false;
    }
    if (!f->has_precision)
        buf_puts(s->p.out, "%!(BADPREC)");
    s->was_index = false;
}

static void
complain(struct format *s, uint32_t c, const char *what)
{
    char text[4];

    buf_puts(s->p.out, "%!");
    buf_add(s->p.out, text, utf8_encode(c, text));
    buf_puts(s->p.out, what);
}

static void
one_verb(struct format *s)
{
    struct verb f = {0};

    s->at++; /* the percent sign */
    s->good_index = true;
    s->was_index = false;
    read_flags(s, &f);
    read_index(s);
    read_width(s, &f);
    read_precision(s, &f);
    if (!s->was_index)
        read_index(s);
    if (s->at >= s->fmt.n) {
        buf_puts(s->p.out, "%!(NOVERB)");
        return;
    }
    s->at += utf8_decode(str_from(s->fmt, s->at), &f.c);
    if (f.c == 'v' || f.c == 'w') {
        f.names = f.plus;
        f.go = f.sharp;
        f.plus = f.sharp = false;
    }
    if (f.c == '%') {
        buf_putc(s->p.out, '%');
    } else if (!s->good_index) {
        complain(s, f.c, "(BADINDEX)");
    } else if (s->arg >= s->n) {
        complain(s, f.c, "(MISSING)");
    } else if (f.c == 'T') {
        if (s->v[s->arg].type <= VALUE_NIL)
            f.has_precision = false;
        f.c = 's';
        print_text(&s->p, &f, str_of(value_type_name(s->v[s->arg++])),
                   value_nil());
    } else {
        print_value(&s->p, &f, s->v[s->arg++], 0);
    }
}

static void
extra_arguments(struct format *s)
{
    struct verb f = {.c = 'v'};

    buf_puts(s->p.out, "%!(EXTRA ");
    for (size_t i = s->arg; i < s->n; i++) {
        if (i > s->arg)
            buf_puts(s->p.out, ", ");
        if (value_is_nil(s->v[i]) && s->v[i].type <= VALUE_NIL) {
            buf_puts(s->p.out, "<nil>");
            continue;
        }
        buf_puts(s->p.out, value_type_name(s->v[i]));
        buf_putc(s->p.out, '=');
        print_value(&s->p, &f, s->v[i], 0);
    }
    buf_putc(s->p.out, ')');
}

void
format_printf(struct arena *a, struct str fmt, const struct value *v, size_t n,
              struct buf *out)
{
    struct format s = {.p = {a, out, 0}, .fmt = fmt, .v = v, .n = n};

    while (s.at < fmt.n && !out->over) {
        const char *next = memchr(fmt.s + s.at, '%', fmt.n - s.at);
        size_t end = next ? (size_t)(next - fmt.s) : fmt.n;

        buf_add(out, fmt.s + s.at, end - s.at);
        s.at = end;
        if (next)
            one_verb(&s);
    }
    if (!s.reordered && s.arg < n)
        extra_arguments(&s);
}
