#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/schema/node.h"

/*
 * One walk over the JSON makes the nodes and finds what keeps a schema from
 * being structural: apiextensions-apiserver's schema/validation.go and
 * apis/apiextensions/validation (ValidateCustomResourceDefinitionOpenAPISchema)
 * together, in their words.
 *
 * Below allOf, anyOf, oneOf and not a schema may only say what values are
 * valid, and only about properties that the schema around them (outer) has.
 */

#define REQUIRED  "FieldValueRequired"
#define INVALID   "FieldValueInvalid"
#define FORBIDDEN "FieldValueForbidden"

enum { MAX_DEPTH = 100, MAX_NODES = 100000 };

enum level { LEVEL_ROOT, LEVEL_ITEM, LEVEL_FIELD, LEVEL_NESTED };

struct compiler {
    struct schema_root *root;
    struct schema_findings *problems;
    struct strlist *warnings;
    struct buf path;
    unsigned depth;
    size_t rule_problems; /* of problems, those of rules */
};

/* ---- problems ---- */

static void
problem(struct compiler *c, const char *field, const char *reason,
        const char *message)
{
    size_t mark = schema_path_key(&c->path, field);

    schema_findings_add(c->problems, buf_cstr(&c->path), reason, "%s", message);
    buf_truncate(&c->path, mark);
}

static void
invalid(struct compiler *c, const char *field, const struct json *value,
        const char *why)
{
    AUTO(mem_free_ptr) char *text = json_text(value, JSON_SORTED);
    AUTO(mem_free_ptr)
    char *message =
        mem_printf("Invalid value: %s: %s", value ? text : "\"\"", why);

    problem(c, field, INVALID, message);
}

static void
unsupported(struct compiler *c, const char *field, const char *value,
            const char *choices)
{
    AUTO(mem_free_ptr)
    char *message = mem_printf(
        "Unsupported value: \"%s\": supported values: %s", value, choices);

    problem(c, field, "FieldValueNotSupported", message);
}

/* Warnings write "properties[a]" as "properties.a". */
static void
warn_unknown(struct compiler *c, const char *key)
{
    AUTO(buf_release) struct buf plain = BUF_INIT(8192);

    if (!c->warnings || c->warnings->n >= 100)
        return;
    for (size_t i = 0; i < c->path.n; i++) {
        char ch = c->path.s[i];

        if (ch == '[' && i + 1 < c->path.n &&
            (c->path.s[i + 1] < '0' || c->path.s[i + 1] > '9')) {
            buf_putc(&plain, '.');
            while (++i < c->path.n && c->path.s[i] != ']')
                buf_putc(&plain, c->path.s[i]);
        } else {
            buf_putc(&plain, ch);
        }
    }
    strlist_addf(c->warnings, "unknown field \"%s.%s\"", buf_cstr(&plain), key);
}

static size_t
path_in(struct compiler *c, const char *list, const char *key)
{
    size_t mark = schema_path_key(&c->path, list);

    if (key)
        buf_printf(&c->path, "[%s]", key);
    return mark;
}

/* ---- keywords ---- */

enum kind { K_ANY, K_STRING, K_BOOL, K_INT, K_NUMBER, K_ARRAY, K_OBJECT };

