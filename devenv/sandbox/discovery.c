#include "devenv/sandbox/discovery.h"

#include <stdlib.h>

#include "lib/base/digest.h"
#include "lib/base/mem.h"

#include "devenv/sandbox/builtin.h"
#include "devenv/sandbox/rest.h"
#include "devenv/sandbox/reviews.h"

/* ---- the resources in order: core first, then groups by name ---- */

struct sorted {
    const struct resource **v;
    size_t n;
};

/* The order in which kube-apiserver shows its own groups; those of CRDs come
 * after them, by name (kube-aggregator's priorities). */
static const char *const group_order[] = {
    "",
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "resource.k8s.io",
    "flowcontrol.apiserver.k8s.io",
};

static size_t
group_rank(const char *group)
{
    size_t i = 0;

    while (i < ARRAY_LEN(group_order) && strcmp(group_order[i], group) != 0)
        i++;
    return i;
}

static int
compare_groups(const char *a, const char *b)
{
    size_t x = group_rank(a), y = group_rank(b);

    return x != y ? (x < y ? -1 : 1) : strcmp(a, b);
}

static int
by_group_and_name(const void *a, const void *b)
{
    const struct resource *const *x = a, *const *y = b;
    const struct kind *p = &(*x)->v[0]->pub, *q = &(*y)->v[0]->pub;
    int sign = compare_groups(p->group, q->group);

    return sign ? sign : strcmp(p->plural, q->plural);
}

static int
by_group(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;

    return compare_groups(*x, *y);
}

static struct sorted
sort_resources(const struct kinds *k)
{
    struct sorted s = {mem_zalloc(map_count(&k->resources) + 1, sizeof(*s.v)),
                       0};

    for (struct map_entry *e = map_first(&k->resources); e;
         e = map_next(&k->resources, e)) {
        const struct resource *r = e->value;

        if (r->n)
            s.v[s.n++] = r;
    }
    qsort(s.v, s.n, sizeof(*s.v), by_group_and_name);
    return s;
}

/* The versions of a group, preferred first, each once. */
static void
group_versions(const struct sorted *s, const char *group, struct strlist *out)
{
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->v[i]->v[0]->pub.group, group) != 0)
            continue;
        for (size_t k = 0; k < s->v[i]->n; k++) {
            struct str v = str_of(s->v[i]->v[k]->pub.version);

            if (!strlist_has(out, v))
                strlist_add(out, v);
        }
    }
    for (size_t i = 0; i < reviews_count(); i++) {
        if (!strcmp(reviews_row(i)->group, group) &&
            !strlist_has(out, str_of(reviews_row(i)->version)))
            strlist_add(out, str_of(reviews_row(i)->version));
    }
    for (size_t i = 1; i < out->n; i++) {
        for (size_t k = i;
             k > 0 && kinds_version_order(out->v[k], out->v[k - 1]) < 0; k--) {
            char *swap = out->v[k];

            out->v[k] = out->v[k - 1];
            out->v[k - 1] = swap;
        }
    }
}

static void
group_names(const struct sorted *s, struct strlist *out)
{
    for (size_t i = 0; i < s->n; i++) {
        struct str g = str_of(s->v[i]->v[0]->pub.group);

        if (g.n && !strlist_has(out, g))
            strlist_add(out, g);
    }
    for (size_t i = 0; i < reviews_count(); i++) {
        if (!strlist_has(out, str_of(reviews_row(i)->group)))
            strlist_add(out, str_of(reviews_row(i)->group));
    }
    qsort(out->v, out->n, sizeof(*out->v), by_group);
}

static const struct kind_info *
in_version(const struct resource *r, const char *group, const char *version)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct kind *p = &r->v[i]->pub;

        if (!strcmp(p->group, group) && !strcmp(p->version, version))
            return r->v[i];
    }
    return NULL;
}

/* ---- pieces of documents ---- */

static struct json *
texts(const char *const *v)
{
    struct json *list = json_new_array();

    for (; *v; v++)
        json_append(list, json_new_string(*v));
    return list;
}

