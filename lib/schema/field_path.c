#include "lib/schema/field_path.h"

#include "lib/schema/node.h"

struct scanner {
    struct str rest;
    struct buf *why;
};

static bool
fail(struct scanner *s, const char *why, struct str tail)
{
    if (s->why)
        buf_printf(s->why, "%s%.*s", why, STR_ARG(tail));
    return false;
}

/* A delimiter, or what stands before the next one; in quotes delimiters are
 * text. False: the end, also within quotes. */
static bool
next_token(struct scanner *s, struct str *token)
{
    struct str t = s->rest;
    size_t n = 0;

    if (!t.n)
        return false;
    if (t.s[0] == '\'') {
        for (n = 1; n < t.n; n++) {
            if (t.s[n] == '\'' && t.s[n - 1] != '\\')
                break;
        }
        n = MIN(n + 1, t.n); /* unclosed: all of it */
    } else if (memchr(".[]", t.s[0], 3)) {
        n = 1;
    } else {
        while (n < t.n && !memchr(".[]", t.s[n], 3))
            n++;
    }
    *token = str_sub(t, 0, n);
    s->rest = str_from(t, n);
    return true;
}

static bool
unescape(struct scanner *s, struct str text, struct buf *out)
{
    static const char from[] = "abfnrtv'\\", to[] = "\a\b\f\n\r\t\v'\\";

    for (size_t i = 0; i < text.n; i++) {
        if (text.s[i] != '\\' || i + 1 == text.n) {
            buf_putc(out, text.s[i]);
            continue;
        }
        const char *hit = memchr(from, text.s[i + 1], sizeof(from) - 1);

        if (!hit)
            return fail(s, "invalid string literal: invalid escape char ",
                        str_sub(text, i, 2));
        buf_putc(out, to[hit - from]);
        i++;
    }
    return true;
}

/* ['name'] behind the bracket. */
static bool
quoted_step(struct scanner *s, struct buf *name)
{
    struct str t;

    if (!next_token(s, &t))
        return fail(s, "unexpected end of JSON path", STR(""));
    if (t.n < 2 || t.s[0] != '\'' || t.s[t.n - 1] != '\'')
        return fail(s, "expected single quoted string but got ", t);
    return unescape(s, str_sub(t, 1, t.n - 2), name);
}

static bool
close_bracket(struct scanner *s)
{
    struct str t;

    if (!next_token(s, &t))
        return fail(s, "unexpected end of JSON path", STR(""));
    return str_eqz(t, "]") || fail(s, "expected ] but got ", t);
}

/* The schema of a member, and its step of the path. */
static const struct json *
member(struct scanner *s, const struct json *schema, const char *name,
       struct buf *out)
{
    const struct json *properties = json_get(schema, "properties");
    const struct json *values = json_get(schema, "additionalProperties");

    if (json_first(properties)) {
        if (out)
            schema_path_key(out, name);
        schema = json_get(properties, name);
    } else {
        if (out)
            buf_printf(out, "[%s]", name);
        schema = json_is(values, JSON_OBJECT) ? values : NULL;
    }
    if (!schema)
        fail(s, "does not refer to a valid field", STR(""));
    return schema;
}

const struct json *
field_path_find(const struct json *schema, struct str path, bool brackets,
                struct buf *out, struct buf *why)
{
    struct scanner s = {path, why};
    struct str t;

    while (schema && next_token(&s, &t)) {
        AUTO(buf_release) struct buf name = BUF_INIT(4096);
        bool bracket = str_eqz(t, "[");

        if (!bracket && !str_eqz(t, ".")) {
            fail(&s, "expected [ or . but got: ", t);
            return NULL;
        }
        if (bracket && !brackets) {
            fail(&s, "array notation is not allowed", STR(""));
            return NULL;
        }
        if (bracket && !quoted_step(&s, &name))
            return NULL;
        if (!bracket && !next_token(&s, &t)) {
            fail(&s, "unexpected end of JSON path", STR(""));
            return NULL;
        }
        if (!bracket)
            buf_str(&name, t);
        schema = member(&s, schema, buf_cstr(&name), out);
        if (bracket && schema && !close_bracket(&s))
            return NULL;
    }
    return schema;
}
