#include "devenv/sandbox/fields.h"

#include <stdlib.h>

#include "lib/base/map.h"
#include "lib/base/mem.h"

#include "devenv/sandbox/fieldset.h"

enum shape { LEAF, MAP, LIST_SET, LIST_MAP };

/* One place in the walk. */
struct place {
    const struct fields_types *t;
    const struct schema *s; /* NULL: deduced */
    bool root;
};

/* How the value at p is taken apart. */
static enum shape
shape_of(const struct place *p, const struct json *value)
{
    const struct schema_info *info;

    if (json_is(value, JSON_OBJECT)) {
        info = p->s ? schema_info(p->s) : NULL;
        return info && info->map_atomic ? LEAF : MAP;
    }
    if (!json_is(value, JSON_ARRAY) || !p->s)
        return LEAF;
    info = schema_info(p->s);
    if (info->type != SCHEMA_ARRAY || info->list == SCHEMA_LIST_ATOMIC)
        return LEAF;
    return info->list == SCHEMA_LIST_SET ? LIST_SET : LIST_MAP;
}

static struct place
member_place(const struct place *p, const char *key)
{
    if (p->root && !strcmp(key, "metadata"))
        return (struct place){p->t, p->t->meta, false};
    return (struct place){p->t, p->s ? schema_member(p->s, key) : NULL, false};
}

static struct place
item_place(const struct place *p)
{
    return (struct place){p->t, p->s ? schema_items(p->s) : NULL, false};
}

/* The path element of a list's item: v:VALUE, or k:{...} with the keys in
 * byte order and their defaults where the item has none. */
static char *
item_element(const struct place *p, enum shape shape, const struct json *item)
{
    const struct strlist *keys = schema_info(p->s)->list_keys;
    const struct schema *is = schema_items(p->s);
    struct strlist sorted = {0};
    struct buf b = BUF_INIT(BUF_TEXT_MAX);

    if (shape == LIST_SET) {
        buf_puts(&b, "v:");
        json_print(item, JSON_COMPACT, &b);
        return buf_take(&b);
    }
    for (size_t i = 0; keys && i < keys->n; i++)
        strlist_add(&sorted, str_of(keys->v[i]));
    strlist_sort(&sorted);
    buf_puts(&b, "k:{");
    for (size_t i = 0; i < sorted.n; i++) {
        const struct json *v = json_get(item, sorted.v[i]);
        const struct schema *ks = is ? schema_member(is, sorted.v[i]) : NULL;

        if (!v && ks)
            v = schema_info(ks)->fallback;
        buf_puts(&b, i ? ",\"" : "\"");
        buf_puts(&b, sorted.v[i]);
        buf_puts(&b, "\":");
        if (v)
            json_print(v, JSON_COMPACT, &b);
        else
            buf_puts(&b, "null");
    }
    buf_putc(&b, '}');
    strlist_release(&sorted);
    return buf_take(&b);
}

/* ---- comparing ---- */

/* What differs below a place; NULL sets are empty. */
struct diff {
    struct json *changed, *removed;
    bool changed_here, removed_here;
};

static void compare(const struct place *p, const struct json *old,
                    const struct json *now, struct diff *d);

static void
attach(struct json **set, const char *element, struct json *below, bool here)
{
    if (!below && !here)
        return;
    if (!*set)
        *set = json_new_object();
    if (!below)
        below = json_new_object();
    else if (here)
        fieldset_mark(below);
    json_set(*set, element, below);
}

static void
compare_child(const struct place *p, const char *element,
              const struct json *old, const struct json *now, struct diff *up)
{
    struct diff d = {0};

    compare(p, old, now, &d);
    attach(&up->changed, element, d.changed, d.changed_here);
    attach(&up->removed, element, d.removed, d.removed_here);
}

