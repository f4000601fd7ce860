/* What a change does to the composites that are there, in groups. */
#include "lib/base/mem.h"

#include "lib/mesh/impact.h"

#include "cli/overlay.h"

#include "tests/unit/mesh/fixture.h"

static const char machinery[] =
    "apiVersion: apiextensions.crossplane.io/v2\n"
    "kind: CompositeResourceDefinition\n"
    "metadata: {name: boxes.x.io}\n"
    "spec:\n"
    "  group: x.io\n"
    "  names: {kind: Box, plural: boxes}\n"
    "  scope: Namespaced\n"
    "  versions:\n"
    "  - {name: v1, served: true, referenceable: true, schema:\n"
    "     {openAPIV3Schema: {type: object, properties: {spec: {type: object,\n"
    "     properties: {size: {type: integer}, old: {type: string}}}}}}}\n"
    "---\n"
    "apiVersion: pkg.crossplane.io/v1\nkind: Function\n"
    "metadata: {name: t}\n"
    "spec: {package: x.io/y/function-go-templating:v0.12.2}\n";

#define NAMED                                                                  \
    "\"metadata\": {\"annotations\": {"                                        \
    "\"gotemplating.fn.crossplane.io/composition-resource-name\": "
#define COMPOSITION(template)                                                  \
    "apiVersion: apiextensions.crossplane.io/v1\nkind: Composition\n"          \
    "metadata: {name: c}\n"                                                    \
    "spec:\n"                                                                  \
    "  compositeTypeRef: {apiVersion: x.io/v1, kind: Box}\n"                   \
    "  pipeline:\n"                                                            \
    "  - step: s\n"                                                            \
    "    functionRef: {name: t}\n"                                             \
    "    input: {source: Inline, inline: {template: '" template "'}}\n"
#define MAP(resource, value)                                                   \
    "{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", " NAMED "\"" resource   \
    "\"}}, \"data\": {\"v\": \"" value "\"}}\n"
#define DATASET(name)                                                          \
    "{\"apiVersion\": \"gcp.io/v1\", \"kind\": \"Dataset\", " NAMED "\"" name  \
    "\"}}, \"spec\": {\"forProvider\": {}}}\n"

static struct overlay base, next;
static struct mesh_host base_host, next_host;
static struct mesh_planner *before, *after;
static struct mesh_impact *impact;

static void
add(struct overlay *o, const char *text)
{
    struct yaml_docs docs = {0};
    struct error err = {0};

    if (!yaml_parse(str_of(text), NULL, &docs, &err))
        fail_msg("%s", err.msg);
    for (size_t i = 0; i < docs.n; i++)
        overlay_put(o, docs.v[i].value);
    yaml_docs_release(&docs);
}

static int
setup(void **state)
{
    (void)state;
    base = (struct overlay){0};
    base_host = overlay_host(&base);
    next = (struct overlay){.base = &base_host};
    next_host = overlay_host(&next);
    before = mesh_planner_new(&base_host);
    after = mesh_planner_new(&next_host);
    impact = mesh_impact_new(before, after);
    add(&base, machinery);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    mesh_impact_free(impact);
    mesh_planner_free(before);
    mesh_planner_free(after);
    overlay_release(&next);
    overlay_release(&base);
    return 0;
}

static void
look_at(const char *name, const char *spec)
{
    AUTO(mem_free_ptr)
    char *text = mem_printf("apiVersion: x.io/v1\nkind: Box\n"
                            "metadata: {name: %s, namespace: ns, uid: %s}\n"
                            "spec: {%s}\n",
                            name, name, spec);
    AUTO(json_free_ptr)
    struct json *j = yaml_parse_one(str_of(text), NULL, NULL);

    assert_true(mesh_impact_add(impact, j, NULL));
}

static void
groups_are(const char *want)
{
    static const char *const signs[] = {[MESH_ADD] = "+",
                                        [MESH_CHANGE] = "~",
                                        [MESH_DESTROY] = "-",
                                        [MESH_CONFLICT] = "!",
                                        [MESH_REPLACE] = "-/+"};
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    const struct mesh_impact_group *g;

    for (size_t i = 0; (g = mesh_impact_at(impact, i)); i++) {
        buf_printf(&b, "%s %s[%s] x%zu", signs[g->sign], g->kind, g->resource,
                   g->composites);
        if (g->external_lost)
            buf_printf(&b, " lost %zu", g->external_lost);
        if (*g->path)
            buf_printf(&b, " %s", g->path);
        if (g->before || g->after)
            buf_printf(&b, ": %s -> %s", g->before ? g->before : "(none)",
                       g->after ? g->after : "(none)");
        buf_printf(&b, "%s%s%s:", g->varies ? " varies" : "",
                   *g->why ? " " : "", g->why);
        for (size_t e = 0; e < g->examples_n; e++)
            buf_printf(&b, " %s", g->examples[e]);
        buf_putc(&b, '\n');
    }
    assert_string_equal(buf_cstr(&b), want);
}

