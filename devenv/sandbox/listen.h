/*
 * listen.h - where the sandbox may be reached: on loopback and nowhere else.
 */
#ifndef DEVENV_SANDBOX_LISTEN_H
#define DEVENV_SANDBOX_LISTEN_H

#include "lib/base/error.h"

/* Reads "127.0.0.1:6443", "localhost:0", "[::1]:0" or ":6443". *host becomes
 * "127.0.0.1" or "::1" (static). Any other address is ERR_USAGE. */
bool listen_parse(const char *text, const char **host, unsigned *port,
                  struct error *err);
/* A listening socket (close-on-exec, not blocking); *got is its port. Not
 * shared with anybody (no SO_REUSEPORT). -1: ERR_EXISTS when the port is
 * taken, ERR_DENIED, ERR_IO. */
int listen_open(const char *host, unsigned port, unsigned *got,
                struct error *err);
/* How many connections we take: 1,024 or half of RLIMIT_NOFILE. */
unsigned listen_connections(void);

#endif
