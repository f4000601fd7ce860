#include "lib/base/yaml_plain.h"

#include <math.h>

#include "lib/base/ascii.h"
#include "lib/base/json_node.h"
#include "lib/base/mem.h"

/*
 * Line by line: the reader always stands at a line that has content, and knows
 * how far it is indented and its text without the spaces at both ends. A
 * collection takes the lines of its own indentation; a line that is further in
 * than the collection at hand expects goes on with the scalar before it, or is
 * wrong: both are libyaml's.
 */

enum { DEPTH_MAX = 50, KEY_MAX = 128 };

struct plain {
    const char *p, *end; /* behind the line at hand */
    unsigned line;       /* its number, from 1 */
    size_t indent;
    struct str text; /* of the line; empty: the document ends here */
    bool marker;     /* "---" ends it */
    unsigned depth, max_depth;
    size_t nodes, max_nodes;
    struct buf literal;
};

/* Only printable ASCII, and line feeds, the last byte being one. */
static bool
is_simple(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.s[i];

        if ((c < 0x20 && c != '\n') || c >= 0x7F)
            return false;
    }
    return text.n && text.s[text.n - 1] == '\n';
}

/* ---- lines ---- */

/* The line at p without its line feed. */
static struct str
line_at(const struct plain *r, const char *p)
{
    const char *feed = memchr(p, '\n', (size_t)(r->end - p));

    return str_n(p, (size_t)(feed - p));
}

static size_t
spaces(struct str line)
{
    size_t n = 0;

    while (n < line.n && line.s[n] == ' ')
        n++;
    return n;
}

/* Goes to the next line with content, the next marker or the end. */
static void
advance(struct plain *r)
{
    r->text = STR("");
    r->marker = false;
    while (r->p < r->end && !r->text.n && !r->marker) {
        struct str line = line_at(r, r->p);

        r->p += line.n + 1;
        r->line++;
        r->indent = spaces(line);
        r->text = str_trim(line);
        r->marker = r->indent == 0 && str_eqz(r->text, "---");
        if (r->marker || (r->text.n && r->text.s[0] == '#'))
            r->text = STR("");
    }
}

static bool
is_item(const struct plain *r)
{
    return r->text.n && r->text.s[0] == '-' &&
           (r->text.n == 1 || r->text.s[1] == ' ');
}

/* At a line further in than indent, of the same document. */
static bool
is_deeper(const struct plain *r, size_t indent)
{
    return r->text.n && r->indent > indent;
}

/* ---- scalars ---- */

struct json *
yaml_scalar_node(const struct yaml_scalar *v, struct str s,
                 const struct str *key)
{
    struct json *number, *j;

    switch (v->kind) {
    case YAML_NULL:
        return json_node(JSON_NULL, key, STR(""));
    case YAML_BOOL:
        return json_node(JSON_BOOL, key, v->truth ? STR("t") : STR(""));
    case YAML_INT:
        return json_node(JSON_NUMBER, key, str_of(v->text));
    case YAML_FLOAT:
        if (!isfinite(v->number))
            return NULL;
        number = json_new_double(v->number);
        j = json_node(JSON_NUMBER, key, str_of(json_number_text(number)));
        json_free(number);
        return j;
    default:
        return json_node(JSON_STRING, key, s);
    }
}

/* Text in quotes without anything that they would change. */
static struct json *
quoted(struct str s, const struct str *key)
{
    struct str in = str_sub(s, 1, s.n - 2);

    if (s.n < 2 || s.s[s.n - 1] != s.s[0] || memchr(in.s, s.s[0], in.n) ||
        (s.s[0] == '"' && memchr(in.s, '\\', in.n)))
        return NULL;
    return json_node(JSON_STRING, key, in);
}

static bool
starts_plain(struct str s)
{
    char c = s.s[0];

    if ((c == '-' || c == '+') && s.n > 1)
        c = s.s[1];
    return ascii_digit((unsigned char)c) || ascii_letter((unsigned char)c) ||
           strchr("_./", c);
}

static bool
is_plain(struct str s)
{
    if (!starts_plain(s) || s.s[s.n - 1] == ':')
        return false;
    for (size_t i = 0; i + 1 < s.n; i++) {
        if ((s.s[i] == ':' && s.s[i + 1] == ' ') ||
            (s.s[i] == ' ' && s.s[i + 1] == '#'))
            return false;
    }
    return true;
}

/* Text that stands for itself outside of quotes. */
static struct json *
resolved(struct str s, const struct str *key)
{
    struct yaml_scalar v;

    yaml_resolve(s, &v);
    return v.kind == YAML_MERGE ? NULL : yaml_scalar_node(&v, s, key);
}

/* ---- flow collections, on one line ---- */

static struct json *flow(struct plain *r, struct str *s, const struct str *key);

static bool
is_word_char(char c)
{
    return ascii_digit((unsigned char)c) || ascii_letter((unsigned char)c) ||
           c == '_' || c == '.' || c == '/' || c == '-';
}

