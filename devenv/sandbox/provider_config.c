/*
 * ProviderConfigs: who uses one, and that one in use does not go. The sandbox
 * needs no credentials, so a config called "default" may be absent; one of any
 * other name must be there.
 * Source: crossplane-runtime 2.0.8 pkg/resource/providerconfig.go and
 * pkg/reconciler/providerconfig; provider-upjet-gcp internal/clients.
 */
#include <string.h>

#include "lib/base/mem.h"

#include "lib/compose/conditions.h"

#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/provider.h"

#define IN_USE     "in-use.crossplane.io"
#define LABEL_NAME "crossplane.io/provider-config"
#define LABEL_KIND "crossplane.io/provider-config-kind"

static const struct kind *
kind_of(const struct look *l, const char *kind)
{
    AUTO(mem_free_ptr)
    char *version = mem_printf("%s/" MANAGED_VERSION, l->mk->family->group);

    return registry_kind(l->c->registry, version, kind);
}

static bool
is_there(const struct look *l, const char *kind, const char *name)
{
    const struct kind *k = kind_of(l, kind);

    return k &&
           registry_has(l->c->registry, k,
                        k->namespaced ? kobj_namespace(l->mr) : NULL, name);
}

/* ---- usages ---- */

static struct json *
usage_of(const struct look *l, const struct kind *k, const char *kind,
         const char *name)
{
    struct json *u = kobj_new(k->api_version, k->kind, kobj_namespace(l->mr),
                              kobj_uid(l->mr));
    struct json *ref = json_need_object(u, "providerConfigRef");

    json_set_string(ref, "kind", kind);
    json_set_string(ref, "name", name);
    kobj_set_label(u, LABEL_NAME, name);
    kobj_set_label(u, LABEL_KIND, kind);
    json_append(json_need_array(json_get(u, "metadata"), "ownerReferences"),
                kobj_owner_reference(l->mr));
    ref = json_need_object(u, "resourceRef");
    json_set_string(ref, "apiVersion", l->k->api_version);
    json_set_string(ref, "kind", l->k->kind);
    json_set_string(ref, "name", kobj_name(l->mr));
    return u;
}

/* The usage says which config it is already. */
static bool
is_tracked(const struct look *l, const struct kind *k, const char *kind,
           const char *name)
{
    AUTO(json_free_ptr)
    struct json *u =
        registry_get(l->c->registry, k, kobj_namespace(l->mr), kobj_uid(l->mr));
    const struct json *ref = json_get(u, "providerConfigRef");

    return strcmp(json_string_or(json_get(ref, "kind"), ""), kind) == 0 &&
           strcmp(json_string_or(json_get(ref, "name"), ""), name) == 0;
}

static void
track(struct look *l, const char *kind, const char *name)
{
    const struct kind *k = kind_of(l, "ProviderConfigUsage");
    const struct registry_write w = {.manager = PROVIDER_MANAGER,
                                     .force = true};
    AUTO(status_release) struct status st = {0};

    if (!k || is_tracked(l, k, kind, name))
        return;
    AUTO(json_free_ptr) struct json *u = usage_of(l, k, kind, name);

    if (registry_has(l->c->registry, k, kobj_namespace(l->mr), kobj_name(u)))
        json_free(registry_apply(l->c->registry, k, &w, kobj_namespace(l->mr),
                                 u, &st));
    else
        json_free(registry_create(l->c->registry, k, &w, kobj_namespace(l->mr),
                                  json_copy(u), &st));
}

bool
provider_connect(struct look *l, struct buf *why)
{
    const struct json *ref = json_at(l->mr, "spec", "providerConfigRef", NULL);
    const char *kind =
        json_string_or(json_get(ref, "kind"), "ClusterProviderConfig");
    const char *name = json_string_or(json_get(ref, "name"), "default");

    if (!l->mk)
        return true;
    if (strcmp(name, "default") != 0 && !is_there(l, kind, name)) {
        buf_printf(why,
                   "cannot get terraform setup: cannot resolve provider "
                   "config: cannot get referenced ProviderConfig: %s.%s "
                   "\"%s\" not found",
                   kind, l->mk->family->group, name);
        return false;
    }
    track(l, kind, name);
    return true;
}

/* ---- the configs themselves ---- */

static int64_t
users_of(const struct provider *p, const struct kind *k, const char *ns,
         const char *name)
{
    AUTO(mem_free_ptr)
    char *labels =
        mem_printf(LABEL_NAME "=%s," LABEL_KIND "=%s", name, k->kind);
    AUTO(status_release) struct status st = {0};
    AUTO(json_free_ptr) struct json *all = NULL;
    const struct kind *usages = registry_resource(
        p->control->registry, k->group, NULL, "providerconfigusages");

    if (!usages)
        return 0;
    all = registry_list_json(p->control->registry, usages,
                             k->namespaced ? ns : NULL, labels, &st);
    return (int64_t)json_len(all);
}

bool
provider_config(struct provider *p, const struct kind *k, const struct job *j)
{
    static const char blocking[] = "Blocking deletion while usages still exist";
    struct control *c = p->control;
    AUTO(json_free_ptr)
    struct json *pc = registry_get(c->registry, k, j->ns, j->name);
    AUTO(status_release) struct status st = {0};
    int64_t users;
    bool changed;

    if (!pc)
        return true;
    users = users_of(p, k, j->ns, j->name);
    if (kobj_is_deleted(pc) && !users) {
        if (kobj_remove_finalizer(pc, IN_USE))
            return control_update(c, k, PROVIDER_MANAGER, &pc, &st);
        return true;
    }
    if (!kobj_is_deleted(pc) && kobj_add_finalizer(pc, IN_USE) &&
        !control_update(c, k, PROVIDER_MANAGER, &pc, &st))
        return false;
    changed = json_int64_or(json_at(pc, "status", "users", NULL), 0) != users;
    json_set_int(json_need_object(pc, "status"), "users", users);
    if (kobj_is_deleted(pc)) {
        const struct condition cond = {"Terminating", "True", "InUse", blocking,
                                       0};

        changed = condition_set(pc, &cond, control_now_s(c)) || changed;
        control_event(c, pc, "providerconfig", true, "UsageAccounting", "%s",
                      blocking);
    }
    return !changed || control_update_status(c, k, PROVIDER_MANAGER, &pc);
}
