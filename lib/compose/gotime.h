/*
 * gotime.h - Go's time layouts and durations (private to lib/compose).
 *
 * What: time.Format and time.Parse with layouts made of the reference time
 * "Mon Jan 2 15:04:05 MST 2006", and time.Duration's text. A time
 * is a moment and how far east of Greenwich it was told. Source: package time
 * of Go 1.26.
 */
#ifndef LIB_COMPOSE_GOTIME_H
#define LIB_COMPOSE_GOTIME_H

#include "lib/base/buf.h"
#include "lib/base/error.h"

struct gotime {
    int64_t s;      /* since 1970 UTC */
    int32_t ns;     /* 0 to 999,999,999 */
    int32_t offset; /* seconds east; 0: UTC */
};

/* time.Time{}: the first of January of year 1. */
#define GOTIME_ZERO ((struct gotime){.s = INT64_C(-62135596800)})

/* Nanoseconds since 1970, in UTC. */
struct gotime gotime_of_ns(int64_t ns);
struct gotime gotime_add(struct gotime t, int64_t ns);
/* AddDate of years, months and days: what overflows a month goes on in the
 * next. Each number counts up to a million. */
struct gotime gotime_add_date(struct gotime t, int64_t y, int64_t m, int64_t d);
/* t - u in nanoseconds, at most the largest (smallest) int64. */
int64_t gotime_sub(struct gotime t, struct gotime u);
void gotime_format(struct gotime t, struct str layout, struct buf *out);
/* Errors as Go's: `parsing time "x" as "2006": cannot parse "x" as "2006"`. */
bool gotime_parse(struct str layout, struct str text, struct gotime *out,
                  struct error *err);
/* Package time's own quoting: everything but plain ASCII as \xNN. */
void gotime_quote(struct str s, struct buf *out);
/* "1h30m", "-1.5s", in nanoseconds; `time: invalid duration "x"`. */
bool gotime_parse_duration(struct str text, int64_t *ns, struct error *err);
/* Duration.String: "1h1m1s", "1.5s", "300ms". */
void gotime_format_duration(int64_t ns, struct buf *out);

#endif
