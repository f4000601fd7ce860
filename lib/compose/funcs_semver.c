/* Versions and constraints. Source: Masterminds/semver 3, which sprig calls. */
#include "lib/base/ascii.h"

#include "lib/compose/funcs.h"

struct version {
    uint64_t part[3]; /* major, minor, patch */
    struct str pre, meta, original;
};

enum op {
    OP_EQUAL,
    OP_NOT,
    OP_MORE,
    OP_LESS,
    OP_FROM,
    OP_UPTO,
    OP_TILDE,
    OP_CARET
};

/* One condition. dirty: it has a wildcard or lacks a part. */
struct constraint {
    enum op op;
    struct version v;
    bool dirty, minor_dirty, patch_dirty;
};

/* ---- reading ---- */

static bool
is_identifier(char c)
{
    char low = (char)(c | 0x20);

    return ascii_digit(c) || (low >= 'a' && low <= 'z') || c == '-' || c == '.';
}

/* "-pre" or "+meta" at the start of *s: identifiers with dots between. */
static bool
take_tail(struct str *s, char mark, struct str *out)
{
    size_t n = 1;

    *out = STR("");
    if (!s->n || s->s[0] != mark)
        return true;
    while (n < s->n && is_identifier(s->s[n]))
        n++;
    *out = str_sub(*s, 1, n - 1);
    *s = str_from(*s, n);
    return out->n && out->s[0] != '.' && out->s[out->n - 1] != '.' &&
           !str_contains(*out, STR(".."));
}

/* A component: digits, or x X * when wild; an absent one is empty. */
static bool
take_part(struct str *s, bool wild, bool first, struct str *out)
{
    size_t n = first ? 0 : 1;

    *out = STR("");
    if (!first && (!s->n || s->s[0] != '.'))
        return true;
    while (n < s->n && (ascii_digit(s->s[n]) ||
                        (wild && s->s[n] && strchr("xX*|", s->s[n]))))
        n++;
    *out = str_sub(*s, first ? 0 : 1, n - (first ? 0 : 1));
    *s = str_from(*s, n);
    return out->n > 0;
}

/* Numbers of a pre-release must not start with a zero. */
static bool
zeros_fit(struct str pre)
{
    struct str piece;

    while (pre.n && str_next(&pre, '.', &piece)) {
        bool digits = true;

        for (size_t i = 0; i < piece.n; i++)
            digits &= ascii_digit(piece.s[i]);
        if (digits && piece.n > 1 && piece.s[0] == '0')
            return false;
        if (!pre.s)
            break;
    }
    return true;
}

static bool
parse_version(struct call *c, struct str s, struct version *out)
{
    struct str part, rest = s;

    *out = (struct version){.original = s};
    if (rest.n && rest.s[0] == 'v')
        rest = str_from(rest, 1);
    for (int i = 0; i < 3; i++) {
        if (!take_part(&rest, false, i == 0, &part) ||
            (part.n && !str_to_u64(part, &out->part[i])))
            return call_fail(c, "invalid semantic version");
    }
    if (!take_tail(&rest, '-', &out->pre) ||
        !take_tail(&rest, '+', &out->meta) || rest.n)
        return call_fail(c, "invalid semantic version");
    if (!zeros_fit(out->pre))
        return call_fail(c, "version segment starts with 0");
    return true;
}

static bool
is_wild(struct str part)
{
    return !part.n || str_eqz(part, "x") || str_eqz(part, "X") ||
           str_eqz(part, "*");
}

static void
skip_spaces(struct str *s)
{
    while (s->n && (s->s[0] == ' ' || (s->s[0] >= '\t' && s->s[0] <= '\r')))
        *s = str_from(*s, 1);
}

static enum op
take_op(struct str *s)
{
    static const struct {
        const char *text;
        enum op op;
    } ops[] = {{"!=", OP_NOT},  {">=", OP_FROM}, {"=>", OP_FROM},
               {"<=", OP_UPTO}, {"=<", OP_UPTO}, {"~>", OP_TILDE},
               {"=", OP_EQUAL}, {">", OP_MORE},  {"<", OP_LESS},
               {"~", OP_TILDE}, {"^", OP_CARET}};

    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        if (str_starts(*s, str_of(ops[i].text))) {
            *s = str_from(*s, strlen(ops[i].text));
            return ops[i].op;
        }
    }
    return OP_EQUAL;
}

