#include "lib/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
mem_wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

void
die(const char *fmt, ...)
{
    va_list ap;

    fputs("meshtop: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    abort();
}

static void *
checked(void *p)
{
    if (!p)
        die("out of memory");
    return p;
}

void *
mem_alloc(size_t size)
{
    return checked(malloc(size ? size : 1));
}

void *
mem_zalloc(size_t count, size_t size)
{
    return checked(calloc(count ? count : 1, size ? size : 1));
}

void *
mem_resize(void *p, size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes))
        die("out of memory");
    return checked(realloc(p, bytes ? bytes : 1));
}

char *
mem_strdup(const char *s)
{
    return s ? mem_strndup(s, strlen(s)) : NULL;
}

char *
mem_strndup(const char *s, size_t n)
{
    char *copy = mem_alloc(n + 1);

    if (n)
        memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

char *
mem_printf(const char *fmt, ...)
{
    va_list ap;
    char *out;

    va_start(ap, fmt);
    int n = vasprintf(&out, fmt, ap);
    va_end(ap);
    if (n < 0)
        die("out of memory");
    return out;
}

void *
mem_grow(void *p, size_t *cap, size_t need, size_t size)
{
    size_t fresh = *cap ? *cap : 8;

    if (need <= *cap)
        return p;
    while (fresh < need)
        fresh *= 2;
    p = mem_resize(p, fresh, size);
    *cap = fresh;
    return p;
}

void
mem_free_ptr(void *address_of_pointer)
{
    void *p;

    memcpy(&p, address_of_pointer, sizeof(p));
    free(p);
}
