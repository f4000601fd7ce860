#include "devenv/sandbox/builtin.h"

#include "lib/base/digest.h"
#include "lib/base/mem.h"

#include "lib/schema/crd_check.h"

#include "devenv/sandbox/admission.h"
#include "devenv/sandbox/crd.h"
#include "devenv/sandbox/events.h"
#include "devenv/sandbox/kinds.h"
#include "devenv/sandbox/namespaces.h"
#include "devenv/sandbox/types_json.h"

#define ROLES     "rbac.authorization.k8s.io"
#define WEBHOOKS  "admissionregistration.k8s.io"
#define TEMPLATE  ".spec.template.spec"
#define NODE_PORT 30000

/* ---- services ---- */

static void
give_node_ports(struct json *spec, const struct json *old, uint32_t hash)
{
    size_t i = 0;

    for (struct json *p = json_first(json_get(spec, "ports")); p;
         p = json_next(p), i++) {
        const struct json *was =
            json_get(json_item(json_get(old, "ports"), i), "nodePort");

        if (json_get(p, "nodePort"))
            continue;
        if (was)
            json_set(p, "nodePort", json_copy(was));
        else
            json_set_int(p, "nodePort",
                         NODE_PORT + (int64_t)((hash >> 4) + i * 7) % 2768);
    }
}

static void
give_address(struct json *spec, const struct json *old, uint32_t hash)
{
    static const char *const kept[] = {"clusterIP", "clusterIPs"};
    AUTO(mem_free_ptr)
    char *made = mem_printf("10.96.%u.%u", hash >> 8 & 255, hash & 255);
    struct json *list;

    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        const struct json *was = json_get(old, kept[i]);

        if (was && !json_get(spec, kept[i]))
            json_set(spec, kept[i], json_copy(was));
    }
    if (!*json_get_text(spec, "clusterIP"))
        json_set_string(spec, "clusterIP", made);
    if (json_first(json_get(spec, "clusterIPs")))
        return;
    list = json_set(spec, "clusterIPs", json_new_array());
    json_append(list, json_copy(json_get(spec, "clusterIP")));
}

static void
prepare_service(const struct registry_write *w, struct json *obj,
                const struct json *old, struct schema_findings *bad)
{
    struct json *spec = json_need_object(obj, "spec");
    const struct json *was = json_get(old, "spec");
    const char *type = json_get_text(spec, "type");
    uint32_t hash = digest_fnv32(str_of(json_at_text(obj, "metadata", "name")));

    (void)w;
    (void)bad;
    json_need_object(json_need_object(obj, "status"), "loadBalancer");
    if (!strcmp(type, "ExternalName"))
        return;
    give_address(spec, was, hash);
    if (!json_first(json_get(spec, "ipFamilies")))
        json_append(json_need_array(spec, "ipFamilies"),
                    json_new_string("IPv4"));
    if (!json_get(spec, "ipFamilyPolicy"))
        json_set_string(spec, "ipFamilyPolicy", "SingleStack");
    if (strcmp(type, "ClusterIP") != 0)
        give_node_ports(spec, was, hash);
}

/* ---- the rows ---- */

