#include "devenv/verify.h"

#include <stdlib.h>

#include "lib/base/asset.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "devenv/package.h"

#define EXPECTATIONS_MAX ((size_t)1 << 20)

struct verify {
    struct env *env;
    verify_fn *fn;
    void *arg;
    struct verify_result *result;
    const char *group;
};

static void
report(struct verify *v, const char *name, bool ok, const char *detail)
{
    if (ok)
        v->result->passed++;
    else
        v->result->missed++;
    v->fn(v->arg, v->group, name, ok, ok ? "" : detail);
}

/* Checks one condition of object to be True. */
static void
check_condition(struct verify *v, const struct json *object, const char *name,
                const char *type)
{
    const struct json *c = env_condition(object, type);
    const char *status = json_string_or(json_get(c, "status"), "absent");
    AUTO(mem_free_ptr) char *title = mem_printf("%s is %s", name, type);
    AUTO(mem_free_ptr)
    char *detail =
        mem_printf("%s %s: %s", type, status,
                   json_string_or(json_get(c, "message"),
                                  json_string_or(json_get(c, "reason"), "-")));

    report(v, title, strcmp(status, "True") == 0, detail);
}

static void
check_text(struct verify *v, const char *name, const char *what,
           const struct json *got, const char *want)
{
    const char *text = json_string_or(got, "nothing");
    AUTO(mem_free_ptr)
    char *title = mem_printf("%s has %s %s", name, what, want);
    AUTO(mem_free_ptr) char *detail = mem_printf("it is %s", text);

    report(v, title, strcmp(text, want) == 0, detail);
}

/* "Kind/name" stands in the object's composed references, and exists. */
static void
check_resource(struct verify *v, const struct json *object, const char *name,
               const char *ns, const char *want)
{
    const struct json *refs =
        json_at(object, "spec", "crossplane", "resourceRefs", NULL);
    AUTO(mem_free_ptr) char *title = mem_printf("%s composes %s", name, want);

    for (const struct json *r = json_first(refs); r; r = json_next(r)) {
        const char *kind = json_string_or(json_get(r, "kind"), "");
        const char *refname = json_string_or(json_get(r, "name"), "");
        AUTO(mem_free_ptr) char *have = mem_printf("%s/%s", kind, refname);

        if (strcmp(have, want) != 0)
            continue;
        const struct kube_kind *k = kube_discovery_of(
            v->env->discovery,
            str_of(json_string_or(json_get(r, "apiVersion"), "")),
            str_of(kind));
        struct kube_request get = {
            .gvr = k ? k->gvr : (struct kube_gvr){0},
            .ns = json_string_or(json_get(r, "namespace"), ns),
            .name = refname};
        struct error why = {0};
        bool there =
            k ? kube_client_wait(v->env->client, &get, NULL, &why)
              : error_set(&why, ERR_NOT_FOUND, "the kind is not served");

        report(v, title, there, why.msg);
        return;
    }
    report(v, title, false, "it is not among the composed resources");
}

static const struct {
    const char *list, *plural, *kind;
} sections[] = {
    {"domains", "datadomains", "data domain"},
    {"contracts", "datacontracts", "data contract"},
    {"products", "dataproducts", "data product"},
};

/* Where an expected text stands in the object. */
static const struct {
    const char *key, *path[3];
} texts[] = {
    {"owner", {"spec", "owner", NULL}},
    {"domain", {"spec", "dataDomainRef", NULL}},
    {"phase", {"status", "phase", NULL}},
    {"capabilities", {"status", "summary", "capabilities"}},
};

static void
check_object(struct verify *v, const struct json *want, const char *plural,
             const char *kind)
{
    const char *name = json_string_or(json_get(want, "name"), "?");
    const char *ns = json_get_string(want, "namespace");
    struct kube_request r = {
        .gvr = {"meshifi.io", "v1alpha1", plural}, .ns = ns, .name = name};
    struct error why = {0};
    AUTO(mem_free_ptr) char *title = mem_printf("%s %s exists", kind, name);
    AUTO(json_free_ptr)
    struct json *object = kube_client_wait_json(v->env->client, &r, &why);

    report(v, title, object != NULL, why.msg);
    if (!object)
        return;
    check_condition(v, object, name, "Synced");
    check_condition(v, object, name, "Ready");
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const char *expected = json_get_string(want, texts[i].key);
        const char *const *p = texts[i].path;

        if (expected)
            check_text(v, name, texts[i].key,
                       json_at(object, p[0], p[1], p[2], NULL), expected);
    }
    const struct json *resources = json_get(want, "resources");

    for (const struct json *e = json_first(resources); e; e = json_next(e))
        check_resource(v, object, name, ns, json_string_or(e, "?"));
}

struct edges {
    struct strlist list; /* "a -> b" */
};

