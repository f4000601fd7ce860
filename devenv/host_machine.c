/* What the machine and its engine have: processors, memory, disk, kernel. */
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/base/mem.h"

#include "devenv/docker.h"
#include "devenv/host_check.h"

#define FILE_MAX      ((size_t)1 << 20)
#define AVAILABLE_LOW ((uint64_t)3 << 29) /* 1.5 GiB */
#define MINOR_V2_ONLY 35 /* the first Kubernetes 1.x that refuses cgroup v1 */

/* "0-3,8" has 5. */
static uint64_t
count_of_list(struct str list)
{
    struct str part, from, to;
    uint64_t n = 0, a, b;

    while (str_next(&list, ',', &part)) {
        bool range = str_cut(part, '-', &from, &to);

        if (!str_to_u64(from, &a))
            return 0;
        b = a;
        if (range && (!str_to_u64(to, &b) || b < a))
            return 0;
        n += b - a + 1;
    }
    return n;
}

void
host_check_cpus(struct host *h, struct step_run *run, struct host_check *c)
{
    AUTO(buf_release) struct buf b = BUF_INIT(FILE_MAX);
    uint64_t n = 0;

    (void)run;
    if (host_read(h, "/sys/devices/system/cpu/online", &b))
        n = count_of_list(str_trim(buf_view(&b)));
    if (!n && !h->o->root)
        n = (uint64_t)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1);
    if (n)
        host_note(c, "this machine has %llu", (unsigned long long)n);
    if (h->info && h->info->cpus > 0) {
        host_note(c, "the engine has %lld", (long long)h->info->cpus);
        n = (uint64_t)h->info->cpus;
    }
    if (!n) {
        host_skip(c, "cannot be counted here");
        return;
    }
    host_needed(c, "%d", h->needs->cpus);
    host_found(c, "%llu", (unsigned long long)n);
    if (n < (uint64_t)h->needs->cpus)
        host_blame(c, HOST_FAIL, "MT-HOST-CPU",
                   "%s has %llu CPU%s, the mesh needs %d.",
                   h->info ? "The engine" : "This machine",
                   (unsigned long long)n, n == 1 ? "" : "s", h->needs->cpus);
}

/* Memory a machine of this nominal size shows. */
static uint64_t
shown(uint64_t nominal)
{
    return nominal - nominal / 8;
}

static void
judge_memory(struct host *h, uint64_t total, uint64_t available,
             struct host_check *c)
{
    char has[HOST_SIZE_LEN], must[HOST_SIZE_LEN], may[HOST_SIZE_LEN];
    const char *who = h->info ? "The engine" : "This machine";

    host_gib(total, has);
    host_gib(h->needs->mem_needs, must);
    host_gib(h->needs->mem_wants, may);
    host_needed(c, "%s, better %s", must, may);
    if (total < shown(h->needs->mem_needs))
        host_blame(c, HOST_FAIL, "MT-HOST-MEM",
                   "%s has %s of memory, the mesh needs %s.", who, has, must);
    else if (total < shown(h->needs->mem_wants))
        host_blame(c, HOST_WARN, "MT-HOST-MEM",
                   "%s has %s of memory, a mesh is at ease with %s.", who, has,
                   may);
    if (available && available < AVAILABLE_LOW &&
        available < h->needs->mem_needs / 2) {
        host_gib(available, has);
        host_blame(c, HOST_WARN, "MT-HOST-MEM",
                   "Only %s of memory are free now: other programs have the "
                   "rest.",
                   has);
    }
}

