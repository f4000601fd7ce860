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
look_sandbox(struct env *e, struct step_run *run, struct audit *out)
{
    const char *name = e->profile.name;
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
look_orphans(struct env *e, struct audit *out)
{
    struct orphan o;

    if (!orphan_find(&e->profile, &o))
        return;
    AUTO(mem_free_ptr) char *command = mem_printf("kill %d", o.pid);

    audit_add(out, false, command, "process %d (%s)", o.pid, o.words);
}

static void
look_folder(struct env *e, struct audit *out)
{
    const char *dir = e->profile.dir;
    AUTO(mem_free_ptr) char *command = mem_printf("rm -rf '%s'", dir);

    if (file_exists(dir))
        audit_add(out, false, command, "folder %s", dir);
}

/* ---- the cluster ---- */

void
audit_objects(struct env *e, struct audit *out)
{
    AUTO(mem_free_ptr)
    char *label = mem_printf("%s=%s", MARK_RUN, e->profile.name);
    const struct kube_kind *k;
    struct error err = {0};

    if (!kube_discovery_wait(e->discovery, true, &err))
        audit_add(out, true, "kubectl api-resources",
                  "objects of the cluster (%s)", err.msg);
    for (size_t i = 0; (k = kube_discovery_at(e->discovery, i)); i++) {
        struct gone_list found = {0};

        if (!gone_may_be_ours(e->discovery, k))
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
audit_take(struct env *e, const char *engine, struct step_run *run,
           struct audit *out)
{
    if (strcmp(engine, "sandbox") == 0 || !*engine)
        look_sandbox(e, run, out);
    look_orphans(e, out);
    look_folder(e, out);
}
