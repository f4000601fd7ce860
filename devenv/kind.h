/*
 * kind.h - the Kind cluster of a profile: named, found, started, removed.
 *
 * What: all that needs no `kind` program: a cluster is the containers whose
 * label io.x-k8s.kind.cluster is its name, exactly. kind_create.h makes one.
 * Whose it is: a container is ours when the profile has its id (fact
 * "container/NAME"), or when it appeared after the profile said that it was
 * about to make one (fact "kind/intent": seconds since 1970, written only
 * after a look that found none). So a kill at any moment leaves something
 * that `down` finds, and a cluster of somebody else that has our name stays
 * somebody else's. `--adopt` uses such a cluster (fact "kind/adopted": its
 * name); it is never deleted.
 * The network "kind" is shared by all Kind clusters of an engine and never
 * removed by kind: each profile that meets a network which a profile of ours
 * made carries the fact "made/network" (its id); whoever finds it empty and
 * carries the fact removes it.
 * Invariants: nothing is deleted that is not ours by these rules, with or
 * without force. run is never NULL. Facts are saved before and after each
 * change of the world. After devenv.md 2.3, 5.1 (C1..C3), 5.3 (D3, D5).
 */
#ifndef DEVENV_KIND_H
#define DEVENV_KIND_H

#include "lib/base/arena.h"

#include "devenv/docker_container.h"
#include "devenv/profile.h"

#define KIND_LABEL_CLUSTER "io.x-k8s.kind.cluster"
#define KIND_LABEL_ROLE    "io.x-k8s.kind.role"
#define KIND_NETWORK       "kind"
#define KIND_FACT_INTENT   "kind/intent"
#define KIND_FACT_ADOPTED  "kind/adopted"
#define KIND_FACT_NETWORK  "made/network"

/* The name of a profile's cluster, "meshtop-PROFILE". A node is called
 * NAME-control-plane and that is its host name, at most 63 bytes: a profile
 * longer than 41 is cut to 32 and eight digits of its SHA-256. */
#define KIND_NAME_SIZE 50
void kind_cluster_name(const char *profile, char out[KIND_NAME_SIZE]);

enum kind_state {
    KIND_ABSENT,
    KIND_STOPPED, /* made whole once; a node does not run */
    KIND_HALF,    /* a node was never started, or Kubernetes never came up */
    KIND_RUNNING  /* all nodes run and are configured; the API may still come */
};

struct kind_cluster {
    char name[KIND_NAME_SIZE];
    enum kind_state state;
    bool ours, adopted;
    struct docker_containers nodes;
    const struct docker_container *control; /* the control plane, or NULL */
};

/* Looks at the engine; changes nothing. Lives in a. A control plane that runs
 * is half made when it lacks /etc/kubernetes/admin.conf. */
bool kind_look(struct docker *d, const struct profile *p, struct step_run *run,
               struct arena *a, struct kind_cluster *out, struct error *err);
/* "2 nodes run", "the node is stopped (exit 137)": for details and errors. */
void kind_describe(const struct kind_cluster *c, struct buf *out);
/* Sets MT-CLUSTER-FOREIGN. False. */
bool kind_foreign(const struct kind_cluster *c, struct error *err);

/* Starts the nodes that do not run. */
bool kind_start(struct docker *d, const struct kind_cluster *c,
                struct step_run *run, struct error *err);
/* Writes the profile's kubeconfig (0600) from the control plane's admin.conf
 * and the port its API is published on: one cluster, one context
 * "kind-NAME". The user's own file is not touched. */
bool kind_kubeconfig(struct docker *d, const struct kind_cluster *c,
                     const struct profile *p, struct step_run *run,
                     struct error *err);
/* The kubeconfig is there and names the port the API is published on. */
bool kind_kubeconfig_fits(const struct kind_cluster *c,
                          const struct profile *p);
/* Remembers the containers as ours and that no creation is under way; or, for
 * adopt, that the cluster is used and not ours. Saves. */
bool kind_own(const struct kind_cluster *c, bool adopt, struct profile *p,
              struct error *err);
/* Forgets the containers' ids: of a cluster that is gone, or about to be made.
 * In memory. */
void kind_forget_ids(struct profile *p);
/* kind ended before the cluster was whole, and makes no more containers:
 * those that are there are ours by their ids; none: nothing is under way any
 * more. Saves. */
bool kind_own_half(const struct kind_cluster *c, struct profile *p,
                   struct error *err);

/* Deletes the profile's cluster with its volumes, thawing a cgroup that a
 * dying node left frozen (cgroup v1), forgets its facts and saves; then the
 * network "kind" when it is empty and a profile of ours made it. Needs no
 * kind program. Absent is fine; foreign or adopted: left alone, a line in the
 * log, true. */
bool kind_remove(struct docker *d, struct profile *p, struct step_run *run,
                 struct error *err);
/* What is there that kind_remove would remove, for an audit: "container X",
 * "network kind (empty)". A node's volumes go with it. */
bool kind_leftovers(struct docker *d, const struct profile *p,
                    struct step_run *run, struct strlist *out,
                    struct error *err);
/* Carries or makes the fact "made/network": call before kind runs (when there
 * is no network we are about to make it) and after. Does not save. */
bool kind_note_network(struct docker *d, struct profile *p, bool before,
                       struct step_run *run, struct error *err);

#endif
