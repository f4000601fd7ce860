/*
 * function-extra-resources (v0.3): asks for resources by name or by labels and
 * puts what came, sorted and counted, into the context as plain objects.
 */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/compose/fieldpath.h"
#include "lib/compose/function.h"

#define DEFAULT_KEY "apiextensions.crossplane.io/extra-resources"

static const char *
text(const struct json *j, const char *key, const char *fallback)
{
    return json_string_or(json_get(j, key), fallback);
}

static bool
is(const struct json *j, const char *key, const char *fallback,
   const char *wanted)
{
    return strcmp(text(j, key, fallback), wanted) == 0;
}

/* ---- what it asks for ---- */

/* One label of a selector; an optional field that is absent adds none. */
static bool
add_label(struct json *labels, const struct json *m, const struct json *xr,
          struct error *err)
{
    const char *path = json_get_string(m, "valueFromFieldPath");
    const char *value;

    if (is(m, "type", "FromCompositeFieldPath", "Value")) {
        value = json_get_string(m, "value");
        if (!value)
            return error_set(err, ERR_INVALID,
                             "Value cannot be nil for type 'Value'");
    } else if (!path) {
        return error_set(err, ERR_INVALID,
                         "ValueFromFieldPath cannot be nil for type "
                         "'FromCompositeFieldPath'");
    } else {
        struct error why = {0};

        value = fieldpath_string(xr, str_of(path), &why);
        if (!value && is(m, "fromFieldPathPolicy", "Required", "Optional"))
            return true;
        if (!value)
            return error_set(err, ERR_INVALID,
                             "cannot get value from field path \"%s\": %s",
                             path, why.msg);
    }
    json_set_string(labels, text(m, "key", ""), value);
    return true;
}

static bool
add_selector(struct fn_response *rsp, const struct json *e,
             const struct json *xr, struct error *err)
{
    AUTO(json_free_ptr) struct json *sel = json_new_object();

    json_set_string(sel, "apiVersion", text(e, "apiVersion", ""));
    json_set_string(sel, "kind", text(e, "kind", ""));
    if (is(e, "type", "Reference", "Selector")) {
        struct json *labels =
            json_need_object(json_need_object(sel, "matchLabels"), "labels");
        const struct json *all = json_at(e, "selector", "matchLabels", NULL);

        for (const struct json *m = json_first(all); m; m = json_next(m)) {
            if (!add_label(labels, m, xr, err))
                return false;
        }
        if (!json_len(labels))
            return true;
    } else {
        json_set_string(sel, "matchName", text(json_get(e, "ref"), "name", ""));
    }
    if (json_get_string(e, "namespace"))
        json_set_string(sel, "namespace", json_get_string(e, "namespace"));
    json_set(rsp->requirements, text(e, "into", ""), sel);
    sel = NULL;
    return true;
}

/* ---- what came ---- */

struct item {
    const struct json *object;
    const struct json *key; /* NULL: absent or null */
    size_t place;           /* keeps the sort stable */
};

static int
compare_keys(const struct json *a, const struct json *b)
{
    double x = 0, y = 0;

    if (json_is(a, JSON_STRING) || json_is(b, JSON_STRING))
        return strcmp(json_string_or(a, ""), json_string_or(b, ""));
    json_double(a, &x);
    json_double(b, &y);
    return (x > y) - (x < y);
}

static int
compare(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    int c = compare_keys(x->key, y->key);

    return c ? c : (x->place > y->place) - (x->place < y->place);
}

static const char *
go_type(const struct json *j)
{
    static const char *const names[] = {
        "nil",    "bool",           "float64",
        "string", "[]interface {}", "map[string]interface {}"};

    return names[json_type_of(j)];
}

/* Sorts by a field: numbers or strings; an absent one counts as empty. */
static bool
sort_items(struct item *v, size_t n, const char *path, struct error *err)
{
    const struct json *first = NULL;

    for (size_t i = 0; i < n; i++) {
        struct error why = {0};
        const struct json *key = fieldpath_get(v[i].object, str_of(path), &why);

        if (!key && why.code != ERR_NOT_FOUND)
            return error_set(err, why.code, "%s", why.msg);
        if (json_type_of(key) == JSON_NULL)
            continue;
        v[i].key = key;
        if (first && json_type_of(first) != json_type_of(key))
            return error_set(err, ERR_INVALID,
                             "cannot sort values of different types \"%s\" "
                             "and \"%s\"",
                             go_type(first), go_type(key));
        first = first ? first : key;
    }
    if (first && n > 1 && !json_is(first, JSON_STRING) &&
        !json_is(first, JSON_NUMBER))
        return error_set(err, ERR_INVALID,
                         "unsupported type \"%s\" for "
                         "sorting",
                         go_type(first));
    if (first)
        qsort(v, n, sizeof(*v), compare);
    return true;
}

