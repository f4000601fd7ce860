#include <stdio.h>
#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/sandbox/brought.h"

#include "tests/unit/test.h"

#define KIND "example.org/widgets"

static int64_t
put(struct store *s, const char *key, const char *text)
{
    struct blob *b = blob_new(str_of(text));
    int64_t rev = store_put(s, STR(KIND), str_of(key), STORE_ANY, b, NULL);

    blob_drop(b);
    return rev;
}

static void
note(struct store *s, const char *bytes, bool exact)
{
    AUTO(strlist_release) struct strlist ids = {0};
    const struct brought b = {"things", str_of(bytes)};

    strlist_add(&ids, STR(KIND " one"));
    strlist_add(&ids, STR(KIND " ns/two"));
    brought_note(s, &b, &ids, exact);
}

static bool
stands(struct store *s, const char *bytes)
{
    const struct brought b = {"things", str_of(bytes)};

    return brought_stands(s, &b);
}

static struct store *
filled(bool exact)
{
    struct store *s = store_open(":memory:", NULL, NULL);

    put(s, "one", "1");
    put(s, "ns/two", "2");
    note(s, "asset", exact);
    assert_true(store_commit(s, NULL));
    return s;
}

static void
test_what_was_noted_stands(void **state)
{
    struct store *s = filled(true);

    (void)state;
    assert_true(stands(s, "asset"));
    assert_false(stands(s, "another asset"));
    assert_false(stands(s, ""));
    put(s, "three", "3");
    assert_true(stands(s, "asset"));
    put(s, "one", "changed");
    assert_false(stands(s, "asset"));
    store_close(s);
}

static void
test_what_is_deleted_does_not(void **state)
{
    struct store *s = filled(false);
    struct blob *b = blob_new(STR("last"));

    (void)state;
    put(s, "one", "changed");
    assert_true(stands(s, "asset"));
    assert_int_not_equal(
        store_delete(s, STR(KIND), STR("ns/two"), STORE_ANY, b, NULL), 0);
    assert_false(stands(s, "asset"));
    blob_drop(b);
    store_close(s);
}

/* The note is as durable as the objects it speaks of, and no more. */
static void
test_a_note_lasts_with_its_commit(void **state)
{
    char folder[] = "/tmp/meshtop-brought.XXXXXX";
    AUTO(mem_free_ptr) char *path = NULL;
    struct store *s;

    (void)state;
    assert_non_null(mkdtemp(folder));
    path = file_join(folder, "s.db");
    s = store_open(path, NULL, NULL);
    put(s, "one", "1");
    put(s, "ns/two", "2");
    note(s, "asset", true);
    assert_true(store_dirty(s));
    store_rollback(s);
    assert_false(store_dirty(s));
    put(s, "one", "1");
    put(s, "ns/two", "2");
    assert_true(store_commit(s, NULL));
    assert_false(stands(s, "asset"));
    /* A note is a write of its own, too. */
    note(s, "asset", true);
    assert_true(store_dirty(s));
    assert_true(store_commit(s, NULL));
    note(s, "never committed", true);
    store_close(s);
    s = store_open(path, NULL, NULL);
    assert_non_null(s);
    assert_true(stands(s, "asset"));
    store_close(s);
    file_remove_tree(folder, NULL);
}

static void
test_damaged_notes_do_not_stand(void **state)
{
    static const char *const bad[] = {"%s\nx " KIND " one",
                                      "%s\n1",
                                      "%s\n99 " KIND " one",
                                      "%s\n0 " KIND " none",
                                      "%s ",
                                      "",
                                      "\n"};
    struct store *s = filled(true);
    AUTO(mem_free_ptr) char *hash = mem_strdup(store_note(s, "things"));

    (void)state;
    *strchr(hash, '\n') = '\0';
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char text[256];
        const char *hole = strstr(bad[i], "%s");

        snprintf(text, sizeof(text), "%s%s", hole ? hash : "",
                 hole ? hole + 2 : bad[i]);
        assert_true(store_set_note(s, "things", text, NULL));
        assert_false(stands(s, "asset"));
    }
    store_close(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_noted_stands),
        cmocka_unit_test(test_what_is_deleted_does_not),
        cmocka_unit_test(test_a_note_lasts_with_its_commit),
        cmocka_unit_test(test_damaged_notes_do_not_stand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
