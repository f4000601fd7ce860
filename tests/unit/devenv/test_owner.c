/*
 * Whose a cluster and its objects are, against a peer that answers as told:
 * what a real server cannot be made to say between two of our requests.
 */
#include "lib/base/file.h"

#include "devenv/context.h"
#include "devenv/gone.h"
#include "devenv/owner.h"

#include "tests/unit/kube/fake.h"
#include "tests/unit/test.h"

static struct loop *l;
static struct fake peer;
static struct env e;
static struct buf seen;
static char root[64];
static const char *mark; /* what GET of the mark answers; NULL: 404 */

static const char missing[] =
    "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"NotFound\","
    "\"code\":404,\"message\":\"not found\"}";

static void
answer(void *arg, struct fake_conn *c, const struct fake_request *r)
{
    bool review = str_contains(r->path, STR("selfsubjectaccessreviews"));
    bool roles = str_contains(r->body, STR("clusterroles"));

    (void)arg;
    buf_printf(&seen, "%.*s %.*s\n", STR_ARG(r->method), STR_ARG(r->path));
    if (review)
        fake_answer(c, 201, NULL,
                    roles ? STR("{\"status\":{\"allowed\":false}}")
                          : STR("{\"status\":{\"allowed\":true}}"));
    else if (str_eqz(r->method, "GET") && !mark)
        fake_answer(c, 404, NULL, str_of(missing));
    else if (str_eqz(r->method, "GET"))
        fake_answer(c, 200, NULL, str_of(mark));
    else
        fake_answer(c, 201, NULL, STR("{\"metadata\":{\"uid\":\"u-new\"}}"));
}

static int
begin(void **state)
{
    struct kube_access a = {0};

    (void)state;
    snprintf(root, sizeof(root), "/tmp/meshtop-owner-XXXXXX");
    assert_non_null(mkdtemp(root));
    setenv("XDG_STATE_HOME", root, 1);
    l = loop_new(NULL);
    fake_init(&peer, l, answer, NULL);
    a.server = peer.url;
    a.ns = (char *)"default";
    a.user = (char *)"me";
    assert_true(env_open(&e, l, "mine", NULL));
    assert_true(profile_lock(&e.profile, NULL));
    e.client = kube_client_new(l, &a, NULL, NULL);
    e.discovery = kube_discovery_new(e.client);
    buf_init(&seen, 65536);
    mark = NULL;
    return 0;
}

static int
end(void **state)
{
    (void)state;
    env_release(&e);
    fake_release(&peer);
    loop_free(l);
    buf_release(&seen);
    return file_remove_tree(root, NULL) ? 0 : -1;
}

static enum owner
whose(void)
{
    struct owner_mark m = {0};

    assert_true(owner_look(&e, &m, NULL));
    enum owner w = m.whose;

    owner_mark_release(&m);
    return w;
}

#define MARK(run, uid)                                                         \
    "{\"metadata\":{\"uid\":\"" uid "\"},\"data\":{\"profile\":\"theirs\","    \
    "\"run-id\":\"" run "\"}}"

static void
the_run_and_the_uid_prove_it(void **state)
{
    (void)state;
    assert_int_equal(whose(), OWNER_NONE);
    mark = MARK("r1", "u1");
    assert_int_equal(whose(), OWNER_OTHER);
    profile_set_fact(&e.profile, "owner/run", "r1");
    /* Killed after the mark was written, before its uid was kept. */
    assert_int_equal(whose(), OWNER_OURS);
    profile_set_fact(&e.profile, "owner/uid", "u1");
    assert_int_equal(whose(), OWNER_OURS);
    /* A copy of our mark. */
    profile_set_fact(&e.profile, "owner/uid", "u2");
    assert_int_equal(whose(), OWNER_OTHER);
    profile_set_fact(&e.profile, "owner/adopted", "u1");
    assert_int_equal(whose(), OWNER_ADOPTED);
    /* A mark that says nothing is nobody's of ours. */
    profile_set_fact(&e.profile, "owner/adopted", NULL);
    profile_set_fact(&e.profile, "owner/run", "");
    mark = "{\"metadata\":{},\"data\":{}}";
    assert_int_equal(whose(), OWNER_OTHER);
    mark = "[]";
    assert_int_equal(whose(), OWNER_OTHER);
}

