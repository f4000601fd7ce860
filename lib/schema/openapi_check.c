#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/schema/cel_value.h"
#include "lib/schema/crd_schema.h"
#include "lib/schema/crd_walk.h"
#include "lib/schema/field_path.h"
#include "lib/schema/node.h"

/*
 * ValidateCustomResourceDefinitionOpenAPISchema: one walk down the JSON with
 * what the places above forbid.
 */

struct place {
    const char *no_defaults;  /* why there may be none, or NULL */
    const char *uncorrelated; /* where oldSelf stopped being known, or NULL */
    bool meta;                /* within apiVersion, kind or metadata */
    bool root;
    bool unbounded; /* nothing bounds count */
    uint64_t count; /* of values that can stand here */
};

static void check(struct crd_walk *w, const struct json *s, struct schema *node,
                  struct place at);

/* ---- findings ---- */

static void
unsupported(struct crd_walk *w, const char *field, const struct json *v,
            const char *choices)
{
    AUTO(mem_free_ptr) char *text = schema_value_text(v);
    AUTO(mem_free_ptr)
    char *m = mem_printf("Unsupported value: %s: supported values: %s", text,
                         choices);

    crd_walk_problem(w, field, "FieldValueNotSupported", m);
}

static const char *
text_at(const struct json *s, const char *key)
{
    return json_get_text(s, key);
}

static bool
is_one_of(const char *text, const char *const *choices, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(text, choices[i]) == 0)
            return true;
    }
    return false;
}

static const struct json *
present(const struct json *s, const char *key)
{
    const struct json *v = json_get(s, key);

    return json_is(v, JSON_NULL) ? NULL : v;
}

/* ---- specStandardValidatorV3 ---- */

static void
check_kind(struct crd_walk *w, const struct json *s)
{
    static const char *const types[] = {"array",  "boolean", "integer",
                                        "number", "object",  "string"};
    const char *type = text_at(s, "type");

    if (*type && !is_one_of(type, types, ARRAY_LEN(types)))
        unsupported(w, "type", json_get(s, "type"),
                    "\"array\", \"boolean\", \"integer\", \"number\", "
                    "\"object\", \"string\"");
}

static void
check_standard(struct crd_walk *w, const struct json *s, const struct place *at)
{
    static const struct {
        const char *key;
        bool filled; /* only when it has members or text */
    } never[] = {
        {"id", true},
        {"additionalItems", false},
        {"patternProperties", true},
        {"definitions", true},
        {"dependencies", false},
        {"$ref", false},
    };

    check_kind(w, s);
    if (present(s, "default") && at->no_defaults) {
        AUTO(mem_free_ptr)
        char *why = mem_printf("must not be set %s", at->no_defaults);

        crd_walk_forbidden(w, "default", why);
    }
    for (size_t i = 0; i < ARRAY_LEN(never); i++) {
        const struct json *v = present(s, never[i].key);
        AUTO(mem_free_ptr)
        char *why = mem_printf("%s is not supported", never[i].key);

        if (v && (!never[i].filled || json_first(v) ||
                  (json_string(v) && *json_string(v))))
            crd_walk_forbidden(w, never[i].key, why);
    }
    if (strcmp(text_at(s, "type"), "null") == 0)
        crd_walk_forbidden(
            w, "type",
            "type cannot be set to null, use nullable as an alternative");
    if (json_is(json_get(s, "items"), JSON_ARRAY) &&
        json_first(json_get(s, "items")))
        crd_walk_forbidden(w, "items",
                           "items must be a schema object and not an array");
    if (at->meta &&
        json_bool(json_get(s, "x-kubernetes-embedded-resource"), false))
        crd_walk_forbidden(w, "x-kubernetes-embedded-resource",
                           "must not be used inside of resource meta");
    if (json_bool(json_get(s, "uniqueItems"), false))
        crd_walk_forbidden(
            w, "uniqueItems",
            "uniqueItems cannot be set to true since the runtime "
            "complexity becomes quadratic");
}

