/*
 * function-patch-and-transform (v0.10.8): composed resources from base
 * templates, and patches between them, the composite and the environment.
 */
#include "lib/compose/fn_patch.h"

#include "lib/base/mem.h"

#include "lib/compose/format.h"
#include "lib/compose/gojson.h"

#define ENVIRONMENT_KEY "apiextensions.crossplane.io/environment"

struct patch_run {
    const struct fn_request *req;
    struct fn_response *rsp;
    struct patch_object at[PATCH_PLACES];
    struct json *details; /* the XR's connection details, KEY -> base64 */
    bool skipped;         /* a resource waits for a required field */
};

/* ---- the objects ---- */

static bool
has_gvk(const struct json *env)
{
    const char *version = json_get_text(env, "apiVersion");

    return patch_version_fits(env) && (*json_get_text(env, "kind") ||
                                       (*version && strcmp(version, "/") != 0));
}

static void
start(struct patch_run *r)
{
    const struct json *xr = fn_observed_composite(r->req);
    struct json *desired = fn_desired_composite(r->rsp);
    struct json *wrapper = json_get(r->rsp->desired, "composite");
    struct json *env = json_need_object(r->rsp->context, ENVIRONMENT_KEY);

    json_set_string(desired, "apiVersion", json_get_text(xr, "apiVersion"));
    json_set_string(desired, "kind", json_get_text(xr, "kind"));
    fn_ready_set(wrapper, FN_READY_UNSPECIFIED);
    if (!has_gvk(env)) {
        json_set_string(env, "apiVersion", "internal.crossplane.io/v1alpha1");
        json_set_string(env, "kind", "Environment");
    }
    r->details = json_need_object(wrapper, "connectionDetails");
    r->at[PATCH_OBSERVED_XR] = (struct patch_object){.j = xr, .floats = true};
    r->at[PATCH_DESIRED_XR] = (struct patch_object){desired, desired, true};
    r->at[PATCH_ENVIRONMENT] = (struct patch_object){env, env, true};
}

static bool
patch_environment(struct patch_run *r, const struct json *patches)
{
    int i = 0;

    for (const struct json *p = json_first(patches); p; p = json_next(p), i++) {
        const struct patch_type *type = patch_type_of(p);
        struct error err = {0};

        if (patch_apply(p, &r->at[type->env_from], &r->at[type->env_to],
                        &err) ||
            (err.code == ERR_NOT_FOUND &&
             strcmp(patch_from_policy(p), "Optional") == 0))
            continue;
        fn_resultf(r->rsp, FN_FATAL,
                   "cannot apply the \"%s\" environment patch at index %d: %s",
                   type->name, i, err.msg);
        return false;
    }
    return true;
}

/* ---- one resource ---- */

/* A fresh object from the base, or a copy of what an earlier step desires;
 * NULL: a fatal result says why not. */
static struct json *
new_desired(struct patch_run *r, const struct json *template, const char *name)
{
    const struct json *base = json_get(template, "base");
    const struct json *before = json_at(r->rsp->desired, "resources",
                                        json_get_text(template, "name"), NULL);
    struct error err = {0};

    if (json_type_of(base) == JSON_NULL) {
        if (before)
            return json_copy(json_get(before, "resource"));
        fn_resultf(r->rsp, FN_FATAL,
                   "composed resource %s has no base template, and was not "
                   "produced by a previous Function in the pipeline",
                   name);
        return NULL;
    }
    if (gojson_check(base, &strict_object, &err) &&
        patch_has_kind(base, JSON_COMPACT, &err))
        return json_copy(base);
    fn_resultf(r->rsp, FN_FATAL,
               "cannot parse base template of composed resource %s: %s", name,
               err.msg);
    return NULL;
}

/* The observed object's name (namespace) is the desired one's, or none. */
static void
associate(struct json *desired, const struct json *observed, const char *member)
{
    const char *text = json_get_text(json_get(observed, "metadata"), member);
    struct json *meta = json_get(desired, "metadata");

    if (meta && !json_is(meta, JSON_OBJECT))
        return;
    if (*text)
        json_set_string(json_need_object(desired, "metadata"), member, text);
    else if (meta)
        json_del(meta, member);
}

/* What is taken from a resource that exists; whether it is ready. */
static bool
observe(struct patch_run *r, const struct json *template,
        const struct json *wrapper, const char *name)
{
    const struct json *observed = json_get(wrapper, "resource");
    struct json *desired = r->at[PATCH_DESIRED].own;
    struct error err = {0};
    bool ready;

    associate(desired, observed, "namespace");
    associate(desired, observed, "name");
    patch_connection_details(json_get(template, "connectionDetails"), wrapper,
                             r->details);
    if (!patch_is_ready(json_get(template, "readinessChecks"), observed, &ready,
                        &err))
        fn_resultf(r->rsp, FN_WARNING,
                   "cannot check readiness of composed resource %s: %s", name,
                   err.msg);
    return ready;
}

enum outcome { APPLIED, SKIPPED, FAILED };

