#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "lib/kube/kubeconfig.h"

#include "tests/unit/test.h"

static char folder[] = "/tmp/meshtop-kubeconfig-XXXXXX";

static char *
put(const char *name, const char *text)
{
    char *path = file_join(folder, name);

    assert_true(file_write(path, str_of(text), 0600, NULL));
    return path;
}

static const char first[] =
    "apiVersion: v1\nkind: Config\ncurrent-context: one\n"
    "clusters:\n"
    "- name: c\n"
    "  cluster: {server: 'https://first:6443/', certificate-authority: ca.pem,"
    " tls-server-name: real}\n"
    "users:\n"
    "- {name: u, user: {token: secret}}\n"
    "contexts:\n"
    "- {name: one, context: {cluster: c, user: u, namespace: ns1}}\n";
static const char second[] = "current-context: two\n"
                             "clusters:\n"
                             "- {name: c, cluster: {server: 'https://second', "
                             "insecure-skip-tls-verify: true}}\n"
                             "- {name: d, cluster: {server: plain}}\n"
                             "users: []\n"
                             "contexts:\n"
                             "- {name: two, context: {cluster: d, user: u}}\n";

static struct kube_access *
open_text(const char *text, const char *context, struct error *err)
{
    struct kube_config *c = kube_config_parse(str_of(text), folder, err);
    struct kube_access *a = NULL;

    if (c)
        a = kube_config_access(c, context, err);
    kube_config_free(c);
    return a;
}

/* $KUBECONFIG: missing and empty entries are skipped, of equal names the
 * first file wins whole, the first current-context wins. */
static void
merge(void **state)
{
    AUTO(mem_free_ptr) char *a = put("a", first);
    AUTO(mem_free_ptr) char *b = put("b", second);
    AUTO(mem_free_ptr) char *ca = put("ca.pem", "PEM");
    AUTO(mem_free_ptr)
    char *list = mem_printf(":%s/none:%s:%s:%s", folder, a, a, b);
    struct error err = {0};
    struct kube_config *c;
    struct kube_access *x, *y;

    (void)state;
    setenv("KUBECONFIG", list, 1);
    c = kube_config_load(NULL, &err);
    assert_non_null(c);
    assert_int_equal(kube_config_count(c), 2);
    assert_string_equal(kube_config_current(c), "one");
    assert_string_equal(kube_config_context(c, 1), "two");
    assert_null(kube_config_context(c, 2));
    x = kube_config_access(c, NULL, &err);
    assert_non_null(x);
    assert_string_equal(x->server, "https://first:6443");
    assert_string_equal(x->ca, "PEM");
    assert_string_equal(x->ns, "ns1");
    assert_string_equal(x->token, "secret");
    assert_string_equal(x->tls_server_name, "real");
    assert_false(x->insecure);
    y = kube_access_copy(x);
    kube_access_free(x);
    assert_string_equal(y->token, "secret");
    kube_access_free(y);
    x = kube_config_access(c, "two", &err);
    assert_non_null(x);
    assert_string_equal(x->server, "http://plain");
    assert_string_equal(x->ns, "default");
    assert_string_equal(x->source, b);
    kube_access_free(x);
    assert_null(kube_config_access(c, "three", &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.remedy, "one, two"));
    kube_config_free(c);
}

