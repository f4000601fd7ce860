/*
 * function-auto-ready (v0.6 and later): a desired resource that exists and
 * about which no step said anything is ready when the check of its kind says
 * so, or when its condition Ready is True. It never says "not ready".
 */
#include "lib/base/clock.h"

#include "lib/compose/conditions.h"
#include "lib/compose/function.h"

static int64_t
count(const struct json *obj, const char *part, const char *key, int64_t absent)
{
    return json_int64_or(json_at(obj, part, key, NULL), absent);
}

static const char *
status_text(const struct json *obj, const char *key)
{
    return json_string_or(json_at(obj, "status", key, NULL), "");
}

static bool
always(const struct json *obj UNUSED)
{
    return true;
}

static bool
has_balancer(const struct json *obj)
{
    return json_len(json_at(obj, "status", "loadBalancer", "ingress", NULL));
}

static bool
check_service(const struct json *obj)
{
    const char *type = json_string_or(json_at(obj, "spec", "type", NULL), "");

    return strcmp(type, "LoadBalancer") != 0 || has_balancer(obj);
}

static bool
check_deployment(const struct json *obj)
{
    int64_t want = count(obj, "spec", "replicas", 1);

    return count(obj, "status", "updatedReplicas", -1) == want &&
           count(obj, "status", "availableReplicas", -1) == want &&
           condition_true(obj, "Available");
}

static bool
check_statefulset(const struct json *obj)
{
    int64_t want = count(obj, "spec", "replicas", 1);
    const char *now = status_text(obj, "currentRevision");

    return count(obj, "status", "readyReplicas", -1) == want &&
           count(obj, "status", "currentReplicas", -1) == want && *now &&
           strcmp(now, status_text(obj, "updateRevision")) == 0;
}

static bool
check_daemonset(const struct json *obj)
{
    int64_t want = count(obj, "status", "desiredNumberScheduled", -1);

    return want >= 0 && count(obj, "status", "numberReady", -1) == want &&
           count(obj, "status", "updatedNumberScheduled", -1) == want &&
           count(obj, "status", "numberAvailable", -1) == want;
}

static bool
check_replicaset(const struct json *obj)
{
    return count(obj, "status", "observedGeneration", 0) >=
               count(obj, "metadata", "generation", 0) &&
           !condition_true(obj, "ReplicaFailure") &&
           count(obj, "status", "availableReplicas", 0) >=
               count(obj, "spec", "replicas", 1);
}

static bool
check_job(const struct json *obj)
{
    return condition_true(obj, "Complete") && !condition_true(obj, "Failed") &&
           !condition_true(obj, "Suspended");
}

static bool
check_cronjob(const struct json *obj)
{
    int64_t scheduled, succeeded;

    if (json_bool(json_at(obj, "spec", "suspend", NULL), false))
        return true;
    if (!clock_parse(str_of(status_text(obj, "lastScheduleTime")), &scheduled))
        return false;
    if (json_len(json_at(obj, "status", "active", NULL)))
        return true;
    return clock_parse(str_of(status_text(obj, "lastSuccessfulTime")),
                       &succeeded) &&
           succeeded >= scheduled;
}

static bool
check_claim(const struct json *obj)
{
    return strcmp(status_text(obj, "phase"), "Bound") == 0;
}

static bool
check_pod(const struct json *obj)
{
    const char *phase = status_text(obj, "phase");
    const char *restart =
        json_string_or(json_at(obj, "spec", "restartPolicy", NULL), "");

    if (strcmp(phase, "Succeeded") == 0)
        return true;
    return strcmp(phase, "Running") == 0 && strcmp(restart, "Always") == 0 &&
           condition_true(obj, "Ready");
}

static bool
check_autoscaler(const struct json *obj)
{
    static const char *const bad[] = {"FailedGetScale", "FailedUpdateScale",
                                      "FailedGetResourceMetric",
                                      "InvalidSelector"};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (condition_true(obj, bad[i]))
            return false;
    }
    return condition_true(obj, "ScalingActive") ||
           condition_true(obj, "ScalingLimited");
}

static const struct check {
    const char *api_version, *kind;
    bool (*is_ready)(const struct json *obj);
} checks[] = {
    {"v1", "ConfigMap", always},
    {"v1", "Secret", always},
    {"v1", "ServiceAccount", always},
    {"v1", "Namespace", always},
    {"rbac.authorization.k8s.io/v1", "Role", always},
    {"rbac.authorization.k8s.io/v1", "RoleBinding", always},
    {"v1", "Service", check_service},
    {"v1", "Pod", check_pod},
    {"v1", "PersistentVolumeClaim", check_claim},
    {"apps/v1", "Deployment", check_deployment},
    {"apps/v1", "StatefulSet", check_statefulset},
    {"apps/v1", "DaemonSet", check_daemonset},
    {"apps/v1", "ReplicaSet", check_replicaset},
    {"batch/v1", "Job", check_job},
    {"batch/v1", "CronJob", check_cronjob},
    {"networking.k8s.io/v1", "Ingress", has_balancer},
    {"autoscaling/v2", "HorizontalPodAutoscaler", check_autoscaler},
};

static bool
is_ready(const struct json *obj)
{
    const char *v = json_string_or(json_get(obj, "apiVersion"), "");
    const char *k = json_string_or(json_get(obj, "kind"), "");

    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        if (strcmp(checks[i].kind, k) == 0 &&
            strcmp(checks[i].api_version, v) == 0 && checks[i].is_ready(obj))
            return true;
    }
    return condition_true(obj, "Ready");
}

static void
run(const struct fn_request *req, struct fn_response *rsp)
{
    struct json *all = json_get(rsp->desired, "resources");

    for (struct json *w = json_first(all); w; w = json_next(w)) {
        const struct json *obj = fn_observed(req, json_key(w));

        if (obj && fn_ready_of(w) == FN_READY_UNSPECIFIED && is_ready(obj))
            fn_ready_set(w, FN_READY_TRUE);
    }
    rsp->ttl_s = 60;
}

const struct function fn_autoready = {
    .name = "function-auto-ready",
    .run = run,
};
