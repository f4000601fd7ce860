#include <math.h>

#include "lib/base/utf8.h"

#include "lib/schema/cel_check.h"

/*
 * cel-go's checker/cost.go with k8s.io/apiserver/pkg/cel/library/cost.go: the
 * most that an expression may cost, from the bounds that its schemas set. Each
 * node yields its cost, where its value stands in the schema, and how large it
 * can be. What stands nowhere is taken for the value of the rule itself: the
 * server's paths lose their root there.
 */

enum { REQUEST_MAX = 3 * 1024 * 1024 };

#define INFINITE UINT64_MAX

struct size {
    uint64_t min, max;
    bool known;
};

enum place_kind { NOWHERE, SOMEWHERE, A_KEY, AN_INDEX };

struct place {
    enum place_kind kind;
    const struct schema *schema; /* SOMEWHERE; NULL: no type */
};

struct estimate {
    uint64_t cost;
    struct place place;
    struct size size, item; /* item: of its elements */
};

struct local {
    struct place place;
    struct size size;
};

struct coster {
    const struct cel *cel;
    const struct schema *root;
    struct local *locals; /* by slot */
};

static struct estimate estimate(struct coster *c, const struct cel_node *n);

/* ---- numbers that do not overflow ---- */

static uint64_t
plus(uint64_t a, uint64_t b)
{
    return a > INFINITE - b ? INFINITE : a + b;
}

static uint64_t
times(uint64_t a, uint64_t b)
{
    return b && a > INFINITE / b ? INFINITE : a * b;
}

static uint64_t
part(uint64_t a, double factor)
{
    double d = ceil((double)a * factor);

    return d >= 18446744073709551616.0 ? INFINITE : (uint64_t)d;
}

static struct size
fixed(uint64_t n)
{
    return (struct size){n, n, true};
}

static struct size
or_unknown(struct size s)
{
    return s.known ? s : (struct size){0, INFINITE, true};
}

static struct size
either(struct size a, struct size b)
{
    return (struct size){MIN(a.min, b.min), MAX(a.max, b.max),
                         a.known && b.known};
}

/* ---- what schemas allow ---- */

uint64_t
cel_min_size(const struct schema *s)
{
    static const int plain[] = {
        [SCHEMA_BOOLEAN] = 4, [SCHEMA_INTEGER] = 1, [SCHEMA_NUMBER] = 1};
    uint64_t n = 2;

    if (!s || s->info.int_or_string)
        return 1;
    if (s->info.type == SCHEMA_STRING)
        return strcmp(s->info.format, "duration") == 0    ? 3
               : strcmp(s->info.format, "date") == 0      ? 12
               : strcmp(s->info.format, "date-time") == 0 ? 21
                                                          : 2;
    if (s->info.type == SCHEMA_ARRAY || s->values)
        return 2;
    if (s->info.type != SCHEMA_OBJECT)
        return s->info.type == SCHEMA_ANY ? 1 : (uint64_t)plain[s->info.type];
    for (size_t i = 0; i < s->property_count; i++) {
        const struct schema_property *p = &s->properties[i];

        if (p->required && !p->schema->info.fallback &&
            (p->schema->info.type != SCHEMA_ANY ||
             p->schema->info.int_or_string))
            n += strlen(p->name) + cel_min_size(p->schema) + 4;
    }
    return n;
}

static uint64_t
text_max(const struct schema *s)
{
    const char *format = s->info.format;
    uint64_t longest = 0;
    bool plain = !s->info.int_or_string;

    if (plain && strcmp(format, "date") == 0)
        return 12;
    if (plain &&
        (strcmp(format, "duration") == 0 || strcmp(format, "date-time") == 0))
        return 32;
    if (s->info.max_length >= 0)
        return (uint64_t)s->info.max_length *
               (plain && strcmp(format, "byte") == 0 ? 1 : 4);
    for (struct json *e = plain ? json_first(s->info.choices) : NULL; e;
         e = json_next(e))
        longest = MAX(longest, strlen(json_string_or(e, "")));
    return plain && s->info.choices && strcmp(format, "byte") != 0
               ? longest
               : REQUEST_MAX - 2;
}

