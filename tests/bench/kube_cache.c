/*
 * kube_cache - the list-watch cache by itself: a peer in a process of its own
 * sends N data products (6.8 KB each on the wire, as a real server does with
 * managedFields) and then a stream of changes.
 *
 * usage: kube_cache                    prints OK or MISS for each figure
 *        kube_cache KUBECONFIG GROUP VERSION RESOURCE    the same list from a
 *                                      real server: "synced MS ms, OBJECTS
 * objects, PEAK MiB, CPU ms of processor"
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "lib/kube/cache.h"

#define EVENTS_A_SECOND 500
#define IDLE_MS         3000

static void
say(bool ok, const char *what, double value, const char *unit,
    const char *budget)
{
    printf("%s  %-52s %10.1f %-4s (budget %s)\n", ok ? "OK  " : "MISS", what,
           value, unit, budget);
}

/* ---- the peer ---- */

static void
add_product(struct buf *b, const char *type, unsigned i, unsigned version)
{
    buf_printf(b,
               "{\"type\":\"%s\",\"object\":{\"apiVersion\":"
               "\"meshifi.io/v1alpha1\",\"kind\":\"DataProduct\","
               "\"metadata\":{\"name\":\"product-%05u\",\"namespace\":"
               "\"dm-%03u\",\"uid\":\"6f1d0e3c-0000-4000-8000-%012u\","
               "\"resourceVersion\":\"%u\",\"generation\":4,"
               "\"creationTimestamp\":\"2026-11-21T02:51:37Z\","
               "\"managedFields\":[",
               type, i, i / 25, i, version);
    for (int m = 0; m < 13; m++)
        buf_printf(b,
                   "%s{\"manager\":\"m%d\",\"operation\":\"Apply\","
                   "\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:metadata\":{"
                   "\"f:labels\":{\"f:a\":{},\"f:b\":{}}},\"f:spec\":{"
                   "\"f:name\":{},\"f:outputPorts\":{},\"f:inputPorts\":{}}}}",
                   m ? "," : "", m);
    buf_puts(b, "]},\"spec\":{\"name\":\"A product\",\"description\":\"");
    buf_fill(b, 'x', 3300);
    buf_puts(b,
             "\",\"outputPorts\":[{\"name\":\"orders\",\"type\":\"table\"}]},"
             "\"status\":{\"conditions\":[{\"type\":\"Synced\",\"status\":"
             "\"True\",\"reason\":\"ReconcileSuccess\",\"lastTransitionTime\":"
             "\"2026-11-21T02:51:38Z\"},{\"type\":\"Ready\",\"status\":"
             "\"True\",\"reason\":\"Available\",\"lastTransitionTime\":"
             "\"2026-11-21T02:51:39Z\"}]}}}\n");
}

/* What a server sends instead to who wants metadata, or rows. */
static void
add_small(struct buf *b, enum kube_form form, unsigned i)
{
    bool row = form == KUBE_TABLE;

    buf_puts(b, "{\"type\":\"ADDED\",\"object\":");
    if (row)
        buf_printf(b,
                   "{\"kind\":\"Table\",\"columnDefinitions\":%s,\"rows\":[{"
                   "\"cells\":[\"product-%05u\",\"shop\",\"1.0.0\",\"5m\"],"
                   "\"object\":",
                   i ? "null" : "[{\"name\":\"Name\"}]", i);
    buf_printf(b,
               "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":"
               "\"meta.k8s.io/v1\",\"metadata\":{\"name\":\"product-%05u\","
               "\"namespace\":\"dm-%03u\",\"uid\":"
               "\"6f1d0e3c-0000-4000-8000-%012u\",\"resourceVersion\":\"%u\","
               "\"generation\":4,\"creationTimestamp\":"
               "\"2026-11-21T02:51:37Z\",\"managedFields\":[{\"manager\":"
               "\"m\",\"fieldsV1\":{\"f:spec\":{}}}]}}",
               i, i / 25, i, i + 1);
    buf_puts(b, row ? "}]}}\n" : "}\n");
}

