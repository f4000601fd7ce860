#include <stdlib.h>

#include "lib/schema/cel_node.h"

/*
 * Functions of lists (Kubernetes' and cel-go's ext/lists.go, version 3), sets
 * (ext/sets.go) and optionals (cel/library.go).
 */

/* ---- Kubernetes' lists ---- */

static struct cel_value
is_sorted(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    const struct cel_value *v = cel_list_items(e, a->list);

    for (size_t i = 1; v && i < a->list->n; i++) {
        struct cel_value c = cel_compare(e, &v[i - 1], &v[i]);

        if (c.kind == CEL_INT && c.i > 0)
            return cel_of_bool(false);
    }
    return cel_of_bool(true);
}

/* The element that no other one beats. */
static struct cel_value
extreme(struct cel_eval *e, const struct cel_value *a, int sign,
        const char *name)
{
    const struct cel_value *v = cel_list_items(e, a->list), *best = v;

    if (!a->list->n || !v)
        return cel_error(e, "%s called on empty list", name);
    for (size_t i = 1; i < a->list->n; i++) {
        struct cel_value c = cel_compare(e, best, &v[i]);

        if (v[i].kind == CEL_ERROR)
            return v[i];
        if (c.kind == CEL_INT && c.i == sign)
            best = &v[i];
    }
    return *best;
}

static struct cel_value
min(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return extreme(e, a, 1, "min");
}

static struct cel_value
max(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return extreme(e, a, -1, "max");
}

static struct cel_value
total(struct cel_eval *e, const struct cel_value *a, enum cel_kind kind)
{
    const struct cel_value *v = cel_list_items(e, a->list);
    struct cel_value sum[2] = {{.kind = kind}};

    for (size_t i = 0; v && i < a->list->n; i++) {
        if (v[i].kind != kind)
            return v[i].kind == CEL_ERROR ? v[i] : cel_mismatch();
        sum[1] = v[i];
        sum[0] = cel_add(e, sum, 2);
        if (sum[0].kind == CEL_ERROR)
            return sum[0];
    }
    return sum[0];
}

/* An empty list of unknown type is summed as integers. */
static struct cel_value
sum(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    const struct cel_value *v = cel_list_items(e, a->list);
    enum cel_kind kind = v && a->list->n ? v->kind : CEL_INT;
    bool can = kind == CEL_UINT || kind == CEL_DOUBLE || kind == CEL_DURATION;

    return total(e, a, can ? kind : CEL_INT);
}

static struct cel_value
sum_double(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return a->list->n ? sum(e, a, n) : cel_of_double(0);
}

static struct cel_value
sum_duration(struct cel_eval *e, const struct cel_value *a, size_t n)
{
    return a->list->n ? sum(e, a, n) : total(e, a, CEL_DURATION);
}

static struct cel_value
sum_uint(struct cel_eval *e, const struct cel_value *a, size_t n)
{
    return a->list->n ? sum(e, a, n) : total(e, a, CEL_UINT);
}

static struct cel_value
index_of(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    const struct cel_value *v = cel_list_items(e, a->list);

    for (size_t i = 0; v && i < a->list->n; i++) {
        if (cel_is_equal(e, &v[i], &a[1]))
            return cel_of_int((int64_t)i);
    }
    return cel_of_int(-1);
}

static struct cel_value
last_index_of(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    const struct cel_value *v = cel_list_items(e, a->list);

    for (size_t i = v ? a->list->n : 0; i > 0; i--) {
        if (cel_is_equal(e, &v[i - 1], &a[1]))
            return cel_of_int((int64_t)i - 1);
    }
    return cel_of_int(-1);
}

/* ---- cel-go's lists ---- */

