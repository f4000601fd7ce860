/* function-extra-resources: what it asks for, what it makes of the answer. */
#include "lib/compose/function.h"

#include "tests/unit/compose/compose_test.h"

#define REF "{'into':'r','apiVersion':'v1','kind':'K','ref':{'name':'n'}}"
#define SEL(more)                                                              \
    "{'type':'Selector','into':'r','apiVersion':'v1','kind':'K','selector':{"  \
    "'matchLabels':[{'key':'a','type':'Value','value':'b'}]" more "}}"
#define ITEM(name, prio)                                                       \
    "{'resource':{'metadata':{'name':'" name "'},'spec':{'p':" prio "}}}"

/* Runs it with spec and requiredResources.r.items; returns the context or, on
 * a fatal result, NULL and its text in *why. */
static struct json *
ask(const char *spec, const char *items, struct json **wanted, char **why)
{
    AUTO(json_free_ptr)
    struct json *data =
        parse("{'input':{},'observed':{'composite':{'resource':{'spec':{"
              "'team':'red','n':1}}}}}");
    struct fn_request req = {.data = data};
    struct fn_response rsp;
    struct json *context = NULL;

    json_set(json_get(data, "input"), "spec", parse(spec));
    if (items) {
        struct json *r =
            json_need_object(json_need_object(data, "requiredResources"), "r");

        if (*items)
            json_set(r, "items", parse(items));
    }
    fn_response_init(&rsp, &req);
    fn_extraresources.run(&req, &rsp);
    if (fn_is_fatal(&rsp)) {
        *why = strdup(rsp.results[0].message);
    } else {
        context = rsp.context;
        rsp.context = NULL;
    }
    if (wanted) {
        *wanted = rsp.requirements;
        rsp.requirements = NULL;
    }
    fn_response_release(&rsp);
    return context;
}

static void
it_asks_by_name_and_by_labels(void **state)
{
    struct json *wanted, *context;
    char *why = NULL;

    (void)state;
    context = ask("{'extraResources':[" REF ",{'type':'Selector','into':'s',"
                  "'apiVersion':'v1','kind':'K','namespace':'ns','selector':{"
                  "'matchLabels':[{'key':'t','valueFromFieldPath':"
                  "'spec.team'},{'key':'x','valueFromFieldPath':'spec.no',"
                  "'fromFieldPathPolicy':'Optional'}]}},{'type':'Selector',"
                  "'into':'none','selector':{'matchLabels':[{'key':'x',"
                  "'valueFromFieldPath':'spec.no','fromFieldPathPolicy':"
                  "'Optional'}]}}]}",
                  NULL, &wanted, &why);
    expect(context, "{}");
    expect(wanted,
           "{'r':{'apiVersion':'v1','kind':'K','matchName':'n'},'s':{"
           "'apiVersion':'v1','kind':'K','matchLabels':{'labels':{'t':'red'}},"
           "'namespace':'ns'}}");
    json_free(context);
    json_free(wanted);
}

static void
what_came_is_sorted_and_cut(void **state)
{
    struct json *context;
    char *why = NULL;

    (void)state;
    context =
        ask("{'extraResources':[" SEL(
                ",'sortByFieldPath':'spec.p','maxMatch':2") "]}",
            "[" ITEM("a", "10") "," ITEM("b", "9") "," ITEM("c", "null") "]",
            NULL, &why);
    expect(context, "{'apiextensions.crossplane.io/extra-resources':{'r':[{"
                    "'metadata':{'name':'c'},'spec':{'p':null}},{"
                    "'metadata':{'name':'b'},'spec':{'p':9}}]}}");
    json_free(context);
    context =
        ask("{'policy':{'resolution':'Optional'},'extraResources':[" REF "]}",
            "", NULL, &why);
    expect(context, "{'apiextensions.crossplane.io/extra-resources':{}}");
    json_free(context);
}

static void
failures_are_fatal(void **state)
{
    static const struct {
        const char *spec, *items, *want;
    } cases[] = {
        {"{'extraResources':[" REF "]}", "",
         "verifying and sorting extra resources: Required extra resource "
         "\"r\" not found"},
        {"{'extraResources':[" REF "]}",
         "[" ITEM("a", "1") "," ITEM("b", "1") "]",
         "verifying and sorting extra resources: expected exactly one extra "
         "resource \"r\", got 2"},
        {"{'extraResources':[" SEL(",'minMatch':2") "]}",
         "[" ITEM("a", "1") "]",
         "verifying and sorting extra resources: expected at least 2 extra "
         "resources \"r\", got 1"},
        {"{'extraResources':[" SEL(",'sortByFieldPath':'spec.p'") "]}",
         "[" ITEM("a", "1") "," ITEM("b", "'x'") "]",
         "verifying and sorting extra resources: cannot sort values of "
         "different types \"float64\" and \"string\""},
        {"{'extraResources':[{'type':'Selector','selector':{'matchLabels':[{"
         "'key':'k','valueFromFieldPath':'spec.no'}]}}]}",
         NULL,
         "could not build extra resource requirements: cannot get value from "
         "field path \"spec.no\": spec.no: no such field"},
        {"{'extraResources':[{'type':'Selector','selector':{'matchLabels':[{"
         "'key':'k','valueFromFieldPath':'spec.n'}]}}]}",
         NULL,
         "could not build extra resource requirements: cannot get value from "
         "field path \"spec.n\": spec.n: not a string"},
        {"{'context':{'key':'k'}}", NULL,
         "cannot get Function input from *v1.RunFunctionRequest: cannot get "
         "function input *v1beta1.Input from *v1.RunFunctionRequest: cannot "
         "unmarshal JSON from *structpb.Struct into *v1beta1.Input: json: "
         "unable to unmarshal Go value of type v1beta1.InputSpec: unknown name "
         "\"context\""},
        {"{'extraResources':[{'into':'other','ref':{'name':'x'}}]}", "",
         "verifying and sorting extra resources: cannot find expected extra "
         "resource \"other\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *why = NULL;
        struct json *context = ask(cases[i].spec, cases[i].items, NULL, &why);

        assert_null(context);
        assert_string_equal(why, cases[i].want);
        free(why);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_asks_by_name_and_by_labels),
        cmocka_unit_test(what_came_is_sorted_and_cut),
        cmocka_unit_test(failures_are_fatal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
