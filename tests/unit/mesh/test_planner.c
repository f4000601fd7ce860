/* Create and change plans over mesh-core and the corner shop themselves. */
#include "lib/base/asset.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"

#include "lib/mesh/planner.h"

#include "tests/unit/mesh/fixture.h"

/* ---- a cluster in memory ---- */

struct cluster {
    struct json *objects; /* an array */
    struct buf text;      /* of the last get */
    bool deaf;            /* knows nothing (yet) */
};

static struct cluster cluster;
static struct mesh_planner *planner;
static struct arena *a;
static struct mesh_plan plan;

static void
add_all(struct str yaml)
{
    struct yaml_docs docs = {0};
    struct error err = {0};

    if (!yaml_parse(yaml, NULL, &docs, &err))
        fail_msg("%s", err.msg);
    for (size_t i = 0; i < docs.n; i++)
        json_append(cluster.objects, json_copy(docs.v[i].value));
    yaml_docs_release(&docs);
}

static void
add_asset(const char *prefix)
{
    struct asset f;

    for (unsigned i = 0; asset_under(prefix, i, &f); i++) {
        if (!strstr(f.path, "expectations"))
            add_all(f.data);
    }
}

static bool
is_at(const struct json *j, const char *api, const char *kind, const char *ns)
{
    struct str group, version, have, rest;

    str_cut(str_of(api), '/', &group, &version);
    str_cut(str_of(json_string_or(json_get(j, "apiVersion"), "")), '/', &have,
            &rest);
    return str_eq(group, have) &&
           strcmp(json_string_or(json_get(j, "kind"), ""), kind) == 0 &&
           (!ns || strcmp(json_string_or(
                              json_at(j, "metadata", "namespace", NULL), ""),
                          ns) == 0);
}

static struct str
get(void *arg, const char *api, const char *kind, const char *ns,
    const char *name, bool *known)
{
    struct cluster *c = arg;

    *known = !c->deaf;
    for (struct json *j = json_first(c->objects); j; j = json_next(j)) {
        if (!is_at(j, api, kind, ns) ||
            strcmp(json_string_or(json_at(j, "metadata", "name", NULL), ""),
                   name) != 0)
            continue;
        buf_reset(&c->text);
        json_print(j, JSON_COMPACT, &c->text);
        return buf_view(&c->text);
    }
    return (struct str){0};
}

static bool
each(void *arg, const char *api, const char *kind, const char *ns,
     const struct json *labels, mesh_body_fn *fn, void *fn_arg)
{
    struct cluster *c = arg;

    (void)labels;
    for (struct json *j = json_first(c->objects); j; j = json_next(j)) {
        if (!is_at(j, api, kind, ns))
            continue;
        AUTO(mem_free_ptr) char *text = json_text(j, JSON_COMPACT);

        fn(fn_arg, str_of(text));
    }
    return !c->deaf;
}

static bool
served(void *arg, const char *api, const char *kind, bool *namespaced)
{
    (void)arg;
    if (strcmp(kind, "Unknown") == 0)
        return false;
    *namespaced = strcmp(kind, "Mesh") != 0 && strcmp(kind, "Namespace") != 0;
    return strncmp(api, "x.io", 4) != 0;
}

static int
setup(void **state)
{
    const struct mesh_host host = {
        .arg = &cluster, .get = get, .each = each, .served = served};

    (void)state;
    cluster = (struct cluster){.text = BUF_INIT(BUF_TEXT_MAX)};
    cluster.objects = json_new_array();
    a = arena_new();
    planner = mesh_planner_new(&host);
    add_asset("assets/mesh-core/");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    mesh_plan_release(&plan);
    mesh_planner_free(planner);
    arena_free(a);
    json_free(cluster.objects);
    buf_release(&cluster.text);
    return 0;
}

/* ---- plans as text ---- */

