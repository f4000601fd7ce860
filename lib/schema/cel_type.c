#include <stdio.h>

#include "lib/schema/cel_check.h"

/*
 * cel-go's checker/types.go: types with parameters that are found out as an
 * expression is read. A parameter is a number; what it stands for is kept in a
 * table that only grows when an assignment as a whole succeeds.
 */

#define KIND(c, t) ((t)->kind == (c))

static const struct cel_type dyn = {.kind = '*'}, bad = {.kind = '!'};

const struct cel_type *
cel_type_dyn(void)
{
    return &dyn;
}

const struct cel_type *
cel_type_bad(void)
{
    return &bad;
}

const struct cel_type *
cel_type_new(struct cel_checker *c, char kind, const struct cel_type *a,
             const struct cel_type *b)
{
    struct cel_type *t = arena_alloc(c->c->arena, sizeof(*t));

    *t = (struct cel_type){.kind = kind, .a = a, .b = b};
    return t;
}

const struct cel_type *
cel_type_variable(struct cel_checker *c)
{
    struct cel_type *t = arena_alloc(c->c->arena, sizeof(*t));

    if (c->bound_count == c->bound_cap) {
        size_t cap = c->bound_cap ? c->bound_cap * 2 : 16;
        const struct cel_type **v =
            arena_array(c->c->arena, cap, sizeof(struct cel_type *));

        if (c->bound_count)
            memcpy(v, c->bound, c->bound_count * sizeof(struct cel_type *));
        c->bound = v;
        c->bound_cap = cap;
    }
    *t = (struct cel_type){.kind = 'A', .variable = (unsigned)c->bound_count};
    c->bound_count++;
    return t;
}

const struct cel_type *
cel_type_read(struct cel_checker *c, const char **signature,
              const struct cel_type **parameters)
{
    char kind = *(*signature)++;
    const struct cel_type *a = NULL, *b = NULL;

    if (kind == 'A' || kind == 'B' || kind == 'K') {
        const struct cel_type **p = &parameters[kind & 3];

        return *p ? *p : (*p = cel_type_variable(c));
    }
    if (kind == 'T' && **signature != ':')
        return cel_type_new(c, 'T', NULL, NULL);
    if (kind == 'T')
        ++*signature;
    if (strchr("lmoT", kind))
        a = cel_type_read(c, signature, parameters);
    if (kind == 'm')
        b = cel_type_read(c, signature, parameters);
    return cel_type_new(c, kind, a, b);
}

/* ---- of a schema ---- */

static const struct cel_type *
text_type(struct cel_checker *c, const struct schema *s)
{
    static const struct {
        const char *format;
        char kind;
    } kinds[] = {
        {"byte", 'y'}, {"duration", 'r'}, {"date", 't'}, {"date-time", 't'}};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(s->info.format, kinds[i].format) == 0)
            return cel_type_new(c, kinds[i].kind, NULL, NULL);
    }
    return cel_type_new(c, 's', NULL, NULL);
}

/* The server makes up names for types: that of a variable, then the steps. */
static const char *
below(struct cel_checker *c, const char *name, const char *step)
{
    return arena_printf(c->c->arena, "%s.%s", name, step);
}

const struct cel_type *
cel_type_of_schema(struct cel_checker *c, const struct schema *s,
                   const char *name)
{
    static const char plain[] = {
        [SCHEMA_INTEGER] = 'i', [SCHEMA_NUMBER] = 'd', [SCHEMA_BOOLEAN] = 'b'};
    const struct cel_type *of;
    struct cel_type *object;

    if (!s)
        return NULL;
    if (s->info.int_or_string)
        return &dyn;
    switch (s->info.type) {
    case SCHEMA_ANY:
        return NULL;
    case SCHEMA_STRING:
        return text_type(c, s);
    case SCHEMA_ARRAY:
        of = cel_type_of_schema(c, s->items, below(c, name, "@idx"));
        return of ? cel_type_new(c, 'l', of, NULL) : NULL;
    case SCHEMA_OBJECT:
        break;
    default:
        return cel_type_new(c, plain[s->info.type], NULL, NULL);
    }
    if (s->values) {
        of = cel_type_of_schema(c, s->values, below(c, name, "@elem"));
        return of ? cel_type_new(c, 'm', cel_type_new(c, 's', NULL, NULL), of)
                  : NULL;
    }
    object = arena_alloc(c->c->arena, sizeof(*object));
    *object = (struct cel_type){.kind = 'O', .schema = s, .name = name};
    return object;
}

