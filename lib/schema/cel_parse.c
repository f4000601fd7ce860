#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/utf8.h"

#include "lib/schema/cel_node.h"

/*
 * A recursive descent over cel-go's grammar (parser/gen/CEL.g4); macros become
 * loops right here. A node's place is that of its operator, as in cel-go:
 * errors point there.
 */

enum { NESTING_MAX = 250, ARGS_MAX = 10000, DEPTH_MAX = 500 };

struct parser {
    struct cel_compiler *c;
    struct cel_token t;
    size_t pos;
    unsigned depth;
    bool failed;
};

/* A list under construction. */
struct items {
    struct cel_node **v;
    bool *optional;
    size_t n, cap;
};

static struct cel_node *expression(struct parser *p);

/* ---- tools ---- */

/* What is no token is complained about and left out, as ANTLR does. */
static void
next(struct parser *p)
{
    while ((p->t = cel_next_token(p->c->cel->source, &p->pos)).kind ==
           CEL_TOKEN_BAD)
        cel_complain(p->c, p->t.at,
                     "Syntax error: token recognition error at: '%.*s'",
                     STR_ARG(p->t.text));
}

static struct cel_token
peek(const struct parser *p)
{
    size_t pos = p->pos;

    return cel_next_token(p->c->cel->source, &pos);
}

static bool
starts_expression(const struct cel_token *t)
{
    return t->kind >= CEL_TOKEN_IDENT && t->kind <= CEL_TOKEN_BYTES
               ? t->kind != CEL_TOKEN_QUOTED
               : t->kind == CEL_TOKEN_SIGN && strchr("[{(.-!", t->text.s[0]) &&
                     !str_eqz(t->text, "!=");
}

static bool
is_sign(const struct parser *p, const char *sign)
{
    return p->t.kind == CEL_TOKEN_SIGN && str_eqz(p->t.text, sign);
}

static bool
accept(struct parser *p, const char *sign)
{
    bool yes = is_sign(p, sign);

    if (yes)
        next(p);
    return yes;
}

#define LITERALS                                                               \
    "'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, "   \
    "IDENTIFIER}"
#define EXPRESSION_REST  "'.', '-', '!', " LITERALS
#define EXPRESSION_START "{'[', '{', '(', " EXPRESSION_REST
#define ARGUMENT_START   "{'[', '{', '(', ')', " EXPRESSION_REST
#define LIST_START       "{'[', ']', '{', '(', '.', ',', '-', '!', '?', " LITERALS
#define MAP_START        "{'[', '{', '}', '(', '.', ',', '-', '!', '?', " LITERALS
#define INDEX_START      "{'[', '{', '(', '.', '-', '!', '?', " LITERALS

/* One such error a source: what follows it is guesswork. how: ANTLR's word. */
static struct cel_node *
syntax_error(struct parser *p, const char *how, const char *expecting)
{
    struct str text = p->t.kind == CEL_TOKEN_END ? STR("<EOF>") : p->t.text;
    bool missing = strcmp(how, "missing") == 0;

    if (!p->failed && missing)
        cel_complain(p->c, p->t.at, "Syntax error: missing %s at '%.*s'",
                     expecting, STR_ARG(text));
    else if (!p->failed)
        cel_complain(p->c, p->t.at, "Syntax error: %s'%.*s' expecting %s", how,
                     STR_ARG(text), expecting);
    p->failed = true;
    return NULL;
}

/* Something that starts an expression should stand here. */
static struct cel_node *
unexpected(struct parser *p, const char *expecting)
{
    struct cel_token after = peek(p);

    return syntax_error(p,
                        starts_expression(&after) ? "extraneous input "
                                                  : "mismatched input ",
                        expecting);
}

static bool
expect(struct parser *p, const char *sign, const char *expecting)
{
    struct cel_token after = peek(p);
    bool behind = after.kind == CEL_TOKEN_SIGN && str_eqz(after.text, sign);

    if (accept(p, sign))
        return true;
    if (strlen(expecting) == 3 && !behind &&
        (*sign == ':' ? starts_expression(&p->t) : p->t.kind == CEL_TOKEN_END))
        syntax_error(p, "missing", expecting);
    else
        syntax_error(p, behind ? "extraneous input " : "mismatched input ",
                     expecting);
    return false;
}

