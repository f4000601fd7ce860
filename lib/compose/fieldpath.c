#include "lib/compose/fieldpath.h"

#include "lib/base/buf.h"
#include "lib/base/mem.h"

#include "lib/compose/format.h"

/* ---- reading ---- */

static bool
fail(struct error *err, const char *what, char c, size_t at)
{
    return error_set(err, ERR_INVALID, "%s '%c' at position %zu", what, c, at);
}

static struct fieldpath_segment
field_segment(struct str text)
{
    while (text.n && strchr("'\"", text.s[0]))
        text = str_from(text, 1);
    while (text.n && strchr("'\"", text.s[text.n - 1]))
        text.n--;
    return (struct fieldpath_segment){.field = text};
}

static bool
add(struct fieldpath *out, struct str text, bool bracket, struct error *err)
{
    struct fieldpath_segment s = field_segment(text);
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

static bool
parse(struct str text, struct fieldpath *out, struct error *err)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);

    if (fieldpath_parse(text, out, err))
        return true;
    format_quote(text, false, &b);
    return error_wrap(err, "cannot parse path %s", buf_cstr(&b));
}

/* ---- printing ---- */

static bool
is_wildcard(const struct fieldpath_segment *s)
{
    return !s->is_index && str_eqz(s->field, "*");
}

/* Appends the first n segments as upstream prints them: `a.b[0][x.y]`. */
static void
print_path(const struct fieldpath *p, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        const struct fieldpath_segment *s = &p->v[i];

        if (s->is_index)
            buf_printf(out, "[%u]", s->index);
        else if (is_wildcard(s) || str_contains(s->field, STR(".")))
            buf_printf(out, "[%.*s]", STR_ARG(s->field));
        else
            buf_printf(out, "%s%.*s", i ? "." : "", STR_ARG(s->field));
    }
}

static const char *
print(const struct fieldpath *p, size_t n, struct buf *b)
{
    print_path(p, n, b);
    return buf_cstr(b);
}

/* Go's %q of it. */
static const char *
print_quoted(const struct fieldpath *p, size_t n, struct buf *b)
{
    AUTO(buf_release) struct buf plain = BUF_INIT(4096);

    print_path(p, n, &plain);
    format_quote(buf_view(&plain), false, b);
    return buf_cstr(b);
}

/* ---- looking up ---- */

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

    if (!parse(text, &p, err))
        return NULL;
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

/* ---- setting ---- */

/* What must lie at a segment so that next can be set in it. */
static struct json *
new_container(const struct fieldpath_segment *next)
{
    return next->is_index ? json_new_array() : json_new_object();
}

static void
set_child(struct json *j, const struct fieldpath_segment *s, struct json *child)
{
    AUTO(mem_free_ptr) char *key = NULL;

    if (s->is_index) {
        json_replace(j, json_item(j, s->index), child);
        return;
    }
    key = mem_strndup(s->field.s, s->field.n);
    json_set(j, key, child);
}

static struct json *
child_of(const struct json *j, const struct fieldpath_segment *s)
{
    return s->is_index ? json_item(j, s->index) : json_get_str(j, s->field);
}

/* False: j cannot hold segment i. */
static bool
holds(const struct json *j, const struct fieldpath *p, size_t i,
      struct error *err)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);
    bool index = p->v[i].is_index;

    if (json_is(j, index ? JSON_ARRAY : JSON_OBJECT))
        return true;
    return error_set(err, ERR_INVALID, "%s is not an %s", print(p, i, &b),
                     index ? "array" : "object");
}

/* The child at segment i, made and padded so that segment i + 1 can be set in
 * it. A null in an array counts as absent, a null in a map does not. */
static struct json *
prepare(struct json *j, const struct fieldpath *p, size_t i)
{
    const struct fieldpath_segment *s = &p->v[i], *next = &p->v[i + 1];
    struct json *child = child_of(j, s);

    if (!child || (s->is_index && json_type_of(child) == JSON_NULL)) {
        child = new_container(next);
        set_child(j, s, child);
    }
    if (next->is_index && json_is(child, JSON_ARRAY)) {
        for (size_t n = json_len(child); n <= next->index; n++)
            json_append(child, json_new_null());
    }
    return child;
}

