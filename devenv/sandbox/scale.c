#include "devenv/sandbox/scale.h"

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

struct json *
scale_of(const struct kind *k, const struct json *obj)
{
    const struct kind_info *info = kind_info(k);
    struct json *s, *status;
    const char *selector;

    if (!info->scale_spec)
        return NULL;
    s = json_new_object();
    json_set_string(s, "kind", "Scale");
    json_set_string(s, "apiVersion", "autoscaling/v1");
    copy_members(json_set(s, "metadata", json_new_object()),
                 json_get(obj, "metadata"));
    json_set_int(json_set(s, "spec", json_new_object()), "replicas",
                 number_at(info->scale_spec, obj));
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

bool
scale_apply(const struct kind *k, const struct json *scale, struct json *obj,
            struct status *st)
{
    const struct jsonpath *p = kind_info(k)->scale_spec;
    int64_t n = json_int64_or(json_at(scale, "spec", "replicas", NULL), 0);
    struct json *at = obj;
    AUTO(schema_findings_release) struct schema_findings bad = {0};

    if (n < 0) {
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
