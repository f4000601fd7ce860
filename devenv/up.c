#include <stdio.h>
#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/docker.h"
#include "devenv/kind_config.h"
#include "devenv/package.h"
#include "devenv/steplog.h"
#include "devenv/up_steps.h"

/*
 * Every step of every engine, in the order people think of them; what runs
 * beside what follows from `needs`. usual_ms was measured on two cores with
 * local images.
 */
static const struct step table[] = {
    {.id = "engine",
     .title = "a container engine answers",
     .lane = "host",
     .on = "kind",
     .usual_ms = 50,
     .check = up_engine_check,
     .act = up_engine_open},
    {.id = "host",
     .title = "the machine has what it takes",
     .lane = "host",
     .on = "kind",
     .needs = "engine",
     .usual_ms = 50,
     .check = up_host_check,
     .act = up_host},
    {.id = "ports",
     .title = "the ports it publishes are free",
     .lane = "host",
     .on = "kind",
     .needs = "engine",
     .usual_ms = 20,
     .check = up_ports_check,
     .act = up_ports},
    {.id = "network",
     .title = "what must be fetched can be reached",
     .lane = "host",
     .on = "kind",
     .needs = "engine",
     .usual_ms = 300,
     .check = up_network_check,
     .act = up_network,
     .flags = STEP_SOFT},
    {.id = "kind",
     .title = "the kind program",
     .lane = "tools",
     .on = "kind",
     .needs = "host engine",
     .usual_ms = 60,
     .check = up_kind_tool_check,
     .act = up_kind_tool,
     .bytes = up_kind_tool_bytes},
    {.id = "node-image",
     .title = "the image of the nodes",
     .lane = "tools",
     .on = "kind",
     .needs = "host engine",
     .usual_ms = 100,
     .check = up_node_image_check,
     .act = up_node_image,
     .bytes = up_node_image_bytes,
     .inputs = up_node_image_inputs},
    {.id = "prefetch",
     .title = "images come while Kubernetes starts",
     .lane = "images",
     .on = "kind",
     .needs = "engine ports kind node-image",
     .usual_ms = 12000,
     .check = up_prefetch_check,
     .act = up_prefetch,
     .flags = STEP_SOFT},
    {.id = "cluster",
     .title = "make the Kind cluster",
     .lane = "cluster",
     .on = "kind",
     .needs = "engine ports kind node-image",
     .usual_ms = 12500,
     .check = up_kind_cluster_check,
     .act = up_kind_cluster,
     .undo = up_kind_cluster_undo},
    {.id = "cluster",
     .title = "start the control plane",
     .lane = "cluster",
     .on = "sandbox",
     .usual_ms = 60,
     .check = up_sandbox_check,
     .act = up_sandbox,
     .undo = up_sandbox_undo},
    {.id = "cluster",
     .title = "the cluster of the context answers, and may be used",
     .lane = "cluster",
     .on = "context",
     .usual_ms = 300,
     .check = up_context_check,
     .act = up_context},
    {.id = "api",
     .title = "the Kubernetes API answers",
     .lane = "cluster",
     .needs = "cluster",
     .usual_ms = 5,
     .check = up_api_check,
     .act = up_api},
    {.id = "nodes",
     .title = "the nodes are ready",
     .lane = "cluster",
     .on = "kind",
     .needs = "api",
     .usual_ms = 7000,
     .check = up_nodes_check,
     .act = up_nodes},
    {.id = "images",
     .title = "images the engine has are in the nodes",
     .lane = "cluster",
     .on = "kind",
     .needs = "cluster",
     .usual_ms = 100,
     .check = up_images_check,
     .act = up_images,
     .flags = STEP_SOFT},
    {.id = "registry-trust",
     .title = "the nodes know the registry mirror",
     .lane = "cluster",
     .on = "kind",
     .needs = "cluster",
     .usual_ms = 400,
     .check = up_registry_trust_check,
     .act = up_registry_trust},
    {.id = "proxy",
     .title = "pods reach the API server",
     .lane = "cluster",
     .on = "kind",
     .needs = "api",
     .usual_ms = 3000,
     .check = up_proxy_check,
     .act = up_proxy},
    {.id = "mark",
     .title = "the cluster says whose it is",
     .lane = "cluster",
     .needs = "api",
     .usual_ms = 40,
     .quick_ms = 5,
     .check = up_mark_check,
     .act = up_mark,
     .undo = up_mark_undo},
    {.id = "pull-secrets",
     .title = "credentials of registries",
     .lane = "crossplane",
     .on = "kind context",
     .needs = "api mark",
     .usual_ms = 20,
     .check = up_pull_secrets_check,
     .act = up_pull_secrets},
    {.id = "crossplane",
     .title = "Crossplane's objects are applied",
     .lane = "crossplane",
     .on = "kind context",
     .needs = "api mark registry-trust images pull-secrets proxy",
     .usual_ms = 400,
     .check = up_crossplane_check,
     .act = up_crossplane,
     .inputs = up_crossplane_inputs},
    {.id = "crds",
     .title = "Crossplane's kinds are served",
     .lane = "crossplane",
     .on = "kind context",
     .needs = "crossplane",
     .usual_ms = 9000,
     .check = up_crds_check,
     .act = up_crds},
    {.id = "crossplane-ready",
     .title = "Crossplane runs",
     .lane = "crossplane",
     .on = "kind context",
     .needs = "crossplane",
     .usual_ms = 16000,
     .check = up_crossplane_ready_check,
     .act = up_crossplane_ready},
    {.id = "rbac",
     .title = "Crossplane may compose what the mesh needs",
     .lane = "mesh",
     .on = "kind context",
     .needs = "crossplane",
     .usual_ms = 20,
     .check = up_rbac_check,
     .act = up_rbac},
    {.id = "functions",
     .title = "composition functions are Healthy",
     .lane = "mesh",
     .needs = "mark crds pull-secrets nodes",
     .usual_ms = 9000,
     .quick_ms = 10,
     .check = up_functions_check,
     .act = up_functions,
     .inputs = up_functions_inputs,
     .flags = STEP_GOES_ON},
    {.id = "extra-functions",
     .title = "functions that other Compositions use",
     .lane = "crossplane",
     .on = "kind context",
     .needs = "functions",
     .usual_ms = 8000,
     .check = up_extra_functions_check,
     .act = up_extra_functions,
     .flags = STEP_SOFT},
    {.id = "xrds",
     .title = "the mesh's kinds are Established",
     .lane = "mesh",
     .needs = "mark crds",
     .usual_ms = 9000,
     .quick_ms = 30,
     .check = up_xrds_check,
     .act = up_xrds,
     .inputs = up_xrds_inputs},
    {.id = "compositions",
     .title = "compositions are in place",
     .lane = "mesh",
     .needs = "xrds",
     .usual_ms = 200,
     .quick_ms = 20,
     .check = up_compositions_check,
     .act = up_compositions,
     .inputs = up_compositions_inputs},
    {.id = "examples",
     .title = "example meshes are applied",
     .lane = "mesh",
     .needs = "functions rbac xrds compositions",
     .usual_ms = 200,
     .quick_ms = 40,
     .check = up_examples_check,
     .act = up_examples},
    {.id = "ready",
     .title = "domains, contracts and products are Ready",
     .lane = "mesh",
     .needs = "examples",
     .usual_ms = 8000,
     .quick_ms = 30,
     .act = up_ready},
    {0},
};

