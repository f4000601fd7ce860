/*
 * Taking a profile's Kind cluster away without the kind program, and the
 * network that all Kind clusters share.
 */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/task.h"

#include "devenv/docker_network.h"
#include "devenv/kind.h"

/* ---- frozen nodes (cgroup v1) ----
 *
 * Killing a node may kill the runc inside it while that holds the cgroup of a
 * pod frozen. A frozen process does not die, and the engine gives up after ten
 * seconds: "did not receive an exit event". So while a node is deleted, what
 * is frozen below its own cgroup is thawed again and again. cgroup v2 does not
 * need it: there a frozen process can be killed.
 */
#define FREEZER    "/sys/fs/cgroup/freezer"
#define FREEZER_FD 16
#define THAW_MS    250

static int
thaw_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    static const char file[] = "freezer.state";
    char now[16] = "";
    int fd;

    (void)st;
    if (type != FTW_F || strcmp(path + where->base, file) != 0)
        return 0;
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (read(fd, now, sizeof(now) - 1) > 0 && strncmp(now, "THAWED", 6) != 0)
        (void)!write(fd, "THAWED", 6);
    close(fd);
    return 0;
}

struct thaw {
    struct step_run run; /* of its own: it says nothing to anybody */
    char *folders[2];    /* cgroupfs and systemd name them differently */
    bool stop;
};

static void
thaw_until_stopped(void *arg)
{
    struct thaw *t = arg;

    while (!t->stop && step_pause(&t->run, THAW_MS, NULL)) {
        for (size_t i = 0; i < ARRAY_LEN(t->folders); i++)
            nftw(t->folders[i], thaw_one, FREEZER_FD, FTW_PHYS);
    }
}

static bool
delete_node(struct docker *d, const struct docker_container *n,
            struct step_run *run, struct error *err)
{
    struct thaw t = {.run = {.loop = docker_loop(d)}};
    bool freezes = file_exists(FREEZER) && *docker_socket(d);
    struct task *task = NULL;
    bool ok;

    t.folders[0] = mem_printf(FREEZER "/docker/%s", n->id);
    t.folders[1] = mem_printf(FREEZER "/system.slice/docker-%s.scope", n->id);
    if (freezes)
        task = task_start(docker_loop(d), thaw_until_stopped, &t, NULL);
    step_detail(run, "removing %s", n->name);
    ok = docker_delete(d, run, n->id, err);
    t.stop = true;
    while (task && !task_done(task))
        loop_turn(docker_loop(d), THAW_MS);
    task_free(task);
    step_run_release(&t.run);
    free(t.folders[0]);
    free(t.folders[1]);
    return ok || error_wrap(err, "removing %s", n->name);
}

/* v=1 takes anonymous volumes along; an engine that stopped between leaves
 * them. */
static bool
delete_volumes(struct docker *d, const struct docker_container *n,
               struct step_run *run, struct error *err)
{
    for (size_t i = 0; i < n->mounts_n; i++) {
        const struct docker_mount *m = &n->mounts[i];
        struct error why = {0};

        if (strcmp(m->type, "volume") != 0 || !*m->name ||
            docker_volume_delete(d, run, m->name, &why) ||
            why.code == ERR_CONFLICT)
            continue;
        if (err)
            *err = why;
        return false;
    }
    return true;
}

/* ---- the network ---- */

/* Does any container, running or not, belong to the network? */
static bool
network_used(struct docker *d, struct step_run *run, struct arena *a,
             bool *used, struct error *err)
{
    struct docker_containers all;

    if (!docker_containers(d, run, NULL, a, &all, err))
        return false;
    *used = false;
    for (size_t i = 0; i < all.n; i++) {
        for (size_t k = 0; k < all.v[i].networks_n; k++)
            *used |= strcmp(all.v[i].networks[k].key, KIND_NETWORK) == 0;
    }
    return true;
}

#define ABOUT_TO "about-to" /* the network's id is not known yet */

/* The network that p's fact speaks of, when it is empty; else NULL. */
static bool
empty_network(struct docker *d, const struct profile *p, struct step_run *run,
              struct arena *a, const struct docker_network **out,
              struct error *err)
{
    const char *made = profile_fact(p, KIND_FACT_NETWORK);
    struct docker_networks nets;
    bool used = true;

