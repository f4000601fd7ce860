/* Tokens, operands and pipelines. */
#include <stdarg.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/compose/template_number.h"
#include "lib/compose/template_parser.h"

/* ---- errors ---- */

void *
parser_fail(struct parser *p, const char *fmt, ...)
{
    AUTO(buf_release) struct buf text = BUF_INIT(1000);
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    error_set(p->err, ERR_PARSE, "template: %.*s:%u: %s", STR_ARG(p->t->name),
              p->token[0].line, buf_cstr(&text));
    return NULL;
}

static void
token_text(struct token t, struct buf *out)
{
    struct str s = str_sub(t.text, 0, 10);

    if (t.type == TOKEN_EOF)
        buf_puts(out, "EOF");
    else if (t.type == TOKEN_ERROR)
        buf_str(out, t.text);
    else if (t.type > TOKEN_KEYWORD)
        buf_printf(out, "<%.*s>", STR_ARG(t.text));
    else if (s.n < t.text.n)
        format_quote(s, false, out), buf_puts(out, "...");
    else
        format_quote(s, false, out);
}

void *
parser_unexpected(struct parser *p, struct token t, const char *context)
{
    AUTO(buf_release) struct buf text = BUF_INIT(900);
    AUTO(buf_release) struct buf extra = BUF_INIT(600);

    token_text(t, &text);
    if (t.type != TOKEN_ERROR)
        return parser_fail(p, "unexpected %s in %s", buf_cstr(&text), context);
    if (p->action_line && p->action_line != t.line) {
        bool action = str_ends(t.text, STR(" action"));

        buf_printf(&extra, "%s started at %.*s:%u", action ? "" : " in action",
                   STR_ARG(p->t->name), p->action_line);
    }
    return parser_fail(p, "%s%s", buf_cstr(&text), buf_cstr(&extra));
}

/* ---- tokens ---- */

struct token
parser_next(struct parser *p)
{
    if (p->peeked > 0)
        p->peeked--;
    else
        p->token[0] = template_lex(p->lex);
    return p->token[p->peeked];
}

struct token
parser_peek(struct parser *p)
{
    if (p->peeked > 0)
        return p->token[p->peeked - 1];
    p->peeked = 1;
    p->token[0] = template_lex(p->lex);
    return p->token[0];
}

struct token
parser_next_word(struct parser *p)
{
    struct token t;

    do
        t = parser_next(p);
    while (t.type == TOKEN_SPACE);
    return t;
}

struct token
parser_peek_word(struct parser *p)
{
    struct token t = parser_next_word(p);

    p->peeked++;
    return t;
}

bool
parser_expect_end(struct parser *p, const char *context, struct token *t)
{
    *t = parser_next_word(p);
    return t->type == TOKEN_RIGHT_DELIM || parser_unexpected(p, *t, context);
}

/* ---- nodes ---- */

struct node *
parser_node(struct parser *p, enum node_type type, size_t pos)
{
    struct node *n = arena_alloc(p->t->a, sizeof(*n));

    n->type = type;
    n->pos = pos;
    return n;
}

void
nodes_add(struct nodes *l, struct node *n)
{
    l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(struct node *));
    l->v[l->n++] = n;
}

/* Moves the list into the node; frees the list. */
void
nodes_adopt(struct parser *p, struct node *n, struct nodes *l)
{
    n->n = l->n;
    n->kids = arena_array(p->t->a, l->n, sizeof(struct node *));
    if (l->n)
        memcpy(n->kids, l->v, l->n * sizeof(struct node *));
    free(l->v);
    *l = (struct nodes){0};
}

void
nodes_release(struct nodes *l)
{
    free(l->v);
}

/* ".a.b" or "$x.a.b" into names. */
static struct node *
name_node(struct parser *p, enum node_type type, size_t pos, struct str text)
{
    struct node *n = parser_node(p, type, pos);
    struct str rest = type == NODE_VARIABLE ? text : str_from(text, 1), piece;
    size_t count = 1;

    for (size_t i = 0; i < rest.n; i++)
        count += rest.s[i] == '.';
    n->text = text;
    n->names = arena_array(p->t->a, count, sizeof(*n->names));
    while (str_next(&rest, '.', &piece))
        n->names[n->name_count++] = piece;
    return n;
}

void
parser_declare(struct parser *p, struct str name)
{
    p->vars =
        mem_grow(p->vars, &p->var_cap, p->var_count + 1, sizeof(*p->vars));
    p->vars[p->var_count++] = name;
}

