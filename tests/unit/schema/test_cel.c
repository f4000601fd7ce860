/*
 * Expressions and rules against what cel-go 0.26 with the libraries of
 * Kubernetes 1.34.4 (data/cel_cases.json) and apiextensions-apiserver 0.34.4
 * (data/cel_rules.json) answered: one JSON object a line.
 */
#include "tests/unit/schema/cases.h"
#include "tests/unit/schema/cel_show.h"

#define DATA "tests/unit/schema/data/"

/* ---- expressions ---- */

/* What the typed cases see. */
struct world {
    struct schema *schema;
    struct json *head;
};

static void
same(const struct json *row, const char *key, const char *got)
{
    const char *want = json_get_string(row, key);

    if (want && (!got || strcmp(want, got) != 0))
        fail_msg("%s\n%s: %s\nnot: %s", json_get_string(row, "e"), key, want,
                 got ? got : "(nothing)");
}

static void
evaluate(const struct json *row, const struct world *w, const struct schema *s,
         const struct cel *c)
{
    struct arena *a = arena_new();
    struct cel_run run = {.arena = a};
    struct cel_eval e = {.run = &run};
    AUTO(json_free_ptr)
    struct json *plain =
        json_parse(STR("{\"a\":1,\"x\":{\"y\":2}}"), NULL, NULL);
    AUTO(buf_release) struct buf shown = BUF_INIT(BUF_TEXT_MAX);
    const struct cel_value values[] = {
        cel_of_json(a, s ? json_get(w->head, "self") : plain, s),
        cel_of_json(a, s ? json_get(w->head, "old") : NULL, s),
    };
    struct cel_value v = cel_eval(c, values, &run);
    uint64_t cost = run.cost;

    if (v.kind == CEL_ERROR)
        buf_str(&shown, v.s);
    else
        cel_show(&e, &v, &shown);
    same(row, v.kind == CEL_ERROR ? "x" : "v", buf_cstr(&shown));
    if (!json_get(row, v.kind == CEL_ERROR ? "x" : "v"))
        fail_msg("%s gave %s", json_get_string(row, "e"), buf_cstr(&shown));
    same(row, "t", cel_result_type(c));
    if (json_get(row, "n") &&
        (uint64_t)json_int64_or(json_get(row, "n"), 0) != cost)
        fail_msg("%s cost %llu", json_get_string(row, "e"),
                 (unsigned long long)cost);
    arena_free(a);
}

static void
check(const struct json *row, const struct world *w)
{
    const struct schema *s = json_get(row, "s") ? w->schema : NULL;
    const struct cel_variable variables[] = {{.name = "self", .schema = s},
                                             {.name = "oldSelf", .schema = s}};
    AUTO(buf_release) struct buf why = BUF_INIT(1 << 20);
    struct cel_failure failure = {.text = &why};
    struct cel *c = cel_compile(str_of(json_get_string(row, "e")), variables,
                                ARRAY_LEN(variables), &failure);
    AUTO(mem_free_ptr)
    char *text = mem_printf("%s%s", failure.instantiation ? "program: " : "",
                            buf_cstr(&why));

    if (c)
        evaluate(row, w, s, c);
    else
        same(row, "c", text);
    if (!c != !!json_get(row, "c"))
        fail_msg("%s: %s", json_get_string(row, "e"), text);
    cel_free(c);
}

static void
test_expressions(UNUSED void **state)
{
    AUTO(buf_release) struct buf file = BUF_INIT(8 << 20);
    struct schema_findings problems = {0};
    size_t n = 0;

    cases_load(DATA "cel_cases.json", &file);
    struct str rest = buf_view(&file);
    struct world w = {.head = cases_next(&rest)};

    w.schema = schema_compile(json_get(w.head, "schema"), "", &problems, NULL);
    assert_non_null(w.schema);
    for (struct json *row; (row = cases_next(&rest)); n++) {
        check(row, &w);
        json_free(row);
    }
    assert_true(n > 700);
    schema_free(w.schema);
    json_free(w.head);
}

/* ---- rules ---- */

static void
test_rules(UNUSED void **state)
{
    AUTO(buf_release) struct buf file = BUF_INIT(8 << 20);
    size_t n = 0;

    cases_load(DATA "cel_rules.json", &file);
    struct str rest = buf_view(&file);

    for (struct json *row; (row = cases_next(&rest)); n++) {
        AUTO(schema_findings_release) struct schema_findings f = {0};
        const struct json *crd = json_get(row, "crd");
        struct schema *s = schema_compile(
            crd ? crd : json_get(row, "schema"),
            crd ? "spec.validation.openAPIV3Schema" : "", &f, NULL);

        if (!crd && !s)
            fail_msg("line %zu: %s", n + 1, f.v[0].message);
        if (!crd)
            schema_validate_update(s, json_get(row, "self"),
                                   json_get(row, "old"), &f);
        cases_errors(row, &f);
        schema_free(s);
        json_free(row);
    }
    assert_true(n > 70);
}

