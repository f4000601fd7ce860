#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "devenv/sandbox/managed.h"
#include "devenv/sandbox/meta.h"
#include "devenv/sandbox/patch.h"
#include "devenv/sandbox/scale.h"
#include "devenv/sandbox/write.h"

static bool
is_part(const struct registry_write *w, const char *name)
{
    return w->subresource && !strcmp(w->subresource, name);
}

/* ---- merge, JSON and strategic patches ---- */

static bool
patch_tree(const struct kind *k, enum registry_patch type, struct json **obj,
           const struct json *patch, struct status *st)
{
    if (type == PATCH_JSON)
        return patch_json(obj, patch, st);
    if (!json_is(patch, JSON_OBJECT))
        return status_bad_request(st, "error decoding patch: json: cannot "
                                      "unmarshal value into Go value of type "
                                      "map[string]interface {}");
    if (type == PATCH_STRATEGIC)
        return patch_strategic(k->kind, *obj, patch, st);
    patch_merge(*obj, patch);
    return true;
}

/* A patch of the Scale view changes the replicas of the object. */
static bool
patch_scale(struct write_job *j, enum registry_patch type, struct json *obj,
            const struct json *patch)
{
    AUTO(json_free_ptr) struct json *scale = scale_of(j->k, j->old);

    if (!scale)
        return status_not_found(j->st, j->k->group, j->k->plural,
                                stored_name(j->old));
    return patch_tree(j->k, type, &scale, patch, j->st) &&
           scale_apply(j->k, scale, obj, j->st);
}

static bool
same_identity(const struct write_job *j, const char *name,
              const struct json *obj)
{
    if (!json_is(obj, JSON_OBJECT))
        return status_bad_request(j->st, "the patched object is no object");
    if (strcmp(stored_name(obj), name) != 0)
        return status_bad_request(j->st,
                                  "the name of the object (%s) does not match "
                                  "the name on the URL (%s)",
                                  stored_name(obj), name);
    return write_check_type(j, obj);
}

static struct json *
parse_patch(struct str body, enum registry_patch type, struct status *st)
{
    struct error err = {0};
    struct json *patch = type == PATCH_APPLY ? yaml_parse_one(body, NULL, &err)
                                             : json_parse(body, NULL, &err);

    if (!patch && type == PATCH_APPLY)
        status_bad_request(st, "error decoding YAML: %s", err.msg);
    else if (!patch)
        status_bad_request(st, "error decoding patch: %s",
                           str_trim(body).n ? err.msg
                                            : "unexpected end of JSON input");
    return patch;
}

static struct json *
patched(struct write_job *j, const char *ns, const char *name,
        enum registry_patch type, const struct json *patch)
{
    struct json *obj;
    bool good;

    if (!write_load(j, ns, name))
        return NULL;
    obj = json_copy(j->old);
    if (is_part(j->w, "scale"))
        good = patch_scale(j, type, obj, patch);
    else
        good = patch_tree(j->k, type, &obj, patch, j->st) &&
               same_identity(j, name, obj) && meta_decode(j->k, obj, j->st) &&
               write_check_namespace(j, ns, obj) &&
               write_check_version(j, obj) && write_prune(j, obj);
    if (good)
        return write_finish(j, obj);
    json_free(obj);
    return NULL;
}

static bool
refuse_force(const struct registry_write *w, struct status *st)
{
    AUTO(schema_findings_release) struct schema_findings bad = {0};

    if (!w->force)
        return true;
    schema_findings_add(&bad, "force", "FieldValueForbidden",
                        "Forbidden: may not be specified for non-apply patch");
    return status_invalid(st, "meta.k8s.io", "PatchOptions", "", &bad);
}

struct json *
registry_patch(struct registry *r, const struct kind *k,
               const struct registry_write *w, const char *ns, const char *name,
               enum registry_patch type, struct str body, struct status *st)
{
    struct write_job j = {.r = r, .k = k, .w = w, .patched = true, .st = st};
    AUTO(json_free_ptr) struct json *patch = NULL;
    struct json *out;

