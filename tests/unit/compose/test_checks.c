/* What keeps XRDs from being established and Compositions from composing. */
#include "lib/base/file.h"

#include "lib/compose/composition_check.h"
#include "lib/compose/functions.h"
#include "lib/compose/xrd_check.h"

#include "tests/unit/compose/compose_test.h"

/* The findings as "field: message\n". */
static char *
lines(const struct schema_findings *f)
{
    struct buf b = BUF_INIT(1 << 16);

    for (size_t i = 0; i < f->n; i++)
        buf_printf(&b, "%s: %s\n", f->v[i].field, f->v[i].message);
    return buf_take(&b);
}

static void
expect_lines(struct schema_findings *f, const char *want)
{
    char *got = lines(f);

    assert_string_equal(got ? got : "", want);
    free(got);
    schema_findings_release(f);
}

#define XRD(spec)                                                              \
    "{'apiVersion':'apiextensions.crossplane.io/v2','metadata':{'name':"       \
    "'xs.g.io'},'spec':{'group':'g.io','names':{'kind':'X','plural':'xs'"      \
    "}" spec "}}"
#define VERSION(name, ref, schema)                                             \
    "{'name':'" name "','served':true,'referenceable':" ref                    \
    ",'schema':{'openAPIV3Schema':" schema "}}"
#define EMPTY "{'type':'object'}"
/* A version as the server shows it when the rest is the same in all. */
#define SHOWN(name, storage)                                                   \
    "{\"Name\":\"" name "\",\"Served\":true,\"Storage\":" storage              \
    ",\"Deprecated\":false,\"DeprecationWarning\":null,\"Schema\":null,"       \
    "\"Subresources\":null,\"AdditionalPrinterColumns\":null,"                 \
    "\"SelectableFields\":null}"

static void
xrds(void **state)
{
    static const struct {
        const char *xrd, *want;
    } cases[] = {
        {XRD(",'versions':[" VERSION("v1", "true", EMPTY) "]"), ""},
        {XRD(",'versions':[" VERSION("v1", "false", EMPTY) "]"),
         "spec.versions: Invalid value: [" SHOWN(
             "v1", "false") "]: must have exactly one version marked as "
                            "storage version\n"
                            "status.storedVersions: Invalid value: null: must "
                            "have at least one "
                            "stored version\n"},
        {XRD(",'versions':[" VERSION("v1", "true", EMPTY) "," VERSION(
             "v2", "true", EMPTY) "]"),
         "spec.versions: Invalid value: [" SHOWN("v1", "true") "," SHOWN(
             "v2", "true") "]: must have exactly one version marked as storage "
                           "version\n"
                           "status.storedVersions: Invalid value: [\"v1\"]: "
                           "must have the "
                           "storage version v2\n"},
        {XRD(",'versions':[{'name':'v1','served':true,'referenceable':true}]"),
         "spec: cannot generate CRD for \"Composite Resource\" \"xs.g.io\": "
         "custom resource validation cannot be nil\n"},
        /* One version: the definition's path says spec.validation. */
        {XRD(",'versions':[" VERSION("v1", "true",
                                     "{'properties':{'spec':{'properties':{'a':"
                                     "{'type':'text'}}}}}") "]"),
         "spec.versions[0].schema.openAPIV3Schema.properties[spec].properties"
         "[a].type: Unsupported value: \"text\": supported values: \"array\", "
         "\"boolean\", \"integer\", \"number\", \"object\", \"string\"\n"},
        {"{'metadata':{'name':'other.g.io'},'spec':{'group':'g.io','names':"
         "{'kind':'X','plural':'xs'},'versions':[" VERSION("v1", "true",
                                                           EMPTY) "]}}",
         "metadata.name: Invalid value: \"other.g.io\": must be "
         "spec.names.plural+\".\"+spec.group\n"},
        {XRD(",'claimNames':{'kind':'X','plural':'cs'},'versions':[" VERSION(
             "v1", "true", EMPTY) "]"),
         "spec: invalid resource claim names: \"X\" conflicts with composite "
         "resource name\n"},
        {XRD(",'claimNames':{'kind':'C','plural':'c_s'},'versions':[" VERSION(
             "v1", "true", EMPTY) "]"),
         "spec.claimNames.plural: Invalid value: \"c_s\": a DNS-1035 label "
         "must consist of lower case alphanumeric characters or '-', start "
         "with an alphabetic character, and end with an alphanumeric "
         "character (e.g. 'my-name',  or 'abc-123', regex used for validation "
         "is '[a-z]([-a-z0-9]*[a-z0-9])?')\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(json_free_ptr) struct json *xrd = parse(cases[i].xrd);
        struct schema_findings f = {0};

        xrd_check(xrd, &f);
        expect_lines(&f, cases[i].want);
    }
}

/* What Kubernetes' own code says of the definitions that Crossplane's own code
 * makes (data/xrd-faults.json). */
static void
xrds_as_upstream(void **state)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1 << 20);
    AUTO(json_free_ptr) struct json *all = NULL;
    struct error err;
    size_t n = 0;

    (void)state;
    assert_true(file_read("tests/unit/compose/data/xrd-faults.json", &b, &err));
    all = json_parse(buf_view(&b), NULL, &err);
    for (const struct json *c = json_first(all); c; c = json_next(c), n++) {
        AUTO(strlist_release) struct strlist got = {0};
        struct schema_findings f = {0};
        size_t i = 0;

        xrd_check(json_get(c, "xrd"), &f);
        for (; i < f.n; i++)
            strlist_addf(&got, "%s: %s", f.v[i].field, f.v[i].message);
        strlist_sort(&got);
        i = 0;
        for (const struct json *w = json_first(json_get(c, "faults")); w;
             w = json_next(w))
            assert_string_equal(i < got.n ? got.v[i++] : "nothing",
                                json_string(w));
        if (i != got.n)
            fail_msg("%s: %s", json_get_string(c, "why"), got.v[i]);
        schema_findings_release(&f);
    }
    assert_true(n > 50);
}

