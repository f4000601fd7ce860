#include <math.h>

#include "lib/schema/cel_node.h"

/*
 * The functions: which there are, which take given values, and the operators
 * of the language itself (cel-go's common/stdlib/standard.go).
 */

/* Behind the type at p. */
static const char *
skip_type(const char *p)
{
    char kind = *p++;

    if (kind == 'T' && *p == ':')
        return skip_type(p + 1);
    if (kind == 'm')
        p = skip_type(p);
    return strchr("lmo", kind) ? skip_type(p) : p;
}

/* Number of arguments, the target included. */
static size_t
arity(const char *signature)
{
    size_t n = 0;

    while (*signature != '>') {
        signature = skip_type(signature);
        signature += *signature == '.';
        n++;
    }
    return n;
}

size_t
cel_overloads(struct str name, bool method, size_t args,
              const struct cel_overload **out, size_t max, bool *known)
{
    static const struct cel_library *const libraries[] = {
        &cel_standard,   &cel_conversions, &cel_times,   &cel_strings,
        &cel_lists,      &cel_optionals,   &cel_network, &cel_urls,
        &cel_kubernetes, &cel_authz,
    };
    size_t n = 0;

    *known = false;
    for (size_t i = 0; i < ARRAY_LEN(libraries); i++) {
        for (size_t k = 0; k < libraries[i]->n; k++) {
            const struct cel_overload *o = &libraries[i]->v[k];

            if (!str_eqz(name, o->name))
                continue;
            *known = true;
            if (n < max && method == (strchr(o->signature, '.') != NULL) &&
                args == arity(o->signature))
                out[n++] = o;
        }
    }
    return n;
}

char
cel_letter(const struct cel_value *v)
{
    static const char letters[] = {
        [CEL_NULL] = 'n',
        [CEL_BOOL] = 'b',
        [CEL_INT] = 'i',
        [CEL_UINT] = 'u',
        [CEL_DOUBLE] = 'd',
        [CEL_STRING] = 's',
        [CEL_BYTES] = 'y',
        [CEL_LIST] = 'l',
        [CEL_MAP] = 'm',
        [CEL_TIMESTAMP] = 't',
        [CEL_DURATION] = 'r',
        [CEL_TYPE] = 'T',
        [CEL_OPTIONAL] = 'o',
        [CEL_QUANTITY] = 'q',
        [CEL_URL] = 'U',
        [CEL_IP] = 'I',
        [CEL_CIDR] = 'C',
        [CEL_SEMVER] = 'V',
        [CEL_FORMAT] = 'F',
        [CEL_AUTHORIZER] = 'Z',
        [CEL_PATH_CHECK] = 'P',
        [CEL_GROUP_CHECK] = 'G',
        [CEL_RESOURCE_CHECK] = 'R',
        [CEL_DECISION] = 'D',
        [CEL_UNKNOWN] = '?',
        [CEL_ERROR] = '?',
    };

    return letters[v->kind];
}

bool
cel_fits(const char **type, const struct cel_value *v)
{
    char kind = **type;

    *type = skip_type(*type);
    return kind == cel_letter(v) || strchr("*ABK", kind) != NULL;
}

/* ---- numbers ---- */

static struct cel_value
overflow(bool is_unsigned)
{
    return cel_of_bytes(CEL_ERROR, is_unsigned
                                       ? STR("unsigned integer overflow")
                                       : STR("integer overflow"));
}

static struct cel_value
signed_result(bool over, int64_t i)
{
    return over ? overflow(false) : cel_of_int(i);
}

static struct cel_value
unsigned_result(bool over, uint64_t u)
{
    return over ? overflow(true) : (struct cel_value){.kind = CEL_UINT, .u = u};
}

static struct cel_value
duration_result(bool over, int64_t i)
{
    return over ? cel_of_bytes(CEL_ERROR, STR("integer overflow"))
                : (struct cel_value){.kind = CEL_DURATION, .i = i};
}

static struct cel_value
concat(struct cel_eval *e, const struct cel_value *a)
{
    char *text = cel_alloc(e, a[0].s.n + a[1].s.n + 1);

    if (!text)
        return cel_mismatch();
    if (a[0].s.n)
        memcpy(text, a[0].s.s, a[0].s.n);
    if (a[1].s.n)
        memcpy(text + a[0].s.n, a[1].s.s, a[1].s.n);
    return cel_of_bytes(a->kind, str_n(text, a[0].s.n + a[1].s.n));
}