/* ---- what is below ---- */

static void
check_below(struct crd_walk *w, const struct json *s, const char *key,
            const char *name, struct schema *node, struct place at)
{
    size_t mark = schema_path_key(&w->path, key);

    if (name)
        buf_printf(&w->path, "[%s]", name);
    check(w, s, node, at);
    buf_truncate(&w->path, mark);
}

static void
check_properties(struct crd_walk *w, const struct json *s, struct schema *node,
                 const struct place *around)
{
    static const char *const meta[] = {"metadata", "kind", "apiVersion"};
    bool resource =
        around->root ||
        json_bool(json_get(s, "x-kubernetes-embedded-resource"), false);

    for (const struct json *p = json_first(json_get(s, "properties")); p;
         p = json_next(p)) {
        const struct schema_property *known =
            node ? schema_find(node, json_key(p)) : NULL;
        struct place at = *around;
        AUTO(mem_free_ptr) char *why = NULL;

        at.root = false;
        if (resource && is_one_of(json_key(p), meta, ARRAY_LEN(meta))) {
            at.meta = true;
            why = mem_printf("in top-level %s", json_key(p));
            if (around->root)
                at.no_defaults = why;
        }
        check_below(w, p, "properties", json_key(p),
                    known ? known->schema : NULL, at);
    }
}

static void
check_values(struct crd_walk *w, const struct json *s, struct schema *node,
             struct place at)
{
    const struct json *values = present(s, "additionalProperties");

    at.root = false;
    if (!values)
        return;
    if (json_first(json_get(s, "properties")) && !json_bool(values, false))
        crd_walk_forbidden(
            w, "additionalProperties",
            "additionalProperties and properties are mutual exclusive");
    if (at.meta)
        at.no_defaults = "inside additionalProperties applying to object "
                         "metadata";
    if (json_is(values, JSON_OBJECT))
        check_below(w, values, "additionalProperties", NULL,
                    node ? node->values : NULL, at);
}

static void
check_alternatives(struct crd_walk *w, const struct json *s, struct place at)
{
    static const char *const lists[] = {"allOf", "oneOf", "anyOf"};

    at.root = false;
    if (json_is(json_get(s, "not"), JSON_OBJECT))
        check_below(w, json_get(s, "not"), "not", NULL, NULL, at);
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        size_t k = 0;

        for (const struct json *e = json_first(json_get(s, lists[i])); e;
             e = json_next(e)) {
            size_t mark = schema_path_key(&w->path, lists[i]);

            schema_path_index(&w->path, k++);
            check(w, e, NULL, at);
            buf_truncate(&w->path, mark);
        }
    }
    for (const struct json *d = json_first(json_get(s, "definitions")); d;
         d = json_next(d))
        check_below(w, d, "definitions", json_key(d), NULL, at);
}

static void
check_items(struct crd_walk *w, const struct json *s, struct schema *node,
            struct place at)
{
    const struct json *items = json_get(s, "items");
    AUTO(mem_free_ptr) char *here = mem_strdup(buf_cstr(&w->path));
    size_t i = 0;

    at.root = false;
    if (!at.uncorrelated && strcmp(text_at(s, "x-kubernetes-list-type"), "map"))
        at.uncorrelated = here;
    if (json_is(items, JSON_OBJECT))
        check_below(w, items, "items", NULL, node ? node->items : NULL, at);
    for (const struct json *e = json_is(items, JSON_ARRAY) ? json_first(items)
                                                           : NULL;
         e; e = json_next(e)) {
        size_t mark = schema_path_key(&w->path, "items");

        schema_path_index(&w->path, i++);
        check(w, e, NULL, at);
        buf_truncate(&w->path, mark);
    }
    for (const struct json *d = json_first(json_get(s, "dependencies")); d;
         d = json_next(d)) {
        if (json_is(d, JSON_OBJECT))
            check_below(w, d, "dependencies", json_key(d), NULL, at);
    }
}

