/*
 * What Crossplane, its package manager and a kubelet were heard to say, played
 * back to the waits of `up`: each failure ends its wait with its id, each state
 * that passes does not. All scenarios run side by side on one loop, each with
 * an API server of its own, because some have to go on for a while before they
 * are believed.
 */
/* clang-format off */
#include "tests/unit/kube/fake.h"
/* clang-format on */

#include "lib/base/file.h"
#include "lib/base/task.h"

#include "devenv/crossplane_watch.h"

#define VECTORS "tests/wire/crossplane/"

static struct json *
vector(const char *name)
{
    AUTO(buf_release) struct buf text = BUF_INIT(1 << 20);
    AUTO(mem_free_ptr) char *path = mem_printf(VECTORS "%s.json", name);
    struct error err = {0};
    struct json *j = NULL;

    if (!file_read(path, &text, &err) ||
        !(j = json_parse(buf_view(&text), NULL, &err)))
        fail_msg("%s: %s", path, err.msg);
    return j;
}

/* ---- a scenario and its API server ---- */

struct scenario {
    const char *name;
    const char *vector; /* its object is served in `path`, its events too */
    const char *path;   /* "functions", the resource */
    const char *also;   /* another vector, among the revisions */
    /* Turns the recorded object into another one; or NULL. */
    void (*change)(struct json *object);
    const char *event; /* JSON of an event that comes after the start */
    bool (*wait)(struct scenario *s, struct error *err);
    const char *id, *says; /* NULL: it must not end by itself */
    bool ok;               /* it must end well */

    struct fake peer;
    struct env env;
    struct step_run run;
    struct json *object, *other;
    struct fake_conn *events;
    unsigned patches;
    volatile int cancel;
    bool done, got;
    struct error err;
    struct task *task;
};

static bool
is_list_of(const struct fake_request *r, const char *resource)
{
    AUTO(mem_free_ptr) char *end = mem_printf("/%s?", resource);

    return str_contains(r->path, str_of(end));
}

/* What a request is answered with; NULL: nothing of it is there. */
static const struct json *
asked_for(const struct scenario *s, const struct fake_request *r)
{
    if (is_list_of(r, s->path))
        return s->object;
    return is_list_of(r, "functionrevisions") ? s->other : NULL;
}

static void
serve(void *arg, struct fake_conn *c, const struct fake_request *r)
{
    struct scenario *s = arg;
    AUTO(mem_free_ptr) char *list = NULL;
    AUTO(mem_free_ptr) char *text = NULL;

    if (str_eqz(r->method, "PATCH")) {
        s->patches++;
        fake_answer(c, 200, NULL, STR("{}"));
    } else if (str_contains(r->path, STR("sendInitialEvents"))) {
        fake_answer(c, 422, NULL, STR("{\"kind\":\"Status\"}"));
    } else if (str_contains(r->path, STR("watch=true"))) {
        fake_stream(c);
        s->events = is_list_of(r, "events") ? c : s->events;
    } else {
        if (asked_for(s, r))
            text = json_text(asked_for(s, r), JSON_COMPACT);
        list = mem_printf("{\"kind\":\"List\",\"metadata\":{"
                          "\"resourceVersion\":\"9\"},\"items\":[%s]}",
                          text ? text : "");
        fake_answer(c, 200, NULL, str_of(list));
    }
}

static struct manifest_set
as_set(struct scenario *s)
{
    AUTO(mem_free_ptr) char *text = json_text(s->object, JSON_COMPACT);
    struct manifest_set set = {0};

    assert_true(manifest_parse(&set, str_of(text), "wrong.yaml", NULL));
    return set;
}

/* ---- the waits ---- */

static bool
wait_functions(struct scenario *s, struct error *err)
{
    AUTO(manifest_release) struct manifest_set set = as_set(s);

    return crossplane_wait_functions(&s->env, &set, &s->run, err);
}

static bool
wait_xrds(struct scenario *s, struct error *err)
{
    AUTO(manifest_release) struct manifest_set set = as_set(s);
    struct crossplane_xrds *x = crossplane_xrds_begin(&s->env, &s->run, err);
    bool ok;

    assert_non_null(x);
    while (!s->events)
        loop_turn(s->env.loop, 10);
    if (s->event) {
        AUTO(mem_free_ptr)
        char *line =
            mem_printf("{\"type\":\"ADDED\",\"object\":%s}\n", s->event);

        fake_send(s->events, str_of(line));
    }
    ok = crossplane_xrds_wait(x, &set, err);
    crossplane_xrds_end(x);
    return ok;
}

