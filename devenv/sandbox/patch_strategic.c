/*
 * Design: a merge patch with directives (apimachinery util/strategicpatch).
 * Which lists are merged and by which key comes from a table, since only the
 * built-in kinds can be patched this way.
 */
#include "lib/base/mem.h"

#include "devenv/sandbox/patch.h"

struct list_rule {
    const char *kind; /* NULL: of every kind */
    const char *field;
    const char *key; /* NULL: a list of plain values, merged as a set */
};

static const struct list_rule rules[] = {
    {NULL, "ownerReferences", "uid"},
    {NULL, "finalizers", NULL},
    {"Service", "ports", "port"},
    {"Service", "conditions", "type"},
    {"ServiceAccount", "secrets", "name"},
    {"ServiceAccount", "imagePullSecrets", "name"},
    {"Namespace", "conditions", "type"},
};

static const struct list_rule *
rule_of(const char *kind, const char *field)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if ((!rules[i].kind || !strcmp(rules[i].kind, kind)) &&
            !strcmp(rules[i].field, field))
            return &rules[i];
    }
    return NULL;
}

static bool merge_maps(const char *kind, struct json *object,
                       const struct json *patch, struct status *st);

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
merge_element(const char *kind, const struct list_rule *rule, struct json *list,
              const struct json *e, struct status *st)
{
    const char *directive = json_get_string(e, "$patch");
    struct json *old, *made;

    if (rule->key && !json_get(e, rule->key))
        return status_bad_request(
            st, "map: %s does not contain declared merge key: %s", rule->field,
            rule->key);
    old = find_by_key(list, rule->key, e);
    if (directive && !strcmp(directive, "delete")) {
        if (old)
            json_free(json_detach(list, old));
        return true;
    }
    if (!rule->key) {
        if (!old)
            json_append(list, json_copy(e));
        return true;
    }
    if (old)
        return merge_maps(kind, old, e, st);
    made = json_append(list, json_new_object());
    return merge_maps(kind, made, e, st);
}

static bool
merge_lists(const char *kind, const struct list_rule *rule, struct json *list,
            const struct json *patch, struct status *st)
{
    for (const struct json *e = json_first(patch); e; e = json_next(e)) {
        const char *directive = json_get_string(e, "$patch");

        if (directive && !strcmp(directive, "replace")) {
            while (json_first(list))
                json_del_item(list, 0);
            continue;
        }
        if (!merge_element(kind, rule, list, e, st))
            return false;
    }
    return true;
}

/* Elements named in order come in that order, in the places the named ones
 * have; others keep theirs. */
static void
set_element_order(struct json *list, const struct list_rule *rule,
                  const struct json *order)
{
    const char *key = rule ? rule->key : NULL;
    size_t at = 0;

    for (const struct json *o = json_first(order); o; o = json_next(o)) {
        struct json *e = find_by_key(list, key, o);

        if (e)
            json_insert(list, at++, json_detach(list, e));
    }
}

static void
follow_directive(const char *kind, struct json *object, const struct json *p)
{
    struct str name = str_of(json_key(p)), field;
    struct json *list;

    if (!str_cut(name, '/', &name, &field))
        return;
    list = json_get_str(object, field);
    if (!list || !json_is(p, JSON_ARRAY))
        return;
    if (str_eqz(name, "$setElementOrder")) {
        AUTO(mem_free_ptr) char *plain = mem_strndup(field.s, field.n);

        set_element_order(list, rule_of(kind, plain), p);
        return;
    }
    for (const struct json *e = json_first(p); e; e = json_next(e)) {
        struct json *old = find_by_key(list, NULL, e);

        if (old)
            json_free(json_detach(list, old));
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
merge_member(const char *kind, struct json *object, const struct json *p,
             struct status *st)
{
    const char *key = json_key(p);
    const struct list_rule *rule = rule_of(kind, key);
    struct json *old = json_get(object, key);

    if (json_is(p, JSON_NULL)) {
        json_del(object, key);
        return true;
    }
    if (json_is(p, JSON_OBJECT)) {
        if (!json_is(old, JSON_OBJECT))
            old = json_set(object, key, json_new_object());
        return merge_maps(kind, old, p, st);
    }
    if (json_is(p, JSON_ARRAY) && rule) {
        if (!json_is(old, JSON_ARRAY))
            old = json_set(object, key, json_new_array());
        return merge_lists(kind, rule, old, p, st);
    }
    json_set(object, key, json_copy(p));
    return true;
}

static bool
merge_maps(const char *kind, struct json *object, const struct json *patch,
           struct status *st)
{
    const char *directive = json_get_string(patch, "$patch");

    if (directive && strcmp(directive, "merge") != 0) {
        if (strcmp(directive, "replace") != 0 &&
            strcmp(directive, "delete") != 0)
            return status_bad_request(st, "unknown patch type found: %s",
                                      directive);
        while (json_first(object))
            json_free(json_detach(object, json_first(object)));
        if (*directive == 'd')
            return true;
    }
    if (json_get(patch, "$retainKeys"))
        retain_keys(object, json_get(patch, "$retainKeys"));
    for (const struct json *p = json_first(patch); p; p = json_next(p)) {
        if (!is_directive(json_key(p)) && !merge_member(kind, object, p, st))
            return false;
    }
    for (const struct json *p = json_first(patch); p; p = json_next(p)) {
        if (is_directive(json_key(p)))
            follow_directive(kind, object, p);
    }
    return true;
}

bool
patch_strategic(const char *kind, struct json *object, const struct json *patch,
                struct status *st)
{
    return merge_maps(kind, object, patch, st);
}
