#include "lib/base/mem.h"

#include "devenv/sandbox/registry_state.h"

#include "tests/unit/test.h"

/* A registry over a store in memory, with a hub that tells of each commit. */
struct world {
    struct clock clock;
    struct loop *loop;
    struct store *store;
    struct hub *hub;
    struct registry *r;
};

static int
setup(void **state)
{
    struct world *w = mem_zalloc(1, sizeof(*w));
    struct error err = {0};
    struct registry_options o = {0};

    clock_fake(&w->clock, 1795238525000);
    w->loop = loop_new(&err);
    w->store = store_open(":memory:", NULL, &err);
    w->hub = hub_new(w->loop, w->store);
    o = (struct registry_options){w->loop, &w->clock, w->store, w->hub};
    w->r = registry_new(&o, &err);
    if (!w->r)
        fail_msg("%s", err.msg);
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    struct world *w = *state;

    registry_free(w->r);
    hub_free(w->hub);
    store_close(w->store);
    loop_free(w->loop);
    free(w);
    return 0;
}

/* What the server does after each turn, until nothing happens any more. */
static void
settle(struct world *w)
{
    for (int i = 0; i < 50; i++) {
        bool more = registry_turn(w->r);

        if (!store_dirty(w->store) && !more)
            return;
        assert_true(store_commit(w->store, NULL));
        hub_turn(w->hub);
    }
    fail_msg("does not settle");
}

static struct json *
parse(const char *z)
{
    struct json *j = json_parse(str_of(z), NULL, NULL);

    if (!j)
        fail_msg("not JSON: %s", z);
    return j;
}

static struct json *
must(struct json *j, struct status *st)
{
    if (!j)
        fail_msg("%d %s", st->code, st->message);
    return j;
}

static const struct registry_write by_a = {.manager = "a"};

static char *
create_map(struct world *w, const char *name, const char *more)
{
    const struct kind *k = registry_kind(w->r, "v1", "ConfigMap");
    AUTO(mem_free_ptr)
    char *text = mem_printf("{\"metadata\":{\"name\":\"%s\"%s}}", name, more);
    struct status st = {0};
    struct json *j =
        must(registry_create(w->r, k, &by_a, "default", parse(text), &st), &st);
    char *uid = mem_strdup(json_string(json_at(j, "metadata", "uid", NULL)));

    json_free(j);
    settle(w);
    return uid;
}

static char *
owned_by(const char *name, const char *uid, const char *more)
{
    return mem_printf(",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":"
                      "\"ConfigMap\",\"name\":\"%s\",\"uid\":\"%s\"%s}]",
                      name, uid, more);
}

static bool
there(struct world *w, const char *name)
{
    return registry_has(w->r, registry_kind(w->r, "v1", "ConfigMap"), "default",
                        name);
}

static void
remove_map(struct world *w, const char *name, enum registry_propagation p)
{
    struct registry_delete o = {.propagation = p};
    struct status st = {0};

    if (!registry_delete(w->r, registry_kind(w->r, "v1", "ConfigMap"),
                         "default", name, &o, NULL, &st))
        fail_msg("%s", st.message);
    settle(w);
}

/* A chain of three goes with its head; a second owner saves a dependent, and
 * the reference to the first is taken away. */
static void
dependents_follow(void **state)
{
    struct world *w = *state;
    AUTO(mem_free_ptr) char *a = create_map(w, "a", "");
    AUTO(mem_free_ptr) char *of_a = owned_by("a", a, "");
    AUTO(mem_free_ptr) char *b = create_map(w, "b", of_a);
    AUTO(mem_free_ptr) char *of_b = owned_by("b", b, "");
    AUTO(mem_free_ptr) char *c = create_map(w, "c", of_b);
    AUTO(mem_free_ptr) char *other = create_map(w, "other", "");
    AUTO(mem_free_ptr)
    char *two = mem_printf(
        ",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\","
        "\"name\":\"a\",\"uid\":\"%s\"},{\"apiVersion\":\"v1\",\"kind\":"
        "\"ConfigMap\",\"name\":\"other\",\"uid\":\"%s\"}]",
        a, other);
    AUTO(mem_free_ptr) char *d = create_map(w, "d", two);
    struct json *j;

    remove_map(w, "a", PROPAGATE_BACKGROUND);
    assert_false(there(w, "b"));
    assert_false(there(w, "c"));
    assert_true(there(w, "d"));
    j = registry_get(w->r, registry_kind(w->r, "v1", "ConfigMap"), "default",
                     "d");
    assert_int_equal(json_len(json_at(j, "metadata", "ownerReferences", NULL)),
                     1);
    json_free(j);
}

