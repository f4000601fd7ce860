/* A Job: its pods end at once, and so does it. */
#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include "lib/compose/conditions.h"

#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/workload_looks.h"

#define ME "job-controller"

static int64_t
with_phase(const struct json *pods, const char *phase)
{
    int64_t n = 0;

    for (const struct json *p = json_first(pods); p; p = json_next(p))
        n += !strcmp(json_at_text(p, "status", "phase"), phase);
    return n;
}

static void
suspend(struct control *c, struct json *job, const struct json *pods)
{
    for (const struct json *p = json_first(pods); p; p = json_next(p)) {
        if (strcmp(json_at_text(p, "status", "phase"), "Succeeded") != 0)
            workload_delete(c, "", "pods", p);
    }
    json_del(json_get(job, "status"), "startTime");
    if (!condition_true(job, "Suspended"))
        control_event(c, job, ME, false, "Suspended", "Job suspended");
    workload_condition(c, job, "Suspended", "True", "JobSuspended",
                       "Job suspended", false);
}

static void
start(struct control *c, struct json *job, const struct json *pods,
      int64_t want)
{
    struct json *status = json_get(job, "status");
    int64_t width = json_int64_or(json_at(job, "spec", "parallelism", NULL), 1);
    int64_t live = (int64_t)json_len(pods) - with_phase(pods, "Succeeded");
    int64_t missing = want - (int64_t)json_len(pods);
    char now[CLOCK_RFC3339_LEN];

    if (condition_get(job, "Suspended"))
        workload_condition(c, job, "Suspended", "False", "JobResumed",
                           "Job resumed", false);
    clock_format(control_now_s(c), now);
    if (!json_get(status, "startTime"))
        json_set_string(status, "startTime", now);
    for (missing = MIN(missing, width - live); missing > 0; missing--) {
        AUTO(mem_free_ptr) char *name = workload_random_name(kobj_name(job));

        if (workload_make_pod(c, job, name, NULL))
            control_event(c, job, ME, false, "SuccessfulCreate",
                          "Created pod: %s", name);
    }
}

static void
finish(struct control *c, struct json *job)
{
    static const char *const types[] = {"SuccessCriteriaMet", "Complete"};
    char now[CLOCK_RFC3339_LEN];

    clock_format(control_now_s(c), now);
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        workload_condition(c, job, types[i], "True", "CompletionsReached",
                           "Reached expected number of succeeded pods", false);
    json_set_string(json_get(job, "status"), "completionTime", now);
    control_event(c, job, ME, false, "Completed", "Job completed");
}

void
workload_job(struct control *c, const struct kind *k, struct json **obj)
{
    AUTO(json_free_ptr)
    struct json *pods = workload_children(c, "", "pods", *obj);
    struct json *status = json_need_object(*obj, "status");
    AUTO(json_free_ptr) struct json *before = json_copy(status);
    const struct json *spec = json_get(*obj, "spec");
    int64_t want =
        json_int64_or(json_get(spec, "completions"),
                      json_int64_or(json_get(spec, "parallelism"), 1));
    int64_t done;

    want = MAX(0, MIN(want, WORKLOAD_MAX));
    if (condition_true(*obj, "Complete") || condition_true(*obj, "Failed"))
        return;
    if (json_bool(json_get(spec, "suspend"), false)) {
        suspend(c, *obj, pods);
    } else {
        start(c, *obj, pods, want);
        json_free(pods);
        pods = workload_children(c, "", "pods", *obj);
    }
    done = with_phase(pods, "Succeeded");
    json_set_int(status, "active", (int64_t)json_len(pods) - done);
    json_set_int(status, "succeeded", done);
    json_set_int(status, "ready", with_phase(pods, "Running"));
    json_set_int(status, "terminating", 0);
    json_need_object(status, "uncountedTerminatedPods");
    if (done >= want && !json_bool(json_get(spec, "suspend"), false))
        finish(c, *obj);
    workload_put_status(c, k, obj, before);
}