static bool
wait_compositions(struct scenario *s, struct error *err)
{
    AUTO(manifest_release) struct manifest_set set = as_set(s);

    return crossplane_wait_compositions(&s->env, &set, &s->run, err);
}

static bool
wait_xrs(struct scenario *s, struct error *err)
{
    return crossplane_wait_ready(&s->env, &s->run, err);
}

/* ---- what is told otherwise than it was recorded ---- */

static void
other_package(struct json *f)
{
    json_set_string(json_get(f, "spec"), "package",
                    "registry.example.com/x:v9");
}

static void
newer_generation(struct json *f)
{
    json_set_int(json_get(f, "metadata"), "generation", 7);
}

static void
silent(struct json *xrd)
{
    json_del(xrd, "status");
}

static void
forbidden(struct json *xr)
{
    struct json *c = (struct json *)env_condition(xr, "Synced");

    json_set_string(
        c, "message",
        "cannot compose resources: cannot apply composed resource \"r\": "
        "roles.rbac.authorization.k8s.io \"a\" is forbidden: User "
        "\"system:serviceaccount:crossplane-system:crossplane\" cannot patch "
        "resource \"roles\" in API group \"rbac.authorization.k8s.io\" in the "
        "namespace \"default\"");
}

static void
composition(struct json *o)
{
    json_set_string(o, "apiVersion", "apiextensions.crossplane.io/v1");
    json_set_string(o, "kind", "Composition");
}

/* Types and shapes that no Crossplane sends. */
static void
hostile(struct json *f)
{
    json_set(f, "status",
             json_parse(STR("{\"conditions\":[1,{\"type\":7},[],{\"type\":"
                            "\"Installed\",\"status\":{}},{\"type\":"
                            "\"Healthy\",\"message\":[]}],"
                            "\"currentIdentifier\":{}}"),
                        NULL, NULL));
    json_set_string(json_get(f, "spec"), "package", "");
}

#define ABOUT                                                                  \
    "\"involvedObject\":{\"kind\":\"CompositeResourceDefinition\",\"name\":"   \
    "\"parcels.post.example.org\",\"uid\":"                                    \
    "\"6d9a2c0c-88cc-4423-bb4c-105c769a9608\"}"
#define EVENT(reason, message)                                                 \
    "{\"metadata\":{\"name\":\"e\",\"namespace\":\"default\",\"uid\":\"u\","   \
    "\"resourceVersion\":\"12\"},\"type\":\"Warning\",\"reason\":\"" reason    \
    "\",\"message\":\"" message "\"," ABOUT "}"

