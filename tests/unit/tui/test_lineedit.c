#include "tui/key.h"
#include "tui/lineedit.h"

#include "tests/unit/test.h"

static void
edits(void **state)
{
    struct lineedit e;

    (void)state;
    lineedit_init(&e, 16);
    lineedit_paste(&e, STR("ab\xc3\xa9 cd\n\033x"));
    assert_string_equal(buf_cstr(&e.text), "ab\xc3\xa9 cd x");
    lineedit_key(&e, K_HOME);
    lineedit_key(&e, K_RIGHT);
    lineedit_key(&e, K_RIGHT);
    lineedit_key(&e, K_DELETE); /* the two bytes of one character */
    assert_string_equal(buf_cstr(&e.text), "ab cd x");
    lineedit_key(&e, 'Z');
    assert_string_equal(buf_cstr(&e.text), "abZ cd x");
    lineedit_key(&e, K_END);
    lineedit_key(&e, K_CTRL | 'w');
    lineedit_key(&e, K_BACKSPACE);
    assert_string_equal(buf_cstr(&e.text), "abZ cd");
    lineedit_key(&e, K_CTRL | 'u');
    assert_string_equal(buf_cstr(&e.text), "");
    assert_false(lineedit_key(&e, K_UP));
    assert_false(lineedit_key(&e, K_CTRL | 'k'));
    for (int i = 0; i < 40; i++)
        lineedit_key(&e, 'x');
    assert_int_equal(e.text.n, 16);
    lineedit_release(&e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(edits)};

    return cmocka_run_group_tests_name("tui/lineedit", tests, NULL, NULL);
}