static const struct {
    const char *name;
    enum kind kind;
    const char *forbidden; /* not supported at all, in these words */
} keywords[] = {
    {"$ref", K_STRING, "$ref is not supported"},
    {"$schema", K_STRING, "schema is not supported"},
    {"additionalItems", K_ANY, "additionalItems is not supported"},
    {"additionalProperties", K_ANY, NULL},
    {"allOf", K_ARRAY, NULL},
    {"anyOf", K_ARRAY, NULL},
    {"default", K_ANY, NULL},
    {"definitions", K_ANY, "definitions is not supported"},
    {"dependencies", K_ANY, "dependencies is not supported"},
    {"description", K_STRING, NULL},
    {"enum", K_ARRAY, NULL},
    {"example", K_ANY, NULL},
    {"exclusiveMaximum", K_BOOL, NULL},
    {"exclusiveMinimum", K_BOOL, NULL},
    {"externalDocs", K_OBJECT, NULL},
    {"format", K_STRING, NULL},
    {"id", K_STRING, "id is not supported"},
    {"items", K_ANY, NULL},
    {"maxItems", K_INT, NULL},
    {"maxLength", K_INT, NULL},
    {"maxProperties", K_INT, NULL},
    {"maximum", K_NUMBER, NULL},
    {"minItems", K_INT, NULL},
    {"minLength", K_INT, NULL},
    {"minProperties", K_INT, NULL},
    {"minimum", K_NUMBER, NULL},
    {"multipleOf", K_NUMBER, NULL},
    {"not", K_OBJECT, NULL},
    {"nullable", K_BOOL, NULL},
    {"oneOf", K_ARRAY, NULL},
    {"pattern", K_STRING, NULL},
    {"patternProperties", K_ANY, "patternProperties is not supported"},
    {"properties", K_OBJECT, NULL},
    {"required", K_ARRAY, NULL},
    {"title", K_STRING, NULL},
    {"type", K_STRING, NULL},
    {"uniqueItems", K_BOOL, NULL},
    {"x-kubernetes-embedded-resource", K_BOOL, NULL},
    {"x-kubernetes-int-or-string", K_BOOL, NULL},
    {"x-kubernetes-list-map-keys", K_ARRAY, NULL},
    {"x-kubernetes-list-type", K_STRING, NULL},
    {"x-kubernetes-map-type", K_STRING, NULL},
    {"x-kubernetes-preserve-unknown-fields", K_BOOL, NULL},
    {"x-kubernetes-validations", K_ARRAY, NULL},
};

static bool
fits_kind(const struct json *v, enum kind kind)
{
    static const enum json_type types[] = {
        [K_STRING] = JSON_STRING, [K_BOOL] = JSON_BOOL,
        [K_INT] = JSON_NUMBER,    [K_NUMBER] = JSON_NUMBER,
        [K_ARRAY] = JSON_ARRAY,   [K_OBJECT] = JSON_OBJECT,
    };
    int64_t n;

    return kind == K_ANY || json_is(v, JSON_NULL) ||
           (json_type_of(v) == types[kind] &&
            (kind != K_INT || json_int64(v, &n)));
}

/* Unknown, unsupported and mistyped keywords. */
static void
check_keywords(struct compiler *c, const struct json *j)
{
    for (struct json *m = json_first(j); m; m = json_next(m)) {
        const char *key = json_key(m);
        size_t i = 0;

        while (i < ARRAY_LEN(keywords) && strcmp(keywords[i].name, key) != 0)
            i++;
        if (i == ARRAY_LEN(keywords))
            warn_unknown(c, key);
        else if (!fits_kind(m, keywords[i].kind))
            invalid(c, key, m, "has the wrong type");
        else if (keywords[i].forbidden) {
            AUTO(mem_free_ptr)
            char *message = mem_printf("Forbidden: %s", keywords[i].forbidden);

            problem(c, key, FORBIDDEN, message);
        }
    }
}

/* ---- one node ---- */

static struct schema *compile(struct compiler *c, const struct json *j,
                              enum level level, const struct json *outer);

static int64_t
size_or_none(const struct json *j, const char *key)
{
    return json_int64_or(json_get(j, key), -1);
}

static const struct json *
number_at(const struct json *j, const char *key)
{
    const struct json *v = json_get(j, key);

    return json_is(v, JSON_NUMBER) ? v : NULL;
}

static enum schema_type
type_named(const char *name)
{
    for (int t = SCHEMA_OBJECT; t <= SCHEMA_BOOLEAN; t++) {
        if (strcmp(schema_type_name((enum schema_type)t), name) == 0)
            return (enum schema_type)t;
    }
    return SCHEMA_ANY;
}

