#include "devenv/sandbox/selectors.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/schema/names.h"

#define TEXT_MAX   ((size_t)64 << 10)
#define TERMS_MAX  1000
#define VALUES_MAX 10000

/* ---- tokens of the label grammar ---- */

enum token {
    T_END,
    T_ID,
    T_IN,
    T_NOT_IN,
    T_OPEN,
    T_CLOSE,
    T_COMMA,
    T_NOT,
    T_EQ,
    T_EQ2,
    T_NE,
    T_GT,
    T_LT
};

struct parser {
    struct str text;
    size_t at;
    size_t values;
    struct status *st;
};

static bool
space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
special(char c)
{
    return c && strchr("=!(),><", c) != NULL;
}

/* The token at p->at and its text; *end is where the next one begins. */
static enum token
peek_raw(const struct parser *p, struct str *lit, size_t *end)
{
    static const struct {
        const char *text;
        enum token t;
    } symbols[] = {{"==", T_EQ2},  {"!=", T_NE},  {"=", T_EQ},
                   {"!", T_NOT},   {"(", T_OPEN}, {")", T_CLOSE},
                   {",", T_COMMA}, {">", T_GT},   {"<", T_LT}};
    size_t i = p->at, start;

    while (i < p->text.n && space(p->text.s[i]))
        i++;
    start = i;
    *lit = str_sub(p->text, i, 0);
    *end = i;
    if (i >= p->text.n || !p->text.s[i])
        return T_END;
    for (size_t k = 0; k < ARRAY_LEN(symbols); k++) {
        struct str sym = str_of(symbols[k].text);

        if (str_starts(str_from(p->text, i), sym)) {
            *lit = str_sub(p->text, i, sym.n);
            *end = i + sym.n;
            return symbols[k].t;
        }
    }
    while (i < p->text.n && !space(p->text.s[i]) && !special(p->text.s[i]) &&
           p->text.s[i])
        i++;
    *lit = str_sub(p->text, start, i - start);
    *end = i;
    return str_eqz(*lit, "in")      ? T_IN
           : str_eqz(*lit, "notin") ? T_NOT_IN
                                    : T_ID;
}

/* Where a value may stand, "in" and "notin" are values too. */
static enum token
peek(const struct parser *p, struct str *lit)
{
    size_t end;
    enum token t = peek_raw(p, lit, &end);

    return t == T_IN || t == T_NOT_IN ? T_ID : t;
}

static enum token
take(struct parser *p, struct str *lit)
{
    size_t end;
    enum token t = peek_raw(p, lit, &end);

    p->at = end;
    return t == T_IN || t == T_NOT_IN ? T_ID : t;
}

static bool
complain(struct parser *p, struct str lit, const char *expected)
{
    return status_bad_request(p->st,
                              "unable to parse requirement: found '%.*s'%s",
                              STR_ARG(lit), expected);
}

static bool
add_value(struct parser *p, struct selector_term *t, struct str value)
{
    if (++p->values > VALUES_MAX)
        return status_bad_request(p->st, "too many values in the selector");
    if (!strlist_has(&t->values, value))
        strlist_add(&t->values, value);
    return true;
}

/* The inside of "(a,b)"; the closing bracket stays. */
static bool
value_list(struct parser *p, struct selector_term *t)
{
    for (;;) {
        struct str lit, next;
        enum token tok = take(p, &lit);

        if (tok == T_ID) {
            if (!add_value(p, t, lit))
                return false;
            tok = peek(p, &next);
            if (tok == T_CLOSE)
                return true;
            if (tok != T_COMMA)
                return complain(p, next, ", expected: ',' or ')'");
        } else if (tok == T_COMMA) {
            if (!t->values.n && !add_value(p, t, STR("")))
                return false;
            tok = peek(p, &next);
            if (tok == T_CLOSE)
                return add_value(p, t, STR(""));
            if (tok == T_COMMA) {
                take(p, &next);
                if (!add_value(p, t, STR("")))
                    return false;
            }
        } else {
            return complain(p, lit, ", expected: ',', or identifier");
        }
    }
}

