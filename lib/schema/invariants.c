#include <stdlib.h>

#include "lib/base/map.h"
#include "lib/base/mem.h"

#include "lib/schema/names.h"
#include "lib/schema/node.h"

/*
 * What a schema asks beyond OpenAPI: items of sets and maps are there once
 * (apiserver/schema/listtype), embedded resources have a type and sound
 * metadata (apiserver/schema/objectmeta). And what counts as the same value
 * before and after an update (k8s.io/apiserver/pkg/cel/common/equality.go).
 */

#define REQUIRED  "FieldValueRequired"
#define INVALID   "FieldValueInvalid"
#define DUPLICATE "FieldValueDuplicate"

/* ---- the same value ---- */

/* The keys of an item of a map as text; false: it cannot be told apart. */
static bool
item_key(const struct schema *s, const struct json *item, struct buf *out)
{
    for (size_t i = 0; i < s->info.list_keys->n; i++) {
        const struct json *v = json_get(item, s->info.list_keys->v[i]);

        if (!v || json_is(v, JSON_NULL) || json_is(v, JSON_OBJECT) ||
            json_is(v, JSON_ARRAY))
            return false;
        json_print(v, JSON_COMPACT, out);
        buf_putc(out, ',');
    }
    return !out->over;
}

void
schema_index_items(const struct schema *s, const struct json *list,
                   struct map *items)
{
    if (!s || s->info.list != SCHEMA_LIST_MAP)
        return;
    for (struct json *e = json_first(list); e; e = json_next(e)) {
        AUTO(buf_release) struct buf key = BUF_INIT(1 << 16);

        if (item_key(s, e, &key) && !map_has(items, buf_view(&key)))
            map_put(items, buf_view(&key), e);
    }
}

const struct json *
schema_same_item(const struct schema *s, const struct map *items,
                 const struct json *item)
{
    AUTO(buf_release) struct buf key = BUF_INIT(1 << 16);

    if (!map_count(items) || !item_key(s, item, &key))
        return NULL;
    return map_get(items, buf_view(&key));
}

static bool
same_items(const struct schema *s, const struct json *old, const struct json *v)
{
    struct map items = {0};
    bool same = json_len(old) == json_len(v) && s->items;

    schema_index_items(s, old, &items);
    for (struct json *e = json_first(v); e && same; e = json_next(e)) {
        const struct json *o = schema_same_item(s, &items, e);

        same = o && schema_same(s->items, o, e);
    }
    map_release(&items, NULL);
    return same;
}

static bool
same_members(const struct schema *s, const struct json *old,
             const struct json *v)
{
    if (json_len(old) != json_len(v))
        return false;
    for (struct json *m = json_first(v); m; m = json_next(m)) {
        const struct schema *child = schema_member(s, json_key(m));
        const struct json *o = json_get(old, json_key(m));

        if (!o || !child || !schema_same(child, o, m))
            return false;
    }
    return true;
}

bool
schema_same(const struct schema *s, const struct json *old,
            const struct json *v)
{
    if (json_type_of(old) != json_type_of(v))
        return false;
    if (json_is(v, JSON_OBJECT))
        return same_members(s, old, v);
    if (json_is(v, JSON_ARRAY) && s->info.list == SCHEMA_LIST_MAP)
        return same_items(s, old, v);
    return json_equal(old, v);
}

/* ---- the walk ---- */

struct walk {
    struct schema_findings *out;
    struct buf path;
    bool lists, embedded; /* what is looked for */
};

static void walk(struct walk *w, const struct schema *s, const struct json *v);

/* ---- lists ---- */

/* The keys of an item as an object. */
static struct json *
keys_of(const struct schema *s, const struct json *item)
{
    struct json *keys = json_new_object();

    for (size_t i = 0; i < s->info.list_keys->n; i++) {
        const char *key = s->info.list_keys->v[i];
        const struct json *v = json_get(item, key);

        if (v)
            json_set(keys, key, json_copy(v));
    }
    return keys;
}

/* The second of equals is told, further ones are not. */
static void
check_unique(struct walk *w, const struct schema *s, const struct json *list)
{
    static char once[] = "once", twice[] = "twice";
    struct map seen = {0};
    size_t i = 0;

    for (struct json *e = json_first(list); e; e = json_next(e)) {
        AUTO(json_free_ptr)
        struct json *id =
            s->info.list == SCHEMA_LIST_SET ? json_copy(e) : keys_of(s, e);
        AUTO(mem_free_ptr) char *text = schema_value_text(id);
        size_t mark = schema_path_index(&w->path, i++);
        const void *was = map_get(&seen, str_of(text));

        if (was == once)
            schema_findings_add(w->out, buf_cstr(&w->path), DUPLICATE,
                                "Duplicate value: %s", text);
        map_put(&seen, str_of(text), was ? twice : once);
        buf_truncate(&w->path, mark);
    }
    map_release(&seen, NULL);
}

/* An item that cannot have keys ends the check. */
static bool
has_objects(struct walk *w, const struct json *list)
{
    size_t i = 0;

    for (struct json *e = json_first(list); e; e = json_next(e), i++) {
        if (json_is(e, JSON_OBJECT) || json_is(e, JSON_NULL))
            continue;
        AUTO(mem_free_ptr) char *text = schema_value_text(e);
        size_t mark = schema_path_index(&w->path, i);

        schema_findings_add(w->out, buf_cstr(&w->path), INVALID,
                            "Invalid value: %s: must be an object for an array "
                            "of list-type map",
                            text);
        buf_truncate(&w->path, mark);
        return false;
    }
    return true;
}

