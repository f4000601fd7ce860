/* Deployments, pods and nodes as if a cluster ran them. */
#include "devenv/sandbox/workload.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/digest.h"
#include "lib/base/mem.h"

#include "lib/compose/conditions.h"

#include "devenv/sandbox/control.h"
#include "devenv/sandbox/kobj.h"

#define KUBELET  "kubelet"
#define MANAGER  "kube-controller-manager"
#define REPLICAS 1000 /* pods of one Deployment, at most */

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

/* ---- small helpers ---- */

static void
set_condition(struct json *obj, const char *type, bool ok, const char *reason,
              int64_t now_s)
{
    struct condition c = {type, ok ? "True" : "False", reason, NULL, 0};

    condition_set(obj, &c, now_s);
}

static void
put_status(struct control *c, const struct kind *k, const char *manager,
           struct json **obj, const struct json *before)
{
    if (!json_equal(before, json_get(*obj, "status")))
        control_update_status(c, k, manager, obj);
}

static struct json *
pods_of(struct control *c, const struct json *owner)
{
    AUTO(status_release) struct status st = {0};
    AUTO(json_free_ptr)
    struct json *all =
        registry_list_json(c->registry, control_kind(c, "", "pods"),
                           kobj_namespace(owner), NULL, &st);
    struct json *mine = json_new_array();

    for (const struct json *p = json_first(all); p; p = json_next(p)) {
        if (kobj_is_controlled_by(p, kobj_uid(owner)))
            json_append(mine, json_copy(p));
    }
    return mine;
}

/* ---- a node ---- */

static void
look_at_node(struct control *c, const struct kind *k, struct json **node)
{
    AUTO(json_free_ptr) struct json *before = NULL;
    struct json *info;

    before = json_copy(json_get(*node, "status"));
    set_condition(*node, "Ready", true, "KubeletReady", control_now_s(c));
    info = json_need_object(json_need_object(*node, "status"), "nodeInfo");
    if (!json_get(info, "kubeletVersion"))
        json_set_string(info, "kubeletVersion", "v1.34.0");
    put_status(c, k, KUBELET, node, before);
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
container_status(const struct json *spec, bool init, const char *now,
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
    json_set_bool(s, "ready", ok);
    json_set_bool(s, "started", ok && !init);
    json_set_int(s, "restartCount", 0);
    state = json_need_object(s, "state");
    if (!ok) {
        image_trouble(image, json_need_object(state, "waiting"));
    } else if (init) {
        state = json_need_object(state, "terminated");
        json_set_string(state, "reason", "Completed");
        json_set_int(state, "exitCode", 0);
    } else {
        json_set_string(json_need_object(state, "running"), "startedAt", now);
    }
    return ok;
}

static bool
container_statuses(const struct json *pod, const char *from, const char *to,
                   const char *now)
{
    struct json *list = json_set(json_get(pod, "status"), to, json_new_array());
    bool ok = true;

    for (const struct json *s = json_first(json_at(pod, "spec", from, NULL)); s;
         s = json_next(s))
        ok &= container_status(s, from[0] == 'i', now, list);
    return ok;
}

static void
look_at_pod(struct control *c, const struct kind *k, struct json **pod)
{
    static const char *const types[] = {"PodScheduled", "Initialized",
                                        "ContainersReady", "Ready"};
    struct json *status = json_need_object(*pod, "status");
    struct json *owner;
    char now[CLOCK_RFC3339_LEN];
    bool ok;

    if (!json_get(status, "startTime")) {
        clock_format(control_now_s(c), now);
        ok = container_statuses(*pod, "initContainers", "initContainerStatuses",
                                now);
        ok &= container_statuses(*pod, "containers", "containerStatuses", now);
        json_set_string(status, "startTime", now);
        json_set_string(status, "phase", ok ? "Running" : "Pending");
        for (size_t i = 0; i < ARRAY_LEN(types); i++)
            set_condition(*pod, types[i], ok || i == 0,
                          ok || i == 0 ? "" : "ContainersNotReady",
                          control_now_s(c));
        control_update_status(c, k, KUBELET, pod);
    }
    owner = kobj_controller(*pod);
    if (owner && strcmp(kobj_kind(owner), "Deployment") == 0)
        control_add(c, JOB_WORKLOAD, "apps", "deployments",
                    kobj_namespace(*pod),
                    json_string_or(json_get(owner, "name"), ""));
}

/* ---- a Deployment ---- */

static bool
make_pod(struct control *c, const struct json *owner, const char *name)
{
    const struct json *template = json_at(owner, "spec", "template", NULL);
    struct json *pod = kobj_new("v1", "Pod", kobj_namespace(owner), name);
    struct json *meta = json_get(pod, "metadata"), *made;
    const struct registry_write w = {.manager = MANAGER};
    AUTO(status_release) struct status st = {0};
    static const char *const same[] = {"labels", "annotations"};

    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        const struct json *v = json_at(template, "metadata", same[i], NULL);

        if (v)
            json_set(meta, same[i], json_copy(v));
    }
    json_append(json_need_array(meta, "ownerReferences"),
                kobj_owner_reference(owner));
    json_set(pod, "spec", json_copy(json_get(template, "spec")));
    made = registry_create(c->registry, control_kind(c, "", "pods"), &w,
                           kobj_namespace(owner), pod, &st);
    json_free(made);
    return made != NULL;
}

