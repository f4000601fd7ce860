/* Names of clusters, and whose containers are whose. */
#include "devenv/kind.h"

#include "tests/unit/test.h"

static void
names_are_host_names(void **state)
{
    char name[KIND_NAME_SIZE], other[KIND_NAME_SIZE];
    char longest[64];

    (void)state;
    kind_cluster_name("mesh", name);
    assert_string_equal(name, "meshtop-mesh");
    memset(longest, 'p', 63);
    longest[63] = '\0';
    kind_cluster_name(longest, name);
    assert_true(strlen(name) + strlen("-control-plane") <= 63);
    /* Two that begin alike stay two. */
    longest[62] = 'q';
    kind_cluster_name(longest, other);
    assert_string_not_equal(name, other);
    longest[41] = '\0';
    kind_cluster_name(longest, name);
    assert_int_equal(strlen(name) + strlen("-control-plane"), 63);
    assert_string_equal(name + strlen("meshtop-"), longest);
    longest[41] = 'p';
    longest[42] = '\0';
    kind_cluster_name(longest, other);
    assert_true(strlen(other) <= strlen(name));
}

static void
a_foreign_cluster_is_named(void **state)
{
    struct kind_cluster c = {.name = "meshtop-mesh", .state = KIND_RUNNING};
    struct docker_container n = {.name = "meshtop-mesh-control-plane",
                                 .state = "exited",
                                 .status = "Exited (137) 2 hours ago"};
    AUTO(buf_release) struct buf text = BUF_INIT(1024);
    struct error err = {0};

    (void)state;
    assert_false(kind_foreign(&c, &err));
    assert_string_equal(err.id, "MT-CLUSTER-FOREIGN");
    assert_non_null(strstr(err.remedy, "--name meshtop-mesh "));
    c.nodes = (struct docker_containers){&n, 1};
    c.state = KIND_STOPPED;
    kind_describe(&c, &text);
    assert_string_equal(buf_cstr(&text),
                        "meshtop-mesh: it is stopped, 1 node; "
                        "meshtop-mesh-control-plane: Exited (137) 2 hours ago");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_host_names),
        cmocka_unit_test(a_foreign_cluster_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
