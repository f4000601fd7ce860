/* Defaults of built-in kinds that depend on other fields (kubernetes
 * pkg/apis/.../v1/defaults.go, observed). */
#include <stdio.h>

#include "lib/base/digest.h"
#include "lib/base/mem.h"

#include "devenv/sandbox/builtin.h"
#include "devenv/sandbox/kobj.h"

#define RBAC                "rbac.authorization.k8s.io"
#define TEMPLATE_GENERATION "deprecated.daemonset.template.generation"

static void
need_text(struct json *obj, const char *key, const char *text)
{
    if (!*json_get_text(obj, key))
        json_set_string(obj, key, text);
}

static void
need_int(struct json *obj, const char *key, int64_t n)
{
    if (!json_get(obj, key))
        json_set_int(obj, key, n);
}

/* Copies the members that only from has. */
static void
need_members(struct json *to, const struct json *from)
{
    for (const struct json *c = json_first(from); c; c = json_next(c)) {
        if (!json_get(to, json_key(c)))
            json_set(to, json_key(c), json_copy(c));
    }
}

/* ---- pods ---- */

/* The newest image is looked for each time, unless the tag says which. */
static const char *
pull_policy(const char *image)
{
    const char *name = strrchr(image, '/');
    const char *tag = strchr(name ? name : image, ':');

    if (strchr(image, '@') || (tag && strcmp(tag, ":latest") != 0))
        return "IfNotPresent";
    return "Always";
}

static void
complete_container(struct json *c, bool host)
{
    struct json *res = json_get(c, "resources");
    const struct json *limits = json_get(res, "limits");

    need_text(c, "imagePullPolicy", pull_policy(json_get_text(c, "image")));
    if (json_first(limits))
        need_members(json_need_object(res, "requests"), limits);
    for (struct json *p = json_first(json_get(c, "ports")); host && p;
         p = json_next(p)) {
        if (!json_get(p, "hostPort") && json_get(p, "containerPort"))
            json_set(p, "hostPort", json_copy(json_get(p, "containerPort")));
    }
}

void
builtin_complete_pod_spec(struct json *spec)
{
    static const char *const lists[] = {"initContainers", "containers",
                                        "ephemeralContainers"};
    const char *account = json_get_text(spec, "serviceAccountName");
    bool host = json_bool(json_get(spec, "hostNetwork"), false);

    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        for (struct json *c = json_first(json_get(spec, lists[i])); c;
             c = json_next(c))
            complete_container(c, host);
    }
    for (struct json *v = json_first(json_get(spec, "volumes")); v;
         v = json_next(v)) {
        if (json_len(v) == 1)
            json_set(v, "emptyDir", json_new_object());
    }
    if (!*account && *json_get_text(spec, "serviceAccount"))
        account = json_get_text(spec, "serviceAccount");
    if (*account) {
        AUTO(mem_free_ptr) char *name = mem_strdup(account);

        json_set_string(spec, "serviceAccountName", name);
        json_set_string(spec, "serviceAccount", name);
    }
}

static bool
has_resources(const struct json *c, const char *which)
{
    return json_first(json_at(c, "resources", which, NULL)) != NULL;
}

static const char *
quality(const struct json *spec)
{
    bool any = false, all = true;

    for (const struct json *c = json_first(json_get(spec, "containers")); c;
         c = json_next(c)) {
        const struct json *l = json_at(c, "resources", "limits", NULL);
        const struct json *r = json_at(c, "resources", "requests", NULL);

        any |= has_resources(c, "limits") || has_resources(c, "requests");
        all &= json_get(l, "cpu") && json_get(l, "memory") && json_equal(l, r);
    }
    return !any ? "BestEffort" : all ? "Guaranteed" : "Burstable";
}

/* What admission adds to every pod: an account, how long it stays on a node
 * that is gone, a priority. */
static void
admit_pod(struct json *spec)
{
    static const char *const gone[] = {"node.kubernetes.io/not-ready",
                                       "node.kubernetes.io/unreachable"};
    struct json *list;

    need_text(spec, "serviceAccountName", "default");
    need_text(spec, "serviceAccount",
              json_get_text(spec, "serviceAccountName"));
    need_int(spec, "priority", 0);
    need_text(spec, "preemptionPolicy", "PreemptLowerPriority");
    list = json_need_array(spec, "tolerations");
    for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
        struct json *t = json_first(list);

        while (t && strcmp(json_get_text(t, "key"), gone[i]) != 0)
            t = json_next(t);
        if (t)
            continue;
        t = json_append(list, json_new_object());
        json_set_string(t, "key", gone[i]);
        json_set_string(t, "operator", "Exists");
        json_set_string(t, "effect", "NoExecute");
        json_set_int(t, "tolerationSeconds", 300);
    }
}