/* What is left out when only the packages are asked for. */
#define NOT_PACKAGES "cluster examples ready"

/* The engine of a profile that has none yet. */
static const char *
engine_of_this_machine(const struct env *e)
{
    struct docker *d = docker_open(e->loop, NULL, NULL, NULL);
    bool there = d != NULL;

    docker_free(d);
    return there ? "kind" : "sandbox";
}

const struct engine *
up_engine(const struct env *e, const char *asked, struct error *err)
{
    const char *have = e->profile.engine;
    bool automatic = !asked || strcmp(asked, "auto") == 0;
    const struct engine *wanted =
        engine_find(!automatic ? asked
                    : *have    ? have
                               : engine_of_this_machine(e),
                    err);

    if (wanted && *have && strcmp(have, wanted->name) != 0) {
        error_set(err, ERR_USAGE,
                  "the profile \"%s\" runs on the engine \"%s\", not \"%s\"",
                  e->profile.name, have, wanted->name);
        error_remedy(err, "MT-OTHER-ENGINE",
                     "Take it down first, or choose another --profile.");
        return NULL;
    }
    return wanted;
}

/* Every change goes to the log, then to whoever shows it. */
static void
on_change(void *arg, struct step_run *run)
{
    struct up *up = arg;

    steplog_changed(up->log, run);
    if (up->told.on_change)
        up->told.on_change(up->told.arg, run);
}

