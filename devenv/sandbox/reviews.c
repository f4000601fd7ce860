#include "devenv/sandbox/reviews.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/compose/format.h"

#include "devenv/sandbox/rest.h"

#define AUTHORIZATION  "authorization.k8s.io"
#define AUTHENTICATION "authentication.k8s.io"

bool
reviews_invalid(struct status *st, const char *group, const char *kind,
                const char *name, const char *field, const char *why)
{
    AUTO(schema_findings_release) struct schema_findings bad = {0};

    schema_findings_add(&bad, field, "FieldValueInvalid", "Invalid value: %s",
                        why);
    return status_invalid(st, group, kind, name, &bad);
}

static bool
bad_spec(struct rest *rq, const char *field, const char *why)
{
    return reviews_invalid(&rq->st, AUTHORIZATION, "", "", field, why);
}

/* ---- may somebody ---- */

/* The attributes of a path as the server dumps them. */
static bool
bad_path(struct rest *rq, const struct json *path, const char *why)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    buf_puts(&b, "{\"Path\":");
    format_quote(str_of(json_get_text(path, "path")), false, &b);
    buf_puts(&b, ",\"Verb\":");
    format_quote(str_of(json_get_text(path, "verb")), false, &b);
    buf_printf(&b, "}: %s", why);
    return bad_spec(rq, "spec.nonResourceAttributes", buf_cstr(&b));
}

static bool
check_attributes(struct rest *rq, const struct json *spec)
{
    const struct json *path = json_get(spec, "nonResourceAttributes");
    const struct json *resource = json_get(spec, "resourceAttributes");

    if (path && resource)
        return bad_path(rq, path,
                        "cannot be specified in combination with "
                        "resourceAttributes");
    if (!path && !resource)
        return bad_spec(rq, "spec.resourceAttributes",
                        "null: exactly one of nonResourceAttributes or "
                        "resourceAttributes must be specified");
    return true;
}

/* Nothing but managedFields, and a namespace where there is one. */
static bool
check_meta(struct rest *rq, const struct json *review, const char *why)
{
    const struct json *meta = json_get(review, "metadata");
    AUTO(mem_free_ptr) char *text = NULL, *all = NULL;
    bool empty = true;

    for (const struct json *c = json_first(meta); c; c = json_next(c)) {
        if (strcmp(json_key(c), "managedFields") != 0 &&
            !(*rq->ns && !strcmp(json_key(c), "namespace")))
            empty = false;
    }
    if (empty)
        return true;
    text = json_text(meta, JSON_COMPACT);
    all = mem_printf("%s: %s", text, why);
    return bad_spec(rq, "metadata", all);
}

static void
read_access(const struct json *spec, struct access *a)
{
    const struct json *path = json_get(spec, "nonResourceAttributes");
    const struct json *r = json_get(spec, "resourceAttributes");

    access_init(a);
    a->resource = r != NULL;
    a->verb = json_get_text(r ? r : path, "verb");
    a->path = json_get_text(path, "path");
    a->group = json_get_text(r, "group");
    a->version = json_get_text(r, "version");
    a->plural = json_get_text(r, "resource");
    a->sub = json_get_text(r, "subresource");
    a->name = json_get_text(r, "name");
    a->ns = json_get_text(r, "namespace");
}

static void
decide(const struct reviews *v, const struct identity *who, struct json *review)
{
    AUTO(buf_release) struct buf why = BUF_INIT(BUF_TEXT_MAX);
    struct json *status = json_set(review, "status", json_new_object());
    struct access a;

    read_access(json_get(review, "spec"), &a);
    json_set_bool(status, "allowed", rbac_allows(v->rbac, who, &a, &why));
    if (why.n)
        json_set_string(status, "reason", buf_cstr(&why));
}

static bool
answer_self(const struct reviews *v, struct rest *rq, struct json *review)
{
    if (!check_attributes(rq, json_get(review, "spec")) ||
        !check_meta(rq, review, "must be empty"))
        return false;
    decide(v, rq->h->who, review);
    return true;
}

/* Who is asked about; nobody is given groups here that are not named. */
static const struct identity *
read_subject(struct arena *a, const struct json *spec)
{
    struct identity *id = identity_new(
        a, PROOF_NONE, json_get_text(spec, "user"), json_get_text(spec, "uid"));

    for (const struct json *c = json_first(json_get(spec, "groups")); c;
         c = json_next(c))
        identity_add_group(a, id, str_of(json_string_or(c, "")));
    return id;
}

