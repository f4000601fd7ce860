#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/ascii.h"
#include "lib/base/clock.h"

#include "lib/schema/cel_node.h"

/*
 * Timestamps are seconds and nanoseconds, durations nanoseconds, as Go has
 * them: time.ParseDuration, RFC 3339, and the calendar of the getters.
 */

#define SECOND INT64_C(1000000000)

/* Year 1 to 9999 (cel-go's minUnixTime, maxUnixTime). */
#define TIME_MIN INT64_C(-62135596800)
#define TIME_MAX INT64_C(253402300799)

bool
cel_time_in_range(const struct cel_value *t)
{
    return t->time.sec >= TIME_MIN && t->time.sec <= TIME_MAX;
}

/* ---- durations ---- */

static const struct unit {
    const char *name;
    int64_t ns;
} units[] = {
    {"ns", 1},
    {"us", 1000},
    {"\xC2\xB5s", 1000},
    {"\xCE\xBCs", 1000},
    {"ms", 1000000},
    {"s", SECOND},
    {"m", 60 * SECOND},
    {"h", 3600 * SECOND},
    /* What strfmt knows beyond Go. */
    {"d", 86400 * SECOND},
    {"w", 7 * 86400 * SECOND},
    {"nanosecond", 1},
    {"microsecond", 1000},
    {"millisecond", 1000000},
    {"second", SECOND},
    {"minute", 60 * SECOND},
    {"hour", 3600 * SECOND},
    {"day", 86400 * SECOND},
    {"week", 7 * 86400 * SECOND},
};
enum { GO_UNITS = 8 };

/* "1.5" times ns, the fraction cut off as Go does. */
static bool
scaled(struct str digits, int64_t ns, uint64_t *out)
{
    struct str whole, part;
    uint64_t v = 0;
    double fraction = 0, scale = 1;

    str_cut(digits, '.', &whole, &part);
    if (!whole.n && !part.n)
        return false;
    if (whole.n && !str_to_u64(whole, &v))
        return false;
    if (__builtin_mul_overflow(v, (uint64_t)ns, &v))
        return false;
    for (size_t i = 0; i < part.n && i < 18; i++) {
        fraction = fraction * 10 + (part.s[i] - '0');
        scale *= 10;
    }
    return !__builtin_add_overflow(
        v, (uint64_t)(fraction * ((double)ns / scale)), out);
}

static const struct unit *
find_unit(struct str name, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eqz(name, units[i].name))
            return &units[i];
    }
    if (count > GO_UNITS && name.n > 3 && name.s[name.n - 1] == 's')
        return find_unit(str_sub(name, 0, name.n - 1), count);
    return NULL;
}

static size_t
number_length(struct str s)
{
    size_t n = 0, points = 0;

    while (n < s.n && (ascii_digit(s.s[n]) || (s.s[n] == '.' && !points++)))
        n++;
    return n;
}

static bool
parse(struct str s, size_t unit_count, int64_t *out)
{
    bool negative = s.n && s.s[0] == '-';
    bool spaces = unit_count > GO_UNITS;
    uint64_t sum = 0, part;

    if (s.n && (s.s[0] == '-' || s.s[0] == '+'))
        s = str_from(s, 1);
    if (!s.n)
        return false;
    while (s.n && !str_eqz(s, "0")) {
        size_t n = number_length(s), k;
        struct str digits = str_sub(s, 0, n);

        s = spaces ? str_trim(str_from(s, n)) : str_from(s, n);
        for (k = 0;
             k < s.n && !ascii_digit(s.s[k]) && s.s[k] != '.' && s.s[k] != ' ';)
            k++;
        const struct unit *u = find_unit(str_sub(s, 0, k), unit_count);

        if (!u || !scaled(digits, u->ns, &part) ||
            __builtin_add_overflow(sum, part, &sum))
            return false;
        s = spaces ? str_trim(str_from(s, k)) : str_from(s, k);
    }
    if (sum > (uint64_t)INT64_MAX + negative)
        return false;
    *out = negative ? (int64_t)(0 - sum) : (int64_t)sum;
    return true;
}

bool
cel_parse_duration(struct str s, int64_t *ns)
{
    return parse(s, GO_UNITS, ns);
}

bool
cel_parse_any_duration(struct str s, int64_t *ns)
{
    return parse(s, ARRAY_LEN(units), ns);
}