static void
named_file(void **state)
{
    AUTO(mem_free_ptr) char *b = put("b", second);
    AUTO(mem_free_ptr) char *none = file_join(folder, "none");
    struct error err = {0};
    struct kube_config *c = kube_config_load(b, &err);
    struct kube_context x;

    (void)state;
    assert_non_null(c);
    assert_true(kube_config_describe(c, "two", &x));
    assert_string_equal(x.server, "plain");
    assert_false(kube_config_describe(c, "one", &x));
    /* the user of "two" stands in the other file */
    assert_null(kube_config_access(c, "two", &err));
    assert_non_null(strstr(err.msg, "the user u"));
    kube_config_free(c);
    assert_null(kube_config_load(none, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void
no_config(void **state)
{
    struct error err = {0};

    (void)state;
    setenv("KUBECONFIG", "/nonexistent/a", 1);
    unsetenv("KUBERNETES_SERVICE_HOST");
    assert_null(kube_access_open(NULL, NULL, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.remedy, "meshtop up"));
}

#define CLUSTER "clusters: [{name: c, cluster: {server: 'https://s'}}]\n"
#define CONTEXT                                                                \
    "contexts: [{name: x, context: {cluster: c, user: u}}]\n"                  \
    "current-context: x\n"

static void
inline_data(void **state)
{
    AUTO(mem_free_ptr) char *token = put("t", "T");
    struct error err = {0};
    struct kube_access *a = open_text(
        "clusters: [{name: c, cluster: {server: 'https://s', "
        "certificate-authority-data: UEVN, "
        "proxy-url: 'socks5://p'}}]\n"
        "users: [{name: u, user: {client-certificate-data: Q0VSVA==, "
        "client-key-data: S0VZ, tokenFile: t, as: root, as-groups: [g1, g2], "
        "as-user-extra: {k: [v, w]}}}]\n" CONTEXT,
        NULL, &err);

    (void)state;
    assert_non_null(a);
    assert_string_equal(a->ca, "PEM");
    assert_string_equal(a->cert, "CERT");
    assert_string_equal(a->key, "KEY");
    assert_string_equal(a->proxy, "socks5://p");
    assert_int_equal(strncmp(a->token_file, folder, strlen(folder)), 0);
    assert_string_equal(a->as, "root");
    assert_int_equal(a->as_groups.n, 2);
    assert_string_equal(a->as_extra.v[1], "k=w");
    kube_access_free(a);
}

static void
exec_plugin(void **state)
{
    struct error err = {0};
    struct kube_access *a = open_text(
        CLUSTER "users: [{name: u, user: {exec: {command: ./bin/login, "
                "apiVersion: client.authentication.k8s.io/v1, args: [a, b], "
                "env: [{name: NAME, value: v}], provideClusterInfo: true, "
                "interactiveMode: Never}}}]\n" CONTEXT,
        NULL, &err);
    AUTO(mem_free_ptr) char *want = file_join(folder, "bin/login");

    (void)state;
    assert_non_null(a);
    assert_string_equal(a->exec->command, want);
    assert_int_equal(a->exec->args.n, 2);
    assert_string_equal(a->exec->env.v[0], "NAME=v");
    assert_true(a->exec->provide_cluster_info);
    kube_access_free(a);
}

static void
refused(void **state)
{
    static const struct {
        const char *text;
        enum err_code code;
        const char *part;
    } rows[] = {
        {"kind: Pod\n", ERR_PARSE, "kind is Pod"},
        {"# why\n[]", ERR_PARSE, "line 2: the file is no object"},
        {"kind: Config\napiVersion: v2\n", ERR_PARSE, "apiVersion is v2"},
        {"users:\n- name: u\n  user:\n    token: 7\n", ERR_PARSE,
         "line 4: users[0].user.token is no text"},
        {"users: [{name: u, user: {as-groups: [1]}}]", ERR_PARSE,
         "users[0].user.as-groups[0] is no text"},
        {"users: [{name: u, user: {as-user-extra: {k: v}}}]", ERR_PARSE,
         "users[0].user.as-user-extra.k is no list"},
        {"clusters:\n- {name: a}\n- {name: a}\n", ERR_PARSE,
         "line 3: clusters[1] has the name of an entry before"},
        {"a: 1\n  b: 2\n", ERR_PARSE, "line 2"},
        {"clusters: {}", ERR_PARSE, "clusters is no list"},
        {"a: [", ERR_PARSE, ""},
        {"", ERR_NOT_FOUND, "there is no kubeconfig"},
        {CLUSTER "contexts: [{name: x, context: {cluster: c}}]", ERR_NOT_FOUND,
         "no current context"},
        {CONTEXT, ERR_NOT_FOUND, "the cluster c"},
        {CLUSTER CONTEXT, ERR_NOT_FOUND, "the user u"},
        {"clusters: [{name: c, cluster: {}}]\n" CONTEXT, ERR_PARSE,
         "no server"},
        {"clusters: [{name: c, cluster: {server: 'https://s', "
         "certificate-authority-data: '%'}}]\n" CONTEXT,
         ERR_PARSE, "certificate-authority-data is no base64"},
        {"clusters: [{name: c, cluster: {server: 'https://s', "
         "certificate-authority: nofile}}]\n" CONTEXT,
         ERR_NOT_FOUND, "certificate-authority"},
        {"clusters: [{name: c, cluster: {server: 'https://s', "
         "insecure-skip-tls-verify: true, certificate-authority-data: UEVN}}]"
         "\n" CONTEXT,
         ERR_USAGE, "only one"},
        {CLUSTER
         "users: [{name: u, user: {client-certificate-data: S0VZ}}]\n" CONTEXT,
         ERR_USAGE, "without its key"},
        {"clusters: [{name: c, cluster: {server: 'https://s', "
         "certificate-authority-data: UEVN, certificate-authority: "
         "f}}]\n" CONTEXT,
         ERR_USAGE, "only one can be meant"},
        {"clusters: [{name: c, cluster: {server: 'https://s', "
         "proxy-url: 'ftp://x'}}]\n" CONTEXT,
         ERR_USAGE, "ftp://x"},
        {CLUSTER "users: [{name: u, user: {token: t, username: me}}]\n" CONTEXT,
         ERR_USAGE, "more than one authentication method"},
        {CLUSTER "users: [{name: u, user: {as-uid: t}}]\n" CONTEXT, ERR_USAGE,
         "without impersonating a user"},
        {CLUSTER "users: [{name: u, user: {tokenFile: none}}]\n" CONTEXT,
         ERR_NOT_FOUND, "tokenFile"},
        {CLUSTER "users: [{name: u, user: {exec: {command: c, apiVersion: "
                 "client.authentication.k8s.io/v1}}}]\n" CONTEXT,
         ERR_PARSE, "interactiveMode must be specified for u"},
        {CLUSTER "users: [{name: u, user: {exec: {command: c, apiVersion: "
                 "client.authentication.k8s.io/v1alpha1}}}]\n" CONTEXT,
         ERR_UNSUPPORTED, "exec plugin: invalid apiVersion"},
        {CLUSTER
         "users: [{name: u, user: {auth-provider: {name: gcp}}}]\n" CONTEXT,
         ERR_UNSUPPORTED, "exec plugin"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct error err = {0};

        assert_null(open_text(rows[i].text, NULL, &err));
        if (err.code != rows[i].code || !strstr(err.msg, rows[i].part))
            fail_msg("row %zu: %s: %s", i, error_name(err.code), err.msg);
    }
}

static int
setup(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    return file_remove_tree(folder, NULL) ? 0 : -1;
}

/* One context by itself means the same, read from another folder. */
static void
one_context_alone(void **state)
{
    AUTO(buf_release) struct buf out = BUF_INIT(1 << 16);
    AUTO(mem_free_ptr)
    char *a =
        put("whole", "current-context: two\n"
                     "clusters:\n"
                     "- {name: c, cluster: {server: 'https://x', "
                     "certificate-authority: ca.pem}}\n"
                     "- {name: other, cluster: {server: 'https://other'}}\n"
                     "users:\n"
                     "- {name: u, user: {exec: {command: bin/login, args: [a], "
                     "apiVersion: client.authentication.k8s.io/v1, "
                     "interactiveMode: Never}}}\n"
                     "- {name: v, user: {token: not-mine}}\n"
                     "contexts:\n"
                     "- {name: one, context: {cluster: c, user: u, "
                     "namespace: ns1}}\n"
                     "- {name: two, context: {cluster: other, user: v}}\n");
    AUTO(mem_free_ptr) char *ca = put("ca.pem", "PEM");
    AUTO(kube_config_free_ptr)
    struct kube_config *c = kube_config_load(a, NULL);
    struct error err = {0};

    (void)state;
    assert_true(kube_config_extract(c, "one", &out, NULL));
    assert_null(strstr(out.s, "not-mine"));
    assert_null(strstr(out.s, "other"));
    AUTO(kube_config_free_ptr)
    struct kube_config *d = kube_config_parse(buf_view(&out), "/", NULL);
    AUTO(kube_access_free_ptr)
    struct kube_access *x = kube_config_access(d, NULL, NULL);

    assert_non_null(x);
    assert_string_equal(x->context, "one");
    assert_string_equal(x->server, "https://x");
    assert_string_equal(x->ns, "ns1");
    assert_string_equal(x->ca, "PEM");
    assert_int_equal(x->exec->command[0], '/');
    assert_non_null(strstr(x->exec->command, "/bin/login"));
    assert_false(kube_config_extract(c, "three", &out, &err));
    assert_string_equal(err.id, "MT-NO-CONTEXT");
}

/* The pod's own account: address, token, CA and namespace. */
static void
in_a_pod(void **state)
{
    AUTO(mem_free_ptr) char *token = put("token", "pod-token");
    struct error err = {0};
    struct kube_access *a;

    (void)state;
    setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
    setenv("KUBERNETES_SERVICE_PORT", "443", 1);
    a = kube_access_pod(folder, &err);
    assert_non_null(a);
    assert_string_equal(a->server, "https://[fd00::1]:443");
    assert_string_equal(a->token_file, token);
    assert_string_equal(a->ns, "default");
    kube_access_free(a);
    AUTO(mem_free_ptr) char *ns = put("namespace", "team\n");

    a = kube_access_pod(folder, &err);
    assert_string_equal(a->ns, "team");
    kube_access_free(a);
    setenv("POD_NAMESPACE", "other", 1);
    a = kube_access_pod(folder, &err);
    assert_string_equal(a->ns, "other");
    kube_access_free(a);
    unlink(token);
    assert_null(kube_access_pod(folder, &err));
    unsetenv("KUBERNETES_SERVICE_HOST");
    unsetenv("POD_NAMESPACE");
}

/* Who listens on plain HTTP is told no secret. */
static void
plain_http(void **state)
{
    struct error err = {0};
    struct kube_access *a =
        open_text("clusters: [{name: c, cluster: {server: 'http://s'}}]\n"
                  "users: [{name: u, user: {token: secret, as: x}}]\n" CONTEXT,
                  NULL, &err);

    (void)state;
    assert_non_null(a);
    assert_null(a->token);
    assert_string_equal(a->as, "x");
    kube_access_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_context_alone), cmocka_unit_test(merge),
        cmocka_unit_test(named_file),        cmocka_unit_test(no_config),
        cmocka_unit_test(inline_data),       cmocka_unit_test(exec_plugin),
        cmocka_unit_test(refused),           cmocka_unit_test(in_a_pod),
        cmocka_unit_test(plain_http),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
