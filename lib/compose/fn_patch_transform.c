/* The table of transforms, and those that are short: math, map, match. */
#include <stdio.h>

#include "lib/base/re.h"

#include "lib/compose/fn_patch.h"

/* ---- math ---- */

static const struct patch_need math_types[] = {
    {"Multiply", "multiply",
     "must specify a value if a multiply math transform is specified"},
    {"ClampMin", "clampMin",
     "must specify a value if a clamp min math transform is specified"},
    {"ClampMax", "clampMax",
     "must specify a value if a clamp max math transform is specified"},
};

static bool
math_check(const struct json *config, struct error *err)
{
    return patch_check_need(math_types, ARRAY_LEN(math_types), config,
                            "math transform type is required",
                            "unknown math transform type", err);
}

static void
multiply(struct value *v, int64_t by)
{
    if (v->type == VALUE_FLOAT)
        *v = value_float(v->f * (double)by);
    else
        *v = value_int64((int64_t)((uint64_t)v->i * (uint64_t)by));
}

static void
clamp(struct value *v, int64_t limit, bool is_least)
{
    int64_t in = v->type == VALUE_FLOAT ? patch_truncate(v->f) : v->i;

    if (is_least ? in < limit : in > limit)
        *v = value_int64(limit);
}

static bool
math_run(struct patch_work *w, const struct json *config, struct value *v)
{
    const struct patch_need *t;
    int64_t number = 0;

    if (!math_check(config, w->err))
        return false;
    if (v->type != VALUE_FLOAT && v->type != VALUE_INT64)
        return error_set(w->err, ERR_INVALID,
                         "input is required to be a number for math "
                         "transformer, got %s",
                         value_type_name(*v));
    t = patch_need_of(math_types, ARRAY_LEN(math_types), config);
    json_int64(json_get(config, t->member), &number);
    if (t == &math_types[0])
        multiply(v, number);
    else
        clamp(v, number, t == &math_types[1]);
    return true;
}

/* ---- map ---- */

static bool
map_check(const struct json *config, struct error *err)
{
    return json_len(config) ||
           patch_required(err, "pairs",
                          "at least one pair must be specified if a map "
                          "transform is specified");
}

static bool
map_run(struct patch_work *w, const struct json *config, struct value *v)
{
    const struct json *found;

    if (v->type != VALUE_STRING)
        return error_set(w->err, ERR_INVALID,
                         "type %s is not supported for map transform",
                         value_type_name(*v));
    found = json_get_str(config, v->s);
    if (!found)
        return error_set(w->err, ERR_INVALID, "key %.*s is not found in map",
                         STR_ARG(v->s));
    if (json_type_of(found) == JSON_NULL)
        return error_set(w->err, ERR_INVALID,
                         "value for key %.*s is not valid JSON: unexpected end "
                         "of JSON input",
                         STR_ARG(v->s));
    *v = value_json(w->a, found, NUMBERS_JSON);
    return true;
}

/* ---- match ---- */

static const struct patch_need pattern_types[] = {
    {"literal", "literal", "literal pattern type requires a literal"},
    {"", "literal", "literal pattern type requires a literal"},
    {"regexp", "regexp", "regexp pattern type requires a regexp"},
};

static bool
match_check(const struct json *config, struct error *err)
{
    const struct json *patterns = json_get(config, "patterns");
    int i = 0;

    if (!json_len(patterns))
        return patch_required(err, "patterns",
                              "at least one pattern must be specified if a "
                              "match transform is specified");
    for (const struct json *p = json_first(patterns); p; p = json_next(p)) {
        const char *regexp = json_get_text(p, "regexp");
        bool ok = patch_check_need(pattern_types, ARRAY_LEN(pattern_types), p,
                                   NULL, "unknown pattern type", err);

        if (ok && strcmp(json_get_text(p, "type"), "regexp") == 0) {
            AUTO(re_free_ptr) struct re *re = re_compile(str_of(regexp), NULL);

            ok = re || patch_invalid(err, "regexp", regexp, "invalid regexp");
        }
        if (!ok)
            return patch_under(err, "patterns[%d]", i);
        i++;
    }
    return true;
}