static struct cel_node *
node(struct parser *p, enum cel_op op, uint32_t at)
{
    struct cel_node *n = arena_alloc(p->c->arena, sizeof(*n));

    n->op = op;
    n->at = at;
    n->slot2 = SIZE_MAX;
    return n;
}

/* Evaluation recurses: a long chain is as deep as a nested expression. */
static void
adopt(struct parser *p, struct cel_node *n, size_t count,
      struct cel_node **args)
{
    for (size_t i = 0; i < count; i++)
        n->depth = MAX(n->depth, args[i]->depth + 1);
    if (n->depth > DEPTH_MAX && !p->c->errors)
        cel_complain(p->c, UINT32_MAX,
                     "expression recursion limit exceeded: %d", NESTING_MAX);
    n->args = args;
    n->n = count;
}

static void
set_args(struct parser *p, struct cel_node *n, size_t count,
         struct cel_node *const *args)
{
    struct cel_node **copy =
        arena_array(p->c->arena, count + !count, sizeof(*copy));

    if (count)
        memcpy(copy, args, count * sizeof(*args));
    adopt(p, n, count, copy);
}

static struct cel_node *
call(struct parser *p, uint32_t at, const char *name, size_t count,
     struct cel_node *const *args)
{
    struct cel_node *n = node(p, CEL_CALL, at);

    n->name = str_of(name);
    set_args(p, n, count, args);
    return n;
}

static void
add_item(struct parser *p, struct items *l, struct cel_node *item,
         bool optional)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 4;
        struct cel_node **v = arena_array(p->c->arena, cap, sizeof(*v));
        bool *o = arena_array(p->c->arena, cap, sizeof(*o));

        if (l->n) {
            memcpy(v, l->v, l->n * sizeof(*v));
            memcpy(o, l->optional, l->n * sizeof(*o));
        }
        *l = (struct items){v, o, l->n, cap};
    }
    l->optional[l->n] = optional;
    l->v[l->n++] = item;
}

/* ---- literals ---- */

static struct cel_node *
constant(struct parser *p, uint32_t at, struct cel_value v)
{
    struct cel_node *n = node(p, CEL_CONST, at);

    n->value = v;
    return n;
}

/* What is wrong but has its end: the rest is read, as cel-go does. */
static struct cel_node *
refused(struct parser *p, uint32_t at, const char *what)
{
    cel_complain(p->c, at, "%s", what);
    return constant(p, at, (struct cel_value){.kind = CEL_NULL});
}

static struct cel_node *
number(struct parser *p, bool negative, uint32_t at)
{
    char *end, *text = arena_dup(p->c->arena, p->t.text);
    bool hex = strncmp(text, "0x", 2) == 0;
    enum cel_token_kind kind = p->t.kind;
    struct cel_value v = {.kind = CEL_INT};

    next(p);
    if (kind == CEL_TOKEN_DOUBLE) {
        v.kind = CEL_DOUBLE;
        v.d = strtod(text, &end) * (negative ? -1 : 1);
        return isfinite(v.d) ? constant(p, at, v)
                             : refused(p, at, "invalid double literal");
    }
    errno = 0;
    v.u = strtoull(text + (hex ? 2 : 0), &end, hex ? 16 : 10);
    if (kind == CEL_TOKEN_UINT) {
        v.kind = CEL_UINT;
        return errno ? refused(p, at, "invalid uint literal")
                     : constant(p, at, v);
    }
    if (errno || v.u > (uint64_t)INT64_MAX + negative)
        return refused(p, at, "invalid int literal");
    v.i = negative ? (int64_t)(0 - v.u) : (int64_t)v.u;
    return constant(p, at, v);
}

static struct cel_node *
text_literal(struct parser *p)
{
    struct cel_value v = {.kind = p->t.kind == CEL_TOKEN_BYTES ? CEL_BYTES
                                                               : CEL_STRING};
    const char *why = NULL;
    uint32_t at = p->t.at;

    bool good = cel_unescape_literal(p->c->arena, &p->t, &v.s, &why);

    next(p);
    return good ? constant(p, at, v) : refused(p, at, why);
}