/* What becomes of the resource when patch i failed. */
static enum outcome
judge(struct patch_run *r, const struct json *patch, size_t i, const char *name,
      const struct error *err)
{
    const struct patch_type *type = patch_type_of(patch);

    if (err->code != ERR_NOT_FOUND) {
        fn_resultf(r->rsp, FN_FATAL,
                   "cannot render composed resource %s \"%s\" patch at index "
                   "%zu: %s",
                   name, type->name, i, err->msg);
        return FAILED;
    }
    if (strcmp(patch_from_policy(patch), "Required") != 0)
        return APPLIED;
    if (type->to == PATCH_DESIRED && !r->at[PATCH_OBSERVED].j) {
        fn_resultf(r->rsp, FN_WARNING,
                   "not adding new composed resource %s to desired state "
                   "because \"%s\" patch at index %zu has "
                   "'policy.fromFieldPath: Required': %s",
                   name, type->name, i, err->msg);
        return SKIPPED;
    }
    fn_resultf(r->rsp, FN_WARNING,
               "cannot render composed resource %s \"%s\" patch at index %zu: "
               "ignoring 'policy.fromFieldPath: Required' because 'to' "
               "resource already exists: %s",
               name, type->name, i, err->msg);
    return APPLIED;
}

static enum outcome
patch_resource(struct patch_run *r, const struct patch_template *t,
               const char *name)
{
    enum outcome outcome = APPLIED;

    for (size_t i = 0; i < t->n && outcome == APPLIED; i++) {
        const struct patch_type *type = patch_type_of(t->patches[i]);
        struct error err = {0};

        /* What does not exist yet is patched from once it does. */
        if (!r->at[type->from].j)
            continue;
        if (!patch_apply(t->patches[i], &r->at[type->from], &r->at[type->to],
                         &err))
            outcome = judge(r, t->patches[i], i, name, &err);
    }
    return outcome;
}

static bool
run_template(struct patch_run *r, const struct patch_template *t)
{
    AUTO(buf_release) struct buf quoted = BUF_INIT(BUF_TEXT_MAX);
    const char *name = json_get_text(t->json, "name");
    const struct json *wrapper = json_get(fn_observed_all(r->req), name);
    struct json *desired;
    bool ready = false;

    format_quote(str_of(name), false, &quoted);
    name = buf_cstr(&quoted);
    desired = new_desired(r, t->json, name);
    if (!desired)
        return false;
    r->at[PATCH_OBSERVED] = (struct patch_object){
        .j = json_get(wrapper, "resource"), .floats = true};
    r->at[PATCH_DESIRED] = (struct patch_object){
        desired, desired, json_type_of(json_get(t->json, "base")) == JSON_NULL};
    if (wrapper)
        ready = observe(r, t->json, wrapper, name);
    enum outcome outcome = patch_resource(r, t, name);

    if (outcome == APPLIED) {
        fn_desired_set(r->rsp, json_get_text(t->json, "name"), desired,
                       ready ? FN_READY_TRUE : FN_READY_UNSPECIFIED);
        return true;
    }
    json_free(desired);
    r->skipped = r->skipped || outcome == SKIPPED;
    return outcome == SKIPPED;
}

/* ---- the whole ---- */

/* XRs of Crossplane v2 are told by their spec.crossplane. */
static bool
compose_secret(struct patch_run *r, const struct json *ref)
{
    const struct json *xr = r->at[PATCH_OBSERVED_XR].j;
    const struct json *spec = json_get(xr, "spec");
    AUTO(mem_free_ptr) char *name = NULL;
    struct error err = {0};
    struct json *secret;

    if (!json_len(r->details)) {
        json_del(json_get(r->rsp->desired, "composite"), "connectionDetails");
        return true;
    }
    if (!json_get(spec, "crossplane"))
        return true;
    secret = patch_connection_secret(xr, r->details, ref, &err);
    if (!secret) {
        fn_resultf(r->rsp, FN_FATAL, "cannot compose connection secret: %s",
                   err.msg);
        return false;
    }
    name = mem_printf("%s-connection-secret",
                      json_get_text(json_get(xr, "metadata"), "name"));
    fn_desired_set(r->rsp, name, secret, FN_READY_TRUE);
    return true;
}

static void
run(const struct fn_request *req, struct fn_response *rsp)
{
    const struct patch_input *in = req->prepared;
    const struct json *env = json_get(in->tree, "environment");
    struct patch_run r = {.req = req, .rsp = rsp};
    bool ok;

    rsp->ttl_s = 60;
    start(&r);
    ok = patch_environment(&r, json_get(env, "patches"));
    for (size_t i = 0; i < in->n && ok; i++)
        ok = run_template(&r, &in->templates[i]);
    if (!ok ||
        !compose_secret(&r, json_get(in->tree, "writeConnectionSecretToRef")))
        return;
    if (r.skipped)
        fn_ready_set(json_get(rsp->desired, "composite"), FN_READY_FALSE);
}

static void *
prepare(const struct json *input, struct error *err)
{
    return patch_input_new(input, err);
}

static void
discard(void *prepared)
{
    patch_input_free(prepared);
}

const struct function fn_patch = {
    .name = "function-patch-and-transform",
    .prepare = prepare,
    .discard = discard,
    .run = run,
};
