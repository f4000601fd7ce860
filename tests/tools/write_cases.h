/*
 * write_cases.h - plays one case of tests/diffapi against the sandbox's own
 * functions; for write_lines.c and the test of the recorded table.
 */
#ifndef TESTS_TOOLS_WRITE_CASES_H
#define TESTS_TOOLS_WRITE_CASES_H

#include <assert.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/managed.h"

/* ---- managed fields ---- */

struct case_version {
    char api_version[64];
    struct schema *schema;
    struct fields_types types;
};

struct case_world {
    struct case_version v[4];
    size_t n;
    struct schema *meta;
};

static inline struct json *
case_json(const char *z)
{
    return json_parse(str_of(z), NULL, NULL);
}

static inline struct schema *
case_meta(void)
{
    AUTO(json_free_ptr)
    struct json *j = case_json(
        "{\"type\":\"object\",\"properties\":{"
        "\"name\":{\"type\":\"string\"},\"namespace\":{\"type\":\"string\"},"
        "\"uid\":{\"type\":\"string\"},"
        "\"labels\":{\"type\":\"object\",\"additionalProperties\":"
        "{\"type\":\"string\"}},"
        "\"annotations\":{\"type\":\"object\",\"additionalProperties\":"
        "{\"type\":\"string\"}},"
        "\"finalizers\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},"
        "\"x-kubernetes-list-type\":\"set\"}}}");

    return schema_compile(j, "metadata", NULL, NULL);
}

static inline const struct fields_types *
case_types(void *arg, const char *api_version)
{
    struct case_world *w = arg;

    for (size_t i = 0; i < w->n; i++) {
        if (!strcmp(w->v[i].api_version, api_version))
            return &w->v[i].types;
    }
    return NULL;
}

static inline void
case_world_init(struct case_world *w, const struct json *schemas)
{
    *w = (struct case_world){.meta = case_meta()};
    for (const struct json *c = json_first(schemas); c; c = json_next(c)) {
        struct case_version *v = &w->v[w->n++];
        AUTO(schema_findings_release) struct schema_findings bad = {0};

        snprintf(v->api_version, sizeof(v->api_version), "example.org/%s",
                 json_key(c));
        v->schema = schema_compile(c, "", &bad, NULL);
        v->types = (struct fields_types){v->schema, w->meta};
    }
}

static inline void
case_world_release(struct case_world *w)
{
    for (size_t i = 0; i < w->n; i++)
        schema_free(w->v[i].schema);
    schema_free(w->meta);
}

static inline struct json *
case_failure(struct status *st)
{
    struct json *out = json_new_object(), *f = json_need_object(out, "err");
    struct json *all = status_json(st);

    json_set_int(f, "code", st->code);
    json_set_string(f, "message", st->message);
    if (st->code != 500)
        json_set(f, "causes", json_new_array());
    for (const struct json *c =
             json_first(json_at(all, "details", "causes", NULL));
         c; c = json_next(c)) {
        struct json *to = json_append(json_get(f, "causes"), json_new_object());

        json_set_string(to, "field", json_get_text(c, "field"));
        json_set_string(to, "message", json_get_text(c, "message"));
    }
    json_free(all);
    return out;
}

static inline void
case_bring_fields(struct json *obj, const char *how, const struct json *live)
{
    struct json *meta = json_need_object(obj, "metadata");
    const struct json *had = json_at(live, "metadata", "managedFields", NULL);

    if (!strcmp(how, "keep") && had)
        json_set(meta, "managedFields", json_copy(had));
    else if (!strcmp(how, "empty") || !strcmp(how, "reset"))
        json_set(meta, "managedFields", json_new_array());
    if (!strcmp(how, "reset"))
        json_append(json_get(meta, "managedFields"), json_new_object());
}

/* The object after one operation, or NULL and st. */
static inline struct json *
case_play(struct case_world *w, const struct json *op, const struct json *live,
          struct status *st)
{
    AUTO(mem_free_ptr)
    char *version = mem_printf("example.org/%s", json_get_text(op, "version"));
    const char *sub = json_get_string(op, "sub");
    struct managed_by by = {
        .manager = json_get_text(op, "manager"),
        .subresource = sub,
        .api_version = version,
        .now = "2026-11-21T10:00:00Z",
        .reset = sub ? "f:spec" : "f:status",
        .types = case_types(w, version),
        .other = case_types,
        .other_arg = w,
    };
    struct json *obj = NULL;

    if (!strcmp(json_get_text(op, "op"), "apply")) {
        obj = live ? json_copy(live) : json_new_object();
        json_set_string(obj, "apiVersion", version);
        json_set_string(obj, "kind", "Widget");
        if (!managed_apply(&by, &obj, json_get(op, "obj"),
                           json_bool(json_get(op, "force"), false), st)) {
            json_free(obj);
            return NULL;
        }
    } else {
        obj = json_copy(json_get(op, "obj"));
        schema_default(by.types->root, obj);
        case_bring_fields(obj, json_get_text(op, "fields"), live);
        managed_update(&by, live, obj);
    }
    schema_default(by.types->root, obj);
    json_set_string(json_need_object(obj, "metadata"), "uid", "u");
    json_set_string(obj, "apiVersion", "example.org/v1");
    return obj;
}

static inline struct json *
case_without_times(const struct json *obj)
{
    struct json *out = json_new_object();
    struct json *shown = json_set(out, "obj", json_copy(obj));

    for (struct json *e =
             json_first(json_at(shown, "metadata", "managedFields", NULL));
         e; e = json_next(e))
        json_del(e, "time");
    return out;
}

/* What was v1's schema is v2's now. */
static inline void
case_swap(struct case_world *w)
{
    struct case_version v = w->v[0];

    assert(w->n == 2);
    w->v[0].schema = w->v[1].schema;
    w->v[0].types = w->v[1].types;
    w->v[1].schema = v.schema;
    w->v[1].types = v.types;
}

static inline struct json *
case_managed(const struct json *in)
{
    struct case_world w;
    struct json *live = NULL, *out = json_new_array();

    case_world_init(&w, json_get(in, "schemas"));
    for (const struct json *op = json_first(json_get(in, "ops")); op;
         op = json_next(op)) {
        struct status st = {0};
        struct json *next;

        if (!strcmp(json_get_text(op, "op"), "swap")) {
            case_swap(&w);
            continue;
        }
        next = case_play(&w, op, live, &st);

        json_append(out, next ? case_without_times(next) : case_failure(&st));
        if (next) {
            json_free(live);
            live = next;
        }
        status_release(&st);
    }
    json_free(live);
    case_world_release(&w);
    return out;
}

static inline struct json *
write_case(const struct json *in)
{
    static const struct {
        const char *kind;
        struct json *(*play)(const struct json *in);
    } kinds[] = {{"managed", case_managed}};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (!strcmp(json_get_text(in, "kind"), kinds[i].kind))
            return kinds[i].play(in);
    }
    return json_new_null();
}

#endif
