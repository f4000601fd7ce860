/*
 * function-environment-configs (v0.7.1): merges the data of EnvironmentConfigs,
 * found by name or by labels, into the environment in the context.
 *
 * What wins over what: EnvironmentConfigs in the order of the input, then the
 * environment that an earlier step left, then defaultData. Maps merge, anything
 * else is replaced. Configs with a toFieldPath of their own are merged in the
 * order in which the paths appear (upstream: in any order).
 */
#include <stdio.h>

#include "lib/compose/fieldpath.h"
#include "lib/compose/gojson.h"
#include "lib/compose/required.h"

#define CONTEXT_KEY "apiextensions.crossplane.io/environment"

/* ---- the input ---- */

STRICT_NAMED(source_type, "v1beta1.EnvironmentSourceType");
STRICT_NAMED(mode_type, "v1beta1.EnvironmentSourceSelectorModeType");
STRICT_FIELDS(reference, "v1beta1.EnvironmentSourceReference",
              {"name", &strict_string});
STRICT_FIELDS(selector, "v1beta1.EnvironmentSourceSelector",
              {"mode", &mode_type}, {"maxMatch", &strict_uint64},
              {"minMatch", &strict_uint64}, {"sortByFieldPath", &strict_string},
              {"matchLabels", &required_labels_type});
STRICT_FIELDS(source, "v1beta1.EnvironmentSource", {"type", &source_type},
              {"ref", &reference}, {"selector", &selector},
              {"toFieldPath", &strict_string});
STRICT_LIST_OF(sources, "[]v1beta1.EnvironmentSource", source);
static const struct strict_type default_data = {
    .kind = STRICT_MAP, .go = "map[string]v1.JSON", .item = &strict_any};
STRICT_FIELDS(spec_type, "v1beta1.InputSpec", {"defaultData", &default_data},
              {"environmentConfigs", &sources},
              {"policy", &required_policy_type});
STRICT_FIELDS(input_type, "v1beta1.Input", STRICT_TYPE_META,
              {"spec", &spec_type});

enum { KEY_MAX = 40 };

static void
key_of(size_t i, char out[KEY_MAX])
{
    snprintf(out, KEY_MAX, "environment-config-%zu", i);
}

/* ---- what came ---- */

/* Merges src, if it is an object, into dst: maps member by member, all else
 * takes src's place. */
static void
merge(struct json *dst, const struct json *src)
{
    if (!json_is(src, JSON_OBJECT))
        return;
    for (const struct json *s = json_first(src); s; s = json_next(s)) {
        struct json *d = json_get(dst, json_key(s));

        if (json_is(s, JSON_OBJECT) && json_is(d, JSON_OBJECT))
            merge(d, s);
        else
            json_set(dst, json_key(s), json_copy(s));
    }
}

/* The data of one EnvironmentConfig into env, below path when it has one. */
static bool
merge_config(struct json *env, const struct json *config, const char *path,
             struct error *err)
{
    const char *name =
        json_string_or(json_at(config, "metadata", "name", NULL), "");
    const struct json *data = json_get(config, "data");
    AUTO(json_free_ptr) struct json *below = json_new_object();
    struct error why = {0};

    if (*path) {
        if (!fieldpath_set(below, str_of(path),
                           data ? json_copy(data) : json_new_null(), NULL))
            return error_set(err, ERR_INVALID,
                             "cannot get data from environment config %s into "
                             "path \"%s\"",
                             name, path);
        merge(env, below);
        return true;
    }
    if (!data)
        return error_set(err, ERR_NOT_FOUND,
                         "cannot get data from environment config \"%s\": "
                         "data: no such field",
                         name);
    if (!gojson_check(data, &strict_object, &why))
        return error_set(err, ERR_INVALID,
                         "cannot get data from environment config \"%s\": "
                         "cannot unmarshal value from JSON: %s",
                         name, why.msg);
    merge(env, data);
    return true;
}

static bool
pick_selected(const struct json *e, struct required_items *r, struct error *err)
{
    const struct json *sel = json_get(e, "selector");
    const char *mode = json_string_or(json_get(sel, "mode"), "");
    uint64_t least;

    if (!*mode || strcmp(mode, "Single") == 0)
        return r->n == 1 ||
               error_set(err, ERR_INVALID,
                         "expected exactly one required resource, got %zu",
                         r->n);
    if (strcmp(mode, "Multiple") != 0)
        return error_set(err, ERR_INVALID, "unknown selector mode \"%s\"",
                         mode);
    if (!required_enough(r, sel, &least))
        return error_set(err, ERR_INVALID,
                         "expected at least %llu required resources, got %zu",
                         (unsigned long long)least, r->n);
    if (!required_sort(r, sel, true, err))
        return false;
    required_cut(r, sel);
    return true;
}

