/*
 * DELETE of an object and of a collection: DeleteOptions from the body, or from
 * parameters when there is none (apiserver handlers/delete.go).
 */
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "devenv/sandbox/body.h"
#include "devenv/sandbox/protobuf.h"
#include "devenv/sandbox/rest.h"
#include "devenv/sandbox/types_json.h"

/* ---- options ---- */

/* What the decoder cannot read is an error of its own, without a reason. */
static bool
unreadable(struct rest *rq, const char *why)
{
    return status_set(&rq->st, 500, NULL, "%s", why);
}

static bool
no_json(struct rest *rq, const char *why)
{
    return status_set(&rq->st, 500, NULL,
                      "couldn't get version/kind; json parse error: %s", why);
}

/* The body as a tree; false: st. */
static bool
read_body(struct rest *rq, struct json **body)
{
    AUTO(buf_release) struct buf why = BUF_INIT(1024);
    struct error err = {0};

    switch (negotiate_body(http_header(rq->h, "Content-Type"))) {
    case BODY_PROTOBUF:
        *body = protobuf_object(rq->r->kinds.types, rq->h->body, &err);
        return *body || no_json(rq, err.msg);
    case BODY_JSON:
        *body = body_json(rq->h->body, NULL, &why);
        return *body || no_json(rq, buf_cstr(&why));
    case BODY_YAML:
        *body = yaml_parse_one(rq->h->body, NULL, &err);
        return *body || no_json(rq, err.msg);
    default:
        return status_unsupported_media(&rq->st,
                                        "application/json, application/yaml, "
                                        "application/vnd.kubernetes.protobuf");
    }
}

/* Is it DeleteOptions, and do its fields fit? */
static bool
decode(struct rest *rq, struct json *body)
{
    AUTO(buf_release) struct buf why = BUF_INIT(1024);
    struct types *t = rq->r->kinds.types;
    const char *kind = json_get_text(body, "kind");

    if (!json_is(body, JSON_OBJECT)) {
        buf_printf(
            &why,
            "json: cannot unmarshal %s into Go value of type " BODY_TYPE_META,
            body_go_word(body));
        return no_json(rq, buf_cstr(&why));
    }
    if (*kind && strcmp(kind, "DeleteOptions") != 0)
        return status_set(&rq->st, 500, NULL,
                          "no kind \"%s\" is registered for version \"%s\" in "
                          "scheme \"pkg/runtime/scheme.go:110\"",
                          kind, json_get_text(body, "apiVersion"));
    return types_decode(t, types_find(t, "meta.v1.DeleteOptions"), body, NULL,
                        &why) ||
           unreadable(rq, buf_cstr(&why));
}

/* The parameters in the form of a body. */
static bool
from_parameters(struct rest *rq, struct json *body)
{
    const struct url *u = &rq->h->url;
    const char *grace = http_param(rq->h, "gracePeriodSeconds");
    const char *policy = http_param(rq->h, "propagationPolicy");
    const char *orphan = http_param(rq->h, "orphanDependents");
    int64_t seconds;

    if (grace && *grace && !str_to_i64(str_of(grace), &seconds))
        return status_bad_request(
            &rq->st, "strconv.ParseInt: parsing \"%s\": invalid syntax", grace);
    if (policy)
        json_set_string(body, "propagationPolicy", policy);
    if (orphan)
        json_set_bool(body, "orphanDependents",
                      rest_flag(rq->h, "orphanDependents"));
    for (size_t i = 0; i < u->params_n; i++) {
        if (!strcmp(u->params[i].name, "dryRun"))
            json_append(json_need_array(body, "dryRun"),
                        json_new_string(u->params[i].value));
    }
    return true;
}

static void
check_propagation(const struct json *body, struct registry_delete *o,
                  struct schema_findings *bad)
{
    static const char *const words[] = {[PROPAGATE_BACKGROUND] = "Background",
                                        [PROPAGATE_FOREGROUND] = "Foreground",
                                        [PROPAGATE_ORPHAN] = "Orphan"};
    const char *text = json_get_string(body, "propagationPolicy");
    const struct json *orphan = json_get(body, "orphanDependents");