static void
an_owner_that_never_was(void **state)
{
    struct world *w = *state;
    AUTO(mem_free_ptr) char *ref = owned_by("ghost", "no-such-uid", "");
    AUTO(mem_free_ptr) char *uid = create_map(w, "lost", ref);

    assert_false(there(w, "lost"));
}

static void
foreground_waits(void **state)
{
    struct world *w = *state;
    AUTO(mem_free_ptr) char *a = create_map(w, "a", "");
    AUTO(mem_free_ptr)
    char *ref = owned_by("a", a, ",\"blockOwnerDeletion\":true");
    AUTO(mem_free_ptr)
    char *held = mem_printf("%s,\"finalizers\":[\"x.io/hold\"]", ref);
    AUTO(mem_free_ptr) char *b = create_map(w, "b", held);
    const struct kind *k = registry_kind(w->r, "v1", "ConfigMap");
    struct status st = {0};

    remove_map(w, "a", PROPAGATE_FOREGROUND);
    assert_true(there(w, "a"));
    assert_true(there(w, "b"));
    json_free(
        must(registry_patch(w->r, k, &by_a, "default", "b", PATCH_MERGE,
                            STR("{\"metadata\":{\"finalizers\":null}}"), &st),
             &st));
    settle(w);
    assert_false(there(w, "b"));
    assert_false(there(w, "a"));
}

static void
orphans_stay(void **state)
{
    struct world *w = *state;
    AUTO(mem_free_ptr) char *a = create_map(w, "a", "");
    AUTO(mem_free_ptr) char *ref = owned_by("a", a, "");
    AUTO(mem_free_ptr) char *b = create_map(w, "b", ref);

    remove_map(w, "a", PROPAGATE_ORPHAN);
    assert_false(there(w, "a"));
    assert_true(there(w, "b"));
}

/* ---- definitions ---- */

static struct json *
definition(const char *plural, const char *kind, const char *short_name,
           const char *extra)
{
    AUTO(mem_free_ptr)
    char *text = mem_printf(
        "{\"metadata\":{\"name\":\"%s.ex.io\"},\"spec\":{\"group\":\"ex.io\","
        "\"scope\":\"Namespaced\",\"names\":{\"plural\":\"%s\",\"kind\":"
        "\"%s\",\"shortNames\":[\"%s\"]},\"versions\":[{\"name\":\"v1\","
        "\"served\":true,\"storage\":true,\"schema\":{\"openAPIV3Schema\":{"
        "\"type\":\"object\",\"properties\":{\"spec\":{\"type\":\"object\","
        "\"properties\":{\"n\":{\"type\":\"integer\",\"default\":1}%s}}}}}},{"
        "\"name\":\"v1beta1\",\"served\":true,\"storage\":false,\"schema\":{"
        "\"openAPIV3Schema\":{\"type\":\"object\",\"properties\":{\"spec\":{"
        "\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}}}}}}"
        "}]}}",
        plural, plural, kind, short_name, extra);

    return parse(text);
}

static void
install(struct world *w, struct json *crd)
{
    struct status st = {0};

    if (!registry_install_crd(w->r, &(struct registry_write){.manager = "test"},
                              crd, &st))
        fail_msg("%s", st.message);
    json_free(crd);
    settle(w);
}

