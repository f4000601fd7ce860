#include "devenv/sandbox/openapi_v2.h"

#include "lib/base/mem.h"

#include "devenv/sandbox/openapi.h"

/* Field numbers of OpenAPIv2.proto. */
enum {
    DOC_SWAGGER = 1,
    DOC_INFO = 2,
    DOC_PATHS = 8,
    DOC_DEFINITIONS = 9,
    PATHS_PATH = 2,
    ITEM_PATCH = 8,
    OP_ID = 5,
    OP_PARAMETERS = 8,
    OP_EXTENSION = 13,
    SCHEMA_REF = 1,
    SCHEMA_FORMAT = 2,
    SCHEMA_DESCRIPTION = 4,
    SCHEMA_REQUIRED = 19,
    SCHEMA_VALUES = 21,
    SCHEMA_TYPE = 22,
    SCHEMA_ITEMS = 23,
    SCHEMA_PROPERTIES = 25,
    SCHEMA_EXTENSION = 31
};

static void
put_varint(struct buf *out, size_t n)
{
    for (; n >= 128; n >>= 7)
        buf_putc(out, (char)(n | 128));
    buf_putc(out, (char)n);
}

static void
put_bytes(struct buf *out, unsigned field, struct str bytes)
{
    put_varint(out, (size_t)field << 3 | 2);
    put_varint(out, bytes.n);
    buf_str(out, bytes);
}

static void
put_text(struct buf *out, unsigned field, const char *z)
{
    if (z && *z)
        put_bytes(out, field, str_of(z));
}

/* A message with a name (1) and a value (2). */
static void
put_named(struct buf *out, unsigned field, const char *name, struct str value)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    put_text(&b, 1, name);
    put_bytes(&b, 2, value);
    put_bytes(out, field, buf_view(&b));
}

/* x-kubernetes-group-version-kind, as YAML: a list in schemas, a map in
 * operations. */
static void
put_gvk(struct buf *out, unsigned field, const struct kind *k, bool list)
{
    AUTO(buf_release) struct buf yaml = BUF_INIT(4096), any = BUF_INIT(4096);

    buf_printf(&yaml, "%sgroup: \"%s\"\n%skind: %s\n%sversion: %s\n",
               list ? "- " : "", k->group, list ? "  " : "", k->kind,
               list ? "  " : "", k->version);
    put_bytes(&any, 2, buf_view(&yaml));
    put_named(out, field, "x-kubernetes-group-version-kind", buf_view(&any));
}

static void put_schema(const struct json *s, struct buf *out);

static void
put_properties(const struct json *s, struct buf *out)
{
    AUTO(buf_release) struct buf all = BUF_INIT(BUF_TEXT_MAX);

    for (const struct json *p = json_first(json_get(s, "properties")); p;
         p = json_next(p)) {
        AUTO(buf_release) struct buf one = BUF_INIT(BUF_TEXT_MAX);

        put_schema(p, &one);
        put_named(&all, 1, json_key(p), buf_view(&one));
    }
    if (all.n)
        put_bytes(out, SCHEMA_PROPERTIES, buf_view(&all));
}

/* One schema inside a wrapper message at field. */
static void
put_wrapped(const struct json *s, unsigned field, struct buf *out)
{
    AUTO(buf_release)
    struct buf inner = BUF_INIT(BUF_TEXT_MAX), wrap = BUF_INIT(BUF_TEXT_MAX);

    if (!json_is(s, JSON_OBJECT))
        return;
    put_schema(s, &inner);
    put_bytes(&wrap, 1, buf_view(&inner));
    put_bytes(out, field, buf_view(&wrap));
}

/* A reference: v2 knows no allOf around it. */
static const char *
reference(const struct json *s)
{
    const struct json *all = json_first(json_get(s, "allOf"));
    const char *ref = json_get_string(s, "$ref");

    return ref ? ref : json_get_string(all, "$ref");
}

/* x-kubernetes-... of a schema, as YAML. */
static void
put_extensions(const struct json *s, struct buf *out)
{
    static const char *const keys[] = {
        "x-kubernetes-patch-merge-key", "x-kubernetes-patch-strategy",
        "x-kubernetes-list-type",       "x-kubernetes-map-type",
        "x-kubernetes-list-map-keys",   "x-kubernetes-group-version-kind"};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        AUTO(buf_release)
        struct buf yaml = BUF_INIT(4096), any = BUF_INIT(4096);

        if (!json_get(s, keys[i]))
            continue;
        /* JSON is YAML. */
        json_print(json_get(s, keys[i]), JSON_COMPACT, &yaml);
        put_bytes(&any, 2, buf_view(&yaml));
        put_named(out, SCHEMA_EXTENSION, keys[i], buf_view(&any));
    }
}

