/* Field paths: what is found, and upstream's words for what is not. */
#include "lib/compose/fieldpath.h"

#include "tests/unit/compose/compose_test.h"

#define TREE                                                                   \
    "{'a':{'b':[{'c':'deep'},null,7]},'x.y':{'z':'dotted'},'0':'zero','n':"    \
    "null,'s':'text'}"

static void
values_are_found(void **state)
{
    static const struct {
        const char *path, *want;
    } cases[] = {
        {"a.b[0].c", "'deep'"},  {"a[b][0]c", "'deep'"},    {"a.b[2]", "7"},
        {"[x.y].z", "'dotted'"}, {"['x.y'].z", "'dotted'"}, {"s", "'text'"},
        {"a.b[1]", "null"},
    };
    AUTO(json_free_ptr) struct json *j = parse(TREE);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = {0};

        expect(fieldpath_get(j, str_of(cases[i].path), &err), cases[i].want);
        assert_int_equal(err.code, ERR_NONE);
    }
}

static void
misses_and_mistakes_are_told_apart(void **state)
{
    static const struct {
        const char *path, *want;
        enum err_code code;
    } cases[] = {
        {"a.q", "a.q: no such field", ERR_NOT_FOUND},
        {"a.b[9]", "a.b[9]: no such element", ERR_NOT_FOUND},
        {"n.q", "n: expected map, got nil", ERR_NOT_FOUND},
        {"s.q", "s: not an object", ERR_INVALID},
        {"[0]", ": not an array", ERR_INVALID},
        {"[x.y].q", "[x.y].q: no such field", ERR_NOT_FOUND},
        {".a", "cannot parse path \".a\": unexpected '.' at position 0",
         ERR_INVALID},
        {"a.", "cannot parse path \"a.\": unexpected '.' at position 1",
         ERR_INVALID},
        {"a..b", "cannot parse path \"a..b\": unexpected '.' at position 2",
         ERR_INVALID},
        {"a.[b]", "cannot parse path \"a.[b]\": unexpected '[' at position 2",
         ERR_INVALID},
        {"spec[a",
         "cannot parse path \"spec[a\": unterminated '[' at "
         "position 4",
         ERR_INVALID},
        {"spec[]",
         "cannot parse path \"spec[]\": unexpected ']' at "
         "position 5",
         ERR_INVALID},
        {"a]b", "cannot parse path \"a]b\": unexpected ']' at position 1",
         ERR_INVALID},
        {"a[b[c]]",
         "cannot parse path \"a[b[c]]\": unexpected '[' at "
         "position 3",
         ERR_INVALID},
    };
    AUTO(json_free_ptr) struct json *j = parse(TREE);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = {0};

        assert_null(fieldpath_get(j, str_of(cases[i].path), &err));
        assert_string_equal(err.msg, cases[i].want);
        assert_int_equal(err.code, cases[i].code);
    }
    struct error err = {0};

    assert_null(fieldpath_string(j, STR("a.b[2]"), &err));
    assert_string_equal(err.msg, "a.b[2]: not a string");
}

static void
depth_is_capped(void **state)
{
    char path[2 * FIELDPATH_SEGMENTS_MAX + 4];
    struct fieldpath p;
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(path); i++)
        path[i] = i % 2 ? '.' : 'a';
    assert_true(
        fieldpath_parse(str_n(path, 2 * FIELDPATH_SEGMENTS_MAX - 1), &p, &err));
    assert_false(
        fieldpath_parse(str_n(path, 2 * FIELDPATH_SEGMENTS_MAX + 1), &p, &err));
    assert_int_equal(err.code, ERR_LIMIT);
}

