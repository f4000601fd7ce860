#include <stdio.h>

#include "lib/schema/cel_node.h"

/*
 * A walk over the tree. Errors are values that every operation hands on, but
 * && and || swallow them where the other side decides. Costs are those of
 * cel-go's runtimecost.go: 1 for a name and for a selection, 10 and 30 for a
 * new list and map, and what a call's row says.
 */

enum { ARGS_MAX = 8, COST_LIST = 10, COST_MAP = 30, COST_CHECK = 350000 };

static struct cel_value eval(struct cel_eval *e, const struct cel_node *n);

static bool
failed(const struct cel_value *v)
{
    return v->kind == CEL_ERROR;
}

static void
charge(struct cel_eval *e, uint64_t cost)
{
    e->run->cost += cost;
    if (e->run->cost > e->limit)
        e->run->stopped = true;
}

/* ---- selection ---- */

static struct cel_value
no_such_key(struct cel_eval *e, const struct cel_value *key)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);

    cel_print(key, &b);
    return cel_error(e, "no such key: %s", buf_cstr(&b));
}

/* The number that indexes a list; an error in *out otherwise. */
static bool
list_index(struct cel_eval *e, const struct cel_value *key, int64_t *i,
           struct cel_value *out)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);

    if (key->kind == CEL_INT || (key->kind == CEL_UINT && key->i >= 0)) {
        *i = key->i;
        return true;
    }
    if (key->kind == CEL_DOUBLE && key->d > -9e18 && key->d < 9e18 &&
        key->d == (double)(int64_t)key->d) {
        *i = (int64_t)key->d;
        return true;
    }
    cel_print(key, &b);
    if (key->kind == CEL_DOUBLE || key->kind == CEL_UINT)
        *out = cel_error(e, "unsupported index value %s in list", buf_cstr(&b));
    else
        *out = cel_error(e, "unsupported index type '%s' in list",
                         cel_type_of(key));
    return false;
}

/* of[key]; false: it is not there (*out is untouched) or an error (it is in
 * *out). */
static bool
find(struct cel_eval *e, const struct cel_value *of,
     const struct cel_value *key, struct cel_value *out)
{
    int64_t i;

    if (of->kind == CEL_MAP)
        return cel_map_find(e, of->map, key, out);
    if (of->kind != CEL_LIST || !list_index(e, key, &i, out))
        return false;
    const struct cel_value *items = cel_list_items(e, of->list);

    if (!items || i < 0 || (uint64_t)i >= of->list->n)
        return false;
    *out = items[i];
    return true;
}

static struct cel_value
lookup(struct cel_eval *e, const struct cel_value *of,
       const struct cel_value *key, bool maybe)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);
    struct cel_value v = {.kind = CEL_NULL}, inner;

    if (failed(of) || failed(key))
        return failed(of) ? *of : *key;
    if (of->kind == CEL_OPTIONAL) {
        if (!of->some)
            return *of;
        inner = lookup(e, of->some, key, true);
        return failed(&inner) || inner.kind == CEL_OPTIONAL
                   ? inner
                   : cel_optional(e->run->arena, &inner);
    }
    if (find(e, of, key, &v))
        return maybe && !failed(&v) ? cel_optional(e->run->arena, &v) : v;
    if (failed(&v))
        return v;
    if (maybe)
        return cel_optional(e->run->arena, NULL);
    if (of->kind != CEL_LIST)
        return no_such_key(e, key);
    cel_print(key, &b);
    return cel_error(e, "index out of bounds: %s", buf_cstr(&b));
}

/* A name, and what is selected from it: cel-go resolves it in one go. */
static bool
is_attribute(const struct cel_node *n)
{
    return n->op == CEL_IDENT || n->op == CEL_SELECT || n->op == CEL_INDEX;
}

/* What of[key] costs: nothing where it is not there but only asked for. */
static void
charge_lookup(struct cel_eval *e, const struct cel_node *n,
              const struct cel_value *of, const struct cel_value *got,
              bool counted)
{
    bool asked = n->maybe || of->kind == CEL_OPTIONAL;
    bool found = got->kind != CEL_OPTIONAL || got->some || !asked;

    if (failed(of))
        return;
    charge(e, !is_attribute(n->args[0]));
    charge(e, found && counted);
}

