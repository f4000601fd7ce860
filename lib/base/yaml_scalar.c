#include "lib/base/yaml_scalar.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/ascii.h"
#include "lib/base/mem.h"

static const struct word {
    const char *word;
    enum yaml_kind kind;
    bool truth;
    double number;
} words[] = {
    {"", YAML_NULL, false, 0},
    {"~", YAML_NULL, false, 0},
    {"null", YAML_NULL, false, 0},
    {"Null", YAML_NULL, false, 0},
    {"NULL", YAML_NULL, false, 0},
    {"y", YAML_BOOL, true, 0},
    {"Y", YAML_BOOL, true, 0},
    {"yes", YAML_BOOL, true, 0},
    {"Yes", YAML_BOOL, true, 0},
    {"YES", YAML_BOOL, true, 0},
    {"true", YAML_BOOL, true, 0},
    {"True", YAML_BOOL, true, 0},
    {"TRUE", YAML_BOOL, true, 0},
    {"on", YAML_BOOL, true, 0},
    {"On", YAML_BOOL, true, 0},
    {"ON", YAML_BOOL, true, 0},
    {"n", YAML_BOOL, false, 0},
    {"N", YAML_BOOL, false, 0},
    {"no", YAML_BOOL, false, 0},
    {"No", YAML_BOOL, false, 0},
    {"NO", YAML_BOOL, false, 0},
    {"false", YAML_BOOL, false, 0},
    {"False", YAML_BOOL, false, 0},
    {"FALSE", YAML_BOOL, false, 0},
    {"off", YAML_BOOL, false, 0},
    {"Off", YAML_BOOL, false, 0},
    {"OFF", YAML_BOOL, false, 0},
    {".nan", YAML_FLOAT, false, NAN},
    {".NaN", YAML_FLOAT, false, NAN},
    {".NAN", YAML_FLOAT, false, NAN},
    {".inf", YAML_FLOAT, false, INFINITY},
    {".Inf", YAML_FLOAT, false, INFINITY},
    {".INF", YAML_FLOAT, false, INFINITY},
    {"+.inf", YAML_FLOAT, false, INFINITY},
    {"+.Inf", YAML_FLOAT, false, INFINITY},
    {"+.INF", YAML_FLOAT, false, INFINITY},
    {"-.inf", YAML_FLOAT, false, -INFINITY},
    {"-.Inf", YAML_FLOAT, false, -INFINITY},
    {"-.INF", YAML_FLOAT, false, -INFINITY},
    {"<<", YAML_MERGE, false, 0},
};

static const struct word *
find_word(struct str s)
{
    char first = s.n ? s.s[0] : '\0';

    if (s.n > 5)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (words[i].word[0] == first && str_eqz(s, words[i].word))
            return &words[i];
    }
    return NULL;
}

/* Takes 1 to max digits off *s, at least min. */
static bool
take_number(struct str *s, size_t min, size_t max, int *out)
{
    size_t n = 0;

    *out = 0;
    while (n < max && n < s->n && ascii_digit(s->s[n]))
        *out = *out * 10 + (s->s[n++] - '0');
    *s = str_from(*s, n);
    return n >= min;
}

static bool
take(struct str *s, char c)
{
    if (!s->n || s->s[0] != c)
        return false;
    *s = str_from(*s, 1);
    return true;
}

static int
month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap);
}

/* yaml.v2's four layouts: a date, or a date and a time after "T" or "t" with a
 * zone, or after a space without one. */
static bool
is_timestamp(struct str s)
{
    int year, month, day, hour, minute, second, zone;

    if (!take_number(&s, 4, 4, &year) || !take(&s, '-') ||
        !take_number(&s, 1, 2, &month) || !take(&s, '-') ||
        !take_number(&s, 1, 2, &day) || month < 1 || month > 12 || day < 1 ||
        day > month_days(year, month))
        return false;
    if (!s.n)
        return true;
    bool zoned = s.s[0] != ' ';

    if (!take(&s, 'T') && !take(&s, 't') && !take(&s, ' '))
        return false;
    if (!take_number(&s, 1, 2, &hour) || !take(&s, ':') ||
        !take_number(&s, 1, 2, &minute) || !take(&s, ':') ||
        !take_number(&s, 1, 2, &second) || hour > 23 || minute > 59 ||
        second > 59)
        return false;
    if (take(&s, '.') && !take_number(&s, 1, 9, &zone))
        return false;
    if (!zoned || take(&s, 'Z'))
        return !s.n;
    return (take(&s, '+') || take(&s, '-')) && take_number(&s, 2, 2, &hour) &&
           take(&s, ':') && take_number(&s, 2, 2, &minute) && !s.n;
}

