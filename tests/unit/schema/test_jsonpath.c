#include "lib/schema/jsonpath.h"

#include "tests/unit/test.h"

static const char object[] =
    "{\"spec\":{\"color\":\"red\",\"size\":3,\"tags\":[\"a\",\"b\",\"c\"]},"
    "\"metadata\":{\"annotations\":{\"crossplane.io/external-name\":\"x\"}},"
    "\"status\":{\"conditions\":[{\"type\":\"Synced\",\"status\":\"False\"},"
    "{\"type\":\"Ready\",\"status\":\"True\",\"n\":2}]}}";

/* Results joined by a space; client-go util/jsonpath is the rule. */
static void
finds(void **state)
{
    static const struct {
        const char *path, *want;
    } cases[] = {
        {".spec.color", "\"red\""},
        {".spec['color']", "\"red\""},
        {".spec.none.below", ""},
        {".metadata.annotations.crossplane\\.io/external-name", "\"x\""},
        {".metadata.annotations['crossplane.io/external-name']", "\"x\""},
        {".spec.tags[0]", "\"a\""},
        {".spec.tags[-1]", "\"c\""},
        {".spec.tags[5]", ""},
        {".spec.tags[1:]", "\"b\" \"c\""},
        {".spec.tags[:2]", "\"a\" \"b\""},
        {".spec.tags[0:3:2]", "\"a\" \"c\""},
        {".spec.tags[*]", "\"a\" \"b\" \"c\""},
        {".spec.*", "\"red\" 3 [\"a\",\"b\",\"c\"]"},
        {".status.conditions[?(@.type=='Ready')].status", "\"True\""},
        {".status.conditions[?(@.type==\"Ready\")].status", "\"True\""},
        {".status.conditions[?(@.type!='Ready')].type", "\"Synced\""},
        {".status.conditions[?(@.n>1)].type", "\"Ready\""},
        {".status.conditions[?(@.n<=1)].type", ""},
        {".status.conditions[?(@.n)].type", "\"Ready\""},
        {"..type", "\"Synced\" \"Ready\""},
        {".spec.color[0]", ""},
    };
    struct json *j = json_parse(STR(object), NULL, NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct jsonpath *p = jsonpath_compile(str_of(cases[i].path), NULL);
        const struct json *out[8];
        struct buf b = BUF_INIT(1000);
        size_t n;

        assert_non_null(p);
        n = jsonpath_find(p, j, out, 8);
        for (size_t k = 0; k < n; k++) {
            buf_puts(&b, k ? " " : "");
            json_print(out[k], 0, &b);
        }
        if (strcmp(buf_cstr(&b), cases[i].want) != 0)
            fail_msg("%s gives %s", cases[i].path, buf_cstr(&b));
        buf_release(&b);
        jsonpath_free(p);
    }
    json_free(j);
}

static void
refuses(void **state)
{
    static const char *const cases[] = {
        "",      "spec",         "{.spec}",       ".spec[",
        ".a[b]", ".a[?(@.x==)]", ".a['x','y']",   ".a[?(@.x=='y]",
        ".a..",  ".a[1:2:0]",    ".a[?(@.b==c)]", ".a[1:2:3:4]",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = {0};
        struct jsonpath *p = jsonpath_compile(str_of(cases[i]), &err);

        if (p || !err.msg[0])
            fail_msg("%s was taken", cases[i]);
    }
}

static void
stops_at_max_and_members(void **state)
{
    struct json *j = json_parse(STR(object), NULL, NULL);
    struct jsonpath *p = jsonpath_compile(STR(".spec.tags[*]"), NULL);
    const struct json *out[2];

    (void)state;
    assert_int_equal(jsonpath_find(p, j, out, 2), 2);
    assert_null(jsonpath_member(p, 0));
    jsonpath_free(p);
    p = jsonpath_compile(STR(".spec.replicas"), NULL);
    assert_string_equal(jsonpath_member(p, 0), "spec");
    assert_string_equal(jsonpath_member(p, 1), "replicas");
    assert_null(jsonpath_member(p, 2));
    jsonpath_free(p);
    json_free(j);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds),
        cmocka_unit_test(refuses),
        cmocka_unit_test(stops_at_max_and_members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
