/* Names of composed resources; the hash vector was made by upstream's code. */
#include "lib/compose/names.h"

#include "tests/unit/test.h"

static const char uid[] = "75e4a668-035f-4ce8-8c45-f4d3ac850155";

static void
child_names_are_hashed_and_cut(void **state)
{
    static const struct {
        const char *prefix, *want;
    } cases[] = {
        {"x", "x-38ce86992a27"},
        {"x-", "x-38ce86992a27"},
        {"", "38ce86992a27"},
        /* 50 bytes and a dash still fit */
        {"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee",
         "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee-38ce86992a27"},
        {"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefff",
         "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee-38ce86992a27"},
        {"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee-ff",
         "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee-38ce86992a27"},
    };
    char out[NAME_CHILD_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        name_child(str_of(cases[i].prefix), str_of(uid), STR("database"), out);
        assert_string_equal(out, cases[i].want);
    }
}

static void
subdomains_are_checked(void **state)
{
    static const char *const good[] = {"a", "a-b.c", "0", "a.b.c-d"};
    static const char *const bad[] = {"",   "A",  "a_b",  "-a",  "a-",
                                      ".a", "a.", "a..b", "a b", "\xc3\xa9"};
    char longest[260];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(name_is_subdomain(str_of(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(name_is_subdomain(str_of(bad[i])));
    memset(longest, 'a', sizeof(longest));
    assert_true(name_is_subdomain(str_n(longest, 253)));
    assert_false(name_is_subdomain(str_n(longest, 254)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(child_names_are_hashed_and_cut),
        cmocka_unit_test(subdomains_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
