/*
 * Design: a path is a list of steps; a search carries the rest of the steps
 * down the tree and stops when enough was found. `..` keeps its place in the
 * list: the steps after it are tried on the node and on all below it.
 */
#include "lib/schema/jsonpath.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#define TEXT_MAX   4096
#define STEPS_MAX  64
#define VISITS_MAX 10000

enum step_kind { STEP_MEMBER, STEP_SLICE, STEP_ALL, STEP_DEEP, STEP_FILTER };
enum compare { CMP_EXISTS, CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE };

struct operand {
    struct jsonpath *path; /* or NULL: a literal */
    struct json *literal;
};

struct step {
    enum step_kind kind;
    char *name; /* STEP_MEMBER */
    /* STEP_SLICE */
    bool single, has_start, has_end;
    int64_t start, end, stride;
    /* STEP_FILTER */
    struct operand left, right;
    enum compare compare;
};

struct jsonpath {
    struct step v[STEPS_MAX];
    size_t n;
};

struct reader {
    struct str text;
    size_t at;
    struct error *err;
};

static bool
bad(struct reader *r, const char *why)
{
    return error_set(r->err, ERR_PARSE, "%s in JSONPath \"%.*s\"", why,
                     STR_ARG(r->text));
}

static struct step *
add_step(struct reader *r, struct jsonpath *p, enum step_kind kind)
{
    if (p->n == STEPS_MAX) {
        error_set(r->err, ERR_LIMIT, "more than %d steps in a JSONPath",
                  STEPS_MAX);
        return NULL;
    }
    p->v[p->n] = (struct step){.kind = kind, .stride = 1};
    return &p->v[p->n++];
}

static bool
ends_name(char c)
{
    return !c || strchr(" .,[]$@{}\r\n", c);
}

/* A member's name; a backslash protects the character after it. */
static bool
read_member(struct reader *r, struct jsonpath *p)
{
    AUTO(buf_release) struct buf name = BUF_INIT(TEXT_MAX);
    struct step *s;

    while (r->at < r->text.n && !ends_name(r->text.s[r->at])) {
        if (r->text.s[r->at] == '\\' && r->at + 1 < r->text.n)
            r->at++;
        buf_putc(&name, r->text.s[r->at++]);
    }
    if (!name.n)
        return bad(r, "a name is missing");
    s = add_step(r, p, str_eqz(buf_view(&name), "*") ? STEP_ALL : STEP_MEMBER);
    if (!s)
        return false;
    if (s->kind == STEP_MEMBER)
        s->name = buf_take(&name);
    return true;
}

/* The text between [ and its ], which may hold quotes and brackets. */
static bool
bracketed(struct reader *r, struct str *inside)
{
    size_t start = r->at;
    char quote = 0;
    int depth = 1;

    for (; r->at < r->text.n; r->at++) {
        char c = r->text.s[r->at];

        if (quote) {
            quote = c == quote ? 0 : quote;
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (c == '[') {
            depth++;
        } else if (c == ']' && --depth == 0) {
            *inside = str_sub(r->text, start, r->at - start);
            r->at++;
            return true;
        }
    }
    return bad(r, "unterminated array");
}

static bool
quoted(struct str s, struct str *inside)
{
    if (s.n < 2 || (s.s[0] != '\'' && s.s[0] != '"') || s.s[s.n - 1] != s.s[0])
        return false;
    *inside = str_sub(s, 1, s.n - 2);
    return !memchr(inside->s, s.s[0], inside->n);
}

static struct jsonpath *compile_at(struct str text, unsigned depth,
                                   struct error *err);

static bool
read_operand(struct reader *r, struct str text, unsigned depth,
             struct operand *o)
{
    struct str inside;

    text = str_trim(text);
    if (quoted(text, &inside)) {
        o->literal = json_new_str(inside);
        return true;
    }
    if (str_eqz(text, "true") || str_eqz(text, "false")) {
        o->literal = json_new_bool(text.s[0] == 't');
        return true;
    }
    if (text.n && (text.s[0] == '@' || text.s[0] == '$')) {
        o->path = compile_at(str_from(text, 1), depth + 1, r->err);
        return o->path != NULL;
    }
    o->literal = json_parse(text, NULL, NULL);
    return json_is(o->literal, JSON_NUMBER) ||
           bad(r, "an operand that is no literal and no path");
}

/* The first comparison operator outside quotes; SIZE_MAX: none. */
static size_t
find_operator(struct str s, size_t *width, enum compare *c)
{
    static const struct {
        const char *text;
        enum compare c;
    } ops[] = {{"==", CMP_EQ}, {"!=", CMP_NE}, {"<=", CMP_LE},
               {">=", CMP_GE}, {"<", CMP_LT},  {">", CMP_GT}};
    char quote = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (quote) {
            quote = s.s[i] == quote ? 0 : quote;
            continue;
        }
        if (s.s[i] == '\'' || s.s[i] == '"')
            quote = s.s[i];
        for (size_t k = 0; k < ARRAY_LEN(ops); k++) {
            if (str_starts(str_from(s, i), str_of(ops[k].text))) {
                *width = strlen(ops[k].text);
                *c = ops[k].c;
                return i;
            }
        }
    }
    return SIZE_MAX;
}

