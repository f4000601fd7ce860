#include "lib/compose/merge.h"

#include "lib/base/mem.h"

#include "lib/compose/fieldpath.h"
#include "lib/compose/value.h"

/* mergo's isEmptyValue. */
static bool
is_empty(const struct json *j)
{
    double number;

    switch (json_type_of(j)) {
    case JSON_NULL:
        return true;
    case JSON_BOOL:
        return !json_bool(j, false);
    case JSON_NUMBER:
        return json_double(j, &number) && number == 0;
    case JSON_STRING:
        return !*json_string(j);
    default:
        return !json_len(j);
    }
}

/* reflect.DeepEqual: an int64 is no float64. a: of dst, b: of src. */
static bool
same(const struct json *a, const struct json *b, const struct merge_options *o)
{
    if (json_type_of(a) != json_type_of(b) || json_len(a) != json_len(b))
        return false;
    if (json_is(a, JSON_NUMBER))
        return json_equal(a, b) && (json_is_integer(a) && !o->dst_floats) ==
                                       (json_is_integer(b) && !o->src_floats);
    if (json_is(a, JSON_ARRAY)) {
        const struct json *y = json_first(b);

        for (const struct json *x = json_first(a); x; x = json_next(x)) {
            if (!same(x, y, o))
                return false;
            y = json_next(y);
        }
        return true;
    }
    if (!json_is(a, JSON_OBJECT))
        return json_equal(a, b);
    for (const struct json *x = json_first(a); x; x = json_next(x)) {
        const struct json *y = json_get(b, json_key(x));

        if (!y || !same(x, y, o))
            return false;
    }
    return true;
}

/* Removes from the array src what dst holds already. */
static void
drop_known(const struct json *dst, struct json *src,
           const struct merge_options *o)
{
    for (struct json *s = json_first(src), *next; s; s = next) {
        next = json_next(s);
        for (const struct json *d = json_first(dst); d; d = json_next(d)) {
            if (!same(d, s, o))
                continue;
            json_free(json_detach(src, s));
            break;
        }
    }
}

static bool
cannot_append(const struct json *dst, bool floats, struct error *err)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct value v = value_json(a, dst, floats ? NUMBERS_JSON : NUMBERS_K8S);

    return error_set(err, ERR_INVALID,
                     "failed to merge values: cannot append two slices with "
                     "different type ([]interface {}, %s)",
                     value_type_name(v));
}

static bool merge_members(struct json *dst, struct json *src,
                          const struct merge_options *o, struct error *err);

/* Whether src takes the place of dst; when not, what src gives went into dst
 * already. dst: NULL when absent. */
static bool
merge_one(struct json *dst, struct json *src, const struct merge_options *o,
          bool *replace, struct error *err)
{
    bool empty = is_empty(dst);

    *replace = !o->keep || empty;
    if (json_type_of(src) == JSON_NULL) {
        *replace = !o->keep;
        return true;
    }
    if (json_is(src, JSON_OBJECT) && json_is(dst, JSON_OBJECT)) {
        bool ok = merge_members(dst, src, o, err);

        /* Nulls of src alone do not fill it. */
        *replace = !json_len(dst);
        return ok;
    }
    if (!json_is(src, JSON_ARRAY) || !o->append)
        return true;
    if (json_type_of(dst) != JSON_NULL && !json_is(dst, JSON_ARRAY))
        return cannot_append(dst, o->dst_floats, err);
    *replace = empty;
    for (struct json *c; !empty && (c = json_first(src));)
        json_append(dst, json_detach(src, c));
    return true;
}

static bool
merge_members(struct json *dst, struct json *src, const struct merge_options *o,
              struct error *err)
{
    for (struct json *s = json_first(src), *next; s; s = next) {
        bool replace;

        next = json_next(s);
        if (!merge_one(json_get(dst, json_key(s)), s, o, &replace, err))
            return false;
        if (replace) {
            AUTO(mem_free_ptr) char *key = mem_strdup(json_key(s));

            json_set(dst, key, json_detach(src, s));
        }
    }
    return true;
}

struct json *
merge_values(struct json *dst, struct json *src, const struct merge_options *o,
             struct error *err)
{
    bool arrays = json_is(dst, JSON_ARRAY) && json_is(src, JSON_ARRAY);
    bool ok = true, replace = true;

    if (json_type_of(dst) != JSON_NULL && json_type_of(src) != JSON_NULL) {
        if (o->append && arrays)
            drop_known(dst, src, o);
        ok = merge_one(dst, src, o, &replace, err);
    }
    struct json *merged = replace ? src : dst;

    json_free(replace ? dst : src);
    if (!ok) {
        json_free(merged);
        return NULL;
    }
    /* Upstream's filtered slice is nil when nothing is left, and prints so. */
    if (replace && o->append && arrays && !json_len(merged)) {
        json_free(merged);
        merged = json_new_null();
    }
    return merged;
}

bool
merge_at(struct json *j, struct str path, struct json *value,
         const struct merge_options *o, struct error *err)
{
    struct error why = {0};
    const struct json *dst = NULL;

    if (o && path.n)
        dst = fieldpath_get(j, path, &why);
    if (why.code && why.code != ERR_NOT_FOUND) {
        json_free(value);
        return error_set(err, why.code, "%s", why.msg);
    }
    if (dst) {
        value = merge_values(json_copy(dst), value, o, err);
        if (!value)
            return false;
    }
    return fieldpath_set(j, path, value, err);
}
