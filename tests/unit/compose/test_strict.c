/* Inputs as the Go decoder takes them; the messages are recorded. */
#include "lib/compose/strict.h"

#include "tests/unit/compose/compose_test.h"

static const struct strict_type item = {
    .kind = STRICT_STRUCT,
    .go = "v1.Item",
    .fields = (const struct strict_field[]){
        {"n", &strict_int64}, {"u", &strict_uint64}, {"b", &strict_bool}, {0}}};
static const struct strict_type items = {
    .kind = STRICT_LIST, .go = "[]v1.Item", .item = &item};
static const struct strict_type input = {
    .kind = STRICT_STRUCT,
    .go = "v1.Input",
    .fields = (const struct strict_field[]){STRICT_TYPE_META,
                                            {"items", &items},
                                            {"any", &strict_any},
                                            {"map", &strict_string_map},
                                            {0}}};

#define J "json: unable to unmarshal "

static void
one_decoder(void **state)
{
    static const struct {
        const char *in, *want; /* NULL: taken */
    } cases[] = {
        {"{}", NULL},
        {"null", NULL},
        {"{'metadata':{'name':'x','labels':{'a':'b'}},'kind':null}", NULL},
        {"{'items':[{'n':-3,'u':3.0,'b':true},null],'any':[1,{'x':2}]}", NULL},
        {"[]", J "JSON array into Go value of type v1.Input"},
        {"{'z':1,'kind':2}", J "JSON number into Go value of type string"},
        {"{'z':1,'kind':'k'}", J "Go value of type v1.Input: unknown name "
                                 "\"z\""},
        {"{'Kind':'k'}", J "Go value of type v1.Input: unknown name \"Kind\""},
        {"{'items':{}}", J "JSON object into Go value of type []v1.Item"},
        {"{'items':['a']}", J "JSON string into Go value of type v1.Item"},
        {"{'items':[{'n':1.5}]}",
         J "JSON number into Go value of type int64: cannot parse \"1.5\" as "
           "signed integer: invalid syntax"},
        {"{'items':[{'u':-1}]}",
         J "JSON number into Go value of type uint64: cannot parse \"-1\" as "
           "unsigned integer: invalid syntax"},
        {"{'items':[{'n':1e19}]}",
         J "JSON number into Go value of type int64: cannot parse "
           "\"10000000000000000000\" as signed integer: value out of range"},
        {"{'items':[{'b':'yes'}]}", J "JSON string into Go value of type bool"},
        {"{'map':{'a':'b','c':false}}",
         J "JSON boolean into Go value of type string"},
        {"{'metadata':{'x':1}}",
         J "Go value of type v1.ObjectMeta: unknown name \"x\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(json_free_ptr) struct json *j = parse(cases[i].in);
        struct error err = {0};
        bool ok = strict_check(j, &input, &err);

        assert_string_equal(ok ? "" : err.msg,
                            cases[i].want ? cases[i].want : "");
    }
    assert_true(strict_check(NULL, &input, NULL));
}

static void
an_input_says_whose_it_is(void **state)
{
    AUTO(json_free_ptr) struct json *j = parse("{'x':1}");
    struct error err;

    (void)state;
    assert_false(strict_input(j, &input, &err));
    assert_string_equal(
        err.msg,
        "cannot get function input *v1.Input from *v1.RunFunctionRequest: "
        "cannot unmarshal JSON from *structpb.Struct into *v1.Input: " J
        "Go value of type v1.Input: unknown name \"x\"");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_decoder),
        cmocka_unit_test(an_input_says_whose_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