/* The version of a constraint: parts may be wild or missing. */
static bool
take_wild_version(struct str *s, struct constraint *k)
{
    struct str part[3];

    if (s->n && s->s[0] == 'v')
        *s = str_from(*s, 1);
    for (int i = 0; i < 3; i++) {
        if (!take_part(s, true, i == 0, &part[i]))
            return false;
    }
    if (!take_tail(s, '-', &k->v.pre) || !take_tail(s, '+', &k->v.meta))
        return false;
    k->dirty = is_wild(part[0]) || is_wild(part[1]) || is_wild(part[2]);
    if (is_wild(part[0]))
        return true;
    k->minor_dirty = is_wild(part[1]);
    k->patch_dirty = !k->minor_dirty && is_wild(part[2]);
    return str_to_u64(part[0], &k->v.part[0]) &&
           (k->minor_dirty || str_to_u64(part[1], &k->v.part[1])) &&
           (k->dirty || str_to_u64(part[2], &k->v.part[2]));
}

static bool
take_constraint(struct str *s, struct constraint *k)
{
    *k = (struct constraint){0};
    skip_spaces(s);
    k->op = take_op(s);
    skip_spaces(s);
    return take_wild_version(s, k);
}

/* ---- comparing ---- */

static int
compare_identifiers(struct str x, struct str y)
{
    uint64_t a, b;
    bool p = str_to_u64(x, &a), q = str_to_u64(y, &b);

    if (p && q)
        return (a > b) - (a < b);
    if (p != q)
        return p ? -1 : 1;
    int c = str_cmp(x, y);

    return (c > 0) - (c < 0);
}

static int
compare_pre(struct str x, struct str y)
{
    if (!x.n || !y.n)
        return (y.n > 0) - (x.n > 0);
    for (;;) {
        struct str a, b;
        bool p = str_next(&x, '.', &a), q = str_next(&y, '.', &b);

        if (!p || !q)
            return (int)p - (int)q;
        int c = compare_identifiers(a, b);

        if (c)
            return c;
    }
}

static int
compare(const struct version *x, const struct version *y)
{
    for (int i = 0; i < 3; i++) {
        if (x->part[i] != y->part[i])
            return x->part[i] > y->part[i] ? 1 : -1;
    }
    return compare_pre(x->pre, y->pre);
}

static bool
tilde(const struct version *v, const struct constraint *k)
{
    const uint64_t *p = k->v.part;

    if (compare(v, &k->v) < 0)
        return false;
    if (!p[0] && !p[1] && !p[2] && !k->minor_dirty && !k->patch_dirty)
        return true;
    return v->part[0] == p[0] && (v->part[1] == p[1] || k->minor_dirty);
}

static bool
caret(const struct version *v, const struct constraint *k)
{
    const uint64_t *p = k->v.part;

    if (compare(v, &k->v) < 0)
        return false;
    if (p[0] > 0 || k->minor_dirty)
        return v->part[0] == p[0];
    if (v->part[0] > 0)
        return false;
    if (p[1] > 0 || k->patch_dirty)
        return v->part[1] == p[1];
    return v->part[1] == 0 && v->part[2] == p[2];
}

static bool
not_equal(const struct version *v, const struct constraint *k)
{
    const uint64_t *p = k->v.part;

    if (k->dirty) {
        if (v->part[0] != p[0])
            return true;
        if (v->part[1] != p[1] && !k->minor_dirty)
            return true;
        if (k->minor_dirty)
            return false;
        if (v->part[2] != p[2] && !k->patch_dirty)
            return true;
        if (k->patch_dirty)
            return compare_pre(v->pre, k->v.pre) != 0;
    }
    return compare(v, &k->v) != 0;
}

static bool
more(const struct version *v, const struct constraint *k)
{
    if (k->dirty) {
        if (v->part[0] != k->v.part[0])
            return v->part[0] > k->v.part[0];
        if (k->minor_dirty)
            return false;
        if (k->patch_dirty)
            return v->part[1] > k->v.part[1];
    }
    return compare(v, &k->v) > 0;
}

static bool
up_to(const struct version *v, const struct constraint *k)
{
    if (!k->dirty)
        return compare(v, &k->v) <= 0;
    return v->part[0] < k->v.part[0] ||
           (v->part[0] == k->v.part[0] &&
            (v->part[1] <= k->v.part[1] || k->minor_dirty));
}

