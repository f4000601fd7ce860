#include "lib/compose/gojson.h"

#include "lib/compose/format.h"

/* ---- syntax ---- */

#define MAX_DEPTH 1000

struct scan {
    struct str s;
    bool stream;
    size_t at;
    const char *context; /* of the bad character; NULL: the text ended */
    unsigned depth;
};

static bool scan_value(struct scan *c);

static bool
bad(struct scan *c, const char *context)
{
    c->context = c->at < c->s.n ? context : NULL;
    return false;
}

/* bad() where no white space may stand: at the end of the text Unmarshal tries
 * a blank to see whether the value is complete, and complains of that. */
static bool
bad_inside(struct scan *c, const char *context)
{
    c->context = c->at < c->s.n || !c->stream ? context : NULL;
    return false;
}

static char
peek(const struct scan *c)
{
    return c->at < c->s.n ? c->s.s[c->at] : '\0';
}

static char
skip_space(struct scan *c)
{
    while (c->at < c->s.n && peek(c) && strchr(" \t\r\n", peek(c)))
        c->at++;
    return peek(c);
}

static bool
scan_escape(struct scan *c)
{
    char x = peek(c);

    if (!x || !strchr("\"\\/bfnrtu", x))
        return bad_inside(c, "in string escape code");
    c->at++;
    for (int i = 0; x == 'u' && i < 4; i++, c->at++) {
        if (!peek(c) || !strchr("0123456789abcdefABCDEF", peek(c)))
            return bad_inside(c, "in \\u hexadecimal character escape");
    }
    return true;
}

static bool
scan_string(struct scan *c)
{
    c->at++;
    while (c->at < c->s.n && peek(c) != '"') {
        if ((unsigned char)peek(c) < 0x20)
            return bad(c, "in string literal");
        if (c->s.s[c->at++] == '\\' && !scan_escape(c))
            return false;
    }
    if (c->at == c->s.n)
        return bad(c, NULL);
    c->at++;
    return true;
}

static bool
scan_digits(struct scan *c, const char *context)
{
    if (peek(c) < '0' || peek(c) > '9')
        return bad_inside(c, context);
    while (peek(c) >= '0' && peek(c) <= '9')
        c->at++;
    return true;
}

static bool
scan_number(struct scan *c)
{
    c->at += peek(c) == '-';
    if (peek(c) == '0')
        c->at++;
    else if (!scan_digits(c, "in numeric literal"))
        return false;
    if (peek(c) == '.') {
        c->at++;
        if (!scan_digits(c, "after decimal point in numeric literal"))
            return false;
    }
    if (peek(c) == 'e' || peek(c) == 'E') {
        c->at++;
        c->at += peek(c) == '+' || peek(c) == '-';
        return scan_digits(c, "in exponent of numeric literal");
    }
    return true;
}

static bool
scan_literal(struct scan *c)
{
    static const struct {
        const char *word;
        const char *contexts[4]; /* of the letters after the first */
    } words[] = {
#define EXPECT(w, x) "in literal " w " (expecting '" x "')"
        {"true",
         {EXPECT("true", "r"), EXPECT("true", "u"), EXPECT("true", "e")}},
        {"false",
         {EXPECT("false", "a"), EXPECT("false", "l"), EXPECT("false", "s"),
          EXPECT("false", "e")}},
        {"null",
         {EXPECT("null", "u"), EXPECT("null", "l"), EXPECT("null", "l")}},
    };

    for (size_t w = 0; w < ARRAY_LEN(words); w++) {
        if (peek(c) != words[w].word[0])
            continue;
        c->at++;
        for (size_t i = 1; words[w].word[i]; i++, c->at++) {
            if (peek(c) != words[w].word[i])
                return bad_inside(c, words[w].contexts[i - 1]);
        }
        return true;
    }
    return bad(c, "looking for beginning of value");
}

/* An object or an array, from its opening bracket. */
static bool
scan_container(struct scan *c)
{
    bool object = peek(c) == '{';
    char close = object ? '}' : ']';

    c->at++;
    if (skip_space(c) == close) {
        c->at++;
        return true;
    }
    for (;;) {
        if (object) {
            if (skip_space(c) != '"')
                return bad(c, "looking for beginning of object key string");
            if (!scan_string(c))
                return false;
            if (skip_space(c) != ':')
                return bad(c, "after object key");
            c->at++;
        }
        if (!scan_value(c))
            return false;
        char x = skip_space(c);

        if (x != ',' && x != close)
            return bad(c, object ? "after object key:value pair"
                                 : "after array element");
        c->at++;
        if (x == close)
            return true;
    }
}

static bool
scan_value(struct scan *c)
{
    char x = skip_space(c);
    bool ok;

    if (c->depth >= MAX_DEPTH)
        return bad(c, "exceeded max depth");
    c->depth++;
    if (x == '{' || x == '[')
        ok = scan_container(c);
    else if (x == '"')
        ok = scan_string(c);
    else if (x == '-' || (x >= '0' && x <= '9'))
        ok = scan_number(c);
    else
        ok = scan_literal(c);
    c->depth--;
    return ok;
}

