#include "lib/compose/value.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

#include "lib/base/utf8.h"

#include "lib/compose/format.h"

/* ---- making ---- */

struct value
value_none(void)
{
    return (struct value){.type = VALUE_NONE};
}

struct value
value_nil(void)
{
    return (struct value){.type = VALUE_NIL};
}

struct value
value_bool(bool b)
{
    return (struct value){.type = VALUE_BOOL, .b = b};
}

struct value
value_int(int64_t i)
{
    return (struct value){.type = VALUE_INT, .i = i};
}

struct value
value_int64(int64_t i)
{
    return (struct value){.type = VALUE_INT64, .i = i};
}

struct value
value_float(double f)
{
    return (struct value){.type = VALUE_FLOAT, .f = f};
}

struct value
value_str(struct str s)
{
    return (struct value){.type = VALUE_STRING, .s = s};
}

struct value
value_bytes(struct str s)
{
    return (struct value){.type = VALUE_BYTES, .s = s};
}

struct value
value_time(struct gotime t)
{
    return (struct value){.type = VALUE_TIME, .time = t};
}

static struct value
new_list(struct arena *a, enum value_elem elem)
{
    struct value v = {.type = VALUE_LIST};

    v.list = arena_alloc(a, sizeof(*v.list));
    v.list->elem = (uint8_t)elem;
    return v;
}

struct value
value_list(struct arena *a, size_t n, enum value_elem elem)
{
    struct value v = new_list(a, elem);

    v.list->n = n;
    v.list->v = arena_array(a, n, sizeof(*v.list->v));
    for (size_t i = 0; i < n; i++)
        v.list->v[i] = value_nil();
    return v;
}

struct value
value_nil_list(struct arena *a, enum value_elem elem)
{
    struct value v = new_list(a, elem);

    v.list->nil = true;
    return v;
}

struct value
value_map(struct arena *a, enum value_elem elem)
{
    struct value v = {.type = VALUE_MAP};

    v.map = arena_alloc(a, sizeof(*v.map));
    v.map->elem = (uint8_t)elem;
    return v;
}

struct value
value_nil_map(struct arena *a, enum value_elem elem)
{
    struct value v = value_map(a, elem);

    v.map->nil = true;
    return v;
}

#define INT64_LIMIT 9223372036854775808.0 /* 2^63 */

static struct value
number(const struct json *j, enum value_numbers numbers)
{
    double d = 0;
    int64_t i;

    if (numbers == NUMBERS_YAML && json_is_integer(j) && json_int64(j, &i))
        return value_int(i);
    json_double(j, &d);
    if (numbers == NUMBERS_K8S && d == floor(d) && fabs(d) < INT64_LIMIT)
        return value_int64((int64_t)d);
    return value_float(d);
}

struct value
value_json(struct arena *a, const struct json *j, enum value_numbers numbers)
{
    struct value v;

    switch (json_type_of(j)) {
    case JSON_NULL:
        break;
    case JSON_BOOL:
        return value_bool(json_bool(j, false));
    case JSON_NUMBER:
        return number(j, numbers);
    case JSON_STRING:
        return value_str(str_of(json_string(j)));
    case JSON_ARRAY:
        v = new_list(a, ELEM_ANY);
        v.list->src = j;
        v.list->numbers = (uint8_t)numbers;
        return v;
    case JSON_OBJECT:
        v = value_map(a, ELEM_ANY);
        v.map->src = j;
        v.map->numbers = (uint8_t)numbers;
        return v;
    }
    return value_nil();
}

/* ---- unpacking JSON, one level ---- */

struct value *
value_items(struct arena *a, struct value list, size_t *n)
{
    struct value_list *l = list.list;

    if (l->src) {
        size_t i = 0;

        l->n = json_len(l->src);
        l->v = arena_array(a, l->n, sizeof(*l->v));
        for (const struct json *c = json_first(l->src); c; c = json_next(c))
            l->v[i++] = value_json(a, c, l->numbers);
        l->src = NULL;
    }
    *n = l->n;
    return l->v;
}

