/* Patches: the input is an object, a line break, and a patch; every kind of
 * patch is tried with it. A merge patch applied twice changes nothing more.
 * covers: devenv/sandbox/patch_merge.c devenv/sandbox/patch_json.c
 * covers: devenv/sandbox/patch_strategic.c devenv/sandbox/managed.c
 * covers: devenv/sandbox/fields.c devenv/sandbox/fieldset.c */
#include <stdlib.h>

#include "devenv/sandbox/managed.h"
#include "devenv/sandbox/patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_merge(const struct json *object, const struct json *patch)
{
    struct json *once = json_copy(object), *twice;

    patch_merge(once, patch);
    twice = json_copy(once);
    patch_merge(twice, patch);
    if (!json_equal(once, twice))
        abort();
    json_free(once);
    json_free(twice);
}

static void
try_others(const struct json *object, const struct json *patch)
{
    static struct types *types; /* as long as the process */
    struct json *j = json_copy(object);
    struct status st = {0};

    if (!types)
        types = types_new();
    if (!patch_json(&j, patch, &st) && !st.code)
        abort();
    json_free(j);
    status_release(&st);
    j = json_copy(object);
    if (json_is(patch, JSON_OBJECT) &&
        !patch_strategic(types_kind(types, "v1", "Service"), j, patch, &st) &&
        !st.code)
        abort();
    json_free(j);
    status_release(&st);
}

/* Without a schema everything is deduced; then with one. */
static void
try_apply(const struct json *object, const struct json *patch,
          const struct schema *schema)
{
    struct fields_types t = {.root = schema};
    struct managed_by by = {.manager = "fuzz",
                            .api_version = "v1",
                            .now = "2026-11-21T05:00:00Z",
                            .types = &t};
    struct json *live = json_copy(object);
    struct status st = {0};

    if (!managed_apply(&by, &live, patch, false, &st) && !st.code)
        abort();
    status_release(&st);
    json_free(live);
    live = json_copy(patch);
    managed_update(&by, object, live);
    json_free(live);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char openapi[] =
        "{\"type\":\"object\",\"properties\":{\"s\":{\"type\":\"array\","
        "\"x-kubernetes-list-type\":\"set\",\"items\":{\"type\":\"string\"}},"
        "\"m\":{\"type\":\"array\",\"x-kubernetes-list-type\":\"map\","
        "\"x-kubernetes-list-map-keys\":[\"n\"],\"items\":{\"type\":\"object\","
        "\"required\":[\"n\"],\"properties\":{\"n\":{\"type\":\"string\"},"
        "\"v\":{\"type\":\"integer\"}}}}}}";
    struct str head, tail;
    struct json_options o = {.max_depth = 30, .max_nodes = 2000};
    struct json *object, *patch;

    str_cut(str_n((const char *)data, size), '\n', &head, &tail);
    object = json_parse(head, &o, NULL);
    patch = json_parse(tail, &o, NULL);
    if (json_is(object, JSON_OBJECT) && patch) {
        struct json *text = json_parse(STR(openapi), NULL, NULL);
        struct schema_findings bad = {0};
        struct schema *schema = schema_compile(text, "", &bad, NULL);

        if (!schema)
            abort();
        if (json_is(patch, JSON_OBJECT)) {
            try_merge(object, patch);
            try_apply(object, patch, NULL);
            try_apply(object, patch, schema);
        }
        try_others(object, patch);
        schema_free(schema);
        json_free(text);
    }
    json_free(object);
    json_free(patch);
    return 0;
}