/* The value of "0x1f", "0o17", "017", "0b101" or decimal digits, as Go's
 * ParseInt with base 0 after the sign. */
static bool
parse_magnitude(struct str s, uint64_t *out)
{
    unsigned base = 10;
    uint64_t v = 0;

    if (s.n > 1 && s.s[0] == '0') {
        char c = (char)(s.s[1] | 0x20);

        base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
        s = str_from(s, c == 'x' || c == 'b' || c == 'o' ? 2 : 1);
    }
    if (!s.n)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.s[i], low = (char)(c | 0x20);
        unsigned digit = ascii_digit(c)             ? (unsigned)(c - '0')
                         : low >= 'a' && low <= 'f' ? (unsigned)(low - 'a' + 10)
                                                    : 99;

        if (digit >= base || __builtin_mul_overflow(v, base, &v) ||
            __builtin_add_overflow(v, digit, &v))
            return false;
    }
    *out = v;
    return true;
}

static bool
parse_int(struct str s, char text[24])
{
    bool negative = s.n && s.s[0] == '-', sign = s.n && s.s[0] == '+';
    uint64_t v;

    if (!parse_magnitude(str_from(s, negative || sign), &v))
        return false;
    if (negative && v > (uint64_t)INT64_MAX + 1)
        return false;
    if (sign && v > INT64_MAX)
        return false; /* ParseUint takes no sign */
    snprintf(text, 24, "%s%llu", negative && v ? "-" : "",
             (unsigned long long)v);
    return true;
}

/* ^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$ */
static bool
float_form(const char *z)
{
    size_t whole, part = 0;

    z += *z == '-' || *z == '+';
    whole = strspn(z, "0123456789");
    z += whole;
    if (*z == '.') {
        part = strspn(z + 1, "0123456789");
        z += part + 1;
    }
    if (!whole && !part)
        return false;
    if (*z == 'e' || *z == 'E') {
        z += z[1] == '-' || z[1] == '+' ? 2 : 1;
        size_t n = strspn(z, "0123456789");

        z += n;
        if (!n)
            return false;
    }
    return !*z;
}

static bool
parse_float(const char *z, double *out)
{
    if (!float_form(z))
        return false;
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);

    *out = strtod_l(z, NULL, c);
    freelocale(c);
    return isfinite(*out);
}

static char *
without_underscores(struct str s)
{
    char *z = mem_alloc(s.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (s.s[i] != '_')
            z[n++] = s.s[i];
    }
    z[n] = '\0';
    return z;
}

void
yaml_resolve(struct str s, struct yaml_scalar *out)
{
    const struct word *w = find_word(s);

    *out = (struct yaml_scalar){.kind = YAML_STRING};
    if (w) {
        out->kind = w->kind;
        out->truth = w->truth;
        out->number = w->number;
        return;
    }
    if (!strchr("+-.0123456789", s.s[0]) || memchr(s.s, '\0', s.n))
        return;
    if (is_timestamp(s)) {
        out->kind = YAML_TIMESTAMP;
        return;
    }
    AUTO(mem_free_ptr) char *plain = without_underscores(s);

    if (s.s[0] != '.' && parse_int(str_of(plain), out->text))
        out->kind = YAML_INT;
    else if (parse_float(plain, &out->number) &&
             (s.s[0] != '.' || strlen(plain) == s.n))
        out->kind = YAML_FLOAT;
}

/* ^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$ */
bool
yaml_base60(struct str s)
{
    size_t groups = 0;

    if (!take(&s, '-'))
        take(&s, '+');
    if (!s.n || !ascii_digit(s.s[0]))
        return false;
    while (s.n && (ascii_digit(s.s[0]) || s.s[0] == '_'))
        s = str_from(s, 1);
    while (take(&s, ':')) {
        int v;

        if (!take_number(&s, 1, 2, &v) || v > 59)
            return false;
        groups++;
    }
    if (groups && take(&s, '.')) {
        while (s.n && (ascii_digit(s.s[0]) || s.s[0] == '_'))
            s = str_from(s, 1);
    }
    return groups && !s.n;
}
