#include "lib/compose/manifests.h"

#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "lib/compose/format.h"
#include "lib/compose/gojson.h"

#define MAX_OBJECTS 10000

/* The text line by line, for what errors say about it. */
struct place {
    struct str text;
    size_t line; /* of the document's separator, from 1 */
    size_t document;
    struct manifests_memo *memo; /* or NULL */
};

/* ---- what was read before ---- */

static void
free_tree(void *tree)
{
    json_free(tree);
}

void
manifests_memo_release(struct manifests_memo *m)
{
    map_release(&m->recent, free_tree);
    map_release(&m->older, free_tree);
    m->bytes = 0;
}

/* Takes tree. */
static void
memo_put(struct manifests_memo *m, struct str text, struct json *tree)
{
    if (m->bytes > MANIFESTS_MEMO_MAX) {
        map_release(&m->older, free_tree);
        m->older = m->recent;
        m->recent = (struct map){0};
        m->bytes = 0;
    }
    m->bytes += text.n;
    json_free(map_put(&m->recent, text, tree));
}

/* A fresh tree, or NULL. */
static struct json *
memo_get(struct manifests_memo *m, struct str text)
{
    const struct json *kept = m ? map_get(&m->recent, text) : NULL;

    if (m && !kept && (kept = map_del(&m->older, text)))
        memo_put(m, text, (struct json *)kept);
    return json_copy(kept);
}

/* ---- checks of one object ---- */

/* "VALUE is of the type T" */
static void
show_type(const struct json *j, struct buf *out)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct value v = value_json(a, j, NUMBERS_K8S);

    format_value(a, v, out);
    buf_printf(out, " is of the type %s", value_type_name(v));
}

/* "group/version, Kind=K" */
static void
kind_text(const struct json *object, struct buf *out)
{
    const char *version = json_string_or(json_get(object, "apiVersion"), "");

    buf_printf(out, "%s%s, Kind=%s", strchr(version, '/') ? "" : "/", version,
               json_string_or(json_get(object, "kind"), ""));
}

static bool
bad_annotations(const struct json *object, const struct json *annotations,
                struct str why, struct error *err)
{
    AUTO(buf_release) struct buf text = BUF_INIT(1000);
    const struct json *name = json_get(
        annotations, "gotemplating.fn.crossplane.io/composition-resource-name");

    buf_puts(&text, "invalid annotations in resource '");
    kind_text(object, &text);
    buf_puts(&text, " resource-name=");
    if (name) {
        AUTO(arena_free_ptr) struct arena *a = arena_new();

        format_value(a, value_json(a, name, NUMBERS_K8S), &text);
    } else {
        buf_puts(&text, "<nil>");
    }
    buf_puts(&text, "': .metadata.annotations accessor error: ");
    buf_str(&text, why);
    return error_set(err, ERR_INVALID, "%s", buf_cstr(&text));
}

static bool
check_annotations(const struct json *object, struct error *err)
{
    AUTO(buf_release) struct buf why = BUF_INIT(900);
    const struct json *meta = json_get(object, "metadata"), *a;
    const struct json *wrong = NULL;

    a = json_get(meta, "annotations");
    if (json_is(meta, JSON_NULL))
        return true;
    if (meta && !json_is(meta, JSON_OBJECT))
        wrong = meta;
    else if (a && !json_is(a, JSON_OBJECT))
        wrong = a;
    if (wrong) {
        show_type(wrong, &why);
        buf_puts(&why, ", expected map[string]interface{}");
        return bad_annotations(object, NULL, buf_view(&why), err);
    }
    for (const struct json *c = json_first(a); c; c = json_next(c)) {
        if (json_string(c))
            continue;
        buf_printf(&why,
                   "contains non-string value in the map under key \"%s\": ",
                   json_key(c));
        show_type(c, &why);
        buf_puts(&why, ", expected string");
        return bad_annotations(object, a, buf_view(&why), err);
    }
    return true;
}

