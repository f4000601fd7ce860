#include "devenv/sandbox/selectors.h"

#include "tests/unit/test.h"

/* Texts of apimachinery pkg/labels and pkg/fields, some recorded from a real
 * server (labelSelector=a%20b, fieldSelector=foo). */
static void
label_errors(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"a b", "unable to parse requirement: found 'b', expected: in, notin, "
                "=, ==, !=, gt, lt"},
        {"=a", "found '=', expected: !, identifier, or 'end of string'"},
        {"!=a", "found '!=', expected: !, identifier, or 'end of string'"},
        {"!", "unable to parse requirement: found '', expected: identifier"},
        {"a,", "found '', expected: identifier after ','"},
        {"a in b", "unable to parse requirement: found 'b' expected: '('"},
        {"a in (b", "unable to parse requirement: found '', expected: ',' or "
                    "')'"},
        {"a=b c", "found 'c', expected: ',' or 'end of string'"},
        {"a>x", "unable to parse requirement: values[0]: Invalid value: "
                "\"x\": for 'Gt', 'Lt' operators, the value must be an "
                "integer"},
        {"/=b", "unable to parse requirement: <nil>: Invalid value: \"/\": "
                "prefix part must be non-empty; name part must be non-empty; "
                "name part must consist of alphanumeric characters, '-', '_' "
                "or '.', and must start and end with an alphanumeric character "
                "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
                "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct selector s = {0};
        struct status st = {0};

        assert_false(selector_labels_parse(str_of(cases[i].text), &s, &st));
        assert_string_equal(st.message, cases[i].want);
        assert_int_equal(st.code, 400);
        status_release(&st);
    }
}

static void
labels_match(void **state)
{
    static const struct {
        const char *selector, *labels;
        bool want;
    } cases[] = {
        {"", "{}", true},
        {"a", "{\"a\":\"\"}", true},
        {"a", "{}", false},
        {"!a", "{}", true},
        {"! a", "{\"a\":\"1\"}", false},
        {"a=1", "{\"a\":\"1\"}", true},
        {"a==1,b!=2", "{\"a\":\"1\"}", true},
        {"a=1,b!=2", "{\"a\":\"1\",\"b\":\"2\"}", false},
        {"a in (1, 2)", "{\"a\":\"2\"}", true},
        {"a notin (1,2)", "{\"a\":\"2\"}", false},
        {"a notin (1,2)", "{}", true},
        {"a in ()", "{\"a\":\"\"}", true},
        {"a in (,b)", "{\"a\":\"\"}", true},
        {"in in (in,notin)", "{\"in\":\"notin\"}", true},
        {"a=", "{\"a\":\"\"}", true},
        {"a=,b=1", "{\"a\":\"\",\"b\":\"1\"}", true},
        {"a>4", "{\"a\":\"5\"}", true},
        {"a<4", "{\"a\":\"5\"}", false},
        {"a>4", "{\"a\":\"x\"}", false},
        {" example.org/a = x ", "{\"example.org/a\":\"x\"}", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct selector s = {0};
        struct status st = {0};
        struct json *labels = json_parse(str_of(cases[i].labels), NULL, NULL);

        assert_true(selector_labels_parse(str_of(cases[i].selector), &s, &st));
        if (selector_labels_match(&s, labels) != cases[i].want)
            fail_msg("%s on %s", cases[i].selector, cases[i].labels);
        json_free(labels);
        selector_release(&s);
    }
}

static const char *
field(void *arg, const char *key)
{
    return json_get_string(arg, key);
}

static void
fields(void **state)
{
    static const struct {
        const char *selector;
        int want; /* 1 match, 0 none, -1 error */
        const char *message;
    } cases[] = {
        {"metadata.name=a", 1, NULL},
        {"metadata.name==a,metadata.namespace!=n", 0, NULL},
        {"metadata.name!=b", 1, NULL},
        {"gone=", 1, NULL},
        {"odd=x\\,y\\=z", 1, NULL},
        {"foo", -1, "invalid selector: 'foo'; can't understand 'foo'"},
        {"a=b=c", -1,
         "invalid field selector: unescaped character in value: 61"},
    };
    struct json *object =
        json_parse(STR("{\"metadata.name\":\"a\",\"metadata.namespace\":"
                       "\"n\",\"odd\":\"x,y=z\"}"),
                   NULL, NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct selector s = {0};
        struct status st = {0};
        bool good = selector_fields_parse(str_of(cases[i].selector), &s, &st);

        if (cases[i].want < 0) {
            assert_false(good);
            assert_string_equal(st.message, cases[i].message);
        } else {
            assert_true(good);
            assert_int_equal(selector_fields_match(&s, field, object),
                             cases[i].want);
        }
        status_release(&st);
        selector_release(&s);
    }
    json_free(object);
}

static void
exact_value(void **state)
{
    struct selector s = {0};
    struct status st = {0};

    (void)state;
    assert_true(selector_fields_parse(STR("a!=x,b=y"), &s, &st));
    assert_null(selector_fields_exact(&s, "a"));
    assert_string_equal(selector_fields_exact(&s, "b"), "y");
    selector_release(&s);
}

static void
too_much(void **state)
{
    struct buf b = BUF_INIT(1 << 20);
    struct selector s = {0};
    struct status st = {0};

    (void)state;
    for (int i = 0; i < 1001; i++)
        buf_puts(&b, i ? ",a" : "a");
    assert_false(selector_labels_parse(buf_view(&b), &s, &st));
    assert_int_equal(st.code, 400);
    status_release(&st);
    buf_fill(&b, 'a', 70000);
    assert_false(selector_fields_parse(buf_view(&b), &s, &st));
    status_release(&st);
    buf_release(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(label_errors), cmocka_unit_test(labels_match),
        cmocka_unit_test(fields),       cmocka_unit_test(exact_value),
        cmocka_unit_test(too_much),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
