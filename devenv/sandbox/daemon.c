#include "devenv/sandbox/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/loop.h"
#include "lib/base/mem.h"
#include "lib/base/process.h"

#define POLL_MS      5
#define START_MS     10000
#define STOP_MS      10000
#define PID_FILE_MAX 2048
#define LOG_TAIL     4096

void
daemon_paths(const char *folder, struct daemon_paths *p)
{
    p->folder = mem_strdup(folder);
    p->data = file_join(folder, "sandbox.db");
    p->pid_file = file_join(folder, "sandbox.pid");
    p->kubeconfig = file_join(folder, "kubeconfig");
    p->log = file_join(folder, "logs/sandbox.log");
}

void
daemon_paths_release(struct daemon_paths *p)
{
    free(p->folder);
    free(p->data);
    free(p->pid_file);
    free(p->kubeconfig);
    free(p->log);
    *p = (struct daemon_paths){0};
}

bool
daemon_folders(const struct daemon_paths *p, struct error *err)
{
    AUTO(mem_free_ptr) char *logs = file_join(p->folder, "logs");

    return file_mkdirs(logs, 0700, err);
}

/* ---- the pid file ---- */

/* A lock of the open file, not of the process: closing another descriptor of
 * the file does not drop it, and asking after it takes nothing. */
static struct flock
whole_file(void)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

int
daemon_lock(const char *path, struct error *err)
{
    struct flock lock = whole_file();
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
        error_errno(err, ERR_IO, "cannot open %s", path);
        return -1;
    }
    if (fcntl(fd, F_OFD_SETLK, &lock) == 0 && ftruncate(fd, 0) == 0)
        return fd;
    if (errno == EAGAIN || errno == EACCES) {
        error_set(err, ERR_CONFLICT, "the sandbox of this profile runs");
        error_remedy(err, "MT-SANDBOX-RUNS", "\"meshtop sandbox stop\" first.");
    } else {
        error_errno(err, ERR_IO, "cannot lock %s", path);
    }
    close(fd);
    return -1;
}

bool
daemon_publish(int fd, const char *host, unsigned port, const char *kubeconfig,
               struct error *err)
{
    AUTO(buf_release) struct buf b = BUF_INIT(PID_FILE_MAX);

    buf_printf(&b, "%lld %u %s %lld %s\n", (long long)getpid(), port, host,
               (long long)(clock_wall_ms(clock_system()) / 1000),
               kubeconfig ? kubeconfig : "");
    return file_write_fd(fd, b.s, b.n, err);
}

void
daemon_unlock(int fd)
{
    if (fd < 0)
        return;
    if (ftruncate(fd, 0) < 0)
        errno = 0; /* the lock is what counts */
    close(fd);
}

static bool
read_number(struct str *rest, int64_t *out)
{
    struct str word;

    return str_next(rest, ' ', &word) && str_to_i64(word, out);
}

/* "PID PORT HOST START KUBECONFIG" */
static void
read_state(struct str text, struct daemon_state *out)
{
    struct str host, rest = str_trim(text);
    int64_t pid, port, started;

    if (!read_number(&rest, &pid) || !read_number(&rest, &port) ||
        !str_next(&rest, ' ', &host) || !read_number(&rest, &started) ||
        port < 1 || port > 65535 || pid < 2)
        return;
    out->pid = (pid_t)pid;
    out->port = (unsigned)port;
    out->started_s = started;
    snprintf(out->host, sizeof(out->host), "%.*s", STR_ARG(host));
    snprintf(out->kubeconfig, sizeof(out->kubeconfig), "%.*s", STR_ARG(rest));
}

static int64_t
size_of(const char *path, const char *suffix)
{
    AUTO(mem_free_ptr) char *name = mem_printf("%s%s", path, suffix);
    struct stat st;

    return stat(name, &st) == 0 ? (int64_t)st.st_size : 0;
}

void
daemon_state(const struct daemon_paths *p, struct daemon_state *out)
{
    struct flock lock = whole_file();
    char text[PID_FILE_MAX];
    int fd = open(p->pid_file, O_RDWR | O_CLOEXEC);

    *out = (struct daemon_state){0};
    out->file_bytes = size_of(p->data, "") + size_of(p->data, "-wal");
    if (fd < 0)
        return;
    if (fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK) {
        ssize_t n = pread(fd, text, sizeof(text), 0);

        out->running = true;
        read_state(str_n(text, n > 0 ? (size_t)n : 0), out);
    }
    close(fd);
}

