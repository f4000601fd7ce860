#include "lib/schema/go_print.h"

#include <stdlib.h>

#include "lib/base/mem.h"

/*
 * Errors of the API server show schemas, rules and versions as encoding/json
 * writes its internal types: all fields, by their names in Go, in their order.
 */

enum kind {
    TEXT,
    OPTIONAL_TEXT,
    BOOL,
    ANY,    /* null or the value as it is */
    FLOAT,  /* null or a number */
    LIST,   /* null or the list as it is */
    SCHEMA, /* null or a schema */
    SCHEMAS,
    SCHEMA_MAP,
    SCHEMA_OR_BOOL,
    SCHEMA_OR_LIST,
    DEPENDENCIES,
    DOCS,
    RULES
};

struct field {
    const char *go, *key;
    enum kind kind;
};

static const struct field schema_fields[] = {
    {"ID", "id", TEXT},
    {"Schema", "$schema", TEXT},
    {"Ref", "$ref", OPTIONAL_TEXT},
    {"Description", "description", TEXT},
    {"Type", "type", TEXT},
    {"Nullable", "nullable", BOOL},
    {"Format", "format", TEXT},
    {"Title", "title", TEXT},
    {"Default", "default", ANY},
    {"Maximum", "maximum", FLOAT},
    {"ExclusiveMaximum", "exclusiveMaximum", BOOL},
    {"Minimum", "minimum", FLOAT},
    {"ExclusiveMinimum", "exclusiveMinimum", BOOL},
    {"MaxLength", "maxLength", ANY},
    {"MinLength", "minLength", ANY},
    {"Pattern", "pattern", TEXT},
    {"MaxItems", "maxItems", ANY},
    {"MinItems", "minItems", ANY},
    {"UniqueItems", "uniqueItems", BOOL},
    {"MultipleOf", "multipleOf", FLOAT},
    {"Enum", "enum", LIST},
    {"MaxProperties", "maxProperties", ANY},
    {"MinProperties", "minProperties", ANY},
    {"Required", "required", LIST},
    {"Items", "items", SCHEMA_OR_LIST},
    {"AllOf", "allOf", SCHEMAS},
    {"OneOf", "oneOf", SCHEMAS},
    {"AnyOf", "anyOf", SCHEMAS},
    {"Not", "not", SCHEMA},
    {"Properties", "properties", SCHEMA_MAP},
    {"AdditionalProperties", "additionalProperties", SCHEMA_OR_BOOL},
    {"PatternProperties", "patternProperties", SCHEMA_MAP},
    {"Dependencies", "dependencies", DEPENDENCIES},
    {"AdditionalItems", "additionalItems", SCHEMA_OR_BOOL},
    {"Definitions", "definitions", SCHEMA_MAP},
    {"ExternalDocs", "externalDocs", DOCS},
    {"Example", "example", ANY},
    {"XPreserveUnknownFields", "x-kubernetes-preserve-unknown-fields", ANY},
    {"XEmbeddedResource", "x-kubernetes-embedded-resource", BOOL},
    {"XIntOrString", "x-kubernetes-int-or-string", BOOL},
    {"XListMapKeys", "x-kubernetes-list-map-keys", LIST},
    {"XListType", "x-kubernetes-list-type", ANY},
    {"XMapType", "x-kubernetes-map-type", ANY},
    {"XValidations", "x-kubernetes-validations", RULES},
};

static const struct field rule_fields[] = {
    {"Rule", "rule", TEXT},
    {"Message", "message", TEXT},
    {"MessageExpression", "messageExpression", TEXT},
    {"Reason", "reason", ANY},
    {"FieldPath", "fieldPath", TEXT},
    {"OptionalOldSelf", "optionalOldSelf", ANY},
};

static const struct field docs_fields[] = {
    {"Description", "description", TEXT},
    {"URL", "url", TEXT},
};

static const struct field column_fields[] = {
    {"Name", "name", TEXT},        {"Type", "type", TEXT},
    {"Format", "format", TEXT},    {"Description", "description", TEXT},
    {"Priority", "priority", ANY}, {"JSONPath", "jsonPath", TEXT},
};

static const struct field scale_fields[] = {
    {"SpecReplicasPath", "specReplicasPath", TEXT},
    {"StatusReplicasPath", "statusReplicasPath", TEXT},
    {"LabelSelectorPath", "labelSelectorPath", ANY},
};

static struct json *print_field(const struct json *v, enum kind kind);

static struct json *
print(const struct json *v, const struct field *fields, size_t n)
{
    struct json *out = json_new_object();

    for (size_t i = 0; i < n; i++)
        json_set(out, fields[i].go,
                 print_field(json_get(v, fields[i].key), fields[i].kind));
    return out;
}

struct json *
go_print_schema(const struct json *schema)
{
    return print(schema, schema_fields, ARRAY_LEN(schema_fields));
}

struct json *
go_print_rule(const struct json *rule)
{
    return print(rule, rule_fields, ARRAY_LEN(rule_fields));
}

static struct json *
copy_or_null(const struct json *v)
{
    return v ? json_copy(v) : json_new_null();
}

/* Go sorts the keys of maps. */
static struct json *
print_map(const struct json *v, struct json *(*one)(const struct json *))
{
    AUTO(strlist_release) struct strlist keys = {0};
    struct json *out = json_new_object();

    for (const struct json *m = json_first(v); m; m = json_next(m))
        strlist_add(&keys, str_of(json_key(m)));
    strlist_sort(&keys);
    for (size_t i = 0; i < keys.n; i++)
        json_set(out, keys.v[i], one(json_get(v, keys.v[i])));
    return out;
}

