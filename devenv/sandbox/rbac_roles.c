#include "devenv/sandbox/rbac_roles.h"

#include "lib/base/asset.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "devenv/sandbox/brought.h"
#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/rbac.h"
#include "devenv/sandbox/selectors.h"

#define ASSET      "assets/sandbox/rbac.yaml"
#define VERSION    RBAC_GROUP "/v1"
#define AGGREGATOR "clusterrole-aggregation-controller"
#define SERVER     "kube-apiserver"
#define MANAGER    "rbac"
#define XRD_GROUP  "apiextensions.crossplane.io"
#define LABEL      "rbac.crossplane.io/aggregate-to-"

/* ---- those of every cluster ---- */

static bool
ensure_one(struct registry *r, struct json *obj, struct strlist *ids,
           struct error *err)
{
    const struct kind *k = registry_kind(r, VERSION, kobj_kind(obj));
    const struct registry_write w = {.manager = SERVER};
    AUTO(status_release) struct status st = {0};
    struct json *made;

    strlist_addf(ids, "%s/%s %s", k->group, k->plural, kobj_name(obj));
    if (registry_has(r, k, NULL, kobj_name(obj)))
        return true;
    made = registry_create(r, k, &w, NULL, json_copy(obj), &st);
    json_free(made);
    return made || status_error(&st, err);
}

bool
rbac_roles_ensure(struct registry *r, struct error *err)
{
    AUTO(yaml_docs_release) struct yaml_docs docs = {0};
    AUTO(strlist_release) struct strlist ids = {0};
    struct brought b = {.note = "rbac"};
    struct asset a;

    if (!asset_find(ASSET, &a))
        return false;
    b.made_of = a.data;
    if (brought_stands(registry_store(r), &b))
        return true;
    if (!yaml_parse(a.data, NULL, &docs, err))
        return false;
    for (size_t i = 0; i < docs.n; i++) {
        if (!ensure_one(r, docs.v[i].value, &ids, err))
            return error_wrap(err, ASSET);
    }
    brought_note(registry_store(r), &b, &ids, false);
    return true;
}

/* ---- aggregation ---- */

static bool
has_rule(const struct json *rules, const struct json *rule)
{
    for (const struct json *c = json_first(rules); c; c = json_next(c)) {
        if (json_equal(c, rule))
            return true;
    }
    return false;
}

/* all: every ClusterRole, by name. */
static void
gather(const struct json *all, const struct json *role,
       const struct json *selector, struct json *rules)
{
    for (const struct json *c = json_first(all); c; c = json_next(c)) {
        if (!strcmp(kobj_name(c), kobj_name(role)) ||
            !selector_object_matches(selector,
                                     json_at(c, "metadata", "labels", NULL)))
            continue;
        for (const struct json *rule = json_first(json_get(c, "rules")); rule;
             rule = json_next(rule)) {
            if (!has_rule(rules, rule))
                json_append(rules, json_copy(rule));
        }
    }
}

static bool
fill(struct registry *r, const struct kind *k, const struct json *all,
     const struct json *role)
{
    const struct json *from =
        json_at(role, "aggregationRule", "clusterRoleSelectors", NULL);
    const struct registry_write w = {.manager = AGGREGATOR, .force = true};
    AUTO(json_free_ptr) struct json *next = NULL;
    AUTO(status_release) struct status st = {0};
    struct json *rules, *made;

    next = kobj_new(VERSION, "ClusterRole", NULL, kobj_name(role));
    rules = json_set(next, "rules", json_new_array());
    for (const struct json *c = json_first(from); c; c = json_next(c))
        gather(all, role, c, rules);
    if (json_equal(rules, json_get(role, "rules")) ||
        (!json_first(rules) && !json_first(json_get(role, "rules"))))
        return false;
    made = registry_apply(r, k, &w, NULL, next, &st);
    json_free(made);
    return made != NULL;
}

bool
rbac_roles_aggregate(struct registry *r)
{
    const struct kind *k = registry_kind(r, VERSION, "ClusterRole");
    AUTO(status_release) struct status st = {0};
    AUTO(json_free_ptr)
    struct json *all = registry_list_json(r, k, NULL, NULL, &st);
    bool changed = false;

    for (const struct json *c = json_first(all); c; c = json_next(c)) {
        if (json_get(c, "aggregationRule") && !kobj_is_deleted(c))
            changed = fill(r, k, all, c) || changed;
    }
    return changed;
}

/* ---- the kinds of Crossplane ---- */

static void
add_text(struct json *list, const char *text)
{
    json_append(list, json_new_string(text));
}

