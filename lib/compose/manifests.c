#include "lib/compose/manifests.h"

#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#define MAX_OBJECTS 10000

/* The text line by line, for what errors say about it. */
struct place {
    struct str text;
    size_t line; /* of the document's separator, from 1 */
    size_t document;
};

/* ---- checks of one object ---- */

static const char *
go_type(const struct json *j)
{
    switch (json_type_of(j)) {
    case JSON_BOOL:
        return "bool";
    case JSON_NUMBER:
        return json_is_integer(j) ? "int64" : "float64";
    case JSON_STRING:
        return "string";
    case JSON_ARRAY:
        return "[]interface {}";
    case JSON_OBJECT:
        return "map[string]interface {}";
    default:
        return "<nil>";
    }
}

static void
show(const struct json *j, struct buf *out)
{
    if (json_string(j))
        buf_puts(out, json_string(j));
    else if (json_type_of(j) == JSON_NULL)
        buf_puts(out, "<nil>");
    else
        json_print(j, JSON_SORTED, out);
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
    show(name, &text);
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
    if (meta && !json_is(meta, JSON_OBJECT))
        wrong = meta;
    else if (a && !json_is(a, JSON_OBJECT))
        wrong = a;
    if (wrong) {
        show(wrong, &why);
        buf_printf(&why, " is of the type %s, expected map[string]interface {}",
                   go_type(wrong));
        return bad_annotations(object, NULL, buf_view(&why), err);
    }
    for (const struct json *c = json_first(a); c; c = json_next(c)) {
        if (json_string(c))
            continue;
        buf_printf(&why,
                   "contains non-string value in the map under key \"%s\": ",
                   json_key(c));
        show(c, &why);
        buf_printf(&why, " is of the type %s, expected string", go_type(c));
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

/* False without err set: the text is no JSON stream after all. */
static bool
read_json(struct str text, struct manifests *out, bool *json, struct error *err)
{
    *json = true;
    for (text = str_trim(text); text.n; text = str_trim(text)) {
        size_t n = json_end(text);
        struct json *j = json_parse(str_sub(text, 0, n), NULL, NULL);

        if (!j) {
            *json = false;
            return false;
        }
        if (!add(out, j, false, err))
            return false;
        text = str_from(text, n);
    }
    return true;
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

/* Turns "line 3, column 4: what" into upstream's words. */
static bool
yaml_error(const struct place *p, const struct error *cause, struct error *err)
{
    struct str message = str_of(cause->msg), head, number;
    const char *colon = strstr(cause->msg, ": ");
    uint64_t line = 0;

    if (colon && str_starts(message, STR("line "))) {
        str_cut(str_from(message, strlen("line ")), ',', &number, &head);
        if (str_to_u64(number, &line))
            message = str_of(colon + 2);
    }
    if (line && from_parser(message))
        line--;
    size_t at = p->line + line;
    struct str near = str_trim(line_at(p->text, at));

    if (!line)
        return error_set(err, cause->code,
                         "cannot decode manifest: error converting YAML to "
                         "JSON: yaml: %.*s",
                         STR_ARG(message));
    return error_set(err, cause->code,
                     "cannot decode manifest: error converting YAML to JSON: "
                     "yaml: line %zu (document %zu, line %llu) near: "
                     "'%.*s%s': %.*s",
                     at, p->document + 1, (unsigned long long)line,
                     (int)MIN(near.n, (size_t)80), near.s ? near.s : "",
                     near.n > 80 ? "..." : "", STR_ARG(message));
}

static bool
read_document(struct str text, struct place *p, struct manifests *out,
              struct error *err)
{
    const struct yaml_options o = {.last_key_wins = true};
    struct yaml_docs docs = {0};
    struct error cause = {0};

    if (!yaml_parse(text, &o, &docs, &cause))
        return yaml_error(p, &cause, err);
    if (!docs.n || json_is(docs.v[0].value, JSON_NULL)) {
        yaml_docs_release(&docs);
        return true;
    }
    struct json *first = docs.v[0].value;

    docs.v[0].value = NULL;
    yaml_docs_release(&docs);
    if (!add(out, first, true, err))
        return false;
    p->line = next_document(p->text, p->line);
    p->document++;
    return true;
}

static bool
is_separator(struct str line)
{
    return str_starts(line, STR("---")) && !str_trim(str_from(line, 3)).n;
}

static bool
read_yaml(struct str text, struct manifests *out, struct error *err)
{
    struct place p = {.text = text, .line = next_document(text, 1)};
    struct str rest = text.s ? text : STR(""), line;
    const char *start = rest.s;

    while (str_next(&rest, '\n', &line)) {
        struct str document = str_n(start, (size_t)(line.s - start));

        if (!is_separator(line) || !document.n)
            continue;
        if (!read_document(document, &p, out, err))
            return false;
        start = line.s + line.n + (rest.s != NULL);
    }
    struct str last = str_n(start, (size_t)(text.s + text.n - start));

    return read_document(last, &p, out, err);
}

bool
manifests_read(struct str text, struct manifests *out, struct error *err)
{
    bool json = false, ok;

    *out = (struct manifests){0};
    ok = str_starts(str_trim(text), STR("{")) &&
         read_json(text, out, &json, err);
    if (!json) {
        manifests_release(out);
        ok = read_yaml(text, out, err);
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
