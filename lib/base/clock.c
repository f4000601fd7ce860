#include "lib/base/clock.h"

#include <stdio.h>
#include <time.h>

static const struct clock system_clock;

const struct clock *
clock_system(void)
{
    return &system_clock;
}

void
clock_fake(struct clock *c, int64_t wall_ms)
{
    *c = (struct clock){.fake = true, .wall_ms = wall_ms};
}

void
clock_advance(struct clock *c, int64_t ms)
{
    c->mono_ms += ms;
    c->wall_ms += ms;
}

static int64_t
read_us(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
clock_mono_ms(const struct clock *c)
{
    return c->fake ? c->mono_ms : read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t
clock_wall_ms(const struct clock *c)
{
    return c->fake ? c->wall_ms : read_us(CLOCK_REALTIME) / 1000;
}

int64_t
clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

/* The first and last second that four digits of a year can say. */
#define YEAR_0    (-62167219200)
#define YEAR_9999 253402300799

void
clock_format(int64_t wall_s, char out[CLOCK_RFC3339_LEN])
{
    time_t t = (time_t)MAX(YEAR_0, MIN(wall_s, YEAR_9999));
    struct tm tm;

    gmtime_r(&t, &tm);
    snprintf(out, CLOCK_RFC3339_LEN, "%04u-%02u-%02uT%02u:%02u:%02uZ",
             (unsigned)(tm.tm_year + 1900) % 10000,
             (unsigned)(tm.tm_mon + 1) % 100, (unsigned)tm.tm_mday % 100,
             (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
             (unsigned)tm.tm_sec % 100);
}

/* Takes digits bytes of s at *at as a number, then the byte stop (0: none). */
static bool
take(struct str s, size_t *at, unsigned digits, char stop, int *out)
{
    int v = 0;

    if (*at + digits + (stop ? 1 : 0) > s.n)
        return false;
    for (unsigned i = 0; i < digits; i++) {
        char c = s.s[(*at)++];

        if (c < '0' || c > '9')
            return false;
        v = v * 10 + (c - '0');
    }
    *out = v;
    return !stop || s.s[(*at)++] == stop;
}

/* "Z" or "+hh:mm" from at to the end of s, as seconds east. */
static bool
take_zone(struct str s, size_t at, int *seconds)
{
    int h, m;

    if (at >= s.n)
        return false;
    char sign = s.s[at++];

    if (sign == 'Z') {
        *seconds = 0;
        return at == s.n;
    }
    if ((sign != '+' && sign != '-') || !take(s, &at, 2, ':', &h) ||
        !take(s, &at, 2, 0, &m) || at != s.n || h > 23 || m > 59)
        return false;
    *seconds = (h * 3600 + m * 60) * (sign == '-' ? -1 : 1);
    return true;
}

/* timegm() would turn 30 February into 2 March. */
static bool
is_real_date(const struct tm *tm)
{
    struct tm back;
    struct tm copy = *tm;
    time_t t = timegm(&copy);

    gmtime_r(&t, &back);
    return back.tm_mday == tm->tm_mday && back.tm_mon == tm->tm_mon;
}

bool
clock_parse(struct str s, int64_t *wall_s)
{
    struct tm tm = {0};
    size_t at = 0;
    int zone;

    if (!take(s, &at, 4, '-', &tm.tm_year) ||
        !take(s, &at, 2, '-', &tm.tm_mon) || !take(s, &at, 2, 'T', &tm.tm_mday))
        return false;
    if (!take(s, &at, 2, ':', &tm.tm_hour) ||
        !take(s, &at, 2, ':', &tm.tm_min) || !take(s, &at, 2, 0, &tm.tm_sec))
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    if (tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1 || tm.tm_hour > 23 ||
        tm.tm_min > 59 || tm.tm_sec > 59 || !is_real_date(&tm))
        return false;
    if (at < s.n && s.s[at] == '.') {
        size_t first = ++at;

        while (at < s.n && s.s[at] >= '0' && s.s[at] <= '9')
            at++;
        if (at == first)
            return false;
    }
    if (!take_zone(s, at, &zone))
        return false;
    *wall_s = (int64_t)timegm(&tm) - zone;
    return true;
}

/*
 * HumanDuration's table: below `limit` seconds, print `big` units and, when it
 * is not zero, the remainder in `small` units.
 */
static const struct step {
    int64_t limit;
    int64_t big;
    char big_unit;
    int64_t small; /* 0: no remainder */
    char small_unit;
} steps[] = {
    {120, 1, 's', 0, 0},
    {10 * 60, 60, 'm', 1, 's'},
    {3 * 3600, 60, 'm', 0, 0},
    {8 * 3600, 3600, 'h', 60, 'm'},
    {48 * 3600, 3600, 'h', 0, 0},
    {8 * 86400, 86400, 'd', 3600, 'h'},
    {2 * 365 * 86400, 86400, 'd', 0, 0},
    {8LL * 365 * 86400, 365 * 86400, 'y', 86400, 'd'},
    {INT64_MAX, 365 * 86400, 'y', 0, 0},
};

void
clock_human(int64_t seconds, char out[CLOCK_HUMAN_LEN])
{
    const struct step *s = steps;

    if (seconds < -1) {
        snprintf(out, CLOCK_HUMAN_LEN, "<invalid>");
        return;
    }
    seconds = MAX(seconds, 0);
    while (seconds >= s->limit && s < &steps[ARRAY_LEN(steps) - 1])
        s++;
    int64_t rest = s->small ? seconds % s->big / s->small : 0;

    if (rest)
        snprintf(out, CLOCK_HUMAN_LEN, "%d%c%d%c", (int)(seconds / s->big),
                 s->big_unit, (int)rest, s->small_unit);
    else
        snprintf(out, CLOCK_HUMAN_LEN, "%lld%c", (long long)(seconds / s->big),
                 s->big_unit);
}
