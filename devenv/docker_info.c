/* What an engine says about itself: /info and /system/df. */
#include "lib/base/mem.h"

#include "devenv/docker_call.h"

#define DISK_MS 120000

/* DriverStatus is a list of pairs: [["Backing Filesystem","extfs"], ...]. */
static const char *
driver_status(struct arena *a, const struct json *info, const char *name)
{
    const struct json *pairs = json_get(info, "DriverStatus");

    for (const struct json *p = json_first(pairs); p; p = json_next(p)) {
        const char *key = json_string(json_item(p, 0));

        if (key && strcmp(key, name) == 0)
            return arena_strdup(a, json_string_or(json_item(p, 1), ""));
    }
    return "";
}

/* SecurityOptions: ["name=seccomp,profile=default", "name=rootless"]. */
static bool
has_option(const struct json *info, const char *option)
{
    const struct json *list = json_get(info, "SecurityOptions");

    for (const struct json *p = json_first(list); p; p = json_next(p)) {
        struct str rest = str_of(json_string_or(p, "")), piece;

        while (rest.s && str_next(&rest, ',', &piece))
            if (str_eqz(piece, option))
                return true;
    }
    return false;
}

static void
read_texts(const struct json *j, struct arena *a, struct docker_info *out)
{
    const struct {
        const char *key, **slot;
    } texts[] = {
        {"ServerVersion", &out->server_version},
        {"OperatingSystem", &out->os},
        {"OSType", &out->os_type},
        {"Architecture", &out->arch},
        {"KernelVersion", &out->kernel},
        {"Name", &out->name},
        {"Driver", &out->driver},
        {"DockerRootDir", &out->root_dir},
        {"CgroupVersion", &out->cgroup_version},
        {"CgroupDriver", &out->cgroup_driver},
        {"HttpProxy", &out->http_proxy},
        {"HttpsProxy", &out->https_proxy},
        {"NoProxy", &out->no_proxy},
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i].slot = docker_text(a, j, texts[i].key);
}

static void
read_info(const struct json *j, struct arena *a, struct docker_info *out)
{
    *out = (struct docker_info){0};
    read_texts(j, a, out);
    /* Engines older than 20.10 knew version 1 alone. */
    if (!out->cgroup_version[0])
        out->cgroup_version = "1";
    out->backing_fs = driver_status(a, j, "Backing Filesystem");
    out->containerd_store = strstr(driver_status(a, j, "driver-type"),
                                   "io.containerd.snapshotter") != NULL;
    out->cpus = docker_number(j, "NCPU");
    out->mem_bytes = docker_number(j, "MemTotal");
    out->containers = docker_number(j, "Containers");
    out->running = docker_number(j, "ContainersRunning");
    out->images = docker_number(j, "Images");
    out->rootless = has_option(j, "name=rootless");
    out->userns = has_option(j, "name=userns");
    out->selinux = has_option(j, "name=selinux");
    out->cpu_limits = json_bool(json_get(j, "CpuCfsQuota"), false);
    out->mem_limits = json_bool(json_get(j, "MemoryLimit"), false);
    out->pids_limits = json_bool(json_get(j, "PidsLimit"), false);
    out->warnings = docker_texts(a, json_get(j, "Warnings"), &out->warnings_n);
}

bool
docker_info(struct docker *d, struct step_run *run, struct arena *a,
            struct docker_info *out, struct error *err)
{
    struct docker_request q = {.path = "/info", .doing = "ask the engine"};
    AUTO(json_free_ptr) struct json *j = docker_call_json(d, run, &q, err);

    if (!j || !docker_expect(j, JSON_OBJECT, q.doing, err))
        return false;
    read_info(j, a, out);
    return true;
}

/* ---- disk ---- */

struct sum {
    uint64_t all, unused;
    size_t n;
};

/* The engine says -1 where it did not count. */
static uint64_t
bytes(const struct json *j, const char *key)
{
    return (uint64_t)MAX(docker_number(j, key), 0);
}

static struct sum
sum_of(const struct json *list, const char *size,
       bool (*used)(const struct json *))
{
    struct sum s = {0};

    for (const struct json *p = json_first(list); p; p = json_next(p)) {
        const struct json *usage = json_get(p, "UsageData");
        uint64_t n = bytes(usage ? usage : p, size);

        s.all += n;
        s.unused += used(p) ? 0 : n;
        s.n++;
    }
    return s;
}

static bool
image_used(const struct json *j)
{
    return docker_number(j, "Containers") > 0;
}

static bool
volume_used(const struct json *j)
{
    return docker_number(json_get(j, "UsageData"), "RefCount") > 0;
}

static bool
always_used(const struct json *j)
{
    (void)j;
    return true;
}

bool
docker_disk(struct docker *d, struct step_run *run, struct docker_disk *out,
            struct error *err)
{
    struct docker_request q = {.path = "/system/df",
                               .limit_ms = DISK_MS,
                               .doing = "count the engine's disk"};
    AUTO(json_free_ptr) struct json *j = docker_call_json(d, run, &q, err);
    struct sum images, containers, volumes, cache;

    if (!j || !docker_expect(j, JSON_OBJECT, q.doing, err))
        return false;
    images = sum_of(json_get(j, "Images"), "Size", image_used);
    containers = sum_of(json_get(j, "Containers"), "SizeRw", always_used);
    volumes = sum_of(json_get(j, "Volumes"), "Size", volume_used);
    cache = sum_of(json_get(j, "BuildCache"), "Size", always_used);
    *out = (struct docker_disk){
        .layers = bytes(j, "LayersSize"),
        .images_unused = images.unused,
        .containers = containers.all,
        .volumes = volumes.all,
        .volumes_unused = volumes.unused,
        .build_cache = cache.all,
        .images_n = images.n,
        .containers_n = containers.n,
        .volumes_n = volumes.n,
    };
    return true;
}
