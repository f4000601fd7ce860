#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/re.h"

#include "lib/schema/crd_schema.h"
#include "lib/schema/crd_walk.h"
#include "lib/schema/node.h"

/*
 * apiextensions-apiserver pkg/apiserver/schema/{validation,complete}.go: what
 * keeps a schema from being structural. Every value has a type outside of
 * allOf, anyOf, oneOf and not; below these a schema may only say what values
 * are valid, and only about properties that the schema around them has.
 */

enum level { LEVEL_ROOT, LEVEL_ITEM, LEVEL_FIELD };

static void
invalid(struct crd_walk *w, const char *field, const char *text,
        const char *why)
{
    AUTO(json_free_ptr) struct json *value = json_new_string(text);

    crd_walk_invalid(w, field, value, why);
}

static const char *
type_of(const struct json *s)
{
    return json_get_text(s, "type");
}

static bool
flag(const struct json *s, const char *key)
{
    return json_bool(json_get(s, key), false);
}

static bool
is_set(const struct json *v)
{
    return v && !json_is(v, JSON_NULL) &&
           !(json_is(v, JSON_BOOL) && !json_bool(v, true)) &&
           !(json_string(v) && !*json_string(v)) &&
           !(json_is(v, JSON_ARRAY) && !json_first(v));
}

/* ---- what a value may be ---- */

static void nested(struct crd_walk *w, const struct json *v, bool skip_any);

/* {type: T} and nothing else that counts. */
static bool
is_just_type(const struct json *v, const char *type)
{
    for (const struct json *m = json_first(v); m; m = json_next(m)) {
        if (strcmp(json_key(m), "type") != 0 &&
            strcmp(json_key(m), "example") != 0 &&
            strcmp(json_key(m), "externalDocs") != 0 && is_set(m))
            return false;
    }
    return strcmp(type_of(v), type) == 0;
}

static bool
is_int_or_string(const struct json *s)
{
    const struct json *any = json_get(s, "anyOf");

    return json_len(any) == 2 && is_just_type(json_first(any), "integer") &&
           is_just_type(json_next(json_first(any)), "string");
}

static void
nested_list(struct crd_walk *w, const struct json *s, const char *key,
            bool skip_first)
{
    size_t i = 0;

    for (const struct json *e = json_first(json_get(s, key)); e;
         e = json_next(e)) {
        size_t mark = schema_path_key(&w->path, key);

        schema_path_index(&w->path, i);
        nested(w, e, skip_first && i == 0);
        buf_truncate(&w->path, mark);
        i++;
    }
}

static void
check_pattern(struct crd_walk *w, const char *pattern)
{
    struct error err = {0};
    struct re *re = *pattern ? re_compile(str_of(pattern), &err) : NULL;
    AUTO(mem_free_ptr) char *why = NULL;

    if (*pattern && !re) {
        why = mem_printf("must be a valid regular expression, but isn't: %s",
                         err.msg);
        invalid(w, "pattern", pattern, why);
    }
    re_free(re);
}

/* skip_any: anyOf is how int-or-string is written out. */
static void
value_validation(struct crd_walk *w, const struct json *s, bool skip_any,
                 bool skip_all)
{
    if (!skip_any)
        nested_list(w, s, "anyOf", false);
    nested_list(w, s, "allOf", skip_all);
    nested_list(w, s, "oneOf", false);
    if (json_get(s, "not")) {
        size_t mark = schema_path_key(&w->path, "not");

        nested(w, json_get(s, "not"), false);
        buf_truncate(&w->path, mark);
    }
    check_pattern(w, json_get_text(s, "pattern"));
}