static void
serve(int listener, int ready, unsigned n, enum kube_form form)
{
    struct buf b = BUF_INIT(SIZE_MAX / 2);
    char request[4096];
    int fd;

    buf_puts(&b, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                 "Connection: close\r\n\r\n");
    for (unsigned i = 0; i < n; i++) {
        if (form == KUBE_FULL)
            add_product(&b, "ADDED", i, i + 1);
        else
            add_small(&b, form, i);
    }
    if (form == KUBE_TABLE)
        buf_puts(&b, "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Table\","
                     "\"rows\":[{\"cells\":[],\"object\":{\"metadata\":{"
                     "\"resourceVersion\":\"9999\",\"annotations\":{"
                     "\"k8s.io/initial-events-end\":\"true\"}}}}]}}\n");
    buf_puts(&b, "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{"
                 "\"resourceVersion\":\"9999\",\"annotations\":{"
                 "\"k8s.io/initial-events-end\":\"true\"}}}}\n");
    close(ready);
    fd = accept(listener, NULL, NULL);
    if (read(fd, request, sizeof(request)) <= 0)
        return;
    file_write_fd(fd, b.s, b.n, NULL);
    /* Quiet first, then changes, each in a packet of its own. */
    usleep(IDLE_MS * 1000 + 1000000);
    for (unsigned i = 0; i < EVENTS_A_SECOND; i++) {
        buf_reset(&b);
        add_product(&b, "MODIFIED", i * 7 % n, 1000000 + i);
        file_write_fd(fd, b.s, b.n, NULL);
        usleep(1000000 / EVENTS_A_SECOND);
    }
    pause();
}

static pid_t
start_peer(unsigned n, enum kube_form form, char url[64])
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t size = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int ready[2];
    char byte;
    pid_t pid;

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(fd, 8) != 0)
        die("no socket");
    getsockname(fd, (struct sockaddr *)&a, &size);
    snprintf(url, 64, "http://127.0.0.1:%d", ntohs(a.sin_port));
    if (pipe(ready) != 0)
        die("no pipe");
    pid = fork();
    if (pid == 0) {
        close(ready[0]);
        serve(fd, ready[1], n, form);
        _exit(0);
    }
    close(fd);
    close(ready[1]);
    /* Its end closes when the answer is made. */
    while (read(ready[0], &byte, 1) > 0)
        ;
    close(ready[0]);
    return pid;
}

/* ---- the client ---- */

struct meter {
    size_t changes;
    int64_t first_us; /* when the first objects were told */
};

static void
on_changes(void *arg, const struct kube_change *v, size_t n)
{
    struct meter *m = arg;

    (void)v;
    if (!m->first_us)
        m->first_us = clock_mono_us();
    m->changes += n;
}

static double
peak_mib(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_maxrss / 1024.0;
}