static struct scenario scenarios[] = {
    {.name = "no such tag",
     .vector = "function-no-tag",
     .path = "functions",
     .wait = wait_functions,
     .id = "MT-PKG-PULL",
     .says = "MANIFEST_UNKNOWN: Unknown manifest"},
    {.name = "no such image",
     .vector = "function-no-image",
     .path = "functions",
     .wait = wait_functions,
     .id = "MT-PKG-PULL",
     .says = "NAME_UNKNOWN"},
    {.name = "never pulled, not there",
     .vector = "function-never-not-cached",
     .also = "functionrevision-never-not-cached",
     .path = "functions",
     .wait = wait_functions,
     .id = "MT-PKG-PULL",
     .says = "pull policy Never"},
    {.name = "another kind of package",
     .vector = "function-wrong-kind",
     .also = "functionrevision-wrong-kind",
     .path = "functions",
     .wait = wait_functions,
     .id = "MT-PKG-UNHEALTHY",
     .says = "package meta type is not Function"},
    {.name = "no such host",
     .vector = "function-no-host",
     .path = "functions",
     .wait = wait_functions,
     .id = "MT-PKG-PULL",
     .says = "no such host"},
    {.name = "refused",
     .vector = "function-refused",
     .path = "functions",
     .wait = wait_functions,
     .id = "MT-PKG-PULL",
     .says = "connection refused"},
    {.name = "healthy",
     .vector = "function-healthy",
     .path = "functions",
     .wait = wait_functions,
     .ok = true},
    {.name = "healthy, but of another package",
     .vector = "function-healthy",
     .change = other_package,
     .path = "functions",
     .wait = wait_functions},
    {.name = "healthy before the last change",
     .vector = "function-healthy",
     .change = newer_generation,
     .path = "functions",
     .wait = wait_functions},
    {.name = "nonsense",
     .vector = "function-healthy",
     .change = hostile,
     .path = "functions",
     .wait = wait_functions},
    {.name = "established",
     .vector = "xrd-established",
     .path = "compositeresourcedefinitions",
     .wait = wait_xrds,
     .ok = true},
    {.name = "silent",
     .vector = "xrd-established",
     .change = silent,
     .path = "compositeresourcedefinitions",
     .event = EVENT("EstablishComposite", "the schema is wrong"),
     .wait = wait_xrds,
     .id = "MT-XRD-SILENT",
     .says = "XRD parcels.post.example.org is invalid: the schema is wrong"},
    {.name = "a warning that passes",
     .vector = "xrd-established",
     .change = silent,
     .path = "compositeresourcedefinitions",
     .event =
         EVENT("ApplyClusterRoles", "cannot create object: already exists"),
     .wait = wait_xrds},
    {.name = "a race of core's own",
     .vector = "xrd-established",
     .change = silent,
     .path = "compositeresourcedefinitions",
     .event = EVENT("EstablishComposite", "the object has been modified"),
     .wait = wait_xrds},
    {.name = "a composition without a revision",
     .vector = "xrd-established",
     .change = composition,
     .path = "compositions",
     .wait = wait_compositions},
    {.name = "a right that is missing",
     .vector = "xr-bad-template",
     .change = forbidden,
     .path = "dataproducts",
     .wait = wait_xrs,
     .id = "MT-XR-RBAC",
     .says =
         "may not compose roles.rbac.authorization.k8s.io for bad-template"},
    {.name = "composed, not ready",
     .vector = "xr-composed-not-ready",
     .path = "dataproducts",
     .wait = wait_xrs},
};

static void
run_scenario(void *arg)
{
    struct scenario *s = arg;

    s->got = s->wait(s, &s->err);
    s->done = true;
}

static void
start(struct scenario *s, struct loop *l)
{
    struct kube_access a = {.ns = (char *)"d"};
    AUTO(json_free_ptr) struct json *v = vector(s->vector);
    AUTO(json_free_ptr) struct json *also = s->also ? vector(s->also) : NULL;

    s->object = json_copy(json_get(v, "object"));
    s->other = also ? json_copy(json_get(also, "object")) : NULL;
    if (s->change)
        s->change(s->object);
    fake_init(&s->peer, l, serve, s);
    a.server = s->peer.url;
    s->env = (struct env){.loop = l, .profile.name = (char *)"mesh"};
    s->env.client = kube_client_new(l, &a, NULL, NULL);
    s->env.discovery = kube_discovery_new(s->env.client);
    s->run = (struct step_run){.loop = l, .cancelled = &s->cancel};
    s->task = task_start(l, run_scenario, s, NULL);
    assert_non_null(s->task);
}

static void
stop(struct scenario *s)
{
    task_free(s->task);
    step_run_release(&s->run);
    kube_discovery_free(s->env.discovery);
    kube_client_free(s->env.client);
    fake_release(&s->peer);
    json_free(s->object);
    json_free(s->other);
}

/* Those that have an end have come to it. */
static bool
all_ended(void)
{
    for (size_t i = 0; i < ARRAY_LEN(scenarios); i++) {
        const struct scenario *s = &scenarios[i];

        if (!s->done && (s->id || s->ok))
            return false;
    }
    return true;
}

static void
check(const struct scenario *s)
{
    const char *id = s->ok ? "" : s->id ? s->id : "MT-CANCELLED";

    if (s->got != s->ok || strcmp(s->err.id, id) != 0 ||
        (s->says && !strstr(s->err.msg, s->says)))
        fail_msg("%s: ended %s with %s %s", s->name, s->got ? "well" : "badly",
                 s->err.id, s->err.msg);
}

static void
everything_that_was_heard(void **state UNUSED)
{
    struct loop *l = loop_new(NULL);
    unsigned nudged = 0;

    for (size_t i = 0; i < ARRAY_LEN(scenarios); i++)
        start(&scenarios[i], l);
    while (!all_ended())
        loop_turn(l, 100);
    for (size_t i = 0; i < ARRAY_LEN(scenarios); i++)
        scenarios[i].cancel = 1;
    for (size_t i = 0; i < ARRAY_LEN(scenarios); i++) {
        struct scenario *s = &scenarios[i];

        while (!task_done(s->task))
            loop_turn(l, 100);
        if (strcmp(s->name, "no such host") == 0)
            nudged = s->patches;
        check(s);
        stop(s);
    }
    /* Crossplane was asked to try again in between. */
    assert_true(nudged >= 1);
    loop_free(l);
}

