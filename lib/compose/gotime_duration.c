/* time.Duration's text. */
#include "lib/base/ascii.h"

#include "lib/compose/gotime.h"

#define SECOND INT64_C(1000000000)

static bool
bad_duration(struct error *err, struct str text, const char *what,
             const struct str *unit)
{
    AUTO(buf_release) struct buf b = BUF_INIT(sizeof(err->msg));

    buf_printf(&b, "time: %s ", what);
    if (unit) {
        gotime_quote(*unit, &b);
        buf_puts(&b, " in duration ");
    }
    gotime_quote(text, &b);
    return error_set(err, ERR_INVALID, "%s", buf_cstr(&b));
}

bool
gotime_parse_duration(struct str text, int64_t *ns, struct error *err)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"ns", 1},  {"us", 1e3}, {"\xC2\xB5s", 1e3}, {"ms", 1e6},
                 {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
    struct str s = text;
    bool negative = s.n && s.s[0] == '-';
    double total = 0, v;

    if (s.n && (s.s[0] == '-' || s.s[0] == '+'))
        s = str_from(s, 1);
    if (str_eqz(s, "0")) {
        *ns = 0;
        return true;
    }
    if (!s.n)
        return bad_duration(err, text, "invalid duration", NULL);
    while (s.n) {
        size_t n = 0, k = 0, digits = 0, dots = 0;

        for (; n < s.n && (ascii_digit(s.s[n]) || (s.s[n] == '.' && !dots));
             n++)
            *(s.s[n] == '.' ? &dots : &digits) += 1;
        if (!digits || !str_to_double(str_sub(s, 0, n), &v))
            return bad_duration(err, text, "invalid duration", NULL);
        s = str_from(s, n);
        for (n = 0; n < s.n && !ascii_digit(s.s[n]) && s.s[n] != '.';)
            n++;
        struct str unit = str_sub(s, 0, n);

        if (!n)
            return bad_duration(err, text, "missing unit in duration", NULL);
        while (k < ARRAY_LEN(units) && !str_eqz(unit, units[k].name))
            k++;
        if (k == ARRAY_LEN(units))
            return bad_duration(err, text, "unknown unit", &unit);
        total += v * units[k].ns;
        s = str_from(s, n);
    }
    if (total > 9.2e18)
        return bad_duration(err, text, "invalid duration", NULL);
    *ns = (int64_t)(negative ? -total : total);
    return true;
}

/* v / 10^digits without the zeros at its end. */
static void
put_decimal(uint64_t v, unsigned digits, struct buf *out)
{
    uint64_t scale = 1;

    for (unsigned i = 0; i < digits; i++)
        scale *= 10;
    buf_printf(out, "%llu", (unsigned long long)(v / scale));
    v %= scale;
    if (!v)
        return;
    buf_printf(out, ".%0*llu", (int)digits, (unsigned long long)v);
    while (out->s[out->n - 1] == '0')
        buf_truncate(out, out->n - 1);
}

void
gotime_format_duration(int64_t ns, struct buf *out)
{
    uint64_t u = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;

    if (ns < 0)
        buf_putc(out, '-');
    if (u < (uint64_t)SECOND) {
        if (u >= 1000000)
            put_decimal(u, 6, out);
        else if (u)
            put_decimal(u, u >= 1000 ? 3 : 0, out);
        buf_puts(out, !u             ? "0s"
                      : u >= 1000000 ? "ms"
                      : u >= 1000    ? "\xC2\xB5s"
                                     : "ns");
        return;
    }
    uint64_t minutes = u / 60 / (uint64_t)SECOND;

    if (minutes >= 60)
        buf_printf(out, "%lluh", (unsigned long long)(minutes / 60));
    if (minutes)
        buf_printf(out, "%llum", (unsigned long long)(minutes % 60));
    put_decimal(u % (60 * (uint64_t)SECOND), 9, out);
    buf_putc(out, 's');
}
