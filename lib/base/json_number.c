#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/json_node.h"
#include "lib/base/mem.h"

/* Offset behind the digits at i; i itself when there are none. */
static size_t
digits(struct str s, size_t i)
{
    while (i < s.n && s.s[i] >= '0' && s.s[i] <= '9')
        i++;
    return i;
}

bool
json_number_valid(struct str s)
{
    size_t i = s.n && s.s[0] == '-' ? 1 : 0, end = digits(s, i);

    if (end == i || (s.s[i] == '0' && end > i + 1))
        return false;
    if (end < s.n && s.s[end] == '.') {
        i = end + 1;
        end = digits(s, i);
        if (end == i)
            return false;
    }
    if (end < s.n && (s.s[end] == 'e' || s.s[end] == 'E')) {
        i = end + 1;
        if (i < s.n && (s.s[i] == '+' || s.s[i] == '-'))
            i++;
        end = digits(s, i);
        if (end == i)
            return false;
    }
    return end == s.n;
}

bool
json_is_integer(const struct json *j)
{
    const char *z = json_number_text(j);

    return z && !strpbrk(z, ".eE");
}

/*
 * Exactness forbids a detour over double: the digits are taken without their
 * point and without zeros at either end, and the exponent says how many zeros
 * to put back.
 */
static bool
scaled_integer(const char *z, int64_t *out)
{
    const char *e = strpbrk(z, "eE");
    size_t end = e ? (size_t)(e - z) : strlen(z);
    bool point = false, negative = z[0] == '-';
    int64_t exponent = 0, v = 0, zeros = 0;

    if (e && (!str_to_i64(str_of(e + 1), &exponent) || exponent > 1000000 ||
              exponent < -1000000))
        exponent = e[1] == '-' ? -1000000 : 1000000;
    for (size_t i = negative; i < end; i++) {
        if (z[i] == '.') {
            point = true;
            continue;
        }
        exponent -= point;
        if (z[i] == '0') {
            zeros += v != 0;
            continue;
        }
        for (; zeros; zeros--) {
            if (__builtin_mul_overflow(v, 10, &v))
                return false;
        }
        int digit = z[i] - '0';

        if (__builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, negative ? -digit : digit, &v))
            return false;
    }
    if (v == 0) {
        *out = 0;
        return true;
    }
    /* The zeros at the end were not multiplied in yet. */
    exponent += zeros;
    if (exponent < 0)
        return false;
    for (; exponent; exponent--) {
        if (__builtin_mul_overflow(v, 10, &v))
            return false;
    }
    *out = v;
    return true;
}

bool
json_int64(const struct json *j, int64_t *out)
{
    const char *z = json_number_text(j);

    if (!z)
        return false;
    if (str_to_i64(str_of(z), out))
        return true;
    return strpbrk(z, ".eE") && scaled_integer(z, out);
}

int64_t
json_int64_or(const struct json *j, int64_t fallback)
{
    json_int64(j, &fallback);
    return fallback;
}

bool
json_double(const struct json *j, double *out)
{
    const char *z = json_number_text(j);

    if (!z)
        return false;
    /* Not str_to_double: a number may be longer than any buffer. */
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double v = strtod_l(z, NULL, c);

    freelocale(c);
    if (!isfinite(v))
        return false;
    *out = v;
    return true;
}

struct json *
json_new_int(int64_t v)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "%lld", (long long)v);

    return json_node(JSON_NUMBER, NULL, str_n(text, (size_t)n));
}

/* The shortest digits that read back as v > 0 (with single: as the same
 * float), and the decimal exponent of the first one. Both ways go through the
 * process locale, so that its radix character does not matter. */
static int
shortest(double v, bool single, char out[20], int *exponent)
{
    char text[40];
    int n = 0;

    for (int precision = 0; precision <= 16; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision, v);
        if (single ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v)
            break;
    }
    char *e = strchr(text, 'e');

    for (char *p = text; p < e; p++) {
        if (*p >= '0' && *p <= '9')
            out[n++] = *p;
    }
    *exponent = (int)strtol(e + 1, NULL, 10);
    return n;
}

/* Without an exponent. */
static void
put_plain(const char *d, int n, int exponent, struct buf *b)
{
    if (exponent < 0) {
        buf_puts(b, "0.");
        buf_fill(b, '0', (size_t)-exponent - 1);
        buf_add(b, d, (size_t)n);
        return;
    }
    int whole = MIN(n, exponent + 1);

    buf_add(b, d, (size_t)whole);
    buf_fill(b, '0', (size_t)(exponent + 1 - whole));
    if (n > whole) {
        buf_putc(b, '.');
        buf_add(b, d + whole, (size_t)(n - whole));
    }
}

/* With an exponent of at least min digits. */
static void
put_scientific(const char *d, int n, int exponent, int min, struct buf *b)
{
    buf_putc(b, d[0]);
    if (n > 1)
        buf_putc(b, '.');
    buf_add(b, d + 1, (size_t)n - 1);
    buf_printf(b, "e%c%0*d", exponent < 0 ? '-' : '+', min, abs(exponent));
}

bool
json_print_float(double v, bool single, struct buf *out)
{
    char d[20];
    int exponent, n;

    if (signbit(v))
        buf_putc(out, '-');
    if (v == 0)
        return buf_putc(out, '0');
    n = shortest(fabs(v), single, d, &exponent);
    if (exponent < -4 || exponent >= 6)
        put_scientific(d, n, exponent, 2, out);
    else
        put_plain(d, n, exponent, out);
    return !out->over;
}

/* As encoding/json's floatEncoder: plain digits from 1e-6 to below 1e21,
 * outside of that an exponent of at least one digit ("1e-7", "1e+21"). */
struct json *
json_new_double(double v)
{
    AUTO(buf_release) struct buf b = BUF_INIT(64);
    char d[20];
    int exponent, n;

    if (!isfinite(v))
        return json_new_null();
    if (signbit(v))
        buf_putc(&b, '-');
    if (v == 0) {
        buf_putc(&b, '0');
    } else {
        n = shortest(fabs(v), false, d, &exponent);
        if (fabs(v) < 1e-6 || fabs(v) >= 1e21)
            put_scientific(d, n, exponent, 1, &b);
        else
            put_plain(d, n, exponent, &b);
    }
    return json_node(JSON_NUMBER, NULL, buf_view(&b));
}
