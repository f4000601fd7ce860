/* Sockets of engines that do not answer: what recordings 90 to 92 of
 * tests/wire/docker hold, made here. */
#include <sys/stat.h>

#include "lib/base/file.h"

#include "devenv/docker_call.h"

#include "tests/unit/kube/fake.h"

static struct loop *l;
static char folder[64];

static void
no_socket(void **state)
{
    struct error e = {0};

    (void)state;
    assert_null(docker_open(l, "unix:///nowhere/docker.sock", NULL, &e));
    assert_string_equal(e.id, "MT-ENGINE-DOWN");
    assert_non_null(strstr(e.msg, "/nowhere/docker.sock: it is not there"));
}

static void
dead_socket(void **state)
{
    AUTO(mem_free_ptr) char *path = mem_printf("%s/dead.sock", folder);
    AUTO(mem_free_ptr) char *url = mem_printf("unix://%s", path);
    struct fake f;
    struct error e = {0};

    (void)state;
    fake_init_unix(&f, l, path, NULL, NULL);
    fake_release(&f);
    assert_null(docker_open(l, url, NULL, &e));
    assert_string_equal(e.id, "MT-ENGINE-DOWN");
    assert_non_null(strstr(e.msg, "Connection refused"));
}

static void
no_permission(void **state)
{
    AUTO(mem_free_ptr) char *path = mem_printf("%s/shut.sock", folder);
    AUTO(mem_free_ptr) char *url = mem_printf("unix://%s", path);
    struct fake f;
    struct error e = {0};
    bool root = geteuid() == 0;

    (void)state;
    fake_init_unix(&f, l, path, NULL, NULL);
    assert_int_equal(chmod(path, root ? 0600 : 0), 0);
    if (root)
        assert_int_equal(seteuid(65534), 0);
    assert_null(docker_open(l, url, NULL, &e));
    if (root)
        assert_int_equal(seteuid(0), 0);
    assert_string_equal(e.id, "MT-ENGINE-PERM");
    assert_int_equal(e.code, ERR_DENIED);
    assert_non_null(strstr(e.msg, path));
    fake_release(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_socket),
        cmocka_unit_test(dead_socket),
        cmocka_unit_test(no_permission),
    };
    int failed;

    snprintf(folder, sizeof(folder), "/tmp/meshtop-sockets.XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    chmod(folder, 0755);
    l = loop_new(NULL);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_free(l);
    file_remove_tree(folder, NULL);
    return failed;
}
