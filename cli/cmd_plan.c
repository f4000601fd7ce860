/* meshtop plan: what applying manifests would compose, change and destroy. */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/mesh/live.h"

#include "cli/commands.h"
#include "cli/objects.h"
#include "cli/plan_text.h"

#define SYNC_MS 20000

enum { EXIT_CHANGES = 2 };

struct totals {
    size_t add, change, destroy, blockers;
};

/* Objects without a namespace get the one that apply would give them. */
static void
fill_namespace(struct kube_discovery *d, const struct manifest *m,
               const char *ns)
{
    const struct kube_kind *k =
        kube_discovery_of(d, str_of(m->api_version), str_of(m->kind));

    if (k && k->namespaced && !m->ns)
        json_set_string(json_need_object(m->object, "metadata"), "namespace",
                        ns);
}

/* A plan opens what it asks for; it is complete when it asks for nothing
 * new. */
static bool
plan_fully(struct mesh_live *live, const struct manifest *m, struct arena *a,
           struct mesh_plan *p, struct error *err)
{
    size_t seen = 0, now = 0;

    for (;;) {
        if (!mesh_plan_apply(mesh_live_planner(live), m->object, a, p, err))
            return error_wrap(err, "%s", m->source);
        seen = now;
        now = mesh_live_wait_caches(live, SYNC_MS, err);
        if (now == seen && now)
            return true;
        mesh_plan_release(p);
        arena_reset(a);
        if (!now)
            return false;
    }
}

static bool
plan_one(struct mesh_live *live, const struct manifest *m, struct json *out,
         struct totals *sum, struct error *err)
{
    struct arena *a = arena_new();
    struct mesh_plan p;
    bool ok = plan_fully(live, m, a, &p, err);

    if (ok) {
        sum->add += p.add;
        sum->change += p.change;
        sum->destroy += p.destroy;
        sum->blockers += p.blockers;
        if (out)
            json_append(out, plan_json(&p));
        else
            plan_text(&p, stdout);
        mesh_plan_release(&p);
    }
    arena_free(a);
    return ok;
}

static bool
plan_all(struct target *t, const struct args *a, struct manifest_set *set,
         struct json *out, struct totals *sum, struct error *err)
{
    AUTO(mesh_live_free_ptr)
    struct mesh_live *live = mesh_live_new(t->client, NULL, err);
    const char *ns =
        args_get(a, "namespace", kube_client_access(t->client)->ns);

    if (!live || !mesh_live_wait(live, SYNC_MS, err))
        return false;
    for (size_t i = 0; i < set->n; i++) {
        fill_namespace(mesh_live_discovery(live), &set->v[i], ns);
        if (!plan_one(live, &set->v[i], out, sum, err))
            return false;
    }
    return true;
}

static int
report(const struct args *a, struct json *out, const struct totals *sum)
{
    bool changes = sum->add + sum->change + sum->destroy > 0;

    if (out) {
        AUTO(mem_free_ptr) char *text = json_text(out, JSON_PRETTY);

        printf("%s\n", text);
    } else {
        printf("Plan: %zu to add, %zu to change, %zu to destroy.\n", sum->add,
               sum->change, sum->destroy);
    }
    if (sum->blockers) {
        fprintf(stderr, "meshtop: the server would refuse this\n");
        return EXIT_ERROR;
    }
    return changes && args_has(a, "detailed-exitcode") ? EXIT_CHANGES
                                                       : EXIT_DONE;
}

static int
run(const struct args *a)
{
    AUTO(manifest_release) struct manifest_set set = {0};
    bool json = strcmp(args_get(a, "output", ""), "json") == 0;
    AUTO(json_free_ptr) struct json *out = json ? json_new_array() : NULL;
    struct totals sum = {0};
    struct error err = {0};
    struct target t;
    bool ok;

    if (!objects_load(a, &set, &err) || !target_open(&t, a, &err))
        ok = false;
    else {
        ok = plan_all(&t, a, &set, out, &sum, &err);
        target_release(&t);
    }
    if (ok)
        return report(a, out, &sum);
    int code = command_fail(&err);

    /* 2 would read as "there are changes". */
    return args_has(a, "detailed-exitcode") ? EXIT_ERROR : code;
}

static const struct flag flags[] = {
    {"filename", 'f', "FILE", "file, folder or - (repeatable)"},
    {"detailed-exitcode", 0, NULL, "0 nothing, 2 changes, 1 any error"},
    {0},
};

const struct command cmd_plan = {
    .name = "plan",
    .args = "-f FILE",
    .summary = "what applying manifests would compose and change",
    .help = "Runs the cluster's Compositions here, on the cluster's state, "
            "and compares. Nothing\nis changed. + added, ~ changed, - "
            "destroyed, = kept, ! conflict.",
    .group = "Change",
    .flags = flags,
    .run = run,
};