static struct json *
verbs_of(const struct kind_info *k)
{
    static const char *const custom[] = {
        "delete", "deletecollection", "get",   "list", "patch",
        "create", "update",           "watch", NULL};

    return texts(k->verbs ? (const char *const *)k->verbs : custom);
}

#define SUBRESOURCES_MAX 12
struct subresource {
    const char *name, *group, *version, *kind;
    const char *const *verbs;
};

/* The subresources of k into out; how many. */
static size_t
subresources(const struct kind_info *k, struct subresource *out)
{
    static const char *const verbs[] = {"get", "patch", "update", NULL};
    size_t n = 0;

    for (; n < k->subs_n; n++)
        out[n] = (struct subresource){k->subs[n].name, k->subs[n].group,
                                      k->subs[n].version, k->subs[n].kind,
                                      (const char *const *)k->subs[n].verbs};
    if (k->pub.builtin)
        return n;
    if (k->pub.has_status)
        out[n++] = (struct subresource){"status", k->pub.group, k->pub.version,
                                        k->pub.kind, verbs};
    if (k->scale_spec)
        out[n++] =
            (struct subresource){"scale", "autoscaling", "v1", "Scale", verbs};
    return n;
}

static void
put_names(struct json *j, const struct kind_info *k)
{
    if (k->short_names[0])
        json_set(j, "shortNames", texts((const char *const *)k->short_names));
    if (k->categories[0])
        json_set(j, "categories", texts((const char *const *)k->categories));
}

/* ---- the old form ---- */

static void
put_hash(struct json *j, const struct kind_info *k)
{
    AUTO(mem_free_ptr)
    char *text =
        k->storage_api_version
            ? mem_printf("%s/%s", k->storage_api_version, k->pub.kind)
            : mem_printf("%s/%s/%s", k->pub.group, k->pub.version, k->pub.kind);
    AUTO(buf_release) struct buf b = BUF_INIT(64);
    uint8_t hash[DIGEST_MAX];

    digest_of(DIGEST_SHA256, str_of(text), hash);
    digest_base64(str_n((const char *)hash, 8), false, &b);
    json_set_string(j, "storageVersionHash", buf_cstr(&b));
}

static void
put_resource(struct json *list, const struct kind_info *k)
{
    struct json *j = json_append(list, json_new_object());
    struct subresource subs[SUBRESOURCES_MAX];
    size_t n = subresources(k, subs);

    json_set_string(j, "name", k->pub.plural);
    json_set_string(j, "singularName", k->pub.singular);
    json_set_bool(j, "namespaced", k->pub.namespaced);
    json_set_string(j, "kind", k->pub.kind);
    json_set(j, "verbs", verbs_of(k));
    put_names(j, k);
    put_hash(j, k);
    for (size_t i = 0; i < n; i++) {
        AUTO(mem_free_ptr)
        char *name = mem_printf("%s/%s", k->pub.plural, subs[i].name);

        j = json_append(list, json_new_object());
        json_set_string(j, "name", name);
        json_set_string(j, "singularName", "");
        json_set_bool(j, "namespaced", k->pub.namespaced);
        if (strcmp(subs[i].group, k->pub.group) != 0) {
            json_set_string(j, "group", subs[i].group);
            json_set_string(j, "version", subs[i].version);
        }
        json_set_string(j, "kind", subs[i].kind);
        json_set(j, "verbs", texts(subs[i].verbs));
    }
}

static void
put_review(struct json *list, const struct reviews_kind *k)
{
    static const char *const create[] = {"create", NULL};
    struct json *j = json_append(list, json_new_object());

    json_set_string(j, "name", k->plural);
    json_set_string(j, "singularName", k->singular);
    json_set_bool(j, "namespaced", k->namespaced);
    json_set_string(j, "kind", k->kind);
    json_set(j, "verbs", texts(create));
}

