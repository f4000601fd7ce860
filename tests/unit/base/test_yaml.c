#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "tests/unit/test.h"

/* Every document as compact JSON, one a line; the words of an error. */
static char *
as_json(struct str text, const struct yaml_options *o)
{
    AUTO(yaml_docs_release) struct yaml_docs docs = {0};
    AUTO(buf_release) struct buf b = BUF_INIT(1 << 20);
    struct error err = {0};

    if (!yaml_parse(text, o, &docs, &err))
        return mem_strdup(err.msg);
    for (size_t i = 0; i < docs.n; i++) {
        if (i)
            buf_putc(&b, '\n');
        json_print(docs.v[i].value, 0, &b);
    }
    return buf_take(&b);
}

static void
check(const char *text, const char *want)
{
    AUTO(mem_free_ptr) char *got = as_json(str_of(text), NULL);

    assert_string_equal(got, want);
}

/* yaml.v2's resolution, then sigs.k8s.io/yaml's way to JSON. */
static void
test_scalars(UNUSED void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"[y, Y, yes, on, true, TRUE]", "[true,true,true,true,true,true]"},
        {"[n, No, off, false, False]", "[false,false,false,false,false]"},
        {"[yEs, tRue, oN]", "[\"yEs\",\"tRue\",\"oN\"]"},
        {"[null, ~, Null, 'null']", "[null,null,null,\"null\"]"},
        {"[0, -0, +7, 1_000, 0x1F, 0o17, 017, 0b101, -0x10]",
         "[0,0,7,1000,31,15,15,5,-16]"},
        {"[08, 1e3, 1.0, .5, 1., +1.5, 6.02e-23]",
         "[8,1000,1,0.5,1,1.5,6.02e-23]"},
        {"[9223372036854775807, 18446744073709551615, 18446744073709551616]",
         "[9223372036854775807,18446744073709551615,18446744073709552000]"},
        {"[0x, 0b2, 1e, 1.2.3, '1', 1 2, _1, -, 1:30]",
         "[\"0x\",\"0b2\",\"1e\",\"1.2.3\",\"1\",\"1 2\",\"_1\",\"-\","
         "\"1:30\"]"},
        {"[2024-01-01, 2024-1-1T1:2:3Z, 2024-13-01]",
         "[\"2024-01-01\",\"2024-1-1T1:2:3Z\",\"2024-13-01\"]"},
        {"[!!str 1, !!int '7', !!float 3, !x 9, ! 5]",
         "[\"1\",7,3,\"9\",\"5\"]"},
        {"\"a\\tb\\u263a\\U0001F600\"",
         "\"a\\tb\xE2\x98\xBA\xF0\x9F\x98\x80\""},
        {"a: |\n  x\n   y\n\nb: >-\n  x\n  y\n",
         "{\"a\":\"x\\n y\\n\",\"b\":\"x y\"}"},
        {"{1: a, 1.5: b, yes: c, off: d, 0x10: e, 1e10: f, 1e3: g}",
         "{\"1\":\"a\",\"1.5\":\"b\",\"true\":\"c\",\"false\":\"d\","
         "\"16\":\"e\",\"1e+10\":\"f\",\"1000\":\"g\"}"},
        {"a\n---\n---\n~\n---\n# none\n---\n{}\n...\n", "\"a\"\n{}"},
        {"", ""},
        {"{\n\t\"a\":\t1.50}", "{\"a\":1.50}"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(cases[i].text, cases[i].want);
}

static void
test_errors(UNUSED void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"a: b: c", "line 1, column 5: mapping values are not allowed in this "
                    "context"},
        {"a:\n\t- b", "line 2, column 1: found character that cannot start "
                      "any token"},
        {"a: [1, 2", "line 2, column 1: did not find expected ',' or ']'"},
        {"a: 1\nb: 2\na: 3", "line 3, column 1: key \"a\" already set in map"},
        {"{\"a\":1,\"a\":2}", "line 1, column 8: key \"a\" already set in map"},
        {"a: *x", "line 1, column 4: unknown anchor 'x' referenced"},
        {"a: &x [1, *x]",
         "line 1, column 11: anchor 'x' value contains itself"},
        {"~: 1", "line 1, column 1: unsupported map key: null"},
        {"[1]: 1", "line 1, column 1: unsupported map key: not a scalar"},
        {"a: .inf", "line 1, column 4: .inf is not a JSON number"},
        {"!!int x", "line 1, column 1: cannot decode !!str `x` as a !!int"},
        {"!!binary aGk=", "line 1, column 1: !!binary is not supported"},
        {"a: \"x\\0y\"", "line 1, column 4: a string may not contain NUL"},
        {"a: \"\\q\"", "line 1, column 5: found unknown escape character"},
        {"<<: 1", "line 1, column 5: map merge requires map or sequence of "
                  "maps as the value"},
        {"a: 'x\n", "line 2, column 1: found unexpected end of stream"},
        {"ok: 1\nbad: \xFF", "line 2, column 6: invalid leading UTF-8 octet"},
        {"a: \x01", "line 1, column 4: control characters are not allowed"},
        {"---\na\n---\nb: [", "line 5, column 1: did not find expected node "
                              "content"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(cases[i].text, cases[i].want);
}