static struct cel_value
slice(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    long long from = (long long)a[1].i, to = (long long)a[2].i;
    const struct cel_value *v = cel_list_items(e, a->list);

    if (from < 0 || to < 0)
        return cel_error(
            e, "cannot slice(%lld, %lld), negative indexes not supported", from,
            to);
    if (from > to)
        return cel_error(e,
                         "cannot slice(%lld, %lld), start index must be less "
                         "than or equal to end index",
                         from, to);
    if ((uint64_t)to > a->list->n)
        return cel_error(e, "cannot slice(%lld, %lld), list is length %zu",
                         from, to, a->list->n);
    struct cel_list *l = cel_list_new(e, (size_t)(to - from));

    if (l && v) {
        l->n = (size_t)(to - from);
        memcpy(l->v, v + from, l->n * sizeof(*v));
    }
    return cel_of_list(l);
}

/* How many elements there will be, or their copies. */
static size_t
flatten_into(struct cel_eval *e, const struct cel_list *from, int64_t depth,
             struct cel_list *to)
{
    const struct cel_value *v = cel_list_items(e, from);
    size_t n = 0;

    for (size_t i = 0; v && i < from->n && cel_work(e, 1); i++) {
        if (v[i].kind == CEL_LIST && depth > 0) {
            n += flatten_into(e, v[i].list, depth - 1, to);
            continue;
        }
        if (to)
            to->v[to->n++] = v[i];
        n++;
    }
    return n;
}

static struct cel_value
flatten(struct cel_eval *e, const struct cel_value *a, size_t n)
{
    int64_t depth = n > 1 ? a[1].i : 1;

    if (depth < 0)
        return cel_error(e, "level must be non-negative");
    struct cel_list *l = cel_list_new(e, flatten_into(e, a->list, depth, NULL));

    if (l)
        flatten_into(e, a->list, depth, l);
    return cel_of_list(l);
}

/* An element and its key, for sorting. */
struct keyed {
    struct cel_value value, key;
    size_t place;
    struct cel_eval *e;
};

static int
by_key(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    struct cel_value c = cel_compare(x->e, &x->key, &y->key);

    if (c.kind == CEL_INT && c.i)
        return (int)c.i;
    return (x->place > y->place) - (x->place < y->place);
}

struct cel_value
cel_sort_by(struct cel_eval *e, const struct cel_list *l,
            const struct cel_list *keys)
{
    const struct cel_value *v = cel_list_items(e, l);
    const struct cel_value *k = cel_list_items(e, keys);
    struct cel_list *sorted = cel_list_new(e, l->n);
    struct keyed *pairs = cel_alloc(e, (l->n + 1) * sizeof(*pairs));

    if (!sorted || !pairs || !v || !k)
        return cel_mismatch();
    for (size_t i = 0; i < l->n; i++) {
        if (k[i].kind != k[0].kind)
            return cel_error(e, "list elements must have the same type");
        if (cel_compare(e, &k[i], &k[i]).kind == CEL_ERROR)
            return cel_error(e, "list elements must be comparable");
        pairs[i] = (struct keyed){v[i], k[i], i, e};
    }
    if (l->n)
        qsort(pairs, l->n, sizeof(*pairs), by_key);
    for (size_t i = 0; i < l->n; i++)
        sorted->v[sorted->n++] = pairs[i].value;
    return cel_of_list(sorted);
}

static struct cel_value
sort(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_sort_by(e, a->list, a->list);
}

static struct cel_value
range(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    size_t count = a->i < 0 ? 0 : (size_t)a->i;
    struct cel_list *l =
        count < SIZE_MAX / 64 ? cel_list_new(e, count) : cel_list_new(e, 0);

    e->run->stopped |= count >= SIZE_MAX / 64;
    for (size_t i = 0; l && !e->run->stopped && i < count; i++)
        l->v[l->n++] = cel_of_int((int64_t)i);
    return cel_of_list(l);
}

static struct cel_value
reverse(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    const struct cel_value *v = cel_list_items(e, a->list);
    struct cel_list *l = cel_list_new(e, a->list->n);

    for (size_t i = l && v ? a->list->n : 0; i > 0; i--)
        l->v[l->n++] = v[i - 1];
    return cel_of_list(l);
}

