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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found),
        cmocka_unit_test(misses_and_mistakes_are_told_apart),
        cmocka_unit_test(depth_is_capped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
