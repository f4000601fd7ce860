/*
 * base.h - the few macros every floor uses.
 *
 * What: array length, min/max, attribute helpers and AUTO(), which ties a
 * clean-up function to a local variable (docs/STYLE.md rule 9).
 */
#ifndef LIB_BASE_BASE_H
#define LIB_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)    ((a) < (b) ? (a) : (b))
#define MAX(a, b)    ((a) > (b) ? (a) : (b))

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define UNUSED                 __attribute__((unused))
#define NORETURN               __attribute__((noreturn))
#define FALLTHROUGH            __attribute__((fallthrough))

/* A local that is cleaned when it leaves its scope: AUTO(buf_release) struct
 * buf b; the function receives the address of the local. */
#define AUTO(fn) __attribute__((cleanup(fn)))

#endif
