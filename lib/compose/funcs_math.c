/* Numbers. Source: sprig 3.3 numeric.go (cast 1.7 reads its arguments). */
#include <math.h>
#include <stdlib.h>

#include "lib/compose/funcs.h"
#include "lib/compose/template_number.h"

/* Go's integers wrap around. */
static int64_t
wrap_add(int64_t x, int64_t y)
{
    return (int64_t)((uint64_t)x + (uint64_t)y);
}

FUNC(fn_add)
{
    int64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum = wrap_add(sum, func_to_int(v[i]));
    *out = value_int64(sum);
    return true;
}

FUNC(fn_add1)
{
    *out = value_int64(wrap_add(func_to_int(v[0]), 1));
    return true;
}

FUNC(fn_sub)
{
    *out = value_int64(
        (int64_t)((uint64_t)func_to_int(v[0]) - (uint64_t)func_to_int(v[1])));
    return true;
}

FUNC(fn_mul)
{
    uint64_t product = 1;

    for (size_t i = 0; i < n; i++)
        product *= (uint64_t)func_to_int(v[i]);
    *out = value_int64((int64_t)product);
    return true;
}

FUNC(fn_div)
{
    int64_t x = func_to_int(v[0]), y = func_to_int(v[1]);

    if (y == 0)
        return call_fail(c, "runtime error: integer divide by zero");
    *out = value_int64(y == -1 ? (int64_t)(0 - (uint64_t)x) : x / y);
    return true;
}

FUNC(fn_mod)
{
    int64_t x = func_to_int(v[0]), y = func_to_int(v[1]);

    if (y == 0)
        return call_fail(c, "runtime error: integer divide by zero");
    *out = value_int64(y == -1 ? 0 : x % y);
    return true;
}

FUNC(fn_max)
{
    int64_t best = func_to_int(v[0]);

    for (size_t i = 1; i < n; i++)
        best = MAX(best, func_to_int(v[i]));
    *out = value_int64(best);
    return true;
}

FUNC(fn_min)
{
    int64_t best = func_to_int(v[0]);

    for (size_t i = 1; i < n; i++)
        best = MIN(best, func_to_int(v[i]));
    *out = value_int64(best);
    return true;
}

FUNC(fn_maxf)
{
    double best = func_to_float(v[0]);

    for (size_t i = 1; i < n; i++)
        best = fmax(best, func_to_float(v[i]));
    *out = value_float(best);
    return true;
}

FUNC(fn_minf)
{
    double best = func_to_float(v[0]);

    for (size_t i = 1; i < n; i++)
        best = fmin(best, func_to_float(v[i]));
    *out = value_float(best);
    return true;
}

/* ---- decimal arithmetic ----
 * sprig computes in decimals, so that 0.1 + 0.2 is 0.3. A long double holds
 * 64 bits; its result cut to 18 digits is what the decimal shows. Quotients
 * have 16 decimal places. */
static double
rounded(long double x)
{
    AUTO(buf_release) struct buf text = BUF_INIT(64);
    double d;

    if (!isfinite((double)x))
        return (double)x;
    if (x == 0)
        return 0; /* a decimal has no negative zero */
    buf_printf(&text, "%.18Lg", x);
    return str_to_double(buf_view(&text), &d) ? d : (double)x;
}

/* The decimal that f's shortest text shows. */
static long double
decimal(double f)
{
    AUTO(buf_release) struct buf text = BUF_INIT(512);

    format_float(f, 'e', -1, &text);
    return strtold(buf_cstr(&text), NULL);
}

static long double
places(long double x)
{
    AUTO(buf_release) struct buf text = BUF_INIT(8000);

    buf_printf(&text, "%.16Lf", x);
    return isfinite((double)x) ? strtold(buf_cstr(&text), NULL) : x;
}

FUNC(fn_addf)
{
    long double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += decimal(func_to_float(v[i]));
    *out = value_float(rounded(sum));
    return true;
}

FUNC(fn_add1f)
{
    *out = value_float(rounded(decimal(func_to_float(v[0])) + 1));
    return true;
}

FUNC(fn_subf)
{
    long double x = decimal(func_to_float(v[0]));

    for (size_t i = 1; i < n; i++)
        x -= decimal(func_to_float(v[i]));
    *out = value_float(rounded(x));
    return true;
}

FUNC(fn_mulf)
{
    long double x = decimal(func_to_float(v[0]));

    for (size_t i = 1; i < n; i++)
        x *= decimal(func_to_float(v[i]));
    *out = value_float(rounded(x));
    return true;
}

FUNC(fn_divf)
{
    long double x = decimal(func_to_float(v[0]));

    for (size_t i = 1; i < n; i++) {
        double y = func_to_float(v[i]);

        if (y == 0)
            return call_fail(c, "decimal division by 0");
        x = places(x / decimal(y));
    }
    *out = value_float(rounded(x));
    return true;
}

FUNC(fn_ceil)
{
    *out = value_float(ceil(func_to_float(v[0])));
    return true;
}

FUNC(fn_floor)
{
    *out = value_float(floor(func_to_float(v[0])));
    return true;
}

FUNC(fn_round)
{
    double on = n > 2 ? v[2].f : 0.5, whole;
    double power = pow(10, (double)v[1].i);
    double digit = power * func_to_float(v[0]);
    double rest = modf(digit, &whole);

    *out = value_float((rest >= on ? ceil(digit) : floor(digit)) / power);
    return true;
}

/* ---- conversions ---- */

FUNC(fn_int64)
{
    *out = value_int64(func_to_int(v[0]));
    return true;
}

FUNC(fn_int)
{
    *out = value_int(func_to_int(v[0]));
    return true;
}

FUNC(fn_float64)
{
    *out = value_float(func_to_float(v[0]));
    return true;
}

FUNC(fn_atoi)
{
    int64_t i = 0;

    /* Atoi answers the nearest number when out of range, and 0 for text. */
    template_parse_int(v[0].s, 10, &i);
    *out = value_int(i);
    return true;
}

/* Reads octal. */
FUNC(fn_to_decimal)
{
    int64_t i = 0;

    template_parse_int(call_strval(c, v[0]), 8, &i);
    *out = value_int64(i);
    return true;
}

static const struct func rows[] = {
    {"add", "a+", fn_add},       {"add1", "a", fn_add1},
    {"sub", "aa", fn_sub},       {"mul", "aa+", fn_mul},
    {"div", "aa", fn_div},       {"mod", "aa", fn_mod},
    {"max", "aa+", fn_max},      {"biggest", "aa+", fn_max},
    {"min", "aa+", fn_min},      {"maxf", "aa+", fn_maxf},
    {"minf", "aa+", fn_minf},    {"addf", "a+", fn_addf},
    {"add1f", "a", fn_add1f},    {"subf", "aa+", fn_subf},
    {"mulf", "aa+", fn_mulf},    {"divf", "aa+", fn_divf},
    {"ceil", "a", fn_ceil},      {"floor", "a", fn_floor},
    {"round", "aif+", fn_round}, {"int64", "a", fn_int64},
    {"int", "a", fn_int},        {"float64", "a", fn_float64},
    {"atoi", "s", fn_atoi},      {"toDecimal", "a", fn_to_decimal},
};

const struct func_table funcs_math = {rows, ARRAY_LEN(rows)};
