/* Profiles on a real disk, and the steps' engine. */
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"

#include "devenv/manifest.h"
#include "devenv/profile.h"
#include "devenv/step.h"

#include "tests/unit/test.h"

static char root[64];

static int
make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof(root), "/tmp/meshtop-profile-XXXXXX");
    assert_non_null(mkdtemp(root));
    return setenv("XDG_STATE_HOME", root, 1);
}

static int
drop_root(void **state)
{
    (void)state;
    return file_remove_tree(root, NULL) ? 0 : -1;
}

static void
what_is_saved_is_read_again(void **state)
{
    struct profile p, q;
    struct stat st;

    (void)state;
    assert_true(profile_open("demo", &p, NULL));
    assert_false(profile_is_up(&p));
    assert_true(profile_lock(&p, NULL));
    assert_int_equal(stat(p.dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    snprintf(p.engine, sizeof(p.engine), "sandbox");
    profile_note(&p.examples, "corner-shop");
    profile_note(&p.examples, "corner-shop");
    assert_true(profile_save(&p, NULL));
    assert_true(profile_open("demo", &q, NULL));
    assert_string_equal(q.engine, "sandbox");
    assert_int_equal(q.examples.n, 1);
    assert_false(profile_is_up(&q)); /* no kubeconfig yet */
    profile_forget(&q.examples, "corner-shop");
    assert_int_equal(q.examples.n, 0);
    profile_release(&q);
    profile_release(&p);
}

static void
one_at_a_time(void **state)
{
    struct profile p, q;
    struct error err = {0};

    (void)state;
    assert_true(profile_open("demo", &p, NULL) && profile_lock(&p, NULL));
    assert_true(profile_open("demo", &q, NULL));
    assert_false(profile_lock(&q, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_string_equal(err.id, "MT-PROFILE-BUSY");
    profile_unlock(&p);
    assert_true(profile_lock(&q, NULL));
    profile_release(&p);
    profile_release(&q);
}

static void
damage_is_said_with_the_remedy(void **state)
{
    static const char *const broken[] = {"{", "[]", "\"x\"", ""};
    struct profile p;

    (void)state;
    assert_true(profile_open("demo", &p, NULL) && profile_lock(&p, NULL));
    char *path = file_join(p.dir, "state.json");

    profile_release(&p);
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        struct error err = {0};

        assert_true(file_write(path, str_of(broken[i]), 0600, NULL));
        assert_false(profile_open("demo", &p, &err));
        assert_string_equal(err.id, "MT-STATE-DAMAGED");
        assert_non_null(strstr(err.remedy, "down --force"));
    }
    assert_true(profile_discard_state("demo", NULL));
    assert_true(profile_open("demo", &p, NULL));
    profile_release(&p);
    free(path);
}

static void
names_that_could_leave_the_folder_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "..",
        "a/b",
        "A",
        "a b",
        "a234567890123456789012345678901234567890123456789012345678901234"};
    struct profile p;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct error err = {0};

        assert_false(profile_open(bad[i], &p, &err));
        assert_int_equal(err.code, ERR_USAGE);
    }
}

static void
a_folder_of_somebody_else_is_not_used(void **state)
{
    struct error err = {0};
    struct profile p;
    char path[64];
    struct stat st;

    (void)state;
    snprintf(path, sizeof(path), "/tmp/meshtop-%u", (unsigned)getuid());
    unsetenv("XDG_STATE_HOME");
    setenv("HOME", "/nonexistent", 1);
    assert_true(profile_open("demo", &p, &err));
    assert_true(p.temporary);
    profile_release(&p);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(chmod(path, 0777), 0);
    assert_false(profile_open("demo", &p, &err));
    assert_string_equal(err.id, "MT-STATE-FOLDER");
    assert_int_equal(chmod(path, 0700), 0);
    setenv("XDG_STATE_HOME", root, 1);
}

/* ---- manifests ---- */

static void
manifests_are_read_sorted_and_refused(void **state)
{
    static const char good[] =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n"
        "apiVersion: v1\nkind: List\nitems:\n"
        "- {apiVersion: v1, kind: Namespace, metadata: {name: b}}\n"
        "- {apiVersion: x/v1, kind: Z, metadata: {name: c, namespace: ns1}}\n";
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"apiVersion: v1\nkind: ConfigMap\n", "no metadata.name"},
        {"\n\nkind: ConfigMap\n", "f:3: no apiVersion"},
        {"a: [", "f"},
    };
    struct manifest_set s = {0};

    (void)state;
    assert_true(manifest_parse(&s, str_of(good), "f", NULL));
    manifest_sort(&s);
    assert_int_equal(s.n, 3);
    assert_string_equal(s.v[0].kind, "Namespace");
    assert_string_equal(s.v[1].kind, "ConfigMap");
    assert_string_equal(s.v[2].ns, "ns1");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct error err = {0};

        assert_false(manifest_parse(&s, str_of(bad[i].text), "f", &err));
        assert_non_null(strstr(err.msg, bad[i].says));
    }
    manifest_release(&s);
}

static void
the_built_in_mesh_is_whole(void **state)
{
    struct manifest_set s = {0};

    (void)state;
    assert_true(manifest_load_assets(&s, "assets/mesh-core/xrds", NULL));
    assert_int_equal(s.n, 8);
    assert_true(manifest_load_assets(&s, "examples/corner-shop/", NULL));
    assert_int_equal(s.n, 8 + 13);
    manifest_release(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_saved_is_read_again),
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(damage_is_said_with_the_remedy),
        cmocka_unit_test(names_that_could_leave_the_folder_are_refused),
        cmocka_unit_test(a_folder_of_somebody_else_is_not_used),
        cmocka_unit_test(manifests_are_read_sorted_and_refused),
        cmocka_unit_test(the_built_in_mesh_is_whole),
    };

    return cmocka_run_group_tests(tests, make_root, drop_root);
}