/* ---- lists of things ---- */

static void
unexpected_item(struct parser *p, const char *close, bool more)
{
    if (*close == ')')
        unexpected(p, more ? EXPRESSION_START : ARGUMENT_START);
    else if (more)
        syntax_error(p, "mismatched input ", *close == ']' ? "']'" : "'}'");
    else
        unexpected(p, *close == ']' ? LIST_START : MAP_START);
}

/* [?]expr, ... up to close, which is taken; a comma may stand before it. */
static bool
items(struct parser *p, const char *close, bool map, bool trailing,
      struct items *l)
{
    if (trailing && is_sign(p, ",")) {
        struct cel_token after = peek(p);

        if (after.kind == CEL_TOKEN_SIGN && str_eqz(after.text, close))
            next(p);
    }
    while (!is_sign(p, close)) {
        bool optional = trailing && accept(p, "?");
        if (!starts_expression(&p->t)) {
            unexpected_item(p, close, l->n > 0);
            return false;
        }
        struct cel_node *e = expression(p);

        if (!e || (map && !expect(p, ":", "':'")))
            return false;
        add_item(p, l, e, optional);
        if (map) {
            if (!(e = expression(p)))
                return false;
            add_item(p, l, e, optional);
        }
        if (l->n > ARGS_MAX)
            return !refused(p, p->t.at, "too many elements");
        if (!accept(p, ","))
            break;
        if (!trailing && is_sign(p, close))
            return unexpected(p, EXPRESSION_START) != NULL;
    }
    return expect(p, close,
                  *close == ']'   ? "{']', ','}"
                  : *close == '}' ? "{'}', ','}"
                                  : "{')', ','}");
}

static struct cel_node *
aggregate(struct parser *p, bool map)
{
    struct cel_node *n = node(p, map ? CEL_NEW_MAP : CEL_NEW_LIST, p->t.at);
    struct items l = {0};

    next(p);
    if (!items(p, map ? "}" : "]", map, true, &l))
        return NULL;
    n->optional = l.optional;
    adopt(p, n, l.n, l.v);
    return n;
}

/* ---- macros ---- */

static const struct macro {
    const char *name;
    unsigned args, variables;
    enum cel_loop loop;
} macros[] = {
    {"all", 2, 1, CEL_ALL},
    {"all", 3, 2, CEL_ALL},
    {"exists", 2, 1, CEL_EXISTS},
    {"exists", 3, 2, CEL_EXISTS},
    {"exists_one", 2, 1, CEL_EXISTS_ONE},
    {"exists_one", 3, 2, CEL_EXISTS_ONE},
    {"existsOne", 3, 2, CEL_EXISTS_ONE},
    {"map", 2, 1, CEL_MAPPED},
    {"map", 3, 1, CEL_MAPPED},
    {"filter", 2, 1, CEL_FILTERED},
    {"sortBy", 2, 1, CEL_SORTED},
    {"transformList", 3, 2, CEL_LISTED},
    {"transformList", 4, 2, CEL_LISTED},
    {"transformMap", 3, 2, CEL_VALUED},
    {"transformMap", 4, 2, CEL_VALUED},
    {"transformMapEntry", 3, 2, CEL_ENTERED},
    {"transformMapEntry", 4, 2, CEL_ENTERED},
};

static const struct macro *
find_macro(struct str name, size_t args)
{
    for (size_t i = 0; i < ARRAY_LEN(macros); i++) {
        if (macros[i].args == args && str_eqz(name, macros[i].name))
            return &macros[i];
    }
    return NULL;
}

static bool
is_simple_name(struct parser *p, const struct cel_node *n, const char *why)
{
    if (n->op == CEL_IDENT && n->name.s[0] != '.')
        return true;
    cel_complain(p->c, n->at, "%s", why);
    return false;
}

