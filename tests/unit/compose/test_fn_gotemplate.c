/* function-go-templating: the words of its errors, and how it merges. Whole
 * compositions: test_render.c. */
#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "lib/compose/function.h"

#include "tests/unit/compose/compose_test.h"

#define NAME "gotemplating.fn.crossplane.io/composition-resource-name"

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

/* ---- what the real function answered (gotemplate_vectors.json) ---- */

/* Does rsp say what the recorded answer says? */
static bool
agrees(const struct fn_response *rsp, const struct json *want,
       const struct json *before, struct buf *why)
{
    const char *fatal = json_get_string(want, "fatal");
    const struct json *desired = json_get(want, "desired"), *c;
    size_t i = 0;

    buf_puts(why, rsp->result_count ? rsp->results[0].message : "");
    if (fatal)
        return strcmp(buf_cstr(why), fatal) == 0;
    if (rsp->result_count ||
        !json_equal(rsp->desired, desired ? desired : before) ||
        (json_get(want, "context") &&
         !json_equal(rsp->context, json_get(want, "context"))) ||
        json_len(rsp->requirements) != json_len(json_get(want, "requirements")))
        return false;
    c = json_get(want, "requirements");
    if (c && !json_equal(c, rsp->requirements))
        return false;
    c = json_first(json_get(want, "conditions"));
    for (; c && i < rsp->condition_count; c = json_next(c), i++) {
        const struct fn_condition *got = &rsp->conditions[i];

        if (strcmp(got->type, json_string(json_item(c, 0))) != 0 ||
            strcmp(got->status, json_string(json_item(c, 1))) != 0 ||
            strcmp(got->reason, json_string(json_item(c, 2))) != 0 ||
            (int64_t)got->target != json_int64_or(json_item(c, 4), -1))
            return false;
    }
    return !c && i == rsp->condition_count;
}

static bool
replay(const struct json *all, const struct json *c)
{
    AUTO(json_free_ptr) struct json *data = json_copy(c);
    AUTO(buf_release) struct buf why = BUF_INIT(8000);
    struct fn_request req = {.data = data};
    struct fn_response rsp;
    struct error err = {0};

    json_del(data, "want");
    for (size_t i = 0; i < 2; i++) {
        const char *part = i ? "desired" : "observed";

        if (!json_get(data, part))
            json_set(data, part, json_copy(json_get(all, part)));
    }
    req.prepared = fn_gotemplate.prepare(fn_input(&req), &err);
    fn_response_init(&rsp, &req);
    if (req.prepared)
        fn_gotemplate.run(&req, &rsp);
    else
        fn_resultf(&rsp, FN_FATAL, "%s", err.msg);
    bool ok =
        agrees(&rsp, json_get(c, "want"), json_get(data, "desired"), &why);

    if (!ok) {
        AUTO(mem_free_ptr) char *text = json_text(c, JSON_COMPACT);

        print_error("%s\n     got: %s\n", text, buf_cstr(&why));
    }
    fn_gotemplate.discard(req.prepared);
    fn_response_release(&rsp);
    return ok;
}

static void
answers_as_the_function_does(void **state)
{
    AUTO(buf_release) struct buf file = BUF_INIT(BUF_TEXT_MAX);
    size_t n = 0, wrong = 0;

    (void)state;
    assert_true(
        file_read("tests/unit/compose/gotemplate_vectors.json", &file, NULL));
    AUTO(json_free_ptr)
    struct json *all = json_parse(buf_view(&file), NULL, NULL);
    const struct json *c = json_first(json_get(all, "cases"));

    for (; c; c = json_next(c), n++)
        wrong += !replay(all, c);
    assert_true(n >= 300);
    assert_int_equal(wrong, 0);
}

/* ---- templates from a folder ---- */

static bool
folder(void *arg, const char *dir, struct buf *out, struct error *err)
{
    if (strcmp(dir, "templates") != 0)
        return error_set(err, ERR_NOT_FOUND,
                         "open %s: no such file or "
                         "directory",
                         dir);
    return buf_puts(out, arg);
}

static void
folders_are_read_at_run_time(void **state)
{
    char text[] = "kind: A\nmetadata: {annotations: {" NAME ": aa}}\n\n---\n"
                  "kind: B\nmetadata: {annotations: {" NAME ": bb}}\n\n---\n";
    const struct fn_world world = {.arg = text, .files = folder};
    static const char *const dirs[] = {"templates", "nowhere"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        AUTO(json_free_ptr)
        struct json *data = parse("{'input':{'source':'FileSystem','fileSystem'"
                                  ":{}}}");
        struct fn_request req = {.data = data, .world = &world};
        struct fn_response rsp;

        json_set_string(json_at(data, "input", "fileSystem", NULL), "dirPath",
                        dirs[i]);
        req.prepared = fn_gotemplate.prepare(fn_input(&req), NULL);
        assert_non_null(req.prepared);
        fn_response_init(&rsp, &req);
        fn_gotemplate.run(&req, &rsp);
        assert_int_equal(json_len(fn_desired_all(&rsp)), i ? 0 : 2);
        if (i)
            assert_string_equal(rsp.results[0].message,
                                "invalid function input: cannot read tmpl from "
                                "the folder {nowhere}: open nowhere: no such "
                                "file or directory");
        fn_response_release(&rsp);
        req.world = NULL; /* nobody has files */
        fn_response_init(&rsp, &req);
        fn_gotemplate.run(&req, &rsp);
        assert_true(fn_is_fatal(&rsp));
        fn_response_release(&rsp);
        fn_gotemplate.discard(req.prepared);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fatal_messages_are_upstreams),
        cmocka_unit_test(desired_state_is_merged_and_replaced),
        cmocka_unit_test(answers_as_the_function_does),
        cmocka_unit_test(folders_are_read_at_run_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
