#include "devenv/audit.h"

#include <stdarg.h>
#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/crossplane.h"
#include "devenv/engine.h"
#include "devenv/gone.h"
#include "devenv/orphan.h"
#include "devenv/owner.h"

void
audit_add(struct audit *a, bool unknown, const char *command, const char *fmt,
          ...)
{
    AUTO(buf_release) struct buf what = BUF_INIT(4096);
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&what, fmt, ap);
    va_end(ap);
    a->v = mem_grow(a->v, &a->cap, a->n + 1, sizeof(*a->v));
    a->v[a->n++] = (struct audit_item){mem_strdup(buf_cstr(&what)),
                                       mem_strdup(command), unknown};
}

void
audit_release(struct audit *a)
{
    for (size_t i = 0; i < a->n; i++) {
        free(a->v[i].what);
        free(a->v[i].command);
    }
    free(a->v);
    *a = (struct audit){0};
}

/* ---- this machine ---- */

static void
look_sandbox(const struct audit_look *l, struct step_run *run,
             struct audit *out)
{
    const char *name = l->env->profile.name;
    const char *const words[] = {"sandbox",   "status", "-o", "json",
                                 "--profile", name,     NULL};
    AUTO(mem_free_ptr) char *said = NULL;
    AUTO(mem_free_ptr)
    char *command = mem_printf("meshtop sandbox stop --profile %s", name);

    if (!engine_self(run, words, &said, NULL))
        return; /* it says 20 when none runs */
    AUTO(json_free_ptr)
    struct json *j = json_parse(str_of(said), NULL, NULL);

    if (json_bool(json_get(j, "running"), false))
        audit_add(out, false, command, "sandbox process %lld",
                  (long long)json_int64_or(json_get(j, "pid"), 0));
}

static void
look_orphans(const struct audit_look *l, struct audit *out)
{
    struct orphan o;

    if (!orphan_find(&l->env->profile, &o))
        return;
    AUTO(mem_free_ptr) char *command = mem_printf("kill %d", o.pid);

    audit_add(out, false, command, "process %d (%s)", o.pid, o.words);
}

static void
look_folder(const struct audit_look *l, struct audit *out)
{
    const char *dir = l->env->profile.dir;
    AUTO(mem_free_ptr) char *command = mem_printf("rm -rf '%s'", dir);

    if (file_exists(dir))
        audit_add(out, false, command, "folder %s", dir);
}

/* ---- the cluster ---- */

/* Groups whose kinds we put objects of; a group below meshifi.io too. */
static const char *const groups[] = {
    "",
    "apps",
    "rbac.authorization.k8s.io",
    "apiextensions.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.crossplane.io",
    "pkg.crossplane.io",
};

static bool
is_our_group(const char *group)
{
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        if (strcmp(groups[i], group) == 0)
            return true;
    }
    return str_ends(str_of(group), STR("meshifi.io"));
}

/* The objects that carry the profile's label, kind by kind. */
static void
look_objects(const struct audit_look *l, struct audit *out)
{
    struct env *e = l->env;
    AUTO(mem_free_ptr)
    char *label = mem_printf("%s=%s", MARK_RUN, e->profile.name);
    const struct kube_kind *k;
    struct error err = {0};

    if (!kube_discovery_wait(e->discovery, true, &err))
        audit_add(out, true, "kubectl api-resources",
                  "objects of the cluster (%s)", err.msg);
    for (size_t i = 0; (k = kube_discovery_at(e->discovery, i)); i++) {
        struct gone_list found = {0};

        if (!k->preferred || !(k->verbs & KUBE_CAN_LIST) ||
            !(k->verbs & KUBE_CAN_DELETE) || !is_our_group(k->gvr.group))
            continue;
        if (gone_find(e, k, label, &found, NULL) && found.n) {
            AUTO(mem_free_ptr)
            char *command =
                mem_printf("kubectl delete %s%s%s -A -l %s", k->gvr.resource,
                           *k->gvr.group ? "." : "", k->gvr.group, label);

            audit_add(out, false, command, "%zu %s", found.n, k->gvr.resource);
        }
        gone_release(&found);
    }
}

void
audit_take(const struct audit_look *l, struct step_run *run, struct audit *out)
{
    if (strcmp(l->engine, "sandbox") == 0 || !*l->engine)
        look_sandbox(l, run, out);
    look_orphans(l, out);
    if (l->objects)
        look_objects(l, out);
    look_folder(l, out);
}
