/* str, buf, arena, map, error: the ground everything stands on. */
#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/map.h"

#include "tests/unit/test.h"

static void
str_cuts_and_compares(void **state)
{
    struct str head, tail, rest = STR("a,,b");
    size_t n = 0;

    (void)state;
    assert_true(str_cut(STR("k=v=w"), '=', &head, &tail));
    assert_true(str_eqz(head, "k") && str_eqz(tail, "v=w"));
    assert_false(str_cut(STR("k"), '=', &head, &tail));
    assert_true(str_eqz(head, "k") && tail.n == 0);
    while (str_next(&rest, ',', &head))
        n++;
    assert_int_equal(n, 3);
    assert_true(str_cmp(STR("ab"), STR("abc")) < 0);
    assert_true(str_cmp(STR("b"), STR("abc")) > 0);
    assert_true(str_ends(STR("x.yaml"), STR(".yaml")));
    assert_false(str_ends(STR("l"), STR(".yaml")));
    assert_int_equal(str_find(STR("hello"), STR("l"), 3), 3);
    assert_true(str_find(STR("hello"), STR("z"), 0) == SIZE_MAX);
    assert_true(str_eqz(str_trim(STR(" \t x y\n")), "x y"));
}

static void
numbers_are_exact_or_refused(void **state)
{
    int64_t i = 7;
    uint64_t u = 7;
    double d;

    (void)state;
    assert_true(str_to_i64(STR("-9223372036854775808"), &i));
    assert_true(i == INT64_MIN);
    assert_true(str_to_i64(STR("9223372036854775807"), &i));
    assert_true(i == INT64_MAX);
    assert_false(str_to_i64(STR("9223372036854775808"), &i));
    assert_false(str_to_i64(STR(""), &i));
    assert_false(str_to_i64(STR("-"), &i));
    assert_false(str_to_i64(STR("1 "), &i));
    assert_true(i == INT64_MAX);
    assert_true(str_to_u64(STR("18446744073709551615"), &u));
    assert_false(str_to_u64(STR("18446744073709551616"), &u));
    assert_false(str_to_u64(STR("-1"), &u));
    assert_true(str_to_double(STR("1.5e3"), &d) && d == 1500);
    assert_false(str_to_double(STR("1.5x"), &d));
}

static void
buf_stops_at_its_maximum(void **state)
{
    struct buf b = BUF_INIT(8);

    (void)state;
    assert_string_equal(buf_cstr(&b), "");
    assert_true(buf_puts(&b, "12345"));
    assert_false(buf_puts(&b, "6789"));
    assert_true(b.over);
    assert_false(buf_putc(&b, 'x'));
    assert_string_equal(buf_cstr(&b), "12345");
    buf_reset(&b);
    assert_true(buf_printf(&b, "%08d", 42));
    assert_string_equal(buf_cstr(&b), "00000042");
    buf_consume(&b, 6);
    assert_string_equal(buf_cstr(&b), "42");
    buf_release(&b);
    buf_release(&b);
}

static void
arena_pieces_are_zeroed_and_stay(void **state)
{
    struct arena *a = arena_new();

    (void)state;
    char *first = arena_strdup(a, "first");

    for (int i = 0; i < 1000; i++) {
        char *p = arena_alloc(a, 100);

        for (int k = 0; k < 100; k++)
            assert_int_equal(p[k], 0);
        memset(p, 0xff, 100);
    }
    assert_non_null(arena_alloc(a, 1 << 20));
    assert_string_equal(first, "first");
    arena_reset(a);
    assert_int_equal(*(char *)arena_alloc(a, 1), 0);
    arena_free(a);
    arena_free(NULL);
}

static void
map_keeps_order_and_survives_churn(void **state)
{
    struct map m = {0};
    char key[32];
    int values[5000];

    (void)state;
    for (int i = 0; i < 5000; i++) {
        int n = snprintf(key, sizeof(key), "key-%d", i);

        values[i] = i;
        assert_null(map_put(&m, str_n(key, (size_t)n), &values[i]));
    }
    for (int i = 0; i < 5000; i += 2) {
        int n = snprintf(key, sizeof(key), "key-%d", i);

        assert_ptr_equal(map_del(&m, str_n(key, (size_t)n)), &values[i]);
    }
    assert_int_equal(map_count(&m), 2500);
    int want = 1;

    for (struct map_entry *e = map_first(&m); e; e = map_next(&m, e)) {
        assert_int_equal(*(int *)e->value, want);
        want += 2;
    }
    assert_false(map_has(&m, STR("key-0")));
    assert_ptr_equal(map_put(&m, STR("key-1"), &values[0]), &values[1]);
    assert_ptr_equal(map_get(&m, STR("key-1")), &values[0]);
    map_release(&m, NULL);
    assert_null(map_first(&m));
}

static void
errors_wrap_and_keep_their_code(void **state)
{
    struct error err = {0};

    (void)state;
    assert_false(error_set(&err, ERR_IO, "cannot read %s", "x"));
    error_wrap(&err, "loading");
    assert_string_equal(err.msg, "loading: cannot read x");
    assert_int_equal(err.code, ERR_IO);
    error_set(&err, ERR_PARSE, "again: %s", err.msg);
    assert_string_equal(err.msg, "again: loading: cannot read x");
    assert_false(error_set(NULL, ERR_IO, "nobody listens"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(str_cuts_and_compares),
        cmocka_unit_test(numbers_are_exact_or_refused),
        cmocka_unit_test(buf_stops_at_its_maximum),
        cmocka_unit_test(arena_pieces_are_zeroed_and_stay),
        cmocka_unit_test(map_keeps_order_and_survives_churn),
        cmocka_unit_test(errors_wrap_and_keep_their_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