void
builtin_complete_pod(struct json *obj)
{
    struct json *spec = json_need_object(obj, "spec");

    if (!json_get(spec, "enableServiceLinks"))
        json_set_bool(spec, "enableServiceLinks", true);
}

void
builtin_prepare_pod(const struct registry_write *w, struct json *obj,
                    const struct json *old, struct schema_findings *bad)
{
    struct json *spec = json_need_object(obj, "spec");
    struct json *status = json_need_object(obj, "status");

    (void)w;
    (void)bad;
    if (old)
        return;
    admit_pod(spec);
    need_text(status, "phase", "Pending");
    need_text(status, "qosClass", quality(spec));
}

/* ---- what makes pods ---- */

static bool
rolls(const struct json *strategy)
{
    return !strcmp(json_get_text(strategy, "type"), "RollingUpdate");
}

void
builtin_complete_deployment(struct json *obj)
{
    struct json *strategy = builtin_reach(obj, ".spec.strategy"), *roll;

    if (!rolls(strategy))
        return;
    roll = json_need_object(strategy, "rollingUpdate");
    if (!json_get(roll, "maxUnavailable"))
        json_set_string(roll, "maxUnavailable", "25%");
    if (!json_get(roll, "maxSurge"))
        json_set_string(roll, "maxSurge", "25%");
}

void
builtin_complete_daemon_set(struct json *obj)
{
    struct json *strategy = builtin_reach(obj, ".spec.updateStrategy"), *roll;
    struct json *meta = json_need_object(obj, "metadata");

    need_text(json_need_object(meta, "annotations"), TEMPLATE_GENERATION, "1");
    if (!rolls(strategy))
        return;
    roll = json_need_object(strategy, "rollingUpdate");
    need_int(roll, "maxUnavailable", 1);
    need_int(roll, "maxSurge", 0);
}

void
builtin_complete_stateful_set(struct json *obj)
{
    struct json *spec = json_get(obj, "spec");
    struct json *strategy = json_get(spec, "updateStrategy");

    if (rolls(strategy))
        need_int(json_need_object(strategy, "rollingUpdate"), "partition", 0);
    for (struct json *c = json_first(json_get(spec, "volumeClaimTemplates")); c;
         c = json_next(c)) {
        need_text(c, "apiVersion", "v1");
        need_text(c, "kind", "PersistentVolumeClaim");
        builtin_complete_claim(c);
    }
}

void
builtin_prepare_daemon_set(const struct registry_write *w, struct json *obj,
                           const struct json *old, struct schema_findings *bad)
{
    struct json *notes = json_at(obj, "metadata", "annotations", NULL);
    int64_t n = 1;
    char text[24];

    (void)w;
    (void)bad;
    if (!old || json_equal(builtin_reach(obj, ".spec.template"),
                           builtin_reach(old, ".spec.template")))
        return;
    str_to_i64(str_of(json_get_text(notes, TEMPLATE_GENERATION)), &n);
    snprintf(text, sizeof(text), "%lld", (long long)n + 1);
    json_set_string(notes, TEMPLATE_GENERATION, text);
}

/* A ReplicationController takes over its template's labels. */
void
builtin_complete_controller(struct json *obj)
{
    const struct json *labels =
        builtin_reach(obj, ".spec.template.metadata.labels");

    if (!json_first(labels))
        return;
    if (!json_first(builtin_reach(obj, ".spec.selector")))
        json_set(json_get(obj, "spec"), "selector", json_copy(labels));
    if (!json_first(builtin_reach(obj, ".metadata.labels")))
        json_set(json_get(obj, "metadata"), "labels", json_copy(labels));
}

static void
select_own_pods(struct json *obj)
{
    static const char *const keys[] = {"batch.kubernetes.io/controller-uid",
                                       "batch.kubernetes.io/job-name",
                                       "controller-uid", "job-name"};
    struct json *spec = json_get(obj, "spec");
    struct json *labels = json_need_object(
        json_need_object(json_need_object(spec, "template"), "metadata"),
        "labels");
    const char *uid = kobj_uid(obj);

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        need_text(labels, keys[i], i % 2 ? kobj_name(obj) : uid);
    json_set_string(
        json_need_object(json_need_object(spec, "selector"), "matchLabels"),
        keys[0], uid);
}

