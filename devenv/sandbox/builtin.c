#include "devenv/sandbox/builtin.h"

#include "lib/base/clock.h"
#include "lib/base/digest.h"
#include "lib/base/mem.h"

#include "lib/schema/names.h"

#include "devenv/sandbox/crd.h"
#include "devenv/sandbox/events.h"
#include "devenv/sandbox/namespaces.h"
#include "devenv/sandbox/workload.h"

#define ROLES "rbac.authorization.k8s.io"

/* ---- config maps and secrets ---- */

static void
check_keys(const struct json *map, const char *field,
           struct schema_findings *bad)
{
    for (const struct json *c = json_first(map); c; c = json_next(c)) {
        AUTO(strlist_release) struct strlist why = {0};
        AUTO(mem_free_ptr)
        char *path = mem_printf("%s[%s]", field, json_key(c));

        if (names_config_key(str_of(json_key(c)), &why))
            continue;
        for (size_t i = 0; i < why.n; i++)
            schema_findings_add(bad, path, "FieldValueInvalid",
                                "Invalid value: \"%s\": %s", json_key(c),
                                why.v[i]);
    }
}

static void
check_immutable(const struct json *obj, const struct json *old,
                struct schema_findings *bad)
{
    static const char *const fields[] = {"data", "binaryData"};

    if (!json_bool(json_get(old, "immutable"), false))
        return;
    if (!json_bool(json_get(obj, "immutable"), false))
        schema_findings_add(bad, "immutable", "FieldValueForbidden",
                            "Forbidden: field is immutable when `immutable` "
                            "is set");
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (!json_equal(json_get(obj, fields[i]), json_get(old, fields[i])))
            schema_findings_add(bad, fields[i], "FieldValueForbidden",
                                "Forbidden: field is immutable when "
                                "`immutable` is set");
    }
}

static void
prepare_config_map(const struct registry_write *w, struct json *obj,
                   const struct json *old, struct schema_findings *bad)
{
    (void)w;
    check_keys(json_get(obj, "data"), "data", bad);
    check_keys(json_get(obj, "binaryData"), "binaryData", bad);
    check_immutable(obj, old, bad);
}

static void
prepare_secret(const struct registry_write *w, struct json *obj,
               const struct json *old, struct schema_findings *bad)
{
    struct json *plain = json_get(obj, "stringData");

    (void)w;
    for (const struct json *c = json_first(plain); c; c = json_next(c)) {
        AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

        digest_base64(str_of(json_string(c)), false, &b);
        json_set(json_need_object(obj, "data"), json_key(c),
                 json_new_str(buf_view(&b)));
    }
    json_del(obj, "stringData");
    if (!json_get(obj, "type"))
        json_set_string(obj, "type", "Opaque");
    for (const struct json *c = json_first(json_get(obj, "data")); c;
         c = json_next(c)) {
        AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

        if (json_string(c) &&
            !digest_unbase64(str_of(json_string(c)), false, &b)) {
            AUTO(mem_free_ptr) char *path = mem_printf("data[%s]", json_key(c));

            schema_findings_add(bad, path, "FieldValueInvalid",
                                "Invalid value: \"<secret>\": illegal base64 "
                                "data");
        }
    }
    check_keys(json_get(obj, "data"), "data", bad);
    check_immutable(obj, old, bad);
    if (old && !json_equal(json_get(obj, "type"), json_get(old, "type")))
        schema_findings_add(bad, "type", "FieldValueInvalid",
                            "Invalid value: \"%s\": field is immutable",
                            json_string_or(json_get(obj, "type"), ""));
}

static void
count_text(const struct json *list, struct buf *out)
{
    buf_printf(out, "%zu", json_len(list));
}

static bool
config_map_cell(size_t i, const struct json *obj, int64_t now_s,
                struct buf *out)
{
    (void)now_s;
    if (i != 0)
        return false;
    buf_printf(out, "%zu",
               json_len(json_get(obj, "data")) +
                   json_len(json_get(obj, "binaryData")));
    return true;
}

static bool
secret_cell(size_t i, const struct json *obj, int64_t now_s, struct buf *out)
{
    (void)now_s;
    if (i == 1)
        count_text(json_get(obj, "data"), out);
    return i == 1;
}

static bool
account_cell(size_t i, const struct json *obj, int64_t now_s, struct buf *out)
{
    (void)now_s;
    if (i == 0)
        count_text(json_get(obj, "secrets"), out);
    return i == 0;
}

/* ---- services ---- */

