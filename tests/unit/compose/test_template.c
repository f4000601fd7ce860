/* Templates: what Go's text/template with sprig made of the same templates
 * (template_vectors.json and, found by chance among tens of thousands,
 * template_goldens.json; both recorded), and the caps. */
#include "lib/base/file.h"

#include "lib/compose/template.h"

#include "tests/unit/test.h"

#define VECTORS "tests/unit/compose/template_vectors.json"
#define GOLDENS "tests/unit/compose/template_goldens.json"

/* Parses and runs text; true when it made output. */
static bool
render(struct str text, const struct json *data, struct template_run run,
       struct buf *out, struct error *err)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    AUTO(template_free_ptr)
    struct template *t =
        template_parse("manifests", text, STR(""), STR(""), err);

    run.arena = a;
    return t && template_execute(t, value_json(a, data, NUMBERS_K8S), &run, out,
                                 err);
}

static bool
matches(const struct json *c, const struct json *data)
{
    AUTO(buf_release) struct buf out = BUF_INIT(BUF_TEXT_MAX);
    struct template_run run = {0};
    struct error err = {0};
    const char *text = json_get_string(c, "template");
    const char *want = json_get_string(c, "want");
    const char *want_error = json_get_string(c, "want_error");
    const struct json *o = json_first(json_get(c, "options"));

    for (; o; o = json_next(o))
        assert_true(template_option(&run, str_of(json_string(o)), NULL));
    bool ok = render(str_of(text), data, run, &out, &err);

    if (want ? ok && strcmp(buf_cstr(&out), want) == 0
             : !ok && strcmp(err.msg, want_error) == 0)
        return true;
    print_error("template: %s\n    want: %s\n     got: %s\n", text,
                want ? want : want_error, ok ? buf_cstr(&out) : err.msg);
    return false;
}

static void
answers_as_go_does(void **state)
{
    AUTO(buf_release) struct buf file = BUF_INIT(BUF_TEXT_MAX);
    struct error err = {0};
    size_t n = 0, wrong = 0;

    (void)state;
    assert_true(file_read(VECTORS, &file, &err));
    AUTO(json_free_ptr)
    struct json *all = json_parse(buf_view(&file), NULL, &err);

    assert_non_null(all);
    const struct json *c = json_first(json_get(all, "cases"));

    for (; c; c = json_next(c)) {
        size_t set = (size_t)json_int64_or(json_get(c, "data"), 0);

        wrong += !matches(c, json_item(json_get(all, "data"), set));
        n++;
    }
    assert_true(n >= 250);
    if (wrong)
        print_error("%zu of %zu differ\n", wrong, n);
    assert_int_equal(wrong, 0);
}

/* One case is [template, data, whether it works, output or error]; data is an
 * object, 0 for the common one, -1 for none. */
static bool
golden(const struct json *c, const struct json *common)
{
    AUTO(buf_release) struct buf out = BUF_INIT(BUF_TEXT_MAX);
    const struct json *data = json_item(c, 1);
    const char *text = json_string(json_item(c, 0));
    const char *want = json_string(json_item(c, 3));
    bool works = json_int64_or(json_item(c, 2), 0);
    struct error err = {0};

    if (!json_is(data, JSON_OBJECT))
        data = json_int64_or(data, 0) ? NULL : common;
    bool ok = render(str_of(text), data, (struct template_run){0}, &out, &err);

    if (ok == works && strcmp(ok ? buf_cstr(&out) : err.msg, want) == 0)
        return true;
    print_error("template: %s\n    want: %s\n     got: %s\n", text, want,
                ok ? buf_cstr(&out) : err.msg);
    return false;
}

static void
answers_any_template_as_go_does(void **state)
{
    AUTO(buf_release) struct buf file = BUF_INIT(BUF_TEXT_MAX);
    size_t n = 0, wrong = 0;

    (void)state;
    assert_true(file_read(GOLDENS, &file, NULL));
    AUTO(json_free_ptr)
    struct json *all = json_parse(buf_view(&file), NULL, NULL);
    const struct json *c = json_first(json_get(all, "cases"));

    for (; c; c = json_next(c), n++)
        wrong += !golden(c, json_get(all, "data"));
    assert_true(n >= 1000);
    assert_int_equal(wrong, 0);
}

