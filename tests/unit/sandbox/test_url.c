#include "lib/base/buf.h"

#include "devenv/sandbox/url.h"

#include "tests/unit/test.h"

/* "segment|segment?name=value&name=value" */
static void
shows(const char *target, const char *want)
{
    struct url u;
    struct error err = {0};
    char got[2048] = "";
    size_t n = 0;

    assert_true(url_parse(str_of(target), &u, &err));
    for (size_t i = 0; i < u.segments_n; i++)
        n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%s", i ? "|" : "",
                              u.segments[i]);
    for (size_t i = 0; i < u.params_n; i++)
        n +=
            (size_t)snprintf(got + n, sizeof(got) - n, "%s%s=%s", i ? "&" : "?",
                             u.params[i].name, u.params[i].value);
    assert_string_equal(got, want);
    url_release(&u);
}

static void
refuses(const char *target, enum err_code code)
{
    struct url u;
    struct error err = {0};

    assert_false(url_parse(str_of(target), &u, &err));
    assert_int_equal(err.code, code);
}

static void
test_taken_apart(void **state)
{
    (void)state;
    shows("/", "");
    shows("/api/v1/namespaces", "api|v1|namespaces");
    shows("//api///v1/", "api|v1");
    shows("/a?watch", "a?watch=");
    shows("/a?x=1&x=2&&y=%3D+b", "a?x=1&x=2&y== b");
    shows("/a+b?c=d%2Be", "a+b?c=d+e");
    /* an encoded slash stays inside its segment */
    shows("/a%2Fb/c", "a/b|c");
    /* what Go cannot read it leaves out */
    shows("/a?x=%zz&y=1&%4=2&b;c=3&%", "a?y=1");
    shows("/a?s=app%20in%20(a%2Cb)", "a?s=app in (a,b)");
    shows("/%E2%82%AC", "\xe2\x82\xac");
    shows("/a?=&=b", "a?=&=b");
}

static void
test_refused(void **state)
{
    (void)state;
    refuses("", ERR_PARSE);
    refuses("api", ERR_PARSE);
    refuses("*", ERR_PARSE);
    refuses("/a/../b", ERR_PARSE);
    refuses("/a/%2e%2E/b", ERR_PARSE);
    refuses("/./b", ERR_PARSE);
    refuses("/a%00b", ERR_PARSE);
    refuses("/a%0ab", ERR_PARSE);
    refuses("/a?x=%1b[2J", ERR_PARSE);
    refuses("/a%zz", ERR_PARSE);
    refuses("/a%4", ERR_PARSE);
    refuses("/%ff", ERR_PARSE);
    refuses("/%c0%af", ERR_PARSE);
    refuses("/a#b", ERR_PARSE);
    refuses("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", ERR_LIMIT);

    struct buf b = BUF_INIT(65536);

    buf_puts(&b, "/");
    buf_fill(&b, 'a', URL_MAX);
    refuses(buf_cstr(&b), ERR_LIMIT);
    buf_reset(&b);
    buf_puts(&b, "/?");
    for (int i = 0; i <= URL_PARAMS_MAX; i++)
        buf_puts(&b, "a&");
    refuses(buf_cstr(&b), ERR_LIMIT);
    buf_release(&b);
}

static void
test_parameters(void **state)
{
    struct url u;

    (void)state;
    assert_true(url_parse(STR("/a%20b/c?limit=5&limit=6&x"), &u, NULL));
    assert_string_equal(u.path, "/a b/c");
    assert_string_equal(url_param(&u, "limit"), "5");
    assert_string_equal(url_param(&u, "x"), "");
    assert_null(url_param(&u, "y"));
    url_release(&u);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken_apart),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_parameters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
