/* function-go-templating: whole compositions against what `crossplane render`
 * 2.0.2 with the real functions printed (render/, recorded), and the words of
 * its errors. */
#include "lib/base/file.h"
#include "lib/base/yaml.h"

#include "lib/compose/compose.h"
#include "lib/compose/functions.h"

#include "tests/unit/compose/compose_test.h"

/* ---- recorded compositions ---- */

static struct json *
documents(const char *vector, const char *file)
{
    AUTO(buf_release) struct buf text = BUF_INIT(1 << 20);
    struct yaml_docs docs = {0};
    struct error err = {0};
    char path[160];
    struct json *all = json_new_array();

    snprintf(path, sizeof(path), "tests/unit/compose/render/%s/%s", vector,
             file);
    if (!file_read(path, &text, &err))
        return all;
    assert_true(yaml_parse(buf_view(&text), NULL, &docs, &err));
    for (size_t i = 0; i < docs.n; i++)
        json_append(all, json_copy(docs.v[i].value));
    yaml_docs_release(&docs);
    return all;
}

static const char *
name_of(const struct json *object)
{
    return json_string_or(json_at(object, "metadata", "annotations",
                                  COMPOSE_ANNOTATION_NAME, NULL),
                          "");
}

static const struct function *
find(void *arg, const char *name, struct error *err)
{
    (void)arg;
    if (strcmp(name, fn_gotemplate.name) == 0)
        return &fn_gotemplate;
    if (strcmp(name, fn_autoready.name) == 0)
        return &fn_autoready;
    if (strcmp(name, fn_extraresources.name) == 0)
        return &fn_extraresources;
    error_set(err, ERR_NOT_FOUND, "no function %s", name);
    return NULL;
}

static bool
selected(const struct json *object, const struct json *sel)
{
    const char *name = json_get_string(sel, "matchName");
    const struct json *labels = json_at(sel, "matchLabels", "labels", NULL);
    const struct json *has = json_at(object, "metadata", "labels", NULL);

    if (!json_equal(json_get(object, "kind"), json_get(sel, "kind")))
        return false;
    if (name)
        return strcmp(name, json_string(json_at(object, "metadata", "name",
                                                NULL))) == 0;
    for (const struct json *l = json_first(labels); l; l = json_next(l)) {
        if (!json_equal(l, json_get(has, json_key(l))))
            return false;
    }
    return true;
}

static bool
fetch(void *arg, const struct json *sel, struct json **items, struct error *err)
{
    struct json *found = json_new_array();

    (void)err;
    for (const struct json *o = json_first(arg); o; o = json_next(o)) {
        if (selected(o, sel))
            json_append(found, json_copy(o));
    }
    if (json_len(found) || !json_get(sel, "matchName"))
        *items = found;
    else
        json_free(found);
    return true;
}

static void
compare(const char *vector, const struct compose_result *r)
{
    struct json *want = documents(vector, "expected.yaml");
    size_t n = 0;

    for (const struct json *w = json_first(want); w; w = json_next(w)) {
        const struct compose_resource *got = compose_find(r, name_of(w));
        const char *kind = json_get_string(w, "kind");

        if (strcmp(kind, "Context") == 0) {
            assert_true(json_equal(r->outcome.context, json_get(w, "fields")));
        } else if (*name_of(w)) {
            assert_non_null(got);
            if (!json_equal(got->object, w)) {
                char *text = json_text(got->object, JSON_SORTED);

                print_error("%s: %s\n", vector, text);
                free(text);
                fail();
            }
            n++;
        } else if (r->status) {
            struct json *status = json_copy(json_get(w, "status"));

            json_del(status, "conditions");
            assert_true(json_equal(status, r->status));
            json_free(status);
        }
    }
    assert_int_equal(n, r->resource_count);
    json_free(want);
}

static void
render(const char *vector, bool ok, struct error *err)
{
    struct json *extra = documents(vector, "extra.yaml");
    struct json *observed = documents(vector, "observed.yaml");
    struct json *xr = documents(vector, "xr.yaml");
    struct json *composition = documents(vector, "composition.yaml");
    struct json *by_name = json_new_object();
    struct compose_host host = {.arg = extra, .function = find, .fetch = fetch};
    struct compose_result result;

    for (const struct json *o = json_first(observed); o; o = json_next(o))
        json_set(json_need_object(by_name, name_of(o)), "resource",
                 json_copy(o));
    struct compose_input in = {
        .mode = COMPOSE_RENDER,
        .xr = json_first(xr),
        .pipeline =
            pipeline_new(json_get(json_first(composition), "spec"), err),
        .observed = by_name,
        .host = &host,
    };
    bool done = compose(&in, &result, err);

    if (done != ok)
        print_error("%s: %s\n", vector, err->msg);
    assert_int_equal(done, ok);
    if (ok)
        compare(vector, &result);
    compose_release(&result);
    pipeline_free(in.pipeline);
    json_free(extra);
    json_free(observed);
    json_free(xr);
    json_free(composition);
}

