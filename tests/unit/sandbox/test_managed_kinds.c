/* The definitions of the managed kinds: all are there, sound, and say what is
 * wrong with an object. */
#include "lib/schema/crd_check.h"

#include "devenv/sandbox/managed_kinds.h"

#include "tests/unit/sandbox/provider_world.h"

#define S3 "s3.aws.m.upbound.io/v1beta1"

static void
every_kind_is_served(void **state)
{
    struct world *w = *state;
    struct error err;
    struct managed_kinds *m = managed_kinds_new(&err);

    assert_non_null(m);
    assert_int_equal(managed_kinds_count(m), 48);
    for (size_t i = 0; i < managed_kinds_count(m); i++) {
        const struct managed_kind *mk = managed_kinds_at(m, i);
        const struct kind *k =
            registry_resource(w->registry, mk->group, NULL, mk->plural);

        assert_non_null(k);
        assert_string_equal(k->kind, mk->kind);
        assert_true(k->namespaced && k->has_status);
        assert_true(registry_in_category(k, "managed"));
        assert_non_null(registry_schema(k));
        for (size_t f = 0; f < mk->fields_n; f++) {
            const struct managed_field *field = &mk->fields[f];

            assert_non_null(strchr("snbmolL", field->type));
            if (field->kind &&
                !managed_kinds_find(m, field->group, field->kind))
                fail_msg("%s.%s refers to no kind", mk->kind, field->name);
        }
    }
    managed_kinds_free(m);
}

/* Definitions of our own are served unchecked, because they pass here. */
static void
definitions_are_sound(void **state)
{
    struct world *w = *state;
    const struct kind *k = registry_kind(w->registry, "apiextensions.k8s.io/v1",
                                         "CustomResourceDefinition");
    struct status st = {0};
    AUTO(json_free_ptr)
    struct json *all = registry_list_json(w->registry, k, NULL, NULL, &st);

    assert_true(json_len(all) > 70);
    for (const struct json *c = json_first(all); c; c = json_next(c)) {
        AUTO(schema_findings_release) struct schema_findings bad = {0};

        crd_check(c, NULL, false, &bad);
        if (bad.n)
            fail_msg("%s: %s: %s",
                     json_string(json_at(c, "metadata", "name", NULL)),
                     bad.v[0].field, bad.v[0].message);
    }
}

/* What is refused, and what is unknown. */
static void
definitions_say_what_is_wrong(void **state)
{
    static const struct {
        const char *api_version, *kind, *spec, *want;
    } cases[] = {
        {S3, "Bucket", "forProvider: {}",
         "Bucket.s3.aws.m.upbound.io \"x\" is invalid: "
         "spec.forProvider.region: Required value"},
        {S3, "Bucket", "forProvider: {region: 3}",
         "Bucket.s3.aws.m.upbound.io \"x\" is invalid: "
         "spec.forProvider.region: Invalid value: \"integer\": "
         "spec.forProvider.region in body must be of type string: "
         "\"integer\""},
        {BIGQUERY, "Dataset", "forProvider: {}, managementPolicies: [Read]",
         "Dataset.bigquery.gcp.m.upbound.io \"x\" is invalid: "
         "spec.managementPolicies[0]: Unsupported value: \"Read\": supported "
         "values: \"Observe\", \"Create\", \"Update\", \"Delete\", "
         "\"LateInitialize\", \"*\""},
        {BIGQUERY, "Dataset", "initProvider: {}",
         "Dataset.bigquery.gcp.m.upbound.io \"x\" is invalid: "
         "spec.forProvider: Required value"},
        {"rds.aws.m.upbound.io/v1beta1", "Instance", "forProvider: {region: r}",
         "Instance.rds.aws.m.upbound.io \"x\" is invalid: spec: Invalid "
         "value: \"object\": spec.forProvider.instanceClass is a required "
         "parameter"},
        {BIGQUERY, "Dataset", "forProvider: {colour: red}",
         "Dataset in version \"v1beta1\" cannot be handled as a Dataset: "
         "strict decoding error: unknown field "
         "\"spec.forProvider.colour\""},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct kind *k =
            registry_kind(w->registry, cases[i].api_version, cases[i].kind);
        const struct registry_write how = {.manager = "test",
                                           .validation = VALIDATE_STRICT};
        AUTO(status_release) struct status st = {0};
        AUTO(mem_free_ptr)
        char *text =
            mem_printf("{apiVersion: %s, kind: %s, metadata: {name: "
                       "x}, spec: {%s}}",
                       cases[i].api_version, cases[i].kind, cases[i].spec);
        struct error err;
        struct json *obj = yaml_parse_one(str_of(text), NULL, &err);

        assert_null(registry_create(w->registry, k, &how, "ns", obj, &st));
        assert_string_equal(st.message, cases[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(every_kind_is_served),
        T(definitions_are_sound),
        T(definitions_say_what_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
