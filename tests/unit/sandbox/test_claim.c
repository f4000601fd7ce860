/* Claims, legacy composite resources and their connection details. */
#include "tests/unit/sandbox/control_world.h"

static const char definitions[] =
    "apiVersion: v1\nkind: Namespace\nmetadata: {name: ns}\n"
    "---\n"
    "apiVersion: apiextensions.crossplane.io/v1\n"
    "kind: CompositeResourceDefinition\n"
    "metadata: {name: xthings.e.org}\n"
    "spec:\n"
    "  group: e.org\n"
    "  names: {kind: XThing, plural: xthings}\n"
    "  claimNames: {kind: Thing, plural: things}\n"
    "  connectionSecretKeys: [user]\n"
    "  versions:\n"
    "  - name: v1\n"
    "    served: true\n"
    "    referenceable: true\n"
    "    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: "
    "object, properties: {size: {type: integer}}}, status: {type: object, "
    "properties: {size: {type: integer}}}}}}\n"
    "---\n"
    "apiVersion: pkg.crossplane.io/v1\n"
    "kind: Function\n"
    "metadata: {name: gt}\n"
    "spec: {package: x.org/c/function-go-templating:v1}\n";

/* Ready as the annotation of the XR says; one condition for the claim too. */
static const char composition[] =
    "apiVersion: apiextensions.crossplane.io/v1\n"
    "kind: Composition\n"
    "metadata: {name: xthings}\n"
    "spec:\n"
    "  writeConnectionSecretsToNamespace: ns\n"
    "  compositeTypeRef: {apiVersion: e.org/v1, kind: XThing}\n"
    "  pipeline:\n"
    "  - step: a\n"
    "    functionRef: {name: gt}\n"
    "    input:\n"
    "      apiVersion: gotemplating.fn.crossplane.io/v1beta1\n"
    "      kind: GoTemplate\n"
    "      source: Inline\n"
    "      inline:\n"
    "        template: |\n"
    "          {{ $xr := .observed.composite.resource }}\n"
    "          apiVersion: e.org/v1\n"
    "          kind: XThing\n"
    "          metadata: {annotations: {gotemplating.fn.crossplane.io/ready: "
    "\"{{ if eq (int $xr.spec.size) 1 }}False{{ else }}True{{ end }}\"}}\n"
    "          status: {size: {{ $xr.spec.size }}}\n"
    "          ---\n"
    "          apiVersion: meta.gotemplating.fn.crossplane.io/v1alpha1\n"
    "          kind: CompositeConnectionDetails\n"
    "          data: {user: {{ \"me\" | b64enc }}, other: {{ \"no\" | b64enc "
    "}}}\n"
    "          ---\n"
    "          apiVersion: meta.gotemplating.fn.crossplane.io/v1alpha1\n"
    "          kind: ClaimConditions\n"
    "          conditions: [{type: Shared, status: \"True\", reason: Good, "
    "message: hi, target: CompositeAndClaim}, {type: Mine, status: \"True\", "
    "reason: Good, target: Composite}]\n";

#define CLAIM(size, more)                                                      \
    "apiVersion: e.org/v1\nkind: Thing\nmetadata: {name: t, namespace: ns, "   \
    "labels: {team: a}}\nspec: {size: " size more "}\n"

static void
install(struct world *w)
{
    apply(w, definitions);
    apply(w, composition);
}

static const char *
xr_name(const struct json *claim)
{
    return json_string_or(json_at(claim, "spec", "resourceRef", "name", NULL),
                          "");
}

static void
an_xrd_offers_claims(void **state)
{
    struct world *w = *state;

    install(w);
    AUTO(json_free_ptr)
    struct json *xrd = get(w, "apiextensions.crossplane.io/v1",
                           "CompositeResourceDefinition", "xthings.e.org");

    expect_condition(xrd, "Offered", "True WatchingCompositeResourceClaim ");
    expect_condition(xrd, "Established", "True WatchingCompositeResource ");
    assert_true(kobj_has_finalizer(xrd, "offered.apiextensions.crossplane.io"));
    assert_string_equal(
        json_string_or(json_at(xrd, "status", "controllers",
                               "compositeResourceClaimType", "kind", NULL),
                       ""),
        "Thing");
    expect_event(w, "xthings.e.org",
                 "Normal OfferClaim Applied composite resource claim "
                 "CustomResourceDefinition: things.e.org\n");
}