static void
the_same_change_of_many_is_one_group(void **state)
{
    const struct mesh_impact_sum *s = mesh_impact_sum(impact);

    (void)state;
    add(&base, COMPOSITION(MAP("a", "1") MAP("b", "x") DATASET("d")));
    add(&next, COMPOSITION(MAP("a", "2") MAP(
                   "b", "{{ .observed.composite.resource.spec.size }}")
                               MAP("c", "new")));
    for (unsigned i = 0; i < 5; i++) {
        char name[8], size[16];

        snprintf(name, sizeof(name), "b%u", i);
        snprintf(size, sizeof(size), "size: %u", i);
        look_at(name, size);
    }
    groups_are("- Dataset[d] x5 lost 5: ns/b0 ns/b1 ns/b2\n"
               "~ ConfigMap[a] x5 data.v: \"1\" -> \"2\": ns/b0 ns/b1 ns/b2\n"
               "~ ConfigMap[b] x5 data.v: \"x\" -> \"0\" varies: ns/b0 ns/b1 "
               "ns/b2\n"
               "+ ConfigMap[c] x5: ns/b0 ns/b1 ns/b2\n");
    assert_int_equal(s->composites, 5);
    assert_int_equal(s->changed, 5);
    assert_int_equal(s->change, 10);
    assert_int_equal(s->destroy, 5);
    assert_int_equal(s->external_lost, 5);
}

static void
what_stays_on_its_revision_does_not_change(void **state)
{
    (void)state;
    add(&base, COMPOSITION(MAP("a", "1")));
    add(&base,
        "apiVersion: apiextensions.crossplane.io/v1\n"
        "kind: CompositionRevision\nmetadata: {name: c-1}\n"
        "spec: {revision: 1, pipeline: [{step: s, functionRef: {name: "
        "t}, input: {source: Inline, inline: {template: '# none'}}}]}\n");
    add(&next, COMPOSITION(MAP("a", "2")));
    look_at("pinned", "crossplane: {compositionUpdatePolicy: Manual, "
                      "compositionRevisionRef: {name: c-1}}");
    look_at("free", "size: 1");
    groups_are("~ ConfigMap[a] x1 data.v: \"1\" -> \"2\": ns/free\n");
    assert_int_equal(mesh_impact_sum(impact)->kept, 1);
    assert_int_equal(mesh_impact_sum(impact)->changed, 1);
}

static void
what_cannot_be_composed_any_more(void **state)
{
    (void)state;
    add(&base, COMPOSITION(MAP("a", "1")));
    add(&next, COMPOSITION("{{ fail \"no\" }}"));
    look_at("b", "size: 1");
    assert_int_equal(mesh_impact_sum(impact)->failing, 1);
    assert_int_equal(mesh_impact_at(impact, 0)->sign, MESH_CONFLICT);
}

static void
a_definition_drops_and_refuses(void **state)
{
    AUTO(mem_free_ptr) char *text = mem_strdup(machinery);

    (void)state;
    add(&base, COMPOSITION(MAP("a", "1")));
    /* size becomes a text, old is gone */
    memcpy(strstr(text, "type: integer"), "type: string ", 13);
    memcpy(strstr(text, "old:"), "new:", 4);
    add(&next, text);
    look_at("b", "size: 1, old: x");
    groups_are("! Box[] x1 spec.size Invalid value: \"integer\": spec.size in "
               "body must be of type string: \"integer\": ns/b\n"
               "~ Box[] x1 spec.old: \"x\" -> (none): ns/b\n");
    assert_int_equal(mesh_impact_sum(impact)->refused, 1);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_same_change_of_many_is_one_group),
        T(what_stays_on_its_revision_does_not_change),
        T(what_cannot_be_composed_any_more),
        T(a_definition_drops_and_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
