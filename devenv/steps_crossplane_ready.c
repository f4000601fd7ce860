/*
 * The step of `up` that waits until Crossplane runs: both Deployments
 * Available, each pod told, the last words of a start that failed, a failure
 * that cannot pass at once.
 */
#include <stdio.h>

#include "lib/base/mem.h"

#include "devenv/crossplane_steps.h"
#include "devenv/crossplane_watch.h"
#include "devenv/lock.h"

#define READY_LIMIT_MS 180000

static const struct kube_gvr deployments = {"apps", "v1", "deployments"};

enum { DEPLOYMENTS, PODS };

static bool
is_rolled_out(const struct json *d)
{
    const struct json *status = json_get(d, "status");
    int64_t want = json_int64_or(json_at(d, "spec", "replicas", NULL), 1);
    int64_t seen = json_int64_or(json_get(status, "observedGeneration"), 0);
    int64_t is = json_int64_or(json_at(d, "metadata", "generation", NULL), 0);

    return seen >= is && env_condition_true(d, "Available") &&
           json_int64_or(json_get(status, "updatedReplicas"), 0) >= want &&
           json_int64_or(json_get(status, "unavailableReplicas"), 0) == 0;
}

/* So many pods are replaced at most. */
#define FRESH_PODS 3

struct readiness {
    size_t fresh;    /* pods replaced */
    char logged[64]; /* the pod whose log was last read, with its restarts */
    char line[300];
};

/* The last words of an init container that failed, read once a failure. */
static void
read_log(struct readiness *r, struct watch *w, const char *ns, const char *pod,
         const struct pod_state *state)
{
    char now[64];

    snprintf(now, sizeof(now), "%.50s %lld", pod, (long long)state->restarts);
    if (!*state->failed_init || strcmp(now, r->logged) == 0)
        return;
    snprintf(r->logged, sizeof(r->logged), "%s", now);
    watch_last_log(w, ns, pod, state->failed_init, r->line, sizeof(r->line));
    if (*r->line)
        step_log(w->run, str_of(r->line));
}

/* The init container of a new Crossplane sometimes fails once while the API
 * server still makes room for its CRDs; then the kubelet waits 10 s and more
 * before it tries again. A new pod of ours is tried at once. */
static void
replace_pod(struct readiness *r, struct watch *w, const struct kube_object *pod,
            const struct pod_state *state)
{
    struct kube_request gone = {.verb = KUBE_DELETE,
                                .gvr = {"", "v1", "pods"},
                                .ns = pod->ns.s,
                                .name = pod->name.s};

    if (!*state->failed_init ||
        !str_contains(str_of(state->what), STR("CrashLoopBackOff")) ||
        r->fresh == FRESH_PODS ||
        profile_fact(&w->env->profile, FACT_XP_ADOPTED))
        return;
    r->fresh++;
    AUTO(mem_free_ptr)
    char *line =
        mem_printf("%s started badly: a new pod takes its place", pod->name.s);

    if (kube_client_wait(w->env->client, &gone, NULL, NULL))
        step_log(w->run, str_of(line));
}

/* Crossplane's own pods, not those of packages. */
static bool
is_own_pod(const struct json *pod)
{
    const char *app =
        json_string_or(json_at(pod, "metadata", "labels", "app", NULL), "");

    return str_starts(str_of(app), STR("crossplane"));
}

static enum watch_verdict
judge_pods(struct readiness *r, struct watch *w, struct error *err)
{
    const struct kube_object *o;

    for (size_t i = 0; (o = kube_cache_at(w->caches[PODS], i)); i++) {
        AUTO(json_free_ptr) struct json *pod = watch_object(o);
        AUTO(mem_free_ptr) char *detail = NULL;
        struct pod_state s;
        enum watch_verdict v;

        if (!is_own_pod(pod) || o->deleted_s)
            continue;
        v = watch_pod(w, pod, &s, err);
        read_log(r, w, o->ns.s, o->name.s, &s);
        detail = mem_printf("%s%s%s%s%s", s.what, *s.why ? ": " : "", s.why,
                            *s.failed_init && *r->line ? "; it said: " : "",
                            *s.failed_init ? r->line : "");
        step_part(w->run, o->name.s,
                  v == WATCH_DONE     ? STEP_DONE
                  : v == WATCH_FAILED ? STEP_FAILED
                                      : STEP_RUNNING,
                  detail);
        if (v == WATCH_FAILED)
            return v;
        replace_pod(r, w, o, &s);
    }
    return WATCH_WAIT;
}