static struct node *
use_variable(struct parser *p, struct token t)
{
    for (size_t i = 0; i < p->var_count; i++) {
        if (str_eq(p->vars[i], t.text))
            return name_node(p, NODE_VARIABLE, t.pos, t.text);
    }
    return parser_fail(p, "undefined variable \"%.*s\"", STR_ARG(t.text));
}

/* ---- operands ---- */

static struct node *
number_node(struct parser *p, struct token t)
{
    struct node *n = parser_node(p, NODE_NUMBER, t.pos);
    struct error err = {0};

    n->text = t.text;
    if (!template_number(n, t.type, &err))
        return parser_fail(p, "%s", err.msg);
    return n;
}

static struct node *
string_node(struct parser *p, struct token t)
{
    struct node *n = parser_node(p, NODE_STRING, t.pos);

    n->text = t.text;
    if (!template_unquote(p->t->a, t.text, &n->unquoted))
        return parser_fail(p, "invalid syntax");
    return n;
}

static struct node *
identifier_node(struct parser *p, struct token t)
{
    struct node *n = parser_node(p, NODE_IDENTIFIER, t.pos);

    n->text = t.text;
    n->func = func_find(t.text);
    if (!n->func)
        return parser_fail(p, "function \"%.*s\" not defined", STR_ARG(t.text));
    return n;
}

static struct node *
parenthesised(struct parser *p)
{
    if (p->depth >= PARSER_MAX_NESTING)
        return parser_fail(p, "max expression depth exceeded");
    p->depth++;
    struct node *n =
        parser_pipeline(p, "parenthesized pipeline", TOKEN_RIGHT_PAREN);

    p->depth--;
    return n;
}

/* false: failed; *out NULL: no term here. */
static bool
term(struct parser *p, struct node **out)
{
    struct token t = parser_next_word(p);

    switch (t.type) {
    case TOKEN_IDENTIFIER:
        return (*out = identifier_node(p, t));
    case TOKEN_DOT:
        return (*out = parser_node(p, NODE_DOT, t.pos));
    case TOKEN_NIL:
        return (*out = parser_node(p, NODE_NIL, t.pos));
    case TOKEN_VARIABLE:
        return (*out = use_variable(p, t));
    case TOKEN_FIELD:
        return (*out = name_node(p, NODE_FIELD, t.pos, t.text));
    case TOKEN_BOOL:
        *out = parser_node(p, NODE_BOOL, t.pos);
        (*out)->text = t.text;
        (*out)->truth = t.text.s[0] == 't';
        return true;
    case TOKEN_CHAR_CONSTANT:
    case TOKEN_COMPLEX:
    case TOKEN_NUMBER:
        return (*out = number_node(p, t));
    case TOKEN_LEFT_PAREN:
        return (*out = parenthesised(p));
    case TOKEN_STRING:
    case TOKEN_RAW_STRING:
        return (*out = string_node(p, t));
    default:
        p->peeked++;
        *out = NULL;
        return true;
    }
}

/* Fields that follow a term: ".a.b" after "(...)", "$x" or ".c". */
static struct node *
chain(struct parser *p, struct node *first)
{
    AUTO(buf_release) struct buf text = BUF_INIT(TEMPLATE_MAX_TEXT);
    size_t pos = parser_peek(p).pos;

    if (first->type == NODE_FIELD || first->type == NODE_VARIABLE)
        buf_str(&text, first->text);
    while (parser_peek(p).type == TOKEN_FIELD)
        buf_str(&text, parser_next(p).text);
    struct str all = arena_str(p->t->a, buf_view(&text));

    switch (first->type) {
    case NODE_FIELD:
    case NODE_VARIABLE:
        return name_node(p, first->type, pos, all);
    case NODE_BOOL:
    case NODE_STRING:
    case NODE_NUMBER:
    case NODE_NIL:
    case NODE_DOT: {
        AUTO(buf_release) struct buf was = BUF_INIT(900);
        AUTO(buf_release) struct buf quoted = BUF_INIT(900);

        template_node_text(first, &was);
        format_quote(buf_view(&was), false, &quoted);
        return parser_fail(p, "unexpected . after term %s", buf_cstr(&quoted));
    }
    default:
        break;
    }
    struct node *n = name_node(p, NODE_CHAIN, pos, all);

    n->n = 1;
    n->kids = arena_alloc(p->t->a, sizeof(struct node *));
    n->kids[0] = first;
    return n;
}

static bool
operand(struct parser *p, struct node **out)
{
    if (!term(p, out))
        return false;
    if (*out && parser_peek(p).type == TOKEN_FIELD)
        return (*out = chain(p, *out));
    return true;
}