static bool
check(const struct json *j, bool yaml, struct error *err)
{
    AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);
    const char *wrap =
        yaml ? "error unmarshaling JSON: while decoding JSON: " : "";

    if (!json_is(j, JSON_OBJECT))
        return error_set(err, ERR_INVALID,
                         "cannot decode manifest: %sjson: cannot unmarshal %s "
                         "into Go value of type map[string]interface {}",
                         wrap,
                         json_is(j, JSON_STRING)  ? "string"
                         : json_is(j, JSON_ARRAY) ? "array"
                         : json_is(j, JSON_BOOL)  ? "bool"
                                                  : "number");
    if (json_string_or(json_get(j, "kind"), "")[0])
        return check_annotations(j, err);
    json_print(j, JSON_SORTED | JSON_HTML, &text);
    return error_set(err, ERR_INVALID,
                     "cannot decode manifest: %sObject 'Kind' is missing in "
                     "'%s'",
                     wrap, buf_cstr(&text));
}

static bool
add(struct manifests *out, struct json *j, bool yaml, struct error *err)
{
    if (json_is(j, JSON_NULL)) {
        json_free(j);
        return true;
    }
    if (out->n >= MAX_OBJECTS) {
        json_free(j);
        return error_set(err, ERR_LIMIT, "more than %d objects", MAX_OBJECTS);
    }
    out->v = mem_grow(out->v, &out->cap, out->n + 1, sizeof(struct json *));
    out->v[out->n++] = j;
    return check(j, yaml, err);
}

/* ---- JSON objects, one after the other ---- */

/* The bytes of the first value: up to the brace that closes it. */
static size_t
json_end(struct str s)
{
    size_t depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < s.n; i++) {
        char c = s.s[i];

        if (quoted && c == '\\') {
            i++;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == '{' || c == '[')) {
            depth++;
        } else if (!quoted && (c == '}' || c == ']')) {
            if (depth <= 1)
                return i + 1;
            depth--;
        }
    }
    return s.n;
}

/* One more object. What is no JSON is perhaps YAML, as long as there was at
 * most one object: then *maybe is set, and err is what counts if it is not. */
static bool
read_object(struct str text, size_t at, struct manifests *out, bool *maybe,
            struct error *err)
{
    struct str rest = str_from(text, at);
    struct json *j = json_parse(rest, NULL, NULL);
    AUTO(buf_release) struct buf why = BUF_INIT(400);
    size_t offset = 0, before = out->n;

    *maybe = before <= 1;
    if (j) {
        if (add(out, j, false, err))
            return true;
        if (out->n > before) /* it was not accepted */
            json_free(out->v[--out->n]);
        return false;
    }
    if (!gojson_syntax(rest, true, &why, &offset))
        buf_puts(&why, "a value nests too deeply or is too large");
    if (*maybe && !str_eqz(buf_view(&why), "unexpected EOF"))
        return error_set(err, ERR_PARSE,
                         "cannot decode manifest: json: offset %zu: %s",
                         at + offset, buf_cstr(&why));
    return error_set(err, ERR_PARSE, "cannot decode manifest: %s",
                     buf_cstr(&why));
}

/* Reads objects up to *at, where YAML starts or the text ends. */
static bool
read_json(struct str text, struct manifests *out, size_t *at, bool *maybe,
          struct error *err)
{
    for (;;) {
        struct str left = str_from(text, *at), space = str_trim(left);
        size_t skip = space.n ? (size_t)(space.s - left.s) : left.n;

        if (!space.n) {
            *at = text.n;
            return true;
        }
        size_t n = skip + json_end(space);

        if (!read_object(str_sub(text, 0, *at + n), *at, out, maybe, err))
            break;
        *at += n;
    }
    /* YAML goes on behind the white space of this line. */
    while (*at < text.n && strchr(" \t\r", text.s[*at]))
        ++*at;
    *at += *at < text.n && text.s[*at] == '\n';
    return false;
}

