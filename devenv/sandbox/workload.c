/* Pods and nodes as if a cluster ran them; what the other looks share. */
#include "devenv/sandbox/workload.h"

#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/digest.h"
#include "lib/base/mem.h"
#include "lib/base/random.h"

#include "lib/compose/conditions.h"

#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/workload_looks.h"

#define KUBELET "kubelet"

bool
workload_unreachable(const char *image)
{
    struct str host, path, name, port;

    if (!str_cut(str_of(image), '/', &host, &path))
        return false;
    str_cut(host, ':', &name, &port);
    return str_ends(name, STR(".invalid"));
}

char *
workload_no_such_host(const char *image)
{
    struct str host, path, name, port;

    str_cut(str_of(image), '/', &host, &path);
    str_cut(host, ':', &name, &port);
    return mem_printf("dial tcp: lookup %.*s: no such host", STR_ARG(name));
}

/* ---- what the looks share ---- */

void
workload_condition(struct control *c, struct json *obj, const char *type,
                   const char *status, const char *reason, const char *message,
                   bool update)
{
    static const char *const stamps[] = {"lastTransitionTime", "lastUpdateTime",
                                         "lastProbeTime"};
    struct json *list =
        json_need_array(json_need_object(obj, "status"), "conditions");
    struct json *now = condition_get(obj, type);
    bool turned = !now || strcmp(json_get_text(now, "status"), status) != 0;
    char text[CLOCK_RFC3339_LEN];

    if (now && !turned && !strcmp(json_get_text(now, "reason"), reason) &&
        !strcmp(json_get_text(now, "message"), message ? message : ""))
        return;
    clock_format(control_now_s(c), text);
    if (!now)
        now = json_append(list, json_new_object());
    json_set_string(now, "type", type);
    json_set_string(now, "status", status);
    if (*reason)
        json_set_string(now, "reason", reason);
    else
        json_del(now, "reason");
    if (message)
        json_set_string(now, "message", message);
    else
        json_del(now, "message");
    if (turned)
        json_set_string(now, stamps[0], text);
    /* Jobs have a time of probing, Deployments one of updating. */
    if (update)
        json_set_string(now, stamps[1], text);
    else if (!strcmp(kobj_kind(obj), "Job"))
        json_set_string(now, stamps[2], text);
}

void
workload_put_status(struct control *c, const struct kind *k, struct json **obj,
                    const struct json *before)
{
    if (!json_equal(before, json_get(*obj, "status")))
        control_update_status(c, k, WORKLOAD_MANAGER, obj);
}

struct json *
workload_children(struct control *c, const char *group, const char *plural,
                  const struct json *owner)
{
    AUTO(status_release) struct status st = {0};
    AUTO(json_free_ptr)
    struct json *all =
        registry_list_json(c->registry, control_kind(c, group, plural),
                           kobj_namespace(owner), NULL, &st);
    struct json *mine = json_new_array();

    for (const struct json *p = json_first(all); p; p = json_next(p)) {
        if (kobj_is_controlled_by(p, kobj_uid(owner)) && !kobj_is_deleted(p))
            json_append(mine, json_copy(p));
    }
    return mine;
}

bool
workload_create(struct control *c, const char *group, const char *plural,
                struct json *obj)
{
    const struct registry_write w = {.manager = WORKLOAD_MANAGER};
    AUTO(status_release) struct status st = {0};
    AUTO(mem_free_ptr) char *ns = mem_strdup(kobj_namespace(obj));
    struct json *made = registry_create(
        c->registry, control_kind(c, group, plural), &w, ns, obj, &st);

    json_free(made);
    return made != NULL;
}

void
workload_delete(struct control *c, const char *group, const char *plural,
                const struct json *obj)
{
    AUTO(status_release) struct status st = {0};

    registry_delete(c->registry, control_kind(c, group, plural),
                    kobj_namespace(obj), kobj_name(obj), NULL, NULL, &st);
}

#define LETTERS "bcdfghjklmnpqrstvwxz2456789"

void
workload_hash(const struct json *template, char out[WORKLOAD_HASH_LEN])
{
    AUTO(mem_free_ptr)
    char *text = json_text(template, JSON_COMPACT | JSON_SORTED);

    snprintf(out, WORKLOAD_HASH_LEN, "%u", digest_fnv32(str_of(text)));
    for (char *p = out; *p; p++)
        *p = LETTERS[(unsigned char)*p % (sizeof(LETTERS) - 1)];
}

char *
workload_random_name(const char *stem)
{
    char tail[6];

    random_name(tail, 5);
    return mem_printf("%.57s-%s", stem, tail);
}

