#include "devenv/crossplane_watch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

/* How long something may be wrong before it is believed. */
#define TRANSIENT_MS     10000
#define UNSCHEDULABLE_MS 20000
#define CREATE_MS        8000
#define OOM_RESTARTS     2
#define QUIET_MS         1000 /* before a first list is worth a word */
#define LOG_BYTES        65536

static int64_t
now_ms(const struct watch *w)
{
    return clock_mono_ms(w->clock);
}

/* ---- a watch ---- */

bool
watch_open(struct watch *w, struct env *e, struct step_run *run,
           const struct watch_kind *kinds, struct error *err)
{
    *w = (struct watch){.env = e, .run = run, .clock = clock_system()};
    w->began_ms = now_ms(w);
    for (; w->n < WATCH_KINDS && kinds[w->n].what; w->n++) {
        const struct watch_kind *k = &kinds[w->n];
        const struct kube_cache_options o = {
            .gvr = k->gvr,
            .ns = k->ns,
            .label_selector = k->label_selector,
            .field_selector = k->field_selector,
            .backoff_ms = 200};

        w->names[w->n] = k->what;
        w->caches[w->n] = kube_cache_new(e->client, &o, NULL, err);
        if (!w->caches[w->n]) {
            watch_close(w);
            return false;
        }
    }
    return true;
}

void
watch_close(struct watch *w)
{
    for (size_t i = 0; i < w->n; i++)
        kube_cache_free(w->caches[i]);
    for (size_t i = 0; i < w->since_n; i++)
        free(w->since[i].key);
    free(w->since);
    *w = (struct watch){0};
}

static bool
synced(void *arg)
{
    struct watch *w = arg;

    for (size_t i = 0; i < w->n; i++) {
        const struct error *why = kube_cache_error(w->caches[i]);

        if (kube_cache_synced(w->caches[i]))
            continue;
        if (why || now_ms(w) - w->began_ms > QUIET_MS)
            step_detail(w->run, "reading %s%s%s", w->names[i], why ? ": " : "",
                        why ? why->msg : "");
        return false;
    }
    return true;
}

bool
watch_sync(struct watch *w, int64_t limit_ms, struct error *err)
{
    return step_wait(w->run, limit_ms, synced, w, err);
}

struct judging {
    struct watch *watch;
    watch_judge *judge;
    void *arg;
    struct error err;
};

/* What was not said in the look that ended is forgotten. */
static void
forget_unsaid(struct watch *w)
{
    size_t n = 0;

    for (size_t i = 0; i < w->since_n; i++) {
        struct watch_since s = w->since[i];

        if (!s.seen) {
            free(s.key);
            continue;
        }
        s.seen = false;
        w->since[n++] = s;
    }
    w->since_n = n;
}

static bool
judged(void *arg)
{
    struct judging *j = arg;

    if (!synced(j->watch))
        return false;
    j->watch->verdict = j->judge(j->arg, j->watch, &j->err);
    forget_unsaid(j->watch);
    return j->watch->verdict != WATCH_WAIT;
}

bool
watch_until(struct watch *w, int64_t limit_ms, watch_judge *judge, void *arg,
            struct error *err)
{
    struct judging j = {.watch = w, .judge = judge, .arg = arg};

    if (!step_wait(w->run, limit_ms, judged, &j, err))
        return false;
    if (w->verdict == WATCH_FAILED && err)
        *err = j.err;
    return w->verdict == WATCH_DONE;
}

int64_t
watch_since(struct watch *w, const char *fmt, ...)
{
    AUTO(buf_release) struct buf key = BUF_INIT(4096);
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&key, fmt, ap);
    va_end(ap);
    for (size_t i = 0; i < w->since_n; i++) {
        if (strcmp(w->since[i].key, buf_cstr(&key)) != 0)
            continue;
        w->since[i].seen = true;
        return now_ms(w) - w->since[i].ms;
    }
    w->since =
        mem_grow(w->since, &w->since_cap, w->since_n + 1, sizeof(*w->since));
    w->since[w->since_n++] =
        (struct watch_since){mem_strdup(buf_cstr(&key)), now_ms(w), true};
    return 0;
}

struct json *
watch_object(const struct kube_object *o)
{
    return o ? json_parse(o->body, NULL, NULL) : NULL;
}

/* ---- pods ---- */

/* Why a container waits, and for how long that may be. PULLS: as long as the
 * words that come with it say. */
enum { PULLS = -1, FOR_EVER = -2 };
static const struct {
    const char *reason;
    int64_t may_ms;
} waits[] = {
    {"ErrImagePull", PULLS},
    {"ImagePullBackOff", PULLS},
    {"InvalidImageName", 0},
    {"ErrImageNeverPull", 0},
    {"RegistryUnavailable", PULLS},
    {"CreateContainerError", CREATE_MS},
    {"CreateContainerConfigError", CREATE_MS},
    {"RunContainerError", CREATE_MS},
    {"ContainerCreating", FOR_EVER},
    {"PodInitializing", FOR_EVER},
    {"CrashLoopBackOff", FOR_EVER}, /* early restarts are tolerated */
};

static bool
fail_pull(const char *image, const char *reason, const char *message,
          struct error *err)
{
    AUTO(mem_free_ptr)
    char *words = mem_printf("%s", *message ? message : reason);

    return crossplane_pull_error(image, words, err);
}

