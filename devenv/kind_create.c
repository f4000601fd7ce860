#include "devenv/kind_create.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/kind_config.h"
#include "devenv/kind_watch.h"

#define LIMIT_MS     ((int64_t)6 * 60000)
#define CONFIG_MAX   ((size_t)1 << 20)
#define EVIDENCE_MAX ((size_t)512 << 10)

/* Writes kind's configuration into the profile's folder; its path. */
static char *
write_config(const struct kind_create *c, const char *cluster,
             struct error *err)
{
    AUTO(buf_release) struct buf text = BUF_INIT(CONFIG_MAX);
    struct kind_config_options o = {
        .name = cluster, .template_name = c->template_name, .image = c->image};
    char *path = file_join(c->profile->dir, "kind.yaml");

    if (kind_config_render(&o, &text, err) &&
        file_write(path, buf_view(&text), 0600, err))
        return path;
    free(path);
    return NULL;
}

/* From here on a container of that name is ours. */
static bool
declare(const struct kind_create *c, struct step_run *run, struct error *err)
{
    struct profile *p = c->profile;
    AUTO(mem_free_ptr) char *now = mem_printf("%lld", (long long)time(NULL));

    unlink(p->kubeconfig); /* one that fits says that kind came to its end */
    kind_forget_ids(p);
    profile_set_fact(p, KIND_FACT_ADOPTED, NULL);
    profile_set_fact(p, KIND_FACT_INTENT, now);
    return kind_note_network(c->docker, p, true, run, err) &&
           profile_save(p, err);
}

/* Everything the environment could change about where kind works is said. */
static bool
run_kind(const struct kind_create *c, const char *cluster, const char *config,
         struct kind_output *o, int *status, struct error *err)
{
    const char *host = docker_host(c->docker);
    AUTO(mem_free_ptr) char *docker = mem_printf("DOCKER_HOST=%s", host);
    AUTO(mem_free_ptr) char *podman = mem_printf("CONTAINER_HOST=%s", host);
    AUTO(mem_free_ptr)
    char *provider =
        mem_printf("KIND_EXPERIMENTAL_PROVIDER=%s", docker_provider(c->docker));
    AUTO(mem_free_ptr)
    char *kubeconfig = mem_printf("KUBECONFIG=%s", c->profile->kubeconfig);
    const char *const env[] = {docker,
                               docker_is_podman(c->docker) ? podman
                                                           : "CONTAINER_HOST=",
                               provider,
                               kubeconfig,
                               "DOCKER_CONTEXT=",
                               "KIND_CLUSTER_NAME=",
                               "KIND_EXPERIMENTAL_DOCKER_NETWORK=",
                               "TERM=dumb",
                               "NO_COLOR=1",
                               NULL};
    const char *const argv[] = {
        c->kind,  "create",       "cluster",
        "--name", cluster,        "--config",
        config,   "--kubeconfig", c->profile->kubeconfig,
        "--wait", "0s",           "--retain",
        NULL};
    struct step_program program = {.argv = argv,
                                   .env = env,
                                   .limit_ms =
                                       c->limit_ms ? c->limit_ms : LIMIT_MS,
                                   .on_line = kind_output_line,
                                   .arg = o};

    return step_program(o->run, &program, status, NULL, err);
}

/* What the nodes said last goes to the log and into node.log. */
static void
keep_evidence(const struct kind_create *c, const struct kind_cluster *k,
              struct step_run *run)
{
    AUTO(buf_release) struct buf text = BUF_INIT(EVIDENCE_MAX);
    AUTO(mem_free_ptr) char *path = file_join(c->profile->dir, "node.log");
    struct str rest, line;

    for (size_t i = 0; i < k->nodes.n; i++)
        kind_evidence(c->docker, k->nodes.v[i].name, run, &text);
    if (!text.n)
        return;
    rest = buf_view(&text);
    while (rest.n && str_next(&rest, '\n', &line))
        step_log(run, line);
    file_write(path, buf_view(&text), 0600, NULL);
}

/* kind ended well, or not: what is there now belongs to the profile. */
static bool
after(const struct kind_create *c, bool ok, struct step_run *run,
      struct error *err)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct kind_cluster k;
    struct step_run quiet = {.loop = run->loop}; /* also after a stop */

    if (!kind_look(c->docker, c->profile, &quiet, a, &k, err) ||
        !kind_note_network(c->docker, c->profile, false, &quiet, err))
        return false;
    if (!ok) {
        keep_evidence(c, &k, run);
        return kind_own_half(&k, c->profile, err);
    }
    if (k.state != KIND_RUNNING || !k.ours) {
        AUTO(buf_release) struct buf text = BUF_INIT(4096);

        kind_describe(&k, &text);
        error_set(err, ERR_IO, "kind ended well, but %s", buf_cstr(&text));
        error_remedy(err, "MT-KIND", "meshtop up again: it repairs.");
        return false;
    }
    return chmod(c->profile->kubeconfig, 0600) == 0
               ? kind_own(&k, false, c->profile, err)
               : error_errno(err, ERR_IO, "%s", c->profile->kubeconfig);
}

static bool
create(const struct kind_create *c, const char *cluster, const char *config,
       struct step_run *run, struct error *err)
{
    AUTO(kind_output_release) struct kind_output o;
    struct kind_watch w;
    int status = 0;

    kind_output_init(&o, run);
    if (!kind_watch_begin(&w, c->docker, cluster, &o, run, err))
        return false;
    bool ok = run_kind(c, cluster, config, &o, &status, err);

    kind_watch_end(&w, run);
    if (w.fatal.code) {
        if (err)
            *err = w.fatal;
        return false;
    }
    return ok && (status == 0 || kind_output_error(&o, status, err));
}

bool
kind_create(const struct kind_create *c, struct step_run *run,
            struct error *err)
{
    char cluster[KIND_NAME_SIZE];
    AUTO(mem_free_ptr) char *config = NULL;

    kind_cluster_name(c->profile->name, cluster);
    config = write_config(c, cluster, err);
    if (!config || !declare(c, run, err))
        return false;
    bool ok = create(c, cluster, config, run, err);

    if (ok)
        return after(c, true, run, err);
    after(c, false, run, NULL);
    return false;
}
