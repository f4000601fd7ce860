#include "lib/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#define BLOCK_SIZE ((size_t)16 << 10)
#define ALIGNMENT  _Alignof(max_align_t)

struct block {
    struct block *next;
    size_t size, used;
    _Alignas(max_align_t) char data[];
};

struct arena {
    struct block *first, *last;
    size_t total;
};

static struct block *
add_block(struct arena *a, size_t size)
{
    struct block *b = mem_alloc(sizeof(*b) + size);

    *b = (struct block){.size = size};
    if (a->last)
        a->last->next = b;
    else
        a->first = b;
    a->last = b;
    a->total += sizeof(*b) + size;
    return b;
}

struct arena *
arena_new(void)
{
    return mem_zalloc(1, sizeof(struct arena));
}

static void
free_blocks(struct block *b)
{
    while (b) {
        struct block *next = b->next;

        free(b);
        b = next;
    }
}

void
arena_free(struct arena *a)
{
    if (!a)
        return;
    free_blocks(a->first);
    free(a);
}

void
arena_free_ptr(struct arena **a)
{
    arena_free(*a);
}

void
arena_reset(struct arena *a)
{
    if (!a->first)
        return;
    free_blocks(a->first->next);
    a->first->next = NULL;
    a->first->used = 0;
    a->last = a->first;
    a->total = sizeof(*a->first) + a->first->size;
}

void *
arena_alloc(struct arena *a, size_t size)
{
    size_t need = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);

    if (need < size)
        die("out of memory");
    struct block *b = a->last;

    if (!b || b->size - b->used < need)
        b = add_block(a, MAX(BLOCK_SIZE, need));
    void *p = b->data + b->used;

    b->used += need;
    return memset(p, 0, size);
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes))
        die("out of memory");
    return arena_alloc(a, bytes);
}

char *
arena_dup(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.n + 1);

    if (s.n)
        memcpy(p, s.s, s.n);
    return p;
}

char *
arena_strdup(struct arena *a, const char *z)
{
    return arena_dup(a, str_of(z));
}

struct str
arena_str(struct arena *a, struct str s)
{
    return str_n(arena_dup(a, s), s.n);
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = arena_alloc(a, (size_t)n + 1);

    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p;
}

size_t
arena_size(const struct arena *a)
{
    return a->total;
}
