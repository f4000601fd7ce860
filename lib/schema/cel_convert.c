#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "lib/base/digest.h"
#include "lib/base/utf8.h"

#include "lib/schema/cel_node.h"

/* int(x), string(x) and their sisters: ConvertToType of cel-go's types. */

static struct cel_value
no_conversion(struct cel_eval *e, const struct cel_value *a, const char *to)
{
    return cel_error(e, "type conversion error from '%s' to '%s'",
                     cel_type_of(a), to);
}

/* Where Go's decoder of URL-safe base64 stops; more than s.n: nowhere. */
static size_t
base64_fault(struct str s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
                                 "qrstuvwxyz0123456789-_";
    size_t i = 0, j = 0;

    for (; i < s.n && s.s[i] != '='; i++, j++) {
        if (!s.s[i] || !strchr(digits, s.s[i]))
            return i;
    }
    if (i == s.n)
        return j % 4 ? i - j % 4 : s.n + 1;
    if (j % 4 < 2)
        return i;
    i++;
    if (j % 4 == 2) {
        if (i == s.n)
            return s.n;
        if (s.s[i] != '=')
            return i - 1;
        i++;
    }
    return i < s.n ? i : s.n + 1;
}

struct cel_value
cel_of_base64(struct arena *a, struct str s)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    size_t at = base64_fault(s);

    if (at <= s.n)
        return cel_of_bytes(
            CEL_ERROR, str_of(arena_printf(a,
                                           "Invalid byte formatted string "
                                           "%.*s: illegal base64 data at input "
                                           "byte %zu",
                                           STR_ARG(s), at)));
    while (s.n && s.s[s.n - 1] == '=')
        s.n--;
    digest_unbase64(s, true, &b);
    return cel_of_bytes(CEL_BYTES, arena_str(a, buf_view(&b)));
}

static struct cel_value
same(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return *a;
}

static struct cel_value
to_int(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    struct cel_value v = {.kind = CEL_INT};

    switch (a->kind) {
    case CEL_UINT:
        return a->i < 0 ? cel_error(e, "integer overflow") : cel_of_int(a->i);
    case CEL_DOUBLE:
        return a->d > -9223372036854775808.0 && a->d < 9223372036854775807.0
                   ? cel_of_int((int64_t)a->d)
                   : cel_error(e, "integer overflow");
    case CEL_TIMESTAMP:
        return cel_of_int(a->time.sec);
    case CEL_DURATION:
        return cel_of_int(a->i);
    default:
        return str_to_i64(a->s, &v.i) ? v : no_conversion(e, a, "int");
    }
}

static struct cel_value
to_uint(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    struct cel_value v = {.kind = CEL_UINT};

    if (a->kind == CEL_INT) {
        v.i = a->i;
        return a->i >= 0 ? v : cel_error(e, "unsigned integer overflow");
    }
    if (a->kind == CEL_DOUBLE) {
        if (!(a->d >= 0 && a->d < 18446744073709551615.0))
            return cel_error(e, "unsigned integer overflow");
        v.u = (uint64_t)a->d;
        return v;
    }
    return str_to_u64(a->s, &v.u) ? v : no_conversion(e, a, "uint");
}

/* strconv.ParseFloat's words for what is no number. */
static bool
special_double(struct str s, double *out)
{
    static const struct {
        const char *name;
        double value;
    } names[] = {{"inf", INFINITY}, {"infinity", INFINITY}, {"nan", NAN}};
    bool negative = s.n && s.s[0] == '-';
    char low[16] = "";

    if (s.n && (negative || s.s[0] == '+'))
        s = str_from(s, 1);
    for (size_t i = 0; i < s.n && s.n < sizeof(low); i++)
        low[i] = (char)(s.s[i] | 0x20);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(low, names[i].name) == 0) {
            *out = negative ? -names[i].value : names[i].value;
            return true;
        }
    }
    return false;
}

static struct cel_value
to_double(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    double d;

    if (a->kind == CEL_INT)
        return cel_of_double((double)a->i);
    if (a->kind == CEL_UINT)
        return cel_of_double((double)a->u);
    if (special_double(a->s, &d) || (str_to_double(a->s, &d) && isfinite(d)))
        return cel_of_double(d);
    return no_conversion(e, a, "double");
}

static struct cel_value
to_bool(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
    static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};

    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (str_eqz(a->s, yes[i]) || str_eqz(a->s, no[i]))
            return cel_of_bool(str_eqz(a->s, yes[i]));
    }
    return no_conversion(e, a, "bool");
}