static struct cel_value
eval_select(struct cel_eval *e, const struct cel_node *n)
{
    struct cel_value of = eval(e, n->args[0]), key = cel_of_string(n->name);
    struct cel_value v = lookup(e, &of, &key, n->maybe);

    charge_lookup(e, n, &of, &v, true);
    return v;
}

static struct cel_value
eval_has(struct cel_eval *e, const struct cel_node *n)
{
    struct cel_value of = eval(e, n->args[0]), key = cel_of_string(n->name), v;

    charge_lookup(e, n, &of, &of, false);
    if (of.kind == CEL_OPTIONAL && of.some)
        of = *of.some;
    v = lookup(e, &of, &key, true);
    return failed(&v) ? v : cel_of_bool(v.kind == CEL_OPTIONAL && v.some);
}

static struct cel_value
eval_index(struct cel_eval *e, const struct cel_node *n)
{
    struct cel_value of = eval(e, n->args[0]), key = eval(e, n->args[1]);
    struct cel_value v = lookup(e, &of, &key, n->maybe);

    charge_lookup(e, n, &of, &v, !is_attribute(n->args[1]));
    return v;
}

/* ---- logic ---- */

/* a && b: false wins over an error, an error over true. */
static struct cel_value
eval_logical(struct cel_eval *e, const struct cel_node *n)
{
    bool wins = n->op == CEL_OR;
    struct cel_value wrong = {.kind = CEL_NULL};

    for (size_t i = 0; i < n->n && !e->run->stopped; i++) {
        struct cel_value v = eval(e, n->args[i]);

        if (v.kind == CEL_BOOL && v.b == wins)
            return v;
        if (v.kind != CEL_BOOL && !failed(&wrong))
            wrong = failed(&v) ? v : cel_mismatch();
    }
    return failed(&wrong) ? wrong : cel_of_bool(!wins);
}

static struct cel_value
eval_if(struct cel_eval *e, const struct cel_node *n)
{
    struct cel_value v = eval(e, n->args[0]);

    if (v.kind != CEL_BOOL)
        return failed(&v) ? v : cel_mismatch();
    const struct cel_node *chosen = n->args[v.b ? 1 : 2];

    /* The name at the root of an attribute is free here. */
    v = eval(e, chosen);
    e->run->cost -= is_attribute(chosen) && e->run->cost;
    return v;
}

static uint64_t
tenth(uint64_t size)
{
    return (size + 9) / 10;
}

static struct cel_value
eval_equal(struct cel_eval *e, const struct cel_node *n)
{
    struct cel_value a = eval(e, n->args[0]), b = eval(e, n->args[1]), v;
    bool plain = a.kind <= CEL_OPTIONAL || failed(&a);

    charge(e, plain ? tenth(MIN(cel_size(&a), cel_size(&b))) : 1);
    if (failed(&a) || failed(&b))
        return failed(&a) ? a : b;
    v = cel_equal(e, &a, &b);
    if (n->op == CEL_EQUAL)
        return v;
    return cel_of_bool(v.kind != CEL_BOOL || !v.b);
}

/* ---- calls ---- */

/* Costs of what takes every element apart. */
static uint64_t
traversal(struct cel_eval *e, const struct cel_value *v)
{
    uint64_t cost = 0;

    if (v->kind == CEL_STRING || v->kind == CEL_BYTES)
        return v->s.n / 10;
    if (v->kind != CEL_LIST)
        return 1;
    const struct cel_value *items = cel_list_items(e, v->list);

    for (size_t i = 0; items && i < v->list->n; i++)
        cost += traversal(e, &items[i]);
    return cost;
}

/* Everything compared with everything. */
static uint64_t
sorting(struct cel_eval *e, const struct cel_list *keys)
{
    const struct cel_value *v = keys->n ? cel_list_items(e, keys) : NULL;
    bool text = v && (v->kind == CEL_STRING || v->kind == CEL_BYTES);
    uint64_t pairs = (uint64_t)keys->n * keys->n;

    return 1 + COST_LIST + pairs * 2 + (text ? pairs / 10 : 0);
}

/* The bytes of the prefix are compared; text is read before, and for a CIDR
 * they are masked, too. */
static uint64_t
in_cidr(const struct cel_value *args, bool masked)
{
    uint64_t bytes = ((uint64_t)args[0].object->prefix + 7) / 8;
    uint64_t text = args[1].kind == CEL_STRING ? tenth(args[1].s.n) : 0;

    return tenth(2 * bytes) + text + (masked ? tenth(bytes) + 1 : 0);
}

