/* Definitions of managed resources and the policies that activate them. */
#include "tests/unit/sandbox/control_world.h"

#define V1ALPHA1 "apiextensions.crossplane.io/v1alpha1"

#define MRD(state)                                                             \
    "apiVersion: " V1ALPHA1 "\n"                                               \
    "kind: ManagedResourceDefinition\n"                                        \
    "metadata: {name: buckets.c.org}\n"                                        \
    "spec:\n" state "  group: c.org\n"                                         \
    "  scope: Namespaced\n"                                                    \
    "  names: {kind: Bucket, plural: buckets, categories: [managed]}\n"        \
    "  versions:\n"                                                            \
    "  - name: v1\n"                                                           \
    "    served: true\n"                                                       \
    "    storage: true\n"                                                      \
    "    subresources: {status: {}}\n"                                         \
    "    schema: {openAPIV3Schema: {type: object, "                            \
    "x-kubernetes-preserve-unknown-fields: true}}\n"

static struct json *
definition(struct world *w)
{
    return get(w, V1ALPHA1, "ManagedResourceDefinition", "buckets.c.org");
}

static void
the_default_policy_activates_all(void **state)
{
    struct world *w = *state;

    apply(w, MRD(""));
    AUTO(json_free_ptr) struct json *mrd = definition(w);
    AUTO(json_free_ptr)
    struct json *policy =
        get(w, V1ALPHA1, "ManagedResourceActivationPolicy", "default");

    assert_string_equal(json_string_or(json_at(mrd, "spec", "state", NULL), ""),
                        "Active");
    expect_condition(mrd, "Established", "True EstablishedManagedResource ");
    expect_condition(policy, "Healthy", "True Running ");
    assert_string_equal(
        json_string_or(json_first(json_at(policy, "status", "activated", NULL)),
                       ""),
        "buckets.c.org");
    expect_event(w, "default",
                 "Normal ActivateManagedResourceDefinition Successfully "
                 "activated ManagedResourceDefinition\n");
    expect_event(w, "buckets.c.org",
                 "Normal ApplyCustomResourceDefinition Successfully applied "
                 "CustomResourceDefinition\n");
    assert_non_null(registry_kind(w->registry, "c.org/v1", "Bucket"));
}

/* Without a policy a definition stays what it is, and a policy that comes later
 * activates it. */
static void
inactive_until_a_policy_matches(void **state)
{
    struct world *w = *state;

    must_delete(w, V1ALPHA1, "ManagedResourceActivationPolicy", "default");
    apply(w, MRD("  state: Inactive\n"));
    AUTO(json_free_ptr) struct json *mrd = definition(w);

    expect_condition(mrd, "Established", "False InactiveManagedResource ");
    assert_null(registry_kind(w->registry, "c.org/v1", "Bucket"));
    apply(w, "apiVersion: " V1ALPHA1 "\nkind: ManagedResourceActivationPolicy\n"
             "metadata: {name: some}\nspec: {activate: [\"*.other.org\", "
             "\"*.c.org\"]}\n");
    json_free(mrd);
    mrd = definition(w);
    expect_condition(mrd, "Established", "True EstablishedManagedResource ");
    assert_non_null(registry_kind(w->registry, "c.org/v1", "Bucket"));
}

/* The definition goes with the CRD it made, by the garbage collector. */
static void
a_crd_that_is_taken_away_comes_back(void **state)
{
    struct world *w = *state;

    apply(w, MRD("  state: Active\n"));
    must_delete(w, "apiextensions.k8s.io/v1", "CustomResourceDefinition",
                "buckets.c.org");
    assert_non_null(registry_kind(w->registry, "c.org/v1", "Bucket"));
    must_delete(w, V1ALPHA1, "ManagedResourceDefinition", "buckets.c.org");
    assert_null(registry_kind(w->registry, "c.org/v1", "Bucket"));
}

static void
a_definition_that_cannot_be_served_says_so(void **state)
{
    struct world *w = *state;

    apply(w, "apiVersion: " V1ALPHA1 "\nkind: ManagedResourceDefinition\n"
             "metadata: {name: wrong.c.org}\nspec:\n  state: Active\n  group: "
             "c.org\n  scope: Namespaced\n  names: {kind: Bucket, plural: "
             "buckets}\n  versions:\n  - {name: v1, served: true, storage: "
             "true, schema: {openAPIV3Schema: {type: object}}}\n");
    AUTO(json_free_ptr)
    struct json *mrd =
        get(w, V1ALPHA1, "ManagedResourceDefinition", "wrong.c.org");

    expect_condition(mrd, "Established",
                     "False PendingManagedResource unable to apply "
                     "CustomResourceDefinition, see events");
    expect_event(w, "wrong.c.org", "Warning ApplyCustomResourceDefinition ");
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_default_policy_activates_all),
        T(inactive_until_a_policy_matches),
        T(a_crd_that_is_taken_away_comes_back),
        T(a_definition_that_cannot_be_served_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