static void
put_character(unsigned char x, struct buf *out)
{
    if (x == '\'')
        buf_puts(out, "\\'");
    else if (x == '"')
        buf_putc(out, '"');
    else
        format_quote_char(x, '"', false, out);
}

bool
gojson_syntax(struct str text, bool stream, struct buf *out, size_t *offset)
{
    struct scan c = {.s = text, .stream = stream};
    bool ok = scan_value(&c);

    if (ok && !stream) {
        skip_space(&c);
        if (c.at < c.s.n)
            ok = bad(&c, "after top-level value");
    }
    if (ok)
        return false;
    if (offset)
        *offset = MIN(c.at + (c.context != NULL), text.n);
    if (!c.context) {
        buf_puts(out,
                 stream ? "unexpected EOF" : "unexpected end of JSON input");
        return true;
    }
    buf_puts(out, "invalid character '");
    put_character(c.at < c.s.n ? (unsigned char)c.s.s[c.at] : ' ', out);
    buf_printf(out, "' %s", c.context);
    return true;
}

/* ---- types ---- */

struct place {
    const struct strict_type *owner; /* the struct, NULL outside of one */
    const char *field;               /* its field, as it is spelled */
};

static bool
mismatch(const struct json *j, const struct strict_type *t,
         const struct place *at, bool value, struct error *err)
{
    static const char *const names[] = {
        [JSON_NULL] = "null",     [JSON_BOOL] = "bool",
        [JSON_NUMBER] = "number", [JSON_STRING] = "string",
        [JSON_ARRAY] = "array",   [JSON_OBJECT] = "object"};
    const char *name = names[json_type_of(j)];
    const char *sep = value ? " " : "";
    const char *number = value ? json_number_text(j) : "";

    if (!at->owner)
        return error_set(err, ERR_INVALID,
                         "json: cannot unmarshal %s%s%s into Go value of type "
                         "%s",
                         name, sep, number, t->go);
    const char *dot = strchr(at->owner->go, '.');

    return error_set(err, ERR_INVALID,
                     "json: cannot unmarshal %s%s%s into Go struct field "
                     "%s.%s of type %s",
                     name, sep, number, dot ? dot + 1 : at->owner->go,
                     at->field, t->go);
}

static const char *
last_name(const char *field)
{
    const char *dot = strrchr(field, '.');

    return dot ? dot + 1 : field;
}

static bool check(const struct json *j, const struct strict_type *t,
                  const struct place *at, struct error *err);

/* Members in byte order of their keys: Go wrote the text it reads here. */
static bool
check_members(const struct json *j, const struct strict_type *t,
              const struct place *at, struct error *err)
{
    AUTO(json_free_ptr) struct json *sorted = json_copy(j);

    json_sort(sorted);
    for (const struct json *c = json_first(sorted); c; c = json_next(c)) {
        if (t->kind == STRICT_MAP) {
            if (!check(c, t->item, at, err))
                return false;
            continue;
        }
        for (const struct strict_field *f = t->fields; f->name; f++) {
            const struct place in = {t, f->name};

            if (strcmp(last_name(f->name), json_key(c)) == 0 &&
                !check(c, f->type, &in, err))
                return false;
        }
    }
    return true;
}

/* A number that goes into an interface must fit a float64. */
static bool
check_numbers(const struct json *j, const struct place *at, struct error *err)
{
    static const struct strict_type go_float = {.kind = STRICT_FLOAT,
                                                .go = "float64"};
    double d;

    if (json_is(j, JSON_NUMBER) && !json_double(j, &d))
        return mismatch(j, &go_float, at, true, err);
    for (const struct json *c = json_first(j); c; c = json_next(c)) {
        if (!check_numbers(c, at, err))
            return false;
    }
    return true;
}

static bool
check(const struct json *j, const struct strict_type *t, const struct place *at,
      struct error *err)
{
    static const enum json_type taken[] = {
        [STRICT_STRING] = JSON_STRING, [STRICT_BOOL] = JSON_BOOL,
        [STRICT_INT] = JSON_NUMBER,    [STRICT_UINT] = JSON_NUMBER,
        [STRICT_FLOAT] = JSON_NUMBER,  [STRICT_LIST] = JSON_ARRAY,
        [STRICT_MAP] = JSON_OBJECT,    [STRICT_STRUCT] = JSON_OBJECT,
    };

    if (t->kind == STRICT_ANY)
        return check_numbers(j, at, err);
    if (json_type_of(j) == JSON_NULL)
        return true;
    if (json_type_of(j) != taken[t->kind])
        return mismatch(j, t, at, false, err);
    if (t->kind == STRICT_INT && !json_is_integer(j))
        return mismatch(j, t, at, true, err);
    if (t->kind == STRICT_MAP || t->kind == STRICT_STRUCT)
        return check_members(j, t, at, err);
    for (const struct json *c = json_first(j); c; c = json_next(c)) {
        if (!check(c, t->item, at, err))
            return false;
    }
    return true;
}

bool
gojson_check(const struct json *j, const struct strict_type *type,
             struct error *err)
{
    const struct place top = {NULL, NULL};

    return check(j, type, &top, err);
}