static void
names_are_taken_once(void **state)
{
    struct world *w = *state;
    const struct kind *crds = registry_kind(w->r, "apiextensions.k8s.io/v1",
                                            "CustomResourceDefinition");
    struct status st = {0};
    struct json *j, *c;

    install(w, definition("foos", "Foo", "fo", ""));
    install(w, definition("bars", "Bar", "fo", ""));
    assert_non_null(registry_kind(w->r, "ex.io/v1", "Foo"));
    assert_null(registry_kind(w->r, "ex.io/v1", "Bar"));
    j = registry_get(w->r, crds, NULL, "bars.ex.io");
    c = json_item(json_at(j, "status", "conditions", NULL), 0);
    assert_string_equal(json_get_string(c, "reason"), "ShortNamesConflict");
    assert_string_equal(json_get_string(c, "message"),
                        "\"fo\" is already in use");
    json_free(j);
    /* The winner goes: the loser is accepted by itself. */
    assert_true(
        registry_delete(w->r, crds, NULL, "foos.ex.io", NULL, NULL, &st));
    settle(w);
    assert_null(registry_kind(w->r, "ex.io/v1", "Foo"));
    assert_non_null(registry_kind(w->r, "ex.io/v1", "Bar"));
}

static void
versions_are_two_faces(void **state)
{
    struct world *w = *state;
    const struct kind *v1, *beta;
    struct status st = {0};
    struct json *j;

    install(w, definition("foos", "Foo", "fo", ""));
    v1 = registry_kind(w->r, "ex.io/v1", "Foo");
    beta = registry_kind(w->r, "ex.io/v1beta1", "Foo");
    assert_ptr_equal(registry_resource(w->r, "ex.io", NULL, "foos"), v1);
    json_free(must(registry_create(w->r, beta, &by_a, "default",
                                   parse("{\"metadata\":{\"name\":\"x\"},"
                                         "\"spec\":{\"n\":5}}"),
                                   &st),
                   &st));
    j = registry_get(w->r, v1, "default", "x");
    assert_string_equal(json_get_string(j, "apiVersion"), "ex.io/v1");
    json_free(j);
    j = registry_get(w->r, beta, "default", "x");
    assert_string_equal(json_get_string(j, "apiVersion"), "ex.io/v1beta1");
    json_free(j);
}

/* Definitions are found again in a store that another registry filled. */
static void
a_new_registry_serves_what_is_stored(void **state)
{
    struct world *w = *state;
    struct registry_options o = {.clock = &w->clock, .store = w->store};
    struct registry *again;

    install(w, definition("foos", "Foo", "fo", ""));
    again = registry_new(&o, NULL);
    assert_non_null(again);
    assert_non_null(registry_kind(again, "ex.io/v1", "Foo"));
    registry_free(again);
}

static void
refused(struct world *w, const struct kind *k, const char *spec,
        const char *want)
{
    struct status st = {0};
    AUTO(mem_free_ptr)
    char *text =
        mem_printf("{\"metadata\":{\"name\":\"x\"},\"spec\":%s}", spec);
    struct json *got =
        registry_create(w->r, k, &by_a, "default", parse(text), &st);

    json_free(got);
    assert_null(got);
    assert_int_equal(st.code, 422);
    assert_string_equal(st.message, want);
    status_release(&st);
}

static void
rules_are_evaluated(void **state)
{
    struct world *w = *state;
    struct status st = {0};

    install(w, definition("foos", "Foo", "fo",
                          ",\"m\":{\"type\":\"integer\","
                          "\"x-kubernetes-validations\":[{\"rule\":\"self > "
                          "0\"},{\"rule\":\"self == oldSelf\",\"message\":"
                          "\"m stays\"}]}"));
    const struct kind *foos = registry_kind(w->r, "ex.io/v1", "Foo");

    refused(w, foos, "{\"m\":0}",
            "Foo.ex.io \"x\" is invalid: spec.m: Invalid value: "
            "\"integer\": failed rule: self > 0");
    struct json *made = must(
        registry_create(
            w->r, foos, &by_a, "default",
            parse("{\"metadata\":{\"name\":\"x\"},\"spec\":{\"m\":1}}"), &st),
        &st);

    json_set_int(json_get(made, "spec"), "m", 2);
    assert_null(registry_update(w->r, foos, &by_a, "default", made, &st));
    assert_string_equal(st.message,
                        "Foo.ex.io \"x\" is invalid: spec.m: Invalid value: "
                        "\"integer\": m stays");
    status_release(&st);
}

