/*
 * Functions: Installed and Healthy for what is asked for now, or a reason why
 * not as soon as there is one. Healthy alone may be stale (crossplane#4196):
 * status.currentIdentifier has to be spec.package.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/crossplane_watch.h"
#include "devenv/lock.h"

#define FUNCTION_LABEL "pkg.crossplane.io/function"

#define LIMIT_MS     240000
#define TRANSIENT_MS 10000 /* name service and network of a fresh cluster */
#define UNHEALTHY_MS 30000 /* a revision that says what is wrong with it */
#define NUDGE_MS     4000  /* Crossplane's own retries come ever later */

enum { FUNCTIONS, REVISIONS, PODS };

static const struct watch_kind kinds[] = {
    {.gvr = {"pkg.crossplane.io", "v1", "functions"}, .what = "functions"},
    {.gvr = {"pkg.crossplane.io", "v1", "functionrevisions"},
     .what = "function revisions"},
    {.gvr = {"", "v1", "pods"}, .ns = CROSSPLANE_NAMESPACE, .what = "pods"},
    {.what = NULL},
};

struct judging {
    const struct manifest_set *set;
    struct nudge {
        int64_t at_ms;
    } * nudges; /* one a function */
    size_t healthy;
};

static const char *
message_of(const struct json *object, const char *condition)
{
    return json_string_or(json_get(env_condition(object, condition), "message"),
                          "");
}

static bool
is_false(const struct json *object, const char *condition)
{
    return strcmp(json_string_or(
                      json_get(env_condition(object, condition), "status"), ""),
                  "False") == 0;
}

/* A changed annotation makes Crossplane look again now. */
static void
nudge(struct watch *w, const char *name)
{
    AUTO(mem_free_ptr)
    char *body = mem_printf("{\"metadata\":{\"annotations\":{"
                            "\"meshtop.dev/nudged\":\"%lld\"}}}",
                            (long long)loop_now(w->env->loop));
    struct kube_request r = {.verb = KUBE_PATCH,
                             .patch = KUBE_PATCH_MERGE,
                             .field_manager = "meshtop-nudge",
                             .gvr = kinds[FUNCTIONS].gvr,
                             .name = name,
                             .body = str_of(body)};

    kube_client_wait(w->env->client, &r, NULL, NULL);
}

static void
nudge_now_and_then(struct watch *w, struct nudge *n, const char *name)
{
    int64_t now = loop_now(w->env->loop);

    if (!n->at_ms)
        n->at_ms = now;
    if (now - n->at_ms < NUDGE_MS)
        return;
    n->at_ms = now;
    nudge(w, name);
}

/* A message of the package manager: how long may it stand? */
static enum watch_verdict
judge_message(struct watch *w, const char *name, const char *package,
              const char *message, struct error *err)
{
    enum pull_verdict v = crossplane_pull_verdict(message);

    if (v == PULL_FINE)
        return WATCH_WAIT;
    if (v == PULL_TRANSIENT && watch_since(w, "fetch %s", name) < TRANSIENT_MS)
        return WATCH_WAIT;
    crossplane_pull_error(package, message, err);
    return WATCH_FAILED;
}

/* The pods of a function, while its revision waits for its Deployment. */
static enum watch_verdict
judge_pods(struct watch *w, const char *name, char *why, size_t size,
           struct error *err)
{
    const struct kube_object *o;

    for (size_t i = 0; (o = kube_cache_at(w->caches[PODS], i)); i++) {
        AUTO(json_free_ptr) struct json *pod = NULL;
        struct pod_state state;

        if (!str_contains(o->body, str_of(name)))
            continue;
        pod = watch_object(o);
        if (strcmp(json_string_or(
                       json_at(pod, "metadata", "labels", FUNCTION_LABEL, NULL),
                       ""),
                   name) != 0)
            continue;
        if (watch_pod(w, pod, &state, err) == WATCH_FAILED)
            return WATCH_FAILED;
        if (!state.ready)
            snprintf(why, size, "pod %s%s%s", state.what,
                     *state.why ? ": " : "", state.why);
    }
    return WATCH_WAIT;
}

static bool
is_current(const struct json *f)
{
    return strcmp(json_at_text(f, "status", "currentIdentifier"),
                  json_at_text(f, "spec", "package")) == 0;
}

/* How long a revision may be unhealthy for a reason. */
static int64_t
may_last(const char *health)
{
    static const struct {
        const char *words;
        int64_t ms;
    } rows[] = {
        {"deployment is unavailable", LIMIT_MS}, /* the pods tell more */
        {"is not healthy yet", LIMIT_MS},
        {"package meta type is not", 0},
        {"linting package contents failed", 0},
        {"has no built-in", 0}, /* the sandbox */
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (str_contains(str_of(health), str_of(rows[i].words)))
            return rows[i].ms;
    }
    return UNHEALTHY_MS;
}

