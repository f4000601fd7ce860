/* The simulated provider against crossplane-runtime's managed reconciler: what
 * each test expects is what that does and says (provider.h has the source).
 * test_provider_recorded.c plays what it was seen to do; the kinds themselves
 * are test_managed_kinds.c's. */
#include "tests/unit/sandbox/provider_world.h"

#define S3    "s3.aws.m.upbound.io/v1beta1"
#define AZURE "azure.m.upbound.io/v1beta1"

/* A Dataset called d; meta and spec are members in flow style. */
static void
dataset(struct world *w, const char *meta, const char *spec)
{
    applyf(w,
           "{apiVersion: " BIGQUERY ", kind: Dataset, metadata: {name: d, "
           "namespace: ns%s}, spec: {%s}}",
           meta, spec);
}

static void
expect(struct world *w, const char *api_version, const char *kind,
       const char *name, const char *type, const char *want)
{
    AUTO(json_free_ptr) struct json *obj = get(w, api_version, kind, name);

    assert_non_null(obj);
    expect_condition(obj, type, want);
}

#define EXPECT_D(type, want) expect(w, BIGQUERY, "Dataset", "d", type, want)

/* The value at a dotted path of an object, as text to be freed. */
static char *
value_at(struct world *w, const char *api_version, const char *kind,
         const char *name, const char *path)
{
    AUTO(json_free_ptr) struct json *obj = get(w, api_version, kind, name);
    const struct json *v = obj;
    struct str rest = str_of(path), key;

    while (v && str_next(&rest, '.', &key))
        v = json_get_str(v, key);
    return v ? json_text(v, JSON_COMPACT) : mem_strdup("-");
}

static void
expect_at(struct world *w, const char *api_version, const char *kind,
          const char *name, const char *path, const char *want)
{
    AUTO(mem_free_ptr)
    char *got = value_at(w, api_version, kind, name, path);

    assert_string_equal(got, want);
}

#define EXPECT_AT(path, want) expect_at(w, BIGQUERY, "Dataset", "d", path, want)

/* The only external resource there is; NULL: none. */
static struct json *
the_external(struct world *w)
{
    const struct kind *k = registry_kind(w->registry, EXTERNAL, CLOUD_EXTERNAL);
    struct status st = {0};
    AUTO(json_free_ptr)
    struct json *all = registry_list_json(w->registry, k, NULL, NULL, &st);

    assert_true(json_len(all) <= 1);
    return json_len(all) ? json_copy(json_first(all)) : NULL;
}

/* Somebody works in the cloud behind the provider's back. */
static void
change_external(struct world *w, const char *patch)
{
    const struct kind *k = registry_kind(w->registry, EXTERNAL, CLOUD_EXTERNAL);
    const struct registry_write how = {.manager = "somebody"};
    AUTO(json_free_ptr) struct json *x = the_external(w);
    struct status st = {0};

    assert_non_null(x);
    json_free(registry_patch(w->registry, k, &how, NULL, kobj_name(x),
                             PATCH_MERGE, str_of(patch), &st));
    if (st.message)
        fail_msg("%s", st.message);
    settle(w);
}

/* ---- what may be asked for ---- */

/* The rule asks only where something may be created, and takes initProvider. */
static void
a_needed_field_may_come_from_elsewhere(void **state)
{
    static const char *const specs[] = {
        "forProvider: {region: r}, managementPolicies: [Observe]",
        "forProvider: {region: r}, initProvider: {instanceClass: c}",
        "forProvider: {region: r, instanceClass: c}",
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
        applyf(w,
               "{apiVersion: rds.aws.m.upbound.io/v1beta1, kind: Instance, "
               "metadata: {name: i%zu, namespace: ns}, spec: {%s}}",
               i, specs[i]);
    }
    expect_at(w, "rds.aws.m.upbound.io/v1beta1", "Instance", "i1",
              "status.atProvider.instanceClass", "\"c\"");
}

