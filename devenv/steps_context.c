/*
 * The steps of `up` on a cluster the user already has, and the mark, which
 * every engine has.
 */
#include <stdlib.h>
#include <string.h>

#include "devenv/context.h"
#include "devenv/down.h"
#include "devenv/owner.h"
#include "devenv/up_steps.h"

#define TEXT_MAX 1024

/* ---- cluster ---- */

/* Another context than the profile's is another profile. */
static bool
same_context(const struct up *up, struct error *err)
{
    const struct profile *p = &up->env->profile;
    const char *asked = up->options->context;

    if (up->fresh || !*p->context || !asked || strcmp(asked, p->context) == 0)
        return true;
    error_set(err, ERR_USAGE,
              "the profile \"%s\" works on the context \"%s\", not on \"%s\"",
              p->name, p->context, asked);
    error_remedy(err, "MT-OTHER-CONTEXT",
                 "Take it down first, or choose another --profile.");
    return false;
}

static bool
describe(struct up *up, struct step_run *run, struct error *err)
{
    AUTO(buf_release) struct buf text = BUF_INIT(TEXT_MAX);

    if (!env_connect(up->env, err) || !context_describe(up->env, &text, err))
        return false;
    step_detail(run, "%s", buf_cstr(&text));
    return true;
}

enum step_verdict
up_context_check(void *context, struct step_run *run)
{
    struct up *up = context;
    struct error why = {0};

    if (!profile_is_up(&up->env->profile) || !same_context(up, &why))
        return STEP_IS_TODO;
    if (describe(up, run, &why))
        return STEP_IS_DONE;
    step_detail(run, "%s", why.msg);
    return STEP_IS_BROKEN;
}

/* What has to hold before anything is changed. */
static bool
judge(struct up *up, struct error *err)
{
    struct error why = {0};
    struct owner_mark mark = {0};
    bool adopt = up->options->adopt;
    bool ok = context_rights(up->env, err) && owner_look(up->env, &mark, err) &&
              (adopt || mark.whose != OWNER_OTHER ||
               owner_refuse(up->env, &mark, err));

    owner_mark_release(&mark);
    if (!ok)
        return false;
    if (adopt || context_free_of_others(up->env, &why))
        return true;
    if (err)
        *err = why;
    return false;
}

bool
up_context(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;
    struct profile *p = &up->env->profile;
    const char *file = up->options->kubeconfig;
    const char *name = up->options->context;

    if (!same_context(up, err))
        return false;
    if (!file)
        file = profile_fact(p, CONTEXT_FACT_SOURCE);
    if (!name && *p->context)
        name = p->context;
    env_disconnect(up->env);
    if (!context_take(p, file, name, err))
        return false;
    step_detail(run, "asking %s", p->context);
    if (!describe(up, run, err)) {
        error_wrap(err, "the context \"%s\"", p->context);
        return false;
    }
    return judge(up, err) && profile_save(p, err);
}

/* ---- mark ---- */

static void
add_digests(struct up *up, struct json *facts)
{
    for (size_t i = 0; i < steps_count(up->graph); i++) {
        const char *id = steps_at(up->graph, i)->id;
        AUTO(buf_release) struct buf key = BUF_INIT(128);
        char digest[65];

        steps_digest(up->graph, id, digest);
        buf_printf(&key, "digest.%s", id);
        if (*digest)
            json_set_string(facts, buf_cstr(&key), digest);
    }
}

/* What the mark is to say of this run. */
static struct json *
mark_facts(struct up *up)
{
    struct json *facts = json_new_object();

    json_set_string(facts, "meshtop", MESHTOP_VERSION);
    add_digests(up, facts);
    return facts;
}

enum step_verdict
up_mark_check(void *context, struct step_run *run)
{
    struct up *up = context;
    AUTO(json_free_ptr) struct json *facts = mark_facts(up);
    AUTO(owner_mark_release) struct owner_mark mark = {0};
    struct error why = {0};

    if (!owner_look(up->env, &mark, &why)) {
        step_detail(run, "%s", why.msg);
        return STEP_IS_TODO;
    }
    if (mark.whose == OWNER_ADOPTED) {
        step_detail(run, "the profile %s's, used as it is", mark.profile);
        return STEP_IS_DONE;
    }
    return mark.whose == OWNER_OURS && owner_says(&mark, facts) ? STEP_IS_DONE
                                                                : STEP_IS_TODO;
}

bool
up_mark(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;
    AUTO(json_free_ptr) struct json *facts = mark_facts(up);

    step_detail(run, "ConfigMap %s/%s", OWNER_NAMESPACE, OWNER_NAME);
    return owner_claim(up->env, facts, up->options->adopt, err);
}

/* Newest first: all that was put on the cluster came after the mark. An up
 * that only brought it up to date takes nothing back. */
bool
up_mark_undo(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;

    if (!up->fresh)
        return true;
    if (owner_is_guest(&up->env->profile) && !down_guest(up->env, run, err))
        return false;
    return owner_release(up->env, err);
}
