#include "lib/base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

extern char **environ;

/*
 * The end of a process is the end of the child, not of its pipes: a daemon it
 * leaves behind may hold them for ever. What the child itself wrote is in the
 * pipe by then, so one last read until "would block" misses nothing.
 *
 * The child leads a group of its own: a Ctrl-C at the terminal is ours to
 * answer, and process_free reaches grandchildren too. Input is a memory file,
 * so nothing of ours can block on, or be killed by, a child that does not read.
 */

#define OUTPUT_DEFAULT ((size_t)1 << 20)
#define LINE_LIMIT     ((size_t)64 << 10)

struct stream {
    struct process *p;
    int number; /* 1 or 2 */
    int fd;     /* our end, -1 when closed */
    struct loop_fd *watch;
    struct buf kept, line;
};

struct process {
    pid_t pid; /* 0: reaped */
    struct loop_child *child;
    struct stream streams[2];
    process_line_fn *on_line;
    process_fn *on_exit;
    void *arg;
    bool truncated, freed;
    unsigned busy; /* callbacks of ours on the stack */
};

/* ---- starting ---- */

struct launch {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char *path;
    char **env; /* array is ours, the strings are not */
    int input;
    int pipes[2][2];
};

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void
launch_init(struct launch *s)
{
    sigset_t all, none;

    *s = (struct launch){.input = -1, .pipes = {{-1, -1}, {-1, -1}}};
    posix_spawn_file_actions_init(&s->actions);
    posix_spawnattr_init(&s->attributes);
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&s->attributes, &none);
    posix_spawnattr_setsigdefault(&s->attributes, &all);
}

static void
launch_release(struct launch *s)
{
    posix_spawn_file_actions_destroy(&s->actions);
    posix_spawnattr_destroy(&s->attributes);
    free(s->path);
    free(s->env);
    close_fd(&s->input);
    for (unsigned i = 0; i < 2; i++) {
        close_fd(&s->pipes[i][0]);
        close_fd(&s->pipes[i][1]);
    }
}

/* Our environment with extra on top. */
static char **
environment(const char *const *extra)
{
    size_t n = 0, cap = 0, more = 0;
    char **out = NULL;

    while (extra && extra[more])
        more++;
    for (char **e = environ; e && *e; e++) {
        size_t name = strcspn(*e, "=") + 1;
        bool replaced = false;

        for (size_t i = 0; i < more; i++)
            replaced = replaced || strncmp(*e, extra[i], name) == 0;
        out = mem_grow(out, &cap, n + 2 + more, sizeof(*out));
        if (!replaced)
            out[n++] = *e;
    }
    out = mem_grow(out, &cap, n + 1 + more, sizeof(*out));
    for (size_t i = 0; i < more; i++)
        out[n++] = (char *)extra[i];
    out[n] = NULL;
    return out;
}

static bool
find_program(struct launch *s, const char *name, struct error *err)
{
    s->path = process_find(name);
    if (!s->path)
        return error_set(err, ERR_NOT_FOUND, "%s: program not found", name);
    return true;
}

static bool
open_input(struct launch *s, struct str input, struct error *err)
{
    s->input = input.n ? memfd_create("input", MFD_CLOEXEC)
                       : open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (s->input < 0)
        return error_errno(err, ERR_IO, "cannot prepare the input");
    return file_write_fd(s->input, input.s, input.n, err) &&
           lseek(s->input, 0, SEEK_SET) == 0;
}

static bool
spawn(struct launch *s, const char *const *argv, pid_t *pid, struct error *err)
{
    int rc = posix_spawn(pid, s->path, &s->actions, &s->attributes,
                         (char *const *)argv, s->env);

    if (rc == 0)
        return true;
    errno = rc;
    return error_errno(err, rc == EACCES ? ERR_DENIED : ERR_IO,
                       "cannot start %s", s->path);
}

static bool
launch(struct launch *s, const struct process_options *o, pid_t *pid,
       struct error *err)
{
    if (!find_program(s, o->argv[0], err) || !open_input(s, o->input, err))
        return false;
    posix_spawn_file_actions_adddup2(&s->actions, s->input, STDIN_FILENO);
    for (unsigned i = 0; i < 2; i++) {
        if (pipe2(s->pipes[i], O_CLOEXEC) < 0 ||
            fcntl(s->pipes[i][0], F_SETFL, O_NONBLOCK) < 0)
            return error_errno(err, ERR_IO, "cannot create a pipe");
        posix_spawn_file_actions_adddup2(&s->actions, s->pipes[i][1],
                                         (int)i + 1);
    }
    if (o->cwd && !file_exists(o->cwd))
        return error_set(err, ERR_NOT_FOUND, "%s: no such folder", o->cwd);
    if (o->cwd)
        posix_spawn_file_actions_addchdir_np(&s->actions, o->cwd);
    posix_spawnattr_setflags(&s->attributes, POSIX_SPAWN_SETSIGMASK |
                                                 POSIX_SPAWN_SETSIGDEF |
                                                 POSIX_SPAWN_SETPGROUP);
    s->env = environment(o->env);
    return spawn(s, o->argv, pid, err);
}

