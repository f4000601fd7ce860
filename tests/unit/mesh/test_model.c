/* The graph: edges, roll-ups, what changes when something comes or goes. */
#include "tests/unit/mesh/fixture.h"

static struct mesh *m;
static struct clock now;

static int
setup(void **state)
{
    (void)state;
    clock_fake(&now, 1795236125000);
    m = mesh_new(&now);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    mesh_free(m);
    return 0;
}

static const char shop[] =
    "apiVersion: meshifi.io/v1alpha1\n"
    "kind: DataDomain\n"
    "metadata: {name: shop, namespace: dm-shop, uid: d1,\n"
    "  labels: {meshifi.io/data-domain: shop}}\n"
    "spec: {owner: nora, displayName: Shop, type: source-aligned,\n"
    "  crossplane: {resourceRefs: []}}\n"
    "status: {conditions: [{type: Synced, status: 'True'},\n"
    "  {type: Ready, status: 'True'}]}\n";

static const char orders[] =
    "apiVersion: meshifi.io/v1alpha1\n"
    "kind: DataProduct\n"
    "metadata: {name: orders, namespace: dm-shop, uid: p1,\n"
    "  creationTimestamp: '2026-11-21T04:00:00Z', generation: 4}\n"
    "spec:\n"
    "  name: Orders\n"
    "  dataDomainRef: shop\n"
    "  version: 1.2.0\n"
    "  status: active\n"
    "  datasets: {raw: true, cleaned: false, curated: true}\n"
    "  inputPorts: [{name: web, external: {system: web-shop}}]\n"
    "  outputPorts:\n"
    "  - {name: orders, version: 1.2.0, contractRef: orders-v1}\n"
    "  crossplane:\n"
    "    compositionRef: {name: dataproduct-core}\n"
    "    resourceRefs:\n"
    "    - {apiVersion: v1, kind: ConfigMap, name: orders-validation}\n"
    "    - {apiVersion: infra.meshifi.io/v1alpha1, kind: StorageBucket,\n"
    "       name: orders-store}\n"
    "status: {conditions: [\n"
    "  {type: Synced, status: 'True', observedGeneration: 4},\n"
    "  {type: Ready, status: 'False', reason: Creating,\n"
    "   message: 'Unready resources: store',\n"
    "   lastTransitionTime: '2026-11-21T04:01:00Z'}]}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: ConfigMap\n"
    "metadata: {name: orders-validation, namespace: dm-shop}\n"
    "---\n"
    "apiVersion: infra.meshifi.io/v1alpha1\n"
    "kind: StorageBucket\n"
    "metadata: {name: orders-store, namespace: dm-shop,\n"
    "  annotations: {crossplane.io/composition-resource-name: store}}\n"
    "spec:\n"
    "  crossplane:\n"
    "    resourceRefs:\n"
    "    - {apiVersion: gcp.example.org/v1, kind: Dataset, name: raw}\n"
    "status: {conditions: [\n"
    "  {type: Synced, status: 'True'},\n"
    "  {type: Ready, status: 'False', reason: Creating}]}\n"
    "---\n"
    "apiVersion: meshifi.io/v1alpha1\n"
    "kind: DataContract\n"
    "metadata: {name: orders-v1, namespace: dm-shop}\n"
    "spec: {version: 1.2.0, status: active, productRef: orders}\n"
    "status: {conditions: [{type: Ready, status: 'True'}]}\n";

#define DATASET(synced, ready, since)                                          \
    "apiVersion: gcp.example.org/v1\n"                                         \
    "kind: Dataset\n"                                                          \
    "metadata: {name: raw, namespace: dm-shop}\n"                              \
    "spec: {forProvider: {}}\n"                                                \
    "status: {conditions: [\n"                                                 \
    "  {type: Synced, status: '" synced "', reason: ReconcileError,\n"         \
    "   message: 'cannot create: 403', lastTransitionTime: '" since "'},\n"    \
    "  {type: Ready, status: '" ready "', reason: Creating}]}\n"