/* Whether the pattern matches; false and err when it cannot be told. */
static bool
try_pattern(struct patch_work *w, const struct json *p, struct value v,
            bool *matches)
{
    const char *type = json_get_text(p, "type");
    bool is_literal = strcmp(type, "literal") == 0;
    const char *text = json_get_string(p, is_literal ? "literal" : "regexp");
    AUTO(re_free_ptr) struct re *re = NULL;
    bool is_nil = v.type == VALUE_NIL;

    if (!is_literal && strcmp(type, "regexp") != 0)
        return error_set(w->err, ERR_INVALID, "unsupported pattern type '%s'",
                         type);
    if (!text)
        return error_set(w->err, ERR_INVALID, "%s is required by type %s", type,
                         type);
    if (!is_literal) {
        re = re_compile(str_of(text), w->err);
        if (!re)
            return error_wrap(w->err, "cannot compile regexp");
    }
    if (v.type != VALUE_STRING)
        return error_set(w->err, ERR_INVALID, "unsupported input type '%s'",
                         is_nil && re ? "null" : value_type_name(v));
    *matches = is_literal ? str_eqz(v.s, text) : re_match(re, v.s);
    return true;
}

static bool
match_run(struct patch_work *w, const struct json *config, struct value *v)
{
    const struct json *patterns = json_get(config, "patterns");
    const struct json *fallback = json_get(config, "fallbackValue");
    bool matches = false;
    int i = 0;

    for (const struct json *p = json_first(patterns); p; p = json_next(p)) {
        if (!try_pattern(w, p, *v, &matches))
            return error_wrap(w->err, "cannot match pattern at index %d", i);
        if (matches) {
            *v = value_json(w->a, json_get(p, "result"), NUMBERS_JSON);
            return true;
        }
        i++;
    }
    if (strcmp(json_get_text(config, "fallbackTo"), "Input") != 0)
        *v = value_json(w->a, fallback, NUMBERS_JSON);
    else if (json_type_of(fallback) != JSON_NULL)
        return error_set(w->err, ERR_INVALID,
                         "cannot set both a fallback value and the fallback to "
                         "input flag");
    return true;
}

/* ---- the table ---- */

static const struct patch_transform transforms[] = {
    {"math", math_check, math_run},
    {"map", map_check, map_run},
    {"match", match_check, match_run},
    {"string", patch_string_check, patch_string_run},
    {"convert", patch_convert_check, patch_convert_run},
};

static const struct patch_transform *
transform_of(const struct json *j)
{
    for (size_t i = 0; i < ARRAY_LEN(transforms); i++) {
        if (strcmp(transforms[i].type, json_get_text(j, "type")) == 0)
            return &transforms[i];
    }
    return NULL;
}

bool
patch_transform_check(const struct json *j, struct error *err)
{
    const struct patch_transform *t = transform_of(j);
    char detail[80];

    if (!t)
        return patch_invalid(err, "type", json_get_text(j, "type"),
                             "unknown transform type");
    snprintf(detail, sizeof(detail),
             "given transform type %s requires configuration", t->type);
    if (!patch_has(j, t->type))
        return patch_required(err, t->type, detail);
    return t->check(json_get(j, t->type), err) ||
           patch_under(err, "%s", t->type);
}

static bool
resolve(struct patch_work *w, const struct json *j, struct value *v)
{
    const struct patch_transform *t = transform_of(j);

    if (!t)
        return error_set(w->err, ERR_INVALID,
                         "transform type %s is not supported",
                         json_get_text(j, "type"));
    if (!patch_has(j, t->type))
        return error_set(w->err, ERR_INVALID,
                         "given transform type %s requires configuration",
                         t->type);
    return t->run(w, json_get(j, t->type), v) ||
           error_wrap(w->err, "%s transform could not resolve", t->type);
}

bool
patch_transforms(struct patch_work *w, const struct json *list, struct value *v)
{
    int i = 0;

    for (const struct json *j = json_first(list); j; j = json_next(j), i++) {
        if (!resolve(w, j, v))
            return error_wrap(w->err, "transform at index %d returned error",
                              i);
    }
    return true;
}
