/* The input as its Go types are declared, and patch sets put in their place. */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/compose/fn_patch.h"
#include "lib/compose/strict.h"

/* ---- transforms ---- */

static const struct strict_type go_int = {.kind = STRICT_INT, .go = "int"};

STRICT_NAMED(math_kind, "v1beta1.MathTransformType");
STRICT_FIELDS(math, "v1beta1.MathTransform", {"type", &math_kind},
              {"multiply", &strict_int64}, {"clampMin", &strict_int64},
              {"clampMax", &strict_int64});
static const struct strict_type map = {.kind = STRICT_MAP,
                                       .go = "v1beta1.MapTransform",
                                       .item = &strict_any,
                                       .own = "map[string]v1.JSON"};
STRICT_NAMED(pattern_kind, "v1beta1.MatchTransformPatternType");
STRICT_FIELDS(pattern, "v1beta1.MatchTransformPattern", {"type", &pattern_kind},
              {"literal", &strict_string}, {"regexp", &strict_string},
              {"result", &strict_any});
STRICT_LIST_OF(patterns, "[]v1beta1.MatchTransformPattern", pattern);
STRICT_NAMED(fallback_to, "v1beta1.MatchFallbackTo");
STRICT_FIELDS(match, "v1beta1.MatchTransform", {"patterns", &patterns},
              {"fallbackValue", &strict_any}, {"fallbackTo", &fallback_to});
STRICT_NAMED(string_kind, "v1beta1.StringTransformType");
STRICT_NAMED(string_convert, "v1beta1.StringConversionType");
STRICT_FIELDS(string_regexp, "v1beta1.StringTransformRegexp",
              {"match", &strict_string}, {"group", &go_int});
STRICT_FIELDS(string_join, "v1beta1.StringTransformJoin",
              {"separator", &strict_string});
STRICT_FIELDS(string_replace, "v1beta1.StringTransformReplace",
              {"search", &strict_string}, {"replace", &strict_string});
STRICT_FIELDS(string, "v1beta1.StringTransform", {"type", &string_kind},
              {"fmt", &strict_string}, {"convert", &string_convert},
              {"trim", &strict_string}, {"regexp", &string_regexp},
              {"join", &string_join}, {"replace", &string_replace});
STRICT_NAMED(io_type, "v1beta1.TransformIOType");
STRICT_NAMED(convert_format, "v1beta1.ConvertTransformFormat");
STRICT_FIELDS(convert, "v1beta1.ConvertTransform", {"toType", &io_type},
              {"format", &convert_format});
STRICT_NAMED(transform_kind, "v1beta1.TransformType");
STRICT_FIELDS(transform, "v1beta1.Transform", {"type", &transform_kind},
              {"math", &math}, {"map", &map}, {"match", &match},
              {"string", &string}, {"convert", &convert});
STRICT_LIST_OF(transforms, "[]v1beta1.Transform", transform);

/* ---- patches ---- */

STRICT_NAMED(from_policy, "v1beta1.FromFieldPathPolicy");
STRICT_NAMED(to_policy, "v1beta1.ToFieldPathPolicy");
STRICT_FIELDS(policy, "v1beta1.PatchPolicy", {"fromFieldPath", &from_policy},
              {"toFieldPath", &to_policy});
STRICT_FIELDS(variable, "v1beta1.CombineVariable",
              {"fromFieldPath", &strict_string});
STRICT_LIST_OF(variables, "[]v1beta1.CombineVariable", variable);
STRICT_NAMED(strategy, "v1beta1.CombineStrategy");
STRICT_FIELDS(combine_string, "v1beta1.StringCombine", {"fmt", &strict_string});
STRICT_FIELDS(combine, "v1beta1.Combine", {"variables", &variables},
              {"strategy", &strategy}, {"string", &combine_string});
STRICT_NAMED(patch_kind, "v1beta1.PatchType");

#define PATCH_FIELDS                                                           \
    {"type", &patch_kind}, {"fromFieldPath", &strict_string},                  \
        {"combine", &combine}, {"toFieldPath", &strict_string},                \
        {"transforms", &transforms},                                           \
    {                                                                          \
        "policy", &policy                                                      \
    }

STRICT_FIELDS(composed_patch, "v1beta1.ComposedPatch", PATCH_FIELDS,
              {"patchSetName", &strict_string});
STRICT_LIST_OF(composed_patches, "[]v1beta1.ComposedPatch", composed_patch);
STRICT_FIELDS(set_patch, "v1beta1.PatchSetPatch", PATCH_FIELDS);
STRICT_LIST_OF(set_patches, "[]v1beta1.PatchSetPatch", set_patch);
STRICT_FIELDS(env_patch, "v1beta1.EnvironmentPatch", PATCH_FIELDS);
STRICT_LIST_OF(env_patches, "[]v1beta1.EnvironmentPatch", env_patch);
STRICT_FIELDS(secret_patch, "v1beta1.ConnectionSecretPatch", PATCH_FIELDS);
STRICT_LIST_OF(secret_patches, "[]v1beta1.ConnectionSecretPatch", secret_patch);

