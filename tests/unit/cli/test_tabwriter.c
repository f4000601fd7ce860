/* Expected texts: Go's text/tabwriter(6, 4, 3, ' ', 0). */
#include "cli/tabwriter.h"

#include "tests/unit/test.h"

static const struct row {
    const char *text, *aligned;
} rows[] = {
    {"", ""},
    {"one\n", "one\n"},
    {"a\tb\n", "a     b\n"},
    {"abcd\tb\n", "abcd   b\n"},
    {"a\tb\t\n", "a     b     \n"},
    {"no newline\tx", "no newline   x"},
    {"NAME\tREADY\nlonger name\tTrue\n",
     "NAME          READY\nlonger name   True\n"},
    /* a line without the cell ends the column */
    {"a\tb\nplain\nlong cell\tb\n", "a     b\nplain\nlong cell   b\n"},
    {"a\tb\tc\nd\te\nf\tggggggg\th\n",
     "a     b     c\nd     e\nf     ggggggg   h\n"},
    /* widths in code points, also of what is no UTF-8 */
    {"├─ ü\tx\nabcdefg\tx\n", "├─ ü      x\nabcdefg   x\n"},
    {"\t\tx\n", "            x\n"},
};

static void
columns_are_aligned_as_go_does(void **state UNUSED)
{
    const struct tabwriter w = {.min_width = 6, .padding = 3};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(buf_release) struct buf out = BUF_INIT(4096);

        assert_true(tabwriter_align(&w, str_of(rows[i].text), &out));
        assert_string_equal(buf_cstr(&out), rows[i].aligned);
    }
}

static void
a_full_buffer_is_said(void **state UNUSED)
{
    const struct tabwriter w = {.min_width = 6, .padding = 3};
    AUTO(buf_release) struct buf out = BUF_INIT(8);

    assert_false(tabwriter_align(&w, STR("a\tb\tc\td\n"), &out));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_aligned_as_go_does),
        cmocka_unit_test(a_full_buffer_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
