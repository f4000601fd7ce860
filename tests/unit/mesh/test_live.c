/* The live model's feeds against a scripted server: who is watched, for how
 * long, and what a user sees who may read one namespace. */
#include "lib/mesh/live.h"

#include "tests/unit/kube/fake_client.h"
#include "tests/unit/test.h"

#define STATUS(code, reason, message)                                          \
    "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\","       \
    "\"reason\":\"" reason "\",\"message\":\"" message "\",\"code\":" #code    \
    "}"

static struct mesh_live *live;
/* What stands open, by the peer's connection. */
static char watches[64][256];
static struct buf asked; /* a path and a space for each list and stream */
static bool limited;     /* the user may read team-a alone */
static bool no_reviews;  /* and the server answers no review */

static const char discovery[] =
    "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":"
    "\"apidiscovery.k8s.io/v2\",\"items\":[{\"metadata\":{\"name\":\"%s\"},"
    "\"versions\":[{\"version\":\"%s\",\"freshness\":\"Current\","
    "\"resources\":[%s]}]}]}";

#define RESOURCE(plural, kind, scope)                                          \
    "{\"resource\":\"" plural "\",\"responseKind\":{\"kind\":\"" kind          \
    "\"},\"scope\":\"" scope "\",\"singularResource\":\"\",\"verbs\":["        \
    "\"get\",\"list\",\"watch\"]}"

static void
answer_discovery(struct fake_conn *c, bool core)
{
    AUTO(buf_release) struct buf b = BUF_INIT(10000);

    buf_printf(
        &b, discovery, core ? "" : "meshifi.io", core ? "v1" : "v1alpha1",
        core ? RESOURCE("namespaces", "Namespace", "Cluster") "," RESOURCE(
                   "configmaps", "ConfigMap", "Namespaced")
             : RESOURCE(
                   "dataproducts", "DataProduct",
                   "Namespaced") "," RESOURCE("datadomains", "DataDomain",
                                              "Namespaced") "," RESOURCE("meshe"
                                                                         "s",
                                                                         "Mesh",
                                                                         "Clust"
                                                                         "er"));
    fake_answer(c, 200,
                "Content-Type: application/json;g=apidiscovery.k8s.io;v=v2;"
                "as=APIGroupDiscoveryList\r\n",
                buf_view(&b));
}

static bool
allowed(const struct fake_request *r)
{
    if (!limited)
        return true;
    return str_contains(r->path, STR("/namespaces/team-a/data")) ||
           str_contains(r->path, STR("metadata.name%3Dmine"));
}

/* One object in team-a, one in team-b; only what the path asks for. */
static void
answer_stream(struct fake_conn *c, const struct fake_request *r)
{
    static const char object[] =
        "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"one\","
        "\"namespace\":\"%s\",\"uid\":\"u-%s\",\"resourceVersion\":\"5\"}}}\n";
    AUTO(buf_release) struct buf b = BUF_INIT(10000);
    bool a = !str_contains(r->path, STR("/namespaces/team-b/"));
    bool other = !str_contains(r->path, STR("/namespaces/team-a/"));

    for (size_t i = 0; i < ARRAY_LEN(peer.conns); i++) {
        if (peer.conns[i] == c)
            snprintf(watches[i], sizeof(watches[i]), "%.*s", STR_ARG(r->path));
    }
    if (a)
        buf_printf(&b, object, "team-a", "a");
    if (other)
        buf_printf(&b, object, "team-b", "b");
    buf_puts(&b, "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{"
                 "\"resourceVersion\":\"9\",\"annotations\":{"
                 "\"k8s.io/initial-events-end\":\"true\"}}}}\n");
    fake_stream(c);
    fake_send(c, buf_view(&b));
}

static void
serve(void *arg UNUSED, struct fake_conn *c, const struct fake_request *r)
{
    static const char rules[] =
        "{\"kind\":\"SelfSubjectRulesReview\",\"status\":{\"incomplete\":"
        "false,\"resourceRules\":[{\"verbs\":[\"get\",\"list\",\"watch\"],"
        "\"apiGroups\":[\"meshifi.io\"],\"resources\":[\"*\"]}]}}";

    if (str_eq(r->path, STR("/api")) || str_eq(r->path, STR("/apis"))) {
        answer_discovery(c, str_eq(r->path, STR("/api")));
        return;
    }
    buf_printf(&asked, "%.*s ", STR_ARG(r->path));
    if (str_contains(r->path, STR("selfsubjectrulesreviews")))
        fake_answer(c, no_reviews ? 404 : 201, NULL,
                    no_reviews                                 ? STR("no")
                    : str_contains(r->body, STR("\"team-a\"")) ? STR(rules)
                                                               : STR("{}"));
    else if (!allowed(r))
        fake_answer(c, 403, NULL,
                    STR(STATUS(403, "Forbidden", "User cannot list it")));
    else
        answer_stream(c, r);
}

/* Watches that stand open and have this in their path. */
static size_t
open_watches(const char *what)
{
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(peer.conns); i++)
        n +=
            peer.conns[i] && peer.conns[i]->fd >= 0 && strstr(watches[i], what);
    return n;
}

static void
wait_watches(const char *what, size_t n)
{
    for (int i = 0; i < 10000 && open_watches(what) != n; i++)
        loop_turn(l, 1);
    assert_int_equal(open_watches(what), n);
}

