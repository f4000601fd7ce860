/* What the input must be beyond its types, in the words of validate.go. */
#include <stdio.h>

#include "lib/base/mem.h"

#include "lib/compose/fn_patch.h"
#include "lib/compose/format.h"

/* ---- Kubernetes' field.Error ---- */

bool
patch_required(struct error *err, const char *path, const char *detail)
{
    return error_set(err, ERR_INVALID, "%s: Required value: %s", path, detail);
}

bool
patch_invalid(struct error *err, const char *path, const char *value,
              const char *detail)
{
    AUTO(buf_release) struct buf quoted = BUF_INIT(4096);

    format_quote(str_of(value), false, &quoted);
    return error_set(err, ERR_INVALID, "%s: Invalid value: %s: %s", path,
                     buf_cstr(&quoted), detail);
}

bool
patch_under(struct error *err, const char *fmt, ...)
{
    struct error inner = err ? *err : (struct error){0};
    char prefix[60];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(prefix, sizeof(prefix), fmt, ap);
    va_end(ap);
    return error_set(err, inner.code, "%s.%s", prefix, inner.msg);
}

/* ---- members ---- */

bool
patch_has(const struct json *j, const char *key)
{
    return json_type_of(json_get(j, key)) != JSON_NULL;
}

const struct patch_need *
patch_need_of(const struct patch_need *rows, size_t n, const struct json *j)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(rows[i].type, json_get_text(j, "type")) == 0)
            return &rows[i];
    }
    return NULL;
}

bool
patch_check_need(const struct patch_need *rows, size_t n, const struct json *j,
                 const char *missing, const char *unknown, struct error *err)
{
    const struct patch_need *row = patch_need_of(rows, n, j);
    const char *type = json_get_text(j, "type");

    if (missing && !*type)
        return patch_required(err, "type", missing);
    if (!row)
        return patch_invalid(err, "type", type, unknown);
    return !row->member || patch_has(j, row->member) ||
           patch_required(err, row->member, row->missing);
}

/* ---- lists of one thing ---- */

typedef bool check_fn(const struct json *j, struct error *err);

static bool
check_each(const struct json *parent, const char *key, check_fn *check,
           struct error *err)
{
    int i = 0;

    for (const struct json *j = json_first(json_get(parent, key)); j;
         j = json_next(j), i++) {
        if (!check(j, err))
            return patch_under(err, "%s[%d]", key, i);
    }
    return true;
}

/* ---- patches ---- */

static bool
check_combine(const struct json *c, struct error *err)
{
    const struct json *variables = json_get(c, "variables");
    const char *strategy = json_get_text(c, "strategy");
    int i = 0;

    if (!*strategy)
        return patch_required(err, "strategy",
                              "a combine strategy must be provided");
    if (strcmp(strategy, "string") != 0)
        return patch_invalid(err, "strategy", strategy,
                             "unknown strategy type");
    if (!patch_has(c, "string"))
        return patch_required(err, "string",
                              "string must be set for combine strategy string");
    if (!json_len(variables))
        return patch_required(err, "variables",
                              "at least one variable must be provided");
    for (const struct json *v = json_first(variables); v;
         v = json_next(v), i++) {
        if (*json_get_text(v, "fromFieldPath"))
            continue;
        patch_required(err, "fromFieldPath",
                       "fromFieldPath must be set for each combine variable");
        return patch_under(err, "variables[%d]", i);
    }
    return true;
}

static bool
required_by_type(struct error *err, const char *member, const char *type)
{
    AUTO(mem_free_ptr)
    char *detail = mem_printf("%s must be set for patch type %s", member, type);

    return patch_required(err, member, detail);
}

static bool
check_policy(const struct json *patch, struct error *err)
{
    const char *from = patch_from_policy(patch), *to = patch_to_policy(patch);

    if (!patch_to_policy_known(to))
        return patch_invalid(err, "policy.toFieldPathPolicy", to,
                             "unknown toFieldPathPolicy");
    return strcmp(from, "Required") == 0 || strcmp(from, "Optional") == 0 ||
           patch_invalid(err, "policy.fromFieldPathPolicy", from,
                         "unknown fromFieldPathPolicy");
}