static void
bad_definitions(void **state)
{
    struct world *w = *state;
    const struct kind *crds = registry_kind(w->r, "apiextensions.k8s.io/v1",
                                            "CustomResourceDefinition");
    struct status st = {0};
    struct json *crd = definition("foos", "Foo", "fo", "");

    json_set_string(json_get(crd, "metadata"), "name", "wrong.ex.io");
    json_set_string(json_get(crd, "spec"), "scope", "Everywhere");
    assert_null(registry_create(w->r, crds, &by_a, NULL, crd, &st));
    assert_int_equal(st.code, 422);
    assert_non_null(strstr(st.message,
                           "metadata.name: Invalid value: \"wrong.ex.io\": "
                           "must be spec.names.plural+\".\"+spec.group"));
    assert_non_null(strstr(st.message,
                           "spec.scope: Unsupported value: \"Everywhere\": "
                           "supported values: \"Cluster\", \"Namespaced\""));
    status_release(&st);
}

/* Only asked: neither the definition nor its objects go. */
static void
a_dry_run_deletes_nothing(void **state)
{
    struct world *w = *state;
    struct registry_delete how = {.dry_run = true};
    struct status st = {0};
    struct json *left = NULL;

    install(w, definition("foos", "Foo", "fo", ""));
    json_free(
        must(registry_create(w->r, registry_kind(w->r, "ex.io/v1", "Foo"),
                             &by_a, "default",
                             parse("{\"metadata\":{\"name\":\"x\"}}"), &st),
             &st));
    assert_true(registry_delete(w->r,
                                registry_kind(w->r, "apiextensions.k8s.io/v1",
                                              "CustomResourceDefinition"),
                                NULL, "foos.ex.io", &how, &left, &st));
    assert_true(stored_deleting(left));
    json_free(left);
    settle(w);
    assert_true(registry_has(w->r, registry_kind(w->r, "ex.io/v1", "Foo"),
                             "default", "x"));
}

/* A server that ended in the middle: the next one goes on. */
static void
what_was_begun_is_ended(void **state)
{
    struct world *w = *state;
    const struct kind *k = registry_kind(w->r, "v1", "Namespace");
    AUTO(mem_free_ptr) char *a = create_map(w, "a", "");
    AUTO(mem_free_ptr) char *ref = owned_by("a", a, "");
    AUTO(mem_free_ptr) char *b = create_map(w, "b", ref);
    struct registry_options o = {.clock = &w->clock, .store = w->store};
    struct registry_delete how = {.propagation = PROPAGATE_FOREGROUND};
    struct status st = {0};
    struct registry *again;

    install(w, definition("foos", "Foo", "fo", ""));
    json_free(
        must(registry_create(w->r, k, &by_a, NULL,
                             parse("{\"metadata\":{\"name\":\"n\"}}"), &st),
             &st));
    settle(w);
    assert_true(registry_delete(w->r, k, NULL, "n", NULL, NULL, &st));
    assert_true(registry_delete(w->r, registry_kind(w->r, "v1", "ConfigMap"),
                                "default", "a", &how, NULL, &st));
    assert_true(registry_delete(w->r,
                                registry_kind(w->r, "apiextensions.k8s.io/v1",
                                              "CustomResourceDefinition"),
                                NULL, "foos.ex.io", NULL, NULL, &st));
    again = registry_new(&o, NULL);
    assert_non_null(again);
    for (int i = 0; i < 5; i++)
        registry_turn(again);
    assert_false(registry_has(again, registry_kind(again, "v1", "Namespace"),
                              NULL, "n"));
    assert_null(registry_kind(again, "ex.io/v1", "Foo"));
    assert_false(there(w, "b"));
    registry_free(again);
}

/* ---- managedFields ---- */

static const struct json *
entry(const struct json *obj, size_t i)
{
    return json_item(json_at(obj, "metadata", "managedFields", NULL), i);
}

