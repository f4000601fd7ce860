/*
 * What rules may cost at most, as ruleEnv.EstimateCost of Kubernetes 1.34.4
 * said for each (data/cel_costs.json: a schema, then rules with cost and how
 * many values of the schema fit into a request), and the limits.
 */
#include "lib/schema/cel_check.h"

#include "tests/unit/schema/cases.h"

#define DATA "tests/unit/schema/data/cel_costs.json"

static struct schema *
compile(const struct json *schema, struct schema_findings *bad)
{
    AUTO(json_free_ptr) struct json *root = json_new_object();
    struct json *properties;

    json_set_string(root, "type", "object");
    properties = json_set(root, "properties", json_new_object());
    json_set(properties, "x", json_copy(schema));
    return schema_compile(root, "s", bad, NULL);
}

static void
check(const struct json *row, const struct schema *s)
{
    const struct cel_variable variables[] = {{.name = "self", .schema = s},
                                             {.name = "oldSelf", .schema = s}};
    AUTO(buf_release) struct buf why = BUF_INIT(10000);
    struct cel_failure failure = {.text = &why};
    struct cel *c = cel_compile(str_of(json_get_text(row, "rule")), variables,
                                ARRAY_LEN(variables), &failure);

    if (!c)
        fail_msg("%s: %s", json_get_text(row, "rule"), buf_cstr(&why));
    AUTO(mem_free_ptr)
    char *got = mem_printf("%llu %llu", (unsigned long long)cel_estimate(c, s),
                           (3ULL << 20) / (cel_min_size(s) + 1));

    if (strcmp(got, json_get_text(row, "cost")) != 0)
        fail_msg("%s: %s, not %s", json_get_text(row, "rule"), got,
                 json_get_text(row, "cost"));
    cel_free(c);
}

static void
test_costs(UNUSED void **state)
{
    AUTO(buf_release) struct buf file = BUF_INIT(1 << 20);
    AUTO(schema_findings_release) struct schema_findings bad = {0};
    AUTO(schema_free_ptr) struct schema *s = NULL;
    struct str rest;
    size_t n = 0;

    cases_load(DATA, &file);
    rest = buf_view(&file);
    for (struct json *row; (row = cases_next(&rest)); json_free(row)) {
        if (!s)
            s = compile(json_get(row, "schema"), &bad);
        else if (++n)
            check(row, schema_at(s, "x", NULL));
    }
    assert_true(n > 100);
}

static void
test_limits(UNUSED void **state)
{
    static const struct {
        const char *schema, *want;
    } cases[] = {
        {"{\"type\":\"array\",\"maxItems\":10,\"items\":{\"type\":\"string\","
         "\"maxLength\":5},\"x-kubernetes-validations\":[{\"rule\":\"self.all("
         "a, self.all(b, a == b))\"}]}",
         ""},
        {"{\"type\":\"array\",\"items\":{\"type\":\"string\"},"
         "\"x-kubernetes-validations\":[{\"rule\":\"self.all(a, self.all(b, a "
         "== b))\"}]}",
         "s.properties[x].x-kubernetes-validations[0].rule: Forbidden: "
         "estimated rule cost exceeds budget by factor of more than 100x (try "
         "simplifying the rule, or adding maxItems, maxProperties, and "
         "maxLength where arrays, maps, and strings are declared)\n"
         "s.properties[x].x-kubernetes-validations[0].rule: Forbidden: "
         "contributed to estimated rule cost total exceeding cost limit for "
         "entire OpenAPIv3 schema\n"
         "s: Forbidden: x-kubernetes-validations estimated rule cost total for "
         "entire OpenAPIv3 schema exceeds budget by factor of more than 100x "
         "(try simplifying the rule, or adding maxItems, maxProperties, and "
         "maxLength where arrays, maps, and strings are declared)\n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(json_free_ptr)
        struct json *j = json_parse(str_of(cases[i].schema), NULL, NULL);
        AUTO(schema_findings_release) struct schema_findings bad = {0};
        AUTO(schema_free_ptr) struct schema *s = compile(j, &bad);
        AUTO(buf_release) struct buf b = BUF_INIT(10000);

        for (size_t k = 0; k < bad.n; k++)
            buf_printf(&b, "%s: %s\n", bad.v[k].field, bad.v[k].message);
        assert_string_equal(buf_cstr(&b), cases[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_costs),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