static struct node *
command(struct parser *p)
{
    AUTO(nodes_release) struct nodes args = {0};
    struct node *n = parser_node(p, NODE_COMMAND, parser_peek_word(p).pos),
                *arg;

    for (;;) {
        parser_peek_word(p);
        if (!operand(p, &arg))
            return NULL;
        if (arg)
            nodes_add(&args, arg);
        struct token t = parser_next(p);

        if (t.type == TOKEN_SPACE)
            continue;
        if (t.type == TOKEN_RIGHT_DELIM || t.type == TOKEN_RIGHT_PAREN)
            p->peeked++;
        else if (t.type != TOKEN_PIPE)
            return parser_unexpected(p, t, "operand");
        break;
    }
    if (!args.n)
        return parser_fail(p, "empty command");
    nodes_adopt(p, n, &args);
    return n;
}

/* ---- pipelines ---- */

static void
add_decl(struct parser *p, struct node *pipe, struct token v)
{
    struct node **decl = arena_array(p->t->a, 2, sizeof(struct node *));

    if (pipe->decl_count)
        decl[0] = pipe->decl[0];
    decl[pipe->decl_count++] = name_node(p, NODE_VARIABLE, v.pos, v.text);
    pipe->decl = decl;
    parser_declare(p, v.text);
}

/* "$x :=", "$x =", "$i, $x :=" at the start of a pipeline. */
static bool
declarations(struct parser *p, struct node *pipe, const char *context)
{
    while (parser_peek_word(p).type == TOKEN_VARIABLE) {
        struct token v = parser_next(p), after = parser_peek(p),
                     then = parser_peek_word(p);

        if (then.type == TOKEN_ASSIGN || then.type == TOKEN_DECLARE) {
            pipe->assign = then.type == TOKEN_ASSIGN;
            parser_next_word(p);
            add_decl(p, pipe, v);
            return true;
        }
        if (then.type != TOKEN_CHAR || !str_eqz(then.text, ",")) {
            if (after.type == TOKEN_SPACE) {
                p->token[1] = after;
                p->token[2] = v;
                p->peeked = 3;
            } else {
                p->token[1] = v;
                p->peeked = 2;
            }
            return true;
        }
        parser_next_word(p);
        if (pipe->decl_count < 2)
            add_decl(p, pipe, v);
        if (strcmp(context, "range") != 0 || pipe->decl_count >= 2)
            return parser_fail(p, "too many declarations in %s", context);
        then = parser_peek_word(p);
        if (then.type != TOKEN_VARIABLE && then.type != TOKEN_RIGHT_DELIM &&
            then.type != TOKEN_RIGHT_PAREN)
            return parser_fail(p, "range can only initialize variables");
    }
    return true;
}

static struct node *
check_pipeline(struct parser *p, struct node *pipe, const char *context)
{
    if (!pipe->n)
        return parser_fail(p, "missing value for %s", context);
    for (size_t i = 1; i < pipe->n; i++) {
        enum node_type type = pipe->kids[i]->kids[0]->type;

        if (type == NODE_BOOL || type == NODE_DOT || type == NODE_NIL ||
            type == NODE_NUMBER || type == NODE_STRING)
            return parser_fail(
                p, "non executable command in pipeline stage %zu", i + 1);
    }
    return pipe;
}

static bool
starts_operand(enum token_type t)
{
    return t == TOKEN_BOOL || t == TOKEN_CHAR_CONSTANT || t == TOKEN_COMPLEX ||
           t == TOKEN_DOT || t == TOKEN_FIELD || t == TOKEN_IDENTIFIER ||
           t == TOKEN_NUMBER || t == TOKEN_NIL || t == TOKEN_RAW_STRING ||
           t == TOKEN_STRING || t == TOKEN_VARIABLE || t == TOKEN_LEFT_PAREN;
}

struct node *
parser_pipeline(struct parser *p, const char *context, enum token_type end)
{
    AUTO(nodes_release) struct nodes commands = {0};
    struct node *pipe = parser_node(p, NODE_PIPE, parser_peek_word(p).pos);

    if (!declarations(p, pipe, context))
        return NULL;
    for (;;) {
        struct token t = parser_next_word(p);

        if (t.type == end) {
            nodes_adopt(p, pipe, &commands);
            return check_pipeline(p, pipe, context);
        }
        if (!starts_operand(t.type))
            return parser_unexpected(p, t, context);
        p->peeked++;
        struct node *c = command(p);

        if (!c)
            return NULL;
        nodes_add(&commands, c);
    }
}
