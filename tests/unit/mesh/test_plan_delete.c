/* Deletion plans: what goes, what stays, who misses it, what stops it. */
#include "lib/mesh/plan.h"

#include "tests/unit/mesh/fixture.h"

static struct mesh *m;
static struct arena *a;
static struct clock now;
static struct mesh_plan plan;

static int
setup(void **state)
{
    (void)state;
    clock_fake(&now, 1795236125000);
    m = mesh_new(&now);
    a = arena_new();
    all_synced(m);
    put_yaml(
        m, "apiVersion: meshifi.io/v1alpha1\nkind: DataDomain\n"
           "metadata: {name: sales, namespace: s, uid: d}\n"
           "spec: {owner: a, crossplane: {resourceRefs: [\n"
           "  {apiVersion: v1, kind: ConfigMap, name: sales-config}]}}\n"
           "---\n"
           "apiVersion: v1\nkind: ConfigMap\n"
           "metadata: {name: sales-config, namespace: s, ownerReferences: [\n"
           "  {uid: d, controller: true}]}\n"
           "---\n"
           "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
           "metadata: {name: orders, namespace: s, uid: p}\n"
           "spec:\n"
           "  dataDomainRef: sales\n"
           "  outputPorts: [{name: o}]\n"
           "  crossplane: {resourceRefs: [\n"
           "    {apiVersion: gcp.example.org/v1, kind: Dataset, name: raw},\n"
           "    {apiVersion: gcp.example.org/v1, kind: Dataset, name: keep},\n"
           "    {apiVersion: gcp.example.org/v1, kind: Dataset, name: gone},\n"
           "    {apiVersion: v1, kind: ConfigMap, name: shared}]}\n"
           "---\n"
           "apiVersion: gcp.example.org/v1\nkind: Dataset\n"
           "metadata: {name: raw, namespace: s, finalizers: [x/y],\n"
           "  annotations: {crossplane.io/external-name: orders_raw},\n"
           "  ownerReferences: [{uid: z}, {uid: p, controller: true}]}\n"
           "spec: {forProvider: {}, managementPolicies: ['*']}\n"
           "---\n"
           "apiVersion: gcp.example.org/v1\nkind: Dataset\n"
           "metadata: {name: keep, namespace: s,\n"
           "  ownerReferences: [{uid: p, controller: true}]}\n"
           "spec: {forProvider: {}, managementPolicies: [Observe, Create]}\n"
           "---\n"
           "apiVersion: v1\nkind: ConfigMap\n"
           "metadata: {name: shared, namespace: s, ownerReferences: [\n"
           "  {uid: other, controller: true}]}\n"
           "---\n"
           "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
           "metadata: {name: revenue, namespace: f, uid: r}\n"
           "spec: {dataDomainRef: sales, dataDomainNamespace: s,\n"
           "  inputPorts: [{name: i,\n"
           "    product: {name: orders, namespace: s, port: o}}],\n"
           "  outputPorts: [{name: o}]}\n"
           "---\n"
           "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
           "metadata: {name: board, namespace: f, uid: b}\n"
           "spec: {dataDomainRef: x,\n"
           "  inputPorts: [{name: i, product: {name: revenue, port: o}}]}\n");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    mesh_plan_release(&plan);
    mesh_free(m);
    arena_free(a);
    return 0;
}

static void
expect(const char *want)
{
    static const char signs[] = "+~-=!", weights[] = ".w!";
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    for (size_t i = 0; i < plan.items_n; i++) {
        const struct mesh_plan_item *p = &plan.items[i];

        buf_fill(&b, ' ', p->depth * 2);
        buf_printf(&b, "%c %s/%s %s\n", signs[p->sign], p->kind, p->name,
                   p->note);
    }
    for (size_t i = 0; i < plan.notes_n; i++)
        buf_printf(&b, "%c %s\n", weights[plan.notes[i].weight],
                   plan.notes[i].text);
    assert_string_equal(buf_cstr(&b), want);
}

static void
a_product_takes_what_it_owns_and_is_missed(void **state)
{
    const struct mesh_item *p = product(m, "s", "orders");

    (void)state;
    mesh_plan_delete(m, &p, 1, NULL, a, &plan);
    expect("- DataProduct/orders \n"
           "  - Dataset/raw external orders_raw is lost\n"
           "  - Dataset/keep external keep stays\n"
           "  = ConfigMap/shared stays: somebody else owns it\n"
           "w DataProduct/revenue (f) reads and loses its input from "
           "DataProduct/orders (s)\n"
           ". 1 product further downstream\n"
           "w 1 external resource with all data is lost\n");
    assert_string_equal(mesh_plan_summary(&plan),
                        "0 to add, 0 to change, 3 to destroy");
    assert_int_equal(plan.external_lost, 1);
    assert_int_equal(plan.external_kept, 1);
    assert_int_equal(plan.keep, 1);
    assert_int_equal(plan.blockers, 0);
}

