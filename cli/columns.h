/*
 * columns.h - rows of text in aligned columns, safe for a terminal.
 *
 * Widths are counted in terminal columns (lib/base/utf8.h). What comes from a
 * cluster may hold control sequences: every unsafe character is printed as
 * U+FFFD (or '?' in a locale without UTF-8).
 * Lifetimes: cells are copied.
 */
#ifndef CLI_COLUMNS_H
#define CLI_COLUMNS_H

#include <stdio.h>

#include "lib/base/str.h"

#define COLUMNS_MAX 24

struct columns {
    struct strlist cells; /* row by row */
    size_t per_row;
};

/* per_row cells a row, at most COLUMNS_MAX. */
void columns_init(struct columns *c, size_t per_row);
/* One row; NULL cells print as "-". */
void columns_row(struct columns *c, const char *const *cells);
/* Each row behind indent, two spaces between columns, none at the end. */
void columns_print(const struct columns *c, const char *indent, FILE *out);
void columns_release(struct columns *c);
/* s with every unsafe character replaced; newlines stay when lines is set. */
void columns_text(struct str s, bool lines, FILE *out);
/* s broken at spaces into lines of at most width columns, all but the first
 * behind indent spaces, with a newline at the end; unsafe characters as above.
 * Where the first begins, the caller has written indent columns already. */
void columns_wrap(struct str s, size_t indent, size_t width, FILE *out);
/* Of standard output's terminal; where it is none $COLUMNS, else so many that
 * nothing is broken: whoever searches a file wants whole lines. */
size_t columns_of_terminal(void);

#endif