static struct schema_info
read_info(const struct json *j)
{
    const struct json *choices = json_get(j, "enum");
    const struct json *rules = json_get(j, "x-kubernetes-validations");

    return (struct schema_info){
        .type = type_named(json_string_or(json_get(j, "type"), "")),
        .format = json_string_or(json_get(j, "format"), ""),
        .title = json_string_or(json_get(j, "title"), ""),
        .description = json_string_or(json_get(j, "description"), ""),
        .pattern = json_string_or(json_get(j, "pattern"), ""),
        .fallback = json_get(j, "default"),
        .choices = json_first(choices) ? choices : NULL,
        .example = json_get(j, "example"),
        .minimum = number_at(j, "minimum"),
        .maximum = number_at(j, "maximum"),
        .multiple_of = number_at(j, "multipleOf"),
        .exclusive_minimum = json_bool(json_get(j, "exclusiveMinimum"), false),
        .exclusive_maximum = json_bool(json_get(j, "exclusiveMaximum"), false),
        .min_length = size_or_none(j, "minLength"),
        .max_length = size_or_none(j, "maxLength"),
        .min_items = size_or_none(j, "minItems"),
        .max_items = size_or_none(j, "maxItems"),
        .min_properties = size_or_none(j, "minProperties"),
        .max_properties = size_or_none(j, "maxProperties"),
        .nullable = json_bool(json_get(j, "nullable"), false),
        .unique_items = json_bool(json_get(j, "uniqueItems"), false),
        .preserve_unknown = json_bool(
            json_get(j, "x-kubernetes-preserve-unknown-fields"), false),
        .embedded_resource =
            json_bool(json_get(j, "x-kubernetes-embedded-resource"), false),
        .int_or_string =
            json_bool(json_get(j, "x-kubernetes-int-or-string"), false),
        .map_atomic =
            strcmp(json_string_or(json_get(j, "x-kubernetes-map-type"), ""),
                   "atomic") == 0,
        .rules = json_first(rules) ? rules : NULL,
    };
}

static struct schema *
new_node(struct compiler *c, const struct json *j)
{
    struct schema_root *root = c->root;
    struct schema *s = arena_alloc(root->arena, sizeof(*s));

    s->info = read_info(j);
    s->info.list_keys = arena_alloc(root->arena, sizeof(struct strlist));
    s->root = root;
    s->next = root->nodes;
    root->nodes = s;
    root->node_count++;
    for (struct json *r = json_first(json_get(j, "required")); r;
         r = json_next(r)) {
        if (json_string(r))
            strlist_add(&s->required, str_of(json_string(r)));
    }
    return s;
}

/* ---- what a node may say ---- */

static void
check_type(struct compiler *c, const struct schema *s, const struct json *j,
           enum level level)
{
    static const char *const needed[] = {
        [LEVEL_ROOT] = "Required value: must not be empty at the root",
        [LEVEL_ITEM] =
            "Required value: must not be empty for specified array items",
        [LEVEL_FIELD] =
            "Required value: must not be empty for specified object fields",
    };
    const char *type = json_string_or(json_get(j, "type"), "");

    if (*type && s->info.type == SCHEMA_ANY) {
        unsupported(c, "type", type,
                    "\"array\", \"boolean\", \"integer\", \"number\", "
                    "\"object\", \"string\"");
        return;
    }
    if (level == LEVEL_ROOT && s->info.nullable)
        problem(c, "nullable", FORBIDDEN,
                "Forbidden: nullable cannot be true at the root");
    if (s->info.embedded_resource && s->info.type != SCHEMA_OBJECT) {
        const char *must =
            "must be object if x-kubernetes-embedded-resource is true";
        AUTO(mem_free_ptr)
        char *message = mem_printf("Required value: %s", must);

        if (*type)
            invalid(c, "type", json_get(j, "type"), must);
        else
            problem(c, "type", REQUIRED, message);
    } else if (!*type && !s->info.int_or_string && !s->info.preserve_unknown) {
        problem(c, "type", REQUIRED, needed[level]);
    } else if (level == LEVEL_ROOT && *type && s->info.type != SCHEMA_OBJECT) {
        invalid(c, "type", json_get(j, "type"), "must be object at the root");
    }
}

/* Below allOf and its sisters. The one exception is how int-or-string is
 * written out: anyOf: [{type: integer}, {type: string}]. */
