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

/* ---- delete ---- */

static bool
read_propagation(struct rest *rq, const char *text,
                 enum registry_propagation *out)
{
    static const char *const words[] = {[PROPAGATE_BACKGROUND] = "Background",
                                        [PROPAGATE_FOREGROUND] = "Foreground",
                                        [PROPAGATE_ORPHAN] = "Orphan"};
    AUTO(schema_findings_release) struct schema_findings bad = {0};

    if (!text || !*text)
        return true;
    for (size_t i = PROPAGATE_BACKGROUND; i < ARRAY_LEN(words); i++) {
        if (!strcmp(text, words[i])) {
            *out = (enum registry_propagation)i;
            return true;
        }
    }
    schema_findings_add(&bad, "propagationPolicy", "FieldValueNotSupported",
                        "Unsupported value: \"%s\": supported values: "
                        "\"Foreground\", \"Background\", \"Orphan\", \"nil\"",
                        text);
    return status_invalid(&rq->st, "meta.k8s.io", "DeleteOptions", "", &bad);
}

/* DeleteOptions from the body, else from parameters. *body keeps the texts. */
static bool
delete_options(struct rest *rq, struct registry_delete *o, struct json **body)
{
    const char *policy = http_param(rq->h, "propagationPolicy");
    const char *dry = http_param(rq->h, "dryRun");
    const char *kind;
    struct error err = {0};

    *o = (struct registry_delete){.who = rq->h->who, .warnings = &rq->warnings};
    *body = NULL;
    if (str_trim(rq->h->body).n) {
        switch (negotiate_body(http_header(rq->h, "Content-Type"))) {
        case BODY_PROTOBUF:
            *body = protobuf_object(rq->r->kinds.types, rq->h->body, &err);
            break;
        case BODY_JSON:
        case BODY_YAML:
            *body = yaml_parse_one(rq->h->body, NULL, &err);
            break;
        default:
            return status_unsupported_media(&rq->st, BODY_FORMS);
        }
        if (!json_is(*body, JSON_OBJECT))
            return status_bad_request(&rq->st,
                                      "couldn't get version/kind; "
                                      "json parse error: %s",
                                      err.msg);
        kind = json_string_or(json_get(*body, "kind"), "DeleteOptions");
        if (strcmp(kind, "DeleteOptions") != 0)
            return status_bad_request(
                &rq->st, "no kind \"%s\" is registered for version \"%s\"",
                kind, json_string_or(json_get(*body, "apiVersion"), ""));
        policy = json_get(*body, "propagationPolicy")
                     ? json_get_string(*body, "propagationPolicy")
                     : policy;
        o->uid = json_string(json_at(*body, "preconditions", "uid", NULL));
        o->resource_version = json_string(
            json_at(*body, "preconditions", "resourceVersion", NULL));
        if (json_bool(json_get(*body, "orphanDependents"), false))
            o->propagation = PROPAGATE_ORPHAN;
        o->dry_run = json_first(json_get(*body, "dryRun")) != NULL;
    }
    o->dry_run |= dry && *dry;
    return read_propagation(rq, policy, &o->propagation);
}

static struct json *
success(const struct rest *rq, const char *uid)
{
    struct json *j = json_new_object(), *d;

    json_set_string(j, "kind", "Status");
    json_set_string(j, "apiVersion", "v1");
    json_set(j, "metadata", json_new_object());
    json_set_string(j, "status", "Success");
    d = json_set(j, "details", json_new_object());
    json_set_string(d, "name", rq->name);
    if (*rq->k->group)
        json_set_string(d, "group", rq->k->group);
    json_set_string(d, "kind", rq->k->plural);
    json_set_string(d, "uid", uid);
    return j;
}

void
rest_delete(struct rest *rq)
{
    AUTO(json_free_ptr) struct json *body = NULL;
    AUTO(mem_free_ptr) char *uid = NULL;
    struct registry_delete o;
    struct json *left = NULL;
    struct store_item it;

    if (!delete_options(rq, &o, &body)) {
        rest_fail(rq);
        return;
    }
    if (stored_find(rq->r, rq->k, rq->ns, rq->name, &it))
        uid = mem_strdup(stored_facts(it.json)->uid);
    if (!registry_delete(rq->r, rq->k, rq->ns, rq->name, &o, &left, &rq->st)) {
        rest_fail(rq);
        return;
    }
    if (!left) {
        left = success(rq, uid);
        rq->accept.form = ACCEPT_OBJECT;
    }
    rest_object(rq, 200, left);
}

/* The keys of what is to go, before anything goes. */
static void
collect_names(struct rest *rq, const struct rest_filter *f,
              struct strlist *names)
{
    struct store_cursor c;
    struct store_item it;

    store_scan(rq->r->store, str_of(kind_info(rq->k)->store_kind),
               str_of(rq->ns), STR(""), 0, &c);
    while (store_next(&c, &it)) {
        if (rest_filter_match(f, it.json))
            strlist_add(names, it.name);
    }
    store_cursor_release(&c);
}

void
rest_delete_collection(struct rest *rq)
{
    AUTO(json_free_ptr) struct json *body = NULL;
    AUTO(strlist_release) struct strlist names = {0};
    struct rest_filter f = {0};
    struct registry_delete o;
    struct json *list, *items;
    char rev[24];

    if (!delete_options(rq, &o, &body) || !rest_filter_read(rq, &f)) {
        rest_fail(rq);
        return;
    }
    collect_names(rq, &f, &names);
    rest_filter_release(&f);
    list = json_new_object();
    json_set_string(list, "kind", rq->k->list_kind);
    json_set_string(list, "apiVersion", rq->k->api_version);
    json_set(list, "metadata", json_new_object());
    items = json_set(list, "items", json_new_array());
    for (size_t i = 0; i < names.n; i++) {
        struct json *last = registry_get(rq->r, rq->k, rq->ns, names.v[i]);
        struct json *left = NULL;
        AUTO(status_release) struct status st = {0};

        registry_delete(rq->r, rq->k, rq->ns, names.v[i], &o, &left, &st);
        if (left)
            json_free(last);
        last = left ? left : last;
        json_append(items, rq->k->builtin ? rest_untyped(last) : last);
    }
    snprintf(rev, sizeof(rev), "%lld", (long long)store_rev(rq->r->store));
    json_set_string(json_get(list, "metadata"), "resourceVersion", rev);
    rq->accept.form = ACCEPT_OBJECT;
    rest_object(rq, 200, list);
}