/* target.all(x, ...): the macro's loop. */
static struct cel_node *
loop(struct parser *p, const struct macro *m, uint32_t at,
     struct cel_node *target, const struct items *args)
{
    static const char *const words[] = {
        "argument must be a simple name",
        "argument is not an identifier",
    };
    struct cel_node *n = node(p, CEL_LOOP, at);
    const char *why = words[m->loop == CEL_MAPPED || m->loop == CEL_FILTERED];

    if (!is_simple_name(p, args->v[0], why))
        return args->v[0];
    n->loop = m->loop;
    n->name = args->v[0]->name;
    if (m->variables == 2) {
        if (!is_simple_name(p, args->v[1], why))
            return args->v[1];
        n->name2 = args->v[1]->name;
    }
    if (str_eq(n->name, n->name2))
        cel_complain(p->c, args->v[1]->at, "duplicate variable name: %.*s",
                     STR_ARG(n->name));
    struct cel_node **v = args->v + m->variables - 1;

    v[0] = target;
    set_args(p, n, args->n - m->variables + 1, v);
    return n;
}

static struct cel_node *
bind(struct parser *p, uint32_t at, bool flat, struct cel_node *target,
     const struct items *args)
{
    struct cel_node *n = node(p, CEL_BIND, at);
    struct cel_node *const both[] = {target, args->v[1]};

    if (!is_simple_name(
            p, args->v[0],
            flat ? "optFlatMap() variable name must be a simple identifier"
                 : "optMap() variable name must be a simple identifier"))
        return target;
    n->flat = flat;
    n->name = args->v[0]->name;
    set_args(p, n, 2, both);
    return n;
}

static struct cel_node *
presence(struct parser *p, uint32_t at, const struct items *args)
{
    struct cel_node *select = args->v[0];

    if (select->op != CEL_SELECT || select->maybe)
        return refused(p, select->at, "invalid argument to has() macro");
    select->op = CEL_HAS;
    select->at = at;
    return select;
}

static struct cel_node *
method(struct parser *p, struct cel_node *target, struct str name)
{
    uint32_t at = p->t.at;
    struct items args = {0}, all = {0};

    next(p);
    if (!items(p, ")", false, false, &args))
        return NULL;
    const struct macro *m = find_macro(name, args.n);
    bool flat = str_eqz(name, "optFlatMap");

    if (m)
        return loop(p, m, at, target, &args);
    if (args.n == 2 && (flat || str_eqz(name, "optMap")))
        return bind(p, at, flat, target, &args);
    add_item(p, &all, target, false);
    for (size_t i = 0; i < args.n; i++)
        add_item(p, &all, args.v[i], false);
    struct cel_node *n = call(p, at, "", all.n, all.v);

    n->name = name;
    n->method = true;
    return n;
}

/* ---- the grammar ---- */

static bool
is_reserved(struct str name)
{
    static const char *const words[] = {
        "as",     "break", "const",    "continue",  "else",
        "false",  "for",   "function", "if",        "import",
        "let",    "loop",  "package",  "namespace", "null",
        "return", "true",  "var",      "void",      "while",
    };

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_eqz(name, words[i]))
            return true;
    }
    return false;
}

static struct cel_node *
keyword(struct parser *p, struct str name, uint32_t at)
{
    if (str_eqz(name, "true") || str_eqz(name, "false"))
        return constant(p, at, cel_of_bool(name.s[0] == 't'));
    if (str_eqz(name, "null"))
        return constant(p, at, (struct cel_value){.kind = CEL_NULL});
    return NULL;
}

static struct cel_node *
named(struct parser *p, bool dotted)
{
    struct str name = p->t.text;
    uint32_t at = p->t.at;

    next(p);
    if (!dotted && keyword(p, name, at))
        return keyword(p, name, at);
    if (is_reserved(name)) {
        AUTO(mem_free_ptr)
        char *why = mem_printf("reserved identifier: %.*s", STR_ARG(name));

        return refused(p, at, why);
    }
    if (is_sign(p, "(")) {
        struct items args = {0};
        uint32_t open = p->t.at;

        next(p);
        if (!items(p, ")", false, false, &args))
            return NULL;
        if (str_eqz(name, "has") && args.n == 1)
            return presence(p, open, &args);
        struct cel_node *n = call(p, open, "", args.n, args.v);

        n->name = name;
        return n;
    }
    struct cel_node *n = node(p, CEL_IDENT, at);

    n->name = name;
    return n;
}