static void
put_schema(const struct json *s, struct buf *out)
{
    AUTO(buf_release) struct buf type = BUF_INIT(64);
    bool open =
        json_bool(json_get(s, "x-kubernetes-preserve-unknown-fields"), false);

    put_text(out, SCHEMA_REF, reference(s));
    put_text(out, SCHEMA_FORMAT, json_get_string(s, "format"));
    put_text(out, SCHEMA_DESCRIPTION, json_get_string(s, "description"));
    for (const struct json *r = json_first(json_get(s, "required")); r;
         r = json_next(r))
        put_text(out, SCHEMA_REQUIRED, json_string(r));
    /* What may hold anything is published without its members. */
    if (!open)
        put_wrapped(json_get(s, "additionalProperties"), SCHEMA_VALUES, out);
    if (json_get_string(s, "type")) {
        put_text(&type, 1, json_get_string(s, "type"));
        put_bytes(out, SCHEMA_TYPE, buf_view(&type));
    }
    put_wrapped(json_get(s, "items"), SCHEMA_ITEMS, out);
    if (!open)
        put_properties(s, out);
    put_extensions(s, out);
}

static void
put_definition(const char *name, const struct json *schema, struct buf *out)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    put_schema(schema, &b);
    put_named(out, 1, name, buf_view(&b));
}

static void
put_parameter(const char *name, struct buf *op)
{
    AUTO(buf_release)
    struct buf query = BUF_INIT(256), non_body = BUF_INIT(256),
               parameter = BUF_INIT(256), item = BUF_INIT(256);

    put_text(&query, 2, "query");
    put_text(&query, 4, name);
    put_text(&query, 6, "string");
    put_bytes(&non_body, 3, buf_view(&query));
    put_bytes(&parameter, 2, buf_view(&non_body));
    put_bytes(&item, 1, buf_view(&parameter));
    put_bytes(op, OP_PARAMETERS, buf_view(&item));
}

static void
put_path(const struct kind *k, struct buf *out)
{
    AUTO(buf_release)
    struct buf op = BUF_INIT(8192), item = BUF_INIT(8192);
    AUTO(mem_free_ptr)
    char *path = mem_printf(
        "/%s/%s/%s%s/{name}", *k->group ? "apis" : "api", k->api_version,
        k->namespaced ? "namespaces/{namespace}/" : "", k->plural);

    put_text(&op, OP_ID, path);
    put_parameter("dryRun", &op);
    put_parameter("fieldValidation", &op);
    put_gvk(&op, OP_EXTENSION, k, false);
    put_bytes(&item, ITEM_PATCH, buf_view(&op));
    put_named(out, PATHS_PATH, path, buf_view(&item));
}

void
openapi_v2(struct registry *r, struct buf *out)
{
    AUTO(buf_release)
    struct buf paths = BUF_INIT(BUF_TEXT_MAX), all = BUF_INIT(BUF_TEXT_MAX),
               info = BUF_INIT(256);

    AUTO(json_free_ptr) struct json *schemas = json_new_object();
    struct openapi_models m = {.types = r->kinds.types,
                               .prefix = "#/definitions/"};

    put_text(&info, 1, "meshtop sandbox");
    put_text(&info, 2, MESHTOP_VERSION);
    m.schemas = schemas;
    for (struct map_entry *e = map_first(&r->kinds.by_resource); e;
         e = map_next(&r->kinds.by_resource, e)) {
        const struct kind_info *k = e->value;
        AUTO(mem_free_ptr) char *model = openapi_add_model(&m, k);

        put_path(&k->pub, &paths);
    }
    openapi_add_wanted(&m);
    for (const struct json *c = json_first(schemas); c; c = json_next(c))
        put_definition(json_key(c), c, &all);
    put_text(out, DOC_SWAGGER, "2.0");
    put_bytes(out, DOC_INFO, buf_view(&info));
    put_bytes(out, DOC_PATHS, buf_view(&paths));
    put_bytes(out, DOC_DEFINITIONS, buf_view(&all));
}
