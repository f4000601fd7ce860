#include "devenv/sandbox/reviews.h"

#include <stdlib.h>

#include "lib/base/yaml.h"

#include "devenv/sandbox/protobuf.h"
#include "devenv/sandbox/rest.h"

static void
answer_access(struct rest *rq, struct json *review)
{
    (void)rq;
    json_set_bool(json_set(review, "status", json_new_object()), "allowed",
                  true);
}

static void
answer_rules(struct rest *rq, struct json *review)
{
    static const char all[] =
        "{\"resourceRules\":[{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],"
        "\"resources\":[\"*\"]}],\"nonResourceRules\":[{\"verbs\":[\"*\"],"
        "\"nonResourceURLs\":[\"*\"]}],\"incomplete\":false}";

    (void)rq;
    json_set(review, "spec", json_new_object());
    json_set(review, "status", json_parse(STR(all), NULL, NULL));
}

static void
answer_subject(struct rest *rq, struct json *review)
{
    const char *as = http_header(rq->h, "Impersonate-User");
    struct json *user = json_new_object(), *groups;
    char now[CLOCK_RFC3339_LEN];

    registry_now(rq->r, now);
    json_set_string(json_need_object(review, "metadata"), "creationTimestamp",
                    now);
    json_set_string(user, "username", as ? as : "admin");
    groups = json_set(user, "groups", json_new_array());
    json_append(groups, json_new_string("system:masters"));
    json_append(groups, json_new_string("system:authenticated"));
    json_set(json_set(review, "status", json_new_object()), "userInfo", user);
}

static const struct reviews_kind rows[] = {
    {"authorization.k8s.io", "v1", "selfsubjectaccessreviews",
     "selfsubjectaccessreview", "SelfSubjectAccessReview", answer_access},
    {"authorization.k8s.io", "v1", "selfsubjectrulesreviews",
     "selfsubjectrulesreview", "SelfSubjectRulesReview", answer_rules},
    {"authentication.k8s.io", "v1", "selfsubjectreviews", "selfsubjectreview",
     "SelfSubjectReview", answer_subject},
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

static struct json *
read_review(struct rest *rq, const struct reviews_kind *k)
{
    struct error err = {0};
    struct json *j =
        negotiate_body(http_header(rq->h, "Content-Type")) == BODY_PROTOBUF
            ? protobuf_object(rq->h->body, &err)
            : yaml_parse_one(rq->h->body, NULL, &err);
    const char *kind = json_string_or(json_get(j, "kind"), "");

    if (json_is(j, JSON_OBJECT) && (!*kind || !strcmp(kind, k->kind)))
        return j;
    status_bad_request(&rq->st,
                       "the object provided is unrecognized (must be of type "
                       "%s): %s",
                       k->kind, err.msg);
    json_free(j);
    return NULL;
}

static void
serve(struct rest *rq, const struct reviews_kind *k)
{
    AUTO(json_free_ptr) struct json *j = NULL;
    AUTO(buf_release) struct buf gv = BUF_INIT(256);

    if (strcmp(rq->h->method, "POST") != 0) {
        status_set(&rq->st, 405, "MethodNotAllowed",
                   "the server does not allow this method on the requested "
                   "resource");
        rest_fail(rq);
        return;
    }
    j = read_review(rq, k);
    if (!j) {
        rest_fail(rq);
        return;
    }
    buf_printf(&gv, "%s/%s", k->group, k->version);
    json_set_string(j, "kind", k->kind);
    json_set_string(j, "apiVersion", buf_cstr(&gv));
    json_need_object(j, "metadata");
    k->answer(rq, j);
    http_reply_json(rq->h, 201, j);
}

bool
reviews_serve(struct rest *rq)
{
    const char *const *s = rq->h->url.segments;

    if (rq->h->url.segments_n != 4 || strcmp(s[0], "apis") != 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(s[1], rows[i].group) != 0 ||
            strcmp(s[2], rows[i].version) != 0 ||
            strcmp(s[3], rows[i].plural) != 0)
            continue;
        serve(rq, &rows[i]);
        return true;
    }
    return false;
}
