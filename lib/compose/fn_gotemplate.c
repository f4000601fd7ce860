/*
 * function-go-templating (v0.12): renders a template over the request and
 * reads desired resources, status, conditions, context and requirements out of
 * what it wrote.
 */
#include <stdlib.h>

#include "lib/base/digest.h"
#include "lib/base/mem.h"

#include "lib/compose/compose.h"
#include "lib/compose/manifests.h"
#include "lib/compose/template.h"

#define PREFIX           "gotemplating.fn.crossplane.io/"
#define ANNOTATION_NAME  PREFIX "composition-resource-name"
#define ANNOTATION_READY PREFIX "ready"
#define META_VERSION     "meta.gotemplating.fn.crossplane.io/v1alpha1"
#define CONTEXT_EXTRA    "apiextensions.crossplane.io/extra-resources"
#define CONTEXT_ENV      "apiextensions.crossplane.io/environment"

struct prepared {
    struct template *template; /* NULL: it comes from the environment */
    char *key;                 /* of the environment */
    struct str left, right;
    char *delims;
    struct template_run run; /* the options */
};

/* ---- the input ---- */

static bool
only(const struct json *j, const char *type, const char *const *names,
     struct error *err)
{
    for (const struct json *c = json_first(j); c; c = json_next(c)) {
        size_t i = 0;

        while (names[i] && strcmp(names[i], json_key(c)) != 0)
            i++;
        if (!names[i])
            return error_set(
                err, ERR_INVALID,
                "cannot get Function input from *v1.RunFunctionRequest: cannot "
                "get function input *v1beta1.GoTemplate from "
                "*v1.RunFunctionRequest: cannot unmarshal JSON from "
                "*structpb.Struct into *v1beta1.GoTemplate: json: unable to "
                "unmarshal Go value of type v1beta1.%s: unknown name \"%s\"",
                type, json_key(c));
    }
    return true;
}

static bool
known_fields(const struct json *in, struct error *err)
{
    static const char *const top[] = {
        "apiVersion", "kind", "metadata",    "delims",  "source", "inline",
        "fileSystem", "ttl",  "environment", "options", NULL};
    static const char *const source[] = {"template", "templates", NULL};
    static const char *const delims[] = {"left", "right", NULL};

    return only(in, "GoTemplate", top, err) &&
           only(json_get(in, "inline"), "TemplateSourceInline", source, err) &&
           only(json_get(in, "delims"), "Delims", delims, err);
}

static bool
parse(struct prepared *p, struct str text, struct template **out,
      struct error *err)
{
    *out = template_parse("manifests", text, p->left, p->right, err);
    if (!*out)
        error_wrap(err, "invalid function input: cannot parse the provided "
                        "templates");
    return *out;
}

static bool
inline_source(struct prepared *p, const struct json *in, struct error *err)
{
    AUTO(buf_release) struct buf text = BUF_INIT(TEMPLATE_MAX_TEXT + 1);
    const char *one = json_string_or(json_get(in, "template"), "");
    const struct json *many = json_get(in, "templates");

    if (!*one && !json_len(many))
        return error_set(err, ERR_INVALID,
                         "invalid function input: inline.template or "
                         "inline.templates should be provided");
    for (const struct json *c = json_first(many); c && !*one;
         c = json_next(c)) {
        if (c != json_first(many))
            buf_puts(&text, "\n---\n");
        buf_puts(&text, json_string_or(c, ""));
    }
    return parse(p, *one ? str_of(one) : buf_view(&text), &p->template, err);
}

static bool
environment_source(struct prepared *p, const struct json *in, struct error *err)
{
    const char *key = json_get_string(in, "key");

    if (!key || !*key)
        return error_set(
            err, ERR_INVALID,
            "invalid function input: environment.key should be provided");
    p->key = mem_strdup(key);
    return true;
}

