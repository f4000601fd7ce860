#include "lib/mesh/planner.h"

#include <stdlib.h>

#include "lib/base/mem.h"

struct mesh_planner {
    struct mesh_host host;
};

struct mesh_planner *
mesh_planner_new(const struct mesh_host *host)
{
    struct mesh_planner *p = mem_zalloc(1, sizeof(*p));

    p->host = *host;
    return p;
}

void
mesh_planner_free(struct mesh_planner *p)
{
    free(p);
}

void
mesh_planner_free_ptr(struct mesh_planner **p)
{
    mesh_planner_free(*p);
}

void
mesh_planner_forget(struct mesh_planner *p)
{
    (void)p;
}

bool
mesh_plan_apply(struct mesh_planner *p, const struct json *object,
                struct arena *a, struct mesh_plan *out, struct error *err)
{
    (void)p;
    (void)object;
    (void)a;
    (void)out;
    return error_set(err, ERR_UNSUPPORTED, "plans are not built in yet");
}