static int
by_key(const void *x, const void *y)
{
    const struct value_entry *p = x, *q = y;

    return str_cmp(p->key, q->key);
}

struct value_entry *
value_entries(struct arena *a, struct value map, size_t *n)
{
    struct value_map *m = map.map;

    if (m->src) {
        bool sorted = true;
        size_t i = 0;

        m->n = m->cap = json_len(m->src);
        m->v = arena_array(a, m->n, sizeof(*m->v));
        for (const struct json *c = json_first(m->src); c; c = json_next(c)) {
            m->v[i].key = str_of(json_key(c));
            m->v[i].value = value_json(a, c, m->numbers);
            if (i && str_cmp(m->v[i - 1].key, m->v[i].key) > 0)
                sorted = false;
            i++;
        }
        if (!sorted)
            qsort(m->v, m->n, sizeof(*m->v), by_key);
        m->src = NULL;
    }
    *n = m->n;
    return m->v;
}

/* ---- reading ---- */

size_t
value_len(struct value v)
{
    switch (v.type) {
    case VALUE_STRING:
    case VALUE_BYTES:
        return v.s.n;
    case VALUE_LIST:
        return v.list->src ? json_len(v.list->src) : v.list->n;
    case VALUE_MAP:
        return v.map->src ? json_len(v.map->src) : v.map->n;
    default:
        return 0;
    }
}

/* The place of key among n sorted entries; *found tells whether it is there. */
static size_t
place(const struct value_entry *v, size_t n, struct str key, bool *found)
{
    size_t lo = 0, hi = n;

    *found = false;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = str_cmp(v[mid].key, key);

        if (c == 0) {
            *found = true;
            return mid;
        }
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

bool
value_get(struct arena *a, struct value map, struct str key, struct value *out)
{
    size_t n;
    bool found;
    struct value_entry *v = value_entries(a, map, &n);
    size_t i = place(v, n, key, &found);

    if (!found)
        return false;
    *out = v[i].value;
    out->boxed = map.map->elem == ELEM_ANY || map.map->elem == ELEM_GENERAL;
    return true;
}

bool
value_has(struct arena *a, struct value map, struct str key)
{
    struct value unused;

    return value_get(a, map, key, &unused);
}

struct value
value_at(struct arena *a, struct value map, ...)
{
    va_list ap;
    const char *key;

    va_start(ap, map);
    while ((key = va_arg(ap, const char *))) {
        if (map.type != VALUE_MAP || !value_get(a, map, str_of(key), &map)) {
            map = value_none();
            break;
        }
    }
    va_end(ap);
    map.boxed = false;
    return map;
}

bool
value_true(struct value v)
{
    switch (v.type) {
    case VALUE_NONE:
    case VALUE_NIL:
        return false;
    case VALUE_BOOL:
        return v.b;
    case VALUE_FLOAT:
        return v.f != 0;
    case VALUE_INT:
    case VALUE_INT64:
    case VALUE_INT32:
    case VALUE_UINT8:
        return v.i != 0;
    case VALUE_STRUCT:
    case VALUE_TIME:
        return true;
    default:
        return value_len(v) > 0;
    }
}

bool
value_empty(struct value v)
{
    return !value_true(v);
}

bool
value_is_nil(struct value v)
{
    return v.type == VALUE_NONE || v.type == VALUE_NIL ||
           (v.type == VALUE_LIST && v.list->nil) ||
           (v.type == VALUE_MAP && v.map->nil);
}

bool
value_is_integer(struct value v)
{
    return v.type == VALUE_INT || v.type == VALUE_INT64 ||
           v.type == VALUE_INT32 || v.type == VALUE_UINT8;
}

static const char *const list_names[] = {
    [ELEM_ANY] = "[]interface {}", [ELEM_STRING] = "[]string",
    [ELEM_INT] = "[]int",          [ELEM_LIST] = "[][]interface {}",
    [ELEM_BYTES] = "[][]uint8",
};

static const char *const map_names[] = {
    [ELEM_ANY] = "map[string]interface {}",
    [ELEM_STRING] = "map[string]string",
    [ELEM_INT] = "map[string]int",
    [ELEM_LIST] = "map[string][]interface {}",
    [ELEM_BYTES] = "map[string][]uint8",
    [ELEM_GENERAL] = "map[interface {}]interface {}",
};

static const char *const plain_names[] = {
    [VALUE_NONE] = "<nil>",     [VALUE_NIL] = "<nil>",
    [VALUE_BOOL] = "bool",      [VALUE_INT] = "int",
    [VALUE_INT64] = "int64",    [VALUE_INT32] = "int32",
    [VALUE_UINT8] = "uint8",    [VALUE_FLOAT] = "float64",
    [VALUE_STRING] = "string",  [VALUE_BYTES] = "[]uint8",
    [VALUE_TIME] = "time.Time",
};

const char *
value_type_name(struct value v)
{
    if (v.name)
        return v.name;
    if (v.type == VALUE_LIST)
        return list_names[v.list->elem];
    if (v.type == VALUE_MAP)
        return map_names[v.map->elem];
    if (v.type == VALUE_STRUCT)
        return v.st->type;
    return plain_names[v.type];
}

const char *
value_kind_name(struct value v)
{
    switch (v.type) {
    case VALUE_NONE:
    case VALUE_NIL:
        return "invalid";
    case VALUE_LIST:
    case VALUE_BYTES:
        return "slice";
    case VALUE_MAP:
        return "map";
    case VALUE_STRUCT:
        return v.st->type[0] == '*' ? "ptr" : "struct";
    case VALUE_TIME:
        return "struct";
    default:
        return plain_names[v.type];
    }
}

/*
 * Templates can build values that hold themselves or share parts a million
 * times, so each walk over whole trees has a budget of depth and of nodes.
 */
#define WALK_DEPTH 200
#define WALK_NODES 1000000

struct walk {
    struct arena *a;
    unsigned depth;
    size_t nodes;
};

static bool equal(struct walk *w, struct value x, struct value y);

static bool
equal_lists(struct walk *w, struct value x, struct value y)
{
    size_t n, m;
    struct value *p = value_items(w->a, x, &n), *q = value_items(w->a, y, &m);

    if (n != m || x.list->elem != y.list->elem || x.list->nil != y.list->nil)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!equal(w, p[i], q[i]))
            return false;
    }
    return true;
}