/* APIResourceList, or NULL when nothing is served there. */
static struct json *
resource_list(const struct sorted *s, const char *group, const char *version)
{
    struct json *j = json_new_object(), *list;
    AUTO(mem_free_ptr)
    char *gv =
        *group ? mem_printf("%s/%s", group, version) : mem_strdup(version);

    json_set_string(j, "kind", "APIResourceList");
    if (*group) /* the core's list was there before the field */
        json_set_string(j, "apiVersion", "v1");
    json_set_string(j, "groupVersion", gv);
    list = json_set(j, "resources", json_new_array());
    for (size_t i = 0; i < s->n; i++) {
        const struct kind_info *k = in_version(s->v[i], group, version);

        if (k)
            put_resource(list, k);
    }
    for (size_t i = 0; i < reviews_count(); i++) {
        const struct reviews_kind *k = reviews_row(i);

        if (!strcmp(k->group, group) && !strcmp(k->version, version))
            put_review(list, k);
    }
    if (json_first(list))
        return j;
    json_free(j);
    return NULL;
}

static struct json *
group_version(const char *group, const char *version)
{
    struct json *j = json_new_object();
    AUTO(mem_free_ptr) char *gv = mem_printf("%s/%s", group, version);

    json_set_string(j, "groupVersion", gv);
    json_set_string(j, "version", version);
    return j;
}

/* APIGroup, or NULL. */
static struct json *
group_object(const struct sorted *s, const char *group, bool typed)
{
    AUTO(strlist_release) struct strlist versions = {0};
    struct json *j, *list;

    group_versions(s, group, &versions);
    if (!versions.n)
        return NULL;
    j = json_new_object();
    if (typed) {
        json_set_string(j, "kind", "APIGroup");
        json_set_string(j, "apiVersion", "v1");
    }
    json_set_string(j, "name", group);
    list = json_set(j, "versions", json_new_array());
    for (size_t i = 0; i < versions.n; i++)
        json_append(list, group_version(group, versions.v[i]));
    json_set(j, "preferredVersion", group_version(group, versions.v[0]));
    return j;
}

static struct json *
group_list(const struct sorted *s)
{
    AUTO(strlist_release) struct strlist groups = {0};
    struct json *j = json_new_object(), *list;

    group_names(s, &groups);
    json_set_string(j, "kind", "APIGroupList");
    json_set_string(j, "apiVersion", "v1");
    list = json_set(j, "groups", json_new_array());
    for (size_t i = 0; i < groups.n; i++)
        json_append(list, group_object(s, groups.v[i], false));
    return j;
}

static struct json *
api_versions(struct rest *rq)
{
    struct json *j = json_new_object(), *at, *list;
    const char *host = http_header(rq->h, "Host");

    json_set_string(j, "kind", "APIVersions");
    list = json_set(j, "versions", json_new_array());
    json_append(list, json_new_string("v1"));
    list = json_set(j, "serverAddressByClientCIDRs", json_new_array());
    at = json_append(list, json_new_object());
    json_set_string(at, "clientCIDR", "0.0.0.0/0");
    json_set_string(at, "serverAddress", host ? host : "");
    return j;
}

/* ---- aggregated ---- */

/* Of built-in kinds only the kind is said, unless it is somebody else's. */
static struct json *
response_kind(const struct kind_info *k, const char *group, const char *version,
              const char *kind)
{
    bool own = !k || (k->pub.builtin && !strcmp(group, k->pub.group) &&
                      !strcmp(version, k->pub.version));
    struct json *j = json_new_object();

    json_set_string(j, "group", own ? "" : group);
    json_set_string(j, "version", own ? "" : version);
    json_set_string(j, "kind", kind);
    return j;
}

