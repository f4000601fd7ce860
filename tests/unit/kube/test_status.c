#include "lib/base/buf.h"

#include "lib/kube/status.h"

#include "tests/unit/test.h"

struct row {
    int http;
    const char *body;
    enum err_code code;
    const char *message; /* a part of it */
};

/* Bodies as a real kube-apiserver 1.34.4 sent them. */
static const struct row rows[] = {
    {404,
     "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\","
     "\"message\":\"configmaps \\\"x\\\" not found\",\"reason\":\"NotFound\","
     "\"details\":{\"name\":\"x\",\"kind\":\"configmaps\"},\"code\":404}",
     ERR_NOT_FOUND, "configmaps \"x\" not found"},
    {404, "404 page not found\n", ERR_NOT_FOUND,
     "could not find the requested resource (HTTP 404)"},
    {409,
     "{\"kind\":\"Status\",\"message\":\"m\",\"reason\":\"AlreadyExists\","
     "\"code\":409}",
     ERR_EXISTS, "m"},
    {409, "{\"kind\":\"Status\",\"message\":\"m\",\"reason\":\"Conflict\"}",
     ERR_CONFLICT, "m"},
    {410,
     "{\"kind\":\"Status\",\"message\":\"old\",\"reason\":\"Expired\","
     "\"metadata\":{\"continue\":\"tok\"},\"code\":410}",
     ERR_GONE, "old"},
    {422,
     "{\"kind\":\"Status\",\"message\":\"is forbidden\","
     "\"reason\":\"Invalid\"}",
     ERR_INVALID, "is forbidden"},
    {500,
     "{\"kind\":\"Status\",\"message\":\"failed to create typed patch object "
     "(/s; example.org/v1, Kind=Widget): .spec.bogus: field not declared in "
     "schema\",\"code\":500}",
     ERR_INVALID, ".spec.bogus"},
    {500, "{\"kind\":\"Status\",\"message\":\"boom\"}", ERR_NETWORK, "boom"},
    {429, "Too many requests, please try again later.\n", ERR_NETWORK,
     "Too many requests, please try again later. (HTTP 429)"},
    {503, "<html><body>gateway</body></html>", ERR_NETWORK,
     "not available (HTTP 503)"},
    {401, "", ERR_DENIED, "does not know these credentials (HTTP 401)"},
    {418, "", ERR_INTERNAL, "refused (HTTP 418)"},
    {400, "two\nlines", ERR_INVALID, "two (HTTP 400)"},
    {403, "{\"kind\":\"Status\",\"message\":7,\"reason\":[]}", ERR_DENIED,
     "forbids"},
    {403, "{\"kind\":\"Status\"", ERR_DENIED, "forbids"},
};

static void
answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct kube_status s;
        struct error err = {0};

        kube_status_read(rows[i].http, str_of(rows[i].body), -1, &s);
        assert_false(kube_status_error(&s, &err));
        if (!strstr(err.msg, rows[i].message))
            fail_msg("row %zu: %s", i, err.msg);
        assert_int_equal(err.code, rows[i].code);
        assert_int_equal(err.http, rows[i].http);
        assert_null(strchr(err.msg, '\n'));
        kube_status_release(&s);
    }
}

static void
details(void **state)
{
    struct kube_status s;

    (void)state;
    kube_status_read(
        409,
        STR("{\"kind\":\"Status\",\"message\":\"Apply failed\","
            "\"reason\":\"Conflict\",\"details\":{\"name\":\"n\",\"kind\":"
            "\"k\",\"uid\":\"u\",\"retryAfterSeconds\":3,\"causes\":[{"
            "\"reason\":\"FieldManagerConflict\",\"message\":\"conflict with "
            "\\\"alice\\\"\",\"field\":\".spec.color\"},{}]}}"),
        -1, &s);
    assert_int_equal(s.causes_n, 2);
    assert_string_equal(s.causes[0].field, ".spec.color");
    assert_string_equal(s.causes[0].message, "conflict with \"alice\"");
    assert_string_equal(s.causes[1].reason, "");
    assert_string_equal(s.name, "n");
    assert_string_equal(s.uid, "u");
    assert_int_equal(s.retry_after_s, 3);
    kube_status_release(&s);
    kube_status_read(410, str_of(rows[4].body), -1, &s);
    assert_string_equal(s.continue_token, "tok");
    kube_status_release(&s);
}

/* A server that lists causes without end costs us a bounded number. */
static void
many_causes(void **state)
{
    struct buf b = BUF_INIT(1 << 20);
    struct kube_status s;

    (void)state;
    buf_puts(&b, "{\"kind\":\"Status\",\"details\":{\"causes\":[{}");
    for (int i = 0; i < 5000; i++)
        buf_puts(&b, ",{}");
    buf_puts(&b, "]}}");
    kube_status_read(422, buf_view(&b), -1, &s);
    assert_int_equal(s.causes_n, 256);
    kube_status_release(&s);
    buf_release(&b);
}

static void
denied(void **state)
{
    static const struct {
        const char *message, *question;
    } forms[] = {
        {"widgets.example.org is forbidden: User \"system:anonymous\" cannot "
         "list resource \"widgets\" in API group \"example.org\" in the "
         "namespace \"default\"",
         "kubectl auth can-i list widgets.example.org -n default"},
        {"things: widgets.example.org \"a\" is forbidden: User \"u\" cannot "
         "patch resource \"widgets/status\" in API group \"example.org\" in "
         "the namespace \"d\": RBAC: role.rbac \"x\" not found",
         "kubectl auth can-i patch widgets.example.org/a "
         "--subresource=status -n d"},
        {"pods is forbidden: User \"u\" cannot list resource \"pods\" in API "
         "group \"\" at the cluster scope",
         "kubectl auth can-i list pods -A"},
        {"forbidden: User \"u\" cannot get path \"/metrics\"",
         "kubectl auth can-i get /metrics"},
        {"widgets.example.org \"x\" is forbidden: ValidatingAdmissionPolicy "
         "'p' denied request: no",
         NULL},
        {"pods is forbidden: User \"u\" cannot list resource", NULL},
        {"forbidden: User \"u", NULL},
        {"forbidden: User \"\" cannot ", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct buf b = BUF_INIT(1000);
        struct kube_denied d;
        bool is = kube_denied_read(str_of(forms[i].message), &d);

        assert_int_equal(is, forms[i].question != NULL);
        if (is) {
            assert_true(kube_denied_question(&d, &b));
            assert_string_equal(buf_cstr(&b), forms[i].question);
        }
        buf_release(&b);
    }
}

/* The remedy of a 403 is the question that asks for the right. */
static void
denied_remedy(void **state)
{
    struct kube_status s;
    struct error err = {0};

    (void)state;
    kube_status_read(
        403,
        STR("{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":"
            "\"pods is forbidden: User \\\"eve\\\" cannot list resource "
            "\\\"pods\\\" in API group \\\"\\\" in the namespace "
            "\\\"d\\\"\"}"),
        -1, &s);
    kube_status_error(&s, &err);
    assert_string_equal(err.id, "MT-FORBIDDEN");
    assert_non_null(strstr(err.remedy, "\"eve\" may: kubectl auth can-i list "
                                       "pods -n d"));
    kube_status_release(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),       cmocka_unit_test(details),
        cmocka_unit_test(many_causes),   cmocka_unit_test(denied),
        cmocka_unit_test(denied_remedy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
