/*
 * CRDs that are broken in one or several places, new and as updates, against
 * what apiextensions-apiserver 0.34.4 says of them (data/crd_cases.json, one a
 * line).
 */
#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "lib/schema/crd_check.h"

#include "tests/unit/test.h"

#define DATA "tests/unit/schema/data/crd_cases.json"

static void
compare(const struct json *row, const struct schema_findings *f)
{
    AUTO(strlist_release) struct strlist got = {0};
    AUTO(mem_free_ptr) char *text = json_text(row, JSON_COMPACT);
    size_t i = 0;

    for (size_t k = 0; k < f->n; k++)
        strlist_addf(&got, "%s|%s|%s", f->v[k].field, f->v[k].reason,
                     f->v[k].message);
    strlist_sort(&got);
    for (struct json *e = json_first(json_get(row, "errs")); e;
         e = json_next(e), i++) {
        if (i >= got.n || strcmp(got.v[i], json_string(e)) != 0)
            fail_msg("%s\nwanted %s\ngot    %s", text, json_string(e),
                     i < got.n ? got.v[i] : "(nothing)");
    }
    if (i != got.n)
        fail_msg("%s\ngot too %s", text, got.v[i]);
}

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
    struct error err = {0};
    struct str line;
    size_t n = 0;

    if (!file_read(DATA, &file, &err))
        fail_msg("%s", err.msg);
    for (struct str rest = buf_view(&file); str_next(&rest, '\n', &line); n++) {
        AUTO(schema_findings_release) struct schema_findings f = {0};
        AUTO(json_free_ptr) struct json *row = json_parse(line, NULL, NULL);
        struct json *crd = json_get(row, "crd"), *old = json_get(row, "old");

        if (!row)
            continue;
        crd_default(crd);
        if (old) {
            crd_default(old);
            set_stored(old);
        }
        crd_check(crd, old, false, &f);
        compare(row, &f);
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
