#include "devenv/sandbox/openapi.h"

#include <stdlib.h>
#include <time.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/builtin.h"
#include "devenv/sandbox/openapi_v2.h"
#include "devenv/sandbox/rest.h"

#define COMPONENTS "#/components/schemas/"
#define V2_TYPE    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

/* ---- the index ---- */

static void
put_version(struct registry *r, struct json *paths, const char *gv)
{
    AUTO(mem_free_ptr)
    char *path = mem_printf("%s/%s", strchr(gv, '/') ? "apis" : "api", gv);
    char hash[OPENAPI_HASH_LEN];

    if (json_get(paths, path))
        return;
    openapi_hash(&r->kinds, gv, hash);
    AUTO(mem_free_ptr)
    char *url = mem_printf("/openapi/v3/%s?hash=%s", path, hash);

    json_set_string(json_set(paths, path, json_new_object()),
                    "serverRelativeURL", url);
}

/* Documents go out as Go's http.ServeContent gives them out. */
static void
as_content(struct rest *rq)
{
    time_t now = (time_t)(clock_wall_ms(rq->r->clock) / 1000);
    char text[64];
    struct tm tm;

    gmtime_r(&now, &tm);
    strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
    http_set_header(rq->h, "Accept-Ranges", "bytes");
    http_set_header(rq->h, "Last-Modified", text);
}

static void
reply_index(struct rest *rq)
{
    AUTO(json_free_ptr) struct json *j = json_new_object();
    AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);
    struct json *paths = json_set(j, "paths", json_new_object());
    struct map *all = &rq->r->kinds.by_resource;

    for (struct map_entry *e = map_first(all); e; e = map_next(all, e))
        put_version(rq->r, paths,
                    ((const struct kind_info *)e->value)->pub.api_version);
    json_sort(j);
    json_print(j, JSON_COMPACT, &text);
    as_content(rq);
    http_reply(rq->h, 200, "text/plain; charset=utf-8", buf_view(&text));
}

/* ---- the paths of a kind ---- */

struct operation {
    const char *method, *action, *verb;
    bool item, writes;
};

static const struct operation operations[] = {
    {"get", "list", "list", false, false},
    {"post", "post", "create", false, true},
    {"delete", "deletecollection", "deletecollection", false, false},
    {"get", "get", "get", true, false},
    {"put", "put", "update", true, true},
    {"patch", "patch", "patch", true, true},
    {"delete", "delete", "delete", true, false},
};

static void
put_param(struct json *op, const char *name, const char *type)
{
    struct json *p =
        json_append(json_need_array(op, "parameters"), json_new_object());

    json_set_string(p, "name", name);
    json_set_string(p, "in", "query");
    json_set_string(json_set(p, "schema", json_new_object()), "type", type);
}

static void
put_params(struct json *op, const struct operation *o)
{
    static const struct {
        const char *name, *type;
    } lists[] = {{"allowWatchBookmarks", "boolean"},
                 {"continue", "string"},
                 {"fieldSelector", "string"},
                 {"labelSelector", "string"},
                 {"limit", "integer"},
                 {"resourceVersion", "string"},
                 {"resourceVersionMatch", "string"},
                 {"sendInitialEvents", "boolean"},
                 {"timeoutSeconds", "integer"},
                 {"watch", "boolean"}},
      writes[] = {{"dryRun", "string"},
                  {"fieldManager", "string"},
                  {"fieldValidation", "string"}},
      deletes[] = {{"dryRun", "string"},
                   {"gracePeriodSeconds", "integer"},
                   {"orphanDependents", "boolean"},
                   {"propagationPolicy", "string"}};

    for (size_t i = 0; !strcmp(o->verb, "list") && i < ARRAY_LEN(lists); i++)
        put_param(op, lists[i].name, lists[i].type);
    for (size_t i = 0; o->writes && i < ARRAY_LEN(writes); i++)
        put_param(op, writes[i].name, writes[i].type);
    for (size_t i = 0; *o->verb == 'd' && i < ARRAY_LEN(deletes); i++)
        put_param(op, deletes[i].name, deletes[i].type);
    if (!strcmp(o->method, "patch"))
        put_param(op, "force", "boolean");
}

/* A reference to the model below content of where. */
static void
put_content(struct json *where, const char *form, const char *model)
{
    struct json *c = json_need_object(where, "content");
    AUTO(mem_free_ptr) char *ref = mem_printf(COMPONENTS "%s", model);

    json_set_string(json_need_object(json_need_object(c, form), "schema"),
                    "$ref", ref);
}

static void
put_body(struct json *op, const struct kind *k, bool patch, const char *model)
{
    static const char *const forms[] = {
        "application/json-patch+json", "application/merge-patch+json",
        "application/apply-patch+yaml",
        "application/strategic-merge-patch+json"};
    struct json *body = json_need_object(op, "requestBody");

    if (!patch)
        put_content(body, "*/*", model);
    for (size_t i = 0; patch && i < (k->builtin ? 4 : 3); i++)
        json_set(json_need_object(body, "content"), forms[i],
                 json_new_object());
}