static void
compare_member(const struct place *p, const char *key, const struct json *old,
               const struct json *now, struct diff *up)
{
    struct place child = member_place(p, key);
    struct diff d = {0};
    struct buf element = BUF_INIT(BUF_TEXT_MAX);

    compare(&child, old, now, &d);
    if (d.changed || d.changed_here || d.removed || d.removed_here) {
        buf_puts(&element, "f:");
        buf_puts(&element, key);
        attach(&up->changed, buf_cstr(&element), d.changed, d.changed_here);
        attach(&up->removed, buf_cstr(&element), d.removed, d.removed_here);
        buf_release(&element);
    }
}

/* Members mostly stand in the same order on both sides: look there first. */
static const struct json *
same_member(const struct json *obj, const struct json **hint, const char *key)
{
    const struct json *found = *hint;

    if (!found || strcmp(json_key(found), key) != 0)
        found = json_get(obj, key);
    if (found)
        *hint = json_next(found);
    return found;
}

static void
compare_maps(const struct place *p, const struct json *old,
             const struct json *now, struct diff *d)
{
    const struct json *hint = json_first(old);

    for (const struct json *c = json_first(now); c; c = json_next(c))
        compare_member(p, json_key(c), same_member(old, &hint, json_key(c)), c,
                       d);
    hint = json_first(now);
    for (const struct json *c = json_first(old); c; c = json_next(c)) {
        if (!same_member(now, &hint, json_key(c)))
            compare_member(p, json_key(c), c, NULL, d);
    }
}

static void
compare_lists(const struct place *p, enum shape shape, const struct json *old,
              const struct json *now, struct diff *d)
{
    struct place child = item_place(p);
    struct map by = {0};

    for (const struct json *c = json_first(old); c; c = json_next(c)) {
        AUTO(mem_free_ptr) char *e = item_element(p, shape, c);

        if (!map_has(&by, str_of(e)))
            map_put(&by, str_of(e), (void *)c);
    }
    for (const struct json *c = json_first(now); c; c = json_next(c)) {
        AUTO(mem_free_ptr) char *e = item_element(p, shape, c);

        compare_child(&child, e, map_del(&by, str_of(e)), c, d);
    }
    for (struct map_entry *e = map_first(&by); e; e = map_next(&by, e))
        compare_child(&child, e->key.s, e->value, NULL, d);
    map_release(&by, NULL);
}

static void
compare_leaf(const struct json *old, const struct json *now, struct diff *d)
{
    if (!now)
        d->removed_here = true;
    else if (!old || !json_equal(old, now))
        d->changed_here = true;
}

static void
compare(const struct place *p, const struct json *old, const struct json *now,
        struct diff *d)
{
    enum shape a = old ? shape_of(p, old) : LEAF;
    enum shape b = now ? shape_of(p, now) : LEAF;
    enum shape shape = now ? b : a;

    if (old && now && a != b) {
        compare(p, old, NULL, d);
        d->removed_here = false;
        d->changed_here = true;
        return;
    }
    if (shape == LEAF || (!json_first(old) && !json_first(now))) {
        compare_leaf(old, now, d);
        return;
    }
    if (shape == MAP)
        compare_maps(p, old, now, d);
    else
        compare_lists(p, shape, old, now, d);
    d->changed_here = !old;
    d->removed_here = !now;
}

void
fields_compare(const struct fields_types *t, const struct json *old,
               const struct json *now, struct json *changed,
               struct json *removed)
{
    struct place root = {t, t->root, true};
    struct diff d = {0};

    compare(&root, old, now, &d);
    fieldset_union(changed, d.changed);
    fieldset_union(removed, d.removed);
    json_free(d.changed);
    json_free(d.removed);
}

/* ---- the fields a configuration names ---- */

struct collector {
    struct buf path;
    struct strlist errors;
};

static void collect(struct collector *c, const struct place *p,
                    const struct json *value, struct json *node);

/* Go's %v of the value inside a Value: &{x}. */
static void
complain_type(struct collector *c, const char *expected, const struct json *v)
{
    struct buf b = BUF_INIT(4096);

    if (json_string(v))
        buf_puts(&b, json_string(v));
    else
        json_print(v, JSON_COMPACT, &b);
    strlist_addf(&c->errors, "%s: expected %s, got &{%s}", buf_cstr(&c->path),
                 expected, buf_cstr(&b));
    buf_release(&b);
}

