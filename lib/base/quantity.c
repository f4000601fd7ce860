/*
 * Decimal digits as text are all the arithmetic needs: it multiplies by powers
 * of ten (append zeros), doubles at most 60 times, and divides by 10 and 1024.
 */
#include "lib/base/quantity.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define FRACTION_MAX 9  /* digits behind the point: nano */
#define EXACT_MAX    18 /* digits that upstream keeps as they are */

/* ---- digits ---- */

static void
drop_leading_zeros(struct quantity *q)
{
    size_t zeros = strspn(q->digits, "0");

    q->n -= zeros;
    memmove(q->digits, q->digits + zeros, q->n + 1);
}

static bool
append_digits(struct quantity *q, const char *digits, size_t n)
{
    if (n > QUANTITY_DIGITS_MAX - q->n)
        return false;
    if (n)
        memcpy(q->digits + q->n, digits, n);
    q->n += n;
    q->digits[q->n] = '\0';
    return true;
}

static bool
append_zeros(struct quantity *q, size_t n)
{
    if (n > QUANTITY_DIGITS_MAX - q->n)
        return false;
    memset(q->digits + q->n, '0', n);
    q->n += n;
    q->digits[q->n] = '\0';
    return true;
}

/* times * digits + add. */
static bool
multiply(struct quantity *q, unsigned times, unsigned add)
{
    char carried[8];
    size_t n = 0;

    for (size_t i = q->n; i-- > 0;) {
        add += (unsigned)(q->digits[i] - '0') * times;
        q->digits[i] = (char)('0' + add % 10);
        add /= 10;
    }
    for (; add; add /= 10)
        carried[sizeof(carried) - ++n] = (char)('0' + add % 10);
    if (n > QUANTITY_DIGITS_MAX - q->n)
        return false;
    memmove(q->digits + n, q->digits, q->n + 1);
    memcpy(q->digits, carried + sizeof(carried) - n, n);
    q->n += n;
    return true;
}

/* Divides in place; answers what is left over. */
static unsigned
divide(struct quantity *q, unsigned by)
{
    unsigned rest = 0;

    for (size_t i = 0; i < q->n; i++) {
        rest = 10 * rest + (unsigned)(q->digits[i] - '0');
        q->digits[i] = (char)('0' + rest / by);
        rest %= by;
    }
    drop_leading_zeros(q);
    return rest;
}

/* Gives q this scale, rounding away from zero; false: too many digits. */
static bool
rescale(struct quantity *q, int scale, bool *exact)
{
    *exact = true;
    if (q->scale >= scale) {
        if (q->n && !append_zeros(q, (size_t)(q->scale - scale)))
            return false;
        q->scale = scale;
        return true;
    }
    size_t cut = (size_t)(scale - q->scale), kept = q->n > cut ? q->n - cut : 0;

    *exact = strspn(q->digits + kept, "0") == q->n - kept;
    q->n = kept;
    q->digits[kept] = '\0';
    q->scale = scale;
    return *exact || multiply(q, 1, 1);
}

static bool
is_below_one(const struct quantity *q)
{
    return (int)q->n + q->scale <= 0;
}

/* ---- reading ---- */

static const struct suffix {
    const char *text;
    int base, exponent;
} suffixes[] = {
    {"n", 10, -9}, {"u", 10, -6}, {"m", 10, -3}, {"", 10, 0},
    {"k", 10, 3},  {"M", 10, 6},  {"G", 10, 9},  {"T", 10, 12},
    {"P", 10, 15}, {"E", 10, 18}, {"Ki", 2, 10}, {"Mi", 2, 20},
    {"Gi", 2, 30}, {"Ti", 2, 40}, {"Pi", 2, 50}, {"Ei", 2, 60},
};

struct parts {
    bool negative, digits;              /* digits: there is one at least */
    struct str whole, fraction, suffix; /* whole: without leading zeros */
};

static struct str
take(struct str *rest, const char *set)
{
    size_t n = 0;

    while (n < rest->n && rest->s[n] && strchr(set, rest->s[n]))
        n++;
    struct str taken = str_sub(*rest, 0, n);

    *rest = str_from(*rest, n);
    return taken;
}

static bool
split(struct str text, struct parts *p)
{
    static const char digits[] = "0123456789";
    struct str rest = text, sign;

    if (!text.n)
        return false;
    p->negative = text.s[0] == '-';
    if (text.s[0] == '-' || text.s[0] == '+')
        rest = str_from(rest, 1);
    p->digits = take(&rest, "0").n;
    p->whole = take(&rest, digits);
    if (rest.n && rest.s[0] == '.') {
        rest = str_from(rest, 1);
        p->fraction = take(&rest, digits);
    }
    p->digits = p->digits || p->whole.n || p->fraction.n;
    p->suffix = rest;
    take(&rest, "eEinumkKMGTP");
    sign = rest;
    if (sign.n && (sign.s[0] == '-' || sign.s[0] == '+'))
        rest = str_from(rest, 1);
    take(&rest, digits);
    return rest.n == 0;
}

