#include "tui/canvas.h"

#include "tests/unit/test.h"

static const char *
shown(const struct canvas *c, struct buf *b)
{
    buf_reset(b);
    canvas_text(c, b);
    return buf_cstr(b);
}

static void
puts_and_clips(void **state)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);
    struct canvas c;

    (void)state;
    canvas_init(&c, 8, 2, false);
    assert_int_equal(canvas_puts(&c, 5, 0, 10, ST_TEXT, "abcdef"), 6);
    assert_int_equal(canvas_puts(&c, 0, 1, 3, ST_OK, "xyzzy"), 3);
    canvas_puts(&c, 0, 7, 3, ST_OK, "below");
    canvas_puts(&c, -2, 0, 9, ST_OK, "12345");
    assert_string_equal(shown(&c, &b), "345  abc\nxyz\n");
    assert_int_equal(c.cells[8].style, ST_OK);
    canvas_release(&c);
}

/* Whatever a cluster sends: no control character becomes a cell. */
static void
hostile_bytes(void **state)
{
    static const char *const bad[] = {"\033[2J",
                                      "\x9b"
                                      "31m",
                                      "\xc2\x9b"
                                      "31m",
                                      "a\rb",
                                      "\xe2\x80\xae"
                                      "evil",
                                      "\xe2\x81\xa6x",
                                      "\x07\x08\x7f",
                                      "\xff\xfe\xc0\x80",
                                      "\xf0\x9f"};
    struct canvas c;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        canvas_init(&c, 20, 1, false);
        canvas_puts(&c, 0, 0, 20, ST_TEXT, bad[i]);
        for (int x = 0; x < 20; x++) {
            uint32_t cp = c.cells[x].cp;

            assert_true(cp >= 0x20 && cp != 0x7f && !(cp >= 0x80 && cp < 0xa0));
            assert_true(cp < 0x202a || cp > 0x202e);
            assert_true(cp < 0x2066 || cp > 0x2069);
        }
        canvas_release(&c);
    }
}

static void
wide_characters(void **state)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);
    struct canvas c;

    (void)state;
    canvas_init(&c, 5, 1, false);
    /* Three wide ones need six columns: the third does not fit in half. */
    assert_int_equal(canvas_puts(&c, 0, 0, 5, ST_TEXT,
                                 "\xe6\xbc\xa2\xe5\xad"
                                 "\x97\xe6\xbc\xa2"),
                     4);
    assert_string_equal(shown(&c, &b), "\xe6\xbc\xa2\xe5\xad\x97\n");
    /* Writing over half of one leaves no half behind. */
    canvas_puts(&c, 1, 0, 1, ST_TEXT, "x");
    assert_string_equal(shown(&c, &b), " x\xe5\xad\x97\n");
    canvas_puts(&c, 2, 0, 1, ST_TEXT, "y");
    assert_string_equal(shown(&c, &b), " xy\n");
    /* At the edge of the screen a space stands for it. */
    canvas_clear(&c);
    canvas_puts(&c, 4, 0, 5, ST_TEXT, "\xe6\xbc\xa2");
    assert_string_equal(shown(&c, &b), "\n");
    /* A combining mark joins the character before it. */
    canvas_puts(&c, 0, 0, 5, ST_TEXT, "e\xcc\x81x");
    assert_string_equal(shown(&c, &b), "e\xcc\x81x\n");
    /* One that would make it wider in some terminals does not. */
    canvas_puts(&c, 0, 0, 5, ST_TEXT, "\xf0\x9f\x96\xbc\xef\xb8\x8fx");
    assert_string_equal(shown(&c, &b), "\xf0\x9f\x96\xbcx\n");
    canvas_release(&c);
}

static void
cuts(void **state)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);
    struct canvas c;

    (void)state;
    canvas_init(&c, 12, 3, false);
    canvas_cut(&c, 0, 0, 6, ST_TEXT, STR("customer-360"));
    canvas_cut_middle(&c, 0, 1, 9, ST_TEXT, STR("customer-360-x7f"));
    canvas_right(&c, 0, 2, 12, ST_TEXT, STR("3/6"));
    assert_string_equal(shown(&c, &b), "custo\xe2\x80\xa6\n"
                                       "cust\xe2\x80\xa6-x7f\n"
                                       "         3/6\n");
    canvas_release(&c);
}

static void
ascii_only(void **state)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);
    struct canvas c;

    (void)state;
    canvas_init(&c, 10, 3, true);
    canvas_box(&c, (struct rect){0, 0, 10, 3}, ST_BORDER, STR("T"));
    canvas_puts(&c, 1, 1, 8, ST_TEXT, "\xc3\xa9\xe6\xbc\xa2 ok");
    shown(&c, &b);
    for (size_t i = 0; i < b.n; i++)
        assert_true((unsigned char)b.s[i] < 0x80);
    canvas_release(&c);
}

static void
wraps(void **state)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);
    struct canvas c;

    (void)state;
    canvas_init(&c, 8, 4, false);
    assert_int_equal(canvas_wrap(&c, (struct rect){0, 0, 8, 4}, ST_TEXT,
                                 STR("one two threefour five")),
                     3);
    assert_string_equal(shown(&c, &b), "one two\nthreefou\nr five\n\n");
    canvas_release(&c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_and_clips),  cmocka_unit_test(hostile_bytes),
        cmocka_unit_test(wide_characters), cmocka_unit_test(cuts),
        cmocka_unit_test(ascii_only),      cmocka_unit_test(wraps)};

    return cmocka_run_group_tests_name("tui/canvas", tests, NULL, NULL);
}