static bool
source(struct prepared *p, const struct json *in, struct error *err)
{
    const char *kind = json_string_or(json_get(in, "source"), "");

    if (strcmp(kind, "Inline") == 0)
        return inline_source(p, json_get(in, "inline"), err);
    if (strcmp(kind, "Environment") == 0)
        return environment_source(p, json_get(in, "environment"), err);
    if (strcmp(kind, "FileSystem") == 0)
        return error_set(err, ERR_UNSUPPORTED,
                         "invalid function input: source FileSystem reads the "
                         "function's own image and is not built in: use "
                         "Inline");
    return error_set(err, ERR_INVALID,
                     *kind ? "invalid function input: invalid source: %s"
                           : "invalid function input: source is required%s",
                     kind);
}

static bool
options(struct prepared *p, const struct json *list, struct error *err)
{
    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        if (!template_option(&p->run, str_of(json_string_or(c, "")), err)) {
            error_wrap(err, "cannot apply template options: panic occurred "
                            "while applying template options");
            return false;
        }
    }
    return true;
}

/* Both have to be there. */
static void
delimiters(struct prepared *p, const struct json *delims)
{
    const char *left = json_get_string(delims, "left");
    const char *right = json_get_string(delims, "right");

    if (!left || !right)
        return;
    p->delims = mem_printf("%s%s", left, right);
    p->left = str_n(p->delims, strlen(left));
    p->right = str_of(p->delims + strlen(left));
}

static void
discard(void *prepared)
{
    struct prepared *p = prepared;

    if (!p)
        return;
    template_free(p->template);
    free(p->key);
    free(p->delims);
    free(p);
}

static void *
prepare(const struct json *input, struct error *err)
{
    struct prepared *p = mem_zalloc(1, sizeof(*p));

    delimiters(p, json_get(input, "delims"));
    if (known_fields(input, err) && source(p, input, err) &&
        options(p, json_get(input, "options"), err))
        return p;
    discard(p);
    return NULL;
}

/* ---- rendering ---- */

/* Randomness that stays the same for one composite resource. */
static uint64_t
seed_of(const struct fn_request *req)
{
    const struct json *meta = json_get(fn_observed_composite(req), "metadata");
    const char *uid = json_get_string(meta, "uid");
    const char *name = json_get_string(meta, "name");

    return (uint64_t)digest_fnv32(str_of(uid)) << 32 |
           digest_fnv32(str_of(name));
}

static struct template *
from_environment(struct prepared *p, const struct fn_request *req,
                 struct error *err)
{
    const struct json *env = json_get(fn_context(req), CONTEXT_ENV);
    const struct json *text = json_get(env, p->key);
    const char *what = "invalid function input: cannot read tmpl from the "
                       "environment";
    struct template *t = NULL;

    if (!json_is(env, JSON_OBJECT))
        error_set(err, ERR_INVALID,
                  "%s: " CONTEXT_ENV " key does not exist in context", what);
    else if (!text)
        error_set(err, ERR_INVALID, "%s: key: %s does not exist", what, p->key);
    else if (!json_string(text))
        error_set(err, ERR_INVALID, "%s: key: %s value is not a string", what,
                  p->key);
    else
        parse(p, str_of(json_string(text)), &t, err);
    return t;
}

static bool
render(struct prepared *p, const struct fn_request *req, struct buf *out,
       struct error *err)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    AUTO(template_free_ptr) struct template *fetched = NULL;
    struct value data = value_json(a, req->data, NUMBERS_K8S), required;
    struct template_run run = p->run;

    if (p->key) {
        fetched = from_environment(p, req, err);
        if (!fetched)
            return false;
    }
    run.arena = a;
    run.seed = seed_of(req);
    if (!value_has(a, data, STR("extraResources")) &&
        value_get(a, data, STR("requiredResources"), &required))
        value_set(a, data, STR("extraResources"), required);
    if (template_execute(fetched ? fetched : p->template, data, &run, out, err))
        return true;
    return error_wrap(err, "cannot execute template");
}

/* ---- what comes out ---- */

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
}

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