static bool
holds(struct cel_eval *e, const struct cel_value *v, size_t n,
      const struct cel_value *wanted)
{
    for (size_t i = 0; i < n && cel_work(e, 1); i++) {
        if (cel_is_equal(e, &v[i], wanted))
            return true;
    }
    return false;
}

static struct cel_value
distinct(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    const struct cel_value *v = cel_list_items(e, a->list);
    struct cel_list *l = cel_list_new(e, a->list->n);

    for (size_t i = 0; l && v && i < a->list->n; i++) {
        if (!holds(e, l->v, l->n, &v[i]))
            l->v[l->n++] = v[i];
    }
    return cel_of_list(l);
}

/* ---- sets ---- */

/* How many elements of b are in a? */
static size_t
shared(struct cel_eval *e, const struct cel_list *a, const struct cel_list *b)
{
    const struct cel_value *x = cel_list_items(e, a), *y = cel_list_items(e, b);
    size_t n = 0;

    for (size_t i = 0; x && y && i < b->n; i++)
        n += holds(e, x, a->n, &y[i]);
    return n;
}

static struct cel_value
set_contains(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_of_bool(shared(e, a[0].list, a[1].list) == a[1].list->n);
}

static struct cel_value
set_equivalent(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_of_bool(shared(e, a[0].list, a[1].list) == a[1].list->n &&
                       shared(e, a[1].list, a[0].list) == a[0].list->n);
}

static struct cel_value
set_intersects(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_of_bool(shared(e, a[0].list, a[1].list) > 0);
}

/* An order is defined for these. */
#define ORDERED(name, result, run)                                             \
    {name, "li.>" result("i"), run, CEL_COST_TRAVERSE},                        \
        {name, "lu.>" result("u"), run, CEL_COST_TRAVERSE},                    \
        {name, "ld.>" result("d"), run, CEL_COST_TRAVERSE},                    \
        {name, "lb.>" result("b"), run, CEL_COST_TRAVERSE},                    \
        {name, "lr.>" result("r"), run, CEL_COST_TRAVERSE},                    \
        {name, "lt.>" result("t"), run, CEL_COST_TRAVERSE},                    \
        {name, "ls.>" result("s"), run, CEL_COST_TRAVERSE},                    \
    {                                                                          \
        name, "ly.>" result("y"), run, CEL_COST_TRAVERSE                       \
    }
#define AS_ELEMENT(t) t
#define AS_BOOL(t)    "b"

static const struct cel_overload rows[] = {
    ORDERED("isSorted", AS_BOOL, is_sorted),
    ORDERED("min", AS_ELEMENT, min),
    ORDERED("max", AS_ELEMENT, max),
    {"sum", "li.>i", sum, CEL_COST_TRAVERSE},
    {"sum", "lu.>u", sum_uint, CEL_COST_TRAVERSE},
    {"sum", "ld.>d", sum_double, CEL_COST_TRAVERSE},
    {"sum", "lr.>r", sum_duration, CEL_COST_TRAVERSE},
    {"indexOf", "lA.A>i", index_of, CEL_COST_TRAVERSE},
    {"lastIndexOf", "lA.A>i", last_index_of, CEL_COST_TRAVERSE},
    {"slice", "lA.ii>lA", slice, CEL_COST_NEW_LIST},
    {"flatten", "llA.>lA", flatten, CEL_COST_FLATTEN},
    {"flatten", "l*.i>l*", flatten, CEL_COST_FLATTEN},
    {"sort", "li.>li", sort, CEL_COST_SORT},
    {"sort", "lu.>lu", sort, CEL_COST_SORT},
    {"sort", "ld.>ld", sort, CEL_COST_SORT},
    {"sort", "lb.>lb", sort, CEL_COST_SORT},
    {"sort", "lr.>lr", sort, CEL_COST_SORT},
    {"sort", "lt.>lt", sort, CEL_COST_SORT},
    {"sort", "ls.>ls", sort, CEL_COST_SORT},
    {"sort", "ly.>ly", sort, CEL_COST_SORT},
    {"lists.range", "i>li", range, CEL_COST_NEW_LIST},
    {"reverse", "lA.>lA", reverse, CEL_COST_NEW_LIST},
    {"distinct", "lA.>lA", distinct, CEL_COST_SORT},
    {"sets.contains", "lAlA>b", set_contains, CEL_COST_SETS},
    {"sets.equivalent", "lAlA>b", set_equivalent, CEL_COST_SETS2},
    {"sets.intersects", "lAlA>b", set_intersects, CEL_COST_SETS},
};

