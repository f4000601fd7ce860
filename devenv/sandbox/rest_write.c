/*
 * The verbs that change something. A request with a body in a form it may not
 * have is answered with 415 before anything else is looked at.
 */
#include <stdio.h>

#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "devenv/sandbox/body.h"
#include "devenv/sandbox/builtin.h"
#include "devenv/sandbox/protobuf.h"
#include "devenv/sandbox/rest.h"
#include "devenv/sandbox/scale.h"
#include "devenv/sandbox/write.h"

#define BODY_FORMS                                                             \
    "application/json, application/yaml, application/vnd.kubernetes.protobuf"
#define PATCH_FORMS                                                            \
    "application/json-patch+json, application/merge-patch+json, "

void
rest_create(struct rest *rq)
{
    AUTO(strlist_release) struct strlist doubles = {0};
    struct registry_write w;
    struct json *obj;

    if (rq->name && rq->k->builtin) {
        status_set(&rq->st, 405, "MethodNotAllowed",
                   "the server does not allow this method on the requested "
                   "resource");
        rq->st.details = json_new_object();
        rest_fail(rq);
        return;
    }
    if (!rest_write_options(rq, "CreateOptions", &w) ||
        !(obj = body_object(rq, &doubles))) {
        rest_fail(rq);
        return;
    }
    w.doubles = &doubles;
    /* POST to an object's own path is a create of that name. */
    if (rq->name && !*stored_name(obj))
        json_set_string(json_need_object(obj, "metadata"), "name", rq->name);
    rest_object(rq, 201,
                registry_create(rq->r, rq->k, &w, rq->ns, obj, &rq->st));
}

/* A PUT of the Scale view. */
static void
update_scale(struct rest *rq, struct registry_write *w, struct json *scale)
{
    struct json *obj = registry_get(rq->r, rq->k, rq->ns, rq->name);
    const char *want =
        json_string(json_at(scale, "metadata", "resourceVersion", NULL));
    struct json *out = NULL;

    const char *name = json_get_text(json_get(scale, "metadata"), "name");

    w->validation = VALIDATE_IGNORE;
    if (!obj) {
        status_not_found(&rq->st, rq->k->group, rq->k->plural, rq->name);
    } else if (*name && strcmp(name, rq->name) != 0) {
        status_bad_request(&rq->st,
                           "the name of the object (%s) does not match the "
                           "name on the URL (%s)",
                           name, rq->name);
    } else if (strcmp(json_get_text(scale, "kind"), "Scale") != 0 &&
               *json_get_text(scale, "kind")) {
        status_bad_request(&rq->st,
                           "no kind is registered for the type v1.Scale in "
                           "scheme \"pkg/runtime/scheme.go:110\"");
    } else if (scale_apply(rq->k, scale, obj, &rq->st)) {
        if (want && *want)
            json_set_string(json_get(obj, "metadata"), "resourceVersion", want);
        out = registry_update(rq->r, rq->k, w, rq->ns, obj, &rq->st);
        obj = NULL;
    }
    json_free(obj);
    json_free(scale);
    rest_object(rq, 200, out ? scale_of(rq->k, out) : NULL);
    json_free(out);
}

void
rest_update(struct rest *rq)
{
    AUTO(strlist_release) struct strlist doubles = {0};
    struct registry_write w;
    struct json *obj;

    if (!rest_write_options(rq, "UpdateOptions", &w) ||
        !(obj = body_object(rq, &doubles))) {
        rest_fail(rq);
        return;
    }
    w.doubles = &doubles;
    if (rq->sub && !strcmp(rq->sub, "scale")) {
        update_scale(rq, &w, obj);
        return;
    }
    if (!write_check_name(obj, rq->name, &rq->st)) {
        json_free(obj);
        rest_fail(rq);
        return;
    }
    rest_object(rq, 200,
                registry_update(rq->r, rq->k, &w, rq->ns, obj, &rq->st));
}

void
rest_patch(struct rest *rq)
{
    static const struct {
        enum body_type body;
        enum registry_patch patch;
    } types[] = {{BODY_MERGE_PATCH, PATCH_MERGE},
                 {BODY_JSON_PATCH, PATCH_JSON},
                 {BODY_STRATEGIC_PATCH, PATCH_STRATEGIC},
                 {BODY_APPLY, PATCH_APPLY}};
    enum body_type body = negotiate_body(http_header(rq->h, "Content-Type"));
    struct registry_write w;
    bool created = false;
    struct json *out;
    size_t i = 0;

    while (i < ARRAY_LEN(types) && types[i].body != body)
        i++;
    if (i == ARRAY_LEN(types) && rq->k->builtin) {
        status_set(&rq->st, 415, "UnsupportedMediaType",
                   "415: Unsupported Media Type");
        rq->st.details = json_new_object();
        rest_fail(rq);
        return;
    }
    if (i == ARRAY_LEN(types)) {
        status_unsupported_media(
            &rq->st, rq->k->builtin
                         ? PATCH_FORMS "application/strategic-merge-patch+json,"
                                       " application/apply-patch+yaml"
                         : PATCH_FORMS "application/apply-patch+yaml");
        rest_fail(rq);
        return;
    }
    if (!rest_write_options(rq, "PatchOptions", &w)) {
        rest_fail(rq);
        return;
    }
    w.created = &created;
    if (types[i].patch == PATCH_APPLY)
        w.manager = http_param(rq->h, "fieldManager");
    out = registry_patch(rq->r, rq->k, &w, rq->ns, rq->name, types[i].patch,
                         rq->h->body, &rq->st);
    if (out && rq->sub && !strcmp(rq->sub, "scale")) {
        struct json *scale = scale_of(rq->k, out);

        json_free(out);
        out = scale;
    }
    rest_object(rq, created ? 201 : 200, out);
}
