/* Lists; each function makes a new one. Source: sprig 3.3 list.go. */
#include <stdlib.h>

#include "lib/compose/funcs.h"

FUNC(fn_list)
{
    if (!call_list(c, n, ELEM_ANY, out))
        return false;
    if (n)
        memcpy(out->list->v, v, n * sizeof(*v));
    return true;
}

/* items with one more before or after them. */
static bool
with_one(struct call *c, const char *what, struct value list, struct value one,
         bool front, struct value *out)
{
    struct value *items;
    size_t n;

    if (!call_slice(c, what, list, &items, &n) ||
        !call_list(c, n + 1, ELEM_ANY, out))
        return false;
    if (n)
        memcpy(out->list->v + front, items, n * sizeof(*items));
    out->list->v[front ? 0 : n] = one;
    return true;
}

FUNC(fn_append)
{
    return with_one(c, "Cannot push on type", v[0], v[1], false, out);
}

FUNC(fn_prepend)
{
    return with_one(c, "Cannot prepend on type", v[0], v[1], true, out);
}

FUNC(fn_first)
{
    struct value *items;
    size_t count;

    if (!call_slice(c, "Cannot find first on type", v[0], &items, &count))
        return false;
    *out = count ? items[0] : value_nil();
    return true;
}

FUNC(fn_last)
{
    struct value *items;
    size_t count;

    if (!call_slice(c, "Cannot find last on type", v[0], &items, &count))
        return false;
    *out = count ? items[count - 1] : value_nil();
    return true;
}

/* n elements from start; an empty source gives a nil list. */
static bool
part(struct call *c, const struct value *items, size_t start, size_t n,
     struct value *out)
{
    if (!call_list(c, n, ELEM_ANY, out))
        return false;
    if (n)
        memcpy(out->list->v, items + start, n * sizeof(*items));
    return true;
}

FUNC(fn_rest)
{
    struct value *items;
    size_t count;

    if (!call_slice(c, "Cannot find rest on type", v[0], &items, &count))
        return false;
    if (count)
        return part(c, items, 1, count - 1, out);
    *out = value_nil_list(c->a, ELEM_ANY);
    return true;
}

FUNC(fn_initial)
{
    struct value *items;
    size_t count;

    if (!call_slice(c, "Cannot find initial on type", v[0], &items, &count))
        return false;
    if (count)
        return part(c, items, 0, count - 1, out);
    *out = value_nil_list(c->a, ELEM_ANY);
    return true;
}

FUNC(fn_reverse)
{
    struct value *items;
    size_t count;

    if (!call_slice(c, "Cannot find reverse on type", v[0], &items, &count) ||
        !call_list(c, count, ELEM_ANY, out))
        return false;
    for (size_t i = 0; i < count; i++)
        out->list->v[count - 1 - i] = items[i];
    return true;
}

FUNC(fn_compact)
{
    struct value *items;
    size_t count, used = 0;

    if (!call_slice(c, "Cannot compact on type", v[0], &items, &count) ||
        !call_list(c, count, ELEM_ANY, out))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!value_empty(items[i]))
            out->list->v[used++] = items[i];
    }
    out->list->n = used;
    return true;
}

static bool
in_list(struct call *c, const struct value *list, size_t n, struct value one)
{
    for (size_t i = 0; i < n; i++) {
        if (value_equal(c->a, list[i], one, &c->work))
            return true;
    }
    return false;
}

/* Comparing all with all is quadratic. */
#define MAX_QUADRATIC 5000

static bool
small_enough(struct call *c, size_t n)
{
    return n <= MAX_QUADRATIC ||
           call_limit(c, "a list has more than %d elements", MAX_QUADRATIC);
}

FUNC(fn_uniq)
{
    struct value *items;
    size_t count, used = 0;

    if (!call_slice(c, "Cannot find uniq on type", v[0], &items, &count) ||
        !small_enough(c, count) || !call_list(c, count, ELEM_ANY, out))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!in_list(c, out->list->v, used, items[i]))
            out->list->v[used++] = items[i];
    }
    out->list->n = used;
    return true;
}

