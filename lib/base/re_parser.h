/*
 * re_parser.h - the state of re_parse.c, and what re_escape.c reads for it.
 *
 * Every function stands at what it reads, leaves p->at behind it, and answers
 * false once the error is set (unless its comment says otherwise).
 */
#ifndef LIB_BASE_RE_PARSER_H
#define LIB_BASE_RE_PARSER_H

#include "lib/base/re_prog.h"

enum re_flag { RE_FOLD = 1, RE_MULTI_LINE = 2, RE_DOT_NL = 4, RE_UNGREEDY = 8 };

struct re_parser {
    struct str whole;
    const char *at, *end;
    unsigned flags;
    int depth;
    size_t ranges;
    struct arena *arena;
    struct re_tree *tree;
    struct error *err;
};

/* What is left to read, and what was read since begin. */
struct str re_rest(const struct re_parser *p);
struct str re_from(const struct re_parser *p, const char *begin);
bool re_looking_at(const struct re_parser *p, const char *z);
/* Set Go's error text; ERR_PARSE and ERR_LIMIT. Both return false. */
bool re_fail(struct re_parser *p, const char *what, struct str expr);
bool re_too_much(struct re_parser *p, const char *what, struct str expr);
/* One character of valid UTF-8. */
bool re_next_rune(struct re_parser *p, uint32_t *cp);
/* At a backslash: the one character it stands for. */
bool re_escape(struct re_parser *p, uint32_t *cp);
/* "\d" and its sisters into c; false without an error when it is none. */
bool re_perl_class(struct re_parser *p, struct re_class *c);
/* "\pN", "\p{Greek}", "\P{^L}". */
bool re_at_unicode_class(const struct re_parser *p);
bool re_unicode_class(struct re_parser *p, struct re_class *c);
/* One item between brackets; begin is the opening one. */
bool re_class_item(struct re_parser *p, const char *begin, struct re_class *c);

#endif
