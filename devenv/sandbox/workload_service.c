/* A Service's Endpoints and EndpointSlice: its pods that are ready. */
#include "lib/base/mem.h"

#include "lib/compose/conditions.h"

#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/workload_looks.h"

static bool
selects(const struct json *selector, const struct json *pod)
{
    if (!json_first(selector))
        return false;
    for (const struct json *s = json_first(selector); s; s = json_next(s)) {
        const char *has = kobj_label(pod, json_key(s));

        if (!has || strcmp(has, json_string_or(s, "")) != 0)
            return false;
    }
    return true;
}

void
workload_pod_changed(struct control *c, const struct json *pod)
{
    AUTO(status_release) struct status st = {0};
    AUTO(json_free_ptr)
    struct json *all =
        registry_list_json(c->registry, control_kind(c, "", "services"),
                           kobj_namespace(pod), NULL, &st);

    for (const struct json *s = json_first(all); s; s = json_next(s)) {
        if (selects(json_at(s, "spec", "selector", NULL), pod))
            control_add(c, JOB_WORKLOAD, "", "services", kobj_namespace(s),
                        kobj_name(s));
    }
}

/* The port of a pod that a Service's port leads to; 0: none. */
static int64_t
target_port(const struct json *port, const struct json *pod)
{
    const struct json *to = json_get(port, "targetPort");
    int64_t n = 0;

    if (!json_string(to))
        return json_int64(to, &n) && n
                   ? n
                   : json_int64_or(json_get(port, "port"), 0);
    for (const struct json *c =
             json_first(json_at(pod, "spec", "containers", NULL));
         c; c = json_next(c)) {
        for (const struct json *p = json_first(json_get(c, "ports")); p;
             p = json_next(p)) {
            if (!strcmp(json_get_text(p, "name"), json_string(to)))
                return json_int64_or(json_get(p, "containerPort"), 0);
        }
    }
    return 0;
}

static void
add_address(struct json *list, const struct json *pod)
{
    struct json *a = json_append(list, json_new_object()), *ref;

    json_set_string(a, "ip", json_at_text(pod, "status", "podIP"));
    ref = json_need_object(a, "targetRef");
    json_set_string(ref, "kind", "Pod");
    json_set_string(ref, "namespace", kobj_namespace(pod));
    json_set_string(ref, "name", kobj_name(pod));
    json_set_string(ref, "uid", kobj_uid(pod));
}

static void
add_ports(struct json *list, const struct json *svc, const struct json *pod)
{
    for (const struct json *p = json_first(json_at(svc, "spec", "ports", NULL));
         p; p = json_next(p)) {
        struct json *e = json_append(list, json_new_object());

        if (*json_get_text(p, "name"))
            json_set_string(e, "name", json_get_text(p, "name"));
        json_set_int(e, "port", target_port(p, pod));
        json_set_string(e, "protocol", json_get_text(p, "protocol"));
    }
}

/* Creates obj, or brings the one of its name to it. Takes obj. */
static void
put(struct control *c, const char *group, const char *plural, struct json *obj)
{
    const struct kind *k = control_kind(c, group, plural);
    AUTO(json_free_ptr)
    struct json *old =
        registry_get(c->registry, k, kobj_namespace(obj), kobj_name(obj));
    static const char *const parts[] = {"subsets", "endpoints", "ports"};
    AUTO(status_release) struct status st = {0};
    AUTO(json_free_ptr) struct json *was = json_copy(old);

    if (!old) {
        workload_create(c, group, plural, obj);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        const struct json *v = json_get(obj, parts[i]);

        if (v)
            json_set(old, parts[i], json_copy(v));
        else
            json_del(old, parts[i]);
    }
    if (!json_equal(was, old))
        control_update(c, k, WORKLOAD_MANAGER, &old, &st);
    json_free(obj);
}

static struct json *
new_below(const struct json *svc, const char *api_version, const char *kind,
          const char *name)
{
    struct json *o = kobj_new(api_version, kind, kobj_namespace(svc), name);
    const struct json *labels = json_at(svc, "metadata", "labels", NULL);

    if (labels)
        json_set(json_get(o, "metadata"), "labels", json_copy(labels));
    return o;
}

static void
put_slice(struct control *c, const struct json *svc, const struct json *subset)
{
    AUTO(mem_free_ptr) char *name = mem_printf("%s-sandbox", kobj_name(svc));
    struct json *s =
        new_below(svc, "discovery.k8s.io/v1", "EndpointSlice", name);
    struct json *list;

    kobj_set_label(s, "kubernetes.io/service-name", kobj_name(svc));
    kobj_set_label(s, "endpointslice.kubernetes.io/managed-by",
                   "endpointslice-controller.k8s.io");
    json_append(json_need_array(json_get(s, "metadata"), "ownerReferences"),
                kobj_owner_reference(svc));
    json_set_string(s, "addressType", "IPv4");
    list = json_set(s, "endpoints", json_new_array());
    if (json_get(subset, "ports"))
        json_set(s, "ports", json_copy(json_get(subset, "ports")));
    for (const struct json *a = json_first(json_get(subset, "addresses")); a;
         a = json_next(a)) {
        struct json *e = json_append(list, json_new_object());

        json_append(json_need_array(e, "addresses"),
                    json_copy(json_get(a, "ip")));
        json_set_bool(json_need_object(e, "conditions"), "ready", true);
        json_set(e, "targetRef", json_copy(json_get(a, "targetRef")));
    }
    put(c, "discovery.k8s.io", "endpointslices", s);
}

void
workload_service(struct control *c, const struct kind *k, struct json **svc)
{
    const struct json *selector = json_at(*svc, "spec", "selector", NULL);
    AUTO(json_free_ptr) struct json *pods = NULL, *subset = json_new_object();
    AUTO(status_release) struct status st = {0};
    struct json *list, *ends;

    (void)k;
    if (!json_first(selector))
        return;
    pods = registry_list_json(c->registry, control_kind(c, "", "pods"),
                              kobj_namespace(*svc), NULL, &st);
    list = json_need_array(subset, "addresses");
    for (const struct json *p = json_first(pods); p; p = json_next(p)) {
        if (!selects(selector, p) || !condition_true(p, "Ready"))
            continue;
        if (!json_first(list))
            add_ports(json_need_array(subset, "ports"), *svc, p);
        add_address(list, p);
    }
    ends = new_below(*svc, "v1", "Endpoints", kobj_name(*svc));
    kobj_set_label(ends, "endpoints.kubernetes.io/managed-by",
                   "endpoint-controller");
    if (json_first(list))
        json_append(json_need_array(ends, "subsets"), json_copy(subset));
    put(c, "", "endpoints", ends);
    put_slice(c, *svc, subset);
}
