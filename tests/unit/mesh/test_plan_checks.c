/* What plans say of single objects: names, fields, revisions, the outside. */
#include "lib/base/map.h"
#include "lib/base/mem.h"

#include "lib/mesh/plan_builtin.h"
#include "lib/mesh/planner.h"

#include "cli/overlay.h"

#include "tests/unit/mesh/fixture.h"

/* ---- a world in memory ---- */

static struct overlay world;
static struct mesh_host host;
static struct mesh_planner *planner;
static struct arena *a;
static struct mesh_plan plan;

static void
add(const char *text)
{
    struct yaml_docs docs = {0};
    struct error err = {0};

    if (!yaml_parse(str_of(text), NULL, &docs, &err))
        fail_msg("%s", err.msg);
    for (size_t i = 0; i < docs.n; i++)
        overlay_put(&world, docs.v[i].value);
    yaml_docs_release(&docs);
    mesh_planner_forget(planner);
}

#define XRD                                                                    \
    "apiVersion: apiextensions.crossplane.io/v2\n"                             \
    "kind: CompositeResourceDefinition\n"                                      \
    "metadata: {name: boxes.x.io}\n"                                           \
    "spec:\n"                                                                  \
    "  group: x.io\n"                                                          \
    "  names: {kind: Box, plural: boxes}\n"                                    \
    "  scope: Namespaced\n"                                                    \
    "  versions:\n"                                                            \
    "  - {name: v1, served: true, referenceable: true, deprecated: true,\n"    \
    "     deprecationWarning: use crates, schema: {openAPIV3Schema: {\n"       \
    "     type: object, properties: {spec: {type: object, properties: {\n"     \
    "     size: {type: integer}, fixed: {type: string,\n"                      \
    "     x-kubernetes-validations: [{rule: self == oldSelf,\n"                \
    "     message: Value is immutable}]}}}}}}}\n"                              \
    "---\n"                                                                    \
    "apiVersion: pkg.crossplane.io/v1\nkind: Function\n"                       \
    "metadata: {name: t}\n"                                                    \
    "spec: {package: x.io/y/function-go-templating:v0.12.2}\n"

/* A recipe that makes one object: kind, resource name, object name, more. */
#define RECIPE(of, labels, more, template)                                     \
    "apiVersion: apiextensions.crossplane.io/v1\n"                             \
    "kind: " of "\n"                                                           \
    "metadata: {" labels "}\n"                                                 \
    "spec:\n"                                                                  \
    "  compositeTypeRef: {apiVersion: x.io/v1, kind: Box}\n" more              \
    "  pipeline:\n"                                                            \
    "  - step: s\n"                                                            \
    "    functionRef: {name: t}\n"                                             \
    "    input: {source: Inline, inline: {template: '" template "'}}\n"

#define OBJECT(api, kind, resource, name, more)                                \
    "{\"apiVersion\": \"" api "\", \"kind\": \"" kind "\", \"metadata\": "     \
    "{\"name\": \"" name "\", \"annotations\": "                               \
    "{\"gotemplating.fn.crossplane.io/composition-resource-name\": "           \
    "\"" resource "\"}}" more "}"

#define MAP(resource, name, value)                                             \
    OBJECT("v1", "ConfigMap", resource, name,                                  \
           ", \"data\": {\"v\": \"" value "\"}")

#define BOX(spec)                                                              \
    "apiVersion: x.io/v1\nkind: Box\n"                                         \
    "metadata: {name: b, namespace: ns, uid: u1}\nspec: {" spec "}\n"

#define NEW_BOX(name)                                                          \
    "apiVersion: x.io/v1\nkind: Box\n"                                         \
    "metadata: {name: " name ", namespace: ns}\nspec: {}\n"

static int
setup(void **state)
{
    (void)state;
    world = (struct overlay){0};
    host = overlay_host(&world);
    planner = mesh_planner_new(&host);
    a = arena_new();
    plan = (struct mesh_plan){0};
    add(XRD);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    mesh_plan_release(&plan);
    mesh_planner_free(planner);
    overlay_release(&world);
    arena_free(a);
    return 0;
}