bool
workload_make_pod(struct control *c, const struct json *owner, const char *name,
                  const struct json *labels)
{
    static const char *const same[] = {"labels", "annotations"};
    const struct json *template = json_at(owner, "spec", "template", NULL);
    struct json *pod = kobj_new("v1", "Pod", kobj_namespace(owner), name);
    struct json *meta = json_get(pod, "metadata");

    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        const struct json *v = json_at(template, "metadata", same[i], NULL);

        if (v)
            json_set(meta, same[i], json_copy(v));
    }
    for (const struct json *l = json_first(labels); l; l = json_next(l))
        kobj_set_label(pod, json_key(l), json_string_or(l, ""));
    json_append(json_need_array(meta, "ownerReferences"),
                kobj_owner_reference(owner));
    json_set(pod, "spec", json_copy(json_get(template, "spec")));
    return workload_create(c, "", "pods", pod);
}

static void
set_condition(struct control *c, struct json *obj, const char *type, bool ok,
              const char *reason)
{
    workload_condition(c, obj, type, ok ? "True" : "False", reason, NULL,
                       false);
}

/* ---- a node ---- */

static void
look_at_node(struct control *c, const struct kind *k, struct json **node)
{
    AUTO(json_free_ptr) struct json *before = NULL;
    struct json *info;

    before = json_copy(json_get(*node, "status"));
    set_condition(c, *node, "Ready", true, "KubeletReady");
    info = json_need_object(json_need_object(*node, "status"), "nodeInfo");
    if (!*json_string_or(json_get(info, "kubeletVersion"), ""))
        json_set_string(info, "kubeletVersion", "v1.34.0");
    if (!json_equal(before, json_get(*node, "status")))
        control_update_status(c, k, KUBELET, node);
}

/* ---- a pod ---- */

static struct json *
image_trouble(const char *image, struct json *waiting)
{
    AUTO(mem_free_ptr) char *host = workload_no_such_host(image);
    AUTO(mem_free_ptr)
    char *text = mem_printf("Back-off pulling image \"%s\": ErrImagePull: "
                            "failed to pull and unpack image \"%s\": failed to "
                            "resolve reference \"%s\": failed to do request: "
                            "%s",
                            image, image, image, host);

    json_set_string(waiting, "reason", "ImagePullBackOff");
    json_set_string(waiting, "message", text);
    return waiting;
}

/* The status of one container; false: its image cannot be pulled. */
static bool
container_status(const struct json *spec, bool ends, const char *now,
                 struct json *list)
{
    struct json *s = json_append(list, json_new_object());
    const char *image = json_string_or(json_get(spec, "image"), "");
    struct json *state;
    char hex[DIGEST_HEX_MAX];
    bool ok = !workload_unreachable(image);

    digest_hex(DIGEST_SHA256, str_of(image), hex);
    AUTO(mem_free_ptr) char *id = mem_printf("%s@sha256:%s", image, hex);

    json_set_string(s, "name", json_string_or(json_get(spec, "name"), ""));
    json_set_string(s, "image", image);
    json_set_string(s, "imageID", ok ? id : "");
    json_set_bool(s, "ready", ok && !ends);
    json_set_bool(s, "started", ok && !ends);
    json_set_int(s, "restartCount", 0);
    state = json_need_object(s, "state");
    if (!ok) {
        image_trouble(image, json_need_object(state, "waiting"));
    } else if (ends) {
        state = json_need_object(state, "terminated");
        json_set_string(state, "reason", "Completed");
        json_set_int(state, "exitCode", 0);
        json_set_string(state, "startedAt", now);
        json_set_string(state, "finishedAt", now);
    } else {
        json_set_string(json_need_object(state, "running"), "startedAt", now);
    }
    return ok;
}

static bool
container_statuses(const struct json *pod, bool init, bool ends,
                   const char *now)
{
    const struct json *specs =
        json_at(pod, "spec", init ? "initContainers" : "containers", NULL);
    struct json *list;
    bool ok = true;

    if (init && !json_first(specs))
        return true;
    list = json_set(json_get(pod, "status"),
                    init ? "initContainerStatuses" : "containerStatuses",
                    json_new_array());
    for (const struct json *s = json_first(specs); s; s = json_next(s))
        ok &= container_status(s, ends, now, list);
    return ok;
}

static void
give_address(struct json *status, const struct json *pod)
{
    uint32_t hash = digest_fnv32(str_of(kobj_uid(pod)));
    AUTO(mem_free_ptr)
    char *ip = mem_printf("10.244.%u.%u", hash >> 8 & 255, hash & 255);
    struct json *list = json_set(status, "podIPs", json_new_array());

    json_set_string(status, "podIP", ip);
    json_set_string(json_append(list, json_new_object()), "ip", ip);
}

/* A pod of a Job, or one that may not start again, is done at once. */
static bool
ends_by_itself(const struct json *pod)
{
    const struct json *owner = kobj_controller(pod);

    return owner && !strcmp(json_get_text(owner, "kind"), "Job");
}