static bool
set_values(struct parser *p, struct selector_term *t)
{
    struct str lit;
    enum token tok = take(p, &lit);

    if (tok != T_OPEN)
        return complain(p, lit, " expected: '('");
    tok = peek(p, &lit);
    if (tok == T_CLOSE) {
        take(p, &lit);
        return add_value(p, t, STR(""));
    }
    if (tok != T_ID && tok != T_COMMA)
        return complain(p, lit, ", expected: ',', ')' or identifier");
    if (!value_list(p, t))
        return false;
    if (take(p, &lit) != T_CLOSE)
        return complain(p, lit, ", expected: ')'");
    return true;
}

static bool
one_value(struct parser *p, struct selector_term *t)
{
    struct str lit;
    enum token tok = peek(p, &lit);

    if (tok == T_END || tok == T_COMMA)
        return add_value(p, t, STR(""));
    if (take(p, &lit) != T_ID)
        return complain(p, lit, ", expected: identifier");
    return add_value(p, t, lit);
}

/* What NewRequirement checks of the values. */
static bool
check_values(struct parser *p, struct selector_term *t)
{
    if (t->op == SELECT_GREATER || t->op == SELECT_LESS) {
        if (str_to_i64(str_of(t->values.v[0]), &t->number))
            return true;
        return status_bad_request(
            p->st,
            "unable to parse requirement: values[0]: Invalid value: "
            "\"%s\": for 'Gt', 'Lt' operators, the value must be an "
            "integer",
            t->values.v[0]);
    }
    for (size_t i = 0; i < t->values.n; i++) {
        AUTO(strlist_release) struct strlist bad = {0};
        AUTO(mem_free_ptr) char *why = NULL;

        if (names_label_value(str_of(t->values.v[i]), &bad))
            continue;
        why = names_join(&bad);
        return status_bad_request(
            p->st,
            "unable to parse requirement: values[%zu][%s]: Invalid value: "
            "\"%s\": %s",
            i, t->key, t->values.v[i], why);
    }
    return true;
}

static bool
operator_and_values(struct parser *p, struct selector_term *t)
{
    struct str lit;
    size_t end;
    enum token tok = peek_raw(p, &lit, &end);

    p->at = end;
    switch (tok) {
    case T_IN:
    case T_NOT_IN:
        t->op = tok == T_IN ? SELECT_IN : SELECT_NOT_IN;
        if (!set_values(p, t))
            return false;
        break;
    case T_EQ:
    case T_EQ2:
    case T_NE:
    case T_GT:
    case T_LT:
        t->op = tok == T_NE   ? SELECT_NOT_IN
                : tok == T_GT ? SELECT_GREATER
                : tok == T_LT ? SELECT_LESS
                              : SELECT_IN;
        if (!one_value(p, t))
            return false;
        break;
    default:
        return complain(p, lit, ", expected: in, notin, =, ==, !=, gt, lt");
    }
    return check_values(p, t);
}

static bool
requirement(struct parser *p, struct selector_term *t)
{
    AUTO(strlist_release) struct strlist bad = {0};
    struct str lit, next;
    enum token tok = take(p, &lit);
    bool not = tok == T_NOT;

    if (not )
        tok = take(p, &lit);
    if (tok != T_ID)
        return complain(p, lit, ", expected: identifier");
    if (!names_qualified(lit, &bad)) {
        AUTO(mem_free_ptr) char *why = names_join(&bad);

        return status_bad_request(p->st,
                                  "unable to parse requirement: <nil>: "
                                  "Invalid value: \"%.*s\": %s",
                                  STR_ARG(lit), why);
    }
    t->key = mem_strndup(lit.s, lit.n);
    tok = peek(p, &next);
    if (not || tok == T_END || tok == T_COMMA) {
        t->op = not ? SELECT_ABSENT : SELECT_EXISTS;
        return true;
    }
    return operator_and_values(p, t);
}

