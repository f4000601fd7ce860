#include "devenv/sandbox/scale.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/cells_pod.h"
#include "devenv/sandbox/kinds.h"

static void
copy_members(struct json *to, const struct json *from)
{
    static const char *const keys[] = {"name", "namespace", "uid",
                                       "resourceVersion", "creationTimestamp"};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const struct json *v = json_get(from, keys[i]);

        if (v)
            json_set(to, keys[i], json_copy(v));
    }
}

static int64_t
number_at(const struct jsonpath *p, const struct json *obj)
{
    return p ? json_int64_or(jsonpath_first(p, obj), 0) : 0;
}

/* Built-in kinds say it as a LabelSelector, the oldest as plain labels. */
static void
put_selector(const struct json *selector, struct json *status)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    AUTO(json_free_ptr) struct json *s = json_new_object();
    bool plain =
        json_first(selector) && json_is(json_first(selector), JSON_STRING);

    if (plain)
        json_set(s, "matchLabels", json_copy(selector));
    cells_put_selector(plain ? s : selector, &b);
    json_set_string(status, "selector", buf_cstr(&b));
}

/* ".spec.replicas" */
static void
put_path(const struct jsonpath *p, struct buf *out)
{
    for (size_t i = 0; p && jsonpath_member(p, i); i++)
        buf_printf(out, ".%s", jsonpath_member(p, i));
}

bool
scale_known(const struct kind *k, const struct json *obj, struct status *st)
{
    const struct jsonpath *p = kind_info(k)->scale_spec;
    AUTO(buf_release) struct buf path = BUF_INIT(4096);

    if (k->builtin || !p || jsonpath_first(p, obj))
        return true;
    put_path(p, &path);
    return status_internal(st, "the spec replicas field \"%s\" does not exist",
                           buf_cstr(&path));
}

/* ---- what an object with a scale must be ---- */

static const char *
go_type(const struct json *v)
{
    static const char *const names[] = {
        [JSON_NULL] = "<nil>",
        [JSON_BOOL] = "bool",
        [JSON_NUMBER] = "float64",
        [JSON_STRING] = "string",
        [JSON_ARRAY] = "[]interface {}",
        [JSON_OBJECT] = "map[string]interface {}",
    };

    return json_is_integer(v) ? "int64" : names[json_type_of(v)];
}

static void
accessor_error(const struct jsonpath *p, const struct json *v,
               const char *expected, const char *shown,
               struct schema_findings *bad)
{
    AUTO(buf_release) struct buf path = BUF_INIT(4096);
    AUTO(mem_free_ptr)
    char *text = json_string(v) ? mem_strdup(json_string(v))
                                : json_text(v, JSON_COMPACT);

    put_path(p, &path);
    schema_findings_add(bad, buf_cstr(&path), "FieldValueInvalid",
                        "Invalid value: %s: %s accessor error: %s is of the "
                        "type %s, expected %s",
                        shown, buf_cstr(&path), text, go_type(v), expected);
}

/* The value at the end of the path if it is there and of the type wanted, a
 * string or an integer; else NULL, with a finding if something else is there.
 */
static const struct json *
reach(const struct jsonpath *p, const struct json *obj, enum json_type type,
      struct schema_findings *bad)
{
    bool number = type == JSON_NUMBER;
    const char *shown = number ? "0" : "\"\"";

    for (size_t i = 0; p && jsonpath_member(p, i); i++) {
        if (!json_is(obj, JSON_OBJECT)) {
            accessor_error(p, obj, "map[string]interface{}", shown, bad);
            return NULL;
        }
        obj = json_get(obj, jsonpath_member(p, i));
        if (!obj)
            return NULL;
    }
    if (number ? json_is_integer(obj) : json_is(obj, type))
        return obj;
    accessor_error(p, obj, number ? "int64" : "string", shown, bad);
    return NULL;
}

static void
check_count(const struct jsonpath *p, const struct json *obj,
            struct schema_findings *bad)
{
    const struct json *v = p ? reach(p, obj, JSON_NUMBER, bad) : NULL;
    AUTO(buf_release) struct buf path = BUF_INIT(4096);
    int64_t n = json_int64_or(v, 0);

    put_path(p, &path);
    if (n < 0)
        schema_findings_add(bad, buf_cstr(&path), "FieldValueInvalid",
                            "Invalid value: %lld: should be a non-negative "
                            "integer",
                            (long long)n);
    else if (n > INT32_MAX)
        schema_findings_add(bad, buf_cstr(&path), "FieldValueInvalid",
                            "Invalid value: %lld: should be less than or equal "
                            "to %d",
                            (long long)n, INT32_MAX);
}

void
scale_check(const struct kind *k, const struct json *obj, bool status_only,
            struct schema_findings *bad)
{
    const struct kind_info *info = kind_info(k);
    struct schema_finding last = {0};