static void
check_nested(struct compiler *c, const struct json *j, const struct json *outer)
{
    static const struct {
        const char *key, *message;
    } banned[] = {
        {"type", "Forbidden: must be empty to be structural"},
        {"title", "Forbidden: must be empty to be structural"},
        {"description", "Forbidden: must be empty to be structural"},
        {"default", "Forbidden: must be undefined to be structural"},
        {"additionalProperties",
         "Forbidden: must be undefined to be structural"},
        {"nullable", "Forbidden: must be false to be structural"},
        {"x-kubernetes-preserve-unknown-fields",
         "Forbidden: must be false to be structural"},
        {"x-kubernetes-embedded-resource",
         "Forbidden: must be false to be structural"},
        {"x-kubernetes-int-or-string",
         "Forbidden: must be false to be structural"},
        {"x-kubernetes-list-type",
         "Forbidden: must be undefined to be structural"},
        {"x-kubernetes-list-map-keys",
         "Forbidden: must be empty to be structural"},
        {"x-kubernetes-map-type",
         "Forbidden: must be undefined to be structural"},
    };
    bool int_or_string =
        json_bool(json_get(outer, "x-kubernetes-int-or-string"), false);

    for (size_t i = 0; i < ARRAY_LEN(banned); i++) {
        struct json *v = json_get(j, banned[i].key);

        if (!v || (json_is(v, JSON_BOOL) && !json_bool(v, true)) ||
            (i == 0 && int_or_string))
            continue;
        problem(c, banned[i].key, FORBIDDEN, banned[i].message);
    }
}

static void
check_map_keys(struct compiler *c, struct schema *s, const struct json *j)
{
    struct json *keys = json_get(j, "x-kubernetes-list-map-keys");
    struct json *items = json_get(j, "items");

    if (s->info.list == SCHEMA_LIST_MAP && !json_first(keys))
        problem(c, "x-kubernetes-list-map-keys", REQUIRED,
                "Required value: must not be empty if x-kubernetes-list-type "
                "is map");
    if (s->info.list != SCHEMA_LIST_MAP && json_first(keys))
        invalid(c, "x-kubernetes-list-type",
                json_get(j, "x-kubernetes-list-type"),
                "must be map if x-kubernetes-list-map-keys is non-empty");
    for (struct json *k = json_first(keys); k; k = json_next(k)) {
        const char *name = json_string_or(k, "");
        struct json *property = json_at(items, "properties", name, NULL);
        bool required = false;

        strlist_add((struct strlist *)s->info.list_keys, str_of(name));
        for (struct json *r = json_first(json_get(items, "required")); r;
             r = json_next(r))
            required |= strcmp(json_string_or(r, ""), name) == 0;
        if (!property)
            invalid(c, "x-kubernetes-list-map-keys", keys,
                    "entries must all be names of item properties");
        else if (!required && !json_get(property, "default")) {
            size_t mark = path_in(c, "items.properties", name);

            problem(c, "default", REQUIRED,
                    "Required value: this property is in "
                    "x-kubernetes-list-map-keys, so it must have a default "
                    "or be a required property");
            buf_truncate(&c->path, mark);
        }
    }
}

/* Items of a set are compared as a whole. */
static void
check_set_items(struct compiler *c, const struct json *items)
{
    const char *type = json_string_or(json_get(items, "type"), "");
    const char *how = strcmp(type, "array") == 0    ? "x-kubernetes-list-type"
                      : strcmp(type, "object") == 0 ? "x-kubernetes-map-type"
                                                    : NULL;
    size_t mark = schema_path_key(&c->path, "items");
    struct json *v = how ? json_get(items, how) : NULL;

    if (how && strcmp(json_string_or(v, ""), "atomic") != 0) {
        AUTO(json_free_ptr) struct json *none = json_new_null();

        invalid(c, how, v ? v : none,
                "must be atomic as item of a list with "
                "x-kubernetes-list-type=set");
    }
    if (json_bool(json_get(items, "nullable"), false))
        problem(c, "nullable", FORBIDDEN,
                "Forbidden: cannot be nullable when x-kubernetes-list-type is "
                "set");
    buf_truncate(&c->path, mark);
}