static struct cel_node *
primary(struct parser *p)
{
    switch (p->t.kind) {
    case CEL_TOKEN_IDENT:
        return named(p, false);
    case CEL_TOKEN_INT:
    case CEL_TOKEN_UINT:
    case CEL_TOKEN_DOUBLE:
        return number(p, false, p->t.at);
    case CEL_TOKEN_STRING:
    case CEL_TOKEN_BYTES:
        return text_literal(p);
    default:
        break;
    }
    if (is_sign(p, "[") || is_sign(p, "{"))
        return aggregate(p, is_sign(p, "{"));
    if (accept(p, "(")) {
        struct cel_node *e = expression(p);

        return e && expect(p, ")", "')'") ? e : NULL;
    }
    if (accept(p, ".") && p->t.kind == CEL_TOKEN_IDENT)
        return named(p, true);
    return unexpected(p, EXPRESSION_START);
}

static struct cel_node *
selected(struct parser *p, struct cel_node *target)
{
    uint32_t at = p->t.at;

    next(p);
    bool maybe = accept(p, "?");
    struct str name = p->t.text;
    bool quoted = p->t.kind == CEL_TOKEN_QUOTED;

    if (!quoted && p->t.kind != CEL_TOKEN_IDENT) {
        if (!p->failed)
            cel_complain(p->c, p->t.at,
                         "Syntax error: no viable alternative at input '.%.*s'",
                         STR_ARG(p->t.text));
        p->failed = true;
        return NULL;
    }
    /* cel.EnableIdentifierEscapeSyntax is off in Kubernetes. */
    if (quoted)
        cel_complain(p->c, p->t.at, "unsupported syntax: '`'");
    next(p);
    if (is_sign(p, "(") && !maybe)
        return method(p, target, name);
    struct cel_node *n = node(p, CEL_SELECT, at);

    n->name = name;
    n->maybe = maybe;
    set_args(p, n, 1, &target);
    return n;
}

static struct cel_node *
member(struct parser *p)
{
    struct cel_node *n = primary(p);

    while (n) {
        if (is_sign(p, ".")) {
            n = selected(p, n);
        } else if (is_sign(p, "[")) {
            struct cel_node *index = node(p, CEL_INDEX, p->t.at);
            struct cel_node *both[2] = {n, NULL};

            next(p);
            index->maybe = accept(p, "?");
            index->name = index->maybe ? STR("_[?_]") : STR("_[_]");
            if (!starts_expression(&p->t))
                return unexpected(p, INDEX_START);
            both[1] = expression(p);
            if (!both[1] || !expect(p, "]", "']'"))
                return NULL;
            set_args(p, index, 2, both);
            n = index;
        } else if (is_sign(p, "{") &&
                   (n->op == CEL_IDENT || n->op == CEL_SELECT)) {
            cel_complain(p->c, p->t.at,
                         "undeclared reference to '%.*s' (in container '')",
                         STR_ARG(n->name));
            return NULL;
        } else {
            break;
        }
    }
    return n;
}

static struct cel_node *
unary(struct parser *p)
{
    static const struct {
        const char *sign, *name;
    } signs[] = {{"!", "!_"}, {"-", "-_"}};
    uint32_t at = p->t.at;
    size_t k = is_sign(p, "!") ? 0 : 1, count = 0;

    while (accept(p, signs[k].sign))
        count++;
    if (k == 1 && count == 1 &&
        (p->t.kind == CEL_TOKEN_INT || p->t.kind == CEL_TOKEN_DOUBLE)) {
        /* The sign belongs to the literal: -9223372036854775808 is one. */
        struct parser ahead = *p;

        next(&ahead);
        if (!is_sign(&ahead, ".") && !is_sign(&ahead, "["))
            return number(p, true, at);
    }
    struct cel_node *n = member(p);

    return n && count % 2 ? call(p, at, signs[k].name, 1, &n) : n;
}

