/*
 * protobuf_kinds.c - field numbers of the messages that clients send; from the
 * generated.proto files of k8s.io/api and k8s.io/apimachinery.
 */
#include "devenv/sandbox/protobuf.h"

#define MESSAGE(name, ...)                                                     \
    static const struct protobuf_field name##_fields[] = {__VA_ARGS__, {0}};   \
    static const struct protobuf_message name = {name##_fields}

MESSAGE(owner_reference, {1, "kind", PB_STRING, 0, NULL},
        {3, "name", PB_STRING, 0, NULL}, {4, "uid", PB_STRING, 0, NULL},
        {5, "apiVersion", PB_STRING, 0, NULL},
        {6, "controller", PB_BOOL, PB_KEEP_ZERO, NULL},
        {7, "blockOwnerDeletion", PB_BOOL, PB_KEEP_ZERO, NULL});

MESSAGE(managed_fields, {1, "manager", PB_STRING, 0, NULL},
        {2, "operation", PB_STRING, 0, NULL},
        {3, "apiVersion", PB_STRING, 0, NULL}, {4, "time", PB_TIME, 0, NULL},
        {6, "fieldsType", PB_STRING, 0, NULL},
        {7, "fieldsV1", PB_RAW_JSON, 0, NULL},
        {8, "subresource", PB_STRING, 0, NULL});

MESSAGE(object_meta, {1, "name", PB_STRING, 0, NULL},
        {2, "generateName", PB_STRING, 0, NULL},
        {3, "namespace", PB_STRING, 0, NULL}, {5, "uid", PB_STRING, 0, NULL},
        {6, "resourceVersion", PB_STRING, 0, NULL},
        {7, "generation", PB_INT, 0, NULL},
        {8, "creationTimestamp", PB_TIME, 0, NULL},
        {9, "deletionTimestamp", PB_TIME, 0, NULL},
        {10, "deletionGracePeriodSeconds", PB_INT, PB_KEEP_ZERO, NULL},
        {11, "labels", PB_STRING_MAP, 0, NULL},
        {12, "annotations", PB_STRING_MAP, 0, NULL},
        {13, "ownerReferences", PB_MESSAGE, PB_LIST, &owner_reference},
        {14, "finalizers", PB_STRING, PB_LIST, NULL},
        {17, "managedFields", PB_MESSAGE, PB_LIST, &managed_fields});

#define METADATA                                                               \
    {                                                                          \
        1, "metadata", PB_MESSAGE, 0, &object_meta                             \
    }

MESSAGE(condition, {1, "type", PB_STRING, 0, NULL},
        {2, "status", PB_STRING, 0, NULL},
        {4, "lastTransitionTime", PB_TIME, 0, NULL},
        {5, "reason", PB_STRING, 0, NULL}, {6, "message", PB_STRING, 0, NULL});
MESSAGE(namespace_spec, {1, "finalizers", PB_STRING, PB_LIST, NULL});
MESSAGE(namespace_status, {1, "phase", PB_STRING, 0, NULL},
        {2, "conditions", PB_MESSAGE, PB_LIST, &condition});
MESSAGE(namespace, METADATA, {2, "spec", PB_MESSAGE, 0, &namespace_spec},
        {3, "status", PB_MESSAGE, 0, &namespace_status});

MESSAGE(config_map, METADATA, {2, "data", PB_STRING_MAP, 0, NULL},
        {3, "binaryData", PB_BYTES_MAP, 0, NULL},
        {4, "immutable", PB_BOOL, PB_KEEP_ZERO, NULL});

MESSAGE(secret, METADATA, {2, "data", PB_BYTES_MAP, 0, NULL},
        {3, "type", PB_STRING, 0, NULL},
        {4, "stringData", PB_STRING_MAP, 0, NULL},
        {5, "immutable", PB_BOOL, PB_KEEP_ZERO, NULL});

MESSAGE(object_reference, {1, "kind", PB_STRING, 0, NULL},
        {2, "namespace", PB_STRING, 0, NULL}, {3, "name", PB_STRING, 0, NULL},
        {4, "uid", PB_STRING, 0, NULL}, {5, "apiVersion", PB_STRING, 0, NULL},
        {6, "resourceVersion", PB_STRING, 0, NULL},
        {7, "fieldPath", PB_STRING, 0, NULL});
MESSAGE(local_reference, {1, "name", PB_STRING, 0, NULL});
MESSAGE(service_account, METADATA,
        {2, "secrets", PB_MESSAGE, PB_LIST, &object_reference},
        {3, "imagePullSecrets", PB_MESSAGE, PB_LIST, &local_reference},
        {4, "automountServiceAccountToken", PB_BOOL, PB_KEEP_ZERO, NULL});

MESSAGE(service_port, {1, "name", PB_STRING, 0, NULL},
        {2, "protocol", PB_STRING, 0, NULL}, {3, "port", PB_INT, 0, NULL},
        {4, "targetPort", PB_INT_OR_STRING, 0, NULL},
        {5, "nodePort", PB_INT, 0, NULL},
        {6, "appProtocol", PB_STRING, 0, NULL});
MESSAGE(service_spec, {1, "ports", PB_MESSAGE, PB_LIST, &service_port},
        {2, "selector", PB_STRING_MAP, 0, NULL},
        {3, "clusterIP", PB_STRING, 0, NULL}, {4, "type", PB_STRING, 0, NULL},
        {5, "externalIPs", PB_STRING, PB_LIST, NULL},
        {7, "sessionAffinity", PB_STRING, 0, NULL},
        {8, "loadBalancerIP", PB_STRING, 0, NULL},
        {9, "loadBalancerSourceRanges", PB_STRING, PB_LIST, NULL},
        {10, "externalName", PB_STRING, 0, NULL},
        {11, "externalTrafficPolicy", PB_STRING, 0, NULL},
        {12, "healthCheckNodePort", PB_INT, 0, NULL},
        {13, "publishNotReadyAddresses", PB_BOOL, 0, NULL},
        {17, "ipFamilyPolicy", PB_STRING, 0, NULL},
        {18, "clusterIPs", PB_STRING, PB_LIST, NULL},
        {19, "ipFamilies", PB_STRING, PB_LIST, NULL},
        {20, "allocateLoadBalancerNodePorts", PB_BOOL, PB_KEEP_ZERO, NULL},
        {21, "loadBalancerClass", PB_STRING, 0, NULL},
        {22, "internalTrafficPolicy", PB_STRING, 0, NULL},
        {23, "trafficDistribution", PB_STRING, 0, NULL});
MESSAGE(service, METADATA, {2, "spec", PB_MESSAGE, 0, &service_spec});

MESSAGE(event_source, {1, "component", PB_STRING, 0, NULL},
        {2, "host", PB_STRING, 0, NULL});
MESSAGE(event_series, {1, "count", PB_INT, 0, NULL},
        {2, "lastObservedTime", PB_MICRO_TIME, 0, NULL});
MESSAGE(event, METADATA,
        {2, "involvedObject", PB_MESSAGE, 0, &object_reference},
        {3, "reason", PB_STRING, 0, NULL}, {4, "message", PB_STRING, 0, NULL},
        {5, "source", PB_MESSAGE, 0, &event_source},
        {6, "firstTimestamp", PB_TIME, 0, NULL},
        {7, "lastTimestamp", PB_TIME, 0, NULL}, {8, "count", PB_INT, 0, NULL},
        {9, "type", PB_STRING, 0, NULL},
        {10, "eventTime", PB_MICRO_TIME, 0, NULL},
        {11, "series", PB_MESSAGE, 0, &event_series},
        {12, "action", PB_STRING, 0, NULL},
        {13, "related", PB_MESSAGE, 0, &object_reference},
        {14, "reportingComponent", PB_STRING, 0, NULL},
        {15, "reportingInstance", PB_STRING, 0, NULL});
MESSAGE(new_event, METADATA, {2, "eventTime", PB_MICRO_TIME, 0, NULL},
        {3, "series", PB_MESSAGE, 0, &event_series},
        {4, "reportingController", PB_STRING, 0, NULL},
        {5, "reportingInstance", PB_STRING, 0, NULL},
        {6, "action", PB_STRING, 0, NULL}, {7, "reason", PB_STRING, 0, NULL},
        {8, "regarding", PB_MESSAGE, 0, &object_reference},
        {9, "related", PB_MESSAGE, 0, &object_reference},
        {10, "note", PB_STRING, 0, NULL}, {11, "type", PB_STRING, 0, NULL},
        {12, "deprecatedSource", PB_MESSAGE, 0, &event_source},
        {13, "deprecatedFirstTimestamp", PB_TIME, 0, NULL},
        {14, "deprecatedLastTimestamp", PB_TIME, 0, NULL},
        {15, "deprecatedCount", PB_INT, 0, NULL});

MESSAGE(lease_spec, {1, "holderIdentity", PB_STRING, 0, NULL},
        {2, "leaseDurationSeconds", PB_INT, 0, NULL},
        {3, "acquireTime", PB_MICRO_TIME, 0, NULL},
        {4, "renewTime", PB_MICRO_TIME, 0, NULL},
        {5, "leaseTransitions", PB_INT, 0, NULL},
        {6, "strategy", PB_STRING, 0, NULL},
        {7, "preferredHolder", PB_STRING, 0, NULL});
MESSAGE(lease, METADATA, {2, "spec", PB_MESSAGE, 0, &lease_spec});

MESSAGE(preconditions, {1, "uid", PB_STRING, PB_KEEP_ZERO, NULL},
        {2, "resourceVersion", PB_STRING, PB_KEEP_ZERO, NULL});
MESSAGE(delete_options, {1, "gracePeriodSeconds", PB_INT, PB_KEEP_ZERO, NULL},
        {2, "preconditions", PB_MESSAGE, 0, &preconditions},
        {3, "orphanDependents", PB_BOOL, PB_KEEP_ZERO, NULL},
        {4, "propagationPolicy", PB_STRING, 0, NULL},
        {5, "dryRun", PB_STRING, PB_LIST, NULL});

MESSAGE(resource_attributes, {1, "namespace", PB_STRING, 0, NULL},
        {2, "verb", PB_STRING, 0, NULL}, {3, "group", PB_STRING, 0, NULL},
        {4, "version", PB_STRING, 0, NULL}, {5, "resource", PB_STRING, 0, NULL},
        {6, "subresource", PB_STRING, 0, NULL},
        {7, "name", PB_STRING, 0, NULL});
MESSAGE(non_resource_attributes, {1, "path", PB_STRING, 0, NULL},
        {2, "verb", PB_STRING, 0, NULL});
MESSAGE(access_spec,
        {1, "resourceAttributes", PB_MESSAGE, 0, &resource_attributes},
        {2, "nonResourceAttributes", PB_MESSAGE, 0, &non_resource_attributes});
MESSAGE(subject_spec,
        {1, "resourceAttributes", PB_MESSAGE, 0, &resource_attributes},
        {2, "nonResourceAttributes", PB_MESSAGE, 0, &non_resource_attributes},
        {3, "user", PB_STRING, 0, NULL},
        {4, "groups", PB_STRING, PB_LIST, NULL},
        {6, "uid", PB_STRING, 0, NULL});
MESSAGE(subject_access_review, METADATA,
        {2, "spec", PB_MESSAGE, 0, &subject_spec});
MESSAGE(token_review_spec, {1, "token", PB_STRING, 0, NULL},
        {2, "audiences", PB_STRING, PB_LIST, NULL});
MESSAGE(token_review, METADATA, {2, "spec", PB_MESSAGE, 0, &token_review_spec});
MESSAGE(bound_reference, {1, "kind", PB_STRING, 0, NULL},
        {2, "apiVersion", PB_STRING, 0, NULL}, {3, "name", PB_STRING, 0, NULL},
        {4, "uid", PB_STRING, 0, NULL});
MESSAGE(token_request_spec, {1, "audiences", PB_STRING, PB_LIST, NULL},
        {3, "boundObjectRef", PB_MESSAGE, 0, &bound_reference},
        {4, "expirationSeconds", PB_INT, PB_KEEP_ZERO, NULL});
MESSAGE(token_request, METADATA,
        {2, "spec", PB_MESSAGE, 0, &token_request_spec});
MESSAGE(access_review, METADATA, {2, "spec", PB_MESSAGE, 0, &access_spec});
MESSAGE(rules_spec, {1, "namespace", PB_STRING, 0, NULL});
MESSAGE(rules_review, METADATA, {2, "spec", PB_MESSAGE, 0, &rules_spec});
MESSAGE(subject_review, METADATA);

const struct protobuf_kind protobuf_kinds[] = {
    {"v1", "Namespace", &namespace},
    {"v1", "ConfigMap", &config_map},
    {"v1", "Secret", &secret},
    {"v1", "ServiceAccount", &service_account},
    {"v1", "Service", &service},
    {"v1", "Event", &event},
    {"events.k8s.io/v1", "Event", &new_event},
    {"coordination.k8s.io/v1", "Lease", &lease},
    {"v1", "DeleteOptions", &delete_options},
    {"meta.k8s.io/v1", "DeleteOptions", &delete_options},
    {"authorization.k8s.io/v1", "SelfSubjectAccessReview", &access_review},
    {"authorization.k8s.io/v1", "SubjectAccessReview", &subject_access_review},
    {"authorization.k8s.io/v1", "LocalSubjectAccessReview",
     &subject_access_review},
    {"authorization.k8s.io/v1", "SelfSubjectRulesReview", &rules_review},
    {"authentication.k8s.io/v1", "TokenReview", &token_review},
    {"authentication.k8s.io/v1", "TokenRequest", &token_request},
    {"authentication.k8s.io/v1", "SelfSubjectReview", &subject_review},
    {NULL, NULL, NULL},
};