static struct selector_term *
new_term(struct selector *s, struct status *st)
{
    if (s->n >= TERMS_MAX) {
        status_bad_request(st, "more than %d requirements in the selector",
                           TERMS_MAX);
        return NULL;
    }
    s->v = mem_grow(s->v, &s->cap, s->n + 1, sizeof(*s->v));
    s->v[s->n] = (struct selector_term){0};
    return &s->v[s->n++];
}

static bool
labels_into(struct parser *p, struct selector *s)
{
    struct str lit;
    enum token tok = peek(p, &lit);

    if (tok == T_END)
        return true;
    for (;;) {
        struct selector_term *t;

        if (tok != T_ID && tok != T_NOT)
            return status_bad_request(
                p->st,
                "found '%.*s', expected: !, identifier, or 'end of "
                "string'",
                STR_ARG(lit));
        t = new_term(s, p->st);
        if (!t || !requirement(p, t))
            return false;
        tok = take(p, &lit);
        if (tok == T_END)
            return true;
        if (tok != T_COMMA)
            return status_bad_request(
                p->st, "found '%.*s', expected: ',' or 'end of string'",
                STR_ARG(lit));
        tok = peek(p, &lit);
        if (tok != T_ID && tok != T_NOT)
            return status_bad_request(
                p->st, "found '%.*s', expected: identifier after ','",
                STR_ARG(lit));
    }
}

static bool
fits(struct str text, struct status *st)
{
    return text.n <= TEXT_MAX ||
           status_bad_request(st, "the selector is longer than %zu bytes",
                              TEXT_MAX);
}

bool
selector_labels_parse(struct str text, struct selector *out, struct status *st)
{
    AUTO(selector_release) struct selector s = {0};
    struct parser p = {.text = text, .st = st};

    if (!fits(text, st) || !labels_into(&p, &s))
        return false;
    *out = s;
    s = (struct selector){0};
    return true;
}

/* ---- fields ---- */

/* Without the backslashes; a bare separator or another escape is wrong. */
static bool
unescape(struct str s, struct buf *out, struct status *st)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.s[i];

        if (c == '\\') {
            char next = i + 1 < s.n ? s.s[i + 1] : 0;

            if (!next || !strchr("\\,=", next))
                return status_bad_request(
                    st, "invalid field selector: invalid escape sequence: %s%c",
                    "\\", next ? next : ' ');
            c = next;
            i++;
        } else if (c == '=' || c == ',') {
            return status_bad_request(
                st, "invalid field selector: unescaped character in value: %d",
                c);
        }
        buf_putc(out, c);
    }
    return true;
}

/* The part up to the next comma that no backslash protects. */
static struct str
next_field_term(struct str *rest)
{
    struct str term = *rest;

    for (size_t i = 0; i < rest->n; i++) {
        if (rest->s[i] == '\\') {
            i++;
        } else if (rest->s[i] == ',') {
            term = str_sub(*rest, 0, i);
            *rest = str_from(*rest, i + 1);
            return term;
        }
    }
    *rest = (struct str){0};
    return term;
}

static bool
field_term(struct str term, struct str whole, struct selector *s,
           struct status *st)
{
    AUTO(buf_release) struct buf value = BUF_INIT(TEXT_MAX);
    struct selector_term *t;
    size_t at = 0, width = 0;

    for (; at < term.n; at++) {
        struct str rest = str_from(term, at);

        width = str_starts(rest, STR("!=")) || str_starts(rest, STR("=="))
                    ? 2
                    : term.s[at] == '=';
        if (width)
            break;
    }
    if (!width)
        return status_bad_request(
            st, "invalid selector: '%.*s'; can't understand '%.*s'",
            STR_ARG(whole), STR_ARG(term));
    if (!unescape(str_from(term, at + width), &value, st))
        return false;
    t = new_term(s, st);
    if (!t)
        return false;
    t->key = mem_strndup(term.s, at);
    t->op = term.s[at] == '!' ? SELECT_NOT_IN : SELECT_IN;
    strlist_add(&t->values, buf_view(&value));
    return true;
}