static void
put_aggregated(struct json *list, const struct kind_info *k)
{
    struct json *j = json_append(list, json_new_object()), *below;
    const struct kind *p = &k->pub;
    struct subresource subs[SUBRESOURCES_MAX];
    size_t n = subresources(k, subs);

    json_set_string(j, "resource", p->plural);
    json_set(j, "responseKind",
             response_kind(k, p->group, p->version, p->kind));
    json_set_string(j, "scope", p->namespaced ? "Namespaced" : "Cluster");
    json_set_string(j, "singularResource", p->singular);
    json_set(j, "verbs", verbs_of(k));
    put_names(j, k);
    below = n ? json_set(j, "subresources", json_new_array()) : NULL;
    for (size_t i = 0; i < n; i++) {
        struct json *s = json_append(below, json_new_object());

        json_set_string(s, "subresource", subs[i].name);
        json_set(
            s, "responseKind",
            response_kind(k, subs[i].group, subs[i].version, subs[i].kind));
        json_set(s, "verbs", texts(subs[i].verbs));
    }
}

static void
put_aggregated_review(struct json *list, const struct reviews_kind *k)
{
    static const char *const create[] = {"create", NULL};
    struct json *j = json_append(list, json_new_object());

    json_set_string(j, "resource", k->plural);
    json_set(j, "responseKind",
             response_kind(NULL, k->group, k->version, k->kind));
    json_set_string(j, "scope", k->namespaced ? "Namespaced" : "Cluster");
    json_set_string(j, "singularResource", k->singular);
    json_set(j, "verbs", texts(create));
}

static struct json *
aggregated_group(const struct sorted *s, const char *group)
{
    AUTO(strlist_release) struct strlist versions = {0};
    struct json *j = json_new_object(), *list;

    group_versions(s, group, &versions);
    json_set(j, "metadata", json_new_object());
    if (*group)
        json_set_string(json_get(j, "metadata"), "name", group);
    list = json_set(j, "versions", json_new_array());
    for (size_t v = 0; v < versions.n; v++) {
        struct json *one = json_append(list, json_new_object()), *res;

        json_set_string(one, "version", versions.v[v]);
        res = json_set(one, "resources", json_new_array());
        for (size_t i = 0; i < s->n; i++) {
            const struct kind_info *k =
                in_version(s->v[i], group, versions.v[v]);

            if (k)
                put_aggregated(res, k);
        }
        for (size_t i = 0; i < reviews_count(); i++) {
            const struct reviews_kind *k = reviews_row(i);

            if (!strcmp(k->group, group) && !strcmp(k->version, versions.v[v]))
                put_aggregated_review(res, k);
        }
        json_set_string(one, "freshness", "Current");
    }
    return j;
}

static void
reply_aggregated(struct rest *rq, const struct sorted *s, bool core)
{
    AUTO(strlist_release) struct strlist groups = {0};
    AUTO(json_free_ptr) struct json *j = json_new_object();
    AUTO(mem_free_ptr) char *version = NULL, *type = NULL, *etag = NULL;
    struct buf b = BUF_INIT(BUF_TEXT_MAX);
    const char *have = http_header(rq->h, "If-None-Match");
    struct json *list;
    char hash[DIGEST_HEX_MAX];

    if (core)
        strlist_add(&groups, STR(""));
    else
        group_names(s, &groups);
    version = mem_printf("apidiscovery.k8s.io/%s", rq->accept.version);
    json_set_string(j, "kind", "APIGroupDiscoveryList");
    json_set_string(j, "apiVersion", version);
    json_set(j, "metadata", json_new_object());
    list = json_set(j, "items", json_new_array());
    for (size_t i = 0; i < groups.n; i++)
        json_append(list, aggregated_group(s, groups.v[i]));
    json_print(j, JSON_COMPACT, &b);
    buf_putc(&b, '\n');
    digest_hex(DIGEST_SHA256, buf_view(&b), hash);
    etag = mem_printf("\"%s\"", hash);
    http_set_header(rq->h, "Etag", etag);
    http_set_header(rq->h, "Vary", "Accept");
    http_set_header(rq->h, "Cache-Control", "public");
    type = mem_printf(
        "application/json;g=apidiscovery.k8s.io;v=%s;as=APIGroupDiscoveryList",
        rq->accept.version);
    if (have && !strcmp(have, etag))
        http_reply(rq->h, 304, "", (struct str){0});
    else
        http_reply(rq->h, 200, type, buf_view(&b));
    buf_release(&b);
}

