#include "lib/compose/fieldpath.h"

#include "lib/base/buf.h"

/* ---- reading ---- */

static bool
fail(struct error *err, const char *what, char c, size_t at)
{
    return error_set(err, ERR_INVALID, "%s '%c' at position %zu", what, c, at);
}

static bool
add(struct fieldpath *out, struct str text, bool bracket, struct error *err)
{
    struct fieldpath_segment s = {.field = text};
    uint64_t index;

    if (!text.n)
        return true;
    if (out->n == FIELDPATH_SEGMENTS_MAX)
        return error_set(err, ERR_LIMIT, "more than %d parts in a field path",
                         FIELDPATH_SEGMENTS_MAX);
    if (bracket && str_to_u64(text, &index) && index <= UINT32_MAX) {
        s.is_index = true;
        s.index = (uint32_t)index;
    }
    while (s.field.n && strchr("'\"", s.field.s[0]))
        s.field = str_from(s.field, 1);
    while (s.field.n && strchr("'\"", s.field.s[s.field.n - 1]))
        s.field.n--;
    out->v[out->n++] = s;
    return true;
}

/* text[*at] is '['. */
static bool
read_bracket(struct str text, size_t *at, struct fieldpath *out,
             struct error *err)
{
    struct str rest = str_from(text, *at + 1);
    size_t close = str_find(rest, STR("]"), 0);
    size_t open = str_find(rest, STR("["), 0);

    if (close == SIZE_MAX)
        return fail(err, "unterminated", '[', *at);
    if (close == 0)
        return fail(err, "unexpected", ']', *at + 1);
    if (open < close)
        return fail(err, "unexpected", '[', *at + 1 + open);
    *at += close + 2;
    return add(out, str_sub(rest, 0, close), true, err);
}

bool
fieldpath_parse(struct str text, struct fieldpath *out, struct error *err)
{
    size_t start = 0, i = 0;

    out->n = 0;
    while (i < text.n) {
        char c = text.s[i];

        if (c == ']')
            return fail(err, "unexpected", ']', i);
        if (c != '[' && c != '.') {
            i++;
            continue;
        }
        if (!add(out, str_sub(text, start, i - start), false, err))
            return false;
        if (c == '[') {
            if (!read_bracket(text, &i, out, err))
                return false;
        } else {
            if (i == 0 || i == text.n - 1)
                return fail(err, "unexpected", '.', i);
            i++;
            if (text.s[i] == '.' || text.s[i] == '[')
                return fail(err, "unexpected", text.s[i], i);
        }
        start = i;
    }
    return add(out, str_sub(text, start, i - start), false, err);
}

/* ---- looking up ---- */

static bool
needs_brackets(struct str field)
{
    return str_contains(field, STR(".")) || str_eqz(field, "*");
}

/* The first n segments as Go prints them. */
static const char *
print(const struct fieldpath *p, size_t n, struct buf *b)
{
    for (size_t i = 0; i < n; i++) {
        const struct fieldpath_segment *s = &p->v[i];

        if (s->is_index)
            buf_printf(b, "[%u]", s->index);
        else if (needs_brackets(s->field))
            buf_printf(b, "[%.*s]", STR_ARG(s->field));
        else
            buf_printf(b, "%s%.*s", i ? "." : "", STR_ARG(s->field));
    }
    return buf_cstr(b);
}

static const struct json *
step(const struct json *j, const struct fieldpath *p, size_t i,
     struct error *err)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);
    const struct fieldpath_segment *s = &p->v[i];
    const struct json *next;

    if (s->is_index) {
        if (!json_is(j, JSON_ARRAY)) {
            error_set(err, ERR_INVALID, "%s: not an array", print(p, i, &b));
            return NULL;
        }
        next = json_item(j, s->index);
        if (!next)
            error_set(err, ERR_NOT_FOUND, "%s: no such element",
                      print(p, i + 1, &b));
        return next;
    }
    if (!json_is(j, JSON_OBJECT)) {
        bool nil = json_type_of(j) == JSON_NULL;

        error_set(err, nil ? ERR_NOT_FOUND : ERR_INVALID, "%s: %s",
                  print(p, i, &b),
                  nil ? "expected map, got nil" : "not an object");
        return NULL;
    }
    next = json_get_str(j, s->field);
    if (!next)
        error_set(err, ERR_NOT_FOUND, "%s: no such field", print(p, i + 1, &b));
    return next;
}

const struct json *
fieldpath_get(const struct json *j, struct str text, struct error *err)
{
    struct fieldpath p;

    if (!fieldpath_parse(text, &p, err)) {
        error_wrap(err, "cannot parse path \"%.*s\"", STR_ARG(text));
        return NULL;
    }
    for (size_t i = 0; j && i < p.n; i++)
        j = step(j, &p, i, err);
    return j;
}

const char *
fieldpath_string(const struct json *j, struct str text, struct error *err)
{
    j = fieldpath_get(j, text, err);
    if (j && !json_is(j, JSON_STRING))
        error_set(err, ERR_INVALID, "%.*s: not a string", STR_ARG(text));
    return json_string(j);
}