static void
make(const char *yaml)
{
    struct error err = {0};
    AUTO(json_free_ptr)
    struct json *j = yaml_parse_one(str_of(yaml), NULL, &err);

    mesh_plan_release(&plan);
    if (!j || !mesh_plan_apply(planner, j, a, &plan, &err))
        fail_msg("%s", err.msg);
}

/* The row of a kind and name. */
static const struct mesh_plan_item *
row(const char *kind, const char *name)
{
    for (size_t i = 0; i < plan.items_n; i++) {
        if (strcmp(plan.items[i].kind, kind) == 0 &&
            strcmp(plan.items[i].name, name) == 0)
            return &plan.items[i];
    }
    fail_msg("no %s/%s in the plan", kind, name);
    return NULL;
}

static const struct mesh_note *
note(const char *code)
{
    for (size_t i = 0; i < plan.notes_n; i++) {
        if (strcmp(plan.notes[i].code, code) == 0)
            return &plan.notes[i];
    }
    return NULL;
}

static void
says(const char *code, enum mesh_weight weight, const char *text)
{
    const struct mesh_note *n = note(code);

    if (!n) {
        for (size_t i = 0; i < plan.notes_n; i++)
            print_message("%s: %s\n", plan.notes[i].code, plan.notes[i].text);
        fail_msg("no note %s", code);
    }
    assert_string_equal(n->text, text);
    assert_int_equal(n->weight, weight);
}

/* ---- revisions ---- */

