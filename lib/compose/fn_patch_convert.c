/* The conversions between types: Go's strconv, Kubernetes' quantities, JSON. */
#include <math.h>
#include <stdlib.h>

#include "lib/base/quantity.h"

#include "lib/compose/fn_patch.h"
#include "lib/compose/format.h"
#include "lib/compose/gojson.h"
#include "lib/compose/gonumber.h"

typedef bool convert_fn(struct patch_work *w, struct value *v);

/* ---- numbers and truth ---- */

/* As the Go compiler truncates on amd64: what does not fit is the smallest. */
int64_t
patch_truncate(double f)
{
    return f >= -0x1p63 && f < 0x1p63 ? (int64_t)f : INT64_MIN;
}

static bool
string_to_int(struct patch_work *w, struct value *v)
{
    int64_t i;

    if (!gonumber_int(v->s, &i, w->err))
        return false;
    *v = value_int64(i);
    return true;
}

static bool
string_to_float(struct patch_work *w, struct value *v)
{
    double f;

    if (!gonumber_float(v->s, &f, w->err))
        return false;
    *v = value_float(f);
    return true;
}

static bool
string_to_bool(struct patch_work *w, struct value *v)
{
    bool b;

    if (!gonumber_bool(v->s, &b, w->err))
        return false;
    *v = value_bool(b);
    return true;
}

static bool
quantity_to_float(struct patch_work *w, struct value *v)
{
    struct quantity q;

    if (!quantity_parse(v->s, &q, w->err))
        return false;
    *v = value_float(quantity_double(&q));
    return true;
}

static bool
int_to_bool(struct patch_work *w UNUSED, struct value *v)
{
    *v = value_bool(v->i == 1);
    return true;
}

static bool
int_to_float(struct patch_work *w UNUSED, struct value *v)
{
    *v = value_float((double)v->i);
    return true;
}

static bool
bool_to_int(struct patch_work *w UNUSED, struct value *v)
{
    *v = value_int64(v->b);
    return true;
}

static bool
bool_to_float(struct patch_work *w UNUSED, struct value *v)
{
    *v = value_float(v->b);
    return true;
}

static bool
float_to_int(struct patch_work *w UNUSED, struct value *v)
{
    *v = value_int64(patch_truncate(v->f));
    return true;
}

static bool
float_to_bool(struct patch_work *w UNUSED, struct value *v)
{
    *v = value_bool(v->f == 1);
    return true;
}

static bool
to_string(struct patch_work *w, struct value *v)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1000);

    if (v->type == VALUE_FLOAT)
        format_float(v->f, 'f', -1, &b);
    else
        format_value(w->a, *v, &b);
    *v = value_str(arena_str(w->a, buf_view(&b)));
    return true;
}

/* ---- JSON ---- */

/* A null becomes a nil of the type, which prints as an empty one. */
static bool
from_json(struct patch_work *w, struct value *v, enum json_type type,
          const struct strict_type *go, struct value nil)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);
    struct json *j;

    if (gojson_syntax(v->s, false, &b, NULL))
        return error_set(w->err, ERR_INVALID, "%s", buf_cstr(&b));
    j = json_parse(v->s, NULL, w->err);
    if (!j)
        return false;
    json_append(w->keep, j);
    if (!gojson_check(j, go, w->err))
        return false;
    *v = json_is(j, type) ? value_json(w->a, j, NUMBERS_JSON) : nil;
    return true;
}

STRICT_LIST_OF(go_array, "[]interface {}", strict_any);

static bool
json_to_object(struct patch_work *w, struct value *v)
{
    return from_json(w, v, JSON_OBJECT, &strict_object,
                     value_nil_map(w->a, ELEM_ANY));
}

static bool
json_to_array(struct patch_work *w, struct value *v)
{
    return from_json(w, v, JSON_ARRAY, &go_array,
                     value_nil_list(w->a, ELEM_ANY));
}

/* ---- the table ---- */

static const struct conversion {
    const char *from, *to, *format;
    convert_fn *run;
} conversions[] = {
    {"string", "int64", "none", string_to_int},
    {"string", "bool", "none", string_to_bool},
    {"string", "float64", "none", string_to_float},
    {"string", "float64", "quantity", quantity_to_float},
    {"string", "object", "json", json_to_object},
    {"string", "array", "json", json_to_array},
    {"int64", "string", "none", to_string},
    {"int64", "bool", "none", int_to_bool},
    {"int64", "float64", "none", int_to_float},
    {"bool", "string", "none", to_string},
    {"bool", "int64", "none", bool_to_int},
    {"bool", "float64", "none", bool_to_float},
    {"float64", "string", "none", to_string},
    {"float64", "int64", "none", float_to_int},
    {"float64", "bool", "none", float_to_bool},
};

static bool
is_one_of(const char *z, const char *const *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(z, v[i]) == 0)
            return true;
    }
    return false;
}

bool
patch_convert_check(const struct json *config, struct error *err)
{
    static const char *const formats[] = {"none", "quantity", "json"};
    static const char *const types[] = {"string",  "bool",   "int",  "int64",
                                        "float64", "object", "array"};
    const char *format = json_get_string(config, "format");
    const char *to = json_get_text(config, "toType");

    if (format && !is_one_of(format, formats, ARRAY_LEN(formats)))
        return patch_invalid(err, "format", format, "invalid format");
    return is_one_of(to, types, ARRAY_LEN(types)) ||
           patch_invalid(err, "toType", to, "invalid type");
}

bool
patch_convert_run(struct patch_work *w, const struct json *config,
                  struct value *v)
{
    const char *format = json_string_or(json_get(config, "format"), "none");
    const char *to = json_get_text(config, "toType");
    const char *from = value_type_name(*v);

    if (!patch_convert_check(config, w->err))
        return false;
    if (v->type == VALUE_NIL || v->type == VALUE_LIST || v->type == VALUE_MAP)
        return error_set(w->err, ERR_INVALID, "invalid input type %s", from);
    if (strcmp(to, "int") == 0)
        to = "int64";
    if (strcmp(to, from) == 0)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(conversions); i++) {
        const struct conversion *c = &conversions[i];

        if (strcmp(c->from, from) == 0 && strcmp(c->to, to) == 0 &&
            strcmp(c->format, format) == 0)
            return c->run(w, v);
    }
    return error_set(w->err, ERR_INVALID,
                     "conversion from %s to %s is not supported with format %s",
                     from, to, format);
}
