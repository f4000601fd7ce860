#include "devenv/host.h"

#include <ctype.h>
#include <dirent.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/docker.h"
#include "devenv/failure.h"
#include "devenv/host_check.h"

#define FILE_MAX   ((size_t)1 << 20)
#define INODES_LOW 10000
#define GIB        ((uint64_t)1 << 30)
#define MIB        ((uint64_t)1 << 20)
#define GB         ((uint64_t)1000000000)

/* A machine sold with 4 GiB shows some 3.6: firmware and kernel keep the
 * rest, so the memory rows ask for an eighth less than they say. */
static const struct host_needs needs[] = {
    {"sandbox", 1, GIB / 2, GIB, 0, 0, GB / 5, GB, 0, 0, 256},
    {"kind", 2, 4 * GIB, 6 * GIB, 8 * GB, 15 * GB, GB / 2, 2 * GB, 40, 8192,
     4096},
    {"context", 1, GIB / 2, GIB, 0, 0, GB / 5, GB, 0, 0, 256},
};

/* clang-format off */
const struct host_row host_rows[] = {
    {"engine", "container engine", "kind", NULL, host_check_engine},
    {"cpus", "processors", NULL, "engine", host_check_cpus},
    {"memory", "memory", NULL, "engine", host_check_memory},
    {"swap", "swap", "kind", NULL, host_check_swap},
    {"arch", "architecture", "kind", "engine", host_check_arch},
    {"disk", "disk for images", "kind", "engine", host_check_disk},
    {"cgroup", "control groups", "kind", "engine", host_check_cgroup},
    {"rootless", "rootless rights", "kind", "engine", host_check_rootless},
    {"inotify", "file watches", "kind", "engine", host_check_inotify},
    {"files", "open files", NULL, NULL, host_check_files},
    {"ports", "ports", "kind", "engine", host_check_ports},
    {"proxy", "proxy", "kind context", NULL, host_check_proxy},
    {"tools", "programs", "kind context", "engine", host_check_tools},
    {"network", "network", "kind context", "engine tools", host_check_network},
    {"clock", "clock", "kind context", "network", host_check_clock},
    {"folders", "folders", NULL, NULL, host_check_folders},
    {"kubeconfig", "kubeconfig", "kind context", NULL, host_check_kubeconfig},
    {"terminal", "terminal", NULL, NULL, host_check_terminal},
    {0},
};
/* clang-format on */

const struct host_row *
host_row_find(const char *id)
{
    for (const struct host_row *r = host_rows; r->id; r++) {
        if (strcmp(r->id, id) == 0)
            return r;
    }
    return NULL;
}

bool
host_row_is_for(const struct host_row *r, const char *engine)
{
    struct str name, rest = str_of(r->engines);

    if (!r->engines)
        return true;
    while (str_next(&rest, ' ', &name)) {
        if (str_eqz(name, engine))
            return true;
    }
    return false;
}

const struct host_needs *
host_needs_of(const char *engine)
{
    for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
        if (strcmp(needs[i].engine, engine) == 0)
            return &needs[i];
    }
    return &needs[0];
}

void
host_open(struct host *h, const struct host_options *o)
{
    *h = (struct host){.o = o, .arena = arena_new()};
    h->needs =
        o->needs ? o->needs : host_needs_of(o->engine ? o->engine : "kind");
}

void
host_use(struct host *h, struct docker *d, struct step_run *run)
{
    struct docker_info *info = arena_alloc(h->arena, sizeof(*info));
    struct error err = {0};

    h->docker = d;
    h->borrowed = true;
    if (docker_info(d, run, h->arena, info, &err))
        h->info = info;
}

void
host_release(struct host *h)
{
    if (!h->borrowed)
        docker_free(h->docker);
    arena_free(h->arena);
    *h = (struct host){0};
}

void
host_run(struct host *h, const struct host_row *r, struct step_run *run,
         struct host_check *c)
{
    *c = (struct host_check){.verdict = HOST_OK};
    r->fn(h, run, c);
}

void
host_check_release(struct host_check *c)
{
    strlist_release(&c->evidence);
    *c = (struct host_check){0};
}

const char *
host_verdict_name(enum host_verdict v)
{
    static const char *const words[] = {
        [HOST_OK] = "ok",
        [HOST_WARN] = "warn",
        [HOST_FAIL] = "fail",
        [HOST_SKIPPED] = "skipped",
    };

    return words[v];
}

/* ---- saying ---- */

