#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/re_prog.h"

void
re_class_add(struct re_class *c, uint32_t lo, uint32_t hi)
{
    if (c->n && c->v[c->n - 1].lo <= lo && lo <= c->v[c->n - 1].hi + 1) {
        c->v[c->n - 1].hi = MAX(c->v[c->n - 1].hi, hi);
        return;
    }
    c->v = mem_grow(c->v, &c->cap, c->n + 1, sizeof(*c->v));
    c->v[c->n++] = (struct re_range){lo, hi};
}

static int
by_low(const void *a, const void *b)
{
    const struct re_range *x = a, *y = b;

    return (x->lo > y->lo) - (x->lo < y->lo);
}

static void
set_ascii(struct re_class *c)
{
    c->ascii[0] = c->ascii[1] = 0;
    for (size_t i = 0; i < c->n && c->v[i].lo < 128; i++) {
        for (uint32_t b = c->v[i].lo; b <= MIN(c->v[i].hi, 127u); b++)
            c->ascii[b / 64] |= (uint64_t)1 << b % 64;
    }
}

void
re_class_clean(struct re_class *c)
{
    size_t n = 0;

    if (c->n)
        qsort(c->v, c->n, sizeof(*c->v), by_low);
    for (size_t i = 0; i < c->n; i++) {
        if (n && c->v[i].lo <= c->v[n - 1].hi + 1)
            c->v[n - 1].hi = MAX(c->v[n - 1].hi, c->v[i].hi);
        else
            c->v[n++] = c->v[i];
    }
    c->n = n;
    set_ascii(c);
}

void
re_class_negate(struct re_class *c)
{
    struct re_class out = {0};
    uint32_t next = 0;

    for (size_t i = 0; i < c->n; i++) {
        if (c->v[i].lo > next)
            re_class_add(&out, next, c->v[i].lo - 1);
        next = c->v[i].hi + 1;
    }
    if (next <= RE_MAX_RUNE)
        re_class_add(&out, next, RE_MAX_RUNE);
    set_ascii(&out);
    free(c->v);
    *c = out;
}

bool
re_class_has(const struct re_class *c, uint32_t cp)
{
    size_t low = 0, high = c->n;

    if (cp < 128)
        return c->ascii[cp / 64] >> cp % 64 & 1;
    while (low < high) {
        size_t mid = (low + high) / 2;

        if (cp < c->v[mid].lo)
            high = mid;
        else if (cp > c->v[mid].hi)
            low = mid + 1;
        else
            return true;
    }
    return false;
}

void
re_class_release(struct re_class *c)
{
    free(c->v);
    *c = (struct re_class){0};
}

uint32_t
re_next_fold(uint32_t cp)
{
    int32_t c = (int32_t)cp;
    size_t low = 0, high = re_fold_count;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (c < re_folds[mid].lo)
            high = mid;
        else
            low = mid + 1;
    }
    /* Runs with a step of 2 may reach over the ones behind them. */
    for (size_t i = low; i > 0 && i + 4 > low; i--) {
        const struct re_fold *f = &re_folds[i - 1];

        if (c <= f->hi && (c - f->lo) % f->step == 0)
            return (uint32_t)(c + f->delta);
    }
    return cp;
}

static void
add_circle(struct re_class *c, uint32_t cp)
{
    for (uint32_t f = re_next_fold(cp); f != cp; f = re_next_fold(f))
        re_class_add(c, f, f);
}

void
re_class_fold(struct re_class *c)
{
    size_t total = 0, n = c->n;

    for (size_t i = 0; i < n; i++)
        total += c->v[i].hi - c->v[i].lo + 1;
    if (total < 512) {
        for (size_t i = 0; i < n; i++) {
            struct re_range r = c->v[i];

            for (uint32_t cp = r.lo; cp <= r.hi; cp++)
                add_circle(c, cp);
        }
    } else {
        struct re_class have = {c->v, n, n, {c->ascii[0], c->ascii[1]}};

        have.v =
            memcpy(mem_alloc(n * sizeof(*have.v)), c->v, n * sizeof(*have.v));
        for (size_t i = 0; i < re_fold_count; i++) {
            const struct re_fold *f = &re_folds[i];

            for (int32_t cp = f->lo; cp <= f->hi; cp += f->step) {
                if (re_class_has(&have, (uint32_t)cp))
                    add_circle(c, (uint32_t)cp);
            }
        }
        free(have.v);
    }
    re_class_clean(c);
}

static bool
add_runs(struct re_class *c, struct str name, const char *const *names,
         size_t name_count, const uint32_t *runs, size_t run_count)
{
    bool found = false;

    for (size_t k = 1; k < name_count; k++) {
        struct str have = str_of(names[k]);

        /* "L" stands for all categories that begin with it. */
        if (!str_eq(have, name) &&
            !(name.n == 1 && have.n == 2 && have.s[0] == name.s[0]))
            continue;
        found = true;
        for (size_t i = 0; i < run_count; i++) {
            uint32_t end =
                i + 1 < run_count ? runs[i + 1] >> 8 : RE_MAX_RUNE + 1;

            if ((runs[i] & 0xFF) == k)
                re_class_add(c, runs[i] >> 8, end - 1);
        }
    }
    return found;
}

bool
re_class_unicode(struct re_class *c, struct str name)
{
    if (str_eqz(name, "Any")) {
        re_class_add(c, 0, RE_MAX_RUNE);
        return true;
    }
    return name.n && (add_runs(c, name, re_category_names, re_category_count,
                               re_category_runs, re_category_run_count) ||
                      add_runs(c, name, re_script_names, re_script_count,
                               re_script_runs, re_script_run_count));
}
