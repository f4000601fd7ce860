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

void
work_end(struct work *w)
{
    env_release(&w->env);
    progress_end(&w->progress);
    loop_free(w->loop);
    w->loop = NULL;
}
