/*
 * XRD -> CRD against what Crossplane 2.0.8's own code makes of the same XRDs
 * (data/xrd-*.json hold both; xrd-cases.json what is odd, and the claims).
 */
#include "lib/base/file.h"

#include "lib/compose/xrd.h"

#include "tests/unit/compose/compose_test.h"

static struct json *
load(const char *name)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1 << 20);
    struct error err;
    char path[200];

    snprintf(path, sizeof(path), "tests/unit/compose/data/xrd-%s.json", name);
    if (!file_read(path, &b, &err))
        fail_msg("%s", err.msg);
    return json_parse(buf_view(&b), NULL, &err);
}

static void
crds_equal_upstreams(void **state)
{
    static const char *const names[] = {"namespaced", "cluster", "legacy"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO(json_free_ptr) struct json *both = load(names[i]);
        struct error err = {0};
        AUTO(json_free_ptr)
        struct json *crd = xrd_to_crd(json_get(both, "xrd"), &err);
        char *got, *want;

        assert_non_null(crd);
        got = json_text(crd, JSON_SORTED | JSON_PRETTY);
        want = json_text(json_get(both, "crd"), JSON_SORTED | JSON_PRETTY);
        assert_string_equal(got, want);
        free(got);
        free(want);
        assert_string_equal(xrd_referenceable(json_get(both, "xrd")), "v1");
    }
}

/* Tells the line where the two part. */
static void
equals(const struct json *got, const struct json *want, const char *why)
{
    char *a, *b;
    size_t i = 0, line = 0;

    if (json_equal(got, want))
        return;
    a = json_text(got, JSON_SORTED | JSON_PRETTY);
    b = json_text(want, JSON_SORTED | JSON_PRETTY);
    for (; a[i] && a[i] == b[i]; i++) {
        if (a[i] == '\n')
            line = i;
    }
    fail_msg("%s: got %.200s\nwant %.200s", why, a + line, b + line);
}

typedef struct json *maker(const struct json *xrd, struct error *err);

/* One XRD through one maker: the CRD or the error that Crossplane's code
 * answers. */
static void
one_case(const struct json *c, maker *make, const char *crd, const char *error)
{
    const char *why = json_get_string(c, "why");
    struct error err = {0};
    AUTO(json_free_ptr) struct json *got = make(json_get(c, "xrd"), &err);

    if (!json_get(c, crd) && !got)
        assert_string_equal(err.msg, json_get_string(c, error));
    else
        equals(got, json_get(c, crd), why);
}

static void
every_case_as_crossplane(void **state)
{
    AUTO(json_free_ptr) struct json *all = load("cases");
    size_t n = 0;

    (void)state;
    for (const struct json *c = json_first(all); c; c = json_next(c), n++) {
        one_case(c, xrd_to_crd, "crd", "error");
        one_case(c, xrd_to_claim_crd, "claim", "claimError");
    }
    assert_true(n > 50);
}

static void
defaults_of_the_server_may_be_absent(void **state)
{
    AUTO(json_free_ptr) struct json *both = load("cluster");
    struct json *xrd = json_get(both, "xrd");
    struct error err = {0};

    (void)state;
    json_del(json_get(xrd, "spec"), "defaultCompositionUpdatePolicy");
    json_del(json_get(xrd, "spec"), "scope");
    AUTO(json_free_ptr) struct json *crd = xrd_to_crd(xrd, &err);

    assert_string_equal(json_string(json_at(crd, "spec", "scope", NULL)),
                        "Namespaced");
    json_set_string(xrd, "apiVersion", "apiextensions.crossplane.io/v1");
    assert_string_equal(xrd_scope(xrd), "LegacyCluster");
}

static void
a_version_without_schema_is_refused(void **state)
{
    AUTO(json_free_ptr) struct json *both = load("cluster");
    struct json *xrd = json_get(both, "xrd");
    struct json *v = json_first(json_at(xrd, "spec", "versions", NULL));
    struct error err = {0};

    (void)state;
    json_set(json_get(v, "schema"), "openAPIV3Schema", json_new_int(1));
    assert_null(xrd_to_crd(xrd, &err));
    assert_non_null(strstr(err.msg, "cannot parse validation schema"));
    json_del(v, "schema");
    assert_null(xrd_to_crd(xrd, &err));
    assert_string_equal(err.msg,
                        "cannot generate CRD for \"Composite Resource\" "
                        "\"nets.rig.example.org\": custom resource validation "
                        "cannot be nil");
}

static void
strange_shapes_do_no_harm(void **state)
{
    static const char *const odd[] = {
        "{}",
        "{'spec':1}",
        "{'spec':{'versions':{}}}",
        "{'metadata':{'labels':[1]},'spec':{'names':[],'versions':[1]}}",
        "{'spec':{'versions':[{'schema':{}}]}}",
        "{'spec':{'versions':[{'schema':{'openAPIV3Schema':{'properties':{"
        "'spec':[],'status':{'properties':3},'metadata':0}}},"
        "'additionalPrinterColumns':{}}]}}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        AUTO(json_free_ptr) struct json *xrd = parse(odd[i]);
        struct error err;

        json_free(xrd_to_crd(xrd, &err));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crds_equal_upstreams),
        cmocka_unit_test(every_case_as_crossplane),
        cmocka_unit_test(defaults_of_the_server_may_be_absent),
        cmocka_unit_test(a_version_without_schema_is_refused),
        cmocka_unit_test(strange_shapes_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