static void
put_operation(struct json *path, const struct kind *k,
              const struct operation *o, const char *model)
{
    struct json *op = json_set(path, o->method, json_new_object()), *answer;

    json_set_string(op, "x-kubernetes-action", o->action);
    json_set(op, "x-kubernetes-group-version-kind", openapi_gvk(k));
    put_params(op, o);
    if (o->writes)
        put_body(op, k, !strcmp(o->method, "patch"), model);
    answer = json_need_object(json_need_object(op, "responses"), "200");
    json_set_string(answer, "description", "OK");
    put_content(answer, "application/json", model);
}

/* Paths end so; sub: "/status" or "". */
static void
put_paths(struct json *paths, const struct kind_info *k, const char *model)
{
    const struct kind *p = &k->pub;
    AUTO(mem_free_ptr)
    char *all =
        mem_printf("/%s/%s/%s%s", *p->group ? "apis" : "api", p->api_version,
                   p->namespaced ? "namespaces/{namespace}/" : "", p->plural);
    AUTO(mem_free_ptr) char *one = mem_printf("%s/{name}", all);
    AUTO(mem_free_ptr) char *status = mem_printf("%s/status", one);
    static const size_t of_status[] = {3, 4, 5};

    json_set(paths, all, json_new_object());
    json_set(paths, one, json_new_object());
    for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
        if (builtin_serves(k, operations[i].verb))
            put_operation(json_get(paths, operations[i].item ? one : all), p,
                          &operations[i], model);
    }
    for (size_t i = 0; p->has_status && i < ARRAY_LEN(of_status); i++)
        put_operation(json_need_object(paths, status), p,
                      &operations[of_status[i]], model);
}

/* ---- a document ---- */

static struct json *
document(struct registry *r, const char *gv)
{
    struct json *j = json_new_object(), *paths;
    struct openapi_models m = {.types = r->kinds.types, .prefix = COMPONENTS};
    bool found = false;

    json_set_string(j, "openapi", "3.0.0");
    json_set_string(json_set(j, "info", json_new_object()), "title",
                    "meshtop sandbox");
    json_set_string(json_get(j, "info"), "version", MESHTOP_VERSION);
    paths = json_set(j, "paths", json_new_object());
    m.schemas = json_need_object(json_need_object(j, "components"), "schemas");
    for (struct map_entry *e = map_first(&r->kinds.by_resource); e;
         e = map_next(&r->kinds.by_resource, e)) {
        const struct kind_info *k = e->value;
        AUTO(mem_free_ptr) char *model = NULL;

        if (strcmp(k->pub.api_version, gv) != 0)
            continue;
        found = true;
        model = openapi_add_model(&m, k);
        put_paths(paths, k, model);
    }
    openapi_add_wanted(&m);
    if (found)
        return j;
    json_free(j);
    return NULL;
}

/* The kept text of a document; NULL: no such version. v2: gv NULL. */
static const struct kinds_document *
need_document(struct registry *r, const char *gv,
              const char hash[OPENAPI_HASH_LEN])
{
    struct str key = str_of(gv ? gv : "");
    struct kinds_document *d = map_get(&r->kinds.documents, key);
    AUTO(json_free_ptr) struct json *j = NULL;

    if (d && !strcmp(d->hash, hash))
        return d;
    if (gv && !(j = document(r, gv)))
        return NULL;
    if (!d) {
        d = mem_zalloc(1, sizeof(*d));
        map_put(&r->kinds.documents, key, d);
    }
    buf_release(&d->text);
    buf_init(&d->text, BUF_TEXT_MAX);
    memcpy(d->hash, hash, OPENAPI_HASH_LEN);
    if (gv)
        json_print(j, JSON_COMPACT, &d->text);
    else
        openapi_v2(r, &d->text);
    return d;
}

static bool
not_modified(struct rest *rq, const char *hash)
{
    AUTO(mem_free_ptr) char *etag = mem_printf("\"%s\"", hash);
    const char *have = http_header(rq->h, "If-None-Match");

    http_set_header(rq->h, "Etag", etag);
    http_set_header(rq->h, "Vary", "Accept");
    if (!have || strcmp(have, etag) != 0) {
        as_content(rq);
        return false;
    }
    http_reply(rq->h, 304, NULL, (struct str){0});
    return true;
}

static void
reply_document(struct rest *rq)
{
    const struct url *u = &rq->h->url;
    const struct kinds_document *d;
    AUTO(mem_free_ptr)
    char *gv = u->segments_n == 4
                   ? mem_strdup(u->segments[3])
                   : mem_printf("%s/%s", u->segments[3], u->segments[4]);
    const char *asked = http_param(rq->h, "hash");
    char hash[OPENAPI_HASH_LEN];

    openapi_hash(&rq->r->kinds, gv, hash);
    d = need_document(rq->r, gv, hash);
    if (!d) {
        rest_no_page(rq->h);
        return;
    }
    if (asked && *asked && !strcmp(asked, hash))
        http_set_header(rq->h, "Cache-Control", "public, immutable");
    if (!not_modified(rq, hash))
        http_reply(rq->h, 200, "application/json", buf_view(&d->text));
}

static void
reply_v2(struct rest *rq)
{
    char hash[OPENAPI_HASH_LEN];

    openapi_hash(&rq->r->kinds, NULL, hash);
    if (!not_modified(rq, hash))
        http_reply(rq->h, 200, V2_TYPE,
                   buf_view(&need_document(rq->r, NULL, hash)->text));
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
