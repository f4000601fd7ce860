/*
 * Rows are asked in order: what only one sort of cluster can have comes first
 * (a node's provider id, labels its owner puts there), then the version's
 * suffix, then the server's name, and the context's name, which is anybody's
 * choice, last.
 */
#include "devenv/flavor.h"

#include "lib/base/base.h"

enum trace {
    PROVIDER, /* spec.providerID begins so */
    LABEL,    /* a node label has this key */
    NODE,     /* a node's name begins so */
    OS,       /* status.nodeInfo.osImage holds it */
    GROUP,    /* an API group is served */
    VERSION,  /* gitVersion holds it */
    SERVER,   /* the server's URL holds it */
    CONTEXT   /* the context's name begins so */
};

static const struct {
    enum trace trace;
    const char *text, *flavor;
} rows[] = {
    {VERSION, "+meshtop-sandbox", "meshtop sandbox"},
    {PROVIDER, "kind://", "kind"},
    {LABEL, "minikube.k8s.io/name", "minikube"},
    {LABEL, "microk8s.io/cluster", "MicroK8s"},
    {GROUP, "config.openshift.io", "OpenShift"},
    {LABEL, "eks.amazonaws.com/nodegroup", "EKS"},
    {LABEL, "alpha.eksctl.io/cluster-name", "EKS"},
    {LABEL, "cloud.google.com/gke-nodepool", "GKE"},
    {LABEL, "kubernetes.azure.com/cluster", "AKS"},
    {LABEL, "doks.digitalocean.com/node-pool", "DigitalOcean"},
    {LABEL, "lke.linode.com/pool-id", "Linode"},
    {LABEL, "oci.oraclecloud.com/fault-domain", "Oracle OKE"},
    {LABEL, "ibm-cloud.kubernetes.io/worker-id", "IBM Cloud"},
    {LABEL, "k8s.scaleway.com/pool", "Scaleway"},
    {NODE, "k3d-", "k3d"},
    {NODE, "docker-desktop", "Docker Desktop"},
    {NODE, "lima-rancher-desktop", "Rancher Desktop"},
    {NODE, "colima", "colima"},
    {NODE, "orbstack", "OrbStack"},
    {OS, "Talos", "Talos"},
    {VERSION, "-eks-", "EKS"},
    {VERSION, "-gke.", "GKE"},
    {VERSION, "+k3s", "k3s"},
    {VERSION, "+rke2", "RKE2"},
    {VERSION, "+k0s", "k0s"},
    {VERSION, "+vmware", "Tanzu"},
    {VERSION, "-aliyun.", "Alibaba ACK"},
    {SERVER, ".eks.amazonaws.com", "EKS"},
    {SERVER, ".azmk8s.io", "AKS"},
    {PROVIDER, "k3s://", "k3s"},
    {PROVIDER, "aws://", "Kubernetes on AWS"},
    {PROVIDER, "gce://", "Kubernetes on Google Cloud"},
    {PROVIDER, "azure://", "Kubernetes on Azure"},
    {PROVIDER, "digitalocean://", "DigitalOcean"},
    {PROVIDER, "openstack://", "Kubernetes on OpenStack"},
    {PROVIDER, "vsphere://", "Kubernetes on vSphere"},
    {PROVIDER, "hcloud://", "Kubernetes on Hetzner"},
    {CONTEXT, "kind-", "kind"},
    {CONTEXT, "k3d-", "k3d"},
    {CONTEXT, "minikube", "minikube"},
    {CONTEXT, "microk8s", "MicroK8s"},
    {CONTEXT, "docker-desktop", "Docker Desktop"},
    {CONTEXT, "rancher-desktop", "Rancher Desktop"},
    {CONTEXT, "colima", "colima"},
    {CONTEXT, "orbstack", "OrbStack"},
    {CONTEXT, "gke_", "GKE"},
    {CONTEXT, "arn:aws:eks:", "EKS"},
};

static bool
starts(const char *text, const char *with)
{
    return str_starts(str_of(text), str_of(with));
}

static bool
holds(const char *text, const char *what)
{
    return text && str_contains(str_of(text), str_of(what));
}

static bool
has_trace(const struct flavor_facts *f, enum trace trace, const char *text)
{
    const struct json *meta = json_get(f->node, "metadata");

    switch (trace) {
    case PROVIDER:
        return starts(json_string(json_at(f->node, "spec", "providerID", NULL)),
                      text);
    case LABEL:
        return json_get(json_get(meta, "labels"), text) != NULL;
    case NODE:
        return starts(json_get_string(meta, "name"), text);
    case OS:
        return holds(json_string(json_at(f->node, "status", "nodeInfo",
                                         "osImage", NULL)),
                     text);
    case GROUP:
        return f->groups && strlist_has(f->groups, str_of(text));
    case VERSION:
        return holds(f->git_version, text);
    case SERVER:
        return holds(f->server, text);
    case CONTEXT:
        return starts(f->context, text);
    }
    return false;
}

const char *
flavor_of(const struct flavor_facts *f)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (has_trace(f, rows[i].trace, rows[i].text))
            return rows[i].flavor;
    }
    return "Kubernetes";
}
