#include "devenv/sandbox/connections.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "lib/base/mem.h"

void
connections_deadline(struct connections *c, struct connection *k, int64_t ms)
{
    k->deadline = ms ? loop_now(c->loop) + ms : 0;
    if (ms && k->deadline < c->sweep_at) {
        c->sweep_at = k->deadline;
        loop_timer_set(c->sweeper, ms);
    }
}

/* Shuts the late ones (the library then closes them) and comes back for the
 * next, not more often than once a second. */
static void
sweep(void *arg)
{
    struct connections *c = arg;
    int64_t now = loop_now(c->loop);

    c->sweep_at = INT64_MAX;
    for (struct connection *k = c->first; k; k = k->next) {
        if (k->deadline && k->deadline <= now) {
            k->deadline = 0;
            shutdown(k->fd, SHUT_RDWR);
        } else if (k->deadline) {
            c->sweep_at = MIN(c->sweep_at, MAX(k->deadline, now + 1000));
        }
    }
    if (c->sweep_at != INT64_MAX)
        loop_timer_set(c->sweeper, c->sweep_at - now);
}

void
connections_init(struct connections *c, struct loop *l)
{
    *c = (struct connections){.loop = l, .sweep_at = INT64_MAX};
    c->sweeper = loop_timer_add(l, -1, sweep, c);
}

void
connections_release(struct connections *c)
{
    loop_timer_del(c->sweeper);
    map_release(&c->streams, NULL);
}

struct connection *
connections_add(struct connections *c, int fd)
{
    struct connection *k = mem_zalloc(1, sizeof(*k));

    k->fd = fd;
    k->next = c->first;
    k->link = &c->first;
    if (k->next)
        k->next->link = &k->next;
    c->first = k;
    c->n++;
    return k;
}

void
connections_del(struct connections *c, struct connection *k)
{
    *k->link = k->next;
    if (k->next)
        k->next->link = k->link;
    c->n--;
    tls_peer_release(&k->peer);
    free(k);
}

size_t
connections_streams_of(const struct connections *c, const char *user)
{
    return (uintptr_t)map_get(&c->streams, str_of(user));
}

void
connections_stream(struct connections *c, const char *user, int by)
{
    size_t n = connections_streams_of(c, user) + (size_t)by;

    if (n)
        map_put(&c->streams, str_of(user), (void *)(uintptr_t)n);
    else
        map_del(&c->streams, str_of(user));
}
