/*
 * arena.h - memory by lifetime: many small pieces, released together.
 *
 * What: a chain of blocks; pieces are zeroed and aligned for any type.
 * Lifetime: pieces live until arena_reset or arena_free; a function whose
 * result "lives in a" takes the arena as a parameter (docs/STYLE.md rule 8).
 */
#ifndef LIB_BASE_ARENA_H
#define LIB_BASE_ARENA_H

#include "lib/base/str.h"

struct arena;

struct arena *arena_new(void);
/* NULL is fine. */
void arena_free(struct arena *a);
/* For AUTO(arena_free_ptr) struct arena *a. */
void arena_free_ptr(struct arena **a);
/* Forgets every piece, keeps the first block. */
void arena_reset(struct arena *a);
/* size zeroed bytes. */
void *arena_alloc(struct arena *a, size_t size);
/* count * size zeroed bytes; dies on overflow. */
void *arena_array(struct arena *a, size_t count, size_t size);
/* NUL-terminated copies. */
char *arena_strdup(struct arena *a, const char *z);
char *arena_dup(struct arena *a, struct str s);
struct str arena_str(struct arena *a, struct str s);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Bytes taken from the system. */
size_t arena_size(const struct arena *a);

#endif
