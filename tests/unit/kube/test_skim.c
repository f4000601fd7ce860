#include "lib/base/buf.h"
#include "lib/base/json.h"

#include "lib/kube/skim.h"

#include "tests/unit/test.h"

static struct arena *arena;

static struct str
without(struct str text, const struct kube_skim *s, struct buf *out)
{
    size_t from = 0;

    buf_reset(out);
    for (size_t i = 0; i < s->cuts; i++) {
        buf_str(out, str_sub(text, from, s->cut[i].start - from));
        from = s->cut[i].end;
    }
    buf_str(out, str_from(text, from));
    return buf_view(out);
}

static void
projection(void **state)
{
    static const char text[] =
        "{\"apiVersion\":\"x.io/v1\",\"kind\":\"T\",\"metadata\":{\"name\":"
        "\"n\",\"namespace\":\"s\",\"uid\":\"u-1\",\"resourceVersion\":\"42\","
        "\"generation\":7,\"creationTimestamp\":\"2026-11-21T02:51:37Z\","
        "\"deletionTimestamp\":\"2026-11-21T02:51:38Z\","
        "\"ownerReferences\":[{\"uid\":\"o-1\"},{\"uid\":\"o-2\","
        "\"controller\":true},{\"uid\":\"o-3\",\"controller\":false}]},"
        "\"spec\":{\"metadata\":{\"name\":\"no\"},\"status\":[{}]},"
        "\"status\":{\"conditions\":[{\"type\":\"Synced\",\"status\":\"True\","
        "\"reason\":\"ReconcileSuccess\"},{\"type\":\"Ready\",\"status\":"
        "\"False\",\"reason\":\"Creating\",\"lastTransitionTime\":"
        "\"1970-01-01T00:00:09Z\",\"message\":\"a \\\"b\\\" ]}\"},"
        "{\"type\":\"Other\",\"status\":\"True\"}]}}";
    struct kube_skim s;

    (void)state;
    assert_true(kube_skim_object(STR(text), arena, &s, NULL));
    assert_true(str_eqz(s.o.name, "n") && str_eqz(s.o.ns, "s"));
    assert_true(str_eqz(s.o.uid, "u-1") && str_eqz(s.o.version, "42"));
    assert_int_equal(s.o.generation, 7);
    assert_int_equal(s.o.created_s, 1795229497);
    assert_int_equal(s.o.deleted_s, 1795229498);
    assert_true(str_eqz(s.o.owner, "o-2"));
    assert_int_equal(s.o.ready.status, 'F');
    assert_true(str_eqz(s.o.ready.reason, "Creating"));
    assert_int_equal(s.o.ready.since_s, 9);
    assert_int_equal(s.o.synced.status, 'T');
    assert_int_equal(s.cuts, 0);
}

/* What is left after the cuts is the object without the two members,
 * wherever they stand. */
static void
cuts(void **state)
{
    static const char *const metas[] = {
        "{\"managedFields\":[{\"a\":\"]}\"}],\"name\":\"n\"}",
        "{\"name\":\"n\",\"managedFields\":[]}",
        "{ \"name\" : \"n\" , \"managedFields\" : [ ] , \"uid\" : \"u\" }",
        "{\"managedFields\":null}",
        "{\"annotations\":{\"kubectl.kubernetes.io/"
        "last-applied-configuration\":\"{\\\"a\\\":1}\\n\"},"
        "\"managedFields\":[{}],\"name\":\"n\"}",
        "{\"annotations\":{\"a\":\"b\",\"kubectl.kubernetes.io/"
        "last-applied-configuration\":\"\"},\"name\":\"n\"}",
        "{\"annotations\":{\"kubectl.kubernetes.io/"
        "last-applied-configuration\":\"\",\"a\":\"b\"}}",
        "{\"name\":\"n\",\"managedFields\":[1],\"managedFields\":[2]}",
        "{\"name\":\"n\",\"managedFields\":[1],\"x\":1,"
        "\"managedFields\":[2]}",
    };
    struct buf out = BUF_INIT(10000), text = BUF_INIT(10000);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(metas); i++) {
        struct kube_skim s;
        struct json *got, *want, *meta;

        buf_reset(&text);
        buf_printf(&text, "{\"metadata\":%s,\"spec\":{\"managedFields\":1}}",
                   metas[i]);
        assert_true(kube_skim_object(buf_view(&text), arena, &s, NULL));
        assert_true(s.cuts > 0);
        got = json_parse(without(buf_view(&text), &s, &out), NULL, NULL);
        if (!got)
            fail_msg("row %zu: %s", i, buf_cstr(&out));
        want = json_parse(buf_view(&text), NULL, NULL);
        meta = json_get(want, "metadata");
        if (i < 7) {
            json_del(meta, "managedFields");
            json_del(json_get(meta, "annotations"),
                     "kubectl.kubernetes.io/last-applied-configuration");
            assert_true(json_equal(got, want));
        }
        json_free(got);
        json_free(want);
    }
    buf_release(&out);
    buf_release(&text);
}