    if (k->builtin || !info->scale_spec)
        return;
    /* That rules were not run is told last. */
    if (bad->n && strstr(bad->v[bad->n - 1].message, "rules were not checked"))
        last = bad->v[--bad->n];
    if (!status_only)
        check_count(info->scale_spec, obj, bad);
    check_count(info->scale_status, obj, bad);
    if (info->scale_selector)
        reach(info->scale_selector, obj, JSON_STRING, bad);
    if (last.message)
        schema_findings_add(bad, last.field, last.reason, "%s", last.message);
    free(last.field);
    free(last.message);
}

/* Removes member i of the path and below from a field set; what is empty then
 * goes, too. */
static void
disown(const struct jsonpath *p, size_t i, struct json *fields)
{
    AUTO(mem_free_ptr) char *key = mem_printf("f:%s", jsonpath_member(p, i));
    struct json *below = json_get(fields, key);

    if (!below)
        return;
    if (jsonpath_member(p, i + 1))
        disown(p, i + 1, below);
    if (!jsonpath_member(p, i + 1) || !json_first(below))
        json_free(json_detach(fields, below));
}

void
scale_disown(const struct kind *k, struct json *fields)
{
    const struct jsonpath *p = kind_info(k)->scale_spec;

    if (p && jsonpath_member(p, 0))
        disown(p, 0, fields);
}

/* ---- the view ---- */

struct json *
scale_of(const struct kind *k, const struct json *obj)
{
    const struct kind_info *info = kind_info(k);
    struct json *s, *spec, *status;
    const char *selector;

    if (!info->scale_spec)
        return NULL;
    s = json_new_object();
    json_set_string(s, "kind", "Scale");
    json_set_string(s, "apiVersion", "autoscaling/v1");
    copy_members(json_set(s, "metadata", json_new_object()),
                 json_get(obj, "metadata"));
    spec = json_set(s, "spec", json_new_object());
    if (number_at(info->scale_spec, obj))
        json_set_int(spec, "replicas", number_at(info->scale_spec, obj));
    status = json_set(s, "status", json_new_object());
    json_set_int(status, "replicas", number_at(info->scale_status, obj));
    selector = info->scale_selector
                   ? json_string(jsonpath_first(info->scale_selector, obj))
                   : NULL;
    if (selector)
        json_set_string(status, "selector", selector);
    else if (k->builtin)
        put_selector(json_at(obj, "spec", "selector", NULL), status);
    return s;
}

/* A patch made something else of the number. */
static bool
no_count(const struct json *scale, const struct json *v, struct status *st)
{
    static const char *const go[] = {
        [JSON_BOOL] = "bool",     [JSON_NUMBER] = "number",
        [JSON_STRING] = "string", [JSON_ARRAY] = "array",
        [JSON_OBJECT] = "object",
    };
    AUTO(schema_findings_release) struct schema_findings bad = {0};
    AUTO(json_free_ptr) struct json *shown = json_new_object();

    json_set(shown, "apiVersion", json_copy(json_get(scale, "apiVersion")));
    for (const struct json *m = json_first(scale); m; m = json_next(m)) {
        if (strcmp(json_key(m), "apiVersion") != 0)
            json_set(shown, json_key(m), json_copy(m));
    }
    AUTO(mem_free_ptr) char *text = json_text(shown, JSON_COMPACT);
    AUTO(json_free_ptr) struct json *quoted = json_new_string(text);
    AUTO(mem_free_ptr) char *value = json_text(quoted, JSON_COMPACT);

    schema_findings_add(&bad, "patch", "FieldValueInvalid",
                        "Invalid value: %s: json: cannot unmarshal %s into Go "
                        "struct field ScaleSpec.spec.replicas of type int32",
                        value, go[json_type_of(v)]);
    return status_invalid(st, "", "", "", &bad);
}

bool
scale_apply(const struct kind *k, const struct json *scale, struct json *obj,
            struct status *st)
{
    const struct jsonpath *p = kind_info(k)->scale_spec;
    int64_t n = json_int64_or(json_at(scale, "spec", "replicas", NULL), 0);
    struct json *at = obj;
    const struct json *replicas = json_at(scale, "spec", "replicas", NULL);
    AUTO(schema_findings_release) struct schema_findings bad = {0};

    if (replicas && !json_is(replicas, JSON_NULL) && !json_is_integer(replicas))
        return no_count(scale, replicas, st);
    if (n < 0 && k->builtin) {
        schema_findings_add(&bad, ".spec.replicas", "FieldValueInvalid",
                            "Invalid value: %lld: should be a non-negative "
                            "integer",
                            (long long)n);
        return status_invalid(
            st, "autoscaling", "Scale",
            json_string_or(json_at(scale, "metadata", "name", NULL), ""), &bad);
    }
    for (size_t i = 0; p && jsonpath_member(p, i); i++) {
        if (jsonpath_member(p, i + 1))
            at = json_need_object(at, jsonpath_member(p, i));
        else
            json_set_int(at, jsonpath_member(p, i), n);
    }
    return true;
}