/* ?(@.a == 'b') without the brackets around. */
static bool
read_filter(struct reader *r, struct jsonpath *p, struct str text,
            unsigned depth)
{
    struct str inside = str_sub(text, 2, text.n - 3);
    struct step *s = add_step(r, p, STEP_FILTER);
    size_t width = 0, at;

    if (!s)
        return false;
    at = find_operator(inside, &width, &s->compare);
    if (at == SIZE_MAX) {
        s->compare = CMP_EXISTS;
        return read_operand(r, inside, depth, &s->left);
    }
    return read_operand(r, str_sub(inside, 0, at), depth, &s->left) &&
           read_operand(r, str_from(inside, at + width), depth, &s->right);
}

/* -1, 2:, :3, 1:5:2 */
static bool
read_slice(struct reader *r, struct jsonpath *p, struct str text)
{
    struct str part, rest = text;
    struct step *s = add_step(r, p, STEP_SLICE);

    if (!s)
        return false;
    s->single = !memchr(text.s, ':', text.n);
    for (int i = 0; i < 3 && str_next(&rest, ':', &part); i++) {
        int64_t *to = i == 0 ? &s->start : i == 1 ? &s->end : &s->stride;

        if (part.n && !str_to_i64(part, to))
            return bad(r, "invalid array index");
        if (i == 0)
            s->has_start = part.n > 0;
        if (i == 1)
            s->has_end = part.n > 0;
    }
    if (rest.n || (s->single && !s->has_start) || s->stride <= 0)
        return bad(r, "invalid array index");
    return true;
}

static bool
read_bracket(struct reader *r, struct jsonpath *p, unsigned depth)
{
    struct str text, name;
    struct step *s;

    if (!bracketed(r, &text))
        return false;
    text = str_trim(text);
    if (str_eqz(text, "*"))
        return add_step(r, p, STEP_ALL) != NULL;
    if (str_starts(text, STR("?(")) && str_ends(text, STR(")")))
        return read_filter(r, p, text, depth);
    if (quoted(text, &name)) {
        s = add_step(r, p, STEP_MEMBER);
        if (s)
            s->name = mem_strndup(name.s, name.n);
        return s != NULL;
    }
    if (text.n && memchr(text.s, ',', text.n))
        return error_set(r->err, ERR_UNSUPPORTED,
                         "a union in JSONPath \"%.*s\"", STR_ARG(r->text));
    return read_slice(r, p, text);
}

static bool
read_steps(struct reader *r, struct jsonpath *p, unsigned depth)
{
    while (r->at < r->text.n) {
        char c = r->text.s[r->at++];

        if (c == '[') {
            if (!read_bracket(r, p, depth))
                return false;
        } else if (c == '.') {
            if (r->at < r->text.n && r->text.s[r->at] == '.') {
                r->at++;
                if (!add_step(r, p, STEP_DEEP))
                    return false;
                if (r->at >= r->text.n)
                    return bad(r, "a name is missing");
            }
            if (r->at < r->text.n && r->text.s[r->at] == '[')
                continue;
            if (r->at >= r->text.n && p->n == 0)
                return true; /* "." alone is the root */
            if (!read_member(r, p))
                return false;
        } else {
            return bad(r, "an unexpected character");
        }
    }
    return true;
}

static struct jsonpath *
compile_at(struct str text, unsigned depth, struct error *err)
{
    struct jsonpath *p;
    struct reader r = {.text = text, .err = err};

    if (text.n > TEXT_MAX || depth > 8) {
        error_set(err, ERR_LIMIT, "a JSONPath is too long or too deep");
        return NULL;
    }
    p = mem_zalloc(1, sizeof(*p));
    if (!read_steps(&r, p, depth)) {
        jsonpath_free(p);
        return NULL;
    }
    return p;
}