FUNC(fn_without)
{
    struct value *items;
    size_t count, used = 0;

    if (!call_slice(c, "Cannot find without on type", v[0], &items, &count) ||
        !call_list(c, count, ELEM_ANY, out))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!in_list(c, v + 1, n - 1, items[i]))
            out->list->v[used++] = items[i];
    }
    out->list->n = used;
    return true;
}

FUNC(fn_has)
{
    struct value *items;
    size_t count;

    if (v[1].type == VALUE_NIL) {
        *out = value_bool(false);
        return true;
    }
    if (!call_slice(c, "Cannot find has on type", v[1], &items, &count))
        return false;
    *out = value_bool(in_list(c, items, count, v[0]));
    return true;
}

FUNC(fn_slice)
{
    struct value *items;
    size_t count;

    if (!call_slice(c, "list should be type of slice or array but", v[0],
                    &items, &count))
        return false;
    if (!count) {
        *out = value_nil();
        return true;
    }
    int64_t start = n > 1 ? func_to_int(v[1]) : 0;
    int64_t end = n > 2 ? func_to_int(v[2]) : (int64_t)count;

    if (start < 0 || start > end || end > (int64_t)count)
        return call_fail(c, "reflect.Value.Slice: slice index out of bounds");
    if (v[0].type != VALUE_LIST) {
        *out =
            value_bytes(str_sub(v[0].s, (size_t)start, (size_t)(end - start)));
        return true;
    }
    if (!part(c, items, (size_t)start, (size_t)(end - start), out))
        return false;
    out->list->elem = v[0].list->elem;
    return true;
}

FUNC(fn_concat)
{
    struct value *items;
    size_t count, total = 0;

    for (size_t i = 0; i < n; i++) {
        if (v[i].type != VALUE_LIST && v[i].type != VALUE_BYTES &&
            v[i].type != VALUE_NIL)
            return call_fail(c, "Cannot concat type %s as list",
                             value_kind_name(v[i]));
        if (!call_slice(c, "Cannot concat", v[i], &items, &count))
            return false;
        total += count;
    }
    if (!call_list(c, total, ELEM_ANY, out))
        return false;
    out->list->nil = total == 0;
    total = 0;
    for (size_t i = 0; i < n; i++) {
        call_slice(c, "", v[i], &items, &count);
        if (count)
            memcpy(out->list->v + total, items, count * sizeof(*items));
        total += count;
    }
    return true;
}

FUNC(fn_chunk)
{
    int64_t size = v[0].i;
    struct value *items;
    size_t count;

    if (!call_slice(c, "Cannot chunk type", v[1], &items, &count))
        return false;
    /* Sprig's ceiling of a division by less than nothing is no piece at all. */
    if (size < 0 && count > 1 && count - 1 <= (uint64_t)-size)
        return call_list(c, 0, ELEM_LIST, out);
    if (size <= 0)
        return call_fail(c, "runtime error: makeslice: len out of range");
    size_t pieces = (count + (size_t)size - 1) / (size_t)size;

    if (!call_list(c, pieces, ELEM_LIST, out))
        return false;
    for (size_t i = 0; i < pieces; i++) {
        size_t start = i * (size_t)size;

        if (!part(c, items, start, MIN((size_t)size, count - start),
                  &out->list->v[i]))
            return false;
    }
    return true;
}

static int
by_text(const void *x, const void *y)
{
    const struct value *p = x, *q = y;

    return str_cmp(p->s, q->s);
}

