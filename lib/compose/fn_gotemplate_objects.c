/* What the rendered objects do to the response. */
#include "lib/base/digest.h"
#include "lib/base/mem.h"

#include "lib/compose/compose.h"
#include "lib/compose/fn_gotemplate.h"
#include "lib/compose/gojson.h"
#include "lib/compose/gotime.h"
#include "lib/compose/structpb.h"

#define ANNOTATION_NAME  GOTEMPLATE_PREFIX "composition-resource-name"
#define ANNOTATION_READY GOTEMPLATE_PREFIX "ready"
#define META_VERSION     "meta.gotemplating.fn.crossplane.io/v1alpha1"
#define CONTEXT_EXTRA    "apiextensions.crossplane.io/extra-resources"

/* ---- the Go types of what is decoded ---- */

STRICT_NAMED(condition_type, "common.ConditionType");
STRICT_NAMED(condition_status, "v1.ConditionStatus");
STRICT_NAMED(condition_reason, "common.ConditionReason");
STRICT_NAMED(condition_target, "main.CompositionTarget");

STRICT_FIELDS(condition, "main.TargetedCondition",
              {"Condition.type", &condition_type},
              {"Condition.status", &condition_status},
              {"Condition.reason", &condition_reason},
              {"Condition.message", &strict_string},
              {"Condition.observedGeneration", &strict_int64},
              {"target", &condition_target});
STRICT_LIST_OF(condition_list, "[]main.TargetedCondition", condition);

STRICT_FIELDS(requirement, "main.ExtraResourcesRequirement",
              {"apiVersion", &strict_string}, {"kind", &strict_string},
              {"matchLabels", &strict_string_map},
              {"matchName", &strict_string}, {"namespace", &strict_string});
static const struct strict_type requirement_map = {
    .kind = STRICT_MAP,
    .go = "main.ExtraResourcesRequirements",
    .item = &requirement};

/* ---- small things ---- */

static const char *
annotation(const struct json *object, const char *name)
{
    return json_string(json_at(object, "metadata", "annotations", name, NULL));
}

static void
remove_annotation(struct json *object, const char *name)
{
    json_del(json_at(object, "metadata", "annotations", NULL), name);
}

/* GetValueInto of a member: false after a fatal result. A member that has to
 * be there and is not is an error too. */
static bool
decodes(struct fn_response *rsp, const struct json *object, const char *name,
        bool needed, const struct strict_type *type, const char *what)
{
    const struct json *j = json_get(object, name);
    struct error err = {0};

    if (!j && needed)
        fn_resultf(rsp, FN_FATAL, "%s: %s: no such field", what, name);
    else if (j && !gojson_check(j, type, &err))
        fn_resultf(rsp, FN_FATAL, "%s: cannot unmarshal value from JSON: %s",
                   what, err.msg);
    else
        return true;
    return false;
}

/* mergo's merge with override, on trees. */
static void
merge(struct json *dst, const struct json *src)
{
    for (const struct json *c = json_first(src); c; c = json_next(c)) {
        struct json *had = json_get(dst, json_key(c));

        if (json_is(had, JSON_OBJECT) && json_is(c, JSON_OBJECT)) {
            merge(had, c);
            if (json_len(had))
                continue;
        }
        json_set(dst, json_key(c), json_copy(c));
    }
    structpb_numbers(dst);
}

/* ---- the composite ---- */

/* Reads the ready annotation; *set tells whether it is there. */
static bool
readiness(struct fn_response *rsp, const struct json *object, bool *set,
          enum fn_ready *ready)
{
    const char *v = annotation(object, ANNOTATION_READY);

    *set = v != NULL;
    *ready = FN_READY_UNSPECIFIED;
    if (!v || strcmp(v, "Unspecified") == 0)
        return true;
    if (strcmp(v, "True") == 0) {
        *ready = FN_READY_TRUE;
    } else if (strcmp(v, "False") == 0) {
        *ready = FN_READY_FALSE;
    } else {
        fn_resultf(rsp, FN_FATAL,
                   "invalid function input: invalid \"" ANNOTATION_READY
                   "\" annotation value \"%s\": must be True, False, or "
                   "Unspecified",
                   v);
        return false;
    }
    return true;
}

