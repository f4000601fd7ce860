/* Methods of the values templates meet: time.Time's. Source: Go's package
 * time. */
#include "lib/compose/funcs.h"
#include "lib/compose/gotime.h"

static bool
format(struct call *c, struct str layout, struct value *out)
{
    gotime_format(c->receiver.time, layout, &c->text);
    return call_text(c, out);
}

FUNC(fn_format)
{
    return format(c, v[0].s, out);
}

FUNC(fn_string)
{
    return format(c, STR("2006-01-02 15:04:05.999999999 -0700 MST"), out);
}

/* A number that a layout shows. */
static bool
number(struct call *c, struct str layout, struct value *out)
{
    struct value text;
    int64_t i = 0;

    if (!format(c, layout, &text))
        return false;
    for (size_t k = 0; k < text.s.n; k++)
        i = i * 10 + (text.s.s[k] - '0');
    *out = value_int(i);
    return true;
}

#define NUMBER(name, layout)                                                   \
    FUNC(fn_##name)                                                            \
    {                                                                          \
        return number(c, STR(layout), out);                                    \
    }

NUMBER(year, "2006")
NUMBER(day, "2")
NUMBER(hour, "15")
NUMBER(minute, "4")
NUMBER(second, "5")
NUMBER(year_day, "002")

/* time.Month and time.Weekday: numbers that print as names. */
static bool
named(struct call *c, const char *type, struct str layout, struct value *out)
{
    struct value_struct *st = arena_alloc(c->a, sizeof(*st));
    struct value text;

    if (!format(c, layout, &text))
        return false;
    *st = (struct value_struct){.type = type, .text = text.s};
    *out = (struct value){.type = VALUE_STRUCT, .st = st};
    return true;
}

FUNC(fn_month)
{
    return named(c, "time.Month", STR("January"), out);
}

FUNC(fn_weekday)
{
    return named(c, "time.Weekday", STR("Monday"), out);
}

FUNC(fn_nanosecond)
{
    *out = value_int(c->receiver.time.ns);
    return true;
}

/* Moments since 1970, `per` a second; what overflows wraps as in Go. */
static bool
since_epoch(struct call *c, uint64_t per, struct value *out)
{
    struct gotime t = c->receiver.time;
    uint64_t part = (uint64_t)t.ns / (1000000000 / per);

    *out = value_int64((int64_t)((uint64_t)t.s * per + part));
    return true;
}

FUNC(fn_unix)
{
    return since_epoch(c, 1, out);
}

FUNC(fn_unix_milli)
{
    return since_epoch(c, 1000, out);
}

FUNC(fn_unix_micro)
{
    return since_epoch(c, 1000000, out);
}

FUNC(fn_unix_nano)
{
    return since_epoch(c, 1000000000, out);
}

/* UTC and Local: the local zone is UTC. */
FUNC(fn_utc)
{
    struct gotime t = c->receiver.time;

    t.offset = 0;
    *out = value_time(t);
    return true;
}

FUNC(fn_is_zero)
{
    struct gotime t = c->receiver.time;

    *out = value_bool(t.s == GOTIME_ZERO.s && !t.ns);
    return true;
}

static int
compare(struct gotime t, struct gotime u)
{
    return t.s != u.s ? (t.s > u.s) - (t.s < u.s)
                      : (t.ns > u.ns) - (t.ns < u.ns);
}

FUNC(fn_before)
{
    *out = value_bool(compare(c->receiver.time, v[0].time) < 0);
    return true;
}

FUNC(fn_after)
{
    *out = value_bool(compare(c->receiver.time, v[0].time) > 0);
    return true;
}

FUNC(fn_equal)
{
    *out = value_bool(compare(c->receiver.time, v[0].time) == 0);
    return true;
}

FUNC(fn_add_date)
{
    *out =
        value_time(gotime_add_date(c->receiver.time, v[0].i, v[1].i, v[2].i));
    return true;
}

static const struct func rows[] = {
    {"Format", "s", fn_format},
    {"String", "", fn_string},
    {"Year", "", fn_year},
    {"Month", "", fn_month},
    {"Day", "", fn_day},
    {"Hour", "", fn_hour},
    {"Minute", "", fn_minute},
    {"Second", "", fn_second},
    {"Nanosecond", "", fn_nanosecond},
    {"YearDay", "", fn_year_day},
    {"Weekday", "", fn_weekday},
    {"Unix", "", fn_unix},
    {"UnixMilli", "", fn_unix_milli},
    {"UnixMicro", "", fn_unix_micro},
    {"UnixNano", "", fn_unix_nano},
    {"UTC", "", fn_utc},
    {"Local", "", fn_utc},
    {"IsZero", "", fn_is_zero},
    {"Before", "t", fn_before},
    {"After", "t", fn_after},
    {"Equal", "t", fn_equal},
    {"AddDate", "iii", fn_add_date},
};

const struct func *
func_method(struct value receiver, struct str name)
{
    for (size_t i = 0; receiver.type == VALUE_TIME && i < ARRAY_LEN(rows);
         i++) {
        if (str_eqz(name, rows[i].name))
            return &rows[i];
    }
    return NULL;
}