/* Without the zeros at the end. */
static void
print_fraction(int64_t nsec, struct buf *out)
{
    char digits[16];
    size_t n = (size_t)snprintf(digits, sizeof(digits), ".%09" PRId64, nsec);

    while (n && digits[n - 1] == '0')
        n--;
    if (n > 1)
        buf_add(out, digits, n);
}

void
cel_print_duration(int64_t ns, struct buf *out)
{
    uint64_t v = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;

    if (ns < 0)
        buf_putc(out, '-');
    if (v >= (uint64_t)3600 * SECOND)
        buf_printf(out, "%" PRIu64 "h", v / (uint64_t)(3600 * SECOND));
    if (v >= (uint64_t)60 * SECOND)
        buf_printf(out, "%" PRIu64 "m", v / (uint64_t)(60 * SECOND) % 60);
    buf_printf(out, "%" PRIu64, v / (uint64_t)SECOND % 60);
    print_fraction((int64_t)(v % (uint64_t)SECOND), out);
    buf_putc(out, 's');
}

/* ---- timestamps ---- */

/* The seconds of "+05:30" at the end of a good timestamp. */
static int32_t
written_zone(struct str s)
{
    struct str zone = str_from(s, s.n - 6);
    uint64_t hours = 0, minutes = 0;

    if (zone.s[0] != '+' && zone.s[0] != '-')
        return 0;
    str_to_u64(str_sub(zone, 1, 2), &hours);
    str_to_u64(str_sub(zone, 4, 2), &minutes);
    int32_t seconds = (int32_t)(hours * 60 + minutes) * 60;

    return zone.s[0] == '-' ? -seconds : seconds;
}

bool
cel_parse_timestamp(struct str s, struct cel_value *out)
{
    struct cel_value v = {.kind = CEL_TIMESTAMP};
    size_t point = 19;
    int32_t scale = SECOND / 10;

    if (!clock_parse(s, &v.time.sec))
        return false;
    if (s.n > point && s.s[point] == '.') {
        for (size_t i = point + 1; i < s.n && ascii_digit(s.s[i]); i++) {
            v.time.nsec += (s.s[i] - '0') * scale;
            scale /= 10;
        }
    }
    v.time.zone = written_zone(s);
    *out = v;
    return true;
}

/* Days since 1970 of a civil date and back (Howard Hinnant's algorithms). */
static void
civil(int64_t days, int64_t *year, int *month, int *day)
{
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;

    *day = (int)(doy - (153 * mp + 2) / 5 + 1);
    *month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *year = yoe + era * 400 + (*month <= 2);
}

static int64_t
floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

void
cel_print_timestamp(const struct cel_value *t, struct buf *out)
{
    int64_t local = t->time.sec + t->time.zone;
    int64_t days = floor_div(local, 86400), year;
    int64_t rest = local - days * 86400;
    int month, day, zone = abs(t->time.zone) / 60;

    civil(days, &year, &month, &day);
    buf_printf(out, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d", year, month, day,
               (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60));
    print_fraction(t->time.nsec, out);
    if (zone)
        buf_printf(out, "%c%02d:%02d", t->time.zone < 0 ? '-' : '+', zone / 60,
                   zone % 60);
    else
        buf_putc(out, 'Z');
}

struct cel_value
cel_time_shift(const struct cel_value *t, int64_t ns, bool back)
{
    struct cel_value v = *t;
    int64_t sec = ns / SECOND, nsec = ns % SECOND;

    v.time.sec += back ? -sec : sec;
    nsec = v.time.nsec + (back ? -nsec : nsec);
    v.time.sec += floor_div(nsec, SECOND);
    v.time.nsec = (int32_t)(nsec - floor_div(nsec, SECOND) * SECOND);
    return cel_time_in_range(&v)
               ? v
               : cel_of_bytes(CEL_ERROR, STR("timestamp overflow"));
}

struct cel_value
cel_time_between(const struct cel_value *a, const struct cel_value *b)
{
    struct cel_value v = {.kind = CEL_DURATION};

    if (__builtin_mul_overflow(a->time.sec - b->time.sec, SECOND, &v.i) ||
        __builtin_add_overflow(v.i, a->time.nsec - b->time.nsec, &v.i))
        return cel_of_bytes(CEL_ERROR, STR("integer overflow"));
    return v;
}

/* ---- getters ---- */

enum part { YEAR, MONTH, YEAR_DAY, DATE, MONTH_DAY, WEEK_DAY, HOURS, MINUTES };