/* One function; why says what it waits for. */
static enum watch_verdict
judge_function(struct watch *w, const struct json *f, char *why, size_t size,
               struct error *err)
{
    const char *name = json_at_text(f, "metadata", "name");
    const char *package = json_at_text(f, "spec", "package");
    const char *fetch =
        is_false(f, "Installed") ? message_of(f, "Installed") : "";
    const char *health = is_false(f, "Healthy") ? message_of(f, "Healthy") : "";
    enum watch_verdict v;

    if (env_condition_true(f, "Installed") &&
        env_condition_true(f, "Healthy") && is_current(f))
        return WATCH_DONE;
    snprintf(why, size, "%s",
             *fetch    ? fetch
             : *health ? health
                       : "Crossplane has not looked at it yet");
    v = judge_message(w, name, package, *fetch ? fetch : health, err);
    if (v == WATCH_FAILED || *fetch || !*health)
        return v;
    if (judge_pods(w, name, why, size, err) == WATCH_FAILED)
        return WATCH_FAILED;
    if (watch_since(w, "unhealthy %s", name) < may_last(health))
        return WATCH_WAIT;
    error_set(err, ERR_INVALID, "%s does not become Healthy: %s", package,
              health);
    error_remedy(err, "MT-PKG-UNHEALTHY",
                 "kubectl get functionrevisions.pkg.crossplane.io; kubectl "
                 "-n " CROSSPLANE_NAMESPACE " get pods");
    return WATCH_FAILED;
}

static enum watch_verdict
judge_all(void *arg, struct watch *w, struct error *err)
{
    struct judging *j = arg;
    char first[400] = "";

    j->healthy = 0;
    for (size_t i = 0; i < j->set->n; i++) {
        const char *name = j->set->v[i].name;
        AUTO(json_free_ptr)
        struct json *f =
            watch_object(kube_cache_find(w->caches[FUNCTIONS], NULL, name));
        char why[400] = "not there yet";
        enum watch_verdict v =
            f ? judge_function(w, f, why, sizeof(why), err) : WATCH_WAIT;

        if (v == WATCH_FAILED) {
            step_part(w->run, name, STEP_FAILED, err->msg);
            return v;
        }
        step_part(w->run, name, v == WATCH_DONE ? STEP_DONE : STEP_RUNNING,
                  v == WATCH_DONE ? "Healthy" : why);
        j->healthy += v == WATCH_DONE;
        if (v == WATCH_DONE)
            continue;
        if (!*first)
            snprintf(first, sizeof(first), ", %s: %s", name, why);
        if (f && is_false(f, "Installed"))
            nudge_now_and_then(w, &j->nudges[i], name);
    }
    step_detail(w->run, "%zu of %zu functions Healthy%s", j->healthy, j->set->n,
                first);
    return j->healthy == j->set->n ? WATCH_DONE : WATCH_WAIT;
}

bool
crossplane_wait_functions(struct env *e, const struct manifest_set *functions,
                          struct step_run *run, struct error *err)
{
    struct judging j = {.set = functions};
    struct watch w;
    bool ok;

    if (!functions->n)
        return true;
    j.nudges = mem_zalloc(functions->n, sizeof(*j.nudges));
    ok = watch_open(&w, e, run, kinds, err);
    if (ok) {
        ok = watch_until(&w, LIMIT_MS, judge_all, &j, err);
        watch_close(&w);
    }
    free(j.nudges);
    return ok;
}

/* ---- what they are, to the last bit ---- */

/* "sha256:..." behind the @ of an image's id, or NULL. */
static const char *
digest_in(const char *image)
{
    const char *at = strstr(image, "@sha256:");

    return at && lock_is_digest(at + 1) ? at + 1 : NULL;
}

struct noting {
    struct env *env;
    const struct manifest_set *set;
    bool ok;
    struct error *err;
};

/* A function's pod runs the image that is its package. */
static bool
note_pod(void *arg, struct str item)
{
    struct noting *n = arg;
    AUTO(json_free_ptr) struct json *pod = json_parse(item, NULL, NULL);
    const char *of = json_string_or(
        json_at(pod, "metadata", "labels", FUNCTION_LABEL, NULL), "");
    const struct json *first =
        json_first(json_at(pod, "status", "containerStatuses", NULL));
    const char *digest =
        digest_in(json_string_or(json_get(first, "imageID"), ""));

    for (size_t i = 0; digest && i < n->set->n && n->ok; i++) {
        const struct manifest *m = &n->set->v[i];

        if (strcmp(m->name, of) == 0)
            n->ok = lock_pin(&n->env->profile, "package",
                             json_at_text(m->object, "spec", "package"), digest,
                             n->err);
    }
    return n->ok;
}

bool
crossplane_pin_functions(struct env *e, const struct manifest_set *functions,
                         struct error *err)
{
    const struct kube_request r = {.gvr = kinds[PODS].gvr,
                                   .ns = CROSSPLANE_NAMESPACE,
                                   .label_selector = FUNCTION_LABEL};
    struct noting n = {e, functions, true, err};

    return kube_client_wait_list(e->client, &r, note_pod, &n, err) && n.ok;
}