/* Who is named by a field that nobody gave cannot be created. */
static void
what_has_no_name_is_not_created(void **state)
{
    struct world *w = *state;

    apply(w, "{apiVersion: " S3 ", kind: BucketVersioning, metadata: {name: v, "
             "namespace: ns}, spec: {forProvider: {region: r, "
             "versioningConfiguration: {status: Enabled}}}}");
    expect(w, S3, "BucketVersioning", "v", "Synced",
           "False ReconcileError create failed: a field that names the "
           "resource is missing");
    assert_null(the_external(w));
}

/* ---- the first look ---- */

static void
a_resource_is_created_in_few_writes(void **state)
{
    struct world *w = *state;
    uint64_t before = registry_revision(w->registry);

    dataset(w, "", "forProvider: {friendlyName: F, project: p}");
    /* The object, itself; object, cloud, usage and event; status. */
    assert_int_equal(registry_revision(w->registry) - before, 6);
    EXPECT_D("Ready", "True Available ");
    EXPECT_D("Synced", "True ReconcileSuccess ");
    EXPECT_AT("metadata.finalizers",
              "[\"finalizer.managedresource.crossplane.io\"]");
    EXPECT_AT("spec.providerConfigRef",
              "{\"kind\":\"ClusterProviderConfig\",\"name\":\"default\"}");
    EXPECT_AT("spec.managementPolicies", "[\"*\"]");
    EXPECT_AT("spec.forProvider.location", "\"US\"");
    EXPECT_AT("status.atProvider.id", "\"projects/p/datasets/d\"");
    EXPECT_AT("status.atProvider.creationTime", "1763700000000");
    expect_event(w, "d",
                 "Normal CreatedExternalResource Successfully requested "
                 "creation of external resource\n");
    before = registry_revision(w->registry);
    control_add(w->control, JOB_MANAGED, "bigquery.gcp.m.upbound.io",
                "datasets", "ns", "d");
    settle(w);
    assert_int_equal(registry_revision(w->registry), before);
}

static void
names_are_given_by_whom_the_provider_says(void **state)
{
    struct world *w = *state;

    dataset(w, ", annotations: {crossplane.io/external-name: other}",
            "forProvider: {}");
    EXPECT_AT("status.atProvider.id",
              "\"projects/sandbox-project/datasets/other\"");
    apply(w, "{apiVersion: " BIGQUERY ", kind: DatasetIAMMember, metadata: "
             "{name: m, namespace: ns}, spec: {forProvider: {project: p, "
             "datasetId: other, role: r, member: u}}}");
    AUTO(json_free_ptr)
    struct json *m = get(w, BIGQUERY, "DatasetIAMMember", "m");

    assert_string_equal(kobj_annotation(m, "crossplane.io/external-name"),
                        "projects/p/datasets/other r u");
}

static void
what_only_creation_needs_is_merged_once(void **state)
{
    struct world *w = *state;

    dataset(w, "",
            "forProvider: {project: p}, initProvider: {friendlyName: A, "
            "labels: {a: b}}");
    EXPECT_AT("status.atProvider.friendlyName", "\"A\"");
    EXPECT_AT("spec.forProvider.labels", "{\"a\":\"b\"}");
    change_external(w, "{\"spec\":{\"parameters\":{\"friendlyName\":\"B\"}}}");
    EXPECT_AT("spec.forProvider.friendlyName", "\"A\"");
    EXPECT_AT("status.atProvider.friendlyName", "\"A\"");
    must_delete(w, BIGQUERY, "Dataset", "d");
    /* Without late initialisation forProvider stays as it is. */
    dataset(w, "",
            "forProvider: {project: p}, initProvider: {friendlyName: A}, "
            "managementPolicies: [Observe, Create, Update, Delete]");
    EXPECT_AT("spec.forProvider", "{\"project\":\"p\"}");
    change_external(w, "{\"spec\":{\"parameters\":{\"friendlyName\":\"B\"}}}");
    EXPECT_AT("status.atProvider.friendlyName", "\"B\"");
}

/* ---- policies ---- */