static void
check_list(struct walk *w, const struct schema *s, const struct json *list)
{
    bool map = s->info.list == SCHEMA_LIST_MAP;

    if (s->info.list != SCHEMA_LIST_ATOMIC && (!map || has_objects(w, list)))
        check_unique(w, s, list);
}

/* ---- embedded resources ---- */

static void
embedded_invalid(struct walk *w, const struct json *v, const char *why)
{
    AUTO(mem_free_ptr) char *text = schema_value_text(v);
    size_t mark = schema_path_key(&w->path, json_key(v));

    schema_findings_add(w->out, buf_cstr(&w->path), INVALID,
                        "Invalid value: %s: %s", text, why);
    buf_truncate(&w->path, mark);
}

static void
check_version(struct walk *w, const struct json *v)
{
    const char *text = json_string(v);
    const char *slash = text ? strchr(text, '/') : NULL;

    if (!text) {
        embedded_invalid(w, v, "must be a string");
    } else if (!*text) {
        embedded_invalid(w, v, "must not be empty");
    } else if (slash && strchr(slash + 1, '/')) {
        AUTO(mem_free_ptr)
        char *why = mem_printf("unexpected GroupVersion string: %s", text);

        embedded_invalid(w, v, why);
    }
}

static void
check_kind(struct walk *w, const struct json *v)
{
    AUTO(strlist_release) struct strlist wrong = {0};
    const char *text = json_string(v);

    if (!text) {
        embedded_invalid(w, v, "must be a string");
        return;
    }
    AUTO(mem_free_ptr) char *lower = mem_strdup(text);

    for (char *p = lower; *p; p++)
        *p += (*p >= 'A' && *p <= 'Z') ? 'a' - 'A' : 0;
    if (!*text) {
        embedded_invalid(w, v, "must not be empty");
    } else if (!names_label_1035(str_of(lower), &wrong)) {
        AUTO(mem_free_ptr)
        char *why = mem_printf(
            "may have mixed case, but should otherwise match: %s", wrong.v[0]);

        embedded_invalid(w, v, why);
    }
}

static void
check_embedded(struct walk *w, const struct json *v)
{
    static const struct {
        const char *key;
        void (*check)(struct walk *w, const struct json *v);
    } needed[] = {{"apiVersion", check_version}, {"kind", check_kind}};

    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        const struct json *m = json_get(v, needed[i].key);

        if (m) {
            needed[i].check(w, m);
            continue;
        }
        size_t mark = schema_path_key(&w->path, needed[i].key);

        schema_findings_add(w->out, buf_cstr(&w->path), REQUIRED,
                            "Required value");
        buf_truncate(&w->path, mark);
    }
}

/* ---- all of it ---- */

bool
schema_needs_invariants(const struct schema *s)
{
    for (size_t i = 0; i < s->property_count; i++) {
        if (s->properties[i].schema->has_invariants)
            return true;
    }
    return s->info.list != SCHEMA_LIST_ATOMIC || s->info.embedded_resource ||
           (s->items && s->items->has_invariants) ||
           (s->values && s->values->has_invariants);
}

static void
walk_members(struct walk *w, const struct schema *s, const struct json *v)
{
    for (struct json *m = json_first(v); m; m = json_next(m)) {
        const struct schema_property *p = schema_find(s, json_key(m));
        size_t mark = w->path.n;

        if (p)
            schema_path_key(&w->path, json_key(m));
        else
            buf_printf(&w->path, "[%s]", json_key(m));
        if (p || s->values)
            walk(w, p ? p->schema : s->values, m);
        buf_truncate(&w->path, mark);
    }
}

static void
walk(struct walk *w, const struct schema *s, const struct json *v)
{
    size_t i = 0;

    if (!s->has_invariants)
        return;
    if (json_is(v, JSON_OBJECT)) {
        if (w->embedded && s->info.embedded_resource)
            check_embedded(w, v);
        walk_members(w, s, v);
    }
    if (!json_is(v, JSON_ARRAY))
        return;
    if (w->lists)
        check_list(w, s, v);
    for (struct json *e = json_first(v); s->items && e; e = json_next(e)) {
        size_t mark = schema_path_index(&w->path, i++);

        walk(w, s->items, e);
        buf_truncate(&w->path, mark);
    }
}

static void
walk_for(const struct schema *s, const struct json *v, const char *path,
         bool lists, struct schema_findings *findings)
{
    struct walk w = {.out = findings,
                     .path = BUF_INIT(4096),
                     .lists = lists,
                     .embedded = !lists};

    buf_puts(&w.path, path);
    walk(&w, s, v);
    buf_release(&w.path);
}

void
schema_check_embedded(const struct schema *s, const struct json *value,
                      const char *path, struct schema_findings *findings)
{
    walk_for(s, value, path, false, findings);
}

void
schema_check_invariants(const struct schema *s, const struct json *value,
                        const struct json *old, const char *path,
                        struct schema_findings *findings)
{
    AUTO(schema_findings_release) struct schema_findings found = {0};
    AUTO(schema_findings_release) struct schema_findings before = {0};

    if (!s->has_invariants)
        return;
    walk_for(s, value, path, false, findings);
    walk_for(s, value, path, true, &found);
    if (found.n && old)
        walk_for(s, old, path, true, &before);
    for (size_t i = 0; i < found.n && !before.n; i++)
        schema_findings_add(findings, found.v[i].field, found.v[i].reason, "%s",
                            found.v[i].message);
}
