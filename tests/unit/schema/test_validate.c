/*
 * Objects against random schemas: what the API server drops, sets, refuses, and
 * on updates lets pass (data/validate_cases.json, one schema with its cases a
 * line, as apiextensions-apiserver 0.34.4 answered). And what no table has:
 * long lists, status writes.
 */
#include "tests/unit/schema/cases.h"

#define DATA "tests/unit/schema/data/validate_cases.json"

static struct json *
prepared(const struct schema *s, const struct json *object,
         struct strlist *unknown)
{
    struct json *copy = json_copy(object);

    if (copy) {
        schema_prune(s, copy, false, unknown);
        schema_default(s, copy);
    }
    return copy;
}

static void
check(const struct schema *s, const struct json *row)
{
    AUTO(strlist_release) struct strlist unknown = {0};
    AUTO(schema_findings_release) struct schema_findings f = {0};
    AUTO(buf_release) struct buf dropped = BUF_INIT(1 << 16);
    const struct json *out = json_get(row, "out");
    AUTO(json_free_ptr)
    struct json *object = prepared(s, json_get(row, "obj"), &unknown);
    AUTO(json_free_ptr)
    struct json *old = prepared(s, json_get(row, "was"), NULL);

    schema_validate_update(s, object, old, &f);
    AUTO(mem_free_ptr) char *gone = cases_lines(json_get(row, "unknown"));
    AUTO(mem_free_ptr) char *got = json_text(object, JSON_SORTED);
    AUTO(mem_free_ptr)
    char *want = json_text(out ? out : json_get(row, "obj"), JSON_SORTED);

    for (size_t i = 0; i < unknown.n; i++)
        buf_printf(&dropped, "%s%s", i ? "\n" : "", unknown.v[i]);
    cases_errors(row, &f);
    cases_same(row, "unknown fields", gone, buf_cstr(&dropped));
    cases_same(row, "object", want, got);
}

static void
test_cases(UNUSED void **state)
{
    AUTO(buf_release) struct buf file = BUF_INIT(8 << 20);
    struct str rest;
    size_t n = 0;

    cases_load(DATA, &file);
    rest = buf_view(&file);
    for (struct json *j; (j = cases_next(&rest)); json_free(j)) {
        AUTO(schema_findings_release) struct schema_findings problems = {0};
        AUTO(schema_free_ptr)
        struct schema *s =
            schema_compile(json_get(j, "schema"), "", &problems, NULL);

        assert_non_null(s);
        for (struct json *c = json_first(json_get(j, "cases")); c;
             c = json_next(c), n++)
            check(s, c);
    }
    assert_true(n > 300);
}

#define LISTED                                                                 \
    "{type: object, properties: {spec: {type: object, properties: {list: "     \
    "{type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: "  \
    "[id], items: {type: object, required: [id], properties: {id: {type: "     \
    "integer}, v: {type: string, maxLength: 3}}}}}}}}"

/* Ten thousand unchanged wrong items in another order pass, in no time that
 * grows with their square; one that changes does not. */
static void
test_long_list(UNUSED void **state)
{
    AUTO(schema_free_ptr) struct schema *s = cases_schema(LISTED);
    AUTO(json_free_ptr) struct json *old = cases_yaml("{spec: {list: []}}");
    AUTO(json_free_ptr) struct json *now = cases_yaml("{spec: {list: []}}");
    AUTO(schema_findings_release) struct schema_findings f = {0};
    int64_t n = 10000;

    for (int64_t i = 0; i < n; i++) {
        struct json *a = json_new_object(), *b = json_new_object();

        json_set(a, "id", json_new_int(i));
        json_set(a, "v", json_new_string("too long"));
        json_set(b, "id", json_new_int(n - 1 - i));
        json_set(b, "v", json_new_string("too long"));
        json_append(json_at(old, "spec", "list", NULL), a);
        json_append(json_at(now, "spec", "list", NULL), b);
    }
    assert_true(schema_validate_update(s, now, old, &f));
    json_set(json_first(json_at(now, "spec", "list", NULL)), "v",
             json_new_string("still"));
    assert_false(schema_validate_update(s, now, old, &f));
    assert_int_equal(f.n, 1);
    assert_string_equal(f.v[0].field, "spec.list[0].v");
}

#define WITH_STATUS                                                            \
    "{type: object, properties: {spec: {type: object, properties: {a: {type: " \
    "string, maxLength: 1}}}, status: {type: object, properties: {size: "      \
    "{type: "                                                                  \
    "integer, maximum: 3}}}}}"

/* A write of the status does not look at the spec, and names the field, but not
 * the text, with the status in front. */
static void
test_status(UNUSED void **state)
{
    AUTO(schema_free_ptr) struct schema *s = cases_schema(WITH_STATUS);
    AUTO(json_free_ptr)
    struct json *old = cases_yaml("{spec: {a: long}, status: {size: 9}}");
    AUTO(json_free_ptr)
    struct json *now = cases_yaml("{spec: {a: longer}, status: {size: 8}}");
    AUTO(schema_findings_release) struct schema_findings f = {0};

    assert_true(schema_validate_status(s, old, old, &f));
    assert_false(schema_validate_status(s, now, old, &f));
    AUTO(mem_free_ptr) char *text = cases_findings(&f);

    assert_string_equal(
        text, "status.size|FieldValueInvalid|Invalid value: 8: size in "
              "body should be less than or equal to 3");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_long_list),
        cmocka_unit_test(test_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