static char *
plan_text(void)
{
    static const char signs[] = "+~-=!R", weights[] = ".w!";
    struct buf b = BUF_INIT(BUF_TEXT_MAX);

    for (size_t i = 0; i < plan.items_n; i++) {
        const struct mesh_plan_item *p = &plan.items[i];

        buf_fill(&b, ' ', p->depth * 2);
        buf_printf(&b, "%c %s/%s%s%s\n", signs[p->sign], p->kind, p->name,
                   *p->note ? " " : "", p->note);
        for (size_t d = 0; d < p->diff_n; d++)
            buf_printf(&b, "%*s%s: %s -> %s\n", (int)p->depth * 2 + 2, "",
                       p->diff[d].path,
                       p->diff[d].before ? p->diff[d].before : "(none)",
                       p->diff[d].after ? p->diff[d].after : "(none)");
    }
    for (size_t i = 0; i < plan.notes_n; i++)
        buf_printf(&b, "%c %s\n", weights[plan.notes[i].weight],
                   plan.notes[i].text);
    return buf_take(&b);
}

static void
expect(const char *yaml, const char *want)
{
    struct error err = {0};
    AUTO(json_free_ptr)
    struct json *j = yaml_parse_one(str_of(yaml), NULL, &err);

    mesh_plan_release(&plan);
    if (!j || !mesh_plan_apply(planner, j, a, &plan, &err))
        fail_msg("%s", err.msg);
    AUTO(mem_free_ptr) char *got = plan_text();

    assert_string_equal(got, want);
}

static void
summary_is(const char *want)
{
    assert_string_equal(mesh_plan_summary(&plan), want);
}

#define RETURNS(capabilities)                                                  \
    "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"                     \
    "metadata: {name: returns, namespace: dm-shop}\n"                          \
    "spec:\n"                                                                  \
    "  id: returns\n  name: Returns\n  description: What came back\n"          \
    "  dataDomainRef: shop\n"                                                  \
    "  inputPorts: [{name: orders, product: {name: web-orders,\n"              \
    "    port: orders}, minVersion: 1.0.0}]\n"                                 \
    "  capabilities:\n"                                                        \
    "  - {name: intake, type: database}\n" capabilities

#define STORE "  - {name: store, type: storage, dependsOn: [intake]}\n"

static struct json *
returns(const char *yaml)
{
    struct error err = {0};
    struct json *j = yaml_parse_one(str_of(yaml), NULL, &err);

    if (!j)
        fail_msg("%s", err.msg);
    return j;
}

static void
a_new_product_brings_its_whole_tree(void **state)
{
    (void)state;
    add_asset("examples/corner-shop/");
    expect(RETURNS(STORE), "+ DataProduct/returns\n"
                           "  + ProductIdentity/returns-identity\n"
                           "    + ServiceAccount/returns-identity\n"
                           "    + ConfigMap/returns-identity-record\n"
                           "  + SqlDatabase/returns-intake\n"
                           "    + Secret/returns-intake-connection\n"
                           "    + ConfigMap/returns-intake-record\n"
                           "  + StorageBucket/returns-store\n"
                           "    + Secret/returns-store-connection\n"
                           "    + ConfigMap/returns-store-record\n"
                           "  + ConfigMap/returns-descriptor\n"
                           "  + ConfigMap/returns-validation\n");
    summary_is("12 to add, 0 to change, 0 to destroy");
}

static void
what_is_wrong_with_it_is_said(void **state)
{
    (void)state;
    expect(RETURNS(""),
           "+ DataProduct/returns\n"
           "  + ProductIdentity/returns-identity\n"
           "    + ServiceAccount/returns-identity\n"
           "    + ConfigMap/returns-identity-record\n"
           "  + SqlDatabase/returns-intake\n"
           "    + Secret/returns-intake-connection\n"
           "    + ConfigMap/returns-intake-record\n"
           "  + ConfigMap/returns-descriptor\n"
           "  + ConfigMap/returns-validation\n"
           "w DataProduct/returns: DomainResolved is False: DomainNotFound: "
           "no domain shop in namespace dm-shop\n"
           "w DataProduct/returns: InputsResolved is False: ProductNotFound: "
           "input orders: dm-shop/web-orders.orders\n");
}

static void
what_the_schema_refuses_blocks(void **state)
{
    (void)state;
    expect("apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
           "metadata: {name: p, namespace: ns}\n"
           "spec: {id: p, name: P, dataDomainRef: d, status: new, colour: 7}\n",
           "+ DataProduct/p\n"
           "w unknown field \"spec.colour\"\n"
           "! spec.status: Unsupported value: \"new\": supported values: "
           "\"proposed\", \"draft\", \"active\", \"deprecated\", "
           "\"retired\"\n"
           "! spec.description: Required value\n");
}

/* ---- doing what a plan says, by hand ---- */

