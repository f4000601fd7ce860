/*
 * mem.h - heap memory that never returns NULL.
 *
 * What: malloc and friends that end the program with one line on standard
 * error when memory is gone. Why: an out-of-memory answer in every caller
 * would be untested code (docs/STYLE.md rule 7); limits on what a peer can
 * make us allocate live in buf, json and the readers instead.
 * Lifetime: everything is released with free().
 */
#ifndef LIB_BASE_MEM_H
#define LIB_BASE_MEM_H

#include "lib/base/base.h"

/* size bytes, not initialised. */
void *mem_alloc(size_t size);
/* count * size bytes, zeroed; dies on overflow of the product. */
void *mem_zalloc(size_t count, size_t size);
/* Resizes p (may be NULL) to count * size bytes; dies on overflow. */
void *mem_resize(void *p, size_t count, size_t size);
/* A copy of the NUL-terminated s; NULL gives NULL. */
char *mem_strdup(const char *s);
/* A NUL-terminated copy of n bytes. */
char *mem_strndup(const char *s, size_t n);
/* printf into fresh memory; the caller frees it. */
char *mem_printf(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Makes room for need elements of size bytes in the array p of *cap elements,
 * doubling; returns the (moved) array and updates *cap. */
void *mem_grow(void *p, size_t *cap, size_t need, size_t size);
/* For AUTO(mem_free_ptr) char *p: frees what the local points to. */
void mem_free_ptr(void *address_of_pointer);
/* Overwrites and frees a secret text; NULL is fine. */
void mem_wipe(char *secret);
/* Ends the program: a broken invariant or no memory. */
void die(const char *fmt, ...) PRINTF_LIKE(1, 2) NORETURN;

#endif
