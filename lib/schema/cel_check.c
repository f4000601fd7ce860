#include "lib/schema/cel_check.h"

#include <stdarg.h>
#include <stdio.h>

/*
 * cel-go's checker/checker.go: gives every node its type, every name its slot
 * and every call the overloads it may run. What the types leave open is decided
 * by the values, at evaluation.
 */

enum { OVERLOADS_MAX = 32, CALL_ARGS_MAX = 8 };

static const struct cel_type *check(struct cel_checker *c, struct cel_node *n);

static const struct cel_type *
simple(struct cel_checker *c, char kind)
{
    return cel_type_new(c, kind, NULL, NULL);
}

static const struct cel_type *
known(struct cel_checker *c, const struct cel_type *t)
{
    return cel_type_known(c, t, false);
}

static const char *
text_of(struct cel_checker *c, const struct cel_type *t)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);

    cel_type_text(cel_type_known(c, t, true), &b);
    return arena_dup(c->c->arena, buf_view(&b));
}

static void
mismatch(struct cel_checker *c, uint32_t at, const struct cel_type *want,
         const struct cel_type *have)
{
    cel_complain(c->c, at, "expected type '%s' but found '%s'",
                 text_of(c, want), text_of(c, have));
}

static void
undeclared(struct cel_checker *c, uint32_t at, struct str name)
{
    cel_complain(c->c, at, "undeclared reference to '%.*s' (in container '')",
                 STR_ARG(name));
}

/* ---- names ---- */

/* Types by name: what type(x) yields. */
static const struct cel_type *
named_type(struct cel_checker *c, struct str name)
{
    static const struct {
        const char *name, *signature;
    } types[] = {
        {"bool", "b"},
        {"bytes", "y"},
        {"double", "d"},
        {"int", "i"},
        {"uint", "u"},
        {"string", "s"},
        {"list", "l*"},
        {"map", "m**"},
        {"null_type", "n"},
        {"type", "T"},
        {"google.protobuf.Timestamp", "t"},
        {"google.protobuf.Duration", "r"},
        {"optional_type", "o*"},
        {"net.IP", "I"},
        {"net.CIDR", "C"},
    };

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        const char *signature = types[i].signature;

        if (str_eqz(name, types[i].name))
            return cel_type_new(c, 'T', cel_type_read(c, &signature, NULL),
                                NULL);
    }
    return NULL;
}

/* What a declared variable is. */
static const struct cel_type *
variable_type(struct cel_checker *c, const struct cel_variable *v)
{
    const struct cel_type *type = cel_type_dyn();
    struct cel_type *object;

    if (v->type == CEL_VARIABLE_AUTHORIZER)
        return simple(c, 'Z');
    if (v->type == CEL_VARIABLE_CHECK)
        return simple(c, 'R');
    if (v->type == CEL_VARIABLE_FIELDS) {
        object = arena_alloc(c->c->arena, sizeof(*object));
        *object = (struct cel_type){.kind = 'O', .fields = v->fields};
        return object;
    }
    if (v->schema)
        type = cel_type_of_schema(c, v->schema,
                                  v->type_name ? v->type_name : "object");
    type = type ? type : cel_type_dyn();
    return v->optional ? cel_type_new(c, 'o', type, NULL) : type;
}

/* Turns n into what name means; NULL: nothing. */
static const struct cel_type *
resolve(struct cel_checker *c, struct cel_node *n, struct str name)
{
    struct cel *cel = c->c->cel;
    const struct cel_type *type = NULL;

    for (const struct cel_scope *s = c->scope; s; s = s->outer) {
        if (str_eq(s->name, name)) {
            n->op = CEL_IDENT;
            n->slot = s->slot;
            return s->type;
        }
    }
    for (size_t i = 0; i < cel->variable_count; i++) {
        const struct cel_variable *v = &cel->variables[i];

        if (!str_eqz(name, v->name))
            continue;
        n->op = CEL_IDENT;
        n->slot = i;
        cel->used |= UINT64_C(1) << i;
        return variable_type(c, v);
    }
    type = named_type(c, name);
    if (type) {
        n->op = CEL_CONST;
        n->value = (struct cel_value){.kind = CEL_TYPE, .s = name};
    }
    return type;
}