/* ---- YAML documents ---- */

static struct str
line_at(struct str text, size_t line)
{
    struct str piece = STR("");

    while (line-- && str_next(&text, '\n', &piece))
        ;
    return piece;
}

/* As strings.Split at line feeds counts them. */
static size_t
count_lines(struct str text)
{
    size_t n = 1;

    for (size_t i = 0; i < text.n; i++)
        n += text.s[i] == '\n';
    return n;
}

/* The number of the next line of three dashes, or at itself. */
static size_t
next_document(struct str text, size_t at)
{
    struct str line;
    size_t n = 0;

    while (str_next(&text, '\n', &line)) {
        if (++n > at && str_eqz(str_trim(line), "---"))
            return n;
    }
    return at;
}

/* Messages of the parser (not of the scanner) carry a line less in Go. */
static bool
from_parser(struct str message)
{
    static const char *const rest[] = {"node content",  "key",
                                       "'-' indicator", "',' or ']'",
                                       "',' or '}'",    "<document start>"};

    for (size_t i = 0; i < ARRAY_LEN(rest); i++) {
        if (str_starts(message, STR("did not find expected ")) &&
            str_eqz(str_from(message, strlen("did not find expected ")),
                    rest[i]))
            return true;
    }
    return false;
}

/* Messages that Go's reader gives without a line. */
static bool
without_line(struct str message)
{
    static const char *const starts[] = {
        "unknown anchor '",
        "anchor '",
        "control characters are not allowed",
        "invalid leading UTF-8 octet",
        "invalid trailing UTF-8 octet",
        "incomplete UTF-8 octet sequence",
        "invalid length of a UTF-8 sequence",
        "invalid Unicode character",
    };

    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        if (str_starts(message, str_of(starts[i])))
            return true;
    }
    return false;
}

/* ".inf is not a JSON number": the words of encoding/json, or NULL. */
static const char *
no_number(struct str message)
{
    if (!str_ends(message, STR(" is not a JSON number")))
        return NULL;
    if (message.s[1] == 'n' || message.s[1] == 'N')
        return "NaN";
    return message.s[0] == '-' ? "-Inf" : "+Inf";
}

/* What our reader said, as Go's counts and words it. */
struct cause {
    struct str message;
    size_t line;       /* 0: none is said */
    const char *value; /* no YAML error but a number JSON does not have */
};

static struct cause
cause_of(const struct error *err)
{
    struct cause c = {.message = str_of(err->msg)};
    const char *colon = strstr(err->msg, ": ");
    struct str head, number;
    uint64_t line;

    if (colon && str_starts(c.message, STR("line "))) {
        str_cut(str_from(c.message, strlen("line ")), ',', &number, &head);
        if (str_to_u64(number, &line)) {
            c.message = str_of(colon + 2);
            c.line = line;
        }
    }
    c.value = no_number(c.message);
    if (without_line(c.message))
        c.line = 0;
    else if (c.line && from_parser(c.message))
        c.line--;
    return c;
}

void
manifests_yaml_error(const struct error *err, struct buf *out)
{
    struct cause c = cause_of(err);

    buf_puts(out, "error converting YAML to JSON: ");
    if (c.value)
        buf_printf(out, "json: unsupported value: %s", c.value);
    else if (c.line)
        buf_printf(out, "yaml: line %zu: %.*s", c.line, STR_ARG(c.message));
    else
        buf_printf(out, "yaml: %.*s", STR_ARG(c.message));
}