static enum watch_verdict
judge_waiting(struct watch *w, const char *pod, const struct json *container,
              const struct json *waiting, struct error *err)
{
    const char *reason = json_string_or(json_get(waiting, "reason"), "");
    const char *message = json_string_or(json_get(waiting, "message"), "");
    const char *image = json_string_or(json_get(container, "image"), "?");

    for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
        int64_t may = waits[i].may_ms;

        if (strcmp(waits[i].reason, reason) != 0 || may == FOR_EVER)
            continue;
        if (may == PULLS)
            may = crossplane_pull_verdict(message) == PULL_REFUSED
                      ? 0
                      : TRANSIENT_MS;
        /* ErrImagePull and ImagePullBackOff take turns. */
        if (watch_since(w, "pod %s %s", pod,
                        waits[i].may_ms == PULLS ? "pull" : reason) < may)
            return WATCH_WAIT;
        if (waits[i].may_ms == PULLS || may == 0) {
            fail_pull(image, reason, message, err);
            return WATCH_FAILED;
        }
        error_set(err, ERR_INTERNAL, "the pod %s cannot start: %s: %s", pod,
                  reason, message);
        error_remedy(err, "MT-POD-START",
                     "kubectl -n " CROSSPLANE_NAMESPACE " describe pod %s",
                     pod);
        return WATCH_FAILED;
    }
    return WATCH_WAIT;
}

static bool
killed_for_memory(const struct json *container)
{
    static const char *const states[] = {"state", "lastState"};
    int64_t restarts = json_int64_or(json_get(container, "restartCount"), 0);

    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        const char *reason = json_string_or(
            json_at(container, states[i], "terminated", "reason", NULL), "");

        if (strcmp(reason, "OOMKilled") == 0 && restarts >= OOM_RESTARTS)
            return true;
    }
    return false;
}

/* A container's say; the first that is not well is the pod's. */
static enum watch_verdict
judge_container(struct watch *w, const char *pod, const struct json *c,
                bool init, struct pod_state *out, struct error *err)
{
    const struct json *waiting = json_at(c, "state", "waiting", NULL);
    const char *reason = json_get_string(waiting, "reason");
    int64_t exit_code = json_int64_or(
        json_at(c, "lastState", "terminated", "exitCode", NULL), 0);

    out->restarts += json_int64_or(json_get(c, "restartCount"), 0);
    if (killed_for_memory(c)) {
        error_set(err, ERR_LIMIT,
                  "the pod %s was ended for want of memory (OOMKilled)", pod);
        error_remedy(err, "MT-POD-START",
                     "Give the engine more memory (meshtop doctor says how "
                     "much it has).");
        return WATCH_FAILED;
    }
    if (init && exit_code && !*out->failed_init)
        snprintf(out->failed_init, sizeof(out->failed_init), "%s",
                 json_string_or(json_get(c, "name"), ""));
    if (!reason || *out->why)
        return WATCH_WAIT;
    snprintf(out->what, sizeof(out->what), "%s%s", init ? "Init:" : "", reason);
    snprintf(out->why, sizeof(out->why), "%s",
             json_string_or(json_get(waiting, "message"), ""));
    return judge_waiting(w, pod, c, waiting, err);
}

static enum watch_verdict
judge_scheduling(struct watch *w, const struct json *pod, const char *name,
                 struct pod_state *out, struct error *err)
{
    const struct json *c = env_condition(pod, "PodScheduled");

    if (strcmp(json_string_or(json_get(c, "reason"), ""), "Unschedulable") != 0)
        return WATCH_WAIT;
    snprintf(out->what, sizeof(out->what), "Unschedulable");
    snprintf(out->why, sizeof(out->why), "%s",
             json_string_or(json_get(c, "message"), ""));
    if (watch_since(w, "pod %s unschedulable", name) < UNSCHEDULABLE_MS)
        return WATCH_WAIT;
    error_set(err, ERR_LIMIT, "no node takes the pod %s: %s", name, out->why);
    error_remedy(err, "MT-POD-START",
                 "meshtop doctor (memory, disk); kubectl describe node");
    return WATCH_FAILED;
}

enum watch_verdict
watch_pod(struct watch *w, const struct json *pod, struct pod_state *out,
          struct error *err)
{
    static const char *const lists[] = {"initContainerStatuses",
                                        "containerStatuses"};
    const char *name = json_at_text(pod, "metadata", "name");

    *out = (struct pod_state){.ready = env_condition_true(pod, "Ready")};
    snprintf(out->what, sizeof(out->what), "%s",
             json_at_text(pod, "status", "phase"));
    if (judge_scheduling(w, pod, name, out, err) == WATCH_FAILED)
        return WATCH_FAILED;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        const struct json *list = json_at(pod, "status", lists[i], NULL);

        for (const struct json *c = json_first(list); c; c = json_next(c)) {
            if (judge_container(w, name, c, i == 0, out, err) == WATCH_FAILED)
                return WATCH_FAILED;
        }
    }
    return out->ready ? WATCH_DONE : WATCH_WAIT;
}

void
watch_last_log(struct watch *w, const char *ns, const char *pod,
               const char *container, char *out, size_t size)
{
    static const char *const which[] = {"&previous=true", ""};

    *out = '\0';
    for (size_t i = 0; i < ARRAY_LEN(which) && !*out; i++) {
        AUTO(mem_free_ptr)
        char *path = mem_printf("/api/v1/namespaces/%s/pods/%s/log?container="
                                "%s&tailLines=1%s",
                                ns, pod, container, which[i]);
        struct kube_request r = {.verb = KUBE_RAW_GET,
                                 .path = path,
                                 .accept = "text/plain, */*",
                                 .max_body = LOG_BYTES,
                                 .timeout_ms = 3000};
        struct kube_answer a = {0};

        if (kube_client_wait(w->env->client, &r, &a, NULL) && a.body) {
            struct str line = str_trim(str_n(a.body, a.body_n));

            snprintf(out, size, "%.*s", STR_ARG(line));
        }
        kube_answer_release(&a);
    }
}
