/*
 * The roles as a part of the server: keeps the index, fills aggregated roles,
 * judges every request before its body is read, answers reviews.
 */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/impersonate.h"
#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/rbac_roles.h"
#include "devenv/sandbox/rest.h"
#include "devenv/sandbox/reviews.h"
#include "devenv/sandbox/types.h"

#define PASSES 8 /* aggregated roles of aggregated roles, at the start */
#define XRDS   "compositeresourcedefinitions"

struct rbac_state {
    struct server *server;
    struct registry *registry;
    struct rbac *rbac;
    struct reviews reviews;
    http_handler_fn *handler; /* of everything that is no review */
    void *handler_arg;
    struct registry_subscription *subscriptions[6];
    struct strlist xrds; /* whose roles are to be looked at */
    bool roles_changed, kinds_changed;
};

static const struct {
    const char *plural;
    void (*set)(struct rbac *b, const char *ns, const char *name,
                const struct json *obj);
} watched[] = {
    {"clusterroles", rbac_set_role},
    {"roles", rbac_set_role},
    {"clusterrolebindings", rbac_set_binding},
    {"rolebindings", rbac_set_binding},
};

/* ---- what changes ---- */

static void
on_role(void *arg, const struct registry_event *e)
{
    struct rbac_state *s = arg;
    AUTO(json_free_ptr)
    struct json *obj =
        e->type == CHANGE_DELETED ? NULL : json_parse(e->text, NULL, NULL);

    for (size_t i = 0; i < ARRAY_LEN(watched); i++) {
        if (!strcmp(watched[i].plural, e->kind->plural))
            watched[i].set(s->rbac, e->ns, e->name, obj);
    }
    if (!strcmp(e->kind->plural, "clusterroles")) {
        s->roles_changed = true;
        server_kick(s->server);
    }
}

static void
on_xrd(void *arg, const struct registry_event *e)
{
    struct rbac_state *s = arg;

    if (e->type == CHANGE_DELETED || strlist_has(&s->xrds, str_of(e->name)))
        return;
    strlist_add(&s->xrds, str_of(e->name));
    server_kick(s->server);
}

static void
on_definition(void *arg, const struct registry_event *e)
{
    struct rbac_state *s = arg;

    (void)e;
    s->kinds_changed = true;
    server_kick(s->server);
}

static bool
turn(void *state)
{
    struct rbac_state *s = state;
    bool wrote = s->xrds.n || s->kinds_changed;

    for (size_t i = 0; i < s->xrds.n; i++)
        rbac_roles_of_xrd(s->registry, s->xrds.v[i]);
    strlist_release(&s->xrds);
    if (s->kinds_changed)
        rbac_roles_of_managed(s->registry);
    s->kinds_changed = false;
    if (s->roles_changed)
        wrote = rbac_roles_aggregate(s->registry) || wrote;
    s->roles_changed = false;
    return wrote;
}

/* What was written of roles is gone: look again. */
static void
rolled_back(void *state)
{
    struct rbac_state *s = state;

    s->roles_changed = true;
    s->kinds_changed = true;
}

/* ---- judging ---- */

static bool
judge(void *arg, struct http_request *r, struct status *st)
{
    struct rbac_state *s = arg;
    AUTO(buf_release) struct buf why = BUF_INIT(BUF_TEXT_MAX);
    struct access a;

    if (!impersonate(s->rbac, r, st))
        return false;
    access_of(r, &a);
    if (!access_runs_long(&a))
        http_set_flow(r);
    if (r->who->master)
        return true;
    if (rbac_allows(s->rbac, r->who, &a, NULL))
        return true;
    rbac_allows(s->rbac, r->who, &a, &why);
    return access_refuse(&a, r->who, buf_cstr(&why), st);
}

static void
handle(void *arg, struct http_request *r)
{
    struct rbac_state *s = arg;

    if (!reviews_serve(&s->reviews, r))
        s->handler(s->handler_arg, r);
}

/* ---- ServiceAccounts ---- */

static bool
lives(struct registry *r, const char *plural, struct str ns, struct str name,
      const char *uid)
{
    const struct kind *k = registry_resource(r, "", "v1", plural);
    AUTO(mem_free_ptr) char *in = mem_strndup(ns.s, ns.n);
    AUTO(mem_free_ptr) char *called = mem_strndup(name.s, name.n);
    AUTO(json_free_ptr)
    struct json *obj = k ? registry_get(r, k, in, called) : NULL;

    return obj && !strcmp(kobj_uid(obj), uid);
}

