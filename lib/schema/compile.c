#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/schema/crd_schema.h"
#include "lib/schema/node.h"

/*
 * Four passes over the JSON, in the order and the words of apiextensions-
 * apiserver (ValidateCustomResourceDefinitionOpenAPISchema and what it calls):
 * the types of keywords; whether it is structural; if so, nodes are made of it
 * and its defaults held against them; what is supported, and the rules of what
 * is. Warnings are made on the way.
 */

enum { MAX_DEPTH = 100, MAX_NODES = 100000 };

#define INVALID "FieldValueInvalid"

struct compiler {
    struct schema_root *root;
    struct schema_findings *problems;
    struct strlist *warnings;
    struct buf path;
    unsigned depth;
    size_t nodes;
};

/* ---- problems ---- */

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

    buf_printf(&c->path, "[%s]", key);
    return mark;
}

/* ---- keywords ---- */

enum kind { K_ANY, K_STRING, K_BOOL, K_INT, K_NUMBER, K_ARRAY, K_OBJECT };

static const struct {
    const char *name;
    enum kind kind;
} keywords[] = {
    {"$ref", K_STRING},
    {"$schema", K_STRING},
    {"additionalItems", K_ANY},
    {"additionalProperties", K_ANY},
    {"allOf", K_ARRAY},
    {"anyOf", K_ARRAY},
    {"default", K_ANY},
    {"definitions", K_ANY},
    {"dependencies", K_ANY},
    {"description", K_STRING},
    {"enum", K_ARRAY},
    {"example", K_ANY},
    {"exclusiveMaximum", K_BOOL},
    {"exclusiveMinimum", K_BOOL},
    {"externalDocs", K_OBJECT},
    {"format", K_STRING},
    {"id", K_STRING},
    {"items", K_ANY},
    {"maxItems", K_INT},
    {"maxLength", K_INT},
    {"maxProperties", K_INT},
    {"maximum", K_NUMBER},
    {"minItems", K_INT},
    {"minLength", K_INT},
    {"minProperties", K_INT},
    {"minimum", K_NUMBER},
    {"multipleOf", K_NUMBER},
    {"not", K_OBJECT},
    {"nullable", K_BOOL},
    {"oneOf", K_ARRAY},
    {"pattern", K_STRING},
    {"patternProperties", K_ANY},
    {"properties", K_OBJECT},
    {"required", K_ARRAY},
    {"title", K_STRING},
    {"type", K_STRING},
    {"uniqueItems", K_BOOL},
    {"x-kubernetes-embedded-resource", K_BOOL},
    {"x-kubernetes-int-or-string", K_BOOL},
    {"x-kubernetes-list-map-keys", K_ARRAY},
    {"x-kubernetes-list-type", K_STRING},
    {"x-kubernetes-map-type", K_STRING},
    {"x-kubernetes-preserve-unknown-fields", K_BOOL},
    {"x-kubernetes-validations", K_ARRAY},
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

/* Unknown and mistyped keywords, here and below. */
static void check_keywords(struct compiler *c, const struct json *j);

static void
check_keywords_of(struct compiler *c, const struct json *list, const char *key)
{
    size_t i = 0;

    for (const struct json *e = json_first(list); e; e = json_next(e)) {
        size_t mark = schema_path_key(&c->path, key);

        if (json_is(list, JSON_ARRAY))
            schema_path_index(&c->path, i++);
        else
            buf_printf(&c->path, "[%s]", json_key(e));
        check_keywords(c, e);
        buf_truncate(&c->path, mark);
    }
}

static void
check_keyword(struct compiler *c, const struct json *m)
{
    static const char *const lists[] = {"properties", "allOf", "anyOf", "oneOf",
                                        "definitions"};
    static const char *const ones[] = {"items", "not", "additionalProperties"};
    const char *key = json_key(m);
    size_t i = 0, mark;

    while (i < ARRAY_LEN(keywords) && strcmp(keywords[i].name, key) != 0)
        i++;
    if (i == ARRAY_LEN(keywords)) {
        warn_unknown(c, key);
        return;
    }
    mark = schema_path_key(&c->path, key);
    if (!fits_kind(m, keywords[i].kind)) {
        AUTO(mem_free_ptr) char *text = schema_value_text(m);

        schema_findings_add(c->problems, buf_cstr(&c->path), INVALID,
                            "Invalid value: %s: has the wrong type", text);
    }
    if (json_is(m, JSON_OBJECT)) {
        for (size_t k = 0; k < ARRAY_LEN(ones); k++) {
            if (strcmp(key, ones[k]) == 0)
                check_keywords(c, m);
        }
    }
    buf_truncate(&c->path, mark);
    for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
        if (strcmp(key, lists[k]) == 0)
            check_keywords_of(c, m, key);
    }
}