static struct json *
clone_into_cluster(const struct json *object, const char *parent_uid)
{
    struct json *j = json_append(cluster.objects, json_copy(object));
    struct json *meta = json_need_object(j, "metadata");
    AUTO(mem_free_ptr)
    char *uid = mem_printf("%s/%s", json_get_string(j, "kind"),
                           json_get_string(meta, "name"));

    json_set_string(meta, "uid", uid);
    json_set_string(meta, "resourceVersion", "1");
    if (parent_uid)
        json_set_string(json_item(json_get(meta, "ownerReferences"), 0), "uid",
                        parent_uid);
    return j;
}

static void
refer(struct json *parent, const struct json *child)
{
    struct json *spec = json_need_object(parent, "spec");
    struct json *refs =
        json_need_array(json_need_object(spec, "crossplane"), "resourceRefs");
    struct json *ref = json_append(refs, json_new_object());

    json_set_string(ref, "apiVersion", json_get_string(child, "apiVersion"));
    json_set_string(ref, "kind", json_get_string(child, "kind"));
    json_set_string(ref, "name",
                    json_string(json_at(child, "metadata", "name", NULL)));
}

static void
create_planned(void)
{
    struct json *above[16] = {0};

    for (size_t i = 0; i < plan.items_n; i++) {
        unsigned depth = plan.items[i].depth;
        struct json *parent = depth ? above[depth - 1] : NULL;

        above[depth] = clone_into_cluster(
            plan.items[i].object,
            json_string(json_at(parent, "metadata", "uid", NULL)));
        if (parent)
            refer(parent, above[depth]);
    }
}

/* What is made of uids is only known once there are some. */
static void
update_planned(void)
{
    for (size_t i = 0; i < plan.items_n; i++) {
        const struct mesh_plan_item *p = &plan.items[i];
        struct json *next;

        for (struct json *j = json_first(cluster.objects);
             p->sign == MESH_CHANGE && j; j = next) {
            next = json_next(j);
            if (is_at(j, p->api_version, p->kind, p->ns) &&
                strcmp(json_string(json_at(j, "metadata", "name", NULL)),
                       p->name) == 0)
                json_replace(cluster.objects, j, json_copy(p->object));
        }
    }
}

static void
make_returns(void)
{
    AUTO(json_free_ptr) struct json *j = returns(RETURNS(STORE));

    add_asset("examples/corner-shop/");
    assert_true(mesh_plan_apply(planner, j, a, &plan, NULL));
    create_planned();
    mesh_plan_release(&plan);
    assert_true(mesh_plan_apply(planner, j, a, &plan, NULL));
    AUTO(mem_free_ptr) char *text = plan_text();

    assert_non_null(strstr(text, "~ Secret/returns-intake-connection\n"
                                 "      data.password: (secret) -> (secret)"));
    update_planned();
    mesh_plan_release(&plan);
}

static void
what_is_there_already_changes_nothing(void **state)
{
    (void)state;
    make_returns();
    expect(RETURNS(STORE), "= DataProduct/returns\n"
                           "  = ProductIdentity/returns-identity\n"
                           "    = ServiceAccount/returns-identity\n"
                           "    = ConfigMap/returns-identity-record\n"
                           "  = SqlDatabase/returns-intake\n"
                           "    = Secret/returns-intake-connection\n"
                           "    = ConfigMap/returns-intake-record\n"
                           "  = StorageBucket/returns-store\n"
                           "    = Secret/returns-store-connection\n"
                           "    = ConfigMap/returns-store-record\n"
                           "  = ConfigMap/returns-descriptor\n"
                           "  = ConfigMap/returns-validation\n");
    summary_is("0 to add, 0 to change, 0 to destroy");
}