static uint64_t
cost_of(struct cel_eval *e, enum cel_cost how, const struct cel_value *args,
        size_t n, const struct cel_value *result)
{
    uint64_t a = n > 0 ? cel_size(&args[0]) : 1;
    uint64_t b = n > 1 ? cel_size(&args[1]) : 1;

    switch (how) {
    case CEL_COST_TEXT:
        return tenth(a);
    case CEL_COST_TEXT2:
        return tenth(a * 2);
    case CEL_COST_RESULT2:
        return tenth(cel_size(result) * 2);
    case CEL_COST_SUM:
        return tenth(a + b);
    case CEL_COST_LESSER:
        return tenth(MIN(a, b));
    case CEL_COST_CONTAINS:
        return tenth(a) * tenth(b);
    case CEL_COST_REGEX:
        return tenth(a + 1) * ((b + 3) / 4);
    case CEL_COST_LIST:
        return b;
    case CEL_COST_CIDR:
    case CEL_COST_CIDR2:
        return in_cidr(args, how == CEL_COST_CIDR2);
    case CEL_COST_SETS:
        return 1 + a * b;
    case CEL_COST_SETS2:
        return 1 + 2 * a * b;
    case CEL_COST_NEW_LIST:
        return 1 + COST_LIST + cel_size(result);
    case CEL_COST_FLATTEN:
        return 1 + COST_LIST + a * (n > 1 && args[1].i > 0 ? args[1].u : 1);
    case CEL_COST_SORT:
        return sorting(e, args[0].list);
    case CEL_COST_CHECK:
        return COST_CHECK;
    case CEL_COST_TRAVERSE:
        return traversal(e, &args[0]);
    case CEL_COST_FORMAT:
        return tenth(b + 1) * (uint64_t)args[0].object->bits;
    default:
        return 1;
    }
}

/* The words for arguments that no overload takes: cel-go looks at the first
 * one, whether it can do such a thing at all. */
static struct cel_value
no_overload(struct cel_eval *e, const struct cel_node *n,
            const struct cel_value *args)
{
    static const struct {
        const char *name, *kinds;
    } traits[] = {
        {"_+_", "yduilrst"},  {"_-_", "dirut"},    {"_*_", "diu"},
        {"_/_", "diu"},       {"_%_", "iu"},       {"_<_", "bydiurst"},
        {"_<=_", "bydiurst"}, {"_>_", "bydiurst"}, {"_>=_", "bydiurst"},
        {"-_", "bdir"},       {"!_", "*"},         {"@in", "*"},
        {"size", "ylms"},     {"matches", "s"},    {"contains", "*"},
        {"startsWith", "*"},  {"endsWith", "*"},
    };
    AUTO(buf_release) struct buf b = BUF_INIT(4096);

    for (size_t i = 0; i < ARRAY_LEN(traits); i++) {
        if (!str_eqz(n->name, traits[i].name))
            continue;
        if (*traits[i].kinds == '*' ||
            strchr(traits[i].kinds, cel_letter(&args[0])))
            return cel_mismatch();
        /* Texts and times are asked once more. */
        if (args[0].kind == CEL_STRING || args[0].kind == CEL_TIMESTAMP ||
            args[0].kind == CEL_DURATION)
            return cel_mismatch();
        return cel_error(e, "no such overload: %.*s", STR_ARG(n->name));
    }
    for (size_t i = 0; i < n->n; i++)
        buf_printf(&b, "%s%s", i ? ", " : "", cel_type_of(&args[i]));
    return cel_error(e, "no such overload: %.*s(%s)", STR_ARG(n->name),
                     buf_cstr(&b));
}

/* Do the values fit the signature? */
static bool
takes(const char *signature, const struct cel_value *args, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!cel_fits(&signature, &args[i]))
            return false;
        signature += *signature == '.';
    }
    return true;
}

