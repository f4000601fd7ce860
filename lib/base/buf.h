/*
 * buf.h - a growing byte buffer that is born with a maximum.
 *
 * What: for building text and collecting what a peer sends. Why a maximum: no
 * peer may make us eat the machine (docs/STYLE.md rules 7 and 10).
 * Invariants: always NUL-terminated (the NUL is not counted in n); once an
 * append would pass max, nothing is appended, `over` stays set and every later
 * append answers false, so a chain of appends needs one check at its end.
 * Lifetime: buf_init ... buf_release; buf_take hands the bytes to the caller.
 */
#ifndef LIB_BASE_BUF_H
#define LIB_BASE_BUF_H

#include <stdarg.h>

#include "lib/base/str.h"

struct buf {
    char *s;
    size_t n, cap, max;
    bool over;
};

/* For text of our own making, where the bound is only a safety net. */
#define BUF_TEXT_MAX ((size_t)64 << 20)

/* A static initialiser: struct buf b = BUF_INIT(4096); */
#define BUF_INIT(maximum) ((struct buf){.max = (maximum)})

void buf_init(struct buf *b, size_t max);
bool buf_add(struct buf *b, const void *p, size_t n);
bool buf_str(struct buf *b, struct str s);
bool buf_puts(struct buf *b, const char *z);
bool buf_putc(struct buf *b, char c);
/* n copies of c. */
bool buf_fill(struct buf *b, char c, size_t n);
bool buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool buf_vprintf(struct buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
/* The content as a view, valid until the next append; never s == NULL. */
struct str buf_view(const struct buf *b);
/* The content as a C string, never NULL. */
const char *buf_cstr(const struct buf *b);
/* Removes the first n bytes. */
void buf_consume(struct buf *b, size_t n);
/* Keeps the first n bytes. */
void buf_truncate(struct buf *b, size_t n);
/* Empties it and forgets `over`; keeps the memory. */
void buf_reset(struct buf *b);
/* Hands the NUL-terminated bytes to the caller (free()); b is empty after. */
char *buf_take(struct buf *b);
/* Frees the memory; b may be used again. For AUTO(buf_release). */
void buf_release(struct buf *b);

#endif
