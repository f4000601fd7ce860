/*
 * The sandbox under load: writes acknowledged with fsync, connections, a crowd
 * of watches, and what idle costs; once for the engine alone (tests/kv.h), once
 * for the program with the REST semantics on top (ConfigMaps). Connections also
 * of the API server that MESHTOP_TEST_KUBECONFIG names, where there is one.
 * Server and clients are processes of their own and share the machine.
 *
 * usage: sandbox_load [BUILD]
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "tests/kv.h"
#include "tests/peer.h"

enum {
    WRITERS = 64,
    WRITE_SECONDS = 4,
    BODY = 1000,
    WATCHES = 200,
    RATE = 500, /* events a second */
    WATCH_SECONDS = 5,
    IDLE_SECONDS = 5,
    CALLS = 200,
    OBJECTS = 100,
    SAMPLES = WATCHES * RATE * (WATCH_SECONDS + 1)
};

struct say {
    unsigned port;
    char token[64];
};

/* One kind of server, and how its requests look. */
struct flavour {
    const char *name;
    void (*serve)(const char *data, int out); /* in the child */
    /* Appends a request's body for an object of this name and text. */
    void (*body)(struct buf *out, const char *name, const char *text);
    const char *create, *create_at; /* method; target, %s is the name */
    const char *write_at;           /* PUT of one that exists */
    const char *watch;
    const char *mark; /* right before the text in an event */
};

static const char *build = "build/release";

static void
say(bool good, const struct flavour *f, const char *what, double value,
    const char *unit, const char *budget)
{
    printf("%s  %s: %-44s %10.1f %-6s (budget %s)\n", good ? "OK  " : "MISS",
           f->name, what, value, unit, budget);
    fflush(stdout);
}

static void
serve_engine(const char *data, int out)
{
    struct loop *l = loop_new(NULL);
    struct server_options o = {.data = data, .quiet = true};
    struct error err = {0};
    struct server *s = server_new(l, &o, kv_modules, &err);
    struct say said = {0};

    if (!s)
        die("%s", err.msg);
    said.port = http_port(s->http);
    snprintf(said.token, sizeof(said.token), "%s", s->identity.token);
    if (write(out, &said, sizeof(said)) != (ssize_t)sizeof(said))
        exit(1);
    loop_run(l);
    exit(0);
}

