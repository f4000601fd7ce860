/*
 * What down removes from a container engine: the nodes (devenv/kind.h),
 * whatever else carries the profile's label, the node image when the caches are
 * purged.
 */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/crossplane.h" /* MARK_RUN */
#include "devenv/docker_image.h"
#include "devenv/docker_network.h"
#include "devenv/down_steps.h"
#include "devenv/engine.h"
#include "devenv/kind.h"

#define PULLED "pulled/"

static bool
is_kind(const struct down *d)
{
    return strcmp(d->engine, "kind") == 0;
}

/* Did the profile make anything on an engine, or was about to? */
static bool
made(const struct down *d)
{
    const struct json *facts = d->env->profile.facts;

    for (const struct json *f = json_first(facts); f; f = json_next(f)) {
        if (str_starts(str_of(json_key(f)), STR("container/")) ||
            strcmp(json_key(f), KIND_FACT_INTENT) == 0 ||
            strcmp(json_key(f), KIND_FACT_ADOPTED) == 0 ||
            strcmp(json_key(f), KIND_FACT_NETWORK) == 0)
            return true;
    }
    return false;
}

bool
down_needs_engine(const struct down *d)
{
    return is_kind(d) && !d->docker && d->made;
}

/* The ids of all containers that have the label, into out. */
static bool
container_ids(struct down *d, const char *label, struct step_run *run,
              struct strlist *out, struct error *err)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct docker_containers all;

    if (!docker_containers(d->docker, run, label, a, &all, err))
        return false;
    for (size_t i = 0; i < all.n; i++)
        strlist_add(out, str_of(all.v[i].id));
    return true;
}

static char *
cluster_label(const struct down *d)
{
    char name[KIND_NAME_SIZE];

    kind_cluster_name(d->env->profile.name, name);
    return mem_printf("%s=%s", KIND_LABEL_CLUSTER, name);
}

static char *
run_label(const struct down *d)
{
    return mem_printf("%s=%s", MARK_RUN, d->env->profile.name);
}

void
down_look_kind(struct down *d, struct step_run *run)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    AUTO(mem_free_ptr) char *label = cluster_label(d);
    struct kind_cluster c;

    if (!is_kind(d))
        return;
    d->made = made(d);
    d->docker = engine_docker(&d->env->profile, run, &d->no_docker);
    if (!d->docker ||
        !kind_look(d->docker, &d->env->profile, run, a, &c, &d->no_docker))
        return;
    if (!c.ours || c.adopted)
        container_ids(d, label, run, &d->foreign, NULL);
}

/* ---- looking ---- */

/* "container X" as kind_leftovers says, with the command that removes it. */
static void
add_leftover(struct audit *out, const char *what)
{
    static const struct {
        const char *sort, *command;
    } rows[] = {{"container ", "docker rm -f -v"},
                {"network ", "docker network rm"},
                {"volume ", "docker volume rm"}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str name, rest, sort = str_of(rows[i].sort);

        if (!str_starts(str_of(what), sort))
            continue;
        str_cut(str_from(str_of(what), sort.n), ' ', &name, &rest);
        AUTO(mem_free_ptr)
        char *command = mem_printf("%s %.*s", rows[i].command, STR_ARG(name));

        audit_add(out, false, command, "%s", what);
    }
}

/* What has our label; nodes that came after kind_remove (a program that a
 * killed run left made them) are ours too, unless they were somebody else's
 * from the start. */
static void
add_containers(struct down *d, const char *label, struct step_run *run,
               struct audit *out)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct docker_containers all;

    if (!docker_containers(d->docker, run, label, a, &all, NULL))
        return;
    for (size_t i = 0; i < all.n; i++) {
        AUTO(mem_free_ptr)
        char *what = mem_printf("container %s", all.v[i].name);
        bool there = strlist_has(&d->foreign, str_of(all.v[i].id));

        for (size_t k = 0; k < out->n && !there; k++)
            there = strcmp(out->v[k].what, what) == 0;
        if (!there)
            add_leftover(out, what);
    }
}

static void
add_volumes(struct down *d, const char *label, struct step_run *run,
            struct audit *out)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct docker_volumes all;

    if (!docker_volumes(d->docker, run, label, a, &all, NULL))
        return;
    for (size_t i = 0; i < all.n; i++) {
        AUTO(mem_free_ptr) char *what = mem_printf("volume %s", all.v[i].name);

        add_leftover(out, what);
    }
}

void
down_audit_kind(struct down *d, struct step_run *run, struct audit *out)
{
    AUTO(strlist_release) struct strlist list = {0};
    AUTO(mem_free_ptr) char *cluster = cluster_label(d);
    AUTO(mem_free_ptr) char *label = run_label(d);
    AUTO(mem_free_ptr)
    char *command = mem_printf("docker ps -a --filter label=%s", cluster);
    struct error why = d->no_docker;

    if (!is_kind(d) || (!d->docker && !d->made))
        return;
    if (!d->docker ||
        !kind_leftovers(d->docker, &d->env->profile, run, &list, &why)) {
        audit_add(out, true, command, "containers (%s)", why.msg);
        return;
    }
    for (size_t i = 0; i < list.n; i++)
        add_leftover(out, list.v[i]);
    add_containers(d, cluster, run, out);
    add_containers(d, label, run, out);
    add_volumes(d, label, run, out);
}

/* ---- removing ---- */

bool
down_nodes(void *context, struct step_run *run, struct error *err)
{
    struct down *d = context;
    struct error why = d->no_docker;

    if (!d->guest)
        env_disconnect(d->env);
    if (!d->docker && !d->made) {
        step_detail(run, "no container was made");
        return true;
    }
    if (d->docker && kind_remove(d->docker, &d->env->profile, run, &why)) {
        if (d->foreign.n)
            step_detail(run, "the cluster is not ours: it stays");
        return true;
    }
    d->unproven = true;
    return down_forgive(d, run, &why, err);
}

bool
down_extras(void *context, struct step_run *run, struct error *err)
{
    struct down *d = context;
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    AUTO(strlist_release) struct strlist ids = {0};
    AUTO(mem_free_ptr) char *label = run_label(d);
    struct docker_volumes volumes = {0};
    struct error why = d->no_docker;
    if (!d->docker && !d->made)
        return true;
    bool ok = d->docker && container_ids(d, label, run, &ids, &why);

    for (size_t i = 0; ok && i < ids.n; i++)
        ok = docker_delete(d->docker, run, ids.v[i], &why);
    ok = ok && docker_volumes(d->docker, run, label, a, &volumes, &why);
    for (size_t i = 0; ok && i < volumes.n; i++)
        ok = docker_volume_delete(d->docker, run, volumes.v[i].name, &why);
    if (ok)
        step_detail(run, "%zu containers, %zu volumes", ids.n, volumes.n);
    return ok || down_forgive(d, run, &why, err);
}

void
down_purge_images(struct down *d, struct step_run *run)
{
    const struct json *facts = d->env->profile.facts;

    for (const struct json *f = json_first(facts); f && d->docker;
         f = json_next(f)) {
        struct str key = str_of(json_key(f));
        AUTO(arena_free_ptr) struct arena *a = arena_new();
        const char *ref = key.s + strlen(PULLED);
        struct docker_image image;

        if (!str_starts(key, STR(PULLED)) ||
            !docker_image(d->docker, run, ref, a, &image, NULL))
            continue;
        /* In use by somebody: it stays. */
        if (docker_image_delete(d->docker, run, ref, NULL))
            d->freed += (uint64_t)image.size;
        else
            strlist_addf(&d->stays, "image %s (in use)", ref);
    }
}
