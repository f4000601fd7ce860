/* The step "engine" of `up`: which container engine makes the nodes. */
#include "devenv/docker.h"
#include "devenv/up_steps.h"

#define GIB (1024.0 * 1024 * 1024)

/* "Docker 20.10.24 (API 1.41, default), 8 CPUs, 24.0 GiB, cgroup v1". */
static bool
describe(struct up *up, struct step_run *run, struct error *err)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct docker *d = up->docker;
    struct docker_info info;

    if (!docker_info(d, run, a, &info, err))
        return false;
    step_detail(
        run, "%s %s at %s (%s), API %s, %lld CPU, %.1f GiB, cgroup v%s%s",
        docker_product(d), docker_version(d), docker_host(d), docker_source(d),
        docker_api(d), (long long)info.cpus, (double)info.mem_bytes / GIB,
        info.cgroup_version, info.rootless ? ", rootless" : "");
    for (size_t i = 0; i < info.warnings_n; i++)
        step_log(run, str_of(info.warnings[i]));
    return true;
}

bool
up_engine_open(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;

    if (!up->docker) {
        step_detail(run, "looking for a container engine");
        up->docker = engine_docker(&up->env->profile, run, err);
    }
    return up->docker && describe(up, run, err);
}

/* Nothing has to be made: an engine that answers is found, or there is none,
 * which the act then says. */
enum step_verdict
up_engine_check(void *context, struct step_run *run)
{
    struct error e;

    return up_engine_open(context, run, &e) ? STEP_IS_DONE : STEP_IS_TODO;
}
