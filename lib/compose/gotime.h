/*
 * gotime.h - Go's time layouts and durations (private to lib/compose).
 *
 * What: time.Format and time.Parse with layouts made of the reference time
 * "Mon Jan 2 15:04:05 MST 2006", and time.Duration's text. All times are UTC,
 * in milliseconds since 1970. Source: package time of Go 1.26.
 */
#ifndef LIB_COMPOSE_GOTIME_H
#define LIB_COMPOSE_GOTIME_H

#include "lib/base/buf.h"
#include "lib/base/error.h"

/* time.Time{}: the first of January of year 1. */
#define GOTIME_ZERO INT64_C(-62135596800000)

void gotime_format(int64_t ms, struct str layout, struct buf *out);
/* Errors as Go's: `parsing time "x" as "2006": cannot parse "x" as "2006"`. */
bool gotime_parse(struct str layout, struct str text, int64_t *ms,
                  struct error *err);
/* "1h30m", "-1.5s", in nanoseconds; `time: invalid duration "x"`. */
bool gotime_parse_duration(struct str text, int64_t *ns, struct error *err);
/* Duration.String: "1h1m1s", "1.5s", "300ms". */
void gotime_format_duration(int64_t ns, struct buf *out);

#endif