static bool
check_patch(const struct json *p, struct error *err)
{
    const struct patch_type *type = patch_type_of(p);
    const char *name = patch_type_name(p);

    if (!type)
        return patch_invalid(err, "type", name, "unknown patch type");
    if (type->from == PATCH_NOWHERE)
        return *json_get_text(p, "patchSetName") ||
               required_by_type(err, "patchSetName", name);
    if (type->combine) {
        /* Upstream looks no further: transforms and policy go unchecked. */
        if (!patch_has(p, "combine"))
            return required_by_type(err, "combine", name);
        if (!*json_string_or(json_get(p, "toFieldPath"),
                             json_get_text(p, "fromFieldPath")))
            return required_by_type(err, "toFieldPath", name);
        return check_combine(json_get(p, "combine"), err) ||
               patch_under(err, "combine");
    }
    if (!*json_get_text(p, "fromFieldPath"))
        return required_by_type(err, "fromFieldPath", name);
    return check_each(p, "transforms", patch_transform_check, err) &&
           check_policy(p, err);
}

static bool
check_set_patch(const struct json *p, struct error *err)
{
    if (strcmp(patch_type_name(p), "PatchSet") == 0)
        return patch_invalid(err, "type", "PatchSet",
                             "patch type *v1beta1.PatchSetPatch does not "
                             "support patch of type PatchSet");
    return check_patch(p, err);
}

static bool
check_environment(const struct json *env, struct error *err)
{
    int i = 0;

    for (const struct json *p = json_first(json_get(env, "patches")); p;
         p = json_next(p), i++) {
        const struct patch_type *type = patch_type_of(p);
        char path[40];

        if (type && type->env_from != PATCH_NOWHERE) {
            if (!check_patch(p, err))
                return patch_under(err, "patches[%d]", i);
            continue;
        }
        snprintf(path, sizeof(path), "patches[%d][type]", i);
        return patch_invalid(err, path, patch_type_name(p),
                             "invalid environment patch type");
    }
    return true;
}

/* ---- the rest of a template ---- */

static bool
check_detail(const struct json *d, struct error *err)
{
    static const struct patch_need types[] = {
        {"FromValue", "value", "value connection detail requires a value"},
        {"FromConnectionSecretKey", "fromConnectionSecretKey",
         "from connection secret key connection detail requires a key"},
        {"FromFieldPath", "fromFieldPath",
         "from field path connection detail requires a field path"},
    };

    if (patch_need_of(types, ARRAY_LEN(types), d) && !*json_get_text(d, "name"))
        return patch_required(err, "name", "name is required");
    return patch_check_need(types, ARRAY_LEN(types), d,
                            "connection detail type is required",
                            "unknown connection detail type", err);
}

static bool
check_readiness(const struct json *c, struct error *err)
{
    static const struct patch_need types[] = {
        {"None", NULL, NULL},
        {"MatchCondition", NULL, NULL},
        {"MatchString", "matchString", "cannot be nil for type MatchString"},
        {"MatchInteger", "matchInteger", "cannot be nil for type MatchInteger"},
        {"NonEmpty", NULL, NULL},
        {"MatchFalse", NULL, NULL},
        {"MatchTrue", NULL, NULL},
    };
    static const char *const members[] = {"type", "status"};
    const struct json *condition = json_get(c, "matchCondition");
    bool has_condition = patch_has(c, "matchCondition");
    const struct patch_need *type = patch_need_of(types, ARRAY_LEN(types), c);

    if (!patch_check_need(types, ARRAY_LEN(types), c, NULL,
                          "unknown readiness check type", err))
        return false;
    if (type == &types[0])
        return true;
    if (type != &types[1])
        return patch_has(c, "fieldPath") ||
               patch_required(err, "fieldPath", "cannot be empty");
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        if (!has_condition || *json_get_text(condition, members[i]))
            continue;
        patch_required(err, members[i],
                       "cannot be empty for type MatchCondition");
        return patch_under(err, "matchCondition");
    }
    return true;
}

static bool
check_template(const struct json *t, struct error *err)
{
    if (!*json_get_text(t, "name"))
        return patch_required(err, "name", "name is required");
    return check_each(t, "patches", check_patch, err) &&
           check_each(t, "connectionDetails", check_detail, err) &&
           check_each(t, "readinessChecks", check_readiness, err);
}

bool
patch_validate(const struct json *input, struct error *err)
{
    const struct json *sets = json_get(input, "patchSets");
    const struct json *env = json_get(input, "environment");

    for (const struct json *s = json_first(sets); s; s = json_next(s)) {
        if (!*json_get_text(s, "name"))
            return patch_required(err, "name", "name is required");
        if (!check_each(s, "patches", check_set_patch, err))
            return false;
    }
    if (!json_len(json_get(input, "resources")) &&
        !json_len(json_get(env, "patches")))
        return patch_required(err, "resources",
                              "resources or environment patches are required");
    return check_each(input, "resources", check_template, err) &&
           (check_environment(env, err) || patch_under(err, "environment"));
}
