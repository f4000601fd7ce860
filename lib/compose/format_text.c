/* Numbers and quoted strings as Go writes them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/utf8.h"

#include "lib/compose/format.h"

/* The shortest decimal form of f as digits (no point) and a decimal exponent:
 * 0.digits x 10^*point. Any number of up to 15 digits that reads back is the
 * shortest once its zeros are cut. */
static void
shortest(double f, char digits[32], int *point)
{
    char text[40];
    int n = 0;

    for (int p = 14; p <= 16; p++) {
        snprintf(text, sizeof(text), "%.*e", p, f);
        if (strtod(text, NULL) == f)
            break;
    }
    const char *c = text;

    for (; *c && *c != 'e'; c++) {
        if (*c >= '0' && *c <= '9')
            digits[n++] = *c;
    }
    *point = (*c == 'e' ? (int)strtol(c + 1, NULL, 10) : 0) + 1;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    digits[n] = '\0';
}

static void
exponent_form(const char *digits, int point, char verb, struct buf *out)
{
    int e = point - 1;

    buf_putc(out, digits[0]);
    if (digits[1]) {
        buf_putc(out, '.');
        buf_puts(out, digits + 1);
    }
    buf_printf(out, "%c%c%02d", verb, e < 0 ? '-' : '+', abs(e));
}

static void
plain_form(const char *digits, int point, struct buf *out)
{
    int n = (int)strlen(digits);

    if (point <= 0) {
        buf_puts(out, "0.");
        buf_fill(out, '0', (size_t)-point);
        buf_puts(out, digits);
    } else if (n <= point) {
        buf_puts(out, digits);
        buf_fill(out, '0', (size_t)(point - n));
    } else {
        buf_add(out, digits, (size_t)point);
        buf_putc(out, '.');
        buf_puts(out, digits + point);
    }
}

static void
fixed_float(double f, char verb, int precision, struct buf *out)
{
    switch (verb) {
    case 'e':
        buf_printf(out, "%.*e", precision, f);
        break;
    case 'E':
        buf_printf(out, "%.*E", precision, f);
        break;
    case 'g':
        buf_printf(out, "%.*g", precision, f);
        break;
    case 'G':
        buf_printf(out, "%.*G", precision, f);
        break;
    default:
        buf_printf(out, "%.*f", precision, f);
    }
}

/* strconv's 'x': hexadecimal digits of 1 <= m < 2, the rest cut to precision
 * (-1: none is), and an exponent of two digits at least. */
static void
hex_float(double f, char verb, int precision, struct buf *out)
{
    const char *digits = verb == 'x' ? "0123456789abcdef" : "0123456789ABCDEF";
    int exponent = 0;
    uint64_t m = (uint64_t)ldexp(frexp(fabs(f), &exponent), 61);

    exponent -= m != 0;
    if (precision >= 0 && precision < 15) {
        int shift = precision * 4;
        uint64_t rest = (m << shift) & ((UINT64_C(1) << 60) - 1);

        m >>= 60 - shift;
        if ((rest | (m & 1)) > UINT64_C(1) << 59)
            m++;
        m <<= 60 - shift;
        if (m >> 61) {
            m >>= 1;
            exponent++;
        }
    }
    buf_printf(out, "%s0%c%c", signbit(f) ? "-" : "", verb,
               digits[m >> 60 & 1]);
    m <<= 4;
    if (precision < 0 ? m != 0 : precision > 0)
        buf_putc(out, '.');
    for (int i = 0; precision < 0 ? m != 0 : i < precision; i++, m <<= 4)
        buf_putc(out, digits[m >> 60]);
    buf_printf(out, "%c%c%02d", verb == 'x' ? 'p' : 'P',
               exponent < 0 ? '-' : '+', abs(exponent));
}

/* strconv's 'b': the 53 bits as an integer and the power of two. */
static void
binary_float(double f, struct buf *out)
{
    int exponent = 0;
    double m = frexp(fabs(f), &exponent);

    /* A denormal number has fewer bits. */
    exponent = f != 0 ? MAX(exponent - 53, -1074) : -1074;
    m = f != 0 ? ldexp(fabs(f), -exponent) : m;
    buf_printf(out, "%s%.0fp%+d", signbit(f) ? "-" : "", m, exponent);
}

