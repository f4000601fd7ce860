/* The client against the engine of this machine, where one answers. Nothing is
 * made there: it is looked at, and asked for what it cannot do. */
#include "lib/base/arena.h"
#include "lib/base/loop.h"

#include "devenv/docker_exec.h"
#include "devenv/docker_image.h"
#include "devenv/docker_network.h"

#include "tests/unit/test.h"

static struct loop *l;
static struct docker *d;
static struct arena *a;

static void
says_what_it_is(void **state)
{
    struct docker_info i;
    struct docker_disk disk;
    struct error e = {0};

    (void)state;
    assert_non_null(strchr(docker_api(d), '.'));
    assert_true(docker_version(d)[0] != 0);
    if (!docker_info(d, NULL, a, &i, &e))
        fail_msg("%s", e.msg);
    assert_true(i.cpus > 0 && i.mem_bytes > (64 << 20));
    assert_true(i.cgroup_version[0] == '1' || i.cgroup_version[0] == '2');
    assert_true(i.root_dir[0] != 0 && i.driver[0] != 0 && i.os[0] != 0);
    if (!docker_disk(d, NULL, &disk, &e))
        fail_msg("%s", e.msg);
}

static void
lists(void **state)
{
    struct docker_containers c = {0};
    struct docker_networks n = {0};
    struct docker_images i;
    struct docker_volumes v;
    struct error e = {0};

    (void)state;
    if (!docker_containers(d, NULL, "meshtop.test=none", a, &c, &e) ||
        !docker_networks(d, NULL, NULL, a, &n, &e) ||
        !docker_images(d, NULL, NULL, a, &i, &e) ||
        !docker_volumes(d, NULL, "meshtop.test=none", a, &v, &e))
        fail_msg("%s", e.msg);
    assert_int_equal(c.n, 0);
    assert_int_equal(v.n, 0);
    assert_true(n.n > 0);
    assert_true(docker_networks(d, NULL, n.v[0].name, a, &n, &e) && n.n == 1);
}

static void
refusals_are_words(void **state)
{
    struct docker_container c;
    struct docker_image i;
    struct error e = {0};
    const char *const argv[] = {"true", NULL};
    struct docker_exec x = {.argv = argv};
    int status;

    (void)state;
    assert_false(docker_container(d, NULL, "meshtop-none", a, &c, &e));
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_int_equal(e.http, 404);
    assert_non_null(strstr(e.msg, "meshtop-none"));
    assert_false(docker_image(d, NULL, "meshtop/none:1", a, &i, &e));
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_false(
        docker_exec(d, NULL, "meshtop-none", &x, &status, NULL, NULL, &e));
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_true(docker_delete(d, NULL, "meshtop-none", &e));
    assert_true(docker_network_delete(d, NULL, "meshtop-none", &e));
    assert_true(docker_volume_delete(d, NULL, "meshtop-none", &e));
    assert_true(docker_image_delete(d, NULL, "meshtop/none:1", &e));
}

/* localhost:1 refuses everywhere. */
static void
a_pull_fails_with_the_engines_words(void **state)
{
    struct error e = {0};

    (void)state;
    assert_false(
        docker_pull(d, NULL, "localhost:1/meshtop/none:1", NULL, a, NULL, &e));
    assert_non_null(strstr(e.msg, "localhost:1"));
    assert_string_equal(e.id, "MT-NET-DNS");
    assert_true(e.remedy[0] != 0);
}

static void
a_watch_can_be_ended(void **state)
{
    struct error e = {0};
    struct docker_watch *w = docker_watch(d, NULL, 0, NULL, NULL, &e);

    (void)state;
    assert_non_null(w);
    for (int i = 0; i < 5; i++)
        loop_turn(l, 1);
    assert_false(docker_watch_ended(w, &e));
    docker_watch_free(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_it_is),
        cmocka_unit_test(lists),
        cmocka_unit_test(refusals_are_words),
        cmocka_unit_test(a_pull_fails_with_the_engines_words),
        cmocka_unit_test(a_watch_can_be_ended),
    };
    struct error e = {0};
    int failed;

    l = loop_new(NULL);
    a = arena_new();
    d = docker_open(l, NULL, NULL, &e);
    if (!d) {
        printf("1..1\nok 1 - a container engine # SKIP %s\n", e.msg);
        failed = 0;
    } else {
        failed = cmocka_run_group_tests(tests, NULL, NULL);
    }
    docker_free(d);
    arena_free(a);
    loop_free(l);
    return failed;
}