static bool
alive(void *arg, const struct authn_account *t)
{
    struct rbac_state *s = arg;
    AUTO(mem_free_ptr) char *plural = mem_printf("%ss", t->bound_kind);

    return lives(s->registry, "serviceaccounts", t->ns, t->name, t->uid) &&
           (!*t->bound_kind || lives(s->registry, plural, t->ns,
                                     str_of(t->bound_name), t->bound_uid));
}

/* ---- birth and death ---- */

struct reading {
    struct rbac_state *state;
    size_t row;
};

static bool
read_one(void *arg, struct str text)
{
    const struct reading *w = arg;
    AUTO(json_free_ptr) struct json *obj = json_parse(text, NULL, NULL);

    watched[w->row].set(w->state->rbac, kobj_namespace(obj), kobj_name(obj),
                        obj);
    return true;
}

static void
read_all(struct rbac_state *s)
{
    AUTO(status_release) struct status st = {0};

    for (size_t i = 0; i < ARRAY_LEN(watched); i++) {
        struct reading w = {s, i};

        registry_list(
            s->registry,
            registry_resource(s->registry, RBAC_GROUP, "v1", watched[i].plural),
            NULL, NULL, read_one, &w, &st);
        s->subscriptions[i] = registry_subscribe(s->registry, RBAC_GROUP,
                                                 watched[i].plural, on_role, s);
    }
    s->subscriptions[4] = registry_subscribe(
        s->registry, "apiextensions.crossplane.io", XRDS, on_xrd, s);
    s->subscriptions[5] =
        registry_subscribe(s->registry, "apiextensions.k8s.io",
                           "customresourcedefinitions", on_definition, s);
}

static bool
note_xrd(void *arg, struct str text)
{
    struct rbac_state *s = arg;
    AUTO(json_free_ptr) struct json *xrd = json_parse(text, NULL, NULL);

    if (!rbac_roles_has_xrd(s->registry, kobj_name(xrd)))
        strlist_add(&s->xrds, str_of(kobj_name(xrd)));
    return true;
}

/* XRDs of a file that is older than these roles. */
static void
find_xrds(struct rbac_state *s)
{
    AUTO(status_release) struct status st = {0};
    const struct kind *k = registry_resource(
        s->registry, "apiextensions.crossplane.io", NULL, XRDS);

    if (k)
        registry_list(s->registry, k, NULL, NULL, note_xrd, s, &st);
    s->kinds_changed = s->xrds.n > 0;
}

static bool
init(struct server *server, void **state, struct error *err)
{
    struct rbac_state *s = mem_zalloc(1, sizeof(*s));

    *state = s;
    s->server = server;
    s->registry = rest_registry(server);
    s->rbac = rbac_new();
    if (!rbac_roles_ensure(s->registry, err))
        return false;
    for (int i = 0; i < PASSES && rbac_roles_aggregate(s->registry); i++)
        ;
    read_all(s);
    find_xrds(s);
    authn_set_accounts(server->authn, alive, s);
    server_set_judge(server, judge, s);
    s->reviews = (struct reviews){.registry = s->registry,
                                  .rbac = s->rbac,
                                  .authn = server->authn,
                                  .types = types_new()};
    s->handler = server->handler;
    s->handler_arg = server->handler_arg;
    server_set_handler(server, handle, s);
    registry_set_gate(s->registry, rbac_gate, s->rbac);
    return true;
}

static void
module_free(void *state)
{
    struct rbac_state *s = state;

    if (!s)
        return;
    for (size_t i = 0; i < ARRAY_LEN(s->subscriptions); i++)
        registry_unsubscribe(s->subscriptions[i]);
    rbac_free(s->rbac);
    types_free(s->reviews.types);
    strlist_release(&s->xrds);
    free(s);
}

const struct server_module rbac_module = {
    .name = "rbac",
    .init = init,
    .turn = turn,
    .rolled_back = rolled_back,
    .free = module_free,
};

struct rbac *
rbac_of(struct server *server)
{
    struct rbac_state *s = server_module_state(server, "rbac");

    return s ? s->rbac : NULL;
}
