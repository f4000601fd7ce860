#include "devenv/sandbox/openapi.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/openapi_v2.h"
#include "devenv/sandbox/rest.h"

/* ---- the index ---- */

static void
each_version(struct registry *r, void (*fn)(void *arg, const char *gv),
             void *arg)
{
    AUTO(strlist_release) struct strlist seen = {0};

    for (struct map_entry *e = map_first(&r->kinds.by_resource); e;
         e = map_next(&r->kinds.by_resource, e)) {
        const struct kind_info *k = e->value;
        struct str gv = str_of(k->pub.api_version);

        if (strlist_has(&seen, gv))
            continue;
        strlist_add(&seen, gv);
        fn(arg, k->pub.api_version);
    }
}

struct index {
    struct json *paths;
    uint64_t version;
};

static void
put_version(void *arg, const char *gv)
{
    struct index *ix = arg;
    const char *base = strchr(gv, '/') ? "apis" : "api";
    AUTO(mem_free_ptr) char *path = mem_printf("%s/%s", base, gv);
    AUTO(mem_free_ptr)
    char *url = mem_printf("/openapi/v3/%s?hash=%08llX", path,
                           (unsigned long long)ix->version);

    json_set_string(json_set(ix->paths, path, json_new_object()),
                    "serverRelativeURL", url);
}

static void
reply_index(struct rest *rq)
{
    AUTO(json_free_ptr) struct json *j = json_new_object();
    struct index ix = {json_set(j, "paths", json_new_object()),
                       rq->r->kinds.version};

    each_version(rq->r, put_version, &ix);
    http_reply_json(rq->h, 200, j);
}

/* ---- a document ---- */

static struct json *
gvk_of(const struct kind *k)
{
    struct json *j = json_new_object();

    json_set_string(j, "group", k->group);
    json_set_string(j, "version", k->version);
    json_set_string(j, "kind", k->kind);
    return j;
}

char *
openapi_model_name(const struct kind *k)
{
    struct buf b = BUF_INIT(4096);
    struct strlist parts = {0};
    struct str rest = str_of(k->group), part;

    if (k->builtin)
        buf_puts(&b, "io.k8s.api.");
    while (rest.n && str_next(&rest, '.', &part))
        strlist_add(&parts, part);
    for (size_t i = parts.n; i > 0 && !k->builtin; i--)
        buf_printf(&b, "%s.", parts.v[i - 1]);
    if (k->builtin)
        buf_printf(&b, "%s.", parts.n ? parts.v[0] : "core");
    buf_printf(&b, "%s.%s", k->version, k->kind);
    strlist_release(&parts);
    return buf_take(&b);
}

static void
put_param(struct json *list, const char *name, const char *type)
{
    struct json *p = json_append(list, json_new_object());

    json_set_string(p, "name", name);
    json_set_string(p, "in", "query");
    json_set_string(json_set(p, "schema", json_new_object()), "type", type);
}

static void
put_body(struct json *op, const struct kind *k, bool patch)
{
    static const char *const forms[] = {
        "application/json-patch+json", "application/merge-patch+json",
        "application/apply-patch+yaml",
        "application/strategic-merge-patch+json"};
    struct json *content;

    content = json_need_object(json_need_object(op, "requestBody"), "content");
    if (!patch)
        json_set(content, "application/json", json_new_object());
    for (size_t i = 0; patch && i < (k->builtin ? 4 : 3); i++)
        json_set(content, forms[i], json_new_object());
}

static void
put_answer(struct json *op, const char *model)
{
    AUTO(mem_free_ptr) char *ref = mem_printf("#/components/schemas/%s", model);
    struct json *j = json_need_object(json_need_object(op, "responses"), "200");

    json_set_string(j, "description", "OK");
    j = json_need_object(json_need_object(j, "content"), "application/json");
    json_set_string(json_need_object(j, "schema"), "$ref", ref);
}

struct operation {
    const char *method, *action;
    bool item, writes;
};

static const struct operation operations[] = {
    {"get", "list", false, false},  {"post", "post", false, true},
    {"get", "get", true, false},    {"put", "put", true, true},
    {"patch", "patch", true, true}, {"delete", "delete", true, false},
};

static void
put_operation(struct json *path, const struct kind *k,
              const struct operation *o, const char *model)
{
    struct json *op = json_set(path, o->method, json_new_object()), *params;

    json_set_string(op, "x-kubernetes-action", o->action);
    json_set(op, "x-kubernetes-group-version-kind", gvk_of(k));
    params = json_set(op, "parameters", json_new_array());
    if (o->writes) {
        put_param(params, "dryRun", "string");
        put_param(params, "fieldManager", "string");
        put_param(params, "fieldValidation", "string");
        put_body(op, k, !strcmp(o->method, "patch"));
    }
    if (!strcmp(o->method, "patch"))
        put_param(params, "force", "boolean");
    put_answer(op, model);
}