static struct json *
print_list(const struct json *v, struct json *(*one)(const struct json *))
{
    struct json *out = json_new_array();

    for (const struct json *e = json_first(v); e; e = json_next(e))
        json_append(out, one(e));
    return out;
}

static struct json *
print_or_bool(const struct json *v)
{
    struct json *out = json_new_object();
    bool schema = json_is(v, JSON_OBJECT);

    json_set(out, "Allows", json_new_bool(schema || json_bool(v, true)));
    json_set(out, "Schema", schema ? go_print_schema(v) : json_new_null());
    return out;
}

static struct json *
print_or_list(const struct json *v)
{
    struct json *out = json_new_object();
    bool list = json_is(v, JSON_ARRAY);

    json_set(out, "Schema", list ? json_new_null() : go_print_schema(v));
    json_set(out, "JSONSchemas",
             list ? print_list(v, go_print_schema) : json_new_null());
    return out;
}

static struct json *
print_dependency(const struct json *v)
{
    struct json *out = json_new_object();
    bool list = json_is(v, JSON_ARRAY);

    json_set(out, "Schema", list ? json_new_null() : go_print_schema(v));
    json_set(out, "Property", list ? json_copy(v) : json_new_null());
    return out;
}

static struct json *
print_float(const struct json *v)
{
    AUTO(buf_release) struct buf b = BUF_INIT(64);
    double d = 0;

    json_double(v, &d);
    json_print_float(d, true, &b);
    return json_new_number(buf_view(&b));
}

static struct json *
print_field(const struct json *v, enum kind kind)
{
    if (kind == TEXT)
        return json_new_string(json_string_or(v, ""));
    if (kind == BOOL)
        return json_new_bool(json_bool(v, false));
    if (!v || json_is(v, JSON_NULL))
        return json_new_null();
    switch (kind) {
    case FLOAT:
        return print_float(v);
    case SCHEMA:
        return go_print_schema(v);
    case SCHEMAS:
        return print_list(v, go_print_schema);
    case SCHEMA_MAP:
        return print_map(v, go_print_schema);
    case SCHEMA_OR_BOOL:
        return print_or_bool(v);
    case SCHEMA_OR_LIST:
        return print_or_list(v);
    case DEPENDENCIES:
        return print_map(v, print_dependency);
    case DOCS:
        return print(v, docs_fields, ARRAY_LEN(docs_fields));
    case RULES:
        return print_list(v, go_print_rule);
    default:
        return copy_or_null(v);
    }
}

/* ---- versions ---- */

static struct json *
print_column(const struct json *v)
{
    struct json *out = print(v, column_fields, ARRAY_LEN(column_fields));

    if (json_is(json_get(out, "Priority"), JSON_NULL))
        json_set(out, "Priority", json_new_int(0));
    return out;
}

static struct json *
print_selectable(const struct json *v)
{
    static const struct field fields[] = {{"JSONPath", "jsonPath", TEXT}};

    return print(v, fields, ARRAY_LEN(fields));
}

static struct json *
print_subresources(const struct json *v)
{
    struct json *out = json_new_object();
    const struct json *scale = json_get(v, "scale");

    json_set(out, "Status",
             json_get(v, "status") ? json_new_object() : json_new_null());
    json_set(out, "Scale",
             scale ? print(scale, scale_fields, ARRAY_LEN(scale_fields))
                   : json_new_null());
    return out;
}

static struct json *
print_validation(const struct json *v)
{
    const struct json *schema = json_get(v, "openAPIV3Schema");
    struct json *out = json_new_object();

    json_set(out, "OpenAPIV3Schema",
             schema ? go_print_schema(schema) : json_new_null());
    return out;
}

static struct json *
print_version(const struct json *v, const struct go_hoisted *up)
{
    static const struct field fields[] = {
        {"Name", "name", TEXT},
        {"Served", "served", BOOL},
        {"Storage", "storage", BOOL},
        {"Deprecated", "deprecated", BOOL},
        {"DeprecationWarning", "deprecationWarning", ANY},
    };
    struct json *out = print(v, fields, ARRAY_LEN(fields));
    const struct json *schema = up->schema ? NULL : json_get(v, "schema");
    const struct json *sub =
        up->subresources ? NULL : json_get(v, "subresources");
    const struct json *columns =
        up->columns ? NULL : json_get(v, "additionalPrinterColumns");
    const struct json *fields_of =
        up->selectable ? NULL : json_get(v, "selectableFields");

    json_set(out, "Schema",
             schema ? print_validation(schema) : json_new_null());
    json_set(out, "Subresources",
             sub ? print_subresources(sub) : json_new_null());
    json_set(out, "AdditionalPrinterColumns",
             columns ? print_list(columns, print_column) : json_new_null());
    json_set(out, "SelectableFields",
             fields_of ? print_list(fields_of, print_selectable)
                       : json_new_null());
    return out;
}

char *
go_print_versions(const struct json *versions, const struct go_hoisted *up)
{
    AUTO(json_free_ptr) struct json *list = NULL;

    if (!json_is(versions, JSON_ARRAY))
        return mem_strdup("null");
    list = json_new_array();
    for (const struct json *v = json_first(versions); v; v = json_next(v))
        json_append(list, print_version(v, up));
    return json_text(list, JSON_HTML);
}