static bool
set(struct json *j, const struct fieldpath *p, struct json **value,
    struct error *err)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct fieldpath_segment *s = &p->v[i];

        if (s->is_index && s->index > FIELDPATH_INDEX_MAX)
            return error_set(err, ERR_INVALID,
                             "index %u is greater than max allowed index %d",
                             s->index, FIELDPATH_INDEX_MAX);
    }
    for (size_t i = 0; i < p->n; i++) {
        if (!holds(j, p, i, err))
            return false;
        if (i + 1 < p->n) {
            j = prepare(j, p, i);
            continue;
        }
        set_child(j, &p->v[i], *value);
        *value = NULL;
    }
    return true;
}

bool
fieldpath_set(struct json *j, struct str text, struct json *value,
              struct error *err)
{
    struct fieldpath p;
    bool ok = parse(text, &p, err) && set(j, &p, &value, err);

    json_free(value);
    return ok;
}

/* ---- deleting ---- */

bool
fieldpath_delete(struct json *j, struct str text, struct error *err)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);
    struct fieldpath p;

    if (!parse(text, &p, err))
        return false;
    for (size_t i = 0; i + 1 < p.n; i++) {
        if (!holds(j, &p, i, err))
            return false;
        j = child_of(j, &p.v[i]);
        if (!j)
            return true;
    }
    if (!p.n)
        return true;
    const struct fieldpath_segment *last = &p.v[p.n - 1];

    if (!json_is(j, last->is_index ? JSON_ARRAY : JSON_OBJECT))
        return error_set(err, ERR_INVALID, "cannot delete %s: not an %s",
                         print(&p, p.n, &b),
                         last->is_index ? "array" : "object");
    struct json *child = child_of(j, last);

    if (child)
        json_free(json_detach(j, child));
    return true;
}

/* ---- wildcards ---- */

static bool expand(const struct json *j, struct fieldpath *p, size_t i,
                   struct strlist *out, struct error *err);

/* Segment i is a wildcard and j a container: each child takes its place. */
static bool
expand_children(const struct json *j, struct fieldpath *p, size_t i,
                struct strlist *out, struct error *err)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);
    struct fieldpath_segment wildcard = p->v[i];
    uint32_t index = 0;
    bool ok = true;

    for (const struct json *c = json_first(j); c && ok; c = json_next(c)) {
        const char *key = json_key(c);

        p->v[i] = key ? field_segment(str_of(key))
                      : (struct fieldpath_segment){true, index++, STR("")};
        ok = expand(child_of(j, &p->v[i]), p, i + 1, out, err);
        if (!ok)
            error_wrap(err, "%s: cannot expand wildcards",
                       print_quoted(p, p->n, &b));
    }
    p->v[i] = wildcard;
    return ok;
}

/* j (NULL: nothing) is what the first i segments lead to. */
static bool
expand(const struct json *j, struct fieldpath *p, size_t i, struct strlist *out,
       struct error *err)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);

    for (; j && i < p->n; i++) {
        struct error why = {0};

        if (!is_wildcard(&p->v[i])) {
            j = step(j, p, i, &why);
            if (!j && why.code != ERR_NOT_FOUND)
                return error_set(err, why.code, "%s", why.msg);
            continue;
        }
        if (json_is(j, JSON_ARRAY) || json_is(j, JSON_OBJECT))
            return expand_children(j, p, i, out, err);
        print_quoted(p, i, &b);
        if (json_type_of(j) == JSON_NULL)
            return error_set(err, ERR_NOT_FOUND,
                             "wildcard field %s is not found in the path",
                             buf_cstr(&b));
        return error_set(err, ERR_INVALID, "%s: unexpected wildcard usage",
                         buf_cstr(&b));
    }
    if (j) {
        print_path(p, p->n, &b);
        strlist_add(out, buf_view(&b));
    }
    return true;
}

bool
fieldpath_expand(const struct json *j, struct str text, struct strlist *out,
                 struct error *err)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);
    struct fieldpath p;

    if (!parse(text, &p, err))
        return false;
    if (expand(j, &p, 0, out, err))
        return true;
    return error_wrap(err, "cannot expand wildcards for segments: %s",
                      print_quoted(&p, p.n, &b));
}
