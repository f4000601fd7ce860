/* Causes: the root, not the symptom; merged; with what they hit. */
#include "lib/mesh/why.h"

#include "tests/unit/mesh/fixture.h"

static struct mesh *m;
static struct arena *a;
static struct clock now;

static int
setup(void **state)
{
    (void)state;
    clock_fake(&now, 1795236125000); /* 2026-11-21T04:42:05Z */
    m = mesh_new(&now);
    a = arena_new();
    all_synced(m);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    mesh_free(m);
    arena_free(a);
    return 0;
}

/* One line a cause: "FAIL text [hits]". */
static void
expect(const struct mesh_causes *c, const char *want)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    for (size_t i = 0; i < c->n; i++)
        buf_printf(&b, "%s %s [%zu]\n", mesh_health_word(c->v[i].health),
                   c->v[i].text, c->v[i].hits_n);
    assert_string_equal(buf_cstr(&b), want);
}

static void
expect_why(const char *ns, const char *name, const char *want)
{
    struct mesh_causes c;

    mesh_why(m, product(m, ns, name), a, &c);
    expect(&c, want);
}

static void
expect_attention(const char *want)
{
    struct mesh_causes c;

    mesh_attention(m, a, &c);
    expect(&c, want);
}

#define OK_STATUS                                                              \
    "status: {conditions: [{type: Synced, status: 'True'},\n"                  \
    "  {type: Ready, status: 'True'}]}\n"

static const char domain_hr[] =
    "apiVersion: meshifi.io/v1alpha1\nkind: DataDomain\n"
    "metadata: {name: hr, namespace: hr}\n"
    "spec: {description: x}\n" OK_STATUS;

static const char domain_sales[] =
    "apiVersion: meshifi.io/v1alpha1\nkind: DataDomain\n"
    "metadata: {name: sales, namespace: s}\n"
    "spec: {owner: a}\n" OK_STATUS;

/* A product over a bucket over a dataset that is refused. */
static void
put_broken(const char *name, const char *uid)
{
    char text[4000];

    snprintf(
        text, sizeof(text),
        "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
        "metadata: {name: %1$s, namespace: s}\n"
        "spec:\n"
        "  dataDomainRef: sales\n"
        "  status: draft\n"
        "  crossplane: {resourceRefs: [{kind: StorageBucket,\n"
        "    apiVersion: infra.meshifi.io/v1alpha1, name: %1$s-store}]}\n"
        "status: {conditions: [{type: Synced, status: 'True'},\n"
        "  {type: Ready, status: 'False', reason: Creating,\n"
        "   message: 'Unready resources: store'},\n"
        "  {type: CapabilitiesReady, status: 'False', reason: WaitingFor}]}\n"
        "---\n"
        "apiVersion: infra.meshifi.io/v1alpha1\nkind: StorageBucket\n"
        "metadata: {name: %1$s-store, namespace: s}\n"
        "spec: {crossplane: {resourceRefs: [{kind: Dataset,\n"
        "    apiVersion: gcp.example.org/v1, name: %1$s-raw}]}}\n"
        "status: {conditions: [{type: Synced, status: 'False',\n"
        "   reason: ReconcileError, message: 'Unsynced resources: raw'},\n"
        "  {type: Ready, status: 'False', reason: Creating}]}\n"
        "---\n"
        "apiVersion: gcp.example.org/v1\nkind: Dataset\n"
        "metadata: {name: %1$s-raw, namespace: s}\n"
        "status: {conditions: [{type: Synced, status: 'False',\n"
        "   reason: ReconcileError, lastTransitionTime: "
        "'2026-11-21T04:40:00Z',\n"
        "   message: 'cannot create %1$s-raw: 403 denied, request %2$s'},\n"
        "  {type: Ready, status: 'False', reason: Creating}]}\n",
        name, uid);
    put_yaml(m, text);
}

static void
the_deepest_failure_is_the_cause_and_merges(void **state)
{
    struct mesh_causes c;

    (void)state;
    put_yaml(m, domain_sales);
    put_broken("orders", "7f3a99c012");
    expect_why("s", "orders",
               "FAIL Dataset/orders-raw (s): ReconcileError: cannot create "
               "orders-raw: 403 denied, request 7f3a99c012 [1]\n");
    put_broken("refunds", "0000000001");
    mesh_why(m, product(m, "s", "orders"), a, &c);
    assert_int_equal(c.n, 1);
    assert_int_equal(c.v[0].items_n, 2);
    assert_int_equal(c.v[0].hits_n, 2);
    assert_int_equal(c.v[0].blocks_n, 2);
    assert_string_equal(c.v[0].blocks[0]->name, "orders-store");
    assert_string_equal(c.v[0].blocks[1]->name, "orders");
    assert_non_null(strstr(c.v[0].hint, "ProviderConfig"));
    assert_int_equal(c.v[0].since_s, 1795236000);
    expect_attention("FAIL 2 Dataset: ReconcileError: cannot create "
                     "orders-raw: 403 denied, request 7f3a99c012 [2]\n");
    mesh_why(m, domain(m, "s", "sales"), a, &c);
    assert_int_equal(c.n, 1);
}

static void
what_is_well_has_no_causes(void **state)
{
    (void)state;
    put_yaml(m, domain_sales);
    put_yaml(m, "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
                "metadata: {name: p, namespace: s}\n"
                "spec: {dataDomainRef: sales, status: draft}\n" OK_STATUS);
    expect_why("s", "p", "");
    expect_attention("");
}

