#include "lib/compose/gonumber.h"

#include <ctype.h>
#include <math.h>

#include "lib/compose/format.h"

static bool
fail(struct error *err, const char *fn, struct str s, const char *why)
{
    AUTO(buf_release) struct buf quoted = BUF_INIT(4096);

    format_quote(s, false, &quoted);
    return error_set(err, ERR_INVALID, "strconv.%s: parsing %s: %s", fn,
                     buf_cstr(&quoted), why);
}

static struct str
unsign(struct str s)
{
    return str_from(s, s.n && (s.s[0] == '-' || s.s[0] == '+'));
}

bool
gonumber_int(struct str s, int64_t *out, struct error *err)
{
    struct str digits = unsign(s);
    bool over = false, ok = digits.n;
    uint64_t u = 0;

    if (str_to_i64(s, out))
        return true;
    /* What overflows 64 bits is out of range, whatever follows. */
    for (size_t i = 0; i < digits.n && ok && !over; i++) {
        ok = isdigit((unsigned char)digits.s[i]);
        over = ok && (__builtin_mul_overflow(u, 10, &u) ||
                      __builtin_add_overflow(u, digits.s[i] - '0', &u));
    }
    return fail(err, "ParseInt", s,
                ok ? "value out of range" : "invalid syntax");
}

/* ---- floats ---- */

static bool
is_word(struct str s, const char *word)
{
    return s.n == strlen(word) && strncasecmp(s.s, word, s.n) == 0;
}

static bool
is_special(struct str s, double *out)
{
    struct str rest = unsign(s);

    if (is_word(s, "nan"))
        *out = NAN;
    else if (is_word(rest, "inf") || is_word(rest, "infinity"))
        *out = s.s[0] == '-' ? -INFINITY : INFINITY;
    else
        return false;
    return true;
}

bool
gonumber_underscores_fit(struct str s)
{
    char base = s.n > 1 && s.s[0] == '0' ? (char)(s.s[1] | 0x20) : '\0';
    bool prefix = base == 'x' || base == 'o' || base == 'b';
    bool digit = prefix, underscore = false;

    for (size_t i = prefix ? 2 : 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.s[i];
        bool is_digit = base == 'x' ? isxdigit(c) : isdigit(c);

        if (c == '_' ? !digit : underscore && !is_digit)
            return false;
        digit = is_digit;
        underscore = c == '_';
    }
    return !underscore;
}

static size_t
skip_digits(struct str s, size_t i, bool hex)
{
    while (i < s.n && (hex ? isxdigit((unsigned char)s.s[i])
                           : isdigit((unsigned char)s.s[i])))
        i++;
    return i;
}

/* s, without underscores, is a Go float: digits, a point, an exponent. */
static bool
is_float(struct str s, bool hex)
{
    size_t start = hex ? 2 : 0, end = skip_digits(s, start, hex);
    size_t digits = end - start;

    if (end < s.n && s.s[end] == '.') {
        start = end + 1;
        end = skip_digits(s, start, hex);
        digits += end - start;
    }
    if (!digits)
        return false;
    if (end < s.n && (s.s[end] | 0x20) == (hex ? 'p' : 'e')) {
        start = end + 1;
        start += start < s.n && (s.s[start] == '-' || s.s[start] == '+');
        end = skip_digits(s, start, false);
        return end > start && end == s.n;
    }
    return end == s.n && !hex;
}

bool
gonumber_float(struct str s, double *out, struct error *err)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1 << 20);
    struct str rest = unsign(s);
    bool hex = rest.n > 1 && rest.s[0] == '0' && (rest.s[1] | 0x20) == 'x';
    double d;

    if (is_special(s, out))
        return true;
    for (size_t i = 0; i < s.n; i++) {
        if (s.s[i] != '_')
            buf_putc(&b, s.s[i]);
    }
    if (!gonumber_underscores_fit(rest) ||
        !is_float(unsign(buf_view(&b)), hex) ||
        !str_to_double(buf_view(&b), &d))
        return fail(err, "ParseFloat", s, "invalid syntax");
    if (isinf(d))
        return fail(err, "ParseFloat", s, "value out of range");
    *out = d;
    return true;
}

bool
gonumber_bool(struct str s, bool *out, struct error *err)
{
    static const char *const words[] = {"0",     "f",     "F",    "false",
                                        "FALSE", "False", "1",    "t",
                                        "T",     "true",  "TRUE", "True"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_eqz(s, words[i])) {
            *out = i >= ARRAY_LEN(words) / 2;
            return true;
        }
    }
    return fail(err, "ParseBool", s, "invalid syntax");
}