static uint64_t
elements_max(const struct schema *s)
{
    if (s->info.int_or_string || s->info.type == SCHEMA_STRING)
        return text_max(s);
    if (s->info.type == SCHEMA_ARRAY && s->info.max_items >= 0)
        return (uint64_t)s->info.max_items;
    if (s->info.type == SCHEMA_ARRAY)
        return (REQUEST_MAX - 2) / (cel_min_size(s->items) + 1);
    if (s->info.type == SCHEMA_OBJECT && s->values)
        return s->info.max_properties >= 0
                   ? (uint64_t)s->info.max_properties
                   : (REQUEST_MAX - 2) / (cel_min_size(s->values) + 6);
    return 0;
}

static struct size
size_at(struct place p)
{
    if (p.kind == A_KEY)
        return fixed(0);
    if (p.kind != SOMEWHERE || !p.schema)
        return (struct size){0};
    return (struct size){0, elements_max(p.schema), true};
}

static struct place
at(const struct schema *s)
{
    return (struct place){SOMEWHERE, s};
}

/* A step from a place; from nowhere it leads to the root. */
static struct place
step(struct coster *c, struct place p, char how)
{
    if (p.kind == NOWHERE)
        return at(c->root);
    if (how == 'k')
        return (struct place){.kind = A_KEY};
    if (how == '#' || p.kind != SOMEWHERE || !p.schema)
        return (struct place){.kind = AN_INDEX};
    return at(p.schema->items ? p.schema->items : p.schema->values);
}

static struct place
member(struct coster *c, struct place p, struct str name)
{
    AUTO(buf_release) struct buf key = BUF_INIT(4096);
    const struct schema *s = p.kind == NOWHERE ? c->root : p.schema;

    if ((p.kind != NOWHERE && p.kind != SOMEWHERE) || !s ||
        !cel_unescape(name, &key))
        return (struct place){.kind = AN_INDEX};
    s = cel_property(s, buf_cstr(&key));
    return s ? at(s) : (struct place){.kind = AN_INDEX};
}

/* ---- sizes ---- */

static bool
is_scalar(const struct cel_type *t)
{
    if (t->kind == 'o')
        return is_scalar(t->a);
    return strchr("bdritu", t->kind) != NULL;
}

/* Where nothing computed the size: what is written, the schema, the type. */
static void
complete(const struct cel_node *n, struct estimate *e)
{
    if (e->size.known)
        return;
    if (n->op == CEL_CONST && n->value.kind != CEL_TYPE)
        e->size = fixed(cel_size(&n->value));
    else if (n->op == CEL_NEW_LIST)
        e->size = fixed(n->n);
    else if (n->op == CEL_NEW_MAP)
        e->size = fixed(n->n / 2);
    else
        e->size = size_at(e->place);
    if (!e->size.known && is_scalar(n->type))
        e->size = fixed(1);
}

/* ---- calls ---- */

static bool
is_named(const struct cel_node *n, const char *names)
{
    struct str rest = str_of(names), one;

    while (str_next(&rest, ' ', &one)) {
        if (str_eq(n->name, one))
            return true;
    }
    return false;
}

/* Of the elements of a list, for functions that look at each. */
static struct size
element_size(struct coster *c, const struct estimate *list)
{
    return list->place.kind == NOWHERE ? (struct size){0}
                                       : size_at(step(c, list->place, 'i'));
}

static uint64_t
each_element(struct coster *c, const struct cel_node *n,
             const struct estimate *list)
{
    const struct cel_type *t = n->args[0]->type;
    uint64_t one = 1, count = or_unknown(list->size).max;

    if (t->kind != 'l')
        return part(count, 0.1);
    if (t->a->kind == 's' || t->a->kind == 'y')
        one = plus(1, part(or_unknown(element_size(c, list)).max, 0.1));
    return times(count, one);
}

static struct size
replaced_size(struct size text, struct size from, struct size to)
{
    struct size r = {0, 0, true};

    if (!from.min)
        r.max = plus(times(plus(text.max, 1), to.max), text.max);
    else if (to.max <= from.min)
        r.max = text.max;
    else
        r.max = times((text.max + from.min - 1) / from.min, to.max);
    return r;
}

static struct size
joined_size(struct coster *c, const struct cel_node *n,
            const struct estimate *a)
{
    struct size count = or_unknown(a[0].size);
    struct size each = or_unknown(element_size(c, &a[0]));
    struct size out = {0, times(count.max, each.max), true};

    if (n->n > 1 && count.max)
        out.max =
            plus(out.max, times(or_unknown(a[1].size).max, count.max - 1));
    return out;
}