/* "+05:30"; names of zones but UTC are not known here. */
static bool
zone_offset(struct str zone, int64_t *seconds)
{
    struct str hours, minutes;
    int64_t h, m;

    *seconds = 0;
    if (!zone.n || str_eqz(zone, "UTC"))
        return true;
    if (!str_cut(zone, ':', &hours, &minutes) || !str_to_i64(hours, &h) ||
        !str_to_i64(minutes, &m) || h < -99 || h > 99 || m < -99 || m > 99)
        return false;
    *seconds = (h * 60 + (zone.s[0] == '-' ? -m : m)) * 60;
    return true;
}

static struct cel_value
get(struct cel_eval *e, const struct cel_value *a, size_t n, enum part part)
{
    struct str zone = n > 1 ? a[1].s : STR("UTC");
    int64_t offset, year, first;
    int month, day;

    if (!zone_offset(zone, &offset))
        return cel_error(e, "unknown time zone %.*s", STR_ARG(zone));
    int64_t sec = a->time.sec + offset, days = floor_div(sec, 86400);
    int64_t rest = sec - days * 86400;

    civil(days, &year, &month, &day);
    first = days - day + 1;
    switch (part) {
    case YEAR:
        return cel_of_int(year);
    case MONTH:
        return cel_of_int(month - 1);
    case YEAR_DAY:
        for (int m = month; m > 1; m--)
            civil(first - 1, &year, &month, &day), first -= day;
        return cel_of_int(days - first);
    case DATE:
        return cel_of_int(day);
    case MONTH_DAY:
        return cel_of_int(day - 1);
    case WEEK_DAY:
        return cel_of_int((days % 7 + 11) % 7);
    case HOURS:
        return cel_of_int(rest / 3600);
    default:
        return cel_of_int(rest / 60 % 60);
    }
}

#define GETTER(name, part)                                                     \
    static struct cel_value name(struct cel_eval *e,                           \
                                 const struct cel_value *a, size_t n)          \
    {                                                                          \
        return get(e, a, n, part);                                             \
    }

GETTER(get_year, YEAR)
GETTER(get_month, MONTH)
GETTER(get_year_day, YEAR_DAY)
GETTER(get_date, DATE)
GETTER(get_month_day, MONTH_DAY)
GETTER(get_week_day, WEEK_DAY)

static struct cel_value
get_hours(struct cel_eval *e, const struct cel_value *a, size_t n)
{
    return a->kind == CEL_DURATION ? cel_of_int(a->i / (3600 * SECOND))
                                   : get(e, a, n, HOURS);
}

static struct cel_value
get_minutes(struct cel_eval *e, const struct cel_value *a, size_t n)
{
    return a->kind == CEL_DURATION ? cel_of_int(a->i / (60 * SECOND))
                                   : get(e, a, n, MINUTES);
}

static struct cel_value
get_seconds(UNUSED struct cel_eval *e, const struct cel_value *a,
            UNUSED size_t n)
{
    if (a->kind == CEL_DURATION)
        return cel_of_int(a->i / SECOND);
    return cel_of_int(a->time.sec - floor_div(a->time.sec, 60) * 60);
}

static struct cel_value
get_milliseconds(UNUSED struct cel_eval *e, const struct cel_value *a,
                 UNUSED size_t n)
{
    return cel_of_int(a->kind == CEL_DURATION ? a->i / 1000000
                                              : a->time.nsec / 1000000);
}

#define OF_TIME(name, run)                                                     \
    {name, "t.>i", run, CEL_COST_ONE},                                         \
    {                                                                          \
        name, "t.s>i", run, CEL_COST_ONE                                       \
    }

static const struct cel_overload rows[] = {
    OF_TIME("getFullYear", get_year),
    OF_TIME("getMonth", get_month),
    OF_TIME("getDayOfYear", get_year_day),
    OF_TIME("getDate", get_date),
    OF_TIME("getDayOfMonth", get_month_day),
    OF_TIME("getDayOfWeek", get_week_day),
    OF_TIME("getHours", get_hours),
    OF_TIME("getMinutes", get_minutes),
    OF_TIME("getSeconds", get_seconds),
    OF_TIME("getMilliseconds", get_milliseconds),
    {"getHours", "r.>i", get_hours, CEL_COST_ONE},
    {"getMinutes", "r.>i", get_minutes, CEL_COST_ONE},
    {"getSeconds", "r.>i", get_seconds, CEL_COST_ONE},
    {"getMilliseconds", "r.>i", get_milliseconds, CEL_COST_ONE},
};

const struct cel_library cel_times = {rows, ARRAY_LEN(rows)};