static void
run_pod(struct control *c, const struct kind *k, struct json **pod)
{
    static const char *const types[] = {"PodReadyToStartContainers",
                                        "Initialized", "Ready",
                                        "ContainersReady", "PodScheduled"};
    struct json *status = json_get(*pod, "status");
    bool ends = ends_by_itself(*pod), ok;
    char now[CLOCK_RFC3339_LEN];

    clock_format(control_now_s(c), now);
    ok = container_statuses(*pod, true, true, now);
    ok &= container_statuses(*pod, false, ends, now);
    json_set_string(status, "startTime", now);
    json_set_string(status, "phase",
                    !ok    ? "Pending"
                    : ends ? "Succeeded"
                           : "Running");
    if (ok)
        give_address(status, *pod);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        bool ready = strstr(types[i], "Ready") && i > 0;
        bool good = i == 4 || (ok && !(ready && ends));

        set_condition(c, *pod, types[i], good,
                      good   ? ""
                      : ends ? "PodCompleted"
                             : "ContainersNotReady");
    }
    control_update_status(c, k, KUBELET, pod);
}

/* What made the object hears of it. */
static void
tell_owner(struct control *c, const struct json *obj)
{
    static const struct {
        const char *kind, *group, *plural;
    } owners[] = {{"ReplicaSet", "apps", "replicasets"},
                  {"ReplicationController", "", "replicationcontrollers"},
                  {"StatefulSet", "apps", "statefulsets"},
                  {"Deployment", "apps", "deployments"},
                  {"Job", "batch", "jobs"}};
    const struct json *o = kobj_controller(obj);

    for (size_t i = 0; o && i < ARRAY_LEN(owners); i++) {
        if (!strcmp(owners[i].kind, json_get_text(o, "kind")))
            control_add(c, JOB_WORKLOAD, owners[i].group, owners[i].plural,
                        kobj_namespace(obj), json_get_text(o, "name"));
    }
}

static void
look_at_pod(struct control *c, const struct kind *k, struct json **pod)
{
    struct json *status = json_need_object(*pod, "status");

    if (!json_get(status, "startTime"))
        run_pod(c, k, pod);
    tell_owner(c, *pod);
    workload_pod_changed(c, *pod);
}

void
workload_gone(struct control *c, const struct registry_event *e)
{
    static const char *const heard[] = {"pods", "replicasets", "services",
                                        "persistentvolumeclaims"};
    AUTO(json_free_ptr) struct json *obj = NULL;
    AUTO(status_release) struct status st = {0};
    size_t i = 0;

    while (i < ARRAY_LEN(heard) && strcmp(heard[i], e->kind->plural) != 0)
        i++;
    if (i == ARRAY_LEN(heard) || !e->kind->builtin)
        return;
    obj = json_parse(e->text, NULL, NULL);
    tell_owner(c, obj);
    if (i == 0)
        workload_pod_changed(c, obj);
    else if (i == 2)
        registry_delete(c->registry, control_kind(c, "", "endpoints"), e->ns,
                        e->name, NULL, NULL, &st);
    else if (i == 3)
        control_add(c, JOB_WORKLOAD, "", "persistentvolumes", "",
                    json_at_text(obj, "spec", "volumeName"));
}

static void
look_at_daemon_set(struct control *c, const struct kind *k, struct json **d)
{
    static const char *const counts[] = {
        "desiredNumberScheduled", "currentNumberScheduled", "numberReady",
        "numberAvailable", "updatedNumberScheduled"};
    struct json *status = json_need_object(*d, "status");
    AUTO(json_free_ptr) struct json *before = json_copy(status);

    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        json_set_int(status, counts[i], 1);
    json_set_int(status, "observedGeneration", kobj_generation(*d));
    workload_put_status(c, k, d, before);
}

static const struct {
    const char *plural;
    workload_look *look;
    bool going; /* also while it is deleted */
} looks[] = {
    {"nodes", look_at_node, false},
    {"pods", look_at_pod, false},
    {"deployments", workload_deployment, false},
    {"replicasets", workload_replicas, false},
    {"replicationcontrollers", workload_replicas, false},
    {"statefulsets", workload_stateful_set, false},
    {"daemonsets", look_at_daemon_set, false},
    {"jobs", workload_job, false},
    {"services", workload_service, false},
    {"persistentvolumeclaims", workload_claim, true},
    {"persistentvolumes", workload_volume, true},
    {"resourcequotas", workload_quota, false},
};

bool
control_workload(struct control *c, const struct job *j)
{
    const struct kind *k = control_kind(c, j->group, j->plural);
    AUTO(json_free_ptr)
    struct json *obj = registry_get(c->registry, k, j->ns, j->name);

    for (size_t i = 0; obj && i < ARRAY_LEN(looks); i++) {
        if (strcmp(looks[i].plural, j->plural) == 0 &&
            (looks[i].going || !kobj_is_deleted(obj)))
            looks[i].look(c, k, &obj);
    }
    return true;
}