static const struct builtin rows[] = {
    {.group = "",
     .plural = "namespaces",
     .name = NAME_LABEL,
     .complete = builtin_complete_namespace,
     .prepare = namespaces_prepare,
     .stays = namespaces_stays},
    {.group = "", .plural = "configmaps", .check = builtin_check_config_map},
    {.group = "",
     .plural = "secrets",
     .complete = builtin_complete_secret,
     .check = builtin_check_secret},
    {.group = "",
     .plural = "services",
     .name = NAME_LABEL_1035,
     .complete = builtin_complete_service,
     .check = builtin_check_service,
     .prepare = prepare_service},
    {.group = "", .plural = "events", .check = builtin_check_event},
    {.group = "events.k8s.io",
     .plural = "events",
     .store_kind = "/events",
     .from_stored = events_from_core,
     .to_stored = events_to_core},
    {.group = "", .plural = "limitranges", .complete = builtin_complete_limits},
    {.group = "",
     .plural = "persistentvolumeclaims",
     .complete = builtin_complete_claim,
     .check = builtin_check_claim,
     .prepare = builtin_prepare_claim},
    {.group = "",
     .plural = "persistentvolumes",
     .prepare = builtin_prepare_volume},
    {.group = "",
     .plural = "pods",
     .generation = true,
     .pod = ".spec",
     .complete = builtin_complete_pod,
     .check = builtin_check_pod,
     .prepare = builtin_prepare_pod},
    {.group = "",
     .plural = "podtemplates",
     .generation = true,
     .pod = ".template.spec"},
    {.group = "",
     .plural = "replicationcontrollers",
     .generation = true,
     .pod = TEMPLATE,
     .complete = builtin_complete_controller},
    {.group = "apps",
     .plural = "deployments",
     .generation = true,
     .pod = TEMPLATE,
     .complete = builtin_complete_deployment,
     .check = builtin_check_workload},
    {.group = "apps",
     .plural = "replicasets",
     .generation = true,
     .pod = TEMPLATE,
     .check = builtin_check_workload},
    {.group = "apps",
     .plural = "statefulsets",
     .generation = true,
     .pod = TEMPLATE,
     .complete = builtin_complete_stateful_set,
     .check = builtin_check_stateful_set},
    {.group = "apps",
     .plural = "daemonsets",
     .generation = true,
     .pod = TEMPLATE,
     .complete = builtin_complete_daemon_set,
     .check = builtin_check_workload,
     .prepare = builtin_prepare_daemon_set},
    {.group = "batch",
     .plural = "jobs",
     .generation = true,
     .pod = TEMPLATE,
     .complete = builtin_complete_job,
     .check = builtin_check_job,
     .prepare = builtin_prepare_job},
    {.group = "batch",
     .plural = "cronjobs",
     .generation = true,
     .pod = ".spec.jobTemplate.spec.template.spec",
     .check = builtin_check_cron_job},
    {.group = "autoscaling",
     .plural = "horizontalpodautoscalers",
     .version = "v2",
     .complete = builtin_complete_autoscaler},
    {.group = "autoscaling",
     .plural = "horizontalpodautoscalers",
     .version = "v1",
     .from_stored = builtin_autoscaler_from_v2,
     .to_stored = builtin_autoscaler_to_v2},
    {.group = "networking.k8s.io",
     .plural = "ingresses",
     .generation = true,
     .check = builtin_check_ingress},
    {.group = "networking.k8s.io",
     .plural = "ingressclasses",
     .generation = true},
    {.group = "networking.k8s.io",
     .plural = "networkpolicies",
     .generation = true,
     .complete = builtin_complete_network_policy},
    {.group = "policy", .plural = "poddisruptionbudgets", .generation = true},
    {.group = "discovery.k8s.io",
     .plural = "endpointslices",
     .generation = true},
    {.group = "scheduling.k8s.io",
     .plural = "priorityclasses",
     .generation = true,
     .check = builtin_check_priority},
    {.group = "coordination.k8s.io",
     .plural = "leases",
     .check = builtin_check_lease},
    {.group = ROLES, .plural = "clusterroles", .name = NAME_PATH},
    {.group = ROLES,
     .plural = "clusterrolebindings",
     .name = NAME_PATH,
     .complete = builtin_complete_binding,
     .check = builtin_check_binding},
    {.group = ROLES, .plural = "roles", .name = NAME_PATH},
    {.group = ROLES,
     .plural = "rolebindings",
     .name = NAME_PATH,
     .complete = builtin_complete_binding,
     .check = builtin_check_binding},
    {.group = WEBHOOKS,
     .plural = "mutatingwebhookconfigurations",
     .generation = true},
    {.group = WEBHOOKS,
     .plural = "validatingwebhookconfigurations",
     .generation = true},
    {.group = WEBHOOKS,
     .plural = "validatingadmissionpolicies",
     .generation = true,
     .check = admission_check_policy},
    {.group = WEBHOOKS,
     .plural = "validatingadmissionpolicybindings",
     .generation = true,
     .check = admission_check_binding},
    {.group = "apiextensions.k8s.io",
     .plural = "customresourcedefinitions",
     .generation = true,
     .needs_version = true,
     .complete = crd_default,
     .prepare = crd_prepare,
     .written = crd_written,
     .stays = crd_stays},
};

static const struct builtin other;

const struct builtin *
builtin_find(const char *group, const char *version, const char *plural)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!strcmp(rows[i].group, group) && !strcmp(rows[i].plural, plural) &&
            (!rows[i].version || !strcmp(rows[i].version, version)))
            return &rows[i];
    }
    return &other;
}

const char *
builtin_store_kind(const struct builtin *b)
{
    return b->store_kind;
}

bool
builtin_serves(const struct kind_info *k, const char *verb)
{
    for (char **v = k->verbs; v && *v; v++) {
        if (!strcmp(*v, verb))
            return true;
    }
    return !k->verbs;
}

struct json *
builtin_reach(const struct json *obj, const char *path)
{
    struct str rest = str_of(path + 1), name;
    const struct json *at = obj;

    while (at && rest.n && str_next(&rest, '.', &name))
        at = json_get_str(at, name);
    return (struct json *)at;
}

/* ---- the steps of a write ---- */

bool
builtin_decode(struct kind_info *k, struct json *obj, struct strlist *unknown,
               struct status *st)
{
    const struct types_struct *s = kind_type(k);
    AUTO(buf_release) struct buf why = BUF_INIT(BUF_TEXT_MAX);

    if (!s || types_decode(k->all, s, obj, unknown, &why))
        return true;
    return status_bad_request(
        st, "%s in version \"%s\" cannot be handled as a %s: %s", k->pub.kind,
        k->pub.version, k->pub.kind, buf_cstr(&why));
}

void
builtin_complete(struct kind_info *k, struct json *obj)
{
    const struct types_struct *s = kind_type(k);
    const struct builtin *b = k->builtin;
    struct json *pod;

    if (!s)
        return;
    types_complete(s, obj);
    pod = b && b->pod ? builtin_reach(obj, b->pod) : NULL;
    if (pod)
        builtin_complete_pod_spec(pod);
    if (b && b->complete)
        b->complete(obj);
    /* What was added has defaults of its own. */
    if (pod || (b && b->complete))
        types_complete(s, obj);
}

void
builtin_prepare(struct kind_info *k, const struct registry_write *w,
                struct json *obj, const struct json *old,
                struct schema_findings *bad)
{
    const struct builtin *b = k->builtin;

    if (!b)
        return;
    if (strcmp(k->pub.kind, "CustomResourceDefinition") != 0)
        builtin_check_choices(kind_type(k), obj, "", bad);
    if (b->check)
        b->check(obj, old, bad);
    if (b->prepare)
        b->prepare(w, obj, old, bad);
}
