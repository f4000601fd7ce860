/* verify against a cluster that says what a healthy one never does. */
#include "lib/base/file.h"
#include "lib/base/json.h"

#include "devenv/verify.h"

#include "tests/unit/kube/fake.h"

#define WIRE "tests/wire/crossplane/"

/* The cluster: bodies by path; hostile: every answer is this. */
struct cluster {
    const char *function; /* of every function, or NULL: there is none */
    const char *nodes;
    const char *hostile;
    int hostile_status;
    unsigned answers; /* after so many the peer dies; 0: never */
};

static struct loop *l;
static struct fake peer;
static struct cluster cluster;
static struct buf heard; /* "V-c MISS name: detail\n" */

static const struct {
    const char *path, *body;
} rows[] = {
    {"/readyz", "ok"},
    {"/version", "{\"gitVersion\":\"v1.34.4\"}"},
    {"/api", "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"]}"},
    {"/apis",
     "{\"kind\":\"APIGroupList\",\"groups\":[{\"name\":\"pkg.crossplane.io\","
     "\"versions\":[{\"groupVersion\":\"pkg.crossplane.io/v1\",\"version\":"
     "\"v1\"}],\"preferredVersion\":{\"groupVersion\":\"pkg.crossplane.io/v1\","
     "\"version\":\"v1\"}}]}"},
    {"/api/v1",
     "{\"kind\":\"APIResourceList\",\"groupVersion\":\"v1\",\"resources\":["
     "{\"name\":\"nodes\",\"kind\":\"Node\",\"namespaced\":false,\"verbs\":["
     "\"list\",\"get\"]},{\"name\":\"events\",\"kind\":\"Event\","
     "\"namespaced\":true,\"verbs\":[\"list\"]}]}"},
    {"/apis/pkg.crossplane.io/v1",
     "{\"kind\":\"APIResourceList\",\"groupVersion\":\"pkg.crossplane.io/v1\","
     "\"resources\":[{\"name\":\"functions\",\"kind\":\"Function\","
     "\"namespaced\":false,\"verbs\":[\"list\",\"get\"]}]}"},
    {"/api/v1/events", "{\"kind\":\"EventList\",\"items\":[]}"},
};

static const char *
body_of(struct str path)
{
    struct str plain, query;

    str_cut(path, '?', &plain, &query);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (str_eqz(plain, rows[i].path))
            return rows[i].body;
    }
    if (str_eqz(plain, "/api/v1/nodes"))
        return cluster.nodes;
    if (str_starts(plain, STR("/apis/pkg.crossplane.io/v1/functions/")))
        return cluster.function;
    return NULL;
}

static void
serve(void *arg UNUSED, struct fake_conn *c, const struct fake_request *r)
{
    const char *body = body_of(r->path);

    if (cluster.answers && peer.requests > cluster.answers)
        fake_die(&peer);
    else if (cluster.hostile && !str_starts(r->path, STR("/readyz")))
        fake_answer(c, cluster.hostile_status, NULL, str_of(cluster.hostile));
    else if (body)
        fake_answer(c, 200, NULL, str_of(body));
    else
        fake_answer(c, 404, NULL,
                    STR("{\"kind\":\"Status\",\"status\":\"Failure\","
                        "\"reason\":\"NotFound\",\"message\":\"not here\","
                        "\"code\":404}"));
}

static void
on_check(void *arg UNUSED, const struct verify_check *c)
{
    buf_printf(&heard, "%s %s %s: %s\n", c->group, verify_word(c->outcome),
               c->name, c->detail);
}

/* Runs verify on the fake cluster at url, for the packages of a profile. */
static struct verify_result
prove(char *url)
{
    struct kube_access access = {
        .context = (char[]){"t"}, .ns = (char[]){"default"}, .server = url};
    struct step_run run = {.loop = l, .title = "verify"};
    struct verify_options o = {.run = &run, .fn = on_check};
    struct env env = {.loop = l, .profile.lock_fd = -1};
    struct verify_result result;

    buf_reset(&heard);
    profile_note(&env.profile.packages, "mesh-core");
    env.client = kube_client_new(l, &access, NULL, NULL);
    assert_non_null(env.client);
    env.discovery = kube_discovery_new(env.client);
    assert_true(verify_run(&env, &o, &result, NULL));
    env_disconnect(&env);
    strlist_release(&env.profile.packages);
    step_run_release(&run);
    return result;
}

static int
setup(void **state UNUSED)
{
    l = loop_new(NULL);
    fake_init(&peer, l, serve, NULL);
    buf_init(&heard, BUF_TEXT_MAX);
    cluster = (struct cluster){.nodes = "{\"kind\":\"NodeList\",\"items\":[]}"};
    return 0;
}

static int
teardown(void **state UNUSED)
{
    fake_release(&peer);
    buf_release(&heard);
    loop_free(l);
    return 0;
}

static void
must_say(const char *text)
{
    if (!str_contains(buf_view(&heard), str_of(text)))
        fail_msg("\"%s\" is not in:\n%s", text, buf_cstr(&heard));
}

