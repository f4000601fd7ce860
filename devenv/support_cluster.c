/*
 * The parts of a bundle that the API serves: pods and their logs, events,
 * packages, kinds, the mesh's objects.
 */
#include "lib/base/mem.h"

#include "devenv/crossplane.h"
#include "devenv/logs.h"
#include "devenv/owner.h"
#include "devenv/support_part.h"

#define ASK_MS     5000
#define ITEMS_MAX  2000
#define EVENTS_MAX 1000
#define LOG_LINES  3000
#define LOG_MS     8000

static const struct kube_gvr pods = {"", "v1", "pods"};

/* Kinds that go in as YAML, where they are served; `composite` and `managed`
 * ones as well. No Secret, no ConfigMap. */
static const struct {
    const char *group, *resource, *ns;
} kinds[] = {
    {"", "nodes", NULL},
    {"", "namespaces", NULL},
    {"", "pods", CROSSPLANE_NAMESPACE},
    {"apps", "deployments", CROSSPLANE_NAMESPACE},
    {"apiextensions.crossplane.io", "compositeresourcedefinitions", NULL},
    {"apiextensions.crossplane.io", "compositions", NULL},
    {"apiextensions.crossplane.io", "managedresourceactivationpolicies", NULL},
    {"pkg.crossplane.io", "configurations", NULL},
    {"pkg.crossplane.io", "configurationrevisions", NULL},
    {"pkg.crossplane.io", "functions", NULL},
    {"pkg.crossplane.io", "functionrevisions", NULL},
    {"pkg.crossplane.io", "providers", NULL},
    {"pkg.crossplane.io", "providerrevisions", NULL},
    {"pkg.crossplane.io", "deploymentruntimeconfigs", NULL},
    {"pkg.crossplane.io", "imageconfigs", NULL},
    {"pkg.crossplane.io", "locks", NULL},
};

struct collect {
    struct json *list;
    size_t n, max;
};

static bool
on_item(void *arg, struct str item)
{
    struct collect *c = arg;
    struct json *j = json_parse(item, NULL, NULL);

    if (j)
        json_append(c->list, j);
    return ++c->n < c->max;
}

/* The objects of a kind as a list; NULL when none is there or it cannot be
 * read (said). */
static struct json *
list_of(struct support *s, const struct kube_gvr *gvr, const char *ns,
        size_t max)
{
    struct kube_request r = {
        .gvr = *gvr, .ns = ns, .timeout_ms = ASK_MS, .page = 250};
    struct collect c = {.list = json_new_array(), .max = max};
    struct error why = {0};

    if (!kube_client_wait_list(s->env->client, &r, on_item, &c, &why))
        support_leave_out(s, "%s: %s", gvr->resource, why.msg);
    if (c.n >= max)
        support_leave_out(s, "%s: more than %zu", gvr->resource, max);
    if (c.n)
        return c.list;
    json_free(c.list);
    return NULL;
}

static void
add_kind(struct support *s, const struct kube_gvr *gvr, const char *ns)
{
    AUTO(mem_free_ptr)
    char *name = mem_printf("cluster/%s%s%s.yaml", gvr->resource,
                            *gvr->group ? "." : "", gvr->group);

    if (support_goes_on(s))
        support_tree(s, name, list_of(s, gvr, ns, ITEMS_MAX));
}

static const struct kube_kind *
served(const struct kube_discovery *d, const char *group, const char *resource)
{
    const struct kube_kind *k, *any = NULL;

    for (size_t i = 0; (k = kube_discovery_at(d, i)); i++) {
        if (strcmp(k->gvr.group, group) != 0 ||
            strcmp(k->gvr.resource, resource) != 0)
            continue;
        if (k->preferred)
            return k;
        any = any ? any : k;
    }
    return any;
}

static void
add_kinds(struct support *s)
{
    static const char *const categories[] = {"composite", "managed"};
    const struct kube_discovery *d = s->env->discovery;
    const struct kube_kind *k;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        k = served(d, kinds[i].group, kinds[i].resource);
        if (k)
            add_kind(s, &k->gvr, kinds[i].ns);
    }
    for (size_t c = 0; c < ARRAY_LEN(categories); c++) {
        for (size_t i = 0; (k = kube_discovery_category(d, categories[c], i));
             i++)
            add_kind(s, &k->gvr, NULL);
    }
}