const struct cel_type *
cel_type_field(struct cel_checker *c, const struct cel_type *object,
               struct str name)
{
    AUTO(buf_release) struct buf key = BUF_INIT(4096);

    for (size_t i = 0; object->fields && i < object->fields->n; i++) {
        const struct cel_field *f = &object->fields->v[i];

        if (str_eqz(name, f->name))
            return f->expression ? f->expression->root->type : &dyn;
    }
    if (object->fields || !cel_unescape(name, &key))
        return NULL;
    return cel_type_of_schema(c, cel_property(object->schema, buf_cstr(&key)),
                              below(c, object->name, buf_cstr(&key)));
}

/* ---- assignment ---- */

static bool
same(const struct cel_type *a, const struct cel_type *b)
{
    if (!a || !b || a == b)
        return a == b;
    return a->kind == b->kind && a->schema == b->schema &&
           a->fields == b->fields && a->variable == b->variable &&
           same(a->a, b->a) && same(a->b, b->b);
}

static bool
is_wild(const struct cel_type *t)
{
    return t->kind == '*' || t->kind == '!';
}

static const struct cel_type *
bound(const struct cel_checker *c, const struct cel_type *t)
{
    return KIND('A', t) ? c->bound[t->variable] : NULL;
}

/* Is t equal to u, or dyn where u says more? */
static bool
less_specific(const struct cel_type *t, const struct cel_type *u)
{
    if (KIND('*', t) || KIND('A', t))
        return true;
    if (KIND('*', u) || KIND('A', u) || t->kind != u->kind)
        return false;
    if (KIND('T', t))
        return true;
    if (KIND('l', t) || KIND('o', t))
        return less_specific(t->a, u->a);
    if (KIND('m', t))
        return less_specific(t->a, u->a) && less_specific(t->b, u->b);
    return same(t, u);
}

static bool
occurs(const struct cel_checker *c, const struct cel_type *t,
       const struct cel_type *within)
{
    if (!within)
        return false;
    if (same(t, within))
        return true;
    if (KIND('A', within))
        return occurs(c, t, bound(c, within));
    return occurs(c, t, within->a) || occurs(c, t, within->b);
}

static bool assignable(struct cel_checker *c, const struct cel_type *t,
                       const struct cel_type *u);

/* May parameter p stand for t? *known: it stood for something before. */
static bool
substitutes(struct cel_checker *c, const struct cel_type *t,
            const struct cel_type *p, bool *known)
{
    const struct cel_type *now = bound(c, p);

    *known = true;
    if (same(t, p) || (now && same(t, now)))
        return true;
    if (now) {
        if (!assignable(c, t, now))
            return false;
        const struct cel_type *general = less_specific(t, now) ? t : now;

        if (!occurs(c, p, general))
            c->bound[p->variable] = general;
        return true;
    }
    *known = false;
    if (occurs(c, p, t))
        return false;
    c->bound[p->variable] = t;
    return true;
}

static bool
takes_null(const struct cel_type *t)
{
    return strchr("noOqUICVFrtZPGRD", t->kind) != NULL;
}

static bool
assignable(struct cel_checker *c, const struct cel_type *t,
           const struct cel_type *u)
{
    bool known = false;

    if (KIND('A', u)) {
        if (substitutes(c, t, u, &known))
            return true;
        if (known)
            return false;
    }
    if (KIND('A', t))
        return substitutes(c, u, t, &known);
    if (is_wild(t) || is_wild(u))
        return true;
    if (KIND('n', t) || KIND('n', u))
        return takes_null(KIND('n', t) ? u : t);
    if (t->kind != u->kind)
        return false;
    if (KIND('T', t))
        return true;
    if (KIND('O', t))
        return t->schema == u->schema && t->fields == u->fields;
    return (!t->a || assignable(c, t->a, u->a)) &&
           (!t->b || assignable(c, t->b, u->b));
}

