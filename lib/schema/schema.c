#include "lib/schema/schema.h"

#include <stdarg.h>
#include <stdlib.h>

#include "lib/schema/node.h"

static const char *const type_names[] = {
    [SCHEMA_ANY] = "",
    [SCHEMA_OBJECT] = "object",
    [SCHEMA_ARRAY] = "array",
    [SCHEMA_STRING] = "string",
    [SCHEMA_INTEGER] = "integer",
    [SCHEMA_NUMBER] = "number",
    [SCHEMA_BOOLEAN] = "boolean",
};

void
schema_free(struct schema *node)
{
    if (!node)
        return;
    struct schema_root *root = node->root;

    for (struct schema *s = root->nodes; s; s = s->next) {
        re_free(s->pattern);
        schema_rules_release(s);
        strlist_release(&s->required);
        strlist_release((struct strlist *)s->info.list_keys);
    }
    json_free(root->source);
    arena_free(root->arena);
    free(root);
}

void
schema_free_ptr(struct schema **root)
{
    schema_free(*root);
}

const struct schema_info *
schema_info(const struct schema *node)
{
    return &node->info;
}

const char *
schema_type_name(enum schema_type type)
{
    return type_names[type];
}

bool
schema_meta_field(const char *name)
{
    static const char *const fields[] = {
        "name",
        "generateName",
        "namespace",
        "selfLink",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "labels",
        "annotations",
        "ownerReferences",
        "finalizers",
        "managedFields",
    };

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (strcmp(fields[i], name) == 0)
            return true;
    }
    return false;
}

const struct schema_property *
schema_find(const struct schema *node, const char *name)
{
    size_t low = 0, high = node->property_count;

    while (low < high) {
        size_t mid = (low + high) / 2;
        int c = strcmp(name, node->by_name[mid]->name);

        if (c == 0)
            return node->by_name[mid];
        if (c < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

const struct schema *
schema_member(const struct schema *node, const char *key)
{
    if (!node)
        return NULL;
    const struct schema_property *p = schema_find(node, key);

    return p ? p->schema : node->values;
}

const struct schema *
schema_items(const struct schema *node)
{
    return node ? node->items : NULL;
}

const struct schema *
schema_values(const struct schema *node)
{
    return node ? node->values : NULL;
}

const struct schema *
schema_at(const struct schema *node, ...)
{
    va_list ap;
    const char *key;

    va_start(ap, node);
    while (node && (key = va_arg(ap, const char *)))
        node = strcmp(key, "[]") == 0 ? schema_items(node)
                                      : schema_member(node, key);
    va_end(ap);
    return node;
}

size_t
schema_property_count(const struct schema *node)
{
    return node ? node->property_count : 0;
}

const struct schema *
schema_property(const struct schema *node, size_t i, const char **name,
                bool *required)
{
    const struct schema_property *p = &node->properties[i];

    if (name)
        *name = p->name;
    if (required)
        *required = p->required;
    return p->schema;
}
