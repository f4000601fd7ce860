/* function-patch-and-transform against what v0.10.8 answered (patch/README.md),
 * and what no recording can show. */
#include "lib/base/file.h"

#include "lib/compose/function.h"
#include "lib/compose/structpb.h"

#include "tests/unit/compose/compose_test.h"

#define ENVIRONMENT "apiextensions.crossplane.io/environment"
#define PREFIX                                                                 \
    "cannot render composed resource \"a\" \"FromCompositeFieldPath\" patch "  \
    "at index 0: "

/* ---- running ---- */

struct answer {
    struct fn_response rsp;
    struct json *data;
};

/* Takes data over. */
static struct answer
run(struct json *data)
{
    struct answer a = {.data = data};
    struct fn_request req = {.data = data};
    struct error err = {0};

    structpb_numbers(data);
    fn_response_init(&a.rsp, &req);
    req.prepared = fn_patch.prepare(fn_input(&req), &err);
    if (req.prepared)
        fn_patch.run(&req, &a.rsp);
    else
        fn_resultf(&a.rsp, FN_FATAL, "%s", err.msg);
    fn_patch.discard(req.prepared);
    structpb_numbers(a.rsp.desired);
    structpb_numbers(a.rsp.context);
    return a;
}

static void
answer_release(struct answer *a)
{
    fn_response_release(&a->rsp);
    json_free(a->data);
}

static struct json *
copy(const struct json *j)
{
    return j ? json_copy(j) : json_new_null();
}

/* A request about one resource "a" with one patch from spec.v to path. */
static struct json *
new_request(const char *path, const struct json *v)
{
    struct json *data = parse(
        "{'input':{'resources':[{'name':'a','patches':[{}]}]},"
        "'observed':{'composite':{'resource':{'apiVersion':'example.org/v1',"
        "'kind':'XThing','metadata':{'name':'xr','namespace':'ns'}}}}}");
    struct json *xr = json_at(data, "observed", "composite", "resource", NULL);
    struct json *t = json_first(json_at(data, "input", "resources", NULL));
    struct json *patch = json_first(json_get(t, "patches"));

    json_set(json_need_object(xr, "spec"), "v", copy(v));
    json_set_string(patch, "fromFieldPath", "spec.v");
    json_set_string(patch, "toFieldPath", path);
    return data;
}

static struct json *
template_of(struct json *data)
{
    return json_first(json_at(data, "input", "resources", NULL));
}

static struct json *
patch_of(struct json *data)
{
    return json_first(json_get(template_of(data), "patches"));
}

static struct json *
config_map(const struct json *d)
{
    struct json *j = parse("{'apiVersion':'v1','kind':'ConfigMap'}");

    if (d)
        json_set(j, "d", json_copy(d));
    return j;
}

/* ---- comparing ---- */

static void
expect_json(const char *what, const struct json *got, const struct json *want)
{
    char *g, *w;

    if (json_equal(got, want))
        return;
    g = got ? json_text(got, JSON_SORTED) : strdup("nothing");
    w = want ? json_text(want, JSON_SORTED) : strdup("nothing");
    fail_msg("%s\ngot:  %s\nwant: %s", what, g, w);
}

/* want: {"ok": what lies at resource.d} or {"error": TEXT}. */
static void
expect_outcome(const char *what, const struct answer *a,
               const struct json *want)
{
    const char *error = json_get_string(want, "error");
    const struct json *d =
        json_at(a->rsp.desired, "resources", "a", "resource", "d", NULL);
    const char *got = a->rsp.result_count ? a->rsp.results[0].message : "";

    if (!error && *got)
        fail_msg("%s\ngot: %s", what, got);
    if (!error)
        expect_json(what, d, json_get(want, "ok"));
    else if (strncmp(got, PREFIX, strlen(PREFIX)) != 0 ||
             strcmp(got + strlen(PREFIX), error) != 0)
        fail_msg("%s\ngot:  %s\nwant: %s", what, got, error);
}

typedef void line_fn(const struct json *first, const struct json *line);

static void
each_line(const char *path, line_fn *fn)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4 << 20);
    AUTO(json_free_ptr) struct json *first = NULL;
    struct error err;
    struct str rest, line;

    if (!file_read(path, &b, &err))
        fail_msg("%s", err.msg);
    rest = str_trim(buf_view(&b));
    while (str_next(&rest, '\n', &line)) {
        struct json *j = json_parse(line, NULL, &err);

        if (!j)
            fail_msg("%s: %s", path, err.msg);
        fn(first, j);
        if (first)
            json_free(j);
        else
            first = j;
    }
}