static struct cel_value
eval_call(struct cel_eval *e, const struct cel_node *n)
{
    struct cel_value args[ARGS_MAX], v = {.kind = CEL_NULL};

    for (size_t i = 0; i < n->n; i++) {
        args[i] = eval(e, n->args[i]);
        if (failed(&args[i]) && !failed(&v))
            v = args[i];
    }
    if (failed(&v)) {
        charge(e, 1);
        return v;
    }
    for (size_t i = 0; i < n->overload_count && !e->run->stopped; i++) {
        const struct cel_overload *o = n->overloads[i];

        if (!takes(o->signature, args, n->n))
            continue;
        e->re = n->re;
        v = o->run(e, args, n->n);
        /* Membership in a literal list is looked up for nothing. */
        if (!e->run->stopped &&
            !(o->cost == CEL_COST_LIST && n->args[1]->hashed))
            charge(e, cost_of(e, o->cost, args, n->n, &v));
        return v;
    }
    charge(e, 1);
    return no_overload(e, n, args);
}

/* x.or(y), x.orValue(y): y only counts when x is none. */
static struct cel_value
eval_or_else(struct cel_eval *e, const struct cel_node *n)
{
    struct cel_value v = eval(e, n->args[0]);

    if (failed(&v))
        return v;
    if (v.kind != CEL_OPTIONAL)
        return v;
    if (!v.some)
        return eval(e, n->args[1]);
    return n->name.n == 2 ? v : *v.some;
}

/* ---- lists and maps ---- */

/* The value of an element; false: there is none (a ? before none). An error is
 * an element. */
static bool
element(struct cel_eval *e, const struct cel_node *n, size_t i,
        struct cel_value *out)
{
    *out = eval(e, n->args[i]);
    if (!n->optional[i] || failed(out))
        return true;
    if (out->kind != CEL_OPTIONAL) {
        *out = cel_mismatch();
        return true;
    }
    if (out->some)
        *out = *out->some;
    return out->kind != CEL_OPTIONAL;
}

static struct cel_value
eval_list(struct cel_eval *e, const struct cel_node *n)
{
    struct cel_list *l = cel_list_new(e, n->n);

    charge(e, COST_LIST);
    for (size_t i = 0; l && i < n->n; i++) {
        struct cel_value v;

        if (!element(e, n, i, &v))
            continue;
        if (failed(&v))
            return v;
        l->v[l->n++] = v;
    }
    return cel_of_list(l);
}

/* Sets a key of a map that is being made; an error when it cannot be one. */
static struct cel_value
put(struct cel_eval *e, struct cel_map *m, const struct cel_value *key,
    const struct cel_value *value, bool again)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);

    cel_work(e, m->n);
    for (size_t i = 0; i < m->n; i++) {
        if (!cel_is_equal(e, &m->v[i].key, key))
            continue;
        if (again) {
            m->v[i].value = *value;
            return *value;
        }
        cel_print(key, &b);
        return cel_error(e, "insert failed: key %s already exists",
                         buf_cstr(&b));
    }
    m->v[m->n++] = (struct cel_entry){*key, *value};
    return *value;
}

static struct cel_value
eval_map(struct cel_eval *e, const struct cel_node *n)
{
    struct cel_map *m = cel_map_new(e, n->n / 2);

    charge(e, COST_MAP);
    for (size_t i = 0; m && i < n->n; i += 2) {
        struct cel_value key = eval(e, n->args[i]), v;

        if (failed(&key))
            return key;
        if (!element(e, n, i + 1, &v))
            continue;
        if (failed(&v))
            return v;
        put(e, m, &key, &v, true);
    }
    return cel_of_map(m);
}

/* ---- loops ---- */

/* One loop under way. */
struct loop {
    const struct cel_node *n;
    size_t size;
    struct cel_list *list; /* what is made */
    struct cel_map *map;
    struct cel_value wrong; /* the error that stands, or CEL_NULL */
    bool decided;
    size_t hits;
};

static void
fail(struct loop *l, const struct cel_value *v)
{
    l->wrong = failed(v) ? *v : cel_mismatch();
}

/* all and exists end as soon as one element decides. */
static void
step_logical(struct cel_eval *e, struct loop *l)
{
    bool wins = l->n->loop == CEL_EXISTS;

    charge(e, wins ? 4 : 3);
    struct cel_value v = eval(e, l->n->args[1]);

    if (v.kind == CEL_BOOL && v.b == wins)
        l->decided = true;
    else if (v.kind != CEL_BOOL && !failed(&l->wrong))
        fail(l, &v);
}

static void
step_one(struct cel_eval *e, struct loop *l)
{
    struct cel_value v = eval(e, l->n->args[1]);

    if (v.kind != CEL_BOOL) {
        fail(l, &v);
        return;
    }
    charge(e, v.b ? 2 : 0);
    l->hits += v.b;
}