static double
cpu_ms(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static void
turn_for(struct loop *l, int64_t ms)
{
    int64_t end = clock_mono_us() + ms * 1000;

    while (clock_mono_us() < end)
        loop_turn(l, (int)((end - clock_mono_us()) / 1000) + 1);
}

/* One size, in a process of its own: peak memory is a process's. */
static void
measure(unsigned n, double mib_budget)
{
    char url[64], what[80], budget[32];
    pid_t peer = start_peer(n, KUBE_FULL, url);
    struct kube_access access = {.server = url, .ns = (char *)"default"};
    struct kube_cache_options o = {
        .gvr = KUBE_GVR("meshifi.io", "v1alpha1", "dataproducts")};
    struct meter m = {0};
    struct kube_cache_fns fns = {.on_changes = on_changes, .arg = &m};
    struct loop *l = loop_new(NULL);
    struct kube_client *c = kube_client_new(l, &access, NULL, NULL);
    int64_t from = clock_mono_us();
    struct kube_cache *k = kube_cache_new(c, &o, &fns, NULL);
    double before, used;

    if (!kube_cache_wait(k, 60000, NULL))
        die("no list");
    while (m.changes < n)
        loop_turn(l, 10);
    snprintf(what, sizeof(what), "%u products listed by the cache", n);
    say(n > 5000 || clock_mono_us() -
                        from<300000, what,
                             (double)(clock_mono_us() - from) / 1000.0, "ms",
                             n> 5000
            ? "none"
            : "300");
    snprintf(what, sizeof(what), "%u products, until the first is told", n);
    say(m.first_us - from < 100000, what, (double)(m.first_us - from) / 1000.0,
        "ms", "100");
    before = cpu_ms();
    turn_for(l, IDLE_MS);
    used = (cpu_ms() - before) * 100.0 / IDLE_MS;
    snprintf(what, sizeof(what), "idle with %u products", n);
    say(used <= 0.1, what, used, "%", "0.1");
    before = cpu_ms();
    while (m.changes < n + EVENTS_A_SECOND)
        loop_turn(l, 1000);
    used = cpu_ms() - before;
    snprintf(what, sizeof(what), "%d changes a second, CPU for them",
             EVENTS_A_SECOND);
    say(used < 100, what, used, "ms", "100");
    snprintf(what, sizeof(what), "peak memory with %u products", n);
    snprintf(budget, sizeof(budget), "%.0f", mib_budget);
    say(peak_mib() <= mib_budget, what, peak_mib(), "MiB", budget);
    kube_cache_free(k);
    kube_client_free(c);
    loop_free(l);
    kill(peer, SIGKILL);
    waitpid(peer, NULL, 0);
}

/* What an object takes beside its own text, in each form. */
static void
measure_form(enum kube_form form, const char *name)
{
    enum { N = 5000 };
    char url[64], what[80];
    pid_t peer = start_peer(N, form, url);
    struct kube_access access = {.server = url, .ns = (char *)"default"};
    struct kube_cache_options o = {
        .gvr = KUBE_GVR("meshifi.io", "v1alpha1", "dataproducts"),
        .form = form};
    struct loop *l = loop_new(NULL);
    struct kube_client *c = kube_client_new(l, &access, NULL, NULL);
    struct kube_cache *k = kube_cache_new(c, &o, NULL, NULL);
    double text = 0, beside;

    if (!kube_cache_wait(k, 60000, NULL) || kube_cache_count(k) != N)
        die("no list");
    for (size_t i = 0; i < N; i++) {
        const struct kube_object *x = kube_cache_at(k, i);

        text += (double)(x->ns.n + x->name.n + x->uid.n + x->version.n +
                         x->owner.n + x->body.n + x->ready.reason.n +
                         x->synced.reason.n);
    }
    beside = ((double)kube_cache_bytes(k) - text) / N;
    snprintf(what, sizeof(what), "an object as %s, beside its text", name);
    say(beside <= 250, what, beside, "B", "250");
    snprintf(what, sizeof(what), "an object as %s, its text", name);
    say(true, what, text / N, "B", "none");
    kube_cache_free(k);
    kube_client_free(c);
    loop_free(l);
    kill(peer, SIGKILL);
    waitpid(peer, NULL, 0);
}

static int
real_server(char **argv)
{
    struct error err = {0};
    struct kube_access *access = kube_access_open(argv[1], NULL, &err);
    struct kube_cache_options o = {
        .gvr = KUBE_GVR(strcmp(argv[2], "-") == 0 ? "" : argv[2], argv[3],
                        argv[4])};
    int64_t from = clock_mono_us();
    struct loop *l = loop_new(NULL);
    struct kube_client *c =
        access ? kube_client_new(l, access, NULL, &err) : NULL;
    struct kube_cache *k = c ? kube_cache_new(c, &o, NULL, &err) : NULL;

    if (!k || !kube_cache_wait(k, 60000, &err)) {
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    printf("synced %.1f ms, %zu objects, %.1f MiB, %.1f ms of processor\n",
           (double)(clock_mono_us() - from) / 1000.0, kube_cache_count(k),
           peak_mib(), cpu_ms());
    kube_cache_free(k);
    kube_client_free(c);
    loop_free(l);
    kube_access_free(access);
    return 0;
}

int
main(int argc, char **argv)
{
    static const struct {
        unsigned n;
        double mib;
    } sizes[] = {{1000, 25}, {5000, 50}, {10000, 80}};

    if (argc == 5)
        return real_server(argv);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        pid_t pid;

        fflush(stdout);
        pid = fork();
        if (pid == 0) {
            measure(sizes[i].n, sizes[i].mib);
            fflush(stdout);
            _exit(0);
        }
        waitpid(pid, NULL, 0);
    }
    measure_form(KUBE_FULL, "a whole");
    measure_form(KUBE_META, "metadata");
    measure_form(KUBE_TABLE, "a row");
    return 0;
}