static const char *
field(const struct json *object, const char *name)
{
    return json_string_or(json_get(object, name), "");
}

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
    if (strcmp(v, "True") == 0)
        *ready = FN_READY_TRUE;
    else if (strcmp(v, "False") == 0)
        *ready = FN_READY_FALSE;
    else {
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

    if (status && !json_is(status, JSON_OBJECT) &&
        !json_is(status, JSON_NULL)) {
        fn_resultf(rsp, FN_FATAL,
                   "cannot get templated composite status: cannot unmarshal "
                   "value from JSON: json: cannot unmarshal %s into Go value "
                   "of type map[string]interface {}",
                   json_is(status, JSON_STRING)  ? "string"
                   : json_is(status, JSON_ARRAY) ? "array"
                   : json_is(status, JSON_BOOL)  ? "bool"
                                                 : "number");
        return false;
    }
    if (status)
        merge(json_need_object(xr, "status"), status);
    if (ready_set)
        fn_ready_set(json_get(rsp->desired, "composite"), ready);
    return true;
}

static bool
connection_details(const struct fn_request *req, struct fn_response *rsp,
                   const struct json *object)
{
    const struct json *data = json_get(object, "data");

    (void)req;
    fn_desired_composite(rsp);
    struct json *details = json_need_object(json_get(rsp->desired, "composite"),
                                            "connectionDetails");

    for (const struct json *c = json_first(data); c; c = json_next(c)) {
        AUTO(buf_release) struct buf bytes = BUF_INIT(1 << 20);
        AUTO(buf_release) struct buf text = BUF_INIT(2 << 20);

        if (!json_string(c))
            return true; /* one that is no string voids them all */
        digest_unbase64(str_of(json_string(c)), false, &bytes);
        digest_base64(buf_view(&bytes), false, &text);
        json_set_string(details, json_key(c), buf_cstr(&text));
    }
    return true;
}

static bool
conditions(const struct fn_request *req, struct fn_response *rsp,
           const struct json *object)
{
    const struct json *list = json_get(object, "conditions");

    (void)req;
    if (!json_is(list, JSON_ARRAY)) {
        fn_resultf(rsp, FN_FATAL,
                   "cannot get Conditions from input: conditions: %s",
                   list ? "not an array" : "no such field");
        return false;
    }
    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        const char *type = field(c, "type"), *status = field(c, "status");
        const char *message = field(c, "message");
        bool known =
            strcmp(status, "True") == 0 || strcmp(status, "False") == 0;
        bool claim = strcmp(field(c, "target"), "CompositeAndClaim") == 0;

        if (compose_reserved_condition(type)) {
            fn_resultf(rsp, FN_FATAL,
                       "cannot set ClaimCondition type: %s is a reserved "
                       "Crossplane Condition",
                       type);
            return false;
        }
        fn_condition_add(rsp, type, known ? status : "Unknown",
                         field(c, "reason"), *message ? message : NULL,
                         claim ? FN_TARGET_COMPOSITE_AND_CLAIM
                               : FN_TARGET_COMPOSITE);
    }
    return true;
}

/* Data over the context the function was given; upstream writes all of that
 * back, so that a second Context object undoes what the first did to keys the
 * request had. */
static bool
context(const struct fn_request *req, struct fn_response *rsp,
        const struct json *object)
{
    const struct json *data = json_get(object, "data"), *had = fn_context(req);

    if (!json_is(data, JSON_OBJECT)) {
        fn_resultf(rsp, FN_FATAL, "cannot get Contexts from input: %s%s%s",
                   data ? "cannot unmarshal value from JSON: json: cannot "
                          "unmarshal "
                        : "data: no such field",
                   !data                        ? ""
                   : json_is(data, JSON_STRING) ? "string"
                   : json_is(data, JSON_ARRAY)  ? "array"
                   : json_is(data, JSON_BOOL)   ? "bool"
                                                : "number",
                   data ? " into Go value of type map[string]interface {}"
                        : "");
        return false;
    }
    AUTO(json_free_ptr)
    struct json *all =
        json_is(had, JSON_OBJECT) ? json_copy(had) : json_new_object();

    merge(all, data);
    for (const struct json *c = json_first(all); c; c = json_next(c))
        json_set(rsp->context, json_key(c), json_copy(c));
    return true;
}

