/* Claims get volumes of their own, quotas say what they allow. */
#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/workload_looks.h"

static const char *const counted[] = {"pods",
                                      "services",
                                      "secrets",
                                      "configmaps",
                                      "persistentvolumeclaims",
                                      "replicationcontrollers",
                                      "resourcequotas"};

static void
drop_finalizer(struct control *c, const struct kind *k, struct json **obj,
               const char *finalizer)
{
    AUTO(status_release) struct status st = {0};

    if (kobj_remove_finalizer(*obj, finalizer))
        control_update(c, k, WORKLOAD_MANAGER, obj, &st);
}

/* ---- claims ---- */

static struct json *
reference(const struct json *claim)
{
    struct json *ref = json_new_object();

    json_set_string(ref, "kind", "PersistentVolumeClaim");
    json_set_string(ref, "namespace", kobj_namespace(claim));
    json_set_string(ref, "name", kobj_name(claim));
    json_set_string(ref, "uid", kobj_uid(claim));
    json_set_string(ref, "apiVersion", "v1");
    return ref;
}

static void
make_volume(struct control *c, const struct json *claim, const char *name)
{
    static const char *const same[] = {"accessModes", "storageClassName",
                                       "volumeMode"};
    struct json *v = kobj_new("v1", "PersistentVolume", NULL, name), *spec;
    const struct json *asked =
        json_at(claim, "spec", "resources", "requests", NULL);
    AUTO(mem_free_ptr) char *path = mem_printf("/var/lib/sandbox/%s", name);

    spec = json_need_object(v, "spec");
    json_set(spec, "capacity", json_copy(asked));
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        const struct json *from = json_at(claim, "spec", same[i], NULL);

        if (from)
            json_set(spec, same[i], json_copy(from));
    }
    json_set(spec, "claimRef", reference(claim));
    json_set_string(spec, "persistentVolumeReclaimPolicy", "Delete");
    json_set_string(json_need_object(spec, "hostPath"), "path", path);
    workload_create(c, "", "persistentvolumes", v);
}

/* The volume it names, or one of its own. */
static void
bind(struct control *c, const struct kind *k, struct json **claim)
{
    const struct kind *vk = control_kind(c, "", "persistentvolumes");
    const char *named = json_at_text(*claim, "spec", "volumeName");
    AUTO(mem_free_ptr)
    char *name =
        *named ? mem_strdup(named) : mem_printf("pvc-%s", kobj_uid(*claim));
    AUTO(status_release) struct status st = {0};

    if (!registry_has(c->registry, vk, NULL, name)) {
        if (*named)
            return;
        make_volume(c, *claim, name);
    }
    if (*named)
        return;
    json_set_string(json_get(*claim, "spec"), "volumeName", name);
    kobj_set_annotation(*claim, "pv.kubernetes.io/bind-completed", "yes");
    kobj_set_annotation(*claim, "pv.kubernetes.io/bound-by-controller", "yes");
    control_update(c, k, WORKLOAD_MANAGER, claim, &st);
}

void
workload_claim(struct control *c, const struct kind *k, struct json **obj)
{
    AUTO(json_free_ptr) struct json *before = NULL;
    struct json *status;
    const struct json *spec;

    if (kobj_is_deleted(*obj)) {
        control_add(c, JOB_WORKLOAD, "", "persistentvolumes", "",
                    json_at_text(*obj, "spec", "volumeName"));
        drop_finalizer(c, k, obj, "kubernetes.io/pvc-protection");
        return;
    }
    bind(c, k, obj);
    spec = json_get(*obj, "spec");
    if (!*json_get_text(spec, "volumeName"))
        return;
    status = json_need_object(*obj, "status");
    before = json_copy(status);
    json_set_string(status, "phase", "Bound");
    json_set(status, "accessModes", json_copy(json_get(spec, "accessModes")));
    json_set(status, "capacity",
             json_copy(json_at(spec, "resources", "requests", NULL)));
    workload_put_status(c, k, obj, before);
}

void
workload_volume(struct control *c, const struct kind *k, struct json **obj)
{
    const struct json *ref = json_at(*obj, "spec", "claimRef", NULL);
    struct json *status = json_need_object(*obj, "status");
    AUTO(json_free_ptr) struct json *before = json_copy(status);
    bool bound =
        ref && registry_has(
                   c->registry, control_kind(c, "", "persistentvolumeclaims"),
                   json_get_text(ref, "namespace"), json_get_text(ref, "name"));
    const char *phase = bound ? "Bound" : ref ? "Released" : "Available";
    char now[CLOCK_RFC3339_LEN];

    if (kobj_is_deleted(*obj)) {
        if (!bound)
            drop_finalizer(c, k, obj, "kubernetes.io/pv-protection");
        return;
    }
    if (ref && !bound &&
        !strcmp(json_at_text(*obj, "spec", "persistentVolumeReclaimPolicy"),
                "Delete")) {
        workload_delete(c, "", "persistentvolumes", *obj);
        return;
    }
    if (!strcmp(json_get_text(status, "phase"), phase))
        return;
    clock_format(control_now_s(c), now);
    json_set_string(status, "phase", phase);
    json_set_string(status, "lastPhaseTransitionTime", now);
    workload_put_status(c, k, obj, before);
}

/* ---- quotas ---- */

static bool
count_object(void *arg, struct str text)
{
    (void)text;
    ++*(int64_t *)arg;
    return true;
}

/* How many there are of what can be counted; amounts are not summed up. */
static char *
used(struct control *c, const char *ns, const char *what)
{
    const char *plural = !strncmp(what, "count/", 6) ? what + 6 : what;
    AUTO(status_release) struct status st = {0};
    int64_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(counted); i++) {
        if (!strcmp(counted[i], plural))
            registry_list(c->registry, control_kind(c, "", plural), ns, NULL,
                          count_object, &n, &st);
    }
    return mem_printf("%lld", (long long)n);
}

void
workload_quota(struct control *c, const struct kind *k, struct json **obj)
{
    struct json *status = json_need_object(*obj, "status"), *sums;
    AUTO(json_free_ptr) struct json *before = json_copy(status);
    const struct json *hard = json_at(*obj, "spec", "hard", NULL);

    if (!hard)
        return;
    json_set(status, "hard", json_copy(hard));
    sums = json_set(status, "used", json_new_object());
    for (const struct json *h = json_first(hard); h; h = json_next(h)) {
        AUTO(mem_free_ptr)
        char *n = used(c, kobj_namespace(*obj), json_key(h));

        json_set_string(sums, json_key(h), n);
    }
    workload_put_status(c, k, obj, before);
}
