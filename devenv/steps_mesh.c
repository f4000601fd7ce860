/* The steps of `up` that are the same on every engine, and the sandbox's. */
#include <stdio.h>

#include "devenv/package.h"
#include "devenv/up_steps.h"

#define API_LIMIT_MS 60000
#define CORE_PACKAGE "mesh-core"
#define WHY_BYTES    512

/* ---- the API ---- */

static bool
api_answers(struct env *e, struct step_run *run)
{
    struct kube_request r = {.verb = KUBE_RAW_GET, .path = "/readyz"};
    struct error why = {0};

    if (env_connect(e, &why) && kube_client_wait(e->client, &r, NULL, &why))
        return true;
    step_detail(run, "%s", why.msg);
    return false;
}

enum step_verdict
up_api_check(void *context, struct step_run *run)
{
    struct up *up = context;

    return api_answers(up->env, run) ? STEP_IS_DONE : STEP_IS_TODO;
}

bool
up_api(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;
    int64_t tries = API_LIMIT_MS / 200;

    while (!api_answers(up->env, run)) {
        if (!tries--)
            return error_set(err, ERR_TIMEOUT,
                             "the Kubernetes API does not answer: %s",
                             run->detail);
        if (!step_pause(run, 200, err))
            return false;
    }
    return true;
}

/* ---- packages ---- */

static enum step_verdict
part_check(struct up *up, enum package_part part, struct step_run *run)
{
    AUTO(buf_release) struct buf why = BUF_INIT(WHY_BYTES);

    if (package_part_in_place(up->env, CORE_PACKAGE, part, &why))
        return STEP_IS_DONE;
    step_detail(run, "%s", buf_cstr(&why));
    return STEP_IS_TODO;
}

void
up_functions_inputs(void *context UNUSED, struct buf *out)
{
    package_part_text(CORE_PACKAGE, PACKAGE_FUNCTIONS, out);
}

void
up_xrds_inputs(void *context UNUSED, struct buf *out)
{
    package_part_text(CORE_PACKAGE, PACKAGE_XRDS, out);
}

void
up_compositions_inputs(void *context UNUSED, struct buf *out)
{
    package_part_text(CORE_PACKAGE, PACKAGE_COMPOSITIONS, out);
}

/* The profile knows of the package before its first object is there: a kill
 * leaves nothing unknown, and verify has something to prove. */
static bool
install(struct up *up, enum package_part part, struct step_run *run,
        struct error *err)
{
    struct profile *p = &up->env->profile;

    profile_note(&p->packages, CORE_PACKAGE);
    return profile_save(p, err) &&
           package_install_part(up->env, CORE_PACKAGE, part, run, err);
}

enum step_verdict
up_functions_check(void *context, struct step_run *run)
{
    return part_check(context, PACKAGE_FUNCTIONS, run);
}

bool
up_functions(void *context, struct step_run *run, struct error *err)
{
    return install(context, PACKAGE_FUNCTIONS, run, err);
}

enum step_verdict
up_xrds_check(void *context, struct step_run *run)
{
    return part_check(context, PACKAGE_XRDS, run);
}

bool
up_xrds(void *context, struct step_run *run, struct error *err)
{
    return install(context, PACKAGE_XRDS, run, err);
}

enum step_verdict
up_compositions_check(void *context, struct step_run *run)
{
    const struct up *up = context;

    if (!strlist_has(&up->env->profile.packages, STR(CORE_PACKAGE)))
        return STEP_IS_TODO;
    return part_check(context, PACKAGE_COMPOSITIONS, run);
}

bool
up_compositions(void *context, struct step_run *run, struct error *err)
{
    return install(context, PACKAGE_COMPOSITIONS, run, err);
}

/* ---- examples ---- */

enum step_verdict
up_examples_check(void *context, struct step_run *run)
{
    struct up *up = context;
    const struct strlist *names = up->options->examples;
    AUTO(buf_release) struct buf why = BUF_INIT(WHY_BYTES);

    if (!names || !names->n) {
        step_detail(run, "none asked for");
        return STEP_IS_DONE;
    }
    for (size_t i = 0; i < names->n; i++) {
        if (!strlist_has(&up->env->profile.examples, str_of(names->v[i])) ||
            !example_in_place(up->env, names->v[i], &why)) {
            step_detail(run, "%s", buf_cstr(&why));
            return STEP_IS_TODO;
        }
    }
    return STEP_IS_DONE;
}

bool
up_examples(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;
    const struct strlist *names = up->options->examples;

    for (size_t i = 0; names && i < names->n; i++) {
        if (!example_add(up->env, names->v[i], run, err))
            return false;
    }
    return true;
}

bool
up_ready(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;

    return example_wait_ready(up->env, run, err);
}

/* ---- the sandbox ---- */

enum step_verdict
up_sandbox_check(void *context, struct step_run *run)
{
    struct up *up = context;

    if (!*up->env->profile.engine || !profile_is_up(&up->env->profile))
        return STEP_IS_TODO;
    return api_answers(up->env, run) ? STEP_IS_DONE : STEP_IS_BROKEN;
}

bool
up_sandbox(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;

    env_disconnect(up->env);
    return up->engine->start(up->env, run, err);
}

bool
up_sandbox_undo(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;

    env_disconnect(up->env);
    return up->engine->remove(up->env, run, err);
}