bool
cel_type_assignable(struct cel_checker *c, const struct cel_type *const *t,
                    const struct cel_type *const *u, size_t n)
{
    const struct cel_type **saved =
        arena_array(c->c->arena, c->bound_count + 1, sizeof(*saved));
    bool ok = true;

    if (c->bound_count)
        memcpy(saved, c->bound, c->bound_count * sizeof(*saved));
    for (size_t i = 0; i < n && ok; i++)
        ok = assignable(c, t[i], u[i]);
    if (!ok && c->bound_count)
        memcpy(c->bound, saved, c->bound_count * sizeof(*saved));
    return ok;
}

const struct cel_type *
cel_type_join(struct cel_checker *c, const struct cel_type *was,
              const struct cel_type *now)
{
    if (!was)
        return now;
    if (!cel_type_assignable(c, &was, &now, 1))
        return NULL;
    return less_specific(was, now) ? was : now;
}

const struct cel_type *
cel_type_known(struct cel_checker *c, const struct cel_type *t, bool to_dyn)
{
    if (!t)
        return NULL;
    if (KIND('A', t)) {
        const struct cel_type *now = bound(c, t);

        return now ? cel_type_known(c, now, to_dyn) : to_dyn ? &dyn : t;
    }
    const struct cel_type *a = cel_type_known(c, t->a, to_dyn);
    const struct cel_type *b = cel_type_known(c, t->b, to_dyn);

    return a == t->a && b == t->b ? t : cel_type_new(c, t->kind, a, b);
}

bool
cel_type_same(const struct cel_type *a, const struct cel_type *b)
{
    return same(a, b);
}

static void
type_text(const struct cel_type *t, bool runtime, struct buf *out)
{
    static const struct {
        char kind;
        const char *name, *runtime;
    } names[] = {
        {'b', "bool", NULL},
        {'i', "int", NULL},
        {'u', "uint", NULL},
        {'d', "double", NULL},
        {'s', "string", NULL},
        {'y', "bytes", NULL},
        {'n', "null", "null_type"},
        {'t', "timestamp", "google.protobuf.Timestamp"},
        {'r', "duration", "google.protobuf.Duration"},
        {'T', "type", NULL},
        {'*', "dyn", NULL},
        {'!', "!error!", NULL},
        {'l', "list", NULL},
        {'m', "map", NULL},
        {'o', "optional_type", NULL},
        {'O', "object", NULL},
        {'q', "kubernetes.Quantity", NULL},
        {'U', "kubernetes.URL", NULL},
        {'I', "net.IP", NULL},
        {'C', "net.CIDR", NULL},
        {'V', "kubernetes.Semver", NULL},
        {'F', "kubernetes.NamedFormat", NULL},
        {'Z', "kubernetes.authorization.Authorizer", NULL},
        {'P', "kubernetes.authorization.PathCheck", NULL},
        {'G', "kubernetes.authorization.GroupCheck", NULL},
        {'R', "kubernetes.authorization.ResourceCheck", NULL},
        {'D', "kubernetes.authorization.Decision", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].kind == t->kind)
            buf_puts(out, t->name                       ? t->name
                          : runtime && names[i].runtime ? names[i].runtime
                                                        : names[i].name);
    }
    if (!t->a)
        return;
    buf_putc(out, '(');
    type_text(t->a, runtime, out);
    if (t->b) {
        buf_puts(out, ", ");
        type_text(t->b, runtime, out);
    }
    buf_putc(out, ')');
}

void
cel_type_text(const struct cel_type *t, struct buf *out)
{
    type_text(t, false, out);
}

void
cel_type_runtime_text(const struct cel_type *t, struct buf *out)
{
    type_text(t, true, out);
}
