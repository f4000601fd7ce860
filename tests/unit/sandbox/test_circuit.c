/* crossplane 2.3.4 internal/circuit/token_bucket_test.go, in its numbers. */
#include "devenv/sandbox/circuit.h"

#include "tests/unit/test.h"

/* How many of n events of source pass. */
static int
passes(struct circuit **c, int64_t now_ms, const char *source, int n)
{
    int passed = 0;

    for (int i = 0; i < n; i++)
        passed += circuit_pass(c, now_ms, source, 1);
    return passed;
}

static void
a_burst_opens_it(void **state)
{
    struct circuit *c = NULL;

    (void)state;
    assert_null(circuit_open_by(c));
    assert_int_equal(passes(&c, 0, "ConfigMap/quiet (ns)", 100), 100);
    assert_null(circuit_open_by(c));
    assert_int_equal(passes(&c, 0, "ConfigMap/loud (ns)", 1), 1);
    assert_string_equal(circuit_open_by(c), "ConfigMap/quiet (ns)");
    assert_int_equal(passes(&c, 30000, "a", 5), 0);
    assert_int_equal(passes(&c, 30001, "a", 5), 1);
    assert_int_equal(passes(&c, 60001, "a", 5), 0);
    assert_int_equal(passes(&c, 60002, "a", 5), 1);
    circuit_free(c);
}

static void
it_closes_after_five_minutes(void **state)
{
    struct circuit *c = NULL;

    (void)state;
    passes(&c, 0, "a", 101);
    passes(&c, 299999, "a", 1);
    assert_non_null(circuit_open_by(c));
    passes(&c, 300000, "b", 1);
    passes(&c, 330000, "b", 1);
    assert_null(circuit_open_by(c));
    assert_int_equal(passes(&c, 330000, "b", 50), 50);
    circuit_free(c);
}

static void
tokens_come_back_and_updates_take_two(void **state)
{
    struct circuit *c = NULL;

    (void)state;
    for (int i = 0; i < 50; i++)
        assert_true(circuit_pass(&c, 0, "a", 2));
    assert_null(circuit_open_by(c));
    assert_true(circuit_pass(&c, 1000, "a", 1));
    assert_null(circuit_open_by(c));
    /* The first look of an update takes the token, the second opens it. */
    assert_true(circuit_pass(&c, 2000, "a", 2));
    assert_string_equal(circuit_open_by(c), "a");
    circuit_free(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_opens_it),
        cmocka_unit_test(it_closes_after_five_minutes),
        cmocka_unit_test(tokens_come_back_and_updates_take_two),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