static bool
equal_maps(struct walk *w, struct value x, struct value y)
{
    size_t n, m;
    struct value_entry *p = value_entries(w->a, x, &n);
    struct value_entry *q = value_entries(w->a, y, &m);

    if (n != m || x.map->elem != y.map->elem || x.map->nil != y.map->nil)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!str_eq(p[i].key, q[i].key) || !equal(w, p[i].value, q[i].value))
            return false;
    }
    return true;
}

static bool
equal(struct walk *w, struct value x, struct value y)
{
    bool same;

    if (x.type == VALUE_NONE)
        x.type = VALUE_NIL;
    if (y.type == VALUE_NONE)
        y.type = VALUE_NIL;
    if (x.type != y.type || (x.name != y.name && x.type == VALUE_STRING))
        return false;
    if (w->depth >= WALK_DEPTH || ++w->nodes > WALK_NODES)
        return false;
    w->depth++;
    switch (x.type) {
    case VALUE_NIL:
        same = true;
        break;
    case VALUE_BOOL:
        same = x.b == y.b;
        break;
    case VALUE_FLOAT:
        same = x.f == y.f;
        break;
    case VALUE_STRING:
    case VALUE_BYTES:
        same = str_eq(x.s, y.s);
        break;
    case VALUE_LIST:
        same = x.list == y.list || equal_lists(w, x, y);
        break;
    case VALUE_MAP:
        same = x.map == y.map || equal_maps(w, x, y);
        break;
    case VALUE_STRUCT:
        same = x.st == y.st;
        break;
    default:
        same = x.i == y.i;
    }
    w->depth--;
    return same;
}

bool
value_equal(struct arena *a, struct value x, struct value y, size_t *work)
{
    struct walk w = {.a = a};
    bool same = equal(&w, x, y);

    *work += w.nodes;
    return same;
}