void
host_check_memory(struct host *h, struct step_run *run, struct host_check *c)
{
    AUTO(buf_release) struct buf b = BUF_INIT(FILE_MAX);
    uint64_t total = 0, available = 0;
    char has[HOST_SIZE_LEN], rest[HOST_SIZE_LEN];

    (void)run;
    if (host_read(h, "/proc/meminfo", &b)) {
        host_read_field(buf_view(&b), "MemTotal", &total);
        host_read_field(buf_view(&b), "MemAvailable", &available);
    }
    if (total) {
        host_gib(total, has);
        host_gib(available, rest);
        host_note(c, "this machine has %s, %s available", has, rest);
        host_found(c, "%s, %s available", has, rest);
    }
    if (h->info && h->info->mem_bytes > 0) {
        uint64_t own = total;

        total = (uint64_t)h->info->mem_bytes;
        host_gib(total, has);
        host_note(c, "the engine has %s", has);
        if (total < own - own / 16 || !own) { /* a virtual machine's share */
            host_found(c, "%s in the engine", has);
            available = 0;
        }
    }
    if (total)
        judge_memory(h, total, available, c);
    else
        host_skip(c, "/proc/meminfo says nothing");
}

void
host_check_swap(struct host *h, struct step_run *run, struct host_check *c)
{
    AUTO(buf_release) struct buf b = BUF_INIT(FILE_MAX);
    uint64_t total = 0, left = 0;
    char has[HOST_SIZE_LEN], used[HOST_SIZE_LEN];

    (void)run;
    if (!host_read(h, "/proc/meminfo", &b) ||
        !host_read_field(buf_view(&b), "SwapTotal", &total)) {
        host_skip(c, "/proc/meminfo says nothing");
        return;
    }
    host_read_field(buf_view(&b), "SwapFree", &left);
    if (!total) {
        host_found(c, "none; kind needs none");
        return;
    }
    host_gib(total, has);
    host_gib(total - MIN(left, total), used);
    host_found(c, "%s, %s in use; kind's nodes run with it", has, used);
}

void
host_check_arch(struct host *h, struct step_run *run, struct host_check *c)
{
    static const char *const good[] = {"x86_64", "amd64", "aarch64", "arm64"};
    const char *machine = h->o->machine;
    struct utsname u;

    (void)run;
    if (!machine && uname(&u) == 0)
        machine = u.machine;
    if (h->info && *h->info->arch) {
        host_note(c, "the engine runs on %s", h->info->arch);
        machine = h->info->arch;
    }
    host_needed(c, "x86_64 or aarch64");
    host_found(c, "%s", machine ? machine : "unknown");
    for (size_t i = 0; machine && i < ARRAY_LEN(good); i++) {
        if (strcmp(machine, good[i]) == 0)
            return;
    }
    host_blame(c, HOST_FAIL, "MT-HOST-ARCH",
               "There are no images for this machine's processor (%s).",
               machine ? machine : "unknown");
}

/* What the engine itself says takes the space. */
static void
note_engine_disk(struct host *h, struct step_run *run, struct host_check *c)
{
    struct docker_disk d;
    char a[HOST_SIZE_LEN], b[HOST_SIZE_LEN], e[HOST_SIZE_LEN];

    if (!h->docker || !docker_disk(h->docker, run, &d, NULL))
        return;
    host_gb(d.layers, a);
    host_gb(d.images_unused, b);
    host_note(c, "images %s, of that unused %s", a, b);
    host_gb(d.containers, a);
    host_gb(d.volumes, b);
    host_gb(d.build_cache, e);
    host_note(c, "containers %s, volumes %s, build caches %s", a, b, e);
}

void
host_check_disk(struct host *h, struct step_run *run, struct host_check *c)
{
    const char *dir = h->info ? h->info->root_dir : "/var/lib/docker";
    AUTO(mem_free_ptr) char *full = host_path(h, *dir ? dir : "/");
    AUTO(mem_free_ptr) char *at = host_existing(full);
    char left[HOST_SIZE_LEN], must[HOST_SIZE_LEN], may[HOST_SIZE_LEN];
    uint64_t room, total;
    bool inodes;

    if (h->info && strcmp(at, full) != 0) {
        host_skip(c, "%s is not of this machine (the engine has its own)", dir);
        return;
    }
    if (!host_space(at, &room, &total, &inodes)) {
        host_skip(c, "%s cannot be looked at", at);
        return;
    }
    host_gb(room, left);
    host_gb(h->needs->disk_needs, must);
    host_gb(h->needs->disk_wants, may);
    host_needed(c, "%s, better %s", must, may);
    host_found(c, "%s free at %s", left, at);
    if (room < h->needs->disk_needs)
        host_blame(c, HOST_FAIL, "MT-HOST-DISK", "%s free at %s, %s needed.",
                   left, at, must);
    else if (room < h->needs->disk_wants)
        host_blame(c, HOST_WARN, "MT-HOST-DISK",
                   "%s free at %s: enough for one cluster, %s are better.",
                   left, at, may);
    if (!inodes)
        host_blame(c, HOST_FAIL, "MT-HOST-DISK", "No inodes are left at %s.",
                   at);
    if (c->verdict != HOST_OK)
        note_engine_disk(h, run, c);
}

