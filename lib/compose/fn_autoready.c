/*
 * function-auto-ready (v0.7.0): a desired resource that exists and about which
 * no step said anything is ready when the check of its kind says so, or when
 * its condition Ready is True. It never says "not ready". Checks in CEL, which
 * upstream has behind a feature gate that is off, are refused.
 */
#include <math.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include "lib/compose/conditions.h"
#include "lib/compose/function.h"
#include "lib/compose/gojson.h"
#include "lib/compose/gotime.h"

static int64_t
count(const struct json *obj, const char *part, const char *key, int64_t absent)
{
    const struct json *j = json_at(obj, part, key, NULL);
    double d;

    if (json_is(j, JSON_NUMBER) && json_double(j, &d) && fabs(d) < 1e15)
        return (int64_t)d;
    return absent;
}

static const char *
status_text(const struct json *obj, const char *key)
{
    return json_string_or(json_at(obj, "status", key, NULL), "");
}

STRICT_FIELDS(condition_type, "v1.Condition", {"type", &strict_string},
              {"status", &strict_string}, {"reason", &strict_string},
              {"message", &strict_string},
              {"lastTransitionTime", &strict_string});
STRICT_LIST_OF(condition_list, "[]v1.Condition", condition_type);

/* Do the conditions decode? Upstream takes none of them when one does not. */
static bool
conditions_fit(const struct json *obj)
{
    const struct json *all = json_at(obj, "status", "conditions", NULL);
    int64_t at;

    if (!gojson_check(all, &condition_list, NULL))
        return false;
    for (const struct json *c = json_first(all); c; c = json_next(c)) {
        const char *time = json_get_string(c, "lastTransitionTime");

        if (time && !clock_parse(str_of(time), &at))
            return false;
    }
    return true;
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
    const struct json *now = json_at(obj, "status", "currentRevision", NULL);

    return count(obj, "status", "readyReplicas", -1) == want &&
           count(obj, "status", "currentReplicas", -1) == want &&
           json_string(now) &&
           json_equal(now, json_at(obj, "status", "updateRevision", NULL));
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
           conditions_fit(obj) && !condition_true(obj, "ReplicaFailure") &&
           count(obj, "status", "availableReplicas", 0) >=
               count(obj, "spec", "replicas", 1);
}

static bool
is_one_of(const char *type, const char *const *types)
{
    while (*types && strcmp(type, *types) != 0)
        types++;
    return *types;
}

/* The first condition that is True and of one of these types decides. */
static bool
first_true(const struct json *obj, const char *const *good,
           const char *const *bad)
{
    const struct json *all = json_at(obj, "status", "conditions", NULL);

    for (const struct json *c = json_first(all); c; c = json_next(c)) {
        const char *type = json_string_or(json_get(c, "type"), "");

        if (strcmp(json_string_or(json_get(c, "status"), ""), "True") != 0)
            continue;
        if (is_one_of(type, bad))
            return false;
        if (is_one_of(type, good))
            return true;
    }
    return false;
}

static bool
check_job(const struct json *obj)
{
    static const char *const good[] = {"Complete", NULL};
    static const char *const bad[] = {"Failed", "Suspended", NULL};

    return conditions_fit(obj) && first_true(obj, good, bad);
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
    return conditions_fit(obj) &&
           strcmp(status_text(obj, "phase"), "Bound") == 0;
}

static bool
check_pod(const struct json *obj)
{
    const char *phase = status_text(obj, "phase");
    const char *restart =
        json_string_or(json_at(obj, "spec", "restartPolicy", NULL), "");

    if (!conditions_fit(obj))
        return false;
    if (strcmp(phase, "Succeeded") == 0)
        return true;
    return strcmp(phase, "Running") == 0 && strcmp(restart, "Always") == 0 &&
           condition_true(obj, "Ready");
}

static bool
check_autoscaler(const struct json *obj)
{
    static const char *const good[] = {"ScalingActive", "ScalingLimited", NULL};
    static const char *const bad[] = {"FailedGetScale", "FailedUpdateScale",
                                      "FailedGetResourceMetric",
                                      "InvalidSelector", NULL};

    return conditions_fit(obj) && first_true(obj, good, bad);
}

static const struct check {
    const char *api_version, *kind;
    bool (*is_ready)(const struct json *obj);
} checks[] = {
    {"v1", "ConfigMap", always},
    {"v1", "Secret", always},
    {"v1", "ServiceAccount", always},
    {"v1", "Namespace", always},
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
    return conditions_fit(obj) && condition_true(obj, "Ready");
}

/* ---- the input ---- */

enum { TTL_S = 60 };

struct prepared {
    int64_t ttl_s;
};

STRICT_FIELDS(input_type, "v1beta1.Input", STRICT_TYPE_META,
              {"ttl", &strict_string},
              {"celHealthCheckCustomization", &strict_string_map},
              {"celHealthCheckCustomizationFrom", &strict_string});

/* What the feature gate lets through upstream. */
static bool
no_custom_checks(const struct json *input, struct error *err)
{
    static const char *const names[] = {"celHealthCheckCustomization",
                                        "celHealthCheckCustomizationFrom"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (json_type_of(json_get(input, names[i])) == JSON_NULL)
            continue;
        error_set(err, ERR_UNSUPPORTED,
                  "%s is not built in: function-auto-ready reads it only when "
                  "its feature gate CELHealthcheckCustomizations is on",
                  names[i]);
        error_remedy(err, "",
                     "say in a template when the resource is ready, "
                     "with the annotation "
                     "gotemplating.fn.crossplane.io/ready");
        return false;
    }
    return true;
}

static bool
read_ttl(const char *text, int64_t *out, struct error *err)
{
    int64_t ns;

    if (!text || !*text)
        return true;
    if (!gotime_parse_duration(str_of(text), &ns, err))
        return error_wrap(err, "cannot set ttl");
    *out = MAX((int64_t)1, ns / 1000000000);
    return true;
}

static void *
prepare(const struct json *input, struct error *err)
{
    struct prepared *p = mem_zalloc(1, sizeof(*p));

    p->ttl_s = TTL_S;
    if (input && !strict_input(input, &input_type, err))
        error_wrap(err, "cannot get Function input from "
                        "*v1.RunFunctionRequest");
    else if (read_ttl(json_get_string(input, "ttl"), &p->ttl_s, err) &&
             no_custom_checks(input, err))
        return p;
    free(p);
    return NULL;
}

/* ---- the whole ---- */

static void
run(const struct fn_request *req, struct fn_response *rsp)
{
    const struct prepared *p = req->prepared;
    struct json *all = json_get(rsp->desired, "resources");

    for (struct json *w = json_first(all); w; w = json_next(w)) {
        const struct json *obj = fn_observed(req, json_key(w));

        if (obj && fn_ready_of(w) == FN_READY_UNSPECIFIED && is_ready(obj))
            fn_ready_set(w, FN_READY_TRUE);
    }
    rsp->ttl_s = p->ttl_s;
}

const struct function fn_autoready = {
    .name = "function-auto-ready",
    .prepare = prepare,
    .discard = free,
    .run = run,
};