static bool
check_selected(const struct json *e, struct item *v, size_t *n,
               struct error *err)
{
    const struct json *sel = json_get(e, "selector");
    const char *into = text(e, "into", "");
    int64_t least = json_int64_or(json_get(sel, "minMatch"), 0);
    int64_t most = json_int64_or(json_get(sel, "maxMatch"), INT64_MAX);

    if ((int64_t)*n < least)
        return error_set(err, ERR_INVALID,
                         "expected at least %lld extra resources \"%s\", got "
                         "%zu",
                         (long long)least, into, *n);
    if (!sort_items(v, *n, text(sel, "sortByFieldPath", "metadata.name"), err))
        return false;
    if (most >= 0)
        *n = MIN(*n, (size_t)most);
    return true;
}

/* Adds fields[into]; absent and optional adds nothing. */
static bool
add_found(struct json *fields, const struct json *in, const struct json *e,
          const struct json *items, struct error *err)
{
    const char *into = text(e, "into", "");
    const struct json *policy = json_get(in, "policy");
    size_t n = 0;
    AUTO(mem_free_ptr)
    struct item *v = mem_zalloc(json_len(items) + 1, sizeof(*v));

    for (const struct json *i = json_first(items); i; i = json_next(i), n++)
        v[n] = (struct item){json_get(i, "resource"), NULL, n};
    if (is(e, "type", "Reference", "Selector")) {
        if (!check_selected(e, v, &n, err))
            return false;
    } else if (n == 0) {
        if (is(policy, "resolution", "Required", "Optional"))
            return true;
        return error_set(err, ERR_NOT_FOUND,
                         "Required extra resource \"%s\" not found", into);
    } else if (n > 1) {
        return error_set(err, ERR_INVALID,
                         "expected exactly one extra resource \"%s\", got %zu",
                         into, n);
    }
    struct json *list = json_set(fields, into, json_new_array());

    for (size_t i = 0; i < n; i++)
        json_append(list, json_copy(v[i].object));
    return true;
}

static struct json *
gather(const struct fn_request *req, const struct json *spec, struct error *err)
{
    struct json *fields = json_new_object();
    const struct json *all = json_get(spec, "extraResources");

    for (const struct json *e = json_first(all); e; e = json_next(e)) {
        const char *into = text(e, "into", "");
        const struct json *found = fn_required(req, into);
        bool ok =
            found ? add_found(fields, spec, e, json_get(found, "items"), err)
                  : error_set(err, ERR_NOT_FOUND,
                              "cannot find expected extra resource "
                              "\"%s\"",
                              into);

        if (!ok) {
            json_free(fields);
            return NULL;
        }
    }
    return fields;
}

static void
run(const struct fn_request *req, struct fn_response *rsp)
{
    const struct json *spec = json_get(fn_input(req), "spec");
    const struct json *all = json_get(spec, "extraResources");
    struct error err = {0};
    struct json *fields;

    rsp->ttl_s = 60;
    for (const struct json *e = json_first(all); e; e = json_next(e)) {
        if (!add_selector(rsp, e, fn_observed_composite(req), &err)) {
            fn_resultf(rsp, FN_FATAL,
                       "could not build extra resource requirements: %s",
                       err.msg);
            return;
        }
    }
    /* Nothing was fetched yet: the caller asks again with what it found. */
    if (!json_len(json_get(req->data, "requiredResources")))
        return;
    fields = gather(req, spec, &err);
    if (!fields) {
        fn_resultf(rsp, FN_FATAL, "verifying and sorting extra resources: %s",
                   err.msg);
        return;
    }
    json_set(rsp->context, text(json_get(spec, "context"), "key", DEFAULT_KEY),
             fields);
}

const struct function fn_extraresources = {
    .name = "function-extra-resources",
    .run = run,
};
