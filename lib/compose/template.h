/*
 * template.h - Go's text/template with sprig and go-templating's functions.
 *
 * What: parse a text once, execute it many times. The language is that of Go
 * 1.26, the functions are the builtins, sprig 3.3 without env and expandenv,
 * and those of function-go-templating 0.12. Not offered, with a clear error:
 * complex numbers, calling function values, host look-ups, time zones other
 * than UTC.
 * Invariants: a parsed template is never changed by execution. Execution reads
 * no clock, file or environment: time and randomness are parameters, private
 * keys excepted, which are made with GnuTLS' randomness.
 * Errors: in Go's words, "template: NAME:LINE: ..." (ERR_PARSE) and
 * "template: NAME:LINE:COLUMN: executing "NAME" at <EXPRESSION>: ..."
 * (ERR_INVALID); a cap that was reached is ERR_LIMIT.
 */
#ifndef LIB_COMPOSE_TEMPLATE_H
#define LIB_COMPOSE_TEMPLATE_H

#include "lib/compose/value.h"

struct template;

/* A text may have 4 MiB; blocks and parentheses nest up to 200 deep. */
#define TEMPLATE_MAX_TEXT ((size_t)4 << 20)

/* Parses text (copied). left and right: delimiters, empty for {{ and }}. */
struct template *template_parse(const char *name, struct str text,
                                struct str left, struct str right,
                                struct error *err);
void template_free(struct template *t);
void template_free_ptr(struct template **t);

enum template_missing { MISSING_DEFAULT, MISSING_ZERO, MISSING_ERROR };

/* One execution. All zero but arena means the defaults. */
struct template_run {
    struct arena *arena; /* values made on the way live here */
    enum template_missing missing_key;
    int64_t now_ns;    /* what `now` answers, since 1970 UTC */
    uint64_t seed;     /* of randomChoice, randAlpha, uuidv4, shuffle, ... */
    size_t max_steps;  /* nodes executed; 0: 2 million */
    size_t max_output; /* bytes of output and of any one string; 0: 8 MiB */
    size_t max_memory; /* growth of arena; 0: 128 MiB */
};

/* Reads text/template's Option text: missingkey=default|invalid|zero|error.
 */
bool template_option(struct template_run *run, struct str option,
                     struct error *err);

/* Appends the output to out. On failure out holds what was written so far. */
bool template_execute(const struct template *t, struct value data,
                      const struct template_run *run, struct buf *out,
                      struct error *err);

#endif
