/* One patch: a value is read, changed on its way, and put in its place. */
#include "lib/base/mem.h"

#include "lib/compose/fieldpath.h"
#include "lib/compose/fn_patch.h"
#include "lib/compose/format.h"
#include "lib/compose/merge.h"

#define TEXT_MAX ((size_t)8 << 20)

/* ---- types and policies ---- */

static const struct patch_type types[] = {
    {"FromCompositeFieldPath", false, PATCH_OBSERVED_XR, PATCH_DESIRED,
     PATCH_OBSERVED_XR, PATCH_ENVIRONMENT},
    {"CombineFromComposite", true, PATCH_OBSERVED_XR, PATCH_DESIRED,
     PATCH_OBSERVED_XR, PATCH_ENVIRONMENT},
    {"ToCompositeFieldPath", false, PATCH_OBSERVED, PATCH_DESIRED_XR,
     PATCH_ENVIRONMENT, PATCH_DESIRED_XR},
    {"CombineToComposite", true, PATCH_OBSERVED, PATCH_DESIRED_XR,
     PATCH_ENVIRONMENT, PATCH_DESIRED_XR},
    {"FromEnvironmentFieldPath", false, PATCH_ENVIRONMENT, PATCH_DESIRED,
     PATCH_ENVIRONMENT, PATCH_DESIRED_XR},
    {"CombineFromEnvironment", true, PATCH_ENVIRONMENT, PATCH_DESIRED,
     PATCH_NOWHERE, PATCH_NOWHERE},
    {"ToEnvironmentFieldPath", false, PATCH_OBSERVED, PATCH_ENVIRONMENT,
     PATCH_OBSERVED_XR, PATCH_ENVIRONMENT},
    {"CombineToEnvironment", true, PATCH_OBSERVED, PATCH_ENVIRONMENT,
     PATCH_NOWHERE, PATCH_NOWHERE},
    {"PatchSet", false, PATCH_NOWHERE, PATCH_NOWHERE, PATCH_NOWHERE,
     PATCH_NOWHERE},
};

const char *
patch_type_name(const struct json *patch)
{
    const char *type = json_get_text(patch, "type");

    return *type ? type : types[0].name;
}

const struct patch_type *
patch_type_of(const struct json *patch)
{
    const char *name = patch_type_name(patch);

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (strcmp(types[i].name, name) == 0)
            return &types[i];
    }
    return NULL;
}

static const struct policy {
    const char *name;
    bool replaces;
    struct merge_options merge;
} policies[] = {
    {.name = "Replace", .replaces = true},
    {.name = "MergeObjects", .merge = {.keep = true}},
    {.name = "MergeObject", .merge = {.keep = true}},
    {.name = "MergeObjectsAppendArrays",
     .merge = {.keep = true, .append = true}},
    {.name = "ForceMergeObjects"},
    {.name = "ForceMergeObjectsAppendArrays", .merge = {.append = true}},
    {.name = "AppendArray", .merge = {.append = true}},
};

const char *
patch_from_policy(const struct json *patch)
{
    return json_string_or(json_at(patch, "policy", "fromFieldPath", NULL),
                          "Optional");
}

const char *
patch_to_policy(const struct json *patch)
{
    return json_string_or(json_at(patch, "policy", "toFieldPath", NULL),
                          policies[0].name);
}

static const struct policy *
policy_of(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
        if (strcmp(policies[i].name, name) == 0)
            return &policies[i];
    }
    return NULL;
}

bool
patch_to_policy_known(const char *policy)
{
    return policy_of(policy) != NULL;
}

/* ---- reading ---- */

static bool
read_field(struct patch_work *w, const struct patch_object *from,
           const char *path, struct value *out)
{
    const struct json *j = fieldpath_get(from->j, str_of(path), w->err);

    if (!j)
        return false;
    /* The empty path names nothing, which Go reads as nil. */
    *out = *path
               ? value_json(w->a, j, from->floats ? NUMBERS_JSON : NUMBERS_K8S)
               : value_nil();
    return true;
}

static bool
read_combined(struct patch_work *w, const struct patch_object *from,
              const struct json *combine, struct value *out)
{
    AUTO(buf_release) struct buf text = BUF_INIT(TEXT_MAX);
    const struct json *variables = json_get(combine, "variables");
    const char *strategy = json_get_text(combine, "strategy");
    struct value *v =
        arena_array(w->a, json_len(variables) + 1, sizeof(struct value));
    size_t n = 0;

    for (const struct json *p = json_first(variables); p; p = json_next(p)) {
        if (!read_field(w, from, json_get_text(p, "fromFieldPath"), &v[n++]))
            return false;
    }
    if (strcmp(strategy, "string") != 0)
        return error_set(w->err, ERR_INVALID,
                         "combine strategy %s is not supported", strategy);
    if (!patch_has(combine, "string"))
        return error_set(w->err, ERR_INVALID,
                         "given combine strategy string requires "
                         "configuration");
    format_printf(w->a,
                  str_of(json_get_text(json_get(combine, "string"), "fmt")), v,
                  n, &text);
    if (text.over)
        return error_set(w->err, ERR_LIMIT, "a text of more than %zu MiB",
                         TEXT_MAX >> 20);
    *out = value_str(arena_str(w->a, buf_view(&text)));
    return true;
}