static const char revenue[] =
    "apiVersion: meshifi.io/v1alpha1\n"
    "kind: DataProduct\n"
    "metadata: {name: revenue, namespace: dm-fin}\n"
    "spec:\n"
    "  dataDomainRef: shop\n"
    "  owner: finn\n"
    "  inputPorts:\n"
    "  - name: orders\n"
    "    product: {name: orders, namespace: dm-shop, port: orders}\n"
    "    minVersion: 1.1.0\n"
    "status: {conditions: [{type: Synced, status: 'True'},\n"
    "  {type: Ready, status: 'True'}]}\n";

static void
a_product_is_as_well_as_its_deepest_part(void **state)
{
    (void)state;
    all_synced(m);
    put_yaml(m, shop);
    put_yaml(m, orders);
    const struct mesh_item *p = product(m, "dm-shop", "orders");

    assert_string_equal(p->product->title, "Orders");
    assert_string_equal(p->product->datasets, "rC");
    assert_string_equal(p->composition, "dataproduct-core");
    assert_int_equal(p->observed, 4);
    /* ConfigMap, StorageBucket, and a Dataset that is not there. */
    assert_int_equal(p->roll.total, 3);
    assert_int_equal(p->roll.ready, 1);
    assert_int_equal(p->roll.health, MESH_WAIT);
    assert_int_equal(p->roll.changed_s, 1795233660);
    put_yaml(m, DATASET("False", "False", "2026-11-21T04:02:00Z"));
    p = product(m, "dm-shop", "orders");
    assert_int_equal(p->roll.health, MESH_FAIL);
    assert_int_equal(p->roll.synced, 'F');
    assert_int_equal(p->roll.changed_s, 1795233720);
    const struct mesh_item *d = domain(m, "dm-shop", "shop");

    assert_int_equal(d->domain->by_health[MESH_FAIL], 1);
    assert_int_equal(mesh_item_health(d), MESH_FAIL);
    assert_int_equal(d->roll.health, MESH_OK);
    put_yaml(m, DATASET("True", "True", "2026-11-21T04:03:00Z"));
    assert_int_equal(p->roll.health, MESH_WAIT);
    assert_int_equal(p->roll.ready, 2);
    assert_int_equal(d->domain->by_health[MESH_FAIL], 0);
    assert_int_equal(d->domain->by_health[MESH_WAIT], 1);
}

static void
order_of_arrival_does_not_matter(void **state)
{
    static const char *const docs[] = {
        shop, orders, DATASET("False", "False", "2026-11-21T04:02:00Z"),
        revenue};

    for (unsigned order = 0; order < 24; order++) {
        unsigned taken = 0, code = order;

        teardown(state);
        setup(state);
        if (order % 2)
            all_synced(m);
        for (unsigned left = 4; left; left--) {
            unsigned pick = code % left, at = 0;

            code /= left;
            while (taken >> at & 1 || pick--)
                at++;
            taken |= 1u << at;
            put_yaml(m, docs[at]);
        }
        all_synced(m);
        assert_int_equal(product(m, "dm-shop", "orders")->roll.health,
                         MESH_FAIL);
        assert_int_equal(product(m, "dm-fin", "revenue")->roll.health, MESH_OK);
        const struct mesh_item *d = domain(m, "dm-shop", "shop");

        assert_int_equal(d->domain->products_n, 2);
        assert_int_equal(d->domain->by_health[MESH_FAIL], 1);
        assert_int_equal(d->domain->by_health[MESH_OK], 1);
        assert_int_equal(product(m, "dm-shop", "orders")->product->readers_n,
                         1);
        assert_string_equal(mesh_owner(product(m, "dm-fin", "revenue")),
                            "finn");
        assert_string_equal(mesh_owner(product(m, "dm-shop", "orders")),
                            "nora");
    }
}