/* Takes c, and the spaces around it, off *s. */
static bool
take(struct str *s, char c)
{
    struct str at = str_trim(*s);

    if (!at.n || at.s[0] != c)
        return false;
    *s = str_trim(str_from(at, 1));
    return true;
}

/* Takes a text in quotes off *s, its quotes included; else a word. */
static struct str
take_text(struct str *s)
{
    struct str all = *s;
    bool quote = all.n && (all.s[0] == '"' || all.s[0] == '\'');
    const char *close = quote ? memchr(all.s + 1, all.s[0], all.n - 1) : NULL;
    size_t n = close ? (size_t)(close - all.s) + 1 : 0;

    while (!quote && n < all.n && is_word_char(all.s[n]))
        n++;
    *s = str_from(all, n);
    return str_sub(all, 0, n);
}

/* One member with its comma: `key: value` or `"key":value`. */
static bool
flow_member(struct plain *r, struct str *s, struct json *object,
            struct json_keys *keys)
{
    struct str key = take_text(s);
    AUTO(json_free_ptr) struct json *text = NULL;
    struct json *j;

    if (!key.n || !s->n || s->s[0] != ':')
        return false;
    if (key.s[0] != '"' && (s->n < 2 || s->s[1] != ' ' || !starts_plain(key)))
        return false;
    text = key.s[0] == '"' ? quoted(key, NULL) : resolved(key, NULL);
    if (!json_is(text, JSON_STRING) || !json_string(text)[0] ||
        json_keys_find(keys, object, str_of(json_string(text))))
        return false;
    key = str_of(json_string(text));
    *s = str_trim(str_from(*s, 1));
    j = flow(r, s, &key);
    if (!j)
        return false;
    json_link(object, j);
    json_keys_add(keys, object, j);
    return true;
}

static bool
flow_element(struct plain *r, struct str *s, struct json *array,
             UNUSED struct json_keys *keys)
{
    struct json *j = flow(r, s, NULL);

    if (j)
        json_link(array, j);
    return j;
}

/* Behind the bracket that opens j. */
static bool
flow_children(struct plain *r, struct str *s, struct json *j, char close)
{
    bool (*one)(struct plain * r, struct str * s, struct json * j,
                struct json_keys * keys) =
        close == '}' ? flow_member : flow_element;
    struct json_keys keys = {0};
    bool ok = take(s, close);

    if (ok)
        return true;
    do
        ok = one(r, s, j, &keys);
    while (ok && take(s, ','));
    json_keys_release(&keys);
    return ok && take(s, close);
}

static struct json *
flow_collection(struct plain *r, struct str *s, const struct str *key)
{
    bool map = s->s[0] == '{', ok;
    struct json *j = json_node(map ? JSON_OBJECT : JSON_ARRAY, key, STR(""));

    *s = str_trim(str_from(*s, 1));
    ok = ++r->depth <= r->max_depth && flow_children(r, s, j, map ? '}' : ']');
    r->depth--;
    if (ok)
        return j;
    json_free(j);
    return NULL;
}

/* Takes a value off the start of *s. */
static struct json *
flow(struct plain *r, struct str *s, const struct str *key)
{
    if (!s->n || ++r->nodes > r->max_nodes)
        return NULL;
    if (s->s[0] == '[' || s->s[0] == '{')
        return flow_collection(r, s, key);
    struct str text = take_text(s);

    if (text.n && (text.s[0] == '"' || text.s[0] == '\''))
        return quoted(text, key);
    return text.n && starts_plain(text) ? resolved(text, key) : NULL;
}

/* ---- values on one line ---- */

/* s is not empty. */
static struct json *
scalar(struct plain *r, struct str s, const struct str *key)
{
    struct json *j;

    if (s.s[0] == '"' || s.s[0] == '\'')
        return quoted(s, key);
    if (s.s[0] != '[' && s.s[0] != '{')
        return is_plain(s) ? resolved(s, key) : NULL;
    j = flow(r, &s, key);
    if (!s.n)
        return j;
    json_free(j);
    return NULL;
}

/* The lines of a literal block below a collection at indent, with one line feed
 * at the end (clipped) or none (stripped). Starts behind the line of "|". */
static struct json *
literal(struct plain *r, size_t indent, bool strip, const struct str *key)
{
    size_t in = 0, kept = 0;

    buf_reset(&r->literal);
    for (; r->p < r->end; r->line++) {
        struct str line = line_at(r, r->p);
        size_t n = spaces(line);

        if (!in && n == line.n && n)
            return NULL; /* an empty line that may be too far in */
        if (!in && n < line.n)
            in = n;
        if (n < line.n && (n < in || n <= indent))
            break;
        buf_str(&r->literal, str_from(line, MIN(in, line.n)));
        if (line.n > in && in)
            kept = r->literal.n + 1;
        buf_putc(&r->literal, '\n');
        r->p += line.n + 1;
    }
    if (!kept || r->literal.over)
        return NULL;
    return json_node(JSON_STRING, key,
                     str_n(buf_cstr(&r->literal), kept - strip));
}

/* ---- collections ---- */