/* ---- writing ---- */

bool
patch_version_fits(const struct json *j)
{
    const char *slash = strchr(json_get_text(j, "apiVersion"), '/');

    return !slash || !strchr(slash + 1, '/');
}

bool
patch_has_kind(const struct json *j, unsigned flags, struct error *err)
{
    AUTO(mem_free_ptr) char *text = NULL;

    if (*json_get_text(j, "kind") && patch_version_fits(j))
        return true;
    text = json_text(j, JSON_SORTED | flags);
    return error_set(err, ERR_INVALID, "Object 'Kind' is missing in '%s'",
                     text);
}

/* Upstream decodes the object anew after each patch, and the decoder wants a
 * kind; whole numbers are int64 after it. */
static bool
decoded(struct patch_object *to, struct error *err)
{
    to->floats = false;
    return patch_has_kind(to->own, JSON_HTML, err);
}

/* floats: value did not go through Kubernetes' decoder either. */
static bool
write_one(struct patch_object *to, const char *path, struct json *value,
          bool floats, const struct policy *policy, struct error *err)
{
    struct merge_options o = policy->merge;

    o.dst_floats = to->floats;
    o.src_floats = floats;
    return (merge_at(to->own, str_of(path), value, policy->replaces ? NULL : &o,
                     err) &&
            decoded(to, err)) ||
           error_wrap(err, "cannot patch to object");
}

static bool
write_all(struct patch_object *to, const char *path, const struct json *value,
          const struct policy *policy, struct error *err)
{
    AUTO(strlist_release) struct strlist paths = {0};
    struct merge_options o = policy->merge;

    o.dst_floats = to->floats;
    if (!fieldpath_expand(to->own, str_of(path), &paths, err))
        return false;
    if (!paths.n)
        return error_set(err, ERR_INVALID, "cannot expand ToFieldPath %s",
                         path);
    for (size_t i = 0; i < paths.n; i++) {
        if (!merge_at(to->own, str_of(paths.v[i]), json_copy(value),
                      policy->replaces ? NULL : &o, err))
            return false;
    }
    return decoded(to, err);
}

static struct json *
marshal(struct patch_work *w, struct value v)
{
    size_t work = 0;
    struct json *j = value_to_json(w->a, v, &work, w->err);

    if (!j)
        error_wrap(w->err, "cannot marshal value to JSON");
    return j;
}

/* ---- the whole ---- */

static bool
apply_combine(struct patch_work *w, const struct json *patch,
              const struct policy *policy, const struct patch_object *from,
              struct patch_object *to)
{
    const char *path = json_string_or(json_get(patch, "toFieldPath"),
                                      json_get_text(patch, "fromFieldPath"));
    struct value v;
    struct json *j;

    if (!read_combined(w, from, json_get(patch, "combine"), &v) ||
        !patch_transforms(w, json_get(patch, "transforms"), &v))
        return false;
    if (!policy)
        return error_set(w->err, ERR_INVALID, "invalid patch policy %s",
                         patch_to_policy(patch));
    j = marshal(w, v);
    return j ? write_one(to, path, j, true, policy, w->err)
             : error_wrap(w->err, "cannot patch to object");
}

static bool
apply_field(struct patch_work *w, const struct json *patch,
            const struct policy *policy, const struct patch_object *from,
            struct patch_object *to)
{
    const char *path = json_get_text(patch, "fromFieldPath");
    struct value v;
    struct json *j;

    if (!read_field(w, from, path, &v) ||
        !patch_transforms(w, json_get(patch, "transforms"), &v))
        return false;
    j = marshal(w, v);
    if (!j)
        return false;
    path = json_string_or(json_get(patch, "toFieldPath"), path);
    bool ok = false;

    if (!policy)
        error_set(w->err, ERR_INVALID, "invalid patch policy %s",
                  patch_to_policy(patch));
    else if (!strstr(path, "[*]"))
        return write_one(to, path, j, false, policy, w->err);
    else
        ok = write_all(to, path, j, policy, w->err);
    json_free(j);
    return ok;
}

bool
patch_apply(const struct json *patch, const struct patch_object *from,
            struct patch_object *to, struct error *err)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    AUTO(json_free_ptr) struct json *keep = json_new_array();
    struct patch_work w = {a, keep, err};
    const struct policy *policy = policy_of(patch_to_policy(patch));

    return patch_type_of(patch)->combine
               ? apply_combine(&w, patch, policy, from, to)
               : apply_field(&w, patch, policy, from, to);
}
