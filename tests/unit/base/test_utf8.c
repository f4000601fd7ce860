/* Decoding what peers send, and columns as terminals count them. */
#include "lib/base/utf8.h"

#include "tests/unit/test.h"

static void
malformed_bytes_become_replacements_one_by_one(void **state)
{
    static const struct {
        const char *bytes;
        size_t characters;
    } rows[] = {
        {"\x80", 1},             /* continuation alone */
        {"\xc3", 1},             /* cut short */
        {"\xe2\x82", 2},         /* cut short */
        {"\xc0\xaf", 2},         /* overlong slash */
        {"\xc1\xbf", 2},         /* overlong */
        {"\xe0\x80\xaf", 3},     /* overlong */
        {"\xf0\x80\x80\xaf", 4}, /* overlong */
        {"\xed\xa0\x80", 3},     /* surrogate */
        {"\xf4\x90\x80\x80", 4}, /* past U+10FFFF */
        {"\xf8\x88\x80\x80\x80", 5},
        {"\xff", 1},
        {"\xc3(", 2},
    };
    uint32_t cp;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str s = str_of(rows[i].bytes);

        assert_false(utf8_valid(s));
        assert_int_equal(utf8_count(s), rows[i].characters);
        assert_int_equal(utf8_decode(s, &cp), 1);
        assert_int_equal(cp, UTF8_REPLACEMENT);
    }
    assert_true(utf8_valid(STR("")));
    assert_true(utf8_valid(STR("a\xef\xbf\xbd")));
}

static void
every_character_survives_the_round_trip(void **state)
{
    char out[4];
    uint32_t back;

    (void)state;
    for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
        bool surrogate = cp >= 0xd800 && cp < 0xe000;
        size_t n = utf8_encode(cp, out);

        assert_int_equal(utf8_decode(str_n(out, n), &back), n);
        assert_int_equal(back, surrogate ? UTF8_REPLACEMENT : cp);
    }
    assert_int_equal(utf8_encode(0x110000, out), 3);
}

static void
columns_are_those_of_a_terminal(void **state)
{
    static const struct {
        const char *text;
        size_t columns;
    } rows[] = {
        {"", 0},
        {"plain", 5},
        {"Größe", 5},
        {"e\xcc\x81", 1},                        /* combining acute */
        {"日本語", 6},                           /* wide */
        {"ﾊﾝｶｸ", 4},                             /* halfwidth */
        {"Ｆ", 2},                               /* fullwidth */
        {"한", 2},                               /* a syllable */
        {"\xe1\x84\x92\xe1\x85\xa1", 2},         /* the same from jamo */
        {"✓", 1},                                /* ambiguous: narrow */
        {"✅", 2},                                /* emoji */
        {"🚀", 2},                                /* emoji */
        {"a\xe2\x80\x8b", 1},                    /* zero width space */
        {"\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa", 2}, /* flag of two letters */
        {"\x1b[1m", 3},                          /* the control itself is 0 */
        {"\xff", 1},                             /* shown as U+FFFD */
        {"─│┌", 3},                              /* box drawing */
        {"\xf0\xa0\x80\x80", 2},                 /* plane 2 */
        {"\xf4\x8f\xbf\xbf", 1},                 /* the last one */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (utf8_columns(str_of(rows[i].text)) != rows[i].columns)
            fail_msg("row %zu", i);
    }
    assert_int_equal(utf8_width(0xad), 1);
    assert_int_equal(utf8_width(0x300), 0);
    assert_int_equal(utf8_width(0x36f), 0);
    assert_int_equal(utf8_width(0x370), 1);
    assert_int_equal(utf8_width(0x10ff), 1);
    assert_int_equal(utf8_width(0x1100), 2);
}

static void
what_steers_a_terminal_is_unsafe(void **state)
{
    static const uint32_t unsafe[] = {
        0,      0x07,   0x0a,   0x1b,   0x7f,   0x80,   0x9b,   0x9f,  0x61c,
        0x200e, 0x200f, 0x2028, 0x202a, 0x202e, 0x2066, 0x2069, 0xfeff};
    static const uint32_t fine[] = {' ',    '~',    0xa0,    0xe9,  0x200d,
                                    0x2010, 0x2065, 0x1f680, 0xfffd};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(unsafe); i++)
        assert_true(utf8_unsafe(unsafe[i]));
    for (size_t i = 0; i < ARRAY_LEN(fine); i++)
        assert_false(utf8_unsafe(fine[i]));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_bytes_become_replacements_one_by_one),
        cmocka_unit_test(every_character_survives_the_round_trip),
        cmocka_unit_test(columns_are_those_of_a_terminal),
        cmocka_unit_test(what_steers_a_terminal_is_unsafe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
