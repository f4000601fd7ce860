/*
 * docker_socket.h - where a container engine may listen, best guess first.
 *
 * What: the order people's tools follow (devenv.md 2.5): DOCKER_HOST; else the
 * context named by DOCKER_CONTEXT or by the docker configuration
 * (contexts/meta/<sha256 of the name>/meta.json); else the sockets that
 * engines make by default: /var/run, ~/.docker/run, Colima's profiles, the
 * runtime folder's Docker and Podman, other desktops'. What the user named is
 * the only candidate: we do not go elsewhere behind their back.
 * Invariant: nothing is connected to here.
 * Lifetimes: docker_addresses ... docker_addresses_release.
 */
#ifndef DEVENV_DOCKER_SOCKET_H
#define DEVENV_DOCKER_SOCKET_H

#include "lib/base/error.h"

struct docker_address {
    char *url;     /* "unix:///run/docker.sock", "tcp://10.0.0.1:2375" */
    char *from;    /* "DOCKER_HOST", "context colima", "default" */
    char *tls;     /* folder of ca.pem, cert.pem, key.pem; NULL: plain HTTP */
    bool no_check; /* accept any certificate (the context says so) */
};

struct docker_addresses {
    struct docker_address *v;
    size_t n, cap;
};

/* The candidates; host NULL: as the environment says. What cannot be spoken
 * (ssh://, npipe://), a context that is not there or damaged: MT-ENGINE-DOWN,
 * ERR_USAGE or ERR_NOT_FOUND. */
bool docker_addresses(const char *host, struct docker_addresses *out,
                      struct error *err);
void docker_addresses_release(struct docker_addresses *l);

/* The path of a unix:// address, else NULL. */
const char *docker_address_path(const char *url);

#endif