static struct cel_value
to_bytes(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_of_bytes(CEL_BYTES, a->s);
}

/* Go's 'f' with as many digits as the number needs. */
static void
print_plain(double d, struct buf *out)
{
    char text[400];

    for (int digits = 0; digits <= 340; digits++) {
        snprintf(text, sizeof(text), "%.*f", digits, d);
        double back;

        if (str_to_double(str_of(text), &back) && back == d)
            break;
    }
    buf_puts(out, text);
}

void
cel_to_text(const struct cel_value *v, struct buf *out)
{
    if (v->kind == CEL_IP || v->kind == CEL_CIDR) {
        cel_print_address(v->object, out);
    } else if (v->kind == CEL_DURATION) {
        print_plain((double)(v->i / 1000000000) +
                        (double)(v->i % 1000000000) / 1e9,
                    out);
        buf_putc(out, 's');
    } else {
        cel_print(v, out);
    }
}

static struct cel_value
to_string(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);

    if (a->kind == CEL_BYTES)
        return utf8_valid(a->s)
                   ? cel_of_string(a->s)
                   : cel_error(
                         e, "invalid UTF-8 in bytes, cannot convert to string");
    cel_to_text(a, &b);
    return cel_text(e, CEL_STRING, buf_view(&b));
}

static struct cel_value
to_timestamp(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    struct cel_value v = {.kind = CEL_TIMESTAMP};

    if (a->kind == CEL_INT)
        v.time.sec = a->i;
    else if (!cel_parse_timestamp(a->s, &v))
        return no_conversion(e, a, "google.protobuf.Timestamp");
    return cel_time_in_range(&v) ? v : cel_error(e, "timestamp overflow");
}

static struct cel_value
to_duration(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    struct cel_value v = {.kind = CEL_DURATION};

    /* Of a number there is an overload, and no way. */
    if (a->kind != CEL_INT && cel_parse_duration(a->s, &v.i))
        return v;
    return no_conversion(e, a, "google.protobuf.Duration");
}

static const struct cel_overload rows[] = {
    {"int", "i>i", same, CEL_COST_ONE},
    {"int", "u>i", to_int, CEL_COST_ONE},
    {"int", "d>i", to_int, CEL_COST_ONE},
    {"int", "s>i", to_int, CEL_COST_ONE},
    {"int", "t>i", to_int, CEL_COST_ONE},
    {"int", "r>i", to_int, CEL_COST_ONE},
    {"uint", "u>u", same, CEL_COST_ONE},
    {"uint", "i>u", to_uint, CEL_COST_ONE},
    {"uint", "d>u", to_uint, CEL_COST_ONE},
    {"uint", "s>u", to_uint, CEL_COST_ONE},
    {"double", "d>d", same, CEL_COST_ONE},
    {"double", "i>d", to_double, CEL_COST_ONE},
    {"double", "u>d", to_double, CEL_COST_ONE},
    {"double", "s>d", to_double, CEL_COST_ONE},
    {"bool", "b>b", same, CEL_COST_ONE},
    {"bool", "s>b", to_bool, CEL_COST_ONE},
    {"bytes", "y>y", same, CEL_COST_ONE},
    {"bytes", "s>y", to_bytes, CEL_COST_TEXT},
    {"string", "s>s", same, CEL_COST_ONE},
    {"string", "b>s", to_string, CEL_COST_ONE},
    {"string", "y>s", to_string, CEL_COST_TEXT},
    {"string", "d>s", to_string, CEL_COST_ONE},
    {"string", "r>s", to_string, CEL_COST_ONE},
    {"string", "i>s", to_string, CEL_COST_ONE},
    {"string", "t>s", to_string, CEL_COST_ONE},
    {"string", "u>s", to_string, CEL_COST_ONE},
    {"string", "I>s", to_string, CEL_COST_ONE},
    {"string", "C>s", to_string, CEL_COST_ONE},
    {"timestamp", "t>t", same, CEL_COST_ONE},
    {"timestamp", "i>t", to_timestamp, CEL_COST_ONE},
    {"timestamp", "s>t", to_timestamp, CEL_COST_ONE},
    {"duration", "r>r", same, CEL_COST_ONE},
    {"duration", "i>r", to_duration, CEL_COST_ONE},
    {"duration", "s>r", to_duration, CEL_COST_ONE},
};

const struct cel_library cel_conversions = {rows, ARRAY_LEN(rows)};
