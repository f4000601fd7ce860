/* Templates: what Go's text/template with sprig made of the same templates
 * (template_vectors.json, recorded), and the caps. */
#include "lib/base/file.h"

#include "lib/compose/template.h"

#include "tests/unit/test.h"

#define VECTORS "tests/unit/compose/template_vectors.json"

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_as_go_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
