/* What the kernel lets a user have: inotify instances and watches, open
 * files. A kind node runs systemd, containerd and a kubelet: 22 instances on
 * root's account with Kubernetes 1.34, and more with each pod that watches
 * (facts/devenv.md 2.8). */
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/docker.h"
#include "devenv/host_check.h"

#define FILE_MAX       ((size_t)1 << 20)
#define INSTANCES_CALM 80    /* free instances that last for three more nodes */
#define WATCHES_CALM   32768 /* the same of watches */
#define INSTANCES      "/proc/sys/fs/inotify/max_user_instances"
#define WATCHES        "/proc/sys/fs/inotify/max_user_watches"

struct inotify_use {
    uid_t uid; /* whose account counts */
    uint64_t instances, watches;
    unsigned hidden; /* processes of that user we may not look into */
};

static uint64_t
watches_of(const char *dir, const char *fd)
{
    AUTO(buf_release) struct buf b = BUF_INIT((size_t)16 << 20);
    AUTO(mem_free_ptr) char *path = mem_printf("%s/fdinfo/%s", dir, fd);
    size_t at = 0;
    uint64_t n = 0;

    if (!file_read(path, &b, NULL))
        return 0;
    while ((at = str_find(buf_view(&b), STR("inotify wd:"), at)) != SIZE_MAX) {
        n++;
        at++;
    }
    return n;
}

static void
count_process(void *arg, const char *dir, pid_t pid, uid_t uid)
{
    struct inotify_use *use = arg;
    AUTO(mem_free_ptr) char *fds = file_join(dir, "fd");
    struct dirent *e;
    DIR *d;

    (void)pid;
    if (uid != use->uid)
        return;
    d = opendir(fds);
    if (!d) {
        use->hidden++;
        return;
    }
    while ((e = readdir(d))) {
        char target[64];
        ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof(target));

        if (n < 0 ||
            !str_starts(str_n(target, (size_t)n), STR("anon_inode:inotify")))
            continue;
        use->instances++;
        use->watches += watches_of(dir, e->d_name);
    }
    closedir(d);
}

/* Of a limit and what is used of it. */
static void
judge_inotify(struct host_check *c, const char *what, uint64_t limit,
              uint64_t used, uint64_t need, uint64_t calm)
{
    uint64_t room = limit > used ? limit - used : 0;

    host_note(c, "%s: limit %llu, %llu in use", what, (unsigned long long)limit,
              (unsigned long long)used);
    if (room < need)
        host_blame(c, HOST_FAIL, "MT-HOST-INOTIFY",
                   "inotify %s %llu (%llu in use): pods would end with \"too "
                   "many open files\".",
                   what, (unsigned long long)limit, (unsigned long long)used);
    else if (room < calm)
        host_blame(c, HOST_WARN, "MT-HOST-INOTIFY",
                   "inotify %s %llu (%llu in use): enough for one cluster, "
                   "not for several.",
                   what, (unsigned long long)limit, (unsigned long long)used);
}

void
host_check_inotify(struct host *h, struct step_run *run, struct host_check *c)
{
    struct inotify_use use = {.uid = 0};
    uint64_t instances, watches;

    (void)run;
    if (!host_read_u64(h, INSTANCES, &instances) ||
        !host_read_u64(h, WATCHES, &watches)) {
        host_skip(c, "the kernel does not say");
        return;
    }
    if (h->info && h->info->rootless)
        use.uid = getuid();
    host_each_process(h, count_process, &use);
    host_needed(c, "%llu instances, %llu watches free",
                (unsigned long long)h->needs->instances,
                (unsigned long long)h->needs->watches);
    host_found(c, "%llu of %llu instances, %llu of %llu watches in use",
               (unsigned long long)use.instances, (unsigned long long)instances,
               (unsigned long long)use.watches, (unsigned long long)watches);
    judge_inotify(c, "instances", instances, use.instances, h->needs->instances,
                  INSTANCES_CALM);
    judge_inotify(c, "watches", watches, use.watches, h->needs->watches,
                  WATCHES_CALM);
    if (use.hidden)
        host_note(c,
                  "%u processes of user %u could not be looked into: more may "
                  "be in use",
                  use.hidden, (unsigned)use.uid);
}

/* The two numbers of "Max open files  1024  524288  files"; "unlimited" is
 * UINT64_MAX. */
static bool
read_files_limit(struct str text, uint64_t *soft, uint64_t *hard)
{
    struct str line, word, rest;
    uint64_t *out[] = {soft, hard};
    size_t n = 0;

    while (str_next(&text, '\n', &line)) {
        if (!str_starts(line, STR("Max open files")))
            continue;
        rest = str_from(line, strlen("Max open files"));
        while (n < ARRAY_LEN(out) && str_next(&rest, ' ', &word)) {
            if (!word.n)
                continue;
            if (str_eq(word, STR("unlimited")))
                *out[n] = UINT64_MAX;
            else if (!str_to_u64(word, out[n]))
                return false;
            n++;
        }
        return n == ARRAY_LEN(out);
    }
    return false;
}

void
host_check_files(struct host *h, struct step_run *run, struct host_check *c)
{
    AUTO(buf_release) struct buf b = BUF_INIT(FILE_MAX);
    uint64_t soft, hard;

    (void)run;
    if (!host_read(h, "/proc/self/limits", &b) ||
        !read_files_limit(buf_view(&b), &soft, &hard)) {
        host_skip(c, "the kernel does not say");
        return;
    }
    host_needed(c, "%llu", (unsigned long long)h->needs->files);
    host_note(c, "soft limit %llu, hard limit %llu", (unsigned long long)soft,
              (unsigned long long)hard);
    if (hard == UINT64_MAX)
        host_found(c, "unlimited");
    else
        host_found(c, "%llu", (unsigned long long)hard);
    if (hard < h->needs->files)
        host_blame(c, HOST_WARN, "MT-HOST-NOFILE",
                   "A process may open %llu files, %llu are needed.",
                   (unsigned long long)hard,
                   (unsigned long long)h->needs->files);
}