    if (json_bool(orphan, false))
        o->propagation = PROPAGATE_ORPHAN;
    if (!text)
        return;
    if (json_is(orphan, JSON_BOOL)) {
        schema_findings_add(bad, "propagationPolicy", "FieldValueInvalid",
                            "Invalid value: \"%s\": orphanDependents and "
                            "deletionPropagation cannot be both set",
                            text);
        return;
    }
    for (size_t i = PROPAGATE_BACKGROUND; i < ARRAY_LEN(words); i++) {
        if (!strcmp(text, words[i])) {
            o->propagation = (enum registry_propagation)i;
            return;
        }
    }
    schema_findings_add(bad, "propagationPolicy", "FieldValueNotSupported",
                        "Unsupported value: \"%s\": supported values: "
                        "\"Foreground\", \"Background\", \"Orphan\", \"nil\"",
                        text);
}

static void
check_dry_run(const struct json *list, struct registry_delete *o,
              struct schema_findings *bad)
{
    AUTO(buf_release) struct buf all = BUF_INIT(4096);
    bool good = true;

    for (const struct json *c = json_first(list); c; c = json_next(c))
        good = good && !strcmp(json_string_or(c, ""), "All");
    o->dry_run = json_first(list) != NULL;
    if (good)
        return;
    json_print(list, JSON_COMPACT, &all);
    schema_findings_add(bad, "dryRun", "FieldValueNotSupported",
                        "Unsupported value: %s: supported values: \"All\"",
                        buf_cstr(&all));
}

/* *body keeps the texts of o. */
static bool
delete_options(struct rest *rq, struct registry_delete *o, struct json **body)
{
    AUTO(schema_findings_release) struct schema_findings bad = {0};

    *o = (struct registry_delete){.who = rq->h->who, .warnings = &rq->warnings};
    *body = NULL;
    if (str_trim(rq->h->body).n) {
        if (!read_body(rq, body) || !decode(rq, *body))
            return false;
    } else {
        *body = json_new_object();
        if (!from_parameters(rq, *body))
            return false;
    }
    check_propagation(*body, o, &bad);
    check_dry_run(json_get(*body, "dryRun"), o, &bad);
    o->uid = json_string(json_at(*body, "preconditions", "uid", NULL));
    o->resource_version =
        json_string(json_at(*body, "preconditions", "resourceVersion", NULL));
    return !bad.n ||
           status_invalid(&rq->st, "meta.k8s.io", "DeleteOptions", "", &bad);
}

/* ---- the answers ---- */

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
    int code = 200;

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
    } else if (!json_bool(json_get(body, "orphanDependents"), true)) {
        code = 202; /* asked for at once, and it stays (handlers/delete.go) */
    }
    rest_object(rq, code, left);
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

/* The answer holds what was there before, of custom kinds also that there is no
 * more. */
static struct json *
list_of(const struct kind *k, int64_t rev)
{
    struct json *list = json_new_object(), *meta;
    AUTO(mem_free_ptr) char *text = mem_printf("%lld", (long long)rev);

    json_set_string(list, "kind", k->list_kind);
    json_set_string(list, "apiVersion", k->api_version);
    meta = json_set(list, "metadata", json_new_object());
    if (!k->builtin)
        json_set_string(meta, "continue", "");
    json_set_string(meta, "resourceVersion", text);
    json_set(list, "items", json_new_array());
    return list;
}

/* False: one may not go. What is gone already is nobody's fault. */
static bool
delete_one(struct rest *rq, const char *name, const struct registry_delete *o,
           struct json *items)
{
    struct json *last = registry_get(rq->r, rq->k, rq->ns, name);
    AUTO(status_release) struct status st = {0};

    if (!last)
        return true;
    json_append(items, rq->k->builtin ? rest_untyped(last) : last);
    if (registry_delete(rq->r, rq->k, rq->ns, name, o, NULL, &st) ||
        status_is(&st, "NotFound"))
        return true;
    rq->st = st;
    st = (struct status){0};
    return false;
}

void
rest_delete_collection(struct rest *rq)
{
    AUTO(json_free_ptr) struct json *body = NULL;
    AUTO(strlist_release) struct strlist names = {0};
    struct rest_filter f = {0};
    struct registry_delete o;
    struct json *list;

    if (!delete_options(rq, &o, &body) || !rest_filter_read(rq, &f)) {
        rest_fail(rq);
        return;
    }
    collect_names(rq, &f, &names);
    rest_filter_release(&f);
    list = list_of(rq->k, store_rev(rq->r->store));
    for (size_t i = 0; i < names.n; i++) {
        if (delete_one(rq, names.v[i], &o, json_get(list, "items")))
            continue;
        json_free(list);
        rest_fail(rq);
        return;
    }
    rq->accept.form = ACCEPT_OBJECT;
    rest_object(rq, 200, list);
}
