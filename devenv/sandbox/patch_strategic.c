/*
 * Design: a merge patch with directives (apimachinery util/strategicpatch).
 * Which lists are merged, and by which key, comes from the table of types, as
 * in the server from tags of Go's structs.
 */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/patch.h"

/* How the elements of a list are told apart. */
struct list_rule {
    const char *key; /* NULL: plain values, merged as a set */
    const struct types_struct *items;
};

/* The rule of a field; false: its list is replaced. */
static bool
rule_of(const struct types_struct *s, const char *field, struct list_rule *out)
{
    const struct types_field *f = types_field(s, field);

    if (!f || !f->merged || f->shape != TYPES_LIST)
        return false;
    *out = (struct list_rule){*f->merge_key ? f->merge_key : NULL, f->type};
    return true;
}

static bool merge_maps(const struct types_struct *s, struct json *object,
                       const struct json *patch, struct status *st);

/* Go's %v of a map: keys in order. */
static void
print_map(const struct json *v, struct buf *out)
{
    AUTO(json_free_ptr) struct json *sorted = json_copy(v);
    const char *sep = "";

    json_sort(sorted);
    if (!json_is(v, JSON_OBJECT) && !json_is(v, JSON_ARRAY)) {
        if (json_string(v))
            buf_puts(out, json_string(v));
        else if (json_is(v, JSON_NULL))
            buf_puts(out, "<nil>");
        else
            json_print(v, JSON_COMPACT, out);
        return;
    }
    buf_puts(out, json_is(v, JSON_OBJECT) ? "map[" : "[");
    for (const struct json *c = json_first(sorted); c; c = json_next(c)) {
        buf_puts(out, sep);
        if (json_key(c))
            buf_printf(out, "%s:", json_key(c));
        print_map(c, out);
        sep = " ";
    }
    buf_putc(out, ']');
}

void
patch_strategic_text(const struct json *patch, struct buf *out)
{
    print_map(patch, out);
}

static bool
unknown_directive(const char *directive, const struct json *e,
                  struct status *st)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    print_map(e, &b);
    return status_set(st, 500, NULL, "unknown patch type: %s in map: %s",
                      directive, buf_cstr(&b));
}

static bool
is_directive(const char *key)
{
    return key[0] == '$' &&
           (!strcmp(key, "$patch") || !strcmp(key, "$retainKeys") ||
            str_starts(str_of(key), STR("$setElementOrder/")) ||
            str_starts(str_of(key), STR("$deleteFromPrimitiveList/")));
}

/* The element whose key member equals that of like. */
static struct json *
find_by_key(const struct json *list, const char *key, const struct json *like)
{
    const struct json *want = key ? json_get(like, key) : like;

    for (struct json *c = json_first(list); c; c = json_next(c)) {
        const struct json *have = key ? json_get(c, key) : c;

        if (have && json_equal(have, want))
            return c;
    }
    return NULL;
}

static bool
merge_element(const struct list_rule *rule, struct json *list,
              const struct json *e, struct status *st)
{
    const char *directive = json_get_string(e, "$patch");
    struct json *old, *made;

    if (rule->key && !json_get(e, rule->key)) {
        AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

        print_map(e, &b);
        return status_set(st, 500, NULL,
                          "map: %s does not contain declared merge key: %s",
                          buf_cstr(&b), rule->key);
    }
    old = find_by_key(list, rule->key, e);
    if (directive && !strcmp(directive, "delete")) {
        if (old)
            json_free(json_detach(list, old));
        return true;
    }
    if (directive && strcmp(directive, "merge") != 0 &&
        strcmp(directive, "replace") != 0)
        return unknown_directive(directive, e, st);
    if (!rule->key) {
        if (!old)
            json_append(list, json_copy(e));
        return true;
    }
    if (old)
        return merge_maps(rule->items, old, e, st);
    made = json_append(list, json_new_object());
    return merge_maps(rule->items, made, e, st);
}

/* The place in order of the element with e's key, or the length. */
static size_t
place_in(const struct json *order, const struct list_rule *rule,
         const struct json *e)
{
    const struct json *found = find_by_key(order, rule->key, e);
    size_t i = 0;

    for (const struct json *o = json_first(order); o && o != found;
         o = json_next(o))
        i++;
    return i;
}

/* What order names comes in its order; the rest stays in that of server, each
 * before the first named one that followed it there. */
static void
put_in_order(struct json *list, const struct list_rule *rule,
             const struct json *order, const struct json *server)
{
    AUTO(json_free_ptr) struct json *named = json_new_array();
    size_t known = json_len(server), at = 0;
    struct json *next;

    for (const struct json *o = json_first(order); o; o = json_next(o)) {
        struct json *e = find_by_key(list, rule->key, o);

        if (e)
            json_append(named, json_detach(list, e));
    }
    for (struct json *n = json_first(named); n; n = next) {
        size_t mine = place_in(server, rule, n);
        struct json *e = json_item(list, at);

        next = json_next(n);
        while (e && mine < known && place_in(server, rule, e) < mine) {
            at++;
            e = json_next(e);
        }
        json_insert(list, at++, json_detach(named, n));
    }
}

