/*
 * engine.h - where a mesh runs: started, stopped, looked at.
 *
 * What: one row per engine. The sandbox is our own program run as
 * `meshtop sandbox start|stop|status|reset`, a process of its own: this floor
 * knows nothing of what is inside it.
 */
#ifndef DEVENV_ENGINE_H
#define DEVENV_ENGINE_H

#include "devenv/env.h"

struct engine {
    const char *name;
    /* NULL where steps of `up` and `down` do it all (kind, context). */
    /* Brings it up, or leaves it as it is when it runs. */
    bool (*start)(struct env *e, struct step_run *run, struct error *err);
    /* Stops it and removes what it keeps. */
    bool (*remove)(struct env *e, struct step_run *run, struct error *err);
};

/* The engine called name. One that this build does not have is ERR_USAGE with
 * a plain sentence. */
const struct engine *engine_find(const char *name, struct error *err);

/* The container engine of the profile: the one its containers were made on
 * (fact "engine/host", noted here at first; not saved), as long as its socket
 * is there, else the first that answers (docker_open). Looking at another
 * engine would find nothing and call it clean. */
struct docker;
struct docker *engine_docker(struct profile *p, struct step_run *run,
                             struct error *err);
/* Remembers (fact "pulled/REF"; not saved) that an image came to the engine
 * because of this profile: `down --purge` removes it. */
void engine_note_pull(struct profile *p, const char *ref);

/* Runs our own program with these words (NULL-terminated, without the
 * program's name) and waits; output is what it printed, in fresh memory. A
 * failure carries its last line of standard error. */
bool engine_self(struct step_run *run, const char *const *words, char **output,
                 struct error *err);

#endif