/* ---- changing and copying ---- */

void
value_set(struct arena *a, struct value map, struct str key, struct value v)
{
    struct value_map *m = map.map;
    bool found;
    size_t n;

    value_entries(a, map, &n);
    size_t i = place(m->v, n, key, &found);

    v.boxed = false;
    if (found) {
        m->v[i].value = v;
        return;
    }
    if (m->n == m->cap) {
        size_t cap = MAX(m->cap * 2, (size_t)8);
        struct value_entry *fresh = arena_array(a, cap, sizeof(*fresh));

        if (m->n)
            memcpy(fresh, m->v, m->n * sizeof(*fresh));
        m->v = fresh;
        m->cap = cap;
    }
    memmove(&m->v[i + 1], &m->v[i], (m->n - i) * sizeof(*m->v));
    m->v[i] = (struct value_entry){arena_str(a, key), v};
    m->n++;
}

void
value_unset(struct arena *a, struct value map, struct str key)
{
    struct value_map *m = map.map;
    bool found;
    size_t n;

    value_entries(a, map, &n);
    size_t i = place(m->v, n, key, &found);

    if (!found)
        return;
    memmove(&m->v[i], &m->v[i + 1], (m->n - i - 1) * sizeof(*m->v));
    m->n--;
}

static struct value
deep_copy(struct walk *w, struct value v)
{
    struct value copy = v;
    size_t n;

    if (w->depth >= WALK_DEPTH || ++w->nodes > WALK_NODES)
        return v;
    w->depth++;
    if ((v.type == VALUE_LIST && v.list->src) ||
        (v.type == VALUE_MAP && v.map->src)) {
        /* Nobody has changed it: wrap the JSON once more. */
        copy = v.type == VALUE_LIST
                   ? value_json(w->a, v.list->src, v.list->numbers)
                   : value_json(w->a, v.map->src, v.map->numbers);
    } else if (v.type == VALUE_LIST && !v.list->nil) {
        struct value *from = value_items(w->a, v, &n);

        copy = value_list(w->a, n, v.list->elem);
        for (size_t i = 0; i < n; i++)
            copy.list->v[i] = deep_copy(w, from[i]);
    } else if (v.type == VALUE_MAP && !v.map->nil) {
        struct value_entry *from = value_entries(w->a, v, &n);

        copy = value_map(w->a, v.map->elem);
        copy.map->v = arena_array(w->a, n, sizeof(*copy.map->v));
        copy.map->n = copy.map->cap = n;
        for (size_t i = 0; i < n; i++)
            copy.map->v[i] =
                (struct value_entry){from[i].key, deep_copy(w, from[i].value)};
    }
    w->depth--;
    return copy;
}

struct value
value_deep_copy(struct arena *a, struct value v)
{
    struct walk w = {.a = a};

    return deep_copy(&w, v);
}

static void
merge(struct walk *w, struct value dst, struct value src, bool override)
{
    size_t n;
    struct value_entry *live = value_entries(w->a, src, &n);

    if (w->depth >= WALK_DEPTH || (w->nodes += n) > WALK_NODES || !n)
        return;
    struct value_entry *e = arena_array(w->a, n, sizeof(*e));

    /* A copy: dst may hold src. */
    memcpy(e, live, n * sizeof(*e));
    w->depth++;
    for (size_t i = 0; i < n; i++) {
        struct value had = value_nil(), v = e[i].value;
        bool has = value_get(w->a, dst, e[i].key, &had);

        if (v.type == VALUE_NIL) {
            if (override)
                value_set(w->a, dst, e[i].key, v);
            continue;
        }
        if (had.type == VALUE_MAP && v.type == VALUE_MAP && !had.map->nil) {
            merge(w, had, v, override);
            if (!value_empty(had))
                continue;
        }
        if (override || !has || value_empty(had))
            value_set(w->a, dst, e[i].key, v);
    }
    w->depth--;
}

void
value_merge(struct arena *a, struct value dst, struct value src, bool override)
{
    struct walk w = {.a = a};

    merge(&w, dst, src, override);
}
