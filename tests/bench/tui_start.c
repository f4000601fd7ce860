/*
 * tui_start.c - the program on a terminal, from outside: exec to the first
 * frame before any byte from a network, to the first rows of 5,000 products,
 * what it costs to be idle, and its memory.   usage: tui_start [BUILD]
 */
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

enum { TIMES = 9, IDLE_MS = 5000 };

struct seat {
    const char *program;
    char *argv[8];
    pid_t pid;
    int fd;
    struct buf seen;
};

static void
say(const char *what, double value, double budget, const char *unit)
{
    printf("%s  %-52s %10.2f %-4s (budget %g)\n",
           value <= budget ? "OK  " : "MISS", what, value, unit, budget);
    fflush(stdout);
}

static void
sit(struct seat *s)
{
    struct winsize ws = {.ws_row = 36, .ws_col = 120};

    buf_reset(&s->seen);
    s->pid = forkpty(&s->fd, NULL, NULL, &ws);
    if (s->pid == 0) {
        setenv("TERM", "xterm-256color", 1);
        setenv("LC_ALL", "C.UTF-8", 1);
        execv(s->program, s->argv);
        _exit(127);
    }
}

/* Reads until text was seen or the time is over; true when seen. */
static bool
await(struct seat *s, const char *text, int ms)
{
    int64_t end = clock_mono_us() / 1000 + ms;
    char bytes[65536];

    while (!str_contains(buf_view(&s->seen), str_of(text))) {
        struct pollfd p = {s->fd, POLLIN, 0};
        int left = (int)(end - clock_mono_us() / 1000);
        ssize_t n;

        if (left <= 0 || poll(&p, 1, left) <= 0)
            return false;
        n = read(s->fd, bytes, sizeof(bytes));
        if (n <= 0)
            return false;
        buf_add(&s->seen, bytes, (size_t)n);
    }
    return true;
}

static void
leave(struct seat *s)
{
    kill(s->pid, SIGTERM);
    await(s, "\001", 300);
    close(s->fd);
    waitpid(s->pid, NULL, 0);
}

/* Median milliseconds from fork until text is on the terminal. */
static double
until(struct seat *s, const char *text, int limit_ms)
{
    double took[TIMES];

    for (int i = 0; i < TIMES; i++) {
        int64_t start = clock_mono_us();

        sit(s);
        took[i] = await(s, text, limit_ms)
                      ? (double)(clock_mono_us() - start) / 1000
                      : limit_ms;
        leave(s);
        for (int k = i; k > 0 && took[k] < took[k - 1]; k--) {
            double t = took[k];

            took[k] = took[k - 1];
            took[k - 1] = t;
        }
    }
    return took[TIMES / 2];
}

/* Clock ticks of CPU that pid has used. */
static long
ticks(pid_t pid)
{
    AUTO(buf_release) struct buf b = BUF_INIT(8192);
    char path[64];
    long user = 0, sys = 0;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (file_read(path, &b, NULL) && strrchr(b.s, ')'))
        sscanf(strrchr(b.s, ')'),
               ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &user,
               &sys);
    return user + sys;
}

static double
peak_mib(pid_t pid)
{
    AUTO(buf_release) struct buf b = BUF_INIT(65536);
    char path[64];
    long kib = 0;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    if (file_read(path, &b, NULL) && strstr(buf_cstr(&b), "VmHWM:"))
        sscanf(strstr(b.s, "VmHWM:"), "VmHWM: %ld", &kib);
    return (double)kib / 1024;
}

/* memory: say it too. */
static void
idle(struct seat *s, const char *what, bool memory)
{
    char name[100];
    long before;

    sit(s);
    await(s, "LIVE", 20000);
    await(s, "\001", 2000); /* let it settle, and eat what it writes */
    before = ticks(s->pid);
    await(s, "\001", IDLE_MS);
    snprintf(name, sizeof(name), "idle CPU, %s", what);
    say(name,
        (double)(ticks(s->pid) - before) / (double)sysconf(_SC_CLK_TCK) /
            IDLE_MS * 1000 * 100,
        0.1, "%");
    snprintf(name, sizeof(name), "peak memory, %s", what);
    if (memory)
        say(name, peak_mib(s->pid), 80, "MiB");
    leave(s);
}

static bool run(const char *fmt, ...) PRINTF_LIKE(1, 2);

static bool
run(const char *fmt, ...)
{
    AUTO(buf_release) struct buf b = BUF_INIT(8192);
    int status = -1;
    va_list ap;
    pid_t pid;

    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", buf_cstr(&b), (char *)NULL);
        _exit(127);
    }
    waitpid(pid, &status, 0);
    return status == 0;
}

/* A generated mesh of this many domains of 25 products. */
static bool
load(const char *build, const char *kubeconfig, int domains)
{
    return run("%s/tests/tools/genmesh %d 25 | %s/tests/tools/meshload %s "
               ">/dev/null 2>&1",
               build, domains, build, kubeconfig);
}

int
main(int argc, char **argv)
{
    const char *build = argc > 1 ? argv[1] : "build/release";
    char dir[] = "/tmp/meshtop-bench.XXXXXX";
    AUTO(mem_free_ptr) char *program = mem_printf("%s/meshtop", build);
    AUTO(mem_free_ptr) char *kubeconfig = NULL;
    struct seat s = {.program = program, .seen = BUF_INIT(256 << 20)};

    if (!mkdtemp(dir))
        die("no temporary folder");
    setenv("XDG_STATE_HOME", dir, 1);
    kubeconfig = mem_printf("%s/meshtop/bench/kubeconfig", dir);
    s.argv[0] = program;
    s.argv[1] = (char *)"--profile";
    s.argv[2] = (char *)"bench";
    if (!run("%s up --profile bench --engine sandbox --examples corner-shop "
             ">/dev/null 2>&1",
             program)) {
        printf("MISS  meshtop up failed\n");
        return 0;
    }
    say("exec to first frame", until(&s, "overview", 5000), 30, "ms");
    say("exec to first rows, corner-shop", until(&s, "web-orders", 5000), 300,
        "ms");
    idle(&s, "corner-shop", true);
    if (load(build, kubeconfig, 50))
        idle(&s, "1,250 products, some 10,000 objects", true);
    if (load(build, kubeconfig, 200)) {
        say("exec to first rows, 5,000 products", until(&s, "d000-p", 20000),
            300, "ms");
        idle(&s, "5,000 products, some 40,000 objects", false);
    }
    run("%s down --profile bench --force >/dev/null 2>&1; rm -rf %s", program,
        dir);
    buf_release(&s.seen);
    return 0;
}
