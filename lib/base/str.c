#include "lib/base/str.h"

#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

struct str
str_of(const char *z)
{
    return (struct str){z, z ? strlen(z) : 0};
}

struct str
str_n(const char *s, size_t n)
{
    return (struct str){s, n};
}

bool
str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.s, b.s, a.n) == 0);
}

bool
str_eqz(struct str a, const char *z)
{
    return str_eq(a, str_of(z));
}

int
str_cmp(struct str a, struct str b)
{
    size_t n = MIN(a.n, b.n);
    int c = n ? memcmp(a.s, b.s, n) : 0;

    return c ? c : (a.n > b.n) - (a.n < b.n);
}

bool
str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq(str_n(s.s, prefix.n), prefix);
}

bool
str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n && str_eq(str_from(s, s.n - suffix.n), suffix);
}

size_t
str_find(struct str s, struct str needle, size_t from)
{
    if (from > s.n)
        return SIZE_MAX;
    if (needle.n == 0)
        return from;
    if (s.n == 0)
        return SIZE_MAX;
    const char *hit = memmem(s.s + from, s.n - from, needle.s, needle.n);

    return hit ? (size_t)(hit - s.s) : SIZE_MAX;
}

bool
str_contains(struct str s, struct str needle)
{
    return str_find(s, needle, 0) != SIZE_MAX;
}

struct str
str_from(struct str s, size_t offset)
{
    return str_sub(s, offset, SIZE_MAX);
}

struct str
str_sub(struct str s, size_t offset, size_t n)
{
    offset = MIN(offset, s.n);
    return (struct str){s.s ? s.s + offset : NULL, MIN(n, s.n - offset)};
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str
str_trim(struct str s)
{
    while (s.n && is_space(s.s[0]))
        s = str_from(s, 1);
    while (s.n && is_space(s.s[s.n - 1]))
        s.n--;
    return s;
}

bool
str_cut(struct str s, char sep, struct str *head, struct str *tail)
{
    const char *hit = s.n ? memchr(s.s, sep, s.n) : NULL;

    if (!hit) {
        *head = s;
        *tail = str_from(s, s.n);
        return false;
    }
    *head = str_n(s.s, (size_t)(hit - s.s));
    *tail = str_from(s, head->n + 1);
    return true;
}

bool
str_next(struct str *rest, char sep, struct str *piece)
{
    struct str tail;

    if (!rest->s)
        return false;
    if (!str_cut(*rest, sep, piece, &tail))
        tail = (struct str){0};
    *rest = tail;
    return true;
}

bool
str_to_u64(struct str s, uint64_t *out)
{
    uint64_t v = 0;

    if (!s.n)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.s[i] < '0' || s.s[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.s[i] - '0'), &v))
            return false;
    }
    *out = v;
    return true;
}

bool
str_to_i64(struct str s, int64_t *out)
{
    bool negative = s.n && s.s[0] == '-';
    uint64_t v;

    if (s.n && (s.s[0] == '-' || s.s[0] == '+'))
        s = str_from(s, 1);
    if (!str_to_u64(s, &v) || v > (uint64_t)INT64_MAX + negative)
        return false;
    *out = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

bool
str_to_double(struct str s, double *out)
{
    char text[400];
    char *end;

    if (!s.n || s.n >= sizeof(text) || is_space(s.s[0]))
        return false;
    memcpy(text, s.s, s.n);
    text[s.n] = '\0';
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double v = strtod_l(text, &end, c);

    freelocale(c);
    if (end != text + s.n)
        return false;
    *out = v;
    return true;
}

size_t
str_distance(const char *a, const char *b)
{
    size_t row[64], n = strlen(b);

    if (n >= ARRAY_LEN(row))
        return SIZE_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            row[j] = MIN(change, MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[n];
}

void
strlist_add(struct strlist *l, struct str s)
{
    l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
    l->v[l->n++] = mem_strndup(s.s, s.n);
}

void
strlist_addf(struct strlist *l, const char *fmt, ...)
{
    va_list ap;
    char *text;

    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        die("out of memory");
    va_end(ap);
    l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
    l->v[l->n++] = text;
}

bool
strlist_has(const struct strlist *l, struct str s)
{
    for (size_t i = 0; i < l->n; i++) {
        if (str_eqz(s, l->v[i]))
            return true;
    }
    return false;
}

static int
compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void
strlist_sort(struct strlist *l)
{
    if (l->n)
        qsort(l->v, l->n, sizeof(*l->v), compare);
}

void
strlist_release(struct strlist *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->v[i]);
    free(l->v);
    *l = (struct strlist){0};
}