static void
faults_of_the_mesh_itself_are_causes(void **state)
{
    (void)state;
    put_yaml(m, domain_hr);
    put_yaml(
        m,
        "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
        "metadata: {name: p, namespace: s}\n"
        "spec:\n"
        "  dataDomainRef: typo\n"
        "  status: active\n"
        "  inputPorts: [{name: i, product: {name: gone, port: o}},\n"
        "    {name: opt, required: false, product: {name: gone, port: o}}]\n"
        "  outputPorts: [{name: a, contractRef: none-v1}, {name: b}]\n"
        "status: {conditions: [{type: Ready, status: 'True'},\n"
        "  {type: InputsResolved, status: 'False', reason: ProductNotFound},\n"
        "  {type: PolicyCompliant, status: 'False', message: MESH-103}]}\n");
    expect_attention(
        "FAIL DataProduct/p (s): input i reads s/gone.o: product not found "
        "[1]\n"
        "FAIL DataProduct/p (s): port a 1.0.0: none-v1 contract not found "
        "[1]\n"
        "FAIL DataProduct/p (s): there is no domain typo [1]\n"
        "WAIT DataDomain/hr (hr): no owner; 0 products inherit none [1]\n"
        "WAIT DataProduct/p (s): active, but port b has no contract [1]\n"
        "WAIT DataProduct/p (s): breaks a rule: MESH-103 [1]\n"
        "WAIT DataProduct/p (s): input opt reads s/gone.o: product not found "
        "[1]\n");
}

static void
a_stuck_deletion_names_its_finalizer(void **state)
{
    static const char text[] =
        "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
        "metadata: {name: old, namespace: s, finalizers: [a.b/c, d],\n"
        "  deletionTimestamp: '%s'}\n"
        "spec: {dataDomainRef: sales}\n";
    char doc[400];

    (void)state;
    put_yaml(m, domain_sales);
    snprintf(doc, sizeof(doc), "%s", text);
    *strstr(doc, "%s") = '\0';
    AUTO(buf_release) struct buf b = BUF_INIT(1000);

    buf_printf(&b, "%s2026-11-21T04:42:00Z%s", doc, strstr(text, "%s") + 2);
    put_yaml(m, buf_cstr(&b));
    expect_attention("");
    assert_int_equal(product(m, "s", "old")->roll.health, MESH_DELETING);
    clock_advance(&now, 120000);
    expect_attention("FAIL DataProduct/old (s): deleting for 2m5s, waits for "
                     "a.b/c, d [1]\n");
}

static void
waiting_is_news_after_ten_minutes_only(void **state)
{
    (void)state;
    put_yaml(m, domain_sales);
    put_yaml(m, "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
                "metadata: {name: p, namespace: s,\n"
                "  creationTimestamp: '2026-11-21T04:40:00Z'}\n"
                "spec: {dataDomainRef: sales}\n");
    expect_attention("");
    expect_why("s", "p", "WAIT DataProduct/p (s): no conditions yet [1]\n");
    clock_advance(&now, 600000);
    expect_attention(
        "WAIT DataProduct/p (s): not ready for 12m: no conditions yet [1]\n");
}

static void
a_broken_upstream_is_named_but_is_not_mine(void **state)
{
    (void)state;
    put_yaml(m, domain_sales);
    put_broken("orders", "1");
    put_yaml(m, "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
                "metadata: {name: orders, namespace: s2}\n"
                "spec: {dataDomainRef: sales, dataDomainNamespace: s,\n"
                "  outputPorts: [{name: o, contractId: c}]}\n"
                "status: {conditions: [{type: Synced, status: 'False',\n"
                "  reason: ReconcileError, message: 'no matches for kind X'}]}"
                "\n---\n"
                "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
                "metadata: {name: reader, namespace: s2}\n"
                "spec: {dataDomainRef: sales, dataDomainNamespace: s,\n"
                "  inputPorts: [{name: i,\n"
                "    product: {name: orders, port: o}}]}\n" OK_STATUS);
    assert_int_equal(product(m, "s2", "reader")->roll.health, MESH_OK);
    expect_why("s2", "reader",
               "WAIT DataProduct/reader (s2): input i: DataProduct/orders "
               "(s2) is FAIL [1]\n");
}

static void
a_missing_part_and_a_pause_are_said(void **state)
{
    (void)state;
    put_yaml(m, domain_sales);
    put_yaml(m, "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
                "metadata: {name: p, namespace: s}\n"
                "spec: {dataDomainRef: sales, crossplane: {resourceRefs: [\n"
                "  {apiVersion: v1, kind: ConfigMap, name: c}]}}\n" OK_STATUS
                "---\n"
                "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
                "metadata: {name: q, namespace: s,\n"
                "  annotations: {crossplane.io/paused: 'true'}}\n"
                "spec: {dataDomainRef: sales}\n" OK_STATUS);
    expect_attention("MISSING ConfigMap/c (s): is not there, but DataProduct/p "
                     "(s) refers to it [1]\n"
                     "PAUSED DataProduct/q (s): is paused [1]\n");
    /* Of a product that is still being made it is no news. */
    put_yaml(m, "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
                "metadata: {name: p, namespace: s,\n"
                "  creationTimestamp: '2026-11-21T04:40:00Z'}\n"
                "spec: {dataDomainRef: sales, crossplane: {resourceRefs: [\n"
                "  {apiVersion: v1, kind: ConfigMap, name: c}]}}\n");
    expect_attention("PAUSED DataProduct/q (s): is paused [1]\n");
    expect_why("s", "p",
               "WAIT ConfigMap/c (s): is not there yet, "
               "DataProduct/p (s) waits for it [1]\n");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_deepest_failure_is_the_cause_and_merges),
        T(what_is_well_has_no_causes),
        T(faults_of_the_mesh_itself_are_causes),
        T(a_stuck_deletion_names_its_finalizer),
        T(waiting_is_news_after_ten_minutes_only),
        T(a_broken_upstream_is_named_but_is_not_mine),
        T(a_missing_part_and_a_pause_are_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