/* ---- waiting ---- */

/* Polls until the state is as wanted, or the process is gone, or ms passed. */
static bool
wait_until(const struct daemon_paths *p, bool running, pid_t pid, int64_t ms,
           struct daemon_state *out)
{
    struct loop *l = loop_new(NULL);
    int64_t end = clock_mono_ms(clock_system()) + ms;
    bool reached = false;

    while (l) {
        daemon_state(p, out);
        reached = running ? out->port != 0 : !out->running;
        if (reached || clock_mono_ms(clock_system()) >= end ||
            (running && !out->running && kill(pid, 0) < 0 && errno == ESRCH))
            break;
        loop_turn(l, POLL_MS);
    }
    loop_free(l);
    return reached;
}

/* What the server said last, after offset from. */
static bool
last_words(const char *log, int64_t from, struct error *err)
{
    char text[LOG_TAIL];
    int fd = open(log, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text), (off_t)from);
    struct str said = STR(""), line;

    if (fd >= 0)
        close(fd);
    for (struct str rest = str_n(text, n > 0 ? (size_t)n : 0);
         str_next(&rest, '\n', &line);) {
        if (str_starts(line, STR("meshtop: ")))
            said = str_from(line, strlen("meshtop: "));
    }
    if (said.n)
        error_set(err, ERR_INTERNAL, "%.*s", STR_ARG(said));
    else
        error_set(err, ERR_INTERNAL, "the sandbox ended while it started");
    error_remedy(err, "MT-SANDBOX-START", "Its log is %s.", log);
    return false;
}

bool
daemon_start(const struct daemon_paths *p, const char *const *argv,
             struct daemon_state *out, bool *already, struct error *err)
{
    int64_t log_end = size_of(p->log, "");
    pid_t pid = 0;

    daemon_state(p, out);
    *already = out->running;
    if (!*already && !process_detach(argv, p->log, &pid, err))
        return false;
    if (wait_until(p, true, pid, START_MS, out))
        return true;
    if (!out->running)
        return last_words(p->log, log_end, err);
    error_set(err, ERR_TIMEOUT, "the sandbox does not serve after %d s",
              START_MS / 1000);
    error_remedy(err, "MT-SANDBOX-START", "Its log is %s.", p->log);
    return false;
}

bool
daemon_stop(const struct daemon_paths *p, bool *was, struct error *err)
{
    struct daemon_state s;

    daemon_state(p, &s);
    *was = s.running;
    if (!s.running)
        return true;
    /* One that is just starting has not said its pid yet. */
    if (!s.pid && !wait_until(p, true, getpid(), START_MS, &s))
        return error_set(err, ERR_TIMEOUT,
                         "the sandbox is starting and does not come up");
    if (kill(s.pid, SIGTERM) < 0 && errno != ESRCH)
        return error_errno(err, ERR_DENIED, "cannot stop process %d",
                           (int)s.pid);
    if (wait_until(p, false, s.pid, STOP_MS, &s))
        return true;
    if (s.pid)
        kill(s.pid, SIGKILL);
    if (wait_until(p, false, s.pid, STOP_MS, &s))
        return true;
    return error_set(err, ERR_TIMEOUT, "process %d does not end", (int)s.pid);
}

bool
daemon_reset(const struct daemon_paths *p, struct error *err)
{
    static const char *const names[] = {
        "sandbox.db",    "sandbox.db-wal", "sandbox.db-shm", "sandbox.pem",
        "sandbox.token", "sandbox.pid",    "kubeconfig"};
    struct daemon_state s;

    daemon_state(p, &s);
    if (s.running) {
        error_set(err, ERR_CONFLICT, "the sandbox of this profile runs");
        error_remedy(err, "MT-SANDBOX-RUNS", "\"meshtop sandbox stop\" first.");
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO(mem_free_ptr) char *path = file_join(p->folder, names[i]);

        if (!file_remove_tree(path, err))
            return false;
    }
    return true;
}