/* ---- "/" ---- */

static void
put_group_paths(struct json *list, const struct sorted *s, const char *group)
{
    AUTO(strlist_release) struct strlist versions = {0};
    AUTO(mem_free_ptr) char *path = mem_printf("/apis/%s", group);

    json_append(list, json_new_string(path));
    group_versions(s, group, &versions);
    for (size_t i = 0; i < versions.n; i++) {
        AUTO(mem_free_ptr)
        char *below = mem_printf("%s/%s", path, versions.v[i]);

        json_append(list, json_new_string(below));
    }
}

static struct json *
index_of(const struct sorted *s)
{
    static const char *const before[] = {"/api", "/api/v1", "/apis", "/apis/"};
    static const char *const after[] = {"/healthz",    "/livez",  "/openapi/v2",
                                        "/openapi/v3", "/readyz", "/version"};
    AUTO(strlist_release) struct strlist groups = {0};
    struct json *j = json_new_object();
    struct json *list = json_set(j, "paths", json_new_array());

    for (size_t i = 0; i < ARRAY_LEN(before); i++)
        json_append(list, json_new_string(before[i]));
    group_names(s, &groups);
    strlist_sort(&groups);
    for (size_t i = 0; i < groups.n; i++)
        put_group_paths(list, s, groups.v[i]);
    for (size_t i = 0; i < ARRAY_LEN(after); i++)
        json_append(list, json_new_string(after[i]));
    return j;
}

static bool
index_serve(struct rest *rq)
{
    struct sorted s = sort_resources(&rq->r->kinds);
    AUTO(json_free_ptr) struct json *j = index_of(&s);
    struct buf b = BUF_INIT(BUF_TEXT_MAX);

    json_print(j, JSON_PRETTY, &b);
    http_reply_buf(rq->h, 200, NULL, &b);
    free(s.v);
    return true;
}

/* ---- routing ---- */

static struct json *
old_form(struct rest *rq, const struct sorted *s)
{
    const char *const *seg = rq->h->url.segments;
    size_t n = rq->h->url.segments_n;
    bool core = !strcmp(seg[0], "api");

    if (n == 1)
        return core ? api_versions(rq) : group_list(s);
    if (core)
        return resource_list(s, "", seg[1]);
    return n == 2 ? group_object(s, seg[1], true)
                  : resource_list(s, seg[1], seg[2]);
}

static void
reply(struct rest *rq, bool routes)
{
    struct sorted s = sort_resources(&rq->r->kinds);
    AUTO(json_free_ptr) struct json *j = NULL;

    if (rq->accept.form == ACCEPT_DISCOVERY)
        reply_aggregated(rq, &s, !strcmp(rq->h->url.segments[0], "api"));
    else if ((j = old_form(rq, &s)))
        rest_reply(rq, 200, j);
    else if (routes)
        rest_no_resource(rq);
    else
        rest_no_page(rq->h);
    free(s.v);
}

bool
discovery_serve(struct rest *rq)
{
    const char *const *seg = rq->h->url.segments;
    size_t n = rq->h->url.segments_n;
    bool core = n && !strcmp(seg[0], "api"), routes;

    if (!n || (n == 1 && !strcmp(seg[0], "index.html")))
        return index_serve(rq);
    if (n > (core ? 2 : 3) || (!core && strcmp(seg[0], "apis") != 0))
        return false;
    /* What a group and its versions are is said to every method, except where
     * there are routes (rest_route.c). */
    routes = core || (n == 3 && rest_is_builtin_group(rq->r, seg[1]));
    if (routes && strcmp(rq->h->method, "GET") != 0)
        rest_no_method(rq);
    else if ((routes && !negotiate_route(http_header(rq->h, "Accept"),
                                         ROUTE_OBJECT, &rq->st)) ||
             !negotiate_accept(http_header(rq->h, "Accept"),
                               n == 1 ? ALLOW_DISCOVERY : 0, &rq->accept,
                               &rq->st))
        rest_fail(rq);
    else
        reply(rq, routes);
    return true;
}