static bool
type_fits(struct collector *c, const struct schema *s, const struct json *v)
{
    static const struct {
        const char *word;
        enum json_type type;
    } types[] = {
        [SCHEMA_OBJECT] = {"map", JSON_OBJECT},
        [SCHEMA_ARRAY] = {"list", JSON_ARRAY},
        [SCHEMA_STRING] = {"string", JSON_STRING},
        [SCHEMA_INTEGER] = {"numeric (int or float)", JSON_NUMBER},
        [SCHEMA_NUMBER] = {"numeric (int or float)", JSON_NUMBER},
        [SCHEMA_BOOLEAN] = {"boolean", JSON_BOOL},
    };
    enum schema_type type = s ? schema_info(s)->type : SCHEMA_ANY;

    if (type == SCHEMA_ANY || json_is(v, JSON_NULL) ||
        json_is(v, types[type].type))
        return true;
    complain_type(c, types[type].word, v);
    return false;
}

/* A map that is no struct: its items are members themselves. */
static bool
free_form(const struct place *p)
{
    return !p->s || schema_values(p->s) != NULL;
}

static void
collect_map(struct collector *c, const struct place *p, const struct json *map,
            struct json *node)
{
    for (const struct json *m = json_first(map); m; m = json_next(m)) {
        struct place child = member_place(p, json_key(m));
        size_t n = c->path.n;
        struct buf element = BUF_INIT(BUF_TEXT_MAX);
        struct json *below;

        /* The type of an object is nobody's field. */
        if (p->root && (!strcmp(json_key(m), "apiVersion") ||
                        !strcmp(json_key(m), "kind")))
            continue;
        buf_putc(&c->path, '.');
        buf_puts(&c->path, json_key(m));
        if (!child.s && p->s && !schema_info(p->s)->preserve_unknown) {
            strlist_addf(&c->errors, "%s: field not declared in schema",
                         buf_cstr(&c->path));
            buf_truncate(&c->path, n);
            continue;
        }
        buf_puts(&element, "f:");
        buf_puts(&element, json_key(m));
        below = json_new_object();
        collect(c, &child, m, below);
        if (json_first(below) && (free_form(p) || !child.s))
            fieldset_mark(below);
        /* An empty list with keys is nobody's. */
        if (json_first(below) || !json_is(m, JSON_ARRAY) ||
            shape_of(&child, m) == LEAF || free_form(p))
            json_set(node, buf_cstr(&element), below);
        else
            json_free(below);
        buf_release(&element);
        buf_truncate(&c->path, n);
    }
}

static void
collect_list(struct collector *c, const struct place *p, enum shape shape,
             const struct json *list, struct json *node)
{
    struct place child = item_place(p);
    size_t n = c->path.n;

    for (const struct json *i = json_first(list); i; i = json_next(i)) {
        AUTO(mem_free_ptr) char *e = item_element(p, shape, i);
        struct json *below = json_new_object();

        if (json_get(node, e)) {
            struct buf text = BUF_INIT(BUF_TEXT_MAX);

            buf_puts(&text, buf_cstr(&c->path));
            buf_puts(&text, ": duplicate entries for key ");
            fieldset_print_element(e, &text);
            strlist_add(&c->errors, buf_view(&text));
            buf_release(&text);
        }
        fieldset_print_element(e, &c->path);
        collect(c, &child, i, below);
        fieldset_mark(below);
        json_set(node, e, below);
        buf_truncate(&c->path, n);
    }
}

static void
collect(struct collector *c, const struct place *p, const struct json *value,
        struct json *node)
{
    enum shape shape = shape_of(p, value);

    if (!type_fits(c, p->s, value))
        return;
    if (shape == MAP)
        collect_map(c, p, value, node);
    else if (shape != LEAF)
        collect_list(c, p, shape, value, node);
}

