/*
 * The steps of `up` that make a Kind cluster: the image of its nodes, the
 * program, the cluster, its nodes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/process.h"

#include "lib/kube/client.h"

#include "devenv/crossplane_steps.h"
#include "devenv/docker_image.h"
#include "devenv/failure.h"
#include "devenv/kind_create.h"
#include "devenv/kind_image.h"
#include "devenv/lock.h"
#include "devenv/tool.h"
#include "devenv/up_steps.h"

#define API_LIMIT_MS   60000
#define API_REQUEST_MS 3000
#define PAUSE_MS       250
#define IMAGE_BYTES    ((uint64_t)400000000)
#define WHY_BYTES      1024

static struct profile *
profile_of(struct up *up)
{
    return &up->env->profile;
}

/* Is there a cluster that needs neither image nor program? */
static bool
is_made(struct up *up, struct step_run *run)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct kind_cluster c;

    return kind_look(up->docker, profile_of(up), run, a, &c, NULL) &&
           (c.ours || c.adopted) &&
           (c.state == KIND_RUNNING || c.state == KIND_STOPPED);
}

/* ---- node-image ---- */

/* Fills up->node_image: what was asked for; else the lock's, which a mirror
 * gives where the engine has not got it already (the digest is the same). */
static bool
choose_image(struct up *up, struct step_run *run, struct error *err)
{
    const char *asked = up->options->node_image, *mirror = up_mirror(up);
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct docker_image image;
    struct docker_info info;

    if (up->node_image)
        return true;
    if (!docker_info(up->docker, run, a, &info, err))
        return false;
    up->node_image = kind_image_choose(&info, asked, NULL, err);
    if (asked || !mirror || !up->node_image ||
        docker_image(up->docker, run, up->node_image, a, &image, NULL))
        return up->node_image != NULL;
    free(up->node_image);
    up->node_image = kind_image_choose(&info, NULL, mirror, err);
    return up->node_image != NULL;
}

/* What identifies the image: its digest where it has one of that repository,
 * else its id (made or loaded here). */
static const char *
identity(const struct docker_image *i, const char *ref)
{
    const char *digest = docker_image_digest(i, ref);

    return *digest ? digest : i->id;
}

/* The reference as the lock and the profile know it. */
static char *
without_digest(const char *ref)
{
    return mem_strndup(ref, strcspn(ref, "@"));
}

static bool
pin_image(struct up *up, const struct docker_image *i, struct error *err)
{
    AUTO(mem_free_ptr) char *ref = without_digest(up->node_image);

    return lock_pin(profile_of(up), "image", ref, identity(i, up->node_image),
                    err) &&
           profile_save(profile_of(up), err);
}

static bool
is_pinned(struct up *up, const struct docker_image *i)
{
    AUTO(mem_free_ptr) char *ref = without_digest(up->node_image);
    AUTO(mem_free_ptr) char *key = mem_printf("image/%s", ref);
    const char *known = profile_fact(profile_of(up), key);

    return known && strcmp(known, identity(i, up->node_image)) == 0;
}

enum step_verdict
up_node_image_check(void *context, struct step_run *run)
{
    struct up *up = context;
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct docker_image image;
    struct error why = {0};

    if (is_made(up, run)) {
        step_detail(run, "the nodes are there");
        return STEP_IS_DONE;
    }
    if (!choose_image(up, run, &why) ||
        !docker_image(up->docker, run, up->node_image, a, &image, &why)) {
        step_detail(run, "%s",
                    why.code == ERR_NOT_FOUND ? "not there" : why.msg);
        return STEP_IS_TODO;
    }
    step_detail(run, "%s", up->node_image);
    return is_pinned(up, &image) ? STEP_IS_DONE : STEP_IS_TODO;
}

/* The profile remembers what it pulled: `down --purge` may remove it. */
static bool
pull_image(struct up *up, struct arena *a, struct docker_image *out,
           struct step_run *run, struct error *err)
{
    AUTO(mem_free_ptr) char *key = mem_printf("pulled/%s", up->node_image);