/* ---- pods, on a clock of the test's own ---- */

#define STATE(reason, message)                                                 \
    "{\"waiting\":{\"reason\":\"" reason "\",\"message\":\"" message "\"}}"
#define POD(extra, container)                                                  \
    "{\"metadata\":{\"name\":\"p\"},\"status\":{\"phase\":\"Pending\"" extra   \
    ",\"containerStatuses\":[{\"name\":\"c\",\"image\":\"r.example/a:v1\","    \
    "\"restartCount\":3," container "}]}}"

struct look {
    int64_t after_ms; /* since the look before */
    const char *pod;
    enum watch_verdict verdict;
    const char *id, *says;
};

static void
look_at(struct watch *w, struct clock *c, const struct look *k)
{
    AUTO(json_free_ptr)
    struct json *pod = json_parse(str_of(k->pod), NULL, NULL);
    struct error err = {0};
    struct pod_state state;

    assert_non_null(pod);
    clock_advance(c, k->after_ms);
    if (watch_pod(w, pod, &state, &err) != k->verdict ||
        strcmp(err.id, k->id ? k->id : "") != 0 ||
        (k->says && !strstr(k->id ? err.msg : state.what, k->says)))
        fail_msg("%s\nended with %s %s (%s)", k->pod, err.id, err.msg,
                 state.what);
}

static void
pods_fail_when_they_cannot_come_up(void **state UNUSED)
{
    static const struct look looks[] = {
        /* The registry has spoken. */
        {0,
         POD("", "\"state\":" STATE("ErrImagePull",
                                    "failed to pull and unpack image: GET "
                                    "https://r.example/v2/a: MANIFEST_UNKNOWN: "
                                    "gone")),
         WATCH_FAILED, "MT-PKG-PULL",
         "r.example/a:v1 cannot be fetched: MANIFEST_UNKNOWN: gone"},
        {0,
         POD("", "\"state\":" STATE("ErrImagePull",
                                    "failed to pull: toomanyrequests: slow")),
         WATCH_FAILED, "MT-NET-RATELIMIT", "toomanyrequests"},
        {0, POD("", "\"state\":" STATE("ErrImageNeverPull", "not present")),
         WATCH_FAILED, "MT-PKG-PULL", "not present"},
        /* The network may come; both names of the state count on. */
        {0,
         POD("", "\"state\":" STATE("ErrImagePull",
                                    "failed to pull: lookup x: no such host")),
         WATCH_WAIT, NULL, "ErrImagePull"},
        {7000,
         POD("", "\"state\":" STATE("ImagePullBackOff",
                                    "failed to pull: lookup x: no such host")),
         WATCH_WAIT, NULL, "ImagePullBackOff"},
        {7000,
         POD("", "\"state\":" STATE("ErrImagePull",
                                    "failed to pull: lookup x: no such host")),
         WATCH_FAILED, "MT-PKG-PULL", "no such host"},
        {0,
         POD("", "\"state\":" STATE("CreateContainerConfigError",
                                    "secret s not found")),
         WATCH_WAIT, NULL, NULL},
        {9000,
         POD("", "\"state\":" STATE("CreateContainerConfigError",
                                    "secret s not found")),
         WATCH_FAILED, "MT-POD-START", "secret s not found"},
        {0,
         POD("", "\"lastState\":{\"terminated\":{\"reason\":\"OOMKilled\"}}"),
         WATCH_FAILED, "MT-POD-START", "OOMKilled"},
        {0,
         POD(",\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"False\","
             "\"reason\":\"Unschedulable\",\"message\":\"too few cpus\"}]",
             "\"state\":{}"),
         WATCH_WAIT, NULL, "Unschedulable"},
        {21000,
         POD(",\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"False\","
             "\"reason\":\"Unschedulable\",\"message\":\"too few cpus\"}]",
             "\"state\":{}"),
         WATCH_FAILED, "MT-POD-START", "too few cpus"},
        /* Restarts are tolerated, whatever their number. */
        {60000, POD("", "\"state\":" STATE("CrashLoopBackOff", "back-off")),
         WATCH_WAIT, NULL, "CrashLoopBackOff"},
        {0,
         POD(",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]",
             "\"state\":{\"running\":{}}"),
         WATCH_DONE, NULL, NULL},
        /* Nonsense is waited out. */
        {0, "{\"status\":{\"containerStatuses\":{\"a\":1},\"conditions\":7}}",
         WATCH_WAIT, NULL, NULL},
        {0, "[]", WATCH_WAIT, NULL, NULL},
    };
    struct clock clock;
    struct watch w = {.clock = &clock};

    clock_fake(&clock, 1763700000000);
    for (size_t i = 0; i < ARRAY_LEN(looks); i++)
        look_at(&w, &clock, &looks[i]);
    watch_close(&w);
}