struct operator
{
    const char *sign, *name;
    enum cel_op op;
};

/* By binding: relations are one level, from left to right. */
static const struct operator products[] = {
    {"*", "_*_", CEL_CALL}, {"/", "_/_", CEL_CALL}, {"%", "_%_", CEL_CALL}};
static const struct operator sums[] = {{"+", "_+_", CEL_CALL},
                                       {"-", "_-_", CEL_CALL}};
static const struct operator relations[] = {
    {"<", "_<_", CEL_CALL},    {"<=", "_<=_", CEL_CALL},
    {">=", "_>=_", CEL_CALL},  {">", "_>_", CEL_CALL},
    {"==", "_==_", CEL_EQUAL}, {"!=", "_!=_", CEL_UNEQUAL},
    {"in", "@in", CEL_CALL}};
static const struct level {
    const struct operator* v;
    size_t n;
} levels[] = {{relations, ARRAY_LEN(relations)},
              {sums, ARRAY_LEN(sums)},
              {products, ARRAY_LEN(products)}};

static const struct operator*
    find_operator(struct parser *p, const struct level *l)
{
    for (size_t i = 0; i < l->n; i++) {
        if (is_sign(p, l->v[i].sign))
            return &l->v[i];
    }
    return NULL;
}

static struct cel_node *
binary(struct parser *p, size_t level)
{
    if (level == ARRAY_LEN(levels))
        return unary(p);
    struct cel_node *both[2] = {binary(p, level + 1), NULL};
    const struct operator* o;

    while (both[0] && (o = find_operator(p, &levels[level]))) {
        uint32_t at = p->t.at;

        next(p);
        if (!(both[1] = binary(p, level + 1)))
            return NULL;
        both[0] = call(p, at, o->name, 2, both);
        both[0]->op = o->op;
    }
    return both[0];
}

/* a && b && c is one node. */
static struct cel_node *
logical(struct parser *p, enum cel_op op)
{
    const char *sign = op == CEL_OR ? "||" : "&&";
    struct items terms = {0};
    uint32_t at = 0;

    do {
        struct cel_node *e = op == CEL_OR ? logical(p, CEL_AND) : binary(p, 0);

        if (!e)
            return NULL;
        add_item(p, &terms, e, false);
        at = terms.n == 1 ? p->t.at : at;
    } while (accept(p, sign));
    if (terms.n == 1)
        return terms.v[0];
    struct cel_node *n = node(p, op, at);

    n->name = op == CEL_OR ? STR("_||_") : STR("_&&_");
    adopt(p, n, terms.n, terms.v);
    return n;
}

static struct cel_node *
conditional(struct parser *p)
{
    struct cel_node *parts[3] = {logical(p, CEL_OR), NULL, NULL};
    uint32_t at = p->t.at;

    if (!parts[0] || !accept(p, "?"))
        return parts[0];
    parts[1] = logical(p, CEL_OR);
    if (!parts[1] || !expect(p, ":", "':'"))
        return NULL;
    parts[2] = expression(p);
    if (!parts[2])
        return NULL;
    struct cel_node *n = call(p, at, "_?_:_", 3, parts);

    n->op = CEL_IF;
    return n;
}

static struct cel_node *
expression(struct parser *p)
{
    if (p->depth == NESTING_MAX) {
        cel_complain(p->c, UINT32_MAX,
                     "expression recursion limit exceeded: %d", NESTING_MAX);
        return NULL;
    }
    p->depth++;
    struct cel_node *n = conditional(p);

    p->depth--;
    return n;
}

struct cel_node *
cel_parse(struct cel_compiler *c)
{
    struct parser p = {.c = c};

    next(&p);
    struct cel_node *n = expression(&p);

    if (n && p.t.kind != CEL_TOKEN_END)
        return syntax_error(&p,
                            peek(&p).kind == CEL_TOKEN_END
                                ? "extraneous input "
                                : "mismatched input ",
                            "<EOF>");
    return n && !c->errors ? n : NULL;
}