bool
fields_of(const struct fields_types *t, const struct json *config,
          struct json *set, struct buf *why)
{
    struct place root = {t, t->root, true};
    struct collector c = {.path = BUF_INIT(BUF_TEXT_MAX)};
    bool good;

    collect(&c, &root, config, set);
    good = c.errors.n == 0;
    if (c.errors.n == 1)
        buf_puts(why, c.errors.v[0]);
    for (size_t i = 0; c.errors.n > 1 && i < c.errors.n; i++)
        buf_printf(why, "%s\n  %s", i ? "" : "errors:", c.errors.v[i]);
    strlist_release(&c.errors);
    buf_release(&c.path);
    return good;
}

/* ---- merging ---- */

static void merge(const struct place *p, struct json *object,
                  const struct json *config);

static bool
goes_deeper(const struct place *p, const struct json *a, const struct json *b)
{
    return a && shape_of(p, a) != LEAF && shape_of(p, a) == shape_of(p, b);
}

static void
merge_list(const struct place *p, enum shape shape, struct json *list,
           const struct json *config)
{
    struct place child = item_place(p);
    struct map by = {0};

    for (struct json *c = json_first(list); c; c = json_next(c)) {
        AUTO(mem_free_ptr) char *e = item_element(p, shape, c);

        map_put(&by, str_of(e), c);
    }
    for (const struct json *c = json_first(config); c; c = json_next(c)) {
        AUTO(mem_free_ptr) char *e = item_element(p, shape, c);
        struct json *mine = map_get(&by, str_of(e));

        if (!mine)
            json_append(list, json_copy(c));
        else if (goes_deeper(&child, mine, c))
            merge(&child, mine, c);
        else if (!json_equal(mine, c))
            json_replace(list, mine, json_copy(c));
    }
    map_release(&by, NULL);
}

static void
merge(const struct place *p, struct json *object, const struct json *config)
{
    enum shape shape = shape_of(p, config);

    if (shape != MAP) {
        merge_list(p, shape, object, config);
        return;
    }
    for (const struct json *c = json_first(config); c; c = json_next(c)) {
        struct place child = member_place(p, json_key(c));
        struct json *mine = json_get(object, json_key(c));

        if (goes_deeper(&child, mine, c))
            merge(&child, mine, c);
        else
            json_set(object, json_key(c), json_copy(c));
    }
}

void
fields_merge(const struct fields_types *t, struct json *object,
             const struct json *config)
{
    struct place root = {t, t->root, true};

    merge(&root, object, config);
}

/* ---- pruning ---- */

static struct json *
find_item(const struct place *p, const struct json *list, const char *element)
{
    enum shape shape = shape_of(p, list);

    if (shape != LIST_SET && shape != LIST_MAP)
        return NULL;
    for (struct json *c = json_first(list); c; c = json_next(c)) {
        AUTO(mem_free_ptr) char *e = item_element(p, shape, c);

        if (!strcmp(e, element))
            return c;
    }
    return NULL;
}

static void
prune(const struct place *p, struct json *object, const struct json *last,
      const struct json *owned)
{
    for (const struct json *c = json_first(last); c; c = json_next(c)) {
        const char *element = json_key(c);
        bool named = element[0] == 'f';
        const struct json *own;
        struct place child;
        struct json *target;

        if (!strcmp(element, "."))
            continue;
        target = named ? json_get(object, element + 2)
                       : find_item(p, object, element);
        if (!target)
            continue;
        own = json_get(owned, element);
        /* An object keeps its metadata: its name is nobody's field. */
        if (!own && (named || fieldset_is_member(c)) &&
            !(p->root && !strcmp(element, "f:metadata"))) {
            json_free(json_detach(object, target));
            continue;
        }
        child = named ? member_place(p, element + 2) : item_place(p);
        prune(&child, target, c, own);
    }
}

void
fields_prune(const struct fields_types *t, struct json *object,
             const struct json *last, const struct json *owned)
{
    struct place root = {t, t->root, true};

    prune(&root, object, last, owned);
}
