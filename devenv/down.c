#include <stdio.h>
#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/docker.h"
#include "devenv/down_steps.h"
#include "devenv/engine.h"
#include "devenv/fetch.h"
#include "devenv/orphan.h"
#include "devenv/owner.h"
#include "devenv/package.h"
#include "devenv/tool.h"

#define ORPHAN_GRACE_MS 3000
#define RISK_MAX        8192

bool
down_forgive(struct down *d, struct step_run *run, const struct error *why,
             struct error *err)
{
    if (d->options->force && why->code != ERR_CANCELLED) {
        step_log(run, str_of(why->msg));
        step_detail(run, "went on: %s", why->msg);
        return true;
    }
    if (err)
        *err = *why;
    return false;
}

/* ---- steps ---- */

static enum step_verdict
check_orphans(void *context, struct step_run *run)
{
    struct down *d = context;
    struct orphan o;

    if (orphan_find(&d->env->profile, &o))
        return STEP_IS_TODO;
    step_detail(run, "none");
    return STEP_IS_DONE;
}

static bool
do_orphans(void *context, struct step_run *run, struct error *err)
{
    struct down *d = context;
    struct error why = {0};
    size_t ended;

    if (!orphan_end(&d->env->profile, ORPHAN_GRACE_MS, run, &ended, &why))
        return down_forgive(d, run, &why, err);
    step_detail(run, "%zu ended", ended);
    return true;
}

static bool
do_sandbox(void *context, struct step_run *run, struct error *err)
{
    struct down *d = context;
    struct error why = {0};
    const struct engine *engine = engine_find("sandbox", err);

    env_disconnect(d->env);
    return engine && (engine->remove(d->env, run, &why) ||
                      down_forgive(d, run, &why, err));
}

static bool
do_purge(void *context, struct step_run *run, struct error *err UNUSED)
{
    struct down *d = context;

    d->freed += tool_purge() + fetch_cache_purge();
    down_purge_images(d, run);
    step_detail(run, "%.1f MB freed", (double)d->freed / 1e6);
    return true;
}

/* The lock's file is ours until the very end. The state stays where it is the
 * only proof of what could not be looked at. */
static bool
do_files(void *context, struct step_run *run, struct error *err)
{
    struct down *d = context;
    struct profile *p = &d->env->profile;

    down_audit_cluster(d, &d->left);
    env_disconnect(d->env);
    if (d->unproven || d->left.n) {
        step_detail(run, "%s stays: it proves what is ours", p->dir);
        return true;
    }
    step_detail(run, "%s", p->dir);
    p->engine[0] = '\0';
    strlist_release(&p->packages);
    strlist_release(&p->examples);
    return file_remove_tree(p->dir, err);
}

static void
take(struct down *d, struct step_run *run, struct audit *out)
{
    audit_take(d->env, d->engine, run, out);
    down_audit_kind(d, run, out);
}

/* What still is there; the commands that remove it are the remedy. */
static bool
do_audit(void *context, struct step_run *run, struct error *err)
{
    struct down *d = context;
    AUTO(buf_release) struct buf names = BUF_INIT(700), how = BUF_INIT(460);

    take(d, run, &d->left);
    step_detail(run, "leftovers: %zu", d->left.n);
    if (!d->left.n)
        return true;
    for (size_t i = 0; i < d->left.n; i++) {
        buf_printf(&names, "%s%s", i ? ", " : "", d->left.v[i].what);
        buf_printf(&how, "%s%s", i ? "\n" : "", d->left.v[i].command);
    }
    error_set(err, ERR_CONFLICT, "%zu %s: %s", d->left.n,
              d->left.n == 1 ? "thing remains" : "things remain",
              buf_cstr(&names));
    error_remedy(err, "MT-LEFTOVER", "%s", buf_cstr(&how));
    return false;
}