static void
setting_makes_what_is_missing(void **state)
{
    static const struct {
        const char *in, *path, *want;
    } cases[] = {
        {"{}", "a.b", "{'a':{'b':1}}"},
        {"{}", "a[2]", "{'a':[null,null,1]}"},
        {"{}", "a[1].b[0]", "{'a':[null,{'b':[1]}]}"},
        {"{'a':[7]}", "a[2].c", "{'a':[7,null,{'c':1}]}"},
        {"{'a':[null]}", "a[0].c", "{'a':[{'c':1}]}"},
        {"{'a':{'b':2}}", "a[x.y]", "{'a':{'b':2,'x.y':1}}"},
        {"{'a':{'b':2}}", "a.b", "{'a':{'b':1}}"},
        {"{'a':2}", "a", "{'a':1}"},
        {"{'a':2}", "", "{'a':2}"},
        {"{}", "a.'q'.b", "{'a':{'q':{'b':1}}}"},
        {"{}", "a.0", "{'a':{'0':1}}"},
        {"{'a':[]}", "a[1][1]", "{'a':[null,[null,1]]}"},
        {"{'a':null}", "a.b", "a is not an object"},
        {"{'a':'s'}", "a.b", "a is not an object"},
        {"{'a':{}}", "a[0]", "a is not an array"},
        {"{'a':[]}", "a.b", "a is not an object"},
        {"{}", "[0]", " is not an array"},
        {"{}", "a[1025]", "index 1025 is greater than max allowed index 1024"},
        {"{}", "a..b",
         "cannot parse path 'a..b': unexpected '.' at position 2"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(json_free_ptr) struct json *j = parse(cases[i].in);
        struct error err = {0};

        if (fieldpath_set(j, str_of(cases[i].path), json_new_int(1), &err)) {
            expect(j, cases[i].want);
            continue;
        }
        for (char *p = err.msg; *p; p++)
            *p = *p == '"' ? '\'' : *p;
        assert_string_equal(err.msg, cases[i].want);
    }
}

static void
integers_and_doubles_stay_apart(void **state)
{
    AUTO(json_free_ptr) struct json *j = parse("{}");
    struct error err;

    (void)state;
    assert_true(fieldpath_set(j, STR("a.i"), parse("9007199254740993"), &err));
    assert_true(fieldpath_set(j, STR("a.d"), parse("1.0"), &err));
    expect(j, "{'a':{'d':1.0,'i':9007199254740993}}");
}

static void
deleting_is_quiet_about_what_is_not_there(void **state)
{
    static const struct {
        const char *in, *path, *want;
    } cases[] = {
        {"{'a':1,'b':2}", "a", "{'b':2}"},
        {"{'a':{'b':1}}", "a.b", "{'a':{}}"},
        {"{'a':[1,2,3]}", "a[1]", "{'a':[1,3]}"},
        {"{'a':[1]}", "a[7]", "{'a':[1]}"},
        {"{'a':[{'b':1,'c':2}]}", "a[0].b", "{'a':[{'c':2}]}"},
        {"{'a':[1]}", "a[7].b", "{'a':[1]}"},
        {"{}", "x.y", "{}"},
        {"{'a':1}", "", "{'a':1}"},
        {"{'a':1}", "a.b", "cannot delete a.b: not an object"},
        {"{'a':{}}", "a[0]", "cannot delete a[0]: not an array"},
        {"{}", "[0]", "cannot delete [0]: not an array"},
        {"{'a':1}", "a.b.c", "a is not an object"},
        {"{'a':1}", "a[0].c", "a is not an array"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(json_free_ptr) struct json *j = parse(cases[i].in);
        struct error err = {0};

        if (fieldpath_delete(j, str_of(cases[i].path), &err))
            expect(j, cases[i].want);
        else
            assert_string_equal(err.msg, cases[i].want);
    }
}

static void
wildcards_stand_for_what_is_there(void **state)
{
    static const struct {
        const char *path, *want;
    } cases[] = {
        {"l[*]", "l[0] l[1] l[2] "},
        {"l[*].n", "l[0].n l[2].n "},
        {"m[*]", "m.a m[b.c] "},
        {"m.*", "m.a m[b.c] "},
        {"l[*].deep[*].x", "l[2].deep[0].x l[2].deep[1].x "},
        {"m[*].x", "m.a.x "},
        {"s", "s "},
        {"nosuch[*].a", ""},
        {"l[9][*]", ""},
        {"none[*]",
         "cannot expand wildcards for segments: 'none[*]': wildcard field "
         "'none' is not found in the path"},
        {"s[*]",
         "cannot expand wildcards for segments: 's[*]': 's': unexpected "
         "wildcard usage"},
        {"l[*].n[*]",
         "cannot expand wildcards for segments: 'l[*].n[*]': 'l[0].n[*]': "
         "cannot expand wildcards: 'l[0].n': unexpected wildcard usage"},
        {"l[*", "cannot parse path 'l[*': unterminated '[' at position 1"},
    };
    AUTO(json_free_ptr)
    struct json *j = parse("{'l':[{'n':1},{},{'n':2,'deep':[{'x':1},{'x':2}]}],"
                           "'m':{'a':{'x':1},'b.c':{}},'s':'t','none':null}");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(strlist_release) struct strlist got = {0};
        AUTO(buf_release) struct buf b = BUF_INIT(4096);
        struct error err = {0};

        if (!fieldpath_expand(j, str_of(cases[i].path), &got, &err))
            buf_puts(&b, err.msg);
        for (size_t k = 0; k < got.n; k++)
            buf_printf(&b, "%s ", got.v[k]);
        for (size_t k = 0; k < b.n; k++)
            b.s[k] = b.s[k] == '"' ? '\'' : b.s[k];
        assert_string_equal(buf_cstr(&b), cases[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found),
        cmocka_unit_test(misses_and_mistakes_are_told_apart),
        cmocka_unit_test(depth_is_capped),
        cmocka_unit_test(setting_makes_what_is_missing),
        cmocka_unit_test(integers_and_doubles_stay_apart),
        cmocka_unit_test(deleting_is_quiet_about_what_is_not_there),
        cmocka_unit_test(wildcards_stand_for_what_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