static void
renders_as_crossplane_does(void **state)
{
    static const char *const vectors[] = {
        "01-gt-range-if-sprig",
        "02-gt-observed-status",
        "03-gt-extra-resources",
        "04-extra-resources-then-template",
        "12-gt-conditions-context-results",
        "14-full-xr-and-names",
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
        render(vectors[i], true, &err);
}

static void
a_failing_template_is_fatal(void **state)
{
    AUTO(buf_release) struct buf want = BUF_INIT(4096);
    struct error err = {0};

    (void)state;
    render("10-gt-fails", false, &err);
    assert_true(file_read("tests/unit/compose/render/10-gt-fails/"
                          "expected-error.txt",
                          &want, NULL));
    /* What stands before it is the command line's. */
    assert_true(str_contains(str_trim(buf_view(&want)), str_of(err.msg)));
}

/* ---- the words of its errors ---- */

/* Runs template over a small request; the first fatal message, or "". */
static void
run(const char *input, const char *context, struct buf *message,
    struct json **desired)
{
    struct json *data = json_new_object();
    struct error err = {0};
    struct fn_response rsp;

    json_set(data, "input", parse(input));
    json_set(data, "context", parse(context));
    json_set(data, "observed",
             parse("{'composite':{'resource':{'apiVersion':'example.org/v1',"
                   "'kind':'XR','metadata':{'name':'x'}}}}"));
    json_set(data, "desired",
             parse("{'composite':{'resource':{'status':{'a':{'x':1},'l':[1]}}},"
                   "'resources':{'old':{'resource':{'kind':'Old'}}}}"));
    struct fn_request req = {.data = data};

    req.prepared = fn_gotemplate.prepare(json_get(data, "input"), &err);
    fn_response_init(&rsp, &req);
    if (req.prepared)
        fn_gotemplate.run(&req, &rsp);
    else
        fn_resultf(&rsp, FN_FATAL, "%s", err.msg);
    buf_reset(message);
    if (rsp.result_count)
        buf_puts(message, rsp.results[0].message);
    if (desired)
        *desired = json_copy(rsp.desired);
    fn_gotemplate.discard(req.prepared);
    fn_response_release(&rsp);
    json_free(data);
}

static void
fatal_messages_are_upstreams(void **state)
{
#define INLINE(text) "{'source':'Inline','inline':{'template':'" text "'}}"
    static const struct {
        const char *input, *message;
    } cases[] = {
        {"{'source':'wrong'}", "invalid function input: invalid source: wrong"},
        {"{}", "invalid function input: source is required"},
        {"{'source':'Inline'}", "invalid function input: inline.template or "
                                "inline.templates should be provided"},
        {"{'source':'Environment'}",
         "invalid function input: environment.key should be provided"},
        {"{'source':'Environment','environment':{'key':'k'}}",
         "invalid function input: cannot read tmpl from the environment: "
         "apiextensions.crossplane.io/environment key does not exist in "
         "context"},
        {INLINE("{{.invalid-key}}"),
         "invalid function input: cannot parse the provided templates: "
         "template: manifests:1: bad character U+002D '-'"},
        {"{'source':'Inline','options':['missingoption=nothing'],"
         "'inline':{'template':'a: 1'}}",
         "cannot apply template options: panic occurred while applying "
         "template options: unrecognized option: missingoption=nothing"},
        {"{'source':'Inline','options':['missingkey=error'],"
         "'inline':{'template':'{{.missing}}'}}",
         "cannot execute template: template: manifests:1:2: executing "
         "\"manifests\" at <.missing>: map has no entry for key \"missing\""},
        {INLINE("kind: CD"),
         "\"CD\" template is missing required "
         "\"gotemplating.fn.crossplane.io/composition-resource-name\" "
         "annotation"},
        {INLINE("{\\'apiVersion\\':\\'example.org/v1\\'}"),
         "cannot decode manifest: Object 'Kind' is missing in "
         "'{\"apiVersion\":\"example.org/v1\"}'"},
        {INLINE("\\n---\\napiVersion: example.org/v1\\nkind: CD\\nmetadata:\\n "
                " name: %!@#$%^&*()_+\\n"),
         "cannot decode manifest: error converting YAML to JSON: yaml: line 6 "
         "(document 1, line 4) near: 'name: %!@#$%^&*()_+': found character "
         "that cannot start any token"},
        {INLINE("kind: K\\nmetadata:\\n  annotations:\\n    a: true"),
         "invalid annotations in resource '/, Kind=K resource-name=<nil>': "
         ".metadata.annotations accessor error: contains non-string value in "
         "the map under key \"a\": true is of the type bool, expected string"},
        {INLINE("kind: K\\nmetadata:\\n  annotations:\\n    "
                "gotemplating.fn.crossplane.io/ready: maybe"),
         "invalid function input: invalid "
         "\"gotemplating.fn.crossplane.io/ready\" annotation value \"maybe\": "
         "must be True, False, or Unspecified"},
#define META "apiVersion: meta.gotemplating.fn.crossplane.io/v1alpha1\\nkind: "
        {INLINE(META "InvalidMeta"),
         "invalid kind \"InvalidMeta\" for apiVersion "
         "\"meta.gotemplating.fn.crossplane.io/v1alpha1\" - must be one of "
         "CompositeConnectionDetails, Context or ExtraResources"},
        {INLINE(META "ClaimConditions\\nconditions: [{type: Ready}]"),
         "cannot set ClaimCondition type: Ready is a reserved Crossplane "
         "Condition"},
        {INLINE(META "Context\\ndata: 1"),
         "cannot get Contexts from input: cannot unmarshal value from JSON: "
         "json: cannot unmarshal number into Go value of type "
         "map[string]interface {}"},
        {INLINE(META
                "ExtraResources\\nrequirements: {k: {kind: A}}\\n---\\n" META
                "ExtraResources\\nrequirements: {k: {kind: A}}"),
         "duplicate extra resource key \"k\""},
        {"{'source':'Inline','inline':{'template':'x','options':[]}}",
         "cannot get Function input from *v1.RunFunctionRequest: cannot get "
         "function input *v1beta1.GoTemplate from *v1.RunFunctionRequest: "
         "cannot unmarshal JSON from *structpb.Struct into "
         "*v1beta1.GoTemplate: json: unable to unmarshal Go value of type "
         "v1beta1.TemplateSourceInline: unknown name \"options\""},
    };
    AUTO(buf_release) struct buf message = BUF_INIT(4096);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        run(cases[i].input, "{}", &message, NULL);
        assert_string_equal(buf_cstr(&message), cases[i].message);
    }
}

