#include <stdlib.h>

#include "lib/base/json_node.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"

/*
 * A recursive descent over RFC 8259. Every function stands at the first byte
 * of what it reads, leaves s->p behind it, and answers false once the error is
 * set. With out == NULL a value is checked but not built (json_each_item).
 *
 * Strings without escapes are handed on as views into the text; the others are
 * decoded into a scratch buffer. Keys and values have a scratch of their own,
 * since a node is made when both are known.
 * */

enum { DUPLICATES_MAX = 100 };

/* One object or array that is open, for the paths of duplicate keys. */
struct frame {
    struct frame *up;
    const struct json *container;
    size_t index; /* of the element being read, in an array */
};

struct scan {
    struct str text;
    const char *p, *end;
    struct json_options o;
    unsigned depth;
    size_t nodes;
    struct frame *frame;
    struct buf key, value;
    /* How far places were counted, and what stands there. */
    const char *counted;
    struct json_place at;
    struct error *err;
};

static void
scan_init(struct scan *s, struct str text, const struct json_options *o,
          struct error *err)
{
    *s = (struct scan){
        .text = text.s ? text : STR(""),
        .at = {.line = 1, .column = 1},
        .key = BUF_INIT(SIZE_MAX / 2),
        .value = BUF_INIT(SIZE_MAX / 2),
        .err = err,
    };
    if (o)
        s->o = *o;
    if (!s->o.max_bytes)
        s->o.max_bytes = (size_t)64 << 20;
    if (!s->o.max_depth)
        s->o.max_depth = 200;
    if (!s->o.max_nodes)
        s->o.max_nodes = 4000000;
    s->p = s->counted = s->text.s;
    s->end = s->p + s->text.n;
}

static void
scan_release(struct scan *s)
{
    buf_release(&s->key);
    buf_release(&s->value);
}

/* Moves the place on to p; columns count characters. */
static void
count_to(struct json_place *at, const char *from, const char *p)
{
    for (const char *q = from; q < p; q++) {
        if (*q == '\n') {
            at->line++;
            at->column = 1;
        } else {
            at->column += (*q & 0xC0) != 0x80;
        }
    }
}

/* The place of s->p, which only moves on. */
static struct json_place
place_here(struct scan *s)
{
    if (!s->o.places)
        return s->at;
    count_to(&s->at, s->counted, s->p);
    s->counted = s->p;
    return s->at;
}

/* Sets the error with the position of at. */
static bool
fail_at(struct scan *s, const char *at, enum err_code code, const char *what)
{
    struct json_place where = {.line = 1, .column = 1};

    count_to(&where, s->text.s, at);
    return error_set(s->err, code, "line %u, column %u: %s", where.line,
                     where.column, what);
}

static bool
fail(struct scan *s, const char *what)
{
    return fail_at(s, s->p, ERR_PARSE,
                   s->p == s->end ? "the text ends too early" : what);
}

static void
space(struct scan *s)
{
    while (s->p < s->end &&
           (*s->p == ' ' || *s->p == '\n' || *s->p == '\t' || *s->p == '\r'))
        s->p++;
}

/* ---- strings ---- */

static bool
hex4(struct scan *s, unsigned *out)
{
    unsigned v = 0;

    for (int i = 0; i < 4; i++, s->p++) {
        char c = s->p < s->end ? *s->p : 'x', low = (char)(c | 0x20);

        if (c >= '0' && c <= '9')
            v = v << 4 | (unsigned)(c - '0');
        else if (low >= 'a' && low <= 'f')
            v = v << 4 | (unsigned)(low - 'a' + 10);
        else
            return fail(s, "\\u needs four hexadecimal digits");
    }
    *out = v;
    return true;
}

/* Behind "\u". A lone surrogate becomes U+FFFD, as in Go's encoding/json. */
static bool
unicode_escape(struct scan *s, struct buf *b)
{
    unsigned cp, low;

    if (!hex4(s, &cp))
        return false;
    if (cp == 0) {
        s->p -= 4;
        return fail(s, "a string may not contain NUL");
    }
    if (cp >= 0xD800 && cp < 0xDC00 && s->end - s->p >= 2 && s->p[0] == '\\' &&
        s->p[1] == 'u') {
        const char *mark = s->p;

        s->p += 2;
        if (!hex4(s, &low))
            return false;
        if (low >= 0xDC00 && low < 0xE000)
            cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
        else
            s->p = mark;
    }
    char utf8[4];
    size_t n = utf8_encode(cp, utf8);

    return buf_add(b, utf8, n);
}

