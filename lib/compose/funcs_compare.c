/* eq, ne, lt, le, gt, ge. */
#include "lib/compose/funcs.h"

enum basic {
    BASIC_NONE,
    BASIC_BOOL,
    BASIC_INT,
    BASIC_FLOAT,
    BASIC_STRING,
    BASIC_UINT
};

static enum basic
basic(struct value v)
{
    switch (v.type) {
    case VALUE_BOOL:
        return BASIC_BOOL;
    case VALUE_INT:
    case VALUE_INT64:
    case VALUE_INT32:
        return BASIC_INT;
    case VALUE_UINT8:
        return BASIC_UINT;
    case VALUE_FLOAT:
        return BASIC_FLOAT;
    case VALUE_STRING:
        return BASIC_STRING;
    default:
        return BASIC_NONE;
    }
}

static bool
absent(struct value v)
{
    return v.type == VALUE_NONE || v.type == VALUE_NIL;
}

static bool
incompatible(struct call *c, struct value x, struct value y)
{
    return call_fail(c, "incompatible types for comparison: %s and %s",
                     value_type_name(x), value_type_name(y));
}

/* Neither is of a basic kind. */
static bool
equal_others(struct call *c, struct value x, struct value y, bool *same)
{
    struct value args[] = {y, value_str(str_of(value_type_name(y)))};

    if (!absent(x) && !absent(y) && x.type != y.type) {
        struct value all[] = {x, value_str(str_of(value_type_name(x))), args[1],
                              y};

        format_printf(c->a, STR("non-comparable types %s: %v, %s: %v"), all, 4,
                      &c->text);
        return call_fail(c, "%s", buf_cstr(&c->text));
    }
    if (value_is_nil(x) || value_is_nil(y)) {
        *same = value_is_nil(x) == value_is_nil(y);
        return true;
    }
    if (y.type == VALUE_LIST || y.type == VALUE_MAP || y.type == VALUE_BYTES) {
        format_printf(c->a, STR("non-comparable type %s: %v"), args, 2,
                      &c->text);
        return call_fail(c, "%s", buf_cstr(&c->text));
    }
    *same = value_equal(c->a, x, y, &c->work);
    return true;
}

static bool
equal(struct call *c, struct value x, struct value y, bool *same)
{
    enum basic p = basic(x), q = basic(y);

    *same = false;
    if (p != q) {
        if ((p == BASIC_INT && q == BASIC_UINT) ||
            (p == BASIC_UINT && q == BASIC_INT))
            *same = x.i == y.i;
        else if (!absent(x) && !absent(y))
            return incompatible(c, x, y);
        return true;
    }
    switch (p) {
    case BASIC_NONE:
        return equal_others(c, x, y, same);
    case BASIC_BOOL:
        *same = x.b == y.b;
        break;
    case BASIC_FLOAT:
        *same = x.f == y.f;
        break;
    case BASIC_STRING:
        *same = str_eq(x.s, y.s);
        break;
    default:
        *same = x.i == y.i;
    }
    return true;
}

static bool
less(struct call *c, struct value x, struct value y, bool *yes)
{
    enum basic p = basic(x), q = basic(y);
    bool integers = (p == BASIC_INT || p == BASIC_UINT) &&
                    (q == BASIC_INT || q == BASIC_UINT);

    if (p == BASIC_NONE || q == BASIC_NONE)
        return call_fail(c, "invalid type for comparison");
    if (integers)
        *yes = x.i < y.i;
    else if (p != q)
        return incompatible(c, x, y);
    else if (p == BASIC_FLOAT)
        *yes = x.f < y.f;
    else if (p == BASIC_STRING)
        *yes = str_cmp(x.s, y.s) < 0;
    else
        return call_fail(c, "invalid type for comparison");
    return true;
}

static bool
fn_eq(struct call *c, const struct value *v, size_t n, struct value *out)
{
    bool same = false;

    if (n == 1)
        return call_fail(c, "missing argument for comparison");
    for (size_t i = 1; i < n && !same; i++) {
        if (!equal(c, v[0], v[i], &same))
            return false;
    }
    *out = value_bool(same);
    return true;
}

static bool
fn_ne(struct call *c, const struct value *v, size_t n, struct value *out)
{
    bool same;

    (void)n;
    if (!equal(c, v[0], v[1], &same))
        return false;
    *out = value_bool(!same);
    return true;
}

static bool
fn_lt(struct call *c, const struct value *v, size_t n, struct value *out)
{
    bool yes;

    (void)n;
    if (!less(c, v[0], v[1], &yes))
        return false;
    *out = value_bool(yes);
    return true;
}

static bool
fn_ge(struct call *c, const struct value *v, size_t n, struct value *out)
{
    if (!fn_lt(c, v, n, out))
        return false;
    out->b = !out->b;
    return true;
}

static bool
fn_le(struct call *c, const struct value *v, size_t n, struct value *out)
{
    bool yes;

    (void)n;
    if (!less(c, v[0], v[1], &yes) || (!yes && !equal(c, v[0], v[1], &yes)))
        return false;
    *out = value_bool(yes);
    return true;
}

static bool
fn_gt(struct call *c, const struct value *v, size_t n, struct value *out)
{
    if (!fn_le(c, v, n, out))
        return false;
    out->b = !out->b;
    return true;
}

static const struct func rows[] = {
    {"eq", "vv+", fn_eq}, {"ne", "vv", fn_ne}, {"lt", "vv", fn_lt},
    {"le", "vv", fn_le},  {"gt", "vv", fn_gt}, {"ge", "vv", fn_ge},
};

const struct func_table funcs_compare = {rows, ARRAY_LEN(rows)};