static void
a_revision_is_chosen_as_core_does(void **state)
{
    (void)state;
    add(RECIPE("Composition", "name: c, labels: {channel: new}", "",
               MAP("m", "m", "new")));
    add(RECIPE("CompositionRevision",
               "name: c-1, labels: {crossplane.io/composition-name: c, "
               "channel: old}",
               "  revision: 1\n", MAP("m", "m", "first")));
    add(RECIPE("CompositionRevision",
               "name: c-2, labels: {crossplane.io/composition-name: c, "
               "channel: old}",
               "  revision: 2\n", MAP("m", "m", "second")));
    static const struct {
        const char *machinery, *value;
        bool kept;
    } cases[] = {
        {"", "new", false},
        {"compositionUpdatePolicy: Manual", "new", false},
        {"compositionUpdatePolicy: Manual, compositionRevisionRef: "
         "{name: c-1}",
         "first", true},
        {"compositionUpdatePolicy: Automatic, compositionRevisionRef: "
         "{name: c-1}",
         "new", false},
        {"compositionUpdatePolicy: Automatic, compositionRevisionSelector: "
         "{matchLabels: {channel: old}}",
         "second", true},
        {"compositionUpdatePolicy: Automatic, compositionRevisionSelector: "
         "{matchLabels: {channel: new}}",
         "new", false},
        /* Manual without a revision yet takes the newest of all. */
        {"compositionUpdatePolicy: Manual, compositionRevisionSelector: "
         "{matchLabels: {channel: old}}",
         "new", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(mem_free_ptr)
        char *yaml =
            mem_printf(BOX("crossplane: {compositionRef: {name: c}%s"
                           "%s}"),
                       *cases[i].machinery ? ", " : "", cases[i].machinery);

        make(yaml);
        assert_string_equal(json_string(json_at(row("ConfigMap", "m")->object,
                                                "data", "v", NULL)),
                            cases[i].value);
        assert_int_equal(note("revision-kept") != NULL, cases[i].kept);
        assert_string_equal(row("Box", "b")->composition, "c");
    }
    make(BOX("crossplane: {compositionUpdatePolicy: Manual, compositionRef: "
             "{name: c}, compositionRevisionRef: {name: c-9}}"));
    says("no-composition", MESH_BLOCK,
         "Box/b: cannot fetch Composition: cannot get CompositionRevision: "
         "CompositionRevision.apiextensions.crossplane.io \"c-9\" not found");
    make(BOX("crossplane: {compositionUpdatePolicy: Automatic, "
             "compositionRef: {name: c}, compositionRevisionSelector: "
             "{matchLabels: {channel: none}}}"));
    says("no-composition", MESH_BLOCK,
         "Box/b: cannot fetch Composition: no compatible CompositionRevisions "
         "found");
}

/* ---- names ---- */

static void
names_that_clash_are_told(void **state)
{
    (void)state;
    add(RECIPE("Composition", "name: c", "",
               MAP("one", "same", "1") "\n" MAP("two", "same", "2")));
    make(BOX(""));
    says("name-collision", MESH_BLOCK,
         "ConfigMap/same is in this plan twice (as one and as two): only one "
         "can have the name");
    assert_int_equal(plan.conflict, 1);
    /* Of an XR that does not exist yet there is no uid: its name decides. */
    add(RECIPE("Composition", "name: c", "", MAP("one", "other", "1")));
    add("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other, namespace: "
        "ns,\n  ownerReferences: [{uid: '', controller: true, kind: Box,\n"
        "  name: b2, apiVersion: x.io/v1}]}\n");
    make(NEW_BOX("b"));
    says("name-taken", MESH_BLOCK,
         "ConfigMap/other exists and is controlled by Box/b2: Box/b cannot "
         "have it and stays unsynced");
    make(NEW_BOX("b2"));
    assert_null(note("name-taken"));
}

/* A Box that has composed what `refs` names. */
#define HAS(refs)                                                              \
    BOX("crossplane: {compositionRef: {name: c}, resourceRefs: [" refs "]}")
#define COMPOSED(api, kind, resource, name, more)                              \
    "apiVersion: " api "\nkind: " kind "\n"                                    \
    "metadata: {name: " name ", namespace: ns, annotations: "                  \
    "{crossplane.io/composition-resource-name: " resource "},\n"               \
    "  ownerReferences: [{uid: u1, controller: true, kind: Box, name: b,\n"    \
    "  apiVersion: x.io/v1}]}\n" more

static void
a_changed_kind_leaves_the_old_one_behind(void **state)
{
    (void)state;
    add(COMPOSED("v1", "Secret", "m", "m", ""));
    add(HAS("{apiVersion: v1, kind: Secret, name: m}"));
    add(RECIPE("Composition", "name: c", "", MAP("m", "m", "1")));
    make(BOX(""));
    says("left-behind", MESH_WARN,
         "resource m is a ConfigMap now: Secret/m is not deleted, and nothing "
         "refers to it any more");
    assert_int_equal(row("ConfigMap", "m")->sign, MESH_ADD);
    assert_int_equal(plan.destroy, 0);
}

static void
a_changed_resource_name_makes_it_anew(void **state)
{
    (void)state;
    add(COMPOSED("v1", "ConfigMap", "old", "m", ""));
    add(HAS("{apiVersion: v1, kind: ConfigMap, name: m}"));
    add(RECIPE("Composition", "name: c", "", MAP("new", "m", "1")));
    make(BOX(""));
    says("made-anew", MESH_WARN,
         "ConfigMap/m is deleted and made anew: its resource name changes "
         "from old to new");
}

/* ---- the outside ---- */

static void
external_data_is_counted(void **state)
{
    static const struct {
        const char *spec, *words;
        size_t lost;
    } cases[] = {
        {"{forProvider: {}}", "no longer composed; external d is lost", 1},
        {"{forProvider: {}, deletionPolicy: Orphan}",
         "no longer composed; external d stays", 0},
        {"{forProvider: {}, managementPolicies: [Observe]}",
         "no longer composed; external d stays", 0},
        {"{forProvider: {}, managementPolicies: ['*']}",
         "no longer composed; external d is lost", 1},
        {"{size: 3}", "no longer composed", 0},
    };

    (void)state;
    add(HAS("{apiVersion: gcp.io/v1, kind: Dataset, name: d}"));
    add(RECIPE("Composition", "name: c", "", MAP("m", "m", "1")));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(mem_free_ptr)
        char *yaml =
            mem_printf(COMPOSED("gcp.io/v1", "Dataset", "d", "d", "spec: %s\n"),
                       cases[i].spec);

        add(yaml);
        make(BOX(""));
        assert_string_equal(row("Dataset", "d")->note, cases[i].words);
        assert_int_equal(plan.external_lost, cases[i].lost);
        assert_int_equal(note("external-data-lost") != NULL, cases[i].lost);
    }
}