static void
check_format(struct compiler *c, const struct json *j)
{
    const char *format = json_get_text(j, "format");

    if (*format && !schema_format_known(format) && c->warnings &&
        c->warnings->n < 100)
        strlist_addf(c->warnings, "unrecognized format \"%s\"", format);
}

static void
check_keywords(struct compiler *c, const struct json *j)
{
    if (c->depth == MAX_DEPTH || c->nodes == MAX_NODES) {
        schema_findings_add(c->problems, buf_cstr(&c->path), INVALID,
                            "Invalid value: \"\": the schema is %s",
                            c->depth == MAX_DEPTH ? "nested too deeply"
                                                  : "too large");
        return;
    }
    if (!json_is(j, JSON_OBJECT)) {
        schema_findings_add(c->problems, buf_cstr(&c->path), INVALID,
                            "Invalid value: \"\": must be a schema object");
        return;
    }
    c->depth++;
    c->nodes++;
    for (const struct json *m = json_first(j); m; m = json_next(m))
        check_keyword(c, m);
    check_format(c, j);
    c->depth--;
}

/* ---- one node ---- */

static struct schema *compile(struct compiler *c, const struct json *j,
                              bool nested);

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

static void
read_list(struct schema *s, const struct json *j)
{
    const char *list = json_get_text(j, "x-kubernetes-list-type");
    const struct json *keys = json_get(j, "x-kubernetes-list-map-keys");

    if (strcmp(list, "map") == 0)
        s->info.list = SCHEMA_LIST_MAP;
    else if (strcmp(list, "set") == 0)
        s->info.list = SCHEMA_LIST_SET;
    for (const struct json *k = json_first(keys); k; k = json_next(k))
        strlist_add((struct strlist *)s->info.list_keys,
                    str_of(json_string_or(k, "")));
}

/* ---- children ---- */

static int
by_name(const void *a, const void *b)
{
    return strcmp((*(struct schema_property *const *)a)->name,
                  (*(struct schema_property *const *)b)->name);
}

static void
compile_properties(struct compiler *c, struct schema *s, const struct json *j,
                   bool nested)
{
    struct json *list = json_get(j, "properties");
    size_t n = json_len(list), i = 0;

    s->properties = arena_array(c->root->arena, n, sizeof(*s->properties));
    s->by_name = arena_array(c->root->arena, n, sizeof(*s->by_name));
    for (struct json *p = json_first(list); p; p = json_next(p), i++) {
        s->properties[i] = (struct schema_property){
            json_key(p), compile(c, p, nested),
            strlist_has(&s->required, str_of(json_key(p)))};
        s->by_name[i] = &s->properties[i];
    }
    s->property_count = i;
    if (i)
        qsort(s->by_name, i, sizeof(*s->by_name), by_name);
}

static void
compile_values(struct compiler *c, struct schema *s, const struct json *j)
{
    struct json *values = json_get(j, "additionalProperties");

    if (json_is(values, JSON_BOOL)) {
        s->any_values = true; /* false does not prune, it refuses */
        s->closed = !json_bool(values, false);
    } else if (json_is(values, JSON_OBJECT)) {
        s->values = compile(c, values, false);
    }
}

static void
compile_list_of(struct compiler *c, struct schema_list_of *out,
                const struct json *list)
{
    out->v = arena_array(c->root->arena, json_len(list), sizeof(*out->v));
    for (struct json *e = json_first(list); e; e = json_next(e))
        out->v[out->n++] = compile(c, e, true);
}

/* Of a sound schema. */
static struct schema *
compile(struct compiler *c, const struct json *j, bool nested)
{
    struct schema *s = new_node(c, j);

    s->source = j;
    if (*s->info.pattern)
        s->pattern = re_compile(str_of(s->info.pattern), NULL);
    if (!nested) {
        read_list(s, j);
        compile_values(c, s, j);
    }
    compile_properties(c, s, j, nested);
    if (json_is(json_get(j, "items"), JSON_OBJECT))
        s->items = compile(c, json_get(j, "items"), nested);
    compile_list_of(c, &s->all_of, json_get(j, "allOf"));
    compile_list_of(c, &s->any_of, json_get(j, "anyOf"));
    compile_list_of(c, &s->one_of, json_get(j, "oneOf"));
    if (json_is(json_get(j, "not"), JSON_OBJECT))
        s->negated = compile(c, json_get(j, "not"), true);
    s->has_invariants = schema_needs_invariants(s);
    s->has_rules = schema_needs_rules(s);
    return s;
}

