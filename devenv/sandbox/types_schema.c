#include "devenv/sandbox/types_schema.h"

#include "lib/base/mem.h"

#define META  "meta.v1.ObjectMeta"
#define DEPTH 24

/* How a schema is written. */
struct style {
    struct types *t;
    const char *prefix; /* of references; NULL: types stand in line */
    types_ref_fn *fn;
    void *arg;
    const struct types_struct *open[DEPTH]; /* what we are inside of */
    size_t depth;
};

char *
types_model_name(const struct types_struct *s)
{
    static const struct {
        const char *head, *package;
    } roots[] = {
        {"meta.", "io.k8s.apimachinery.pkg.apis."},
        {"apiextensions.", "io.k8s.apiextensions-apiserver.pkg.apis."},
        {"apiregistration.", "io.k8s.kube-aggregator.pkg.apis."},
        {"", "io.k8s.api."},
    };

    for (size_t i = 0;; i++) {
        if (str_starts(str_of(s->name), str_of(roots[i].head)))
            return mem_printf("%s%s", roots[i].package, s->name);
    }
}

/* type and format of the plain types; "": any. */
static const struct plain {
    const char *type, *format, *model;
} plain[] = {
    [TYPES_STRING] = {"string", NULL, NULL},
    [TYPES_BOOL] = {"boolean", NULL, NULL},
    [TYPES_INT32] = {"integer", "int32", NULL},
    [TYPES_INT64] = {"integer", "int64", NULL},
    [TYPES_NUMBER] = {"number", "double", NULL},
    [TYPES_BYTES] = {"string", "byte", NULL},
    [TYPES_TIME] = {"string", "date-time",
                    "io.k8s.apimachinery.pkg.apis.meta.v1.Time"},
    [TYPES_MICRO_TIME] = {"string", "date-time",
                          "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime"},
    [TYPES_DURATION] = {"string", NULL,
                        "io.k8s.apimachinery.pkg.apis.meta.v1.Duration"},
    [TYPES_QUANTITY] = {"string", NULL,
                        "io.k8s.apimachinery.pkg.api.resource.Quantity"},
    [TYPES_INT_OR_STRING] = {"string", "int-or-string",
                             "io.k8s.apimachinery.pkg.util.intstr."
                             "IntOrString"},
    [TYPES_RAW] = {"object", NULL,
                   "io.k8s.apimachinery.pkg.runtime.RawExtension"},
    [TYPES_FIELDS] = {"object", NULL,
                      "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1"},
    [TYPES_SCHEMA_OR_STRINGS] = {NULL, NULL, NULL},
};

static void
put_plain(const struct style *st, const struct types_field *f, struct json *out)
{
    const struct plain *p = &plain[f->base];
    bool either = f->base == TYPES_INT_OR_STRING || f->base == TYPES_QUANTITY;

    if (!st->prefix && either) {
        json_set_bool(out, "x-kubernetes-int-or-string", true);
        return;
    }
    if (p->type)
        json_set_string(out, "type", p->type);
    if (p->format)
        json_set_string(out, "format", p->format);
    if (!st->prefix && (f->base == TYPES_TIME || f->base == TYPES_MICRO_TIME))
        json_set_bool(out, "nullable", true);
    if (!st->prefix && f->base == TYPES_RAW)
        json_set_string(out, "x-kubernetes-map-type", "atomic");
    if (!st->prefix && (!p->type || !strcmp(p->type, "object")))
        json_set_bool(out, "x-kubernetes-preserve-unknown-fields", true);
}

static void put_struct(struct style *st, const struct types_struct *s,
                       struct json *out);

/* As a real server's documents have it: a pointer refers plainly, what is
 * always there has the default {}. */
static void
put_reference(struct style *st, const struct types_field *f, struct json *out)
{
    AUTO(mem_free_ptr) char *name = types_model_name(f->type);
    AUTO(mem_free_ptr) char *ref = mem_printf("%s%s", st->prefix, name);

    if (!f->pointer || f->shape != TYPES_ONE) {
        struct json *all;

        json_set(out, "default", json_new_object());
        all = json_set(out, "allOf", json_new_array());
        out = json_append(all, json_new_object());
    }
    json_set_string(out, "$ref", ref);
    st->fn(st->arg, f->type);
}

static void
put_choices(const char *choices, struct json *out)
{
    struct str rest = str_of(choices), one;
    struct json *list = json_set(out, "enum", json_new_array());

    while (str_next(&rest, '|', &one))
        json_append(list, json_new_str(one));
}

/* One value of f. */
static void
put_one(struct style *st, const struct types_field *f, struct json *out)
{
    if (!f->type)
        put_plain(st, f, out);
    else if (st->prefix)
        put_reference(st, f, out);
    else
        put_struct(st, f->type, out);
    if (f->choices)
        put_choices(f->choices, out);
}