/* A function of texts and lists by name; false: none of these. */
static bool
estimate_named(struct coster *c, const struct cel_node *n,
               const struct estimate *a, uint64_t *cost, struct size *out)
{
    struct size first = n->n ? or_unknown(a[0].size) : fixed(0);
    struct size second = n->n > 1 ? or_unknown(a[1].size) : fixed(0);

    if (is_named(n, "check"))
        *cost = 350000;
    else if (is_named(n, "isSorted sum max min indexOf lastIndexOf"))
        *cost = each_element(c, n, &a[0]);
    else if (is_named(n, "url lowerAscii upperAscii substring trim")) {
        *cost = part(first.max, 0.1);
        *out = first;
    } else if (is_named(n, "replace") && n->n > 2) {
        *cost = part(first.max, 0.2);
        *out = replaced_size(first, second, or_unknown(a[2].size));
    } else if (is_named(n, "split")) {
        *cost = part(first.max, 0.2);
        *out = (struct size){0, first.max, true};
        if (n->n > 2 && n->args[2]->op == CEL_CONST)
            out->max = n->args[2]->value.u;
    } else if (is_named(n, "join")) {
        *out = joined_size(c, n, a);
        *cost = part(out->max, 0.1);
    } else if (is_named(n, "find findAll")) {
        *cost = times(part(plus(first.max, 1), 0.1), part(second.max, 0.25));
        *out = (struct size){0, first.max, true};
    } else if (is_named(n, "matches") && n->method) {
        *cost = times(part(plus(first.max, 1), 0.1), part(second.max, 0.25));
    } else if (is_named(n, "contains")) {
        *cost = times(part(first.max, 0.1), part(second.max, 0.1));
    } else if (is_named(n, "startsWith endsWith")) {
        *cost = part(second.max, 0.1);
    } else if (is_named(n, "cidr isIP isCIDR ip quantity isQuantity semver "
                           "isSemver")) {
        *cost = part(first.max, 0.1);
    } else if (is_named(n, "ip.isCanonical")) {
        *cost = part(first.max, 0.2);
    } else if (is_named(n, "validate")) {
        *cost = part(part(second.max, 0.1), 32);
    } else if (is_named(n, "sets.contains sets.intersects")) {
        *cost = plus(1, times(first.max, second.max));
    } else if (is_named(n, "sets.equivalent")) {
        *cost = plus(1, times(2, times(first.max, second.max)));
    } else if (is_named(n, "containsIP containsCIDR")) {
        *cost = n->name.n == strlen("containsIP") ? 4 : 7;
        if (n->n > 1 && n->args[1]->type->kind == 's')
            *cost = plus(*cost, part(second.max, 0.1));
    } else {
        return false;
    }
    return true;
}

/* An overload of an operator or a conversion. */
static uint64_t
estimate_overload(const struct cel_node *n, const char *signature,
                  const struct estimate *a, struct size *out)
{
    struct size first = n->n ? or_unknown(a[0].size) : fixed(0);
    struct size second = n->n > 1 ? or_unknown(a[1].size) : fixed(0);
    struct size sum = {plus(first.min, second.min), plus(first.max, second.max),
                       true};
    bool text = *signature == 's' || *signature == 'y';

    if (is_named(n, "_+_") && (text || *signature == 'l')) {
        *out = sum;
        return text ? part(sum.max, 0.1) : 1;
    }
    if (is_named(n, "_==_ _!=_") || (text && is_named(n, "_<_ _<=_ _>_ _>=_")))
        return part(MIN(first.max, second.max), 0.1);
    if (is_named(n, "@in") && signature[1] == 'l')
        return second.max;
    if (is_named(n, "bytes") && *signature == 's') {
        *out = (struct size){first.min, times(first.max, 4), true};
        return part(first.max, 0.1);
    }
    if (is_named(n, "string") && *signature == 'y') {
        *out = (struct size){first.min / 4, first.max, true};
        return part(first.max, 0.1);
    }
    if (is_named(n, "format"))
        return part(first.max, 0.1);
    return 1;
}