/* The composite itself: only its status and readiness count. */
static bool
composite(struct fn_response *rsp, const struct json *object, bool ready_set,
          enum fn_ready ready)
{
    const struct json *status = json_get(object, "status");
    struct json *xr = fn_desired_composite(rsp);

    if (!decodes(rsp, xr, "status", false, &strict_object,
                 "cannot get desired composite status") ||
        !decodes(rsp, object, "status", false, &strict_object,
                 "cannot get templated composite status"))
        return false;
    if (status)
        merge(json_need_object(xr, "status"), status);
    if (ready_set)
        fn_ready_set(json_get(rsp->desired, "composite"), ready);
    return true;
}

/* ---- objects of the function's own group ---- */

/* Decodes what is whole before the first bad byte, as upstream does. */
static void
unbase64(struct str text, struct buf *out)
{
    char four[4];
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        if (text.s[i] == '\r' || text.s[i] == '\n')
            continue;
        four[n++] = text.s[i];
        if (n < sizeof(four))
            continue;
        if (!digest_unbase64(str_n(four, n), false, out) || four[3] == '=')
            return;
        n = 0;
    }
}

static bool
connection_details(struct fn_response *rsp, const struct json *object)
{
    const struct json *data = json_get(object, "data");

    for (const struct json *c = json_first(data); c; c = json_next(c)) {
        if (!json_string(c))
            return true; /* one that is no string voids them all */
    }
    if (!json_is(data, JSON_OBJECT) || !json_len(data))
        return true;
    fn_desired_composite(rsp);
    struct json *details = json_need_object(json_get(rsp->desired, "composite"),
                                            "connectionDetails");

    for (const struct json *c = json_first(data); c; c = json_next(c)) {
        AUTO(buf_release) struct buf bytes = BUF_INIT(BUF_TEXT_MAX);
        AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);

        unbase64(str_of(json_string(c)), &bytes);
        digest_base64(buf_view(&bytes), false, &text);
        json_set_string(details, json_key(c), buf_cstr(&text));
    }
    return true;
}

/* The time is not used, but it has to be one. */
static bool
check_time(struct fn_response *rsp, const struct json *condition_object)
{
    static const struct strict_type *const text = &strict_string;
    const struct json *j = json_get(condition_object, "lastTransitionTime");
    struct error err = {0};
    struct gotime t;

    if (!j || json_is(j, JSON_NULL) ||
        (gojson_check(j, text, &err) &&
         gotime_parse(STR("2006-01-02T15:04:05Z07:00"), str_of(json_string(j)),
                      &t, &err)))
        return true;
    fn_resultf(rsp, FN_FATAL,
               "cannot get Conditions from input: cannot unmarshal value from "
               "JSON: %s",
               err.msg);
    return false;
}

static bool
conditions(struct fn_response *rsp, const struct json *object)
{
    const struct json *list = json_get(object, "conditions");

    if (!decodes(rsp, object, "conditions", true, &condition_list,
                 "cannot get Conditions from input"))
        return false;
    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        if (!check_time(rsp, c))
            return false;
    }
    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        const char *type = json_get_text(c, "type"),
                   *status = json_get_text(c, "status");
        const char *message = json_get_text(c, "message");
        bool known =
            strcmp(status, "True") == 0 || strcmp(status, "False") == 0;
        bool claim =
            strcmp(json_get_text(c, "target"), "CompositeAndClaim") == 0;

        if (compose_reserved_condition(type)) {
            fn_resultf(rsp, FN_FATAL,
                       "cannot set ClaimCondition type: %s is a reserved "
                       "Crossplane Condition",
                       type);
            return false;
        }
        fn_condition_add(rsp, type, known ? status : "Unknown",
                         json_get_text(c, "reason"), *message ? message : NULL,
                         claim ? FN_TARGET_COMPOSITE_AND_CLAIM
                               : FN_TARGET_COMPOSITE);
    }
    return true;
}

static bool
context(struct fn_response *rsp, const struct json *object)
{
    if (!decodes(rsp, object, "data", true, &strict_object,
                 "cannot get Contexts from input"))
        return false;
    merge(rsp->context, json_get(object, "data"));
    return true;
}

