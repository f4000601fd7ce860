/* Times in Kubernetes' words. */
#include "lib/base/clock.h"

#include "tests/unit/test.h"

/* apimachinery util/duration: the edges of every step. */
static void
ages_read_as_in_kubectl(void **state)
{
    enum { M = 60, H = 3600, D = 86400, Y = 365 * 86400 };
    static const struct {
        int64_t seconds;
        const char *want;
    } rows[] = {
        {-2, "<invalid>"},
        {-1, "0s"},
        {0, "0s"},
        {119, "119s"},
        {2 * M, "2m"},
        {2 * M + 5, "2m5s"},
        {10 * M - 1, "9m59s"},
        {10 * M + 5, "10m"},
        {3 * H - 1, "179m"},
        {3 * H, "3h"},
        {3 * H + 7 * M + 59, "3h7m"},
        {8 * H - 1, "7h59m"},
        {8 * H + 59 * M, "8h"},
        {48 * H - 1, "47h"},
        {2 * D, "2d"},
        {7 * D + 2 * H + 59 * M, "7d2h"},
        {8 * D + 23 * H, "8d"},
        {2 * Y - 1, "729d"},
        {2 * Y, "2y"},
        {2 * Y + 35 * D, "2y35d"},
        {8 * Y - 1, "7y364d"},
        {8 * Y + 35 * D, "8y"},
        {300LL * Y, "300y"},
        {INT64_MAX, "292471208677y"},
    };
    char got[CLOCK_HUMAN_LEN];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        clock_human(rows[i].seconds, got);
        assert_string_equal(got, rows[i].want);
    }
}

static void
stamps_are_read_and_written(void **state)
{
    static const struct {
        const char *text;
        int64_t want;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-21T04:42:05Z", 1795236125},
        {"2026-11-21T04:42:05.123456Z", 1795236125},
        {"2026-11-21T05:42:05+01:00", 1795236125},
        {"2024-02-29T23:59:59Z", 1709251199},
        {"0001-01-01T00:00:00Z", -62135596800},
    };
    static const char *const bad[] = {
        "",
        "2026",
        "2026-11-21",
        "2026-11-21 04:42:05Z",
        "2026-11-21T04:42:05",
        "2026-11-21T04:42:05z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-11-00T00:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T04:60:00Z",
        "2026-11-21T04:42:05.Z",
        "2026-11-21T04:42:05Zx",
        "2026-11-21T04:42:05+1:00",
        "2026-11-21T04:42:05+24:00",
        "+026-11-21T04:42:05Z",
    };
    char text[CLOCK_RFC3339_LEN];
    int64_t got = 42;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(clock_parse(str_of(good[i].text), &got));
        assert_int_equal(got, good[i].want);
    }
    got = 42;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(clock_parse(str_of(bad[i]), &got));
    assert_int_equal(got, 42);
    clock_format(1795236125, text);
    assert_string_equal(text, "2026-11-21T04:42:05Z");
    clock_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59Z");
    clock_format(INT64_MIN, text);
    assert_string_equal(text, "0000-01-01T00:00:00Z");
}

static void
a_fake_clock_stands_until_moved(void **state)
{
    struct clock c;

    (void)state;
    clock_fake(&c, 1000);
    assert_int_equal(clock_wall_ms(&c), 1000);
    int64_t mono = clock_mono_ms(&c);

    clock_advance(&c, 250);
    assert_int_equal(clock_wall_ms(&c), 1250);
    assert_int_equal(clock_mono_ms(&c), mono + 250);
    assert_true(clock_wall_ms(clock_system()) > 1600000000000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ages_read_as_in_kubectl),
        cmocka_unit_test(stamps_are_read_and_written),
        cmocka_unit_test(a_fake_clock_stands_until_moved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