static bool
holds(const struct version *v, const struct constraint *k)
{
    /* A pre-release satisfies only what asks for one. */
    if (v->pre.n && !k->v.pre.n && (k->op != OP_NOT || k->dirty))
        return false;
    switch (k->op) {
    case OP_NOT:
        return not_equal(v, k);
    case OP_MORE:
        return more(v, k);
    case OP_LESS:
        return compare(v, &k->v) < 0;
    case OP_FROM:
        return compare(v, &k->v) >= 0;
    case OP_UPTO:
        return up_to(v, k);
    case OP_TILDE:
        return tilde(v, k);
    case OP_CARET:
        return caret(v, k);
    default:
        return k->dirty ? tilde(v, k) : compare(v, &k->v) == 0;
    }
}

/* "1.2 - 1.4" in s stands for >=1.2 <=1.4; takes it off. */
static bool
take_range(struct str *s, struct constraint *low, struct constraint *high)
{
    struct str rest = *s;

    if (!take_constraint(&rest, low) || low->op != OP_EQUAL)
        return false;
    size_t before = rest.n;

    skip_spaces(&rest);
    if (rest.n == before || rest.n < 2 || rest.s[0] != '-' ||
        (rest.s[1] != ' ' && rest.s[1] != '\t'))
        return false;
    rest = str_from(rest, 1);
    if (!take_constraint(&rest, high))
        return false;
    low->op = OP_FROM;
    high->op = OP_UPTO;
    *s = rest;
    return true;
}

/* All conditions of one alternative. */
static bool
alternative(struct call *c, struct str all, const struct version *v, bool *yes)
{
    struct str s = all;
    struct constraint k, high;

    *yes = true;
    do {
        if (take_range(&s, &k, &high)) {
            *yes = *yes && holds(v, &k) && holds(v, &high);
        } else {
            if (!take_constraint(&s, &k))
                return call_fail(c, "improper constraint: %.*s", STR_ARG(all));
            *yes = *yes && holds(v, &k);
        }
        struct str before = s;

        skip_spaces(&s);
        if (s.n && s.s[0] == ',')
            s = str_from(s, 1);
        else if (s.n && s.n == before.n)
            return call_fail(c, "improper constraint: %.*s", STR_ARG(all));
        skip_spaces(&s);
    } while (s.n);
    return true;
}

FUNC(fn_semver_compare)
{
    struct str rest = v[0].s;
    struct version version = {0};
    bool any = false, yes;

    /* A bad constraint is told before a bad version. */
    for (int round = 0; round < 2; round++) {
        rest = v[0].s;
        any = false;
        for (;;) {
            size_t bar = str_find(rest, STR("||"), 0);

            if (!alternative(c, str_sub(rest, 0, bar), &version, &yes))
                return false;
            any |= yes;
            if (bar == SIZE_MAX)
                break;
            rest = str_from(rest, bar + 2);
        }
        if (round == 0 && !parse_version(c, v[1].s, &version))
            return false;
    }
    *out = value_bool(any);
    return true;
}

FUNC(fn_semver)
{
    struct value_struct *st = arena_alloc(c->a, sizeof(*st));
    struct value_entry *f = arena_array(c->a, 6, sizeof(*f));
    struct version x;

    if (!parse_version(c, v[0].s, &x))
        return false;
    buf_printf(&c->text, "%llu.%llu.%llu", (unsigned long long)x.part[0],
               (unsigned long long)x.part[1], (unsigned long long)x.part[2]);
    if (x.pre.n)
        buf_printf(&c->text, "-%.*s", STR_ARG(x.pre));
    if (x.meta.n)
        buf_printf(&c->text, "+%.*s", STR_ARG(x.meta));
    f[0] = (struct value_entry){STR("Major"), value_int64((int64_t)x.part[0])};
    f[1] = (struct value_entry){STR("Minor"), value_int64((int64_t)x.part[1])};
    f[2] = (struct value_entry){STR("Patch"), value_int64((int64_t)x.part[2])};
    f[3] = (struct value_entry){STR("Prerelease"), value_str(x.pre)};
    f[4] = (struct value_entry){STR("Metadata"), value_str(x.meta)};
    f[5] = (struct value_entry){STR("Original"), value_str(x.original)};
    *st = (struct value_struct){.type = "*semver.Version",
                                .fields = f,
                                .n = 6,
                                .text = arena_str(c->a, buf_view(&c->text))};
    *out = (struct value){.type = VALUE_STRUCT, .st = st};
    return true;
}

static const struct func rows[] = {
    {"semver", "s", fn_semver},
    {"semverCompare", "ss", fn_semver_compare},
};

const struct func_table funcs_semver = {rows, ARRAY_LEN(rows)};
