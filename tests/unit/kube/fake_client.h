/*
 * fake_client.h - a client whose server is a fake peer, in one loop.
 *
 * What: the three things that tests of the client, the cache and the feeds
 * stand on, one set a test program: fake_client_up in its setup,
 * fake_client_down in its teardown, when nothing is held of the client.
 */
#ifndef TESTS_UNIT_KUBE_FAKE_CLIENT_H
#define TESTS_UNIT_KUBE_FAKE_CLIENT_H

#include "lib/kube/client.h"

#include "tests/unit/kube/fake.h"

static struct loop *l;
static struct fake peer;
static struct kube_client *client;

/* fn answers; ns: the namespace the client comes with. */
static UNUSED void
fake_client_up(fake_fn *fn, const char *ns)
{
    struct kube_access a = {.ns = (char *)ns};

    l = loop_new(NULL);
    fake_init(&peer, l, fn, NULL);
    a.server = peer.url;
    client = kube_client_new(l, &a, NULL, NULL);
}

static UNUSED void
fake_client_down(void)
{
    kube_client_free(client);
    fake_release(&peer);
    loop_free(l);
}

/* The teardown of tests that hold nothing else. */
static UNUSED int
fake_client_teardown(void **state)
{
    (void)state;
    fake_client_down();
    return 0;
}

/* For calls that are cancelled. */
static UNUSED void
fake_never(void *arg, const struct kube_reply *r, const struct error *err)
{
    (void)arg;
    (void)r;
    (void)err;
    fail_msg("a cancelled call called back");
}

#endif