static void
nested_forbidden(struct crd_walk *w, const struct json *v)
{
    static const struct {
        const char *key, *must;
    } banned[] = {
        {"type", "empty"},
        {"additionalProperties", "undefined"},
        {"default", "undefined"},
        {"title", "empty"},
        {"description", "empty"},
        {"nullable", "false"},
        {"x-kubernetes-preserve-unknown-fields", "false"},
        {"x-kubernetes-embedded-resource", "false"},
        {"x-kubernetes-int-or-string", "false"},
        {"x-kubernetes-list-map-keys", "empty"},
        {"x-kubernetes-list-type", "undefined"},
        {"x-kubernetes-map-type", "undefined"},
        {"x-kubernetes-validations", "empty"},
    };

    for (size_t i = 0; i < ARRAY_LEN(banned); i++) {
        const struct json *m = json_get(v, banned[i].key);
        AUTO(mem_free_ptr)
        char *why = mem_printf("must be %s to be structural", banned[i].must);
        bool pointer = strcmp(banned[i].must, "undefined") == 0 &&
                       !json_is(m, JSON_BOOL) && !json_is(m, JSON_NULL);

        if (m && (is_set(m) || pointer ||
                  (json_is(m, JSON_BOOL) && !strcmp(banned[i].key, "default"))))
            crd_walk_forbidden(w, banned[i].key, why);
    }
    if (json_at(v, "properties", "metadata", NULL))
        crd_walk_forbidden(w, "properties[metadata]",
                           "must not be specified in a nested context");
}

static void
nested(struct crd_walk *w, const struct json *v, bool skip_any)
{
    const struct json *items = json_get(v, "items");
    size_t mark = w->path.n;

    value_validation(w, v, skip_any, false);
    if (json_is(items, JSON_OBJECT)) {
        schema_path_key(&w->path, "items");
        nested(w, items, false);
        buf_truncate(&w->path, mark);
    }
    for (const struct json *p = json_first(json_get(v, "properties")); p;
         p = json_next(p)) {
        schema_path_key(&w->path, "properties");
        buf_printf(&w->path, "[%s]", json_key(p));
        nested(w, p, false);
        buf_truncate(&w->path, mark);
    }
    nested_forbidden(w, v);
}

/* ---- one node ---- */

static void
check_type(struct crd_walk *w, const struct json *s, enum level level)
{
    static const char *const places[] = {"at the root",
                                         "for specified array items",
                                         "for specified object fields"};
    const char *type = type_of(s);
    const char *must =
        "must be object if x-kubernetes-embedded-resource is true";
    AUTO(mem_free_ptr)
    char *why = mem_printf("must not be empty %s", places[level]);

    if (flag(s, "x-kubernetes-embedded-resource") &&
        strcmp(type, "object") != 0) {
        if (*type)
            invalid(w, "type", type, must);
        else
            crd_walk_required(w, "type", must);
    } else if (!*type && !flag(s, "x-kubernetes-int-or-string") &&
               !flag(s, "x-kubernetes-preserve-unknown-fields")) {
        crd_walk_required(w, "type", why);
    }
    if (level == LEVEL_ROOT && *type && strcmp(type, "object") != 0)
        invalid(w, "type", type, "must be object at the root");
}

static void
check_extensions(struct crd_walk *w, const struct json *s)
{
    static const char *const others[] = {"x-kubernetes-preserve-unknown-fields",
                                         "x-kubernetes-embedded-resource"};

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (flag(s, "x-kubernetes-int-or-string") && flag(s, others[i]))
            crd_walk_problem(w, others[i], "FieldValueInvalid",
                             "Invalid value: true: must be false if "
                             "x-kubernetes-int-or-string is true");
    }
    if (flag(s, "x-kubernetes-embedded-resource") &&
        json_get(s, "additionalProperties"))
        crd_walk_forbidden(
            w, "additionalProperties",
            "must not be used if x-kubernetes-embedded-resource is set");
    if (flag(s, "x-kubernetes-embedded-resource") &&
        !flag(s, "x-kubernetes-preserve-unknown-fields") &&
        !json_first(json_get(s, "properties")))
        crd_walk_required(
            w, "properties",
            "must not be empty if x-kubernetes-embedded-resource is true "
            "without x-kubernetes-preserve-unknown-fields");
}

/* At the root only name and generateName may be described. */
static bool
says_too_much(const struct json *metadata)
{
    static const char *const ignored[] = {"type", "default", "example",
                                          "externalDocs", "properties"};
    const struct json *p = json_get(metadata, "properties");

    for (const struct json *m = json_first(p); m; m = json_next(m)) {
        if (strcmp(json_key(m), "name") != 0 &&
            strcmp(json_key(m), "generateName") != 0)
            return true;
    }
    for (const struct json *m = json_first(metadata); m; m = json_next(m)) {
        bool fine = !is_set(m);

        for (size_t i = 0; i < ARRAY_LEN(ignored) && !fine; i++)
            fine = strcmp(json_key(m), ignored[i]) == 0;
        if (!fine)
            return true;
    }
    return false;
}

