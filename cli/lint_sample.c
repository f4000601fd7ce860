/*
 * An object with every field that a schema names, so that composing it shows
 * what a Composition does. Values are the schema's own where it has some
 * (default, enum, example), else small ones of the type.
 */
#include "lib/schema/schema.h"

#include "cli/lint.h"

#define DEPTH_MAX 20

/* What is passed down. */
struct how {
    const char *word;
    unsigned depth;
};

static struct json *sample(const struct schema *s, struct how how);

static struct json *
sample_object(const struct schema *s, struct how how)
{
    struct json *o = json_new_object();
    const char *name;
    bool required;

    for (size_t i = 0; i < schema_property_count(s); i++) {
        const struct schema *p = schema_property(s, i, &name, &required);

        json_set(o, name, sample(p, how));
    }
    if (!schema_property_count(s) && schema_values(s))
        json_set(o, "sample", sample(schema_values(s), how));
    return o;
}

static struct json *
sample_text(const struct schema_info *info, const char *word)
{
    static const struct {
        const char *format, *text;
    } formats[] = {
        {"date-time", "2024-01-01T00:00:00Z"},
        {"date", "2024-01-01"},
        {"ipv4", "192.0.2.1"},
        {"uri", "https://example.org"},
        {"email", "a@example.org"},
    };

    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        if (strcmp(info->format, formats[i].format) == 0)
            return json_new_string(formats[i].text);
    }
    return json_new_string(word);
}

static struct json *
sample_scalar(const struct schema_info *info, const char *word)
{
    switch (info->type) {
    case SCHEMA_INTEGER:
    case SCHEMA_NUMBER:
        return info->minimum ? json_copy(info->minimum) : json_new_int(1);
    case SCHEMA_BOOLEAN:
        return json_new_bool(true);
    case SCHEMA_STRING:
        return sample_text(info, word);
    default:
        return info->int_or_string ? json_new_int(1) : json_new_object();
    }
}

static struct json *
sample(const struct schema *s, struct how how)
{
    const struct schema_info *info = schema_info(s);
    struct json *list;

    if (++how.depth > DEPTH_MAX)
        return json_new_null();
    if (info->type == SCHEMA_OBJECT && schema_property_count(s))
        return sample_object(s, how);
    if (info->fallback)
        return json_copy(info->fallback);
    if (json_first(info->choices))
        return json_copy(json_first(info->choices));
    if (info->example)
        return json_copy(info->example);
    if (info->type == SCHEMA_OBJECT)
        return sample_object(s, how);
    if (info->type != SCHEMA_ARRAY)
        return sample_scalar(info, how.word);
    list = json_new_array();
    if (schema_items(s))
        json_append(list, sample(schema_items(s), how));
    return list;
}

struct json *
lint_sample(const struct schema *s, const char *word)
{
    struct json *o = sample_object(s, (struct how){word, 0});

    /* What core itself keeps there is not the user's. */
    json_del(o, "status");
    json_del(json_get(o, "spec"), "crossplane");
    return o;
}
