#include "lib/compose/gotime.h"

#include <stdlib.h>

#include "lib/base/ascii.h"

#define SECOND INT64_C(1000000000)

/* ---- layouts ---- */

enum part {
    PART_NONE, /* the end of the layout */
    PART_LONG_MONTH,
    PART_MONTH,
    PART_NUM_MONTH,
    PART_ZERO_MONTH,
    PART_LONG_WEEKDAY,
    PART_WEEKDAY,
    PART_DAY,
    PART_UNDER_DAY,
    PART_ZERO_DAY,
    PART_YEAR_DAY,
    PART_HOUR,
    PART_HOUR12,
    PART_ZERO_HOUR12,
    PART_MINUTE,
    PART_ZERO_MINUTE,
    PART_SECOND,
    PART_ZERO_SECOND,
    PART_LONG_YEAR,
    PART_YEAR,
    PART_PM,
    PART_LOW_PM,
    PART_ZONE,      /* MST */
    PART_Z_COLON,   /* Z07:00 */
    PART_Z,         /* Z0700, Z07 */
    PART_NUM_COLON, /* -07:00 */
    PART_NUM,       /* -0700 */
    PART_NUM_SHORT, /* -07 */
    PART_FRACTION0, /* .000 */
    PART_FRACTION9  /* .999 */
};

/* Longer texts first where one starts another. */
static const struct {
    const char *text;
    enum part part;
} parts[] = {
    {"January", PART_LONG_MONTH},
    {"Jan", PART_MONTH},
    {"Monday", PART_LONG_WEEKDAY},
    {"Mon", PART_WEEKDAY},
    {"MST", PART_ZONE},
    {"002", PART_YEAR_DAY},
    {"01", PART_ZERO_MONTH},
    {"02", PART_ZERO_DAY},
    {"03", PART_ZERO_HOUR12},
    {"04", PART_ZERO_MINUTE},
    {"05", PART_ZERO_SECOND},
    {"06", PART_YEAR},
    {"15", PART_HOUR},
    {"1", PART_NUM_MONTH},
    {"2006", PART_LONG_YEAR},
    {"2", PART_DAY},
    {"_2", PART_UNDER_DAY},
    {"3", PART_HOUR12},
    {"4", PART_MINUTE},
    {"5", PART_SECOND},
    {"PM", PART_PM},
    {"pm", PART_LOW_PM},
    {"-07:00", PART_NUM_COLON},
    {"-0700", PART_NUM},
    {"-07", PART_NUM_SHORT},
    {"Z07:00", PART_Z_COLON},
    {"Z0700", PART_Z},
    {"Z07", PART_Z},
};

static const char *const months[] = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};

static const char *const weekdays[] = {"Sunday",    "Monday",   "Tuesday",
                                       "Wednesday", "Thursday", "Friday",
                                       "Saturday"};

/* ".000" or ".999" at s; the bytes it takes, 0 for none. */
static size_t
fraction(struct str s, enum part *part)
{
    size_t n = 1;

    if (s.n < 2 || (s.s[0] != '.' && s.s[0] != ',') ||
        (s.s[1] != '0' && s.s[1] != '9'))
        return 0;
    while (n < s.n && s.s[n] == s.s[1])
        n++;
    if (n < s.n && ascii_digit(s.s[n]))
        return 0;
    *part = s.s[1] == '0' ? PART_FRACTION0 : PART_FRACTION9;
    return n;
}

/* Cuts the layout at its first part: literal text, the part's own text, and
 * the rest in *layout. */
static enum part
next_part(struct str *layout, struct str *literal, struct str *text)
{
    struct str all = *layout;

    for (size_t i = 0; i < all.n; i++) {
        struct str here = str_from(all, i);
        enum part part = PART_NONE;
        size_t n = fraction(here, &part);

        for (size_t k = 0; !n && k < ARRAY_LEN(parts); k++) {
            if (!str_starts(here, str_of(parts[k].text)))
                continue;
            part = parts[k].part;
            n = strlen(parts[k].text);
            /* "Janet" is no month. */
            if (part == PART_MONTH && n < here.n && here.s[n] >= 'a' &&
                here.s[n] <= 'z')
                n = 0;
        }
        if (n && part == PART_UNDER_DAY && str_starts(here, STR("_2006")))
            n = 0;
        if (n) {
            *literal = str_sub(all, 0, i);
            *text = str_sub(all, i, n);
            *layout = str_from(all, i + n);
            return part;
        }
    }
    *literal = all;
    *text = *layout = str_from(all, all.n);
    return PART_NONE;
}