static void
on_end(void *arg, const struct error *err)
{
    struct up *up = arg;

    if (up->told.on_end)
        up->told.on_end(up->told.arg, err);
}

struct up *
up_new(struct env *e, const struct up_options *o,
       const struct step_graph_options *g, struct error *err)
{
    const struct engine *engine = up_engine(e, o->engine, err);
    struct step_graph_options how = *g;

    if (!engine || (o->cluster && !kind_config_known(o->cluster, err)))
        return NULL;
    struct up *up = mem_zalloc(1, sizeof(*up));

    up->env = e;
    up->options = o;
    up->engine = engine;
    up->fresh = !*e->profile.engine;
    up->told = *g;
    how.on_change = on_change;
    how.on_end = on_end;
    how.arg = up;
    how.engine = engine->name;
    how.quick = strcmp(engine->name, "sandbox") == 0;
    how.until = o->until;
    how.without = o->only_packages ? NOT_PACKAGES : NULL;
    up->graph = steps_new(e->loop, table, up, &how, err);
    if (up->graph)
        return up;
    up_free(up);
    return NULL;
}

void
up_free(struct up *up)
{
    if (!up)
        return;
    steps_free(up->graph);
    steplog_close(up->log);
    profile_unlock(&up->env->profile);
    docker_free(up->docker);
    free(up->kind);
    free(up->node_image);
    free(up);
}

struct step_graph *
up_graph(struct up *up)
{
    return up->graph;
}

const struct engine *
up_chosen(const struct up *up)
{
    return up->engine;
}

/* Another process may have brought it up on another engine meanwhile. */
bool
up_begin(struct up *up, struct error *err)
{
    struct profile *p = &up->env->profile;

    if (!profile_lock(p, err) || !up_engine(up->env, up->engine->name, err))
        return false;
    snprintf(p->engine, sizeof(p->engine), "%s", up->engine->name);
    steplog_close(up->log); /* of a run before this one */
    up->log = steplog_open(p, "up, meshtop " MESHTOP_VERSION);
    return profile_save(p, err);
}

/* Did any step do, or begin to do, something that has to be taken back? */
static bool
made_something(const struct up *up)
{
    for (size_t i = 0; i < steps_count(up->graph); i++) {
        const struct step_run *r = steps_at(up->graph, i);

        if (r->step->undo && r->began_ms && r->state != STEP_ALREADY &&
            r->verdict != STEP_IS_DONE)
            return true;
    }
    return false;
}

/* What each step that is done was made from. */
static void
note_digests(struct up *up)
{
    for (size_t i = 0; i < steps_count(up->graph); i++) {
        const struct step_run *r = steps_at(up->graph, i);
        AUTO(mem_free_ptr) char *key = mem_printf("digest/%s", r->id);
        char digest[65];

        steps_digest(up->graph, r->id, digest);
        if (*digest && (r->state == STEP_DONE || r->state == STEP_ALREADY))
            profile_set_fact(&up->env->profile, key, digest);
    }
}

void
up_end(struct up *up, const struct error *failure)
{
    struct profile *p = &up->env->profile;
    struct error why = {0};
    bool made = made_something(up);

    steplog_say(up->log, "ended: %s %s", failure ? failure->msg : "all well",
                failure ? failure->id : "");
    if (failure && up->options->rollback && made)
        made = !steps_undo(up->graph, &why);
    if (failure && up->fresh && !made) {
        env_disconnect(up->env);
        file_remove_tree(p->dir, NULL);
        p->engine[0] = '\0';
        return;
    }
    note_digests(up);
    profile_set_fact(p, "last-error", failure ? failure->msg : NULL);
    profile_set_fact(p, "last-error-id", failure ? failure->id : NULL);
    profile_save(p, NULL);
}

bool
up_run(struct up *up, struct error *err)
{
    struct error why = {0};

    if (!up_begin(up, err))
        return false;
    bool ok = steps_wait(up->graph, &why);

    up_end(up, ok ? NULL : &why);
    if (!ok && err)
        *err = why;
    return ok;
}