FUNC(fn_sort_alpha)
{
    struct value strings;
    size_t count;

    if (v[0].type == VALUE_NIL)
        strings = v[0];
    else if (!call_strings(c, v[0], &strings))
        return false;
    if (strings.type != VALUE_LIST) { /* what is no list is one text */
        *out = value_list(c->a, 1, ELEM_STRING);
        out->list->v[0] = value_str(call_strval(c, v[0]));
        return true;
    }
    const struct value *items = value_items(c->a, strings, &count);

    *out = value_list(c->a, count, ELEM_STRING);
    if (count)
        memcpy(out->list->v, items, count * sizeof(*items));
    qsort(out->list->v, count, sizeof(*items), by_text);
    return true;
}

/* ---- lists of numbers ---- */

static bool
steps(struct call *c, int64_t start, int64_t stop, int64_t step,
      struct value *out)
{
    size_t count = 0;

    if (stop < start && step < 0)
        count =
            ((uint64_t)start - (uint64_t)stop - 1) / (0 - (uint64_t)step) + 1;
    else if (stop > start && step > 0)
        count = ((uint64_t)stop - (uint64_t)start - 1) / (uint64_t)step + 1;
    if (!call_list(c, count, ELEM_INT, out))
        return false;
    for (size_t i = 0; i < count; i++)
        out->list->v[i] = value_int(start + (int64_t)i * step);
    return true;
}

FUNC(fn_until)
{
    return steps(c, 0, v[0].i, v[0].i < 0 ? -1 : 1, out);
}

FUNC(fn_until_step)
{
    return steps(c, v[0].i, v[1].i, v[2].i, out);
}

FUNC(fn_seq)
{
    struct value list;
    int64_t step = 1;
    size_t count;

    if (n < 1 || n > 3) {
        *out = value_str(STR(""));
        return true;
    }
    int64_t start = n == 1 ? 1 : v[0].i, end = v[n - 1].i;
    int64_t beyond = end < start ? end - 1 : end + 1;

    if (end < start)
        step = -1;
    if (n == 3) {
        if (end < start && v[1].i > 0) {
            *out = value_str(STR(""));
            return true;
        }
        step = v[1].i;
    }
    if (!steps(c, start, beyond, step, &list))
        return false;
    const struct value *items = value_items(c->a, list, &count);

    for (size_t i = 0; i < count; i++)
        buf_printf(&c->text, "%s%lld", i ? " " : "", (long long)items[i].i);
    return call_text(c, out);
}

static const struct func rows[] = {
    {"list", "a+", fn_list},        {"tuple", "a+", fn_list},
    {"append", "aa", fn_append},    {"mustAppend", "aa", fn_append},
    {"push", "aa", fn_append},      {"mustPush", "aa", fn_append},
    {"prepend", "aa", fn_prepend},  {"mustPrepend", "aa", fn_prepend},
    {"first", "a", fn_first},       {"mustFirst", "a", fn_first},
    {"last", "a", fn_last},         {"mustLast", "a", fn_last},
    {"rest", "a", fn_rest},         {"mustRest", "a", fn_rest},
    {"initial", "a", fn_initial},   {"mustInitial", "a", fn_initial},
    {"reverse", "a", fn_reverse},   {"mustReverse", "a", fn_reverse},
    {"compact", "a", fn_compact},   {"mustCompact", "a", fn_compact},
    {"uniq", "a", fn_uniq},         {"mustUniq", "a", fn_uniq},
    {"without", "aa+", fn_without}, {"mustWithout", "aa+", fn_without},
    {"has", "aa", fn_has},          {"mustHas", "aa", fn_has},
    {"slice", "aa+", fn_slice},     {"mustSlice", "aa+", fn_slice},
    {"concat", "a+", fn_concat},    {"chunk", "ia", fn_chunk},
    {"mustChunk", "ia", fn_chunk},  {"sortAlpha", "a", fn_sort_alpha},
    {"until", "i", fn_until},       {"untilStep", "iii", fn_until_step},
    {"seq", "i+", fn_seq},
};

const struct func_table funcs_list = {rows, ARRAY_LEN(rows)};
