/* The controllers over a registry in memory: XRDs, revisions, functions,
 * composite resources and the simulated provider, step by step. */
#include "tests/unit/sandbox/control_world.h"

static const char things[] =
    "apiVersion: apiextensions.crossplane.io/v2\n"
    "kind: CompositeResourceDefinition\n"
    "metadata: {name: things.e.org}\n"
    "spec:\n"
    "  group: e.org\n"
    "  scope: Namespaced\n"
    "  names: {kind: Thing, plural: things}\n"
    "  versions:\n"
    "  - name: v1\n"
    "    served: true\n"
    "    referenceable: true\n"
    "    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: "
    "object, properties: {size: {type: integer}}}, status: {type: object, "
    "properties: {size: {type: integer}}}}}}\n"
    "---\n"
    "apiVersion: apiextensions.k8s.io/v1\n"
    "kind: CustomResourceDefinition\n"
    "metadata: {name: buckets.c.org}\n"
    "spec:\n"
    "  group: c.org\n"
    "  scope: Namespaced\n"
    "  names: {kind: Bucket, plural: buckets, categories: [managed]}\n"
    "  versions:\n"
    "  - name: v1\n"
    "    served: true\n"
    "    storage: true\n"
    "    subresources: {status: {}}\n"
    "    schema: {openAPIV3Schema: {type: object, "
    "x-kubernetes-preserve-unknown-fields: true}}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: Namespace\n"
    "metadata: {name: ns}\n";

static const char functions[] =
    "apiVersion: pkg.crossplane.io/v1\n"
    "kind: Function\n"
    "metadata: {name: gt}\n"
    "spec: {package: x.org/c/function-go-templating:v1}\n"
    "---\n"
    "apiVersion: pkg.crossplane.io/v1\n"
    "kind: Function\n"
    "metadata: {name: ar}\n"
    "spec: {package: x.org/c/function-auto-ready:v1}\n";

#define COMPOSITION(template)                                                  \
    "apiVersion: apiextensions.crossplane.io/v1\n"                             \
    "kind: Composition\n"                                                      \
    "metadata: {name: things}\n"                                               \
    "spec:\n"                                                                  \
    "  compositeTypeRef: {apiVersion: e.org/v1, kind: Thing}\n"                \
    "  pipeline:\n"                                                            \
    "  - step: a\n"                                                            \
    "    functionRef: {name: gt}\n"                                            \
    "    input:\n"                                                             \
    "      apiVersion: gotemplating.fn.crossplane.io/v1beta1\n"                \
    "      kind: GoTemplate\n"                                                 \
    "      source: Inline\n"                                                   \
    "      inline:\n"                                                          \
    "        template: |\n" template "  - {step: b, functionRef: {name: "      \
                                     "ar}}\n"

static const char composition[] = COMPOSITION(
    "          apiVersion: c.org/v1\n"
    "          kind: Bucket\n"
    "          metadata: {name: {{ .observed.composite.resource.metadata.name "
    "}}, annotations: { {{ setResourceNameAnnotation \"b\" }} }}\n"
    "          spec: {forProvider: {size: {{ "
    ".observed.composite.resource.spec.size "
    "}}}}\n"
    "          ---\n"
    "          apiVersion: e.org/v1\n"
    "          kind: Thing\n"
    "          status: {size: {{ .observed.composite.resource.spec.size }}}\n");

#define THING(n)                                                               \
    "apiVersion: e.org/v1\nkind: Thing\nmetadata: {name: t, namespace: "       \
    "ns}\nspec: {size: " n "}\n"

static void
everything_comes_to_ready(void **state)
{
    struct world *w = *state;
    AUTO(json_free_ptr) struct json *xr = NULL;

    apply(w, things);
    apply(w, functions);
    apply(w, composition);
    apply(w, THING("7"));
    xr = get(w, "e.org/v1", "Thing", "t");
    expect_condition(xr, "Synced", "True ReconcileSuccess ");
    expect_condition(xr, "Ready", "True Available ");
    assert_int_equal(json_int64_or(json_at(xr, "status", "size", NULL), 0), 7);
    assert_int_equal(kobj_generation(xr), 4);
    AUTO(json_free_ptr)
    struct json *bucket = get(w, "c.org/v1", "Bucket", "t");

    expect_condition(bucket, "Ready", "True Available ");
    assert_true(kobj_is_controlled_by(bucket, kobj_uid(xr)));
    assert_int_equal(
        json_int64_or(json_at(bucket, "status", "atProvider", "size", NULL), 0),
        7);
    expect_rest(w, JOB_XR, "e.org", "things", "ns", "t");
    expect_rest(w, JOB_MANAGED, "c.org", "buckets", "ns", "t");
}