static bool
escape(struct scan *s, struct buf *b)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";

    if (++s->p == s->end)
        return fail(s, "");
    if (*s->p == 'u') {
        s->p++;
        return unicode_escape(s, b);
    }
    const char *hit = *s->p ? strchr(from, *s->p) : NULL;

    if (!hit)
        return fail(s, "unknown escape in a string");
    s->p++;
    return buf_putc(b, to[hit - from]);
}

#define ONES  0x0101010101010101u
#define HIGHS 0x8080808080808080u

/* Non-zero when one of the eight bytes is a quote, a backslash, a control or
 * not ASCII. */
static uint64_t
special8(const char *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof(w));
    uint64_t quote = w ^ ONES * '"', slash = w ^ ONES * '\\';

    return (w | (quote - ONES) | (slash - ONES) | (w - ONES * 0x20)) & HIGHS;
}

/* Walks over bytes that stand for themselves. */
static bool
plain(struct scan *s)
{
    const char *p = s->p;

    for (;;) {
        while (s->end - p >= 8 && !special8(p))
            p += 8;
        while (p < s->end && *p >= 0x20 && *p != '"' && *p != '\\')
            p++;
        if (p == s->end || (unsigned char)*p < 0x80)
            break;
        uint32_t cp;
        size_t n = utf8_decode(str_n(p, (size_t)(s->end - p)), &cp);

        s->p = p;
        if (n == 1)
            return fail(s, "a string is not valid UTF-8");
        p += n;
    }
    s->p = p;
    return true;
}

/* At the opening quote. *out views the text or scratch. */
static bool
string(struct scan *s, struct buf *scratch, struct str *out)
{
    const char *begin = ++s->p;
    bool escaped = false;

    for (;; begin = s->p) {
        if (!plain(s))
            return false;
        if (s->p == s->end)
            return fail(s, "");
        if (*s->p == '"' && !escaped) {
            *out = str_n(begin, (size_t)(s->p++ - begin));
            return true;
        }
        if (!escaped)
            buf_reset(scratch);
        escaped = true;
        buf_add(scratch, begin, (size_t)(s->p - begin));
        if (*s->p == '"') {
            s->p++;
            *out = buf_view(scratch);
            return true;
        }
        if (*s->p != '\\')
            return fail(s, "a control character must be escaped");
        if (!escape(s, scratch))
            return false;
    }
}

/* ---- numbers and words ---- */

static bool
digits(struct scan *s)
{
    const char *begin = s->p;

    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return s->p > begin || fail(s, "a digit is missing in a number");
}

static bool
number(struct scan *s, struct str *out)
{
    const char *begin = s->p;

    if (*s->p == '-')
        s->p++;
    if (s->p < s->end && *s->p == '0')
        s->p++;
    else if (!digits(s))
        return false;
    if (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        return fail(s, "a number may not begin with 0");
    if (s->p < s->end && *s->p == '.') {
        s->p++;
        if (!digits(s))
            return false;
    }
    if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
        s->p++;
        if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
            s->p++;
        if (!digits(s))
            return false;
    }
    *out = str_n(begin, (size_t)(s->p - begin));
    return true;
}

static bool
word(struct scan *s, struct str w)
{
    if (!str_starts(str_n(s->p, (size_t)(s->end - s->p)), w))
        return fail(s, "expected a value");
    s->p += w.n;
    return true;
}

/* ---- objects and arrays ---- */

static bool value(struct scan *s, const struct str *key, struct json **out);

static void
put_path(const struct frame *f, struct buf *b)
{
    if (!f->up)
        return;
    put_path(f->up, b);
    if (json_is(f->up->container, JSON_ARRAY))
        buf_printf(b, "[%zu]", f->up->index);
    else
        buf_printf(b, "%s%s", b->n ? "." : "", json_key(f->container));
}