static void
desired_state_is_merged_and_replaced(void **state)
{
    AUTO(buf_release) struct buf message = BUF_INIT(4096);
    struct json *desired;

    (void)state;
    run("{'source':'Environment','environment':{'key':'t'},"
        "'delims':{'left':'[[','right':']]'}}",
        "{'apiextensions.crossplane.io/environment':{'t':'"
        "apiVersion: example.org/v1\\nkind: XR\\nstatus: {a: {z: 2}, l: [2], "
        "q: [[ 1 ]]}\\nmetadata: {annotations: "
        "{gotemplating.fn.crossplane.io/ready: \\'False\\'}}\\n---\\n~\\n---\\n"
        "kind: A\\nmetadata: {annotations: { [[ setResourceNameAnnotation "
        "\\'a\\' ]], gotemplating.fn.crossplane.io/ready: \\'True\\', k: v}}"
        "\\n'}}",
        &message, &desired);
    assert_string_equal(buf_cstr(&message), "");
    expect(desired,
           "{'composite':{'ready':'READY_FALSE','resource':{'status':{'a':{'x':"
           "1,'z':2},'l':[2],'q':1}}},'resources':{'a':{'ready':'READY_TRUE',"
           "'resource':{'kind':'A','metadata':{'annotations':{'k':'v'}}}},"
           "'old':{'resource':{'kind':'Old'}}}}");
    json_free(desired);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renders_as_crossplane_does),
        cmocka_unit_test(a_failing_template_is_fatal),
        cmocka_unit_test(fatal_messages_are_upstreams),
        cmocka_unit_test(desired_state_is_merged_and_replaced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
