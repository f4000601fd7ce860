#include "cli/work.h"

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

bool
work_up(struct work *w, const struct up_options *o, struct error *err)
{
    const struct step_graph_options g = {.on_change = progress_changed,
                                         .arg = &w->progress};
    struct up *up = up_new(&w->env, o, &g, err);

    if (!up)
        return false;
    if (!w->progress.json)
        fprintf(stderr, "engine %s, profile %s\n", up_chosen(up)->name,
                w->env.profile.name);
    progress_graph(&w->progress, up_graph(up));
    bool ok = up_run(up, err);

    progress_graph(&w->progress, NULL);
    up_free(up);
    return ok;
}

void
work_end(struct work *w)
{
    env_release(&w->env);
    progress_end(&w->progress);
    loop_free(w->loop);
    w->loop = NULL;
}
