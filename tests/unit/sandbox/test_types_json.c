/* Objects as Go's types read and write them: texts recorded from
 * kube-apiserver 1.34.4. */
#include "lib/base/mem.h"

#include "devenv/sandbox/types_json.h"

#include "tests/unit/test.h"

static int
setup(void **state)
{
    *state = types_new();
    return 0;
}

static int
teardown(void **state)
{
    types_free(*state);
    return 0;
}

#define DEPLOY(spec) "apps/v1", "Deployment", "{\"spec\":" spec "}"
#define PODS(spec)   DEPLOY("{\"template\":{\"spec\":" spec "}}")
#define FIELD        "json: cannot unmarshal "

static const struct {
    const char *api_version, *kind, *text, *why, *unknown;
} reads[] = {
    {DEPLOY("{\"replicas\":\"x\"}"),
     FIELD "string into Go struct field DeploymentSpec.spec.replicas of type "
           "int32",
     ""},
    {DEPLOY("{\"replicas\":99999999999}"),
     FIELD "number 99999999999 into Go struct field "
           "DeploymentSpec.spec.replicas of type int32",
     ""},
    {DEPLOY("{\"replicas\":1.5}"),
     FIELD "number 1.5 into Go struct field DeploymentSpec.spec.replicas of "
           "type int32",
     ""},
    {PODS("{\"containers\":{}}"),
     FIELD "object into Go struct field PodSpec.spec.template.spec.containers "
           "of type []v1.Container",
     ""},
    {PODS("{\"containers\":[{\"name\":1}]}"),
     FIELD "number into Go struct field "
           "Container.spec.template.spec.containers.name of type string",
     ""},
    {PODS("{\"restartPolicy\":1,\"containers\":[{\"imagePullPolicy\":true}]}"),
     FIELD "number into Go struct field "
           "PodSpec.spec.template.spec.restartPolicy of type v1.RestartPolicy",
     ""},
    {PODS(
         "{\"volumes\":[{\"name\":\"a\",\"secret\":{\"defaultMode\":\"x\"}}]}"),
     FIELD "string into Go struct field "
           "SecretVolumeSource.spec.template.spec.volumes.secret.defaultMode "
           "of type int32",
     ""},
    {DEPLOY("{\"template\":{\"metadata\":{\"labels\":{\"a\":1}}}}"),
     FIELD "number into Go struct field "
           "ObjectMeta.spec.template.metadata.labels of type string",
     ""},
    {DEPLOY("{\"template\":{\"metadata\":{\"creationTimestamp\":\"x\"}}}"),
     "parsing time \"x\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"x\" "
     "as \"2006\"",
     ""},
    {PODS("{\"containers\":[{\"resources\":{\"limits\":{\"cpu\":\"1x\"}}}]}"),
     "quantities must match the regular expression "
     "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
     ""},
    {DEPLOY("{\"bogus\":1,\"template\":{\"spec\":{\"xx\":1,\"containers\":[{"
            "\"name\":\"a\",\"bogus\":{}}]}}},\"zzz\":1"),
     NULL,
     "spec.bogus spec.template.spec.xx "
     "spec.template.spec.containers[0].bogus zzz"},
    {DEPLOY("{\"strategy\":{\"rollingUpdate\":{\"maxSurge\":true}}}"),
     FIELD "bool into Go struct field "
           "RollingUpdateDeployment.spec.strategy.rollingUpdate.maxSurge of "
           "type int32",
     ""},
    {DEPLOY("[]"),
     FIELD "array into Go struct field Deployment.spec of type "
           "v1.DeploymentSpec",
     ""},
    {"v1", "Secret", "{\"data\":{\"a\":\"***\"}}",
     "illegal base64 data at input byte 0", ""},
    {"v1", "Secret", "{\"data\":{\"a\":\"YQ=\"}}",
     "illegal base64 data at input byte 3", ""},
    {"v1", "Secret", "{\"data\":{\"a\":1}}",
     FIELD "number into Go struct field Secret.data of type []uint8", ""},
    {"v1", "Secret", "{\"metadata\":{\"labels\":[]}}",
     FIELD "array into Go struct field ObjectMeta.metadata.labels of type "
           "map[string]string",
     ""},
    {"v1", "Secret", "{\"metadata\":{\"bogus\":1}}", NULL, "metadata.bogus"},
    {"coordination.k8s.io/v1", "Lease", "{\"spec\":{\"renewTime\":1}}",
     FIELD "number into Go struct field LeaseSpec.spec.renewTime of type "
           "string",
     ""},
    {"coordination.k8s.io/v1", "Lease",
     "{\"spec\":{\"renewTime\":\"2020-01-01T00:00:00Z\"}}",
     "parsing time \"2020-01-01T00:00:00Z\" as "
     "\"2006-01-02T15:04:05.000000Z07:00\": cannot parse \"Z\" as \".000000\"",
     ""},
};

