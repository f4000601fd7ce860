/* V-d: every example is what its hand-written expectations.yaml says. */
#include <stdlib.h>

#include "lib/base/asset.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "devenv/package.h"
#include "devenv/verify_group.h"

#define EXPECTATIONS_MAX ((size_t)1 << 20)

/* One expected object, and what the cluster has in its place. */
struct expected {
    const struct json *want, *object;
    const char *kind, *name, *ns;
    int64_t since_s; /* Ready and Synced; 0: not */
};

/* ---- what an object is made of ---- */

/* Why resource is not one that owner composed, or NULL. */
static const char *
not_owned(const struct json *resource, const struct json *owner)
{
    const char *uid =
        json_string_or(json_at(owner, "metadata", "uid", NULL), "");
    const struct json *refs =
        json_at(resource, "metadata", "ownerReferences", NULL);
    const char *composite =
        json_string_or(json_get(json_at(resource, "metadata", "labels", NULL),
                                "crossplane.io/composite"),
                       "");

    for (const struct json *r = json_first(refs); r; r = json_next(r)) {
        if (!json_bool(json_get(r, "controller"), false) ||
            strcmp(json_string_or(json_get(r, "uid"), ""), uid) != 0)
            continue;
        return strcmp(composite, verify_name_of(owner)) == 0
                   ? NULL
                   : "its label crossplane.io/composite names another owner";
    }
    return "it is not controlled by it (metadata.ownerReferences)";
}

/* The composed reference that "Kind/name" means, or NULL. */
static const struct json *
find_ref(const struct json *object, const char *want)
{
    const struct json *refs =
        json_at(object, "spec", "crossplane", "resourceRefs", NULL);

    for (const struct json *r = json_first(refs); r; r = json_next(r)) {
        AUTO(mem_free_ptr)
        char *have =
            mem_printf("%s/%s", json_string_or(json_get(r, "kind"), ""),
                       json_string_or(json_get(r, "name"), ""));

        if (strcmp(have, want) == 0)
            return r;
    }
    return NULL;
}

/* When its conditions last turned for the better. */
static int64_t
calm_since(const struct json *object)
{
    return MAX(verify_since(object, "Synced"), verify_since(object, "Ready"));
}

static void
check_resource(struct verify *v, const struct expected *x, const char *want,
               const struct verify_events *events)
{
    const struct json *ref = find_ref(x->object, want);
    struct error why = {0};
    AUTO(json_free_ptr) struct json *got = NULL;
    AUTO(mem_free_ptr) char *warning = NULL;
    const char *problem = "it is not among the composed resources";

    if (ref) {
        got = verify_get(v, json_string_or(json_get(ref, "apiVersion"), ""),
                         json_string_or(json_get(ref, "kind"), ""),
                         json_string_or(json_get(ref, "namespace"), x->ns),
                         json_string_or(json_get(ref, "name"), ""), &why);
        problem = got ? not_owned(got, x->object) : why.msg;
    }
    verify_say(v, !problem, problem, "%s composes %s", x->name, want);
    if (got && x->since_s) /* what it got over since then is no news either */
        warning =
            verify_events_about(events, got, MAX(x->since_s, calm_since(got)));
    if (warning)
        verify_say(v, false, warning, "no Warning about %s", want);
}

/* ---- an object ---- */

static const struct {
    const char *list, *plural, *kind;
} sections[] = {
    {"domains", "datadomains", "domain"},
    {"contracts", "datacontracts", "contract"},
    {"products", "dataproducts", "product"},
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
check_texts(struct verify *v, const struct expected *x)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const char *want = json_get_string(x->want, texts[i].key);
        const char *const *p = texts[i].path;

        if (!want)
            continue;
        const struct json *got = json_at(x->object, p[0], p[1], p[2], NULL);
        const char *text = json_string_or(got, "");
        AUTO(mem_free_ptr)
        char *detail = mem_printf("it %s%s", *text ? "is " : "says none", text);

        verify_say(v, strcmp(text, want) == 0, detail, "%s has %s %s", x->name,
                   texts[i].key, want);
    }
}

/* Every expected label, with its value. */
static void
check_labels(struct verify *v, const struct expected *x)
{
    const struct json *have = json_at(x->object, "metadata", "labels", NULL);
    const struct json *labels = json_get(x->want, "labels");

    for (const struct json *l = json_first(labels); l; l = json_next(l)) {
        const char *got = json_get_string(have, json_key(l));
        const char *want = json_string_or(l, "");

        verify_say(v, got && strcmp(got, want) == 0,
                   got ? got : "there is no such label", "%s has label %s=%s",
                   x->name, json_key(l), want);
    }
}

