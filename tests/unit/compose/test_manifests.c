/* Rendered texts as objects: what a memo may not change. */
#include "lib/base/mem.h"

#include "lib/compose/manifests.h"

#include "tests/unit/test.h"

static const char text[] = "kind: A\nn: 1\n---\nkind: B\nlist: [1, {x: y}]\n";

static void
memo_answers_as_the_reader(void **state)
{
    AUTO(manifests_memo_release) struct manifests_memo memo = {0};
    struct manifests plain, first, again;
    struct error err;

    (void)state;
    assert_true(manifests_read(str_of(text), NULL, &plain, &err));
    assert_true(manifests_read(str_of(text), &memo, &first, &err));
    assert_int_equal(first.n, 2);
    /* What the caller does to its trees is not remembered. */
    json_set_string(first.v[0], "n", "spoilt");
    manifests_release(&first);
    assert_true(manifests_read(str_of(text), &memo, &again, &err));
    assert_int_equal(map_count(&memo.recent), 2);
    assert_int_equal(again.n, plain.n);
    for (size_t i = 0; i < plain.n; i++)
        assert_true(json_equal(plain.v[i], again.v[i]));
    manifests_release(&again);
    manifests_release(&plain);
}

/* The place in an error counts documents that were not read again. */
static void
memo_keeps_errors(void **state)
{
    AUTO(manifests_memo_release) struct manifests_memo memo = {0};
    AUTO(mem_free_ptr) char *bad = mem_printf("%s---\nkind: [\n", text);
    struct manifests m;
    struct error plain, err;

    (void)state;
    assert_true(manifests_read(str_of(text), &memo, &m, &err));
    manifests_release(&m);
    assert_false(manifests_read(str_of(bad), NULL, &m, &plain));
    for (int i = 0; i < 2; i++) {
        assert_false(manifests_read(str_of(bad), &memo, &m, &err));
        assert_string_equal(err.msg, plain.msg);
    }
    assert_false(manifests_read(STR("a: 1\n"), &memo, &m, &plain));
    assert_false(manifests_read(STR("a: 1\n"), &memo, &m, &err));
    assert_string_equal(err.msg, plain.msg);
}

static void
memo_forgets(void **state)
{
    AUTO(manifests_memo_release) struct manifests_memo memo = {0};
    struct error err;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        AUTO(mem_free_ptr) char *doc = mem_printf("kind: A\nn: '%01000d'", i);
        struct manifests m;

        /* The one that is asked for all the time stays. */
        assert_true(manifests_read(str_of(text), &memo, &m, &err));
        manifests_release(&m);
        assert_true(manifests_read(str_of(doc), &memo, &m, &err));
        manifests_release(&m);
    }
    assert_true(map_count(&memo.recent) + map_count(&memo.older) < 600);
    assert_true(map_has(&memo.recent, STR("kind: A\nn: 1\n")) ||
                map_has(&memo.older, STR("kind: A\nn: 1\n")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memo_answers_as_the_reader),
        cmocka_unit_test(memo_keeps_errors),
        cmocka_unit_test(memo_forgets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
