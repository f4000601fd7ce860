/* Usages: what is in use stays, who uses it goes first, and a deletion that
 * was refused is done when it may be. */
#include "tests/unit/sandbox/control_world.h"

#define PROTECTION "protection.crossplane.io/v1beta1"

static const char kinds[] =
    "apiVersion: v1\nkind: Namespace\nmetadata: {name: ns}\n"
    "---\n"
    "apiVersion: apiextensions.k8s.io/v1\n"
    "kind: CustomResourceDefinition\n"
    "metadata: {name: nodes.e.org}\n"
    "spec:\n"
    "  group: e.org\n"
    "  scope: Cluster\n"
    "  names: {kind: Node, plural: nodes}\n"
    "  versions:\n"
    "  - name: v1\n"
    "    served: true\n"
    "    storage: true\n"
    "    schema: {openAPIV3Schema: {type: object, "
    "x-kubernetes-preserve-unknown-fields: true}}\n";

#define MAP(name)                                                              \
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " name                  \
    ", namespace: ns, labels: {who: " name "}}\n"

#define USAGE(name, spec)                                                      \
    "apiVersion: " PROTECTION "\nkind: Usage\nmetadata: {name: " name          \
    ", namespace: ns}\nspec: {" spec "}\n"

#define OF(name)                                                               \
    "of: {apiVersion: v1, kind: ConfigMap, resourceRef: {name: " name "}}"
#define BY(name)                                                               \
    "by: {apiVersion: v1, kind: ConfigMap, resourceRef: {name: " name "}}"

static void
expect_refused(struct world *w, const char *api_version, const char *kind,
               const char *name, const char *want)
{
    AUTO(mem_free_ptr) char *why = try_delete(w, api_version, kind, name);

    assert_string_equal(why ? why : "it went", want);
}

static void
what_is_used_stays_until_its_user_is_gone(void **state)
{
    struct world *w = *state;

    apply(w, kinds);
    apply(w, MAP("db") "---\n" MAP("app"));
    apply(w, USAGE("u", OF("db") ", " BY("app")));
    AUTO(json_free_ptr) struct json *u = get(w, PROTECTION, "Usage", "u");
    AUTO(json_free_ptr) struct json *db = get(w, "v1", "ConfigMap", "db");
    AUTO(json_free_ptr) struct json *app = get(w, "v1", "ConfigMap", "app");
    const struct json *owner =
        json_first(json_at(u, "metadata", "ownerReferences", NULL));

    expect_condition(u, "Ready", "True Available ");
    assert_string_equal(kobj_annotation(u, "crossplane.io/usage-details"),
                        "ConfigMap/app uses ConfigMap/db");
    assert_true(kobj_has_finalizer(u, "usage.apiextensions.crossplane.io"));
    assert_string_equal(kobj_label(db, "crossplane.io/in-use"), "true");
    assert_string_equal(json_get_string(owner, "uid"), kobj_uid(app));
    assert_null(json_get(owner, "controller"));
    expect_event(w, "u",
                 "Normal UsageConfigured Usage configured successfully.");
    expect_refused(w, "v1", "ConfigMap", "db",
                   "409 admission webhook "
                   "\"nousages.protection.crossplane.io\" denied the request: "
                   "This resource is in-use by 1 usage(s), including the "
                   "*v1beta1.Usage \"u\" (in namespace \"ns\") by resource "
                   "ConfigMap/app.");
    /* The user takes the usage with it, the usage its mark. */
    must_delete(w, "v1", "ConfigMap", "app");
    AUTO(json_free_ptr) struct json *gone = get(w, PROTECTION, "Usage", "u");
    AUTO(json_free_ptr) struct json *free_db = get(w, "v1", "ConfigMap", "db");

    assert_null(gone);
    assert_string_equal(kobj_label(free_db, "crossplane.io/in-use"), "");
    must_delete(w, "v1", "ConfigMap", "db");
}

/* Events come again only as often as a poll: nothing is written at rest. */
static void
a_look_that_finds_nothing_new_writes_nothing(void **state)
{
    struct world *w = *state;

    apply(w, kinds);
    apply(w, MAP("db"));
    apply(w, USAGE("u", OF("db") ", reason: precious"));
    uint64_t rev = registry_revision(w->registry);

    clock_advance(&w->clock, 60000);
    settle(w);
    assert_int_equal(registry_revision(w->registry), rev);
}

static void
a_refused_deletion_is_replayed(void **state)
{
    struct world *w = *state;

    apply(w, kinds);
    apply(w, MAP("db"));
    apply(w, USAGE("u", OF("db") ", reason: precious, replayDeletion: true"));
    apply(w, USAGE("v", OF("db") ", reason: me too"));
    expect_refused(w, "v1", "ConfigMap", "db",
                   "409 admission webhook "
                   "\"nousages.protection.crossplane.io\" denied the request: "
                   "This resource is in-use by 2 usage(s), including the "
                   "*v1beta1.Usage \"u\" (in namespace \"ns\") with reason: "
                   "\"precious\".");
    must_delete(w, PROTECTION, "Usage", "v");
    AUTO(json_free_ptr) struct json *db = get(w, "v1", "ConfigMap", "db");

    assert_string_equal(kobj_label(db, "crossplane.io/in-use"), "true");
    assert_string_equal(
        kobj_annotation(db, "usage.crossplane.io/deletion-attempt-with-policy"),
        "Background");
    must_delete(w, PROTECTION, "Usage", "u");
    json_free(db);
    db = get(w, "v1", "ConfigMap", "db");
    assert_non_null(db);
    clock_advance(&w->clock, 2000);
    settle(w);
    json_free(db);
    db = get(w, "v1", "ConfigMap", "db");
    assert_null(db);
}