/* What a suffix multiplies by: base^exponent. */
static bool
read_suffix(struct str s, int *base, int *exponent, enum quantity_format *f)
{
    int64_t e;

    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        if (!str_eqz(s, suffixes[i].text))
            continue;
        *base = suffixes[i].base;
        *exponent = suffixes[i].exponent;
        *f = *base == 2 ? QUANTITY_BINARY : QUANTITY_DECIMAL;
        return true;
    }
    if (s.n < 2 || (s.s[0] != 'e' && s.s[0] != 'E') ||
        !str_to_i64(str_from(s, 1), &e))
        return false;
    *base = 10;
    *exponent = (int)(int32_t)e;
    *f = QUANTITY_EXPONENT;
    return true;
}

/* Whether upstream keeps the amount exactly as it was written (its int64
 * path). */
static bool
is_exact(const struct parts *p, int base, int exponent)
{
    int digits = (int)MAX(p->whole.n, 1);

    if (base == 2)
        return !p->fraction.n && 15 - digits - exponent * 3 / 10 - 1 >= 0;
    return digits + (int)p->fraction.n <= EXACT_MAX &&
           (int64_t)exponent - (int64_t)p->fraction.n >= -FRACTION_MAX;
}

/* An exact amount that upstream takes for canonical prints as it came. */
static bool
keeps_text(const struct parts *p, const struct quantity *q, int base)
{
    struct str digits = str_n(q->digits, q->n);

    if (base == 2) {
        int64_t v = 0;

        str_to_i64(p->whole, &v);
        return v % 8 != 0;
    }
    return q->scale % 3 == 0 && p->whole.n && !str_ends(digits, STR("000"));
}

/* The amount beyond what is exact: rounded up, and capped when binary. */
static bool
bound(struct quantity *q)
{
    static const char most[] = "9223372036854775807";
    bool exact;

    if (!q->n)
        return true;
    if (q->scale > QUANTITY_DIGITS_MAX || !rescale(q, -FRACTION_MAX, &exact))
        return false;
    if (q->format != QUANTITY_BINARY)
        return true;
    if (is_below_one(q))
        q->format = QUANTITY_DECIMAL;
    struct quantity whole = *q;

    if (!rescale(&whole, 0, &exact) || whole.n < strlen(most) ||
        (whole.n == strlen(most) && strcmp(whole.digits, most) <= 0))
        return true;
    q->n = 0;
    q->scale = 0;
    return append_digits(q, most, strlen(most));
}