struct cel_value
cel_add(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    int64_t i;
    uint64_t u;
    bool over;

    switch (a->kind) {
    case CEL_INT:
        over = __builtin_add_overflow(a[0].i, a[1].i, &i);
        return signed_result(over, i);
    case CEL_UINT:
        over = __builtin_add_overflow(a[0].u, a[1].u, &u);
        return unsigned_result(over, u);
    case CEL_DOUBLE:
        return cel_of_double(a[0].d + a[1].d);
    case CEL_LIST:
        return cel_list_add(e, &a[0], &a[1]);
    case CEL_TIMESTAMP:
        return cel_time_shift(&a[0], a[1].i, false);
    case CEL_DURATION:
        if (a[1].kind == CEL_TIMESTAMP)
            return cel_time_shift(&a[1], a[0].i, false);
        over = __builtin_add_overflow(a[0].i, a[1].i, &i);
        return duration_result(over, i);
    default:
        return concat(e, a);
    }
}

static struct cel_value
subtract(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    int64_t i;
    uint64_t u;
    bool over;

    switch (a->kind) {
    case CEL_INT:
        over = __builtin_sub_overflow(a[0].i, a[1].i, &i);
        return signed_result(over, i);
    case CEL_UINT:
        over = __builtin_sub_overflow(a[0].u, a[1].u, &u);
        return unsigned_result(over, u);
    case CEL_DOUBLE:
        return cel_of_double(a[0].d - a[1].d);
    case CEL_TIMESTAMP:
        return a[1].kind == CEL_DURATION ? cel_time_shift(&a[0], a[1].i, true)
                                         : cel_time_between(&a[0], &a[1]);
    default:
        over = __builtin_sub_overflow(a[0].i, a[1].i, &i);
        return duration_result(over, i);
    }
}

static struct cel_value
multiply(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    int64_t i;
    uint64_t u;
    bool over;

    if (a->kind == CEL_DOUBLE)
        return cel_of_double(a[0].d * a[1].d);
    if (a->kind == CEL_INT) {
        over = __builtin_mul_overflow(a[0].i, a[1].i, &i);
        return signed_result(over, i);
    }
    over = __builtin_mul_overflow(a[0].u, a[1].u, &u);
    return unsigned_result(over, u);
}

static struct cel_value
divide(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    if (a->kind == CEL_DOUBLE)
        return cel_of_double(a[0].d / a[1].d);
    if (a[1].u == 0)
        return cel_of_bytes(CEL_ERROR, STR("division by zero"));
    if (a->kind == CEL_UINT)
        return unsigned_result(false, a[0].u / a[1].u);
    if (a[0].i == INT64_MIN && a[1].i == -1)
        return overflow(false);
    return cel_of_int(a[0].i / a[1].i);
}

static struct cel_value
modulo(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    if (a[1].u == 0)
        return cel_of_bytes(CEL_ERROR, STR("modulus by zero"));
    if (a->kind == CEL_UINT)
        return unsigned_result(false, a[0].u % a[1].u);
    if (a[0].i == INT64_MIN && a[1].i == -1)
        return overflow(false);
    return cel_of_int(a[0].i % a[1].i);
}

static struct cel_value
negate(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    if (a->kind == CEL_DOUBLE)
        return cel_of_double(-a->d);
    if (a->i == INT64_MIN)
        return a->kind == CEL_INT ? overflow(false) : duration_result(true, 0);
    return (struct cel_value){.kind = a->kind, .i = -a->i};
}

/* ---- order and membership ---- */

static struct cel_value
ordered(struct cel_eval *e, const struct cel_value *a, int low, int high)
{
    struct cel_value v = cel_compare(e, &a[0], &a[1]);

    return v.kind == CEL_INT ? cel_of_bool(v.i >= low && v.i <= high) : v;
}

static struct cel_value
less(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return ordered(e, a, -1, -1);
}

static struct cel_value
less_or_equal(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return ordered(e, a, -1, 0);
}

static struct cel_value
greater(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return ordered(e, a, 1, 1);
}

static struct cel_value
greater_or_equal(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return ordered(e, a, 0, 1);
}

static struct cel_value not(UNUSED struct cel_eval * e,
                            const struct cel_value *a, UNUSED size_t n)
{
    return cel_of_bool(!a->b);
}

static struct cel_value
in_list(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    const struct cel_value *items = cel_list_items(e, a[1].list);

    for (size_t i = 0; items && i < a[1].list->n && cel_work(e, 1); i++) {
        if (cel_is_equal(e, &items[i], &a[0]))
            return cel_of_bool(true);
    }
    return cel_of_bool(false);
}

static struct cel_value
in_map(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    struct cel_value v = {.kind = CEL_NULL};
    bool found = cel_map_find(e, a[1].map, &a[0], &v);

    return v.kind == CEL_ERROR ? v : cel_of_bool(found);
}

static struct cel_value
size(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_of_int((int64_t)cel_size(a));
}

static struct cel_value
type(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_of_bytes(CEL_TYPE, str_of(cel_type_of(a)));
}

static struct cel_value
same(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return *a;
}