static struct json *
apply_map(struct world *w, const char *manager, bool force, const char *data,
          struct status *st)
{
    struct registry_write by = {.manager = manager, .force = force};
    AUTO(mem_free_ptr)
    char *text = mem_printf("{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\","
                            "\"metadata\":{\"name\":\"m\"},\"data\":%s}",
                            data);

    return registry_patch(w->r, registry_kind(w->r, "v1", "ConfigMap"), &by,
                          "default", "m", PATCH_APPLY, str_of(text), st);
}

/* Two managers: conflict, taking over by force, giving up, co-owning. */
static void
appliers(void **state)
{
    struct world *w = *state;
    struct status st = {0};
    struct json *j;

    json_free(
        must(apply_map(w, "a", false, "{\"x\":\"1\",\"y\":\"1\"}", &st), &st));
    assert_null(apply_map(w, "b", false, "{\"x\":\"2\",\"y\":\"2\"}", &st));
    assert_string_equal(st.message, "Apply failed with 2 conflicts: conflicts "
                                    "with \"a\":\n- .data.x\n- .data.y");
    assert_int_equal(json_len(json_get(st.details, "causes")), 2);
    status_release(&st);
    json_free(
        must(apply_map(w, "b", true, "{\"x\":\"2\",\"z\":\"3\"}", &st), &st));
    /* The same value: both own it. */
    json_free(must(apply_map(w, "c", false, "{\"z\":\"3\"}", &st), &st));
    /* b gives everything up: x goes, z stays with c, y with a. */
    j = must(apply_map(w, "b", false, "{}", &st), &st);
    assert_null(json_at(j, "data", "x", NULL));
    assert_string_equal(json_string(json_at(j, "data", "z", NULL)), "3");
    assert_string_equal(json_string(json_at(j, "data", "y", NULL)), "1");
    json_free(j);
}

static void
an_untracked_object(void **state)
{
    struct world *w = *state;
    const struct kind *k = registry_kind(w->r, "v1", "ConfigMap");
    struct status st = {0};
    struct json *j;

    json_free(must(apply_map(w, "a", false, "{\"x\":\"1\"}", &st), &st));
    j = must(registry_patch(w->r, k, &by_a, "default", "m", PATCH_MERGE,
                            STR("{\"metadata\":{\"managedFields\":[{}]}}"),
                            &st),
             &st);
    json_free(j);
    /* Nobody is tracked now, so an update stays untracked. */
    j = must(registry_patch(w->r, k, &by_a, "default", "m", PATCH_MERGE,
                            STR("{\"data\":{\"q\":\"1\"}}"), &st),
             &st);
    assert_null(json_at(j, "metadata", "managedFields", NULL));
    json_free(j);
    assert_null(apply_map(w, "a", false, "{\"x\":\"2\"}", &st));
    assert_string_equal(st.message,
                        "Apply failed with 1 conflict: conflict with "
                        "\"before-first-apply\" using v1: .data.x");
    status_release(&st);
}

static void
many_updaters_are_folded(void **state)
{
    struct world *w = *state;
    const struct kind *k = registry_kind(w->r, "v1", "ConfigMap");
    AUTO(mem_free_ptr) char *uid = create_map(w, "m", "");
    struct json *j = NULL;
    size_t updates = 0;
    bool ancient = false;

    for (int i = 0; i < 15; i++) {
        AUTO(mem_free_ptr) char *name = mem_printf("updater-%d", i);
        AUTO(mem_free_ptr)
        char *body = mem_printf("{\"data\":{\"k%d\":\"v\"}}", i);
        struct registry_write by = {.manager = name};
        struct status st = {0};

        /* An empty object has nobody, and stays so: give it one first. */
        if (i == 0)
            json_free(
                must(apply_map(w, "first", false, "{\"a\":\"1\"}", &st), &st));
        clock_advance(&w->clock, 1000);
        json_free(j);
        j = must(registry_patch(w->r, k, &by, "default", "m", PATCH_MERGE,
                                str_of(body), &st),
                 &st);
    }
    for (size_t i = 0; entry(j, i); i++) {
        const char *name = json_get_string(entry(j, i), "manager");

        updates += !strcmp(json_get_string(entry(j, i), "operation"), "Update");
        ancient |= !strcmp(name, "ancient-changes");
    }
    assert_int_equal(updates, 10);
    assert_true(ancient);
    json_free(j);
}

