#include "tui/action.h"
#include "tui/key.h"

#include "tests/unit/test.h"

/* Every key of the table is a key, and within a context has one meaning. */
static void
no_clash(void **state)
{
    (void)state;
    for (size_t i = 0; i < action_count(); i++) {
        struct str rest = str_of(action_table[i].keys), word;

        while (str_next(&rest, ' ', &word)) {
            unsigned key = key_parse(word);

            assert_int_not_equal(key, K_NONE);
            for (unsigned bit = 1; bit <= CTX_STEPS; bit <<= 1) {
                if (action_table[i].contexts & bit)
                    assert_int_equal(action_of(key, bit), action_table[i].id);
            }
        }
    }
}

/* ^K and ^A stay free, and nothing that is final sits on one chord. */
static void
safe_keys(void **state)
{
    (void)state;
    for (unsigned bit = 1; bit <= CTX_STEPS; bit <<= 1) {
        assert_int_equal(action_of(K_CTRL | 'k', bit), ACT_NONE);
        assert_int_equal(action_of(K_CTRL | 'a', bit), ACT_NONE);
    }
    assert_int_equal(action_of(K_CTRL | 'd', CTX_OBJECT), ACT_DELETE);
    assert_int_equal(action_of(K_F1 + 7, CTX_LIST), ACT_NONE);
    assert_int_equal(action_of(K_F1 + 7, CTX_DELETE), ACT_DO_DELETE);
    assert_int_equal(action_of(K_ENTER, CTX_DELETE), ACT_NONE);
}

static void
key_words(void **state)
{
    static const char *const words[] = {"j",  "G",       "?",     "space",
                                        "f8", "ctrl-d",  "alt-x", "shift-tab",
                                        "up", "\xc3\xa9"};
    char out[KEY_WORD_LEN];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        assert_string_equal(key_word(key_parse(str_of(words[i])), out),
                            words[i]);
    assert_int_equal(key_parse(STR("nonsense")), K_NONE);
    assert_int_equal(key_parse(STR("")), K_NONE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_clash),
                                       cmocka_unit_test(safe_keys),
                                       cmocka_unit_test(key_words)};

    return cmocka_run_group_tests_name("tui/action", tests, NULL, NULL);
}