void
format_float(double f, char verb, int precision, struct buf *out)
{
    char digits[32];
    int point;

    if (isnan(f)) {
        buf_puts(out, "NaN");
        return;
    }
    if (isinf(f)) {
        buf_puts(out, f > 0 ? "+Inf" : "-Inf");
        return;
    }
    if (verb == 'x' || verb == 'X') {
        hex_float(f, verb, precision, out);
        return;
    }
    if (verb == 'b') {
        binary_float(f, out);
        return;
    }
    if (precision >= 0) {
        fixed_float(f, verb, precision, out);
        return;
    }
    if (signbit(f))
        buf_putc(out, '-');
    if (f == 0) {
        buf_puts(out, verb == 'e' ? "0e+00" : verb == 'E' ? "0E+00" : "0");
        return;
    }
    shortest(fabs(f), digits, &point);
    bool wide = point - 1 < -4 || point - 1 >= 6;

    if (verb == 'e' || verb == 'E')
        exponent_form(digits, point, verb, out);
    else if (verb != 'f' && verb != 'F' && wide)
        exponent_form(digits, point, verb == 'G' ? 'E' : 'e', out);
    else
        plain_form(digits, point, out);
}

void
format_sharp_float(struct str number, char verb, int precision, struct buf *out)
{
    bool hex = verb == 'x' || verb == 'X', point = false, nonzero = false;
    bool counts = verb == 'x' || verb == 'g' || verb == 'G';
    int digits = !counts ? 0 : precision < 0 ? 6 : precision;
    size_t n = 0;

    while (n < number.n && number.s[n] != (hex ? 'p' : 'e') &&
           number.s[n] != (hex ? 'P' : 'E')) {
        char c = number.s[n++];

        if (c == '.') {
            point = true;
        } else if (c != '+' && c != '-' && c != ' ') {
            nonzero |= c != '0';
            digits -= nonzero;
        }
    }
    struct str head = str_sub(number, 0, n);

    buf_str(out, head);
    if (!point) {
        if (str_ends(head, STR("0")) && !nonzero)
            digits--;
        buf_putc(out, '.');
    }
    buf_fill(out, '0', digits > 0 ? (size_t)digits : 0);
    buf_str(out, str_from(number, n));
}

bool
format_printable(uint32_t cp)
{
    if (cp < 0x80)
        return cp >= ' ' && cp < 0x7f;
    return cp > 0xa0 && cp != 0xad && cp != 0x3000 && !utf8_unsafe(cp) &&
           !(cp >= 0xe000 && cp < 0xf900) && !(cp >= 0xe0000 && cp < 0xe0100) &&
           cp < 0xf0000;
}

/* One character of a quoted text; quote is the quote in use. */
static void
quote_char(uint32_t cp, size_t width, unsigned char raw, char quote, bool ascii,
           struct buf *out)
{
    static const char names[] = "abtnvfr";
    char text[4];

    if (cp == UTF8_REPLACEMENT && width == 1) {
        buf_printf(out, "\\x%02x", raw);
    } else if (cp == (uint32_t)quote || cp == '\\') {
        buf_putc(out, '\\');
        buf_putc(out, (char)cp);
    } else if (cp >= '\a' && cp <= '\r') {
        /* \a \b \t \n \v \f \r are 7 to 13 in this order */
        buf_putc(out, '\\');
        buf_putc(out, names[cp - '\a']);
    } else if (cp < ' ' || cp == 0x7f) {
        buf_printf(out, "\\x%02x", cp);
    } else if (cp < 0x80 || (!ascii && format_printable(cp))) {
        buf_add(out, text, utf8_encode(cp, text));
    } else {
        buf_printf(out, cp < 0x10000 ? "\\u%04x" : "\\U%08x", cp);
    }
}

void
format_quote_char(uint32_t cp, char quote, bool ascii, struct buf *out)
{
    quote_char(cp, 3, 0, quote, ascii, out);
}

void
format_quote(struct str s, bool ascii, struct buf *out)
{
    buf_putc(out, '"');
    while (s.n) {
        uint32_t cp;
        size_t n = utf8_decode(s, &cp);

        quote_char(cp, n, (unsigned char)s.s[0], '"', ascii, out);
        s = str_from(s, n);
    }
    buf_putc(out, '"');
}
