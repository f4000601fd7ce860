/* Definitions of managed resources and activation patterns, against what
 * Crossplane 2.0.8's code and Go's filepath.Match answered (data/mrds.json). */
#include "lib/base/file.h"

#include "lib/compose/mrd.h"

#include "tests/unit/compose/compose_test.h"

static struct json *
load(void)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1 << 20);
    struct error err;

    if (!file_read("tests/unit/compose/data/mrds.json", &b, &err))
        fail_msg("%s", err.msg);
    return json_parse(buf_view(&b), NULL, &err);
}

static void
same(const struct json *got, const struct json *want)
{
    char *a = json_text(got, JSON_SORTED), *b = json_text(want, JSON_SORTED);

    assert_string_equal(a, b);
    free(a);
    free(b);
}

static void
definitions_as_crossplane(void **state)
{
    AUTO(json_free_ptr) struct json *all = load();
    const struct json *list = json_get(all, "definitions");
    size_t n = 0;

    (void)state;
    for (const struct json *c = json_first(list); c; c = json_next(c), n++) {
        AUTO(json_free_ptr)
        struct json *on = mrd_of_crd(json_get(c, "crd"), true);
        AUTO(json_free_ptr)
        struct json *off = mrd_of_crd(json_get(c, "crd"), false);
        AUTO(json_free_ptr) struct json *back = on ? mrd_to_crd(on) : NULL;

        assert_int_equal(on != NULL, json_get(c, "active") != NULL);
        if (!on)
            continue;
        same(on, json_get(c, "active"));
        same(off, json_get(c, "inactive"));
        same(back, json_get(c, "back"));
        assert_true(mrd_is_active(on));
        assert_false(mrd_is_active(off));
    }
    assert_true(n >= 8);
}

static void
patterns_as_filepath_match(void **state)
{
    AUTO(json_free_ptr) struct json *all = load();
    const struct json *names = json_get(all, "names");

    (void)state;
    for (const struct json *c = json_first(json_get(all, "patterns")); c;
         c = json_next(c)) {
        const char *p = json_get_string(c, "pattern");

        for (const struct json *n = json_first(names); n; n = json_next(n)) {
            const struct json *m = json_first(json_get(c, "matches"));

            while (m && strcmp(json_string(m), json_string(n)) != 0)
                m = json_next(m);
            if (mrd_matches(p, json_string(n)) != (m != NULL))
                fail_msg("\"%s\" and \"%s\"", p, json_string(n));
        }
    }
}

static void
a_policy_activates_by_any_pattern(void **state)
{
    AUTO(json_free_ptr)
    struct json *p =
        parse("{'spec':{'activate':['*.s3.example.org','x.y', 3]}}");
    AUTO(json_free_ptr) struct json *odd = parse("{'spec':{'activate':'*'}}");

    (void)state;
    assert_true(mrd_activated_by(p, "buckets.s3.example.org"));
    assert_true(mrd_activated_by(p, "x.y"));
    assert_false(mrd_activated_by(p, "x.z"));
    assert_false(mrd_activated_by(odd, "x.z"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(definitions_as_crossplane),
        cmocka_unit_test(patterns_as_filepath_match),
        cmocka_unit_test(a_policy_activates_by_any_pattern),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