static void
a_failed_start_is_named(void **state UNUSED)
{
    static const char pod[] =
        "{\"metadata\":{\"name\":\"p\"},\"status\":{\"initContainerStatuses\":"
        "[{\"name\":\"crossplane-init\",\"restartCount\":2,\"lastState\":{"
        "\"terminated\":{\"exitCode\":1}},\"state\":{\"waiting\":{\"reason\":"
        "\"CrashLoopBackOff\"}}}]}}";
    AUTO(json_free_ptr) struct json *j = json_parse(STR(pod), NULL, NULL);
    struct watch w = {.clock = clock_system()};
    struct pod_state state_of;
    struct error err = {0};

    assert_int_equal(watch_pod(&w, j, &state_of, &err), WATCH_WAIT);
    assert_string_equal(state_of.failed_init, "crossplane-init");
    assert_string_equal(state_of.what, "Init:CrashLoopBackOff");
    assert_int_equal(state_of.restarts, 2);
    watch_close(&w);
}

/* ---- what a package is, to the last bit ---- */

static void
serve_text(void *arg, struct fake_conn *c, const struct fake_request *r UNUSED)
{
    fake_answer(c, 200, NULL, str_of(*(const char **)arg));
}

#define DIGITS "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd"
#define PODS(id)                                                               \
    "{\"kind\":\"PodList\",\"metadata\":{},\"items\":[{\"metadata\":{"         \
    "\"labels\":{\"pkg.crossplane.io/function\":\"f\"}},\"status\":{"          \
    "\"containerStatuses\":[{\"imageID\":\"" id "\"}]}}]}"

static void
a_package_stays_what_it_was(void **state UNUSED)
{
    static const struct {
        const char *pods, *id;
    } rows[] = {
        {PODS(""), ""},                    /* not running yet */
        {PODS("sha256:" DIGITS "ef"), ""}, /* loaded by hand: no digest */
        {PODS("r.example/f@sha256:xyz"), ""},
        {PODS("r.example/f@sha256:" DIGITS "ef"), ""},
        {PODS("m.example/f@sha256:" DIGITS "ef"), ""}, /* a mirror may */
        {PODS("r.example/f@sha256:" DIGITS "00"), "MT-DIGEST-CHANGED"},
    };
    struct loop *l = loop_new(NULL);
    const char *now = NULL;
    struct fake peer;
    struct kube_access a = {.ns = (char *)"d"};
    struct manifest_set set = {0};
    struct env e = {.loop = l, .profile.facts = json_new_object()};

    fake_init(&peer, l, serve_text, &now);
    a.server = peer.url;
    e.client = kube_client_new(l, &a, NULL, NULL);
    manifest_parse(
        &set,
        STR("apiVersion: pkg.crossplane.io/v1\nkind: Function\n"
            "metadata: {name: f}\nspec: {package: r.example/f:v1}\n"),
        "test", NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct error err = {0};

        now = rows[i].pods;
        assert_int_equal(crossplane_pin_functions(&e, &set, &err),
                         !*rows[i].id);
        assert_string_equal(err.id, rows[i].id);
    }
    assert_string_equal(profile_fact(&e.profile, "package/r.example/f:v1"),
                        "sha256:" DIGITS "ef");
    json_free(e.profile.facts);
    manifest_release(&set);
    kube_client_free(e.client);
    fake_release(&peer);
    loop_free(l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pods_fail_when_they_cannot_come_up),
        cmocka_unit_test(a_failed_start_is_named),
        cmocka_unit_test(a_package_stays_what_it_was),
        cmocka_unit_test(everything_that_was_heard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
