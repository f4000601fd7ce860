/* The pipeline's loop, with small functions of our own. */
#include "lib/base/mem.h"

#include "lib/compose/compose.h"

#include "tests/unit/compose/compose_test.h"

/* ---- functions ---- */

/* Adds what its input says: input.add, NAME -> {resource, ready}. */
static void
run_add(const struct fn_request *req, struct fn_response *rsp)
{
    const struct json *in = fn_input(req);

    for (const struct json *j = json_first(json_get(in, "add")); j;
         j = json_next(j))
        json_set(fn_desired_all(rsp), json_key(j), json_copy(j));
    for (const struct json *j = json_first(json_get(in, "drop")); j;
         j = json_next(j))
        json_del(fn_desired_all(rsp), json_string(j));
    if (json_get(in, "status"))
        json_set(fn_desired_composite(rsp), "status",
                 json_copy(json_get(in, "status")));
    if (json_get(in, "warn"))
        fn_resultf(rsp, FN_WARNING, "%s", json_get_string(in, "warn"));
    if (json_get(in, "normal"))
        fn_resultf(rsp, FN_NORMAL, "%s", json_get_string(in, "normal"));
    if (json_get(in, "fatal"))
        fn_resultf(rsp, FN_FATAL, "%s", json_get_string(in, "fatal"));
    fn_condition_add(rsp, "Seen", "True", "Ran", NULL, FN_TARGET_COMPOSITE);
    rsp->ttl_s = json_int64_or(json_get(in, "ttl"), 0);
}

/* Asks for widget `w`, then writes its size into the context. */
static void
run_ask(const struct fn_request *req, struct fn_response *rsp)
{
    const struct json *w = fn_required(req, "w");

    json_set(rsp->requirements, "w",
             parse("{'apiVersion':'v1','kind':'Widget',"
                   "'matchName':'w'}"));
    json_set_int(rsp->context, "calls",
                 json_int64_or(json_get(rsp->context, "calls"), 0) + 1);
    if (w)
        json_set_bool(rsp->context, "found",
                      json_len(json_get(w, "items")) > 0);
}

/* Never satisfied. */
static void
run_greedy(const struct fn_request *req, struct fn_response *rsp)
{
    char name[32];

    snprintf(name, sizeof(name), "n%zu",
             json_len(json_get(req->data, "requiredResources")));
    for (const struct json *j =
             json_first(json_get(req->data, "requiredResources"));
         j; j = json_next(j))
        json_set(rsp->requirements, json_key(j), json_new_object());
    json_set(rsp->requirements, name, json_new_object());
}

static const struct function fn_add = {.name = "add", .run = run_add};
static const struct function fn_ask = {.name = "ask", .run = run_ask};
static const struct function fn_greedy = {.name = "greedy", .run = run_greedy};

static void *
prepare_picky(const struct json *input, struct error *err)
{
    if (json_get(input, "bad")) {
        error_set(err, ERR_PARSE, "invalid function input: bad");
        return NULL;
    }
    return calloc(1, 1);
}

static void
run_picky(const struct fn_request *req, struct fn_response *rsp)
{
    assert_non_null(req->prepared);
    json_set_bool(rsp->context, "picky", true);
}

static const struct function fn_picky = {.name = "picky",
                                         .prepare = prepare_picky,
                                         .discard = free,
                                         .run = run_picky};

static const struct function *
find(void *arg, const char *name, struct error *err)
{
    static const struct function *const all[] = {&fn_add, &fn_ask, &fn_greedy,
                                                 &fn_picky};

    (void)arg;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    }
    error_set(err, ERR_NOT_FOUND, "no function %s", name);
    return NULL;
}

static bool
fetch(void *arg, const struct json *selector, struct json **items,
      struct error *err)
{
    const char *name = json_string_or(json_get(selector, "matchName"), "");

    (void)arg;
    if (strcmp(name, "broken") == 0)
        return error_set(err, ERR_NETWORK, "boom");
    if (strcmp(name, "w") == 0)
        *items = parse("[{'kind':'Widget','data':{'k':'dg=='}}]");
    return true;
}

