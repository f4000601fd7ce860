/* Text, control structures and definitions. */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/compose/template_number.h"
#include "lib/compose/template_parser.h"

static struct node *item_list(struct parser *p, struct node **end);

/* ---- actions ---- */

static struct node *
control(struct parser *p, enum node_type type, const char *context)
{
    size_t vars = p->var_count;
    struct node *n = parser_node(p, type, 0), *end;

    if (p->depth >= PARSER_MAX_NESTING)
        return parser_fail(p, "blocks nest deeper than %d", PARSER_MAX_NESTING);
    p->depth++;
    n->pipe = parser_pipeline(p, context, TOKEN_RIGHT_DELIM);
    if (!n->pipe)
        return NULL;
    n->pos = n->pipe->pos;
    p->range_depth += type == NODE_RANGE;
    n->list = item_list(p, &end);
    p->range_depth -= type == NODE_RANGE;
    if (!n->list)
        return NULL;
    if (end->type == NODE_ELSE) {
        enum token_type again = parser_peek(p).type;
        bool nested = (type == NODE_IF && again == TOKEN_IF) ||
                      (type == NODE_WITH && again == TOKEN_WITH);

        if (nested) {
            struct nodes one = {0};

            parser_next(p);
            n->other = parser_node(p, NODE_LIST, end->pos);
            struct node *inner = control(p, type, context);

            if (!inner)
                return NULL;
            nodes_add(&one, inner);
            nodes_adopt(p, n->other, &one);
        } else {
            n->other = item_list(p, &end);
            if (!n->other)
                return NULL;
            if (end->type != NODE_END)
                return parser_fail(p, "expected end; found {{else}}");
        }
    }
    p->depth--;
    p->var_count = vars;
    return n;
}

static struct node *
jump(struct parser *p, enum node_type type, size_t pos)
{
    const char *word = type == NODE_BREAK ? "{{break}}" : "{{continue}}";
    struct token t;

    if (!parser_expect_end(p, word, &t))
        return NULL;
    if (!p->range_depth)
        return parser_fail(p, "%s outside {{range}}", word);
    return parser_node(p, type, pos);
}

static struct node *
else_node(struct parser *p)
{
    struct token t = parser_peek_word(p);

    if (t.type != TOKEN_IF && t.type != TOKEN_WITH &&
        !parser_expect_end(p, "else", &t))
        return NULL;
    return parser_node(p, NODE_ELSE, t.pos);
}

static struct node *
end_node(struct parser *p)
{
    struct token t;

    if (!parser_expect_end(p, "end", &t))
        return NULL;
    return parser_node(p, NODE_END, t.pos);
}

/* ---- trees ---- */

static bool
blank(const struct node *n)
{
    if (!n)
        return true;
    if (n->type == NODE_TEXT)
        return str_trim(n->text).n == 0;
    if (n->type != NODE_LIST)
        return false;
    for (size_t i = 0; i < n->n; i++) {
        if (!blank(n->kids[i]))
            return false;
    }
    return true;
}

static bool
add_tree(struct parser *p)
{
    const struct tree *old = map_get(&p->t->trees, p->tree.name);

    if (old && !blank(old->root)) {
        AUTO(buf_release) struct buf name = BUF_INIT(900);

        if (blank(p->tree.root))
            return true;
        format_quote(p->tree.name, false, &name);
        return parser_fail(p, "template: multiple definition of template %s",
                           buf_cstr(&name));
    }
    struct tree *copy = arena_alloc(p->t->a, sizeof(*copy));

    *copy = p->tree;
    map_put(&p->t->trees, copy->name, copy);
    return true;
}

static void
parser_release(struct parser *p)
{
    free(p->vars);
}

static struct parser
sub_parser(const struct parser *p, struct str name)
{
    struct parser sub = {.t = p->t,
                         .lex = p->lex,
                         .err = p->err,
                         .depth = p->depth,
                         .tree = {.name = name}};

    parser_declare(&sub, STR("$"));
    return sub;
}

/* The body of a define or block up to its end. */
static bool
body(struct parser *p, const char *context)
{
    struct node *end;

    if (p->depth >= PARSER_MAX_NESTING)
        return parser_fail(p, "blocks nest deeper than %d", PARSER_MAX_NESTING);
    p->depth++;
    p->tree.root = item_list(p, &end);
    if (!p->tree.root)
        return false;
    if (end->type != NODE_END)
        return parser_fail(p, "unexpected {{else}} in %s", context);
    return add_tree(p);
}

static bool
template_name(struct parser *p, struct token t, const char *context,
              struct str *name)
{
    if (t.type != TOKEN_STRING && t.type != TOKEN_RAW_STRING)
        return parser_unexpected(p, t, context);
    return template_unquote(p->t->a, t.text, name) ||
           parser_fail(p, "invalid syntax");
}

static struct node *
block_node(struct parser *p)
{
    struct token t = parser_next_word(p);
    struct node *n = parser_node(p, NODE_TEMPLATE, t.pos);

    if (!template_name(p, t, "block clause", &n->text))
        return NULL;
    n->pipe = parser_pipeline(p, "block clause", TOKEN_RIGHT_DELIM);
    if (!n->pipe)
        return NULL;
    AUTO(parser_release) struct parser sub = sub_parser(p, n->text);

    return body(&sub, "block clause") ? n : NULL;
}