static struct estimate
estimate_call(struct coster *c, const struct cel_node *n)
{
    struct estimate a[8] = {{0}}, e = {0};
    uint64_t own = 0;

    for (size_t i = 0; i < n->n && i < ARRAY_LEN(a); i++) {
        a[i] = estimate(c, n->args[i]);
        e.cost = plus(e.cost, a[i].cost);
    }
    if (is_named(n, "dyn")) {
        e = a[0];
        e.cost = plus(e.cost, 1);
        return e;
    }
    if (!estimate_named(c, n, a, &own, &e.size)) {
        for (size_t i = 0; i < n->overload_count; i++) {
            struct size out = {0};
            uint64_t one =
                estimate_overload(n, n->overloads[i]->signature, a, &out);

            own = MAX(own, one);
            if (out.known)
                e.size = e.size.known ? either(e.size, out) : out;
        }
    }
    if (n->n == 2 && is_named(n, "_+_") && n->type->kind == 'l' &&
        a[0].item.known && a[1].item.known)
        e.item = either(a[0].item, a[1].item);
    e.cost = plus(e.cost, own);
    return e;
}

static struct estimate
estimate_index(struct coster *c, const struct cel_node *n)
{
    struct estimate of = estimate(c, n->args[0]);
    struct estimate key = estimate(c, n->args[1]);
    struct estimate e = {.cost = plus(plus(of.cost, key.cost), 1)};

    e.place = step(c, of.place, 'i');
    e.size = of.item;
    return e;
}

/* ---- the rest ---- */

static struct estimate
estimate_ident(struct coster *c, const struct cel_node *n)
{
    const struct cel *cel = c->cel;
    struct estimate e = {.cost = 1};

    if (n->slot < cel->variable_count) {
        e.place = at(cel->variables[n->slot].schema);
    } else {
        e.place = c->locals[n->slot].place;
        e.size = size_at(e.place);
        if (!e.size.known && !is_scalar(n->type))
            e.size = c->locals[n->slot].size;
    }
    return e;
}

static struct estimate
estimate_select(struct coster *c, const struct cel_node *n)
{
    struct estimate e = estimate(c, n->args[0]);
    bool counts = n->maybe || strchr("mOA", n->args[0]->type->kind);

    if (n->op == CEL_HAS)
        return (struct estimate){.cost = e.cost};
    e.cost = plus(e.cost, counts);
    e.place = n->maybe ? (struct place){0} : member(c, e.place, n->name);
    e.size = e.item = (struct size){0};
    return e;
}

static struct estimate
estimate_logical(struct coster *c, const struct cel_node *n)
{
    struct estimate e = {0};

    for (size_t i = 0; i < n->n; i++)
        e.cost = plus(e.cost, estimate(c, n->args[i]).cost);
    return e;
}

static struct estimate
estimate_if(struct coster *c, const struct cel_node *n)
{
    struct estimate e = estimate(c, n->args[0]);
    struct estimate yes = estimate(c, n->args[1]);
    struct estimate no = estimate(c, n->args[2]);

    return (struct estimate){
        .cost = plus(e.cost, MAX(yes.cost, no.cost)),
        .size = either(or_unknown(yes.size), or_unknown(no.size)),
        .item = yes.item.known && no.item.known ? either(yes.item, no.item)
                                                : (struct size){0}};
}

static struct estimate
estimate_literal(struct coster *c, const struct cel_node *n)
{
    bool list = n->op == CEL_NEW_LIST;
    struct estimate e = {.cost = list ? 10 : 30};
    struct size item = {n->n ? INFINITE : 0, 0, true};

    for (size_t i = 0; i < n->n; i++) {
        struct estimate one = estimate(c, n->args[i]);

        e.cost = plus(e.cost, one.cost);
        if (list || i % 2)
            item = either(item, or_unknown(one.size));
    }
    e.item = item;
    return e;
}

/* What the macros become in each step, behind the costs of their parts. */
static uint64_t
step_cost(const struct cel_node *n, const uint64_t *parts)
{
    uint64_t last = parts[n->n - 1];
    bool filter = n->n > 2;
    uint64_t made = 0;

    switch (n->loop) {
    case CEL_ALL:
        return plus(last, 3);
    case CEL_EXISTS:
        return plus(last, 4);
    case CEL_EXISTS_ONE:
        return plus(last, 2);
    case CEL_FILTERED:
        return plus(last, 13);
    case CEL_VALUED:
        made = plus(last, 3);
        break;
    case CEL_ENTERED:
        made = plus(last, 2);
        break;
    default:
        made = plus(last, 12);
    }
    return filter ? plus(made, parts[1]) : made;
}