/* The line of a function that could not be fetched has the registry's words,
 * as Crossplane was recorded to pass them on. */
static void
registries(void **state UNUSED)
{
    static const struct {
        const char *file, *words;
    } cases[] = {
        {"function-no-host.json", "no such host"},
        {"function-refused.json", "connection refused"},
        {"function-no-image.json", "404 Not Found"},
        {"function-never-not-cached.json",
         "failed to get pre-cached package with pull policy Never"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);
        AUTO(mem_free_ptr) char *path = mem_printf(WIRE "%s", cases[i].file);
        struct verify_result r;

        assert_true(file_read(path, &text, NULL));
        AUTO(json_free_ptr)
        struct json *recorded = json_parse(buf_view(&text), NULL, NULL);
        AUTO(mem_free_ptr)
        char *object = json_text(json_get(recorded, "object"), 0);

        cluster.function = object;
        r = prove(peer.url);
        assert_true(r.missed > 0);
        must_say("V-c MISS function function-go-templating is ");
        must_say(cases[i].words);
    }
}

static void
nodes(void **state UNUSED)
{
    cluster.nodes =
        "{\"items\":[{\"metadata\":{\"name\":\"one\"},\"status\":{"
        "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}},"
        "{\"metadata\":{\"name\":\"two\"},\"status\":{\"conditions\":[{"
        "\"type\":\"Ready\",\"status\":\"Unknown\",\"reason\":"
        "\"NodeStatusUnknown\",\"message\":\"Kubelet stopped posting\"}]}},"
        "{\"metadata\":{\"name\":\"three\"}}]}";
    prove(peer.url);
    must_say("V-a ok node one is Ready");
    must_say("V-a MISS node two is Ready: Unknown, NodeStatusUnknown: Kubelet "
             "stopped posting");
    must_say("V-a MISS node three is Ready: there is no such condition");
}

/* A cluster without Crossplane and mesh: all of it is missed, each once. */
static void
bare(void **state UNUSED)
{
    prove(peer.url);
    must_say("V-b MISS Crossplane is v");
    must_say("V-c MISS deployment crossplane is Available: ");
    must_say("V-c MISS function function-go-templating exists: not here");
    must_say("V-c MISS dataproducts.meshifi.io exists: the cluster serves no "
             "kind CompositeResourceDefinition");
    must_say("V-e MISS a product without name is refused: refused for another "
             "reason: not here");
    must_say("V-f MISS Function/function-go-templating is as it was applied: "
             "not here");
}

/* Nothing a peer says makes a pass of what was not seen. */
static void
hostile(void **state UNUSED)
{
    static const char *const bodies[] = {
        "",
        "{",
        "[]",
        "7",
        "null",
        "{\"items\":[",
        "{\"items\":{\"a\":1},\"metadata\":[],\"status\":\"ok\"}",
        "{\"items\":[1,\"x\",null,[],{}],\"versions\":[3],\"groups\":[{}]}",
        "{\"metadata\":{\"name\":7,\"generation\":\"x\"},\"status\":{"
        "\"conditions\":{\"type\":\"Healthy\"}},\"resources\":[[]]}",
        "<html>proxy login</html>",
        "\xff\xfe\x00garbage",
    };
    static const int statuses[] = {200, 500, 403};
    AUTO(buf_release) struct buf deep = BUF_INIT(BUF_TEXT_MAX);

    buf_fill(&deep, '[', 5000);
    for (size_t s = 0; s < ARRAY_LEN(statuses); s++) {
        for (size_t i = 0; i <= ARRAY_LEN(bodies); i++) {
            cluster.hostile =
                i < ARRAY_LEN(bodies) ? bodies[i] : buf_cstr(&deep);
            cluster.hostile_status = statuses[s];
            assert_true(prove(peer.url).missed > 0);
            assert_false(str_contains(buf_view(&heard), STR("V-c ok")));
            assert_false(str_contains(buf_view(&heard), STR("V-f ok")));
            assert_false(str_contains(buf_view(&heard), STR("V-e ok")));
        }
    }
}

static void
nobody(void **state UNUSED)
{
    struct verify_result r = prove((char[]){"http://127.0.0.1:1"});

    assert_int_equal(r.missed, 1);
    assert_int_equal(r.passed, 0);
    must_say("V-a MISS the API answers: ");
    must_say("V-d note nothing was looked at: the API does not answer");
}

/* A peer that goes away is asked no more. */
static void
lost(void **state UNUSED)
{
    for (unsigned n = 1; n < 12; n++) {
        fake_release(&peer);
        fake_init(&peer, l, serve, NULL);
        cluster.answers = n;
        assert_true(prove(peer.url).missed > 0);
        /* Discovery asks for several documents at once. */
        assert_in_range(peer.requests, n, n + 10);
        must_say("V-f note nothing was looked at: the API does not answer");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(registries, setup, teardown),
        cmocka_unit_test_setup_teardown(nodes, setup, teardown),
        cmocka_unit_test_setup_teardown(bare, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(lost, setup, teardown),
    };

    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