static bool
add_edges(void *arg, struct str item)
{
    struct edges *edges = arg;
    AUTO(json_free_ptr) struct json *j = json_parse(item, NULL, NULL);
    const struct json *inputs = json_at(j, "spec", "inputPorts", NULL);
    const char *name = json_string(json_at(j, "metadata", "name", NULL));

    for (const struct json *i = json_first(inputs); i; i = json_next(i)) {
        const char *from = json_string(json_at(i, "product", "name", NULL));

        if (from && name)
            strlist_addf(&edges->list, "%s -> %s", from, name);
    }
    return true;
}

static bool
check_lineage(struct verify *v, const struct json *want, struct error *err)
{
    struct kube_request r = {.gvr = {"meshifi.io", "v1alpha1", "dataproducts"}};
    struct edges edges = {0};
    bool ok = kube_client_wait_list(v->env->client, &r, add_edges, &edges, err);

    for (const struct json *e = json_first(want); ok && e; e = json_next(e)) {
        const char *edge = json_string_or(e, "?");
        AUTO(mem_free_ptr) char *title = mem_printf("lineage %s", edge);

        report(v, title, strlist_has(&edges.list, str_of(edge)),
               "no input port says so");
    }
    strlist_release(&edges.list);
    return ok;
}

bool
verify_expectations(struct env *e, const struct json *expectations,
                    verify_fn *fn, void *arg, struct verify_result *out,
                    struct error *err)
{
    struct verify v = {
        e, fn, arg, out,
        json_string_or(json_get(expectations, "example"), "example")};

    if (!json_is(expectations, JSON_OBJECT))
        return error_set(err, ERR_PARSE, "the expectations are no object");
    if (!kube_discovery_wait(e->discovery, true, err))
        return false;
    for (size_t s = 0; s < ARRAY_LEN(sections); s++) {
        const struct json *list = json_get(expectations, sections[s].list);

        for (const struct json *w = json_first(list); w; w = json_next(w))
            check_object(&v, w, sections[s].plural, sections[s].kind);
    }
    return check_lineage(&v, json_get(expectations, "lineage"), err);
}

/* The expectations of a built-in example or a folder; NULL and no error when
 * there are none. */
static struct json *
load_expectations(const char *example, struct error *err)
{
    AUTO(mem_free_ptr)
    char *path = example_is_builtin(example)
                     ? mem_printf("examples/%s/expectations.yaml", example)
                     : file_join(example, "expectations.yaml");
    AUTO(buf_release) struct buf text = BUF_INIT(EXPECTATIONS_MAX);
    struct asset a;

    if (asset_find(path, &a))
        return yaml_parse_one(a.data, NULL, err);
    if (!file_exists(path) || !file_read(path, &text, err))
        return NULL;
    return yaml_parse_one(buf_view(&text), NULL, err);
}

struct kind_check {
    struct verify *v;
    const char *condition;
};

static bool
check_listed(void *arg, struct str item)
{
    struct kind_check *c = arg;
    AUTO(json_free_ptr) struct json *j = json_parse(item, NULL, NULL);
    const char *name =
        json_string_or(json_at(j, "metadata", "name", NULL), "?");

    check_condition(c->v, j, name, c->condition);
    return true;
}

static bool
check_platform(struct verify *v, struct error *err)
{
    struct kube_request ready = {.verb = KUBE_RAW_GET, .path = "/readyz"};
    struct kube_request functions = {
        .gvr = {"pkg.crossplane.io", "v1", "functions"}};
    struct kube_request xrds = {.gvr = {"apiextensions.crossplane.io", "v2",
                                        "compositeresourcedefinitions"}};
    struct kind_check healthy = {v, "Healthy"},
                      established = {v, "Established"};
    struct error why = {0};
    bool ok = kube_client_wait(v->env->client, &ready, NULL, &why);

    v->group = "platform";
    report(v, "the API is ready", ok, why.msg);
    if (!ok) {
        if (err)
            *err = why;
        return false;
    }
    return kube_client_wait_list(v->env->client, &functions, check_listed,
                                 &healthy, err) &&
           kube_client_wait_list(v->env->client, &xrds, check_listed,
                                 &established, err);
}

bool
verify_run(struct env *e, verify_fn *fn, void *arg, struct verify_result *out,
           struct error *err)
{
    struct verify v = {e, fn, arg, out, "platform"};

    *out = (struct verify_result){0};
    if (!check_platform(&v, err))
        return false;
    for (size_t i = 0; i < e->profile.examples.n; i++) {
        struct error why = {0};
        AUTO(json_free_ptr)
        struct json *want = load_expectations(e->profile.examples.v[i], &why);

        if (!want && why.code) {
            if (err)
                *err = why;
            return false;
        }
        if (want && !verify_expectations(e, want, fn, arg, out, err))
            return false;
    }
    return true;
}
