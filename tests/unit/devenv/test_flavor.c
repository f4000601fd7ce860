/* What sort of cluster it is, by what each sort was seen to say. */
#include "devenv/flavor.h"

#include "tests/unit/test.h"

static const struct {
    const char *context, *server, *version, *node, *want;
} rows[] = {
    {"kind-mesh", "", "v1.34.4",
     "{\"spec\":{\"providerID\":\"kind://docker/mesh/mesh-control-plane\"}}",
     "kind"},
    {"prod", "", "v1.34.4",
     "{\"spec\":{\"providerID\":\"kind://docker/mesh/mesh-control-plane\"}}",
     "kind"},
    {"x", "", "v1.31.5+k3s1",
     "{\"metadata\":{\"name\":\"k3d-x-server-0\"},"
     "\"spec\":{\"providerID\":\"k3s://k3d-x-server-0\"}}",
     "k3d"},
    {"x", "", "v1.31.5+k3s1",
     "{\"metadata\":{\"name\":\"pi\"},\"spec\":{\"providerID\":\"k3s://pi\"}}",
     "k3s"},
    {"x", "", "v1.33.1",
     "{\"metadata\":{\"labels\":{\"minikube.k8s.io/name\":\"x\"}}}",
     "minikube"},
    {"x", "", "v1.30.1",
     "{\"metadata\":{\"labels\":{\"microk8s.io/cluster\":\"true\"}}}",
     "MicroK8s"},
    {"x", "https://ABC.gr7.eu-west-1.eks.amazonaws.com", "v1.31.2-eks-7f9249a",
     NULL, "EKS"},
    {"x", "https://abc.eu-west-1.eks.amazonaws.com", "v1.31.2", NULL, "EKS"},
    {"x", "", "v1.31.2",
     "{\"spec\":{\"providerID\":\"aws:///eu-west-1a/i-1\"}}",
     "Kubernetes on AWS"},
    {"x", "", "v1.30.5-gke.1014001", NULL, "GKE"},
    {"x", "https://x-dns-1.hcp.westeurope.azmk8s.io:443", "v1.30.0", NULL,
     "AKS"},
    {"docker-desktop", "", "v1.30.2",
     "{\"metadata\":{\"name\":\"docker-desktop\"}}", "Docker Desktop"},
    {"docker-desktop", "", "v1.30.2", NULL, "Docker Desktop"},
    {"x", "", "v1.34.0+meshtop-sandbox-0.1.0", NULL, "meshtop sandbox"},
    {"x", "", "v1.29.1",
     "{\"status\":{\"nodeInfo\":{\"osImage\":\"Talos "
     "(v1.7)\"}}}",
     "Talos"},
    {"kinder", "", "v1.34.4", NULL, "Kubernetes"},
    {"", "", "", "{\"spec\":7,\"metadata\":[]}", "Kubernetes"},
};

static void
each_sort_is_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(json_free_ptr)
        struct json *node = json_parse(str_of(rows[i].node), NULL, NULL);
        const struct flavor_facts f = {.context = rows[i].context,
                                       .server = rows[i].server,
                                       .git_version = rows[i].version,
                                       .node = node};

        if (strcmp(flavor_of(&f), rows[i].want) != 0)
            fail_msg("row %zu: %s, not %s", i, flavor_of(&f), rows[i].want);
    }
}

static void
openshift_is_known_by_its_groups(void **state)
{
    AUTO(strlist_release) struct strlist groups = {0};
    const struct flavor_facts f = {.context = "",
                                   .server = "",
                                   .git_version = "v1.29.8+f10c92d",
                                   .groups = &groups};

    (void)state;
    assert_string_equal(flavor_of(&f), "Kubernetes");
    strlist_add(&groups, STR("config.openshift.io"));
    assert_string_equal(flavor_of(&f), "OpenShift");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sort_is_known),
        cmocka_unit_test(openshift_is_known_by_its_groups),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
