/*
 * workload.h - what the sandbox says of things that would run on a cluster.
 *
 * What: nothing runs here, but Deployments, pods and nodes are served, so that
 * the same objects go on as on a cluster and say what they would say there:
 * a Deployment gets a ReplicaSet for each template and is Available, a pod is
 * Running and Ready, a Job Completes, a claim is Bound, a Service has
 * Endpoints. A CronJob's schedule is not run.
 * An image of a host that ends in ".invalid" (RFC 2606: a name nobody has)
 * cannot be pulled, in a kubelet's words; so tests and people can see what a
 * failure looks like.
 * Differences from Kubernetes: no rolling (pods are replaced at once), a
 * DaemonSet makes no pods and counts one, a claim gets a volume without a
 * StorageClass, quotas count objects and do not enforce.
 */
#ifndef DEVENV_SANDBOX_WORKLOAD_H
#define DEVENV_SANDBOX_WORKLOAD_H

#include "lib/base/buf.h"
#include "lib/base/json.h"

/* Whether an image (or a package) names a host that cannot be. */
bool workload_unreachable(const char *image);
/* What a lookup of that host answers: "dial tcp: lookup HOST: no such
 * host", in fresh memory. */
char *workload_no_such_host(const char *image);

#endif
