/*
 * Design: a manager that no longer names a field gives it up; when nobody else
 * has it, it goes, with what is below it that nobody has. In steps, as in
 * structured-merge-diff: everything of the last set goes; what somebody owns
 * comes back; what was never of the last set comes back too.
 */
#include "lib/base/mem.h"

#include "devenv/sandbox/fields_place.h"
#include "devenv/sandbox/fieldset.h"

/* ---- taking paths out of a tree ---- */

/* A copy of v without the paths of set and all below them; NULL: nothing is
 * left (and the place becomes null). */
static struct json *without(const struct place *p, const struct json *v,
                            const struct json *set);

/* What is left of a member or item at element; NULL: it goes. */
static struct json *
remainder_of(const struct place *p, const struct json *v,
             const struct json *node)
{
    struct json *left;

    if (!node)
        return json_copy(v);
    if (fieldset_is_member(node))
        return NULL;
    left = without(p, v, node);
    return left ? left : json_new_null();
}

static struct json *
map_without(const struct place *p, const struct json *map,
            const struct json *set)
{
    AUTO(buf_release) struct buf e = BUF_INIT(BUF_TEXT_MAX);
    struct json *out = json_new_object();

    for (const struct json *c = json_first(map); c; c = json_next(c)) {
        struct place child;
        struct json *left;
        bool named;

        place_member(p, json_key(c), &child, &named);
        buf_reset(&e);
        buf_puts(&e, "f:");
        buf_puts(&e, json_key(c));
        left = remainder_of(&child, c, json_get(set, buf_cstr(&e)));
        if (left)
            json_set(out, json_key(c), left);
    }
    return out;
}

static struct json *
list_without(const struct place *p, const struct json *list,
             const struct json *set)
{
    AUTO(buf_release) struct buf e = BUF_INIT(BUF_TEXT_MAX);
    struct json *out = json_new_array();
    struct place child = place_item(p);

    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        bool has = place_element(p, c, &e, NULL);
        struct json *left =
            remainder_of(&child, c, has ? json_get(set, buf_cstr(&e)) : NULL);

        if (left)
            json_append(out, left);
    }
    return out;
}

static struct json *
without(const struct place *p, const struct json *v, const struct json *set)
{
    enum form form = place_first(place_forms(p, v));
    struct json *out;

    if (form == FORM_SCALAR)
        return json_copy(v);
    if (!json_is(v, form == FORM_MAP ? JSON_OBJECT : JSON_ARRAY) ||
        !json_first(v) ||
        (form == FORM_MAP ? place_map_atomic(p)
                          : place_list(p) == SCHEMA_LIST_ATOMIC))
        return NULL;
    out = form == FORM_MAP ? map_without(p, v, set) : list_without(p, v, set);
    if (json_first(out))
        return out;
    json_free(out);
    return NULL;
}

static struct json *
object_without(const struct fields_types *t, const struct json *object,
               const struct json *set)
{
    struct place root = place_root(t);
    struct json *out =
        fieldset_empty(set) ? json_copy(object) : without(&root, object, set);

    return out ? out : json_new_object();
}

/* ---- sets with the properties on the way to their paths ---- */

static void
name_parents(const struct place *p, struct json *set)
{
    for (struct json *c = json_first(set); c; c = json_next(c)) {
        const char *element = json_key(c);
        struct place child = {p->t, NULL, false, false};
        bool named = false;

        if (!json_first(c) || !strcmp(element, "."))
            continue;
        if (*element == 'f')
            place_member(p, element + 2, &child, &named);
        else if (*element == 'k')
            child = place_item(p);
        if (named)
            fieldset_mark(c);
        name_parents(&child, c);
    }
}

/* Marks each property on the way to a path of set as a path of it too. */
static void
mark_parents(const struct fields_types *t, struct json *set)
{
    struct place root = place_root(t);

    name_parents(&root, set);
}

static struct json *
all_fields(const struct fields_types *t, const struct json *object)
{
    struct json *set = json_new_object();

    fields_of(t, object, set);
    mark_parents(t, set);
    return set;
}

static struct json *
with_parents(const struct fields_types *t, const struct json *set)
{
    struct json *out = set ? json_copy(set) : json_new_object();

    mark_parents(t, out);
    return out;
}

/* ---- pruning ---- */

/* What merged has and pruned has not, unless it is owned comes out of merged:
 * the next pruned. */
