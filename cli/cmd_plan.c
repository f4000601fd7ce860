/* meshtop plan: what applying manifests would compose, change and destroy. */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/mesh/live.h"

#include "cli/commands.h"
#include "cli/objects.h"
#include "cli/overlay.h"
#include "cli/plan_text.h"

#define SYNC_MS 20000

enum { EXIT_CHANGES = 2 };

struct plans {
    struct mesh_live *live;
    struct overlay overlay; /* what the plans so far would bring */
    struct mesh_planner *planner;
    struct json *out; /* NULL: text */
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
plan_fully(struct plans *w, const struct manifest *m, struct arena *a,
           struct mesh_plan *p, struct error *err)
{
    size_t seen = 0, now = 0;

    for (;;) {
        if (!mesh_plan_apply(w->planner, m->object, a, p, err))
            return error_wrap(err, "%s", m->source);
        seen = now;
        now = mesh_live_wait_caches(w->live, SYNC_MS, err);
        if (now == seen && now)
            return true;
        mesh_plan_release(p);
        arena_reset(a);
        mesh_planner_forget(w->planner);
        if (!now)
            return false;
    }
}

static bool
plan_one(struct plans *w, const struct manifest *m, struct error *err)
{
    struct arena *a = arena_new();
    struct mesh_plan p;
    bool ok = plan_fully(w, m, a, &p, err);

    if (ok) {
        w->add += p.add;
        w->change += p.change;
        w->destroy += p.destroy;
        w->blockers += p.blockers;
        if (w->out)
            json_append(w->out, plan_json(&p));
        else
            plan_text(&p, stdout);
        if (overlay_take(&w->overlay, &p))
            mesh_planner_forget(w->planner);
        mesh_plan_release(&p);
    }
    arena_free(a);
    return ok;
}

/* What every plan asks for, asked for at once instead of one by one. */
static bool
prefetch(struct target *t, struct mesh_live *live,
         const struct manifest_set *set, struct error *err)
{
    static const char *const machinery[][2] = {
        {"apiextensions.crossplane.io/v2", "CompositeResourceDefinition"},
        {"apiextensions.crossplane.io/v1", "CompositeResourceDefinition"},
        {"apiextensions.crossplane.io/v1", "Composition"},
        {"pkg.crossplane.io/v1", "Function"},
    };
    struct kube_discovery *d = mesh_live_discovery(live);
    struct mesh_live_state state;
    const struct kube_kind *k;

    for (;;) {
        mesh_live_state(live, &state);
        if (kube_discovery_loaded(d) || state.problem)
            break;
        loop_turn(t->loop, -1);
    }
    for (size_t i = 0; i < ARRAY_LEN(machinery); i++) {
        k = kube_discovery_of(d, str_of(machinery[i][0]),
                              str_of(machinery[i][1]));
        /* Both versions of a kind are one collection. */
        if (k && k->preferred)
            mesh_live_cache(live, k, NULL);
    }
    for (size_t i = 0; i < set->n; i++) {
        k = kube_discovery_of(d, str_of(set->v[i].api_version),
                              str_of(set->v[i].kind));
        if (k && strcmp(k->kind, "Secret") != 0)
            mesh_live_cache(live, k, NULL);
    }
    return mesh_live_wait(live, SYNC_MS, err);
}

static bool
plan_all(struct target *t, const struct args *a, struct manifest_set *set,
         struct plans *w, struct error *err)
{
    const char *ns =
        args_get(a, "namespace", kube_client_access(t->client)->ns);
    struct mesh_host host;
    bool ok;

    kube_client_set_once(t->client, true);
    w->live = mesh_live_new(t->client, NULL, err);
    ok = w->live && prefetch(t, w->live, set, err);
    if (ok) {
        w->overlay.base = mesh_live_host(w->live);
        host = overlay_host(&w->overlay);
        w->planner = mesh_planner_new(&host);
    }
    for (size_t i = 0; ok && i < set->n; i++) {
        fill_namespace(mesh_live_discovery(w->live), &set->v[i], ns);
        ok = plan_one(w, &set->v[i], err);
    }
    mesh_planner_free(w->planner);
    overlay_release(&w->overlay);
    mesh_live_free(w->live);
    return ok;
}

static int
report(const struct args *a, const struct plans *w)
{
    bool changes = w->add + w->change + w->destroy > 0;

    if (w->out) {
        AUTO(mem_free_ptr) char *text = json_text(w->out, JSON_PRETTY);

        printf("%s\n", text);
    } else {
        printf("Plan: %zu to add, %zu to change, %zu to destroy.\n", w->add,
               w->change, w->destroy);
    }
    if (w->blockers) {
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
    struct plans w = {.out = json ? json_new_array() : NULL};
    struct error err = {0};
    struct target t;
    int code;
    bool ok = objects_load(a, &set, &err) && target_open(&t, a, &err);

    if (ok) {
        ok = plan_all(&t, a, &set, &w, &err);
        target_release(&t);
    }
    code = ok ? report(a, &w) : command_fail(&err);
    json_free(w.out);
    /* 2 would read as "there are changes". */
    if (!ok && args_has(a, "detailed-exitcode"))
        code = EXIT_ERROR;
    return code;
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