static bool
namespaced(void *arg, const char *v, const char *kind, bool *out,
           struct error *err)
{
    (void)arg;
    if (strcmp(kind, "Missing") == 0)
        return error_set(err, ERR_NOT_FOUND,
                         "failed to get restmapping: no matches for kind "
                         "\"%s\" in version \"%s\"",
                         kind, v);
    *out = strcmp(kind, "Node") != 0;
    return true;
}

static const struct compose_host host = {
    .function = find, .fetch = fetch, .namespaced = namespaced};

#define XR                                                                     \
    "{'apiVersion':'e.org/v1','kind':'XThing','metadata':"                     \
    "{'name':'x','namespace':'ns','uid':'75e4a668-035f-4ce8-8c45-"             \
    "f4d3ac850155'}}"

struct outcome {
    bool ok;
    struct error err;
    struct compose_result r;
};

static struct outcome
run(const char *steps, const char *xr_text, const char *observed)
{
    struct outcome o = {0};
    AUTO(json_free_ptr) struct json *spec = parse(steps);
    AUTO(json_free_ptr) struct json *xr = parse(xr_text);
    AUTO(pipeline_free_ptr) struct pipeline *p = pipeline_new(spec, &o.err);

    assert_non_null(p);
    struct compose_input in = {
        .xr = xr,
        .pipeline = p,
        .observed = observed ? parse(observed) : NULL,
        .host = &host,
    };

    o.ok = compose(&in, &o.r, &o.err);
    if (o.ok) {
        /* The same again: a compiled pipeline is not used up. */
        struct compose_result again;

        in.observed = observed ? parse(observed) : NULL;
        assert_true(compose(&in, &again, &o.err));
        assert_int_equal(again.resource_count, o.r.resource_count);
        assert_true(json_equal(again.outcome.context, o.r.outcome.context));
        compose_release(&again);
    }
    return o;
}

#define STEP(name, fn, input)                                                  \
    "{'step':'" name "','functionRef':{'name':'" fn "'},'input':" input "}"
#define STEPS(s) "{'pipeline':[" s "]}"

static void
desired_is_total_and_named(void **state)
{
    struct outcome o = run(
        STEPS(STEP("a", "add",
                   "{'add':{'database':{'resource':{'apiVersion':"
                   "'v1','kind':'ConfigMap'},'ready':'READY_TRUE'},"
                   "'gone':{'resource':{'apiVersion':'v1','kind':"
                   "'ConfigMap'}}},'status':{'a':1},'normal':'hi',"
                   "'ttl':60}") "," STEP("b", "add",
                                         "{'drop':['gone'],'warn':'careful',"
                                         "'ttl':30}")),
        XR, NULL);

    (void)state;
    assert_true(o.ok);
    assert_int_equal(o.r.resource_count, 1);
    assert_true(o.r.resources[0].ready);
    assert_false(o.r.resources[0].exists);
    expect(o.r.resources[0].object,
           "{'apiVersion':'v1','kind':'ConfigMap','metadata':{"
           "'annotations':{'crossplane.io/composition-resource-name':"
           "'database'},'generateName':'x-','labels':{'crossplane.io/"
           "composite':'x'},'name':'x-38ce86992a27','namespace':"
           "'ns','ownerReferences':[{'apiVersion':'e.org/v1',"
           "'blockOwnerDeletion':true,'controller':true,'kind':"
           "'XThing','name':'x','uid':'75e4a668-035f-4ce8-8c45-"
           "f4d3ac850155'}]}}");
    expect(o.r.status, "{'a':1}");
    assert_int_equal(o.r.outcome.ttl_s, 30);
    assert_int_equal(o.r.outcome.condition_count, 2);
    assert_int_equal(o.r.event_count, 2);
    assert_false(o.r.events[0].warning);
    assert_string_equal(o.r.events[0].message, "Pipeline step \"a\": hi");
    assert_true(o.r.events[1].warning);
    assert_string_equal(o.r.events[1].reason, "ComposeResources");
    compose_release(&o.r);
}

