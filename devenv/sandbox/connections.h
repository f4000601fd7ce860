/*
 * connections.h - the connections of the HTTP server: until when each may go
 * on, and whom its certificate names.
 *
 * What: the library's timeout counts inactivity, so a client that sends a byte
 * now and then would stay for ever. Each connection has a deadline of ours
 * (arrival of the whole request, or idleness), kept by one timer.
 * Lifetime: a connection lives from connections_add to connections_del.
 */
#ifndef DEVENV_SANDBOX_CONNECTIONS_H
#define DEVENV_SANDBOX_CONNECTIONS_H

#include "lib/base/loop.h"
#include "lib/base/map.h"

#include "devenv/sandbox/tls.h"

struct connection {
    struct connection *next, **link;
    int fd;
    int64_t deadline; /* loop's time; 0: none */
    struct tls_peer peer;
    bool peer_read; /* at the first request: the handshake is done */
    bool crowded;   /* one too many */
};

struct connections {
    struct loop *loop;
    struct loop_timer *sweeper;
    struct connection *first;
    size_t n, max;
    size_t unsent; /* bytes made for answers; those of stored objects are not
                      counted */
    struct map streams; /* user -> how many, as a pointer */
    int64_t sweep_at;   /* INT64_MAX: not armed */
};

void connections_init(struct connections *c, struct loop *l);
/* The connections themselves are gone before. */
void connections_release(struct connections *c);
struct connection *connections_add(struct connections *c, int fd);
void connections_del(struct connections *c, struct connection *k);
/* Shuts k down ms from now unless it is set again; 0: never. */
void connections_deadline(struct connections *c, struct connection *k,
                          int64_t ms);

/* The user has one stream more or less. */
void connections_stream(struct connections *c, const char *user, int by);
/* Its streams now. */
size_t connections_streams_of(const struct connections *c, const char *user);

#endif
