/*
 * str.h - a read-only view of bytes, passed by value.
 *
 * What: pointer and length; not necessarily NUL-terminated, may hold any byte.
 * Why: cutting and comparing text without copying (docs/STYLE.md rule 10).
 * Invariant: s may be NULL only when n is 0. Lifetime: that of what it views.
 */
#ifndef LIB_BASE_STR_H
#define LIB_BASE_STR_H

#include <string.h>

#include "lib/base/base.h"

struct str {
    const char *s;
    size_t n;
};

/* A view of a string literal. */
#define STR(lit) ((struct str){(lit), sizeof(lit) - 1})
/* For printf("%.*s", STR_ARG(v)). */
#define STR_ARG(v) (int)(v).n, ((v).s ? (v).s : "")

/* A view of a NUL-terminated string; NULL gives the empty view. */
struct str str_of(const char *z);
struct str str_n(const char *s, size_t n);
bool str_eq(struct str a, struct str b);
bool str_eqz(struct str a, const char *z);
/* strcmp's sign, by unsigned bytes; a prefix sorts first. */
int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* Offset of the first needle at or after from, or SIZE_MAX. */
size_t str_find(struct str s, struct str needle, size_t from);
bool str_contains(struct str s, struct str needle);
/* The part from offset (clamped) to the end; at most n bytes of it. */
struct str str_from(struct str s, size_t offset);
struct str str_sub(struct str s, size_t offset, size_t n);
/* Without spaces, tabs, CR and LF at both ends. */
struct str str_trim(struct str s);
/* Splits at the first sep: head before it, tail after it; without a sep head
 * is all of s, tail is empty and the answer is false. */
bool str_cut(struct str s, char sep, struct str *head, struct str *tail);
/* Takes the next sep-separated piece off *rest; false when *rest is spent.
 * An empty *rest with s != NULL gives one empty piece. */
bool str_next(struct str *rest, char sep, struct str *piece);
/* Decimal integers, whole view, optional sign for i64; false on overflow, an
 * empty view or any other byte (outputs untouched). */
bool str_to_i64(struct str s, int64_t *out);
bool str_to_u64(struct str s, uint64_t *out);
/* strtod in the C locale over the whole view, of up to 399 bytes. */
bool str_to_double(struct str s, double *out);

/* Edit distance (insert, delete, change) of two texts; SIZE_MAX when b has 64
 * bytes or more. For "did you mean". */
size_t str_distance(const char *a, const char *b);

/* A growing list of owned NUL-terminated strings. */
struct strlist {
    char **v;
    size_t n, cap;
};
void strlist_add(struct strlist *l, struct str s);
void strlist_addf(struct strlist *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool strlist_has(const struct strlist *l, struct str s);
/* Byte order. */
void strlist_sort(struct strlist *l);
void strlist_release(struct strlist *l);

#endif
