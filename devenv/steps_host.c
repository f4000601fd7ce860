/*
 * Steps of `up` that look at the machine first: host, ports, network. They
 * change nothing: what is wrong fails with its id before anything is made. On
 * a mesh that is up already, what has become short since then is a warning:
 * `up` repairs, it does not refuse.
 */
#include "lib/base/file.h"

#include "devenv/docker.h"
#include "devenv/host.h"
#include "devenv/kind.h"
#include "devenv/kind_config.h"
#include "devenv/up_steps.h"

#define CA_MAX    ((size_t)1 << 20)
#define HOST_ROWS "cpus memory arch disk cgroup rootless inotify files folders"
#define PORT_ROWS "ports"
#define NET_ROWS  "proxy tools network clock"

static const enum step_state state_of[] = {
    [HOST_OK] = STEP_DONE,
    [HOST_WARN] = STEP_WARNED,
    [HOST_FAIL] = STEP_FAILED,
    [HOST_SKIPPED] = STEP_SKIPPED,
};

/* Shows a result as a part of the step, its evidence in the log. */
static void
show(struct step_run *run, const struct host_row *r, const struct host_check *c)
{
    step_part(run, r->title, state_of[c->verdict],
              c->error.code ? c->error.msg : c->found);
    for (size_t i = 0; i < c->evidence.n; i++)
        step_log(run, str_of(c->evidence.v[i]));
}

/* HOST_SKIPPED as the worst: nothing is. */
static bool
is_bad(const struct host_check *c, enum host_verdict worst)
{
    return c->verdict != HOST_SKIPPED && c->verdict >= worst && c->error.code;
}

/* Runs the rows; one as bad as `worst` fails the step, the first is err. */
static bool
run_rows(struct up *up, struct step_run *run, const char *ids,
         const struct host_options *o, enum host_verdict worst,
         struct error *err)
{
    struct str id, rest = str_of(ids);
    struct error bad = {0}, odd = {0};
    struct host h;

    host_open(&h, o);
    if (up->docker)
        host_use(&h, up->docker, run);
    for (const struct host_row *r = host_rows; r->id; r++) {
        struct host_check c;

        for (rest = str_of(ids); str_next(&rest, ' ', &id);) {
            if (!str_eqz(id, r->id))
                continue;
            host_run(&h, r, run, &c);
            show(run, r, &c);
            if (is_bad(&c, worst) && !bad.code)
                bad = c.error;
            else if (c.error.code && !odd.code)
                odd = c.error;
            host_check_release(&c);
        }
    }
    host_release(&h);
    if (step_cancelled(run, err))
        return false;
    step_detail(run, "%s", odd.code ? odd.msg : "");
    if (bad.code && err)
        *err = bad;
    return !bad.code;
}

static struct host_options
options_of(const struct up *up)
{
    return (struct host_options){.engine = up->engine->name,
                                 .node_image = up->options->node_image,
                                 .mirror = up->options->registry_mirror};
}

bool
up_host(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;
    struct host_options o = options_of(up);

    /* Of a mesh that is up nothing is bad enough. */
    return run_rows(up, run, HOST_ROWS, &o,
                    profile_is_up(&up->env->profile) ? HOST_SKIPPED : HOST_FAIL,
                    err);
}

enum step_verdict
up_host_check(void *context, struct step_run *run)
{
    return up_host(context, run, NULL) ? STEP_IS_DONE : STEP_IS_TODO;
}

bool
up_ports(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;
    struct host_options o = options_of(up);
    AUTO(buf_release) struct buf ports = BUF_INIT(4096);
    char cluster[KIND_NAME_SIZE];

    kind_config_ports(up->options->cluster ? up->options->cluster
                                           : KIND_TEMPLATE_DEFAULT,
                      &ports);
    kind_cluster_name(up->env->profile.name, cluster);
    o.ports = buf_cstr(&ports);
    o.cluster = cluster;
    if (!run_rows(up, run, PORT_ROWS, &o, HOST_FAIL, err))
        return false;
    step_detail(run, "%s", ports.n ? buf_cstr(&ports) : "none is published");
    return true;
}

enum step_verdict
up_ports_check(void *context, struct step_run *run)
{
    return up_ports(context, run, NULL) ? STEP_IS_DONE : STEP_IS_TODO;
}

enum step_verdict
up_network_check(void *context, struct step_run *run)
{
    const struct up *up = context;

    if (!profile_is_up(&up->env->profile))
        return STEP_IS_TODO;
    step_detail(run, "the mesh is up: not asked");
    return STEP_IS_DONE;
}

bool
up_network(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;
    struct host_options o = options_of(up);
    AUTO(buf_release) struct buf ca = BUF_INIT(CA_MAX);

    if (up->options->registry_ca) {
        if (!file_read(up->options->registry_ca, &ca, err))
            return false;
        o.ca = buf_cstr(&ca);
    }
    return run_rows(up, run, NET_ROWS, &o, HOST_WARN, err);
}
