/* A Deployment: its ReplicaSets, their revisions, and what it says of them. */
#include <stdio.h>

#include "lib/base/mem.h"

#include "lib/compose/conditions.h"

#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/workload_looks.h"

#define REVISION "deployment.kubernetes.io/revision"
#define DESIRED  "deployment.kubernetes.io/desired-replicas"
#define MAX_PODS "deployment.kubernetes.io/max-replicas"
#define HASH     "pod-template-hash"
#define ME       "deployment-controller"

static int64_t
revision_of(const struct json *set)
{
    const char *text = kobj_annotation(set, REVISION);
    int64_t n = 0;

    if (text)
        str_to_i64(str_of(text), &n);
    return n;
}

static int64_t
replicas_of(const struct json *obj)
{
    return json_int64_or(json_at(obj, "spec", "replicas", NULL), 1);
}

/* The ReplicaSet made from the template as it is now. */
static struct json *
current_set(const struct json *sets, const struct json *d)
{
    for (struct json *s = json_first(sets); s; s = json_next(s)) {
        AUTO(json_free_ptr)
        struct json *t = json_copy(json_at(s, "spec", "template", NULL));

        json_del(json_at(t, "metadata", "labels", NULL), HASH);
        if (json_equal(t, json_at(d, "spec", "template", NULL)))
            return s;
    }
    return NULL;
}

static void
set_number(struct json *obj, const char *key, int64_t n)
{
    char text[24];

    snprintf(text, sizeof(text), "%lld", (long long)n);
    kobj_set_annotation(obj, key, text);
}

/* How many pods there may be at once: with a surge of a quarter. */
static int64_t
most_pods(const struct json *d, int64_t want)
{
    const struct json *surge =
        json_at(d, "spec", "strategy", "rollingUpdate", "maxSurge", NULL);
    int64_t n = 0;

    if (!surge)
        return want;
    if (json_int64(surge, &n))
        return want + n;
    str_to_i64(str_sub(str_of(json_string_or(surge, "0")), 0,
                       strspn(json_string_or(surge, "0"), "0123456789")),
               &n);
    return want + (want * n + 99) / 100;
}

static void
make_set(struct control *c, const struct json *d, int64_t revision)
{
    const struct json *template = json_at(d, "spec", "template", NULL);
    char hash[WORKLOAD_HASH_LEN];
    struct json *s, *spec;

    workload_hash(template, hash);
    AUTO(mem_free_ptr) char *name = mem_printf("%s-%s", kobj_name(d), hash);

    s = kobj_new("apps/v1", "ReplicaSet", kobj_namespace(d), name);
    json_append(json_need_array(json_get(s, "metadata"), "ownerReferences"),
                kobj_owner_reference(d));
    if (json_at(template, "metadata", "labels", NULL))
        json_set(json_get(s, "metadata"), "labels",
                 json_copy(json_at(template, "metadata", "labels", NULL)));
    kobj_set_label(s, HASH, hash);
    set_number(s, REVISION, revision);
    set_number(s, DESIRED, replicas_of(d));
    set_number(s, MAX_PODS, most_pods(d, replicas_of(d)));
    spec = json_need_object(s, "spec");
    json_set_int(spec, "replicas", replicas_of(d));
    json_set(spec, "selector", json_copy(json_at(d, "spec", "selector", NULL)));
    json_set_string(json_need_object(json_get(spec, "selector"), "matchLabels"),
                    HASH, hash);
    json_set(spec, "template", json_copy(template));
    kobj_set_label(json_get(spec, "template"), HASH, hash);
    if (workload_create(c, "apps", "replicasets", s))
        control_event(c, d, ME, false, "ScalingReplicaSet",
                      "Scaled up replica set %s from 0 to %lld", name,
                      (long long)replicas_of(d));
}

static void
scale_set(struct control *c, const struct json *d, struct json *set,
          int64_t want, int64_t revision)
{
    int64_t had = replicas_of(set);
    AUTO(json_free_ptr) struct json *copy = json_copy(set);
    AUTO(status_release) struct status st = {0};

    json_set_int(json_get(copy, "spec"), "replicas", want);
    set_number(copy, DESIRED, replicas_of(d));
    set_number(copy, MAX_PODS, most_pods(d, replicas_of(d)));
    if (revision)
        set_number(copy, REVISION, revision);
    if (json_equal(copy, set))
        return;
    control_update(c, control_kind(c, "apps", "replicasets"), WORKLOAD_MANAGER,
                   &copy, &st);
    if (had != want)
        control_event(c, d, ME, false, "ScalingReplicaSet",
                      "Scaled %s replica set %s from %lld to %lld",
                      had < want ? "up" : "down", kobj_name(set),
                      (long long)had, (long long)want);
}