static void
fifteen_sets_of_policies_are_supported(void **state)
{
    static const struct {
        const char *set;
        bool good;
    } cases[] = {
        {"[\"*\"]", true},
        {"[Observe, Create, Update, LateInitialize, Delete]", true},
        {"[Observe, Create, Update, Delete]", true},
        {"[Observe, Create, Update, LateInitialize]", true},
        {"[Observe, Create, Update]", true},
        {"[Observe, Create, Delete, LateInitialize]", true},
        {"[Observe, Create, LateInitialize]", true},
        {"[Observe, Create, Delete]", true},
        {"[Observe, Create]", true},
        {"[Observe]", true},
        {"[Observe, Delete]", true},
        {"[Observe, Update]", true},
        {"[Observe, LateInitialize]", true},
        {"[Observe, Update, LateInitialize]", true},
        {"[Create, Delete]", false},
        {"[Update]", false},
        {"[Observe, \"*\"]", false},
        {"[LateInitialize]", false},
        {"[Observe, Update, Delete]", false},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(mem_free_ptr)
        char *spec =
            mem_printf("forProvider: {}, managementPolicies: %s", cases[i].set);

        dataset(w, "", spec);
        AUTO(json_free_ptr) struct json *d = get(w, BIGQUERY, "Dataset", "d");
        const char *said =
            json_string_or(json_get(condition_get(d, "Synced"), "message"), "");

        if (cases[i].good != condition_true(d, "Synced"))
            fail_msg("%s: %s", cases[i].set, said);
    }
    EXPECT_D("Synced",
             "False ReconcileError `spec.managementPolicies` is set to a "
             "value([Observe Update Delete]) which is not supported. Check "
             "docs for supported policies");
    expect_event(w, "d", "Warning CannotUseInvalidManagementPolicy");
    dataset(w, "", "forProvider: {}, managementPolicies: []");
    EXPECT_D("Synced", "False ReconcilePaused ");
}

static void
observing_needs_something_to_observe(void **state)
{
    struct world *w = *state;

    dataset(w, "", "forProvider: {}, managementPolicies: [Observe]");
    EXPECT_D("Synced", "False ReconcileError observe failed: external resource "
                       "does not exist");
    EXPECT_AT("metadata.finalizers", "-");
    expect_event(w, "d",
                 "Warning CannotObserveExternalResource external resource "
                 "does not exist\n");
    /* Somebody makes it in the cloud, under a name of their own. */
    apply(w, "{apiVersion: " EXTERNAL ", kind: ExternalResource, metadata: "
             "{name: mine}, spec: {group: bigquery.gcp.m.upbound.io, kind: "
             "Dataset, externalName: d, parameters: {location: EU, "
             "friendlyName: Mine}}}");
    EXPECT_D("Ready", "True Available ");
    EXPECT_AT("spec.forProvider", "{}");
    EXPECT_AT("status.atProvider.friendlyName", "\"Mine\"");
    /* With all policies it is imported: what nobody said is taken over. */
    must_delete(w, BIGQUERY, "Dataset", "d");
    dataset(w, "", "forProvider: {}");
    EXPECT_AT("spec.forProvider.friendlyName", "\"Mine\"");
    EXPECT_AT("metadata.annotations.crossplane\\.io", "-");
    EXPECT_D("Synced", "True ReconcileSuccess ");
    must_delete(w, BIGQUERY, "Dataset", "d");
    assert_null(the_external(w));
}

static void
what_may_not_be_deleted_stays_in_the_cloud(void **state)
{
    struct world *w = *state;

    dataset(w, "",
            "forProvider: {location: EU}, managementPolicies: [Observe, "
            "Create, Update, LateInitialize]");
    must_delete(w, BIGQUERY, "Dataset", "d");
    assert_null(get(w, BIGQUERY, "Dataset", "d"));
    AUTO(json_free_ptr) struct json *x = the_external(w);

    assert_non_null(x);
    dataset(w, "", "forProvider: {}");
    EXPECT_AT("status.atProvider.location", "\"EU\"");
}

static const char legacy[] =
    "apiVersion: apiextensions.k8s.io/v1\n"
    "kind: CustomResourceDefinition\n"
    "metadata: {name: olds.c.org}\n"
    "spec:\n"
    "  group: c.org\n"
    "  scope: Cluster\n"
    "  names: {kind: Old, plural: olds, categories: [managed]}\n"
    "  versions:\n"
    "  - name: v1\n"
    "    served: true\n"
    "    storage: true\n"
    "    subresources: {status: {}}\n"
    "    schema: {openAPIV3Schema: {type: object, "
    "x-kubernetes-preserve-unknown-fields: true}}\n";