/* ---- bounds ---- */

static struct cel_value
run_alone(const char *text, struct cel_run *run, struct cel **out)
{
    AUTO(buf_release) struct buf why = BUF_INIT(1 << 20);
    struct cel_failure failure = {.text = &why};

    *out = cel_compile(str_of(text), NULL, 0, &failure);
    if (!*out)
        fail_msg("%s", buf_cstr(&why));
    return cel_eval(*out, NULL, run);
}

/* Work and memory end, whatever an expression asks for. */
static void
test_bounds(UNUSED void **state)
{
    static const char *const greedy[] = {
        "lists.range(1000000000000).size() > 0",
        "lists.range(100000).all(x, lists.range(1000).all(y, y >= 0))",
        "lists.range(20).map(a, lists.range(500).map(b, [b])).flatten()"
        ".map(l, l + l + l + l).distinct().size() > 0",
        "lists.range(60).transformMap(i, v, lists.range(30000)).size() > 0",
        "lists.range(3000).map(x, lists.range(3000)).flatten().size() > 0",
    };

    for (size_t i = 0; i < ARRAY_LEN(greedy); i++) {
        struct cel_run run = {.arena = arena_new()};
        struct cel *c;
        struct cel_value v = run_alone(greedy[i], &run, &c);

        if (!run.stopped)
            fail_msg("%s was not stopped", greedy[i]);
        assert_int_equal(v.kind, CEL_ERROR);
        assert_true(arena_size(run.arena) < (200 << 20));
        cel_free(c);
        arena_free(run.arena);
    }
}

/* A source can nest and be long, within limits. */
static void
test_sources(UNUSED void **state)
{
    AUTO(buf_release) struct buf deep = BUF_INIT(1 << 20);
    AUTO(buf_release) struct buf wide = BUF_INIT(1 << 20);
    AUTO(buf_release) struct buf why = BUF_INIT(1 << 20);
    struct cel_failure failure = {.text = &why};

    buf_fill(&deep, '(', 300);
    buf_puts(&deep, "1");
    buf_fill(&deep, ')', 300);
    assert_null(cel_compile(buf_view(&deep), NULL, 0, &failure));
    assert_non_null(strstr(buf_cstr(&why), "recursion limit exceeded: 250"));
    for (size_t i = 0; i < 40000; i++)
        buf_puts(&wide, "1+");
    buf_puts(&wide, "1");
    buf_reset(&why);
    assert_null(cel_compile(buf_view(&wide), NULL, 0, &failure));
    assert_non_null(strstr(buf_cstr(&why), "recursion limit exceeded"));
    buf_fill(&wide, ' ', 100001);
    buf_reset(&why);
    assert_null(cel_compile(buf_view(&wide), NULL, 0, &failure));
    assert_non_null(strstr(buf_cstr(&why), "code point size exceeds limit"));
}

static void
test_names(UNUSED void **state)
{
    static const struct {
        const char *name, *ident;
    } cases[] = {
        {"a", "a"},
        {"a-b.c/d", "a__dash__b__dot__c__slash__d"},
        {"a__b", "a__underscores__b"},
        {"namespace", "__namespace__"},
        {"in", "__in__"},
        {"_x", "_x"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_release) struct buf there = BUF_INIT(100);
        AUTO(buf_release) struct buf back = BUF_INIT(100);

        assert_true(cel_escape(str_of(cases[i].name), &there));
        assert_string_equal(buf_cstr(&there), cases[i].ident);
        assert_true(cel_unescape(buf_view(&there), &back));
        assert_string_equal(buf_cstr(&back), cases[i].name);
    }
    AUTO(buf_release) struct buf none = BUF_INIT(100);

    assert_false(cel_escape(STR("1a"), &none));
    assert_false(cel_escape(STR("a b"), &none));
    assert_false(cel_unescape(STR("__nope__"), &none));
}

static void
test_json(UNUSED void **state)
{
    struct cel_run run = {.arena = arena_new()};
    struct error err = {0};
    struct cel *c;
    struct cel_value v =
        run_alone("{'a': dyn(2), 'b': dyn([null]), 'c': dyn(optional.none()),"
                  " 'd': dyn(duration('90s')), 'e': dyn(b'hi'), 'f': dyn(7u)}",
                  &run, &c);
    AUTO(json_free_ptr) struct json *j = cel_to_json(v, &err);
    AUTO(mem_free_ptr) char *text = json_text(j, JSON_COMPACT);

    assert_string_equal(text,
                        "{\"a\":2,\"b\":[null],\"c\":null,\"d\":\"90s\",\"e\":"
                        "\"aGk=\",\"f\":7}");
    cel_free(c);
    arena_free(run.arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expressions), cmocka_unit_test(test_rules),
        cmocka_unit_test(test_bounds),      cmocka_unit_test(test_sources),
        cmocka_unit_test(test_names),       cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
