/*
 * The REST semantics as a part of the server: makes the registry, handles
 * requests, goes on with what is terminating, and applies what --load names.
 */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/load.h"
#include "devenv/sandbox/rest.h"

#define LOAD_MS 8000 /* for what waits for its kind */

struct rest_state {
    struct server *server;
    struct registry *registry;
    struct load *load; /* what --load names, until it is applied */
    int64_t load_until;
};

static bool
init(struct server *s, void **state, struct error *err)
{
    struct registry_options o = {
        .loop = s->loop, .clock = s->clock, .store = s->store, .hub = s->hub};
    struct rest_state *rs = mem_zalloc(1, sizeof(*rs));

    *state = rs;
    rs->server = s;
    rs->registry = registry_new(&o, err);
    if (!rs->registry)
        return false;
    server_set_handler(s, rest_handle, rs->registry);
    rs->load = load_new(&s->options->load, err);
    rs->load_until = clock_mono_ms(clock_system()) + LOAD_MS;
    return rs->load != NULL;
}

/* The manifests: those of kinds that the controllers make come when these have
 * made them. */
static enum server_start
start(void *state, struct error *err)
{
    struct rest_state *rs = state;
    enum load_progress p = load_step(rs->load, rs->registry, err);

    if (p == LOAD_DONE)
        return SERVER_READY;
    if (p == LOAD_WAITS && clock_mono_ms(clock_system()) < rs->load_until)
        return SERVER_WAITS;
    if (p == LOAD_WAITS)
        load_missing(rs->load, err);
    return SERVER_FAILED;
}

static bool
turn(void *state)
{
    struct rest_state *rs = state;

    return registry_turn(rs->registry);
}

static void
rolled_back(void *state)
{
    struct rest_state *rs = state;

    registry_reload(rs->registry);
}

static void
module_free(void *state)
{
    struct rest_state *rs = state;

    if (!rs)
        return;
    registry_free(rs->registry);
    load_free(rs->load);
    free(rs);
}

const struct server_module rest_module = {
    .name = "rest",
    .init = init,
    .start = start,
    .turn = turn,
    .rolled_back = rolled_back,
    .free = module_free,
};

struct registry *
rest_registry(struct server *s)
{
    struct rest_state *rs = server_module_state(s, "rest");

    return rs ? rs->registry : NULL;
}
