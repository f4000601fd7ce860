/*
 * clock.h - time as a parameter, so that tests can own it.
 *
 * What: monotonic time for intervals, wall time for stamps, and the three text
 * forms Kubernetes uses. A fake clock stands still until it is moved.
 */
#ifndef LIB_BASE_CLOCK_H
#define LIB_BASE_CLOCK_H

#include "lib/base/str.h"

struct clock {
    bool fake;
    int64_t mono_ms, wall_ms; /* used only when fake */
};

/* The real clock; never freed. */
const struct clock *clock_system(void);
/* A clock that stands at wall_ms since 1970. */
void clock_fake(struct clock *c, int64_t wall_ms);
void clock_advance(struct clock *c, int64_t ms);
/* Milliseconds; mono from an arbitrary start, wall since 1970 UTC. */
int64_t clock_mono_ms(const struct clock *c);
int64_t clock_wall_ms(const struct clock *c);
/* Microseconds of the real monotonic clock, for benches. */
int64_t clock_mono_us(void);

/* "2026-11-21T04:42:05Z" into out; seconds since 1970. */
#define CLOCK_RFC3339_LEN 21
void clock_format(int64_t wall_s, char out[CLOCK_RFC3339_LEN]);
/* RFC 3339 with optional fraction and offset; false when it is none. */
bool clock_parse(struct str s, int64_t *wall_s);
/* Kubernetes' HumanDuration of seconds, "2m5s", "7d2h" (apimachinery
 * util/duration); negative beyond -1 s gives "<invalid>". */
#define CLOCK_HUMAN_LEN 24
void clock_human(int64_t seconds, char out[CLOCK_HUMAN_LEN]);

#endif