/* The same with the place in a template's output. */
static bool
yaml_error(const struct place *p, const struct error *cause, struct error *err)
{
    struct cause c = cause_of(cause);
    AUTO(buf_release) struct buf text = BUF_INIT(sizeof(cause->msg) + 100);
    size_t at = p->line + c.line;

    if (!c.line || c.value || at > count_lines(p->text)) {
        manifests_yaml_error(cause, &text);
        return error_set(err, cause->code, "cannot decode manifest: %s",
                         buf_cstr(&text));
    }
    struct str near = str_trim(line_at(p->text, at));

    return error_set(err, cause->code,
                     "cannot decode manifest: error converting YAML to JSON: "
                     "yaml: line %zu (document %zu, line %zu) near: "
                     "'%.*s%s': %.*s",
                     at, p->document + 1, c.line, (int)MIN(near.n, (size_t)80),
                     near.s ? near.s : "", near.n > 80 ? "..." : "",
                     STR_ARG(c.message));
}

/* The first value of text; *out is NULL when there is none. */
static bool
parse_document(struct str text, struct place *p, struct json **out,
               struct error *err)
{
    const struct yaml_options o = {.last_key_wins = true};
    struct yaml_docs docs = {0};
    struct error cause = {0};

    if (!yaml_parse(text, &o, &docs, &cause))
        return yaml_error(p, &cause, err);
    *out = NULL;
    if (docs.n && !json_is(docs.v[0].value, JSON_NULL)) {
        *out = docs.v[0].value;
        docs.v[0].value = NULL;
        if (p->memo)
            memo_put(p->memo, text, json_copy(*out));
    }
    yaml_docs_release(&docs);
    return true;
}

static bool
read_document(struct str text, struct place *p, struct manifests *out,
              struct error *err)
{
    struct json *first = memo_get(p->memo, text);

    if (!first && !parse_document(text, p, &first, err))
        return false;
    if (!first)
        return true;
    if (!add(out, first, true, err))
        return false;
    p->line = next_document(p->text, p->line);
    p->document++;
    return true;
}

/* A line that starts with three dashes: *end tells that a document ends. */
static bool
separator(struct str line, bool *end, struct error *err)
{
    struct str rest = str_trim(str_from(line, 3));

    *end = str_starts(line, STR("---"));
    if (!*end || !rest.n || rest.s[0] == '#')
        return true;
    return error_set(err, ERR_PARSE,
                     "cannot decode manifest: invalid Yaml document separator: "
                     "%.*s",
                     (int)MIN(rest.n, (size_t)800), rest.s);
}

/* first: what a failure of the first document is called instead, or NULL. */
static bool
read_yaml(struct str text, struct place *p, struct manifests *out,
          const struct error *first, struct error *err)
{
    struct str rest = text.s ? text : STR(""), line;
    const char *start = rest.s;
    bool more = true, ends;

    while (more) {
        more = str_next(&rest, '\n', &line);
        if (more && !separator(line, &ends, err))
            break;
        const char *stop = more ? line.s : text.s + text.n;
        struct str document = str_n(start, (size_t)(stop - start));

        if (more && (!ends || !document.n))
            continue;
        if (!read_document(document, p, out, err))
            break;
        first = NULL;
        start = more ? line.s + line.n + (rest.s != NULL) : NULL;
        if (!more)
            return true;
    }
    if (first && err)
        *err = *first;
    return false;
}

bool
manifests_read(struct str text, struct manifests_memo *memo,
               struct manifests *out, struct error *err)
{
    struct place p = {
        .text = text, .line = next_document(text, 1), .memo = memo};
    struct error first = {0};
    bool maybe = false, ok;
    size_t at = 0;

    *out = (struct manifests){0};
    if (str_starts(str_trim(text), STR("{"))) {
        ok = read_json(text, out, &at, &maybe, &first);
        if (!ok && maybe)
            ok = read_yaml(str_from(text, at), &p, out, &first, err);
        else if (!ok && err)
            *err = first;
    } else {
        ok = read_yaml(text, &p, out, NULL, err);
    }
    if (!ok)
        manifests_release(out);
    return ok;
}

void
manifests_release(struct manifests *m)
{
    for (size_t i = 0; i < m->n; i++)
        json_free(m->v[i]);
    free(m->v);
    *m = (struct manifests){0};
}
