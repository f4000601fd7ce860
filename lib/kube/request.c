#include "lib/kube/request.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#define PATH_MAX_BYTES ((size_t)64 << 10)

static const struct {
    const char *method;
    bool writes;
    bool named;   /* needs a name */
    bool manager; /* takes fieldManager, fieldValidation, dryRun */
} verbs[] = {
    [KUBE_GET] = {"GET", false, false, false},
    [KUBE_CREATE] = {"POST", true, false, true},
    [KUBE_UPDATE] = {"PUT", true, true, true},
    [KUBE_PATCH] = {"PATCH", true, true, true},
    [KUBE_DELETE] = {"DELETE", true, true, false},
    [KUBE_DELETE_ALL] = {"DELETE", true, false, false},
    [KUBE_RAW_GET] = {"GET", false, false, false},
};

static const char *const patch_types[] = {
    [KUBE_PATCH_MERGE] = "application/merge-patch+json",
    [KUBE_PATCH_JSON] = "application/json-patch+json",
    [KUBE_PATCH_APPLY] = "application/apply-patch+yaml",
    [KUBE_PATCH_STRATEGIC] = "application/strategic-merge-patch+json",
};

static const char *const validations[] = {
    [KUBE_VALIDATION_WARN] = "Warn",
    [KUBE_VALIDATION_STRICT] = "Strict",
    [KUBE_VALIDATION_IGNORE] = "Ignore",
};

static const char *const propagations[] = {
    [KUBE_PROPAGATE_BACKGROUND] = "Background",
    [KUBE_PROPAGATE_FOREGROUND] = "Foreground",
    [KUBE_PROPAGATE_ORPHAN] = "Orphan",
};

static bool
allowed(const struct kube_request *r, bool read_only, struct error *err)
{
    bool deletes = r->verb == KUBE_DELETE || r->verb == KUBE_DELETE_ALL;

    if (verbs[r->verb].named && !str_of(r->name).n)
        return error_set(err, ERR_USAGE, "a %s needs a name",
                         verbs[r->verb].method);
    if (r->verb == KUBE_DELETE_ALL && str_of(r->name).n)
        return error_set(err, ERR_USAGE,
                         "a collection is deleted, not the one %s", r->name);
    /* A dry run of a delete has deleted real objects; nobody gets one. */
    if (deletes && r->dry_run)
        return error_set(err, ERR_UNSUPPORTED,
                         "there is no dry run of a delete");
    if (read_only && verbs[r->verb].writes && !r->dry_run) {
        error_set(err, ERR_DENIED, "read-only: %s %s is refused",
                  verbs[r->verb].method, r->name ? r->name : r->gvr.resource);
        error_remedy(err, "MT-READ-ONLY", "Start again without --read-only.");
        return false;
    }
    return true;
}

static void
add_query(struct kube_wire *w, const struct kube_request *r)
{
    if (str_of(r->label_selector).n)
        kube_query_add(&w->path, "labelSelector", str_of(r->label_selector));
    if (str_of(r->field_selector).n)
        kube_query_add(&w->path, "fieldSelector", str_of(r->field_selector));
    if (str_of(r->at_version).n)
        kube_query_add(&w->path, "resourceVersion", str_of(r->at_version));
    if (str_of(r->version_match).n)
        kube_query_add(&w->path, "resourceVersionMatch",
                       str_of(r->version_match));
    if (!verbs[r->verb].manager)
        return;
    kube_query_add(
        &w->path, "fieldManager",
        str_of(r->field_manager ? r->field_manager : KUBE_FIELD_MANAGER));
    kube_query_add(
        &w->path, "fieldValidation",
        str_of(
            validations[r->strict ? KUBE_VALIDATION_STRICT : r->validation]));
    if (r->dry_run)
        kube_query_add(&w->path, "dryRun", STR("All"));
    if (r->verb == KUBE_PATCH && r->patch == KUBE_PATCH_APPLY && r->force)
        kube_query_add(&w->path, "force", STR("true"));
}

static void
delete_options(struct kube_wire *w, const struct kube_request *r)
{
    AUTO(json_free_ptr) struct json *j = json_new_object();
    struct json *only_if;

    json_set_string(j, "kind", "DeleteOptions");
    json_set_string(j, "apiVersion", "v1");
    if (r->propagation != KUBE_PROPAGATE_DEFAULT)
        json_set_string(j, "propagationPolicy", propagations[r->propagation]);
    if (r->grace)
        json_set_int(j, "gracePeriodSeconds", r->grace_s);
    if (r->if_uid || r->if_version) {
        only_if = json_need_object(j, "preconditions");
        if (r->if_uid)
            json_set_string(only_if, "uid", r->if_uid);
        if (r->if_version)
            json_set_string(only_if, "resourceVersion", r->if_version);
    }
    json_print(j, JSON_COMPACT, &w->body);
}

static void
add_body(struct kube_wire *w, const struct kube_request *r)
{
    if (r->verb == KUBE_DELETE || r->verb == KUBE_DELETE_ALL)
        delete_options(w, r);
    else
        buf_str(&w->body, r->body);
    w->content_type =
        r->verb == KUBE_PATCH ? patch_types[r->patch] : "application/json";
}

bool
kube_wire_init(struct kube_wire *w, const struct kube_request *r,
               bool read_only, struct error *err)
{
    bool ok;

    if (!allowed(r, read_only, err))
        return false;
    *w = (struct kube_wire){
        .method = verbs[r->verb].method,
        .accept = r->accept ? r->accept : "application/json",
        .if_none_match = mem_strdup(r->if_none_match),
        .writes = verbs[r->verb].writes,
        .repeatable = !verbs[r->verb].writes || r->dry_run ||
                      (r->verb == KUBE_PATCH && r->patch == KUBE_PATCH_APPLY),
    };
    buf_init(&w->path, PATH_MAX_BYTES);
    buf_init(&w->body, BUF_TEXT_MAX);
    if (r->verb == KUBE_RAW_GET) {
        ok = r->path && *r->path == '/';
        if (ok)
            ok = buf_puts(&w->path, r->path);
        else
            error_set(err, ERR_USAGE, "a path must begin with /");
    } else {
        ok = kube_gvr_path(&r->gvr, r->ns, r->name, r->sub, &w->path, err);
    }
    if (ok)
        add_query(w, r);
    if (ok && w->writes)
        add_body(w, r);
    if (ok && (w->path.over || w->body.over))
        ok = error_set(err, ERR_LIMIT, "the request is too large");
    if (!ok)
        kube_wire_release(w);
    return ok;
}

void
kube_wire_release(struct kube_wire *w)
{
    free(w->if_none_match);
    buf_release(&w->path);
    buf_release(&w->body);
}