static void
the_order_of_arrival_does_not_matter(void **state)
{
    struct world *w = *state;
    AUTO(json_free_ptr) struct json *xr = NULL;

    apply(w, things);
    apply(w, THING("1"));
    xr = get(w, "e.org/v1", "Thing", "t");
    expect_condition(xr, "Synced",
                     "False ReconcileError cannot select Composition: no "
                     "compatible Compositions found");
    apply(w, composition);
    json_free(xr);
    xr = get(w, "e.org/v1", "Thing", "t");
    expect_condition(
        xr, "Synced",
        "False ReconcileError cannot compose resources: cannot run Composition "
        "pipeline step \"a\": cannot get gRPC client connection for Function "
        "\"gt\": cannot find an active FunctionRevision (a FunctionRevision "
        "with spec.desiredState: Active)");
    apply(w, functions);
    json_free(xr);
    xr = get(w, "e.org/v1", "Thing", "t");
    expect_condition(xr, "Ready", "True Available ");
}

static void
the_provider_waits_and_fails_as_told(void **state)
{
    struct world *w = *state;
    AUTO(json_free_ptr) struct json *b = NULL;

    apply(w, things);
    apply(w, "apiVersion: c.org/v1\nkind: Bucket\nmetadata: {name: t, "
             "namespace: ns, annotations: {sandbox.meshtop.io/delay: "
             "\"5000\"}}\nspec: {}\n");
    b = get(w, "c.org/v1", "Bucket", "t");
    expect_condition(b, "Ready", "False Creating ");
    expect_condition(b, "Synced", "True ReconcileSuccess ");
    clock_advance(&w->clock, 4999);
    settle(w);
    json_free(b);
    b = get(w, "c.org/v1", "Bucket", "t");
    expect_condition(b, "Ready", "False Creating ");
    clock_advance(&w->clock, 1);
    settle(w);
    json_free(b);
    b = get(w, "c.org/v1", "Bucket", "t");
    expect_condition(b, "Ready", "True Available ");
    apply(w, "apiVersion: c.org/v1\nkind: Bucket\nmetadata: {name: u, "
             "namespace: ns, annotations: {sandbox.meshtop.io/fail: \"create: "
             "quota\"}}\nspec: {}\n");
    json_free(b);
    b = get(w, "c.org/v1", "Bucket", "u");
    expect_condition(b, "Synced", "False ReconcileError create failed: quota");
    expect_condition(b, "Ready", "False Creating ");
    apply(w, "apiVersion: c.org/v1\nkind: Bucket\nmetadata: {name: u, "
             "namespace: ns, annotations: {sandbox.meshtop.io/fail: "
             "\"unavailable: on fire\"}}\nspec: {}\n");
    json_free(b);
    b = get(w, "c.org/v1", "Bucket", "u");
    expect_condition(b, "Ready", "False Unavailable on fire");
}

static void
a_restart_changes_nothing(void **state)
{
    struct world *w = *state;

    apply(w, things);
    apply(w, functions);
    apply(w, composition);
    apply(w, THING("7"));
    uint64_t rev = registry_revision(w->registry);

    control_free(w->control);
    start_control(w);
    settle(w);
    assert_int_equal(registry_revision(w->registry), rev);
    apply(w, THING("8"));
    AUTO(json_free_ptr) struct json *b = get(w, "c.org/v1", "Bucket", "t");

    assert_int_equal(
        json_int64_or(json_at(b, "spec", "forProvider", "size", NULL), 0), 8);
}

static void
an_xrd_takes_everything_with_it(void **state)
{
    struct world *w = *state;
    const struct kind *k;
    struct status st = {0};

    apply(w, things);
    apply(w, functions);
    apply(w, composition);
    apply(w, THING("7"));
    k = registry_resource(w->registry, "apiextensions.crossplane.io", "v1",
                          "compositeresourcedefinitions");
    assert_true(
        registry_delete(w->registry, k, "", "things.e.org", NULL, NULL, &st));
    for (int i = 0; i < 10; i++) {
        settle(w);
        clock_advance(&w->clock, 2000);
    }
    assert_false(registry_has(w->registry, k, "", "things.e.org"));
    assert_null(registry_kind(w->registry, "e.org/v1", "Thing"));
    AUTO(json_free_ptr) struct json *b = get(w, "c.org/v1", "Bucket", "t");

    assert_null(b);
    assert_int_equal(map_count(&w->control->states), 0);
    assert_int_equal(map_count(&w->control->children), 0);
}

/* Functions answer for a minute, give or take a tenth; templates know the
 * time of each run. */
static void
an_answer_expires(void **state)
{
    struct world *w = *state;

    apply(w, things);
    apply(w, functions);
    apply(w, COMPOSITION("          apiVersion: e.org/v1\n"
                         "          kind: Thing\n"
                         "          status: {size: {{ now | unixEpoch }}}\n"));
    apply(w, THING("7"));
    AUTO(json_free_ptr) struct json *first = get(w, "e.org/v1", "Thing", "t");
    int64_t then = json_int64_or(json_at(first, "status", "size", NULL), 0);

    assert_true(then > 1700000000);
    clock_advance(&w->clock, 53000);
    settle(w);
    AUTO(json_free_ptr) struct json *early = get(w, "e.org/v1", "Thing", "t");

    assert_true(json_equal(first, early));
    clock_advance(&w->clock, 14000);
    settle(w);
    AUTO(json_free_ptr) struct json *late = get(w, "e.org/v1", "Thing", "t");

    assert_int_equal(json_int64_or(json_at(late, "status", "size", NULL), 0),
                     then + 67);
}