/* The older of two ways to say it gives way to the one that is not default. */
static void
a_deletion_policy_counts_where_there_is_one(void **state)
{
    static const struct {
        const char *policy, *management;
        bool stays;
    } cases[] = {
        {"Delete", "[\"*\"]", false},
        {"Orphan", "[\"*\"]", true},
        {"Orphan", "[Observe, Create, Delete]", false},
        {"Delete", "[Observe, Create]", true},
    };
    struct world *w = *state;

    apply(w, legacy);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        applyf(w,
               "{apiVersion: c.org/v1, kind: Old, metadata: {name: o%zu}, "
               "spec: {deletionPolicy: %s, managementPolicies: %s}}",
               i, cases[i].policy, cases[i].management);
        AUTO(mem_free_ptr) char *name = mem_printf("o%zu", i);

        must_delete(w, "c.org/v1", "Old", name);
        AUTO(json_free_ptr) struct json *x = the_external(w);

        assert_int_equal(x != NULL, cases[i].stays);
        if (x)
            must_delete(w, EXTERNAL, CLOUD_EXTERNAL, kobj_name(x));
    }
}

static void
an_interrupted_creation_is_not_repeated(void **state)
{
    struct world *w = *state;

    dataset(w,
            ", annotations: {crossplane.io/external-create-pending: "
            "\"2025-01-01T00:00:00Z\"}",
            "forProvider: {}");
    EXPECT_D("Synced",
             "False ReconcileError cannot determine creation result - remove "
             "the crossplane.io/external-create-pending annotation if it is "
             "safe to proceed");
    EXPECT_D("Ready", "False Creating ");
    assert_null(the_external(w));
}

/* ---- references ---- */

#define MEMBER(ref)                                                            \
    "{apiVersion: " BIGQUERY ", kind: DatasetIAMMember, metadata: {name: m, "  \
    "namespace: ns}, spec: {forProvider: {project: p, role: r, member: "       \
    "u, " ref "}}}"

static void
references_are_filled_in(void **state)
{
    struct world *w = *state;

    apply(w, MEMBER("datasetIdRef: {name: d}"));
    expect(w, BIGQUERY, "DatasetIAMMember", "m", "Synced",
           "False ReconcileError cannot resolve references: "
           "mg.Spec.ForProvider.DatasetID: cannot get referenced resource: "
           "Dataset.bigquery.gcp.m.upbound.io \"d\" not found");
    expect_event(w, "m", "Warning CannotResolveResourceReferences");
    dataset(w,
            ", annotations: {crossplane.io/external-name: dd}, labels: {a: b}",
            "forProvider: {}");
    expect(w, BIGQUERY, "DatasetIAMMember", "m", "Ready", "True Available ");
    expect_at(w, BIGQUERY, "DatasetIAMMember", "m",
              "spec.forProvider.datasetId", "\"dd\"");
    must_delete(w, BIGQUERY, "DatasetIAMMember", "m");

    apply(w, MEMBER("datasetIdSelector: {matchLabels: {a: c}}"));
    expect(w, BIGQUERY, "DatasetIAMMember", "m", "Synced",
           "False ReconcileError cannot resolve references: "
           "mg.Spec.ForProvider.DatasetID: no resources matched selector");
    apply(w, MEMBER("datasetIdSelector: {matchLabels: {a: b}}"));
    expect_at(w, BIGQUERY, "DatasetIAMMember", "m",
              "spec.forProvider.datasetIdRef",
              "{\"name\":\"d\",\"namespace\":\"ns\"}");
    must_delete(w, BIGQUERY, "DatasetIAMMember", "m");

    /* Nobody here has the same controller. */
    apply(w, MEMBER("datasetIdSelector: {matchControllerRef: true, "
                    "matchLabels: {a: b}, policy: {resolution: Optional}}"));
    expect(w, BIGQUERY, "DatasetIAMMember", "m", "Synced",
           "True ReconcileSuccess ");
}

