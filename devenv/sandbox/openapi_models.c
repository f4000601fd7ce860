/* The schemas in OpenAPI documents, and what tells that they changed. */
#include <stdio.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/openapi.h"
#include "devenv/sandbox/types_schema.h"

/* ---- models ---- */

struct json *
openapi_gvk(const struct kind *k)
{
    struct json *j = json_new_object();

    json_set_string(j, "group", k->group);
    json_set_string(j, "kind", k->kind);
    json_set_string(j, "version", k->version);
    return j;
}

static void
want(void *arg, const struct types_struct *s)
{
    struct openapi_models *m = arg;
    AUTO(mem_free_ptr) char *name = types_model_name(s);

    if (!json_get(m->schemas, name))
        map_put(&m->wanted, str_of(name), (void *)s);
}

static struct json *
add_type(struct openapi_models *m, const struct types_struct *s)
{
    AUTO(mem_free_ptr) char *name = types_model_name(s);

    return json_set(m->schemas, name,
                    types_component(m->types, s, m->prefix, want, m));
}

void
openapi_add_wanted(struct openapi_models *m)
{
    while (map_count(&m->wanted)) {
        struct map_entry *e = map_first(&m->wanted);
        AUTO(mem_free_ptr) char *name = mem_strdup(e->key.s);
        const struct types_struct *s = map_del(&m->wanted, str_of(name));

        if (!json_get(m->schemas, name))
            add_type(m, s);
    }
    map_release(&m->wanted, NULL);
}

/* "org.example.v1.Widget" */
static char *
custom_name(const struct kind *k)
{
    struct buf b = BUF_INIT(4096);
    AUTO(strlist_release) struct strlist parts = {0};
    struct str rest = str_of(k->group), part;

    while (rest.n && str_next(&rest, '.', &part))
        strlist_add(&parts, part);
    for (size_t i = parts.n; i > 0; i--)
        buf_printf(&b, "%s.", parts.v[i - 1]);
    buf_printf(&b, "%s.%s", k->version, k->kind);
    return buf_take(&b);
}

static const char *const texts[][2] = {
    {"apiVersion", "The version of the schema this object is written in."},
    {"kind", "The kind of the object."},
};

static void
put_texts(struct json *props)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct json *p = json_need_object(props, texts[i][0]);

        json_set_string(p, "type", "string");
        json_set_string(p, "description", texts[i][1]);
    }
}

/* Metadata refers to ObjectMeta: below allOf in v3, as it has a description. */
static void
put_metadata(struct openapi_models *m, struct json *props)
{
    AUTO(mem_free_ptr)
    char *ref = mem_printf("%s%s", m->prefix, OPENAPI_META_MODEL);
    struct json *meta = json_set(props, "metadata", json_new_object());
    struct json *all;

    json_set_string(meta, "description", "Metadata of the object.");
    all = json_set(meta, "allOf", json_new_array());
    json_set_string(json_append(all, json_new_object()), "$ref", ref);
    want(m, types_find(m->types, "meta.v1.ObjectMeta"));
}

static struct json *
add_custom(struct openapi_models *m, const struct kind_info *k,
           const char *name)
{
    struct json *s = k->openapi ? json_copy(k->openapi) : json_new_object();
    struct json *props = json_need_object(s, "properties");

    put_texts(props);
    put_metadata(m, props);
    return json_set(m->schemas, name, s);
}

char *
openapi_add_model(struct openapi_models *m, const struct kind_info *k)
{
    const struct types_struct *type = kind_type(k);
    char *name = type ? types_model_name(type) : custom_name(&k->pub);
    struct json *s, *list;

    if (type) {
        s = add_type(m, type);
        put_texts(json_get(s, "properties"));
    } else {
        s = add_custom(m, k, name);
    }
    list = json_set(s, "x-kubernetes-group-version-kind", json_new_array());
    json_append(list, openapi_gvk(&k->pub));
    return name;
}

/* ---- what it hashes to ---- */

static uint64_t
mix(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3;
    return (hash ^ '\n') * 0x100000001b3;
}

void
openapi_hash(const struct kinds *t, const char *gv, char out[OPENAPI_HASH_LEN])
{
    uint64_t hash = mix(0xcbf29ce484222325, MESHTOP_VERSION);

    for (struct map_entry *e = map_first(&t->by_resource); e;
         e = map_next(&t->by_resource, e)) {
        const struct kind_info *k = e->value;
        char generation[24];

        if (gv && strcmp(k->pub.api_version, gv) != 0)
            continue;
        hash = mix(hash, e->key.s);
        if (!k->crd)
            continue;
        snprintf(generation, sizeof(generation), "%lld",
                 (long long)kobj_generation(k->crd));
        hash = mix(mix(hash, kobj_uid(k->crd)), generation);
    }
    snprintf(out, OPENAPI_HASH_LEN, "%016llX", (unsigned long long)hash);
}
