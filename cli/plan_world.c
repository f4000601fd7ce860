#include "cli/plan_world.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/compose/functions.h"

#define PACKAGES "assets/mesh-core/"

/* ---- objects in memory ---- */

static bool
is_kind(const struct manifest *m, const char *kind)
{
    return strcmp(m->kind, kind) == 0;
}

/* The "Kind" that an XRD of the set defines in its group. */
static bool
defines(const struct manifest_set *set, const struct json *type)
{
    struct str group, version;

    if (!str_cut(str_of(json_get_text(type, "apiVersion")), '/', &group,
                 &version))
        return false;
    for (size_t i = 0; i < set->n; i++) {
        const struct json *spec = json_get(set->v[i].object, "spec");

        if (is_kind(&set->v[i], "CompositeResourceDefinition") &&
            str_eqz(group, json_get_text(spec, "group")) &&
            strcmp(json_get_text(json_get(spec, "names"), "kind"),
                   json_get_text(type, "kind")) == 0)
            return true;
    }
    return false;
}

/* What the program brings along, as far as nobody else brings his own. */
static bool
add_packages(struct overlay *o, const struct manifest_set *own,
             const struct manifest_set *given, struct error *err)
{
    AUTO(manifest_release) struct manifest_set built_in = {0};

    if (!manifest_load_assets(&built_in, PACKAGES, err))
        return false;
    for (size_t i = 0; i < built_in.n; i++) {
        const struct json *type =
            json_at(built_in.v[i].object, "spec", "compositeTypeRef", NULL);

        if (!str_starts(str_of(built_in.v[i].api_version), STR("meta.")) &&
            !defines(own, type) && !defines(given, type))
            overlay_put(o, built_in.v[i].object);
    }
    return true;
}

/* A Function that a step names: built in counts as installed. */
static void
add_function(struct overlay *o, const char *name)
{
    static const char prefix[] = "crossplane-contrib-";
    struct str base = str_of(name);
    AUTO(json_free_ptr) struct json *j = json_new_object();

    if (str_starts(base, str_of(prefix)))
        base = str_from(base, strlen(prefix));
    json_set_string(j, "apiVersion", "pkg.crossplane.io/v1");
    json_set_string(j, "kind", "Function");
    json_set_string(json_need_object(j, "metadata"), "name", name);
    AUTO(mem_free_ptr)
    char *package =
        mem_printf("xpkg.crossplane.io/crossplane-contrib/%.*s", STR_ARG(base));

    json_set_string(json_need_object(j, "spec"), "package", package);
    if (*name && function_builtin(base) && !overlay_has(o, j))
        overlay_put(o, j);
}

static void
add_functions(struct overlay *o, const struct manifest_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct json *steps =
            json_at(set->v[i].object, "spec", "pipeline", NULL);

        for (struct json *s = json_first(steps); s; s = json_next(s))
            add_function(o, json_get_text(json_get(s, "functionRef"), "name"));
    }
}

static bool
open_objects(struct plan_world *w, const char *folder,
             const struct manifest_set *given, struct error *err)
{
    AUTO(manifest_release) struct manifest_set own = {0};

    if (folder && !manifest_load(&own, folder, err))
        return false;
    if (!add_packages(&w->objects, &own, given, err))
        return false;
    for (size_t i = 0; i < own.n; i++)
        overlay_put(&w->objects, own.v[i].object);
    add_functions(&w->objects, &own);
    add_functions(&w->objects, given);
    w->against = folder ? "folder" : "nothing";
    w->title = folder ? mem_printf("folder %s", folder) : mem_strdup("nothing");
    w->ns = "default";
    w->host = overlay_host(&w->objects);
    return true;
}

/* ---- a cluster ---- */

static bool
go_live(struct plan_world *w, struct target *t, const char *ns,
        struct error *err)
{
    w->fetch = plan_fetch_new(t, err);
    if (!w->fetch)
        return false;
    w->against = "live";
    w->ns = ns;
    w->title = mem_strdup(t->title ? t->title : "");
    w->host = plan_fetch_host(w->fetch);
    return true;
}

bool
plan_world_on(struct plan_world *w, struct target *t, const char *ns,
              struct error *err)
{
    *w = (struct plan_world){0};
    return go_live(w, t, ns, err);
}

static bool
open_live(struct plan_world *w, const struct args *a, struct error *err)
{
    w->connected = true;
    if (go_live(w, &w->t,
                args_get(a, "namespace", kube_client_access(w->t.client)->ns),
                err))
        return true;
    if (err && !*err->remedy)
        error_remedy(err, err->id,
                     "To plan without a cluster: --against nothing, or "
                     "--against FOLDER with its exported objects.");
    plan_world_release(w);
    return false;
}

/* Nobody said which cluster, and there is none. */
static bool
is_none(const struct args *a, const struct error *err)
{
    return err->code == ERR_NOT_FOUND && !args_has(a, "kubeconfig") &&
           !args_has(a, "context") && !args_has(a, "profile") &&
           !args_has(a, "against");
}

bool
plan_world_open(struct plan_world *w, const struct args *a,
                const struct manifest_set *set, const char **said,
                struct error *err)
{
    const char *against = args_get(a, "against", "live");
    struct error why = {0};

    *w = (struct plan_world){0};
    *said = NULL;
    if (strcmp(against, "nothing") == 0)
        return open_objects(w, NULL, set, err);
    if (strcmp(against, "live") != 0)
        return open_objects(w, against, set, err);
    if (target_open(&w->t, a, &why))
        return open_live(w, a, err);
    if (!is_none(a, &why)) {
        if (err)
            *err = why;
        return false;
    }
    *said = "there is no cluster: this is the plan against nothing";
    return open_objects(w, NULL, set, err);
}

void
plan_world_release(struct plan_world *w)
{
    plan_fetch_free(w->fetch);
    overlay_release(&w->objects);
    free(w->title);
    if (w->connected)
        target_release(&w->t);
}

bool
plan_world_fetch(struct plan_world *w, bool *more, struct error *err)
{
    *more = w->fetch && plan_fetch_open(w->fetch);
    return !*more || plan_fetch_run(w->fetch, err);
}

void
plan_world_place(struct plan_world *w, const struct manifest *m)
{
    bool namespaced = false;

    if (!m->ns &&
        w->host.served(w->host.arg, m->api_version, m->kind, &namespaced) &&
        namespaced)
        json_set_string(json_need_object(m->object, "metadata"), "namespace",
                        w->ns);
}