static void
test_aliases(UNUSED void **state)
{
    check("a: &x {k: [1]}\nb: *x\nc: [*x, &x 2, *x]",
          "{\"a\":{\"k\":[1]},\"b\":{\"k\":[1]},\"c\":[{\"k\":[1]},2,2]}");
    check("&a k: v\n*a : w2", "line 2, column 1: key \"k\" already set in map");
    check("- &a [1, &a 2, *a]\n- *a", "[[1,2,2],[1,2,2]]");
    /* An anchor does not outlive its document. */
    check("&x a\n---\n*x", "line 3, column 1: unknown anchor 'x' referenced");
    /* Explicit keys win, then the earlier merge. */
    check("x: &x {a: 1, b: 1}\nv: &y {b: 2, c: 2}\n"
          "z: {<<: [*x, *y], c: 3}\nw: {a: 0, <<: *x}",
          "{\"x\":{\"a\":1,\"b\":1},\"v\":{\"b\":2,\"c\":2},"
          "\"z\":{\"c\":3,\"a\":1,\"b\":1},\"w\":{\"a\":0,\"b\":1}}");
}

/* Aliases of aliases: 10^9 values, and 9 GB of text. */
static void
test_laughs(UNUSED void **state)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1 << 22);
    AUTO(mem_free_ptr) char *many = NULL, *long_text = NULL, *deep = NULL;

    buf_puts(&b, "a0: &a0 [lol]\n");
    for (int i = 1; i < 10; i++) {
        buf_printf(&b, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            buf_printf(&b, "%s*a%d", k ? ", " : "", i - 1);
        buf_puts(&b, "]\n");
    }
    many = as_json(buf_view(&b), NULL);
    assert_non_null(strstr(many, ": too many values"));

    buf_reset(&b);
    buf_puts(&b, "- &a '");
    buf_fill(&b, 'x', 1 << 20);
    buf_puts(&b, "'\n");
    for (int i = 0; i < 9000; i++)
        buf_puts(&b, "- *a\n");
    long_text = as_json(buf_view(&b), NULL);
    assert_non_null(strstr(long_text, ": too many values"));

    buf_reset(&b);
    buf_puts(&b, "- &a0 []\n");
    for (int i = 1; i < 150; i++)
        buf_printf(&b, "- &a%d [*a%d]\n", i, i - 1);
    deep = as_json(buf_view(&b), NULL);
    assert_non_null(strstr(deep, ": nested too deeply"));
}

static void
test_options(UNUSED void **state)
{
    struct strlist dups = {0};
    struct yaml_options report = {.duplicates = &dups},
                        last = {.last_key_wins = true},
                        two = {.max_documents = 2}, small = {.max_bytes = 3};
    struct str text = STR("spec: {color: 1, l: [{a: 1, a: 2}], color: 3}");
    AUTO(mem_free_ptr) char *reported = as_json(text, &report);
    AUTO(mem_free_ptr) char *silent = as_json(text, &last);
    AUTO(mem_free_ptr) char *docs = as_json(STR("1\n---\n2\n---\n3"), &two);
    AUTO(mem_free_ptr) char *big = as_json(STR("abcd"), &small);

    assert_string_equal(reported, "{\"spec\":{\"color\":3,\"l\":[{\"a\":2}]}}");
    assert_string_equal(reported, silent);
    assert_int_equal(dups.n, 2);
    assert_string_equal(dups.v[0], "spec.l[0].a");
    assert_string_equal(dups.v[1], "spec.color");
    assert_string_equal(docs, "line 5: more than 2 documents");
    assert_string_equal(big, "the YAML text has 4 bytes, more than the 3 "
                             "allowed");
    strlist_release(&dups);
}

static void
test_one(UNUSED void **state)
{
    struct error err = {0};
    AUTO(json_free_ptr)
    struct json *j = yaml_parse_one(STR("a: 1"), NULL, &err);

    assert_int_equal(json_int64_or(json_get(j, "a"), 0), 1);
    assert_null(yaml_parse_one(STR("a\n---\nb"), NULL, &err));
    assert_string_equal(err.msg, "expected one document, found 2");
    assert_null(yaml_parse_one(STR("---\n"), NULL, &err));
    assert_string_equal(err.msg, "expected one document, found 0");

    AUTO(yaml_docs_release) struct yaml_docs docs = {0};

    assert_true(
        yaml_parse(STR("# c\n\na: 1\n---\n\n- x\n"), NULL, &docs, NULL));
    assert_int_equal(docs.v[0].line, 3);
    assert_int_equal(docs.v[1].line, 6);
}

