/*
 * host_port.h - is a TCP port of this machine free, and who has it.
 *
 * What: a bind tells the truth about "free"; /proc/net/tcp and /proc/PID/fd
 * name the program, the engine names the container that publishes it.
 * Invariant: nothing is taken or changed; the socket of the bind never listens.
 */
#ifndef DEVENV_HOST_PORT_H
#define DEVENV_HOST_PORT_H

#include "devenv/host.h"

struct host_port_owner {
    int64_t pid;         /* 0: not known (another user's process, or none) */
    char program[64];    /* or "" */
    char container[128]; /* that publishes the port, or "" */
    char cluster[64];    /* the kind cluster of that container, or "" */
};

/* Binds 127.0.0.1:PORT, where kind publishes, for a moment; a port below 1024
 * that we may not bind is looked up among the listening ones instead. */
bool host_port_is_taken(const struct host *h, int port);
/* Who has it, as far as can be seen. Waits for the engine where there is
 * one. */
void host_port_owner(struct host *h, struct step_run *run, int port,
                     struct host_port_owner *out);
/* Appends `container "traefik"`, `nginx (pid 812)` or `another program`. */
void host_port_owner_text(const struct host_port_owner *o, struct buf *out);

#endif
