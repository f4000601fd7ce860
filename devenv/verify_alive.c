/* V-a: the engine runs what it should, the API answers, nodes are Ready. */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/kind.h"
#include "devenv/status.h"
#include "devenv/verify_group.h"

#define ANSWER_MS 5000

/* ---- the engine's side ---- */

static void
sandbox_alive(struct verify *v)
{
    struct error why = {0};
    AUTO(json_free_ptr)
    struct json *said =
        env_status_sandbox(v->o->run, v->env->profile.name, ANSWER_MS, &why);

    verify_say(v, json_bool(json_get(said, "running"), false),
               said ? "its process is gone; meshtop up starts it again"
                    : why.msg,
               "the sandbox runs");
}

/* Every node's container runs; what image it is of is for V-b. */
static void
kind_alive(struct verify *v)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct step_run *run = v->o->run;
    struct kind_cluster c = {0};
    struct error why = {0};
    struct docker *d = docker_open(v->env->loop, NULL, run, &why);
    bool ok = d && kind_look(d, &v->env->profile, run, a, &c, &why);

    verify_say(v, ok, why.msg, "the container engine answers");
    if (ok && !c.nodes.n)
        verify_say(v, false, "meshtop up makes it again",
                   "the cluster %s has containers", c.name);
    for (size_t i = 0; ok && i < c.nodes.n; i++) {
        const struct docker_container *n = &c.nodes.v[i];
        AUTO(mem_free_ptr)
        char *detail = mem_printf("it is %s (%s)", n->state, n->status);

        verify_say(v, docker_is_running(n), detail, "container %s runs",
                   n->name);
        strlist_addf(&v->nodes, "%s %s", n->name, n->image);
    }
    docker_free(d);
}

static const struct {
    const char *engine;
    void (*look)(struct verify *v);
} engines[] = {
    {"sandbox", sandbox_alive},
    {"kind", kind_alive},
};

/* ---- the cluster's side ---- */

static void
check_nodes(struct verify *v)
{
    struct kube_request r = {.gvr = {"", "v1", "nodes"}};
    struct error why = {0};
    AUTO(json_free_ptr) struct json *nodes = NULL;

    if (!kube_discovery_gvr(v->env->discovery, &r.gvr))
        return;
    nodes = verify_list(v, &r, &why); /* the sandbox has none */
    if (!nodes)
        verify_say(v, false, why.msg, "the nodes can be read");
    for (const struct json *n = json_first(nodes); n; n = json_next(n)) {
        AUTO(mem_free_ptr)
        char *name = mem_printf("node %s", verify_name_of(n));

        verify_condition(v, n, name, "Ready", "");
    }
}

void
verify_alive(struct verify *v)
{
    struct kube_request ready = {
        .verb = KUBE_RAW_GET, .path = "/readyz", .timeout_ms = ANSWER_MS};
    struct error why = {0};

    for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
        if (strcmp(engines[i].engine, v->env->profile.engine) == 0)
            engines[i].look(v);
    }
    bool ok = kube_client_wait(v->env->client, &ready, NULL, &why);

    verify_say(v, ok, why.msg, "the API answers");
    if (ok) {
        ok = kube_discovery_wait(v->env->discovery, true, &why);
        verify_say(v, ok, why.msg, "the API lists what it serves");
    }
    v->dead = !ok;
    if (ok)
        check_nodes(v);
}
