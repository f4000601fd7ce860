/*
 * docker_network.h - networks and volumes of an engine.
 *
 * Invariants and errors as docker.h says; results live in the arena.
 */
#ifndef DEVENV_DOCKER_NETWORK_H
#define DEVENV_DOCKER_NETWORK_H

#include "devenv/docker_container.h"

struct docker_network {
    const char *id, *name, *driver;
    const char **subnets; /* "172.18.0.0/16" */
    size_t subnets_n;
    struct docker_pair *labels;
    size_t labels_n;
    /* by docker_network only: names of running containers, with their
     * addresses ("172.18.0.2/16") */
    struct docker_pair *containers;
    size_t containers_n;
};

struct docker_networks {
    struct docker_network *v;
    size_t n;
};

struct docker_volume {
    const char *name, *driver, *mountpoint;
    struct docker_pair *labels;
    size_t labels_n;
};

struct docker_volumes {
    struct docker_volume *v;
    size_t n;
};

/* All networks, or those that are called name exactly (there may be several:
 * the engine does not forbid it). */
bool docker_networks(struct docker *d, struct step_run *run, const char *name,
                     struct arena *a, struct docker_networks *out,
                     struct error *err);
bool docker_network(struct docker *d, struct step_run *run, const char *id,
                    struct arena *a, struct docker_network *out,
                    struct error *err);
/* Connected already is fine. */
bool docker_network_connect(struct docker *d, struct step_run *run,
                            const char *network, const char *container,
                            struct error *err);
/* Not connected, or not there, is fine. */
bool docker_network_disconnect(struct docker *d, struct step_run *run,
                               const char *network, const char *container,
                               struct error *err);
/* Not there is fine; one that is used is ERR_CONFLICT. */
bool docker_network_delete(struct docker *d, struct step_run *run,
                           const char *id, struct error *err);

bool docker_volumes(struct docker *d, struct step_run *run, const char *label,
                    struct arena *a, struct docker_volumes *out,
                    struct error *err);
/* Not there is fine; one that is used is ERR_CONFLICT. */
bool docker_volume_delete(struct docker *d, struct step_run *run,
                          const char *name, struct error *err);

#endif
