/*
 * kube_streams - how many TCP connections N watches of one client take.
 *
 *   kube_streams KUBECONFIG N    "N streams over M connections, T ms"
 *
 * Every stream is counted when its 2xx head is there; all stay open until the
 * last is. For tests/e2e/client_kube.test and the benches.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include "lib/kube/client.h"

struct streams {
    unsigned open, ended;
    struct error err;
};

static void
on_open(void *arg)
{
    struct streams *s = arg;

    s->open++;
}

static bool
on_data(void *arg, struct str piece)
{
    (void)arg;
    (void)piece;
    return true;
}

static void
on_end(void *arg, const struct kube_reply *r, const struct error *err)
{
    struct streams *s = arg;

    (void)r;
    s->ended++;
    if (err)
        s->err = *err;
}

/* Sockets of this process that are connected to something. */
static unsigned
connections(void)
{
    DIR *d = opendir("/proc/self/fd");
    struct dirent *e;
    unsigned n = 0;

    while (d && (e = readdir(d))) {
        struct sockaddr_storage peer;
        socklen_t len = sizeof(peer);

        n +=
            getpeername(atoi(e->d_name), (struct sockaddr *)&peer, &len) == 0 &&
            (peer.ss_family == AF_INET || peer.ss_family == AF_INET6);
    }
    if (d)
        closedir(d);
    return n;
}

int
main(int argc, char **argv)
{
    static const struct kube_stream_fns fns = {
        .on_open = on_open, .on_data = on_data, .on_end = on_end};
    unsigned want = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    struct error err = {0};
    struct streams s = {0};
    struct kube_access *a =
        kube_access_open(argc > 1 ? argv[1] : NULL, NULL, &err);
    struct loop *l = a ? loop_new(&err) : NULL;
    struct kube_client *c = l ? kube_client_new(l, a, NULL, &err) : NULL;
    int64_t start = clock_mono_us();

    for (unsigned i = 0; c && i < want && err.code == ERR_NONE; i++)
        kube_client_stream(c,
                           "/api/v1/namespaces/default/configmaps?watch=1&"
                           "fieldSelector=metadata.name%3Dnone",
                           0, &fns, &s, &err);
    while (c && err.code == ERR_NONE && s.open < want && !s.ended)
        loop_turn(l, 10000);
    if (err.code != ERR_NONE || s.ended) {
        fprintf(stderr, "%s\n", s.ended ? s.err.msg : err.msg);
        return 1;
    }
    printf("%u streams over %u connections, %lld ms\n", s.open, connections(),
           (long long)(clock_mono_us() - start) / 1000);
    kube_client_free(c);
    loop_free(l);
    kube_access_free(a);
    return 0;
}