/* ---- the recordings ---- */

static void
transform_line(const struct json *first, const struct json *line)
{
    const struct json *list = json_get(line, "transforms");

    (void)first;
    for (const struct json *c = json_first(json_get(line, "cases")); c;
         c = json_next(c)) {
        struct json *data = new_request("d", json_item(c, 0));
        AUTO(json_free_ptr) struct json *shown = json_copy(list);

        json_append(shown, json_copy(c));
        json_set(template_of(data), "base", config_map(NULL));
        json_set(patch_of(data), "transforms", json_copy(list));
        struct answer a = run(data);
        char *what = json_text(shown, JSON_COMPACT);

        expect_outcome(what, &a, json_item(c, 1));
        free(what);
        answer_release(&a);
    }
}

static void
transforms_give_what_upstream_gives(void **state)
{
    (void)state;
    each_line("tests/unit/compose/patch/transforms.jsonl", transform_line);
}

static void
merge_line(const struct json *first, const struct json *line)
{
    const struct json *policy = json_get(line, "policy");
    bool earlier = json_bool(json_get(line, "earlier"), false);

    (void)first;
    for (const struct json *c = json_first(json_get(line, "cases")); c;
         c = json_next(c)) {
        struct json *data = new_request("d", json_item(c, 1));
        struct json *object = config_map(json_item(c, 0));
        char *what = json_text(c, JSON_COMPACT);

        json_set(json_need_object(patch_of(data), "policy"), "toFieldPath",
                 json_copy(policy));
        if (earlier) {
            json_set(data, "desired", parse("{'resources':{'a':{}}}"));
            json_set(json_at(data, "desired", "resources", "a", NULL),
                     "resource", object);
        } else {
            json_set(template_of(data), "base", object);
        }
        struct answer a = run(data);

        expect_outcome(what, &a, json_item(c, 2));
        free(what);
        answer_release(&a);
    }
}

static void
merges_give_what_upstream_gives(void **state)
{
    (void)state;
    each_line("tests/unit/compose/patch/merges.jsonl", merge_line);
}

/* Puts the named values of first in the place of "$NAME". */
static struct json *
expand(const struct json *first, const struct json *j)
{
    const char *name = json_string(j);
    struct json *out;

    if (name && *name == '$' && json_get(first, name))
        return expand(first, json_get(first, name));
    if (!json_is(j, JSON_ARRAY) && !json_is(j, JSON_OBJECT))
        return copy(j);
    out = json_is(j, JSON_ARRAY) ? json_new_array() : json_new_object();
    for (const struct json *c = json_first(j); c; c = json_next(c)) {
        if (json_key(c))
            json_set(out, json_key(c), expand(first, c));
        else
            json_append(out, expand(first, c));
    }
    return out;
}

static void
expect_results(const char *what, const struct answer *a,
               const struct json *want)
{
    static const char *const names[] = {"UNSPECIFIED", "FATAL", "WARNING",
                                        "NORMAL"};
    AUTO(json_free_ptr) struct json *got = json_new_array();

    for (size_t i = 0; i < a->rsp.result_count; i++) {
        struct json *r = json_append(got, json_new_array());

        json_append(r, json_new_string(names[a->rsp.results[i].severity]));
        json_append(r, json_new_string(a->rsp.results[i].message));
    }
    if (want || json_len(got))
        expect_json(what, got, want);
}

static struct json *
request_of(const struct json *c)
{
    struct json *data = new_request("", NULL);
    struct json *xr = json_at(data, "observed", "composite", "resource", NULL);

    json_set(data, "input", json_copy(json_get(c, "in")));
    json_del(xr, "spec");
    for (const struct json *m = json_first(json_get(c, "xr")); m;
         m = json_next(m))
        json_set(xr, json_key(m), json_copy(m));
    if (json_get(c, "obs"))
        json_set(json_get(data, "observed"), "resources",
                 json_copy(json_get(c, "obs")));
    if (json_get(c, "env"))
        json_set(json_need_object(data, "context"), ENVIRONMENT,
                 json_copy(json_get(c, "env")));
    if (json_get(c, "desired"))
        json_set(data, "desired", json_copy(json_get(c, "desired")));
    return data;
}