static void
check_state(struct verify *v, struct expected *x,
            const struct verify_events *events)
{
    static const char *const types[] = {"Synced", "Ready"};
    AUTO(mem_free_ptr) char *warning = NULL;
    bool well = true;

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        well &= verify_condition(v, x->object, x->name, types[i], "");
    }
    if (!well)
        return; /* its events are no news */
    x->since_s = calm_since(x->object);
    warning = verify_events_about(events, x->object, x->since_s);
    verify_say(v, !warning, warning, "%s has no Warning since it is Ready",
               x->name);
}

static void
check_object(struct verify *v, const struct json *want, size_t section,
             const struct verify_events *events)
{
    struct expected x = {.want = want,
                         .kind = sections[section].kind,
                         .name = json_string_or(json_get(want, "name"), "?"),
                         .ns = json_get_string(want, "namespace")};
    struct kube_request r = {
        .gvr = {"meshifi.io", "v1alpha1", sections[section].plural},
        .ns = x.ns,
        .name = x.name,
        .timeout_ms = VERIFY_ANSWER_MS};
    struct error why = {0};
    AUTO(json_free_ptr)
    struct json *object = kube_client_wait_json(v->env->client, &r, &why);

    verify_heed(v, &why);

    verify_say(v, object != NULL, why.msg, "%s %s exists", x.kind, x.name);
    if (!object)
        return;
    x.object = object;
    check_state(v, &x, events);
    check_texts(v, &x);
    check_labels(v, &x);
    const struct json *resources = json_get(want, "resources");

    for (const struct json *e = json_first(resources); e && !verify_stopped(v);
         e = json_next(e))
        check_resource(v, &x, json_string_or(e, "?"), events);
}

/* ---- lineage ---- */

/* "a -> b" for every input port. Takes product. */
static void
add_edges(void *arg, struct json *product)
{
    const struct json *inputs = json_at(product, "spec", "inputPorts", NULL);

    for (const struct json *i = json_first(inputs); i; i = json_next(i)) {
        const char *from = json_string(json_at(i, "product", "name", NULL));

        if (from)
            strlist_addf(arg, "%s -> %s", from, verify_name_of(product));
    }
    json_free(product);
}

static void
check_lineage(struct verify *v, const struct json *want)
{
    AUTO(strlist_release) struct strlist edges = {0};
    struct kube_request r = {.gvr = {"meshifi.io", "v1alpha1", "dataproducts"}};
    struct error why = {0};
    bool ok =
        json_len(want) == 0 || verify_each(v, &r, add_edges, &edges, &why);

    for (const struct json *e = json_first(want); e; e = json_next(e)) {
        const char *edge = json_string_or(e, "?");

        verify_say(v, strlist_has(&edges, str_of(edge)),
                   ok ? "no input port says so" : why.msg, "lineage %s", edge);
    }
}

/* ---- an example ---- */

/* The expectations of a built-in example or a folder; NULL without err: there
 * are none. */
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

static void
check_example(struct verify *v, const char *example,
              const struct verify_events *events)
{
    struct error why = {0};
    AUTO(json_free_ptr) struct json *want = load_expectations(example, &why);

    v->subject = example;
    if (!want && !why.code) {
        verify_note(v, "it has no expectations.yaml", "nothing to compare");
        return;
    }
    if (!json_is(want, JSON_OBJECT)) {
        verify_say(v, false, want ? "they are no object" : why.msg,
                   "the expectations can be read");
        return;
    }
    for (size_t s = 0; s < ARRAY_LEN(sections); s++) {
        const struct json *list = json_get(want, sections[s].list);

        for (const struct json *w = json_first(list); w && !verify_stopped(v);
             w = json_next(w))
            check_object(v, w, s, events);
    }
    if (!verify_stopped(v))
        check_lineage(v, json_get(want, "lineage"));
}

void
verify_examples(struct verify *v)
{
    struct verify_events events;

    if (!v->examples.n) {
        verify_note(v, "none is on this cluster", "no example to look at");
        return;
    }
    verify_events_read(v, &events);
    if (!events.list)
        verify_say(v, false, events.err.msg, "events can be read");
    for (size_t i = 0; i < v->examples.n && !verify_stopped(v); i++)
        check_example(v, v->examples.v[i], &events);
    verify_events_release(&events);
}
