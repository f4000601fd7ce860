/*
 * template_tree.h - the parts of a parsed template (private to lib/compose).
 *
 * What: tokens, nodes and trees, after text/template/parse of Go 1.26, whose
 * positions and node texts its error messages are made of.
 * Lifetimes: everything lives in the template's arena and never changes once
 * parsing is done.
 */
#ifndef LIB_COMPOSE_TEMPLATE_TREE_H
#define LIB_COMPOSE_TEMPLATE_TREE_H

#include "lib/base/map.h"

#include "lib/compose/funcs.h"
#include "lib/compose/template.h"

/* ---- tokens ---- */
enum token_type {
    TOKEN_ERROR,
    TOKEN_BOOL,
    TOKEN_CHAR, /* a printable character that is none of the others */
    TOKEN_CHAR_CONSTANT,
    TOKEN_COMPLEX,
    TOKEN_ASSIGN,
    TOKEN_DECLARE,
    TOKEN_EOF,
    TOKEN_FIELD,
    TOKEN_IDENTIFIER,
    TOKEN_LEFT_DELIM,
    TOKEN_LEFT_PAREN,
    TOKEN_NUMBER,
    TOKEN_PIPE,
    TOKEN_RAW_STRING,
    TOKEN_RIGHT_DELIM,
    TOKEN_RIGHT_PAREN,
    TOKEN_SPACE,
    TOKEN_STRING,
    TOKEN_TEXT,
    TOKEN_VARIABLE,
    TOKEN_KEYWORD, /* keywords follow */
    TOKEN_BLOCK,
    TOKEN_BREAK,
    TOKEN_CONTINUE,
    TOKEN_DOT,
    TOKEN_DEFINE,
    TOKEN_ELSE,
    TOKEN_END,
    TOKEN_IF,
    TOKEN_NIL,
    TOKEN_RANGE,
    TOKEN_TEMPLATE,
    TOKEN_WITH
};

struct token {
    enum token_type type;
    size_t pos;
    struct str text; /* of an error: the message */
    unsigned line;
};

struct lexer {
    struct arena *a; /* for messages */
    struct str input, left, right;
    size_t pos, start;
    bool inside;
    int parens;
    unsigned line, start_line;
    struct token token;
};

void template_lex_init(struct lexer *l, struct arena *a, struct str input,
                       struct str left, struct str right);
/* The next token; after an error or the end: the end. */
struct token template_lex(struct lexer *l);

/* ---- nodes ---- */
enum node_type {
    NODE_LIST,
    NODE_TEXT,
    NODE_ACTION,
    NODE_IF,
    NODE_RANGE,
    NODE_WITH,
    NODE_TEMPLATE,
    NODE_BREAK,
    NODE_CONTINUE,
    NODE_PIPE,
    NODE_COMMAND,
    NODE_FIELD,
    NODE_VARIABLE,
    NODE_CHAIN,
    NODE_IDENTIFIER,
    NODE_DOT,
    NODE_NIL,
    NODE_BOOL,
    NODE_NUMBER,
    NODE_STRING,
    NODE_END, /* while parsing only */
    NODE_ELSE
};

struct node {
    enum node_type type;
    size_t pos;      /* byte offset in the template's text */
    struct str text; /* as written: text, number, quoted string, names */
    /* LIST: nodes; PIPE: commands; COMMAND: arguments; CHAIN: one */
    struct node **kids;
    size_t n;
    union {
        struct { /* ACTION, IF, RANGE, WITH, TEMPLATE */
            struct node *pipe, *list, *other;
        };
        struct { /* PIPE */
            struct node **decl;
            size_t decl_count;
            bool assign;
        };
        struct { /* FIELD, VARIABLE, CHAIN: names without dots */
            struct str *names;
            size_t name_count;
        };
        const struct func *func; /* IDENTIFIER */
        struct {                 /* NUMBER */
            bool is_int, is_uint, is_float;
            int64_t i;
            uint64_t u;
            double f;
        };
        bool truth;          /* BOOL */
        struct str unquoted; /* STRING; TEMPLATE uses text */
    };
};

struct tree {
    struct str name;
    struct node *root; /* NULL: nothing but a name */
};

struct template
{
    struct arena *a;
    struct str name, text;
    struct map trees; /* name -> struct tree */
};

/* The tree called name, or NULL. */
const struct tree *template_tree(const struct template *t, struct str name);
/* A node as Go's Node.String() writes it. */
void template_node_text(const struct node *n, struct buf *out);

#endif
