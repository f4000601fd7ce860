/* An expression and, behind the last line feed, an object: compiled untyped
 * and against a schema, estimated, evaluated twice.
 * covers: lib/schema/cel.c lib/schema/cel_check.c lib/schema/cel_convert.c
 * covers: lib/schema/cel_cost.c
 * covers: lib/schema/cel_equal.c lib/schema/cel_eval.c lib/schema/cel_format.c
 * covers: lib/schema/cel_functions.c lib/schema/cel_kubernetes.c
 * covers: lib/schema/cel_lex.c lib/schema/cel_list.c lib/schema/cel_network.c
 * covers: lib/schema/cel_parse.c lib/schema/cel_text.c lib/schema/cel_time.c
 * covers: lib/schema/cel_type.c lib/schema/cel_url.c lib/schema/cel_value.c */
#include <stdlib.h>

#include "lib/base/utf8.h"

#include "lib/schema/cel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char schema_text[] =
    "{\"type\":\"object\",\"properties\":{\"i\":{\"type\":\"integer\"},"
    "\"n\":{\"type\":\"number\"},\"s\":{\"type\":\"string\"},\"l\":{\"type\":"
    "\"array\",\"x-kubernetes-list-type\":\"set\",\"items\":{\"type\":"
    "\"string\"}},\"m\":{\"type\":\"object\",\"additionalProperties\":{"
    "\"type\":\"integer\"}},\"d\":{\"type\":\"string\",\"format\":"
    "\"duration\"},\"t\":{\"type\":\"string\",\"format\":\"date-time\"},"
    "\"x\":{\"x-kubernetes-int-or-string\":true},\"b\":{\"type\":\"string\","
    "\"format\":\"byte\"},\"o\":{\"type\":\"array\","
    "\"x-kubernetes-list-type\":\"map\",\"x-kubernetes-list-map-keys\":["
    "\"k\"],\"items\":{\"type\":\"object\",\"required\":[\"k\"],"
    "\"properties\":{\"k\":{\"type\":\"string\"},\"v\":{\"type\":\"boolean\"}"
    "}}}}}";

/* The answer as text, so that two can be compared. */
static char *
answer(const struct cel *c, const struct json *self, const struct schema *s)
{
    struct cel_run run = {.arena = arena_new(), .limit = 20000};
    struct cel_value values[] = {cel_of_json(run.arena, self, s), {0}};

    values[1] = values[0];
    struct cel_value v = cel_eval(c, values, &run);
    struct json *j = cel_to_json(v, NULL);
    struct buf b = BUF_INIT(1 << 26);

    if (v.kind == CEL_ERROR && !v.s.n)
        abort();
    if (v.kind == CEL_ERROR)
        buf_str(&b, v.s);
    json_print(j, JSON_SORTED, &b);
    json_free(j);
    arena_free(run.arena);
    return buf_take(&b);
}

static void
evaluate(struct str text, const struct json *self, const struct schema *s)
{
    const struct cel_variable variables[] = {{.name = "self", .schema = s},
                                             {.name = "oldSelf", .schema = s}};
    struct buf why = BUF_INIT(1 << 20);
    struct cel_failure failure = {.text = &why};
    struct cel *c = cel_compile(text, variables, 2, &failure);

    if (!c != (why.n > 0))
        abort();
    if (c && s && cel_estimate(c, s) != cel_estimate(c, s))
        abort();
    if (c) {
        char *once = answer(c, self, s), *twice = answer(c, self, s);

        if (strcmp(once, twice) != 0)
            abort();
        free(once);
        free(twice);
    }
    cel_free(c);
    buf_release(&why);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size);
    struct schema_findings problems = {0};
    size_t line = size;

    if (size > 4000 || !utf8_valid(text))
        return 0;
    while (line && data[line - 1] != '\n')
        line--;
    struct json *schema = json_parse(str_of(schema_text), NULL, NULL);
    struct schema *s = schema_compile(schema, "", &problems, NULL);
    struct json *self = json_parse(str_from(text, line), NULL, NULL);

    evaluate(str_sub(text, 0, line), self, NULL);
    if (json_is(self, JSON_OBJECT))
        evaluate(str_sub(text, 0, line), self, s);
    json_free(self);
    json_free(schema);
    schema_free(s);
    return 0;
}
