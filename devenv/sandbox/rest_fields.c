/*
 * What field selectors may ask of an object: names for all, more for kinds
 * that say so. Sources: kubernetes pkg/apis/{core,apps,batch,events,
 * certificates}/.../conversion.go; of custom kinds the definition's
 * selectableFields.
 */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/rest.h"

#define EVENTS "events.k8s.io"

/* A label and where its value stands in the stored object. group NULL: of
 * every group that serves the store's kind. */
static const struct label {
    const char *group, *store, *label, *path;
} labels[] = {
    {NULL, "/pods", "spec.nodeName", "spec.nodeName"},
    {NULL, "/pods", "spec.restartPolicy", "spec.restartPolicy"},
    {NULL, "/pods", "spec.schedulerName", "spec.schedulerName"},
    {NULL, "/pods", "spec.serviceAccountName", "spec.serviceAccountName"},
    {NULL, "/pods", "spec.hostNetwork", "spec.hostNetwork"},
    {NULL, "/pods", "status.phase", "status.phase"},
    {NULL, "/pods", "status.podIP", "status.podIP"},
    {NULL, "/pods", "status.nominatedNodeName", "status.nominatedNodeName"},
    {NULL, "/nodes", "spec.unschedulable", "spec.unschedulable"},
    {NULL, "/replicationcontrollers", "status.replicas", "status.replicas"},
    {NULL, "/namespaces", "status.phase", "status.phase"},
    {NULL, "/secrets", "type", "type"},
    {NULL, "/services", "spec.clusterIP", "spec.clusterIP"},
    {NULL, "/services", "spec.type", "spec.type"},
    {NULL, "batch/jobs", "status.successful", "status.succeeded"},
    {NULL, "certificates.k8s.io/certificatesigningrequests", "spec.signerName",
     "spec.signerName"},
    {"", "/events", "involvedObject.kind", "involvedObject.kind"},
    {"", "/events", "involvedObject.namespace", "involvedObject.namespace"},
    {"", "/events", "involvedObject.name", "involvedObject.name"},
    {"", "/events", "involvedObject.uid", "involvedObject.uid"},
    {"", "/events", "involvedObject.apiVersion", "involvedObject.apiVersion"},
    {"", "/events", "involvedObject.resourceVersion",
     "involvedObject.resourceVersion"},
    {"", "/events", "involvedObject.fieldPath", "involvedObject.fieldPath"},
    {"", "/events", "reportingComponent", "reportingComponent"},
    {"", "/events", "source", "source.component"},
    {EVENTS, "/events", "regarding.kind", "involvedObject.kind"},
    {EVENTS, "/events", "regarding.namespace", "involvedObject.namespace"},
    {EVENTS, "/events", "regarding.name", "involvedObject.name"},
    {EVENTS, "/events", "regarding.uid", "involvedObject.uid"},
    {EVENTS, "/events", "regarding.apiVersion", "involvedObject.apiVersion"},
    {EVENTS, "/events", "regarding.resourceVersion",
     "involvedObject.resourceVersion"},
    {EVENTS, "/events", "regarding.fieldPath", "involvedObject.fieldPath"},
    {EVENTS, "/events", "reportingController", "reportingComponent"},
    {NULL, "/events", "reason", "reason"},
    {NULL, "/events", "type", "type"},
};

static const struct label *
label_of(const struct kind_info *k, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
        if (!strcmp(labels[i].store, k->store_kind) &&
            !strcmp(labels[i].label, name) &&
            (!labels[i].group || !strcmp(labels[i].group, k->pub.group)))
            return &labels[i];
    }
    return NULL;
}

/* Has the kind no labels but its names? */
static bool
is_plain(const struct kind_info *k)
{
    for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
        if (!strcmp(labels[i].store, k->store_kind))
            return false;
    }
    return k->pub.builtin;
}

static bool
known(const struct kind_info *k, const char *label)
{
    if (!strcmp(label, "metadata.name") ||
        (!strcmp(label, "metadata.namespace") &&
         (k->pub.namespaced || is_plain(k))))
        return true;
    for (size_t i = 0; i < k->selectable_n; i++) {
        if (!strcmp(label, k->selectable[i].label))
            return true;
    }
    return k->pub.builtin && label_of(k, label);
}

/* Each family has words of its own. */
bool
rest_field_check(const struct kind_info *k, const char *label,
                 struct status *st)
{
    if (known(k, label))
        return true;
    if (is_plain(k))
        return status_bad_request(st,
                                  "\"%s\" is not a known field selector: only "
                                  "\"metadata.name\", \"metadata.namespace\"",
                                  label);
    if (!strcmp(k->store_kind, "batch/jobs"))
        return status_bad_request(
            st, "field label \"%s\" not supported for Job", label);
    return status_bad_request(st, "field label not supported: %s", label);
}

/* "involvedObject.name" below the object. */
static const struct json *
dotted(const struct json *obj, struct str path)
{
    struct str part;

    while (str_next(&path, '.', &part))
        obj = json_get_str(obj, part);
    return obj;
}

const char *
rest_field_value(void *arg, const char *key)
{
    struct rest_fields *s = arg;
    const struct label *l = s->k->pub.builtin ? label_of(s->k, key) : NULL;
    const struct json *v = NULL;

    for (size_t i = 0; i < s->k->selectable_n; i++) {
        if (!strcmp(key, s->k->selectable[i].label))
            v = jsonpath_first(s->k->selectable[i].path, s->obj);
    }
    if (!v)
        v = dotted(s->obj, str_of(l ? l->path : key));
    if (!v || json_is(v, JSON_STRING))
        return json_string_or(v, "");
    buf_reset(&s->text);
    json_print(v, JSON_COMPACT, &s->text);
    return buf_cstr(&s->text);
}