/* The program itself; its port and token are read from its kubeconfig. */
static void
serve_program(const char *data, int out)
{
    AUTO(mem_free_ptr) char *program = file_join(build, "meshtop");
    AUTO(mem_free_ptr) char *config = mem_printf("%s.kubeconfig", data);
    AUTO(mem_free_ptr) char *where = mem_printf("--kubeconfig-out=%s", config);
    AUTO(buf_release) struct buf b = BUF_INIT(65536);
    struct say said = {0};
    const char *port, *token;
    char line[512];
    int ends[2];

    /* The program stays this process; a child waits for its ready line. */
    if (pipe(ends) < 0)
        exit(1);
    if (fork() != 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        execl(program, program, "sandbox", "serve", "--data", data, where,
              (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    if (read(ends[0], line, sizeof(line)) <= 0 || !file_read(config, &b, NULL))
        die("%s did not serve", program);
    port = strstr(buf_cstr(&b), "127.0.0.1:");
    token = strstr(buf_cstr(&b), "token: ");
    if (!port || !token)
        die("no port and token in %s", config);
    said.port = (unsigned)strtoul(port + 10, NULL, 10);
    sscanf(token + 7, "%63s", said.token);
    if (write(out, &said, sizeof(said)) != (ssize_t)sizeof(said))
        exit(1);
    exit(0);
}

static void
body_engine(struct buf *out, const char *name, const char *text)
{
    (void)name;
    buf_puts(out, text);
}

static void
body_program(struct buf *out, const char *name, const char *text)
{
    buf_printf(out,
               "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{"
               "\"name\":\"%s\"},\"data\":{\"t\":\"%s\"}}",
               name, text);
}

#define MAPS "/api/v1/namespaces/default/configmaps"

static const struct flavour flavours[] = {
    {"engine", serve_engine, body_engine, "PUT", "/kv/%s", "/kv/%s",
     "/watch?since=0", "=T"},
    {"program", serve_program, body_program, "POST", MAPS, MAPS "/%s",
     MAPS "?watch=true", "\"T"},
};

static pid_t
start(const struct flavour *f, const char *data, struct say *said)
{
    int ends[2];
    pid_t pid;

    if (pipe(ends) < 0 || (pid = fork()) < 0)
        die("cannot start");
    if (pid == 0) {
        close(ends[0]);
        f->serve(data, ends[1]);
    }
    close(ends[1]);
    if (read(ends[0], said, sizeof(*said)) != (ssize_t)sizeof(*said))
        die("the server did not start");
    close(ends[0]);
    return pid;
}

static void
stop(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static bool
send_object(struct peer *p, const struct flavour *f, bool create,
            const char *name, const char *text)
{
    AUTO(buf_release) struct buf body = BUF_INIT(65536);
    const char *at = create ? f->create_at : f->write_at;
    const char *hole = strstr(at, "%s");
    AUTO(mem_free_ptr)
    char *target = hole ? mem_printf("%.*s%s", (int)(hole - at), at, name)
                        : mem_strdup(at);

    f->body(&body, name, text);
    return peer_send(p, create ? f->create : "PUT", target, NULL,
                     buf_cstr(&body));
}

/* Milliseconds of processor time that pid has used. */
static double
cpu_ms(pid_t pid)
{
    AUTO(mem_free_ptr) char *path = mem_printf("/proc/%d/stat", (int)pid);
    AUTO(buf_release) struct buf b = BUF_INIT(65536);
    struct str word, rest;
    double sum = 0;

    file_read(path, &b, NULL);
    rest = str_from(buf_view(&b), str_find(buf_view(&b), STR(") "), 0) + 2);
    for (int i = 0; str_next(&rest, ' ', &word); i++) {
        double ticks = 0;

        if ((i == 11 || i == 12) && str_to_double(word, &ticks))
            sum += ticks;
    }
    return sum * 1000 / (double)sysconf(_SC_CLK_TCK);
}

static void
open_many(struct peer *p, size_t n, const struct say *said)
{
    for (size_t i = 0; i < n; i++) {
        if (!peer_open(&p[i], said->port, said->token, 20))
            die("cannot connect");
    }
}

/* ---- writes ---- */

static void
bench_writes(const struct flavour *f, const char *data)
{
    static struct peer p[WRITERS];
    struct say said;
    pid_t pid = start(f, data, &said);
    char body[BODY + 1], name[64];
    struct buf b = BUF_INIT(65536);
    int64_t end, begin, done = 0;
    double before;

    memset(body, 'x', BODY);
    body[BODY] = '\0';
    open_many(p, WRITERS, &said);
    before = cpu_ms(pid);
    begin = clock_mono_us();
    end = begin + WRITE_SECONDS * 1000000;
    for (unsigned round = 0; clock_mono_us() < end; round++) {
        for (int i = 0; i < WRITERS; i++) {
            snprintf(name, sizeof(name), "w%d-%u", i, round);
            send_object(&p[i], f, true, name, body);
        }
        for (int i = 0; i < WRITERS; i++)
            done += peer_reply(&p[i], &b) / 100 == 2;
    }
    double rate = (double)done * 1e6 / (double)(clock_mono_us() - begin);
    double used = (cpu_ms(pid) - before) * 1000 / (double)MAX(done, 1);

    say(rate >= 15000, f, "acknowledged creates with fsync, 64 clients", rate,
        "/s", ">= 15000");
    say(used <= 66, f, "  processor time of the server for one", used, "us",
        "<= 66");
    for (int i = 0; i < WRITERS; i++)
        peer_close(&p[i]);
    buf_release(&b);
    stop(pid);
}

/* ---- connections ---- */

static int
compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return x < y ? -1 : x > y;
}

/* The median time, in ms, of a GET on a connection of its own (the handshake
 * included), or on one that is kept. */
static double
call_ms(unsigned port, bool kept)
{
    AUTO(buf_release) struct buf b = BUF_INIT(65536);
    struct peer p = {.fd = -1};
    float ms[CALLS];

    for (int i = 0; i < CALLS; i++) {
        int64_t begin = clock_mono_us();

        if (p.fd < 0 && !peer_open(&p, port, NULL, 10))
            die("cannot connect");
        /* 401 is as good: what counts is the way there and back. */
        if (!peer_call(&p, "GET", "/readyz", NULL, &b))
            die("no answer");
        if (!kept)
            peer_close(&p);
        ms[i] = (float)(clock_mono_us() - begin) / 1000;
    }
    if (kept)
        peer_close(&p);
    qsort(ms, CALLS, sizeof(*ms), compare);
    return ms[CALLS / 2];
}

/* The port of a server on this machine; 0: none. */
static unsigned
real_port(void)
{
    AUTO(buf_release) struct buf b = BUF_INIT(65536);
    const char *path = getenv("MESHTOP_TEST_KUBECONFIG"), *at;

    if (!path || !file_read(path, &b, NULL))
        return 0;
    at = strstr(buf_cstr(&b), "https://127.0.0.1:");
    return at ? (unsigned)strtoul(at + 18, NULL, 10) : 0;
}

static void
bench_connections(const struct flavour *f, const char *data)
{
    struct say said;
    pid_t pid = start(f, data, &said);
    double before = cpu_ms(pid);
    double fresh = call_ms(said.port, false);
    double used = (cpu_ms(pid) - before) / CALLS;
    double kept = call_ms(said.port, true);
    unsigned real = real_port();

    say(fresh <= 5, f, "TLS handshake and first answer, median", fresh, "ms",
        "<= 5");
    say(used <= 2, f, "  processor time of the server for one", used, "ms",
        "<= 2");
    say(kept <= 1, f, "answer on a kept connection, median", kept, "ms",
        "<= 1");
    if (real) {
        double their_fresh = call_ms(real, false);
        double their_kept = call_ms(real, true);

        printf("      kube-apiserver: %.1f ms and %.1f ms\n", their_fresh,
               their_kept);
        say(fresh <= their_fresh, f, "  handshake, of kube-apiserver's time",
            fresh * 100 / their_fresh, "%", "<= 100");
        say(kept <= their_kept, f, "  kept, of kube-apiserver's time",
            kept * 100 / their_kept, "%", "<= 100");
    }
    stop(pid);
}

/* ---- watches ---- */

/* Sends RATE writes a second that carry the time they left. */
static void
write_events(const struct flavour *f, const struct say *said)
{
    struct peer p;
    struct buf b = BUF_INIT(65536);
    char body[600], name[32];
    int64_t begin;

    memset(body, 'x', sizeof(body));
    open_many(&p, 1, said);
    begin = clock_mono_us();
    for (int i = 0; i < RATE * WATCH_SECONDS; i++) {
        int64_t due = begin + (int64_t)i * 1000000 / RATE;
        int64_t now = clock_mono_us();

        if (due > now)
            usleep((useconds_t)(due - now));
        snprintf(body, sizeof(body), "T%lld ", (long long)clock_mono_us());
        body[strlen(body)] = 'x';
        body[sizeof(body) - 1] = '\0';
        snprintf(name, sizeof(name), "e%d", i % OBJECTS);
        send_object(&p, f, false, name, body);
        peer_reply(&p, &b);
    }
    exit(0);
}

static float samples[SAMPLES];

/* Notes how old each event is. */
static size_t
take_events(const struct flavour *f, struct peer *p, struct buf *text,
            size_t have)
{
    int64_t now = clock_mono_us(), sent;
    struct str line, rest;
    size_t end;

    while (peer_chunk(p, text))
        ;
    rest = buf_view(text);
    for (end = 0; str_cut(rest, '\n', &line, &rest);) {
        size_t t = str_find(line, str_of(f->mark), 0);

        end += line.n + 1;
        if (t == SIZE_MAX || have == SAMPLES)
            continue;
        sent = strtoll(line.s + t + strlen(f->mark), NULL, 10);
        samples[have++] = (float)(now - sent) / 1000;
    }
    buf_consume(text, end);
    return have;
}

/* Reads all watches until ms went by without an event. */
static size_t
read_events(const struct flavour *f, struct peer *w, struct pollfd *fds,
            int quiet_ms)
{
    static struct buf text[WATCHES];
    size_t have = 0;

    for (int i = 0; i < WATCHES; i++)
        text[i] = BUF_INIT(BUF_TEXT_MAX);
    while (poll(fds, WATCHES, quiet_ms) > 0) {
        for (int i = 0; i < WATCHES; i++) {
            if (!fds[i].revents)
                continue;
            while (peer_more(&w[i]))
                ;
            have = take_events(f, &w[i], &text[i], have);
        }
    }
    for (int i = 0; i < WATCHES; i++)
        buf_release(&text[i]);
    return have;
}

/* The objects that will change. */
static void
make_objects(const struct flavour *f, const struct say *said)
{
    struct peer p;
    struct buf b = BUF_INIT(65536);
    char name[32];

    open_many(&p, 1, said);
    for (int i = 0; i < OBJECTS; i++) {
        snprintf(name, sizeof(name), "e%d", i);
        send_object(&p, f, true, name, "new");
        peer_reply(&p, &b);
    }
    buf_release(&b);
    peer_close(&p);
}

static void
bench_watches(const struct flavour *f, const char *data)
{
    static struct peer w[WATCHES];
    static struct pollfd fds[WATCHES];
    struct say said;
    pid_t pid = start(f, data, &said), writer;
    double before, used;
    size_t n;

    make_objects(f, &said);
    open_many(w, WATCHES, &said);
    for (int i = 0; i < WATCHES; i++) {
        peer_send(&w[i], "GET", f->watch, NULL, NULL);
        if (peer_head(&w[i]) != 200)
            die("no watch");
        fcntl(w[i].fd, F_SETFL, O_NONBLOCK);
        fds[i] = (struct pollfd){.fd = w[i].fd, .events = POLLIN};
    }
    read_events(f, w, fds, 1000);
    before = cpu_ms(pid);
    sleep(IDLE_SECONDS);
    used = (cpu_ms(pid) - before) / IDLE_SECONDS / 10;
    say(used <= 0.1, f, "200 idle watches, processor", used, "%", "<= 0.1");

    before = cpu_ms(pid);
    if ((writer = fork()) == 0)
        write_events(f, &said);
    n = read_events(f, w, fds, 1000);
    used = (cpu_ms(pid) - before) / WATCH_SECONDS / 10;
    waitpid(writer, NULL, 0);
    qsort(samples, n, sizeof(*samples), compare);
    say(n == (size_t)WATCHES * RATE * WATCH_SECONDS, f,
        "200 watches x 500 events/s, delivered", (double)n, "", "all");
    say(n && samples[n * 99 / 100] <= 60, f, "200 watches x 500 events/s, p99",
        samples[n * 99 / 100], "ms", "<= 60");
    say(used <= 40, f, "200 watches x 500 events/s, processor", used, "%",
        "<= 40");
    for (int i = 0; i < WATCHES; i++)
        peer_close(&w[i]);
    stop(pid);
}

int
main(int argc, char **argv)
{
    char folder[] = "/tmp/meshtop-bench.XXXXXX";

    if (argc > 1)
        build = argv[1];
    signal(SIGPIPE, SIG_IGN);
    if (!mkdtemp(folder))
        return 1;
    setenv("XDG_STATE_HOME", folder, 1);
    for (size_t i = 0; i < ARRAY_LEN(flavours); i++) {
        AUTO(mem_free_ptr)
        char *writes = mem_printf("%s/%zu-writes.db", folder, i);
        AUTO(mem_free_ptr)
        char *watches = mem_printf("%s/%zu-watches.db", folder, i);

        AUTO(mem_free_ptr)
        char *calls = mem_printf("%s/%zu-calls.db", folder, i);

        bench_connections(&flavours[i], calls);
        bench_writes(&flavours[i], writes);
        bench_watches(&flavours[i], watches);
    }
    file_remove_tree(folder, NULL);
    return 0;
}