static void
check_list(struct compiler *c, struct schema *s, const struct json *j)
{
    const char *list =
        json_string_or(json_get(j, "x-kubernetes-list-type"), "");
    const char *map = json_string_or(json_get(j, "x-kubernetes-map-type"), "");

    if (strcmp(list, "map") == 0)
        s->info.list = SCHEMA_LIST_MAP;
    else if (strcmp(list, "set") == 0)
        s->info.list = SCHEMA_LIST_SET;
    else if (*list && strcmp(list, "atomic") != 0)
        unsupported(c, "x-kubernetes-list-type", list,
                    "\"atomic\", \"set\", \"map\"");
    if (*list && s->info.type != SCHEMA_ARRAY)
        invalid(c, "type", json_get(j, "type"),
                "must be array if x-kubernetes-list-type is specified");
    if (*map && strcmp(map, "atomic") != 0 && strcmp(map, "granular") != 0)
        unsupported(c, "x-kubernetes-map-type", map,
                    "\"atomic\", \"granular\"");
    if (*map && s->info.type != SCHEMA_OBJECT)
        invalid(c, "type", json_get(j, "type"),
                "must be object if x-kubernetes-map-type is specified");
    check_map_keys(c, s, j);
    if (s->info.list == SCHEMA_LIST_SET)
        check_set_items(c, json_get(j, "items"));
    if (s->info.unique_items)
        problem(c, "uniqueItems", FORBIDDEN,
                "Forbidden: uniqueItems cannot be set to true since the "
                "runtime complexity becomes quadratic");
}

static void
compile_pattern(struct compiler *c, struct schema *s)
{
    struct error err = {0};

    if (*s->info.format && !schema_format_known(s->info.format) &&
        c->warnings && c->warnings->n < 100)
        strlist_addf(c->warnings, "unrecognized format \"%s\"", s->info.format);
    if (!*s->info.pattern)
        return;
    s->pattern = re_compile(str_of(s->info.pattern), &err);
    if (s->pattern)
        return;
    AUTO(json_free_ptr) struct json *pattern = json_new_string(s->info.pattern);
    AUTO(mem_free_ptr)
    char *why = mem_printf("must be a valid regular expression, but isn't: %s",
                           err.msg);

    invalid(c, "pattern", pattern, why);
}

/* A default must be valid and may not hold unknown fields. */
static void
check_default(struct compiler *c, const struct schema *s)
{
    AUTO(strlist_release) struct strlist unknown = {0};
    AUTO(json_free_ptr) struct json *copy = json_copy(s->info.fallback);

    if (!copy)
        return;
    schema_prune(s, copy, true, &unknown);
    if (unknown.n)
        invalid(c, "default", copy, "must not have unknown fields");
    size_t mark = schema_path_key(&c->path, "default");

    schema_check(s, copy, buf_cstr(&c->path), "", c->problems);
    buf_truncate(&c->path, mark);
}

/* apiVersion, kind and metadata of a resource have a meaning already. */
static void
check_resource(struct compiler *c, const struct schema *s, const struct json *j,
               enum level level)
{
    static const char *const strings[] = {"apiVersion", "kind"};

    if (level != LEVEL_ROOT && !s->info.embedded_resource)
        return;
    for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
        const struct schema *p = schema_member(s, strings[i]);
        size_t mark = path_in(c, "properties", strings[i]);

        if (p && p->info.type != SCHEMA_STRING)
            invalid(c, "type",
                    json_at(j, "properties", strings[i], "type", NULL),
                    "must be string");
        buf_truncate(&c->path, mark);
    }
    size_t mark = path_in(c, "properties", "metadata");
    const struct schema_property *meta = schema_find(s, "metadata");

    if (meta && meta->schema->info.type != SCHEMA_OBJECT)
        invalid(c, "type", json_at(j, "properties", "metadata", "type", NULL),
                "must be object");
    for (size_t i = 0; meta && i < meta->schema->property_count; i++) {
        const char *name = meta->schema->properties[i].name;

        if (strcmp(name, "name") == 0 || strcmp(name, "generateName") == 0)
            continue;
        schema_findings_add(c->problems, buf_cstr(&c->path), FORBIDDEN,
                            "Forbidden: must not specify anything other than "
                            "name and generateName, but metadata is "
                            "implicitly specified");
        break;
    }
    buf_truncate(&c->path, mark);
    if (s->info.embedded_resource && !s->info.preserve_unknown &&
        !s->property_count)
        problem(c, "properties", REQUIRED,
                "Required value: must not be empty if "
                "x-kubernetes-embedded-resource is true without "
                "x-kubernetes-preserve-unknown-fields");
}

/* ---- children ---- */

static int
by_name(const void *a, const void *b)
{
    return strcmp((*(struct schema_property *const *)a)->name,
                  (*(struct schema_property *const *)b)->name);
}