static void
prepare_service(const struct registry_write *w, struct json *obj,
                const struct json *old, struct schema_findings *bad)
{
    struct json *spec = json_need_object(obj, "spec");
    const char *type = json_string_or(json_get(spec, "type"), "ClusterIP");
    const char *name =
        json_string_or(json_at(obj, "metadata", "name", NULL), "");
    uint32_t hash = digest_fnv32(str_of(name));
    struct json *ip;

    (void)w;
    if (!json_get(spec, "ports") && strcmp(type, "ExternalName") != 0 &&
        strcmp(json_string_or(json_get(spec, "clusterIP"), ""), "None") != 0)
        schema_findings_add(bad, "spec.ports", "FieldValueRequired",
                            "Required value");
    for (struct json *p = json_first(json_get(spec, "ports")); p;
         p = json_next(p)) {
        if (!json_get(p, "targetPort") && json_get(p, "port"))
            json_set(p, "targetPort", json_copy(json_get(p, "port")));
    }
    ip = json_at(old, "spec", "clusterIP", NULL);
    if (json_get(spec, "clusterIP") || !strcmp(type, "ExternalName"))
        return;
    if (ip) {
        json_set(spec, "clusterIP", json_copy(ip));
    } else {
        AUTO(mem_free_ptr)
        char *made = mem_printf("10.96.%u.%u", hash >> 8 & 255, hash & 255);

        json_set_string(spec, "clusterIP", made);
    }
    json_set(spec, "clusterIPs", json_new_array());
    json_append(json_get(spec, "clusterIPs"),
                json_copy(json_get(spec, "clusterIP")));
    if (!json_get(obj, "status")) {
        json_set(obj, "status", json_new_object());
        json_set(json_get(obj, "status"), "loadBalancer", json_new_object());
    }
}

static void
ports_text(const struct json *ports, struct buf *out)
{
    if (!json_first(ports))
        buf_puts(out, "<none>");
    for (const struct json *p = json_first(ports); p; p = json_next(p)) {
        int64_t node = json_int64_or(json_get(p, "nodePort"), 0);

        buf_printf(out, "%s%lld", p == json_first(ports) ? "" : ",",
                   (long long)json_int64_or(json_get(p, "port"), 0));
        if (node)
            buf_printf(out, ":%lld", (long long)node);
        buf_printf(out, "/%s", json_string_or(json_get(p, "protocol"), "TCP"));
    }
}

static bool
service_cell(size_t i, const struct json *obj, int64_t now_s, struct buf *out)
{
    const struct json *spec = json_get(obj, "spec");
    const char *sep = "";

    (void)now_s;
    if (i == 1) {
        buf_puts(out, json_string_or(json_get(spec, "clusterIP"), "None"));
    } else if (i == 2) {
        const char *name = json_get_string(spec, "externalName");

        buf_puts(out, name ? name : "<none>");
    } else if (i == 3) {
        ports_text(json_get(spec, "ports"), out);
    } else if (i == 5) {
        const struct json *sel = json_get(spec, "selector");

        if (!json_first(sel))
            buf_puts(out, "<none>");
        for (const struct json *c = json_first(sel); c; c = json_next(c)) {
            buf_printf(out, "%s%s=%s", sep, json_key(c), json_string_or(c, ""));
            sep = ",";
        }
    } else {
        return false;
    }
    return true;
}

static const struct builtin rows[] = {
    {.group = "",
     .plural = "namespaces",
     .no_collection = true,
     .name = NAME_LABEL,
     .prepare = namespaces_prepare,
     .stays = namespaces_stays},
    {.group = "",
     .plural = "configmaps",
     .prepare = prepare_config_map,
     .cell = config_map_cell},
    {.group = "",
     .plural = "secrets",
     .prepare = prepare_secret,
     .cell = secret_cell},
    {.group = "", .plural = "serviceaccounts", .cell = account_cell},
    {.group = "",
     .plural = "services",
     .name = NAME_LABEL_1035,
     .prepare = prepare_service,
     .cell = service_cell},
    {.group = "",
     .plural = "events",
     .prepare = events_prepare,
     .cell = events_cell},
    {.group = "events.k8s.io",
     .plural = "events",
     .store_kind = "/events",
     .prepare = events_prepare,
     .cell = events_new_cell,
     .from_stored = events_from_core,
     .to_stored = events_to_core},
    {.group = "coordination.k8s.io", .plural = "leases"},
    {.group = "", .plural = "nodes", .cell = workload_node_cell},
    {.group = "", .plural = "pods", .cell = workload_pod_cell},
    {.group = "apps",
     .plural = "deployments",
     .generation = true,
     .cell = workload_deployment_cell},
    {.group = "apps", .plural = "daemonsets", .generation = true},
    {.group = ROLES, .plural = "clusterroles", .name = NAME_PATH},
    {.group = ROLES,
     .plural = "clusterrolebindings",
     .name = NAME_PATH,
     .cell = workload_binding_cell},
    {.group = ROLES, .plural = "roles", .name = NAME_PATH},
    {.group = ROLES,
     .plural = "rolebindings",
     .name = NAME_PATH,
     .cell = workload_binding_cell},
    {.group = "storage.k8s.io", .plural = "storageclasses"},
    {.group = "apiextensions.k8s.io",
     .plural = "customresourcedefinitions",
     .generation = true,
     .needs_version = true,
     .prepare = crd_prepare,
     .written = crd_written,
     .stays = crd_stays},
};

const struct builtin *
builtin_find(const char *group, const char *plural)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!strcmp(rows[i].group, group) && !strcmp(rows[i].plural, plural))
            return &rows[i];
    }
    return NULL;
}

const char *
builtin_store_kind(const struct builtin *b)
{
    return b->store_kind;
}