static void
check_print(const char *json, unsigned flags, const char *want)
{
    AUTO(json_free_ptr) struct json *j = json_parse(str_of(json), NULL, NULL);
    AUTO(buf_release) struct buf b = BUF_INIT(1 << 16);

    assert_true(yaml_print(j, flags, &b));
    assert_string_equal(buf_cstr(&b), want);

    AUTO(json_free_ptr)
    struct json *back = yaml_parse_one(buf_view(&b), NULL, NULL);

    if (!json_is(j, JSON_NULL))
        assert_true(json_equal(j, back));
}

/* Checked against kubectl and yaml.v3. */
static void
test_print_shape(UNUSED void **state)
{
    const char *tree = "{\"b\":[1,[2,3],{\"x\":[],\"y\":{\"z\":[{\"q\":1}]}}],"
                       "\"a\":{}}";

    check_print(tree, YAML_SORTED,
                "a: {}\nb:\n- 1\n- - 2\n  - 3\n- x: []\n  \"y\":\n    z:\n"
                "    - q: 1\n");
    check_print(tree, YAML_LIST_INDENT,
                "b:\n  - 1\n  - - 2\n    - 3\n  - x: []\n    \"y\":\n"
                "      z:\n        - q: 1\na: {}\n");
    check_print(tree, YAML_SORTED | YAML_INDENT4,
                "a: {}\nb:\n    - 1\n    - - 2\n      - 3\n    - x: []\n"
                "      \"y\":\n        z:\n            - q: 1\n");
    check_print("{\"a10\":1,\"a2\":2,\"aB\":3,\"a_b\":4,\"a\":5}", YAML_SORTED,
                "a: 5\na_b: 4\na2: 2\na10: 1\naB: 3\n");
    check_print("[]", 0, "[]\n");
    check_print("[{\"a\":\"x\\ny\\n\"}]", 0, "- a: |\n    x\n    y\n");
    check_print("\"x\"", 0, "x\n");
}

static void
test_print_scalars(UNUSED void **state)
{
    static const struct {
        const char *json, *want;
    } cases[] = {
        {"null", "null\n"},
        {"1.50", "1.5\n"},
        {"[-0, 123456789.125, 1e-7, 18446744073709551615]",
         "- 0\n- 1.23456789125e+08\n- 1e-07\n- 18446744073709551615\n"},
        {"\"\"", "\"\"\n"},
        {"\"yes\"", "\"yes\"\n"},
        {"\"12\"", "\"12\"\n"},
        {"\"1e3\"", "\"1e3\"\n"},
        {"\"12:30\"", "\"12:30\"\n"},
        {"\"2024-01-01T00:00:00Z\"", "\"2024-01-01T00:00:00Z\"\n"},
        {"\"a: b\"", "'a: b'\n"},
        {"\"a:b #c\"", "'a:b #c'\n"},
        {"\"a:b#c, [d]\"", "a:b#c, [d]\n"},
        {"\"- a\"", "'- a'\n"},
        {"\"-a\"", "-a\n"},
        {"\"*a\"", "'*a'\n"},
        {"\"@it's\"", "'@it''s'\n"},
        {"\"it's\"", "it's\n"},
        {"\" a\"", "' a'\n"},
        {"\"a \"", "'a '\n"},
        {"\"a\\tb\"", "\"a\\tb\"\n"},
        {"\"\\u0001\\u007f\\u0085\"", "\"\\x01\\x7F\\N\"\n"},
        {"\"\xC3\xA9\xF0\x9F\x98\x80\"", "\"\xC3\xA9\\U0001F600\"\n"},
        {"\"a\\nb\"", "|-\n  a\n  b\n"},
        {"\"a\\n\\n\"", "|+\n  a\n\n"},
        {"\" a\\nb\"", "|2-\n   a\n  b\n"},
        {"\"a \\nb\"", "\"a \\nb\"\n"},
        {"\"a\\nb \"", "\"a\\nb \"\n"},
        {"\"\\n\"", "|2+\n\n"},
        {"\"---\"", "'---'\n"},
        {"\"<<\"", "<<\n"},
        {"{\"<<\":1}", "\"<<\": 1\n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_print(cases[i].json, 0, cases[i].want);
}

/* yaml.v2 folds at a space behind column 80, yaml.v3 never. */
static void
test_print_folds(UNUSED void **state)
{
    const char *json =
        "{\"d\":\"one two three four five six seven eight nine ten eleven "
        "twelve thirteen fourteen fifteen sixteen\"}";

    check_print(json, 0,
                "d: one two three four five six seven eight nine ten eleven "
                "twelve thirteen fourteen\n  fifteen sixteen\n");
    check_print(json, YAML_INDENT4,
                "d: one two three four five six seven eight nine ten eleven "
                "twelve thirteen fourteen fifteen sixteen\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_laughs),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_print_shape),
        cmocka_unit_test(test_print_scalars),
        cmocka_unit_test(test_print_folds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
