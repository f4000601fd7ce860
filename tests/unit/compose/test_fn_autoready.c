/* function-auto-ready: which existing resources count as ready. */
#include "lib/compose/function.h"

#include "tests/unit/compose/compose_test.h"

#define COND(t, s)      "{'type':'" t "','status':'" s "'}"
#define OBJ(v, k, rest) "{'apiVersion':'" v "','kind':'" k "'" rest "}"

static const struct {
    const char *object;
    bool ready;
} cases[] = {
    {OBJ("v1", "ConfigMap", ""), true},
    {OBJ("v2", "ConfigMap", ""), false},
    {OBJ("e.org/v1", "Bucket", ""), false},
    {OBJ("e.org/v1", "Bucket",
         ",'status':{'conditions':[" COND("Ready", "True") "]}"),
     true},
    {OBJ("e.org/v1", "Bucket",
         ",'status':{'conditions':[" COND("Ready", "Unknown") "]}"),
     false},
    {OBJ("v1", "Service", ""), true},
    {OBJ("v1", "Service", ",'spec':{'type':'LoadBalancer'}"), false},
    {OBJ("v1", "Service",
         ",'spec':{'type':'LoadBalancer'},'status':{'loadBalancer':{"
         "'ingress':[{'ip':'1.2.3.4'}]}}"),
     true},
    {OBJ("apps/v1", "Deployment",
         ",'spec':{'replicas':2},'status':{'updatedReplicas':2,"
         "'availableReplicas':2,'conditions':[" COND("Available", "True") "]}"),
     true},
    {OBJ("apps/v1", "Deployment",
         ",'spec':{'replicas':2},'status':{'updatedReplicas':2,"
         "'availableReplicas':1,'conditions':[" COND("Available", "True") "]}"),
     false},
    {OBJ("apps/v1", "Deployment", ""), false},
    {OBJ("apps/v1", "StatefulSet",
         ",'status':{'readyReplicas':1,'currentReplicas':1,"
         "'currentRevision':'a','updateRevision':'a'}"),
     true},
    {OBJ("apps/v1", "StatefulSet",
         ",'status':{'readyReplicas':1,'currentReplicas':1,"
         "'currentRevision':'a','updateRevision':'b'}"),
     false},
    {OBJ("apps/v1", "DaemonSet",
         ",'status':{'desiredNumberScheduled':0,'numberReady':0,"
         "'updatedNumberScheduled':0,'numberAvailable':0}"),
     true},
    {OBJ("apps/v1", "DaemonSet", ""), false},
    {OBJ("batch/v1", "Job",
         ",'status':{'conditions':[" COND("Complete", "True") "]}"),
     true},
    {OBJ("batch/v1", "CronJob", ",'spec':{'suspend':true}"), true},
    {OBJ("batch/v1", "CronJob",
         ",'status':{'lastScheduleTime':'2026-01-01T00:00:00Z',"
         "'lastSuccessfulTime':'2025-12-31T23:00:00Z'}"),
     false},
    {OBJ("batch/v1", "CronJob",
         ",'status':{'lastScheduleTime':'2026-01-01T00:00:00Z',"
         "'lastSuccessfulTime':'2026-01-01T00:00:09Z'}"),
     true},
    {OBJ("v1", "PersistentVolumeClaim", ",'status':{'phase':'Bound'}"), true},
    {OBJ("v1", "PersistentVolumeClaim", ",'status':{'phase':'Pending'}"),
     false},
    {OBJ("v1", "Pod",
         ",'spec':{'restartPolicy':'Always'},'status':{'phase':'Running',"
         "'conditions':[" COND("Ready", "True") "]}"),
     true},
    {OBJ("v1", "Pod", ",'status':{'phase':'Failed'}"), false},
    {OBJ("rbac.authorization.k8s.io/v1", "Role", ""), false},
    {OBJ("batch/v1", "Job",
         ",'status':{'conditions':[" COND("Complete", "True") "," COND(
             "Failed", "True") "]}"),
     true},
    {OBJ("batch/v1", "Job",
         ",'status':{'conditions':[" COND("Failed", "True") "," COND(
             "Complete", "True") "]}"),
     false},
    {OBJ("x.org/v1", "X",
         ",'status':{'conditions':[" COND("Ready", "True") ",{'type':1}]}"),
     false},
    {OBJ("autoscaling/v2", "HorizontalPodAutoscaler",
         ",'status':{'conditions':[" COND("ScalingActive", "True") "]}"),
     true},
};

