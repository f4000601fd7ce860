#include "devenv/install.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

/* What makes a folder a package. */
static const char *const package_parts[] = {"functions.yaml", "xrds",
                                            "compositions"};

bool
install_is_package(const char *name)
{
    if (package_is_builtin(name))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(package_parts); i++) {
        AUTO(mem_free_ptr) char *path = file_join(name, package_parts[i]);

        if (!example_is_builtin(name) && file_exists(path))
            return true;
    }
    return false;
}

bool
install_name_ok(const char *name, struct error *err)
{
    if (package_is_planned(name))
        return error_set(err, ERR_USAGE, "package %s is not shipped yet", name);
    if (package_is_builtin(name) || example_is_builtin(name) ||
        file_exists(name))
        return true;
    error_set(err, ERR_NOT_FOUND, "no package, example or path \"%s\"", name);
    error_remedy(err, "MT-NO-SUCH-PACKAGE",
                 "\"meshtop examples list\" and mesh-core are built in; or a "
                 "folder of manifests.");
    return false;
}

/* All of it, in the order it is applied. */
static bool
load_all(const char *name, struct manifest_set *set, struct error *err)
{
    if (!install_name_ok(name, err))
        return false;
    if (!install_is_package(name))
        return example_load(set, name, err);
    for (enum package_part i = PACKAGE_FUNCTIONS; i <= PACKAGE_COMPOSITIONS;
         i++) {
        if (!package_load(set, name, i, err))
            return false;
    }
    return set->n > 0 ||
           error_set(err, ERR_NOT_FOUND, "the package %s is empty", name);
}

/* ---- the plan ---- */

bool
install_plan(struct env *e, const char *name, struct install_plan *out,
             struct error *err)
{
    if (!load_all(name, &out->set, err) ||
        !kube_discovery_wait(e->discovery, true, err))
        return false;
    out->v = mem_zalloc(out->set.n, sizeof(*out->v));
    for (; out->n < out->set.n; out->n++) {
        struct install_item *i = &out->v[out->n];
        struct drift_found found;
        struct error why = {0};

        i->m = &out->set.v[out->n];
        i->what = drift_look(e, i->m, &found, &why);
        i->fields = buf_take(&found.fields);
        i->foreign = found.foreign;
        if (i->what == DRIFT_UNKNOWN) {
            if (err)
                *err = why;
            out->n++;
            return error_wrap(err, "%s: %s/%s", i->m->source, i->m->kind,
                              i->m->name);
        }
        out->made += i->what == DRIFT_ABSENT;
        out->changed += i->what == DRIFT_CHANGED;
        out->foreign += i->what == DRIFT_CHANGED && i->foreign;
    }
    return true;
}

void
install_plan_release(struct install_plan *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->v[i].fields);
    free(p->v);
    manifest_release(&p->set);
    *p = (struct install_plan){0};
}

/* ---- carrying it out ---- */

bool
install_run(struct env *e, const char *name, struct step_run *run,
            struct error *err)
{
    if (install_is_package(name))
        return package_install(e, name, run, err);
    /* Other kinds say in their own ways that they are ready. */
    return example_add(e, name, run, err) &&
           (!kube_discovery_of(e->discovery, STR("meshifi.io/v1alpha1"),
                               STR("DataProduct")) ||
            example_wait_ready(e, run, err));
}