static void
a_change_shows_its_fields_and_what_goes(void **state)
{
    (void)state;
    make_returns();
    expect(
        RETURNS(""),
        "~ DataProduct/returns\n"
        "  spec.capabilities[1]: {\"name\":\"store\",\"type\":\"storage\","
        "\"dependsOn\":[\"intake\"]} -> (none)\n"
        "  ~ ProductIdentity/returns-identity\n"
        "    spec.grants[1]: {\"capability\":\"store\",\"role\":\"writer\"}"
        " -> (none)\n"
        "    = ServiceAccount/returns-identity\n"
        "    ~ ConfigMap/returns-identity-record\n"
        "      data.grants: "
        "\"[{\\\"capability\\\":\\\"intake\\\",\\\"role\\\":\\\"writer\\\"},"
        "{\\\"capability\\\":\\\"store\\\",\\\"role\\\":\\\"writer\\\"}]\" -> "
        "\"[{\\\"capability\\\":\\\"intake\\\",\\\"role\\\":\\\"writer\\\"}]"
        "\"\n"
        "  = SqlDatabase/returns-intake\n"
        "    = Secret/returns-intake-connection\n"
        "    = ConfigMap/returns-intake-record\n"
        "  = ConfigMap/returns-descriptor\n"
        "  = ConfigMap/returns-validation\n"
        "  - StorageBucket/returns-store no longer composed\n"
        "    - Secret/returns-store-connection no longer composed\n"
        "    - ConfigMap/returns-store-record no longer composed\n");
    summary_is("0 to add, 3 to change, 3 to destroy");
}

static void
a_foreign_object_in_the_way_is_a_conflict(void **state)
{
    (void)state;
    add_asset("examples/corner-shop/");
    add_all(STR("apiVersion: v1\nkind: ConfigMap\n"
                "metadata: {name: returns-validation, namespace: dm-shop,\n"
                "  ownerReferences: [{uid: x, kind: Robot, name: r2, "
                "controller: true}]}\n"
                "---\n"
                "apiVersion: v1\nkind: ConfigMap\n"
                "metadata: {name: returns-descriptor, namespace: dm-shop}\n"));
    AUTO(json_free_ptr) struct json *j = returns(RETURNS(""));

    assert_true(mesh_plan_apply(planner, j, a, &plan, NULL));
    assert_int_equal(plan.conflict, 1);
    assert_int_equal(plan.blockers, 1);
    AUTO(mem_free_ptr) char *text = plan_text();

    assert_non_null(strstr(text, "! ConfigMap/returns-validation belongs to "
                                 "Robot/r2\n"));
    assert_non_null(
        strstr(text, "! ConfigMap/returns-validation exists and is controlled "
                     "by Robot/r2: DataProduct/returns cannot have it and "
                     "stays unsynced\n"));
    assert_non_null(strstr(text, "~ ConfigMap/returns-descriptor exists "
                                 "already: taken over\n"));
}

static void
drop_kind(const char *kind, const char *name)
{
    struct json *next;

    for (struct json *j = json_first(cluster.objects); j; j = next) {
        next = json_next(j);
        if (strcmp(json_string_or(json_get(j, "kind"), ""), kind) == 0 &&
            (!name || strcmp(json_string(json_at(j, "metadata", "name", NULL)),
                             name) == 0))
            json_free(json_detach(cluster.objects, j));
    }
    mesh_planner_forget(planner);
}

static void
what_the_cluster_lacks_blocks(void **state)
{
    static const char bucket[] = "apiVersion: infra.meshifi.io/v1alpha1\n"
                                 "kind: StorageBucket\n"
                                 "metadata: {name: b, namespace: ns}\n"
                                 "spec: {productRef: p, domainRef: d}\n";

    (void)state;
    drop_kind("Function", "function-auto-ready");
    expect(bucket,
           "+ StorageBucket/b\n"
           "! StorageBucket/b: cannot compose resources: cannot run "
           "Composition pipeline step \"ready\": cannot get gRPC client "
           "connection for Function \"function-auto-ready\": cannot find an "
           "active FunctionRevision (a FunctionRevision with "
           "spec.desiredState: Active)\n");
    drop_kind("Composition", NULL);
    expect(bucket, "+ StorageBucket/b\n"
                   "! StorageBucket/b: cannot fetch Composition: cannot get "
                   "Composition: Composition.apiextensions.crossplane.io "
                   "\"storagebucket-local\" not found\n");
    expect("apiVersion: infra.meshifi.io/v1alpha1\nkind: StorageBucket\n"
           "metadata: {name: b, namespace: ns}\n"
           "spec: {productRef: p, domainRef: d, crossplane: {\n"
           "  compositionSelector: {matchLabels: {a: b}}}}\n",
           "+ StorageBucket/b\n"
           "! StorageBucket/b: cannot select Composition: no compatible "
           "Compositions found\n");
    drop_kind("CompositeResourceDefinition", NULL);
    expect(bucket, "+ StorageBucket/b\n");
    expect("apiVersion: x.io/v1\nkind: Unknown\nmetadata: {name: b}\n",
           "+ Unknown/b\n"
           "! no matches for kind \"Unknown\" in version \"x.io/v1\"\n");
}