/* ---- fields ---- */

static void
fields_that_never_change(void **state)
{
    static const struct {
        const char *api, *kind, *more, *path;
        bool fixed;
    } cases[] = {
        {"v1", "Secret", "", "type", true},
        {"v1", "Secret", "", "data.a", false},
        {"v1", "Secret", ", \"immutable\": true", "data.a", true},
        {"v1", "ConfigMap", ", \"immutable\": true", "data.a", true},
        {"v1", "ConfigMap", "", "data.a", false},
        {"v1", "Service", "", "spec.clusterIP", true},
        {"v1", "Service", "", "spec.clusterIPs[0]", false},
        {"v1", "PersistentVolumeClaim", "", "spec.storageClassName", true},
        {"v1", "PersistentVolumeClaim", "", "spec.resources.requests.storage",
         false},
        {"apps/v1", "Deployment", "", "spec.selector.matchLabels.a", true},
        {"apps/v1", "Deployment", "", "spec.template.spec", false},
        {"apps/v1", "StatefulSet", "", "spec.serviceName", true},
        {"apps/v1", "StatefulSet", "", "spec.replicas", false},
        {"batch/v1", "Job", "", "spec.template.spec.containers[0].image", true},
        {"rbac.authorization.k8s.io/v1", "RoleBinding", "", "roleRef.name",
         true},
        {"x.io/v1", "Secret", "", "type", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(mem_free_ptr)
        char *text = mem_printf("{\"apiVersion\":\"%s\",\"kind\":\"%s\"%s}",
                                cases[i].api, cases[i].kind, cases[i].more);
        AUTO(json_free_ptr)
        struct json *j = json_parse(str_of(text), NULL, NULL);

        if ((plan_builtin_immutable(j, cases[i].path) != NULL) !=
            cases[i].fixed)
            fail_msg("%s %s", cases[i].kind, cases[i].path);
    }
}

static void
a_composed_field_that_never_changes_is_a_replacement(void **state)
{
    (void)state;
    add(COMPOSED("v1", "Secret", "s", "s", "type: Opaque\n"));
    add(HAS("{apiVersion: v1, kind: Secret, name: s}"));
    add(RECIPE("Composition", "name: c", "",
               OBJECT("v1", "Secret", "s", "s", ", \"type\": \"x.io/t\"")));
    make(BOX(""));
    says("immutable-field", MESH_BLOCK,
         "Secret/s: type: field is immutable: the server refuses the change; "
         "once it is deleted it is composed anew");
    assert_int_equal(row("Secret", "s")->sign, MESH_REPLACE);
    assert_int_equal(plan.replace, 1);
    assert_non_null(strstr(mesh_plan_summary(&plan), ", 1 to replace"));
}

static void
a_rule_on_the_old_object_makes_a_replacement(void **state)
{
    (void)state;
    add(RECIPE("Composition", "name: c", "", MAP("m", "m", "1")));
    add(BOX("fixed: a"));
    make(BOX("fixed: b"));
    says("immutable-field", MESH_BLOCK,
         "spec.fixed: Invalid value: \"string\": Value is immutable: the "
         "server refuses the change; delete it and apply again");
    assert_int_equal(row("Box", "b")->sign, MESH_REPLACE);
    make(BOX("fixed: a, size: 7"));
    assert_null(note("immutable-field"));
    assert_int_equal(row("Box", "b")->sign, MESH_CHANGE);
}

static void
what_is_composed_is_checked_too(void **state)
{
    (void)state;
    add(RECIPE("Composition", "name: c", "",
               OBJECT("v1", "ConfigMap", "m", "m",
                      ", \"data\": {\"v\": 5}, \"dta\": {}")));
    make(BOX("size: 1, sise: 2"));
    says("unknown-field", MESH_WARN, "unknown field \"spec.sise\"");
    says("deprecated-version", MESH_WARN, "use crates");
    says("invalid", MESH_BLOCK,
         "ConfigMap/m: data.v: Invalid value: \"integer\": data.v in body must "
         "be of type string: \"integer\"");
}

/* ---- what the manager leaves out ---- */

#define FIELDS(fields)                                                         \
    "managedFields: [{manager: meshtop, operation: Apply, fieldsV1: " fields   \
    "}, {manager: other, operation: Update, fieldsV1: {'f:data': {'f:b': "     \
    "{}}}}]"

static void
what_an_apply_leaves_out_goes(void **state)
{
    (void)state;
    add("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, namespace: ns, "
        "labels: {meshtop.dev/run: p},\n  " FIELDS(
            "{'f:metadata': {'f:labels': {'f:meshtop.dev/run': {}}}, "
            "'f:data': {'f:a': {}, 'f:b': {}, 'f:c': {}}}") "}\n"
                                                            "data: {a: '1', b: "
                                                            "'2', c: '3', d: "
                                                            "'4'}\n");
    make("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, namespace: ns}\n"
         "data: {c: '4'}\n");
    const struct mesh_plan_item *i = row("ConfigMap", "m");

    /* a is ours alone, b another's too, d nobody's; the mark stays. */
    assert_int_equal(i->diff_n, 2);
    assert_string_equal(i->diff[0].path, "data.c");
    assert_string_equal(i->diff[1].path, "data.a");
    assert_null(i->diff[1].after);
    assert_null(note("field-conflict"));
    make("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, namespace: ns}\n"
         "data: {b: '9'}\n");
    says("field-conflict", MESH_WARN,
         "conflict with other: .data.b: applying is refused without --force");
}

/* ---- functions ---- */

static void
a_function_that_is_not_built_in_is_no_refusal(void **state)
{
    (void)state;
    add("apiVersion: pkg.crossplane.io/v1\nkind: Function\n"
        "metadata: {name: t}\nspec: {package: x.io/y/function-mine:v1}\n");
    add(RECIPE("Composition", "name: c", "", MAP("m", "m", "1")));
    make(BOX(""));
    assert_non_null(note("function-not-built-in"));
    assert_int_equal(plan.blockers, 0);
    assert_true(plan.incomplete);
}

static void
a_label_that_a_selector_needs(void **state)
{
    (void)state;
    add(RECIPE("Composition", "name: c", "",
               "{\"apiVersion\": \"meta.gotemplating.fn.crossplane.io/v1alpha1"
               "\", \"kind\": \"ExtraResources\", \"requirements\": {\"d\": "
               "{\"apiVersion\": \"x.io/v1\", \"kind\": \"Domain\", "
               "\"matchLabels\": {\"x.io/domain\": \"shop\"}}}}"));
    add("apiVersion: x.io/v1\nkind: Domain\nmetadata: {name: shop, namespace: "
        "ns}\n");
    make(BOX(""));
    says("label-missing", MESH_WARN,
         "Box/b does not see Domain/shop: it has no label x.io/domain=shop");
    add("apiVersion: x.io/v1\nkind: Domain\nmetadata: {name: shop, namespace: "
        "ns, labels: {x.io/domain: shop}}\n");
    make(BOX(""));
    assert_null(note("label-missing"));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_revision_is_chosen_as_core_does),
        T(names_that_clash_are_told),
        T(a_changed_kind_leaves_the_old_one_behind),
        T(a_changed_resource_name_makes_it_anew),
        T(external_data_is_counted),
        T(fields_that_never_change),
        T(a_composed_field_that_never_changes_is_a_replacement),
        T(a_rule_on_the_old_object_makes_a_replacement),
        T(what_is_composed_is_checked_too),
        T(what_an_apply_leaves_out_goes),
        T(a_function_that_is_not_built_in_is_no_refusal),
        T(a_label_that_a_selector_needs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