/* An id is there only when the other has been observed. */
static void
an_id_is_waited_for(void **state)
{
    struct world *w = *state;

    w->control->provider_delay_ms = 0;
    apply(w, "{apiVersion: storage." AZURE ", kind: Account, metadata: {name: "
             "a, namespace: ns, annotations: {crossplane.io/paused: "
             "\"true\"}}, spec: {forProvider: {location: l, accountTier: S, "
             "accountReplicationType: LRS, resourceGroupName: g}}}");
    apply(w, "{apiVersion: storage." AZURE ", kind: Container, metadata: "
             "{name: c, namespace: ns}, spec: {forProvider: "
             "{storageAccountIdRef: {name: a}}}}");
    expect(w, "storage." AZURE, "Container", "c", "Synced",
           "False ReconcileError cannot resolve references: "
           "mg.Spec.ForProvider.StorageAccountID: referenced field was empty "
           "(referenced resource may not yet be ready)");
    apply(w, "{apiVersion: storage." AZURE ", kind: Account, metadata: {name: "
             "a, namespace: ns, annotations: {crossplane.io/paused: "
             "\"false\"}}, spec: {forProvider: {location: l, accountTier: S, "
             "accountReplicationType: LRS, resourceGroupName: g}}}");
    expect_at(w, "storage." AZURE, "Container", "c", "status.atProvider.id",
              "\"/subscriptions/00000000-0000-0000-0000-000000000000/"
              "resourceGroups/g/providers/Microsoft.Storage/"
              "storageAccounts/a/blobServices/default/containers/c\"");
}

/* ---- drift ---- */

static void
drift_is_put_back(void **state)
{
    struct world *w = *state;

    dataset(w, "", "forProvider: {friendlyName: F, labels: {a: b}}");
    change_external(w, "{\"spec\":{\"parameters\":{\"friendlyName\":\"G\","
                       "\"labels\":{\"a\":\"b\",\"more\":\"c\"}}}}");
    EXPECT_AT("status.atProvider.friendlyName", "\"F\"");
    EXPECT_AT("status.atProvider.labels", "{\"a\":\"b\",\"more\":\"c\"}");
    expect_event(w, "d", "Normal UpdatedExternalResource");
    /* Without Update it is seen, and left. */
    dataset(w, "",
            "forProvider: {friendlyName: F, labels: {a: b}}, "
            "managementPolicies: [Observe, Create, Delete]");
    change_external(w, "{\"spec\":{\"parameters\":{\"friendlyName\":\"G\"}}}");
    EXPECT_AT("status.atProvider.friendlyName", "\"G\"");
    EXPECT_D("Synced", "True ReconcileSuccess ");
}

static void
what_is_gone_is_created_again(void **state)
{
    struct world *w = *state;

    dataset(w, "", "forProvider: {}");
    AUTO(json_free_ptr) struct json *x = the_external(w);

    must_delete(w, EXTERNAL, CLOUD_EXTERNAL, kobj_name(x));
    expect_event(w, "d",
                 "Normal PendingExternalResource Waiting for external resource "
                 "existence to be confirmed\n");
    assert_null(the_external(w));
    clock_advance(&w->clock, 30000);
    settle(w);
    json_free(x);
    x = the_external(w);
    assert_non_null(x);
    EXPECT_D("Ready", "True Available ");
}

static void
what_cannot_change_is_refused(void **state)
{
    struct world *w = *state;

    dataset(w, "", "forProvider: {location: US, friendlyName: F}");
    dataset(w, "", "forProvider: {location: EU, friendlyName: G}");
    EXPECT_D("Synced",
             "False ReconcileError update failed: refuse to update the "
             "external resource because the following update requires "
             "replacing it: cannot change the value of the argument "
             "\"location\" from \"US\" to \"EU\"");
    EXPECT_D("Ready", "True Available ");
    EXPECT_AT("status.atProvider.friendlyName", "\"F\"");
    dataset(w, "", "forProvider: {location: US, friendlyName: G}");
    EXPECT_D("Synced", "True ReconcileSuccess ");
    EXPECT_AT("status.atProvider.friendlyName", "\"G\"");
}