static struct json *
selector(const struct json *r)
{
    struct json *s = json_new_object();
    const char *name = field(r, "matchName"), *ns = field(r, "namespace");
    const struct json *labels = json_get(r, "matchLabels");

    json_set_string(s, "apiVersion", field(r, "apiVersion"));
    json_set_string(s, "kind", field(r, "kind"));
    if (!*name) {
        struct json *match = json_need_object(s, "matchLabels");

        json_set(match, "labels",
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
requirements(const struct fn_request *req, struct fn_response *rsp,
             const struct json *object)
{
    const struct json *all = json_get(object, "requirements");

    (void)req;
    if (!all) {
        fn_resultf(rsp, FN_FATAL,
                   "cannot get extra resources requirements: requirements: no "
                   "such field");
        return false;
    }
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

/* Objects of the function's own group. */
static bool
meta(const struct fn_request *req, struct fn_response *rsp,
     const struct json *object)
{
    static const struct {
        const char *kind;
        bool (*take)(const struct fn_request *req, struct fn_response *rsp,
                     const struct json *object);
    } kinds[] = {
        {"CompositeConnectionDetails", connection_details},
        {"ClaimConditions", conditions},
        {"Context", context},
        {"ExtraResources", requirements},
    };
    const char *kind = field(object, "kind");

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i].kind, kind) == 0)
            return kinds[i].take(req, rsp, object);
    }
    fn_resultf(rsp, FN_FATAL,
               "invalid kind \"%s\" for apiVersion \"" META_VERSION
               "\" - must be one of CompositeConnectionDetails, Context or "
               "ExtraResources",
               kind);
    return false;
}

/* Takes *object over when it becomes a desired resource. */
static bool
take(const struct fn_request *req, struct fn_response *rsp,
     struct json **object)
{
    const struct json *xr = fn_observed_composite(req);
    const char *name = annotation(*object, ANNOTATION_NAME);
    bool ready_set;
    enum fn_ready ready;

    if (strcmp(field(*object, "apiVersion"), META_VERSION) == 0)
        return meta(req, rsp, *object);
    if (!readiness(rsp, *object, &ready_set, &ready))
        return false;
    if (!name && strcmp(field(*object, "kind"), field(xr, "kind")) == 0 &&
        strcmp(field(*object, "apiVersion"), field(xr, "apiVersion")) == 0)
        return composite(rsp, *object, ready_set, ready);
    if (!name) {
        fn_resultf(rsp, FN_FATAL,
                   "\"%s\" template is missing required \"" ANNOTATION_NAME
                   "\" annotation",
                   field(*object, "kind"));
        return false;
    }
    AUTO(mem_free_ptr) char *kept = mem_strdup(name);

    remove_annotation(*object, ANNOTATION_READY);
    remove_annotation(*object, ANNOTATION_NAME);
    fn_desired_set(rsp, kept, *object, ready);
    *object = NULL;
    return true;
}

/* What was required lands in the context, where other steps find it. */
static void
required_to_context(const struct fn_request *req, struct fn_response *rsp)
{
    const struct json *all = json_get(req->data, "requiredResources");
    const struct json *had = json_get(fn_context(req), CONTEXT_EXTRA);

    if (!json_len(all))
        return;
    struct json *merged =
        json_is(had, JSON_OBJECT) ? json_copy(had) : json_new_object();

    for (const struct json *c = json_first(all); c; c = json_next(c))
        json_set(merged, json_key(c), json_copy(c));
    json_set(rsp->context, CONTEXT_EXTRA, merged);
}

static void
run(const struct fn_request *req, struct fn_response *rsp)
{
    AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);
    struct manifests objects;
    struct error err = {0};
    bool ok = true;

    if (!render(req->prepared, req, &text, &err) ||
        !manifests_read(buf_view(&text), &objects, &err)) {
        fn_resultf(rsp, FN_FATAL, "%s", err.msg);
        return;
    }
    for (size_t i = 0; i < objects.n && ok; i++)
        ok = take(req, rsp, &objects.v[i]);
    if (ok)
        required_to_context(req, rsp);
    manifests_release(&objects);
}

const struct function fn_gotemplate = {
    .name = "function-go-templating",
    .prepare = prepare,
    .discard = discard,
    .run = run,
};
