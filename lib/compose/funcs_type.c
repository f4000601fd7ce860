/* Types of values. Source: sprig 3.3 reflect.go. */
#include "lib/compose/funcs.h"

FUNC(fn_type_of)
{
    *out = value_str(str_of(value_type_name(v[0])));
    return true;
}

FUNC(fn_type_is)
{
    *out = value_bool(str_eqz(v[0].s, value_type_name(v[1])));
    return true;
}

FUNC(fn_type_is_like)
{
    const char *name = value_type_name(v[1]);

    *out = value_bool(str_eqz(v[0].s, name) ||
                      (name[0] == '*' && str_eqz(v[0].s, name + 1)));
    return true;
}

FUNC(fn_kind_of)
{
    *out = value_str(str_of(value_kind_name(v[0])));
    return true;
}

FUNC(fn_kind_is)
{
    *out = value_bool(str_eqz(v[0].s, value_kind_name(v[1])));
    return true;
}

FUNC(fn_deep_equal)
{
    *out = value_bool(value_equal(c->a, v[0], v[1], &c->work));
    return true;
}

static const struct func rows[] = {
    {"typeOf", "a", fn_type_of},           {"typeIs", "sa", fn_type_is},
    {"typeIsLike", "sa", fn_type_is_like}, {"kindOf", "a", fn_kind_of},
    {"kindIs", "sa", fn_kind_is},          {"deepEqual", "aa", fn_deep_equal},
};

const struct func_table funcs_type = {rows, ARRAY_LEN(rows)};
