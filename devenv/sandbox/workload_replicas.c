/* ReplicaSets, ReplicationControllers and StatefulSets: so many pods of one
 * template. */
#include <stdio.h>

#include "lib/base/mem.h"

#include "lib/compose/conditions.h"

#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/workload_looks.h"

#define REVISION_HASH "controller-revision-hash"

static int64_t
wanted(const struct json *obj)
{
    int64_t n = json_int64_or(json_at(obj, "spec", "replicas", NULL), 1);

    return MAX(0, MIN(n, WORKLOAD_MAX));
}

static int64_t
ready_among(const struct json *pods)
{
    int64_t n = 0;

    for (const struct json *p = json_first(pods); p; p = json_next(p))
        n += condition_true(p, "Ready");
    return n;
}

static const char *
reporter(const struct json *owner)
{
    return !strcmp(kobj_kind(owner), "ReplicaSet") ? "replicaset-controller"
                                                   : "replication-controller";
}

static void
bring_pods(struct control *c, const struct json *owner, const struct json *pods,
           int64_t want)
{
    int64_t have = (int64_t)json_len(pods);

    for (; have < want; have++) {
        AUTO(mem_free_ptr) char *name = workload_random_name(kobj_name(owner));

        if (workload_make_pod(c, owner, name, NULL))
            control_event(c, owner, reporter(owner), false, "SuccessfulCreate",
                          "Created pod: %s", name);
    }
    for (const struct json *p = json_first(pods); p && have > want;
         p = json_next(p), have--) {
        control_event(c, owner, reporter(owner), false, "SuccessfulDelete",
                      "Deleted pod: %s", kobj_name(p));
        workload_delete(c, "", "pods", p);
    }
}

void
workload_replicas(struct control *c, const struct kind *k, struct json **obj)
{
    AUTO(json_free_ptr)
    struct json *pods = workload_children(c, "", "pods", *obj);
    AUTO(json_free_ptr) struct json *before = NULL;
    struct json *status, *owner;
    int64_t ready, all;

    bring_pods(c, *obj, pods, wanted(*obj));
    json_free(pods);
    pods = workload_children(c, "", "pods", *obj);
    all = (int64_t)json_len(pods);
    ready = ready_among(pods);
    status = json_need_object(*obj, "status");
    before = json_copy(status);
    json_set_int(status, "replicas", all);
    json_set_int(status, "fullyLabeledReplicas", all);
    json_set_int(status, "readyReplicas", ready);
    json_set_int(status, "availableReplicas", ready);
    json_set_int(status, "observedGeneration", kobj_generation(*obj));
    workload_put_status(c, k, obj, before);
    owner = kobj_controller(*obj);
    if (owner && !strcmp(json_get_text(owner, "kind"), "Deployment"))
        control_add(c, JOB_WORKLOAD, "apps", "deployments",
                    kobj_namespace(*obj), json_get_text(owner, "name"));
}

/* ---- a StatefulSet ---- */

static const struct json *
named(const struct json *list, const char *name)
{
    for (const struct json *o = json_first(list); o; o = json_next(o)) {
        if (!strcmp(kobj_name(o), name))
            return o;
    }
    return NULL;
}

/* The claims of one of its pods, and the volumes that are them. */
static void
make_claims(struct control *c, const struct json *set, const char *pod)
{
    const struct json *list =
        json_at(set, "spec", "volumeClaimTemplates", NULL);

    for (const struct json *t = json_first(list); t; t = json_next(t)) {
        AUTO(mem_free_ptr)
        char *name = mem_printf("%s-%s", kobj_name(t), pod);
        struct json *claim =
            kobj_new("v1", "PersistentVolumeClaim", kobj_namespace(set), name);
        const struct json *labels =
            json_at(set, "spec", "selector", "matchLabels", NULL);

        if (labels)
            json_set(json_get(claim, "metadata"), "labels", json_copy(labels));
        json_set(claim, "spec", json_copy(json_get(t, "spec")));
        if (registry_has(c->registry,
                         control_kind(c, "", "persistentvolumeclaims"),
                         kobj_namespace(set), name))
            json_free(claim);
        else
            workload_create(c, "", "persistentvolumeclaims", claim);
    }
}

static void
make_member(struct control *c, const struct json *set, const char *name,
            int64_t i, const char *hash)
{
    AUTO(json_free_ptr) struct json *labels = json_new_object();
    char index[24];

    snprintf(index, sizeof(index), "%lld", (long long)i);
    json_set_string(labels, "apps.kubernetes.io/pod-index", index);
    json_set_string(labels, REVISION_HASH, hash);
    json_set_string(labels, "statefulset.kubernetes.io/pod-name", name);
    make_claims(c, set, name);
    if (workload_make_pod(c, set, name, labels))
        control_event(
            c, set, "statefulset-controller", false, "SuccessfulCreate",
            "create Pod %s in StatefulSet %s successful", name, kobj_name(set));
}

static void
bring_members(struct control *c, const struct json *set,
              const struct json *pods, const char *hash)
{
    AUTO(strlist_release) struct strlist names = {0};

    for (int64_t i = 0; i < wanted(set); i++) {
        AUTO(mem_free_ptr)
        char *name = mem_printf("%s-%lld", kobj_name(set), (long long)i);
        const struct json *pod = named(pods, name);
        const char *has = pod ? kobj_label(pod, REVISION_HASH) : NULL;

        strlist_add(&names, str_of(name));
        if (pod && has && !strcmp(has, hash))
            continue;
        if (pod)
            workload_delete(c, "", "pods", pod);
        make_member(c, set, name, i, hash);
    }
    for (const struct json *p = json_first(pods); p; p = json_next(p)) {
        if (!strlist_has(&names, str_of(kobj_name(p))))
            workload_delete(c, "", "pods", p);
    }
}

void
workload_stateful_set(struct control *c, const struct kind *k,
                      struct json **obj)
{
    static const char *const revisions[] = {"currentRevision",
                                            "updateRevision"};
    AUTO(json_free_ptr)
    struct json *pods = workload_children(c, "", "pods", *obj);
    AUTO(json_free_ptr) struct json *before = NULL;
    char hash[WORKLOAD_HASH_LEN];
    struct json *status;
    int64_t all;

    workload_hash(json_at(*obj, "spec", "template", NULL), hash);
    AUTO(mem_free_ptr) char *rev = mem_printf("%s-%s", kobj_name(*obj), hash);

    bring_members(c, *obj, pods, rev);
    json_free(pods);
    pods = workload_children(c, "", "pods", *obj);
    all = (int64_t)json_len(pods);
    status = json_need_object(*obj, "status");
    before = json_copy(status);
    json_set_int(status, "observedGeneration", kobj_generation(*obj));
    json_set_int(status, "replicas", all);
    json_set_int(status, "readyReplicas", ready_among(pods));
    json_set_int(status, "availableReplicas", ready_among(pods));
    json_set_int(status, "currentReplicas", all);
    json_set_int(status, "updatedReplicas", all);
    json_set_int(status, "collisionCount", 0);
    for (size_t i = 0; i < ARRAY_LEN(revisions); i++)
        json_set_string(status, revisions[i], rev);
    workload_put_status(c, k, obj, before);
}
