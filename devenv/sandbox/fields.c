#include "lib/base/map.h"
#include "lib/base/mem.h"

#include "devenv/sandbox/fields_place.h"

struct place
place_root(const struct fields_types *t)
{
    return (struct place){t, t->root, true,
                          t->root && schema_info(t->root)->preserve_unknown};
}

static unsigned
allowed(const struct place *p)
{
    static const unsigned forms[] = {
        [SCHEMA_ANY] = FORM_MAP | FORM_SCALAR | FORM_LIST,
        [SCHEMA_OBJECT] = FORM_MAP,
        [SCHEMA_ARRAY] = FORM_LIST,
        [SCHEMA_STRING] = FORM_SCALAR,
        [SCHEMA_INTEGER] = FORM_SCALAR,
        [SCHEMA_NUMBER] = FORM_SCALAR,
        [SCHEMA_BOOLEAN] = FORM_SCALAR,
    };

    return forms[p->s ? schema_info(p->s)->type : SCHEMA_ANY];
}

unsigned
place_forms(const struct place *p, const struct json *v)
{
    static const unsigned of_type[] = {
        [JSON_NULL] = 0,
        [JSON_BOOL] = FORM_SCALAR,
        [JSON_NUMBER] = FORM_SCALAR,
        [JSON_STRING] = FORM_SCALAR,
        [JSON_ARRAY] = FORM_LIST,
        [JSON_OBJECT] = FORM_MAP,
    };
    unsigned can = allowed(p), is = v ? of_type[json_type_of(v)] : 0;

    return can & is ? is : can;
}

enum form
place_first(unsigned forms)
{
    return forms & FORM_MAP      ? FORM_MAP
           : forms & FORM_SCALAR ? FORM_SCALAR
                                 : FORM_LIST;
}

bool
place_map_atomic(const struct place *p)
{
    return p->s && schema_info(p->s)->map_atomic;
}

enum schema_list
place_list(const struct place *p)
{
    return p->s ? schema_info(p->s)->list : SCHEMA_LIST_ATOMIC;
}

/* A resource's own members, which no schema of a CRD spells out. */
static bool
type_member(const struct place *p, const char *key)
{
    return (p->root || (p->s && schema_info(p->s)->embedded_resource)) &&
           (!strcmp(key, "metadata") || !strcmp(key, "apiVersion") ||
            !strcmp(key, "kind"));
}

bool
place_member(const struct place *p, const char *key, struct place *out,
             bool *named)
{
    const struct schema *s;

    *named = false;
    *out = (struct place){p->t, NULL, false, false};
    if (p->s && type_member(p, key)) {
        *named = true;
        if (*key == 'm')
            out->s = p->t->meta;
        return true;
    }
    if (p->root && !strcmp(key, "metadata"))
        out->s = p->t->meta;
    if (!p->s)
        return true;
    s = schema_member(p->s, key);
    if (!s)
        return p->open || (!schema_property_count(p->s) && !p->root &&
                           !schema_info(p->s)->embedded_resource);
    *named = schema_values(p->s) == NULL;
    out->s = s;
    out->open = p->open || schema_info(s)->preserve_unknown;
    return true;
}

struct place
place_item(const struct place *p)
{
    const struct schema *s = p->s ? schema_items(p->s) : NULL;

    return (struct place){p->t, s, false,
                          s && (p->open || schema_info(s)->preserve_unknown)};
}

/* A scalar as it stands in a path: numbers by value, not by spelling. */
static void
print_scalar(const struct json *v, struct buf *out)
{
    int64_t whole;
    double d;

    if (json_int64(v, &whole)) {
        buf_printf(out, "%lld", (long long)whole);
    } else if (json_double(v, &d)) {
        AUTO(json_free_ptr) struct json *plain = json_new_double(d);

        json_print(plain, JSON_COMPACT, out);
    } else {
        json_print(v, JSON_COMPACT, out);
    }
}

static bool
cannot(struct buf *why, const char *text)
{
    if (why)
        buf_puts(why, text);
    return false;
}

static bool
set_element(const struct json *item, struct buf *out, struct buf *why)
{
    switch (json_type_of(item)) {
    case JSON_OBJECT:
        return cannot(why, "associative list without keys has an element "
                           "that's a map type");
    case JSON_ARRAY:
        return cannot(why, "not supported: associative list with lists as "
                           "elements");
    case JSON_NULL:
        return cannot(why, "associative list without keys has an element "
                           "that's an explicit null");
    default:
        buf_puts(out, "v:");
        print_scalar(item, out);
        return true;
    }
}

static bool
no_keys(const struct strlist *keys, struct buf *why)
{
    if (!why)
        return false;
    buf_puts(why, "associative list with keys has an element that omits all "
                  "key fields [");
    for (size_t i = 0; i < keys->n; i++)
        buf_printf(why, "%s\"%s\"", i ? " " : "", keys->v[i]);
    buf_puts(why, "] (and doesn't have default values for any key fields)");
    return false;
}

/* The keys stand in byte order, with their defaults where item has none. */
static bool
map_element(const struct place *p, const struct json *item, struct buf *out,
            struct buf *why)
{
    const struct strlist *keys = schema_info(p->s)->list_keys;
    const struct schema *is = schema_items(p->s);
    AUTO(strlist_release) struct strlist sorted = {0};
    size_t found = 0;

    if (json_is(item, JSON_NULL))
        return cannot(why, "associative list with keys may not have a null "
                           "element");
    if (!json_is(item, JSON_OBJECT))
        return cannot(why, "associative list with keys may not have non-map "
                           "elements");
    for (size_t i = 0; keys && i < keys->n; i++)
        strlist_add(&sorted, str_of(keys->v[i]));
    if (sorted.n > 1)
        strlist_sort(&sorted);
    buf_puts(out, "k:{");
    for (size_t i = 0; i < sorted.n; i++) {
        const struct json *v = json_get(item, sorted.v[i]);
        const struct schema *ks = is ? schema_member(is, sorted.v[i]) : NULL;

        if (!v && ks)
            v = schema_info(ks)->fallback;
        if (!v)
            continue;
        buf_printf(out, "%s\"%s\":", found++ ? "," : "", sorted.v[i]);
        print_scalar(v, out);
    }
    buf_putc(out, '}');
    return found > 0 || (keys && no_keys(keys, why));
}

bool
place_element(const struct place *list, const struct json *item,
              struct buf *out, struct buf *why)
{
    buf_reset(out);
    return place_list(list) == SCHEMA_LIST_SET
               ? set_element(item, out, why)
               : map_element(list, item, out, why);
}