static const struct cel_type *
check_ident(struct cel_checker *c, struct cel_node *n)
{
    const struct cel_type *t = resolve(c, n, n->name);

    if (t)
        return t;
    undeclared(c, n->at, n->name);
    return cel_type_bad();
}

/* "a.b.c" of a chain of plain selections; false: it is none. */
static bool
qualified(const struct cel_node *n, struct buf *out)
{
    if (n->op == CEL_SELECT) {
        if (n->maybe || !qualified(n->args[0], out))
            return false;
        buf_putc(out, '.');
    } else if (n->op != CEL_IDENT) {
        return false;
    }
    return buf_str(out, n->name);
}

/* ---- selection ---- */

static const struct cel_type *
field_type(struct cel_checker *c, struct cel_node *n, const struct cel_type *of)
{
    const struct cel_type *t;

    switch (of->kind) {
    case 'm':
        return of->b;
    case 'O':
        t = cel_type_field(c, of, n->name);
        if (t)
            return t;
        cel_complain(c->c, n->at, "undefined field '%.*s'", STR_ARG(n->name));
        return cel_type_bad();
    case 'A':
        t = cel_type_dyn();
        cel_type_assignable(c, &t, &of, 1);
        return t;
    case 'q':
    case 'U':
    case 'V':
    case 'F':
    case 'Z':
    case 'P':
    case 'G':
    case 'R':
    case 'D': /* messages without fields */
        cel_complain(c->c, n->at, "undefined field '%.*s'", STR_ARG(n->name));
        return cel_type_bad();
    case '*':
    case '!':
        break;
    default:
        cel_complain(c->c, n->at, "type '%s' does not support field selection",
                     text_of(c, of));
    }
    return cel_type_dyn();
}

static const struct cel_type *
check_select(struct cel_checker *c, struct cel_node *n)
{
    AUTO(buf_release) struct buf name = BUF_INIT(4096);
    const struct cel_type *t;

    if (n->op == CEL_SELECT && qualified(n, &name)) {
        t = resolve(c, n, arena_str(c->c->arena, buf_view(&name)));
        if (t)
            return t;
    }
    const struct cel_type *of = known(c, check(c, n->args[0]));
    bool optional = of->kind == 'o';

    t = field_type(c, n, optional ? of->a : of);
    if (n->op == CEL_HAS)
        return simple(c, 'b');
    if (n->maybe || optional)
        t = cel_type_new(c, 'o', t, NULL);
    return known(c, t);
}

/* ---- calls ---- */

static void
no_overload(struct cel_checker *c, const struct cel_node *n,
            const struct cel_type *const *types, size_t count)
{
    AUTO(buf_release) struct buf b = BUF_INIT(8192);

    if (n->method)
        buf_printf(&b, "%s.", text_of(c, types[0]));
    buf_putc(&b, '(');
    for (size_t i = n->method; i < count; i++)
        buf_printf(&b, "%s%s", i > n->method ? ", " : "", text_of(c, types[i]));
    cel_complain(c->c, n->at,
                 "found no matching overload for '%.*s' applied to '%s)'",
                 STR_ARG(n->name), buf_cstr(&b));
}

/* The type of a call when this overload takes these arguments, or NULL. */
static const struct cel_type *
try_overload(struct cel_checker *c, const char *signature,
             const struct cel_type *const *types, size_t count)
{
    const struct cel_type *parameters[4] = {NULL}, *wanted[CALL_ARGS_MAX];

    for (size_t i = 0; i < count; i++) {
        wanted[i] = cel_type_read(c, &signature, parameters);
        signature += *signature == '.';
    }
    signature++; /* > */
    const struct cel_type *result = cel_type_read(c, &signature, parameters);

    if (!cel_type_assignable(c, types, wanted, count))
        return NULL;
    return known(c, result);
}