static void
what_is_not_known_yet_is_said(void **state)
{
    (void)state;
    cluster.deaf = true;
    AUTO(json_free_ptr) struct json *j = returns(RETURNS(""));

    assert_true(mesh_plan_apply(planner, j, a, &plan, NULL));
    AUTO(mem_free_ptr) char *text = plan_text();

    assert_non_null(strstr(text, "w what the cluster composes is not known "
                                 "completely\n"));
    assert_non_null(
        strstr(text, "w objects of kind DataProduct could not be looked at"));
}

static void
an_edited_object_replaces(void **state)
{
    (void)state;
    make_returns();
    AUTO(json_free_ptr) struct json *j = returns(RETURNS(STORE));

    json_set_string(json_get(j, "metadata"), "resourceVersion", "1");
    json_del(json_get(j, "spec"), "inputPorts");
    assert_true(mesh_plan_apply(planner, j, a, &plan, NULL));
    assert_int_equal(plan.items[0].sign, MESH_CHANGE);
    assert_int_equal(plan.items[0].diff_n, 1);
    assert_string_equal(plan.items[0].diff[0].path, "spec.inputPorts");
    assert_null(plan.items[0].diff[0].after);
    assert_int_equal(plan.destroy, 0);
}

static void
hostile_objects_get_an_answer(void **state)
{
    static const char *const odd[] = {
        "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
        "metadata: {name: p}\nspec: 7\n",
        "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
        "metadata: {name: p, labels: [], annotations: 3}\nspec: []\n",
        "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
        "metadata: {name: p}\nspec: {crossplane: {resourceRefs: [1, {},\n"
        "  {kind: ConfigMap}]}, capabilities: {a: b}, inputPorts: [1]}\n",
        "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
        "metadata: {generateName: p-}\n",
    };
    static const char *const refused[] = {
        "[]", "7", "kind: X\n", "apiVersion: v1\nkind: X\n",
        "apiVersion: v1\nkind: X\nmetadata: {name: {}}\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        AUTO(json_free_ptr) struct json *j = returns(odd[i]);

        assert_true(mesh_plan_apply(planner, j, a, &plan, NULL));
        mesh_plan_release(&plan);
    }
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        AUTO(json_free_ptr) struct json *j = returns(refused[i]);
        struct error err = {0};

        assert_false(mesh_plan_apply(planner, j, a, &plan, &err));
        assert_int_equal(err.code, ERR_INVALID);
    }
}

static void
differences_are_told_field_by_field(void **state)
{
    AUTO(json_free_ptr)
    struct json *before =
        json_parse(STR("{\"a\":1,\"b\":{\"x.y\":[1,2],\"gone\":0},\"s\":\"t\","
                       "\"status\":1,\"n\":1.0}"),
                   NULL, NULL);
    AUTO(json_free_ptr)
    struct json *after =
        json_parse(STR("{\"a\":2,\"b\":{\"x.y\":[1,3,4],\"e\":{}},\"s\":\"t\","
                       "\"status\":2,\"n\":1}"),
                   NULL, NULL);
    size_t n;
    const struct mesh_diff *d = mesh_diff_of(before, after, a, &n);

    (void)state;
    assert_int_equal(n, 4);
    assert_string_equal(d[0].path, "a");
    assert_string_equal(d[0].before, "1");
    assert_string_equal(d[0].after, "2");
    assert_string_equal(d[1].path, "b[x.y][1]");
    assert_string_equal(d[2].path, "b[x.y][2]");
    assert_null(d[2].before);
    assert_string_equal(d[3].path, "b.e");
    assert_string_equal(d[3].after, "{}");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_new_product_brings_its_whole_tree),
        T(what_is_wrong_with_it_is_said),
        T(what_the_schema_refuses_blocks),
        T(what_is_there_already_changes_nothing),
        T(a_change_shows_its_fields_and_what_goes),
        T(a_foreign_object_in_the_way_is_a_conflict),
        T(what_the_cluster_lacks_blocks),
        T(what_is_not_known_yet_is_said),
        T(an_edited_object_replaces),
        T(hostile_objects_get_an_answer),
        T(differences_are_told_field_by_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