/* NAME-TEMPLATEHASH-NTH: a changed template asks for other pods. */
static char *
pod_name(const struct json *owner, size_t nth)
{
    AUTO(mem_free_ptr)
    char *text = json_text(json_at(owner, "spec", "template", NULL),
                           JSON_COMPACT | JSON_SORTED);
    uint32_t hash = digest_fnv32(str_of(text));

    return mem_printf("%.40s-%08x-%05x", kobj_name(owner), hash,
                      digest_fnv32(str_of(kobj_uid(owner))) % 0xfffff +
                          (uint32_t)nth);
}

static const struct json *
named(const struct json *list, const char *name)
{
    for (const struct json *o = json_first(list); o; o = json_next(o)) {
        if (strcmp(kobj_name(o), name) == 0)
            return o;
    }
    return NULL;
}

/* Makes the pods that are missing, removes the others; counts what is ready. */
static int64_t
bring_pods(struct control *c, const struct json *owner, int64_t want)
{
    AUTO(json_free_ptr) struct json *have = pods_of(c, owner);
    AUTO(strlist_release) struct strlist names = {0};
    int64_t ready = 0;

    for (int64_t i = 0; i < want; i++) {
        AUTO(mem_free_ptr) char *name = pod_name(owner, (size_t)i);
        const struct json *pod = named(have, name);

        strlist_add(&names, str_of(name));
        if (pod)
            ready += condition_true(pod, "Ready");
        else
            make_pod(c, owner, name);
    }
    for (const struct json *p = json_first(have); p; p = json_next(p)) {
        AUTO(status_release) struct status st = {0};

        if (!strlist_has(&names, str_of(kobj_name(p))))
            registry_delete(c->registry, control_kind(c, "", "pods"),
                            kobj_namespace(p), kobj_name(p), NULL, NULL, &st);
    }
    return ready;
}

static void
look_at_deployment(struct control *c, const struct kind *k, struct json **d)
{
    int64_t want = json_int64_or(json_at(*d, "spec", "replicas", NULL), 1);
    int64_t n = MAX(0, MIN(want, REPLICAS)), ready = bring_pods(c, *d, n);
    struct json *status = json_need_object(*d, "status");
    AUTO(json_free_ptr) struct json *before = json_copy(status);
    bool ok = ready >= n;

    json_set_int(status, "observedGeneration", kobj_generation(*d));
    json_set_int(status, "replicas", n);
    json_set_int(status, "updatedReplicas", n);
    json_set_int(status, "readyReplicas", ready);
    json_set_int(status, "availableReplicas", ready);
    json_set_int(status, "unavailableReplicas", n - ready);
    set_condition(*d, "Available", ok,
                  ok ? "MinimumReplicasAvailable"
                     : "MinimumReplicasUnavailable",
                  control_now_s(c));
    set_condition(*d, "Progressing", true,
                  ok ? "NewReplicaSetAvailable" : "ReplicaSetUpdated",
                  control_now_s(c));
    put_status(c, k, MANAGER, d, before);
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
    put_status(c, k, MANAGER, d, before);
}

static const struct {
    const char *plural;
    void (*look)(struct control *c, const struct kind *k, struct json **obj);
} looks[] = {
    {"nodes", look_at_node},
    {"pods", look_at_pod},
    {"deployments", look_at_deployment},
    {"daemonsets", look_at_daemon_set},
};

bool
control_workload(struct control *c, const struct job *j)
{
    const struct kind *k = control_kind(c, j->group, j->plural);
    AUTO(json_free_ptr)
    struct json *obj = registry_get(c->registry, k, j->ns, j->name);

    for (size_t i = 0; obj && i < ARRAY_LEN(looks); i++) {
        if (strcmp(looks[i].plural, j->plural) == 0 && !kobj_is_deleted(obj))
            looks[i].look(c, k, &obj);
    }
    return true;
}