/* ---- x-kubernetes-* ---- */

/* key asks for type. */
static bool
check_needed_type(struct crd_walk *w, const struct json *s, const char *key,
                  const char *type)
{
    AUTO(mem_free_ptr)
    char *why = mem_printf("must be %s if %s is specified", type, key);

    if (!present(s, key) || strcmp(text_at(s, "type"), type) == 0)
        return true;
    if (!*text_at(s, "type"))
        crd_walk_required(w, "type", why);
    else
        crd_walk_invalid(w, "type", json_get(s, "type"), why);
    return false;
}

static void
check_map_type(struct crd_walk *w, const struct json *s)
{
    static const char *const known[] = {"atomic", "granular"};
    const struct json *keep =
        present(s, "x-kubernetes-preserve-unknown-fields");
    const struct json *map = present(s, "x-kubernetes-map-type");

    if (keep && !json_bool(keep, false))
        crd_walk_invalid(w, "x-kubernetes-preserve-unknown-fields", keep,
                         "must be true or undefined");
    check_needed_type(w, s, "x-kubernetes-map-type", "object");
    if (map && !is_one_of(json_string_or(map, ""), known, ARRAY_LEN(known)))
        unsupported(w, "x-kubernetes-map-type", map,
                    "\"atomic\", \"granular\"");
}

/* Items of a set are compared as a whole. (Of objects, the server shows the
 * list type where it means the map type.) */
static void
check_set_items(struct crd_walk *w, const struct json *items)
{
    const char *type = text_at(items, "type");
    const struct json *list = present(items, "x-kubernetes-list-type");
    const char *why = "must be atomic as item of a list with "
                      "x-kubernetes-list-type=set";
    size_t mark = schema_path_key(&w->path, "items");

    if (strcmp(type, "array") == 0 && list &&
        strcmp(json_string_or(list, ""), "atomic") != 0)
        crd_walk_invalid(w, "x-kubernetes-list-type", list, why);
    if (strcmp(type, "object") == 0 &&
        strcmp(text_at(items, "x-kubernetes-map-type"), "atomic") != 0)
        crd_walk_invalid(w, "x-kubernetes-map-type", list, why);
    buf_truncate(&w->path, mark);
}

static void
check_keys(struct crd_walk *w, const struct json *s)
{
    const struct json *keys = json_get(s, "x-kubernetes-list-map-keys");
    const struct json *items = json_get(s, "items");
    AUTO(strlist_release) struct strlist seen = {0};

    for (const struct json *k = json_first(keys); k; k = json_next(k)) {
        const char *name = json_string_or(k, "");
        const struct json *p = json_at(items, "properties", name, NULL);
        const char *type = text_at(p, "type");
        AUTO(mem_free_ptr)
        char *field = mem_printf("items.properties[%s].type", name);

        if (!p)
            crd_walk_invalid(w, "x-kubernetes-list-map-keys", keys,
                             "entries must all be names of item properties");
        else if (strcmp(type, "array") == 0 || strcmp(type, "object") == 0)
            crd_walk_invalid(w, field, json_get(items, "type"),
                             "must be a scalar type if parent array's "
                             "x-kubernetes-list-type is map");
        if (strlist_has(&seen, str_of(name)))
            crd_walk_invalid(w, "x-kubernetes-list-map-keys", keys,
                             "must not contain duplicate entries");
        strlist_add(&seen, str_of(name));
    }
}

static void
check_list_map(struct crd_walk *w, const struct json *s)
{
    const struct json *items = present(s, "items");
    const char *type = text_at(items, "type");
    AUTO(json_free_ptr) struct json *shown = json_new_string(type);

    if (!json_first(json_get(s, "x-kubernetes-list-map-keys")))
        crd_walk_required(w, "x-kubernetes-list-map-keys",
                          "must not be empty if x-kubernetes-list-type is map");
    if (!items)
        crd_walk_required(
            w, "items", "must have a schema if x-kubernetes-list-type is map");
    else if (json_is(items, JSON_ARRAY))
        crd_walk_invalid(
            w, "items", items,
            "must only have a single schema if x-kubernetes-list-type is "
            "map");
    else if (strcmp(type, "object") != 0)
        crd_walk_invalid(
            w, "items.type", shown,
            "must be object if parent array's x-kubernetes-list-type is "
            "map");
    else
        check_keys(w, s);
}