static enum fn_ready
ask(const char *object, const char *ready)
{
    AUTO(json_free_ptr)
    struct json *data =
        parse("{'desired':{'resources':{'r':{'resource':{}},'unseen':{}}},"
              "'observed':{'resources':{'r':{}}}}");
    struct fn_request req = {.data = data,
                             .prepared = fn_autoready.prepare(NULL, NULL)};
    struct fn_response rsp;
    enum fn_ready got;

    json_set(json_at(data, "observed", "resources", "r", NULL), "resource",
             parse(object));
    if (ready)
        json_set_string(json_at(data, "desired", "resources", "r", NULL),
                        "ready", ready);
    fn_response_init(&rsp, &req);
    fn_autoready.run(&req, &rsp);
    assert_int_equal(
        fn_ready_of(json_at(rsp.desired, "resources", "unseen", NULL)),
        FN_READY_UNSPECIFIED);
    got = fn_ready_of(json_at(rsp.desired, "resources", "r", NULL));
    assert_int_equal(rsp.ttl_s, 60);
    fn_response_release(&rsp);
    fn_autoready.discard(req.prepared);
    return got;
}

static void
kinds_have_their_checks(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum fn_ready got = ask(cases[i].object, NULL);

        if (got != (cases[i].ready ? FN_READY_TRUE : FN_READY_UNSPECIFIED))
            fail_msg("%s: %d", cases[i].object, (int)got);
    }
}

static void
what_a_step_said_stays(void **state)
{
    (void)state;
    assert_int_equal(ask(OBJ("v1", "ConfigMap", ""), "READY_FALSE"),
                     FN_READY_FALSE);
    assert_int_equal(ask(OBJ("v1", "Pod", ""), "READY_TRUE"), FN_READY_TRUE);
}

static void
inputs_are_decoded_strictly(void **state)
{
    static const struct {
        const char *input, *message; /* NULL: it is taken */
    } inputs[] = {
        {"{'ttl':'5m'}", NULL},
        {"{'ttl':''}", NULL},
        {"{'apiVersion':'autoready.fn.crossplane.io/v1beta1','kind':'Input'}",
         NULL},
        {"{'ttl':'x'}", "cannot set ttl: time: invalid duration \"x\""},
        {"{'ttl':1}",
         "cannot get Function input from *v1.RunFunctionRequest: cannot get "
         "function input *v1beta1.Input from *v1.RunFunctionRequest: cannot "
         "unmarshal JSON from *structpb.Struct into *v1beta1.Input: json: "
         "unable to unmarshal JSON number into Go value of type string"},
        {"{'celHealthCheckCustomization':{'_v1_Pod':'true'}}",
         "celHealthCheckCustomization is not built in: function-auto-ready "
         "reads it only when its feature gate CELHealthcheckCustomizations is "
         "on"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(inputs); i++) {
        AUTO(json_free_ptr) struct json *input = parse(inputs[i].input);
        struct error err = {0};
        void *p = fn_autoready.prepare(input, &err);

        assert_int_equal(p != NULL, inputs[i].message == NULL);
        if (!p)
            assert_string_equal(err.msg, inputs[i].message);
        fn_autoready.discard(p);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_have_their_checks),
        cmocka_unit_test(what_a_step_said_stays),
        cmocka_unit_test(inputs_are_decoded_strictly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
