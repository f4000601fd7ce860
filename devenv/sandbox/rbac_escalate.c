/*
 * Nobody gives away rights that they do not have: writes of roles and of
 * bindings. Source: kubernetes registry/rbac/escalation_check.go and the
 * policybased storages beside it.
 */
#include "lib/compose/format.h"

#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/rbac.h"
#include "devenv/sandbox/registry.h"

struct gate {
    const struct rbac *rbac;
    const struct identity *who;
    const struct kind *kind;
    const struct json *obj;
    const char *ns; /* of the write; "" for kinds of the cluster */
    struct arena *arena;
    struct status *st;
};

/* May use a verb of its own ("escalate", "bind") on a role. */
static bool
may(const struct gate *g, const char *verb, const char *plural,
    const char *name)
{
    struct access a;

    access_init(&a);
    a.resource = true;
    a.verb = verb;
    a.group = RBAC_GROUP;
    a.version = "*";
    a.plural = plural;
    a.name = name;
    a.ns = g->ns;
    return rbac_allows(g->rbac, g->who, &a, NULL);
}

static bool
forbidden(const struct gate *g, const char *why)
{
    return status_forbidden(g->st, g->kind->group, g->kind->plural,
                            kobj_name(g->obj), why);
}

/* Holds everything that wanted gives. */
static bool
holds(const struct gate *g, const struct rbac_rules *wanted)
{
    AUTO(buf_release) struct buf why = BUF_INIT(BUF_TEXT_MAX);
    struct rbac_rules held, missing;

    rbac_rules_of(g->rbac, g->who, g->ns, g->arena, &held, NULL);
    rbac_missing(&held, wanted, g->arena, &missing);
    if (!missing.n)
        return true;
    buf_puts(&why, "user ");
    format_quote(str_of(g->who->name), false, &why);
    buf_puts(&why, " (groups=[");
    for (size_t i = 0; i < g->who->groups_n; i++) {
        if (i)
            buf_putc(&why, ' ');
        format_quote(str_of(g->who->groups[i]), false, &why);
    }
    buf_puts(&why, "]) is attempting to grant RBAC permissions not currently "
                   "held:\n");
    rbac_print_missing(&missing, g->arena, &why);
    return forbidden(g, buf_cstr(&why));
}

static bool
gathers(const struct json *role)
{
    return json_first(json_at(role, "aggregationRule", "clusterRoleSelectors",
                              NULL)) != NULL;
}

/* An aggregated role can gather anything: only who may do everything writes
 * one. */
static bool
holds_all(const struct gate *g)
{
    static const char all[] =
        "{\"rules\":[{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":"
        "[\"*\"]},{\"verbs\":[\"*\"],\"nonResourceURLs\":[\"*\"]}]}";
    AUTO(json_free_ptr) struct json *role = json_parse(STR(all), NULL, NULL);
    struct rbac_rules wanted, held, missing;

    rbac_rules_read(role, g->arena, &wanted);
    rbac_rules_of(g->rbac, g->who, g->ns, g->arena, &held, NULL);
    rbac_missing(&held, &wanted, g->arena, &missing);
    return !missing.n ||
           forbidden(g, "must have cluster-admin privileges to use the "
                        "aggregationRule");
}

static bool
may_write_role(const struct gate *g, const struct json *old)
{
    struct rbac_rules rules;

    if (may(g, "escalate", g->kind->plural, old ? kobj_name(g->obj) : ""))
        return true;
    rbac_rules_read(g->obj, g->arena, &rules);
    return holds(g, &rules) &&
           ((!gathers(g->obj) && !gathers(old)) || holds_all(g));
}

static bool
may_write_binding(const struct gate *g)
{
    const struct json *ref = json_get(g->obj, "roleRef");
    const char *kind = json_get_text(ref, "kind");
    const char *name = json_get_text(ref, "name");
    bool local = !strcmp(kind, "Role");
    struct rbac_rules rules;

    /* Another kind is refused by the checks that follow. */
    if (!local && strcmp(kind, "ClusterRole") != 0)
        return true;
    if (may(g, "bind", local ? "roles" : "clusterroles", name))
        return true;
    if (rbac_role_rules(g->rbac, g->ns, kind, name, &rules))
        return holds(g, &rules);
    /* The server calls the role's absence that of such a binding. */
    return status_not_found(g->st, g->kind->group, g->kind->plural, name);
}

/* The write changes nothing but what the garbage collector does. */
static bool
only_collects(const struct json *obj, const struct json *old)
{
    static const char *const fields[] = {"ownerReferences", "finalizers",
                                         "managedFields", "selfLink"};
    AUTO(json_free_ptr) struct json *a = json_copy(obj);
    AUTO(json_free_ptr) struct json *b = old ? json_copy(old) : NULL;

    for (size_t i = 0; b && i < ARRAY_LEN(fields); i++) {
        json_del(json_get(a, "metadata"), fields[i]);
        json_del(json_get(b, "metadata"), fields[i]);
    }
    return b && json_equal(a, b);
}

/* An apply that finds no object is asked for a second verb
 * (apiserver endpoints/handlers/patch.go). */
static bool
may_create(const struct gate *g)
{
    AUTO(buf_release) struct buf why = BUF_INIT(BUF_TEXT_MAX);
    struct access a;

    access_init(&a);
    a.resource = true;
    a.verb = "create";
    a.group = g->kind->group;
    a.version = g->kind->version;
    a.plural = g->kind->plural;
    a.name = kobj_name(g->obj);
    a.ns = g->ns;
    return rbac_allows(g->rbac, g->who, &a, &why) ||
           access_refuse(&a, g->who, buf_cstr(&why), g->st);
}

bool
rbac_gate(void *rbac, const struct registry_write *w, const struct kind *k,
          const struct json *obj, const struct json *old, struct status *st)
{
    AUTO(arena_free_ptr) struct arena *arena = NULL;
    struct gate g = {
        .rbac = rbac, .who = w->who, .kind = k, .obj = obj, .st = st};

    if (w->who->master)
        return true;
    g.ns = k->namespaced ? kobj_namespace(obj) : "";
    if (w->created && !old && !may_create(&g))
        return false;
    if (strcmp(k->group, RBAC_GROUP) != 0 || only_collects(obj, old))
        return true;
    arena = arena_new();
    g.arena = arena;
    return strstr(k->plural, "bindings") ? may_write_binding(&g)
                                         : may_write_role(&g, old);
}