static struct json *block(struct plain *r, const struct str *key);
static bool mapping(struct plain *r, struct json *object);

/* "KEY:" at the start of s; *rest is what follows. */
static bool
split_key(struct str s, struct str *key, struct str *rest)
{
    struct yaml_scalar v;
    size_t n = 0;

    while (n < s.n && is_word_char(s.s[n]))
        n++;
    if (!n || s.s[0] == '-' || n > KEY_MAX || n == s.n || s.s[n] != ':' ||
        (n + 1 < s.n && s.s[n + 1] != ' '))
        return false;
    *key = str_sub(s, 0, n);
    *rest = str_trim(str_from(s, n + 1));
    yaml_resolve(*key, &v);
    return v.kind == YAML_STRING;
}

/* What stands behind a key or a dash of a collection at indent, on its line or
 * below; goes to the line behind it. NULL: not ours. */
static struct json *
value(struct plain *r, struct str rest, size_t indent, const struct str *key)
{
    bool strip = str_eqz(rest, "|-");
    struct json *j;

    if (++r->nodes > r->max_nodes)
        return NULL;
    if (!rest.n) {
        advance(r);
        if (is_deeper(r, indent) || (key && r->indent == indent && is_item(r)))
            return block(r, key);
        return json_node(JSON_NULL, key, STR(""));
    }
    if (strip || str_eqz(rest, "|"))
        j = literal(r, indent, strip, key);
    else
        j = scalar(r, rest, key);
    advance(r);
    if (j && is_deeper(r, indent)) {
        json_free(j);
        return NULL;
    }
    return j;
}

static bool
sequence(struct plain *r, struct json *array)
{
    size_t indent = r->indent;

    while (r->indent == indent && is_item(r)) {
        struct str rest = str_trim(str_from(r->text, 1)), key, after;
        struct json *j;

        if (rest.n && split_key(rest, &key, &after)) {
            r->indent += (size_t)(rest.s - r->text.s);
            r->text = rest;
            j = block(r, NULL);
        } else {
            j = value(r, rest, indent, NULL);
        }
        if (!j)
            return false;
        json_link(array, j);
    }
    return !is_deeper(r, indent);
}

static bool
members(struct plain *r, struct json *object, struct json_keys *keys)
{
    size_t indent = r->indent;

    while (r->text.n && r->indent == indent && !is_item(r)) {
        struct str key, rest;
        struct json *j;

        if (!split_key(r->text, &key, &rest) ||
            json_keys_find(keys, object, key))
            return false;
        j = value(r, rest, indent, &key);
        if (!j)
            return false;
        json_link(object, j);
        json_keys_add(keys, object, j);
    }
    return !is_deeper(r, indent);
}

static bool
mapping(struct plain *r, struct json *object)
{
    struct json_keys keys = {0};
    bool ok = members(r, object, &keys);

    json_keys_release(&keys);
    return ok;
}

/* The collection that begins at this line. */
static struct json *
block(struct plain *r, const struct str *key)
{
    bool list = is_item(r), ok;
    struct json *j = json_node(list ? JSON_ARRAY : JSON_OBJECT, key, STR(""));

    ok = ++r->nodes <= r->max_nodes && ++r->depth <= r->max_depth &&
         (list ? sequence(r, j) : mapping(r, j)) && json_first(j);
    r->depth--;
    if (ok)
        return j;
    json_free(j);
    return NULL;
}

/* ---- streams ---- */

/* The document at hand, up to its marker or the end. */
static bool
document(struct plain *r, struct yaml_docs *docs)
{
    unsigned line = r->line;
    struct json *j = r->text.n && r->indent == 0 ? block(r, NULL) : NULL;

    if (!j)
        return false;
    docs->v = mem_grow(docs->v, &docs->cap, docs->n + 1, sizeof(*docs->v));
    docs->v[docs->n++] = (struct yaml_doc){j, line};
    return !r->text.n;
}

/* All documents, if all can be read. */
static bool
stream(struct plain *r, size_t max_documents, struct yaml_docs *docs)
{
    bool ok;

    advance(r);
    if (!r->text.n && !r->marker)
        return true;
    if (r->marker)
        advance(r);
    ok = document(r, docs);
    while (ok && r->marker && docs->n < max_documents) {
        advance(r);
        ok = document(r, docs);
    }
    return ok && !r->marker;
}

bool
yaml_plain(struct str text, const struct yaml_options *o, struct yaml_docs *out)
{
    struct plain r = {.p = text.s,
                      .end = text.s + text.n,
                      .max_depth = MIN(o->max_depth, DEPTH_MAX),
                      .max_nodes = o->max_nodes / 2,
                      .literal = BUF_INIT(BUF_TEXT_MAX)};
    struct yaml_docs docs = {0};
    bool ok;

    if (o->places || !is_simple(text))
        return false;
    ok = stream(&r, o->max_documents, &docs);
    buf_release(&r.literal);
    if (ok) {
        *out = docs;
        return true;
    }
    yaml_docs_release(&docs);
    return false;
}