static void
odd_types(void **state)
{
    static const char *const texts[] = {
        "{\"metadata\":7,\"status\":[1,2]}",
        "{\"metadata\":{\"name\":7,\"generation\":\"x\",\"ownerReferences\":"
        "{},\"annotations\":[],\"creationTimestamp\":false},\"status\":null}",
        "{\"status\":{\"conditions\":{\"type\":\"Ready\"}}}",
        "{\"status\":{\"conditions\":[1,\"x\",[],{\"type\":\"Ready\","
        "\"status\":\"Maybe\"}]}}",
        "{}",
        " { } \n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct kube_skim s;

        if (!kube_skim_object(str_of(texts[i]), arena, &s, NULL))
            fail_msg("row %zu", i);
        assert_int_equal(s.o.name.n, 0);
        assert_int_equal(s.o.ready.status, 0);
    }
}

static void
escapes(void **state)
{
    struct kube_skim s;

    (void)state;
    assert_true(kube_skim_object(
        STR("{\"metadata\":{\"name\":\"a\\u00e9\\\"b\"}}"), arena, &s, NULL));
    assert_true(str_eqz(s.o.name, "a\xc3\xa9\"b"));
}

/* Cut anywhere it is refused; no byte behind the end is read (sanitizers). */
static void
truncated(void **state)
{
    static const char text[] =
        "{\"metadata\":{\"name\":\"n\\\\\",\"managedFields\":[{\"a\":[1.5]}],"
        "\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}},"
        "\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]"
        "}}";

    (void)state;
    for (size_t n = 0; n <= strlen(text); n++) {
        char *copy = malloc(n ? n : 1);
        struct error err = {0};
        struct kube_skim s;
        bool ok;

        memcpy(copy, text, n);
        ok = kube_skim_object(str_n(copy, n), arena, &s, &err);
        assert_int_equal(ok, n == strlen(text));
        assert_int_equal(err.code, ok ? ERR_NONE : ERR_PARSE);
        free(copy);
    }
}

static void
events(void **state)
{
    static const char *const bad[] = {
        "",
        "x",
        "[]",
        "{}",
        "{\"type\":\"ADDED\"}",
        "{\"object\":{}}",
        "{\"type\":\"ADDED\",\"object\":{}}}",
        "{\"type\":\"ADDED\",\"object\":{}",
        "{\"type\" \"ADDED\",\"object\":{}}",
        "{\"type\":\"ADDED\" \"object\":{}}",
        "{type:\"ADDED\"}",
    };
    struct str type, object;

    (void)state;
    assert_true(
        kube_skim_event(STR(" {\"object\": {\"a\":\"}\"} , \"type\":\"X\"} "),
                        &type, &object, NULL));
    assert_true(str_eqz(type, "X") && str_eqz(object, "{\"a\":\"}\"}"));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (kube_skim_event(str_of(bad[i]), &type, &object, NULL))
            fail_msg("row %zu", i);
    }
}

static int
setup(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(projection), cmocka_unit_test(cuts),
        cmocka_unit_test(odd_types),  cmocka_unit_test(escapes),
        cmocka_unit_test(truncated),  cmocka_unit_test(events),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