static void
a_mark_is_claimed_once(void **state)
{
    struct error err = {0};

    (void)state;
    assert_true(owner_claim(&e, NULL, false, NULL));
    assert_non_null(strstr(seen.s, "POST /api/v1/namespaces/kube-system/"));
    assert_string_equal(profile_fact(&e.profile, "owner/uid"), "u-new");
    assert_non_null(profile_fact(&e.profile, "owner/run"));
    mark = MARK("somebody", "u1");
    buf_reset(&seen);
    assert_false(owner_claim(&e, NULL, false, &err));
    assert_string_equal(err.id, "MT-CLUSTER-FOREIGN");
    assert_non_null(strstr(err.msg, "\"theirs\""));
    /* Adopted: remembered, and not one write. */
    assert_true(owner_claim(&e, NULL, true, NULL));
    assert_string_equal(profile_fact(&e.profile, "owner/adopted"), "u1");
    assert_true(owner_release(&e, NULL));
    assert_null(strstr(seen.s, "POST"));
    assert_null(strstr(seen.s, "PATCH"));
    assert_null(strstr(seen.s, "DELETE"));
}

static const struct {
    const char *object, *want; /* NULL: ours */
} rows[] = {
    {"{\"metadata\":{\"labels\":{\"meshtop.dev/run\":\"mine\"}}}", NULL},
    {"{\"metadata\":{\"labels\":{\"meshtop.dev/run\":\"mine\"},"
     "\"annotations\":{\"meta.helm.sh/release-name\":\"x\"}}}",
     NULL},
    {"{\"metadata\":{\"labels\":{\"meshtop.dev/run\":\"mine2\"}}}",
     "the meshtop profile mine2"},
    {"{\"metadata\":{\"labels\":{\"other.dev/run\":\"mine\"}}}",
     "somebody else"},
    {"{\"metadata\":{\"labels\":{\"app.kubernetes.io/managed-by\":\"Helm\"},"
     "\"annotations\":{\"meta.helm.sh/release-name\":\"xp\","
     "\"meta.helm.sh/release-namespace\":\"ops\"}}}",
     "the Helm release xp in ops"},
    {"{\"metadata\":{\"labels\":{\"app.kubernetes.io/managed-by\":"
     "\"argocd\"}}}",
     "argocd"},
    {"{\"metadata\":{\"managedFields\":["
     "{\"manager\":\"kubectl-edit\",\"time\":\"2026-01-02T00:00:00Z\"},"
     "{\"manager\":\"flux\",\"time\":\"2026-01-01T00:00:00Z\"},"
     "{\"manager\":\"crossplane\",\"time\":\"2026-01-03T00:00:00Z\","
     "\"subresource\":\"status\"}]}}",
     "kubectl-edit"},
    {"{\"metadata\":7}", "somebody else"},
    {"[]", "somebody else"},
};

static void
objects_say_whose_they_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(buf_release) struct buf who = BUF_INIT(256);
        AUTO(json_free_ptr)
        struct json *o = json_parse(str_of(rows[i].object), NULL, NULL);
        bool foreign = owner_foreign(o, "mine", &who);

        assert_int_equal(foreign, rows[i].want != NULL);
        if (rows[i].want)
            assert_string_equal(buf_cstr(&who), rows[i].want);
    }
}

static void
rights_that_are_missing_are_named(void **state)
{
    struct error err = {0};

    (void)state;
    assert_false(context_rights(&e, &err));
    assert_string_equal(err.id, "MT-CLUSTER-RIGHTS");
    assert_non_null(
        strstr(err.msg, "create: clusterroles.rbac.authorization.k8s.io"));
    assert_null(strstr(err.msg, "namespaces"));
    assert_non_null(strstr(err.msg, "\"me\""));
}

static void
finalizers_have_controllers(void **state)
{
    (void)state;
    assert_string_equal(
        gone_controller("composite.apiextensions.crossplane.io"), "crossplane");
    assert_string_equal(gone_controller("lock.pkg.crossplane.io"),
                        "crossplane");
    assert_string_equal(
        gone_controller("finalizer.managedresource.crossplane.io"),
        "the provider of the kind");
    assert_string_equal(gone_controller("foregroundDeletion"),
                        "kube-controller-manager");
    assert_null(gone_controller("example.org/mine"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_run_and_the_uid_prove_it, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_mark_is_claimed_once, begin, end),
        cmocka_unit_test(objects_say_whose_they_are),
        cmocka_unit_test_setup_teardown(rights_that_are_missing_are_named,
                                        begin, end),
        cmocka_unit_test(finalizers_have_controllers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
