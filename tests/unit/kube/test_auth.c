/* Credentials that renew themselves: plugins, files, the kubeconfig itself. */
#include <signal.h>
#include <sys/stat.h>

#include "lib/base/file.h"

#include "tests/unit/kube/fake_client.h"
#include "tests/unit/test.h"

static char folder[] = "/tmp/meshtop-auth-XXXXXX";
static char *counted;    /* a byte a run of the plugin */
static char *told;       /* KUBERNETES_EXEC_INFO of the last run */
static const char *good; /* "Bearer t1", what the server takes */

static const struct kube_gvr things = {"x.io", "v1", "things"};

#define HEAD                                                                   \
    "#!/bin/sh\nprintf x >>\"$COUNT\"\n"                                       \
    "printf %s \"$KUBERNETES_EXEC_INFO\" >\"$COUNT.info\"\n"
#define CREDENTIAL(status)                                                     \
    "{\"kind\":\"ExecCredential\",\"apiVersion\":"                             \
    "\"client.authentication.k8s.io/v1\",\"status\":{" status "}}"
#define SAY(text) HEAD "cat <<'E'\n" text "\nE\n"

static void
keeper(void *arg, struct fake_conn *c, const struct fake_request *r)
{
    (void)arg;
    if (str_contains(r->head, str_of(good)))
        fake_answer(c, 200, NULL, STR("{}"));
    else
        fake_answer(c, 401, NULL, STR(""));
}

static size_t
runs(void)
{
    struct stat s;

    return stat(counted, &s) == 0 ? (size_t)s.st_size : 0;
}

/* A client whose plugin is this script. */
static struct kube_client *
client_of(const char *script, struct kube_exec *x)
{
    struct kube_access a = {
        .server = peer.url, .ns = (char *)"d", .user = (char *)"u", .exec = x};
    AUTO(mem_free_ptr) char *env = NULL;
    AUTO(mem_free_ptr) char *path = NULL;

    path = file_join(folder, "login");
    env = mem_printf("COUNT=%s", counted);
    x->command = path;
    if (!x->api_version)
        x->api_version = (char *)"client.authentication.k8s.io/v1";
    strlist_add(&x->env, str_of(env));
    test_write_script(path, script);
    unlink(counted);
    peer.requests = 0;
    struct kube_client *c = kube_client_new(l, &a, NULL, NULL);

    strlist_release(&x->env);
    x->command = NULL;
    return c;
}

static void
on_reply(void *arg, const struct kube_reply *r, const struct error *err)
{
    unsigned *n = arg;

    assert_null(err);
    assert_int_equal(r->http, 200);
    ++*n;
}

/* Many requests wait for one run; a 401 to all of them makes one more. */
static void
one_run(void **state)
{
    static const char script[] =
        HEAD "n=$(wc -c <\"$COUNT\")\n"
             "echo '" CREDENTIAL("\"token\":\"t'$n'\"") "'\n";
    struct kube_exec x = {0};
    struct kube_client *c = client_of(script, &x);
    struct kube_request get = {.gvr = things, .name = "n"};
    unsigned done = 0;

    (void)state;
    good = "Bearer t1\r\n";
    for (int i = 0; i < 20; i++)
        assert_non_null(kube_client_send(c, &get, on_reply, &done, NULL));
    while (done < 20)
        loop_turn(l, 100);
    assert_int_equal(runs(), 1);
    good = "Bearer t2\r\n";
    for (int i = 0; i < 20; i++)
        assert_non_null(kube_client_send(c, &get, on_reply, &done, NULL));
    while (done < 40)
        loop_turn(l, 100);
    assert_int_equal(runs(), 2);
    kube_client_free(c);
}

/* Expired, or almost: the next request runs it again; one that gives nothing
 * better than what has expired is not run for ever. */
static void
expiry(void **state)
{
    static const struct {
        const char *until;
        size_t runs; /* after two requests */
    } rows[] = {
        {"2999-01-01T00:00:00Z", 1},
        {"2001-01-01T00:00:00Z", 1}, /* fresh from the plugin */
    };
    struct kube_request get = {.gvr = things, .name = "n"};

    (void)state;
    good = "Bearer t\r\n";
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(mem_free_ptr)
        char *script = mem_printf(
            "%secho '" CREDENTIAL(
                "\"token\":\"t\",\"expirationTimestamp\":\"%s\"") "'\n",
            HEAD, rows[i].until);
        struct kube_exec x = {0};
        struct kube_client *c = client_of(script, &x);

        assert_true(kube_client_wait(c, &get, NULL, NULL));
        assert_true(kube_client_wait(c, &get, NULL, NULL));
        assert_int_equal(runs(), rows[i].runs);
        kube_client_free(c);
    }
}

