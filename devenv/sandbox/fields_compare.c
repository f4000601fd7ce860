/*
 * Design: one walk over both objects. A level hands its differences up as two
 * trees that are NULL while there are none, so that equal subtrees cost no
 * memory. Where the two sides have different forms both are walked: what the
 * old form had is removed, what the new form has is changed.
 */
#include <stdlib.h>

#include "lib/base/map.h"
#include "lib/base/mem.h"

#include "devenv/sandbox/fields_place.h"
#include "devenv/sandbox/fieldset.h"

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
    struct json *mine;

    if (!below && !here)
        return;
    if (!*set)
        *set = json_new_object();
    if (!below)
        below = json_new_object();
    else if (here)
        fieldset_mark(below);
    mine = json_get(*set, element);
    if (!mine) {
        json_set(*set, element, below);
        return;
    }
    /* The other form of the same place was here before. */
    here |= fieldset_is_member(mine);
    fieldset_union(mine, below);
    if (here)
        fieldset_mark(mine);
    json_free(below);
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

static bool
same_scalar(const struct json *a, const struct json *b)
{
    return a && b && !json_is(a, JSON_OBJECT) && !json_is(a, JSON_ARRAY) &&
           json_equal(a, b);
}

static void
compare_member(const struct place *p, const char *key, const struct json *old,
               const struct json *now, struct diff *up)
{
    AUTO(buf_release) struct buf element = BUF_INIT(BUF_TEXT_MAX);
    struct diff d = {0};
    struct place child;
    bool named;

    if (same_scalar(old, now))
        return;
    place_member(p, key, &child, &named);
    compare(&child, old, now, &d);
    if (!d.changed && !d.changed_here && !d.removed && !d.removed_here)
        return;
    buf_puts(&element, "f:");
    buf_puts(&element, key);
    attach(&up->changed, buf_cstr(&element), d.changed, d.changed_here);
    attach(&up->removed, buf_cstr(&element), d.removed, d.removed_here);
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

/* ---- lists with keys ---- */

/* The items of one path element: the first of old and of now, and how many. */
struct twin {
    const struct json *old, *now;
    size_t olds, nows;
    bool same; /* the items before and after, taken one by one, are equal */
};

static void
index_items(const struct place *p, const struct json *list, bool now,
            struct map *by)
{
    AUTO(buf_release) struct buf e = BUF_INIT(BUF_TEXT_MAX);

    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        struct twin *t;

        if (!place_element(p, c, &e, NULL))
            continue;
        t = map_get(by, buf_view(&e));
        if (!t) {
            t = mem_zalloc(1, sizeof(*t));
            map_put(by, buf_view(&e), t);
        }
        if (now && !t->nows++)
            t->now = c;
        if (!now && !t->olds++)
            t->old = c;
    }
}

/* Do the two lists have the same items with this element, in order? */
static bool
same_twins(const struct place *p, const struct json *old,
           const struct json *now, struct str element)
{
    AUTO(buf_release) struct buf e = BUF_INIT(BUF_TEXT_MAX);
    const struct json *a = json_first(old), *b = json_first(now);

    for (;; a = json_next(a), b = json_next(b)) {
        while (a && !(place_element(p, a, &e, NULL) &&
                      str_eq(buf_view(&e), element)))
            a = json_next(a);
        while (b && !(place_element(p, b, &e, NULL) &&
                      str_eq(buf_view(&e), element)))
            b = json_next(b);
        if (!a || !b)
            return !a && !b;
        if (!json_equal(a, b))
            return false;
    }
}

/* An element that stands twice is one field. */
static void
compare_doubles(const struct place *p, const char *element,
                const struct twin *t, struct diff *d)
{
    struct place child = place_item(p);

    if (t->olds > 1 && t->nows > 1) {
        if (!t->same)
            attach(&d->changed, element, NULL, true);
    } else if (t->olds > 1) {
        if (t->nows)
            compare_child(&child, element, NULL, t->now, d);
        attach(&d->removed, element, NULL, true);
    } else {
        if (t->olds)
            compare_child(&child, element, t->old, NULL, d);
        attach(&d->changed, element, NULL, true);
    }
}

static void
compare_lists(const struct place *p, const struct json *old,
              const struct json *now, struct diff *d)
{
    struct place child = place_item(p);
    struct map by = {0};

    index_items(p, old, false, &by);
    index_items(p, now, true, &by);
    for (struct map_entry *e = map_first(&by); e; e = map_next(&by, e)) {
        struct twin *t = e->value;

        if (t->olds <= 1 && t->nows <= 1) {
            compare_child(&child, e->key.s, t->old, t->now, d);
            continue;
        }
        t->same = t->olds > 1 && t->nows > 1 && same_twins(p, old, now, e->key);
        compare_doubles(p, e->key.s, t, d);
    }
    map_release(&by, free);
}

/* ---- any place ---- */

static void
compare_leaf(const struct json *old, const struct json *now, struct diff *d)
{
    if (!old || (now && !json_equal(old, now)))
        d->changed_here = true;
    else if (!now)
        d->removed_here = true;
}

/* True: the place is a leaf in this form. */
static bool
compare_as(const struct place *p, enum form form, const struct json *old,
           const struct json *now, struct diff *d)
{
    enum json_type type = form == FORM_MAP ? JSON_OBJECT : JSON_ARRAY;
    const struct json *a = json_is(old, type) ? old : NULL;
    const struct json *b = json_is(now, type) ? now : NULL;

    if (form == FORM_SCALAR || (!json_first(a) && !json_first(b)) ||
        (form == FORM_MAP ? place_map_atomic(p)
                          : place_list(p) == SCHEMA_LIST_ATOMIC)) {
        compare_leaf(old, now, d);
        return true;
    }
    if (form == FORM_MAP)
        compare_maps(p, a, b, d);
    else
        compare_lists(p, a, b, d);
    return false;
}

static void
compare(const struct place *p, const struct json *old, const struct json *now,
        struct diff *d)
{
    unsigned was = place_forms(p, old), is = place_forms(p, now);
    bool leaf;

    if (old && now && was != is)
        compare_as(p, place_first(was), old, now, d);
    leaf = compare_as(p, place_first(now ? is : was), old, now, d);
    d->changed_here |= !leaf && !old;
    d->removed_here |= !leaf && !now;
}

void
fields_compare(const struct fields_types *t, const struct json *old,
               const struct json *now, struct json *changed,
               struct json *removed)
{
    struct place root = place_root(t);
    struct diff d = {0};

    compare(&root, old, now, &d);
    fieldset_union(changed, d.changed);
    fieldset_union(removed, d.removed);
    json_free(d.changed);
    json_free(d.removed);
}