static void
merge(struct cel_eval *e, struct loop *l, const struct cel_value *v)
{
    struct cel_list *keys = cel_map_keys(e, v->map);
    struct cel_map *bigger = keys ? cel_map_new(e, l->map->n + keys->n) : NULL;

    if (!bigger)
        return;
    memcpy(bigger->v, l->map->v, l->map->n * sizeof(*bigger->v));
    bigger->n = l->map->n;
    l->map = bigger;
    for (size_t i = 0; i < keys->n; i++) {
        struct cel_value value, done;

        cel_map_find(e, v->map, &keys->v[i], &value);
        done = put(e, bigger, &keys->v[i], &value, false);
        if (failed(&done))
            fail(l, &done);
    }
}

/* What the body of a map, filter or transform yields, added to the result. */
static void
collect(struct cel_eval *e, struct loop *l, const struct cel_value *v)
{
    struct cel_value *key = &e->slots[l->n->slot];
    struct cel_value index = *key;

    bool list = l->n->loop != CEL_VALUED && l->n->loop != CEL_ENTERED;

    charge(e, list ? 2 + COST_LIST : l->n->loop == CEL_VALUED ? 3 : 2);
    if (failed(v)) {
        if (!failed(&l->wrong))
            fail(l, v);
        return;
    }
    if (l->n->loop == CEL_ENTERED) {
        if (v->kind == CEL_MAP)
            merge(e, l, v);
        else
            l->wrong = cel_error(e, "no such overload: cel.@mapInsert(map, %s)",
                                 cel_type_of(v));
    } else if (l->n->loop == CEL_VALUED) {
        put(e, l->map, &index, v, false);
    } else {
        l->list->v[l->list->n++] = *v;
    }
}

static void
step_collect(struct cel_eval *e, struct loop *l)
{
    const struct cel_node *n = l->n;
    bool filter = n->n > 2 || n->loop == CEL_FILTERED;
    struct cel_value v = {.kind = CEL_NULL};

    if (filter) {
        v = eval(e, n->args[1]);
        if (v.kind != CEL_BOOL) {
            fail(l, &v);
            return;
        }
        if (!v.b)
            return;
    }
    if (n->loop == CEL_FILTERED) {
        charge(e, 1);
        collect(e, l, &e->slots[n->slot]);
        return;
    }
    v = eval(e, n->args[n->n - 1]);
    collect(e, l, &v);
}

static void
run_loop(struct cel_eval *e, struct loop *l, const struct cel_value *range)
{
    const struct cel_node *n = l->n;
    bool two = n->slot2 != SIZE_MAX;
    struct cel_list *keys =
        range->kind == CEL_MAP ? cel_map_keys(e, range->map) : NULL;
    const struct cel_value *items = keys ? keys->v
                                    : range->kind == CEL_LIST
                                        ? cel_list_items(e, range->list)
                                        : NULL;

    for (size_t i = 0; items && i < l->size; i++) {
        if (l->decided) {
            /* Noticed at the next element. */
            charge(e, n->loop == CEL_EXISTS ? 3 : 2);
            return;
        }
        e->slots[n->slot] = items[i];
        if (two && keys) {
            cel_map_find(e, range->map, &items[i], &e->slots[n->slot2]);
        } else if (two) {
            e->slots[n->slot2] = items[i];
            e->slots[n->slot] = cel_of_int((int64_t)i);
        }
        if (n->loop <= CEL_EXISTS)
            step_logical(e, l);
        else if (n->loop == CEL_EXISTS_ONE)
            step_one(e, l);
        else
            step_collect(e, l);
        if (e->run->stopped || !cel_work(e, 1))
            return;
    }
}

static struct cel_value
finish(struct cel_eval *e, const struct loop *l, const struct cel_value *range)
{
    charge(e, l->n->loop == CEL_EXISTS_ONE ? 2 : 1);
    if (l->decided)
        return cel_of_bool(l->n->loop == CEL_EXISTS);
    if (failed(&l->wrong))
        return l->wrong;
    switch (l->n->loop) {
    case CEL_ALL:
    case CEL_EXISTS:
        return cel_of_bool(l->n->loop == CEL_ALL);
    case CEL_EXISTS_ONE:
        return cel_of_bool(l->hits == 1);
    case CEL_SORTED:
        charge(e, sorting(e, l->list) + 2);
        return cel_sort_by(e, range->list, l->list);
    case CEL_VALUED:
    case CEL_ENTERED:
        return cel_of_map(l->map);
    default:
        return cel_of_list(l->list);
    }
}

