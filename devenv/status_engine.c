/* Where the mesh runs: our own process, or a container engine's containers. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/process.h"

#include "devenv/docker_image.h"
#include "devenv/kind.h"
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

/* ---- Kind ---- */

/* Resident memory, as `docker stats` counts it: without the page cache. */
static int64_t
container_memory(struct docker *d, struct step_run *run, const char *id)
{
    AUTO(mem_free_ptr)
    char *path =
        mem_printf("/containers/%s/stats?stream=false&one-shot=true", id);
    AUTO(json_free_ptr) struct json *j = docker_get(d, run, path, NULL);
    const struct json *memory = json_get(j, "memory_stats");
    const struct json *parts = json_get(memory, "stats");
    int64_t cache =
        json_int64_or(json_get(parts, "inactive_file"),
                      json_int64_or(json_get(parts, "total_inactive_file"), 0));

    return json_int64_or(json_get(memory, "usage"), cache) - cache;
}

static void
add_container(struct probing *s, struct docker *d, struct step_run *run,
              const char *id, int64_t *ended_s)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    int64_t now = clock_wall_ms(clock_system()) / 1000;
    struct docker_container c = {0};
    struct json *j =
        json_append(json_need_array(s->doc, "containers"), json_new_object());
    bool runs;

    if (!docker_container(d, run, id, a, &c, NULL)) {
        json_set_string(j, "name", id);
        json_set_string(j, "state", "unknown");
        return;
    }
    runs = docker_is_running(&c);
    json_set_string(j, "name", c.name);
    json_set_string(j, "state", c.state);
    json_set_string(j, "image", c.image);
    json_set_int(j, "ageSeconds",
                 now - (runs ? c.started_s : MAX(c.ended_s, c.created_s)));
    if (runs)
        json_set_int(j, "memoryBytes", container_memory(d, run, id));
    else
        json_set_int(j, "exitCode", c.exit_code);
    *ended_s = runs ? *ended_s : MAX(*ended_s, c.ended_s);
}

/* The size of the image the nodes are of. */
static void
add_image(struct probing *s, struct docker *d, struct step_run *run,
          const struct docker_container *node)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct docker_image image;

    if (docker_image(d, run, node->image_id, a, &image, NULL))
        json_set_int(json_need_object(s->doc, "disk"), "imageBytes",
                     image.size);
}

static void
look_at_cluster(struct probing *s, struct docker *d, struct step_run *run)
{
    static const struct {
        const char *state, *remedy;
    } words[] = {
        [KIND_ABSENT] = {"dead", "meshtop up makes it again"},
        [KIND_STOPPED] = {"dead", "meshtop up starts it again"},
        [KIND_HALF] = {"unfinished", "meshtop up finishes it"},
        [KIND_RUNNING] = {NULL, NULL},
    };
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    AUTO(buf_release) struct buf text = BUF_INIT(1024);
    struct kind_cluster c = {0};
    struct error why = {0};
    int64_t ended_s = 0;

    if (!kind_look(d, s->ask->profile, run, a, &c, &why)) {
        probe_error(s, "engineState", &why);
        return;
    }
    for (size_t i = 0; i < c.nodes.n && !s->stop; i++)
        add_container(s, d, run, c.nodes.v[i].id, &ended_s);
    if (c.control)
        add_image(s, d, run, c.control);
    kind_describe(&c, &text);
    if (words[c.state].state)
        probe_trouble(s, TROUBLE_OF_ENGINE, words[c.state].state, ended_s,
                      buf_cstr(&text), words[c.state].remedy);
}

static void
kind(struct probing *s, struct step_run *run)
{
    struct error why = {0};
    struct docker *d = docker_open(s->ask->loop, NULL, run, &why);

    if (d) {
        look_at_cluster(s, d, run);
        docker_free(d);
        return;
    }
    probe_error(s, "engineState", &why);
    probe_trouble(s, TROUBLE_OF_ENGINE, "dead", 0, why.msg, why.remedy);
}

static const struct {
    const char *engine;
    probe_fn *fn;
} engines[] = {
    {"sandbox", sandbox},
    {"kind", kind},
};

void
probe_engine(struct probing *s, struct step_run *run)
{
    for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
        if (strcmp(engines[i].engine, s->engine) == 0)
            engines[i].fn(s, run);
    }
}
