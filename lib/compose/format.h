/*
 * format.h - Go's package fmt for template values.
 *
 * What: Print, Println and Printf as Go words them, its complaints about wrong
 * verbs included ("%!d(string=a)", "%!s(MISSING)"). Output beyond the buffer's
 * maximum is dropped and out->over set. Widths and precisions up to 1,000,000
 * as in Go. Source: package fmt of Go 1.26.
 */
#ifndef LIB_COMPOSE_FORMAT_H
#define LIB_COMPOSE_FORMAT_H

#include "lib/compose/value.h"

/* %v of one value. */
void format_value(struct arena *a, struct value v, struct buf *out);
/* fmt.Sprint: a space between two operands when neither is a string. */
void format_print(struct arena *a, const struct value *v, size_t n,
                  struct buf *out);
/* fmt.Sprintln: a space between all operands and a newline. */
void format_println(struct arena *a, const struct value *v, size_t n,
                    struct buf *out);
void format_printf(struct arena *a, struct str fmt, const struct value *v,
                   size_t n, struct buf *out);
/* strconv.FormatFloat(f, verb, precision, 64), verb e, f, g, x (upper case
 * too) or b; precision -1: the shortest that reads back the same. */
void format_float(double f, char verb, int precision, struct buf *out);
/* Such a number as the flag # wants it: always with a point, and for g and x
 * with `precision` digits (-1: 6). */
void format_sharp_float(struct str number, char verb, int precision,
                        struct buf *out);
/* strconv.IsPrint, nearly: what is not assigned counts as printable. */
bool format_printable(uint32_t cp);
/* strconv.Quote; ascii: QuoteToASCII. */
void format_quote(struct str s, bool ascii, struct buf *out);
/* One character as it stands between two of these quotes. */
void format_quote_char(uint32_t cp, char quote, bool ascii, struct buf *out);

#endif
