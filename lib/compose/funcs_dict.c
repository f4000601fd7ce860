/* Dictionaries (which are references: set changes its argument) and defaults.
 * Source: sprig 3.3 dict.go and defaults.go. */
#include "lib/compose/funcs.h"

FUNC(fn_dict)
{
    *out = value_map(c->a, ELEM_ANY);
    for (size_t i = 0; i < n; i += 2)
        value_set(c->a, *out, call_strval(c, v[i]),
                  i + 1 < n ? v[i + 1] : value_str(STR("")));
    return true;
}

FUNC(fn_get)
{
    if (!value_get(c->a, v[0], v[1].s, out))
        *out = value_str(STR(""));
    return true;
}

FUNC(fn_set)
{
    if (v[0].map->nil)
        return call_fail(c, "assignment to entry in nil map");
    value_set(c->a, v[0], v[1].s, v[2]);
    *out = v[0];
    return true;
}

FUNC(fn_unset)
{
    value_unset(c->a, v[0], v[1].s);
    *out = v[0];
    return true;
}

FUNC(fn_has_key)
{
    *out = value_bool(value_has(c->a, v[0], v[1].s));
    return true;
}

FUNC(fn_pluck)
{
    size_t used = 0;

    if (!call_list(c, n - 1, ELEM_ANY, out))
        return false;
    for (size_t i = 1; i < n; i++) {
        struct value found;

        if (value_get(c->a, v[i], v[0].s, &found))
            out->list->v[used++] = found;
    }
    out->list->n = used;
    return true;
}

/* In order of keys, where Go's order is random. */
FUNC(fn_keys)
{
    size_t total = 0, count, used = 0;

    for (size_t i = 0; i < n; i++)
        total += value_len(v[i]);
    if (!call_list(c, total, ELEM_STRING, out))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct value_entry *e = value_entries(c->a, v[i], &count);

        for (size_t k = 0; k < count; k++)
            out->list->v[used++] = value_str(e[k].key);
    }
    return true;
}

FUNC(fn_values)
{
    size_t count;
    const struct value_entry *e = value_entries(c->a, v[0], &count);

    if (!call_list(c, count, ELEM_ANY, out))
        return false;
    for (size_t i = 0; i < count; i++)
        out->list->v[i] = e[i].value;
    return true;
}

FUNC(fn_pick)
{
    *out = value_map(c->a, ELEM_ANY);
    for (size_t i = 1; i < n; i++) {
        struct value found;

        if (value_get(c->a, v[0], v[i].s, &found))
            value_set(c->a, *out, v[i].s, found);
    }
    return true;
}

FUNC(fn_omit)
{
    size_t count;
    const struct value_entry *e = value_entries(c->a, v[0], &count);

    *out = value_map(c->a, ELEM_ANY);
    for (size_t i = 0; i < count; i++)
        value_set(c->a, *out, e[i].key, e[i].value);
    for (size_t i = 1; i < n; i++)
        value_unset(c->a, *out, v[i].s);
    return true;
}

static bool
merge(struct call *c, const struct value *v, size_t n, bool override,
      struct value *out)
{
    *out = v[0];
    if (v[0].map->nil)
        *out = value_map(c->a, ELEM_ANY);
    for (size_t i = 1; i < n; i++)
        value_merge(c->a, *out, v[i], override);
    return true;
}

FUNC(fn_merge)
{
    return merge(c, v, n, false, out);
}

FUNC(fn_merge_overwrite)
{
    return merge(c, v, n, true, out);
}

FUNC(fn_deep_copy)
{
    if (v[0].type == VALUE_NIL)
        return call_fail(c,
                         "reflect: call of reflect.Value.Type on zero Value");
    *out = value_deep_copy(c->a, v[0]);
    return true;
}

static bool
no_dict(struct call *c, struct value v)
{
    return call_fail(c,
                     "interface conversion: interface {} is %s, not "
                     "map[string]interface {}",
                     v.type == VALUE_NIL ? "nil" : value_type_name(v));
}

FUNC(fn_dig)
{
    if (n < 3)
        return call_fail(c, "dig needs at least three arguments");
    struct value at = v[n - 1];

    if (at.type != VALUE_MAP || at.map->elem != ELEM_ANY)
        return no_dict(c, at);
    for (size_t i = 0; i + 2 < n; i++) {
        if (v[i].type != VALUE_STRING)
            return call_fail(
                c, "interface conversion: interface {} is %s, not string",
                v[i].type == VALUE_NIL ? "nil" : value_type_name(v[i]));
    }
    for (size_t i = 0; i + 2 < n; i++) {
        if (at.type != VALUE_MAP || at.map->elem != ELEM_ANY)
            return no_dict(c, at);
        if (!value_get(c->a, at, v[i].s, &at)) {
            at = v[n - 2];
            break;
        }
    }
    *out = at;
    return true;
}

/* ---- defaults ---- */

FUNC(fn_default)
{
    *out = n < 2 || value_empty(v[1]) ? v[0] : v[1];
    return true;
}

FUNC(fn_empty)
{
    *out = value_bool(value_empty(v[0]));
    return true;
}

FUNC(fn_coalesce)
{
    *out = value_nil();
    for (size_t i = 0; i < n; i++) {
        if (!value_empty(v[i])) {
            *out = v[i];
            break;
        }
    }
    return true;
}

FUNC(fn_all)
{
    *out = value_bool(true);
    for (size_t i = 0; i < n; i++)
        out->b &= !value_empty(v[i]);
    return true;
}

FUNC(fn_any)
{
    *out = value_bool(false);
    for (size_t i = 0; i < n; i++)
        out->b |= !value_empty(v[i]);
    return true;
}

FUNC(fn_ternary)
{
    *out = v[2].b ? v[0] : v[1];
    return true;
}

static const struct func rows[] = {
    {"dict", "a+", fn_dict},
    {"get", "ms", fn_get},
    {"set", "msa", fn_set},
    {"unset", "ms", fn_unset},
    {"hasKey", "ms", fn_has_key},
    {"pluck", "sm+", fn_pluck},
    {"keys", "m+", fn_keys},
    {"values", "m", fn_values},
    {"pick", "ms+", fn_pick},
    {"omit", "ms+", fn_omit},
    {"merge", "mm+", fn_merge},
    {"mustMerge", "mm+", fn_merge},
    {"mergeOverwrite", "mm+", fn_merge_overwrite},
    {"mustMergeOverwrite", "mm+", fn_merge_overwrite},
    {"deepCopy", "a", fn_deep_copy},
    {"mustDeepCopy", "a", fn_deep_copy},
    {"dig", "a+", fn_dig},
    {"default", "aa+", fn_default},
    {"empty", "a", fn_empty},
    {"coalesce", "a+", fn_coalesce},
    {"all", "a+", fn_all},
    {"any", "a+", fn_any},
    {"ternary", "aab", fn_ternary},
};

const struct func_table funcs_dict = {rows, ARRAY_LEN(rows)};