static void
enter(struct coster *c, const struct cel_node *n, const struct estimate *range)
{
    bool list = n->args[0]->type->kind == 'l', two = n->slot2 != SIZE_MAX;

    if (two)
        c->locals[n->slot2] =
            (struct local){step(c, range->place, 'i'), range->item};
    c->locals[n->slot] =
        two || !list
            ? (struct local){step(c, range->place, list ? '#' : 'k'), {0}}
            : (struct local){step(c, range->place, 'i'), range->item};
}

static struct estimate
estimate_loop(struct coster *c, const struct cel_node *n)
{
    struct estimate range = estimate(c, n->args[0]), e = {0}, last = {0};
    uint64_t parts[4] = {0}, count = or_unknown(range.size).max;
    bool map = n->loop == CEL_VALUED || n->loop == CEL_ENTERED;

    enter(c, n, &range);
    for (size_t i = 1; i < n->n && i < ARRAY_LEN(parts); i++) {
        last = estimate(c, n->args[i]);
        parts[i] = last.cost;
    }
    e.cost = plus(range.cost, times(count, step_cost(n, parts)));
    if (n->loop < CEL_MAPPED) {
        e.cost = plus(e.cost, n->loop == CEL_EXISTS_ONE ? 2 : 1);
        e.size = fixed(1);
        return e;
    }
    e.cost = plus(e.cost, map ? 31 : 11);
    e.size = or_unknown(range.size);
    if (n->loop == CEL_FILTERED && n->slot2 == SIZE_MAX)
        last.size = size_at(c->locals[n->slot].place);
    e.item = or_unknown(last.size);
    e.item.min = 0;
    return e;
}

/* target.hasValue() ? optional.of(body) : optional.none(), the body with the
 * target's value bound to a name. */
static struct estimate
estimate_bind(struct coster *c, const struct cel_node *n)
{
    struct estimate of = estimate(c, n->args[0]), body;

    c->locals[n->slot] = (struct local){{0}, {0}};
    body = estimate(c, n->args[1]);
    return (struct estimate){.cost = plus(plus(times(of.cost, 2), 12),
                                          plus(body.cost, n->flat ? 0 : 1))};
}

/* Lists, maps and times may have been made of literals: they cost what these
 * did. The name of a type stands nowhere. */
static struct estimate
estimate_value(struct coster *c, const struct cel_value *v)
{
    struct estimate e = {0};

    if (v->kind == CEL_TYPE)
        return (struct estimate){.cost = 1, .place = at(c->root)};
    e.cost = v->kind == CEL_LIST ? 10 : v->kind == CEL_MAP ? 30 : 0;
    e.cost += v->kind == CEL_TIMESTAMP || v->kind == CEL_DURATION;
    e.item = (struct size){INFINITE, 0, v->kind == CEL_LIST};
    for (size_t i = 0; v->kind == CEL_LIST && v->list->v && i < v->list->n;
         i++) {
        e.cost = plus(e.cost, estimate_value(c, &v->list->v[i]).cost);
        e.item = either(e.item, fixed(cel_size(&v->list->v[i])));
    }
    return e;
}

static struct estimate
estimate_const(struct coster *c, const struct cel_node *n)
{
    return estimate_value(c, &n->value);
}

static struct estimate
estimate(struct coster *c, const struct cel_node *n)
{
    static struct estimate (*const ways[])(struct coster *,
                                           const struct cel_node *) = {
        [CEL_CONST] = estimate_const,     [CEL_IDENT] = estimate_ident,
        [CEL_SELECT] = estimate_select,   [CEL_HAS] = estimate_select,
        [CEL_INDEX] = estimate_index,     [CEL_AND] = estimate_logical,
        [CEL_OR] = estimate_logical,      [CEL_IF] = estimate_if,
        [CEL_EQUAL] = estimate_call,      [CEL_UNEQUAL] = estimate_call,
        [CEL_CALL] = estimate_call,       [CEL_NEW_LIST] = estimate_literal,
        [CEL_NEW_MAP] = estimate_literal, [CEL_LOOP] = estimate_loop,
        [CEL_BIND] = estimate_bind,       [CEL_OR_ELSE] = estimate_call,
    };
    struct estimate e = ways[n->op](c, n);

    complete(n, &e);
    return e;
}

uint64_t
cel_estimate(const struct cel *cel, const struct schema *root)
{
    struct coster c = {.cel = cel, .root = root};
    struct arena *a = arena_new();

    c.locals = arena_array(a, cel->slots + 1, sizeof(*c.locals));
    uint64_t cost = estimate(&c, cel->root).cost;

    arena_free(a);
    return cost;
}
