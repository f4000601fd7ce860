#include "cli/args.h"

#include <stdlib.h>

#include "lib/base/mem.h"

static const struct flag *
find_flag(const struct args *a, struct str name, char letter)
{
    /* The command's own flags come first: its -o may mean something else. */
    for (size_t t = ARRAY_LEN(a->tables); t-- > 0;) {
        for (const struct flag *f = a->tables[t]; f && f->name; f++) {
            if (letter ? f->letter == letter : str_eqz(name, f->name))
                return f;
        }
    }
    return NULL;
}

const char *
args_nearest(const char *word, const char *const *candidates, size_t n)
{
    const char *best = NULL;
    size_t best_distance = 3;

    for (size_t i = 0; i < n; i++) {
        size_t d = str_distance(word, candidates[i]);

        if (d < best_distance) {
            best = candidates[i];
            best_distance = d;
        }
    }
    return best;
}

static bool
unknown_flag(const struct args *a, struct str name, struct error *err)
{
    const char *names[128];
    size_t n = 0;
    char *word = mem_strndup(name.s, name.n);

    for (size_t t = 0; t < ARRAY_LEN(a->tables); t++) {
        for (const struct flag *f = a->tables[t]; f && f->name; f++) {
            if (n < ARRAY_LEN(names))
                names[n++] = f->name;
        }
    }
    const char *near = args_nearest(word, names, n);

    error_set(err, ERR_USAGE, "unknown flag --%s%s%s%s", word,
              near ? " (did you mean --" : "", near ? near : "",
              near ? "?)" : "");
    free(word);
    return false;
}

static bool
give(struct args *a, const struct flag *f, const char *value, struct error *err)
{
    if (a->given_n == ARRAY_LEN(a->given))
        return error_set(err, ERR_USAGE, "too many flags");
    a->given[a->given_n].flag = f;
    a->given[a->given_n++].value = value;
    return true;
}

/* One "--name[=value]"; *i moves on when the value is the next word. */
static bool
long_flag(struct args *a, int argc, char **argv, int *i, struct error *err)
{
    struct str name, value;
    bool inline_value = str_cut(str_of(argv[*i] + 2), '=', &name, &value);
    const struct flag *f = find_flag(a, name, 0);

    if (!f)
        return unknown_flag(a, name, err);
    if (!f->value) {
        if (inline_value && !str_eqz(value, "true"))
            return error_set(err, ERR_USAGE, "--%s takes no value", f->name);
        return give(a, f, "", err);
    }
    if (inline_value)
        return give(a, f, value.s, err);
    if (*i + 1 >= argc)
        return error_set(err, ERR_USAGE, "--%s needs %s", f->name, f->value);
    return give(a, f, argv[++*i], err);
}

/* "-abc", "-nVALUE" or "-n VALUE". */
static bool
short_flags(struct args *a, int argc, char **argv, int *i, struct error *err)
{
    for (const char *p = argv[*i] + 1; *p; p++) {
        const struct flag *f = find_flag(a, STR(""), *p);

        if (!f)
            return error_set(err, ERR_USAGE, "unknown flag -%c", *p);
        if (!f->value) {
            if (!give(a, f, "", err))
                return false;
            continue;
        }
        if (p[1])
            return give(a, f, p[1] == '=' ? p + 2 : p + 1, err);
        if (*i + 1 >= argc)
            return error_set(err, ERR_USAGE, "-%c needs %s", *p, f->value);
        return give(a, f, argv[++*i], err);
    }
    return true;
}

static void
add_word(struct args *a, const char *word)
{
    a->words =
        mem_grow(a->words, &a->words_cap, a->words_n + 1, sizeof(*a->words));
    a->words[a->words_n++] = word;
}

bool
args_parse(struct args *a, const struct flag *common, const struct flag *own,
           int argc, char **argv, struct error *err)
{
    bool flags = true;

    *a = (struct args){.tables = {common, own}};
    for (int i = 0; i < argc; i++) {
        const char *w = argv[i];
        bool ok = true;

        if (flags && strcmp(w, "--") == 0)
            flags = false;
        else if (flags && strncmp(w, "--", 2) == 0)
            ok = long_flag(a, argc, argv, &i, err);
        else if (flags && w[0] == '-' && w[1])
            ok = short_flags(a, argc, argv, &i, err);
        else
            add_word(a, w);
        if (!ok) {
            args_release(a);
            return false;
        }
    }
    return true;
}

int
args_first_word(const struct flag *table, int argc, char **argv, int from)
{
    const struct args a = {.tables = {table}};
    int i = from;

    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        struct str name = str_of(argv[i] + 2), value = {0};
        bool is_long = argv[i][1] == '-';

        if (is_long && str_cut(name, '=', &name, &value))
            continue;
        const struct flag *f = find_flag(&a, name, is_long ? 0 : argv[i][1]);

        if (f && f->value && (is_long || !argv[i][2]))
            i++;
    }
    return MIN(i, argc);
}

void
args_release(struct args *a)
{
    free(a->words);
    *a = (struct args){0};
}

bool
args_has(const struct args *a, const char *name)
{
    return args_get(a, name, NULL) != NULL;
}

const char *
args_get(const struct args *a, const char *name, const char *fallback)
{
    for (size_t i = a->given_n; i-- > 0;) {
        if (strcmp(a->given[i].flag->name, name) == 0)
            return a->given[i].value;
    }
    return fallback;
}

void
args_list(const struct args *a, const char *name, struct strlist *out)
{
    for (size_t i = 0; i < a->given_n; i++) {
        struct str rest = str_of(a->given[i].value), piece;

        if (strcmp(a->given[i].flag->name, name) != 0)
            continue;
        while (str_next(&rest, ',', &piece)) {
            if (str_trim(piece).n)
                strlist_add(out, str_trim(piece));
        }
    }
}

const char *
args_word(const struct args *a, size_t i)
{
    return i < a->words_n ? a->words[i] : NULL;
}

bool
args_count(const struct args *a, size_t min, size_t max, struct error *err)
{
    if (a->words_n < min)
        return error_set(err, ERR_USAGE, "%s missing",
                         min == 1 ? "an argument is" : "arguments are");
    if (a->words_n > max)
        return error_set(err, ERR_USAGE, "unexpected argument \"%s\"",
                         a->words[max]);
    return true;
}