/* An order is defined for these, numbers among each other. */
#define ORDER(name, run)                                                       \
    {name, "bb>b", run, CEL_COST_ONE}, {name, "ii>b", run, CEL_COST_ONE},      \
        {name, "id>b", run, CEL_COST_ONE}, {name, "iu>b", run, CEL_COST_ONE},  \
        {name, "uu>b", run, CEL_COST_ONE}, {name, "ud>b", run, CEL_COST_ONE},  \
        {name, "ui>b", run, CEL_COST_ONE}, {name, "dd>b", run, CEL_COST_ONE},  \
        {name, "di>b", run, CEL_COST_ONE}, {name, "du>b", run, CEL_COST_ONE},  \
        {name, "ss>b", run, CEL_COST_LESSER},                                  \
        {name, "yy>b", run, CEL_COST_LESSER},                                  \
        {name, "tt>b", run, CEL_COST_ONE},                                     \
    {                                                                          \
        name, "rr>b", run, CEL_COST_ONE                                        \
    }

static const struct cel_overload rows[] = {
    {"_?_:_", "bAA>A", same, CEL_COST_ONE},
    {"_==_", "AA>b", same, CEL_COST_ONE},
    {"_!=_", "AA>b", same, CEL_COST_ONE},
    {"_[_]", "lAi>A", same, CEL_COST_ONE},
    {"_[_]", "mABA>B", same, CEL_COST_ONE},
    {"_[_]", "olAi>oA", same, CEL_COST_ONE},
    {"_[_]", "omABA>oB", same, CEL_COST_ONE},
    {"_[?_]", "lAi>oA", same, CEL_COST_ONE},
    {"_[?_]", "olAi>oA", same, CEL_COST_ONE},
    {"_[?_]", "mABA>oB", same, CEL_COST_ONE},
    {"_[?_]", "omABA>oB", same, CEL_COST_ONE},
    {"_+_", "yy>y", cel_add, CEL_COST_SUM},
    {"_+_", "dd>d", cel_add, CEL_COST_ONE},
    {"_+_", "rr>r", cel_add, CEL_COST_ONE},
    {"_+_", "rt>t", cel_add, CEL_COST_ONE},
    {"_+_", "tr>t", cel_add, CEL_COST_ONE},
    {"_+_", "ii>i", cel_add, CEL_COST_ONE},
    {"_+_", "lAlA>lA", cel_add, CEL_COST_ONE},
    {"_+_", "ss>s", cel_add, CEL_COST_SUM},
    {"_+_", "uu>u", cel_add, CEL_COST_ONE},
    {"_-_", "ii>i", subtract, CEL_COST_ONE},
    {"_-_", "dd>d", subtract, CEL_COST_ONE},
    {"_-_", "uu>u", subtract, CEL_COST_ONE},
    {"_-_", "rr>r", subtract, CEL_COST_ONE},
    {"_-_", "tr>t", subtract, CEL_COST_ONE},
    {"_-_", "tt>r", subtract, CEL_COST_ONE},
    {"_*_", "ii>i", multiply, CEL_COST_ONE},
    {"_*_", "uu>u", multiply, CEL_COST_ONE},
    {"_*_", "dd>d", multiply, CEL_COST_ONE},
    {"_/_", "ii>i", divide, CEL_COST_ONE},
    {"_/_", "uu>u", divide, CEL_COST_ONE},
    {"_/_", "dd>d", divide, CEL_COST_ONE},
    {"_%_", "ii>i", modulo, CEL_COST_ONE},
    {"_%_", "uu>u", modulo, CEL_COST_ONE},
    {"-_", "i>i", negate, CEL_COST_ONE},
    {"-_", "d>d", negate, CEL_COST_ONE},
    {"!_", "b>b", not, CEL_COST_ONE},
    ORDER("_<_", less),
    ORDER("_<=_", less_or_equal),
    ORDER("_>_", greater),
    ORDER("_>=_", greater_or_equal),
    {"@in", "AlA>b", in_list, CEL_COST_LIST},
    {"@in", "AmAB>b", in_map, CEL_COST_ONE},
    {"size", "s>i", size, CEL_COST_ONE},
    {"size", "y>i", size, CEL_COST_ONE},
    {"size", "lA>i", size, CEL_COST_ONE},
    {"size", "mAB>i", size, CEL_COST_ONE},
    {"size", "s.>i", size, CEL_COST_ONE},
    {"size", "y.>i", size, CEL_COST_ONE},
    {"size", "lA.>i", size, CEL_COST_ONE},
    {"size", "mAB.>i", size, CEL_COST_ONE},
    {"type", "A>T:A", type, CEL_COST_ONE},
    {"dyn", "A>*", same, CEL_COST_ONE},
};

const struct cel_library cel_standard = {rows, ARRAY_LEN(rows)};