static void
what_is_not_watched_is_not_missing(void **state)
{
    (void)state;
    put_yaml(m, orders);
    const struct mesh_item *p = product(m, "dm-shop", "orders");
    const struct mesh_item *raw =
        mesh_find(m, "gcp.example.org/v1", "Dataset", "dm-shop", "raw");

    assert_non_null(raw);
    assert_false(mesh_is_missing(raw));
    assert_string_equal(mesh_item_note(raw), "not looked at");
    assert_int_equal(p->product->ports[1].state, MESH_PORT_OK);
    mesh_watched(m, "gcp.example.org/v1", "Dataset", MESH_SYNCED);
    assert_true(mesh_is_missing(raw));
    assert_string_equal(mesh_item_note(raw), "missing");
    /* Another version of the same kind is the same object. */
    assert_ptr_equal(
        mesh_find(m, "gcp.example.org/v2beta1", "Dataset", "dm-shop", "raw"),
        raw);
}

static void
deleting_takes_the_traces_away(void **state)
{
    (void)state;
    all_synced(m);
    put_yaml(m, shop);
    put_yaml(m, orders);
    put_yaml(m, revenue);
    mesh_del(m, API, "DataProduct", "dm-shop", "orders");
    assert_true(mesh_settle(m));
    assert_false(mesh_settle(m));
    /* revenue still reads it, so it is known, and missing. */
    const struct mesh_item *gone = product(m, "dm-shop", "orders");

    assert_true(mesh_is_missing(gone));
    const struct mesh_item *r = product(m, "dm-fin", "revenue");

    assert_int_equal(r->product->ports[0].state, MESH_PORT_PRODUCT_MISSING);
    assert_int_equal(r->roll.health, MESH_FAIL);
    assert_int_equal(domain(m, "dm-shop", "shop")->domain->products_n, 1);
    /* The Dataset nobody refers to any more is forgotten. */
    mesh_del(m, "infra.meshifi.io/v1alpha1", "StorageBucket", "dm-shop",
             "orders-store");
    assert_null(
        mesh_find(m, "gcp.example.org/v1", "Dataset", "dm-shop", "raw"));
    mesh_del(m, API, "DataProduct", "dm-fin", "revenue");
    assert_null(mesh_find(m, API, "DataProduct", "dm-shop", "orders"));
    mesh_del(m, API, "DataProduct", "dm-fin", "revenue");
    assert_int_equal(mesh_role_count(m, MESH_ROLE_PRODUCT), 0);
}

static enum mesh_port_state
input_with(const char *version, const char *least, const char *status)
{
    char text[600];

    snprintf(text, sizeof(text),
             "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
             "metadata: {name: up, namespace: ns}\n"
             "spec: {status: %s, outputPorts: [{name: o, version: %s}]}\n"
             "---\n"
             "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
             "metadata: {name: down, namespace: ns}\n"
             "spec: {inputPorts: [{name: i, minVersion: %s,\n"
             "  product: {name: up, port: o}}]}\n",
             status, version, least);
    put_yaml(m, text);
    return product(m, "ns", "down")->product->ports[0].state;
}

static void
inputs_need_the_same_major_and_no_lower_version(void **state)
{
    (void)state;
    all_synced(m);
    assert_int_equal(input_with("1.2.3", "1.2.3", "active"), MESH_PORT_OK);
    assert_int_equal(input_with("1.10.0", "1.9.9", "active"), MESH_PORT_OK);
    assert_int_equal(input_with("1.2.3", "1.2.4", "active"), MESH_PORT_VERSION);
    assert_int_equal(input_with("2.0.0", "1.0.0", "active"), MESH_PORT_VERSION);
    assert_int_equal(input_with("1.2.3", "'1'", "active"), MESH_PORT_OK);
    assert_int_equal(input_with("1.2.3-rc1", "1.2.3", "active"), MESH_PORT_OK);
    assert_int_equal(input_with("1.2.3", "1.0.0", "retired"),
                     MESH_PORT_RETIRED);
    put_yaml(m, "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
                "metadata: {name: up, namespace: ns}\nspec: {}\n");
    assert_int_equal(product(m, "ns", "down")->product->ports[0].state,
                     MESH_PORT_PORT_MISSING);
}