void
builtin_complete_job(struct json *obj)
{
    struct json *spec = json_get(obj, "spec");
    static const char *const flags[] = {"suspend", "manualSelector"};
    const struct json *labels =
        builtin_reach(obj, ".spec.template.metadata.labels");

    need_text(spec, "completionMode", "NonIndexed");
    need_text(spec, "podReplacementPolicy",
              json_get(spec, "podFailurePolicy") ? "Failed"
                                                 : "TerminatingOrFailed");
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        if (!json_get(spec, flags[i]))
            json_set_bool(spec, flags[i], false);
    }
    if (!json_get(spec, "completions") && !json_get(spec, "parallelism"))
        json_set_int(spec, "completions", 1);
    need_int(spec, "parallelism", 1);
    need_int(spec, "backoffLimit",
             json_get(spec, "backoffLimitPerIndex") ? INT32_MAX : 6);
    if (json_first(labels) &&
        !json_first(builtin_reach(obj, ".metadata.labels")))
        json_set(json_get(obj, "metadata"), "labels", json_copy(labels));
}

void
builtin_prepare_job(const struct registry_write *w, struct json *obj,
                    const struct json *old, struct schema_findings *bad)
{
    struct json *spec = json_get(obj, "spec");

    (void)w;
    (void)bad;
    if (old || json_bool(json_get(spec, "manualSelector"), false))
        return;
    if (json_get(spec, "selector"))
        return;
    select_own_pods(obj);
    if (!json_first(builtin_reach(obj, ".metadata.labels")))
        json_set(
            json_get(obj, "metadata"), "labels",
            json_copy(builtin_reach(obj, ".spec.template.metadata.labels")));
}

/* ---- the others ---- */

void
builtin_complete_secret(struct json *obj)
{
    struct json *plain = json_get(obj, "stringData");

    for (const struct json *c = json_first(plain); c; c = json_next(c)) {
        AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

        digest_base64(str_of(json_string_or(c, "")), false, &b);
        json_set(json_need_object(obj, "data"), json_key(c),
                 json_new_str(buf_view(&b)));
    }
    json_del(obj, "stringData");
}

static void
complete_traffic(struct json *spec, const char *type)
{
    bool outside = !strcmp(type, "NodePort") || !strcmp(type, "LoadBalancer");

    if (strcmp(type, "ExternalName") != 0)
        need_text(spec, "internalTrafficPolicy", "Cluster");
    if (outside)
        need_text(spec, "externalTrafficPolicy", "Cluster");
    if (!strcmp(type, "LoadBalancer") &&
        !json_get(spec, "allocateLoadBalancerNodePorts"))
        json_set_bool(spec, "allocateLoadBalancerNodePorts", true);
}

void
builtin_complete_service(struct json *obj)
{
    struct json *spec = json_get(obj, "spec"), *client;

    for (struct json *p = json_first(json_get(spec, "ports")); p;
         p = json_next(p)) {
        const struct json *to = json_get(p, "targetPort");
        int64_t n;

        if ((!to || (json_int64(to, &n) && !n) || !*json_string_or(to, "x")) &&
            json_get(p, "port"))
            json_set(p, "targetPort", json_copy(json_get(p, "port")));
    }
    complete_traffic(spec, json_get_text(spec, "type"));
    if (strcmp(json_get_text(spec, "sessionAffinity"), "ClientIP") != 0) {
        json_del(spec, "sessionAffinityConfig");
        return;
    }
    client = json_need_object(json_need_object(spec, "sessionAffinityConfig"),
                              "clientIP");
    need_int(client, "timeoutSeconds", 10800);
}

void
builtin_complete_claim(struct json *obj)
{
    need_text(json_need_object(obj, "status"), "phase", "Pending");
}

static void
protect(struct json *obj, const char *finalizer)
{
    struct json *list =
        json_need_array(json_need_object(obj, "metadata"), "finalizers");

    for (const struct json *f = json_first(list); f; f = json_next(f)) {
        if (!strcmp(json_string_or(f, ""), finalizer))
            return;
    }
    json_append(list, json_new_string(finalizer));
}