static void
a_claim_gets_an_xr_and_hears_of_it(void **state)
{
    struct world *w = *state;

    install(w);
    apply(w, CLAIM("1", ""));
    AUTO(json_free_ptr) struct json *claim = get(w, "e.org/v1", "Thing", "t");

    assert_true(strncmp(xr_name(claim), "t-", 2) == 0 &&
                strlen(xr_name(claim)) == 7);
    AUTO(json_free_ptr)
    struct json *xr = get(w, "e.org/v1", "XThing", xr_name(claim));

    assert_string_equal(kobj_label(xr, "crossplane.io/claim-name"), "t");
    assert_string_equal(kobj_label(xr, "crossplane.io/claim-namespace"), "ns");
    assert_string_equal(kobj_label(xr, "team"), "a");
    assert_string_equal(kobj_label(xr, "crossplane.io/composite"),
                        xr_name(claim));
    expect_condition(claim, "Synced", "True ReconcileSuccess ");
    expect_condition(claim, "Ready",
                     "False Waiting Claim is waiting for composite resource to "
                     "become Ready");
    expect_condition(claim, "Shared", "True Good hi");
    expect_condition(claim, "Mine", "- - ");
    expect_condition(xr, "Mine", "True Good ");
    assert_int_equal(json_int64_or(json_at(claim, "status", "size", NULL), 0),
                     1);
    assert_string_equal(
        json_string_or(json_at(claim, "spec", "compositionRef", "name", NULL),
                       ""),
        "xthings");
    expect_event(w, "t",
                 "Normal BindCompositeResource Successfully bound composite "
                 "resource\n");
    expect_event(w, "t",
                 "Normal BindCompositeResource Composite resource is not yet "
                 "ready\n");
    /* A change goes down and its answer comes up. */
    apply(w, CLAIM("2", ""));
    json_free(claim);
    claim = get(w, "e.org/v1", "Thing", "t");
    expect_condition(claim, "Ready", "True Available ");
    assert_int_equal(json_int64_or(json_at(claim, "status", "size", NULL), 0),
                     2);
    expect_rest(w, JOB_CLAIM, "e.org", "things", "ns", "t");
}

static void
connection_details_reach_the_claim(void **state)
{
    struct world *w = *state;

    install(w);
    apply(w, CLAIM("2", ", writeConnectionSecretToRef: {name: details}"));
    AUTO(json_free_ptr) struct json *claim = get(w, "e.org/v1", "Thing", "t");
    AUTO(json_free_ptr)
    struct json *xr = get(w, "e.org/v1", "XThing", xr_name(claim));
    AUTO(json_free_ptr)
    struct json *theirs = get(w, "v1", "Secret", kobj_uid(xr));
    AUTO(json_free_ptr)
    struct json *ours = get(w, "v1", "Secret", "details");

    expect_condition(claim, "Ready", "True Available ");
    assert_true(kobj_is_controlled_by(theirs, kobj_uid(xr)));
    assert_true(kobj_is_controlled_by(ours, kobj_uid(claim)));
    assert_string_equal(json_get_string(ours, "type"),
                        "connection.crossplane.io/v1alpha1");
    assert_int_equal(json_len(json_get(ours, "data")), 1);
    assert_string_equal(json_get_string(json_get(ours, "data"), "user"),
                        "bWU=");
    assert_non_null(json_at(claim, "status", "connectionDetails",
                            "lastPublishedTime", NULL));
    expect_event(w, xr_name(claim),
                 "Normal PublishConnectionSecret Successfully published "
                 "connection details\n");
    expect_event(w, "t",
                 "Normal PropagateConnectionSecret Successfully propagated "
                 "connection details from composite resource\n");
}

static void
a_foreign_secret_is_left_alone(void **state)
{
    struct world *w = *state;

    install(w);
    apply(w, "apiVersion: v1\nkind: Secret\nmetadata: {name: details, "
             "namespace: ns}\nstringData: {a: b}\n");
    apply(w, CLAIM("2", ", writeConnectionSecretToRef: {name: details}"));
    AUTO(json_free_ptr) struct json *claim = get(w, "e.org/v1", "Thing", "t");

    expect_condition(claim, "Synced",
                     "False ReconcileError cannot propagate connection details "
                     "from composite resource: cannot create or update "
                     "connection secret: refusing to modify uncontrolled "
                     "secret of type \"Opaque\"");
}