/* ---- what would run ---- */

#define RUNS(name, image)                                                      \
    "apiVersion: apps/v1\n"                                                    \
    "kind: Deployment\n"                                                       \
    "metadata: {name: " name ", namespace: ns}\n"                              \
    "spec: {replicas: 2, selector: {matchLabels: {app: a}}, template: "        \
    "{metadata: {labels: {app: a}}, spec: {containers: [{name: c, image: "     \
    "\"" image "\"}]}}}\n"

static size_t
pods(struct world *w, const char *phase)
{
    struct status st = {0};
    AUTO(json_free_ptr)
    struct json *all = registry_list_json(
        w->registry, registry_kind(w->registry, "v1", "Pod"), "ns", NULL, &st);
    size_t n = 0;

    for (const struct json *p = json_first(all); p; p = json_next(p))
        n += !strcmp(json_string_or(json_at(p, "status", "phase", NULL), ""),
                     phase);
    return n;
}

static void
a_deployment_gets_its_pods(void **state)
{
    struct world *w = *state;
    const struct kind *k;
    struct status st = {0};

    apply(w, "apiVersion: v1\nkind: Namespace\nmetadata: {name: ns}\n");
    apply(w, RUNS("d", "reg.example.com/a:v1"));
    AUTO(json_free_ptr) struct json *d = get(w, "apps/v1", "Deployment", "d");

    expect_condition(d, "Available",
                     "True MinimumReplicasAvailable Deployment has "
                     "minimum availability.");
    assert_int_equal(pods(w, "Running"), 2);
    /* Another template: other pods, at once. */
    apply(w, RUNS("d", "reg.invalid:5000/a:v1"));
    AUTO(json_free_ptr) struct json *e = get(w, "apps/v1", "Deployment", "d");

    expect_condition(e, "Available",
                     "False MinimumReplicasUnavailable Deployment "
                     "does not have minimum availability.");
    assert_int_equal(pods(w, "Pending"), 2);
    assert_int_equal(pods(w, "Running"), 0);
    k = registry_kind(w->registry, "apps/v1", "Deployment");
    assert_true(registry_delete(w->registry, k, "ns", "d", NULL, NULL, &st));
    settle(w);
    assert_int_equal(pods(w, "Pending"), 0);
}

/* Mirrors are followed; a host nobody has answers as a resolver does. */
static void
an_unreachable_package_says_why(void **state)
{
    struct world *w = *state;

    apply(w, "apiVersion: pkg.crossplane.io/v1beta1\n"
             "kind: ImageConfig\n"
             "metadata: {name: m}\n"
             "spec: {matchImages: [{prefix: far.example.org}], rewriteImage: "
             "{prefix: near.invalid/x}}\n");
    apply(w, "apiVersion: pkg.crossplane.io/v1\n"
             "kind: Function\n"
             "metadata: {name: function-auto-ready}\n"
             "spec: {package: far.example.org/y/function-auto-ready:v1}\n");
    AUTO(json_free_ptr)
    struct json *f =
        get(w, "pkg.crossplane.io/v1", "Function", "function-auto-ready");

    expect_condition(f, "Installed",
                     "False UnpackingPackage cannot unpack package: failed to "
                     "fetch package digest from remote: dial tcp: lookup "
                     "near.invalid: no such host");
    assert_string_equal(
        json_string(json_at(f, "status", "resolvedPackage", NULL)),
        "near.invalid/x/y/function-auto-ready:v1");
}

static void
roles_have_names_of_their_own(void **state)
{
    struct world *w = *state;
    const struct kind *k = registry_kind(
        w->registry, "rbac.authorization.k8s.io/v1", "ClusterRole");
    const struct registry_write how = {.manager = "test"};
    struct status st = {0};

    apply(w, "apiVersion: rbac.authorization.k8s.io/v1\n"
             "kind: ClusterRole\n"
             "metadata: {name: \"a:B:c\"}\n");
    assert_null(registry_create(
        w->registry, k, &how, "",
        kobj_new("rbac.authorization.k8s.io/v1", "ClusterRole", NULL, "a%b"),
        &st));
    assert_non_null(strstr(st.message, "may not contain '%'"));
    status_release(&st);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(everything_comes_to_ready),
        T(the_order_of_arrival_does_not_matter),
        T(the_provider_waits_and_fails_as_told),
        T(a_restart_changes_nothing),
        T(an_answer_expires),
        T(an_xrd_takes_everything_with_it),
        T(a_deployment_gets_its_pods),
        T(an_unreachable_package_says_why),
        T(roles_have_names_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