static void
names_in_use(void **state)
{
    AUTO(json_free_ptr)
    struct json *a = parse(XRD(",'claimNames':{'kind':'C','plural':'cs'}"));
    AUTO(json_free_ptr)
    struct json *b = parse("{'metadata':{'name':'ys.g.io'},'spec':{'group':"
                           "'g.io','names':{'kind':'C','plural':'ys'}}}");
    struct schema_findings f = {0};

    (void)state;
    xrd_check_names(a, a, &f);
    expect_lines(&f, "");
    xrd_check_names(a, b, &f);
    expect_lines(&f, "spec.claimNames.kind: \"C\" is already in use\n");
    json_set_string(json_get(b, "spec"), "group", "h.io");
    xrd_check_names(a, b, &f);
    expect_lines(&f, "");
}

struct world {
    struct json *xrd;
    struct functions functions;
};

static const struct json *
find_xrd(void *arg, const char *group, const char *kind)
{
    const struct world *w = arg;
    bool mine = strcmp(group, "g.io") == 0 &&
                (strcmp(kind, "X") == 0 || strcmp(kind, "C") == 0);

    return mine ? w->xrd : NULL;
}

static const struct function *
find_function(void *arg, const char *name, struct error *err)
{
    return functions_find(&((struct world *)arg)->functions, name, err);
}

#define COMPOSITION(api, kind, fn, input)                                      \
    "{'spec':{'compositeTypeRef':{'apiVersion':'" api "','kind':'" kind        \
    "'},'pipeline':[{'step':'one','functionRef':{'name':'" fn "'}" input       \
    "}]}}"

static void
compositions(void **state)
{
    static const char *const installed[] = {
        "{'metadata':{'name':'go'},'spec':{'package':'r/function-go-"
        "templating:v1'}}",
        "{'metadata':{'name':'kcl'},'spec':{'package':'r/function-kcl:v1'}}",
        "{'metadata':{'name':'ready'},'spec':{'package':'r/function-auto-"
        "ready:v1'}}"};
    static const struct {
        const char *composition, *want;
    } cases[] = {
        {COMPOSITION("g.io/v1", "X", "ready", ""), ""},
        {COMPOSITION("g.io/v1", "Y", "ready", ""),
         "spec.compositeTypeRef: no CompositeResourceDefinition defines "
         "g.io/v1, Kind=Y\n"},
        {COMPOSITION("g.io/v1", "C", "ready", ""),
         "spec.compositeTypeRef: g.io/v1, Kind=C is a claim, not a composite "
         "resource\n"},
        {COMPOSITION("g.io/v1beta1", "X", "ready", ""),
         "spec.compositeTypeRef.apiVersion: referenced composition is not "
         "compatible with this composite resource: composite resources are "
         "g.io/v1, not g.io/v1beta1\n"},
        {COMPOSITION("g.io/v1", "X", "absent", ""),
         "spec.pipeline[0].functionRef.name: cannot get gRPC client "
         "connection for Function \"absent\": cannot find an active "
         "FunctionRevision (a FunctionRevision with spec.desiredState: "
         "Active)\n"},
        {COMPOSITION("g.io/v1", "X", "go",
                     ",'input':{'apiVersion':"
                     "'gotemplating.fn.crossplane.io/v1beta1','kind':"
                     "'GoTemplate','source':'Inline','inline':{'template':"
                     "'{{ if }}'}}"),
         "spec.pipeline[0].input: pipeline step \"one\" returned a fatal "
         "result: invalid function input: cannot parse the provided templates:"
         " template: manifests:1: missing value for if\n"},
    };
    struct world w = {0};
    struct composition_world asked = {&w, find_xrd, find_function};

    (void)state;
    w.xrd = parse(XRD(",'claimNames':{'kind':'C','plural':'cs'},'versions':["
                      "{'name':'v1','referenceable':true}]"));
    for (size_t i = 0; i < ARRAY_LEN(installed); i++) {
        AUTO(json_free_ptr) struct json *fn = parse(installed[i]);

        functions_add(&w.functions, fn);
    }
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(json_free_ptr) struct json *c = parse(cases[i].composition);
        struct schema_findings f = {0};

        composition_check(c, &asked, &f);
        expect_lines(&f, cases[i].want);
    }
    functions_release(&w.functions);
    json_free(w.xrd);
}

static void
strange_shapes_do_no_harm(void **state)
{
    static const char *const odd[] = {
        "{}", "{'spec':3}", "{'spec':{'pipeline':{},'compositeTypeRef':[]}}",
        "{'spec':{'pipeline':[3,{'functionRef':[],'input':3}],"
        "'claimNames':[],'names':3,'versions':[3]}}"};
    struct world w = {0};
    struct composition_world asked = {&w, find_xrd, find_function};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        AUTO(json_free_ptr) struct json *j = parse(odd[i]);
        struct schema_findings f = {0};

        composition_check(j, &asked, &f);
        xrd_check(j, &f);
        xrd_check_names(j, j, &f);
        assert_true(f.n > 0);
        schema_findings_release(&f);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xrds),
        cmocka_unit_test(xrds_as_upstream),
        cmocka_unit_test(names_in_use),
        cmocka_unit_test(compositions),
        cmocka_unit_test(strange_shapes_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
