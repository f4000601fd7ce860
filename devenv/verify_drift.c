/* V-f: applying once more what was put on the cluster would change nothing. */
#include "devenv/drift.h"
#include "devenv/package.h"
#include "devenv/verify_group.h"

static void
check_manifest(struct verify *v, const struct manifest *m)
{
    struct drift_found found;
    struct error why = {0};
    enum drift drift = drift_look(v->env, m, &found, &why);

    if (drift == DRIFT_UNKNOWN)
        verify_heed(v, &why);
    if (drift == DRIFT_CHANGED && found.foreign) /* used as it is */
        verify_note(v, buf_cstr(&found.fields), "%s/%s is somebody else's",
                    m->kind, m->name);
    else
        verify_say(v, drift == DRIFT_NONE,
                   drift == DRIFT_CHANGED ? buf_cstr(&found.fields) : why.msg,
                   "%s/%s%s%s is as it was applied", m->kind,
                   m->ns ? m->ns : "", m->ns ? "/" : "", m->name);
    buf_release(&found.fields);
}

static void
check_set(struct verify *v, const char *subject, bool loaded,
          struct manifest_set *set, const struct error *why)
{
    v->subject = subject;
    if (!loaded)
        verify_say(v, false, why->msg, "the manifests of %s can be read",
                   subject);
    for (size_t i = 0; i < set->n && !verify_stopped(v); i++)
        check_manifest(v, &set->v[i]);
    manifest_release(set);
}

void
verify_drift(struct verify *v)
{
    struct manifest_set set = {0};

    for (size_t p = 0; p < v->packages.n && !verify_stopped(v); p++) {
        for (enum package_part i = PACKAGE_FUNCTIONS; i <= PACKAGE_COMPOSITIONS;
             i++) {
            struct error why = {0};
            bool ok = package_load(&set, v->packages.v[p], i, &why);

            check_set(v, v->packages.v[p], ok, &set, &why);
        }
    }
    for (size_t i = 0; i < v->examples.n && !verify_stopped(v); i++) {
        struct error why = {0};
        bool ok = example_load(&set, v->examples.v[i], &why);

        check_set(v, v->examples.v[i], ok, &set, &why);
    }
}