static bool
check_subject(struct rest *rq, const struct json *spec)
{
    if (*json_get_text(spec, "user") || json_first(json_get(spec, "groups")))
        return check_attributes(rq, spec);
    return check_attributes(rq, spec) &&
           bad_spec(rq, "spec.user",
                    "\"\": at least one of user or group must be specified");
}

static bool
answer_subject(const struct reviews *v, struct rest *rq, struct json *review)
{
    const struct json *spec = json_get(review, "spec");

    if (!check_subject(rq, spec) || !check_meta(rq, review, "must be empty"))
        return false;
    decide(v, read_subject(rq->h->arena, spec), review);
    return true;
}

static bool
answer_local(const struct reviews *v, struct rest *rq, struct json *review)
{
    const struct json *spec = json_get(review, "spec");
    struct json *meta = json_get(review, "metadata");
    const struct json *path = json_get(spec, "nonResourceAttributes");
    const char *own = json_get_text(meta, "namespace");
    const char *about = json_at_text(spec, "resourceAttributes", "namespace");
    AUTO(buf_release) struct buf why = BUF_INIT(BUF_TEXT_MAX);

    if (*own && strcmp(own, rq->ns) != 0)
        return status_bad_request(&rq->st,
                                  "the namespace of the provided object does "
                                  "not match the namespace sent on the "
                                  "request");
    if (!*own) {
        AUTO(json_free_ptr) struct json *rest = json_copy(meta);

        meta = json_set(review, "metadata", json_new_object());
        json_set_string(meta, "namespace", rq->ns);
        for (const struct json *c = json_first(rest); c; c = json_next(c))
            json_set(meta, json_key(c), json_copy(c));
    }
    if (!check_subject(rq, spec) ||
        !check_meta(rq, review, "must be empty except for namespace"))
        return false;
    if (path)
        return bad_path(rq, path, "disallowed on this kind of request");
    format_quote(str_of(about), false, &why);
    buf_puts(&why, ": must match metadata.namespace");
    if (strcmp(about, rq->ns) != 0)
        return bad_spec(rq, "spec.resourceAttributes.namespace",
                        buf_cstr(&why));
    decide(v, read_subject(rq->h->arena, spec), review);
    return true;
}

/* ---- what may I ---- */

static void
put_list(struct json *rule, const char *name, const struct rbac_list *l,
         bool always)
{
    struct json *list;

    if (!l->n && !always)
        return;
    list = json_set(rule, name, json_new_array());
    for (size_t i = 0; i < l->n; i++)
        json_append(list, json_new_string(l->v[i]));
}

static bool
answer_rules(const struct reviews *v, struct rest *rq, struct json *review)
{
    AUTO(buf_release) struct buf errors = BUF_INIT(BUF_TEXT_MAX);
    const char *ns = json_at_text(review, "spec", "namespace");
    struct rbac_rules rules;
    struct json *status, *resources, *paths;

    if (!*ns)
        return status_bad_request(&rq->st, "no namespace on request");
    rbac_rules_of(v->rbac, rq->h->who, ns, rq->h->arena, &rules, &errors);
    json_set(review, "spec", json_new_object());
    status = json_set(review, "status", json_new_object());
    resources = json_set(status, "resourceRules", json_new_array());
    paths = json_set(status, "nonResourceRules", json_new_array());
    for (size_t i = 0; i < rules.n; i++) {
        const struct rbac_rule *r = &rules.v[i];
        struct json *one;

        if (r->resources.n) {
            one = json_append(resources, json_new_object());
            put_list(one, "verbs", &r->verbs, true);
            put_list(one, "apiGroups", &r->groups, false);
            put_list(one, "resources", &r->resources, false);
            put_list(one, "resourceNames", &r->names, false);
        }
        if (r->urls.n) {
            one = json_append(paths, json_new_object());
            put_list(one, "verbs", &r->verbs, true);
            put_list(one, "nonResourceURLs", &r->urls, false);
        }
    }
    json_set_bool(status, "incomplete", errors.n > 0);
    if (errors.n)
        json_set_string(status, "evaluationError", buf_cstr(&errors));
    return true;
}

/* ---- who am I, whose is this ---- */

static bool
answer_who(const struct reviews *v, struct rest *rq, struct json *review)
{
    char now[CLOCK_RFC3339_LEN];

    (void)v;
    registry_now(rq->r, now);
    json_set_string(json_get(review, "metadata"), "creationTimestamp", now);
    json_set(json_set(review, "status", json_new_object()), "userInfo",
             identity_json(rq->h->who));
    return true;
}