static void
report(struct scan *s, struct str key)
{
    AUTO(buf_release) struct buf path = BUF_INIT(4096);
    struct strlist *list = s->o.duplicates;

    if (!list || list->n >= DUPLICATES_MAX)
        return;
    put_path(s->frame, &path);
    buf_printf(&path, "%s%.*s", path.n ? "." : "", STR_ARG(key));
    if (!strlist_has(list, buf_view(&path)))
        strlist_add(list, buf_view(&path));
}

/* At a key: reads `"key": ` and leaves *key valid until the next key. */
static bool
member_key(struct scan *s, struct str *key)
{
    if (s->p == s->end || *s->p != '"')
        return fail(s, "expected a key in quotes");
    if (!string(s, &s->key, key))
        return false;
    space(s);
    if (s->p == s->end || *s->p != ':')
        return fail(s, "expected ':' after a key");
    s->p++;
    space(s);
    return true;
}

static bool
member(struct scan *s, struct json *object, struct json_keys *keys)
{
    struct json_place of_key = place_here(s), at;
    struct json *fresh, *old;
    struct str key;

    if (!member_key(s, &key))
        return false;
    if (!object)
        return value(s, NULL, NULL);
    old = json_keys_find(keys, object, key);
    if (old)
        report(s, key);
    at = place_here(s);
    if (!value(s, &key, &fresh))
        return false;
    at.key_line = of_key.line;
    at.key_column = of_key.column;
    json_places_add(s->o.places, fresh, at);
    if (old) {
        json_keys_replace(keys, object, old, fresh);
    } else {
        json_link(object, fresh);
        json_keys_add(keys, object, fresh);
    }
    return true;
}

static bool
element(struct scan *s, struct json *array)
{
    struct json_place at = place_here(s);
    struct json *fresh;

    if (!array)
        return value(s, NULL, NULL);
    if (!value(s, NULL, &fresh))
        return false;
    json_places_add(s->o.places, fresh, at);
    json_link(array, fresh);
    s->frame->index++;
    return true;
}

/* At "{" or "[": all up to the closing bracket. */
static bool
children(struct scan *s, struct json *j, bool object, struct json_keys *keys)
{
    char close = object ? '}' : ']';

    s->p++;
    space(s);
    if (s->p < s->end && *s->p == close) {
        s->p++;
        return true;
    }
    for (;;) {
        if (!(object ? member(s, j, keys) : element(s, j)))
            return false;
        space(s);
        if (s->p < s->end && *s->p == close) {
            s->p++;
            return true;
        }
        if (s->p == s->end || *s->p != ',')
            return fail(s,
                        object ? "expected ',' or '}'" : "expected ',' or ']'");
        s->p++;
        space(s);
    }
}

static bool
container(struct scan *s, const struct str *key, struct json **out)
{
    bool object = *s->p == '{';
    struct json_keys keys = {0};
    struct frame frame = {.up = s->frame};

    if (s->depth == s->o.max_depth)
        return fail_at(s, s->p, ERR_LIMIT, "nested too deeply");
    if (out)
        *out = json_node(object ? JSON_OBJECT : JSON_ARRAY, key, STR(""));
    frame.container = out ? *out : NULL;
    s->frame = &frame;
    s->depth++;
    bool ok = children(s, out ? *out : NULL, object, &keys);

    s->depth--;
    s->frame = frame.up;
    json_keys_release(&keys);
    if (!ok && out)
        json_free(*out);
    return ok;
}

static bool
scalar(struct scan *s, enum json_type *type, struct str *text)
{
    *text = STR("");
    switch (*s->p) {
    case '"':
        *type = JSON_STRING;
        return string(s, &s->value, text);
    case 't':
        *type = JSON_BOOL;
        *text = STR("true");
        return word(s, *text);
    case 'f':
        *type = JSON_BOOL;
        return word(s, STR("false"));
    case 'n':
        *type = JSON_NULL;
        return word(s, STR("null"));
    default:
        *type = JSON_NUMBER;
        if (*s->p != '-' && (*s->p < '0' || *s->p > '9'))
            return fail(s, "expected a value");
        return number(s, text);
    }
}