static struct json *
add_back_owned(const struct fields_owned *owned, const struct json *merged,
               const struct json *pruned)
{
    AUTO(json_free_ptr)
    struct json *gone = all_fields(owned->t, merged),
                *left = all_fields(owned->t, pruned),
                *kept = with_parents(owned->t, owned->set);

    fieldset_union(left, kept);
    fieldset_subtract(gone, left);
    return object_without(owned->t, merged, gone);
}

static struct json *
add_back_dangling(const struct fields_types *t, const struct json *merged,
                  const struct json *pruned, const struct json *last)
{
    AUTO(json_free_ptr)
    struct json *gone = all_fields(t, merged), *left = all_fields(t, pruned),
                *both = NULL;

    fieldset_subtract(gone, left);
    both = fieldset_intersect(gone, last);
    return object_without(t, merged, both);
}

/* Could the place have fields of its own that last does not name? v NULL: not
 * known. */
static bool
may_hold_more(const struct place *p, const struct json *v)
{
    unsigned forms = place_forms(p, v);

    if (v && !json_first(v))
        return false;
    return ((forms & FORM_MAP) && !place_map_atomic(p)) ||
           ((forms & FORM_LIST) && place_list(p) != SCHEMA_LIST_ATOMIC);
}

/* Every path of last is owned and a leaf of v: nothing can go. */
static bool
settled(const struct place *p, const struct json *v, const struct json *last,
        const struct json *owned)
{
    for (const struct json *c = json_first(last); c; c = json_next(c)) {
        const char *element = json_key(c);
        const struct json *own = json_get(owned, element), *below = NULL;
        struct place child;
        bool named = false;

        if (!strcmp(element, "."))
            continue;
        if (*element == 'f') {
            place_member(p, element + 2, &child, &named);
            below = json_get(v, element + 2);
        } else {
            child = place_item(p);
        }
        if (!own || (fieldset_is_member(c) && !fieldset_is_member(own)))
            return false;
        if (!json_first(c) ? may_hold_more(&child, below)
                           : !settled(&child, below, c, own))
            return false;
    }
    return true;
}

void
fields_prune(const struct fields_types *t, struct json **object,
             const struct json *last, const struct fields_owned *owned,
             size_t n)
{
    AUTO(json_free_ptr) struct json *set = NULL, *pruned = NULL;
    struct place root = place_root(t);
    struct json *next;

    if (fieldset_empty(last) || settled(&root, *object, last, owned[0].set))
        return;
    set = with_parents(t, last);
    pruned = object_without(t, *object, set);
    for (size_t i = 0; i < n; i++) {
        next = add_back_owned(&owned[i], *object, pruned);
        json_free(pruned);
        pruned = next;
    }
    next = add_back_dangling(t, *object, pruned, set);
    json_free(*object);
    *object = next;
}

/* ---- sets after the schema changed ---- */

/* A map whose every field is deduced. */
static bool
deduced_map(const struct place *p)
{
    return !p->root && !schema_info(p->s)->embedded_resource &&
           !schema_property_count(p->s) && !schema_values(p->s);
}

/* True: the node itself takes the place of all below it. */
static bool
reconcile(const struct place *p, struct json *node, bool *changed)
{
    enum form form = place_first(place_forms(p, NULL));
    bool below = !fieldset_empty(node);
    bool atomic = form == FORM_MAP ? place_map_atomic(p)
                                   : place_list(p) == SCHEMA_LIST_ATOMIC;

    if (form == FORM_SCALAR || !p->s || !below ||
        (form == FORM_MAP && deduced_map(p)))
        return false;
    if (atomic)
        return true;
    for (struct json *c = json_first(node); c; c = json_next(c)) {
        struct place child = {p->t, NULL, false, false};
        bool named, known = true;

        if (!strcmp(json_key(c), "."))
            continue;
        if (*json_key(c) == 'f')
            known = place_member(p, json_key(c) + 2, &child, &named);
        else
            child = place_item(p);
        if (!known || !reconcile(&child, c, changed))
            continue;
        while (json_first(c))
            json_free(json_detach(c, json_first(c)));
        *changed = true;
    }
    return false;
}

bool
fields_reconcile(const struct fields_types *t, struct json *set)
{
    struct place root = place_root(t);
    bool changed = false;

    reconcile(&root, set, &changed);
    return changed;
}
