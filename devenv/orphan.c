#include "devenv/orphan.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#define WORDS_MAX ((size_t)64 << 10)
#define LOOK_MS   50

/* The words of a process, NUL between them; "" when it is not our user's. */
static void
read_words(int pid, struct buf *out)
{
    char path[64], piece[4096];
    struct stat st;

    buf_reset(out);
    snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && st.st_uid == getuid()) {
        ssize_t n;

        while ((n = read(fd, piece, sizeof(piece))) > 0)
            buf_add(out, piece, (size_t)n);
    }
    close(fd);
}

/* WORDS has `create`, `cluster`, and `--kubeconfig` with our path behind it. */
static bool
is_ours(const struct profile *p, struct str words)
{
    struct str word, before = STR("");
    bool create = false, cluster = false, ours = false;

    while (words.n && str_next(&words, '\0', &word)) {
        create = create || str_eqz(word, "create");
        cluster = cluster || str_eqz(word, "cluster");
        ours = ours || (str_eqz(before, "--kubeconfig") &&
                        str_eqz(word, p->kubeconfig));
        before = word;
    }
    return create && cluster && ours;
}

static bool
look(const struct profile *p, int pid, struct orphan *out)
{
    AUTO(buf_release) struct buf words = BUF_INIT(WORDS_MAX);

    read_words(pid, &words);
    if (pid == getpid() || !is_ours(p, buf_view(&words)))
        return false;
    for (size_t i = 0; i + 1 < words.n; i++) {
        if (!words.s[i])
            words.s[i] = ' ';
    }
    out->pid = pid;
    snprintf(out->words, sizeof(out->words), "%s", words.s);
    return true;
}

bool
orphan_find(const struct profile *p, struct orphan *out)
{
    DIR *d = opendir("/proc");
    bool found = false;

    if (!d)
        return false;
    for (struct dirent *e; !found && (e = readdir(d));) {
        int64_t pid;

        found = str_to_i64(str_of(e->d_name), &pid) && look(p, (int)pid, out);
    }
    closedir(d);
    return found;
}

/* Signals exactly the process that still is what it was found to be. */
static void
signal_it(const struct profile *p, int pid, int signo)
{
    struct orphan now;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);

    if (fd < 0)
        return;
    if (look(p, pid, &now))
        syscall(SYS_pidfd_send_signal, fd, signo, NULL, 0);
    close(fd);
}

bool
orphan_end(const struct profile *p, int64_t grace_ms, struct step_run *run,
           size_t *ended, struct error *err)
{
    int64_t begun = clock_mono_ms(clock_system());
    struct orphan o;
    int last = 0;

    *ended = 0;
    while (orphan_find(p, &o)) {
        int64_t passed = clock_mono_ms(clock_system()) - begun;

        if (passed > 2 * grace_ms)
            return error_set(err, ERR_TIMEOUT, "process %d does not end (%s)",
                             o.pid, o.words);
        if (o.pid != last)
            ++*ended;
        if (o.pid != last || passed > grace_ms)
            signal_it(p, o.pid, passed > grace_ms ? SIGKILL : SIGTERM);
        last = o.pid;
        step_detail(run, "process %d: %s", o.pid, o.words);
        if (!step_pause(run, LOOK_MS, err))
            return false;
    }
    return true;
}
