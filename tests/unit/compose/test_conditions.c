/* Conditions keep their time while nothing changes, as crossplane-runtime. */
#include "lib/base/buf.h"

#include "lib/compose/conditions.h"

#include "tests/unit/compose/compose_test.h"

static void
only_a_change_moves_the_time(void **state)
{
    AUTO(json_free_ptr) struct json *obj = parse("{}");
    struct condition ready = {"Ready", "False", "Creating", "Unready: a", 3};
    struct condition synced = {"Synced", "True", "ReconcileSuccess", NULL, 0};

    (void)state;
    assert_true(condition_set(obj, &ready, 0));
    assert_true(condition_set(obj, &synced, 1));
    assert_false(condition_set(obj, &ready, 60));
    expect(obj,
           "{'status':{'conditions':[{'lastTransitionTime':"
           "'1970-01-01T00:00:00Z','message':'Unready: a',"
           "'observedGeneration':3,'reason':'Creating','status':'False',"
           "'type':'Ready'},{'lastTransitionTime':'1970-01-01T00:00:01Z',"
           "'reason':'ReconcileSuccess','status':'True','type':'Synced'}]}}");
    ready.generation = 4;
    assert_true(condition_set(obj, &ready, 60));
    assert_string_equal(
        json_get_string(condition_get(obj, "Ready"), "lastTransitionTime"),
        "1970-01-01T00:01:00Z");
    assert_true(condition_true(obj, "Synced"));
    assert_false(condition_true(obj, "Ready"));
    assert_false(condition_true(NULL, "Ready"));
    assert_ptr_equal(json_first(json_at(obj, "status", "conditions", NULL)),
                     condition_get(obj, "Ready"));
}

static void
lists_of_names_read_like_upstreams(void **state)
{
    static const struct {
        const char *names, *want;
    } cases[] = {
        {"b", "b"},
        {"b,a", "a, b"},
        {"c,b,a", "a, b, and c"},
        {"d,c,b,a", "a, b, c, and 1 more"},
        {"e,d,c,b,a", "a, b, c, and 2 more"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(strlist_release) struct strlist l = {0};
        AUTO(buf_release) struct buf b = BUF_INIT(1000);
        struct str rest = str_of(cases[i].names), piece;

        while (str_next(&rest, ',', &piece))
            strlist_add(&l, piece);
        condition_names(&l, &b);
        assert_string_equal(buf_cstr(&b), cases[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_change_moves_the_time),
        cmocka_unit_test(lists_of_names_read_like_upstreams),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
