#include "cli/work.h"

#include <string.h>

#include "lib/base/mem.h"

bool
work_begin(struct work *w, const struct args *a, bool connect,
           struct error *err)
{
    *w = (struct work){.env.profile.lock_fd = -1};
    w->loop = loop_new(err);
    if (!w->loop)
        return false;
    progress_start(&w->progress, a, w->loop, &w->run);
    if (env_open(&w->env, w->loop, args_get(a, "profile", NULL), err) &&
        (!connect || env_connect(&w->env, err))) {
        if (w->env.profile.temporary)
            fprintf(stderr,
                    "meshtop: HOME is not usable, state is kept in "
                    "%s\n",
                    w->env.profile.dir);
        return true;
    }
    work_end(w);
    return false;
}

/* The times, and what one does next. */
static void
report(struct work *w, const struct error *err)
{
    const char *name = w->env.profile.name;
    bool standard = strcmp(name, PROFILE_DEFAULT) == 0;
    AUTO(mem_free_ptr)
    char *of = standard ? mem_strdup("") : mem_printf(" --profile %s", name);
    AUTO(mem_free_ptr) char *live = mem_printf("meshtop%s", of);
    AUTO(mem_free_ptr) char *verify = mem_printf("meshtop verify%s", of);
    AUTO(mem_free_ptr) char *down = mem_printf("meshtop down%s", of);
    AUTO(mem_free_ptr)
    char *kubectl = mem_printf("kubectl --kubeconfig %s get meshifi -A",
                               w->env.profile.kubeconfig);
    const char *const next[] = {live, verify, kubectl, down, NULL};

    progress_report(&w->progress, err, next);
}

bool
work_up(struct work *w, const struct up_options *o, struct error *err)
{
    const struct step_graph_options g = {.on_change = progress_changed,
                                         .arg = &w->progress};
    struct up *up = up_new(&w->env, o, &g, err);

    if (!up)
        return false;
    struct progress *p = &w->progress;
    struct error why = {0};

    if (!p->json)
        fprintf(stderr, "engine %s, profile %s\n", up_chosen(up)->name,
                w->env.profile.name);
    progress_title(p, "up");
    progress_graph(p, up_graph(up));
    bool ok = up_run(up, &why);

    report(w, ok ? NULL : &why);
    up_free(up);
    if (!ok && err)
        *err = why;
    return ok;
}

void
work_end(struct work *w)
{
    env_release(&w->env);
    progress_end(&w->progress);
    step_run_release(&w->run);
    loop_free(w->loop);
    w->loop = NULL;
}