/* Old sets without pods, beyond the limit. */
static void
drop_history(struct control *c, const struct json *d, const struct json *sets,
             const struct json *current, int64_t newest)
{
    int64_t limit =
        json_int64_or(json_at(d, "spec", "revisionHistoryLimit", NULL), 10);
    int64_t n = (int64_t)json_len(sets) - 1;

    for (int64_t rev = 0; rev < newest && n > limit; rev++) {
        for (const struct json *s = json_first(sets); s; s = json_next(s)) {
            if (s == current || revision_of(s) != rev || n <= limit)
                continue;
            workload_delete(c, "apps", "replicasets", s);
            n--;
        }
    }
}

/* Brings the sets to what the template asks for; all at once. */
static void
bring_sets(struct control *c, struct json **d, const struct json *sets)
{
    struct json *current = current_set(sets, *d);
    bool paused = json_bool(json_at(*d, "spec", "paused", NULL), false);
    int64_t newest = 0, revision;

    for (const struct json *s = json_first(sets); s; s = json_next(s))
        newest = MAX(newest, revision_of(s));
    revision = current && revision_of(current) == newest ? newest : newest + 1;
    if (!current && !paused)
        make_set(c, *d, revision);
    for (struct json *s = json_first(sets); s && !paused; s = json_next(s)) {
        if (s == current)
            scale_set(c, *d, s, replicas_of(*d), revision);
        else
            scale_set(c, *d, s, 0, 0);
    }
    if (current && paused)
        scale_set(c, *d, current, replicas_of(*d), 0);
    drop_history(c, *d, sets, current, newest);
    if (revision_of(*d) != revision && !paused) {
        AUTO(status_release) struct status st = {0};

        set_number(*d, REVISION, revision);
        control_update(c, control_kind(c, "apps", "deployments"),
                       WORKLOAD_MANAGER, d, &st);
    }
}

static int64_t
count(const struct json *sets, const struct json *only, const char *what)
{
    int64_t n = 0;

    for (const struct json *s = json_first(sets); s; s = json_next(s)) {
        if (!only || s == only)
            n += json_int64_or(json_at(s, "status", what, NULL), 0);
    }
    return n;
}

static void
say(struct control *c, struct json *d, const struct json *current, bool done,
    bool available)
{
    const char *name = kobj_name(current);
    AUTO(mem_free_ptr)
    char *text = done ? mem_printf("ReplicaSet \"%s\" has successfully "
                                   "progressed.",
                                   name)
                      : mem_printf("ReplicaSet \"%s\" is progressing.", name);

    workload_condition(
        c, d, "Available", available ? "True" : "False",
        available ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
        available ? "Deployment has minimum availability."
                  : "Deployment does not have minimum availability.",
        true);
    if (json_bool(json_at(d, "spec", "paused", NULL), false))
        workload_condition(c, d, "Progressing", "Unknown", "DeploymentPaused",
                           "Deployment is paused", true);
    else if (current)
        workload_condition(
            c, d, "Progressing", "True",
            done ? "NewReplicaSetAvailable" : "ReplicaSetUpdated", text, true);
}

void
workload_deployment(struct control *c, const struct kind *k, struct json **d)
{
    AUTO(json_free_ptr) struct json *sets = NULL, *before = NULL;
    struct json *status, *current;
    int64_t want, ready, all, updated;

    sets = workload_children(c, "apps", "replicasets", *d);
    bring_sets(c, d, sets);
    json_free(sets);
    sets = workload_children(c, "apps", "replicasets", *d);
    current = current_set(sets, *d);
    status = json_need_object(*d, "status");
    before = json_copy(status);
    want = replicas_of(*d);
    ready = count(sets, NULL, "availableReplicas");
    all = count(sets, NULL, "replicas");
    updated = current ? count(sets, current, "replicas") : 0;
    json_set_int(status, "observedGeneration", kobj_generation(*d));
    json_set_int(status, "replicas", all);
    json_set_int(status, "updatedReplicas", updated);
    json_set_int(status, "readyReplicas", ready);
    json_set_int(status, "availableReplicas", ready);
    json_set_int(status, "unavailableReplicas", MAX(0, want - ready));
    say(c, *d, current, updated >= want && ready >= want && all == updated,
        ready >= want - want / 4);
    workload_put_status(c, k, d, before);
}
