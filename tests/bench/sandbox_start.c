/*
 * How long from exec until the sandbox serves: the ready line, then a first
 * HTTPS 200 on a new connection.   usage: sandbox_start [BUILD]
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "tests/peer.h"

enum { TIMES = 15, BUDGET_MS = 50 };

/* Milliseconds from fork to the first answer; the server is killed after. */
static double
once(const char *program, const char *data)
{
    AUTO(buf_release) struct buf b = BUF_INIT(65536);
    int64_t begin = clock_mono_us();
    struct peer p;
    char line[512];
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        die("no pipe");
    pid = fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        execl(program, program, "sandbox", "serve", "--data", data,
              (char *)NULL);
        _exit(127);
    }
    close(ends[1]);

    ssize_t n = read(ends[0], line, sizeof(line) - 1);
    struct str said = str_n(line, n > 0 ? (size_t)n : 0);
    size_t at = str_find(said, STR("127.0.0.1:"), 0);

    if (at == SIZE_MAX)
        die("%s did not serve", program);
    line[n] = '\0';
    if (!peer_open(&p, (unsigned)strtoul(line + at + 10, NULL, 10), NULL, 10) ||
        peer_call(&p, "GET", "/readyz", NULL, &b) != 200)
        die("no answer");
    double ms = (double)(clock_mono_us() - begin) / 1000;

    peer_close(&p);
    close(ends[0]);
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    return ms;
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void
say(const char *what, double *ms, int n)
{
    qsort(ms, (size_t)n, sizeof(*ms), compare);
    printf("%s  %-52s %10.1f ms     (budget <= %d)\n",
           ms[n / 2] <= BUDGET_MS ? "OK  " : "MISS", what, ms[n / 2],
           BUDGET_MS);
}

int
main(int argc, char **argv)
{
    AUTO(mem_free_ptr)
    char *program = file_join(argc > 1 ? argv[1] : "build/release", "meshtop");
    char folder[] = "/tmp/meshtop-bench.XXXXXX";
    double fresh[TIMES], again[TIMES];

    if (!mkdtemp(folder))
        return 1;
    setenv("XDG_STATE_HOME", folder, 1);
    for (int i = 0; i < TIMES; i++) {
        AUTO(mem_free_ptr) char *sub = mem_printf("%s/%d", folder, i);
        AUTO(mem_free_ptr) char *data = file_join(sub, "s.db");

        file_mkdirs(sub, 0700, NULL);
        fresh[i] = once(program, data);
        again[i] = once(program, data);
    }
    say("sandbox: exec to first 200, first start, median", fresh, TIMES);
    say("sandbox: exec to first 200, later starts, median", again, TIMES);
    file_remove_tree(folder, NULL);
    return 0;
}