void
builtin_prepare_claim(const struct registry_write *w, struct json *obj,
                      const struct json *old, struct schema_findings *bad)
{
    (void)w;
    (void)bad;
    if (!old)
        protect(obj, "kubernetes.io/pvc-protection");
}

void
builtin_prepare_volume(const struct registry_write *w, struct json *obj,
                       const struct json *old, struct schema_findings *bad)
{
    (void)w;
    (void)bad;
    if (old)
        return;
    protect(obj, "kubernetes.io/pv-protection");
    json_set_string(json_need_object(obj, "status"), "phase", "Pending");
}

void
builtin_complete_namespace(struct json *obj)
{
    struct json *meta = json_need_object(obj, "metadata");

    json_set_string(json_need_object(meta, "labels"),
                    "kubernetes.io/metadata.name", json_get_text(meta, "name"));
}

void
builtin_complete_network_policy(struct json *obj)
{
    struct json *spec = json_get(obj, "spec"), *types;

    if (json_first(json_get(spec, "policyTypes")))
        return;
    types = json_set(spec, "policyTypes", json_new_array());
    json_append(types, json_new_string("Ingress"));
    if (json_first(json_get(spec, "egress")))
        json_append(types, json_new_string("Egress"));
}

void
builtin_complete_binding(struct json *obj)
{
    need_text(json_need_object(obj, "roleRef"), "apiGroup", RBAC);
    for (struct json *s = json_first(json_get(obj, "subjects")); s;
         s = json_next(s)) {
        const char *kind = json_get_text(s, "kind");

        if (!strcmp(kind, "User") || !strcmp(kind, "Group"))
            need_text(s, "apiGroup", RBAC);
    }
}

void
builtin_complete_limits(struct json *obj)
{
    static const char *const from[][2] = {{"default", "max"},
                                          {"defaultRequest", "default"},
                                          {"defaultRequest", "min"}};

    for (struct json *l = json_first(builtin_reach(obj, ".spec.limits")); l;
         l = json_next(l)) {
        if (strcmp(json_get_text(l, "type"), "Container") != 0)
            continue;
        for (size_t i = 0; i < ARRAY_LEN(from); i++) {
            if (json_first(json_get(l, from[i][1])))
                need_members(json_need_object(l, from[i][0]),
                             json_get(l, from[i][1]));
        }
    }
}

/* Without metrics: 80 % of the processors that were asked for. */
void
builtin_complete_autoscaler(struct json *obj)
{
    struct json *spec = json_get(obj, "spec"), *m, *target;

    if (json_first(json_get(spec, "metrics")))
        return;
    m = json_append(json_need_array(spec, "metrics"), json_new_object());
    json_set_string(m, "type", "Resource");
    m = json_need_object(m, "resource");
    json_set_string(m, "name", "cpu");
    target = json_need_object(m, "target");
    json_set_string(target, "type", "Utilization");
    json_set_int(target, "averageUtilization", 80);
}

/* ---- autoscaling/v1 ---- */

static bool
is_cpu(const struct json *m)
{
    return !strcmp(json_at_text(m, "resource", "name"), "cpu") &&
           json_at(m, "resource", "target", "averageUtilization", NULL);
}

void
builtin_autoscaler_from_v2(struct json *obj)
{
    struct json *spec = json_get(obj, "spec");
    struct json *m = json_first(json_get(spec, "metrics"));

    json_set_string(obj, "apiVersion", "autoscaling/v1");
    if (m && is_cpu(m))
        json_set(spec, "targetCPUUtilizationPercentage",
                 json_copy(json_at(m, "resource", "target",
                                   "averageUtilization", NULL)));
    json_del(spec, "metrics");
    json_del(spec, "behavior");
    json_del(json_get(obj, "status"), "currentMetrics");
    json_del(json_get(obj, "status"), "conditions");
}

void
builtin_autoscaler_to_v2(struct json *obj)
{
    struct json *spec = json_get(obj, "spec");
    struct json *cpu = json_get(spec, "targetCPUUtilizationPercentage");
    struct json *metrics;

    json_set_string(obj, "apiVersion", "autoscaling/v2");
    builtin_complete_autoscaler(obj);
    metrics = json_first(json_get(spec, "metrics"));
    if (cpu)
        json_set(json_at(metrics, "resource", "target", NULL),
                 "averageUtilization", json_detach(spec, cpu));
}