bool
quantity_parse(struct str text, struct quantity *out, struct error *err)
{
    struct quantity q = {0};
    struct parts p = {0};
    int base, exponent;
    bool ok = true;

    if (text.n > QUANTITY_TEXT_MAX)
        return error_set(err, ERR_LIMIT, "a quantity of more than %d bytes",
                         QUANTITY_TEXT_MAX);
    if (!split(text, &p))
        return error_set(err, ERR_INVALID,
                         "quantities must match the regular expression "
                         "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    if (!read_suffix(p.suffix, &base, &exponent, &q.format))
        return error_set(err, ERR_INVALID, "unable to parse quantity's suffix");
    if (!p.digits && !is_exact(&p, base, exponent))
        return error_set(err, ERR_INVALID,
                         "unable to parse numeric part of quantity");
    append_digits(&q, p.whole.s, p.whole.n);
    append_digits(&q, p.fraction.s, p.fraction.n);
    q.scale = (base == 10 ? exponent : 0) - (int)p.fraction.n;
    drop_leading_zeros(&q);
    for (int i = 0; base == 2 && i < exponent; i += 10)
        ok = ok && multiply(&q, 1024, 0);
    if (!is_exact(&p, base, exponent))
        ok = ok && bound(&q);
    else if (keeps_text(&p, &q, base))
        q.source = text;
    if (!ok)
        return error_set(err, ERR_LIMIT, "a quantity of more than %d digits",
                         QUANTITY_DIGITS_MAX);
    q.negative = p.negative && q.n;
    *out = q;
    return true;
}

/* ---- its value ---- */

/* math.Pow10: not the nearest double everywhere, so it is worked out the way
 * Go does. */
static double
power_of_ten(int n)
{
    static const double ones[] = {
        1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10,
        1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
        1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28, 1e29, 1e30, 1e31};
    static const double up[] = {1e0,   1e32,  1e64,  1e96,  1e128,
                                1e160, 1e192, 1e224, 1e256, 1e288};
    static const double down[] = {1e0,    1e-32,  1e-64,  1e-96,
                                  1e-128, 1e-160, 1e-192, 1e-224,
                                  1e-256, 1e-288, 1e-320};

    if (n > 308)
        return INFINITY;
    if (n < -323)
        return 0;
    return n < 0 ? down[-n / 32] / ones[-n % 32] : up[n / 32] * ones[n % 32];
}

double
quantity_double(const struct quantity *q)
{
    double base = strtod(q->n ? q->digits : "0", NULL);

    if (q->scale)
        base *= power_of_ten(q->scale);
    return q->negative ? -base : base;
}

bool
quantity_int64(const struct quantity *q, int64_t *out)
{
    struct quantity whole = *q;
    char text[QUANTITY_DIGITS_MAX + 2];
    bool exact;

    if (q->scale > QUANTITY_DIGITS_MAX || !rescale(&whole, 0, &exact))
        return false;
    text[0] = q->negative ? '-' : '+';
    memcpy(text + 1, whole.n ? whole.digits : "0", MAX(whole.n, 1) + 1);
    return str_to_i64(str_of(text), out);
}

/* ---- two of them ---- */

struct quantity
quantity_of_int(int64_t units)
{
    struct quantity q = {.format = QUANTITY_EXPONENT, .negative = units < 0};
    uint64_t v = units < 0 ? 0 - (uint64_t)units : (uint64_t)units;

    q.n = (size_t)snprintf(q.digits, sizeof(q.digits), "%" PRIu64, v);
    drop_leading_zeros(&q);
    return q;
}

/* The digit that stands for 10^place. */
static int
digit_at(const struct quantity *q, int place)
{
    int i = (int)q->n - 1 + q->scale - place;

    return i >= 0 && i < (int)q->n ? q->digits[i] - '0' : 0;
}

static int
compare_sizes(const struct quantity *a, const struct quantity *b)
{
    int top = MAX((int)a->n + a->scale, (int)b->n + b->scale);
    int low = MIN(a->scale, b->scale);

    if (!a->n || !b->n)
        return (a->n > 0) - (b->n > 0);
    for (int place = top; place >= low; place--) {
        int order = digit_at(a, place) - digit_at(b, place);

        if (order)
            return order > 0 ? 1 : -1;
    }
    return 0;
}

int
quantity_compare(const struct quantity *a, const struct quantity *b)
{
    if (a->negative != b->negative)
        return a->negative ? -1 : 1;
    return a->negative ? compare_sizes(b, a) : compare_sizes(a, b);
}

bool
quantity_add(const struct quantity *a, const struct quantity *b, bool minus,
             struct quantity *out)
{
    bool other = b->negative != minus && b->n; /* what is added is negative */
    bool apart = a->negative != other;
    const struct quantity *big = compare_sizes(a, b) < 0 ? b : a;
    const struct quantity *small = big == a ? b : a;
    int low = !a->n ? b->scale : !b->n ? a->scale : MIN(a->scale, b->scale);
    int top = MAX((int)a->n + a->scale, (int)b->n + b->scale) + 1;
    int carry = 0;
    struct quantity q = {.format = a->n ? a->format : b->format, .scale = low};

    if (top - low > QUANTITY_DIGITS_MAX)
        return false;
    q.n = (size_t)MAX(top - low, 0);
    for (int place = low; place < top; place++) {
        int d = digit_at(big, place) + carry +
                (apart ? -digit_at(small, place) : digit_at(small, place));

        carry = d < 0 ? -1 : d / 10;
        q.digits[top - 1 - place] = (char)('0' + (d + 10) % 10);
    }
    q.digits[q.n] = '\0';
    drop_leading_zeros(&q);
    q.negative = q.n && (big == a ? a->negative : other);
    *out = q;
    return true;
}

/* ---- its text ---- */

static const char *
suffix_of(int base, int exponent)
{
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        if (suffixes[i].base == base && suffixes[i].exponent == exponent)
            return suffixes[i].text;
    }
    return "";
}

static void
print_decimal(struct quantity *q, struct buf *out)
{
    int zeros;

    while (q->n && q->digits[q->n - 1] == '0') {
        q->digits[--q->n] = '\0';
        q->scale++;
    }
    zeros = (q->scale % 3 + 3) % 3;
    buf_puts(out, q->digits);
    buf_fill(out, '0', (size_t)zeros);
    if (q->format != QUANTITY_EXPONENT)
        buf_puts(out, suffix_of(10, q->scale - zeros));
    else if (q->scale != zeros)
        buf_printf(out, "e%d", q->scale - zeros);
}

static void
print_binary(struct quantity *q, struct buf *out)
{
    struct quantity next = *q;
    int exponent = 0;

    while (next.n && divide(&next, 1024) == 0) {
        *q = next;
        exponent += 10;
    }
    buf_puts(out, q->digits);
    buf_puts(out, suffix_of(2, exponent));
}

void
quantity_print(const struct quantity *q, struct buf *out)
{
    struct quantity whole = *q, own = *q;
    bool exact;

    if (q->source.s) {
        buf_str(out, q->source);
        return;
    }
    if (!q->n) {
        buf_putc(out, '0');
        return;
    }
    if (q->negative)
        buf_putc(out, '-');
    if (q->format == QUANTITY_BINARY && rescale(&whole, 0, &exact) && exact &&
        (whole.n > 4 || strtol(whole.digits, NULL, 10) >= 1024))
        print_binary(&whole, out);
    else
        print_decimal(&own, out);
}