/* order NULL: that of the patch. */
static bool
merge_lists(const struct list_rule *rule, struct json *list,
            const struct json *patch, const struct json *order,
            struct status *st)
{
    AUTO(json_free_ptr) struct json *server = json_copy(list);

    for (const struct json *e = json_first(patch); e; e = json_next(e)) {
        const char *directive = json_get_string(e, "$patch");

        if (directive && !strcmp(directive, "replace")) {
            while (json_first(list))
                json_del_item(list, 0);
            continue;
        }
        if (!merge_element(rule, list, e, st))
            return false;
    }
    put_in_order(list, rule, order ? order : patch, server);
    return true;
}

static const struct json *
directive_of(const struct json *patch, const char *name, const char *key)
{
    AUTO(mem_free_ptr) char *full = mem_printf("$%s/%s", name, key);

    return json_get(patch, full);
}

static void
delete_from(struct json *list, const struct json *values)
{
    for (const struct json *e = json_first(values); e; e = json_next(e)) {
        struct json *old = find_by_key(list, NULL, e);

        if (old)
            json_free(json_detach(list, old));
    }
}

/* Directives for lists that the patch does not name otherwise. */
static void
follow_directive(const struct types_struct *s, struct json *object,
                 const struct json *patch, const struct json *p)
{
    struct list_rule rule = {0};
    struct str name = str_of(json_key(p)), field;
    AUTO(mem_free_ptr) char *plain = NULL;
    struct json *list;

    if (!str_cut(name, '/', &name, &field) || !json_is(p, JSON_ARRAY))
        return;
    plain = mem_strndup(field.s, field.n);
    list = json_get(object, plain);
    if (str_eqz(name, "$deleteFromPrimitiveList")) {
        delete_from(list, p);
    } else if (list && !json_get(patch, plain) && rule_of(s, plain, &rule)) {
        AUTO(json_free_ptr) struct json *server = json_copy(list);

        put_in_order(list, &rule, p, server);
    }
}

static void
retain_keys(struct json *object, const struct json *keep)
{
    struct json *next;

    for (struct json *c = json_first(object); c; c = next) {
        bool found = false;

        next = json_next(c);
        for (const struct json *k = json_first(keep); k; k = json_next(k))
            found |= !strcmp(json_string_or(k, ""), json_key(c));
        if (!found)
            json_free(json_detach(object, c));
    }
}

static bool
merge_member(const struct types_struct *s, struct json *object,
             const struct json *patch, const struct json *p, struct status *st)
{
    const char *key = json_key(p);
    const struct types_field *f = types_field(s, key);
    struct json *old = json_get(object, key);
    struct list_rule rule;

    if (json_is(p, JSON_NULL)) {
        json_del(object, key);
        return true;
    }
    if (json_is(p, JSON_OBJECT)) {
        if (!json_is(old, JSON_OBJECT))
            old = json_set(object, key, json_new_object());
        return merge_maps(f ? f->type : NULL, old, p, st);
    }
    if (json_is(p, JSON_ARRAY) && rule_of(s, key, &rule)) {
        if (!json_is(old, JSON_ARRAY))
            old = json_set(object, key, json_new_array());
        return merge_lists(&rule, old, p,
                           directive_of(patch, "setElementOrder", key), st);
    }
    json_set(object, key, json_copy(p));
    return true;
}

static bool
merge_maps(const struct types_struct *s, struct json *object,
           const struct json *patch, struct status *st)
{
    const char *directive = json_get_string(patch, "$patch");

    if (directive && strcmp(directive, "merge") != 0) {
        if (strcmp(directive, "replace") != 0 &&
            strcmp(directive, "delete") != 0)
            return unknown_directive(directive, patch, st);
        while (json_first(object))
            json_free(json_detach(object, json_first(object)));
        if (*directive == 'd')
            return true;
    }
    if (json_get(patch, "$retainKeys"))
        retain_keys(object, json_get(patch, "$retainKeys"));
    for (const struct json *p = json_first(patch); p; p = json_next(p)) {
        if (is_directive(json_key(p)))
            follow_directive(s, object, patch, p);
    }
    for (const struct json *p = json_first(patch); p; p = json_next(p)) {
        if (!is_directive(json_key(p)) &&
            !merge_member(s, object, patch, p, st))
            return false;
    }
    return true;
}

bool
patch_strategic(const struct types_struct *type, struct json *object,
                const struct json *patch, struct status *st)
{
    return merge_maps(type, object, patch, st);
}