static void
put_list_keys(const struct types_field *f, struct json *out)
{
    struct str rest = str_of(f->list_keys), one;
    struct json *keys;

    json_set_string(out, "x-kubernetes-list-type", rest.n ? "map" : "set");
    if (!rest.n)
        return;
    keys = json_set(out, "x-kubernetes-list-map-keys", json_new_array());
    while (str_next(&rest, ',', &one))
        json_append(keys, json_new_str(one));
}

/* What tells the elements apart has to be there, or has a default. */
static void
need_list_keys(const struct types_field *f, struct json *items)
{
    struct str rest = str_of(f->list_keys), one;

    while (rest.n && str_next(&rest, ',', &one)) {
        struct json *key = json_get_str(json_get(items, "properties"), one);

        if (key && !json_get(key, "default"))
            json_append(json_need_array(items, "required"), json_new_str(one));
    }
}

static void
put_fallback(const struct types_field *f, struct json *out)
{
    struct json *v = f->base == TYPES_STRING || f->base == TYPES_INT_OR_STRING
                         ? NULL
                         : json_parse(str_of(f->fallback), NULL, NULL);

    json_set(out, "default", v ? v : json_new_string(f->fallback));
}

static void
put_array(struct style *st, const struct types_field *f, struct json *out)
{
    json_set_string(out, "type", "array");
    put_one(st, f, json_set(out, "items", json_new_object()));
    if (f->keyed)
        put_list_keys(f, out);
    else if (st->prefix)
        json_set_string(out, "x-kubernetes-list-type", "atomic");
    if (f->keyed && !st->prefix)
        need_list_keys(f, json_get(out, "items"));
    if (!st->prefix || !f->merged)
        return;
    if (*f->merge_key)
        json_set_string(out, "x-kubernetes-patch-merge-key", f->merge_key);
    json_set_string(out, "x-kubernetes-patch-strategy", "merge");
}

static void
put_field(struct style *st, const struct types_field *f, struct json *out)
{
    struct json *below = out;

    if (f->shape >= TYPES_MAP) {
        json_set_string(out, "type", "object");
        below = json_set(out, "additionalProperties", json_new_object());
    }
    if (f->shape == TYPES_LIST || f->shape == TYPES_MAP_OF_LISTS)
        put_array(st, f, below);
    else
        put_one(st, f, below);
    if (f->atomic)
        json_set_string(out, "x-kubernetes-map-type", "atomic");
    if (f->fallback && f->shape == TYPES_ONE && !(st->prefix && f->type))
        put_fallback(f, out);
}

static void
put_fields(struct style *st, const struct types_struct *s, struct json *props,
           struct json *required)
{
    for (size_t i = 0; i < s->fields_n; i++) {
        const struct types_field *f = &s->fields[i];

        if (f->name[0] == '-') {
            put_fields(st, f->type, props, required);
            continue;
        }
        put_field(st, f, json_set(props, f->name, json_new_object()));
        if (f->required && st->prefix)
            json_append(required, json_new_string(f->name));
    }
}

static void
put_struct(struct style *st, const struct types_struct *s, struct json *out)
{
    struct json *required = json_new_array(), *props;

    json_set_string(out, "type", "object");
    for (size_t i = 0; i < st->depth; i++) {
        if (st->open[i] == s || st->depth == DEPTH) {
            json_set_bool(out, "x-kubernetes-preserve-unknown-fields", true);
            json_free(required);
            return;
        }
    }
    if (!st->prefix)
        st->open[st->depth++] = s;
    props = json_set(out, "properties", json_new_object());
    if (s->kind) {
        json_set_string(json_set(props, "apiVersion", json_new_object()),
                        "type", "string");
        json_set_string(json_set(props, "kind", json_new_object()), "type",
                        "string");
    }
    put_fields(st, s, props, required);
    if (s->atomic)
        json_set_string(out, "x-kubernetes-map-type", "atomic");
    if (json_first(required))
        json_set(out, "required", required);
    else
        json_free(required);
    if (!st->prefix)
        st->depth--;
}

struct json *
types_schema(struct types *t, const struct types_struct *s)
{
    struct style st = {.t = t};
    struct json *out, *meta;

    if (!s)
        return NULL;
    out = json_new_object();
    put_struct(&st, s, out);
    /* A whole object's metadata has a schema of its own. */
    if (s->kind) {
        meta = json_set(json_get(out, "properties"), "metadata",
                        json_new_object());
        json_set_string(meta, "type", "object");
    }
    return out;
}

static void
release_meta(void *kept)
{
    schema_free(kept);
}

const struct schema *
types_schema_of_meta(struct types *t)
{
    void **slot = types_keep(t, release_meta);
    AUTO(json_free_ptr) struct json *j = NULL;

    if (!*slot) {
        j = types_schema(t, types_find(t, META));
        *slot = schema_compile(j, "metadata", NULL, NULL);
    }
    return *slot;
}

struct json *
types_component(struct types *t, const struct types_struct *s,
                const char *prefix, types_ref_fn *fn, void *arg)
{
    struct style st = {.t = t, .prefix = prefix, .fn = fn, .arg = arg};
    struct json *out = json_new_object();

    put_struct(&st, s, out);
    return out;
}
