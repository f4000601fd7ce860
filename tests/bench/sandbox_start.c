/*
 * How long from exec until the sandbox serves: the ready line, then a first
 * HTTPS 200 on a new connection.   usage: sandbox_start [BUILD]
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "tests/peer.h"

/* The budget of processor time is what the wall's leaves on one idle core, with
 * the end of the process in it; other programs do not spoil it. */
enum { TIMES = 15, BUDGET_MS = 50, BUDGET_CPU_MS = 60 };

struct took {
    double wall[TIMES], cpu[TIMES]; /* ms */
};

static double
ms_of(struct timeval t)
{
    return (double)t.tv_sec * 1000 + (double)t.tv_usec / 1000;
}

/* Milliseconds from fork to the first answer, and the processor time of the
 * process, which is ended after. */
static void
once(const char *program, const char *data, double *wall, double *cpu)
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
    struct rusage used;

    *wall = (double)(clock_mono_us() - begin) / 1000;
    peer_close(&p);
    close(ends[0]);
    kill(pid, SIGTERM);
    wait4(pid, NULL, 0, &used);
    *cpu = ms_of(used.ru_utime) + ms_of(used.ru_stime);
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void
say(const char *what, double *ms, int budget)
{
    qsort(ms, TIMES, sizeof(*ms), compare);
    printf("%s  %-52s %10.1f ms     (budget <= %d)\n",
           ms[TIMES / 2] <= budget ? "OK  " : "MISS", what, ms[TIMES / 2],
           budget);
}

int
main(int argc, char **argv)
{
    AUTO(mem_free_ptr)
    char *program = file_join(argc > 1 ? argv[1] : "build/release", "meshtop");
    char folder[] = "/tmp/meshtop-bench.XXXXXX";
    struct took fresh, again;

    if (!mkdtemp(folder))
        return 1;
    setenv("XDG_STATE_HOME", folder, 1);
    for (int i = 0; i < TIMES; i++) {
        AUTO(mem_free_ptr) char *sub = mem_printf("%s/%d", folder, i);
        AUTO(mem_free_ptr) char *data = file_join(sub, "s.db");

        file_mkdirs(sub, 0700, NULL);
        once(program, data, &fresh.wall[i], &fresh.cpu[i]);
        once(program, data, &again.wall[i], &again.cpu[i]);
    }
    say("sandbox: exec to first 200, first start, median", fresh.wall,
        BUDGET_MS);
    say("  processor time of it", fresh.cpu, BUDGET_CPU_MS);
    say("sandbox: exec to first 200, later starts, median", again.wall,
        BUDGET_MS);
    say("  processor time of it", again.cpu, BUDGET_CPU_MS);
    file_remove_tree(folder, NULL);
    return 0;
}
