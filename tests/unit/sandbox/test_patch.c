#include "lib/base/mem.h"

#include "devenv/sandbox/patch.h"

#include "tests/unit/test.h"

static struct json *
parse(const char *z)
{
    struct json *j = json_parse(str_of(z), NULL, NULL);

    if (!j)
        fail_msg("not JSON: %s", z);
    return j;
}

static void
same(struct json *got, const char *want)
{
    AUTO(json_free_ptr) struct json *w = parse(want);
    AUTO(mem_free_ptr) char *text = json_text(got, 0);

    if (!json_equal(got, w))
        fail_msg("got  %s\nwant %s", text, want);
    json_free(got);
}

/* The examples of RFC 7396, appendix A, that have objects. */
static void
merge(void **state)
{
    static const char *const cases[][3] = {
        {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
        {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
        {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
         "{\"a\":{\"b\":\"d\"}}"},
        {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
        {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
        {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json *o = parse(cases[i][0]);
        AUTO(json_free_ptr) struct json *p = parse(cases[i][1]);

        patch_merge(o, p);
        same(o, cases[i][2]);
    }
}

static void
operations(void **state)
{
    static const char *const cases[][3] = {
        {"{}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":1}]", "{\"a\":1}"},
        {"{\"a\":[1,3]}", "[{\"op\":\"add\",\"path\":\"/a/1\",\"value\":2}]",
         "{\"a\":[1,2,3]}"},
        {"{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/-\",\"value\":2}]",
         "{\"a\":[1,2]}"},
        {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"/a\"}]", "{}"},
        {"{\"a\":[1,2]}", "[{\"op\":\"remove\",\"path\":\"/a/0\"}]",
         "{\"a\":[2]}"},
        {"{\"a/b\":1,\"c~d\":2}",
         "[{\"op\":\"replace\",\"path\":\"/a~1b\",\"value\":3},"
         "{\"op\":\"replace\",\"path\":\"/c~0d\",\"value\":4}]",
         "{\"a/b\":3,\"c~d\":4}"},
        {"{\"a\":1,\"b\":{}}",
         "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/b/c\"}]",
         "{\"b\":{\"c\":1}}"},
        {"{\"a\":{\"x\":1}}",
         "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"},"
         "{\"op\":\"test\",\"path\":\"/b\",\"value\":{\"x\":1}}]",
         "{\"a\":{\"x\":1},\"b\":{\"x\":1}}"},
        {"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1.0}]",
         "{\"a\":1}"},
        {"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":{}}]",
         "{}"},
    };
    struct status st = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json *o = parse(cases[i][0]);
        AUTO(json_free_ptr) struct json *p = parse(cases[i][1]);

        assert_true(patch_json(&o, p, &st));
        same(o, cases[i][2]);
    }
}

static void
bad_operations(void **state)
{
    static const struct {
        const char *ops;
        int code;
        const char *message;
    } cases[] = {
        {"[{\"op\":\"test\",\"path\":\"/a\",\"value\":2}]", 422, NULL},
        {"[{\"op\":\"remove\",\"path\":\"/none\"}]", 422, NULL},
        {"[{\"op\":\"add\",\"path\":\"/x/y\",\"value\":1}]", 422, NULL},
        {"[{\"op\":\"add\",\"path\":\"/l/9\",\"value\":1}]", 422, NULL},
        {"[{\"op\":\"add\",\"path\":\"l\",\"value\":1}]", 422, NULL},
        {"[{\"op\":\"move\",\"from\":\"/q\",\"path\":\"/a\"}]", 422, NULL},
        {"[{\"op\":\"remove\",\"path\":\"\"}]", 422, NULL},
        {"{}", 400,
         "error decoding patch: json: cannot unmarshal object into Go value "
         "of type []handlers.jsonPatchOp"},
        {"[{\"op\":\"zap\",\"path\":\"/a\"}]", 422, NULL},
        {"[3]", 400, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json *o = parse("{\"a\":1,\"l\":[]}");
        AUTO(json_free_ptr) struct json *p = parse(cases[i].ops);
        struct status st = {0};

        if (patch_json(&o, p, &st))
            fail_msg("%s was carried out", cases[i].ops);
        assert_int_equal(st.code, cases[i].code);
        if (cases[i].message)
            assert_string_equal(st.message, cases[i].message);
        status_release(&st);
        json_free(o);
    }
}

static void
strategic(void **state)
{
    static const char *const cases[][4] = {
        {"ConfigMap", "{\"data\":{\"a\":\"1\",\"b\":\"2\"}}",
         "{\"data\":{\"a\":null,\"c\":\"3\"}}",
         "{\"data\":{\"b\":\"2\",\"c\":\"3\"}}"},
        {"ConfigMap", "{\"data\":{\"a\":\"1\"}}",
         "{\"data\":{\"$patch\":\"replace\",\"z\":\"9\"}}",
         "{\"data\":{\"z\":\"9\"}}"},
        {"Service", "{\"spec\":{\"ports\":[{\"port\":1,\"name\":\"a\"}]}}",
         "{\"spec\":{\"ports\":[{\"port\":2},{\"port\":1,\"name\":\"b\"}],"
         "\"$setElementOrder/ports\":[{\"port\":2},{\"port\":1}]}}",
         "{\"spec\":{\"ports\":[{\"port\":2},{\"port\":1,\"name\":\"b\"}]}}"},
        {"Service", "{\"spec\":{\"ports\":[{\"port\":1},{\"port\":2}]}}",
         "{\"spec\":{\"ports\":[{\"$patch\":\"delete\",\"port\":1}]}}",
         "{\"spec\":{\"ports\":[{\"port\":2}]}}"},
        {"ConfigMap", "{\"metadata\":{\"finalizers\":[\"a\",\"b\"]}}",
         "{\"metadata\":{\"finalizers\":[\"c\"],"
         "\"$deleteFromPrimitiveList/finalizers\":[\"a\"]}}",
         "{\"metadata\":{\"finalizers\":[\"c\",\"b\"]}}"},
        {"ConfigMap", "{\"x\":{\"a\":1,\"b\":2}}",
         "{\"x\":{\"$retainKeys\":[\"b\",\"c\"],\"c\":3}}",
         "{\"x\":{\"b\":2,\"c\":3}}"},
        {"ConfigMap", "{\"list\":[1,2]}", "{\"list\":[3]}", "{\"list\":[3]}"},
    };
    struct types *types = types_new();
    struct status st = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json *o = parse(cases[i][1]);
        AUTO(json_free_ptr) struct json *p = parse(cases[i][2]);

        assert_true(
            patch_strategic(types_kind(types, "v1", cases[i][0]), o, p, &st));
        same(o, cases[i][3]);
    }
    types_free(types);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merge),
        cmocka_unit_test(operations),
        cmocka_unit_test(bad_operations),
        cmocka_unit_test(strategic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
