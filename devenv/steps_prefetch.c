/*
 * The step "prefetch": while kubeadm brings Kubernetes up, the nodes' own
 * containerd pulls what will be asked of it next. The kubelet then finds
 * Crossplane and the functions there. What cannot be pulled is left to the
 * kubelet, whose words are the ones that count.
 */
#include "lib/base/clock.h"

#include "devenv/crossplane_steps.h"
#include "devenv/docker_exec.h"
#include "devenv/kind.h"
#include "devenv/kind_image.h"
#include "devenv/up_steps.h"

#define BOOT_LIMIT_MS 60000
#define LOOK_MS       300
/* A registry that does not answer holds nobody up for longer. */
#define PULL_LIMIT_MS 60000
/* kind restarts containerd once while it configures the node: what failed so
 * soon is tried again. */
#define TRIES   3
#define SOON_MS 3000

static bool
look(struct up *up, struct step_run *run, struct arena *a,
     struct kind_cluster *c)
{
    return kind_look(up->docker, &up->env->profile, run, a, c, NULL);
}

enum step_verdict
up_prefetch_check(void *context, struct step_run *run)
{
    struct up *up = context;
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct kind_cluster c;

    if (!up->docker || !look(up, run, a, &c) || c.state != KIND_RUNNING)
        return STEP_IS_TODO;
    step_detail(run, "the nodes are there");
    return STEP_IS_DONE;
}

/* Runs ctr in a node; true when it did what it was asked. */
static bool
ctr(struct up *up, struct step_run *run, const char *node,
    const char *const *argv)
{
    const struct docker_exec x = {.argv = argv, .limit_ms = PULL_LIMIT_MS};
    int status = 1;

    return docker_exec(up->docker, run, node, &x, &status, NULL, NULL, NULL) &&
           status == 0;
}

/* Containerd of every node answers. */
static bool
booted(struct up *up, struct step_run *run)
{
    static const char *const argv[] = {"ctr", "version", NULL};
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct kind_cluster c;

    if (!look(up, run, a, &c) || !c.nodes.n)
        return false;
    for (size_t i = 0; i < c.nodes.n; i++) {
        if (!docker_is_running(&c.nodes.v[i]) ||
            !ctr(up, run, c.nodes.v[i].id, argv))
            return false;
    }
    return true;
}

static bool
wait_for_boot(struct up *up, struct step_run *run, struct error *err)
{
    step_detail(run, "waiting for the nodes' containerd");
    for (int64_t left = BOOT_LIMIT_MS / LOOK_MS; !booted(up, run); left--) {
        if (left <= 0)
            return error_set(err, ERR_TIMEOUT, "the nodes do not answer");
        if (!step_pause(run, LOOK_MS, err))
            return false;
    }
    return true;
}

/* Nobody waits for images any more. */
static bool
is_late(const struct up *up)
{
    const struct step_run *functions = steps_find(up->graph, "functions");

    return functions &&
           (functions->state == STEP_DONE || functions->state == STEP_ALREADY);
}

static bool
pull(struct up *up, struct step_run *run, const char *node, const char *ref,
     struct error *err)
{
    const char *const argv[] = {"ctr",
                                "-n",
                                "k8s.io",
                                "images",
                                "pull",
                                "--hosts-dir",
                                "/etc/containerd/certs.d",
                                ref,
                                NULL};
    bool again = true, has = false;

    if (kind_image_in_node(up->docker, node, ref, run, &has, NULL) && has) {
        step_part(run, ref, STEP_ALREADY, "");
        return true;
    }
    step_part(run, ref, STEP_RUNNING, "");
    for (int i = 0; i < TRIES && again && !is_late(up); i++) {
        int64_t began = clock_mono_ms(clock_system());

        if (ctr(up, run, node, argv)) {
            step_part(run, ref, STEP_DONE, "");
            return true;
        }
        again = clock_mono_ms(clock_system()) - began < SOON_MS;
        if (!step_pause(run, LOOK_MS, err))
            return false;
    }
    step_part(run, ref, STEP_SKIPPED, "left to the kubelet");
    return true;
}

bool
up_prefetch(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;
    AUTO(strlist_release) struct strlist refs = {0};
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct kind_cluster c;

    if (!up_images_needed(up, &refs, err) || !wait_for_boot(up, run, err) ||
        (up_mirror(up) && !up_registry_trust(up, run, err)) ||
        !look(up, run, a, &c))
        return false;
    for (size_t i = 0; i < c.nodes.n; i++) {
        for (size_t k = 0; k < refs.n; k++) {
            step_detail(run, "%s", refs.v[k]);
            if (!pull(up, run, c.nodes.v[i].id, refs.v[k], err))
                return false;
        }
    }
    step_detail(run, "%zu images asked for", refs.n);
    return true;
}
