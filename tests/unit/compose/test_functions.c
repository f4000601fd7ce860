/* Which built-in serves a Function, and what is said when none does. */
#include "lib/compose/functions.h"

#include "tests/unit/compose/compose_test.h"

static void
a_package_tells_the_function(void **state)
{
    static const struct {
        const char *package, *name;
    } cases[] = {
        {"xpkg.crossplane.io/crossplane-contrib/function-auto-ready:v0.6.0",
         "function-auto-ready"},
        {"localhost:5000/function-go-templating", "function-go-templating"},
        {"function-sequencer@sha256:00ff", "function-sequencer"},
        {"r.io/a/b/function-status-transformer:v1@sha256:1",
         "function-status-transformer"},
        {"x/function-auto-ready-plus:v1", NULL},
        {"x/crossplane-contrib-function-auto-ready", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct function *f = function_builtin(str_of(cases[i].package));

        assert_string_equal(f ? f->name : "none",
                            cases[i].name ? cases[i].name : "none");
    }
    assert_ptr_equal(
        function_builtin_in(STR("crossplane-contrib-function-auto-ready")),
        &fn_autoready);
    assert_null(function_builtin_in(STR("function-kcl")));
}

static void
errors_name_the_alternatives(void **state)
{
    struct functions f = {0};
    struct error err = {0};
    AUTO(json_free_ptr)
    struct json *kcl = parse("{'metadata':{'name':'k'},'spec':{'package':"
                             "'x.io/acme/function-kcl:v0.11.0'}}");
    AUTO(json_free_ptr)
    struct json *ar = parse("{'metadata':{'name':'mine'},'spec':{'image':"
                            "'x.io/function-auto-ready:v1'}}");

    (void)state;
    functions_add(&f, kcl);
    functions_add(&f, ar);
    assert_ptr_equal(functions_find(&f, "mine", &err), &fn_autoready);
    assert_null(functions_find(&f, "k", &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(err.msg, "function-kcl is not built in, it runs on "
                                    "a cluster: Function \"k\" of package "
                                    "\"x.io/acme/function-kcl:v0.11.0\"; "
                                    "built in are "));
    assert_non_null(strstr(err.msg, "function-auto-ready"));
    assert_null(functions_find(&f, "other", &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_string_equal(err.msg,
                        "cannot get gRPC client connection for Function "
                        "\"other\": cannot find an active FunctionRevision (a "
                        "FunctionRevision with spec.desiredState: Active)");
    assert_string_equal(err.remedy, "Functions that are there: k, mine.");
    functions_del(&f, "mine");
    assert_false(functions_has(&f, "mine"));
    functions_release(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_package_tells_the_function),
        cmocka_unit_test(errors_name_the_alternatives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