static const struct step table[] = {
    {.id = "orphans",
     .title = "end what a killed run left running",
     .lane = "host",
     .usual_ms = 2,
     .check = check_orphans,
     .act = do_orphans},
    {.id = "composites",
     .title = "composite resources go, with what they stand for",
     .lane = "mesh",
     .on = "kind context adopted",
     .needs = "orphans",
     .usual_ms = 3000,
     .check = down_composites_check,
     .act = down_composites},
    {.id = "crossplane",
     .title = "packages and Crossplane go, as far as they are ours",
     .lane = "crossplane",
     .on = "context adopted",
     .needs = "composites",
     .usual_ms = 20000,
     .check = down_guest_check,
     .act = down_crossplane},
    {.id = "rest",
     .title = "whatever else has our label goes",
     .lane = "cluster",
     .on = "context adopted",
     .needs = "crossplane",
     .usual_ms = 2000,
     .check = down_guest_check,
     .act = down_rest},
    {.id = "mark",
     .title = "our mark goes",
     .lane = "cluster",
     .on = "context adopted",
     .needs = "rest",
     .usual_ms = 10,
     .check = down_guest_check,
     .act = down_mark},
    {.id = "sandbox",
     .title = "stop the control plane, remove its data",
     .lane = "cluster",
     .on = "sandbox",
     .needs = "orphans",
     .usual_ms = 100,
     .act = do_sandbox},
    {.id = "nodes",
     .title = "remove the nodes, their volumes, an empty network of ours",
     .lane = "cluster",
     .on = "kind adopted",
     .needs = "composites mark",
     .usual_ms = 3000,
     .act = down_nodes},
    {.id = "extras",
     .title = "remove what else carries the profile's label",
     .lane = "host",
     .on = "kind adopted",
     .needs = "nodes",
     .usual_ms = 20,
     .act = down_extras},
    {.id = "purge",
     .title = "free the caches",
     .lane = "host",
     .needs = "nodes",
     .usual_ms = 50,
     .act = do_purge},
    {.id = "files",
     .title = "remove the profile's files",
     .lane = "host",
     .needs = "orphans mark sandbox extras purge",
     .usual_ms = 5,
     .act = do_files},
    {.id = "audit",
     .title = "look for anything that is left",
     .lane = "host",
     .needs = "files",
     .usual_ms = 50,
     .act = do_audit},
    {0},
};

/* ---- the whole ---- */

struct down *
down_new(struct env *e, const struct down_options *o,
         const struct step_graph_options *g, struct error *err)
{
    struct step_graph_options how = *g;
    struct down *d = mem_zalloc(1, sizeof(*d));
    const char *engine = e->profile.engine;

    d->env = e;
    d->options = o;
    d->risk = BUF_INIT(RISK_MAX);
    snprintf(d->engine, sizeof(d->engine), "%s", engine);
    /* Nothing known of it: a sandbox may have been started by itself. */
    d->guest = owner_is_guest(&e->profile);
    how.engine = !*engine                                  ? "sandbox"
                 : d->guest && strcmp(engine, "kind") == 0 ? "adopted"
                                                           : d->engine;
    how.without = o->purge ? NULL : "purge";
    d->graph = steps_new(e->loop, table, d, &how, err);
    if (d->graph)
        return d;
    down_free(d);
    return NULL;
}

void
down_free(struct down *d)
{
    if (!d)
        return;
    steps_free(d->graph);
    docker_free(d->docker);
    profile_unlock(&d->env->profile);
    audit_release(&d->found);
    audit_release(&d->left);
    buf_release(&d->risk);
    strlist_release(&d->foreign);
    strlist_release(&d->leaks);
    strlist_release(&d->stays);
    free(d);
}

struct step_graph *
down_graph(struct down *d)
{
    return d->graph;
}

bool
down_begin(struct down *d, struct error *err)
{
    struct step_run run = {.loop = d->env->loop, .title = "look what there is"};

    if (!profile_lock(&d->env->profile, err))
        return false;
    down_look_kind(d, &run);
    down_look_cluster(d, &run);
    take(d, &run, &d->found);
    down_audit_cluster(d, &d->found);
    step_run_release(&run);
    return true;
}

const struct audit *
down_found(const struct down *d)
{
    return &d->found;
}

const char *
down_risk(const struct down *d)
{
    return buf_cstr(&d->risk);
}

bool
down_run(struct down *d, struct error *err)
{
    return steps_wait(d->graph, err);
}

const struct audit *
down_left(const struct down *d)
{
    return &d->left;
}

uint64_t
down_freed(const struct down *d)
{
    return d->freed;
}

const struct strlist *
down_leaks(const struct down *d)
{
    return &d->leaks;
}

const struct strlist *
down_stays(const struct down *d)
{
    return &d->stays;
}

/* ---- a part ---- */

typedef bool remove_fn(struct env *e, const char *name, struct step_run *run,
                       struct error *err);

/* Takes all names off a list that shrinks under it. */
static bool
remove_all(struct env *e, const struct strlist *list, remove_fn *fn,
           struct step_run *run, struct error *err)
{
    while (list->n) {
        AUTO(mem_free_ptr) char *name = mem_strdup(list->v[list->n - 1]);

        if (!fn(e, name, run, err))
            return false;
    }
    return true;
}

bool
down_only(struct env *e, const char *what, struct step_run *run,
          struct error *err)
{
    struct profile *p = &e->profile;
    bool packages = strcmp(what, "packages") == 0;

    if (!packages && strcmp(what, "examples") != 0)
        return error_set(err, ERR_USAGE,
                         "--only takes \"examples\" or \"packages\"");
    return profile_lock(p, err) && env_connect(e, err) &&
           remove_all(e, &p->examples, example_remove, run, err) &&
           (!packages ||
            remove_all(e, &p->packages, package_uninstall, run, err));
}