static void
selectors_are_resolved_once(void **state)
{
    struct world *w = *state;

    apply(w, kinds);
    apply(w, USAGE("u", "of: {apiVersion: v1, kind: ConfigMap, "
                        "resourceSelector: {matchLabels: {who: db, a: b}}}, "
                        "reason: r"));
    expect_event(w, "u",
                 "Warning ResolveSelectors cannot resolve selectors: cannot "
                 "resolve selector at \"spec.of.resourceSelector\": no "
                 "\"ConfigMap\" found matching labels: map[\"a\":\"b\" "
                 "\"who\":\"db\"]\n");
    apply(w, USAGE("v", "of: {apiVersion: v1, kind: ConfigMap, "
                        "resourceSelector: {matchLabels: {who: db}}}, "
                        "reason: r"));
    apply(w, MAP("db"));
    clock_advance(&w->clock, 1000);
    settle(w);
    AUTO(json_free_ptr) struct json *v = get(w, PROTECTION, "Usage", "v");

    expect_condition(v, "Ready", "True Available ");
    assert_string_equal(
        json_get_string(json_at(v, "spec", "of", "resourceRef", NULL), "name"),
        "db");
    apply(w, USAGE("x", "of: {apiVersion: v1, kind: ConfigMap, "
                        "resourceSelector: {matchLabels: {who: db}, "
                        "matchControllerRef: true}}, reason: r"));
    expect_event(w, "x",
                 "found matching labels: map[\"who\":\"db\"] and with same "
                 "controller reference\n");
}

static void
a_composed_usage_waits_for_who_uses(void **state)
{
    struct world *w = *state;

    apply(w, kinds);
    apply(w, MAP("db") "---\n" MAP("app"));
    apply(w, "apiVersion: " PROTECTION "\nkind: Usage\n"
             "metadata: {name: u, namespace: ns, labels: "
             "{crossplane.io/composite: x}}\nspec: {" OF("db") ", " BY(
                 "app") "}\n");
    must_delete(w, PROTECTION, "Usage", "u");
    AUTO(json_free_ptr) struct json *u = get(w, PROTECTION, "Usage", "u");

    assert_non_null(u);
    expect_event(w, "u",
                 "Normal WaitingUsingDeleted Waiting for the using resource "
                 "(which is a \"ConfigMap\" named \"app\") to be deleted.");
    must_delete(w, "v1", "ConfigMap", "app");
    json_free(u);
    u = get(w, PROTECTION, "Usage", "u");
    assert_null(u);
}

static void
usages_of_the_cluster_and_of_old(void **state)
{
    struct world *w = *state;

    apply(w, kinds);
    apply(w, "apiVersion: e.org/v1\nkind: Node\nmetadata: {name: one}\n");
    apply(w, "apiVersion: " PROTECTION "\nkind: ClusterUsage\nmetadata: {name: "
             "c}\nspec: {of: {apiVersion: e.org/v1, kind: Node, resourceRef: "
             "{name: one}}, reason: \"a \\\"b\\\"\"}\n");
    expect_refused(w, "e.org/v1", "Node", "one",
                   "409 admission webhook "
                   "\"nousages.protection.crossplane.io\" denied the request: "
                   "This resource is in-use by 1 usage(s), including the "
                   "*v1beta1.ClusterUsage \"c\" with reason: \"a "
                   "\\\"b\\\"\".");
    must_delete(w, PROTECTION, "ClusterUsage", "c");
    apply(w, "apiVersion: apiextensions.crossplane.io/v1beta1\nkind: "
             "Usage\nmetadata: {name: old}\nspec: {of: {apiVersion: e.org/v1, "
             "kind: Node, resourceRef: {name: one}}, reason: r}\n");
    /* A restart reads the usages again. */
    control_free(w->control);
    start_control(w);
    expect_refused(w, "e.org/v1", "Node", "one",
                   "409 admission webhook "
                   "\"nousages.protection.crossplane.io\" denied the request: "
                   "This resource is in-use by 1 usage(s), including the "
                   "*v1beta1.Usage \"old\" with reason: \"r\".");
    must_delete(w, "apiextensions.crossplane.io/v1beta1", "Usage", "old");
    must_delete(w, "e.org/v1", "Node", "one");
}

/* What does not exist yet is waited for; what nobody knows is an error. */
static void
missing_sides_are_said_and_found_later(void **state)
{
    struct world *w = *state;

    apply(w, kinds);
    apply(w, USAGE("u", OF("db") ", " BY("app")));
    expect_event(w, "u",
                 "Warning GetUsedResource cannot get used: configmaps \"db\" "
                 "not found\n");
    apply(w, MAP("db"));
    expect_event(w, "u",
                 "Warning GetUsingResource cannot get using: configmaps "
                 "\"app\" not found\n");
    apply(w, MAP("app"));
    AUTO(json_free_ptr) struct json *u = get(w, PROTECTION, "Usage", "u");

    expect_condition(u, "Ready", "True Available ");
    apply(w, USAGE("odd", "of: {apiVersion: no.org/v1, kind: What, "
                          "resourceRef: {name: x}}, reason: r"));
    expect_event(w, "odd",
                 "cannot get used: no matches for kind \"What\" in version "
                 "\"no.org/v1\"\n");
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_is_used_stays_until_its_user_is_gone),
        T(a_look_that_finds_nothing_new_writes_nothing),
        T(a_refused_deletion_is_replayed),
        T(selectors_are_resolved_once),
        T(a_composed_usage_waits_for_who_uses),
        T(usages_of_the_cluster_and_of_old),
        T(missing_sides_are_said_and_found_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
