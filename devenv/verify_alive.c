/* V-a: the engine runs what it should, the API answers, nodes are Ready. */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/engine.h"
#include "devenv/verify_group.h"

#define ANSWER_MS 5000

/* ---- the engine's side ---- */

static void
sandbox_alive(struct verify *v)
{
    const char *const words[] = {"sandbox", "status",    "-o",
                                 "json",    "--profile", v->env->profile.name,
                                 NULL};
    AUTO(mem_free_ptr) char *said = NULL;
    struct error why = {0};
    bool ok = engine_self(v->o->run, words, &said, &why);
    AUTO(json_free_ptr)
    struct json *j = ok ? json_parse(str_of(said), NULL, NULL) : NULL;

    verify_say(v, ok && json_bool(json_get(j, "running"), false),
               ok ? "it does not run: meshtop up starts it" : why.msg,
               "the sandbox runs");
}

static const struct {
    const char *engine;
    void (*look)(struct verify *v);
} engines[] = {
    {"sandbox", sandbox_alive},
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
