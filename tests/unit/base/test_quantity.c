/* Kubernetes quantities; values and texts are what resource.Quantity 0.34
 * gave. */
#include <math.h>

#include "lib/base/json.h"
#include "lib/base/quantity.h"

#include "tests/unit/test.h"

static void
print_double(double d, struct buf *out)
{
    if (isfinite(d))
        json_print_float(d, false, out);
    else
        buf_puts(out, d > 0 ? "+Inf" : "-Inf");
}

static void
values_and_texts(void **state)
{
    static const struct {
        const char *in, *value, *text;
    } cases[] = {
        {"0", "0", "0"},
        {"1", "1", "1"},
        {"+1", "1", "+1"},
        {"-1", "-1", "-1"},
        {"100m", "0.1", "100m"},
        {"1.5Gi", "1.610612736e+09", "1536Mi"},
        {"1Gi", "1.073741824e+09", "1Gi"},
        {"1024", "1024", "1024"},
        {"1024Ki", "1.048576e+06", "1Mi"},
        {"1025Ki", "1.0496e+06", "1025Ki"},
        {"1536Mi", "1.610612736e+09", "1536Mi"},
        {"1e3", "1000", "1e3"},
        {"1E3", "1000", "1E3"},
        {"12e6", "1.2e+07", "12e6"},
        {"1e-3", "0.001", "1e-3"},
        {"1E", "1e+18", "1E"},
        {"1000E", "1e+21", "1"},
        {"0.5", "0.5", "500m"},
        {".5", "0.5", "500m"},
        {"5.", "5", "5."},
        {".", "0", "0"},
        {"+", "0", "0"},
        {"1.500", "1.5", "1.500"},
        {"1500", "1500", "1500"},
        {"1500k", "1.5e+06", "1500k"},
        {"0.1Ki", "102.4", "102400m"},
        {"0.0001Ki", "0.1024", "102400u"},
        {"1Pi", "1.125899906842624e+15", "1Pi"},
        {"7Ei", "8.070450532247929e+18", "7Ei"},
        {"8Ei", "9.223372036854776e+18", "9223372036854775807"},
        {"8Ki", "8192", "8Ki"},
        {"-8Ki", "-8192", "-8Ki"},
        {"-2Ki", "-2048", "-2Ki"},
        {"1n", "1e-09", "1n"},
        {"0.1n", "1e-09", "1n"},
        {"1.0000000001", "1.000000001", "1000000001n"},
        {"123456789012345678", "1.2345678901234568e+17", "123456789012345678"},
        {"1234567890123456789", "1.234567890123457e+18", "1234567890123456789"},
        {"12345678901234567890m", "1.234567890123457e+16",
         "12345678901234567890m"},
        {"1.1e100", "1.1e+100", "1.1e100"},
        {"1e400", "+Inf", "10e399"},
        {"0e9", "0", "0"},
        {"007", "7", "007"},
        {"-0", "0", "0"},
        {"1023", "1023", "1023"},
        {"-1023Mi", "-1.072693248e+09", "-1023Mi"},
        {"0.3", "0.30000000000000004", "300m"},
        {"1u", "1e-06", "1u"},
        {"33.33u", "3.333e-05", "33330n"},
        {"1e21", "1e+21", "1e21"},
        {"9223372036854775807Ki", "9.223372036854776e+18",
         "9223372036854775807"},
        {"e3", "0", "0"},
        {"Ki", "0", "0"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_release) struct buf value = BUF_INIT(1000);
        AUTO(buf_release) struct buf text = BUF_INIT(1000);
        struct quantity q;
        struct error err;

        if (!quantity_parse(str_of(cases[i].in), &q, &err))
            fail_msg("%s: %s", cases[i].in, err.msg);
        print_double(quantity_double(&q), &value);
        quantity_print(&q, &text);
        assert_string_equal(buf_cstr(&value), cases[i].value);
        assert_string_equal(buf_cstr(&text), cases[i].text);
    }
}

