#include "lib/kube/gvr.h"

#include "tests/unit/test.h"

static void
paths(void **state)
{
    static const struct {
        struct kube_gvr g;
        const char *ns, *name, *sub, *path;
    } rows[] = {
        {KUBE_GVR("", "v1", "pods"), NULL, NULL, NULL, "/api/v1/pods"},
        {KUBE_GVR("", "v1", "pods"), "a", "b", NULL,
         "/api/v1/namespaces/a/pods/b"},
        {KUBE_GVR("", "v1", "namespaces"), "", "b", "status",
         "/api/v1/namespaces/b/status"},
        {KUBE_GVR("x.io", "v1", "things"), "a", "", NULL,
         "/apis/x.io/v1/namespaces/a/things"},
        {KUBE_GVR("x.io", "v1", "things"), NULL, "sp ce:?", NULL,
         "/apis/x.io/v1/things/sp%20ce%3A%3F"},
        {KUBE_GVR("x.io", "v1", "things"), NULL, "a/b", NULL, NULL},
        {KUBE_GVR("x.io", "v1", "things"), "..", "b", NULL, NULL},
        {KUBE_GVR("x.io", "v1", "things"), NULL, "a%2fb", NULL, NULL},
        {KUBE_GVR("x.io", "", "things"), NULL, NULL, NULL, NULL},
        {KUBE_GVR("x.io", "v1", NULL), NULL, NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b = BUF_INIT(1000);
        struct error err = {0};
        bool ok = kube_gvr_path(&rows[i].g, rows[i].ns, rows[i].name,
                                rows[i].sub, &b, &err);

        assert_int_equal(ok, rows[i].path != NULL);
        assert_string_equal(buf_cstr(&b), ok ? rows[i].path : "");
        assert_int_equal(err.code, ok ? ERR_NONE : ERR_USAGE);
        buf_release(&b);
    }
}

static void
names(void **state)
{
    struct kube_gvr core = KUBE_GVR(NULL, "v1", "pods");
    struct kube_gvr g = KUBE_GVR("x.io", "v1beta1", "things");
    struct buf b = BUF_INIT(1000);

    (void)state;
    kube_gvr_name(&core, &b);
    kube_gvr_api_version(&core, &b);
    kube_gvr_name(&g, &b);
    kube_gvr_api_version(&g, &b);
    assert_string_equal(buf_cstr(&b), "podsv1things.x.iox.io/v1beta1");
    buf_release(&b);
    assert_true(kube_gvr_eq(&core, &KUBE_GVR("", "v1", "pods")));
    assert_false(kube_gvr_eq(&core, &g));
}

static void
api_versions(void **state)
{
    struct str g, v;

    (void)state;
    assert_true(kube_api_version_split(STR("v1"), &g, &v));
    assert_true(g.n == 0 && str_eq(v, STR("v1")));
    assert_true(kube_api_version_split(STR("x.io/v1"), &g, &v));
    assert_true(str_eq(g, STR("x.io")) && str_eq(v, STR("v1")));
    assert_false(kube_api_version_split(STR(""), &g, &v));
    assert_false(kube_api_version_split(STR("/v1"), &g, &v));
    assert_false(kube_api_version_split(STR("x.io/"), &g, &v));
    assert_false(kube_api_version_split(STR("x.io/v1/y"), &g, &v));
}

static void
queries(void **state)
{
    struct buf b = BUF_INIT(1000);

    (void)state;
    buf_puts(&b, "/a");
    kube_query_add(&b, "labelSelector", STR("a=b,c in (d)"));
    kube_query_add(&b, "limit", STR("5"));
    assert_string_equal(buf_cstr(&b),
                        "/a?labelSelector=a%3Db%2Cc%20in%20%28d%29&limit=5");
    buf_release(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),
        cmocka_unit_test(names),
        cmocka_unit_test(api_versions),
        cmocka_unit_test(queries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
