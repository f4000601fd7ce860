#include "devenv/sandbox/ns_content.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/rest.h"

#define MANAGER "kube-controller-manager"
#define ROOT_CA "kube-root-ca.crt"
#define ROOT_CA_WHY                                                            \
    "Contains a CA bundle that can be used to verify the kube-apiserver when " \
    "using internal endpoints such as the internal service IP or "             \
    "kubernetes.default.svc. No other usage is guaranteed across "             \
    "distributions of Kubernetes clusters."

struct ns_content {
    struct server *server;
    struct registry *registry;
    struct strlist waiting; /* namespaces to look at in the next turn */
    struct registry_subscription *subscriptions[3];
};

static void
note(struct ns_content *c, const char *ns)
{
    if (!strlist_has(&c->waiting, str_of(ns)))
        strlist_add(&c->waiting, str_of(ns));
}

static void
on_namespace(void *arg, const struct registry_event *e)
{
    if (e->type == CHANGE_ADDED)
        note(arg, e->name);
}

static void
on_gone(void *arg, const struct registry_event *e)
{
    if (e->type == CHANGE_DELETED &&
        (!strcmp(e->name, ROOT_CA) || !strcmp(e->name, "default")))
        note(arg, e->ns);
}

static void
make(struct ns_content *c, const char *kind, struct json *obj, const char *ns)
{
    const struct kind *k = registry_kind(c->registry, "v1", kind);
    struct registry_write w = {.manager = MANAGER};
    AUTO(status_release) struct status st = {0};

    if (registry_has(c->registry, k, ns, kobj_name(obj)))
        json_free(obj);
    else
        json_free(registry_create(c->registry, k, &w, ns, obj, &st));
}

static void
fill(struct ns_content *c, const char *ns)
{
    const struct kind *k = registry_kind(c->registry, "v1", "Namespace");
    AUTO(json_free_ptr)
    struct json *space = registry_get(c->registry, k, NULL, ns);
    struct json *map;

    if (!space || kobj_is_deleted(space))
        return;
    map = kobj_new("v1", "ConfigMap", ns, ROOT_CA);
    kobj_set_annotation(map, "kubernetes.io/description", ROOT_CA_WHY);
    json_set_string(json_set(map, "data", json_new_object()), "ca.crt",
                    c->server->identity.ca);
    make(c, "ServiceAccount", kobj_new("v1", "ServiceAccount", ns, "default"),
         ns);
    make(c, "ConfigMap", map, ns);
}

static bool
init(struct server *s, void **state, struct error *err)
{
    static const struct {
        const char *plural;
        registry_event_fn *fn;
    } kinds[] = {{"namespaces", on_namespace},
                 {"configmaps", on_gone},
                 {"serviceaccounts", on_gone}};
    struct ns_content *c = mem_zalloc(1, sizeof(*c));

    (void)err;
    *state = c;
    c->server = s;
    c->registry = rest_registry(s);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        c->subscriptions[i] = registry_subscribe(
            c->registry, "", kinds[i].plural, kinds[i].fn, c);
    return true;
}

static bool
see(void *arg, struct str text)
{
    struct ns_content *c = arg;
    AUTO(json_free_ptr) struct json *obj = json_parse(text, NULL, NULL);

    note(c, kobj_name(obj));
    return true;
}

/* Those that were there before. */
static enum server_start
start(void *state, struct error *err)
{
    struct ns_content *c = state;
    AUTO(status_release) struct status st = {0};

    (void)err;
    registry_list(c->registry, registry_kind(c->registry, "v1", "Namespace"),
                  NULL, NULL, see, c, &st);
    return SERVER_READY;
}

static bool
turn(void *state)
{
    struct ns_content *c = state;
    AUTO(strlist_release) struct strlist now = c->waiting;

    c->waiting = (struct strlist){0};
    for (size_t i = 0; i < now.n; i++)
        fill(c, now.v[i]);
    return now.n > 0;
}

static void
module_free(void *state)
{
    struct ns_content *c = state;

    if (!c)
        return;
    for (size_t i = 0; i < ARRAY_LEN(c->subscriptions); i++)
        registry_unsubscribe(c->subscriptions[i]);
    strlist_release(&c->waiting);
    free(c);
}

const struct server_module ns_content_module = {
    .name = "namespace content",
    .init = init,
    .start = start,
    .turn = turn,
    .free = module_free,
};
