/*
 * TokenRequest: a token for a ServiceAccount, with an expiry and maybe bound
 * to a Secret or a Pod.
 */
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/random.h"

#include "lib/compose/format.h"

#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/rest.h"
#include "devenv/sandbox/reviews.h"

#define GROUP    "authentication.k8s.io"
#define KIND     "TokenRequest"
#define LIFE_S   3600
#define LIFE_MIN 600
#define LIFE_MAX ((int64_t)1 << 32)

static bool
bad(struct rest *rq, const char *name, const char *field, const char *why)
{
    return reviews_invalid(&rq->st, GROUP, KIND, name, field, why);
}

static bool
check_life(struct rest *rq, int64_t seconds)
{
    AUTO(mem_free_ptr) char *why = NULL;

    if (seconds >= LIFE_MIN && seconds <= LIFE_MAX)
        return true;
    why = mem_printf("%lld: may not specify a duration %s", (long long)seconds,
                     seconds < LIFE_MIN ? "less than 10 minutes"
                                        : "larger than 2^32 seconds");
    return bad(rq, "", "spec.expirationSeconds", why);
}

static bool
check_name(struct rest *rq, const struct json *meta)
{
    static const char *const parts[] = {"name", "namespace"};
    const char *const want[] = {rq->name, rq->ns};

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        const char *given = json_get_text(meta, parts[i]);
        AUTO(mem_free_ptr) char *field = mem_printf("metadata.%s", parts[i]);
        AUTO(buf_release) struct buf why = BUF_INIT(BUF_TEXT_MAX);

        if (!*given || !strcmp(given, want[i]))
            continue;
        format_quote(str_of(given), false, &why);
        buf_printf(&why, ": must match the service account %s if specified",
                   parts[i]);
        return bad(rq, rq->name, field, buf_cstr(&why));
    }
    return true;
}

/* What the token shall die with. */
static bool
read_bound(struct rest *rq, const struct json *ref, struct authn_account *t)
{
    static const struct {
        const char *kind, *plural, *claim;
    } kinds[] = {{"Pod", "pods", "pod"}, {"Secret", "secrets", "secret"}};
    const char *kind = json_get_text(ref, "kind");
    const char *name = json_get_text(ref, "name");
    const char *version = json_get_text(ref, "apiVersion");
    const char *uid = json_get_text(ref, "uid");
    AUTO(json_free_ptr) struct json *obj = NULL;
    size_t i = 0;

    if (!ref)
        return true;
    while (i < ARRAY_LEN(kinds) && strcmp(kinds[i].kind, kind) != 0)
        i++;
    if (i == ARRAY_LEN(kinds) || strcmp(version, "v1") != 0)
        return status_bad_request(
            &rq->st, "cannot bind token to object of type %s%s, Kind=%s",
            strchr(version, '/') ? "" : "/", version, kind);
    obj =
        registry_get(rq->r, registry_resource(rq->r, "", "v1", kinds[i].plural),
                     rq->ns, name);
    if (!obj)
        return status_not_found(&rq->st, "", kinds[i].plural, name);
    if (*uid && strcmp(uid, kobj_uid(obj)) != 0) {
        AUTO(mem_free_ptr)
        char *why = mem_printf("the UID in the bound object reference (%s) "
                               "does not match the UID in record. The object "
                               "might have been deleted and then recreated",
                               uid);

        return status_conflict(&rq->st, "", kinds[i].plural, name, why);
    }
    t->bound_kind = kinds[i].claim;
    t->bound_name = name;
    t->bound_uid = arena_strdup(rq->h->arena, kobj_uid(obj));
    return true;
}

/* The parts of the answer in the order of Go's type. */
static void
complete(struct rest *rq, const struct authn *authn,
         const struct authn_account *t, struct json *review)
{
    AUTO(strlist_release) struct strlist audiences = {0};
    struct json *meta = json_new_object(), *spec = json_new_object();
    const struct json *old = json_get(review, "spec");
    const struct json *ref = json_get(old, "boundObjectRef");
    struct json *status, *list;
    struct buf token = BUF_INIT(BUF_TEXT_MAX);
    char stamp[CLOCK_RFC3339_LEN];

    for (const struct json *c = json_first(json_get(old, "audiences")); c;
         c = json_next(c))
        strlist_add(&audiences, str_of(json_string_or(c, "")));
    if (!audiences.n)
        strlist_add(&audiences, STR(AUTHN_ISSUER));
    clock_format(t->from_s, stamp);
    json_set_string(meta, "name", rq->name);
    json_set_string(meta, "namespace", rq->ns);
    json_set_string(meta, "uid", t->uid);
    json_set_string(meta, "creationTimestamp", stamp);
    if (json_at(review, "metadata", "managedFields", NULL))
        json_set(meta, "managedFields",
                 json_copy(json_at(review, "metadata", "managedFields", NULL)));
    list = json_set(spec, "audiences", json_new_array());
    for (size_t i = 0; i < audiences.n; i++)
        json_append(list, json_new_string(audiences.v[i]));
    json_set_int(spec, "expirationSeconds", t->to_s - t->from_s);
    json_set(spec, "boundObjectRef", ref ? json_copy(ref) : json_new_null());
    json_set(review, "metadata", meta);
    json_set(review, "spec", spec);
    status = json_set(review, "status", json_new_object());
    authn_account_token(authn, t, &audiences, &token);
    json_set_string(status, "token", buf_cstr(&token));
    buf_release(&token);
    clock_format(t->to_s, stamp);
    json_set_string(status, "expirationTimestamp", stamp);
}

static bool
issue(const struct reviews *v, struct rest *rq, const struct json *account,
      struct json *review)
{
    const struct json *spec = json_get(review, "spec");
    int64_t now = clock_wall_ms(rq->r->clock) / 1000;
    char jti[RANDOM_UUID_LEN];
    struct authn_account t = {.ns = str_of(rq->ns),
                              .name = str_of(rq->name),
                              .uid = kobj_uid(account),
                              .bound_kind = "",
                              .bound_name = "",
                              .bound_uid = "",
                              .from_s = now,
                              .jti = jti};
    int64_t life = json_int64_or(json_get(spec, "expirationSeconds"), LIFE_S);

    random_uuid(jti);
    t.to_s = now + life;
    if (!check_life(rq, life) ||
        !check_name(rq, json_get(review, "metadata")) ||
        !read_bound(rq, json_get(spec, "boundObjectRef"), &t))
        return false;
    complete(rq, v->authn, &t, review);
    return true;
}

void
reviews_token(const struct reviews *v, struct rest *rq)
{
    AUTO(json_free_ptr) struct json *account = NULL;
    struct json *review = NULL;

    rq->sub = "token";
    account = registry_get(
        rq->r, registry_resource(rq->r, "", "v1", "serviceaccounts"), rq->ns,
        rq->name);
    if (!account)
        status_not_found(&rq->st, "", "serviceaccounts", rq->name);
    else
        review = reviews_read(v, rq, GROUP "/v1", KIND);
    if (review) {
        struct json *spec = json_need_object(review, "spec");

        if (!json_get(spec, "expirationSeconds"))
            json_set_int(spec, "expirationSeconds", LIFE_S);
        reviews_note_manager(rq, review);
    }
    if (review && !issue(v, rq, account, review)) {
        json_free(review);
        review = NULL;
    }
    rest_object(rq, 201, review);
}
