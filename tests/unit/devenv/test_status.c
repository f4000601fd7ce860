/* status: a document comes whatever the cluster says, and in time. */
#include "lib/base/file.h"

#include "devenv/status.h"

#include "tests/unit/kube/fake.h"

static struct loop *l;
static struct fake peer;
static struct {
    const char *body;
    int status;
    bool silent;
} says;

static void
serve(void *arg UNUSED, struct fake_conn *c, const struct fake_request *r)
{
    if (says.silent)
        return;
    if (str_starts(r->path, STR("/readyz")))
        fake_answer(c, 200, NULL, STR("ok"));
    else if (str_starts(r->path, STR("/version")))
        fake_answer(c, 200, NULL, STR("{\"gitVersion\":\"v1.34.4\"}"));
    else
        fake_answer(c, says.status, NULL, str_of(says.body));
}

static struct json *
ask(const char *url, int64_t limit_ms)
{
    char path[] = "/tmp/meshtop-status.XXXXXX";
    int fd = mkstemp(path);
    AUTO(mem_free_ptr)
    char *text =
        mem_printf("clusters: [{name: c, cluster: {server: %s}}]\n"
                   "users: [{name: u, user: {}}]\n"
                   "contexts: [{name: x, context: {cluster: c, user: u}}]\n"
                   "current-context: x\n",
                   url);
    struct env_status_ask a = {
        .loop = l, .kubeconfig = path, .title = "t", .limit_ms = limit_ms};

    assert_true(fd >= 0);
    assert_true(file_write_fd(fd, text, strlen(text), NULL));
    close(fd);
    struct json *doc = env_status_read(&a);

    unlink(path);
    assert_non_null(doc);
    return doc;
}

static int
setup(void **state UNUSED)
{
    l = loop_new(NULL);
    fake_init(&peer, l, serve, NULL);
    says.silent = false;
    return 0;
}

static int
teardown(void **state UNUSED)
{
    fake_release(&peer);
    loop_free(l);
    return 0;
}

static void
hostile(void **state UNUSED)
{
    static const char *const bodies[] = {
        "",
        "{",
        "[]",
        "null",
        "{\"items\":[1,\"x\",null,[],{}],\"groups\":[{}],\"versions\":[3]}",
        "{\"items\":[{\"metadata\":{\"name\":7},\"status\":{\"conditions\":7}}]"
        ",\"kind\":\"XList\"}",
        "{\"spec\":{\"template\":{\"spec\":{\"containers\":{\"image\":1}}}}}",
        "<html>",
    };

    for (size_t i = 0; i < 2 * ARRAY_LEN(bodies); i++) {
        says.body = bodies[i / 2];
        says.status = i % 2 ? 500 : 200;
        AUTO(json_free_ptr) struct json *doc = ask(peer.url, 100);

        assert_string_equal(json_get_string(doc, "state"), "running");
        assert_false(json_bool(json_at(doc, "mesh", "ready", NULL), false));
    }
}

static void
nobody(void **state UNUSED)
{
    AUTO(json_free_ptr) struct json *doc = ask("http://127.0.0.1:1", 300);

    assert_string_equal(json_get_string(doc, "state"), "dead");
    assert_string_equal(json_get_string(doc, "where"), "cluster");
    assert_non_null(
        strstr(json_get_string(doc, "trouble"), "Connection refused"));
}

/* A peer that takes the request and says nothing costs the limit, no more. */
static void
silence(void **state UNUSED)
{
    says.silent = true;
    AUTO(json_free_ptr) struct json *doc = ask(peer.url, 200);

    assert_string_equal(json_get_string(doc, "state"), "dead");
}

static void
versions(void **state UNUSED)
{
    static const struct {
        const char *a, *b;
        int want;
    } rows[] = {
        {"v1.2.3", "1.2.3", 0},
        {"v1.2.3", "v1.2.4", -1},
        {"v1.10.0", "v1.9.9", 1},
        {"2", "v2.0.0", 0},
        {"v2.3.4-rc.1", "v2.3.4", 0},
        {"latest", "v1", 2},
        {"", "v1", 2},
        {"v1.x", "v1.0.0", 0},
        {"v99999999999999999999", "v1", 1},
    };
    static const struct {
        const char *ref, *tag;
    } tags[] = {
        {"host:5000/a/b:v1@sha256:00", "v1"},
        {"host:5000/a/b", ""},
        {"a:v2", "v2"},
        {"", ""},
        {"a/b@sha256:00", ""},
        {":", ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(env_version_compare(rows[i].a, rows[i].b),
                         rows[i].want);
    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        AUTO(mem_free_ptr) char *tag = env_image_tag(tags[i].ref);

        assert_string_equal(tag, tags[i].tag);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hostile, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(silence, setup, teardown),
        cmocka_unit_test(versions),
    };

    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
