#include "lib/base/buf.h"

#include "lib/kube/merge.h"

#include "tests/unit/test.h"

static void
check(const char *before, const char *after, const char *want)
{
    struct json *b = json_parse(str_of(before), NULL, NULL);
    struct json *a = json_parse(str_of(after), NULL, NULL);
    struct json *patch = kube_merge_diff(b, a);
    char *text = json_text(patch, JSON_COMPACT);

    assert_string_equal(text, want);
    free(text);
    json_free(patch);
    json_free(a);
    json_free(b);
}

static void
diff(void **state)
{
    (void)state;
    check("{}", "{}", "{}");
    check("{\"a\":1,\"b\":{\"c\":1.0}}", "{\"b\":{\"c\":1},\"a\":1}", "{}");
    check("{\"a\":1,\"b\":2}", "{\"a\":1}", "{\"b\":null}");
    check("{\"a\":{\"x\":1,\"y\":2}}", "{\"a\":{\"x\":3,\"z\":4}}",
          "{\"a\":{\"x\":3,\"z\":4,\"y\":null}}");
    check("{\"l\":[1,2]}", "{\"l\":[1]}", "{\"l\":[1]}");
    check("{\"a\":{\"x\":1}}", "{\"a\":[1]}", "{\"a\":[1]}");
    check("{\"a\":\"x\"}", "{\"a\":{\"x\":1}}", "{\"a\":{\"x\":1}}");
}

static void
strip(void **state)
{
    static const char text[] =
        "{\"metadata\":{\"name\":\"n\",\"uid\":\"u\",\"resourceVersion\":"
        "\"1\",\"generation\":2,\"finalizers\":[\"f\"],\"managedFields\":[],"
        "\"annotations\":{\"kubectl.kubernetes.io/"
        "last-applied-configuration\":\"{}\"}},\"spec\":{\"crossplane\":{"
        "\"resourceRefs\":[]},\"a\":1},\"status\":{}}";
    struct json *j = json_parse(STR(text), NULL, NULL);
    char *z;

    (void)state;
    kube_strip(j, KUBE_STRIP_SERVER);
    z = json_text(j, JSON_COMPACT);
    assert_string_equal(z, "{\"metadata\":{\"name\":\"n\",\"finalizers\":"
                           "[\"f\"]},\"spec\":{\"crossplane\":{"
                           "\"resourceRefs\":[]},\"a\":1}}");
    free(z);
    kube_strip(j, KUBE_STRIP_OWNED);
    z = json_text(j, JSON_COMPACT);
    assert_string_equal(z, "{\"metadata\":{\"name\":\"n\"},\"spec\":{\"a\":1}"
                           "}");
    free(z);
    json_free(j);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(diff),
        cmocka_unit_test(strip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