static void
what_does_not_fit_is_said_as_go_says_it(void **state)
{
    for (size_t i = 0; i < sizeof(reads) / sizeof(*reads); i++) {
        AUTO(json_free_ptr)
        struct json *obj = json_parse(str_of(reads[i].text), NULL, NULL);
        AUTO(strlist_release) struct strlist unknown = {0};
        AUTO(buf_release)
        struct buf why = BUF_INIT(4096), list = BUF_INIT(4096);
        bool good = types_decode(
            *state, types_kind(*state, reads[i].api_version, reads[i].kind),
            obj, &unknown, &why);

        for (size_t n = 0; n < unknown.n; n++)
            buf_printf(&list, "%s%s", n ? " " : "", unknown.v[n]);
        assert_true(good == !reads[i].why);
        if (reads[i].why)
            assert_string_equal(buf_cstr(&why), reads[i].why);
        assert_string_equal(buf_cstr(&list), reads[i].unknown);
    }
}

static const struct {
    const char *api_version, *kind, *in, *out;
} writes[] = {
    {"v1", "Secret",
     "{\"immutable\":null,\"data\":{\"c\":\"\",\"b\":null},\"metadata\":{"
     "\"annotations\":{},\"name\":\"d\"}}",
     "{\"metadata\":{\"name\":\"d\"},\"data\":{"
     "\"c\":\"\",\"b\":\"\"},"
     "\"type\":\"Opaque\"}"},
    {"v1", "Service", "{\"spec\":{\"ports\":[{\"port\":80}]}}",
     "{\"metadata\":{},\"spec\":{\"ports\":[{"
     "\"protocol\":\"TCP\",\"port\":80,"
     "\"targetPort\":0}],\"type\":\"ClusterIP\",\"sessionAffinity\":\"None\"},"
     "\"status\":{\"loadBalancer\":{}}}"},
    {"v1", "ResourceQuota",
     "{\"spec\":{\"hard\":{\"memory\":\"1024Mi\",\"cpu\":1,\"pods\":\"1e3\"}}}",
     "{\"metadata\":{},\"spec\":{\"hard\":{"
     "\"memory\":\"1Gi\",\"cpu\":\"1\","
     "\"pods\":\"1e3\"}},\"status\":{}}"},
};

static void
what_is_written_is_what_go_would_write(void **state)
{
    for (size_t i = 0; i < sizeof(writes) / sizeof(*writes); i++) {
        const struct types_struct *s =
            types_kind(*state, writes[i].api_version, writes[i].kind);
        AUTO(json_free_ptr)
        struct json *obj = json_parse(str_of(writes[i].in), NULL, NULL);
        AUTO(buf_release) struct buf why = BUF_INIT(4096);

        assert_true(types_decode(*state, s, obj, NULL, &why));
        types_complete(s, obj);
        AUTO(mem_free_ptr) char *text = json_text(obj, JSON_COMPACT);

        assert_string_equal(text, writes[i].out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_said_as_go_says_it,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_written_is_what_go_would_write,
                                        setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
