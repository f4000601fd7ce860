#include "lib/base/buf.h"

#include "lib/kube/store.h"

#include "tests/unit/test.h"

static struct kube_store store;

static bool
put(const char *ns, const char *name, const char *uid, int version)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1000);

    buf_printf(&b,
               "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\","
               "\"uid\":\"%s\",\"resourceVersion\":\"%d\",\"managedFields\":"
               "[]},\"spec\":1}",
               name, ns, uid, version);
    return kube_store_put(&store, buf_view(&b), NULL, NULL);
}

static void
del(const char *ns, const char *name)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1000);

    buf_printf(&b, "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\"}}",
               name, ns);
    assert_true(kube_store_del(&store, buf_view(&b), NULL, NULL));
}

/* The names in order, and the changes: "+a/x *a/y -b/z". */
static const char *
names(void)
{
    static char text[1000];
    size_t n = 0;

    text[0] = '\0';
    for (size_t i = 0; kube_store_at(&store, i); i++) {
        const struct kube_object *o = kube_store_at(&store, i);

        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s/%s",
                              i ? " " : "", o->ns.s, o->name.s);
    }
    return text;
}

static const char *
changes(size_t max)
{
    static char text[1000];
    struct kube_change v[50];
    size_t n = 0, count = kube_store_take(&store, v, max);

    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%c%s/%s:%s",
                              i ? " " : "", "+*-"[v[i].type], v[i].object->ns.s,
                              v[i].object->name.s, v[i].object->version.s);
    kube_store_drop(v, count);
    return text;
}

static void
order(void **state)
{
    (void)state;
    put("b", "a", "1", 1);
    put("a", "z", "2", 1);
    put("a", "a", "3", 1);
    put("", "q", "4", 1);
    put("ab", "a", "5", 1);
    assert_string_equal(names(), "/q a/a a/z ab/a b/a");
    assert_string_equal(kube_store_at(&store, 0)->body.s,
                        "{\"metadata\":{\"name\":\"q\",\"namespace\":\"\","
                        "\"uid\":\"4\",\"resourceVersion\":\"1\"},"
                        "\"spec\":1}");
    assert_int_equal(kube_store_lower(&store, STR("a"), STR("")), 1);
    assert_int_equal(kube_store_lower(&store, STR("zz"), STR("")), 5);
    assert_string_equal(changes(2), "+b/a:1 +a/z:1");
    assert_string_equal(changes(50), "+a/a:1 +/q:1 +ab/a:1");
    assert_string_equal(changes(50), "");
}

/* Several changes of one object are told as one. */
static void
folding(void **state)
{
    (void)state;
    put("", "a", "1", 1);
    put("", "a", "1", 2);
    put("", "b", "2", 1);
    del("", "b");
    del("", "nosuch");
    assert_string_equal(changes(50), "+/a:2");
    put("", "a", "1", 3);
    put("", "a", "1", 4);
    assert_string_equal(changes(50), "*/a:4");
    put("", "a", "1", 5);
    del("", "a");
    assert_string_equal(changes(50), "-/a:5");
    put("", "a", "1", 6);
    changes(50);
    del("", "a");
    put("", "a", "9", 7);
    assert_string_equal(changes(50), "-/a:6 +/a:7");
    put("", "a", "10", 8); /* made anew while we were away */
    assert_string_equal(changes(50), "-/a:7 +/a:8");
    assert_int_equal(store.n, 1);
}

/* A database that was put back may use a version twice: the bytes count. */
static void
version_again(void **state)
{
    static const char *const texts[] = {
        "{\"metadata\":{\"name\":\"a\",\"uid\":\"1\",\"resourceVersion\":\"7\","
        "\"managedFields\":[1]},\"spec\":1}",
        "{\"metadata\":{\"name\":\"a\",\"uid\":\"1\",\"resourceVersion\":\"7\","
        "\"managedFields\":[2]},\"spec\":1}",
        "{\"metadata\":{\"name\":\"a\",\"uid\":\"1\",\"resourceVersion\":\"7\","
        "\"managedFields\":[2]},\"spec\":2}",
    };
    static const char *const told[] = {"+/a:7", "", "*/a:7"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_true(kube_store_put(&store, str_of(texts[i]), NULL, NULL));
        assert_string_equal(changes(50), told[i]);
    }
}

/* A full list over what is there tells only what differs. */
static void
relist(void **state)
{
    (void)state;
    put("", "a", "1", 1);
    put("", "b", "2", 1);
    put("", "c", "3", 1);
    changes(50);
    kube_store_begin(&store);
    put("", "a", "1", 1);
    put("", "c", "3", 9);
    put("", "d", "4", 1);
    assert_string_equal(names(), "/a /b /c /d"); /* nothing is lost yet */
    kube_store_sweep(&store);
    assert_string_equal(names(), "/a /c /d");
    assert_string_equal(changes(50), "*/c:9 +/d:1 -/b:1");
}

static void
limits(void **state)
{
    struct error err = {0};
    size_t bytes;

    (void)state;
    for (int i = 0; i < 8; i++) {
        char name[8];

        snprintf(name, sizeof(name), "n%d", i);
        assert_true(put("", name, name, 1));
    }
    bytes = store.bytes;
    assert_false(kube_store_put(
        &store, STR("{\"metadata\":{\"name\":\"more\",\"uid\":\"u\"}}"), NULL,
        &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_false(kube_store_put(&store, STR("{\"metadata\":{}}"), NULL, &err));
    assert_int_equal(err.code, ERR_PARSE);
    assert_int_equal(store.bytes, bytes);
    for (int i = 0; i < 8; i++) {
        char name[8];

        snprintf(name, sizeof(name), "n%d", i);
        del("", name);
    }
    assert_int_equal(store.bytes, 0);
    assert_string_equal(changes(50), "");
}

static int
setup(void **state)
{
    (void)state;
    kube_store_init(&store, 8, KUBE_FULL);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    kube_store_release(&store);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(order, setup, teardown),
        cmocka_unit_test_setup_teardown(folding, setup, teardown),
        cmocka_unit_test_setup_teardown(relist, setup, teardown),
        cmocka_unit_test_setup_teardown(version_again, setup, teardown),
        cmocka_unit_test_setup_teardown(limits, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