/* What a plugin may print instead of a credential, in client-go's words. */
static void
garbage(void **state)
{
    static const struct {
        const char *out, *want;
    } rows[] = {
        {"", "decoding stdout"},
        {"not json", "decoding stdout"},
        {"[]", "decoding stdout: its kind"},
        {"{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}", "its kind is \"Pod\""},
        {"{\"kind\":\"ExecCredential\",\"apiVersion\":"
         "\"client.authentication.k8s.io/v1beta1\",\"status\":{}}",
         "exec plugin is configured to use API version "
         "client.authentication.k8s.io/v1, plugin returned version "
         "client.authentication.k8s.io/v1beta1"},
        {"{\"kind\":\"ExecCredential\",\"apiVersion\":"
         "\"client.authentication.k8s.io/v1\"}",
         "exec plugin didn't return a status field"},
        {CREDENTIAL(""), "exec plugin didn't return a token or cert/key pair"},
        {CREDENTIAL("\"token\":7"), "didn't return a token or cert/key pair"},
        {CREDENTIAL("\"clientKeyData\":\"k\""),
         "exec plugin returned only certificate or key, not both"},
        {CREDENTIAL("\"token\":\"a\\r\\nX: y\""), "control characters"},
        {CREDENTIAL("\"token\":\"t\",\"expirationTimestamp\":\"soon\""),
         "expirationTimestamp is no time"},
    };
    struct kube_request get = {.gvr = things, .name = "n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(mem_free_ptr)
        char *script = mem_printf("%scat <<'E'\n%s\nE\n", HEAD, rows[i].out);
        struct kube_exec x = {0};
        struct kube_client *c = client_of(script, &x);
        struct error err = {0};

        assert_false(kube_client_wait(c, &get, NULL, &err));
        if (!strstr(err.msg, rows[i].want) ||
            strncmp(err.msg, "getting credentials: ", 21) != 0)
            fail_msg("row %zu: %s", i, err.msg);
        assert_string_equal(err.id, "MT-EXEC-PLUGIN");
        assert_int_equal(peer.requests, 0);
        kube_client_free(c);
    }
}

static void
on_line(void *arg, struct str line)
{
    buf_printf(arg, "<%.*s>", STR_ARG(line));
}

/* What it says while it runs is told; it has neither our input nor a terminal;
 * it knows the cluster when the kubeconfig says so. */
static void
manners(void **state)
{
    static const char script[] =
        HEAD "echo 'open https://login and type X1' >&2\n"
             "if read -r line; then echo \"read $line\" >&2; fi\n"
             "if (: </dev/tty) 2>/dev/null; then echo tty >&2; fi\n"
             "echo '" CREDENTIAL("\"token\":\"t\"") "'\n";
    struct kube_exec x = {.provide_cluster_info = true,
                          .cluster_config = (char *)"{\"k\":\"v\"}"};
    struct kube_client *c = client_of(script, &x);
    struct kube_request get = {.gvr = things, .name = "n"};
    struct buf lines = BUF_INIT(1000), info = BUF_INIT(10000);
    struct json *j;

    (void)state;
    good = "Bearer t\r\n";
    kube_client_on_plugin(c, on_line, &lines);
    assert_true(kube_client_wait(c, &get, NULL, NULL));
    assert_string_equal(buf_cstr(&lines), "<open https://login and type X1>");
    assert_true(file_read(told, &info, NULL));
    j = json_parse(buf_view(&info), NULL, NULL);
    assert_string_equal(json_get_string(j, "apiVersion"),
                        "client.authentication.k8s.io/v1");
    assert_false(json_bool(json_at(j, "spec", "interactive", NULL), true));
    assert_string_equal(
        json_string(json_at(j, "spec", "cluster", "server", NULL)), peer.url);
    assert_string_equal(
        json_string(json_at(j, "spec", "cluster", "config", "k", NULL)), "v");
    json_free(j);
    buf_release(&info);
    buf_release(&lines);
    kube_client_free(c);
}

/* It must have a terminal: it gets none, and does not run. */
static void
interactive(void **state)
{
    struct kube_exec x = {.interactive = (char *)"Always"};
    struct kube_client *c = client_of(SAY(CREDENTIAL("\"token\":\"t\"")), &x);
    struct kube_request get = {.gvr = things, .name = "n"};
    struct error err = {0};

    (void)state;
    assert_false(kube_client_wait(c, &get, NULL, &err));
    assert_non_null(strstr(err.msg, "exec plugin cannot support interactive "
                                    "mode: standard input is unavailable"));
    assert_int_equal(runs(), 0);
    kube_client_free(c);
}

