/* Dates. Now is what the caller says; zones other than UTC are not built in
 * (there is no file system to read them from).
 * Source: sprig 3.3 date.go. */
#include "lib/compose/funcs.h"
#include "lib/compose/gotime.h"

#define SECOND INT64_C(1000000000)
/* Seconds: far beyond any year there is, and no sum overflows. */
#define LATEST (INT64_C(1) << 56)

FUNC(fn_now)
{
    *out = value_time(gotime_of_ns(c->run->now_ns));
    return true;
}

/* A time, or seconds since 1970; anything else is now. */
static struct gotime
moment(struct call *c, struct value v)
{
    if (v.type == VALUE_TIME && !v.name)
        return (struct gotime){.s = v.time.s, .ns = v.time.ns};
    if (value_is_integer(v) && v.type != VALUE_UINT8)
        return (struct gotime){.s = MIN(MAX(v.i, -LATEST), LATEST)};
    return gotime_of_ns(c->run->now_ns);
}

/* Is there a zone of this name, other than UTC? What is no zone is UTC. */
static bool
is_zone(struct str name)
{
    static const char *const areas[] = {
        "Africa",    "America", "Antarctica", "Arctic", "Asia", "Atlantic",
        "Australia", "Brazil",  "Canada",     "Chile",  "Etc",  "Europe",
        "Indian",    "Mexico",  "Pacific",    "US"};
    static const char *const zones[] = {
        "CET",    "CST6CDT", "Cuba",      "EET",      "EST",       "EST5EDT",
        "Egypt",  "Eire",    "GB",        "GB-Eire",  "GMT",       "GMT+0",
        "GMT-0",  "GMT0",    "Greenwich", "HST",      "Hongkong",  "Iceland",
        "Iran",   "Israel",  "Jamaica",   "Japan",    "Kwajalein", "Libya",
        "MET",    "MST",     "MST7MDT",   "NZ",       "NZ-CHAT",   "Navajo",
        "PRC",    "PST8PDT", "Poland",    "Portugal", "ROC",       "ROK",
        "Turkey", "W-SU",    "WET",       "Singapore"};
    struct str area, rest;

    str_cut(name, '/', &area, &rest);
    for (size_t i = 0; rest.n && i < ARRAY_LEN(areas); i++) {
        if (str_eqz(area, areas[i]))
            return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
        if (str_eqz(name, zones[i]))
            return true;
    }
    return false;
}

static bool
in_zone(struct call *c, struct str layout, struct value date, struct str zone,
        struct value *out)
{
    if (is_zone(zone))
        return call_fail(c, "time zone \"%.*s\" is not built in",
                         STR_ARG(zone));
    gotime_format(moment(c, date), layout, &c->text);
    return call_text(c, out);
}

FUNC(fn_date)
{
    return in_zone(c, v[0].s, v[1], STR("UTC"), out);
}

FUNC(fn_date_in_zone)
{
    return in_zone(c, v[0].s, v[1], v[2].s, out);
}

FUNC(fn_html_date)
{
    return in_zone(c, STR("2006-01-02"), v[0], STR("UTC"), out);
}

FUNC(fn_html_date_in_zone)
{
    return in_zone(c, STR("2006-01-02"), v[0], v[1].s, out);
}

FUNC(fn_date_modify)
{
    int64_t ns;

    *out = v[1];
    if (gotime_parse_duration(v[0].s, &ns, NULL))
        out->time = gotime_add(out->time, ns);
    return true;
}

FUNC(fn_must_date_modify)
{
    int64_t ns;

    if (!gotime_parse_duration(v[0].s, &ns, &c->err))
        return false;
    return fn_date_modify(c, v, n, out);
}

FUNC(fn_must_to_date)
{
    struct gotime t;

    if (!gotime_parse(v[0].s, v[1].s, &t, &c->err))
        return false;
    *out = value_time(t);
    return true;
}

FUNC(fn_to_date)
{
    if (fn_must_to_date(c, v, n, out))
        return true;
    c->err = (struct error){0};
    *out = value_time(GOTIME_ZERO);
    return true;
}

FUNC(fn_unix_epoch)
{
    buf_printf(&c->text, "%lld", (long long)v[0].time.s);
    return call_text(c, out);
}

FUNC(fn_ago)
{
    int64_t ns = gotime_sub(gotime_of_ns(c->run->now_ns), moment(c, v[0]));
    int64_t half = ns < 0 ? -(SECOND / 2) : SECOND / 2;

    if (ns < 0 ? ns >= INT64_MIN - half : ns <= INT64_MAX - half)
        ns = (ns + half) / SECOND * SECOND; /* to the nearest second */
    gotime_format_duration(ns, &c->text);
    return call_text(c, out);
}

FUNC(fn_duration)
{
    int64_t seconds = 0;

    if (v[0].type == VALUE_STRING)
        str_to_i64(v[0].s, &seconds);
    else if (v[0].type == VALUE_INT64)
        seconds = v[0].i;
    gotime_format_duration((int64_t)((uint64_t)seconds * 1000000000u),
                           &c->text);
    return call_text(c, out);
}

FUNC(fn_duration_round)
{
    static const struct {
        int64_t seconds;
        const char *unit;
    } units[] = {{365 * 86400, "y"}, {30 * 86400, "mo"}, {86400, "d"},
                 {3600, "h"},        {60, "m"},          {1, "s"}};
    int64_t ns = 0;

    if (v[0].type == VALUE_STRING)
        gotime_parse_duration(v[0].s, &ns, NULL);
    else if (v[0].type == VALUE_INT64)
        ns = v[0].i;
    else if (v[0].type == VALUE_TIME)
        ns = gotime_sub(gotime_of_ns(c->run->now_ns), v[0].time);
    uint64_t u = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;

    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        uint64_t unit = (uint64_t)units[i].seconds * 1000000000u;

        if (u > unit) {
            buf_printf(&c->text, "%llu%s", (unsigned long long)(u / unit),
                       units[i].unit);
            return call_text(c, out);
        }
    }
    *out = value_str(STR("0s"));
    return true;
}

static const struct func rows[] = {
    {"now", "", fn_now},
    {"date", "sa", fn_date},
    {"dateInZone", "sas", fn_date_in_zone},
    {"date_in_zone", "sas", fn_date_in_zone},
    {"htmlDate", "a", fn_html_date},
    {"htmlDateInZone", "as", fn_html_date_in_zone},
    {"dateModify", "st", fn_date_modify},
    {"date_modify", "st", fn_date_modify},
    {"mustDateModify", "st", fn_must_date_modify},
    {"must_date_modify", "st", fn_must_date_modify},
    {"toDate", "ss", fn_to_date},
    {"mustToDate", "ss", fn_must_to_date},
    {"unixEpoch", "t", fn_unix_epoch},
    {"ago", "a", fn_ago},
    {"duration", "a", fn_duration},
    {"durationRound", "a", fn_duration_round},
};

const struct func_table funcs_date = {rows, ARRAY_LEN(rows)};