/* Keys must always be there, and items. */
static void
check_key_values(struct crd_walk *w, const struct json *s, const char *list)
{
    const struct json *items = json_get(s, "items");
    AUTO(mem_free_ptr)
    char *why = mem_printf(
        "cannot be nullable when x-kubernetes-list-type is %s", list);

    if (!json_is(items, JSON_OBJECT))
        return;
    if (json_bool(json_get(items, "nullable"), false))
        crd_walk_forbidden(w, "items.nullable", why);
    if (strcmp(list, "map") != 0)
        return;
    for (const struct json *k =
             json_first(json_get(s, "x-kubernetes-list-map-keys"));
         k; k = json_next(k)) {
        const char *name = json_string_or(k, "");
        const struct json *p = json_at(items, "properties", name, NULL);
        bool always = false;
        AUTO(mem_free_ptr)
        char *fallback = mem_printf("items.properties[%s].default", name);
        AUTO(mem_free_ptr)
        char *nullable = mem_printf("items.properties[%s].nullable", name);

        for (const struct json *r = json_first(json_get(items, "required")); r;
             r = json_next(r))
            always |= strcmp(json_string_or(r, ""), name) == 0;
        if (p && !always && !present(p, "default"))
            crd_walk_required(
                w, fallback,
                "this property is in x-kubernetes-list-map-keys, so it "
                "must have a default or be a required property");
        if (json_bool(json_get(p, "nullable"), false))
            crd_walk_forbidden(
                w, nullable,
                "this property is in x-kubernetes-list-map-keys, so it "
                "cannot be nullable");
    }
}

static void
check_list_type(struct crd_walk *w, const struct json *s)
{
    static const char *const known[] = {"atomic", "set", "map"};
    const struct json *v = present(s, "x-kubernetes-list-type");
    const char *list = json_string_or(v, "");
    bool keys = json_first(json_get(s, "x-kubernetes-list-map-keys")) != NULL;

    if (check_needed_type(w, s, "x-kubernetes-list-type", "array") &&
        strcmp(list, "set") == 0 && json_is(json_get(s, "items"), JSON_OBJECT))
        check_set_items(w, json_get(s, "items"));
    if (v && !is_one_of(list, known, ARRAY_LEN(known)))
        unsupported(w, "x-kubernetes-list-type", v,
                    "\"atomic\", \"set\", \"map\"");
    if (keys && !v)
        crd_walk_required(
            w, "x-kubernetes-list-type",
            "must be map if x-kubernetes-list-map-keys is non-empty");
    else if (keys && strcmp(list, "map") != 0)
        crd_walk_invalid(
            w, "x-kubernetes-list-type", v,
            "must be map if x-kubernetes-list-map-keys is non-empty");
    if (strcmp(list, "map") == 0)
        check_list_map(w, s);
    if (strcmp(list, "map") == 0 || strcmp(list, "set") == 0)
        check_key_values(w, s, list);
}

/* ---- rules ---- */

static struct str
trimmed(const struct json *rule, const char *key)
{
    return cel_trim(str_of(text_at(rule, key)));
}

static bool
has_newline(struct str s)
{
    return str_contains(s, STR("\n")) || str_contains(s, STR("\r"));
}