/* plural and what hangs below it. */
static void
add_rule(struct json *role, const char *group, const char *plural,
         const char *sub, const char *const *verbs)
{
    struct json *rule =
        json_append(json_need_array(role, "rules"), json_new_object());
    struct json *list = json_set(rule, "apiGroups", json_new_array());
    AUTO(mem_free_ptr) char *below = mem_printf("%s%s", plural, sub);

    add_text(list, group);
    list = json_set(rule, "resources", json_new_array());
    if (strcmp(sub, "/finalizers") != 0)
        add_text(list, plural);
    add_text(list, below);
    list = json_set(rule, "verbs", json_new_array());
    for (; *verbs; verbs++)
        add_text(list, *verbs);
}

static void
apply_role(struct registry *r, const struct json *role)
{
    const struct registry_write w = {.manager = MANAGER, .force = true};
    AUTO(status_release) struct status st = {0};

    json_free(registry_apply(r, registry_kind(r, VERSION, "ClusterRole"), &w,
                             NULL, role, &st));
}

static const char *const verbs_all[] = {"*", NULL};
static const char *const verbs_read[] = {"get", "list", "watch", NULL};
static const char *const verbs_update[] = {"update", NULL};

static const struct {
    const char *suffix;
    const char *labels[5];
    const char *const *verbs;
    bool system, claims;
} xrd_roles[] = {
    {"crossplane", {"crossplane"}, verbs_all, true, true},
    {"edit", {"admin", "ns-admin", "edit", "ns-edit"}, verbs_all, false, true},
    {"view", {"view", "ns-view"}, verbs_read, false, true},
    {"browse", {"browse"}, verbs_read, false, false},
};

bool
rbac_roles_has_xrd(struct registry *r, const char *name)
{
    AUTO(mem_free_ptr)
    char *view = mem_printf("crossplane:composite:%s:aggregate-to-view", name);

    return registry_has(r, registry_kind(r, VERSION, "ClusterRole"), NULL,
                        view);
}

void
rbac_roles_of_xrd(struct registry *r, const char *name)
{
    const struct kind *k =
        registry_resource(r, XRD_GROUP, NULL, "compositeresourcedefinitions");
    AUTO(json_free_ptr)
    struct json *xrd = k ? registry_get(r, k, NULL, name) : NULL;
    const struct json *spec = json_get(xrd, "spec");
    const char *group = json_get_text(spec, "group");
    const char *plurals[] = {json_at_text(spec, "names", "plural"),
                             json_at_text(spec, "claimNames", "plural")};

    if (!xrd || kobj_is_deleted(xrd))
        return;
    for (size_t i = 0; i < ARRAY_LEN(xrd_roles); i++) {
        AUTO(mem_free_ptr)
        char *role_name = mem_printf("crossplane:composite:%s:aggregate-to-%s",
                                     name, xrd_roles[i].suffix);
        AUTO(json_free_ptr)
        struct json *role = kobj_new(VERSION, "ClusterRole", NULL, role_name);

        for (const char *const *l = xrd_roles[i].labels; *l; l++) {
            AUTO(mem_free_ptr) char *label = mem_printf(LABEL "%s", *l);

            kobj_set_label(role, label, "true");
        }
        json_append(
            json_need_array(json_get(role, "metadata"), "ownerReferences"),
            kobj_owner_reference(xrd));
        for (size_t p = 0; p < (xrd_roles[i].claims ? 2 : 1); p++) {
            if (!*plurals[p])
                continue;
            add_rule(role, group, plurals[p], "/status", xrd_roles[i].verbs);
            if (xrd_roles[i].system)
                add_rule(role, group, plurals[p], "/finalizers", verbs_update);
        }
        apply_role(r, role);
    }
}

static void
add_managed(void *arg, const struct kind *k)
{
    struct strlist *found = arg;

    if (registry_in_category(k, "managed"))
        strlist_addf(found, "%s/%s", k->group, k->plural);
}

void
rbac_roles_of_managed(struct registry *r)
{
    AUTO(strlist_release) struct strlist found = {0};
    AUTO(json_free_ptr)
    struct json *role = kobj_new(VERSION, "ClusterRole", NULL,
                                 "crossplane:provider:sandbox:"
                                 "aggregate-to-view");

    registry_each_kind(r, add_managed, &found);
    strlist_sort(&found);
    kobj_set_label(role, LABEL "view", "true");
    for (size_t i = 0; i < found.n; i++) {
        char *slash = strchr(found.v[i], '/');

        *slash = '\0';
        add_rule(role, found.v[i], slash + 1, "/status", verbs_read);
    }
    if (found.n)
        apply_role(r, role);
}