    if (type == PATCH_STRATEGIC && !k->builtin) {
        status_unsupported_media(
            st, "application/json-patch+json, application/merge-patch+json, "
                "application/apply-patch+yaml");
        return NULL;
    }
    if (type != PATCH_APPLY && !refuse_force(w, st))
        return NULL;
    if (!write_check_manager(w, st))
        return NULL;
    patch = parse_patch(body, type, st);
    if (!patch)
        return NULL;
    if (type == PATCH_APPLY) {
        if (*stored_name(patch) && strcmp(stored_name(patch), name) != 0) {
            status_bad_request(st,
                               "the name of the object (%s) does not match "
                               "the name on the URL (%s)",
                               stored_name(patch), name);
            return NULL;
        }
        json_set_string(json_need_object(patch, "metadata"), "name", name);
        return registry_apply(r, k, w, ns, patch, st);
    }
    out = patched(&j, ns, name, type, patch);
    json_free(j.old);
    return out;
}

/* ---- server-side apply ---- */

static bool
check_config(const struct write_job *j, const struct json *config)
{
    const char *version = json_string_or(json_get(config, "apiVersion"), "");
    const char *kind = json_string_or(json_get(config, "kind"), "");
    AUTO(schema_findings_release) struct schema_findings bad = {0};

    if (!j->w->manager || !*j->w->manager) {
        schema_findings_add(&bad, "fieldManager", "FieldValueRequired",
                            "Required value: is required for apply patch");
        return status_invalid(j->st, "meta.k8s.io", "PatchOptions", "", &bad);
    }
    if (!j->k->builtin && j->w->subresource &&
        !strcmp(j->w->subresource, "scale"))
        return status_set(j->st, 500, NULL,
                          "failed to create manager for existing fields: "
                          "failed to convert live object (/; %s, Kind=%s) to "
                          "proper version: request to convert CR to an invalid "
                          "group/version: %s",
                          version, kind, version);
    if (strcmp(version, j->k->api_version) != 0 ||
        strcmp(kind, j->k->kind) != 0)
        return status_bad_request(j->st, "invalid object type: %s, Kind=%s",
                                  version, kind);
    return true;
}

/* The object that config is merged into. */
static struct json *
live_object(const struct write_job *j)
{
    struct json *live;

    if (j->old)
        return json_copy(j->old);
    live = json_new_object();
    json_set_string(live, "apiVersion", j->k->api_version);
    json_set_string(live, "kind", j->k->kind);
    return live;
}

static struct json *
apply(struct write_job *j, const char *ns, struct json *config)
{
    struct json *live = live_object(j);
    char now[CLOCK_RFC3339_LEN];
    struct managed_by by = write_managed_by(j, now);

    if (!managed_apply(&by, &live, config, j->w->force, j->st) ||
        !write_check_namespace(j, ns, live) || !meta_decode(j->k, live, j->st))
        goto fail;
    j->applied = true;
    if (!j->old) {
        write_stamp_new(j, live);
    } else if (!write_check_version(j, live)) {
        goto fail;
    }
    return write_finish(j, live);
fail:
    json_free(live);
    return NULL;
}

struct json *
registry_apply(struct registry *r, const struct kind *k,
               const struct registry_write *w, const char *ns,
               const struct json *config, struct status *st)
{
    struct write_job j = {.r = r, .k = k, .w = w, .st = st};
    AUTO(json_free_ptr) struct json *own = json_copy(config);
    struct json *out = NULL;
    struct store_item it;
    const char *name = stored_name(own);
    bool named;

    if (w->created)
        *w->created = false;
    named = json_at(own, "metadata", "namespace", NULL) != NULL;
    if (!check_config(&j, own) || !write_check_namespace(&j, ns, own))
        return NULL;
    /* Complaints show the configuration as it came. */
    if (!named)
        json_del(json_get(own, "metadata"), "namespace");
    if (w->subresource || stored_find(r, k, ns, name, &it)) {
        if (!write_load(&j, ns, name))
            return NULL;
    } else if (!write_may_create(&j, ns, name)) {
        return NULL;
    }
    out = apply(&j, ns, own);
    if (out && w->created)
        *w->created = !j.old;
    json_free(j.old);
    return out;
}
