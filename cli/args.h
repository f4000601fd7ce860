/*
 * args.h - command-line words, described by tables and read once.
 *
 * What: long and short flags with values, positional words, and for a mistake
 * the nearest known word. Invariants: a flag is accepted before and after the
 * positional words; "--" ends flags; a flag given twice keeps the last value
 * unless it is a list (comma-separated or repeated).
 * Lifetimes: values point into argv; struct args owns only its arrays.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "lib/base/error.h"
#include "lib/base/str.h"

struct flag {
    const char *name;  /* long name, without the dashes */
    char letter;       /* short name or 0 */
    const char *value; /* what the value is called in help; NULL: a switch */
    const char *help;  /* one line */
};

struct args {
    const struct flag *tables[2]; /* common flags, the command's flags */
    struct {
        const struct flag *flag;
        const char *value; /* "" for a switch */
    } given[64];
    size_t given_n;
    const char **words; /* positional */
    size_t words_n, words_cap;
};

/* Reads argc words into a. Tables end with a zero row; own may be NULL. An
 * unknown flag or a missing value is ERR_USAGE. */
bool args_parse(struct args *a, const struct flag *common,
                const struct flag *own, int argc, char **argv,
                struct error *err);
void args_release(struct args *a);
/* Index of the first word of argv[from..] that is no flag of the table (nor a
 * flag's value): the command; argc when there is none. */
int args_first_word(const struct flag *table, int argc, char **argv, int from);
bool args_has(const struct args *a, const char *name);
/* The last value given for name, or fallback. */
const char *args_get(const struct args *a, const char *name,
                     const char *fallback);
/* Every value of name, split at commas, into out. */
void args_list(const struct args *a, const char *name, struct strlist *out);
/* Positional word i, or NULL. */
const char *args_word(const struct args *a, size_t i);
/* Sets err to ERR_USAGE unless there are min to max positional words. */
bool args_count(const struct args *a, size_t min, size_t max,
                struct error *err);
/* The candidate nearest to word (edit distance at most 2), or NULL. */
const char *args_nearest(const char *word, const char *const *candidates,
                         size_t n);

#endif