static void
contracts_must_be_there_and_agree(void **state)
{
    (void)state;
    all_synced(m);
    put_yaml(m, orders);
    const struct mesh_item *p = product(m, "dm-shop", "orders");

    assert_int_equal(p->product->ports_n, 2);
    assert_int_equal(p->product->ports[1].state, MESH_PORT_OK);
    put_yaml(m, "apiVersion: meshifi.io/v1alpha1\nkind: DataContract\n"
                "metadata: {name: orders-v1, namespace: dm-shop}\n"
                "spec: {version: 9.0.0}\n");
    assert_int_equal(p->product->ports[1].state, MESH_PORT_CONTRACT_VERSION);
    assert_int_equal(p->roll.health, MESH_FAIL);
    mesh_del(m, API, "DataContract", "dm-shop", "orders-v1");
    mesh_settle(m);
    assert_int_equal(p->product->ports[1].state, MESH_PORT_CONTRACT_MISSING);
}

static void
a_domain_is_found_by_name_then_by_its_only_label(void **state)
{
    static const char other[] =
        "apiVersion: meshifi.io/v1alpha1\nkind: DataDomain\n"
        "metadata: {name: else, namespace: far,\n"
        "  labels: {meshifi.io/data-domain: shop}}\n"
        "spec: {owner: o}\n";

    (void)state;
    all_synced(m);
    put_yaml(m, revenue);
    const struct mesh_item *p = product(m, "dm-fin", "revenue");

    assert_null(p->product->domain);
    assert_int_equal(p->roll.health, MESH_FAIL);
    put_yaml(m, shop);
    assert_ptr_equal(p->product->domain, domain(m, "dm-shop", "shop"));
    put_yaml(m, other);
    assert_null(p->product->domain);
    assert_true(p->product->domain_ambiguous);
    mesh_del(m, API, "DataDomain", "dm-shop", "shop");
    mesh_settle(m);
    assert_ptr_equal(p->product->domain, domain(m, "far", "else"));
    put_yaml(m, "apiVersion: meshifi.io/v1alpha1\nkind: DataDomain\n"
                "metadata: {name: shop, namespace: dm-fin}\n");
    assert_ptr_equal(p->product->domain, domain(m, "dm-fin", "shop"));
    assert_int_equal(domain(m, "far", "else")->domain->products_n, 0);
}

static void
cycles_end_and_are_said(void **state)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct mesh_tree t;

    (void)state;
    all_synced(m);
    put_yaml(m,
             "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
             "metadata: {name: a, namespace: ns}\n"
             "spec: {crossplane: {resourceRefs: [\n"
             "  {apiVersion: x.io/v1, kind: X, name: x},\n"
             "  {apiVersion: meshifi.io/v1alpha1, kind: DataProduct, name: a}"
             "]},\n"
             "  inputPorts: [{name: i, product: {name: a, port: p}},\n"
             "   {name: j, product: {name: a, port: p}}]}\n"
             "---\n"
             "apiVersion: x.io/v1\nkind: X\n"
             "metadata: {name: x, namespace: ns}\n"
             "spec: {resourceRefs: [{apiVersion: x.io/v1, kind: X, name: x},\n"
             "  {apiVersion: meshifi.io/v1alpha1, kind: DataProduct, name: a}"
             "]}\n");
    const struct mesh_item *p = product(m, "ns", "a");

    mesh_tree(p, a, &t);
    assert_int_equal(t.n, 5);
    assert_true(t.roll.cycle && p->roll.cycle);
    assert_int_equal(t.roll.total, 1);
    assert_true(t.v[2].again && t.v[3].again && t.v[4].again);
    assert_int_equal(p->product->readers_n, 1);
    mesh_lineage(p, false, a, &t);
    assert_int_equal(t.n, 0);
    mesh_del(m, API, "DataProduct", "ns", "a");
    mesh_del(m, "x.io/v1", "X", "ns", "x");
    assert_null(mesh_find(m, API, "DataProduct", "ns", "a"));
}