static struct node *
template_node(struct parser *p)
{
    struct token t = parser_next_word(p);
    struct node *n = parser_node(p, NODE_TEMPLATE, t.pos);

    if (!template_name(p, t, "template clause", &n->text))
        return NULL;
    if (parser_next_word(p).type == TOKEN_RIGHT_DELIM)
        return n;
    p->peeked++;
    n->pipe = parser_pipeline(p, "template clause", TOKEN_RIGHT_DELIM);
    return n->pipe ? n : NULL;
}

static struct node *
action(struct parser *p)
{
    struct token t = parser_next_word(p);

    switch (t.type) {
    case TOKEN_BLOCK:
        return block_node(p);
    case TOKEN_BREAK:
        return jump(p, NODE_BREAK, t.pos);
    case TOKEN_CONTINUE:
        return jump(p, NODE_CONTINUE, t.pos);
    case TOKEN_ELSE:
        return else_node(p);
    case TOKEN_END:
        return end_node(p);
    case TOKEN_IF:
        return control(p, NODE_IF, "if");
    case TOKEN_RANGE:
        return control(p, NODE_RANGE, "range");
    case TOKEN_TEMPLATE:
        return template_node(p);
    case TOKEN_WITH:
        return control(p, NODE_WITH, "with");
    default:
        break;
    }
    p->peeked++;
    struct node *n = parser_node(p, NODE_ACTION, parser_peek(p).pos);

    n->pipe = parser_pipeline(p, "command", TOKEN_RIGHT_DELIM);
    return n->pipe ? n : NULL;
}

static struct node *
text_or_action(struct parser *p)
{
    struct token t = parser_next_word(p);

    if (t.type == TOKEN_TEXT) {
        struct node *n = parser_node(p, NODE_TEXT, t.pos);

        n->text = t.text;
        return n;
    }
    if (t.type != TOKEN_LEFT_DELIM)
        return parser_unexpected(p, t, "input");
    p->action_line = t.line;
    struct node *n = action(p);

    p->action_line = 0;
    return n;
}

static struct node *
item_list(struct parser *p, struct node **end)
{
    AUTO(nodes_release) struct nodes items = {0};
    struct node *list = parser_node(p, NODE_LIST, parser_peek_word(p).pos);

    while (parser_peek_word(p).type != TOKEN_EOF) {
        struct node *n = text_or_action(p);

        if (!n)
            return NULL;
        if (n->type == NODE_END || n->type == NODE_ELSE) {
            *end = n;
            nodes_adopt(p, list, &items);
            return list;
        }
        nodes_add(&items, n);
    }
    return parser_fail(p, "unexpected EOF");
}

static bool
definition(struct parser *p)
{
    AUTO(parser_release) struct parser sub = sub_parser(p, STR(""));
    struct token t = parser_next_word(&sub);

    return template_name(&sub, t, "define clause", &sub.tree.name) &&
           parser_expect_end(&sub, "define clause", &t) &&
           body(&sub, "define clause");
}

static bool
top(struct parser *p)
{
    AUTO(nodes_release) struct nodes items = {0};

    p->tree.root = parser_node(p, NODE_LIST, parser_peek(p).pos);
    while (parser_peek(p).type != TOKEN_EOF) {
        if (parser_peek(p).type == TOKEN_LEFT_DELIM) {
            struct token delim = parser_next(p);

            if (parser_next_word(p).type == TOKEN_DEFINE) {
                if (!definition(p))
                    return false;
                continue;
            }
            p->token[1] = delim;
            p->peeked = 2;
        }
        struct node *n = text_or_action(p);

        if (!n)
            return false;
        if (n->type == NODE_END || n->type == NODE_ELSE)
            return parser_fail(p, "unexpected {{%s}}",
                               n->type == NODE_END ? "end" : "else");
        nodes_add(&items, n);
    }
    nodes_adopt(p, p->tree.root, &items);
    return add_tree(p);
}

struct template *
template_parse(const char *name, struct str text, struct str left,
               struct str right, struct error *err)
{
    struct template *t = mem_zalloc(1, sizeof(*t));
    struct lexer lex;

    t->a = arena_new();
    t->name = str_of(arena_strdup(t->a, name));
    if (text.n > TEMPLATE_MAX_TEXT) {
        error_set(err, ERR_LIMIT, "template: %s: larger than %zu bytes", name,
                  TEMPLATE_MAX_TEXT);
        template_free(t);
        return NULL;
    }
    t->text = arena_str(t->a, text);
    template_lex_init(&lex, t->a, t->text, arena_str(t->a, left),
                      arena_str(t->a, right));
    AUTO(parser_release)
    struct parser p = {
        .t = t, .lex = &lex, .err = err, .tree = {.name = t->name}};

    parser_declare(&p, STR("$"));
    if (top(&p))
        return t;
    template_free(t);
    return NULL;
}

void
template_free(struct template *t)
{
    if (!t)
        return;
    map_release(&t->trees, NULL);
    arena_free(t->a);
    free(t);
}

void
template_free_ptr(struct template **t)
{
    template_free(*t);
}

const struct tree *
template_tree(const struct template *t, struct str name)
{
    return map_get(&t->trees, name);
}