/* ---- the calendar ---- */

struct civil {
    int64_t year;
    int month, day, hour, minute, second, ns, weekday, year_day;
};

static int64_t
floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Days since 1970 of a date (H. Hinnant's algorithm). */
static int64_t
days_of(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = floor_div(y, 400);
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;

    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static struct civil
civil_of(struct gotime t)
{
    int64_t here = t.s + t.offset, days = floor_div(here, 86400);
    int64_t rest = here - days * 86400;
    int64_t z = days + 719468, era = floor_div(z, 146097);
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    struct civil c;

    c.day = (int)(doy - (153 * mp + 2) / 5 + 1);
    c.month = (int)(mp < 10 ? mp + 3 : mp - 9);
    c.year = yoe + era * 400 + (c.month <= 2);
    c.hour = (int)(rest / 3600);
    c.minute = (int)(rest / 60 % 60);
    c.second = (int)(rest % 60);
    c.ns = t.ns;
    c.weekday = (int)(days + 4 - floor_div(days + 4, 7) * 7);
    c.year_day = (int)(days - days_of(c.year, 1, 1) + 1);
    return c;
}

static bool
is_leap(int64_t y)
{
    return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

static int
days_in(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

struct gotime
gotime_of_ns(int64_t ns)
{
    int64_t s = floor_div(ns, SECOND);

    return (struct gotime){.s = s, .ns = (int32_t)(ns - s * SECOND)};
}

struct gotime
gotime_add(struct gotime t, int64_t ns)
{
    struct gotime sum = gotime_of_ns(ns % SECOND + t.ns);

    sum.s += t.s + ns / SECOND;
    sum.offset = t.offset;
    return sum;
}

struct gotime
gotime_add_date(struct gotime t, int64_t y, int64_t m, int64_t d)
{
    const int64_t most = 1000000;
    struct civil c = civil_of(t);
    int64_t month = c.month - 1 + MIN(MAX(m, -most), most);
    int64_t year = c.year + MIN(MAX(y, -most), most) + floor_div(month, 12);
    int64_t day =
        days_of(year, (int)(month - floor_div(month, 12) * 12) + 1, 1) + c.day -
        1 + MIN(MAX(d, -most), most);

    t.s = day * 86400 + c.hour * 3600 + c.minute * 60 + c.second - t.offset;
    return t;
}

int64_t
gotime_sub(struct gotime t, struct gotime u)
{
    int64_t s = t.s - u.s, ns;

    if (__builtin_mul_overflow(s, SECOND, &ns) ||
        __builtin_add_overflow(ns, t.ns - u.ns, &ns))
        return s < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

/* ---- formatting ---- */

static void
put_fraction(const struct civil *c, struct str text, bool trim, struct buf *out)
{
    size_t start = out->n;

    buf_putc(out, text.s[0]);
    buf_printf(out, "%09d", c->ns);
    if (text.n > 10)
        buf_fill(out, '0', text.n - 10);
    else
        buf_truncate(out, start + text.n);
    while (trim && out->n > start && out->s[out->n - 1] == '0')
        buf_truncate(out, out->n - 1);
    if (trim && out->n == start + 1)
        buf_truncate(out, start);
}

static void
put_number(const struct civil *c, enum part part, struct buf *out)
{
    int hour12 = c->hour % 12 ? c->hour % 12 : 12;
    const struct {
        enum part part;
        const char *fmt;
        int value;
    } numbers[] = {
        {PART_NUM_MONTH, "%d", c->month},
        {PART_ZERO_MONTH, "%02d", c->month},
        {PART_DAY, "%d", c->day},
        {PART_UNDER_DAY, "%2d", c->day},
        {PART_ZERO_DAY, "%02d", c->day},
        {PART_YEAR_DAY, "%03d", c->year_day},
        {PART_HOUR, "%02d", c->hour},
        {PART_HOUR12, "%d", hour12},
        {PART_ZERO_HOUR12, "%02d", hour12},
        {PART_MINUTE, "%d", c->minute},
        {PART_ZERO_MINUTE, "%02d", c->minute},
        {PART_SECOND, "%d", c->second},
        {PART_ZERO_SECOND, "%02d", c->second},
        {PART_LONG_YEAR, "%04d", (int)c->year},
        {PART_YEAR, "%02d", (int)(c->year % 100)},
    };

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        if (numbers[i].part != part)
            continue;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        buf_printf(out, numbers[i].fmt, numbers[i].value);
#pragma GCC diagnostic pop
    }
}

/* "+0200", "+02:00"; of a zone without a name that is its name as well. */
static void
put_offset(enum part part, int32_t offset, struct buf *out)
{
    int minutes = abs(offset) / 60;

    if ((part == PART_Z || part == PART_Z_COLON) && !offset) {
        buf_putc(out, 'Z');
        return;
    }
    buf_printf(out, "%c%02d", offset < 0 ? '-' : '+', minutes / 60);
    if (part == PART_NUM_SHORT)
        return;
    buf_printf(out, "%s%02d",
               part == PART_Z_COLON || part == PART_NUM_COLON ? ":" : "",
               minutes % 60);
}

void
gotime_format(struct gotime t, struct str layout, struct buf *out)
{
    struct civil c = civil_of(t);
    struct str literal, text;
    enum part part;

    do {
        part = next_part(&layout, &literal, &text);
        buf_str(out, literal);
        switch (part) {
        case PART_NONE:
            break;
        case PART_LONG_MONTH:
            buf_puts(out, months[c.month - 1]);
            break;
        case PART_MONTH:
            buf_add(out, months[c.month - 1], 3);
            break;
        case PART_LONG_WEEKDAY:
            buf_puts(out, weekdays[c.weekday]);
            break;
        case PART_WEEKDAY:
            buf_add(out, weekdays[c.weekday], 3);
            break;
        case PART_PM:
            buf_puts(out, c.hour >= 12 ? "PM" : "AM");
            break;
        case PART_LOW_PM:
            buf_puts(out, c.hour >= 12 ? "pm" : "am");
            break;
        case PART_ZONE:
            if (!t.offset) {
                buf_puts(out, "UTC");
                break;
            }
            FALLTHROUGH;
        case PART_Z_COLON:
        case PART_Z:
        case PART_NUM_COLON:
        case PART_NUM:
        case PART_NUM_SHORT:
            put_offset(part, t.offset, out);
            break;
        case PART_FRACTION0:
        case PART_FRACTION9:
            put_fraction(&c, text, part == PART_FRACTION9, out);
            break;
        default:
            put_number(&c, part, out);
        }
    } while (part != PART_NONE);
}

/* ---- parsing ---- */

struct parse {
    struct str text; /* what is left */
    struct civil c;
    bool pm, am;
    int32_t offset_s;
    const char *range; /* the field that is out of range */
};

/* least..most digits. */
static bool
take_number(struct parse *p, size_t least, size_t most, int *out)
{
    size_t n = 0;
    int v = 0;

    while (n < most && n < p->text.n && ascii_digit(p->text.s[n]))
        v = v * 10 + (p->text.s[n++] - '0');
    if (n < least)
        return false;
    p->text = str_from(p->text, n);
    *out = v;
    return true;
}

static bool
take_name(struct parse *p, const char *const *names, int count, size_t n,
          int *out)
{
    for (int i = 0; i < count; i++) {
        size_t len = n ? n : strlen(names[i]);
        size_t same = 0;

        while (same < len && same < p->text.n &&
               ((p->text.s[same] ^ names[i][same]) & ~0x20) == 0)
            same++;
        if (same == len) {
            p->text = str_from(p->text, len);
            *out = i;
            return true;
        }
    }
    return false;
}

static bool
take_offset(struct parse *p, bool colon, bool minutes)
{
    int h, m = 0;
    char sign = p->text.n ? p->text.s[0] : '\0';

    if (sign != '+' && sign != '-')
        return false;
    p->text = str_from(p->text, 1);
    if (!take_number(p, 2, 2, &h))
        return false;
    if (colon) {
        if (!p->text.n || p->text.s[0] != ':')
            return false;
        p->text = str_from(p->text, 1);
    }
    if (minutes && !take_number(p, 2, 2, &m))
        return false;
    p->offset_s = (h * 3600 + m * 60) * (sign == '-' ? -1 : 1);
    return true;
}

static bool
take_fraction(struct parse *p)
{
    int scale = 100000000;

    if (!p->text.n || (p->text.s[0] != '.' && p->text.s[0] != ','))
        return false;
    p->text = str_from(p->text, 1);
    for (; p->text.n && ascii_digit(p->text.s[0]); scale /= 10) {
        p->c.ns += (p->text.s[0] - '0') * scale;
        p->text = str_from(p->text, 1);
    }
    return true;
}

static bool
take_year(struct parse *p, bool longer)
{
    int v;

    if (!take_number(p, longer ? 4 : 2, longer ? 4 : 2, &v))
        return false;
    p->c.year = longer ? v : v + (v >= 69 ? 1900 : 2000);
    return true;
}

static bool
in_range(struct parse *p, int v, int least, int most, const char *name)
{
    if ((v < least || v > most) && !p->range)
        p->range = name;
    return true;
}

static bool
take_clock(struct parse *p, enum part part)
{
    struct civil *c = &p->c;

    switch (part) {
    case PART_HOUR:
        return take_number(p, 2, 2, &c->hour) &&
               in_range(p, c->hour, 0, 23, "hour out of range");
    case PART_HOUR12:
    case PART_ZERO_HOUR12:
        return take_number(p, part == PART_HOUR12 ? 1 : 2, 2, &c->hour) &&
               in_range(p, c->hour, 0, 12, "hour out of range");
    case PART_MINUTE:
    case PART_ZERO_MINUTE:
        return take_number(p, part == PART_MINUTE ? 1 : 2, 2, &c->minute) &&
               in_range(p, c->minute, 0, 59, "minute out of range");
    default:
        if (!take_number(p, part == PART_SECOND ? 1 : 2, 2, &c->second))
            return false;
        /* A fraction may follow though the layout has none. */
        if (p->text.n > 1 && p->text.s[0] == '.' && ascii_digit(p->text.s[1]))
            take_fraction(p);
        return in_range(p, c->second, 0, 59, "second out of range");
    }
}

static bool
take_zone(struct parse *p, enum part part)
{
    if ((part == PART_Z || part == PART_Z_COLON) && p->text.n &&
        p->text.s[0] == 'Z') {
        p->text = str_from(p->text, 1);
        return true;
    }
    if (part == PART_ZONE) {
        if (!str_starts(p->text, STR("UTC")) &&
            !str_starts(p->text, STR("GMT")))
            return false;
        p->text = str_from(p->text, 3);
        return true;
    }
    return take_offset(p, part == PART_Z_COLON || part == PART_NUM_COLON,
                       part != PART_NUM_SHORT);
}

static bool
take_date(struct parse *p, enum part part)
{
    struct civil *c = &p->c;

    switch (part) {
    case PART_LONG_MONTH:
    case PART_MONTH:
        if (!take_name(p, months, 12, part == PART_MONTH ? 3 : 0, &c->month))
            return false;
        c->month++;
        return true;
    case PART_NUM_MONTH:
    case PART_ZERO_MONTH:
        return take_number(p, part == PART_NUM_MONTH ? 1 : 2, 2, &c->month) &&
               in_range(p, c->month, 1, 12, "month out of range");
    case PART_LONG_WEEKDAY:
    case PART_WEEKDAY:
        return take_name(p, weekdays, 7, part == PART_WEEKDAY ? 3 : 0,
                         &c->weekday);
    case PART_UNDER_DAY:
        if (p->text.n && p->text.s[0] == ' ')
            p->text = str_from(p->text, 1);
        FALLTHROUGH;
    case PART_DAY:
    case PART_ZERO_DAY:
        return take_number(p, part == PART_ZERO_DAY ? 2 : 1, 2, &c->day);
    case PART_YEAR_DAY:
        return take_number(p, 3, 3, &c->year_day);
    default:
        return take_year(p, part == PART_LONG_YEAR);
    }
}

static bool
take_part(struct parse *p, enum part part)
{
    int half;

    switch (part) {
    case PART_NONE:
        return true;
    case PART_HOUR:
    case PART_HOUR12:
    case PART_ZERO_HOUR12:
    case PART_MINUTE:
    case PART_ZERO_MINUTE:
    case PART_SECOND:
    case PART_ZERO_SECOND:
        return take_clock(p, part);
    case PART_PM:
    case PART_LOW_PM:
        if (!take_name(p, (const char *const[]){"AM", "PM"}, 2, 0, &half))
            return false;
        p->pm = half == 1;
        p->am = half == 0;
        return true;
    case PART_ZONE:
    case PART_Z_COLON:
    case PART_Z:
    case PART_NUM_COLON:
    case PART_NUM:
    case PART_NUM_SHORT:
        return take_zone(p, part);
    case PART_FRACTION0:
        return take_fraction(p);
    case PART_FRACTION9:
        if (p->text.n && (p->text.s[0] == '.' || p->text.s[0] == ','))
            take_fraction(p);
        return true;
    default:
        return take_date(p, part);
    }
}

void
gotime_quote(struct str s, struct buf *out)
{
    buf_putc(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.s[i];

        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c >= 0x80 || c < ' ')
            buf_printf(out, "\\x%02x", c);
        else
            buf_putc(out, (char)c);
    }
    buf_putc(out, '"');
}

static bool
fail(struct error *err, struct str layout, struct str text, struct str rest,
     struct str part)
{
    AUTO(buf_release) struct buf b = BUF_INIT(sizeof(err->msg));

    buf_puts(&b, "parsing time ");
    gotime_quote(text, &b);
    buf_puts(&b, " as ");
    gotime_quote(layout, &b);
    buf_puts(&b, ": cannot parse ");
    gotime_quote(rest, &b);
    buf_puts(&b, " as ");
    gotime_quote(part, &b);
    return error_set(err, ERR_INVALID, "%s", buf_cstr(&b));
}

/* what and, when it is not NULL, rest quoted. */
static bool
fail_plain(struct error *err, struct str text, const char *what,
           const struct str *rest)
{
    AUTO(buf_release) struct buf b = BUF_INIT(sizeof(err->msg));

    buf_puts(&b, "parsing time ");
    gotime_quote(text, &b);
    buf_printf(&b, ": %s", what);
    if (rest)
        gotime_quote(*rest, &b);
    return error_set(err, ERR_INVALID, "%s", buf_cstr(&b));
}

/* Go tells a literal that differs from the byte on where it does; a space
 * stands for any number of them. */
static struct str
after_common(struct str text, struct str literal)
{
    size_t n = 0;

    while (n < text.n && n < literal.n && text.s[n] == literal.s[n])
        n++;
    return str_from(text, n);
}

bool
gotime_parse(struct str layout, struct str text, struct gotime *out,
             struct error *err)
{
    struct parse p = {.text = text, .c = {.month = 1, .day = 1}};
    struct str rest = layout, literal, name;
    enum part part;

    do {
        part = next_part(&rest, &literal, &name);
        if (!str_starts(p.text, literal))
            return fail(err, layout, text, after_common(p.text, literal),
                        literal);
        p.text = str_from(p.text, literal.n);
        struct str before = p.text;

        if (!take_part(&p, part))
            return fail(err, layout, text, before, name);
        if (p.range)
            return fail_plain(err, text, p.range, NULL);
    } while (part != PART_NONE);
    if (p.text.n)
        return fail_plain(err, text, "extra text: ", &p.text);
    if (p.c.day < 1 || p.c.day > days_in(p.c.year, p.c.month))
        return fail_plain(err, text, "day out of range", NULL);
    if (p.pm && p.c.hour < 12)
        p.c.hour += 12;
    else if (p.am && p.c.hour == 12)
        p.c.hour = 0;
    out->s = days_of(p.c.year, p.c.month, p.c.day) * 86400 + p.c.hour * 3600 +
             p.c.minute * 60 + p.c.second - p.offset_s;
    out->ns = p.c.ns;
    out->offset = p.offset_s;
    return true;
}
