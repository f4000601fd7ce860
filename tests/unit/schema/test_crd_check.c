/*
 * CRDs that are broken in one or several places, new and as updates, against
 * what apiextensions-apiserver 0.34.4 says of them (data/crd_cases.json, one a
 * line).
 */
#include "lib/schema/crd_check.h"

#include "tests/unit/schema/cases.h"
#include "tests/unit/test.h"

#define DATA "tests/unit/schema/data/crd_cases.json"

/* A CRD that is stored has the version it is stored in. */
static void
set_stored(struct json *crd)
{
    struct json *list =
        json_need_array(json_need_object(crd, "status"), "storedVersions");

    for (struct json *v = json_first(json_at(crd, "spec", "versions", NULL)); v;
         v = json_next(v)) {
        if (!json_bool(json_get(v, "storage"), false))
            continue;
        json_append(list, json_new_string(json_get_text(v, "name")));
        return;
    }
}

static void
test_cases(UNUSED void **state)
{
    AUTO(buf_release) struct buf file = BUF_INIT(8 << 20);
    struct str rest;
    size_t n = 0;

    cases_load(DATA, &file);
    rest = buf_view(&file);
    for (struct json *row; (row = cases_next(&rest)); n++) {
        AUTO(schema_findings_release) struct schema_findings f = {0};
        struct json *crd = json_get(row, "crd"), *old = json_get(row, "old");

        crd_default(crd);
        if (old) {
            crd_default(old);
            set_stored(old);
        }
        crd_check(crd, old, false, &f);
        cases_errors(row, &f);
        json_free(row);
    }
    assert_true(n > 200);
}

/* Group and plural never change; kind and scope not once objects may exist. */
static void
test_fixed(UNUSED void **state)
{
    static const char before[] =
        "{\"metadata\":{\"name\":\"a.b.c\"},\"spec\":{\"group\":\"b.c\","
        "\"scope\":\"Cluster\",\"names\":{\"plural\":\"a\",\"kind\":\"A\"},"
        "\"versions\":[{\"name\":\"v1\",\"served\":true,\"storage\":true,"
        "\"schema\":{\"openAPIV3Schema\":{\"type\":\"object\"}}}]}}";
    AUTO(json_free_ptr) struct json *old = json_parse(STR(before), NULL, NULL);
    AUTO(json_free_ptr) struct json *now = json_copy(old);
    AUTO(schema_findings_release) struct schema_findings young = {0};
    AUTO(schema_findings_release) struct schema_findings served = {0};
    struct json *spec = json_get(now, "spec");

    crd_default(old);
    set_stored(old);
    json_set_string(spec, "scope", "Namespaced");
    json_set_string(json_get(spec, "names"), "kind", "B");
    json_set_string(json_get(spec, "names"), "plural", "as");
    json_set_string(spec, "group", "b.d");
    crd_default(now);
    crd_check(now, old, false, &young);
    assert_int_equal(young.n, 2);
    assert_string_equal(young.v[0].field, "spec.group");
    assert_string_equal(young.v[1].field, "spec.names.plural");
    crd_check(now, old, true, &served);
    assert_int_equal(served.n, 4);
    assert_string_equal(served.v[0].message,
                        "Invalid value: \"Namespaced\": field is immutable");
    assert_string_equal(served.v[1].field, "spec.names.kind");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_fixed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