/* A write that changes nothing keeps the resourceVersion. */
static void
nothing_changes(void **state)
{
    struct world *w = *state;
    const struct kind *k = registry_kind(w->r, "v1", "ConfigMap");
    AUTO(mem_free_ptr) char *uid = create_map(w, "m", "");
    uint64_t rev = registry_revision(w->r);
    struct status st = {0};

    json_free(must(registry_patch(w->r, k, &by_a, "default", "m", PATCH_MERGE,
                                  STR("{\"metadata\":{\"labels\":{}}}"), &st),
                   &st));
    assert_int_equal(registry_revision(w->r), rev);
}

/* ---- events and subscriptions ---- */

static void
count_events(void *arg, const struct registry_event *e)
{
    assert_string_equal(e->kind->kind, "ConfigMap");
    assert_string_equal(e->ns, "default");
    ((int *)arg)[e->type]++;
}

static void
subscribers_hear(void **state)
{
    struct world *w = *state;
    int seen[3] = {0};
    struct registry_subscription *s =
        registry_subscribe(w->r, "", "configmaps", count_events, seen);
    AUTO(mem_free_ptr) char *a = create_map(w, "a", "");

    remove_map(w, "a", PROPAGATE_DEFAULT);
    assert_int_equal(seen[CHANGE_ADDED], 1);
    assert_int_equal(seen[CHANGE_DELETED], 1);
    registry_unsubscribe(s);
    free(create_map(w, "b", ""));
    assert_int_equal(seen[CHANGE_ADDED], 1);
}

static void
events_count_up(void **state)
{
    struct world *w = *state;
    AUTO(mem_free_ptr) char *uid = create_map(w, "a", "");
    struct json *obj = registry_get(
        w->r, registry_kind(w->r, "v1", "ConfigMap"), "default", "a");
    struct status st = {0};
    struct json *all;

    for (int i = 0; i < 3; i++)
        registry_emit(w->r, obj, "test", "Normal", "Done", "it is done");
    registry_emit(w->r, obj, "test", "Warning", "Failed", "it failed");
    all = registry_list_json(w->r, registry_kind(w->r, "v1", "Event"),
                             "default", NULL, &st);
    assert_int_equal(json_len(all), 2);
    assert_int_equal(json_int64_or(json_get(json_item(all, 0), "count"), 0) +
                         json_int64_or(json_get(json_item(all, 1), "count"), 0),
                     4);
    json_free(all);
    json_free(obj);
}

static void
a_namespace_goes(void **state)
{
    struct world *w = *state;
    const struct kind *k = registry_kind(w->r, "v1", "Namespace");
    const struct kind *cm = registry_kind(w->r, "v1", "ConfigMap");
    struct status st = {0};

    json_free(
        must(registry_create(w->r, k, &by_a, NULL,
                             parse("{\"metadata\":{\"name\":\"n\"}}"), &st),
             &st));
    json_free(
        must(registry_create(w->r, cm, &by_a, "n",
                             parse("{\"metadata\":{\"name\":\"x\"}}"), &st),
             &st));
    settle(w);
    assert_true(registry_delete(w->r, k, NULL, "n", NULL, NULL, &st));
    settle(w);
    assert_false(registry_has(w->r, cm, "n", "x"));
    assert_false(registry_has(w->r, k, NULL, "n"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(dependents_follow),
        TEST(an_owner_that_never_was),
        TEST(foreground_waits),
        TEST(orphans_stay),
        TEST(names_are_taken_once),
        TEST(versions_are_two_faces),
        TEST(a_new_registry_serves_what_is_stored),
        TEST(a_dry_run_deletes_nothing),
        TEST(what_was_begun_is_ended),
        TEST(rules_are_evaluated),
        TEST(bad_definitions),
        TEST(appliers),
        TEST(an_untracked_object),
        TEST(many_updaters_are_folded),
        TEST(nothing_changes),
        TEST(subscribers_hear),
        TEST(events_count_up),
        TEST(a_namespace_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
