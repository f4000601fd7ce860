#include <math.h>

#include "lib/schema/cel_node.h"
#include "lib/schema/node.h"

/*
 * Equality, order and concatenation. Numbers compare by value across their
 * types; lists of type set and map (x-kubernetes-list-type) compare and add
 * without regard to order, as k8s.io/apiserver/pkg/cel/common has it.
 */

/* ---- numbers ---- */

static int
compare_numbers(const struct cel_value *a, const struct cel_value *b)
{
    if (a->kind == CEL_DOUBLE || b->kind == CEL_DOUBLE) {
        const struct cel_value *d = a->kind == CEL_DOUBLE ? a : b;
        const struct cel_value *o = d == a ? b : a;
        int sign = d == a ? 1 : -1;

        if (o->kind == CEL_DOUBLE)
            return (a->d > b->d) - (a->d < b->d);
        /* Beyond the range of the integer the doubles are sparse. */
        if (o->kind == CEL_INT)
            return sign * (d->d < -9223372036854775808.0 ? -1
                           : d->d > 9223372036854775808.0
                               ? 1
                               : (d->d > (double)o->i) - (d->d < (double)o->i));
        return sign * (d->d < 0 ? -1
                       : d->d > 18446744073709551616.0
                           ? 1
                           : (d->d > (double)o->u) - (d->d < (double)o->u));
    }
    if (a->kind == b->kind)
        return a->kind == CEL_INT ? (a->i > b->i) - (a->i < b->i)
                                  : (a->u > b->u) - (a->u < b->u);
    if (a->kind == CEL_INT)
        return a->i < 0 ? -1
                        : ((uint64_t)a->i > b->u) - ((uint64_t)a->i < b->u);
    return b->i < 0 ? 1 : (a->u > (uint64_t)b->i) - (a->u < (uint64_t)b->i);
}

static bool
is_number(const struct cel_value *v)
{
    return v->kind == CEL_INT || v->kind == CEL_UINT || v->kind == CEL_DOUBLE;
}

static bool
is_nan(const struct cel_value *v)
{
    return v->kind == CEL_DOUBLE && isnan(v->d);
}

/* ---- lists and maps ---- */

/* What identifies an element of a list of type map: its keys. */
static bool
same_keys(struct cel_eval *e, const struct schema *list,
          const struct cel_value *a, const struct cel_value *b)
{
    if (list->info.list == SCHEMA_LIST_SET)
        return cel_is_equal(e, a, b);
    if (a->kind != CEL_MAP || b->kind != CEL_MAP)
        return false;
    for (size_t i = 0; i < list->info.list_keys->n; i++) {
        AUTO(buf_release) struct buf name = BUF_INIT(4096);
        const char *key = list->info.list_keys->v[i];
        struct cel_value escaped, x, y;

        escaped = cel_of_string(cel_escape(str_of(key), &name) ? buf_view(&name)
                                                               : str_of(key));
        bool has = cel_map_find(e, a->map, &escaped, &x);

        if (has != cel_map_find(e, b->map, &escaped, &y) ||
            (has && !cel_is_equal(e, &x, &y)))
            return false;
    }
    return true;
}

static const struct cel_value *
find_same(struct cel_eval *e, const struct schema *schema,
          const struct cel_value *items, size_t n,
          const struct cel_value *wanted)
{
    for (size_t i = 0; i < n && cel_work(e, 1); i++) {
        if (same_keys(e, schema, &items[i], wanted))
            return &items[i];
    }
    return NULL;
}

/* Does the order of a list not count? */
static bool
is_unordered(const struct cel_list *l)
{
    return l->schema && l->schema->info.list != SCHEMA_LIST_ATOMIC;
}

static struct cel_value
equal_lists(struct cel_eval *e, const struct cel_list *a,
            const struct cel_list *b)
{
    const struct cel_value *x = cel_list_items(e, a), *y = cel_list_items(e, b);

    if (a->n != b->n || !x || !y || !cel_work(e, a->n))
        return cel_of_bool(false);
    for (size_t i = 0; i < a->n; i++) {
        const struct cel_value *left =
            is_unordered(a) ? find_same(e, a->schema, x, a->n, &y[i]) : &x[i];
        struct cel_value same =
            left ? cel_equal(e, left, &y[i]) : cel_of_bool(false);

        if (same.kind != CEL_BOOL || !same.b)
            return a->schema || same.kind == CEL_BOOL ? same
                                                      : cel_of_bool(false);
    }
    return cel_of_bool(true);
}

/* Members that the schema does not know are compared as they stand. */
static bool
equal_unknown(const struct cel_map *a, const struct cel_map *b)
{
    bool known;

    if (!a->schema || !b->json)
        return true;
    for (struct json *c = json_first(a->json); c; c = json_next(c)) {
        const struct json *other = json_get(b->json, json_key(c));

        cel_map_member(a, json_key(c), &known);
        if (!known && other && !json_equal(c, other))
            return false;
    }
    return true;
}

static struct cel_value
equal_maps(struct cel_eval *e, const struct cel_map *a, const struct cel_map *b)
{
    if (a->n != b->n || !equal_unknown(a, b))
        return cel_of_bool(false);
    const struct cel_list *keys = cel_map_keys(e, a);

    for (size_t i = 0; keys && i < keys->n; i++) {
        struct cel_value x, y, same;
        bool has = cel_map_find(e, a, &keys->v[i], &x);

        if (has != cel_map_find(e, b, &keys->v[i], &y))
            return cel_of_bool(false);
        same = has ? cel_equal(e, &x, &y) : cel_of_bool(true);
        if (same.kind != CEL_BOOL || !same.b)
            return same;
    }
    return cel_of_bool(true);
}

