/*
 * One row a field of JSONSchemaProps: its key and its kind; one row a kind:
 * what it is in JSON and in Go, and what it is made of. Members are taken in
 * the order of the input, so that of several faults the first is told, as Go
 * does.
 */
#include "lib/compose/props.h"

#include <strings.h>

#include "lib/base/buf.h"

#define DEPTH_MAX 100

enum kind {
    TEXT,
    TEXT_PTR, /* kept when it is empty */
    FLAG,
    FLAG_PTR, /* kept when it is false */
    INT,
    NUMBER,
    ANY,
    ANY_LIST,
    TEXT_LIST,
    SCHEMA,
    SCHEMA_LIST,
    SCHEMA_MAP,
    OR_LIST,  /* items: a schema or a list of them */
    OR_FLAG,  /* additionalProperties: a schema or a bool */
    OR_TEXTS, /* in dependencies: a schema or a list of strings */
    DEPENDENCIES,
    DOCS,
    RULE,
    RULES
};

struct field {
    const char *key;
    enum kind kind;
};

static const struct field schema_fields[] = {
    {"id", TEXT},
    {"$schema", TEXT},
    {"$ref", TEXT_PTR},
    {"description", TEXT},
    {"type", TEXT},
    {"format", TEXT},
    {"title", TEXT},
    {"default", ANY},
    {"maximum", NUMBER},
    {"exclusiveMaximum", FLAG},
    {"minimum", NUMBER},
    {"exclusiveMinimum", FLAG},
    {"maxLength", INT},
    {"minLength", INT},
    {"pattern", TEXT},
    {"maxItems", INT},
    {"minItems", INT},
    {"uniqueItems", FLAG},
    {"multipleOf", NUMBER},
    {"enum", ANY_LIST},
    {"maxProperties", INT},
    {"minProperties", INT},
    {"required", TEXT_LIST},
    {"items", OR_LIST},
    {"allOf", SCHEMA_LIST},
    {"oneOf", SCHEMA_LIST},
    {"anyOf", SCHEMA_LIST},
    {"not", SCHEMA},
    {"properties", SCHEMA_MAP},
    {"additionalProperties", OR_FLAG},
    {"patternProperties", SCHEMA_MAP},
    {"dependencies", DEPENDENCIES},
    {"additionalItems", OR_FLAG},
    {"definitions", SCHEMA_MAP},
    {"externalDocs", DOCS},
    {"example", ANY},
    {"nullable", FLAG},
    {"x-kubernetes-preserve-unknown-fields", FLAG_PTR},
    {"x-kubernetes-embedded-resource", FLAG},
    {"x-kubernetes-int-or-string", FLAG},
    {"x-kubernetes-list-map-keys", TEXT_LIST},
    {"x-kubernetes-list-type", TEXT_PTR},
    {"x-kubernetes-map-type", TEXT_PTR},
    {"x-kubernetes-validations", RULES},
};

static const struct field docs_fields[] = {{"description", TEXT},
                                           {"url", TEXT}};

static const struct field rule_fields[] = {
    {"rule", TEXT_PTR},   {"message", TEXT},   {"messageExpression", TEXT},
    {"reason", TEXT_PTR}, {"fieldPath", TEXT}, {"optionalOldSelf", FLAG_PTR}};

/* A Go struct. */
struct shape {
    const char *name;
    const struct field *fields;
    size_t n;
};

static const struct shape schema_shape = {"JSONSchemaProps", schema_fields,
                                          ARRAY_LEN(schema_fields)};
static const struct shape docs_shape = {"ExternalDocumentation", docs_fields,
                                        ARRAY_LEN(docs_fields)};
static const struct shape rule_shape = {"ValidationRule", rule_fields,
                                        ARRAY_LEN(rule_fields)};

/* What a kind is in JSON (JSON_NULL: not one thing) and in Go's words; whether
 * an empty one is left out; the kind of its elements or members, or the struct
 * that it is. */
static const struct {
    enum json_type type;
    bool omitempty;
    const char *go;
    enum kind element;
    const struct shape *shape;
} kinds[] = {
    [TEXT] = {JSON_STRING, true, "string", TEXT, NULL},
    [TEXT_PTR] = {JSON_STRING, false, "string", TEXT, NULL},
    [FLAG] = {JSON_BOOL, true, "bool", FLAG, NULL},
    [FLAG_PTR] = {JSON_BOOL, false, "bool", FLAG, NULL},
    [INT] = {JSON_NUMBER, false, "int64", INT, NULL},
    [NUMBER] = {JSON_NUMBER, false, "float64", NUMBER, NULL},
    [ANY] = {JSON_NULL, false, "v1.JSON", ANY, NULL},
    [ANY_LIST] = {JSON_ARRAY, true, "[]v1.JSON", ANY, NULL},
    [TEXT_LIST] = {JSON_ARRAY, true, "[]string", TEXT, NULL},
    [SCHEMA] = {JSON_OBJECT, false, "v1.JSONSchemaProps", SCHEMA,
                &schema_shape},
    [SCHEMA_LIST] = {JSON_ARRAY, true, "[]v1.JSONSchemaProps", SCHEMA, NULL},
    [SCHEMA_MAP] = {JSON_OBJECT, true, "map[string]v1.JSONSchemaProps", SCHEMA,
                    NULL},
    [OR_LIST] = {JSON_NULL, false, "", SCHEMA_LIST, NULL},
    [OR_FLAG] = {JSON_NULL, false, "", FLAG_PTR, NULL},
    [OR_TEXTS] = {JSON_NULL, false, "", TEXT_LIST, NULL},
    [DEPENDENCIES] = {JSON_OBJECT, true, "v1.JSONSchemaDependencies", OR_TEXTS,
                      NULL},
    [DOCS] = {JSON_OBJECT, false, "v1.ExternalDocumentation", DOCS,
              &docs_shape},
    [RULE] = {JSON_OBJECT, false, "v1.ValidationRule", RULE, &rule_shape},
    [RULES] = {JSON_ARRAY, true, "v1.ValidationRules", RULE, NULL},
};

