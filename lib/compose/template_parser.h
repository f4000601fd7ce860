/*
 * template_parser.h - the parser's state and what its two files share (private
 * to lib/compose).
 *
 * One struct parser per tree (the main one, each define and block), all on one
 * lexer, with three tokens of look-ahead as in Go: its error messages name the
 * line of the token read last. A function that fails has set *err and answers
 * NULL or false; nobody reads on after that.
 */
#ifndef LIB_COMPOSE_TEMPLATE_PARSER_H
#define LIB_COMPOSE_TEMPLATE_PARSER_H

#include "lib/compose/template_tree.h"

#define PARSER_MAX_NESTING 200

struct parser {
    struct template *t;
    struct lexer *lex;
    struct error *err;
    struct tree tree;
    struct token token[3];
    int peeked;
    struct str *vars;
    size_t var_count, var_cap;
    unsigned action_line;
    unsigned range_depth, depth;
};

/* A list of nodes while its length is unknown; for AUTO(nodes_release). */
struct nodes {
    struct node **v;
    size_t n, cap;
};

void nodes_add(struct nodes *l, struct node *n);
void nodes_release(struct nodes *l);
/* Moves the list into n's kids; l is empty after. */
void nodes_adopt(struct parser *p, struct node *n, struct nodes *l);

/* Sets the error; NULL always. */
void *parser_fail(struct parser *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
void *parser_unexpected(struct parser *p, struct token t, const char *context);
struct token parser_next(struct parser *p);
struct token parser_peek(struct parser *p);
struct token parser_next_word(struct parser *p); /* skips spaces */
struct token parser_peek_word(struct parser *p);
/* The right delimiter comes next. */
bool parser_expect_end(struct parser *p, const char *context, struct token *t);
struct node *parser_node(struct parser *p, enum node_type type, size_t pos);
/* The variable name is known from here on. */
void parser_declare(struct parser *p, struct str name);
/* A pipeline up to and with the token end. */
struct node *parser_pipeline(struct parser *p, const char *context,
                             enum token_type end);

#endif
