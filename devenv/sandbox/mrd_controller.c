/*
 * ManagedResourceDefinitions become CustomResourceDefinitions when they are
 * active; activation policies make them so.
 * Source: crossplane 2.0.8 internal/controller/apiextensions/{managed,
 * activationpolicy}/reconciler.go.
 */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/compose/conditions.h"
#include "lib/compose/mrd.h"

#include "devenv/sandbox/control.h"
#include "devenv/sandbox/kobj.h"

#define MANAGER          "apiextensions.crossplane.io/managed"
#define COMPONENT        "mrd/managedresourcedefinition"
#define POLICY_COMPONENT "mrap/managedresourceactivationpolicy"

static bool
conclude(struct control *c, const struct kind *k, struct json **obj,
         struct condition cond)
{
    cond.generation = kobj_generation(*obj);
    return !condition_set(*obj, &cond, control_now_s(c)) ||
           control_update_status(c, k, CORE_MANAGER, obj);
}

static bool
is_paused(struct control *c, const struct json *obj, const char *component)
{
    if (strcmp(kobj_annotation(obj, "crossplane.io/paused"), "true") != 0)
        return false;
    control_event(c, obj, component, false, "ReconciliationPaused",
                  "Reconciliation is paused via the pause annotation");
    return true;
}

/* ---- definitions ---- */

/* What was applied comes back; NULL: refused, err says so. */
static struct json *
apply_crd(struct control *c, const struct json *mrd, struct error *err)
{
    const struct registry_write w = {.manager = MANAGER, .force = true};
    const struct kind *k = registry_resource(
        c->registry, "apiextensions.k8s.io", "v1", "customresourcedefinitions");
    AUTO(json_free_ptr) struct json *crd = mrd_to_crd(mrd);
    AUTO(status_release) struct status st = {0};
    struct json *stored = registry_apply(c->registry, k, &w, "", crd, &st);

    if (!stored)
        error_set(err, ERR_INVALID, "%s", st.message);
    return stored;
}

static bool
establish(struct control *c, const struct kind *k, struct json **mrd)
{
    static const struct condition blocked = {
        "Established", "False", "PendingManagedResource",
        "unable to apply CustomResourceDefinition, see events", 0};
    static const struct condition pending = {"Established", "Unknown",
                                             "PendingManagedResource", NULL, 0};
    static const struct condition good = {
        "Established", "True", "EstablishedManagedResource", NULL, 0};
    struct error err = {0};
    AUTO(json_free_ptr) struct json *crd = apply_crd(c, *mrd, &err);

    if (!crd) {
        control_event(c, *mrd, COMPONENT, true, "ApplyCustomResourceDefinition",
                      "%s", err.msg);
        conclude(c, k, mrd, blocked);
        return false;
    }
    control_event(c, *mrd, COMPONENT, false, "ApplyCustomResourceDefinition",
                  "Successfully applied CustomResourceDefinition");
    return conclude(c, k, mrd,
                    condition_true(crd, "Established") ? good : pending);
}

static void
wake_policies(struct control *c)
{
    const struct kind *k =
        control_kind(c, CROSSPLANE_GROUP, "managedresourceactivationpolicies");

    if (k)
        control_add_all(c, JOB_MRAP, k);
}

bool
control_mrd(struct control *c, const struct job *j)
{
    static const struct condition terminating = {
        "Established", "False", "TerminatingManagedResource", NULL, 0};
    static const struct condition inactive = {
        "Established", "False", "InactiveManagedResource", NULL, 0};
    const struct kind *k = control_kind(c, j->group, j->plural);
    AUTO(json_free_ptr)
    struct json *mrd = k ? registry_get(c->registry, k, "", j->name) : NULL;

    wake_policies(c);
    if (!mrd)
        return true;
    if (kobj_is_deleted(mrd))
        return conclude(c, k, &mrd, terminating);
    if (is_paused(c, mrd, COMPONENT))
        return true;
    if (!mrd_is_active(mrd))
        return conclude(c, k, &mrd, inactive);
    return establish(c, k, &mrd);
}