bool
selector_fields_parse(struct str text, struct selector *out, struct status *st)
{
    AUTO(selector_release) struct selector s = {0};
    AUTO(strlist_release) struct strlist terms = {0};
    struct str rest = text;

    if (!fits(text, st))
        return false;
    while (rest.n)
        strlist_add(&terms, next_field_term(&rest));
    /* Go looks at them in this order, and stops at the first that is wrong. */
    strlist_sort(&terms);
    for (size_t i = 0; i < terms.n; i++) {
        struct str term = str_of(terms.v[i]);

        if (term.n && !field_term(term, text, &s, st))
            return false;
    }
    *out = s;
    s = (struct selector){0};
    return true;
}

/* ---- matching ---- */

void
selector_release(struct selector *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->v[i].key);
        strlist_release(&s->v[i].values);
    }
    free(s->v);
    *s = (struct selector){0};
}

static bool
term_matches(const struct selector_term *t, const char *value)
{
    int64_t n;

    switch (t->op) {
    case SELECT_EXISTS:
        return value != NULL;
    case SELECT_ABSENT:
        return !value;
    case SELECT_IN:
        return value && strlist_has(&t->values, str_of(value));
    case SELECT_NOT_IN:
        return !value || !strlist_has(&t->values, str_of(value));
    default:
        if (!value || !str_to_i64(str_of(value), &n))
            return false;
        return t->op == SELECT_GREATER ? n > t->number : n < t->number;
    }
}

bool
selector_labels_match(const struct selector *s, const struct json *labels)
{
    for (size_t i = 0; i < s->n; i++) {
        if (!term_matches(&s->v[i], json_get_string(labels, s->v[i].key)))
            return false;
    }
    return true;
}

bool
selector_fields_match(const struct selector *s, selector_value_fn *value,
                      void *arg)
{
    for (size_t i = 0; i < s->n; i++) {
        const char *v = value(arg, s->v[i].key);

        if (!term_matches(&s->v[i], v ? v : ""))
            return false;
    }
    return true;
}

const char *
selector_fields_exact(const struct selector *s, const char *key)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->v[i].op == SELECT_IN && !strcmp(s->v[i].key, key))
            return s->v[i].values.v[0];
    }
    return NULL;
}

/* ---- label selectors as objects ---- */

static bool
expression_holds(const struct json *e, const struct json *labels)
{
    const char *key = json_string_or(json_get(e, "key"), "");
    const char *op = json_string_or(json_get(e, "operator"), "");
    const char *have = json_string(json_get(labels, key));
    bool listed = false;

    if (!strcmp(op, "Exists"))
        return have != NULL;
    if (!strcmp(op, "DoesNotExist"))
        return have == NULL;
    for (const struct json *v = json_first(json_get(e, "values")); v;
         v = json_next(v))
        listed = listed || (have && !strcmp(json_string_or(v, ""), have));
    return strcmp(op, "NotIn") == 0 ? !listed : listed;
}

bool
selector_object_matches(const struct json *selector, const struct json *labels)
{
    for (const struct json *c = json_first(json_get(selector, "matchLabels"));
         c; c = json_next(c)) {
        const char *have = json_string(json_get(labels, json_key(c)));

        if (!have || strcmp(have, json_string_or(c, "")) != 0)
            return false;
    }
    for (const struct json *e =
             json_first(json_get(selector, "matchExpressions"));
         e; e = json_next(e)) {
        if (!expression_holds(e, labels))
            return false;
    }
    return true;
}

bool
selector_object_empty(const struct json *selector)
{
    return !json_first(json_get(selector, "matchLabels")) &&
           !json_first(json_get(selector, "matchExpressions"));
}