/* What chance and the clock decide is told by its properties. */
static void
secrets_have_their_properties(void **state)
{
    static const char *const truths[] = {
        "eq \"wörld\" (decryptAES \"k\" (encryptAES \"k\" \"wörld\"))",
        "ne (encryptAES \"k\" \"a\") (encryptAES \"k\" \"a\")",
        "regexMatch \"^u:\\\\$2a\\\\$10\\\\$[./A-Za-z0-9]{53}$\" (htpasswd "
        "\"u\" \"p\")",
        "eq 5 (len (b64dec (randBytes 5)))",
        "regexMatch \"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
        "[0-9a-f]{12}$\" uuidv4",
        "regexMatch \"^[0-9]{7}$\" (randNumeric 7)",
        "and (ge (randInt 3 5) 3) (lt (randInt 3 5) 5)",
        "has (randomChoice \"a\" \"b\") (list \"a\" \"b\")",
        "hasPrefix \"-----BEGIN EC PRIVATE KEY-----\\n\" (genPrivateKey "
        "\"ecdsa\")",
        "hasPrefix \"-----BEGIN PRIVATE KEY-----\\n\" (genPrivateKey "
        "\"ed25519\")",
        "eq (derivePassword 1 \"long\" \"password\" \"user\" "
        "\"example.com\") \"ZedaFaxcZaso9*\"",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(truths); i++) {
        AUTO(buf_release) struct buf text = BUF_INIT(1000), out = BUF_INIT(100);
        struct error err = {0};

        buf_printf(&text, "{{ %s }}", truths[i]);
        if (!render(buf_view(&text), NULL, (struct template_run){.seed = 5},
                    &out, &err) ||
            strcmp(buf_cstr(&out), "true") != 0)
            fail_msg("%s: %s%s", truths[i], buf_cstr(&out), err.msg);
    }
}

/* A leaf that its authority signed, with the key it was given; buildCustomCert
 * reads both again. */
static void
certificates_are_signed(void **state)
{
    AUTO(buf_release) struct buf out = BUF_INIT(1000);
    struct template_run run = {.now_ns = 1700000000 * INT64_C(1000000000)};
    struct error err = {0};

    (void)state;
    if (!render(STR("{{ $k := genPrivateKey \"ecdsa\" }}"
                    "{{ $ca := genCAWithKey \"ca\" 365 $k }}"
                    "{{ $c := genSignedCertWithKey \"leaf\" (list \"10.0.0.1\" "
                    "\"::1\") (list \"a.example\") 30 $ca (genPrivateKey "
                    "\"ed25519\") }}"
                    "{{ $b := buildCustomCert (b64enc $c.Cert) (b64enc $c.Key) "
                    "}}{{ eq $ca.Key $k }} {{ eq $b.Cert $c.Cert }} "
                    "{{ ne $ca.Cert $c.Cert }} {{ typeOf $c }}"),
                NULL, run, &out, &err))
        fail_msg("%s", err.msg);
    assert_string_equal(buf_cstr(&out), "true true true sprig.certificate");
}

/* ---- what Go has no answer for: caps, time, chance ---- */

static void
caps_are_told(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{{range 3000000}}{{end}}", "more than 2000000 steps"},
        {"{{define \"r\"}}{{template \"r\"}}{{end}}{{template \"r\"}}",
         "exceeded maximum template depth (1000)"},
        {"{{define \"r\"}}{{include \"r\" .}}{{end}}{{include \"r\" .}}",
         "nested reference name: r: unable to execute template"},
        {"{{range 1000}}{{repeat 10000 \"x\"}}{{end}}",
         "the output is larger than 8388608 bytes"},
        {"{{$x := \"ab\"}}{{range 30}}{{$x = print $x $x}}{{end}}",
         "a text is larger than 8388608 bytes"},
        {"{{range 100}}{{$x := repeat 8000000 \"x\"}}{{end}}",
         "bytes of memory used"},
        {"{{until 1000001}}", "a list has more than 1000000 elements"},
        {"{{printf \"%1000000d\" 1 | repeat 9}}", "a text is larger"},
        {"{{uniq (until 6000)}}", "a list has more than 5000 elements"},
        {"{{range $i := until 2000}}{{regexMatch (print $i) \"\"}}{{end}}",
         "more than 1000 regular expressions"},
        {"{{$d := dict}}{{$_ := set $d \"d\" $d}}{{toJson $d}}",
         "nests deeper than 200"},
        {"{{$x := list 1}}{{range 19}}{{$x = list $x $x}}{{end}}{{$y := "
         "deepCopy $x}}{{range 1000}}{{$_ := deepEqual $x $y}}{{end}}",
         "too much to do"},
        {"{{$x := repeat 8000000 \"a\"}}{{range 1000}}{{contains \"b\" $x}}"
         "{{end}}",
         "too much to do"},
        {"{{regexMatch (repeat 500 \"a*\") (repeat 1000000 \"a\")}}",
         "too much to do"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_release) struct buf out = BUF_INIT(BUF_TEXT_MAX);
        struct error err = {0};

        assert_false(render(str_of(cases[i].text), NULL,
                            (struct template_run){0}, &out, &err));
        if (err.code != ERR_LIMIT || !strstr(err.msg, cases[i].message))
            fail_msg("%s: %s", cases[i].text, err.msg);
    }
}