/* ---- reading ---- */

static void
destroy(struct process *p)
{
    for (unsigned i = 0; i < 2; i++) {
        loop_fd_del(p->streams[i].watch);
        close_fd(&p->streams[i].fd);
        buf_release(&p->streams[i].kept);
        buf_release(&p->streams[i].line);
    }
    loop_child_del(p->child);
    free(p);
}

static void
enter(struct process *p)
{
    p->busy++;
}

/* False: a callback freed p, and now it is gone. */
static bool
leave(struct process *p)
{
    if (--p->busy || !p->freed)
        return true;
    destroy(p);
    return false;
}

static void
flush_line(struct stream *s)
{
    struct process *p = s->p;

    if (!p->freed)
        p->on_line(p->arg, s->number, buf_view(&s->line));
    buf_reset(&s->line);
}

static void
keep(struct stream *s, struct str data)
{
    size_t room = s->kept.max - s->kept.n;

    if (data.n > room)
        s->p->truncated = true;
    buf_str(&s->kept, str_sub(data, 0, room));
    while (s->p->on_line && data.n) {
        struct str head, tail;
        bool complete = str_cut(data, '\n', &head, &tail);

        /* A line without end is handed out in pieces. */
        head = str_sub(head, 0, LINE_LIMIT - s->line.n);
        complete = complete && head.n < data.n && data.s[head.n] == '\n';
        buf_str(&s->line, head);
        data = str_from(data, head.n + (complete ? 1 : 0));
        if (complete || s->line.n == LINE_LIMIT)
            flush_line(s);
    }
}

static void
close_stream(struct stream *s)
{
    loop_fd_del(s->watch);
    s->watch = NULL;
    close_fd(&s->fd);
    if (s->p->on_line && s->line.n)
        flush_line(s);
}

/* Reads what is there: at most rounds chunks, so that a loud child does not
 * starve the loop. */
static void
drain(struct stream *s, unsigned rounds)
{
    char chunk[16384];

    while (s->fd >= 0 && rounds-- && !s->p->freed) {
        ssize_t n = read(s->fd, chunk, sizeof(chunk));

        if (n > 0)
            keep(s, str_n(chunk, (size_t)n));
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
            close_stream(s);
        else if (errno == EAGAIN)
            return;
    }
}

static void
on_readable(void *arg, unsigned events UNUSED)
{
    struct stream *s = arg;
    struct process *p = s->p;

    enter(p);
    drain(s, 4);
    leave(p);
}

static void
on_end(void *arg, pid_t pid UNUSED, int status)
{
    struct process *p = arg;
    struct process_result r = {
        .status =
            WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
    };

    p->pid = 0;
    enter(p);
    for (unsigned i = 0; i < 2; i++) {
        /* A pipe holds 1 MiB at most; a grandchild may still be writing. */
        drain(&p->streams[i], 256);
        if (p->streams[i].fd >= 0)
            close_stream(&p->streams[i]);
    }
    r.out = buf_view(&p->streams[0].kept);
    r.err = buf_view(&p->streams[1].kept);
    r.truncated = p->truncated;
    if (p->on_exit && !p->freed)
        p->on_exit(p->arg, &r);
    leave(p);
}

static void
kill_now(pid_t pid)
{
    kill(-pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

struct process *
process_start(struct loop *l, const struct process_options *o,
              struct error *err)
{
    AUTO(launch_release) struct launch s;
    pid_t pid;

    launch_init(&s);
    if (o->no_terminal)
        posix_spawnattr_setflags(&s.attributes, POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF |
                                                    POSIX_SPAWN_SETSID);
    if (!launch(&s, o, &pid, err))
        return NULL;
    struct process *p = mem_zalloc(1, sizeof(*p));

    p->pid = pid;
    p->on_line = o->on_line;
    p->on_exit = o->on_exit;
    p->arg = o->arg;
    p->child = loop_child_add(l, pid, on_end, p, err);
    for (int i = 0; i < 2; i++) {
        struct stream *t = &p->streams[i];

        *t = (struct stream){.p = p, .number = i + 1, .fd = s.pipes[i][0]};
        s.pipes[i][0] = -1;
        buf_init(&t->kept, o->max_output ? o->max_output : OUTPUT_DEFAULT);
        buf_init(&t->line, LINE_LIMIT);
        t->watch = loop_fd_add(l, t->fd, LOOP_READ, on_readable, t, err);
        if (!p->child || !t->watch) {
            process_free(p);
            return NULL;
        }
    }
    return p;
}

void
process_signal(struct process *p, int signo)
{
    if (p && p->pid)
        kill(-p->pid, signo);
}

void
process_free(struct process *p)
{
    if (!p || p->freed)
        return;
    if (p->pid)
        kill_now(p->pid);
    p->pid = 0;
    p->freed = true;
    if (!p->busy)
        destroy(p);
}

/* ---- without the loop ---- */

/*
 * The terminal sends Ctrl-C and Ctrl-\ to us as well: they are ignored, and
 * what a signalfd caught meanwhile is thrown away. Ctrl-Z must stop both of us,
 * or the shell would not come back.
 */
static int
wait_in_background(pid_t pid)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before[3];
    struct sigaction plain = {.sa_handler = SIG_DFL};
    struct timespec at_once = {0};
    sigset_t keys, stop, mask;
    int status = 0;

    sigaction(SIGINT, &ignore, &before[0]);
    sigaction(SIGQUIT, &ignore, &before[1]);
    sigaction(SIGTSTP, &plain, &before[2]);
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &stop, &mask);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    sigemptyset(&keys);
    sigaddset(&keys, SIGINT);
    sigaddset(&keys, SIGQUIT);
    while (sigtimedwait(&keys, NULL, &at_once) > 0)
        continue;
    sigprocmask(SIG_SETMASK, &mask, NULL);
    sigaction(SIGINT, &before[0], NULL);
    sigaction(SIGQUIT, &before[1], NULL);
    sigaction(SIGTSTP, &before[2], NULL);
    return status;
}