/* Checks what came for source e and leaves in r what is to be merged. */
static bool
pick(const struct json *spec, const struct json *e, const char *key,
     struct required_items *r, struct error *err)
{
    const char *name = json_string_or(json_at(e, "ref", "name", NULL), "");

    if (required_is_selector(e))
        return pick_selected(e, r, err) ||
               error_wrap(err,
                          "cannot process environment config \"%s\" by "
                          "selector",
                          key);
    if (r->n == 1 || (r->n == 0 && required_is_optional(spec)))
        return true;
    if (r->n == 0)
        error_set(err, ERR_NOT_FOUND,
                  "Required environment config \"%s\" not found", name);
    else
        error_set(err, ERR_INVALID,
                  "expected exactly one required resource \"%s\", got %zu",
                  name, r->n);
    return error_wrap(err,
                      "cannot process environment config \"%s\" by reference, "
                      "\"%s\"",
                      name, key);
}

/* NAME-n -> {path, configs} in the order of the input; groups by path. */
static bool
pick_all(const struct fn_request *req, const struct json *spec,
         struct json *groups, struct error *err)
{
    const struct json *all = json_get(spec, "environmentConfigs");
    char key[KEY_MAX];
    size_t at = 0;

    for (const struct json *e = json_first(all); e; e = json_next(e)) {
        AUTO(required_release) struct required_items r = {0};
        const char *path = json_string_or(json_get(e, "toFieldPath"), "");

        key_of(at++, key);
        if (!fn_required(req, key))
            continue; /* it was not asked for: no label was left */
        required_open(&r, fn_required(req, key));
        if (!pick(spec, e, key, &r, err))
            return error_wrap(err, "cannot get selected environment configs");
        for (size_t i = 0; i < r.n; i++)
            json_append(json_need_array(groups, path),
                        json_copy(r.v[i].object));
    }
    return true;
}

static struct json *
environment(const struct fn_request *req, const struct json *spec,
            struct error *err)
{
    AUTO(json_free_ptr) struct json *groups = json_new_object();
    AUTO(json_free_ptr) struct json *env = json_new_object();
    const struct json *before = json_get(fn_context(req), CONTEXT_KEY);

    if (!pick_all(req, spec, groups, err))
        return NULL;
    merge(env, json_get(spec, "defaultData"));
    merge(env, before);
    for (const struct json *g = json_first(groups); g; g = json_next(g)) {
        for (const struct json *c = json_first(g); c; c = json_next(c)) {
            if (!merge_config(env, c, json_key(g), err)) {
                error_wrap(err, "cannot merge environment data");
                return NULL;
            }
        }
    }
    if (!json_string_or(json_get(env, "apiVersion"), "")[0] &&
        !json_string_or(json_get(env, "kind"), "")[0]) {
        json_set_string(env, "apiVersion", "internal.crossplane.io/v1alpha1");
        json_set_string(env, "kind", "Environment");
    }
    struct json *done = env;

    env = NULL;
    return done;
}

/* ---- the function ---- */

static bool
ask(const struct fn_request *req, struct fn_response *rsp,
    const struct json *spec, struct error *err)
{
    const struct json *all = json_get(spec, "environmentConfigs");
    char key[KEY_MAX];
    size_t at = 0;

    for (const struct json *e = json_first(all); e; e = json_next(e)) {
        struct json *sel;

        if (!required_selector(e, "apiextensions.crossplane.io/v1beta1",
                               "EnvironmentConfig", fn_observed_composite(req),
                               &sel, err))
            return error_wrap(err, "cannot build requirements");
        key_of(at++, key);
        if (sel)
            json_set(rsp->requirements, key, sel);
    }
    return true;
}

static void
run(const struct fn_request *req, struct fn_response *rsp)
{
    const struct json *spec = json_get(fn_input(req), "spec");
    struct error err = {0};
    struct json *env;

    rsp->ttl_s = 60;
    if (!strict_input(fn_input(req), &input_type, &err)) {
        fn_resultf(rsp, FN_FATAL,
                   "cannot get Function input from *v1.RunFunctionRequest: %s",
                   err.msg);
        return;
    }
    if (!json_is(json_get(spec, "environmentConfigs"), JSON_ARRAY))
        return;
    if (!ask(req, rsp, spec, &err)) {
        fn_resultf(rsp, FN_FATAL, "%s", err.msg);
        return;
    }
    /* Nothing was fetched yet: the caller asks again with what it found. */
    if (!json_len(json_get(req->data, "requiredResources")))
        return;
    env = environment(req, spec, &err);
    if (env)
        json_set(rsp->context, CONTEXT_KEY, env);
    else
        fn_resultf(rsp, FN_FATAL, "%s", err.msg);
}

const struct function fn_environmentconfigs = {
    .name = "function-environment-configs",
    .run = run,
};