/* The path without its steps into allOf and its sisters. */
static void
outer_path(const struct buf *path, struct buf *out)
{
    static const char *const steps[] = {".allOf[", ".anyOf[", ".oneOf[",
                                        ".not"};
    const char *p = buf_cstr(path);

    while (*p) {
        size_t i = 0;

        while (i < ARRAY_LEN(steps) &&
               strncmp(p, steps[i], strlen(steps[i])) != 0)
            i++;
        if (i == ARRAY_LEN(steps)) {
            buf_putc(out, *p++);
            continue;
        }
        p += strlen(steps[i]);
        if (steps[i][strlen(steps[i]) - 1] == '[')
            p += strcspn(p, "]") + 1;
    }
}

/* A nested schema may speak of known properties only. */
static void
check_complete(struct compiler *c, const char *name, const struct json *outer)
{
    AUTO(buf_release) struct buf path = BUF_INIT(8192);

    if (json_at(outer, "properties", name, NULL) ||
        json_is(json_get(outer, "additionalProperties"), JSON_OBJECT))
        return;
    outer_path(&c->path, &path);
    schema_findings_add(c->problems, buf_cstr(&path), REQUIRED,
                        "Required value: because it is defined in %s",
                        buf_cstr(&c->path));
}

static const struct json *
outer_member(const struct json *outer, const char *name)
{
    const struct json *p = json_at(outer, "properties", name, NULL);

    return p ? p : json_get(outer, "additionalProperties");
}

static void
compile_properties(struct compiler *c, struct schema *s, const struct json *j,
                   enum level level, const struct json *outer)
{
    struct json *list = json_get(j, "properties");
    size_t n, i = 0;

    if (!json_is(list, JSON_OBJECT)) /* check_keywords has said so */
        list = NULL;
    n = json_len(list);
    s->properties = arena_array(c->root->arena, n, sizeof(*s->properties));
    s->by_name = arena_array(c->root->arena, n, sizeof(*s->by_name));
    for (struct json *p = json_first(list); p; p = json_next(p)) {
        size_t mark = path_in(c, "properties", json_key(p));
        struct schema *child;

        if (level == LEVEL_NESTED) {
            check_complete(c, json_key(p), outer);
            child = compile(c, p, level, outer_member(outer, json_key(p)));
        } else {
            child = compile(c, p, LEVEL_FIELD, NULL);
        }
        buf_truncate(&c->path, mark);
        if (!child)
            continue;
        s->properties[i] = (struct schema_property){
            json_key(p), child, strlist_has(&s->required, str_of(json_key(p)))};
        s->by_name[i] = &s->properties[i];
        i++;
    }
    s->property_count = i;
    if (i)
        qsort(s->by_name, i, sizeof(*s->by_name), by_name);
}

static void
compile_values(struct compiler *c, struct schema *s, const struct json *j,
               enum level level)
{
    struct json *values = json_get(j, "additionalProperties");

    if (!values || level == LEVEL_NESTED)
        return;
    if (json_is(values, JSON_BOOL)) {
        s->any_values = true; /* false does not prune, it refuses */
        s->closed = !json_bool(values, false);
        return;
    }
    if (s->info.embedded_resource)
        problem(c, "additionalProperties", FORBIDDEN,
                "Forbidden: must not be used if "
                "x-kubernetes-embedded-resource is set");
    if (json_first(json_get(j, "properties")))
        problem(c, "additionalProperties", FORBIDDEN,
                "Forbidden: additionalProperties and properties are mutual "
                "exclusive");
    size_t mark = schema_path_key(&c->path, "additionalProperties");

    s->values = compile(c, values, LEVEL_FIELD, NULL);
    buf_truncate(&c->path, mark);
}

static void
compile_items(struct compiler *c, struct schema *s, const struct json *j,
              enum level level, const struct json *outer)
{
    struct json *items = json_get(j, "items");
    size_t mark = schema_path_key(&c->path, "items");

