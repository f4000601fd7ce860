#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"

#include "devenv/sandbox/tls.h"

#include "tests/unit/test.h"

static int
mode_of(const char *folder, const char *name)
{
    char *path = file_join(folder, name);
    struct stat st = {0};

    assert_int_equal(stat(path, &st), 0);
    free(path);
    return st.st_mode & 0777;
}

static void
test_made_once_then_kept(void **state)
{
    char folder[] = "/tmp/meshtop-tls.XXXXXX";
    struct tls_identity a, b;
    struct error err = {0};

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_true(tls_load(folder, &a, &err));
    assert_true(a.fresh);
    assert_int_equal(mode_of(folder, "sandbox.pem"), 0600);
    assert_int_equal(mode_of(folder, "sandbox.token"), 0600);
    assert_true(tls_load(folder, &b, &err));
    assert_false(b.fresh);
    assert_string_equal(a.ca, b.ca);
    assert_string_equal(a.cert, b.cert);
    assert_string_equal(a.key, b.key);
    assert_string_equal(a.token, b.token);
    tls_release(&b);

    /* a file that is not ours any more is made anew, whole */
    char *pem = file_join(folder, "sandbox.pem");

    assert_true(
        file_write(pem, STR("-----BEGIN CERTIFICATE-----\nno"), 0600, &err));
    assert_true(tls_load(folder, &b, &err));
    assert_true(b.fresh);
    assert_string_not_equal(a.token, b.token);
    free(pem);
    tls_release(&b);
    tls_release(&a);
    file_remove_tree(folder, NULL);
}

static void
test_two_are_different(void **state)
{
    struct tls_identity a, b;

    (void)state;
    assert_true(tls_load(NULL, &a, NULL));
    assert_true(tls_load(NULL, &b, NULL));
    assert_string_not_equal(a.token, b.token);
    assert_string_not_equal(a.key, b.key);
    assert_int_equal(strlen(a.token), 43);
    assert_true(tls_token_ok(&a, str_of(a.token)));
    assert_false(tls_token_ok(&a, str_of(b.token)));
    assert_false(tls_token_ok(&a, STR("")));
    assert_false(tls_token_ok(&a, str_n(a.token, 42)));
    tls_release(&a);
    tls_release(&b);
}

static void
test_kubeconfig(void **state)
{
    struct tls_identity id = {.ca = (char[]){"CA"}, .token = (char[]){"tok"}};
    struct buf b = BUF_INIT(4096);

    (void)state;
    tls_kubeconfig(&id, NULL, "meshtop-mesh", "::1", 8443, &b);
    assert_string_equal(buf_cstr(&b), "apiVersion: v1\n"
                                      "kind: Config\n"
                                      "clusters:\n"
                                      "- name: meshtop-mesh\n"
                                      "  cluster:\n"
                                      "    server: https://[::1]:8443\n"
                                      "    certificate-authority-data: Q0E=\n"
                                      "users:\n"
                                      "- name: meshtop-mesh\n"
                                      "  user:\n"
                                      "    token: tok\n"
                                      "contexts:\n"
                                      "- name: meshtop-mesh\n"
                                      "  context:\n"
                                      "    cluster: meshtop-mesh\n"
                                      "    user: meshtop-mesh\n"
                                      "current-context: meshtop-mesh\n");
    buf_release(&b);
}

static void
test_cannot_write(void **state)
{
    struct tls_identity id = {0};
    struct error err = {0};

    (void)state;
    assert_false(tls_load("/proc/nowhere", &id, &err));
    assert_null(id.ca);
    assert_true(*err.msg != '\0');
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made_once_then_kept),
        cmocka_unit_test(test_two_are_different),
        cmocka_unit_test(test_kubeconfig),
        cmocka_unit_test(test_cannot_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
