#include "lib/base/buf.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

void
buf_init(struct buf *b, size_t max)
{
    *b = BUF_INIT(max);
}

/* Makes room for n more bytes and the NUL. */
static bool
room(struct buf *b, size_t n)
{
    if (b->over || n > b->max || b->n > b->max - n) {
        b->over = true;
        return false;
    }
    if (b->n + n + 1 > b->cap) {
        size_t cap = b->cap ? b->cap : 64;

        while (cap < b->n + n + 1)
            cap *= 2;
        b->s = mem_resize(b->s, cap, 1);
        b->cap = cap;
    }
    return true;
}

bool
buf_add(struct buf *b, const void *p, size_t n)
{
    if (!room(b, n))
        return false;
    if (n)
        memcpy(b->s + b->n, p, n);
    b->n += n;
    b->s[b->n] = '\0';
    return true;
}

bool
buf_str(struct buf *b, struct str s)
{
    return buf_add(b, s.s, s.n);
}

bool
buf_puts(struct buf *b, const char *z)
{
    return buf_add(b, z, strlen(z));
}

bool
buf_putc(struct buf *b, char c)
{
    if (!room(b, 1))
        return false;
    b->s[b->n++] = c;
    b->s[b->n] = '\0';
    return true;
}

bool
buf_fill(struct buf *b, char c, size_t n)
{
    if (!room(b, n))
        return false;
    memset(b->s + b->n, c, n);
    b->n += n;
    b->s[b->n] = '\0';
    return true;
}

bool
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    enum { USUAL = 128 };
    char usual[USUAL]; /* most texts are short: one pass does for them */
    va_list again;

    va_copy(again, ap);
    int n = vsnprintf(usual, sizeof(usual), fmt, ap);
    bool ok = n >= 0 && room(b, (size_t)n);

    if (ok && n < USUAL)
        memcpy(b->s + b->n, usual, (size_t)n + 1);
    else if (ok)
        vsnprintf(b->s + b->n, (size_t)n + 1, fmt, again);
    if (ok)
        b->n += (size_t)n;
    va_end(again);
    return ok;
}

bool
buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    bool ok = buf_vprintf(b, fmt, ap);
    va_end(ap);
    return ok;
}

struct str
buf_view(const struct buf *b)
{
    return (struct str){buf_cstr(b), b->n};
}

const char *
buf_cstr(const struct buf *b)
{
    return b->s ? b->s : "";
}

void
buf_consume(struct buf *b, size_t n)
{
    n = MIN(n, b->n);
    if (!n)
        return;
    memmove(b->s, b->s + n, b->n - n + 1);
    b->n -= n;
}

void
buf_truncate(struct buf *b, size_t n)
{
    if (n >= b->n)
        return;
    b->n = n;
    b->s[n] = '\0';
}

void
buf_reset(struct buf *b)
{
    buf_truncate(b, 0);
    b->over = false;
}

char *
buf_take(struct buf *b)
{
    char *s = b->s ? b->s : mem_strdup("");

    *b = BUF_INIT(b->max);
    return s;
}

void
buf_release(struct buf *b)
{
    free(b->s);
    *b = BUF_INIT(b->max);
}
