#include <math.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/random.h"

#include "tests/unit/test.h"

static char *
printed(const char *text, unsigned flags)
{
    struct error err = {0};
    struct json *j = json_parse(str_of(text), NULL, &err);

    if (!j)
        return mem_strdup(err.msg);
    char *out = json_text(j, flags);

    json_free(j);
    return out;
}

static void
check_printed(const char *text, unsigned flags, const char *want)
{
    AUTO(mem_free_ptr) char *got = printed(text, flags);

    assert_string_equal(got, want);
}

/* Text in, text out; an error's words where the text is bad. */
static void
test_texts(UNUSED void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {" [ ] ", "[]"},
        {"{}", "{}"},
        {"\t\r\n null", "null"},
        {"[true,false,null]", "[true,false,null]"},
        {"{\"a\":{\"b\":[1,{\"c\":2}]}}", "{\"a\":{\"b\":[1,{\"c\":2}]}}"},
        {"-0", "-0"},
        {"1.50e+007", "1.50e+007"},
        {"123456789012345678901234567890", "123456789012345678901234567890"},
        {"\"a\\u0041\\n\\/\\\"\\\\\\b\\f\"", "\"aA\\n/\\\"\\\\\\b\\f\""},
        {"\"\\ud83d\\ude00\"", "\"\xF0\x9F\x98\x80\""},
        {"\"\\ud83dx\"", "\"\xEF\xBF\xBDx\""},
        {"\"\\ude00\\ud83d\\u0041\"", "\"\xEF\xBF\xBD\xEF\xBF\xBD"
                                      "A\""},
        {"\"\\u00e9\xC3\xA9 long enough for the fast path \xE2\x82\xAC\"",
         "\"\xC3\xA9\xC3\xA9 long enough for the fast path \xE2\x82\xAC\""},
        {"\"\xE2\x80\xA8\"", "\"\\u2028\""},
        {"{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"},
        {"{\"\":1}", "{\"\":1}"},
        {"", "line 1, column 1: the text ends too early"},
        {"[1,\n  2,,3]", "line 2, column 5: expected a value"},
        {"[1 2]", "line 1, column 4: expected ',' or ']'"},
        {"{\"a\":1,}", "line 1, column 8: expected a key in quotes"},
        {"{\"a\" 1}", "line 1, column 6: expected ':' after a key"},
        {"{\"a\":1", "line 1, column 7: the text ends too early"},
        {"[1]]", "line 1, column 4: text after the end of the value"},
        {"01", "line 1, column 2: a number may not begin with 0"},
        {"1.", "line 1, column 3: the text ends too early"},
        {"-x", "line 1, column 2: a digit is missing in a number"},
        {"+1", "line 1, column 1: expected a value"},
        {"nul", "line 1, column 1: expected a value"},
        {"NaN", "line 1, column 1: expected a value"},
        {"\"abc", "line 1, column 5: the text ends too early"},
        {"\"a\nb\"", "line 1, column 3: a control character must be escaped"},
        {"\"\\x\"", "line 1, column 3: unknown escape in a string"},
        {"\"\\u12g4\"", "line 1, column 6: \\u needs four hexadecimal digits"},
        {"\"\\u0000\"", "line 1, column 4: a string may not contain NUL"},
        {"\"ab\xFF\"", "line 1, column 4: a string is not valid UTF-8"},
        {"\"\xC0\x80\"", "line 1, column 2: a string is not valid UTF-8"},
        {"\"\xED\xA0\x80\"", "line 1, column 2: a string is not valid UTF-8"},
        {"\"\xF4\x90\x80\x80\"",
         "line 1, column 2: a string is not valid UTF-8"},
        {"\"\xE2\x82\"", "line 1, column 2: a string is not valid UTF-8"},
        {"\xEF\xBB\xBF{}", "line 1, column 1: expected a value"},
        {"/* c */ 1", "line 1, column 1: expected a value"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_printed(cases[i].text, JSON_COMPACT, cases[i].want);
}

static void
test_raw_nul(UNUSED void **state)
{
    struct error err = {0};

    assert_null(json_parse(STR("\"a\0b\""), NULL, &err));
    assert_string_equal(
        err.msg, "line 1, column 3: a control character must be escaped");
    assert_null(json_parse(STR("\"\\\0\""), NULL, &err));
    assert_null(json_parse((struct str){0}, NULL, NULL));
}

static void
test_print_flags(UNUSED void **state)
{
    const char *text = "{\"b\":[1,{\"z\":[],\"a\":{}}],\"a\":\"<&>\"}";

    check_printed(text, JSON_PRETTY,
                  "{\n  \"b\": [\n    1,\n    {\n      \"z\": [],\n"
                  "      \"a\": {}\n    }\n  ],\n  \"a\": \"<&>\"\n}");
    check_printed(text, JSON_SORTED | JSON_HTML,
                  "{\"a\":\"\\u003c\\u0026\\u003e\","
                  "\"b\":[1,{\"a\":{},\"z\":[]}]}");
    check_printed("\"\\u0001\\u001f\\u007f\"", 0, "\"\\u0001\\u001f\x7F\"");

    AUTO(json_free_ptr) struct json *j = json_parse(str_of(text), NULL, NULL);
    AUTO(buf_release) struct buf small = BUF_INIT(10);

    assert_false(json_print(j, 0, &small));
    json_sort(j);
    AUTO(mem_free_ptr) char *sorted = json_text(j, 0);

    assert_string_equal(sorted,
                        "{\"a\":\"<&>\",\"b\":[1,{\"a\":{},\"z\":[]}]}");
}

static void
test_caps(UNUSED void **state)
{
    struct error err = {0};
    struct json_options depth = {.max_depth = 2}, nodes = {.max_nodes = 3},
                        bytes = {.max_bytes = 4};
    AUTO(buf_release) struct buf deep = BUF_INIT(1 << 20);

    assert_null(json_parse(STR("[[[]]]"), &depth, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.msg, "line 1, column 3: nested too deeply");
    assert_null(json_parse(STR("[1,2,3]"), &nodes, &err));
    assert_string_equal(err.msg, "line 1, column 6: too many values");
    assert_null(json_parse(STR("[1,2]"), &bytes, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    buf_fill(&deep, '[', 1 << 19);
    assert_null(json_parse(buf_view(&deep), NULL, &err));
    assert_int_equal(err.code, ERR_LIMIT);
}

static void
test_duplicates(UNUSED void **state)
{
    struct strlist dups = {0};
    struct json_options o = {.duplicates = &dups};
    AUTO(buf_release) struct buf big = BUF_INIT(1 << 20);
    AUTO(json_free_ptr)
    struct json *j = json_parse(
        STR("{\"spec\":{\"color\":1,\"color\":{\"x\":1,\"x\":2}},\"spec2\":0,"
            "\"a\":{\"b\":[{\"c\":1},{\"c\":1,\"c\":2,\"c\":3}]},\"a\":7}"),
        &o, NULL);

    assert_non_null(j);
    assert_int_equal(dups.n, 4);
    assert_string_equal(dups.v[0], "spec.color");
    assert_string_equal(dups.v[1], "spec.color.x");
    assert_string_equal(dups.v[2], "a.b[1].c");
    assert_string_equal(dups.v[3], "a");
    assert_int_equal(json_int64_or(json_get(j, "a"), 0), 7);
    strlist_release(&dups);

    /* Many members: the keys go into a map, and the report is capped. */
    buf_putc(&big, '{');
    for (int i = 0; i < 600; i++)
        buf_printf(&big, "\"k%d\":%d,", i % 300, i);
    buf_puts(&big, "\"last\":1}");
    AUTO(json_free_ptr) struct json *m = json_parse(buf_view(&big), &o, NULL);

    assert_int_equal(json_len(m), 301);
    assert_int_equal(json_int64_or(json_get(m, "k299"), 0), 599);
    assert_int_equal(dups.n, 100);
    strlist_release(&dups);
}

static void
test_numbers(UNUSED void **state)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t want;
    } ints[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"3.0", true, 3},
        {"3e0", true, 3},
        {"0.3e1", true, 3},
        {"300e-2", true, 3},
        {"-1200.00e-1", true, -120},
        {"0e999999999999", true, 0},
        {"0.000", true, 0},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"-9223372036854775808.0", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"92233720368547758070e-1", true, INT64_MAX},
        {"1e19", false, 0},
        {"1e18", true, 1000000000000000000},
        {"3.5", false, 0},
        {"1e-1", false, 0},
        {"1e99999999999999999999", false, 0},
        {"1e-99999999999999999999", false, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(ints); i++) {
        AUTO(json_free_ptr)
        struct json *j = json_new_number(str_of(ints[i].text));
        int64_t got = 42;

        assert_int_equal(json_int64(j, &got), ints[i].ok);
        assert_true(got == (ints[i].ok ? ints[i].want : 42));
    }
    AUTO(json_free_ptr) struct json *huge = json_new_number(STR("1e400"));
    double d;

    assert_false(json_double(huge, &d));
    assert_false(json_is_integer(huge));
}

/* What encoding/json.Marshal prints for these float64. */
static void
test_doubles(UNUSED void **state)
{
    static const struct {
        double v;
        const char *want;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {0.30000000000000004, "0.30000000000000004"},
        {100, "100"},
        {123456.789, "123456.789"},
        {1e-6, "0.000001"},
        {1e-7, "1e-7"},
        {1.5e-10, "1.5e-10"},
        {1e20, "100000000000000000000"},
        {1e21, "1e+21"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {5e-324, "5e-324"},
        {9007199254740993.0, "9007199254740992"},
        {2.0 / 3, "0.6666666666666666"},
        {NAN, "null"},
        {INFINITY, "null"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(json_free_ptr) struct json *j = json_new_double(cases[i].v);
        AUTO(mem_free_ptr) char *text = json_text(j, 0);

        assert_string_equal(text, cases[i].want);
    }
}

static void
test_equal(UNUSED void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"{\"a\":1,\"b\":[1,2]}", "{\"b\":[1,2],\"a\":1.0}", true},
        {"{\"a\":1}", "{\"a\":1,\"b\":null}", false},
        {"[1,2]", "[2,1]", false},
        {"1e3", "1000", true},
        {"9007199254740993", "9007199254740992", false},
        {"92233720368547758080", "92233720368547758081", false},
        {"0.1", "0.10", true},
        {"\"1\"", "1", false},
        {"true", "false", false},
        {"{}", "[]", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(json_free_ptr)
        struct json *a = json_parse(str_of(cases[i].a), NULL, NULL);
        AUTO(json_free_ptr)
        struct json *b = json_parse(str_of(cases[i].b), NULL, NULL);

        assert_int_equal(json_equal(a, b), cases[i].same);
        assert_int_equal(json_equal(b, a), cases[i].same);
    }
    assert_true(json_equal(NULL, NULL));
}

static void
check_text(const struct json *j, const char *want)
{
    AUTO(mem_free_ptr) char *text = json_text(j, 0);

    assert_string_equal(text, want);
}

static void
test_building(UNUSED void **state)
{
    AUTO(json_free_ptr)
    struct json *o = json_parse(STR("{\"a\":1,\"b\":[10,20]}"), NULL, NULL);
    struct json *list = json_get(o, "b");

    json_set_string(o, "a", "new");
    json_set_bool(o, "c", true);
    json_append(list, json_new_int(30));
    json_insert(list, 0, json_new_int(5));
    json_insert(list, 2, json_new_null());
    json_insert(list, 5, json_new_int(40));
    check_text(o, "{\"a\":\"new\",\"b\":[5,10,null,20,30,40],\"c\":true}");
    json_del_item(list, 5);
    json_del_item(list, 0);
    json_del_item(list, 9);
    json_append(list, json_new_int(31));
    json_replace(list, json_item(list, 0), json_new_double(0.5));
    check_text(list, "[0.5,null,20,30,31]");
    /* A member that becomes an element loses its key, and the way back. */
    json_append(list, json_detach(o, json_get(o, "a")));
    assert_null(json_key(json_item(list, 5)));
    json_set(o, "d", json_detach(list, json_item(list, 5)));
    json_need_object(json_need_object(o, "m"), "n");
    json_append(json_need_array(o, "c"), json_new_int(1));
    json_del(o, "b");
    json_del(o, "absent");
    check_text(o, "{\"c\":[1],\"d\":\"new\",\"m\":{\"n\":{}}}");

    AUTO(json_free_ptr) struct json *copy = json_copy(o);

    json_set_int(json_get(copy, "m"), "n", 7);
    check_text(copy, "{\"c\":[1],\"d\":\"new\",\"m\":{\"n\":7}}");
    check_text(json_at(o, "m", "n", NULL), "{}");
    assert_null(json_at(o, "m", "x", "y", NULL));
    assert_null(json_first(NULL));
    assert_int_equal(json_len(o), 3);
    assert_string_equal(json_string_or(json_get(o, "q"), "none"), "none");
    assert_string_equal(json_get_text(o, "q"), "");
    assert_string_equal(json_at_text(NULL, "m", "n"), "");
}

/* One change, at random, to a list of members and to what it must read as. */
static void
change_one(struct json *o, char model[][8], size_t *n)
{
    size_t i = random_below(8), at = 0;
    char key[3] = {'k', (char)('0' + i), '\0'};
    struct json *spare;

    while (at < *n && strncmp(model[at], key, 2) != 0)
        at++;
    switch (random_below(4)) {
    case 0:
        json_del(o, key);
        if (at < *n)
            memmove(model[at], model[at + 1], (--*n - at) * sizeof(model[0]));
        return;
    case 1:
        json_set_string(o, key, "s");
        break;
    case 2: /* a copy that has another member's key */
        spare = json_copy(json_first(o));
        json_set(o, key, spare ? spare : json_new_string("s"));
        break;
    default:
        json_set(o, key, json_copy(json_set(o, key, json_new_string("s"))));
    }
    snprintf(model[at], sizeof(model[0]), "%s", key);
    *n += at == *n;
}

static void
test_many_changes(UNUSED void **state)
{
    AUTO(json_free_ptr) struct json *o = json_new_object();
    char model[9][8], want[128];
    size_t n = 0;

    for (int round = 0; round < 20000; round++) {
        AUTO(json_free_ptr) struct json *copy = NULL;
        size_t used = 0;

        change_one(o, model, &n);
        want[0] = '\0';
        for (size_t i = 0; i < n; i++)
            used += (size_t)snprintf(want + used, sizeof(want) - used,
                                     "%s\"%s\":\"s\"", i ? "," : "", model[i]);
        copy = json_copy(o);
        AUTO(mem_free_ptr) char *braced = mem_printf("{%s}", want);
        check_text(o, braced);
        check_text(copy, braced);
    }
}

/* Pieces of any length are given back and used again as others. */
static void
test_pieces_again(UNUSED void **state)
{
    for (size_t n = 0; n < 1200; n++) {
        AUTO(mem_free_ptr) char *z = mem_alloc(n + 1);
        AUTO(json_free_ptr) struct json *list = json_new_array();

        memset(z, 'x', n);
        z[n] = '\0';
        for (int i = 0; i < 4; i++)
            json_set(json_append(list, json_new_object()), z,
                     json_new_string(z));
        json_del_item(list, 1);
        for (const struct json *e = json_first(list); e; e = json_next(e)) {
            assert_string_equal(json_key(json_first(e)), z);
            assert_string_equal(json_get_string(e, z), z);
        }
        assert_int_equal(json_len(list), 3);
    }
}

struct seen {
    char text[256];
    size_t stop_after, n;
};

static bool
note(void *arg, struct str item)
{
    struct seen *s = arg;
    size_t n = strlen(s->text);

    snprintf(s->text + n, sizeof(s->text) - n, "|%.*s", STR_ARG(item));
    return ++s->n != s->stop_after;
}

static void
test_each_item(UNUSED void **state)
{
    struct str text = STR(" {\"kind\":\"List\", \"items\" : [ {\"a\":[1]} , 2,"
                          "\"x\\n\" ], \"metadata\":{\"continue\":\"t\"}} ");
    struct seen seen = {.stop_after = 99};
    struct json *rest = NULL;
    struct error err = {0};

    assert_true(json_each_item(text, "items", note, &seen, &rest, &err));
    assert_string_equal(seen.text, "|{\"a\":[1]}|2|\"x\\n\"");
    check_text(rest, "{\"kind\":\"List\",\"metadata\":{\"continue\":\"t\"}}");
    json_free(rest);
    rest = NULL;

    seen = (struct seen){.stop_after = 1};
    assert_true(json_each_item(text, "items", note, &seen, NULL, &err));
    assert_string_equal(seen.text, "|{\"a\":[1]}");

    seen = (struct seen){.stop_after = 99};
    assert_true(json_each_item(STR("{\"items\":null}"), "items", note, &seen,
                               &rest, &err));
    check_text(rest, "{\"items\":null}");
    json_free(rest);
    rest = NULL;
    assert_int_equal(seen.n, 0);

    assert_false(json_each_item(STR("{\"items\":[1,2}"), "items", note, &seen,
                                &rest, &err));
    assert_string_equal(err.msg, "line 1, column 14: expected ',' or ']'");
    assert_null(rest);
    assert_false(json_each_item(STR("[]"), "items", note, &seen, &rest, &err));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_raw_nul),
        cmocka_unit_test(test_print_flags),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_building),
        cmocka_unit_test(test_each_item),
        cmocka_unit_test(test_many_changes),
        cmocka_unit_test(test_pieces_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
