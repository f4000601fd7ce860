/* One value into another, option by option; what comes out was recorded from
 * mergo 1.0.2 under crossplane-runtime 2.1. */
#include "lib/compose/merge.h"

#include "tests/unit/compose/compose_test.h"

enum option { KEEP, KEEP_APPEND, FORCE, APPEND };

static const struct merge_options options[] = {
    [KEEP] = {.keep = true},
    [KEEP_APPEND] = {.keep = true, .append = true},
    [FORCE] = {0},
    [APPEND] = {.append = true},
};

#define CLASH                                                                  \
    "failed to merge values: cannot append two slices with different type "    \
    "([]interface {}, "

static const struct {
    const char *dst, *src, *want[4];
} cases[] = {
    {"1", "2", {"1", "1", "2", "2"}},
    {"0", "2", {"2", "2", "2", "2"}},
    {"'a'", "''", {"'a'", "'a'", "''", "''"}},
    {"''", "'b'", {"'b'", "'b'", "'b'", "'b'"}},
    {"false", "true", {"true", "true", "true", "true"}},
    {"true", "false", {"true", "true", "false", "false"}},
    {"true", "null", {"null", "null", "null", "null"}},
    {"null", "[1]", {"[1]", "[1]", "[1]", "[1]"}},
    {"1", "'x'", {"1", "1", "'x'", "'x'"}},
    {"'x'", "{'a':1}", {"'x'", "'x'", "{'a':1}", "{'a':1}"}},
    {"{'a':1}", "'x'", {"{'a':1}", "{'a':1}", "'x'", "'x'"}},
    {"{}", "{'a':1}", {"{'a':1}", "{'a':1}", "{'a':1}", "{'a':1}"}},
    {"{'a':1,'b':{'c':0}}",
     "{'a':2,'b':{'c':3,'d':4},'e':null}",
     {"{'a':1,'b':{'c':3,'d':4}}", "{'a':1,'b':{'c':3,'d':4}}",
      "{'a':2,'b':{'c':3,'d':4},'e':null}",
      "{'a':2,'b':{'c':3,'d':4},'e':null}"}},
    {"{}",
     "{'a':null}",
     {"{'a':null}", "{'a':null}", "{'a':null}", "{'a':null}"}},
    {"[1,2]", "[2,3]", {"[1,2]", "[1,2,3]", "[2,3]", "[1,2,3]"}},
    {"[1]", "[1]", {"[1]", "[1]", "[1]", "[1]"}},
    {"[]", "[1,1]", {"[1,1]", "[1,1]", "[1,1]", "[1,1]"}},
    {"[]", "[]", {"[]", "null", "[]", "null"}},
    {"[1]", "[]", {"[1]", "[1]", "[]", "[1]"}},
    {"[{'a':1}]",
     "[{'a':1},{'a':1.5}]",
     {"[{'a':1}]", "[{'a':1},{'a':1.5}]", "[{'a':1},{'a':1.5}]",
      "[{'a':1},{'a':1.5}]"}},
    {"{'l':[1]}",
     "{'l':[1,2],'m':[3]}",
     {"{'l':[1],'m':[3]}", "{'l':[1,1,2],'m':[3]}", "{'l':[1,2],'m':[3]}",
      "{'l':[1,1,2],'m':[3]}"}},
    {"'x'", "[1]", {"'x'", CLASH "string)", "[1]", CLASH "string)"}},
    {"7", "[1]", {"7", CLASH "int64)", "[1]", CLASH "int64)"}},
    {"{'a':1}",
     "[1]",
     {"{'a':1}", CLASH "map[string]interface {})", "[1]",
      CLASH "map[string]interface {})"}},
    {"{'l':true}",
     "{'l':[1]}",
     {"{'l':true}", CLASH "bool)", "{'l':[1]}", CLASH "bool)"}},
    {"[1]", "{'a':1}", {"[1]", "[1]", "{'a':1}", "{'a':1}"}},
};

static void
every_option_over_every_pair(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4 * ARRAY_LEN(cases); i++) {
        const char *want = cases[i / 4].want[i % 4];
        struct error err = {0};
        AUTO(json_free_ptr)
        struct json *got =
            merge_values(parse(cases[i / 4].dst), parse(cases[i / 4].src),
                         &options[i % 4], &err);

        if (got)
            expect(got, want);
        else
            assert_string_equal(err.msg, want);
    }
}

static void
floats_equal_no_integers(void **state)
{
    struct merge_options o = {.append = true, .src_floats = true};
    struct error err = {0};
    AUTO(json_free_ptr)
    struct json *got =
        merge_values(parse("[1,1.5]"), parse("[1,1.5]"), &o, &err);

    (void)state;
    expect(got, "[1,1.5,1]");
    o.dst_floats = true;
    got = merge_values(got, parse("[1,1.5]"), &o, &err);
    expect(got, "[1,1.5,1]");
    o.src_floats = false;
    got = merge_values(got, parse("[1,1.5]"), &o, &err);
    expect(got, "[1,1.5,1,1]");
    assert_false(merge_at(got, STR("[0]"), parse("[1]"), &o, &err));
    assert_string_equal(err.msg, CLASH "float64)");
}

static void
paths_are_merged_into(void **state)
{
    AUTO(json_free_ptr) struct json *j = parse("{'a':{'l':[1]},'s':'t'}");
    struct error err = {0};

    (void)state;
    assert_true(merge_at(j, STR("a.l"), parse("[2]"), &options[APPEND], &err));
    assert_true(merge_at(j, STR("n.m"), parse("[2]"), &options[KEEP], &err));
    assert_true(merge_at(j, STR("a.l[0]"), parse("5"), &options[KEEP], &err));
    assert_true(merge_at(j, STR(""), parse("5"), &options[KEEP], &err));
    expect(j, "{'a':{'l':[1,2]},'n':{'m':[2]},'s':'t'}");
    assert_true(merge_at(j, STR("a"), parse("5"), NULL, &err));
    assert_false(merge_at(j, STR("s.q"), parse("1"), &options[KEEP], &err));
    assert_string_equal(err.msg, "s: not an object");
    assert_false(merge_at(j, STR("s.q"), parse("1"), NULL, &err));
    assert_string_equal(err.msg, "s is not an object");
    expect(j, "{'a':5,'n':{'m':[2]},'s':'t'}");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_over_every_pair),
        cmocka_unit_test(floats_equal_no_integers),
        cmocka_unit_test(paths_are_merged_into),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
