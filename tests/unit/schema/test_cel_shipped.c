/*
 * Every rule of the CRDs and XRDs that come with the program compiles, within
 * its cost, and is evaluated once true and once false at each of its places
 * (data/shipped_rules.yaml).
 */
#include <glob.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "lib/schema/cel.h"

#include "tests/unit/test.h"

#define VALUES "tests/unit/schema/data/shipped_rules.yaml"

struct shipped {
    const struct json *values; /* rows of VALUES */
    struct strlist used;       /* their numbers */
    const char *file;
    size_t places;
};

static struct yaml_docs
load(const char *path)
{
    AUTO(buf_release) struct buf text = BUF_INIT(8 << 20);
    struct yaml_docs docs = {0};
    struct yaml_options o = {.max_nodes = 1 << 20, .max_documents = 1000};
    struct error err = {0};

    if (!file_read(path, &text, &err) ||
        !yaml_parse(buf_view(&text), &o, &docs, &err))
        fail_msg("%s: %s", path, err.msg);
    return docs;
}

/* ---- one rule at one place ---- */

/* White space counts for nothing: files fold lines where they like. */
static bool
same_rule(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, " \n");
        b += strspn(b, " \n");
        if (*a != *b || !*a)
            return *a == *b;
    }
}

static void
evaluate(struct shipped *t, const struct cel *c, const struct schema *s,
         const struct json *row, const char *key, bool wanted)
{
    struct cel_run run = {.arena = arena_new()};
    const struct json *self = json_get(json_get(row, key), "self");
    const struct json *old = json_get(json_get(row, key), "old");
    const struct cel_value values[] = {cel_of_json(run.arena, self, s),
                                       cel_of_json(run.arena, old, s)};
    struct cel_value v = cel_eval(c, values, &run);

    if (v.kind != CEL_BOOL || v.b != wanted)
        fail_msg("%s: %s %s: %.*s", t->file, json_get_string(row, "rule"), key,
                 v.kind == CEL_ERROR ? (int)v.s.n : 0, v.s.s);
    arena_free(run.arena);
}

static void
play(struct shipped *t, const struct schema *s, const struct json *rule)
{
    const struct cel_variable variables[] = {{.name = "self", .schema = s},
                                             {.name = "oldSelf", .schema = s}};
    const char *source = json_get_string(rule, "rule");
    AUTO(buf_release) struct buf why = BUF_INIT(1 << 20);
    struct cel_failure failure = {.text = &why};
    struct cel *c = cel_compile(str_of(source), variables, 2, &failure);
    const struct json *row = json_first(t->values);
    size_t i = 0;

    for (; row; row = json_next(row), i++) {
        const char *of = json_get_string(row, "of");

        if (same_rule(source, json_get_string(row, "rule")) &&
            (!of || !strcmp(of, schema_type_name(schema_info(s)->type))))
            break;
    }
    if (!c || !row)
        fail_msg("%s: %s: %s", t->file, source,
                 c ? "no values for it" : buf_cstr(&why));
    evaluate(t, c, s, row, "holds", true);
    evaluate(t, c, s, row, "fails", false);
    strlist_addf(&t->used, "%zu", i);
    t->places++;
    cel_free(c);
}

/* ---- all places ---- */

static void
walk(struct shipped *t, const struct schema *s)
{
    const char *name;
    bool required;

    const struct json *rule = s ? json_first(schema_info(s)->rules) : NULL;

    for (; rule; rule = json_next(rule))
        play(t, s, rule);
    for (size_t i = 0; s && i < schema_property_count(s); i++)
        walk(t, schema_property(s, i, &name, &required));
    if (s)
        walk(t, schema_items(s));
    if (s)
        walk(t, schema_values(s));
}

static void
walk_kind(struct shipped *t, const struct json *kind)
{
    const struct json *v = json_first(json_at(kind, "spec", "versions", NULL));

    for (; v; v = json_next(v)) {
        AUTO(schema_findings_release) struct schema_findings bad = {0};
        AUTO(schema_free_ptr)
        struct schema *s =
            schema_compile(json_at(v, "schema", "openAPIV3Schema", NULL),
                           "schema", &bad, NULL);

        if (!s)
            fail_msg("%s: %s", t->file, bad.v[0].message);
        walk(t, s);
    }
}

static void
walk_files(struct shipped *t, const char *pattern)
{
    glob_t g = {0};

    assert_int_equal(glob(pattern, 0, NULL, &g), 0);
    for (size_t i = 0; i < g.gl_pathc; i++) {
        struct yaml_docs docs = load(g.gl_pathv[i]);

        t->file = g.gl_pathv[i];
        for (size_t d = 0; d < docs.n; d++)
            walk_kind(t, docs.v[d].value);
        yaml_docs_release(&docs);
    }
    globfree(&g);
}

static void
test_shipped(UNUSED void **state)
{
    struct yaml_docs values = load(VALUES);
    struct shipped t = {.values = values.v[0].value};

    walk_files(&t, "assets/crossplane/*.yaml");
    walk_files(&t, "assets/mesh-core/xrds/*.yaml");
    for (size_t i = 0; i < json_len(t.values); i++) {
        AUTO(mem_free_ptr) char *number = mem_printf("%zu", i);

        if (!strlist_has(&t.used, str_of(number)))
            fail_msg("row %zu of " VALUES " is of no rule", i);
    }
    assert_true(t.places >= 60);
    strlist_release(&t.used);
    yaml_docs_release(&values);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shipped)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