static void
a_claim_takes_its_xr_with_it(void **state)
{
    static const char *const policies[] = {
        ", compositeDeletePolicy: Foreground", ""};
    struct world *w = *state;

    install(w);
    for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
        AUTO(mem_free_ptr)
        char *yaml = mem_printf("apiVersion: e.org/v1\nkind: Thing\nmetadata: "
                                "{name: t%zu, namespace: ns}\nspec: {size: "
                                "2%s}\n",
                                i, policies[i]);
        AUTO(mem_free_ptr) char *name = mem_printf("t%zu", i);

        apply(w, yaml);
        AUTO(json_free_ptr)
        struct json *claim = get(w, "e.org/v1", "Thing", name);
        AUTO(mem_free_ptr) char *xr = mem_strdup(xr_name(claim));

        must_delete(w, "e.org/v1", "Thing", name);
        for (int k = 0; k < 3; k++) {
            clock_advance(&w->clock, 2000);
            settle(w);
        }
        AUTO(json_free_ptr)
        struct json *gone = get(w, "e.org/v1", "Thing", name);
        AUTO(json_free_ptr)
        struct json *gone_xr = get(w, "e.org/v1", "XThing", xr);

        assert_null(gone);
        assert_null(gone_xr);
        expect_event(w, name,
                     "Normal DeleteCompositeResource Successfully deleted "
                     "composite resource\n");
    }
}

static void
another_claims_xr_is_refused(void **state)
{
    struct world *w = *state;

    install(w);
    apply(w, CLAIM("2", ""));
    AUTO(json_free_ptr) struct json *claim = get(w, "e.org/v1", "Thing", "t");
    AUTO(mem_free_ptr)
    char *yaml = mem_printf("apiVersion: e.org/v1\nkind: Thing\nmetadata: "
                            "{name: thief, namespace: ns}\nspec: {size: 3, "
                            "resourceRef: {apiVersion: e.org/v1, kind: XThing, "
                            "name: %s}}\n",
                            xr_name(claim));

    apply(w, yaml);
    AUTO(json_free_ptr)
    struct json *thief = get(w, "e.org/v1", "Thing", "thief");
    char want[300];

    snprintf(want, sizeof(want),
             "False ReconcileError refusing to operate on composite resource "
             "\"%s\" that is not bound to this claim: bound to claim \"t\"",
             xr_name(claim));
    expect_condition(thief, "Synced", want);
}

static void
paused_and_the_end_of_the_xrd(void **state)
{
    struct world *w = *state;

    install(w);
    apply(w, CLAIM("2", ""));
    apply(w, "apiVersion: e.org/v1\nkind: Thing\nmetadata: {name: p, "
             "namespace: ns, annotations: {crossplane.io/paused: "
             "\"true\"}}\nspec: {size: 1}\n");
    AUTO(json_free_ptr) struct json *p = get(w, "e.org/v1", "Thing", "p");

    expect_condition(p, "Synced",
                     "False ReconcilePaused Reconciliation (including "
                     "deletion) is paused via the pause annotation");
    assert_string_equal(xr_name(p), "");
    must_delete(w, "apiextensions.crossplane.io/v1",
                "CompositeResourceDefinition", "xthings.e.org");
    for (int i = 0; i < 8; i++) {
        clock_advance(&w->clock, 5000);
        settle(w);
    }
    assert_null(registry_kind(w->registry, "e.org/v1", "XThing"));
    assert_null(registry_kind(w->registry, "e.org/v1", "Thing"));
    assert_int_equal(map_count(&w->control->types), 0);
    assert_int_equal(map_count(&w->control->claims), 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_xrd_offers_claims),
        T(a_claim_gets_an_xr_and_hears_of_it),
        T(connection_details_reach_the_claim),
        T(a_foreign_secret_is_left_alone),
        T(a_claim_takes_its_xr_with_it),
        T(another_claims_xr_is_refused),
        T(paused_and_the_end_of_the_xrd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