/* Where the reader is: the innermost struct and the keys on the way to it. */
struct place {
    const struct place *up;
    const struct shape *shape;
    const char *key;
    unsigned depth;
};

static struct json *read_value(const struct json *j, enum kind k,
                               const struct place *at, struct error *err);

static void
add_path(const struct place *at, struct buf *out)
{
    if (!at)
        return;
    add_path(at->up, out);
    buf_printf(out, ".%s", at->key);
}

static struct json *
mismatch(const struct json *j, enum kind k, const struct place *at,
         struct error *err)
{
    static const char *const words[] = {"null",   "bool",  "number",
                                        "string", "array", "object"};
    AUTO(buf_release) struct buf path = BUF_INIT(768);
    bool number = k == INT && json_is(j, JSON_NUMBER);

    add_path(at, &path);
    error_set(err, ERR_INVALID,
              "json: cannot unmarshal %s%s%s into Go %s%s%s of type %s",
              words[json_type_of(j)], number ? " " : "",
              number ? json_number_text(j) : "", at ? "struct field " : "value",
              at ? at->shape->name : "", buf_cstr(&path), kinds[k].go);
    return NULL;
}

/* What Go's omitempty leaves out; a pointer keeps what it points to. */
static bool
is_omitted(const struct json *made, enum kind k)
{
    if (!kinds[k].omitempty)
        return false;
    if (json_is(made, JSON_BOOL))
        return !json_bool(made, false);
    return json_is(made, JSON_STRING) ? !*json_string(made)
                                      : json_len(made) == 0;
}

static const struct field *
find_field(const struct shape *s, const char *key)
{
    for (size_t i = 0; i < s->n; i++) {
        if (strcasecmp(s->fields[i].key, key) == 0)
            return &s->fields[i];
    }
    return NULL;
}

static struct json *
read_struct(const struct json *from, const struct shape *s,
            const struct place *at, struct error *err)
{
    AUTO(json_free_ptr) struct json *to = json_new_object();
    struct place here = {at, s, NULL, at ? at->depth + 1 : 1};
    struct json *done = to;

    if (here.depth > DEPTH_MAX) {
        error_set(err, ERR_LIMIT, "a schema deeper than %d levels", DEPTH_MAX);
        return NULL;
    }
    for (const struct json *j = json_first(from); j; j = json_next(j)) {
        const struct field *f = find_field(s, json_key(j));
        struct json *made;

        if (!f || json_is(j, JSON_NULL))
            continue;
        here.key = f->key;
        made = read_value(j, f->kind, &here, err);
        if (!made)
            return NULL;
        if (is_omitted(made, f->kind))
            json_free(made);
        else
            json_set(to, f->key, made);
    }
    to = NULL;
    return done;
}

/* The elements of a list or the members of a map. */
static struct json *
read_each(const struct json *from, enum kind element, const struct place *at,
          struct error *err)
{
    bool list = json_is(from, JSON_ARRAY);
    AUTO(json_free_ptr)
    struct json *to = list ? json_new_array() : json_new_object();
    struct json *done = to;

    for (const struct json *j = json_first(from); j; j = json_next(j)) {
        struct json *made = read_value(j, element, at, err);

        if (!made)
            return NULL;
        if (list)
            json_append(to, made);
        else
            json_set(to, json_key(j), made);
    }
    to = NULL;
    return done;
}

/* A schema, or something else; what is neither becomes null in a list or a
 * map, and is refused where a bool is expected. */
static struct json *
read_either(const struct json *j, enum kind k, const struct place *at,
            struct error *err)
{
    enum kind other = kinds[k].element;

    if (json_is(j, JSON_OBJECT))
        return read_value(j, SCHEMA, at, err);
    if (json_is(j, kinds[other].type))
        return read_value(j, other, at, err);
    if (k != OR_FLAG)
        return json_new_null();
    error_set(err, ERR_INVALID, "boolean or JSON schema expected");
    return NULL;
}

/* What a null is in a list or a map: Go's zero value. */
static struct json *
zero_value(enum kind k)
{
    if (k == TEXT)
        return json_new_string("");
    return kinds[k].shape ? json_new_object() : json_new_null();
}

static struct json *
read_value(const struct json *j, enum kind k, const struct place *at,
           struct error *err)
{
    int64_t n;

    if (json_is(j, JSON_NULL))
        return zero_value(k);
    if (k == ANY)
        return json_copy(j);
    if (kinds[k].type == JSON_NULL)
        return read_either(j, k, at, err);
    if (!json_is(j, kinds[k].type) || (k == INT && !json_int64(j, &n)))
        return mismatch(j, k, at, err);
    if (kinds[k].shape)
        return read_struct(j, kinds[k].shape, at, err);
    if (json_is(j, JSON_ARRAY) || json_is(j, JSON_OBJECT))
        return read_each(j, kinds[k].element, at, err);
    return json_copy(j);
}

struct json *
props_read(const struct json *schema, struct error *err)
{
    return read_value(schema, SCHEMA, NULL, err);
}