/* n times open, then n times close. */
static void
nesting(const char *open, const char *close, unsigned n, bool ok)
{
    AUTO(buf_release) struct buf text = BUF_INIT(4 << 20);
    struct error err = {0};

    for (unsigned i = 0; i < n; i++)
        buf_puts(&text, open);
    buf_puts(&text, "1");
    for (unsigned i = 0; i < n; i++)
        buf_puts(&text, close);
    AUTO(template_free_ptr)
    struct template *t =
        template_parse("t", buf_view(&text), STR(""), STR(""), &err);

    assert_int_equal(t != NULL, ok);
}

static void
nesting_is_bounded(void **state)
{
    (void)state;
    nesting("{{if 1}}", "{{end}}", 200, true);
    nesting("{{if 1}}", "{{end}}", 201, false);
    nesting("{{if 1}}x{{else if 2}}", "", 300, false);
    nesting("{{block \"b\" .}}", "{{end}}", 100000, false);
    nesting("{{(", ")}}", 1, true);
    nesting("{{1 | print (", "", 10000, false);
}

static void
time_and_chance_come_from_the_caller(void **state)
{
    AUTO(buf_release) struct buf one = BUF_INIT(1000), two = BUF_INIT(1000);
    const char *text = "{{now | date \"2006-01-02 15:04:05\"}} {{uuidv4}} "
                       "{{randAlphaNum 8}} {{randomChoice \"a\" \"b\"}} "
                       "{{ago 1700000000}}";
    struct template_run run = {.now_ns = 1700003661 * INT64_C(1000000000),
                               .seed = 7};

    (void)state;
    assert_true(render(str_of(text), NULL, run, &one, NULL));
    assert_true(render(str_of(text), NULL, run, &two, NULL));
    assert_string_equal(buf_cstr(&one), buf_cstr(&two));
    assert_true(str_starts(buf_view(&one), STR("2023-11-14 23:14:21 ")));
    assert_true(str_ends(buf_view(&one), STR(" 1h1m1s")));
    run.seed = 8;
    buf_reset(&two);
    assert_true(render(str_of(text), NULL, run, &two, NULL));
    assert_string_not_equal(buf_cstr(&one), buf_cstr(&two));
}

/* A template serves many executions, and what one changes with set is not in
 * the data of the next. */
static void
executions_do_not_touch_each_other(void **state)
{
    struct json *data = json_parse(STR("{\"m\":{\"a\":1}}"), NULL, NULL);
    struct template *t = template_parse(
        "t", STR("{{$_ := set .m \"a\" 2}}{{$_ = set .m \"b\" .m.b}}{{.m}}"),
        STR(""), STR(""), NULL);

    (void)state;
    for (int i = 0; i < 2; i++) {
        AUTO(arena_free_ptr) struct arena *a = arena_new();
        AUTO(buf_release) struct buf out = BUF_INIT(1000);
        struct template_run run = {.arena = a};

        assert_true(template_execute(t, value_json(a, data, NUMBERS_K8S), &run,
                                     &out, NULL));
        assert_string_equal(buf_cstr(&out), "map[a:2 b:<nil>]");
    }
    template_free(t);
    json_free(data);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_as_go_does),
        cmocka_unit_test(answers_any_template_as_go_does),
        cmocka_unit_test(secrets_have_their_properties),
        cmocka_unit_test(certificates_are_signed),
        cmocka_unit_test(caps_are_told),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(time_and_chance_come_from_the_caller),
        cmocka_unit_test(executions_do_not_touch_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
