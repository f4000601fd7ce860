/*
 * What the API server says of a policy once it has looked at it.
 * Source: kubernetes pkg/controller/validatingadmissionpolicystatus: an apply
 * of the status, after each change of the spec.
 */
#include "devenv/sandbox/admission.h"
#include "devenv/sandbox/kobj.h"

void
admission_observe(struct registry *r, const struct registry_event *e)
{
    static const struct registry_write how = {
        .manager = "validatingadmissionpolicy-status",
        .subresource = "status",
        .force = true};
    AUTO(status_release) struct status st = {0};
    AUTO(json_free_ptr) struct json *policy = NULL, *config = NULL;
    struct json *status;
    int64_t now, seen;

    if (e->type == CHANGE_DELETED)
        return;
    policy = registry_get(r, e->kind, NULL, e->name);
    now = json_int64_or(json_at(policy, "metadata", "generation", NULL), 0);
    seen =
        json_int64_or(json_at(policy, "status", "observedGeneration", NULL), 0);
    if (!policy || seen >= now)
        return;
    config = json_new_object();
    json_set_string(config, "apiVersion", "admissionregistration.k8s.io/v1");
    json_set_string(config, "kind", "ValidatingAdmissionPolicy");
    json_set_string(json_set(config, "metadata", json_new_object()), "name",
                    e->name);
    status = json_set(config, "status", json_new_object());
    json_set_int(status, "observedGeneration", now);
    json_set(status, "typeChecking", json_new_object());
    json_free(registry_apply(r, e->kind, &how, NULL, config, &st));
}
