#include "lib/compose/required.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/compose/fieldpath.h"
#include "lib/compose/structpb.h"

/* ---- the types of their inputs ---- */

STRICT_NAMED(resolution, "v1.ResolutionPolicy");
const struct strict_type required_policy_type = {
    .kind = STRICT_STRUCT,
    .go = "v1beta1.Policy",
    .fields = (const struct strict_field[]){{"resolution", &resolution}, {0}}};

STRICT_NAMED(field_policy, "v1beta1.FromFieldPathPolicy");

/* The two functions call the matcher and its type differently; only a wrong
 * type of the whole matcher would tell. */
STRICT_NAMED(matcher_type, "string");
STRICT_FIELDS(matcher, "v1beta1.ResourceSourceSelectorLabelMatcher",
              {"type", &matcher_type}, {"key", &strict_string},
              {"valueFromFieldPath", &strict_string},
              {"fromFieldPathPolicy", &field_policy},
              {"value", &strict_string});
const struct strict_type required_labels_type = {
    .kind = STRICT_LIST,
    .go = "[]v1beta1.ResourceSourceSelectorLabelMatcher",
    .item = &matcher};

/* ---- what is asked for ---- */

static bool
is(const struct json *j, const char *key, const char *fallback,
   const char *wanted)
{
    const char *text = json_string_or(json_get(j, key), "");

    return strcmp(*text ? text : fallback, wanted) == 0;
}

bool
required_is_optional(const struct json *spec)
{
    return is(json_get(spec, "policy"), "resolution", "", "Optional");
}

bool
required_is_selector(const struct json *source)
{
    return is(source, "type", "", "Selector");
}

/* One label of a selector; an optional field that is absent adds none. */
static bool
add_label(struct json *labels, const struct json *m, const struct json *xr,
          struct error *err)
{
    const char *key = json_string_or(json_get(m, "key"), "");
    const char *path = json_get_string(m, "valueFromFieldPath");
    const char *value = json_get_string(m, "value");

    if (is(m, "type", "", "Value")) {
        if (!value)
            return error_set(err, ERR_INVALID,
                             "Value cannot be nil for type 'Value'");
        json_set_string(labels, key, value);
        return true;
    }
    if (!is(m, "type", "FromCompositeFieldPath", "FromCompositeFieldPath"))
        return true;
    if (!path)
        return error_set(err, ERR_INVALID,
                         "ValueFromFieldPath cannot be nil for type "
                         "'FromCompositeFieldPath'");
    struct error why = {0};

    value = fieldpath_string(xr, str_of(path), &why);
    if (value)
        json_set_string(labels, key, value);
    else if (!is(m, "fromFieldPathPolicy", "", "Optional"))
        return error_set(err, ERR_INVALID,
                         "cannot get value from field path \"%s\": %s", path,
                         why.msg);
    return true;
}

bool
required_selector(const struct json *source, const char *api_version,
                  const char *kind, const struct json *xr, struct json **out,
                  struct error *err)
{
    AUTO(json_free_ptr) struct json *sel = json_new_object();

    *out = NULL;
    json_set_string(sel, "apiVersion", api_version);
    json_set_string(sel, "kind", kind);
    if (required_is_selector(source)) {
        struct json *labels =
            json_need_object(json_need_object(sel, "matchLabels"), "labels");
        const struct json *all =
            json_at(source, "selector", "matchLabels", NULL);

        for (const struct json *m = json_first(all); m; m = json_next(m)) {
            if (!add_label(labels, m, xr, err))
                return false;
        }
        if (!json_len(labels))
            return true;
    } else if (is(source, "type", "Reference", "Reference")) {
        if (!json_is(json_get(source, "ref"), JSON_OBJECT))
            return error_set(err, ERR_INVALID,
                             "type Reference needs a ref (the function itself "
                             "would crash)");
        json_set_string(
            sel, "matchName",
            json_string_or(json_at(source, "ref", "name", NULL), ""));
    } else {
        return true;
    }
    *out = sel;
    sel = NULL;
    return true;
}

/* ---- what came ---- */

void
required_open(struct required_items *r, const struct json *found)
{
    const struct json *items = json_get(found, "items");

    r->n = 0;
    r->v = mem_zalloc(json_len(items) + 1, sizeof(*r->v));
    for (const struct json *i = json_first(items); i; i = json_next(i)) {
        r->v[r->n] =
            (struct required_item){json_get(i, "resource"), NULL, r->n};
        r->n++;
    }
}

void
required_release(struct required_items *r)
{
    free(r->v);
    *r = (struct required_items){0};
}

static int
compare(const void *a, const void *b)
{
    const struct required_item *x = a, *y = b;
    double i = 0, j = 0;
    int c;

    if (json_is(x->key, JSON_STRING) || json_is(y->key, JSON_STRING)) {
        c = strcmp(json_string_or(x->key, ""), json_string_or(y->key, ""));
    } else {
        json_double(x->key, &i);
        json_double(y->key, &j);
        c = (i > j) - (i < j);
    }
    return c ? c : (x->place > y->place) - (x->place < y->place);
}

/* reflect's kind of a value that cannot be sorted by. */
static const char *
kind_name(const struct json *j)
{
    return json_is(j, JSON_ARRAY)    ? "slice"
           : json_is(j, JSON_OBJECT) ? "map"
                                     : "bool";
}

bool
required_sort(struct required_items *r, const struct json *selector, bool kinds,
              struct error *err)
{
    const struct json *first = NULL;
    const char *path = json_get_string(selector, "sortByFieldPath");

    if (!path || !*path)
        path = "metadata.name";
    for (size_t i = 0; i < r->n; i++) {
        struct error why = {0};
        const struct json *key =
            fieldpath_get(r->v[i].object, str_of(path), &why);

        if (!key && why.code != ERR_NOT_FOUND)
            return error_set(err, why.code, "%s", why.msg);
        if (json_type_of(key) == JSON_NULL)
            continue;
        r->v[i].key = key;
        if (first && json_type_of(first) != json_type_of(key))
            return error_set(err, ERR_INVALID,
                             "cannot sort values of different types \"%s\" "
                             "and \"%s\"",
                             structpb_type(first), structpb_type(key));
        first = first ? first : key;
    }
    if (first && r->n > 1 && !json_is(first, JSON_STRING) &&
        !json_is(first, JSON_NUMBER))
        return error_set(err, ERR_INVALID,
                         "unsupported type \"%s\" for sorting",
                         kinds ? kind_name(first) : structpb_type(first));
    if (first)
        qsort(r->v, r->n, sizeof(*r->v), compare);
    return true;
}

static uint64_t
limit(const struct json *selector, const char *key, uint64_t fallback)
{
    double d;

    if (!json_double(json_get(selector, key), &d))
        return fallback;
    return d >= (double)UINT64_MAX ? UINT64_MAX : (uint64_t)d;
}

bool
required_enough(const struct required_items *r, const struct json *selector,
                uint64_t *least)
{
    *least = limit(selector, "minMatch", 0);
    return r->n >= *least;
}

void
required_cut(struct required_items *r, const struct json *selector)
{
    uint64_t most = limit(selector, "maxMatch", UINT64_MAX);

    r->n = MIN(r->n, most);
}
