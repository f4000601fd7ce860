/* Where findings stand: fields to values, values to lines and columns. */
#include "lib/base/yaml.h"

#include "lib/schema/path.h"

#include "tests/unit/test.h"

static const char text[] = "# first\n"
                           "spec:\n"
                           "  ports:\n"
                           "  - name: http\n"
                           "    port: 80\n"
                           "  - {name: grpc, port: \"x\"}\n"
                           "  base: &base\n"
                           "    size: 3\n"
                           "  copy: *base\n"
                           "  merged:\n"
                           "    <<: *base\n"
                           "    own: 1\n"
                           "  labels:\n"
                           "    a/b.c: d\n"
                           "    a: {x: y}\n"
                           "  script: |\n"
                           "    one\n"
                           "    two\n"
                           "  \"quoted\": 'ö' \n"
                           "---\n"
                           "# nothing here\n"
                           "---\n"
                           "second: [1,\n"
                           "  2, {k: \xc3\xb6, after: 3}]\n";

static const char json[] =
    "\n{\"a\": {\"b\": [1,\n\t\t2, {\"\xc3\xb6\": 3}]},\n"
    " \"c\": null}";

struct expected {
    size_t doc;
    const char *field, *rest;
    unsigned line, column, key_line, key_column;
};

static void
check(const char *source, const struct expected *e, size_t n)
{
    struct json_places places = {0};
    struct yaml_options o = {.places = &places};
    struct yaml_docs docs = {0};
    struct error err = {0};

    if (!yaml_parse(str_of(source), &o, &docs, &err))
        fail_msg("%s", err.msg);
    for (size_t i = 0; i < n; i++) {
        const char *rest;
        const struct json *j =
            schema_path_find(docs.v[e[i].doc].value, e[i].field, &rest);
        const struct json_place *p = json_places_find(&places, j);

        if (!p)
            fail_msg("%s has no place", e[i].field);
        assert_string_equal(rest, e[i].rest);
        if (p->line != e[i].line || p->column != e[i].column ||
            p->key_line != e[i].key_line || p->key_column != e[i].key_column)
            fail_msg("%s: %u:%u, key %u:%u", e[i].field, p->line, p->column,
                     p->key_line, p->key_column);
    }
    yaml_docs_release(&docs);
    json_places_release(&places);
}

static void
values_have_places(void **state)
{
    static const struct expected e[] = {
        {0, "", "", 2, 1, 0, 0},
        {0, "spec", "", 3, 3, 2, 1},
        {0, "spec.ports[0].port", "", 5, 11, 5, 5},
        {0, "spec.ports[1]", "", 6, 5, 0, 0},
        {0, "spec.ports[1].port", "", 6, 24, 6, 18},
        {0, "spec.ports[2].port", "[2].port", 4, 3, 3, 3},
        {0, "spec.ports[1].absent.deeper", ".absent.deeper", 6, 5, 0, 0},
        {0, "spec.copy", "", 9, 9, 9, 3},
        {0, "spec.merged.own", "", 12, 10, 12, 5},
        {0, "spec.labels.a/b.c", "", 14, 12, 14, 5},
        {0, "spec.labels[a/b.c]", "", 14, 12, 14, 5},
        {0, "spec.labels.a.x", "", 15, 12, 15, 9},
        {0, "spec.script", "", 16, 11, 16, 3},
        {0, "spec.quoted", "", 19, 13, 19, 3},
        {1, "second[1]", "", 24, 3, 0, 0},
        {1, "second[2].after", "", 24, 20, 24, 13},
        {1, "nothing", "nothing", 23, 1, 0, 0},
    };
    static const struct expected of_json[] = {
        {0, "", "", 2, 1, 0, 0},       {0, "a.b[0]", "", 2, 14, 0, 0},
        {0, "a.b[1]", "", 3, 3, 0, 0}, {0, "a.b[2].\xc3\xb6", "", 3, 12, 3, 7},
        {0, "c", "", 4, 7, 4, 2},
    };

    (void)state;
    check(text, e, ARRAY_LEN(e));
    check(json, of_json, ARRAY_LEN(of_json));
}

/* What an alias copied has no place of its own. */
static void
copies_have_none(void **state)
{
    struct json_places places = {0};
    struct yaml_options o = {.places = &places};
    struct yaml_docs docs = {0};
    const char *const fields[] = {"spec.copy.size", "spec.merged.size"};

    (void)state;
    assert_true(yaml_parse(str_of(text), &o, &docs, NULL));
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        const char *rest;
        const struct json *j =
            schema_path_find(docs.v[0].value, fields[i], &rest);

        assert_string_equal(rest, "");
        assert_null(json_places_find(&places, j));
    }
    assert_true(json_places_find(&places, schema_path_find(docs.v[0].value,
                                                           "spec.script", NULL))
                    ->block);
    yaml_docs_release(&docs);
    json_places_release(&places);
}

static void
odd_fields_find_what_they_can(void **state)
{
    static const char *const odd[] = {
        "[",     "[x]", ".",   "..",
        "a..b",  "a[",  "a[0", "a[99999999999999999999]",
        "<nil>", "]",   "a]"};
    struct json *j = json_parse(str_of("{\"a\":[1],\"\":2}"), NULL, NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        const char *rest;

        assert_non_null(schema_path_find(j, odd[i], &rest));
        if (!*rest)
            fail_msg("%s", odd[i]);
    }
    json_free(j);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_places),
        cmocka_unit_test(copies_have_none),
        cmocka_unit_test(odd_fields_find_what_they_can),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