static void
orphans_stay(void **state)
{
    const struct mesh_item *p = product(m, "s", "orders");
    const struct mesh_delete_options o = {.orphan = true};

    (void)state;
    mesh_plan_delete(m, &p, 1, &o, a, &plan);
    assert_int_equal(plan.destroy, 1);
    assert_int_equal(plan.keep, 3);
    assert_int_equal(plan.external_lost, 0);
}

static void
a_domain_leaves_its_products_unless_asked(void **state)
{
    const struct mesh_item *d = domain(m, "s", "sales");
    const struct mesh_delete_options o = {.with_products = true};

    (void)state;
    mesh_plan_delete(m, &d, 1, NULL, a, &plan);
    expect("- DataDomain/sales \n"
           "  - ConfigMap/sales-config \n"
           "w DataProduct/orders (s) stays and loses its domain "
           "DataDomain/sales (s)\n"
           "w DataProduct/revenue (f) stays and loses its domain "
           "DataDomain/sales (s)\n");
    mesh_plan_delete(m, &d, 1, &o, a, &plan);
    assert_int_equal(plan.destroy, 6);
    /* revenue goes too: nobody but board is left to miss anything. */
    assert_int_equal(plan.items[0].depth, 0);
    bool board = false;

    for (size_t i = 0; i < plan.notes_n; i++) {
        board = board || strstr(plan.notes[i].text, "DataProduct/board (f) "
                                                    "reads");
        assert_null(strstr(plan.notes[i].text, "stays and loses"));
    }
    assert_true(board);
}

static void
usages_labels_and_pauses_block(void **state)
{
    const struct mesh_item *p = product(m, "s", "orders");

    (void)state;
    put_yaml(m, "apiVersion: protection.crossplane.io/v1beta1\nkind: Usage\n"
                "metadata: {name: u, namespace: s}\n"
                "spec: {of: {apiVersion: meshifi.io/v1alpha1,\n"
                "  kind: DataProduct, resourceRef: {name: orders}},\n"
                "  reason: x}\n"
                "---\n"
                "apiVersion: gcp.example.org/v1\nkind: Dataset\n"
                "metadata: {name: raw, namespace: s,\n"
                "  labels: {crossplane.io/in-use: 'true'},\n"
                "  annotations: {crossplane.io/paused: 'true'},\n"
                "  deletionTimestamp: '2026-11-21T04:41:00Z',\n"
                "  ownerReferences: [{uid: p, controller: true}]}\n");
    mesh_plan_delete(m, &p, 1, NULL, a, &plan);
    assert_int_equal(plan.blockers, 3);
    assert_string_equal(plan.notes[0].text,
                        "DataProduct/orders (s) is in use: Usage/u (s) "
                        "protects it");
    assert_string_equal(plan.notes[1].text, "Dataset/raw (s) is in use (label "
                                            "crossplane.io/in-use)");
    assert_string_equal(plan.notes[2].text,
                        "Dataset/raw (s) is being deleted for 65s already; it "
                        "waits for its dependents");
}

static void
cycles_and_missing_objects_end(void **state)
{
    (void)state;
    put_yaml(m, "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
                "metadata: {name: self, namespace: s, uid: q,\n"
                "  ownerReferences: [{uid: q, controller: true}]}\n"
                "spec: {crossplane: {resourceRefs: [\n"
                "  {apiVersion: meshifi.io/v1alpha1, kind: DataProduct,\n"
                "   name: self}]}, inputPorts: [{name: i,\n"
                "    product: {name: self, port: o}}]}\n");
    const struct mesh_item *two[] = {
        product(m, "s", "self"),
        mesh_find(m, "gcp.example.org/v1", "Dataset", "s", "gone")};

    assert_non_null(two[1]);
    mesh_plan_delete(m, two, 2, NULL, a, &plan);
    assert_int_equal(plan.destroy, 1);
    assert_int_equal(plan.notes_n, 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_product_takes_what_it_owns_and_is_missed),
        T(orphans_stay),
        T(a_domain_leaves_its_products_unless_asked),
        T(usages_labels_and_pauses_block),
        T(cycles_and_missing_objects_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
