/*
 * flavor.h - what kind of cluster it is, by the traces each leaves.
 *
 * What: kind, k3d, minikube, k3s, MicroK8s, EKS, GKE, AKS, OpenShift, Docker
 * Desktop and others, from the provider id and the labels of its nodes, the
 * server's version, and last from the context's name. For people to see that
 * they named the cluster they meant; nothing else depends on it.
 * A pure function: the caller has asked the cluster.
 */
#ifndef DEVENV_FLAVOR_H
#define DEVENV_FLAVOR_H

#include "lib/base/json.h"

struct flavor_facts {
    const char *context;     /* name, or "" */
    const char *server;      /* URL, or "" */
    const char *git_version; /* of /version: "v1.31.2-eks-7f9249a", or "" */
    const struct json *node; /* any node, or NULL */
    const struct strlist *groups; /* API groups served, or NULL */
};

/* "EKS", "k3s" ...; "Kubernetes" when nothing is known. Never NULL. */
const char *flavor_of(const struct flavor_facts *f);

#endif
