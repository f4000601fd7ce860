/* A schema and, behind a line feed, an object: pruned, defaulted, validated.
 * covers: lib/schema/compile.c lib/schema/prune.c lib/schema/validate.c
 * covers: lib/schema/schema.c lib/schema/findings.c lib/schema/format.c
 * covers: lib/schema/cel_rules.c lib/schema/cel_budget.c
 * covers: lib/schema/cel_cost.c */
#include <stdlib.h>

#include "lib/base/yaml.h"

#include "lib/schema/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_object(const struct schema *s, struct json *o)
{
    struct strlist dry = {0}, real = {0}, none = {0};
    struct schema_findings found = {0};

    schema_prune(s, o, true, &dry);
    schema_prune(s, o, false, &real);
    schema_prune(s, o, false, &none);
    if (dry.n != real.n || none.n)
        abort();
    schema_default(s, o);
    struct json *once = json_copy(o);

    schema_default(s, o);
    if (!json_equal(once, o))
        abort();
    if (schema_validate(s, o, &found) != (found.n == 0))
        abort();
    struct json *causes = schema_findings_causes(&found);

    if (json_len(causes) != found.n)
        abort();
    json_free(causes);
    json_free(once);
    schema_findings_release(&found);
    strlist_release(&dry);
    strlist_release(&real);
    strlist_release(&none);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str all = str_n((const char *)data, size), head, tail;
    struct yaml_options o = {.max_nodes = 5000, .last_key_wins = true};
    struct schema_findings problems = {0};
    struct strlist warnings = {0};

    if (size > 20000)
        return 0;
    str_cut(all, '\n', &head, &tail);
    struct json *openapi = yaml_parse_one(head, &o, NULL);
    struct json *object = yaml_parse_one(tail, &o, NULL);
    struct schema *s =
        openapi ? schema_compile(openapi, "s", &problems, &warnings) : NULL;

    if (openapi && !s && !problems.n)
        abort();
    json_free(openapi);
    if (s && object)
        check_object(s, object);
    schema_free(s);
    json_free(object);
    schema_findings_release(&problems);
    strlist_release(&warnings);
    return 0;
}
