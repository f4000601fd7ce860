/*
 * filter.h - what one types after `/` over a table.
 *
 * Terms, separated by spaces, all of which must hold:
 *   word       in any column, letters of any case; else its letters in this
 *              order in the name ("cpl" finds "customer-profile")
 *   !word      in no column
 *   ~regex     matches some column (RE2 syntax, lib/base/re.h)
 *   -l a=b     the label a has the value b (-l a: the label is there)
 *   col=v col!=v col<v col>v   the column whose title begins with col: numbers,
 *              ages (30s, 5m, 2h, 3d), text (any case), states by word;
 *              `ready=true|false` speaks of the row's state
 * Lifetime: a filter keeps its own copy of the text.
 */
#ifndef TUI_FILTER_H
#define TUI_FILTER_H

#include "tui/source.h"

struct filter;

/* NULL for an empty text. A bad regular expression is ERR_PARSE (and NULL). */
struct filter *filter_parse(struct str text, struct error *err);
void filter_free(struct filter *f);
/* now_ms: wall time that ages are counted to. A NULL filter matches all. */
bool filter_match(const struct filter *f, const struct tui_table *t,
                  const struct tui_row *row, int64_t now_ms);

/* True when needle (lower case) is in hay, whatever hay's case. */
bool filter_contains(const char *hay, struct str needle);
/* True when the letters of needle come in this order in hay. */
bool filter_fuzzy(const char *hay, struct str needle);
/* "90", "30s", "5m", "2h", "3d" in milliseconds; false when it is none. */
bool filter_duration(struct str s, int64_t *ms);

#endif
