/*
 * gonumber.h - strconv.ParseInt, ParseFloat and ParseBool with their words
 * (private to lib/compose).
 *
 * Errors: `strconv.ParseInt: parsing "x": invalid syntax` (or `value out of
 * range`). Source: package strconv of Go 1.26.
 */
#ifndef LIB_COMPOSE_GONUMBER_H
#define LIB_COMPOSE_GONUMBER_H

#include "lib/base/error.h"
#include "lib/base/str.h"

/* Base 10, 64 bits. */
bool gonumber_int(struct str s, int64_t *out, struct error *err);
/* Decimal, hexadecimal ("0x1p-2"), underscores between digits, "inf", "nan". */
bool gonumber_float(struct str s, double *out, struct error *err);
/* Underscores stand between digits only, the base prefix of s (no sign) counts
 * as one. */
bool gonumber_underscores_fit(struct str s);
bool gonumber_bool(struct str s, bool *out, struct error *err);

#endif
