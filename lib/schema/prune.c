#include "lib/schema/node.h"

/*
 * pkg/apiserver/schema/{pruning,defaulting}: a walk over value and schema
 * together. Values that do not fit their schema are left for schema_validate.
 */

struct prune {
    bool dry;
    struct strlist *unknown;
    struct buf path;
};

static void prune(struct prune *p, const struct schema *s, struct json *v);

static void
drop(struct prune *p, struct json *object, struct json *member)
{
    size_t mark = schema_path_key(&p->path, json_key(member));

    if (p->unknown)
        strlist_add(p->unknown, buf_view(&p->path));
    buf_truncate(&p->path, mark);
    if (!p->dry)
        json_free(json_detach(object, member));
}

static void
prune_metadata(struct prune *p, struct json *metadata)
{
    size_t mark = schema_path_key(&p->path, "metadata");
    struct json *next;

    if (json_is(metadata, JSON_OBJECT)) {
        for (struct json *c = json_first(metadata); c; c = next) {
            next = json_next(c);
            if (!schema_meta_field(json_key(c)))
                drop(p, metadata, c);
        }
    }
    buf_truncate(&p->path, mark);
}

/* apiVersion, kind and metadata of a resource: known without a schema. */
static bool
is_type_meta(const struct schema *s, const char *key)
{
    return (s->is_root || s->info.embedded_resource) &&
           (strcmp(key, "apiVersion") == 0 || strcmp(key, "kind") == 0 ||
            strcmp(key, "metadata") == 0);
}

/* Below a value that has no schema (the elements of what should not be a list,
 * additionalProperties: true) no member is known. */
static void
drop_all(struct prune *p, struct json *object)
{
    struct json *next;

    for (struct json *c = json_first(object); c; c = next) {
        next = json_next(c);
        drop(p, object, c);
    }
}

static void
prune_object(struct prune *p, const struct schema *s, struct json *object)
{
    struct json *next;

    for (struct json *c = json_first(object); c; c = next) {
        const struct schema *child = schema_member(s, json_key(c));

        next = json_next(c);
        if (is_type_meta(s, json_key(c))) {
            if (strcmp(json_key(c), "metadata") == 0)
                prune_metadata(p, c);
        } else if (child) {
            size_t mark = schema_path_key(&p->path, json_key(c));

            prune(p, child, c);
            buf_truncate(&p->path, mark);
        } else if (s->any_values) {
            size_t mark = schema_path_key(&p->path, json_key(c));

            prune(p, NULL, c);
            buf_truncate(&p->path, mark);
        } else if (!s->info.preserve_unknown) {
            drop(p, object, c);
        }
    }
}

/* s NULL: nothing is known of v. */
static void
prune(struct prune *p, const struct schema *s, struct json *v)
{
    size_t i = 0;

    if (json_is(v, JSON_OBJECT) && s)
        prune_object(p, s, v);
    else if (json_is(v, JSON_OBJECT))
        drop_all(p, v);
    else if (json_is(v, JSON_ARRAY) &&
             (!s || s->items || !s->info.preserve_unknown)) {
        for (struct json *c = json_first(v); c; c = json_next(c)) {
            size_t mark = schema_path_index(&p->path, i++);

            prune(p, s ? s->items : NULL, c);
            buf_truncate(&p->path, mark);
        }
    }
}

void
schema_prune(const struct schema *root, struct json *object, bool dry,
             struct strlist *unknown)
{
    struct prune p = {dry, unknown, BUF_INIT(4096)};

    prune(&p, root, object);
    if (unknown)
        strlist_sort(unknown);
    buf_release(&p.path);
}

/* ---- defaults ---- */

/* A null where none may be. */
static bool
bad_null(const struct json *v, const struct schema *s)
{
    return json_is(v, JSON_NULL) && s && !s->info.nullable;
}

static void apply(const struct schema *s, struct json *v);

static void
apply_object(const struct schema *s, struct json *object)
{
    struct json *next;

    for (struct json *c = json_first(object); c; c = next) {
        const struct schema *child = schema_member(s, json_key(c));

        next = json_next(c);
        if (!bad_null(c, child))
            continue;
        if (child->info.fallback)
            json_replace(object, c, json_copy(child->info.fallback));
        else
            json_free(json_detach(object, c));
    }
    for (size_t i = 0; i < s->property_count; i++) {
        const struct schema_property *p = &s->properties[i];

        if (p->schema->info.fallback && !json_get(object, p->name))
            json_set(object, p->name, json_copy(p->schema->info.fallback));
    }
    for (struct json *c = json_first(object); c; c = json_next(c)) {
        const struct schema *child = schema_member(s, json_key(c));

        if (child)
            apply(child, c);
    }
}

static void
apply(const struct schema *s, struct json *v)
{
    struct json *next;

    if (json_is(v, JSON_OBJECT))
        apply_object(s, v);
    if (!json_is(v, JSON_ARRAY) || !s->items)
        return;
    for (struct json *c = json_first(v); c; c = next) {
        next = json_next(c);
        if (bad_null(c, s->items) && s->items->info.fallback) {
            struct json *fresh = json_copy(s->items->info.fallback);

            json_replace(v, c, fresh);
            c = fresh;
        }
        apply(s->items, c);
    }
}

void
schema_default(const struct schema *root, struct json *object)
{
    apply(root, object);
}