static void
existing_resources_keep_their_names(void **state)
{
    struct outcome o =
        run(STEPS(STEP("a", "add",
                       "{'add':{'n':{'resource':{'apiVersion':'v1',"
                       "'kind':'Node','metadata':{'name':'other'}}}}}")),
            XR,
            "{'n':{'resource':{'apiVersion':'v1','kind':'Node',"
            "'metadata':{'name':'kept','namespace':'ns'}}}}");
    AUTO(json_free_ptr) struct json *xr = parse(XR);

    (void)state;
    assert_true(o.ok);
    assert_true(o.r.resources[0].exists);
    struct json *refs = compose_refs(&o.r, xr, false);

    expect(refs, "[{'apiVersion':'v1','kind':'Node','name':"
                 "'kept'}]");
    json_free(refs);
    compose_release(&o.r);
}

static void
failures_speak_upstreams_words(void **state)
{
    static const struct {
        const char *steps, *want;
    } cases[] = {
        {STEPS(STEP("a", "add", "{'normal':'before','fatal':'no'}")),
         "pipeline step \"a\" returned a fatal result: no"},
        {STEPS(STEP("a", "nope", "{}")),
         "cannot run Composition pipeline step \"a\": no function nope"},
        {STEPS(STEP("a", "greedy", "{}")),
         "cannot run Composition pipeline step \"a\": requirements didn't "
         "stabilize after the maximum number of iterations (5)"},
        {STEPS(STEP("a", "picky", "{'bad':1}")),
         "pipeline step \"a\" returned a fatal result: invalid function "
         "input: bad"},
        {STEPS(STEP("a", "add",
                    "{'add':{'m':{'resource':{'apiVersion':'n/v1',"
                    "'kind':'Missing'}}}}")),
         "cannot check if composed resource \"m\" is namespaced (a Missing "
         "named ): failed to get restmapping: no matches for kind \"Missing\" "
         "in version \"n/v1\""},
        {STEPS(STEP("a", "add",
                    "{'add':{'m':{'resource':{'apiVersion':'v1',"
                    "'kind':'Node'}}}}")),
         "cannot apply cluster scoped composed resource \"m\" (a Node named ) "
         "for a namespaced composite resource."},
        {STEPS(STEP("a", "add",
                    "{'add':{'m':{'resource':{'apiVersion':'v1',"
                    "'kind':'Pod','metadata':{'name':'A_b'}}}}}")),
         "cannot apply composed resource \"m\" because it has an invalid name "
         "\"A_b\". Must be a valid RFC 1123 subdomain name."},
        {STEPS(STEP("a", "add",
                    "{'add':{'m':{'resource':{'apiVersion':'v1',"
                    "'kind':'Pod','metadata':{'name':'p',"
                    "'ownerReferences':[{'uid':'u','kind':'K',"
                    "'name':'k','controller':true}]}}}}}")),
         "cannot render metadata for composed resource \"m\": cannot set "
         "controller reference: p is already controlled by K k (UID u)"},
        {"{'pipeline':[{'step':'a','functionRef':{'name':'add'},"
         "'credentials':[{'name':'c','source':'Secret',"
         "'secretRef':{'name':'s','namespace':'n'}}]}]}",
         "cannot get Composition pipeline step \"a\" credential \"c\" from "
         "Secret: Secret \"s\" not found"},
        {"{'pipeline':[{'step':'a','functionRef':{'name':'add'},"
         "'requirements':{'requiredResources':[{'requirementName':'r',"
         "'apiVersion':'v1','kind':'K','name':'broken'}]}}]}",
         "cannot fetch bootstrap required resources for requirement \"r\": "
         "boom"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct outcome o = run(cases[i].steps, XR, NULL);

        assert_false(o.ok);
        assert_string_equal(o.err.msg, cases[i].want);
        if (i == 0) {
            assert_int_equal(o.r.event_count, 1);
            assert_string_equal(o.r.events[0].message,
                                "Pipeline step \"a\": before");
        }
        compose_release(&o.r);
    }
}

static void
requirements_are_met_and_context_is_carried(void **state)
{
    struct outcome o = run(
        STEPS(STEP("a", "ask", "{}") "," STEP("b", "picky", "{}")), XR, NULL);

    (void)state;
    assert_true(o.ok);
    expect(o.r.outcome.context, "{'calls':2,'found':true,'picky':true}");
    assert_int_equal(json_len(o.r.outcome.required), 1);
    compose_release(&o.r);
}

static void
numbers_travel_as_doubles(void **state)
{
    struct outcome o =
        run(STEPS(STEP("a", "add",
                       "{'status':{'big':9007199254740993,'f':1.50,'e':1E21,"
                       "'i':-12,'deep':[{'x':0.1e1}]}}")),
            XR, NULL);

    (void)state;
    assert_true(o.ok);
    expect(o.r.status, "{'big':9007199254740992,'deep':[{'x':1}],'e':1e+21,"
                       "'f':1.5,'i':-12}");
    compose_release(&o.r);
}

/* What a fatal result says is whole, however long; err may cut it. */
static void
a_fatal_message_stays_whole(void **state)
{
    AUTO(buf_release) struct buf input = BUF_INIT(10000);

    (void)state;
    buf_puts(&input, "{'fatal':'");
    buf_fill(&input, 'x', 3000);
    buf_puts(&input, "'}");
    AUTO(mem_free_ptr)
    char *steps = mem_printf(STEPS(STEP("a", "add", "%s")), buf_cstr(&input));
    struct outcome o = run(steps, XR, NULL);

    assert_false(o.ok);
    assert_true(strlen(o.err.msg) < sizeof(o.err.msg));
    assert_int_equal(strlen(o.r.outcome.fatal),
                     strlen("pipeline step \"a\" returned a fatal result: ") +
                         3000);
    compose_release(&o.r);
}

static void
what_is_known_saves_a_call(void **state)
{
    AUTO(json_free_ptr)
    struct json *spec = parse(STEPS(STEP("a", "ask", "{}")));
    AUTO(json_free_ptr) struct json *xr = parse(XR);
    struct error err = {0};
    AUTO(pipeline_free_ptr) struct pipeline *p = pipeline_new(spec, &err);
    struct compose_input in = {.xr = xr, .pipeline = p, .host = &host};
    struct compose_result first, second;

    (void)state;
    assert_true(compose(&in, &first, &err));
    expect(first.outcome.context, "{'calls':2,'found':true}");
    in.known = first.outcome.asked;
    assert_true(compose(&in, &second, &err));
    expect(second.outcome.context, "{'calls':1,'found':true}");
    assert_true(json_equal(first.outcome.asked, second.outcome.asked));
    assert_int_equal(json_len(second.outcome.required), 1);
    compose_release(&first);
    compose_release(&second);
}

static void
bad_pipelines_are_refused(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{'pipeline':[]}",
        "{'pipeline':{'a':1}}",
        "{'pipeline':[{}]}",
        "{'pipeline':[{'step':'a'}]}",
        "{'mode':'Resources','pipeline':[{'step':'a',"
        "'functionRef':{'name':'f'}}]}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        AUTO(json_free_ptr) struct json *spec = parse(bad[i]);
        struct error err = {0};

        assert_null(pipeline_new(spec, &err));
        assert_int_equal(err.code, ERR_INVALID);
    }
}

static void
owner_name_is_upstreams(void **state)
{
    AUTO(json_free_ptr) struct json *xr = parse(XR);
    char owner[COMPOSE_OWNER_MAX];

    (void)state;
    compose_owner(xr, owner);
    /* printf xXThing.e.org | sha256sum */
    assert_string_equal(
        owner,
        "apiextensions.crossplane.io/composed/"
        "485b2b40fde26ade402e28d387fef64a8bacac8b441d89f41f91ebeda3c79fa4");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(desired_is_total_and_named),
        cmocka_unit_test(existing_resources_keep_their_names),
        cmocka_unit_test(failures_speak_upstreams_words),
        cmocka_unit_test(requirements_are_met_and_context_is_carried),
        cmocka_unit_test(numbers_travel_as_doubles),
        cmocka_unit_test(a_fatal_message_stays_whole),
        cmocka_unit_test(what_is_known_saves_a_call),
        cmocka_unit_test(bad_pipelines_are_refused),
        cmocka_unit_test(owner_name_is_upstreams),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