/* A namespace counts for a name only. */
static struct json *
selector(const struct json *r)
{
    struct json *s = json_new_object();
    const char *name = json_get_text(r, "matchName");
    const char *ns = json_get_text(r, "namespace");
    const struct json *labels = json_get(r, "matchLabels");

    json_set_string(s, "apiVersion", json_get_text(r, "apiVersion"));
    json_set_string(s, "kind", json_get_text(r, "kind"));
    if (!*name) {
        json_set(json_need_object(s, "matchLabels"), "labels",
                 json_is(labels, JSON_OBJECT) ? json_copy(labels)
                                              : json_new_object());
        return s;
    }
    json_set_string(s, "matchName", name);
    if (*ns)
        json_set_string(s, "namespace", ns);
    return s;
}

static bool
requirements(struct fn_response *rsp, const struct json *object)
{
    const struct json *all = json_get(object, "requirements");

    if (!decodes(rsp, object, "requirements", true, &requirement_map,
                 "cannot get extra resources requirements"))
        return false;
    for (const struct json *c = json_first(all); c; c = json_next(c)) {
        const struct json *before = json_get(rsp->requirements, json_key(c));

        if (before && !json_get(before, "namespace")) {
            fn_resultf(rsp, FN_FATAL, "duplicate extra resource key \"%s\"",
                       json_key(c));
            return false;
        }
        json_set(rsp->requirements, json_key(c), selector(c));
    }
    return true;
}

static bool
meta(struct fn_response *rsp, const struct json *object)
{
    static const struct {
        const char *kind;
        bool (*take)(struct fn_response *rsp, const struct json *object);
    } kinds[] = {
        {"CompositeConnectionDetails", connection_details},
        {"ClaimConditions", conditions},
        {"Context", context},
        {"ExtraResources", requirements},
    };
    const char *kind = json_get_text(object, "kind");

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i].kind, kind) == 0)
            return kinds[i].take(rsp, object);
    }
    fn_resultf(rsp, FN_FATAL,
               "invalid kind \"%s\" for apiVersion \"" META_VERSION
               "\" - must be one of CompositeConnectionDetails, Context or "
               "ExtraResources",
               kind);
    return false;
}

/* ---- the whole ---- */

bool
gotemplate_take(const struct fn_request *req, struct fn_response *rsp,
                struct json **object)
{
    const struct json *xr = fn_observed_composite(req);
    const char *name = annotation(*object, ANNOTATION_NAME);
    bool ready_set;
    enum fn_ready ready;

    if (strcmp(json_get_text(*object, "apiVersion"), META_VERSION) == 0)
        return meta(rsp, *object);
    if (!readiness(rsp, *object, &ready_set, &ready))
        return false;
    if (!name &&
        strcmp(json_get_text(*object, "kind"), json_get_text(xr, "kind")) ==
            0 &&
        strcmp(json_get_text(*object, "apiVersion"),
               json_get_text(xr, "apiVersion")) == 0)
        return composite(rsp, *object, ready_set, ready);
    if (!name) {
        fn_resultf(rsp, FN_FATAL,
                   "\"%s\" template is missing required \"" ANNOTATION_NAME
                   "\" annotation",
                   json_get_text(*object, "kind"));
        return false;
    }
    AUTO(mem_free_ptr) char *kept = mem_strdup(name);

    remove_annotation(*object, ANNOTATION_READY);
    remove_annotation(*object, ANNOTATION_NAME);
    structpb_numbers(*object);
    fn_desired_set(rsp, kept, *object, ready);
    *object = NULL;
    return true;
}

void
gotemplate_context(const struct fn_request *req, struct fn_response *rsp)
{
    const struct json *extra = json_get(req->data, "extraResources");
    const struct json *required = json_get(req->data, "requiredResources");

    if (!json_len(extra) && !json_len(required))
        return;
    struct json *all = json_need_object(rsp->context, CONTEXT_EXTRA);

    for (const struct json *c = json_first(extra); c; c = json_next(c)) {
        if (!json_get(required, json_key(c)))
            json_set(all, json_key(c), json_copy(c));
    }
    for (const struct json *c = json_first(required); c; c = json_next(c))
        json_set(all, json_key(c), json_copy(c));
}