static const struct cel_type *
choose(struct cel_checker *c, struct cel_node *n,
       const struct cel_overload *const *rows, size_t row_count,
       const struct cel_type *const *types)
{
    const struct cel_type *result = NULL;

    n->overloads =
        arena_array(c->c->arena, row_count + 1, sizeof(*n->overloads));
    for (size_t i = 0; i < row_count; i++) {
        const struct cel_type *t =
            try_overload(c, rows[i]->signature, types, n->n);

        if (!t)
            continue;
        n->overloads[n->overload_count++] = rows[i];
        if (!result)
            result = t;
        else if (result->kind != '*' && !cel_type_same(t, result))
            result = cel_type_dyn();
    }
    return result;
}

static const struct cel_type *
check_overloads(struct cel_checker *c, struct cel_node *n)
{
    const struct cel_overload *rows[OVERLOADS_MAX];
    const struct cel_type *types[CALL_ARGS_MAX + 1] = {NULL}, *result = NULL;
    bool exists;
    size_t count =
        cel_overloads(n->name, n->method, n->n, rows, OVERLOADS_MAX, &exists);

    if (!exists) {
        undeclared(c, n->at, n->name);
        return cel_type_bad();
    }
    for (size_t i = 0; i < n->n && i < CALL_ARGS_MAX; i++)
        types[i] = n->args[i]->type;
    if (n->n <= CALL_ARGS_MAX)
        result = choose(c, n, rows, count, types);
    if (result)
        return result;
    no_overload(c, n, types, MIN(n->n, (size_t)CALL_ARGS_MAX));
    return cel_type_bad();
}

/* a.b.f(x) is the function a.b.f if there is one. */
static bool
is_static(struct cel_checker *c, struct cel_node *n)
{
    AUTO(buf_release) struct buf name = BUF_INIT(4096);
    bool exists = false;

    if (!n->method || !qualified(n->args[0], &name))
        return false;
    buf_printf(&name, ".%.*s", STR_ARG(n->name));
    cel_overloads(buf_view(&name), false, 0, NULL, 0, &exists);
    if (!exists)
        return false;
    n->name = arena_str(c->c->arena, buf_view(&name));
    n->method = false;
    n->args++;
    n->n--;
    return true;
}

static const struct cel_type *
check_call(struct cel_checker *c, struct cel_node *n)
{
    is_static(c, n);
    for (size_t i = 0; i < n->n; i++)
        check(c, n->args[i]);
    if (n->method && n->n == 2 &&
        (str_eqz(n->name, "or") || str_eqz(n->name, "orValue")))
        n->op = CEL_OR_ELSE;
    return check_overloads(c, n);
}

static const struct cel_type *
check_logical(struct cel_checker *c, struct cel_node *n)
{
    const struct cel_type *boolean = simple(c, 'b');

    for (size_t i = 0; i < n->n; i++) {
        const struct cel_type *t = check(c, n->args[i]);

        if (!cel_type_assignable(c, &t, &boolean, 1))
            mismatch(c, n->args[i]->at, boolean, t);
    }
    return boolean;
}

/* ---- lists and maps ---- */

/* Joins the type of an element; those behind ? are optionals. */
static const struct cel_type *
check_element(struct cel_checker *c, struct cel_node *e, bool optional,
              const struct cel_type *was)
{
    const struct cel_type *t = check(c, e), *joined;

    if (optional && t->kind == 'o')
        t = t->a;
    else if (optional && t->kind != '*')
        mismatch(c, e->at, cel_type_new(c, 'o', t, NULL), t);
    joined = cel_type_join(c, was, t);
    return joined ? joined : cel_type_dyn(); /* check_literals looks again */
}

