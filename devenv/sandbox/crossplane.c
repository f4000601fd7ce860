/*
 * The module that puts the controllers into the server: Crossplane's core and
 * the simulated provider work in the server's turn, before its commit.
 */
#include "devenv/sandbox/control.h"
#include "devenv/sandbox/rest.h"
#include "devenv/sandbox/server.h"

static void
kick(void *arg)
{
    server_kick(arg);
}

static bool
init(struct server *s, void **state, struct error *err)
{
    const struct control_options o = {
        .registry = rest_registry(s),
        .loop = s->loop,
        .clock = s->clock,
        .provider_delay_ms = s->options->provider_delay_ms,
        .core_23 = s->options->core_23,
        .kick = kick,
        .kick_arg = s,
    };

    *state = control_new(&o, err);
    return *state != NULL;
}

/* Requests are served between two rounds. */
static bool
turn(void *state)
{
    return control_turn(state);
}

static void
rolled_back(void *state)
{
    control_rolled_back(state);
}

static void
release(void *state)
{
    control_free(state);
}

const struct server_module crossplane_module = {
    .name = "crossplane",
    .init = init,
    .turn = turn,
    .rolled_back = rolled_back,
    .free = release,
};