static void
lineage_goes_both_ways_by_distance(void **state)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct mesh_tree t;

    (void)state;
    put_yaml(m, orders);
    put_yaml(m, revenue);
    put_yaml(m, "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
                "metadata: {name: board, namespace: dm-fin}\n"
                "spec: {inputPorts: [{name: r, product: {name: revenue}},\n"
                "  {name: o, product: {name: orders, namespace: dm-shop}}]}\n");
    mesh_lineage(product(m, "dm-shop", "orders"), false, a, &t);
    assert_int_equal(t.n, 2);
    assert_int_equal(t.v[0].depth, 1);
    assert_int_equal(t.v[1].depth, 1);
    mesh_lineage(product(m, "dm-fin", "board"), true, a, &t);
    assert_int_equal(t.n, 2);
    assert_string_equal(t.v[0].item->name, "revenue");
}

static void
names_are_found_or_said_to_be_ambiguous(void **state)
{
    struct error err = {0};

    (void)state;
    put_yaml(m, orders);
    assert_non_null(mesh_named(m, MESH_ROLE_PRODUCT, "orders", &err));
    assert_null(mesh_named(m, MESH_ROLE_PRODUCT, "other", &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    put_yaml(m, "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
                "metadata: {name: orders, namespace: ns}\n");
    assert_null(mesh_named(m, MESH_ROLE_PRODUCT, "orders", &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_non_null(strstr(err.msg, "dm-shop/orders"));
    assert_non_null(mesh_named(m, MESH_ROLE_PRODUCT, "ns/orders", &err));
}

/* ---- hostile objects ---- */

static void
mutate(struct json *root, struct json *at)
{
    static const char *const wrong[] = {
        "null",  "7",  "-1e999",         "true", "\"\"",
        "\"x\"", "[]", "[[],{},1,null]", "{}",   "{\"name\":{},\"a\":[]}"};

    for (struct json *c = json_first(at); c; c = json_next(c)) {
        mutate(root, c);
        for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
            struct json *bad = json_parse(str_of(wrong[i]), NULL, NULL);
            struct json *good = json_copy(c);

            json_replace(at, c, bad);
            mesh_put_json(m, root, NULL);
            mesh_settle(m);
            json_replace(at, bad, good);
            c = good;
        }
    }
}

static void
wrong_types_everywhere_are_read_as_absent(void **state)
{
    struct yaml_docs docs = {0};

    (void)state;
    all_synced(m);
    assert_true(yaml_parse(str_of(orders), NULL, &docs, NULL));
    mutate(docs.v[0].value, docs.v[0].value);
    mutate(docs.v[3].value, docs.v[3].value);
    yaml_docs_release(&docs);
    assert_true(yaml_parse(str_of(shop), NULL, &docs, NULL));
    mutate(docs.v[0].value, docs.v[0].value);
    yaml_docs_release(&docs);
    put_yaml(m, shop);
    put_yaml(m, orders);
    assert_int_equal(product(m, "dm-shop", "orders")->roll.health, MESH_WAIT);
    /* However it came about, the counters say what is there. */
    const struct mesh_domain *d = domain(m, "dm-shop", "shop")->domain;
    size_t count[MESH_HEALTHS] = {0};

    for (size_t i = 0; i < d->products_n; i++)
        count[d->products[i]->roll.health]++;
    assert_memory_equal(count, d->by_health, sizeof(count));
    assert_true(d->products_n >= 1);
}

static void
objects_without_identity_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "7",
        "{}",
        "{\"kind\":\"X\"}",
        "{\"apiVersion\":\"v1\",\"kind\":\"X\",\"metadata\":{}}",
        "{\"apiVersion\":\"v1\",\"kind\":\"X\",\"metadata\":{\"name\":\"\"}}",
        "{\"apiVersion\":7,\"kind\":\"X\",\"metadata\":{\"name\":\"a\"}}",
    };
    struct error err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        err.code = ERR_NONE;
        assert_false(mesh_put(m, NULL, NULL, str_of(bad[i]), &err));
        assert_int_not_equal(err.code, ERR_NONE);
    }
    assert_int_equal(mesh_generation(m), 0);
}