struct jsonpath *
jsonpath_compile(struct str text, struct error *err)
{
    if (!text.n || text.s[0] != '.') {
        error_set(err, ERR_PARSE, "must be a simple json path starting with .");
        return NULL;
    }
    return compile_at(text, 0, err);
}

void
jsonpath_free(struct jsonpath *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n; i++) {
        free(p->v[i].name);
        jsonpath_free(p->v[i].left.path);
        json_free(p->v[i].left.literal);
        jsonpath_free(p->v[i].right.path);
        json_free(p->v[i].right.literal);
    }
    free(p);
}

/* ---- searching ---- */

struct search {
    const struct jsonpath *p;
    const struct json **out;
    size_t n, max, visits;
};

static void walk(struct search *s, size_t i, const struct json *j);

static const struct json *
operand_value(const struct operand *o, const struct json *j)
{
    const struct json *found = NULL;

    if (!o->path)
        return o->literal;
    return jsonpath_find(o->path, j, &found, 1) ? found : NULL;
}

static bool
ordered(enum compare c, int sign)
{
    switch (c) {
    case CMP_EQ:
        return sign == 0;
    case CMP_NE:
        return sign != 0;
    case CMP_LT:
        return sign < 0;
    case CMP_LE:
        return sign <= 0;
    case CMP_GT:
        return sign > 0;
    default:
        return sign >= 0;
    }
}

static bool
passes(const struct step *s, const struct json *j)
{
    const struct json *a = operand_value(&s->left, j);
    const struct json *b;
    double x, y;

    if (s->compare == CMP_EXISTS || !a)
        return a != NULL;
    b = operand_value(&s->right, j);
    if (!b || json_type_of(a) != json_type_of(b))
        return false;
    if (json_double(a, &x) && json_double(b, &y))
        return ordered(s->compare, (x > y) - (x < y));
    if (json_string(a))
        return ordered(s->compare,
                       str_cmp(str_of(json_string(a)), str_of(json_string(b))));
    return ordered(s->compare, json_equal(a, b) ? 0 : 1);
}

static void
walk_slice(struct search *s, size_t i, const struct json *j)
{
    const struct step *step = &s->p->v[i];
    int64_t n = (int64_t)json_len(j), at = 0;
    int64_t from = step->has_start ? step->start : 0;
    int64_t to = step->single ? from + 1 : step->has_end ? step->end : n;

    if (!json_is(j, JSON_ARRAY))
        return;
    if (from < 0) {
        from += n;
        to = step->single ? from + 1 : to;
    }
    to = to < 0 ? to + n : to;
    if (from < 0)
        return;
    for (const struct json *c = json_first(j); c && at < to;
         c = json_next(c), at++) {
        if (at >= from && (at - from) % step->stride == 0)
            walk(s, i + 1, c);
    }
}

static void
walk_deep(struct search *s, size_t i, const struct json *j)
{
    walk(s, i + 1, j);
    for (const struct json *c = json_first(j); c; c = json_next(c)) {
        if (json_is(c, JSON_OBJECT) || json_is(c, JSON_ARRAY))
            walk_deep(s, i, c);
    }
}

static void
walk(struct search *s, size_t i, const struct json *j)
{
    const struct step *step = &s->p->v[i];

    if (!j || s->n >= s->max || ++s->visits > VISITS_MAX)
        return;
    if (i == s->p->n) {
        s->out[s->n++] = j;
        return;
    }
    switch (step->kind) {
    case STEP_MEMBER:
        if (json_is(j, JSON_OBJECT))
            walk(s, i + 1, json_get(j, step->name));
        break;
    case STEP_SLICE:
        walk_slice(s, i, j);
        break;
    case STEP_DEEP:
        walk_deep(s, i, j);
        break;
    default:
        for (const struct json *c = json_first(j); c; c = json_next(c)) {
            if (step->kind == STEP_ALL || passes(step, c))
                walk(s, i + 1, c);
        }
    }
}

size_t
jsonpath_find(const struct jsonpath *p, const struct json *root,
              const struct json **out, size_t max)
{
    struct search s = {.p = p, .out = out, .max = max};

    walk(&s, 0, root);
    return s.n;
}

const struct json *
jsonpath_first(const struct jsonpath *p, const struct json *root)
{
    const struct json *found = NULL;

    return jsonpath_find(p, root, &found, 1) ? found : NULL;
}

const char *
jsonpath_member(const struct jsonpath *p, size_t i)
{
    for (size_t k = 0; k < p->n; k++) {
        if (p->v[k].kind != STEP_MEMBER)
            return NULL;
    }
    return i < p->n ? p->v[i].name : NULL;
}