/* 34 of "kindest/node:v1.34.8@sha256:..."; 0 when the tag does not say. */
static uint64_t
minor_of(const char *image)
{
    struct str s = str_of(image), minor, tail;
    size_t at = str_find(s, STR(":v1."), 0);
    uint64_t n;

    if (at == SIZE_MAX)
        return 0;
    str_cut(str_from(s, at + 4), '.', &minor, &tail);
    return str_to_u64(minor, &n) ? n : 0;
}

static int
cgroup_version(const struct host *h)
{
    AUTO(mem_free_ptr)
    char *v2 = host_path(h, "/sys/fs/cgroup/cgroup.controllers");
    AUTO(mem_free_ptr) char *v1 = host_path(h, "/sys/fs/cgroup/memory");

    if (h->info && *h->info->cgroup_version)
        return *h->info->cgroup_version - '0';
    if (access(v2, F_OK) == 0)
        return 2;
    return access(v1, F_OK) == 0 ? 1 : 0;
}

void
host_check_cgroup(struct host *h, struct step_run *run, struct host_check *c)
{
    int version = cgroup_version(h);
    const char *image = h->o->node_image ? h->o->node_image : "";
    const char *driver = h->info ? h->info->cgroup_driver : "";

    (void)run;
    if (!version) {
        host_skip(c, "no control groups are mounted");
        return;
    }
    host_note(c, "version %d%s%s", version, *driver ? ", driver " : "", driver);
    host_found(c, "v%d%s%s%s", version, *driver ? ", " : "", driver,
               version == 1 ? ": the node is Kubernetes 1.34" : "");
    if (version != 1)
        return;
    if (h->info && h->info->rootless)
        host_blame(c, HOST_FAIL, "MT-HOST-CGROUP",
                   "A rootless engine cannot run Kubernetes on cgroup v1.");
    if (minor_of(image) >= MINOR_V2_ONLY)
        host_blame(c, HOST_FAIL, "MT-HOST-CGROUP",
                   "Kubernetes 1.35 and later do not start on cgroup v1 "
                   "(--node-image %s).",
                   image);
}

void
host_check_rootless(struct host *h, struct step_run *run, struct host_check *c)
{
    AUTO(buf_release) struct buf missing = BUF_INIT(64);
    AUTO(buf_release) struct buf have = BUF_INIT(FILE_MAX);
    unsigned uid = (unsigned)getuid();
    AUTO(mem_free_ptr)
    char *file = mem_printf("/sys/fs/cgroup/user.slice/user-%u.slice/"
                            "user@%u.service/cgroup.controllers",
                            uid, uid);

    (void)run;
    if (!h->info || !h->info->rootless) {
        host_found(c, h->info ? "the engine runs as root" : "no engine");
        if (!h->info)
            c->verdict = HOST_SKIPPED;
        return;
    }
    if (host_read(h, file, &have))
        host_note(c, "%s: %.*s", file, STR_ARG(str_trim(buf_view(&have))));
    buf_puts(&missing, h->info->cpu_limits ? "" : " cpu");
    buf_puts(&missing, h->info->mem_limits ? "" : " memory");
    buf_puts(&missing, h->info->pids_limits ? "" : " pids");
    host_needed(c, "cpu memory pids");
    host_found(c, "rootless, %s",
               missing.n ? "without all controllers" : "all controllers");
    if (missing.n)
        host_blame(c, HOST_FAIL, "MT-ROOTLESS-DELEGATE",
                   "The rootless engine has not the controllers%s.",
                   buf_cstr(&missing));
}