static struct cel_value
eval_loop(struct cel_eval *e, const struct cel_node *n)
{
    static const char *const go_types[] = {
        [CEL_NULL] = "types.Null",
        [CEL_BOOL] = "types.Bool",
        [CEL_INT] = "types.Int",
        [CEL_UINT] = "types.Uint",
        [CEL_DOUBLE] = "types.Double",
        [CEL_STRING] = "types.String",
        [CEL_BYTES] = "types.Bytes",
        [CEL_TIMESTAMP] = "types.Timestamp",
        [CEL_DURATION] = "types.Duration",
        [CEL_TYPE] = "*types.Type",
        [CEL_OPTIONAL] = "*types.Optional",
    };
    struct cel_value range = eval(e, n->args[0]);
    struct loop l = {.n = n};

    if (failed(&range))
        return range;
    if (range.kind != CEL_LIST && range.kind != CEL_MAP)
        return cel_error(e, "got '%s', expected iterable type",
                         range.kind <= CEL_OPTIONAL ? go_types[range.kind]
                                                    : "cel.Value");
    l.size = cel_size(&range);
    if (n->loop >= CEL_MAPPED && !(l.list = cel_list_new(e, l.size)))
        return cel_mismatch();
    if (n->loop >= CEL_VALUED && !(l.map = cel_map_new(e, l.size)))
        return cel_mismatch();
    run_loop(e, &l, &range);
    return finish(e, &l, &range);
}

/* The macro asks its target twice. */
static struct cel_value
eval_bind(struct cel_eval *e, const struct cel_node *n)
{
    uint64_t before = e->run->cost;
    struct cel_value v = eval(e, n->args[0]);

    if (failed(&v))
        return v;
    if (v.kind != CEL_OPTIONAL)
        return cel_error(e, "no such overload: hasValue(%s)", cel_type_of(&v));
    charge(e, 2);
    if (!v.some)
        return v;
    charge(e, e->run->cost - before - 2 + !n->flat);
    e->slots[n->slot] = *v.some;
    v = eval(e, n->args[1]);
    return failed(&v) || n->flat ? v : cel_optional(e->run->arena, &v);
}

/* ---- all of it ---- */

static struct cel_value
eval_const(UNUSED struct cel_eval *e, const struct cel_node *n)
{
    return n->value;
}

static struct cel_value
eval_ident(struct cel_eval *e, const struct cel_node *n)
{
    charge(e, 1);
    return e->slots[n->slot];
}

static struct cel_value
eval(struct cel_eval *e, const struct cel_node *n)
{
    static struct cel_value (*const evals[])(struct cel_eval *,
                                             const struct cel_node *) = {
        [CEL_CONST] = eval_const,   [CEL_IDENT] = eval_ident,
        [CEL_SELECT] = eval_select, [CEL_HAS] = eval_has,
        [CEL_INDEX] = eval_index,   [CEL_AND] = eval_logical,
        [CEL_OR] = eval_logical,    [CEL_IF] = eval_if,
        [CEL_EQUAL] = eval_equal,   [CEL_UNEQUAL] = eval_equal,
        [CEL_CALL] = eval_call,     [CEL_NEW_LIST] = eval_list,
        [CEL_NEW_MAP] = eval_map,   [CEL_LOOP] = eval_loop,
        [CEL_BIND] = eval_bind,     [CEL_OR_ELSE] = eval_or_else,
    };

    if (e->run->stopped)
        return cel_mismatch();
    return evals[n->op](e, n);
}

struct cel_value
cel_eval(const struct cel *c, const struct cel_value *values,
         struct cel_run *run)
{
    struct cel_eval e = {.run = run,
                         .limit = run->limit ? run->limit : CEL_CALL_LIMIT};

    run->cost = 0;
    run->stopped = false;
    e.slots = arena_array(run->arena, c->slots + 1, sizeof(*e.slots));
    if (c->variable_count)
        memcpy(e.slots, values, c->variable_count * sizeof(*values));
    struct cel_value v = eval(&e, c->root);

    if (run->stopped)
        return cel_error(&e, "operation cancelled: actual cost limit exceeded");
    return v;
}