static void
integers_round_away_from_zero(void **state)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        {"1", "1"},
        {"0.1", "1"},
        {"-0.1", "-1"},
        {"1.5Gi", "1610612736"},
        {"1500m", "2"},
        {"-1500m", "-2"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"9223372036854775808", NULL},
        {"10E", NULL},
        {"1e2147483647", NULL},
        {"1e-9", "1"},
        {"0", "0"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct quantity q;
        char text[30];
        int64_t v = 0;

        assert_true(quantity_parse(str_of(cases[i].in), &q, NULL));
        assert_int_equal(quantity_int64(&q, &v), cases[i].want != NULL);
        snprintf(text, sizeof(text), "%lld", (long long)v);
        assert_string_equal(text, cases[i].want ? cases[i].want : "0");
    }
}

#define FORM                                                                   \
    "quantities must match the regular expression "                            \
    "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
#define SUFFIX  "unable to parse quantity's suffix"
#define NUMERIC "unable to parse numeric part of quantity"

static void
what_is_no_quantity(void **state)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        {"", FORM},      {"a", FORM},      {"1 ", FORM},     {" 1", FORM},
        {"--1", SUFFIX}, {"1..2", FORM},   {"1.2.3", FORM},  {"1Kii", SUFFIX},
        {"1ki", SUFFIX}, {"1K", SUFFIX},   {"1.5e", SUFFIX}, {"1e+", SUFFIX},
        {"0x10", FORM},  {"Ei", NUMERIC},  {".Pi", NUMERIC}, {"1,5", FORM},
        {"1e1.5", FORM}, {"1Mim", SUFFIX},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct quantity q;
        struct error err = {0};

        assert_false(quantity_parse(str_of(cases[i].in), &q, &err));
        assert_string_equal(err.msg, cases[i].want);
    }
}

static void
length_is_capped(void **state)
{
    char text[QUANTITY_TEXT_MAX + 2];
    struct quantity q;
    struct error err = {0};

    (void)state;
    memset(text, '9', sizeof(text));
    assert_true(quantity_parse(str_n(text, QUANTITY_TEXT_MAX), &q, &err));
    assert_false(quantity_parse(str_n(text, QUANTITY_TEXT_MAX + 1), &q, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_false(quantity_parse(STR("1234567890123456789e999"), &q, &err));
    assert_int_equal(err.code, ERR_LIMIT);
}

/* Compared and added as resource.Quantity does. */
static void
two_of_them(UNUSED void **state)
{
    static const struct {
        const char *a, *b;
        int order;
        const char *sum, *difference;
    } cases[] = {
        {"1", "1", 0, "2", "0"},
        {"1", "1000m", 0, "2", "0"},
        {"1Ki", "1k", 1, "2024", "24"},
        {"-1", "1", -1, "0", "-2"},
        {"0", "1Ki", -1, "1Ki", "-1Ki"},
        {"1Gi", "1Mi", 1, "1025Mi", "1023Mi"},
        {"100m", "1e3", -1, "1000100m", "-999900m"},
        {"-5", "-7", 1, "-12", "2"},
        {"999", "1", 1, "1k", "998"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct quantity a, b, c;
        AUTO(buf_release) struct buf sum = BUF_INIT(1000);
        AUTO(buf_release) struct buf difference = BUF_INIT(1000);

        assert_true(quantity_parse(str_of(cases[i].a), &a, NULL));
        assert_true(quantity_parse(str_of(cases[i].b), &b, NULL));
        assert_int_equal(quantity_compare(&a, &b), cases[i].order);
        assert_int_equal(quantity_compare(&b, &a), -cases[i].order);
        assert_true(quantity_add(&a, &b, false, &c));
        quantity_print(&c, &sum);
        assert_string_equal(buf_cstr(&sum), cases[i].sum);
        assert_true(quantity_add(&a, &b, true, &c));
        quantity_print(&c, &difference);
        assert_string_equal(buf_cstr(&difference), cases[i].difference);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_texts),
        cmocka_unit_test(two_of_them),
        cmocka_unit_test(integers_round_away_from_zero),
        cmocka_unit_test(what_is_no_quantity),
        cmocka_unit_test(length_is_capped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