static void
request_line(const struct json *first, const struct json *line)
{
    AUTO(json_free_ptr) struct json *c = NULL;
    AUTO(json_free_ptr)
    struct json *plain_env = parse("{'kind':'Environment','apiVersion':"
                                   "'internal.crossplane.io/v1alpha1'}");
    const struct json *env;

    if (!first)
        return;
    c = expand(first, line);
    env = json_get(c, "wantEnv") ? json_get(c, "wantEnv") : plain_env;
    struct answer a = run(request_of(c));
    char *what = json_text(line, JSON_COMPACT);

    expect_results(what, &a, json_get(c, "results"));
    if (json_get(c, "want")) {
        expect_json(what, a.rsp.desired, json_get(c, "want"));
        expect_json(what, json_get(a.rsp.context, ENVIRONMENT), env);
        assert_int_equal(a.rsp.ttl_s, 60);
    }
    free(what);
    answer_release(&a);
}

static void
requests_give_what_upstream_gives(void **state)
{
    (void)state;
    each_line("tests/unit/compose/patch/requests.jsonl", request_line);
}

/* ---- what upstream would crash on, and caps ---- */

static void
expect_message(const char *data, const char *want)
{
    struct answer a = run(parse(data));

    assert_int_equal(a.rsp.result_count, want != NULL);
    if (want)
        assert_string_equal(a.rsp.results[0].message, want);
    answer_release(&a);
}

#define REQUEST(resource, rest)                                                \
    "{'input':{'resources':[{'name':'a',"                                      \
    "'base':{'kind':'K'}," resource "}]" rest "},'observed':{'composite':{"    \
    "'resource':{'kind':'XR','metadata':{'name':'x'},'spec':{'v':'v',"         \
    "'crossplane':{}}}},'resources':{'a':{'resource':{'status':{}}}}}}"

static void
what_crashes_upstream_is_survived(void **state)
{
    (void)state;
    expect_message(REQUEST("'patches':[{'fromFieldPath':'spec.v',"
                           "'transforms':[{'type':'string','string':{'type':"
                           "'Regexp','regexp':{'match':'v','group':-1}}}]}]",
                           ""),
                   PREFIX "transform at index 0 returned error: string "
                          "transform could not resolve: regexp \"v\" had no "
                          "matches for group -1");
    expect_message(REQUEST("'readinessChecks':[{'type':'MatchCondition'}]", ""),
                   NULL);
    expect_message(
        REQUEST("'connectionDetails':[{'type':'FromValue','name':'k','value':"
                "'v'}]",
                ",'writeConnectionSecretToRef':{'patches':[{'type':"
                "'CombineFromComposite'}]}"),
        "cannot compose connection secret: cannot generate connection secret "
        "reference: cannot apply connection secret patches: cannot apply patch "
        "type CombineFromComposite at index 0: combine strategy  is not "
        "supported");
}

static void
texts_are_capped(void **state)
{
    (void)state;
    expect_message(REQUEST("'patches':[{'fromFieldPath':'spec.v',"
                           "'transforms':[{'type':'string','string':{'type':"
                           "'Format','fmt':'%999999s%999999[1]s%999999[1]s"
                           "%999999[1]s%999999[1]s%999999[1]s%999999[1]s"
                           "%999999[1]s%999999[1]s%999999[1]s'}}]}]",
                           ""),
                   PREFIX "transform at index 0 returned error: string "
                          "transform could not resolve: a text of more than 8 "
                          "MiB");
}

/* The request is never changed, and one input serves many runs. */
static void
an_input_serves_many_runs(void **state)
{
    AUTO(json_free_ptr)
    struct json *data = parse(REQUEST("'patches':[{'fromFieldPath':'spec.v'}]",
                                      ",'environment':{'patches':[{"
                                      "'fromFieldPath':'spec.v'}]}"));
    AUTO(json_free_ptr) struct json *before = json_copy(data);
    struct fn_request req = {.data = data};
    AUTO(json_free_ptr) struct json *first = NULL;

    (void)state;
    req.prepared = fn_patch.prepare(fn_input(&req), NULL);
    for (int i = 0; i < 3; i++) {
        struct fn_response rsp;

        fn_response_init(&rsp, &req);
        fn_patch.run(&req, &rsp);
        if (!first)
            first = json_copy(rsp.desired);
        expect_json("the same again", rsp.desired, first);
        fn_response_release(&rsp);
    }
    fn_patch.discard(req.prepared);
    expect_json("the request", data, before);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transforms_give_what_upstream_gives),
        cmocka_unit_test(merges_give_what_upstream_gives),
        cmocka_unit_test(requests_give_what_upstream_gives),
        cmocka_unit_test(what_crashes_upstream_is_survived),
        cmocka_unit_test(texts_are_capped),
        cmocka_unit_test(an_input_serves_many_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
