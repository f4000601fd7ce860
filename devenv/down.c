/* down_run of devenv/up.h: removes what up made, and looks what is left. */
#include "devenv/down.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

#include "devenv/engine.h"

struct down {
    struct env *env;
    bool force;
    struct strlist *leftovers;
};

static bool
step_stop(void *context, struct step_run *run, struct error *err)
{
    struct down *d = context;
    struct error why = {0};
    const char *name = d->env->profile.engine;
    const struct engine *engine =
        engine_find(*name ? name : "sandbox", d->force ? &why : err);

    env_disconnect(d->env);
    if (!engine)
        return d->force;
    if (engine->remove(d->env, run, &why))
        return true;
    step_detail(run, "%s", why.msg);
    if (!d->force && err)
        *err = why;
    return d->force;
}

/* The lock's file is ours until the very end. */
static bool
step_files(void *context, struct step_run *run, struct error *err)
{
    struct down *d = context;
    struct profile *p = &d->env->profile;

    step_detail(run, "%s", p->dir);
    p->engine[0] = '\0';
    strlist_release(&p->packages);
    strlist_release(&p->examples);
    return file_remove_tree(p->dir, err);
}

/* Asks the engine, and looks at the folder. */
static bool
step_audit(void *context, struct step_run *run, struct error *err UNUSED)
{
    struct down *d = context;
    const char *const words[] = {"sandbox", "status",    "-o",
                                 "json",    "--profile", d->env->profile.name,
                                 NULL};
    AUTO(mem_free_ptr) char *said = NULL;

    if (engine_self(run, words, &said, NULL)) {
        AUTO(json_free_ptr)
        struct json *j = json_parse(str_of(said), NULL, NULL);
        int64_t pid = json_int64_or(json_get(j, "pid"), 0);

        if (json_bool(json_get(j, "running"), false))
            strlist_addf(d->leftovers, "sandbox process %lld", (long long)pid);
    }
    if (file_exists(d->env->profile.dir))
        strlist_addf(d->leftovers, "folder %s", d->env->profile.dir);
    step_detail(run, "leftovers: %zu", d->leftovers->n);
    return true;
}

static const struct step steps[] = {
    {.id = "stop",
     .title = "stop the control plane, remove its data",
     .act = step_stop},
    {.id = "files",
     .title = "remove the profile's files",
     .needs = "stop",
     .act = step_files},
    {.id = "audit",
     .title = "look for anything that is left",
     .needs = "files",
     .act = step_audit},
    {0},
};

bool
down_run(struct env *e, bool force, struct step_run *run,
         struct strlist *leftovers, struct error *err)
{
    struct down d = {.env = e, .force = force, .leftovers = leftovers};

    struct step_graph_options o = {.on_change = run->on_change,
                                   .arg = run->arg};

    if (!profile_lock(&e->profile, err))
        return false;
    struct step_graph *g = steps_new(e->loop, steps, &d, &o, err);
    bool ok = g && steps_wait(g, err);

    steps_free(g);
    profile_unlock(&e->profile);
    return ok;
}