/* ---- configs ---- */

static void
a_config_in_use_does_not_go(void **state)
{
    struct world *w = *state;

    dataset(w, "",
            "forProvider: {}, providerConfigRef: {kind: ProviderConfig, name: "
            "prod}");
    EXPECT_D("Synced",
             "False ReconcileError connect failed: cannot get terraform setup: "
             "cannot resolve provider config: cannot get referenced "
             "ProviderConfig: ProviderConfig.gcp.m.upbound.io \"prod\" not "
             "found");
    apply(w, "{apiVersion: gcp.m.upbound.io/v1beta1, kind: ProviderConfig, "
             "metadata: {name: prod, namespace: ns}, spec: {projectID: p, "
             "credentials: {source: None}}}");
    clock_advance(&w->clock, 60000);
    settle(w);
    EXPECT_D("Ready", "True Available ");
    expect_at(w, "gcp.m.upbound.io/v1beta1", "ProviderConfig", "prod",
              "status.users", "1");
    must_delete(w, "gcp.m.upbound.io/v1beta1", "ProviderConfig", "prod");
    expect(w, "gcp.m.upbound.io/v1beta1", "ProviderConfig", "prod",
           "Terminating",
           "True InUse Blocking deletion while usages still exist");
    must_delete(w, BIGQUERY, "Dataset", "d");
    settle(w);
    clock_advance(&w->clock, 1000);
    settle(w);
    assert_null(get(w, "gcp.m.upbound.io/v1beta1", "ProviderConfig", "prod"));
}

/* ---- connection secrets ---- */

static const char database[] =
    "{apiVersion: rds.aws.m.upbound.io/v1beta1, kind: Instance, metadata: "
    "{name: db, namespace: ns}, spec: {forProvider: {region: eu-west-1, "
    "instanceClass: db.t3.micro, engine: postgres, username: root, "
    "passwordSecretRef: {name: pw, key: p}}, writeConnectionSecretToRef: "
    "{name: conn}}}";

static void
the_connection_secret_has_the_keys_of_the_kind(void **state)
{
    struct world *w = *state;

    apply(w, "{apiVersion: v1, kind: Secret, metadata: {name: conn, namespace: "
             "ns}, stringData: {x: z}}");
    apply(w, "{apiVersion: v1, kind: Secret, metadata: {name: pw, namespace: "
             "ns}, stringData: {p: geheim}}");
    apply(w, database);
    expect(w, "rds.aws.m.upbound.io/v1beta1", "Instance", "db", "Synced",
           "False ReconcileError cannot create or update connection secret: "
           "refusing to modify uncontrolled secret of type \"Opaque\"");
    must_delete(w, "v1", "Secret", "conn");
    clock_advance(&w->clock, 60000);
    settle(w);
    AUTO(json_free_ptr) struct json *s = get(w, "v1", "Secret", "conn");
    static const char *const keys[] = {"endpoint", "address",  "host",
                                       "port",     "username", "password"};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        assert_non_null(json_at(s, "data", keys[i], NULL));
    assert_string_equal(json_string(json_at(s, "data", "password", NULL)),
                        "Z2VoZWlt");
    assert_string_equal(json_string(json_at(s, "data", "port", NULL)),
                        "NTQzMg==");
    assert_string_equal(json_get_string(s, "type"),
                        "connection.crossplane.io/v1alpha1");
}

/* ---- faults ---- */

static void
fault(struct world *w, const char *spec)
{
    applyf(w,
           "{apiVersion: " EXTERNAL ", kind: Fault, metadata: {name: f}, spec: "
           "{%s}}",
           spec);
}