static const struct cel_type *
check_list(struct cel_checker *c, struct cel_node *n)
{
    const struct cel_type *of = NULL;

    for (size_t i = 0; i < n->n; i++)
        of = check_element(c, n->args[i], n->optional[i], of);
    return cel_type_new(c, 'l', of ? of : cel_type_variable(c), NULL);
}

static const struct cel_type *
check_map(struct cel_checker *c, struct cel_node *n)
{
    const struct cel_type *key = NULL, *value = NULL;

    for (size_t i = 0; i < n->n; i += 2) {
        key = check_element(c, n->args[i], false, key);
        value = check_element(c, n->args[i + 1], n->optional[i + 1], value);
    }
    return cel_type_new(c, 'm', key ? key : cel_type_variable(c),
                        value ? value : cel_type_variable(c));
}

/* ---- loops ---- */

static const struct cel_type *
in_scope(struct cel_checker *c, struct str name, size_t *slot,
         const struct cel_type *type, struct cel_scope *scope)
{
    *slot = c->c->cel->variable_count + c->depth++;
    c->c->cel->slots = MAX(c->c->cel->slots, *slot + 1);
    *scope = (struct cel_scope){name, *slot, type, c->scope};
    c->scope = scope;
    return type;
}

/* What the variables of a loop over t are. */
static void
range_types(struct cel_checker *c, const struct cel_node *n,
            const struct cel_type *t, const struct cel_type *vars[2])
{
    bool two = n->name2.n > 0;

    vars[0] = vars[1] = cel_type_dyn();
    switch (t->kind) {
    case 'l':
        vars[0] = two ? simple(c, 'i') : t->a;
        vars[1] = t->a;
        break;
    case 'm':
        vars[0] = t->a;
        vars[1] = t->b;
        break;
    case 'A':
        cel_type_assignable(c, &vars[0], &t, 1);
        break;
    case '*':
    case '!':
        break;
    default:
        cel_complain(c->c, n->args[0]->at,
                     "expression of type '%s' cannot be range of a "
                     "comprehension (must be list, map, or dynamic)",
                     text_of(c, t));
        vars[0] = vars[1] = cel_type_bad();
    }
}

/* The macro has the condition in a ternary, with what it makes behind it, or
 * in front of && and ||. */
static void
want_bool(struct cel_checker *c, const struct cel_node *n, const char *ternary,
          const struct cel_node *condition)
{
    const struct cel_type *boolean = simple(c, 'b');

    if (cel_type_assignable(c, &boolean, &condition->type, 1))
        return;
    if (!ternary)
        mismatch(c, condition->at, boolean, condition->type);
    else
        cel_complain(c->c, n->at,
                     "found no matching overload for '_?_:_' applied to '(%s, "
                     "%s, %s)'",
                     text_of(c, condition->type), ternary, ternary);
}

static const struct cel_type *
loop_type(struct cel_checker *c, const struct cel_node *n,
          const struct cel_type *range, const struct cel_type *vars[2],
          const struct cel_type *last)
{
    const struct cel_type *value;

    switch (n->loop) {
    case CEL_MAPPED:
    case CEL_LISTED:
        return cel_type_new(c, 'l', last, NULL);
    case CEL_FILTERED:
        return cel_type_new(c, 'l', vars[0], NULL);
    case CEL_SORTED:
        return range;
    case CEL_VALUED:
        value = range->kind == 'l' ? simple(c, 'i') : vars[0];
        return cel_type_new(c, 'm', value, last);
    case CEL_ENTERED:
        return last->kind == 'm'
                   ? last
                   : cel_type_new(c, 'm', cel_type_dyn(), cel_type_dyn());
    default:
        return simple(c, 'b');
    }
}