/* printf into a member of a check. */
#define FORMAT_INTO(member, fmt)                                               \
    do {                                                                       \
        va_list ap;                                                            \
        va_start(ap, fmt);                                                     \
        vsnprintf(member, sizeof(member), fmt, ap);                            \
        va_end(ap);                                                            \
    } while (0)

void
host_found(struct host_check *c, const char *fmt, ...)
{
    FORMAT_INTO(c->found, fmt);
}

void
host_needed(struct host_check *c, const char *fmt, ...)
{
    FORMAT_INTO(c->needed, fmt);
}

void
host_skip(struct host_check *c, const char *fmt, ...)
{
    FORMAT_INTO(c->found, fmt);
    c->verdict = HOST_SKIPPED;
}

void
host_note(struct host_check *c, const char *fmt, ...)
{
    char line[512];

    FORMAT_INTO(line, fmt);
    strlist_add(&c->evidence, str_of(line));
}

void
host_blame(struct host_check *c, enum host_verdict v, const char *id,
           const char *fmt, ...)
{
    char sentence[sizeof(c->error.msg)];
    struct error err = {0};

    FORMAT_INTO(sentence, fmt);
    error_set(&err, ERR_LIMIT, "%s", sentence);
    failure_remedy(&err, id);
    host_blame_error(c, v, &err);
}

void
host_blame_error(struct host_check *c, enum host_verdict v,
                 const struct error *err)
{
    if (c->error.code && c->verdict >= v) {
        host_note(c, "%s", err->msg);
        return;
    }
    if (c->error.code)
        host_note(c, "%s", c->error.msg);
    c->verdict = v;
    c->error = *err;
}

void
host_gb(uint64_t bytes, char out[HOST_SIZE_LEN])
{
    snprintf(out, HOST_SIZE_LEN, "%.1f GB", (double)bytes / (double)GB);
}

void
host_gib(uint64_t bytes, char out[HOST_SIZE_LEN])
{
    if (bytes < GIB)
        snprintf(out, HOST_SIZE_LEN, "%.0f MiB", (double)bytes / (double)MIB);
    else
        snprintf(out, HOST_SIZE_LEN, "%.1f GiB", (double)bytes / (double)GIB);
}

/* ---- reading ---- */

char *
host_path(const struct host *h, const char *path)
{
    return mem_printf("%s%s", h->o->root ? h->o->root : "", path);
}

bool
host_read(const struct host *h, const char *path, struct buf *out)
{
    AUTO(mem_free_ptr) char *full = host_path(h, path);

    return file_read(full, out, NULL);
}

bool
host_read_u64(const struct host *h, const char *path, uint64_t *out)
{
    AUTO(buf_release) struct buf b = BUF_INIT(FILE_MAX);

    return host_read(h, path, &b) && str_to_u64(str_trim(buf_view(&b)), out);
}

bool
host_read_field(struct str text, const char *name, uint64_t *bytes)
{
    struct str line, key, rest;

    while (str_next(&text, '\n', &line)) {
        struct str number, unit;

        if (!str_cut(line, ':', &key, &rest) || !str_eqz(key, name))
            continue;
        str_cut(str_trim(rest), ' ', &number, &unit);
        if (!str_to_u64(number, bytes))
            return false;
        if (str_eq(unit, STR("kB")))
            *bytes *= 1024;
        return true;
    }
    return false;
}

char *
host_existing(const char *path)
{
    char *at = mem_strdup(path);
    struct stat st;

    while (stat(at, &st) != 0 && strcmp(at, "/") != 0 && strcmp(at, ".") != 0) {
        char *up = mem_strdup(dirname(at));

        free(at);
        at = up;
    }
    return at;
}

bool
host_space(const char *path, uint64_t *free_bytes, uint64_t *total,
           bool *inodes_ok)
{
    struct statvfs s;

    if (statvfs(path, &s) != 0)
        return false;
    *free_bytes = (uint64_t)s.f_bavail * s.f_frsize;
    *total = (uint64_t)s.f_blocks * s.f_frsize;
    *inodes_ok = s.f_files == 0 || s.f_favail > INODES_LOW;
    return true;
}

void
host_each_process(const struct host *h, host_process_fn *fn, void *arg)
{
    AUTO(mem_free_ptr) char *proc = host_path(h, "/proc");
    DIR *d = opendir(proc);
    struct dirent *e;

    while (d && (e = readdir(d))) {
        AUTO(mem_free_ptr) char *dir = file_join(proc, e->d_name);
        uint64_t pid;
        struct stat st;

        if (str_to_u64(str_of(e->d_name), &pid) && stat(dir, &st) == 0)
            fn(arg, dir, (pid_t)pid, st.st_uid);
    }
    if (d)
        closedir(d);
}
