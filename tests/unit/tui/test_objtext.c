#include "tui/objtext.h"

#include "tests/unit/test.h"

static void
secrets_are_masked(void **state)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);
    AUTO(json_free_ptr)
    struct json *o = json_parse(
        STR("{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":"
            "\"s\",\"managedFields\":[1],\"annotations\":{\"kubectl.kubernetes."
            "io/last-applied-configuration\":\"hunter2\"}},\"data\":{\"pw\":"
            "\"aHVudGVyMg==\"},\"stringData\":{\"pw\":\"hunter2\"}}"),
        NULL, NULL);

    (void)state;
    assert_true(objtext_yaml(o, false, &b));
    assert_null(strstr(buf_cstr(&b), "aHVudGVyMg"));
    assert_null(strstr(buf_cstr(&b), "hunter2"));
    assert_null(strstr(buf_cstr(&b), "managedFields"));
    assert_non_null(strstr(buf_cstr(&b), "pw: (hidden"));
    buf_reset(&b);
    assert_true(objtext_yaml(o, true, &b));
    assert_non_null(strstr(buf_cstr(&b), "aHVudGVyMg"));
}

static void
diff_of(const char *a, const char *b, const char *want)
{
    AUTO(buf_release) struct buf out = BUF_INIT(1 << 20);

    objtext_diff(str_of(a), str_of(b), &out);
    assert_string_equal(buf_cstr(&out), want);
}

static void
differences(void **state)
{
    (void)state;
    diff_of("a\nb\n", "a\nb\n", "");
    diff_of("a\nb\nc\n", "a\nx\nc\n", "@@ line 1\n a\n-b\n+x\n c\n");
    diff_of("", "a\n", "+a\n");
    diff_of("a\n", "", "-a\n");
    diff_of("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5\n6\n7\n8\nnine\n",
            "@@ line 6\n 6\n 7\n 8\n-9\n+nine\n");
    diff_of("a\nb\nc\nd\n", "b\nc\nx\nd\n", "-a\n b\n c\n+x\n d\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(secrets_are_masked),
                                       cmocka_unit_test(differences)};

    return cmocka_run_group_tests_name("tui/objtext", tests, NULL, NULL);
}