/* apiVersion, kind and metadata of a resource have a meaning already. */
static void
check_resource(struct crd_walk *w, const struct json *s, enum level level)
{
    static const char *const fields[] = {"kind", "apiVersion", "metadata"};
    bool resource =
        level == LEVEL_ROOT || flag(s, "x-kubernetes-embedded-resource");

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        const struct json *p = json_at(s, "properties", fields[i], NULL);
        bool meta = strcmp(fields[i], "metadata") == 0;
        size_t mark = schema_path_key(&w->path, "properties");

        buf_printf(&w->path, "[%s]", fields[i]);
        if (p && resource &&
            strcmp(type_of(p), meta ? "object" : "string") != 0)
            invalid(w, "type", type_of(p),
                    meta ? "must be object" : "must be string");
        if (p && meta && level == LEVEL_ROOT && says_too_much(p))
            crd_walk_forbidden(
                w, "",
                "must not specify anything other than name and "
                "generateName, but metadata is implicitly specified");
        buf_truncate(&w->path, mark);
    }
}

static void invariants(struct crd_walk *w, const struct json *s,
                       enum level level);

static void
check_children(struct crd_walk *w, const struct json *s, enum level level)
{
    const struct json *items = json_get(s, "items");
    const struct json *values = json_get(s, "additionalProperties");
    size_t mark = w->path.n;

    if (!items && strcmp(type_of(s), "array") == 0)
        crd_walk_required(w, "items", "must be specified");
    if (json_is(items, JSON_OBJECT)) {
        schema_path_key(&w->path, "items");
        invariants(w, items, LEVEL_ITEM);
        buf_truncate(&w->path, mark);
    }
    for (const struct json *p = json_first(json_get(s, "properties")); p;
         p = json_next(p)) {
        schema_path_key(&w->path, "properties");
        buf_printf(&w->path, "[%s]", json_key(p));
        invariants(w, p, LEVEL_FIELD);
        buf_truncate(&w->path, mark);
    }
    if (values && level == LEVEL_ROOT)
        crd_walk_forbidden(w, "additionalProperties",
                           "must not be used at the root");
    if (json_is(values, JSON_OBJECT)) {
        schema_path_key(&w->path, "additionalProperties");
        invariants(w, values, LEVEL_FIELD);
        buf_truncate(&w->path, mark);
    }
}

static void
invariants(struct crd_walk *w, const struct json *s, enum level level)
{
    check_children(w, s, level);
    check_extensions(w, s);
    value_validation(w, s, is_int_or_string(s),
                     is_int_or_string(json_first(json_get(s, "allOf"))));
    check_type(w, s, level);
    check_resource(w, s, level);
}

/* ---- completeness ---- */

static void complete(struct crd_walk *w, const struct json *v,
                     const struct json *outer, struct buf *outer_path);

/* v is nested; outer the schema that must know what v speaks of. */
static void
complete_nested(struct crd_walk *w, const struct json *v,
                const struct json *outer, struct buf *at)
{
    size_t mark = w->path.n, there = at->n;
    const struct json *items = json_get(v, "items");

    if (!outer) {
        schema_findings_add(w->out, buf_cstr(at), "FieldValueRequired",
                            "Required value: because it is defined in %s",
                            buf_cstr(&w->path));
        return;
    }
    complete(w, v, outer, at);
    if (json_is(items, JSON_OBJECT)) {
        schema_path_key(&w->path, "items");
        schema_path_key(at, "items");
        complete_nested(w, items, json_get(outer, "items"), at);
        buf_truncate(&w->path, mark);
        buf_truncate(at, there);
    }
    for (const struct json *p = json_first(json_get(v, "properties")); p;
         p = json_next(p)) {
        schema_path_key(&w->path, "properties");
        buf_printf(&w->path, "[%s]", json_key(p));
        schema_path_key(at, "properties");
        buf_printf(at, "[%s]", json_key(p));
        complete_nested(w, p, json_at(outer, "properties", json_key(p), NULL),
                        at);
        buf_truncate(&w->path, mark);
        buf_truncate(at, there);
    }
}