static void
endless_lists_are_cut(void **state)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    struct error err = {0};

    (void)state;
    buf_puts(&b, "{\"apiVersion\":\"" API "\",\"kind\":\"DataProduct\","
                 "\"metadata\":{\"name\":\"big\"},\"spec\":{\"inputPorts\":[");
    for (int i = 0; i < 3000; i++)
        buf_printf(&b, "%s{\"name\":\"i\",\"product\":{\"name\":\"p%d\"}}",
                   i ? "," : "", i);
    buf_puts(&b, "],\"crossplane\":{\"resourceRefs\":[");
    for (int i = 0; i < 10000; i++)
        buf_printf(&b,
                   "%s{\"apiVersion\":\"v1\",\"kind\":\"K%d\","
                   "\"name\":\"n\"}",
                   i ? "," : "", i);
    buf_puts(&b, "]}}}");
    assert_true(mesh_put(m, NULL, NULL, buf_view(&b), &err));
    mesh_settle(m);
    const struct mesh_item *p = product(m, "", "big");

    assert_int_equal(p->product->ports_n, MESH_PORTS_MAX);
    assert_int_equal(p->children_n, MESH_REFS_MAX);
    assert_true(p->roll.cut);
}

/* What was put before its reference came is looked up when it comes. */
static struct str
lookup(void *arg, const struct mesh_item *i)
{
    (void)arg;
    return strcmp(i->name, "orders-validation") == 0
               ? STR("{\"kind\":\"ConfigMap\",\"metadata\":"
                     "{\"name\":\"orders-validation\","
                     "\"namespace\":\"dm-shop\"}}")
               : (struct str){0};
}

static void
a_new_reference_asks_for_its_object(void **state)
{
    struct yaml_docs docs = {0};

    (void)state;
    mesh_set_lookup(m, lookup, NULL);
    all_synced(m);
    assert_true(yaml_parse(str_of(orders), NULL, &docs, NULL));
    assert_false(
        mesh_wants(m, "v1", "ConfigMap", "dm-shop", "orders-validation"));
    assert_true(mesh_put_json(m, docs.v[0].value, NULL));
    yaml_docs_release(&docs);
    assert_true(
        mesh_wants(m, "v1", "ConfigMap", "dm-shop", "orders-validation"));
    mesh_settle(m);
    assert_true(mesh_find(m, "v1", "ConfigMap", "dm-shop", "orders-validation")
                    ->present);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_product_is_as_well_as_its_deepest_part),
        T(order_of_arrival_does_not_matter),
        T(what_is_not_watched_is_not_missing),
        T(deleting_takes_the_traces_away),
        T(inputs_need_the_same_major_and_no_lower_version),
        T(contracts_must_be_there_and_agree),
        T(a_domain_is_found_by_name_then_by_its_only_label),
        T(cycles_end_and_are_said),
        T(lineage_goes_both_ways_by_distance),
        T(names_are_found_or_said_to_be_ambiguous),
        T(wrong_types_everywhere_are_read_as_absent),
        T(objects_without_identity_are_refused),
        T(endless_lists_are_cut),
        T(a_new_reference_asks_for_its_object),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