static bool
answer_token(const struct reviews *v, struct rest *rq, struct json *review)
{
    AUTO(strlist_release) struct strlist asked = {0}, matched = {0};
    const struct json *spec = json_get(review, "spec");
    const char *token = json_get_text(spec, "token");
    const struct identity *who;
    struct json *status, *list;

    if (!*token)
        return status_bad_request(
            &rq->st, "token is required for TokenReview in authentication");
    for (const struct json *c = json_first(json_get(spec, "audiences")); c;
         c = json_next(c))
        strlist_add(&asked, str_of(json_string_or(c, "")));
    status = json_set(review, "status", json_new_object());
    who = authn_token(v->authn, str_of(token), &asked, rq->h->arena, &matched);
    if (!who) {
        json_set(status, "user", json_new_object());
        json_set_string(status, "error", "invalid bearer token");
        return true;
    }
    json_set_bool(status, "authenticated", true);
    json_set(status, "user", identity_json(who));
    list = json_set(status, "audiences", json_new_array());
    for (size_t i = 0; i < matched.n; i++)
        json_append(list, json_new_string(matched.v[i]));
    return true;
}

/* ---- serving ---- */

static const struct reviews_kind rows[] = {
    {AUTHENTICATION, "v1", "selfsubjectreviews", "selfsubjectreview",
     "SelfSubjectReview", false, false, answer_who},
    {AUTHENTICATION, "v1", "tokenreviews", "tokenreview", "TokenReview", false,
     true, answer_token},
    {AUTHORIZATION, "v1", "localsubjectaccessreviews",
     "localsubjectaccessreview", "LocalSubjectAccessReview", true, true,
     answer_local},
    {AUTHORIZATION, "v1", "selfsubjectaccessreviews", "selfsubjectaccessreview",
     "SelfSubjectAccessReview", false, true, answer_self},
    {AUTHORIZATION, "v1", "selfsubjectrulesreviews", "selfsubjectrulesreview",
     "SelfSubjectRulesReview", false, false, answer_rules},
    {AUTHORIZATION, "v1", "subjectaccessreviews", "subjectaccessreview",
     "SubjectAccessReview", false, true, answer_subject},
};

size_t
reviews_count(void)
{
    return ARRAY_LEN(rows);
}

const struct reviews_kind *
reviews_row(size_t i)
{
    return &rows[i];
}

static void
serve_kind(const struct reviews *v, struct rest *rq,
           const struct reviews_kind *k)
{
    AUTO(mem_free_ptr) char *gv = mem_printf("%s/%s", k->group, k->version);
    struct json *review = reviews_read(v, rq, gv, k->kind);

    if (review && k->managed)
        reviews_note_manager(rq, review);
    if (review && !k->answer(v, rq, review)) {
        json_free(review);
        review = NULL;
    }
    rest_object(rq, 201, review);
}

static void
wrong_way(struct rest *rq, bool named)
{
    if (named)
        status_set(&rq->st, 404, "NotFound",
                   "the server could not find the requested resource");
    else
        status_set(&rq->st, 405, "MethodNotAllowed",
                   "the server does not allow this method on the requested "
                   "resource");
    status_about(&rq->st, "", "", "");
    rest_fail(rq);
}

/* The row a path belongs to. */
static const struct reviews_kind *
find_row(const struct access *a)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!strcmp(a->plural, rows[i].plural) &&
            !strcmp(a->group, rows[i].group) &&
            !strcmp(a->version, rows[i].version) &&
            rows[i].namespaced == (*a->ns != '\0'))
            return &rows[i];
    }
    return NULL;
}

static bool
is_token(const struct access *a)
{
    return !*a->group && *a->ns && !strcmp(a->plural, "serviceaccounts") &&
           !strcmp(a->sub, "token");
}

bool
reviews_serve(const struct reviews *v, struct http_request *r)
{
    struct rest rq = {.r = v->registry, .h = r, .ns = ""};
    const struct reviews_kind *k;
    struct access a;

    access_of(r, &a);
    if (!a.resource || (!(k = find_row(&a)) && !is_token(&a)))
        return false;
    rq.ns = a.ns;
    rq.name = *a.name ? a.name : NULL;
    if (strcmp(r->method, "POST") != 0 || (k && *a.name))
        wrong_way(&rq, k && *a.name);
    else if (!negotiate_accept(http_header(r, "Accept"), ALLOW_TRANSFORMS,
                               &rq.accept, &rq.st))
        rest_fail(&rq);
    else if (k)
        serve_kind(v, &rq, k);
    else
        reviews_token(v, &rq);
    status_release(&rq.st);
    strlist_release(&rq.warnings);
    return true;
}