static enum watch_verdict
judge_ready(void *arg, struct watch *w, struct error *err)
{
    struct readiness *r = arg;
    const struct kube_object *o;
    size_t n = 0, ready = 0;

    for (size_t i = 0; (o = kube_cache_at(w->caches[DEPLOYMENTS], i)); i++) {
        AUTO(json_free_ptr) struct json *d = NULL;

        if (!str_eqz(o->name, "crossplane") &&
            !str_eqz(o->name, "crossplane-rbac-manager"))
            continue;
        d = watch_object(o);
        n++;
        ready += is_rolled_out(d);
    }
    if (judge_pods(r, w, err) == WATCH_FAILED)
        return WATCH_FAILED;
    bool all = n && ready == n, said = !all && *r->line;

    step_detail(w->run, "%zu of %zu Deployments Available%s%s", ready, n,
                said ? "; its start said: " : "", said ? r->line : "");
    return all ? WATCH_DONE : WATCH_WAIT;
}

static bool
deployment_ready(const struct up *up, const char *name)
{
    struct kube_request r = {
        .gvr = deployments, .ns = up_crossplane_namespace(up), .name = name};
    AUTO(json_free_ptr)
    struct json *d = kube_client_wait_json(up->env->client, &r, NULL);

    return d && is_rolled_out(d);
}

/* Which image it is, to the last bit, from the pods that run it; another one
 * than before is an error. */
static bool
pin_image(struct up *up, struct error *err)
{
    struct kube_request r = {.gvr = {"", "v1", "pods"},
                             .ns = up_crossplane_namespace(up),
                             .label_selector = "app=crossplane"};
    AUTO(json_free_ptr)
    struct json *list = kube_client_wait_json(up->env->client, &r, err);

    for (const struct json *p = json_first(json_get(list, "items")); p;
         p = json_next(p)) {
        const struct json *run =
            json_first(json_at(p, "status", "containerStatuses", NULL));
        const struct json *asked =
            json_first(json_at(p, "spec", "containers", NULL));
        const char *digest =
            strstr(json_string_or(json_get(run, "imageID"), ""), "@sha256:");

        if (digest && lock_is_digest(digest + 1) &&
            !lock_pin(&up->env->profile, "image",
                      json_string_or(json_get(asked, "image"), ""), digest + 1,
                      err))
            return false;
    }
    return list != NULL;
}

enum step_verdict
up_crossplane_ready_check(void *context, struct step_run *run)
{
    struct up *up = context;
    struct error why = {0};

    if (!deployment_ready(up, "crossplane") ||
        !deployment_ready(up, "crossplane-rbac-manager"))
        return STEP_IS_TODO;
    step_detail(run, "2 of 2 Deployments Available");
    if (pin_image(up, &why))
        return STEP_IS_DONE;
    step_detail(run, "%s", why.msg);
    return STEP_IS_BROKEN;
}

bool
up_crossplane_ready(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;
    const char *ns = up_crossplane_namespace(up);
    const struct watch_kind kinds[] = {
        {.gvr = deployments, .ns = ns, .what = "Deployments"},
        {.gvr = {"", "v1", "pods"}, .ns = ns, .what = "pods"},
        {.what = NULL}};
    struct readiness r = {0};
    struct error why = {0};
    struct watch w;
    bool ok;

    if (!watch_open(&w, up->env, run, kinds, err))
        return false;
    ok = watch_until(&w, READY_LIMIT_MS, judge_ready, &r, &why) &&
         pin_image(up, &why) && profile_save(&up->env->profile, &why);
    watch_close(&w);
    if (ok)
        return true;
    if (why.code == ERR_TIMEOUT && !*why.id)
        error_remedy(&why, "MT-CROSSPLANE-START",
                     "kubectl -n %s get pods; meshtop debug keeps the logs; "
                     "meshtop up again goes on.",
                     ns);
    if (err)
        *err = why;
    return false;
}