static bool
equal_objects(const struct cel_value *a, const struct cel_value *b)
{
    const struct cel_object *x = a->object, *y = b->object;

    if (a->kind == CEL_IP || a->kind == CEL_CIDR)
        return x->bits == y->bits && x->prefix == y->prefix &&
               memcmp(x->ip, y->ip, sizeof(x->ip)) == 0;
    if (a->kind == CEL_SEMVER)
        return cel_compare_semver(x, y) == 0;
    if (a->kind == CEL_FORMAT)
        return x->definition == y->definition;
    if (a->kind == CEL_QUANTITY)
        return cel_compare_quantities(x, y) == 0;
    return str_eq(x->text, y->text);
}

static bool
equal_optionals(struct cel_eval *e, const struct cel_value *a,
                const struct cel_value *b)
{
    return a->some && b->some ? cel_is_equal(e, a->some, b->some)
                              : a->some == b->some;
}

struct cel_value
cel_equal(struct cel_eval *e, const struct cel_value *a,
          const struct cel_value *b)
{
    if (a->kind == CEL_ERROR || b->kind == CEL_ERROR)
        return a->kind == CEL_ERROR ? *a : *b;
    if (is_number(a) && is_number(b))
        return cel_of_bool(!is_nan(a) && !is_nan(b) &&
                           compare_numbers(a, b) == 0);
    if (a->kind != b->kind) {
        /* Kubernetes' lists and maps refuse to be compared with others. */
        bool typed = (a->kind == CEL_LIST && a->list->schema) ||
                     (a->kind == CEL_MAP && a->map->schema);

        return typed && b->kind != CEL_NULL ? cel_mismatch()
                                            : cel_of_bool(false);
    }
    switch (a->kind) {
    case CEL_NULL:
        return cel_of_bool(true);
    case CEL_BOOL:
        return cel_of_bool(a->b == b->b);
    case CEL_STRING:
    case CEL_BYTES:
    case CEL_TYPE:
        return cel_of_bool(str_eq(a->s, b->s));
    case CEL_LIST:
        return equal_lists(e, a->list, b->list);
    case CEL_MAP:
        return equal_maps(e, a->map, b->map);
    case CEL_TIMESTAMP:
        return cel_of_bool(a->time.sec == b->time.sec &&
                           a->time.nsec == b->time.nsec);
    case CEL_DURATION:
        return cel_of_bool(a->i == b->i);
    case CEL_OPTIONAL:
        return cel_of_bool(equal_optionals(e, a, b));
    case CEL_UNKNOWN:
        return cel_of_bool(json_equal(a->json, b->json));
    case CEL_AUTHORIZER:
    case CEL_PATH_CHECK:
    case CEL_GROUP_CHECK:
    case CEL_RESOURCE_CHECK:
    case CEL_DECISION:
        return cel_mismatch();
    default:
        return cel_of_bool(equal_objects(a, b));
    }
}

bool
cel_is_equal(struct cel_eval *e, const struct cel_value *a,
             const struct cel_value *b)
{
    struct cel_value v = cel_equal(e, a, b);

    return v.kind == CEL_BOOL && v.b;
}

struct cel_value
cel_compare(struct cel_eval *e, const struct cel_value *a,
            const struct cel_value *b)
{
    int order;

    if (is_number(a) && is_number(b))
        return is_nan(a) || is_nan(b)
                   ? cel_error(e, "NaN values cannot be ordered")
                   : cel_of_int(compare_numbers(a, b));
    if (a->kind != b->kind)
        return cel_mismatch();
    switch (a->kind) {
    case CEL_BOOL:
        return cel_of_int((a->b > b->b) - (a->b < b->b));
    case CEL_STRING:
    case CEL_BYTES:
        order = str_cmp(a->s, b->s);
        return cel_of_int((order > 0) - (order < 0));
    case CEL_DURATION:
        return cel_of_int((a->i > b->i) - (a->i < b->i));
    case CEL_TIMESTAMP:
        if (a->time.sec != b->time.sec)
            return cel_of_int(a->time.sec > b->time.sec ? 1 : -1);
        return cel_of_int((a->time.nsec > b->time.nsec) -
                          (a->time.nsec < b->time.nsec));
    default:
        return cel_mismatch();
    }
}

struct cel_value
cel_list_add(struct cel_eval *e, const struct cel_value *a,
             const struct cel_value *b)
{
    const struct cel_list *x = a->list, *y = b->list;
    const struct cel_value *from = cel_list_items(e, x);
    const struct cel_value *more = cel_list_items(e, y);
    struct cel_list *l = cel_list_new(e, x->n + y->n);

    if (!l || !from || !more)
        return cel_mismatch();
    memcpy(l->v, from, x->n * sizeof(*from));
    l->n = x->n;
    l->schema = x->schema;
    for (size_t i = 0; i < y->n; i++) {
        struct cel_value *same =
            is_unordered(x) ? (struct cel_value *)find_same(e, x->schema, l->v,
                                                            l->n, &more[i])
                            : NULL;

        if (!same)
            l->v[l->n++] = more[i];
        else if (x->schema->info.list == SCHEMA_LIST_MAP)
            *same = more[i];
    }
    return cel_of_list(l);
}