const struct cel_library cel_lists = {rows, ARRAY_LEN(rows)};

/* ---- optionals ---- */

static struct cel_value
of(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_optional(e->run->arena, a);
}

static struct cel_value
none(struct cel_eval *e, UNUSED const struct cel_value *a, UNUSED size_t n)
{
    return cel_optional(e->run->arena, NULL);
}

static bool
is_zero(const struct cel_value *v)
{
    switch (v->kind) {
    case CEL_NULL:
        return true;
    case CEL_BOOL:
        return !v->b;
    case CEL_INT:
    case CEL_UINT:
    case CEL_DURATION:
        return v->u == 0;
    case CEL_DOUBLE:
        return v->d == 0;
    case CEL_STRING:
    case CEL_BYTES:
        return v->s.n == 0;
    case CEL_LIST:
        return v->list->n == 0 && !v->list->schema;
    case CEL_MAP:
        return v->map->n == 0 && !v->map->schema;
    case CEL_OPTIONAL:
        return !v->some;
    default:
        return false;
    }
}

static struct cel_value
of_non_zero(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_optional(e->run->arena, is_zero(a) ? NULL : a);
}

static struct cel_value
value(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return a->some ? *a->some : cel_error(e, "optional.none() dereference");
}

static struct cel_value
has_value(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_of_bool(a->some != NULL);
}

static struct cel_value
end(struct cel_eval *e, const struct cel_value *a, bool last)
{
    const struct cel_value *v = cel_list_items(e, a->list);

    return cel_optional(e->run->arena,
                        v && a->list->n ? &v[last ? a->list->n - 1 : 0] : NULL);
}

static struct cel_value
first(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return end(e, a, false);
}

static struct cel_value
last(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return end(e, a, true);
}

static struct cel_value
unwrap(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    const struct cel_value *v = cel_list_items(e, a->list);
    struct cel_list *l = cel_list_new(e, a->list->n);

    for (size_t i = 0; l && v && i < a->list->n; i++) {
        if (v[i].kind != CEL_OPTIONAL)
            return cel_mismatch();
        if (v[i].some)
            l->v[l->n++] = *v[i].some;
    }
    return cel_of_list(l);
}

static const struct cel_overload optional_rows[] = {
    {"optional.of", "A>oA", of, CEL_COST_ONE},
    {"optional.ofNonZeroValue", "A>oA", of_non_zero, CEL_COST_ONE},
    {"optional.none", ">oA", none, CEL_COST_ONE},
    {"value", "oA.>A", value, CEL_COST_ONE},
    {"hasValue", "oA.>b", has_value, CEL_COST_ONE},
    {"or", "oA.oA>oA", of, CEL_COST_ONE},
    {"orValue", "oA.A>A", of, CEL_COST_ONE},
    {"first", "lA.>oA", first, CEL_COST_ONE},
    {"last", "lA.>oA", last, CEL_COST_ONE},
    {"optional.unwrap", "loA>lA", unwrap, CEL_COST_ONE},
    {"unwrapOpt", "loA.>lA", unwrap, CEL_COST_ONE},
};

const struct cel_library cel_optionals = {optional_rows,
                                          ARRAY_LEN(optional_rows)};
