#include "lib/base/mem.h"
#include "lib/base/random.h"
#include "lib/base/yaml_plain.h"

#include "tests/unit/test.h"

static const struct yaml_options usual = {.max_bytes = 1 << 20,
                                          .max_depth = 100,
                                          .max_nodes = 100000,
                                          .max_documents = 100};

/* Reads text by the quick way alone. */
static bool
quick(const char *text, struct yaml_docs *out)
{
    return yaml_plain(str_of(text), &usual, out);
}

/* Whoever asks for places is served by libyaml. */
static bool
slow(const char *text, struct yaml_docs *out)
{
    struct json_places places = {0};
    struct yaml_options o = usual;
    struct error err = {0};

    o.places = &places;
    bool ok = yaml_parse(str_of(text), &o, out, &err);

    json_places_release(&places);
    return ok;
}

/* What the quick way reads is what libyaml reads; true when it reads it. */
static bool
check_same(const char *text)
{
    AUTO(yaml_docs_release) struct yaml_docs a = {0}, b = {0};

    if (!quick(text, &a))
        return false;
    if (!slow(text, &b))
        fail_msg("libyaml refuses:\n%s", text);
    if (a.n != b.n)
        fail_msg("%zu documents, not %zu:\n%s", a.n, b.n, text);
    for (size_t i = 0; i < a.n; i++) {
        AUTO(mem_free_ptr) char *x = json_text(a.v[i].value, JSON_COMPACT);
        AUTO(mem_free_ptr) char *y = json_text(b.v[i].value, JSON_COMPACT);

        if (strcmp(x, y) != 0 || a.v[i].line != b.v[i].line)
            fail_msg("line %u %s\nnot line %u %s\n%s", a.v[i].line, x,
                     b.v[i].line, y, text);
    }
    return true;
}

static void
test_read(UNUSED void **state)
{
    static const char *const texts[] = {
        "a: 1\n",
        "---\na: b c\n---\n# note\n\nb: -1\nc: 1.50\nd: yes\ne: 0777\n",
        "g: 2024-01-01\nh: 1_000\ni: http://x/y:80\n",
        "a:\n- 1\n- b: 2\n  c:\n  - d\n  e: |\n    x\n     y\n\n    z\n\n"
        "- \"q # r\"\n- 'it: is'\nf: []\ng: {}\nh:\ni:\n  j: k\n",
        "a: |-\n\n  x\n   \n\n# end\nb: |\n y\n",
        "-\n  a: b\n-\n- c\n",
        "a/b.c_d-e: x#y\n",
        "\n# nothing\n",
        "a: [{\"b\":\"c d\",\"e\":[1, -2,0x1F]}, {f: g, h: 'i'}, [], {}]\n",
        "a: {b: {c: [d]}, e: {}, f: 1.5 , g: yes}\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (!check_same(texts[i]))
            fail_msg("not read:\n%s", texts[i]);
    }
}

/* What it must leave to libyaml, right or wrong. */
static void
test_left(UNUSED void **state)
{
    static const char *const texts[] = {
        "",
        "a",
        "a\n",
        "a: b",
        "\ta: b\n",
        "a: b\n c\n",
        "a: b # c\n",
        "a: &x b\n",
        "a: *x\n",
        "a: !!str b\n",
        "a: [b c]\n",
        "a: [b,]\n",
        "a: [b: c]\n",
        "a: [b\n",
        "a: [b] c\n",
        "a: {b:c}\n",
        "a: {b}\n",
        "a: {b: c, b: d}\n",
        "a: {b: }\n",
        "a: {? b: c}\n",
        "a: [&x b]\n",
        "a: [b #c\n",
        "a: {1: b}\n",
        "a: {\"\": b}\n",
        "a: {<<: {b: c}}\n",
        "a: [b\n  ]\n",
        "a: >\n  b\n",
        "a: |+\n  b\n",
        "a: |\nb: c\n",
        "a: \"\\n\"\n",
        "a: ''''\n",
        "a: b: c\n",
        "a : b\n",
        "<<: b\n",
        "1: a\n",
        "yes: a\n",
        "a: 1\na: 2\n",
        "a: 1\n- b\n",
        "- a\nb: c\n",
        " a: b\n",
        "a: .inf\n",
        "- - a\n",
        "a: b\n...\n",
        "--- a\n",
        "---\n",
        "a: b\n---\n",
        "%x: y\n",
        "? a\n",
        "a: b\r\n",
        "a: \xc3\xa4\n",
        "a:\n  b: c\n d: e\n",
        "a: 'b\n",
        "a: 'b' c\n",
        "a: |\n    \n  b\n",
        "a: b:\n",
        "a: #b\n",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct yaml_docs docs = {0};

        if (quick(texts[i], &docs))
            fail_msg("read:\n%s", texts[i]);
    }
}