static bool
alive(const char *pid_file)
{
    struct buf b = BUF_INIT(100);
    int64_t pid = 0;
    bool is = file_read(pid_file, &b, NULL) &&
              str_to_i64(str_trim(buf_view(&b)), &pid) &&
              kill((pid_t)pid, 0) == 0;

    buf_release(&b);
    return is;
}

/* One that hangs is ended after its time, or when nobody waits any more. */
static void
hangs(void **state)
{
    static const char script[] =
        HEAD "echo $$ >\"$COUNT.pid\"\nexec sleep 600\n";
    AUTO(mem_free_ptr) char *pid = mem_printf("%s.pid", counted);
    struct kube_exec x = {.timeout_ms = 200};
    struct kube_client *c = client_of(script, &x);
    struct kube_request get = {.gvr = things, .name = "n"};
    struct error err = {0};
    struct kube_call *call;

    (void)state;
    assert_false(kube_client_wait(c, &get, NULL, &err));
    assert_int_equal(err.code, ERR_TIMEOUT);
    assert_non_null(strstr(err.msg, "did not end within 0.2 s"));
    assert_false(alive(pid));
    kube_client_free(c);
    unlink(pid);
    x.timeout_ms = 0;
    c = client_of(script, &x);
    call = kube_client_send(c, &get, fake_never, NULL, NULL);
    while (!alive(pid))
        loop_turn(l, 5);
    kube_call_cancel(call);
    assert_false(alive(pid));
    kube_client_free(c);
}

/* The kubeconfig is written anew, with another token: who is refused reads it
 * again; a file that did not change is not read for each 401. */
static void
kubeconfig_replaced(void **state)
{
    static const char form[] =
        "current-context: k\n"
        "clusters: [{name: c, cluster: {server: '%s'}}]\n"
        "users: [{name: u, user: {as: %s}}]\n"
        "contexts: [{name: k, context: {cluster: c, user: u}}]\n";
    AUTO(mem_free_ptr) char *path = file_join(folder, "config");
    AUTO(mem_free_ptr) char *one = mem_printf(form, peer.url, "one");
    AUTO(mem_free_ptr) char *two = mem_printf(form, peer.url, "twoo");
    struct kube_request get = {.gvr = things, .name = "n"};
    struct error err = {0};

    (void)state;
    assert_true(file_write(path, str_of(one), 0600, NULL));
    AUTO(kube_access_free_ptr)
    struct kube_access *a = kube_access_open(path, NULL, &err);
    struct kube_client *c = kube_client_new(l, a, NULL, NULL);

    good = "Impersonate-User: one\r\n";
    assert_true(kube_client_wait(c, &get, NULL, NULL));
    good = "Impersonate-User: twoo\r\n";
    peer.requests = 0;
    assert_false(kube_client_wait(c, &get, NULL, &err));
    assert_int_equal(peer.requests, 1);
    assert_true(file_write(path, str_of(two), 0600, NULL));
    assert_true(kube_client_wait(c, &get, NULL, &err));
    /* half written: what there was goes on */
    assert_true(file_write(path, STR("users: ["), 0600, NULL));
    good = "Impersonate-User: three\r\n";
    assert_false(kube_client_wait(c, &get, NULL, &err));
    assert_int_equal(err.http, 401);
    kube_client_free(c);
}

/* A key may hold what a header's name may not. */
static void
extra_keys(void **state)
{
    struct kube_access a = {
        .server = peer.url, .ns = (char *)"d", .as = (char *)"x"};
    struct kube_request get = {.gvr = things, .name = "n"};
    struct kube_client *c;

    (void)state;
    strlist_add(&a.as_extra, STR("team.io/a b%=v=1"));
    c = kube_client_new(l, &a, NULL, NULL);
    good = "Impersonate-Extra-team.io%2Fa%20b%25: v=1\r\n";
    assert_true(kube_client_wait(c, &get, NULL, NULL));
    kube_client_free(c);
    strlist_release(&a.as_extra);
}

static int
setup(void **state)
{
    (void)state;
    l = loop_new(NULL);
    fake_init(&peer, l, keeper, NULL);
    if (!mkdtemp(folder))
        return -1;
    counted = file_join(folder, "count");
    told = mem_printf("%s.info", counted);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    fake_release(&peer);
    loop_free(l);
    free(counted);
    free(told);
    return file_remove_tree(folder, NULL) ? 0 : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_run),
        cmocka_unit_test(expiry),
        cmocka_unit_test(garbage),
        cmocka_unit_test(manners),
        cmocka_unit_test(interactive),
        cmocka_unit_test(hangs),
        cmocka_unit_test(kubeconfig_replaced),
        cmocka_unit_test(extra_keys),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
