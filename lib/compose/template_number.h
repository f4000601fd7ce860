/*
 * template_number.h - constants in templates (private to lib/compose): numbers
 * and quoted strings by the rules of Go's strconv.
 */
#ifndef LIB_COMPOSE_TEMPLATE_NUMBER_H
#define LIB_COMPOSE_TEMPLATE_NUMBER_H

#include "lib/compose/template_tree.h"

/* Reads n->text as a number or character constant into n. */
bool template_number(struct node *n, enum token_type type, struct error *err);
/* strconv.Unquote of a "..." or `...` text; the result lives in a. */
bool template_unquote(struct arena *a, struct str quoted, struct str *out);
/* strconv.ParseInt(s, base, 64); base 0: by prefix, underscores allowed. */
bool template_parse_int(struct str s, unsigned base, int64_t *out);

#endif