static void
test_caps(UNUSED void **state)
{
    struct yaml_docs docs = {0};
    struct yaml_options o = usual;

    o.max_depth = 2;
    assert_false(yaml_plain(STR("a:\n b:\n  c: d\n"), &o, &docs));
    o = usual;
    o.max_nodes = 4;
    assert_false(yaml_plain(STR("a: 1\nb: 2\nc: 3\n"), &o, &docs));
    o = usual;
    o.max_documents = 1;
    assert_false(yaml_plain(STR("a: 1\n---\nb: 2\n"), &o, &docs));
    assert_int_equal(docs.n, 0);
}

/* Lines of pieces that mean something, put together at random. */
static void
random_text(struct buf *b)
{
    static const char *const heads[] = {"",    "",   "  ",    "  ",   "    ",
                                        " ",   "- ", "- ",    "  - ", "-   ",
                                        "   ", "-",  "    - "};
    static const char *const keys[] = {
        "a:", "b:", "c-d/e.f:", "no:", "a :",   "",
        "",   "x:", "y:",       "z:",  "\"k\":"};
    static const char *const values[] = {"",
                                         " v",
                                         " 1",
                                         " 0x1f",
                                         " \"s\"",
                                         " 's: t'",
                                         " []",
                                         " {}",
                                         " |",
                                         " |-",
                                         " v w",
                                         " v #c",
                                         " 1e3",
                                         " -",
                                         " .5",
                                         " null",
                                         " #c",
                                         " [a, b]",
                                         " {a: b, c: [1 ,\"x\"]}",
                                         " {\"a\":1,\"b\":'y' }",
                                         " [a,]",
                                         " {a:1}",
                                         " [{}, []]",
                                         " {a: -}",
                                         " [ ]",
                                         " [-1, -a, .5]",
                                         " {yes: 1}",
                                         " {'a': b}",
                                         " :",
                                         " a: b",
                                         " on",
                                         " ''",
                                         " +1",
                                         " ~",
                                         " 12:30:45",
                                         "v",
                                         " v:w",
                                         " 1.0",
                                         " a'b",
                                         " -x"};
    static const char *const ends[] = {
        "\n",  "\n",      "\n",        "\n",      "\n",     "\n\n",
        " \n", "\n# c\n", "\n  # c\n", "\n---\n", "\n   \n"};

    for (uint32_t n = 1 + random_below(9); n; n--)
        buf_printf(b, "%s%s%s%s", heads[random_below(ARRAY_LEN(heads))],
                   keys[random_below(ARRAY_LEN(keys))],
                   values[random_below(ARRAY_LEN(values))],
                   ends[random_below(ARRAY_LEN(ends))]);
}

static void
test_random(UNUSED void **state)
{
    size_t read = 0;

    for (int i = 0; i < 100000; i++) {
        AUTO(buf_release) struct buf b = BUF_INIT(4096);

        random_text(&b);
        read += check_same(buf_cstr(&b));
    }
    assert_true(read > 1000);
}

/* The same for what stands between brackets. */
static void
test_random_flow(UNUSED void **state)
{
    static const char *const pieces[] = {
        "[",   "]",      "]",       "{",     "}",     "}",  ", ",   ",", "a",
        "b: ", "\"k\":", "\"k\": ", "\"v\"", "'w'",   "1",  "-",    " ", ":",
        "c: ", "yes",    "-1",      ".5",    "x/y-z", "[a", "{b: ", "]}"};
    size_t read = 0;

    for (int i = 0; i < 200000; i++) {
        AUTO(buf_release) struct buf b = BUF_INIT(4096);

        buf_puts(&b, random_below(2) ? "t: [" : "t: {");
        for (uint32_t n = 1 + random_below(10); n; n--)
            buf_puts(&b, pieces[random_below(ARRAY_LEN(pieces))]);
        buf_putc(&b, '\n');
        read += check_same(buf_cstr(&b));
    }
    assert_true(read > 1000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),        cmocka_unit_test(test_left),
        cmocka_unit_test(test_caps),        cmocka_unit_test(test_random),
        cmocka_unit_test(test_random_flow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
