/*
 * context.h - a cluster that the user already has: taken, looked at, judged.
 *
 * What: the parts of the engine "context". The named context is copied, alone,
 * into the profile's kubeconfig (0600; credential plugins and references to
 * files as they are); the user's own file and current context are read and
 * never written. Then the cluster is looked at (what sort it is, its version,
 * nodes), asked whether we may do what has to be done, and searched for what is
 * somebody else's and in our way.
 * Invariants: nothing in the cluster is changed here.
 */
#ifndef DEVENV_CONTEXT_H
#define DEVENV_CONTEXT_H

#include "devenv/env.h"

#define CONTEXT_FACT_SOURCE  "context/source"  /* file it came from, or none */
#define CONTEXT_FACT_CLUSTER "context/cluster" /* "EKS, Kubernetes v1.31.2" */
#define CONTEXT_FACT_SERVER  "context/server"

/* Copies the context (NULL: the file's current one) of file (NULL: kubectl's
 * rules) into the profile and notes where it came from; saves. The profile must
 * be locked. */
bool context_take(struct profile *p, const char *file, const char *context,
                  struct error *err);
/* "kind, Kubernetes v1.34.4, 1 node, https://127.0.0.1:6443", into out. The
 * API must answer. */
bool context_describe(struct env *e, struct buf *out, struct error *err);
/* Asks whether we may do all that has to be done. False: MT-CLUSTER-RIGHTS
 * with the list of what we may not. */
bool context_rights(struct env *e, struct error *err);
/* Kinds and Compositions of the mesh's core package that somebody else put
 * into the cluster: false, MT-CLUSTER-FOREIGN, naming the first and whose it
 * is. Functions that are there already are simply used. */
bool context_free_of_others(struct env *e, struct error *err);

#endif
