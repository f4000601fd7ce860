#include "tui/filter.h"

#include <ctype.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/re.h"

#include "tui/theme.h"

enum term_kind { WORD, NOT, REGEX, LABEL, COMPARE };

struct term {
    enum term_kind kind;
    char op; /* '=', '!', '<', '>' */
    struct str name, value;
    struct re *re;
};

struct filter {
    char *text;
    struct term *terms;
    size_t n, cap;
};

static int
lower(char c)
{
    return tolower((unsigned char)c);
}

bool
filter_contains(const char *hay, struct str needle)
{
    if (needle.n == 0)
        return true;
    for (; *hay; hay++) {
        size_t i = 0;

        while (i < needle.n && hay[i] && lower(hay[i]) == needle.s[i])
            i++;
        if (i == needle.n)
            return true;
    }
    return false;
}

bool
filter_fuzzy(const char *hay, struct str needle)
{
    size_t i = 0;

    for (; *hay && i < needle.n; hay++)
        i += lower(*hay) == needle.s[i];
    return i == needle.n;
}

bool
filter_duration(struct str s, int64_t *ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    int64_t n, factor = 1000;

    for (size_t i = 0; s.n > 1 && i < ARRAY_LEN(units); i++) {
        if (s.s[s.n - 1] == units[i].unit) {
            factor = units[i].ms;
            s.n--;
            break;
        }
    }
    if (!str_to_i64(s, &n) || n < 0 || n > INT32_MAX)
        return false;
    *ms = n * factor;
    return true;
}

/* Splits "col<op>value"; false when word is not of that form. */
static bool
parse_compare(struct str word, struct term *t)
{
    for (size_t i = 1; i < word.n; i++) {
        char c = word.s[i];
        size_t len = 1;

        if (c == '!' && i + 1 < word.n && word.s[i + 1] == '=')
            len = 2;
        else if (c != '=' && c != '<' && c != '>')
            continue;
        *t = (struct term){.kind = COMPARE,
                           .op = c,
                           .name = str_sub(word, 0, i),
                           .value = str_from(word, i + len)};
        return true;
    }
    return false;
}

static bool
parse_term(struct str word, struct str *rest, struct term *t, struct error *err)
{
    *t = (struct term){.kind = WORD, .value = word};
    if (word.s[0] == '~' && word.n > 1) {
        t->kind = REGEX;
        t->value = str_from(word, 1);
        t->re = re_compile(t->value, err);
        return t->re != NULL;
    }
    if (str_eqz(word, "-l")) {
        t->kind = LABEL;
        *rest = str_trim(*rest);
        str_cut(*rest, ' ', &t->value, rest);
        return true;
    }
    if (word.s[0] == '!' && word.n > 1) {
        t->kind = NOT;
        t->value = str_from(word, 1);
        return true;
    }
    parse_compare(word, t);
    return true;
}

struct filter *
filter_parse(struct str text, struct error *err)
{
    struct str rest = str_trim(text), word;
    struct filter *f;

    if (rest.n == 0)
        return NULL;
    f = mem_zalloc(1, sizeof(*f));
    f->text = mem_strndup(rest.s, rest.n);
    rest = str_of(f->text);
    /* Only a regular expression and a label keep their case. */
    while (rest.n) {
        struct term t;

        str_cut(rest, ' ', &word, &rest);
        rest = str_trim(rest);
        if (word.n == 0)
            continue;
        if (!parse_term(word, &rest, &t, err)) {
            filter_free(f);
            return NULL;
        }
        if (t.kind != REGEX && t.kind != LABEL) {
            for (size_t i = 0; i < word.n; i++)
                ((char *)word.s)[i] = (char)lower(word.s[i]);
        }
        f->terms = mem_grow(f->terms, &f->cap, f->n + 1, sizeof(t));
        f->terms[f->n++] = t;
    }
    return f;
}

void
filter_free(struct filter *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->n; i++)
        re_free(f->terms[i].re);
    free(f->terms);
    free(f->text);
    free(f);
}

static const char *
cell_word(const struct tui_table *t, const struct tui_row *row, size_t i)
{
    return t->columns[i].type == COL_STATE && !*row->cells[i].text
               ? theme_word((enum tui_state)row->cells[i].num)
               : row->cells[i].text;
}

static bool
word_match(const struct tui_table *t, const struct tui_row *row,
           struct str word, bool fuzzy)
{
    for (size_t i = 0; i < t->columns_n; i++) {
        if (t->columns[i].type != COL_AGE &&
            filter_contains(cell_word(t, row, i), word))
            return true;
    }
    return fuzzy && row->name && filter_fuzzy(row->name, word);
}

static bool
regex_match(const struct tui_table *t, const struct tui_row *row,
            const struct re *re)
{
    for (size_t i = 0; i < t->columns_n; i++) {
        if (re_match(re, str_of(cell_word(t, row, i))))
            return true;
    }
    return false;
}

static bool
label_match(const char *labels, struct str want)
{
    struct str rest = str_of(labels), one, name, value;

    while (rest.n && str_next(&rest, ',', &one)) {
        str_cut(one, '=', &name, &value);
        if (str_eq(one, want) ||
            (str_eq(name, want) && !str_contains(want, STR("="))))
            return true;
    }
    return false;
}

static bool
holds(char op, int64_t have, int64_t want)
{
    return op == '='   ? have == want
           : op == '!' ? have != want
           : op == '<' ? have < want
                       : have > want;
}

static bool
column_match(const struct tui_table *t, const struct tui_row *row, size_t i,
             const struct term *term, int64_t now_ms)
{
    const struct tui_cell *cell = &row->cells[i];
    bool equal;
    int64_t want;

    if (t->columns[i].type == COL_AGE)
        return cell->num && filter_duration(term->value, &want) &&
               holds(term->op, now_ms - cell->num, want);
    if (t->columns[i].type == COL_NUMBER && str_to_i64(term->value, &want))
        return holds(term->op, cell->num, want);
    equal = term->value.n ? filter_contains(cell_word(t, row, i), term->value)
                          : *cell_word(t, row, i) == '\0';
    return term->op == '=' ? equal : term->op == '!' && !equal;
}

static bool
compare_match(const struct tui_table *t, const struct tui_row *row,
              const struct term *term, int64_t now_ms)
{
    if (str_eqz(term->name, "ready")) {
        bool want = !str_starts(term->value, STR("f"));

        return (row->state == TUI_OK) == (want == (term->op == '='));
    }
    for (size_t i = 0; i < t->columns_n; i++) {
        struct str title = str_of(t->columns[i].title);

        if (title.n >= term->name.n && filter_contains(title.s, term->name) &&
            lower(title.s[0]) == term->name.s[0])
            return column_match(t, row, i, term, now_ms);
    }
    return false;
}

static bool
term_match(const struct term *term, const struct tui_table *t,
           const struct tui_row *row, int64_t now_ms)
{
    switch (term->kind) {
    case WORD:
        return word_match(t, row, term->value, true);
    case NOT:
        return !word_match(t, row, term->value, false);
    case REGEX:
        return regex_match(t, row, term->re);
    case LABEL:
        return label_match(row->labels, term->value);
    case COMPARE:
        return compare_match(t, row, term, now_ms);
    }
    return false;
}

bool
filter_match(const struct filter *f, const struct tui_table *t,
             const struct tui_row *row, int64_t now_ms)
{
    for (size_t i = 0; f && i < f->n; i++) {
        if (!term_match(&f->terms[i], t, row, now_ms))
            return false;
    }
    return true;
}