/* ---- defaults ---- */

/* A default holds no unknown fields, fits its schema and its rules. */
static void
check_default(struct compiler *c, const struct schema *s, bool meta)
{
    AUTO(strlist_release) struct strlist unknown = {0};
    AUTO(json_free_ptr) struct json *copy = json_copy(s->info.fallback);
    size_t mark, before;

    if (!copy || json_is(copy, JSON_NULL))
        return;
    mark = schema_path_key(&c->path, "default");
    schema_prune(s, copy, true, &unknown);
    if (unknown.n && !meta) {
        AUTO(mem_free_ptr) char *text = schema_value_text(copy);

        schema_findings_add(c->problems, buf_cstr(&c->path), INVALID,
                            "Invalid value: %s: must not have unknown fields",
                            text);
    }
    before = c->problems->n;
    schema_check_embedded(s, copy, buf_cstr(&c->path), c->problems);
    if (c->problems->n == before)
        schema_check(s, copy, buf_cstr(&c->path), "", c->problems);
    if (c->problems->n == before && s->has_rules)
        schema_rules_check(s, copy, copy, buf_cstr(&c->path), c->problems);
    if (c->problems->n == before && s->has_rules)
        schema_rules_check(s, copy, NULL, buf_cstr(&c->path), c->problems);
    buf_truncate(&c->path, mark);
}

static bool
is_meta(const struct schema *s, const char *key)
{
    return (s->is_root || s->info.embedded_resource) &&
           (strcmp(key, "metadata") == 0 || strcmp(key, "kind") == 0 ||
            strcmp(key, "apiVersion") == 0);
}

/* Below additionalProperties they are not looked at. */
static void
check_defaults(struct compiler *c, const struct schema *s, bool meta)
{
    meta = meta && !s->info.embedded_resource;
    check_default(c, s, meta);
    if (s->items) {
        size_t mark = schema_path_key(&c->path, "items");

        check_defaults(c, s->items, meta);
        buf_truncate(&c->path, mark);
    }
    for (size_t i = 0; i < s->property_count; i++) {
        const char *name = s->properties[i].name;
        size_t mark = path_in(c, "properties", name);

        check_defaults(c, s->properties[i].schema, meta || is_meta(s, name));
        buf_truncate(&c->path, mark);
    }
}

/* ---- all of it ---- */

/* Findings of rules, told last. */
struct rules_pass {
    struct schema_findings found;
    struct schema_cost_total total;
};

static void
compile_rules(void *arg, struct schema *s, const char *path,
              const char *uncorrelated, const uint64_t *count)
{
    struct rules_pass *pass = arg;
    struct schema_rule_place at = {path, uncorrelated, count};

    schema_rules_compile(s, &at, &pass->total, &pass->found);
}

static void
adopt(struct schema_findings *to, struct schema_findings *from)
{
    for (size_t i = 0; i < from->n; i++)
        schema_findings_add(to, from->v[i].field, from->v[i].reason, "%s",
                            from->v[i].message);
    schema_findings_release(from);
}

/* NULL only with a problem added; also when there is a schema. */
static struct schema *
pass_all(struct compiler *c, const char *path)
{
    const struct json *source = c->root->source;
    struct rules_pass pass = {0};
    struct openapi_rules rules = {compile_rules, &pass};
    struct schema_findings supported = {0};
    struct schema *s = NULL;
    size_t before = c->problems->n;
    const char *unreadable;

    check_keywords(c, source);
    if (c->problems->n > before)
        return NULL;
    unreadable = structural_unreadable(source);
    if (!unreadable && !structural_check(source, path, c->problems)) {
        s = compile(c, source, false);
        s->is_root = true;
    }
    openapi_check(source, s, path, &rules, &supported);
    if (s)
        check_defaults(c, s, false);
    bool sound = s && c->problems->n == before;

    adopt(c->problems, &supported);
    if (sound)
        adopt(c->problems, &pass.found);
    if (sound)
        schema_cost_report(&pass.total, path, c->problems);
    schema_findings_release(&pass.found);
    schema_cost_release(&pass.total);
    if (unreadable && c->problems->n == before)
        schema_findings_add(c->problems, path, INVALID,
                            "Invalid value: \"\": %s", unreadable);
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
    struct schema *s = pass_all(&c, path);

    buf_release(&c.path);
    bool bad = !s || c.problems->n > before;

    schema_findings_release(&own);
    if (!bad)
        return s;
    struct schema bare = {.root = c.root};

    schema_free(s ? s : &bare);
    return NULL;
}