static void
complete(struct crd_walk *w, const struct json *v, const struct json *outer,
         struct buf *at)
{
    static const char *const lists[] = {"allOf", "anyOf", "oneOf"};
    size_t mark = w->path.n;

    if (json_get(v, "not")) {
        schema_path_key(&w->path, "not");
        complete_nested(w, json_get(v, "not"), outer, at);
        buf_truncate(&w->path, mark);
    }
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        size_t k = 0;

        for (const struct json *e = json_first(json_get(v, lists[i])); e;
             e = json_next(e)) {
            schema_path_key(&w->path, lists[i]);
            schema_path_index(&w->path, k++);
            complete_nested(w, e, outer, at);
            buf_truncate(&w->path, mark);
        }
    }
}

/* ---- all of it ---- */

static int
by_text(const void *a, const void *b)
{
    const struct schema_finding *x = a, *y = b;
    AUTO(mem_free_ptr) char *s = mem_printf("%s: %s", x->field, x->message);
    AUTO(mem_free_ptr) char *t = mem_printf("%s: %s", y->field, y->message);

    return strcmp(s, t);
}

size_t
structural_check(const struct json *schema, const char *path,
                 struct schema_findings *problems)
{
    AUTO(schema_findings_release) struct schema_findings found = {0};
    struct crd_walk w = {&found, BUF_INIT(8192), NULL};
    AUTO(buf_release) struct buf at = BUF_INIT(8192);

    buf_puts(&w.path, path);
    buf_puts(&at, path);
    invariants(&w, schema, LEVEL_ROOT);
    complete(&w, schema, schema, &at);
    if (found.n)
        qsort(found.v, found.n, sizeof(*found.v), by_text);
    for (size_t i = 0; i < found.n; i++)
        schema_findings_add(problems, found.v[i].field, found.v[i].reason, "%s",
                            found.v[i].message);
    buf_release(&w.path);
    return found.n;
}

/* ---- what cannot even be read as a structural schema ---- */

static const char *
unsupported(const struct json *s)
{
    static const struct {
        const char *key, *why;
    } fields[] = {
        {"id", "OpenAPIV3Schema 'id' is not supported"},
        {"$schema", "OpenAPIV3Schema 'schema' is not supported"},
        {"$ref", "OpenAPIV3Schema '$ref' is not supported"},
        {"patternProperties",
         "OpenAPIV3Schema 'patternProperties' is not supported"},
        {"dependencies", "OpenAPIV3Schema 'dependencies' is not supported"},
        {"additionalItems",
         "OpenAPIV3Schema 'additionalItems' is not supported"},
        {"definitions", "OpenAPIV3Schema 'definitions' is not supported"},
    };

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        const struct json *v = json_get(s, fields[i].key);
        bool items = strcmp(fields[i].key, "additionalItems") == 0;

        if (v && !json_is(v, JSON_NULL) &&
            (items || json_first(v) || (json_string(v) && *json_string(v))))
            return fields[i].why;
    }
    if (json_is(json_get(s, "x-kubernetes-preserve-unknown-fields"),
                JSON_BOOL) &&
        !flag(s, "x-kubernetes-preserve-unknown-fields"))
        return "internal error: 'x-kubernetes-preserve-unknown-fields' must be "
               "true or undefined";
    return json_first(json_get(s, "items")) &&
                   json_is(json_get(s, "items"), JSON_ARRAY)
               ? "OpenAPIV3Schema 'items' must be a schema, but is an array"
               : NULL;
}

const char *
structural_unreadable(const struct json *s)
{
    static const char *const lists[] = {"allOf", "anyOf", "oneOf",
                                        "properties"};
    static const char *const ones[] = {"not", "items", "additionalProperties"};
    const char *why = unsupported(s);

    for (size_t i = 0; i < ARRAY_LEN(ones) && !why; i++) {
        if (json_is(json_get(s, ones[i]), JSON_OBJECT))
            why = structural_unreadable(json_get(s, ones[i]));
    }
    for (size_t i = 0; i < ARRAY_LEN(lists) && !why; i++) {
        for (const struct json *e = json_first(json_get(s, lists[i]));
             e && !why; e = json_next(e))
            why = structural_unreadable(e);
    }
    return why;
}
