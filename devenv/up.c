#include "devenv/up.h"

#include <stdio.h>

#include "devenv/package.h"

#define API_LIMIT_MS 60000
#define CORE_PACKAGE "mesh-core"

struct up {
    struct env *env;
    const struct up_options *options;
    const struct engine *engine;
};

const struct engine *
up_engine(const struct env *e, const char *asked, struct error *err)
{
    const char *have = e->profile.engine;
    bool automatic = !asked || strcmp(asked, "auto") == 0;
    const struct engine *wanted = engine_find(!automatic ? asked
                                              : *have    ? have
                                                         : "sandbox",
                                              err);

    if (wanted && *have && strcmp(have, wanted->name) != 0) {
        error_set(err, ERR_USAGE,
                  "the profile \"%s\" runs on the engine \"%s\", not \"%s\"",
                  e->profile.name, have, wanted->name);
        error_remedy(err, "MT-OTHER-ENGINE",
                     "Take it down first, or choose another --profile.");
        return NULL;
    }
    return wanted;
}

static bool
step_engine(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;
    struct profile *p = &up->env->profile;

    snprintf(p->engine, sizeof(p->engine), "%s", up->engine->name);
    return profile_save(p, err) && up->engine->start(up->env, run, err);
}

struct api_wait {
    struct env *env;
    struct step_run *run;
};

static bool
api_answers(void *arg)
{
    struct api_wait *w = arg;
    struct kube_request r = {.verb = KUBE_RAW_GET, .path = "/readyz"};
    struct error why = {0};

    if (kube_client_wait(w->env->client, &r, NULL, &why))
        return true;
    step_detail(w->run, "%s", why.msg);
    return false;
}

static bool
step_api(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;
    struct api_wait w = {up->env, run};

    return env_connect(up->env, err) &&
           step_wait(run, API_LIMIT_MS, api_answers, &w, err);
}

static bool
step_functions(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;

    return package_install_part(up->env, CORE_PACKAGE, PACKAGE_FUNCTIONS, run,
                                err);
}

static bool
step_xrds(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;

    return package_install_part(up->env, CORE_PACKAGE, PACKAGE_XRDS, run, err);
}

static bool
step_compositions(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;
    struct profile *p = &up->env->profile;

    if (!package_install_part(up->env, CORE_PACKAGE, PACKAGE_COMPOSITIONS, run,
                              err))
        return false;
    profile_note(&p->packages, CORE_PACKAGE);
    return profile_save(p, err);
}

static bool
step_examples(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;
    const struct strlist *names = up->options->examples;

    for (size_t i = 0; names && i < names->n; i++) {
        if (!example_add(up->env, names->v[i], run, err))
            return false;
    }
    if (!names || !names->n)
        step_detail(run, "none asked for");
    return true;
}

static bool
step_ready(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;

    return example_wait_ready(up->env, run, err);
}

static const struct step steps[] = {
    {"engine", "start the control plane", step_engine},
    {"api", "the Kubernetes API answers", step_api},
    {"functions", "composition functions are Healthy", step_functions},
    {"xrds", "the mesh's kinds are Established", step_xrds},
    {"compositions", "compositions are in place", step_compositions},
    {"examples", "example meshes are applied", step_examples},
    {"ready", "domains, contracts and products are Ready", step_ready},
    {0},
};

const struct step *
up_steps(void)
{
    return steps;
}

/* The part of the table that was asked for, into out (its size is the
 * table's). */
static bool
choose(const struct up_options *o, struct step *out, struct error *err)
{
    bool found = !o->until;

    for (size_t i = 0; steps[i].id; i++) {
        if (o->only_packages && strcmp(steps[i].id, "engine") == 0)
            continue;
        if (o->only_packages && strcmp(steps[i].id, "examples") == 0)
            break;
        *out++ = steps[i];
        if (o->until && strcmp(steps[i].id, o->until) == 0) {
            found = true;
            break;
        }
    }
    *out = (struct step){0};
    return found ||
           error_set(err, ERR_USAGE,
                     "no step \"%s\" (meshtop up --plan lists them)", o->until);
}

bool
up_run(struct env *e, const struct up_options *o, struct step_run *run,
       struct error *err)
{
    struct step chosen[ARRAY_LEN(steps)];
    struct up up = {.env = e, .options = o};

    if (!choose(o, chosen, err) || !profile_lock(&e->profile, err))
        return false;
    up.engine = up_engine(e, o->engine, err);

    bool ok = up.engine && steps_run(chosen, &up, run, err);

    profile_unlock(&e->profile);
    return ok;
}
