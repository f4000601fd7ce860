/*
 * The steps of `up` for the functions that Compositions of others like to have
 * (a convenience: without them our own meshes work), and for the rights that
 * our Compositions need.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/crossplane.h"
#include "devenv/lock.h"
#include "devenv/owner.h"
#include "devenv/package.h"
#include "devenv/up_steps.h"

#define CORE_PACKAGE "mesh-core"

static const char *const extras[] = {"function-patch-and-transform",
                                     "function-extra-resources",
                                     "function-environment-configs"};

/* A fact "refused/REF" says that this was tried and did not work, and why: it
 * is not tried again with the same reference and mirror. */
static char *
refused_key(const struct up *up, const char *ref)
{
    AUTO(mem_free_ptr)
    char *from =
        crossplane_mirrored(ref, profile_fact(&up->env->profile, FACT_MIRROR));

    return mem_printf("refused/%s", from);
}

static const char *
refused(const struct up *up, const char *ref)
{
    AUTO(mem_free_ptr) char *key = refused_key(up, ref);

    return profile_fact(&up->env->profile, key);
}

static void
set_refused(struct up *up, const char *ref, const char *why)
{
    AUTO(mem_free_ptr) char *key = refused_key(up, ref);

    profile_set_fact(&up->env->profile, key, why);
}

static bool
add_function(struct manifest_set *set, const char *name, const char *ref,
             struct error *err)
{
    AUTO(mem_free_ptr)
    char *text = mem_printf("apiVersion: pkg.crossplane.io/v1\n"
                            "kind: Function\n"
                            "metadata: {name: %s}\n"
                            "spec: {package: \"%s\"}\n",
                            name, ref);

    return manifest_parse(set, str_of(text), "the lock", err);
}

/* Those of the lock; what was refused before goes to passed instead. */
static bool
load_extras(struct up *up, struct manifest_set *set, struct strlist *passed,
            struct error *err)
{
    struct lock lock = {0};
    bool ok = lock_load(&lock, err);

    for (size_t i = 0; ok && i < ARRAY_LEN(extras); i++) {
        const struct lock_entry *e = lock_default(&lock, extras[i]);

        if (!e || !e->ref)
            continue;
        if (refused(up, e->ref))
            strlist_addf(passed, "%s", extras[i]);
        else
            ok = add_function(set, extras[i], e->ref, err);
    }
    lock_release(&lock);
    owner_label(set, up->env->profile.name);
    return ok;
}

static void
tell(struct step_run *run, size_t n, const struct strlist *passed)
{
    AUTO(buf_release) struct buf names = BUF_INIT(400);

    for (size_t i = 0; i < passed->n; i++)
        buf_printf(&names, "%s%s", i ? ", " : "", passed->v[i]);
    step_detail(run, "%zu%s%s", n,
                passed->n ? "; could not be had before: " : "",
                buf_cstr(&names));
}

enum step_verdict
up_extra_functions_check(void *context, struct step_run *run)
{
    struct up *up = context;
    AUTO(manifest_release) struct manifest_set set = {0};
    AUTO(strlist_release) struct strlist passed = {0};
    AUTO(buf_release) struct buf why = BUF_INIT(512);
    const struct manifest_apply how = {.client = up->env->client,
                                       .discovery = up->env->discovery};
    struct error err = {0};
    bool there = load_extras(up, &set, &passed, &err) &&
                 owner_keep_ours(up->env, &set, NULL, &err) &&
                 manifest_in_place(&set, &how, "Healthy", &why);

    if (there)
        tell(run, set.n, &passed);
    else
        step_detail(run, "%s", *err.msg ? err.msg : buf_cstr(&why));
    return there ? STEP_IS_DONE : STEP_IS_TODO;
}

/* What does not work here is taken off again, and not tried the next time. */
static bool
take_off(struct up *up, const struct manifest *m, const struct error *why,
         struct step_run *run)
{
    const struct manifest_set one = {.v = (struct manifest *)m, .n = 1};
    const struct manifest_apply how = {.client = up->env->client,
                                       .discovery = up->env->discovery};
    AUTO(mem_free_ptr)
    char *line = mem_printf("%s is left out: %s", m->name, why->msg);

    step_part(run, m->name, STEP_WARNED, why->msg);
    step_log(run, str_of(line));
    set_refused(up,
                json_string_or(json_at(m->object, "spec", "package", NULL), ""),
                why->msg);
    return manifest_delete(&one, &how, NULL);
}

/* One after the other: which of them fails is then known. */
static bool
wait_each(struct up *up, const struct manifest_set *set, struct step_run *run,
          struct error *err)
{
    struct error first = {0};
    size_t bad = 0;

    for (size_t i = 0; i < set->n; i++) {
        const struct manifest_set one = {.v = &set->v[i], .n = 1};
        struct error why = {0};

        if (crossplane_wait_functions(up->env, &one, run, &why) &&
            crossplane_pin_functions(up->env, &one, &why))
            continue;
        if (why.code == ERR_CANCELLED) {
            if (err)
                *err = why;
            return false;
        }
        take_off(up, &set->v[i], &why, run);
        first = bad++ ? first : why;
    }
    step_detail(run, "%zu of %zu functions Healthy", set->n - bad, set->n);
    if (!bad)
        return true;
    if (err)
        *err = first;
    return error_wrap(err, "left out, and not tried again");
}

bool
up_extra_functions(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;
    AUTO(manifest_release) struct manifest_set set = {0};
    AUTO(strlist_release) struct strlist passed = {0};
    const struct manifest_apply how = {.client = up->env->client,
                                       .discovery = up->env->discovery,
                                       .force = true};
    bool ok = load_extras(up, &set, &passed, err) &&
              owner_keep_ours(up->env, &set, NULL, err) &&
              crossplane_apply_sources(up->env, &set, err) &&
              manifest_apply(&set, &how, err) && wait_each(up, &set, run, err);

    return profile_save(&up->env->profile, ok ? err : NULL) && ok;
}

/* ---- rights ---- */

enum step_verdict
up_rbac_check(void *context, struct step_run *run UNUSED)
{
    struct up *up = context;

    return package_is_allowed(up->env, CORE_PACKAGE) ? STEP_IS_DONE
                                                     : STEP_IS_TODO;
}

bool
up_rbac(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;

    return package_allow(up->env, CORE_PACKAGE, run, err);
}
