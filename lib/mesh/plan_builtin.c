#include "lib/mesh/plan_builtin.h"

#include <stdio.h>

#include "lib/base/asset.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

/* ---- definitions ---- */

static struct str
group_of(const char *api_version)
{
    struct str group, version;

    return str_cut(str_of(api_version), '/', &group, &version) ? group
                                                               : STR("");
}

/* The document when it defines the kind. */
static struct json *
read_definition(struct str document, struct str group, const char *kind)
{
    struct json *j = yaml_parse_one(document, NULL, NULL);
    const struct json *spec = json_get(j, "spec");
    const char *named = json_get_string(json_get(spec, "names"), "kind");
    const char *in = json_get_string(spec, "group");

    if (named && in && strcmp(named, kind) == 0 && str_eqz(group, in))
        return j;
    json_free(j);
    return NULL;
}

static struct json *
find_in(struct str text, struct str group, const char *kind)
{
    char sign[200];

    snprintf(sign, sizeof(sign), "kind: %s", kind);
    while (text.n) {
        size_t end = str_find(text, STR("\n---\n"), 0);
        struct str document = str_sub(text, 0, MIN(end, text.n));
        struct json *j = str_contains(document, str_of(sign))
                             ? read_definition(document, group, kind)
                             : NULL;

        if (j)
            return j;
        text = str_from(text, MIN(end, text.n) + strlen("\n---\n"));
    }
    return NULL;
}

struct json *
plan_builtin_definition(const char *api_version, const char *kind)
{
    static const char *const folders[] = {"assets/sandbox/",
                                          "assets/crossplane/"};
    struct asset file;

    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        for (unsigned n = 0; asset_under(folders[i], n, &file); n++) {
            struct json *j = find_in(file.data, group_of(api_version), kind);

            if (j)
                return j;
        }
    }
    return NULL;
}

/* ---- kinds ---- */

bool
plan_builtin_group(struct str group)
{
    static const char *const crossplane[] = {
        "apiextensions.crossplane.io", "pkg.crossplane.io",
        "protection.crossplane.io", "ops.crossplane.io"};

    for (size_t i = 0; i < ARRAY_LEN(crossplane); i++) {
        if (str_eqz(group, crossplane[i]))
            return true;
    }
    return !str_contains(group, STR(".")) || str_ends(group, STR(".k8s.io"));
}