static void
put_paths(struct json *paths, const struct kind *k, const char *model)
{
    AUTO(mem_free_ptr)
    char *all =
        mem_printf("/%s/%s/%s%s", *k->group ? "apis" : "api", k->api_version,
                   k->namespaced ? "namespaces/{namespace}/" : "", k->plural);
    AUTO(mem_free_ptr) char *one = mem_printf("%s/{name}", all);

    json_set(paths, all, json_new_object());
    json_set(paths, one, json_new_object());
    for (size_t i = 0; i < ARRAY_LEN(operations); i++)
        put_operation(json_get(paths, operations[i].item ? one : all), k,
                      &operations[i], model);
}

struct json *
openapi_root(const struct kind_info *k)
{
    struct json *s = k->openapi ? json_copy(k->openapi) : json_new_object();
    struct json *props = json_need_object(s, "properties");
    static const char *const texts[][2] = {
        {"apiVersion",
         "APIVersion defines the versioned schema of this representation of an "
         "object."},
        {"kind", "Kind is a string value representing the REST resource this "
                 "object represents."}};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct json *p = json_set(props, texts[i][0], json_new_object());

        json_set_string(p, "type", "string");
        json_set_string(p, "description", texts[i][1]);
    }
    json_set_string(json_set(props, "metadata", json_new_object()), "type",
                    "object");
    return s;
}

static void
put_model(struct json *schemas, const struct kind_info *k, const char *model)
{
    struct json *s = openapi_root(k), *meta, *all, *gvks;

    json_set(schemas, model, s);
    meta = json_set(json_need_object(s, "properties"), "metadata",
                    json_new_object());
    json_set_string(meta, "description",
                    "Standard object's metadata. More info: "
                    "https://git.k8s.io/community/contributors/devel/"
                    "sig-architecture/api-conventions.md#metadata");
    all = json_set(meta, "allOf", json_new_array());
    json_set_string(json_append(all, json_new_object()), "$ref",
                    "#/components/schemas/" OPENAPI_META_MODEL);
    gvks = json_set(s, "x-kubernetes-group-version-kind", json_new_array());
    json_append(gvks, gvk_of(&k->pub));
}

static struct json *
document(struct registry *r, const char *gv)
{
    struct json *j = json_new_object(), *paths, *schemas;
    bool found = false;

    json_set_string(j, "openapi", "3.0.0");
    json_set_string(json_set(j, "info", json_new_object()), "title",
                    "meshtop sandbox");
    json_set_string(json_get(j, "info"), "version", MESHTOP_VERSION);
    paths = json_set(j, "paths", json_new_object());
    schemas = json_need_object(json_need_object(j, "components"), "schemas");
    for (struct map_entry *e = map_first(&r->kinds.by_resource); e;
         e = map_next(&r->kinds.by_resource, e)) {
        const struct kind_info *k = e->value;
        AUTO(mem_free_ptr) char *model = NULL;

        if (strcmp(k->pub.api_version, gv) != 0)
            continue;
        found = true;
        model = openapi_model_name(&k->pub);
        put_paths(paths, &k->pub, model);
        put_model(schemas, k, model);
    }
    json_set(schemas, OPENAPI_META_MODEL, json_copy(r->kinds.meta_openapi));
    if (found)
        return j;
    json_free(j);
    return NULL;
}

static void
reply_document(struct rest *rq)
{
    const struct url *u = &rq->h->url;
    AUTO(json_free_ptr) struct json *j = NULL;
    AUTO(mem_free_ptr) char *gv = NULL, *etag = NULL;
    const char *have = http_header(rq->h, "If-None-Match");

    if (u->segments_n == 4)
        gv = mem_strdup(u->segments[3]);
    else
        gv = mem_printf("%s/%s", u->segments[3], u->segments[4]);
    etag = mem_printf("\"%08llX\"", (unsigned long long)rq->r->kinds.version);
    http_set_header(rq->h, "Etag", etag);
    if (have && !strcmp(have, etag)) {
        http_reply(rq->h, 304, NULL, (struct str){0});
        return;
    }
    j = document(rq->r, gv);
    if (j)
        http_reply_json(rq->h, 200, j);
    else
        rest_no_page(rq->h);
}

static void
reply_v2(struct rest *rq)
{
    static const char type[] =
        "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
    AUTO(mem_free_ptr)
    char *etag =
        mem_printf("\"2-%08llX\"", (unsigned long long)rq->r->kinds.version);
    const char *have = http_header(rq->h, "If-None-Match");
    struct buf b = BUF_INIT(BUF_TEXT_MAX);

    http_set_header(rq->h, "Etag", etag);
    if (have && !strcmp(have, etag)) {
        http_reply(rq->h, 304, type, (struct str){0});
        return;
    }
    openapi_v2(rq->r, &b);
    http_reply_buf(rq->h, 200, type, &b);
}

bool
openapi_serve(struct rest *rq)
{
    const struct url *u = &rq->h->url;

    if (u->segments_n < 2 || strcmp(u->segments[0], "openapi") != 0)
        return false;
    if (!strcmp(u->segments[1], "v2")) {
        reply_v2(rq);
        return true;
    }
    if (strcmp(u->segments[1], "v3") != 0)
        return false;
    if (u->segments_n == 2)
        reply_index(rq);
    else if (u->segments_n == 4 || u->segments_n == 5)
        reply_document(rq);
    else
        return false;
    return true;
}
