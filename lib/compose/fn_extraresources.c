/*
 * function-extra-resources (v0.3.0): asks for resources by name or by labels
 * and puts what came, sorted and counted, into the context as plain objects.
 */
#include "lib/compose/required.h"

#define CONTEXT_KEY "apiextensions.crossplane.io/extra-resources"

/* ---- the input ---- */

STRICT_NAMED(source_type, "v1beta1.ResourceSourceType");
STRICT_FIELDS(reference, "v1beta1.ResourceSourceReference",
              {"name", &strict_string});
STRICT_FIELDS(selector, "v1beta1.ResourceSourceSelector",
              {"maxMatch", &strict_uint64}, {"minMatch", &strict_uint64},
              {"sortByFieldPath", &strict_string},
              {"matchLabels", &required_labels_type});
STRICT_FIELDS(source, "v1beta1.ResourceSource", {"type", &source_type},
              {"ref", &reference}, {"selector", &selector},
              {"kind", &strict_string}, {"apiVersion", &strict_string},
              {"namespace", &strict_string}, {"into", &strict_string});
STRICT_LIST_OF(sources, "[]v1beta1.ResourceSource", source);
STRICT_FIELDS(spec_type, "v1beta1.InputSpec", {"extraResources", &sources},
              {"policy", &required_policy_type});
STRICT_FIELDS(input_type, "v1beta1.Input", STRICT_TYPE_META,
              {"spec", &spec_type});

/* ---- what it asks for, what came ---- */

static bool
ask(struct fn_response *rsp, const struct json *e, const struct json *xr,
    struct error *err)
{
    struct json *sel;

    if (!required_selector(e, json_get_text(e, "apiVersion"),
                           json_get_text(e, "kind"), xr, &sel, err))
        return false;
    if (!sel)
        return true;
    if (json_get_string(e, "namespace"))
        json_set_string(sel, "namespace", json_get_string(e, "namespace"));
    json_set(rsp->requirements, json_get_text(e, "into"), sel);
    return true;
}

/* Does what came fit? *skip: nothing came and need not. */
static bool
check(const struct json *spec, const struct json *e, struct required_items *r,
      bool *skip, struct error *err)
{
    const struct json *sel = json_get(e, "selector");
    const char *into = json_get_text(e, "into");
    uint64_t least;

    if (required_is_selector(e)) {
        if (!required_enough(r, sel, &least))
            return error_set(err, ERR_INVALID,
                             "expected at least %llu extra resources \"%s\", "
                             "got %zu",
                             (unsigned long long)least, into, r->n);
        if (!required_sort(r, sel, false, err))
            return false;
        required_cut(r, sel);
        *skip = r->n == 0;
    } else if (r->n == 0) {
        *skip = true;
        if (!required_is_optional(spec))
            return error_set(err, ERR_NOT_FOUND,
                             "Required extra resource \"%s\" not found", into);
    } else if (r->n > 1) {
        return error_set(err, ERR_INVALID,
                         "expected exactly one extra resource \"%s\", got %zu",
                         into, r->n);
    }
    return true;
}

/* Adds fields[into]. */
static bool
gather(const struct fn_request *req, const struct json *spec,
       const struct json *e, struct json *fields, struct error *err)
{
    const char *into = json_get_text(e, "into");
    const struct json *found = fn_required(req, into);
    AUTO(required_release) struct required_items r = {0};
    bool skip = false;

    if (!found)
        return error_set(err, ERR_NOT_FOUND,
                         "cannot find expected extra resource \"%s\"", into);
    required_open(&r, found);
    if (!check(spec, e, &r, &skip, err))
        return false;
    for (size_t i = 0; !skip && i < r.n; i++)
        json_append(json_need_array(fields, into), json_copy(r.v[i].object));
    return true;
}

static void
run(const struct fn_request *req, struct fn_response *rsp)
{
    const struct json *spec = json_get(fn_input(req), "spec");
    const struct json *all = json_get(spec, "extraResources");
    AUTO(json_free_ptr) struct json *fields = json_new_object();
    struct error err = {0};

    rsp->ttl_s = 60;
    if (!strict_input(fn_input(req), &input_type, &err)) {
        fn_resultf(rsp, FN_FATAL,
                   "cannot get Function input from *v1.RunFunctionRequest: %s",
                   err.msg);
        return;
    }
    for (const struct json *e = json_first(all); e; e = json_next(e)) {
        if (!ask(rsp, e, fn_observed_composite(req), &err)) {
            fn_resultf(rsp, FN_FATAL,
                       "could not build extra resource requirements: %s",
                       err.msg);
            return;
        }
    }
    /* Nothing was fetched yet: the caller asks again with what it found. */
    if (!json_len(json_get(req->data, "requiredResources")))
        return;
    for (const struct json *e = json_first(all); e; e = json_next(e)) {
        if (!gather(req, spec, e, fields, &err)) {
            fn_resultf(rsp, FN_FATAL,
                       "verifying and sorting extra resources: %s", err.msg);
            return;
        }
    }
    json_set(rsp->context, CONTEXT_KEY, fields);
    fields = NULL;
}

const struct function fn_extraresources = {
    .name = "function-extra-resources",
    .run = run,
};
