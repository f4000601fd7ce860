#include "devenv/sandbox/duration.h"

#include "lib/base/ascii.h"

static const struct {
    const char *name;
    int64_t ns;
} units[] = {{"ns", 1},           {"us", 1000},        {"\302\265s", 1000},
             {"\316\274s", 1000}, {"ms", 1000000},     {"s", 1000000000},
             {"m", 60000000000},  {"h", 3600000000000}};

static bool
invalid(struct str text, struct error *err)
{
    return error_set(err, ERR_PARSE, "time: invalid duration \"%.*s\"",
                     STR_ARG(text));
}

/* Digits at the front of *s; false: more than 64 bits hold. */
static bool
digits(struct str *s, uint64_t *n, size_t *count)
{
    *n = 0;
    *count = 0;
    while (s->n && ascii_digit(s->s[0])) {
        if (__builtin_mul_overflow(*n, (uint64_t)10, n) ||
            __builtin_add_overflow(*n, (uint64_t)(s->s[0] - '0'), n) ||
            *n > (uint64_t)INT64_MAX)
            return false;
        (*count)++;
        *s = str_from(*s, 1);
    }
    return true;
}

/* ".5" as a part of one unit; further digits than a double holds are lost. */
static double
fraction(struct str *s, size_t *count)
{
    double f = 0, scale = 0.1;

    *count = 0;
    for (*s = str_from(*s, 1); s->n && ascii_digit(s->s[0]);
         *s = str_from(*s, 1), scale /= 10, (*count)++)
        f += (s->s[0] - '0') * scale;
    return f;
}

static bool
unit(struct str *s, struct str text, int64_t *ns, struct error *err)
{
    size_t n = 0;
    struct str name;

    while (n < s->n && s->s[n] != '.' && !ascii_digit(s->s[n]))
        n++;
    name = str_sub(*s, 0, n);
    *s = str_from(*s, n);
    if (!n)
        return error_set(err, ERR_PARSE,
                         "time: missing unit in duration \"%.*s\"",
                         STR_ARG(text));
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (str_eqz(name, units[i].name)) {
            *ns = units[i].ns;
            return true;
        }
    }
    return error_set(err, ERR_PARSE,
                     "time: unknown unit \"%.*s\" in duration \"%.*s\"",
                     STR_ARG(name), STR_ARG(text));
}

bool
duration_parse(struct str text, int64_t *ns, struct error *err)
{
    struct str s = text;
    bool minus = s.n && s.s[0] == '-';
    uint64_t total = 0;

    if (s.n && (s.s[0] == '-' || s.s[0] == '+'))
        s = str_from(s, 1);
    *ns = 0;
    if (str_eqz(s, "0"))
        return true;
    if (!s.n)
        return invalid(text, err);
    while (s.n) {
        size_t before, after = 0;
        uint64_t whole, part;
        double f = 0;
        int64_t each = 0;

        if (!digits(&s, &whole, &before))
            return invalid(text, err);
        if (s.n && s.s[0] == '.')
            f = fraction(&s, &after);
        if (!before && !after)
            return invalid(text, err);
        if (!unit(&s, text, &each, err))
            return false;
        if (__builtin_mul_overflow(whole, (uint64_t)each, &part) ||
            __builtin_add_overflow(total, part + (uint64_t)(f * (double)each),
                                   &total) ||
            total > (uint64_t)INT64_MAX)
            return invalid(text, err);
    }
    *ns = minus ? -(int64_t)total : (int64_t)total;
    return true;
}