static void
clouds_fail_in_their_own_words(void **state)
{
    struct world *w = *state;

    fault(w, "name: d, reason: forbidden");
    dataset(w, "", "forProvider: {project: p}");
    EXPECT_D("Synced",
             "False ReconcileError create failed: googleapi: Error 403: "
             "Permission 'bigquery.datasets.create' denied on resource "
             "'//bigquery.googleapis.com/projects/p/datasets/d' (or it may not "
             "exist)., forbidden");
    EXPECT_D("Ready", "False Creating ");
    assert_null(the_external(w));
    fault(w, "name: d, kind: buckets, reason: forbidden"); /* another kind */
    clock_advance(&w->clock, 60000);
    settle(w);
    EXPECT_D("Ready", "True Available ");
    /* What exists fails when it is observed, and stays Ready. */
    fault(w, "name: \"*\", reason: quota exceeded for today");
    EXPECT_D("Synced",
             "False ReconcileError observe failed: quota exceeded for today");
    EXPECT_D("Ready", "True Available ");
    fault(w, "name: d, reason: unavailable");
    EXPECT_D("Ready", "False Unavailable googleapi: Error 503: The service is "
                      "currently unavailable., backendError");
    fault(w, "name: d, step: delete, reason: timeout");
    must_delete(w, BIGQUERY, "Dataset", "d");
    EXPECT_D("Synced",
             "False ReconcileError delete failed: googleapi: got HTTP response "
             "code 504 from bigquery.googleapis.com: context deadline "
             "exceeded");
    EXPECT_D("Ready", "False Deleting ");
    must_delete(w, EXTERNAL, CLOUD_FAULT, "f");
    clock_advance(&w->clock, 60000);
    settle(w);
    assert_null(get(w, BIGQUERY, "Dataset", "d"));
}

static void
a_fault_ends_when_it_was_to(void **state)
{
    struct world *w = *state;

    fault(w, "name: d, step: create, reason: nothing doing, until: "
             "\"2025-11-21T04:40:20Z\"");
    dataset(w, "", "forProvider: {}");
    EXPECT_D("Synced", "False ReconcileError create failed: nothing doing");
    clock_advance(&w->clock, 19999);
    settle(w);
    EXPECT_D("Synced", "False ReconcileError create failed: nothing doing");
    clock_advance(&w->clock, 1);
    settle(w);
    EXPECT_D("Ready", "True Available ");
    assert_null(get(w, EXTERNAL, CLOUD_FAULT, "f"));
}

static void
a_fault_means_what_a_composite_composes(void **state)
{
    struct world *w = *state;

    fault(w, "name: sales, kind: dataproducts, reason: slow");
    dataset(w,
            ", labels: {crossplane.io/composite: sales}, ownerReferences: "
            "[{apiVersion: x/v1, kind: DataProduct, name: sales, uid: u1, "
            "controller: true}]",
            "forProvider: {}");
    EXPECT_D("Ready", "False Creating ");
    EXPECT_D("Synced", "True ReconcileSuccess ");
    clock_advance(&w->clock, 60000);
    settle(w);
    EXPECT_D("Ready", "True Available ");
}

/* ---- a restart ---- */

static void
the_cloud_survives_a_restart(void **state)
{
    struct world *w = *state;

    dataset(w, "", "forProvider: {friendlyName: F}");
    uint64_t before = registry_revision(w->registry);

    control_free(w->control);
    start_control(w);
    settle(w);
    assert_int_equal(registry_revision(w->registry), before);
    change_external(w, "{\"spec\":{\"parameters\":{\"friendlyName\":\"G\"}}}");
    EXPECT_AT("status.atProvider.friendlyName", "\"F\"");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_needed_field_may_come_from_elsewhere),
        T(what_has_no_name_is_not_created),
        T(a_resource_is_created_in_few_writes),
        T(names_are_given_by_whom_the_provider_says),
        T(what_only_creation_needs_is_merged_once),
        T(fifteen_sets_of_policies_are_supported),
        T(observing_needs_something_to_observe),
        T(what_may_not_be_deleted_stays_in_the_cloud),
        T(a_deletion_policy_counts_where_there_is_one),
        T(an_interrupted_creation_is_not_repeated),
        T(references_are_filled_in),
        T(an_id_is_waited_for),
        T(drift_is_put_back),
        T(what_is_gone_is_created_again),
        T(what_cannot_change_is_refused),
        T(a_config_in_use_does_not_go),
        T(the_connection_secret_has_the_keys_of_the_kind),
        T(clouds_fail_in_their_own_words),
        T(a_fault_ends_when_it_was_to),
        T(a_fault_means_what_a_composite_composes),
        T(the_cloud_survives_a_restart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