static const struct cel_type *
check_loop(struct cel_checker *c, struct cel_node *n)
{
    const struct cel_scope *outer = c->scope;
    struct cel_scope scopes[2];
    size_t depth = c->depth;
    const struct cel_type *range = known(c, check(c, n->args[0]));
    const struct cel_type *vars[2], *last = NULL;

    range_types(c, n, range, vars);
    in_scope(c, n->name, &n->slot, vars[0], &scopes[0]);
    if (n->name2.n)
        in_scope(c, n->name2, &n->slot2, vars[1], &scopes[1]);
    for (size_t i = 1; i < n->n; i++)
        last = known(c, check(c, n->args[i]));
    c->scope = outer;
    c->depth = depth;
    if (n->loop == CEL_ENTERED && !strchr("m*!A", last->kind))
        cel_complain(c->c, n->at,
                     "found no matching overload for 'cel.@mapInsert' applied "
                     "to '(map(dyn, dyn), %s)'",
                     text_of(c, last));
    const struct cel_type *t = known(c, loop_type(c, n, range, vars, last));

    if (n->loop <= CEL_EXISTS)
        want_bool(c, n, NULL, n->args[1]);
    else if (n->loop == CEL_EXISTS_ONE)
        want_bool(c, n, "int", n->args[1]);
    else if (n->loop == CEL_FILTERED || n->n > 2)
        want_bool(c, n, text_of(c, t), n->args[1]);
    return t;
}

static const struct cel_type *
check_bind(struct cel_checker *c, struct cel_node *n)
{
    const struct cel_scope *outer = c->scope;
    struct cel_scope scope;
    const struct cel_type *of = known(c, check(c, n->args[0])), *t;

    if (of->kind != 'o' && of->kind != '*' && of->kind != '!') {
        cel_complain(c->c, n->at,
                     "found no matching overload for 'hasValue' applied to "
                     "'%s.()'",
                     text_of(c, of));
        of = cel_type_bad();
    }
    in_scope(c, n->name, &n->slot, of->kind == 'o' ? of->a : cel_type_dyn(),
             &scope);
    t = check(c, n->args[1]);
    c->scope = outer;
    c->depth--;
    return n->flat ? known(c, t) : cel_type_new(c, 'o', known(c, t), NULL);
}

/* ---- all of it ---- */

static const struct cel_type *
check_const(struct cel_checker *c, struct cel_node *n)
{
    static const char kinds[] = {
        [CEL_NULL] = 'n',  [CEL_BOOL] = 'b',   [CEL_INT] = 'i',
        [CEL_UINT] = 'u',  [CEL_DOUBLE] = 'd', [CEL_STRING] = 's',
        [CEL_BYTES] = 'y',
    };

    return simple(c, kinds[n->value.kind]);
}

static const struct cel_type *
check(struct cel_checker *c, struct cel_node *n)
{
    static const struct cel_type *(*const checks[])(struct cel_checker *,
                                                    struct cel_node *) = {
        [CEL_CONST] = check_const,   [CEL_IDENT] = check_ident,
        [CEL_SELECT] = check_select, [CEL_HAS] = check_select,
        [CEL_INDEX] = check_call,    [CEL_AND] = check_logical,
        [CEL_OR] = check_logical,    [CEL_IF] = check_call,
        [CEL_EQUAL] = check_call,    [CEL_UNEQUAL] = check_call,
        [CEL_CALL] = check_call,     [CEL_NEW_LIST] = check_list,
        [CEL_NEW_MAP] = check_map,   [CEL_LOOP] = check_loop,
        [CEL_BIND] = check_bind,     [CEL_OR_ELSE] = check_call,
    };

    if (!n->type)
        n->type = checks[n->op](c, n);
    return n->type;
}

/* What is open now is dyn. */
static void
settle(struct cel_checker *c, struct cel_node *n)
{
    n->type = cel_type_known(c, n->type, true);
    for (size_t i = 0; i < n->n; i++)
        settle(c, n->args[i]);
}

bool
cel_check(struct cel_compiler *c)
{
    struct cel_checker checker = {.c = c};

    check(&checker, c->cel->root);
    if (!c->errors)
        settle(&checker, c->cel->root);
    return !c->errors;
}