/* ---- templates ---- */

STRICT_NAMED(check_kind, "v1beta1.ReadinessCheckType");
STRICT_NAMED(condition_type, "common.ConditionType");
STRICT_NAMED(condition_status, "v1.ConditionStatus");
STRICT_FIELDS(condition, "v1beta1.MatchConditionReadinessCheck",
              {"type", &condition_type}, {"status", &condition_status});
STRICT_FIELDS(check, "v1beta1.ReadinessCheck", {"type", &check_kind},
              {"fieldPath", &strict_string}, {"matchString", &strict_string},
              {"matchInteger", &strict_int64}, {"matchCondition", &condition});
STRICT_LIST_OF(checks, "[]v1beta1.ReadinessCheck", check);
STRICT_NAMED(detail_kind, "v1beta1.ConnectionDetailType");
STRICT_FIELDS(detail, "v1beta1.ConnectionDetail", {"name", &strict_string},
              {"type", &detail_kind},
              {"fromConnectionSecretKey", &strict_string},
              {"fromFieldPath", &strict_string}, {"value", &strict_string});
STRICT_LIST_OF(details, "[]v1beta1.ConnectionDetail", detail);
STRICT_FIELDS(template, "v1beta1.ComposedTemplate", {"name", &strict_string},
              {"base", &strict_any}, {"patches", &composed_patches},
              {"connectionDetails", &details}, {"readinessChecks", &checks});
STRICT_LIST_OF(templates, "[]v1beta1.ComposedTemplate", template);
STRICT_FIELDS(patch_set, "v1beta1.PatchSet", {"name", &strict_string},
              {"patches", &set_patches});
STRICT_LIST_OF(patch_sets, "[]v1beta1.PatchSet", patch_set);
STRICT_FIELDS(environment, "v1beta1.Environment", {"patches", &env_patches});
STRICT_FIELDS(secret, "v1beta1.WriteConnectionSecretToRef",
              {"name", &strict_string}, {"namespace", &strict_string},
              {"patches", &secret_patches});
STRICT_FIELDS(resources, "v1beta1.Resources", STRICT_TYPE_META,
              {"patchSets", &patch_sets}, {"environment", &environment},
              {"resources", &templates},
              {"writeConnectionSecretToRef", &secret});

/* ---- patch sets ---- */

/* The last set of that name, as upstream's map has it. */
static const struct json *
find_set(const struct json *sets, const char *name)
{
    const struct json *found = NULL;

    for (const struct json *s = json_first(sets); s; s = json_next(s)) {
        if (strcmp(json_get_text(s, "name"), name) == 0)
            found = s;
    }
    return found;
}

static void
add_patch(struct patch_template *t, size_t *cap, const struct json *patch)
{
    t->patches = mem_grow(t->patches, cap, t->n + 1, sizeof(*t->patches));
    t->patches[t->n++] = patch;
}

static bool
resolve_sets(struct patch_template *t, const struct json *sets,
             struct error *err)
{
    const struct json *patches = json_get(t->json, "patches");
    size_t cap = 0;

    for (const struct json *p = json_first(patches); p; p = json_next(p)) {
        const char *name = json_get_text(p, "patchSetName");
        const struct json *set = find_set(sets, name);

        if (strcmp(json_get_text(p, "type"), "PatchSet") != 0) {
            add_patch(t, &cap, p);
            continue;
        }
        if (!set)
            return error_set(err, ERR_INVALID,
                             "cannot resolve PatchSets: cannot find PatchSet "
                             "by name %s",
                             name);
        for (const struct json *s = json_first(json_get(set, "patches")); s;
             s = json_next(s))
            add_patch(t, &cap, s);
    }
    return true;
}

/* ---- the whole ---- */

void
patch_input_free(struct patch_input *in)
{
    for (size_t i = 0; in && i < in->n; i++)
        free(in->templates[i].patches);
    if (in) {
        free(in->templates);
        json_free(in->tree);
    }
    free(in);
}

struct patch_input *
patch_input_new(const struct json *input, struct error *err)
{
    const struct json *all;
    struct patch_input *in;

    if (!strict_input(input, &resources, err)) {
        error_wrap(err, "cannot get Function input");
        return NULL;
    }
    if (!patch_validate(input, err)) {
        error_wrap(err, "invalid Function input");
        return NULL;
    }
    in = mem_zalloc(1, sizeof(*in));
    in->tree = input ? json_copy(input) : json_new_object();
    all = json_get(in->tree, "resources");
    in->templates = mem_zalloc(json_len(all) + 1, sizeof(*in->templates));
    for (const struct json *t = json_first(all); t; t = json_next(t)) {
        in->templates[in->n].json = t;
        if (!resolve_sets(&in->templates[in->n++],
                          json_get(in->tree, "patchSets"), err)) {
            patch_input_free(in);
            return NULL;
        }
    }
    return in;
}