    if (json_is(items, JSON_ARRAY))
        schema_findings_add(c->problems, buf_cstr(&c->path), FORBIDDEN,
                            "Forbidden: items must be a schema object and not "
                            "an array");
    else if (items)
        s->items =
            compile(c, items, level == LEVEL_NESTED ? level : LEVEL_ITEM,
                    level == LEVEL_NESTED ? json_get(outer, "items") : NULL);
    else if (s->info.type == SCHEMA_ARRAY && level != LEVEL_NESTED)
        schema_findings_add(c->problems, buf_cstr(&c->path), REQUIRED,
                            "Required value: must be specified");
    buf_truncate(&c->path, mark);
}

static void
compile_list_of(struct compiler *c, struct schema_list_of *out,
                const struct json *j, const char *key, const struct json *outer)
{
    struct json *list = json_get(j, key);
    size_t i = 0;

    out->v = arena_array(c->root->arena, json_len(list), sizeof(*out->v));
    for (struct json *e = json_first(list); e; e = json_next(e)) {
        size_t mark = schema_path_key(&c->path, key);

        schema_path_index(&c->path, i++);
        struct schema *s = compile(c, e, LEVEL_NESTED, outer);

        buf_truncate(&c->path, mark);
        if (s)
            out->v[out->n++] = s;
    }
}

static void
compile_alternatives(struct compiler *c, struct schema *s, const struct json *j,
                     const struct json *outer)
{
    compile_list_of(c, &s->all_of, j, "allOf", outer);
    compile_list_of(c, &s->any_of, j, "anyOf", outer);
    compile_list_of(c, &s->one_of, j, "oneOf", outer);
    if (json_get(j, "not")) {
        size_t mark = schema_path_key(&c->path, "not");

        s->negated = compile(c, json_get(j, "not"), LEVEL_NESTED, outer);
        buf_truncate(&c->path, mark);
    }
}

/* NULL only with a problem added. */
static struct schema *
compile(struct compiler *c, const struct json *j, enum level level,
        const struct json *outer)
{
    if (c->depth == MAX_DEPTH || c->root->node_count == MAX_NODES) {
        schema_findings_add(c->problems, buf_cstr(&c->path), INVALID,
                            "Invalid value: \"\": the schema is %s",
                            c->depth == MAX_DEPTH ? "nested too deeply"
                                                  : "too large");
        return NULL;
    }
    if (!json_is(j, JSON_OBJECT)) {
        schema_findings_add(c->problems, buf_cstr(&c->path), INVALID,
                            "Invalid value: \"\": must be a schema object");
        return NULL;
    }
    struct schema *s = new_node(c, j);
    size_t before = c->problems->n - c->rule_problems;

    s->is_root = level == LEVEL_ROOT;
    c->depth++;
    check_keywords(c, j);
    if (level == LEVEL_NESTED) {
        check_nested(c, j, outer);
    } else {
        check_type(c, s, j, level);
        check_list(c, s, j);
    }
    compile_pattern(c, s);
    compile_properties(c, s, j, level, outer);
    compile_values(c, s, j, level);
    compile_items(c, s, j, level, outer);
    compile_alternatives(c, s, j, level == LEVEL_NESTED ? outer : j);
    s->has_invariants = schema_needs_invariants(s);
    if (level != LEVEL_NESTED) {
        check_resource(c, s, j, level);
        check_default(c, s);
        size_t now = c->problems->n;

        schema_rules_compile(s, &c->path, now - c->rule_problems == before,
                             c->problems);
        c->rule_problems += c->problems->n - now;
    } else {
        c->root->unevaluated += json_len(s->info.rules);
    }
    c->depth--;
    return s;
}

struct schema *
schema_compile(const struct json *openapi, const char *path,
               struct schema_findings *problems, struct strlist *warnings)
{
    struct schema_findings own = {0};
    struct compiler c = {
        .root = mem_zalloc(1, sizeof(struct schema_root)),
        .problems = problems ? problems : &own,
        .warnings = warnings,
        .path = BUF_INIT(8192),
    };
    size_t before = c.problems->n;

    c.root->arena = arena_new();
    c.root->source = json_copy(openapi);
    buf_puts(&c.path, path);
    struct schema *s = compile(&c, c.root->source, LEVEL_ROOT, NULL);

    buf_release(&c.path);
    bool bad = !s || c.problems->n > before;

    schema_findings_release(&own);
    if (!bad)
        return s;
    struct schema bare = {.root = c.root};

    schema_free(s ? s : &bare);
    return NULL;
}