/* ---- activation policies ---- */

static bool
activate(struct control *c, const struct kind *k, const struct json *policy,
         const struct json *mrd)
{
    const struct registry_write w = {.manager = CORE_MANAGER};
    AUTO(status_release) struct status st = {0};
    AUTO(json_free_ptr) struct json *stored = NULL;

    if (mrd_is_active(mrd))
        return true;
    stored = registry_patch(c->registry, k, &w, "", kobj_name(mrd), PATCH_MERGE,
                            STR("{\"spec\":{\"state\":\"Active\"}}"), &st);
    if (stored)
        control_event(c, policy, POLICY_COMPONENT, false,
                      "ActivateManagedResourceDefinition",
                      "Successfully activated ManagedResourceDefinition");
    else
        control_event(c, policy, POLICY_COMPONENT, true,
                      "ActivateManagedResourceDefinition", "%s", st.message);
    return stored != NULL;
}

bool
control_mrap(struct control *c, const struct job *j)
{
    static const struct condition terminating = {
        "Established", "False", "TerminatingManagedResourceActivationPolicy",
        NULL, 0};
    static const struct condition healthy = {"Healthy", "True", "Running", NULL,
                                             0};
    const struct kind *k = control_kind(c, j->group, j->plural);
    const struct kind *defs =
        control_kind(c, CROSSPLANE_GROUP, "managedresourcedefinitions");
    AUTO(json_free_ptr)
    struct json *policy = k ? registry_get(c->registry, k, "", j->name) : NULL;
    AUTO(json_free_ptr) struct json *all = NULL;
    AUTO(json_free_ptr) struct json *was = NULL;
    AUTO(status_release) struct status st = {0};
    AUTO(mem_free_ptr) char *text = NULL;
    struct condition cond = healthy;
    size_t failures = 0;

    if (!policy)
        return true;
    if (kobj_is_deleted(policy))
        return conclude(c, k, &policy, terminating);
    if (is_paused(c, policy, POLICY_COMPONENT))
        return true;
    all = registry_list_json(c->registry, defs, NULL, NULL, &st);
    was = json_copy(json_get(policy, "status"));
    struct json *names = json_new_array();

    for (const struct json *m = json_first(all); m; m = json_next(m)) {
        if (!mrd_activated_by(policy, kobj_name(m)))
            continue;
        if (activate(c, defs, policy, m))
            json_append(names, json_new_string(kobj_name(m)));
        else
            failures++;
    }
    if (failures) {
        text = mem_printf("failed to activate %zu of %zu "
                          "ManagedResourceDefinitions",
                          failures, json_len(names));
        cond = (struct condition){"Healthy", "Unknown", "EncounteredErrors",
                                  text, 0};
    }
    json_set(json_need_object(policy, "status"), "activated", names);
    if (!json_len(names))
        json_del(json_get(policy, "status"), "activated");
    cond.generation = kobj_generation(policy);
    condition_set(policy, &cond, control_now_s(c));
    return json_equal(was, json_get(policy, "status")) ||
           control_update_status(c, k, CORE_MANAGER, &policy);
}

/* As Crossplane's initializer: everything is activated unless somebody changed
 * or deleted that while we ran. */
void
control_default_policy(struct control *c)
{
    const struct kind *k =
        control_kind(c, CROSSPLANE_GROUP, "managedresourceactivationpolicies");
    const struct registry_write w = {.manager = CORE_MANAGER};
    AUTO(status_release) struct status st = {0};
    struct json *policy;

    if (!k || registry_has(c->registry, k, "", "default"))
        return;
    policy = kobj_new(k->api_version, k->kind, NULL, "default");
    json_append(json_need_array(json_need_object(policy, "spec"), "activate"),
                json_new_string("*"));
    json_free(registry_create(c->registry, k, &w, "", policy, &st));
}