    *out = NULL;
    if (!made)
        return true;
    if (!docker_networks(d, run, KIND_NETWORK, a, &nets, err) ||
        !network_used(d, run, a, &used, err))
        return false;
    for (size_t i = 0; !used && i < nets.n; i++) {
        if (strcmp(made, nets.v[i].id) == 0 || strcmp(made, ABOUT_TO) == 0)
            *out = &nets.v[i];
    }
    return true;
}

static bool
delete_network(struct docker *d, struct profile *p, struct step_run *run,
               struct arena *a, struct error *err)
{
    const struct docker_network *net;
    struct error why = {0};

    if (!empty_network(d, p, run, a, &net, err))
        return false;
    /* Somebody came in between: it is theirs now. */
    if (net && !docker_network_delete(d, run, net->id, &why) &&
        why.code != ERR_CONFLICT) {
        if (err)
            *err = why;
        return error_wrap(err, "removing the network %s", KIND_NETWORK);
    }
    profile_set_fact(p, KIND_FACT_NETWORK, NULL);
    return true;
}

/* Did another profile of ours make the network with this id? */
static bool
made_by_sibling(const struct profile *p, const char *id)
{
    AUTO(strlist_release) struct strlist names = {0};
    bool found = false;

    if (!profile_list(&names, NULL))
        return false;
    for (size_t i = 0; i < names.n && !found; i++) {
        struct profile other;
        const char *made;

        if (strcmp(names.v[i], p->name) == 0 ||
            !profile_open(names.v[i], &other, NULL))
            continue;
        made = profile_fact(&other, KIND_FACT_NETWORK);
        found = made && strcmp(made, id) == 0;
        profile_release(&other);
    }
    return found;
}

bool
kind_note_network(struct docker *d, struct profile *p, bool before,
                  struct step_run *run, struct error *err)
{
    const char *made = profile_fact(p, KIND_FACT_NETWORK);
    struct docker_networks nets;
    struct arena *a = arena_new();
    bool ok;

    ok = docker_networks(d, run, KIND_NETWORK, a, &nets, err);
    if (ok && !nets.n)
        profile_set_fact(p, KIND_FACT_NETWORK, before ? ABOUT_TO : NULL);
    else if (ok && ((made && strcmp(made, ABOUT_TO) == 0) ||
                    made_by_sibling(p, nets.v[0].id)))
        profile_set_fact(p, KIND_FACT_NETWORK, nets.v[0].id);
    else if (ok && made && strcmp(made, nets.v[0].id) != 0)
        profile_set_fact(p, KIND_FACT_NETWORK, NULL);
    arena_free(a);
    return ok;
}

/* ---- all of it ---- */

static bool
delete_nodes(struct docker *d, struct profile *p, const struct kind_cluster *c,
             struct step_run *run, struct error *err)
{
    for (size_t i = 0; i < c->nodes.n; i++) {
        if (!delete_node(d, &c->nodes.v[i], run, err) ||
            !delete_volumes(d, &c->nodes.v[i], run, err))
            return false;
    }
    kind_forget_ids(p);
    step_detail(run, "%s: %zu node%s removed", c->name, c->nodes.n,
                c->nodes.n == 1 ? "" : "s");
    return true;
}

bool
kind_remove(struct docker *d, struct profile *p, struct step_run *run,
            struct error *err)
{
    struct kind_cluster c;
    struct arena *a = arena_new();
    bool ok = kind_look(d, p, run, a, &c, err);

    if (ok && c.ours && !c.adopted)
        ok = delete_nodes(d, p, &c, run, err);
    else if (ok && c.nodes.n)
        step_log(run, STR("the Kind cluster is not ours: it stays"));
    if (ok)
        ok = delete_network(d, p, run, a, err);
    if (ok) {
        profile_set_fact(p, KIND_FACT_INTENT, NULL);
        profile_set_fact(p, KIND_FACT_ADOPTED, NULL);
        ok = profile_save(p, err);
    }
    arena_free(a);
    return ok;
}

bool
kind_leftovers(struct docker *d, const struct profile *p, struct step_run *run,
               struct strlist *out, struct error *err)
{
    const struct docker_network *net = NULL;
    struct kind_cluster c;
    struct arena *a = arena_new();
    bool ok = kind_look(d, p, run, a, &c, err) &&
              empty_network(d, p, run, a, &net, err);

    for (size_t i = 0; ok && c.ours && !c.adopted && i < c.nodes.n; i++)
        strlist_addf(out, "container %s", c.nodes.v[i].name);
    if (ok && net)
        strlist_addf(out, "network %s (empty)", net->name);
    arena_free(a);
    return ok;
}