    if (!docker_pull(up->docker, run, up->node_image, NULL, a, NULL, err) ||
        !docker_image(up->docker, run, up->node_image, a, out, err))
        return false;
    profile_set_fact(profile_of(up), key, out->id);
    return true;
}

bool
up_node_image(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct docker_image image;
    struct error why = {0};

    if (!choose_image(up, run, err))
        return false;
    if (!docker_image(up->docker, run, up->node_image, a, &image, &why)) {
        if (why.code != ERR_NOT_FOUND) {
            if (err)
                *err = why;
            return false;
        }
        if (!pull_image(up, a, &image, run, err))
            return error_wrap(err, "node image %s", up->node_image);
        engine_note_pull(&up->env->profile, up->node_image);
    }
    step_detail(run, "%s", up->node_image);
    return pin_image(up, &image, err);
}

uint64_t
up_node_image_bytes(void *context UNUSED)
{
    return IMAGE_BYTES;
}

void
up_node_image_inputs(void *context, struct buf *out)
{
    const struct up *up = context;
    const struct up_options *o = up->options;

    buf_printf(out, "%s %s", o->node_image ? o->node_image : "lock",
               o->registry_mirror ? o->registry_mirror : "");
}

/* ---- kind ---- */

/* kind does all it does through the engine's command-line program. */
static bool
engine_program(const struct up *up, struct error *err)
{
    const char *name = docker_provider(up->docker);
    AUTO(mem_free_ptr) char *path = process_find(name);

    if (path)
        return true;
    error_set(err, ERR_NOT_FOUND,
              "kind needs the program \"%s\", and it is not on PATH", name);
    if (err)
        failure_remedy(err, "MT-DOCKER-CLI");
    return false;
}

static void
use_tool(struct up *up, struct tool *t, struct step_run *run)
{
    free(up->kind);
    up->kind = mem_strdup(t->path);
    step_detail(run, "kind %s, %s", t->version, t->path);
    tool_release(t);
}

/* Fills up->kind, fetching it if need be. */
static bool
need_kind(struct up *up, struct step_run *run, struct error *err)
{
    struct tool t = {0};

    if (up->kind)
        return true;
    if (!engine_program(up, err) ||
        !tool_ensure(run, profile_of(up), "kind", NULL, &t, err))
        return false;
    use_tool(up, &t, run);
    return profile_save(profile_of(up), err);
}

enum step_verdict
up_kind_tool_check(void *context, struct step_run *run)
{
    struct up *up = context;
    struct tool t = {0};
    struct error why = {0};

    if (is_made(up, run)) {
        step_detail(run, "not needed, the cluster is there");
        return STEP_IS_DONE;
    }
    if (!engine_program(up, &why) || !tool_check(run, "kind", &t, &why)) {
        step_detail(run, "%s", why.msg);
        return STEP_IS_TODO;
    }
    if (t.source == TOOL_NONE) {
        step_detail(run, "%s", *t.why ? t.why : "not there");
        tool_release(&t);
        return STEP_IS_TODO;
    }
    use_tool(up, &t, run);
    return STEP_IS_DONE;
}

bool
up_kind_tool(void *context, struct step_run *run, struct error *err)
{
    return need_kind(context, run, err);
}

uint64_t
up_kind_tool_bytes(void *context UNUSED)
{
    return tool_bytes("kind");
}

/* ---- cluster ---- */

/* One question; why not into the run's detail. */
static bool
api_answers(struct up *up, struct step_run *run)
{
    struct kube_request r = {
        .verb = KUBE_RAW_GET, .path = "/readyz", .timeout_ms = API_REQUEST_MS};
    AUTO(kube_access_free_ptr) struct kube_access *access = NULL;
    AUTO(kube_client_free_ptr) struct kube_client *client = NULL;
    struct error why = {0};

    access = kube_access_open(profile_of(up)->kubeconfig, NULL, &why);
    if (access)
        client = kube_client_new(run->loop, access, NULL, &why);
    if (client && kube_client_wait(client, &r, NULL, &why))
        return true;
    step_detail(run, "the API does not answer yet: %s",
                why.http ? "it is starting" : why.msg);
    return false;
}