bool
plan_builtin_cluster_scoped(struct str group, const char *kind)
{
    static const char *const namespaced[] = {"Usage", "Lease"};
    static const char *const cluster[] = {
        "Namespace",
        "Node",
        "PersistentVolume",
        "ClusterRole",
        "StorageClass",
        "ClusterRoleBinding",
        "PriorityClass",
        "CustomResourceDefinition",
        "IngressClass",
        "RuntimeClass",
        "APIService",
        "CSIDriver",
        "CSINode",
        "VolumeAttachment",
        "FlowSchema",
        "PriorityLevelConfiguration",
        "ComponentStatus",
        "CertificateSigningRequest",
        "GatewayClass",
        "ValidatingWebhookConfiguration",
        "VolumeSnapshotClass",
        "MutatingWebhookConfiguration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    };
    bool crossplane = str_ends(group, STR(".crossplane.io"));

    for (size_t i = 0; crossplane && i < ARRAY_LEN(namespaced); i++) {
        if (strcmp(kind, namespaced[i]) == 0)
            return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(cluster); i++) {
        if (strcmp(kind, cluster[i]) == 0)
            return true;
    }
    return crossplane && plan_builtin_group(group);
}

/* ---- what never changes ---- */

#define FIXED "field is immutable"

/* path: itself and all below it; except: what below it may change, between
 * spaces; when: a member of the object that must be true for it. */
static const struct fixed {
    const char *group, *kind, *path, *except, *when;
} fixed[] = {
    {"", "Secret", "type", NULL, NULL},
    {"", "Secret", "data", NULL, "immutable"},
    {"", "Secret", "stringData", NULL, "immutable"},
    {"", "Secret", "immutable", NULL, "immutable"},
    {"", "ConfigMap", "data", NULL, "immutable"},
    {"", "ConfigMap", "binaryData", NULL, "immutable"},
    {"", "ConfigMap", "immutable", NULL, "immutable"},
    {"", "Service", "spec.clusterIP", NULL, NULL},
    {"", "PersistentVolumeClaim", "spec",
     " spec.resources spec.volumeAttributesClassName ", NULL},
    {"", "PersistentVolume", "spec.csi", NULL, NULL},
    {"", "PersistentVolume", "spec.volumeMode", NULL, NULL},
    {"apps", "Deployment", "spec.selector", NULL, NULL},
    {"apps", "DaemonSet", "spec.selector", NULL, NULL},
    {"apps", "ReplicaSet", "spec.selector", NULL, NULL},
    {"apps", "StatefulSet", "spec",
     " spec.replicas spec.ordinals spec.template spec.updateStrategy "
     "spec.revisionHistoryLimit spec.persistentVolumeClaimRetentionPolicy "
     "spec.minReadySeconds ",
     NULL},
    {"batch", "Job", "spec.template", NULL, NULL},
    {"batch", "Job", "spec.selector", NULL, NULL},
    {"batch", "Job", "spec.completionMode", NULL, NULL},
    {"rbac.authorization.k8s.io", "RoleBinding", "roleRef", NULL, NULL},
    {"rbac.authorization.k8s.io", "ClusterRoleBinding", "roleRef", NULL, NULL},
    {"storage.k8s.io", "StorageClass", "provisioner", NULL, NULL},
    {"storage.k8s.io", "StorageClass", "parameters", NULL, NULL},
    {"storage.k8s.io", "StorageClass", "reclaimPolicy", NULL, NULL},
    {"storage.k8s.io", "StorageClass", "volumeBindingMode", NULL, NULL},
    {"networking.k8s.io", "IngressClass", "spec.controller", NULL, NULL},
    {"scheduling.k8s.io", "PriorityClass", "value", NULL, NULL},
    {"apiextensions.k8s.io", "CustomResourceDefinition", "spec.group", NULL,
     NULL},
    {"apiextensions.k8s.io", "CustomResourceDefinition", "spec.scope", NULL,
     NULL},
    {"apiextensions.crossplane.io", "CompositeResourceDefinition", "spec.group",
     NULL, NULL},
    {"apiextensions.crossplane.io", "CompositeResourceDefinition", "spec.names",
     NULL, NULL},
    {"apiextensions.crossplane.io", "CompositeResourceDefinition", "spec.scope",
     NULL, NULL},
    {"apiextensions.crossplane.io", "CompositeResourceDefinition",
     "spec.enforcedCompositionRef", NULL, NULL},
    {"apiextensions.crossplane.io", "Composition", "spec.compositeTypeRef",
     NULL, NULL},
    {"apiextensions.crossplane.io", "CompositionRevision", "spec.pipeline",
     NULL, NULL},
};

/* "spec.a" and "spec.a.b", "spec.a[0]", but not "spec.ab". */
static bool
is_below(struct str path, struct str above)
{
    return str_starts(path, above) &&
           (path.n == above.n || path.s[above.n] == '.' ||
            path.s[above.n] == '[');
}

static bool
is_excepted(struct str path, const char *except)
{
    struct str rest = str_of(except), one;

    while (str_next(&rest, ' ', &one)) {
        if (one.n && is_below(path, one))
            return true;
    }
    return false;
}

const char *
plan_builtin_immutable(const struct json *before, const char *path)
{
    struct str group =
        group_of(json_string_or(json_get(before, "apiVersion"), ""));
    const char *kind = json_string_or(json_get(before, "kind"), "");

    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        const struct fixed *f = &fixed[i];

        if (strcmp(f->kind, kind) == 0 && str_eqz(group, f->group) &&
            is_below(str_of(path), str_of(f->path)) &&
            !(f->except && is_excepted(str_of(path), f->except)) &&
            (!f->when || json_bool(json_get(before, f->when), false)))
            return FIXED;
    }
    return NULL;
}