static void
check_message(struct crd_walk *w, const struct json *rule)
{
    struct str expression = trimmed(rule, "rule");
    struct str message = trimmed(rule, "message");

    if (!expression.n)
        crd_walk_required(w, "rule", "rule is not specified");
    else if (*text_at(rule, "message") && !message.n)
        crd_walk_invalid(w, "message", json_get(rule, "message"),
                         "must be non-empty if specified");
    else if (has_newline(message))
        crd_walk_invalid(w, "message", json_get(rule, "message"),
                         "must not contain line breaks");
    else if (has_newline(expression) && !message.n)
        crd_walk_required(
            w, "message",
            "message must be specified if rule contains line breaks");
    if (*text_at(rule, "messageExpression") &&
        !trimmed(rule, "messageExpression").n)
        crd_walk_required(w, "messageExpression",
                          "messageExpression must be non-empty if specified");
}

static void
check_rule(struct crd_walk *w, const struct json *s, const struct json *rule)
{
    static const char *const reasons[] = {
        "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid",
        "FieldValueRequired"};
    const struct json *reason = present(rule, "reason");
    const struct json *field = json_get(rule, "fieldPath");
    const char *path = text_at(rule, "fieldPath");

    check_message(w, rule);
    if (reason &&
        !is_one_of(json_string_or(reason, ""), reasons, ARRAY_LEN(reasons)))
        unsupported(w, "reason", reason,
                    "\"FieldValueDuplicate\", \"FieldValueForbidden\", "
                    "\"FieldValueInvalid\", \"FieldValueRequired\"");
    if (*path && !trimmed(rule, "fieldPath").n)
        crd_walk_invalid(w, "fieldPath", field,
                         "must be non-empty if specified");
    if (has_newline(str_of(path)))
        crd_walk_invalid(w, "fieldPath", field, "must not contain line breaks");
    if (*path && !structural_unreadable(s) &&
        !field_path_find(s, str_of(path), true, NULL, NULL))
        crd_walk_invalid(w, "fieldPath", field, "must be a valid path");
}

static void
check_rules(struct crd_walk *w, const struct json *s)
{
    size_t i = 0;

    for (const struct json *r =
             json_first(json_get(s, "x-kubernetes-validations"));
         r; r = json_next(r)) {
        size_t mark = schema_path_key(&w->path, "x-kubernetes-validations");

        schema_path_index(&w->path, i++);
        check_rule(w, s, r);
        buf_truncate(&w->path, mark);
    }
}

/* ---- all of it ---- */

/* What stands below a list or a map stands there several times. */
static struct place
multiplied(const struct json *s, struct place at)
{
    const char *type = text_at(s, "type");
    bool map =
        strcmp(type, "object") == 0 && present(s, "additionalProperties");
    bool list = strcmp(type, "array") == 0;
    const struct json *max = present(s, map ? "maxProperties" : "maxItems");
    int64_t n = json_int64_or(max, 0);

    if (!map && !list)
        return at;
    at.unbounded |= !max;
    if (n <= 0)
        at.count = 0;
    else if (at.count > UINT64_MAX / (uint64_t)n)
        at.count = UINT64_MAX;
    else
        at.count *= (uint64_t)n;
    return at;
}

static void
check(struct crd_walk *w, const struct json *s, struct schema *node,
      struct place at)
{
    struct place below = multiplied(s, at);
    size_t before = w->out->n;

    check_standard(w, s, &at);
    check_values(w, s, node, below);
    check_properties(w, s, node, &below);
    check_alternatives(w, s, below);
    check_items(w, s, node, below);
    check_map_type(w, s);
    check_list_type(w, s);
    check_rules(w, s);
    if (node && w->out->n == before)
        w->rules->check(w->rules->arg, node, buf_cstr(&w->path),
                        at.uncorrelated, at.unbounded ? NULL : &at.count);
}

void
openapi_check(const struct json *schema, struct schema *root, const char *path,
              const struct openapi_rules *rules,
              struct schema_findings *problems)
{
    struct crd_walk w = {problems, BUF_INIT(8192), rules};

    buf_puts(&w.path, path);
    check(&w, schema, root, (struct place){.root = true, .count = 1});
    buf_release(&w.path);
}