/* Until the API answers; at once when a node has ended. */
static bool
wait_for_api(struct up *up, struct step_run *run, struct error *err)
{
    int64_t tries = API_LIMIT_MS / PAUSE_MS;

    for (;;) {
        AUTO(arena_free_ptr) struct arena *a = arena_new();
        AUTO(buf_release) struct buf text = BUF_INIT(WHY_BYTES);
        bool answers = api_answers(up, run);
        struct kind_cluster c;

        if (!kind_look(up->docker, profile_of(up), run, a, &c, err))
            return false;
        kind_describe(&c, &text);
        if (answers) {
            step_detail(run, "%s", buf_cstr(&text));
            return true;
        }
        if (tries-- && c.state == KIND_RUNNING) {
            if (!step_pause(run, PAUSE_MS, err))
                return false;
            continue;
        }
        error_set(err, ERR_TIMEOUT, "the Kubernetes API does not answer (%s)",
                  buf_cstr(&text));
        if (err)
            failure_remedy(err, "MT-KUBEADM");
        return false;
    }
}

static bool
make(struct up *up, struct step_run *run, struct error *err)
{
    struct kind_create c = {.docker = up->docker,
                            .profile = profile_of(up),
                            .template_name = up->options->cluster};

    if (!choose_image(up, run, err) || !need_kind(up, run, err))
        return false;
    c.kind = up->kind;
    c.image = up->node_image;
    return kind_create(&c, run, err) && wait_for_api(up, run, err);
}

/* The nodes are whole: starts what does not run, and connects. */
static bool
revive(struct up *up, const struct kind_cluster *c, struct arena *a,
       struct step_run *run, struct error *err)
{
    struct profile *p = profile_of(up);
    bool adopt = !c->ours;
    struct kind_cluster now = *c;

    if (!kind_start(up->docker, c, run, err) ||
        (c->state == KIND_STOPPED &&
         !kind_look(up->docker, p, run, a, &now, err)) ||
        (!kind_kubeconfig_fits(&now, p) &&
         !kind_kubeconfig(up->docker, &now, p, run, err)) ||
        !kind_own(&now, adopt, p, err))
        return false;
    return wait_for_api(up, run, err);
}

static bool
redo(struct up *up, struct step_run *run, struct error *err)
{
    step_log(run, STR("what is there is not whole: removed, made again"));
    return kind_remove(up->docker, profile_of(up), run, err) &&
           make(up, run, err);
}

enum step_verdict
up_kind_cluster_check(void *context, struct step_run *run)
{
    struct up *up = context;
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    AUTO(buf_release) struct buf text = BUF_INIT(WHY_BYTES);
    const struct profile *p = profile_of(up);
    struct kind_cluster c;
    struct error why = {0};

    if (!kind_look(up->docker, p, run, a, &c, &why)) {
        step_detail(run, "%s", why.msg);
        return STEP_IS_TODO;
    }
    if (c.state == KIND_RUNNING && (c.ours || c.adopted) &&
        !profile_fact(p, KIND_FACT_INTENT) && kind_kubeconfig_fits(&c, p) &&
        api_answers(up, run)) {
        step_detail(run, "%s", c.name);
        return STEP_IS_DONE;
    }
    kind_describe(&c, &text);
    step_detail(run, "%s", buf_cstr(&text));
    return c.state == KIND_ABSENT ? STEP_IS_TODO : STEP_IS_BROKEN;
}

bool
up_kind_cluster(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct kind_cluster c;
    struct error why = {0};

    if (!kind_look(up->docker, profile_of(up), run, a, &c, err))
        return false;
    if (c.state == KIND_ABSENT)
        return make(up, run, err);
    if (!c.ours && !c.adopted && !up->options->adopt)
        return kind_foreign(&c, err);
    if (c.state != KIND_HALF && revive(up, &c, a, run, &why))
        return true;
    if (c.state == KIND_HALF && !c.ours)
        return kind_foreign(&c, err);
    if (c.state != KIND_HALF && (!c.ours || step_cancelled(run, NULL))) {
        if (err)
            *err = why;
        return false;
    }
    return redo(up, run, err);
}

bool
up_kind_cluster_undo(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;

    return kind_remove(up->docker, profile_of(up), run, err);
}