/* One value with its key. Nothing is left in *out when it fails. */
static bool
value(struct scan *s, const struct str *key, struct json **out)
{
    enum json_type type;
    struct str text;

    if (s->p == s->end)
        return fail(s, "");
    if (out && ++s->nodes > s->o.max_nodes)
        return fail_at(s, s->p, ERR_LIMIT, "too many values");
    if (*s->p == '{' || *s->p == '[')
        return container(s, key, out);
    if (!scalar(s, &type, &text))
        return false;
    if (out)
        *out = json_node(type, key, text);
    return true;
}

/* ---- whole texts ---- */

static bool
fits(struct scan *s)
{
    if (s->text.n <= s->o.max_bytes)
        return true;
    return error_set(s->err, ERR_LIMIT,
                     "the JSON text has %zu bytes, more than the %zu allowed",
                     s->text.n, s->o.max_bytes);
}

static bool
finish(struct scan *s)
{
    space(s);
    return s->p == s->end || fail(s, "text after the end of the value");
}

struct json *
json_parse(struct str text, const struct json_options *o, struct error *err)
{
    struct json *j = NULL;
    struct json_place at;
    struct scan s;

    scan_init(&s, text, o, err);
    space(&s);
    at = place_here(&s);
    bool ok = fits(&s) && value(&s, NULL, &j);

    if (ok && !finish(&s)) {
        json_free(j);
        ok = false;
    }
    if (ok)
        json_places_add(s.o.places, j, at);
    scan_release(&s);
    return ok ? j : NULL;
}

/* At "[": hands each element to fn. */
static bool
walk_items(struct scan *s, json_item_fn *fn, void *arg, bool *stopped)
{
    s->p++;
    space(s);
    if (s->p < s->end && *s->p == ']') {
        s->p++;
        return true;
    }
    for (;;) {
        const char *begin = s->p;

        if (!value(s, NULL, NULL))
            return false;
        if (!fn(arg, str_n(begin, (size_t)(s->p - begin)))) {
            *stopped = true;
            return true;
        }
        space(s);
        if (s->p < s->end && *s->p == ']') {
            s->p++;
            return true;
        }
        if (s->p == s->end || *s->p != ',')
            return fail(s, "expected ',' or ']'");
        s->p++;
        space(s);
    }
}

struct walk {
    struct str key;
    json_item_fn *fn;
    void *arg;
    struct json *rest; /* NULL: the other members are only checked */
    struct json_keys keys;
    bool stopped;
};

static bool
walk_member(struct scan *s, struct walk *w)
{
    const char *mark = s->p;
    struct str key;

    if (!member_key(s, &key))
        return false;
    if (str_eq(key, w->key) && s->p < s->end && *s->p == '[')
        return walk_items(s, w->fn, w->arg, &w->stopped);
    s->p = mark;
    return member(s, w->rest, &w->keys);
}

static bool
walk_object(struct scan *s, struct walk *w)
{
    space(s);
    if (s->p == s->end || *s->p != '{')
        return fail(s, "expected '{'");
    s->p++;
    space(s);
    if (s->p < s->end && *s->p == '}') {
        s->p++;
        return finish(s);
    }
    for (;;) {
        if (!walk_member(s, w))
            return false;
        if (w->stopped)
            return true;
        space(s);
        if (s->p < s->end && *s->p == '}') {
            s->p++;
            return finish(s);
        }
        if (s->p == s->end || *s->p != ',')
            return fail(s, "expected ',' or '}'");
        s->p++;
        space(s);
    }
}

bool
json_each_item(struct str text, const char *key, json_item_fn *fn, void *arg,
               struct json **rest, struct error *err)
{
    struct walk w = {.key = str_of(key), .fn = fn, .arg = arg};
    struct frame frame = {0};
    struct scan s;

    scan_init(&s, text, NULL, err);
    if (rest)
        frame.container = w.rest = json_new_object();
    s.frame = &frame;
    bool ok = fits(&s) && walk_object(&s, &w);

    json_keys_release(&w.keys);
    scan_release(&s);
    if (ok && rest)
        *rest = w.rest;
    else
        json_free(w.rest);
    return ok;
}
