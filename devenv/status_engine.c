/* Where the mesh runs: our own process, or a container engine's containers. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/process.h"

#include "devenv/status_probe.h"

/* ---- the sandbox ---- */

struct json *
env_status_sandbox(struct step_run *run, const char *profile, int64_t limit_ms,
                   struct error *err)
{
    AUTO(mem_free_ptr) char *self = process_self();
    const char *const argv[] = {self,   "sandbox",   "status", "-o",
                                "json", "--profile", profile,  NULL};
    struct step_program program = {.argv = argv, .limit_ms = limit_ms};
    AUTO(buf_release) struct buf out = BUF_INIT(65536);
    int code;

    if (!step_program(run, &program, &code, &out, err))
        return NULL;
    /* Not running is an answer too, with a code of its own. */
    return json_parse(buf_view(&out), NULL, err);
}

/* Resident bytes of a process of this machine; 0: not known. */
static int64_t
resident_bytes(int64_t pid)
{
    AUTO(mem_free_ptr)
    char *path = mem_printf("/proc/%lld/statm", (long long)pid);
    AUTO(buf_release) struct buf text = BUF_INIT(256);
    struct str size, rest;
    int64_t pages = 0;

    if (!file_read(path, &text, NULL))
        return 0;
    str_cut(buf_view(&text), ' ', &size, &rest);
    str_cut(rest, ' ', &size, &rest);
    return str_to_i64(size, &pages) ? pages * sysconf(_SC_PAGESIZE) : 0;
}

/* When a process that is gone last wrote: its log or its database. */
static int64_t
last_sign(const struct json *said)
{
    static const char *const keys[] = {"log", "data"};
    int64_t newest = 0;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const char *path = json_string_or(json_get(said, keys[i]), "");
        AUTO(mem_free_ptr) char *wal = mem_printf("%s-wal", path);
        struct stat st;

        if (stat(path, &st) == 0)
            newest = MAX(newest, (int64_t)st.st_mtime);
        if (stat(wal, &st) == 0)
            newest = MAX(newest, (int64_t)st.st_mtime);
    }
    return newest;
}

static void
copy_int(struct json *to, const char *key, const struct json *from,
         const char *name)
{
    int64_t n;

    if (json_int64(json_get(from, name), &n))
        json_set_int(to, key, n);
}

static void
sandbox(struct probing *s, struct step_run *run)
{
    const char *name = s->ask->profile->name;
    struct error why = {0};
    AUTO(json_free_ptr)
    struct json *said = env_status_sandbox(run, name, probe_left(s), &why);
    struct json *j = json_need_object(s->doc, "sandbox");
    int64_t pid = json_int64_or(json_get(said, "pid"), 0);
    AUTO(mem_free_ptr)
    char *remedy = mem_printf("meshtop up --profile %s", name);

    if (!said) {
        probe_error(s, "sandbox", &why);
        return;
    }
    copy_int(j, "databaseBytes", said, "databaseBytes");
    if (json_bool(json_get(said, "running"), false)) {
        copy_int(j, "pid", said, "pid");
        copy_int(j, "ageSeconds", said, "uptimeSeconds");
        copy_int(j, "objects", said, "objects");
        if (pid)
            json_set_int(j, "memoryBytes", resident_bytes(pid));
    } else {
        probe_trouble(s, TROUBLE_OF_ENGINE, "dead", last_sign(said),
                      "the sandbox's process does not run; its data is kept",
                      remedy);
    }
}

static const struct {
    const char *engine;
    probe_fn *fn;
} engines[] = {
    {"sandbox", sandbox},
};

void
probe_engine(struct probing *s, struct step_run *run)
{
    for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
        if (strcmp(engines[i].engine, s->engine) == 0)
            engines[i].fn(s, run);
    }
}