static void
add_served(struct support *s)
{
    AUTO(buf_release) struct buf text = BUF_INIT((size_t)4 << 20);
    const struct kube_kind *k;

    for (size_t i = 0; (k = kube_discovery_at(s->env->discovery, i)); i++)
        buf_printf(&text, "%s%s%s %s %s%s\n", k->gvr.group,
                   *k->gvr.group ? "/" : "", k->gvr.version, k->kind,
                   k->gvr.resource, k->preferred ? "" : " (other version)");
    support_text(s, "cluster/kinds.txt", buf_view(&text));
}

/* ---- events ---- */

static void
add_event(const struct json *e, struct buf *out)
{
    const struct json *of = json_get(e, "involvedObject");
    const char *when = json_get_string(e, "lastTimestamp");

    if (!when)
        when = json_string_or(json_get(e, "eventTime"), "-");
    buf_printf(out, "%s %s %s %s/%s %s: %s\n", when,
               json_string_or(json_get(e, "type"), ""),
               json_string_or(json_get(of, "namespace"), "-"),
               json_string_or(json_get(of, "kind"), ""),
               json_string_or(json_get(of, "name"), ""),
               json_string_or(json_get(e, "reason"), ""),
               json_string_or(json_get(e, "message"), ""));
}

static void
add_events(struct support *s)
{
    static const struct kube_gvr events = {"", "v1", "events"};
    AUTO(buf_release) struct buf text = BUF_INIT((size_t)8 << 20);
    AUTO(json_free_ptr)
    struct json *list = list_of(s, &events, NULL, EVENTS_MAX);

    for (const struct json *e = json_first(list); e; e = json_next(e))
        add_event(e, &text);
    support_text(s, "cluster/events.txt", buf_view(&text));
}

/* ---- logs of pods ---- */

static void
on_line(void *arg, struct str line)
{
    struct buf *text = arg;

    buf_str(text, line);
    buf_putc(text, '\n');
}

static void
add_log(struct support *s, const char *pod, const char *container,
        bool previous)
{
    AUTO(buf_release) struct buf text = BUF_INIT((size_t)32 << 20);
    AUTO(mem_free_ptr)
    char *name = mem_printf("pods/%s/%s%s.log", pod, container,
                            previous ? ".previous" : "");
    const struct logs_pod p = {CROSSPLANE_NAMESPACE, pod, container, previous};
    const struct logs how = {.tail = LOG_LINES,
                             .limit_ms = LOG_MS,
                             .on_line = on_line,
                             .arg = &text};
    struct error why = {0};

    if (logs_pod(s->env->client, &p, &how, &why))
        support_text(s, name, buf_view(&text));
    else
        support_leave_out(s, "%s: %s", name, why.msg);
}

static void
add_containers(struct support *s, const char *pod, const struct json *statuses)
{
    for (const struct json *c = json_first(statuses); c; c = json_next(c)) {
        const char *name = json_string_or(json_get(c, "name"), "");

        if (!support_goes_on(s))
            return;
        add_log(s, pod, name, false);
        if (json_int64_or(json_get(c, "restartCount"), 0) > 0)
            add_log(s, pod, name, true);
    }
}

static void
add_logs(struct support *s)
{
    AUTO(json_free_ptr)
    struct json *list = list_of(s, &pods, CROSSPLANE_NAMESPACE, ITEMS_MAX);

    for (const struct json *p = json_first(list); p; p = json_next(p)) {
        const char *name =
            json_string_or(json_at(p, "metadata", "name", NULL), "");
        const struct json *status = json_get(p, "status");

        add_containers(s, name, json_get(status, "initContainerStatuses"));
        add_containers(s, name, json_get(status, "containerStatuses"));
    }
}

static void
add_mark(struct support *s)
{
    AUTO(owner_mark_release) struct owner_mark m = {0};
    struct error why = {0};

    if (!owner_look(s->env, &m, &why))
        support_leave_out(s, "cluster/mark.yaml: %s", why.msg);
    else if (m.data)
        support_tree(s, "cluster/mark.yaml", json_copy(m.data));
}

void
support_cluster(struct support *s)
{
    struct kube_request version = {
        .verb = KUBE_RAW_GET, .path = "/version", .timeout_ms = ASK_MS};
    struct error why = {0};
    struct json *v = NULL;

    if (env_connect(s->env, &why))
        v = kube_client_wait_json(s->env->client, &version, &why);
    if (!v || !kube_discovery_wait(s->env->discovery, false, &why)) {
        support_leave_out(s, "the cluster: %s", why.msg);
        json_free(v);
        env_disconnect(s->env);
        return;
    }
    support_tree(s, "cluster/version.yaml", v);
    add_mark(s);
    add_served(s);
    add_events(s);
    add_kinds(s);
    add_logs(s);
}