static size_t
times_asked(const char *what)
{
    size_t n = 0;

    for (const char *at = buf_cstr(&asked); (at = strstr(at, what)); at++)
        n++;
    return n;
}

static struct kube_kind *
kind(const char *word)
{
    return (struct kube_kind *)(uintptr_t)kube_discovery_find(
        mesh_live_discovery(live), word, NULL);
}

static void
start(void)
{
    struct error err = {0};

    buf_reset(&asked);
    memset(watches, 0, sizeof(watches));
    live = mesh_live_new(client, NULL, &err);
    assert_non_null(live);
    if (!mesh_live_wait(live, 10000, &err))
        fail_msg("%s", err.msg);
}

static void
stop(void)
{
    mesh_live_free(live);
    live = NULL;
}

/* Two screens share one watch; when both are gone it ends, not at once. */
static void
holds(void **state)
{
    struct mesh_feed *f, *g, *one;
    struct mesh_feed_options o = {.form = KUBE_TABLE};

    (void)state;
    start();
    size_t before = mesh_live_feeds(live);

    o.kind = kind("configmaps");
    f = mesh_live_hold(live, &o, NULL);
    g = mesh_live_hold(live, &o, NULL);
    assert_non_null(f);
    assert_ptr_equal(f, g);
    wait_watches("/configmaps", 1);
    assert_int_equal(mesh_live_feeds(live), before + 1);
    mesh_live_drop(live, f);
    mesh_live_drop(live, g);
    for (int i = 0; i < 20; i++)
        loop_turn(l, 1);
    assert_int_equal(open_watches("/configmaps"), 1); /* who comes back */
    assert_ptr_equal(mesh_live_hold(live, &o, NULL), f);
    assert_int_equal(times_asked("/configmaps"), 1); /* lists nothing */
    mesh_live_unseen(live, 0);
    mesh_live_drop(live, f);
    wait_watches("/configmaps", 0);
    assert_int_equal(mesh_live_feeds(live), before);
    /* One object alone, and what is whole already is shared. */
    o = (struct mesh_feed_options){
        .kind = o.kind, .ns = "team-a", .name = "one"};
    one = mesh_live_hold(live, &o, NULL);
    wait_watches("/namespaces/team-a/configmaps", 1);
    assert_int_equal(times_asked("fieldSelector=metadata.name%3Done"), 1);
    mesh_live_drop(live, one);
    wait_watches("/configmaps", 0);
    o.kind = kind("dataproducts");
    one = mesh_live_hold(live, &o, NULL);
    assert_non_null(mesh_feed_find(one, "team-a", "one"));
    mesh_live_drop(live, one);
    assert_int_equal(open_watches("/dataproducts"), 1);
    stop();
}

/* Of what is unseen four are kept. */
static void
unseen(void **state)
{
    struct mesh_feed_options o = {.form = KUBE_FULL};
    char name[8];

    (void)state;
    start();
    size_t before = mesh_live_feeds(live);

    o.kind = kind("configmaps");
    o.ns = "team-a";
    o.name = name;
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        mesh_live_drop(live, mesh_live_hold(live, &o, NULL));
        loop_turn(l, 1);
    }
    for (int i = 0; i < 10; i++)
        loop_turn(l, 1);
    assert_int_equal(mesh_live_feeds(live), before + 4);
    stop();
}

/* A user of one namespace sees it; the rest says what is missing. */
static void
one_namespace(void **state)
{
    struct mesh_feed_options o = {.form = KUBE_FULL};
    struct mesh_feed *f;

    (void)state;
    limited = true;
    for (int i = 0; i < 2; i++) {
        no_reviews = i;
        start();
        o.kind = kind("dataproducts");
        f = mesh_live_hold(live, &o, NULL);
        assert_int_equal(mesh_feed_count(f), 1);
        assert_string_equal(mesh_feed_at(f, 0)->ns.s, "team-a");
        assert_null(mesh_feed_error(f));
        assert_int_equal(
            mesh_role_count(mesh_live_model(live), MESH_ROLE_PRODUCT), 1);
        /* one question, whatever the number of kinds */
        assert_int_equal(times_asked("selfsubjectrulesreviews"), 1);
        mesh_live_drop(live, f);
        o.kind = kind("meshes");
        f = mesh_live_hold(live, &o, NULL);
        for (int n = 0; n < 10000 && !mesh_feed_refused(f); n++)
            loop_turn(l, 1);
        assert_string_equal(mesh_feed_error(f)->msg,
                            "no permission: list meshes.meshifi.io at cluster "
                            "scope");
        assert_non_null(
            strstr(mesh_feed_error(f)->remedy, "User cannot list it"));
        mesh_live_drop(live, f);
        o.kind = kind("configmaps");
        f = mesh_live_hold(live, &o, NULL);
        for (int n = 0; n < 10000 && !mesh_feed_refused(f); n++)
            loop_turn(l, 1);
        assert_string_equal(mesh_feed_error(f)->msg,
                            no_reviews ? "no permission: list configmaps in "
                                         "namespace team-a"
                                       : "no permission: list configmaps at "
                                         "cluster scope");
        mesh_live_drop(live, f);
        stop();
    }
    limited = no_reviews = false;
}

static int
setup(void **state)
{
    (void)state;
    buf_init(&asked, 1 << 20);
    fake_client_up(serve, "team-a");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    fake_client_down();
    buf_release(&asked);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds),
        cmocka_unit_test(unseen),
        cmocka_unit_test(one_namespace),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