bool
process_foreground(const char *const *argv, int *status, struct error *err)
{
    AUTO(launch_release) struct launch s;
    pid_t pid;

    launch_init(&s);
    if (!find_program(&s, argv[0], err))
        return false;
    posix_spawnattr_setflags(&s.attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    s.env = environment(NULL);
    if (!spawn(&s, argv, &pid, err))
        return false;
    int got = wait_in_background(pid);

    *status = WIFSIGNALED(got) ? 128 + WTERMSIG(got) : WEXITSTATUS(got);
    return true;
}

/* In the child that becomes the daemon: only async-signal-safe calls. Answers
 * its pid on the descriptor `report`, and errno if exec fails; a successful
 * one closes it. */
static void NORETURN
become(const char *path, const char *const *argv, int log, int report)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t none;
    int null = open("/dev/null", O_RDONLY);
    pid_t pid = getpid();

    if (write(report, &pid, sizeof(pid)) < 0)
        _exit(126);
    for (int signo = 1; signo < NSIG; signo++)
        sigaction(signo, &plain, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(null, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    if (report != 3)
        report = dup3(report, 3, O_CLOEXEC);
    if (close_range(4, ~0u, 0) < 0) {
        for (int fd = 4; fd < 65536; fd++)
            close(fd);
    }
    execv(path, (char *const *)argv);
    int why = errno;

    if (write(report, &why, sizeof(why)) < 0)
        _exit(126);
    _exit(127);
}

/* What comes through the pipe: the pid, and errno if exec failed. */
static bool
read_report(int fd, const char *path, pid_t *pid, struct error *err)
{
    pid_t got;
    int why;

    if (read(fd, &got, sizeof(got)) != (ssize_t)sizeof(got))
        return error_set(err, ERR_IO, "cannot start %s", path);
    if (read(fd, &why, sizeof(why)) == (ssize_t)sizeof(why)) {
        errno = why;
        return error_errno(err, ERR_IO, "cannot start %s", path);
    }
    *pid = got;
    return true;
}

bool
process_detach(const char *const *argv, const char *log_path, pid_t *pid,
               struct error *err)
{
    AUTO(mem_free_ptr) char *path = process_find(argv[0]);
    AUTO(close_fd)
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int ends[2];

    if (!path)
        return error_set(err, ERR_NOT_FOUND, "%s: program not found", argv[0]);
    if (log < 0)
        return error_errno(err, ERR_IO, "cannot open the log %s", log_path);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, ERR_IO, "cannot create a pipe");
    pid_t middle = fork();

    if (middle == 0) {
        setsid();
        /* The second fork gives the daemon to init, which reaps it. */
        if (fork() == 0)
            become(path, argv, log, ends[1]);
        _exit(0);
    }
    close(ends[1]);
    if (middle > 0)
        waitpid(middle, NULL, 0);
    bool ok = read_report(ends[0], path, pid, err);

    close(ends[0]);
    return ok;
}

/* ---- paths ---- */

char *
process_self(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path));
    struct str self = str_n(path, n > 0 ? (size_t)n : 0);
    struct str gone = STR(" (deleted)");

    /* A new build took our place: that is the one to start next time. */
    if (str_ends(self, gone))
        self.n -= gone.n;
    return mem_strndup(self.s, self.n);
}

static bool
is_program(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
           access(path, X_OK) == 0;
}

char *
process_find(const char *name)
{
    struct str rest = str_of(getenv("PATH")), folder;

    if (strchr(name, '/'))
        return is_program(name) ? mem_strdup(name) : NULL;
    while (*name && str_next(&rest, ':', &folder)) {
        char *path = folder.n ? mem_printf("%.*s/%s", STR_ARG(folder), name)
                              : mem_printf("./%s", name);

        if (is_program(path))
            return path;
        free(path);
    }
    return NULL;
}
