#include "lib/mesh/plan.h"

#include <stdio.h>

void
mesh_plan_init(struct mesh_plan *p, struct arena *a)
{
    *p = (struct mesh_plan){.a = a};
}

/* Room for one more; arenas do not give back, so it doubles. */
static void *
grow(struct arena *a, void *v, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return v;
    size_t fresh = *cap ? *cap * 2 : 16;
    void *wider = arena_array(a, fresh, size);

    if (n)
        memcpy(wider, v, n * size);
    *cap = fresh;
    return wider;
}

static void
count(struct mesh_plan *p, enum mesh_sign sign)
{
    p->add += sign == MESH_ADD;
    p->change += sign == MESH_CHANGE;
    p->destroy += sign == MESH_DESTROY;
    p->keep += sign == MESH_KEEP;
    p->conflict += sign == MESH_CONFLICT;
}

struct mesh_plan_item *
mesh_plan_add(struct mesh_plan *p, enum mesh_sign sign, unsigned depth)
{
    p->items =
        grow(p->a, p->items, p->items_n, &p->items_cap, sizeof(*p->items));
    struct mesh_plan_item *i = &p->items[p->items_n++];

    *i = (struct mesh_plan_item){.sign = sign,
                                 .depth = depth,
                                 .api_version = "",
                                 .kind = "",
                                 .ns = "",
                                 .name = "",
                                 .resource = "",
                                 .note = ""};
    count(p, sign);
    return i;
}

void
mesh_plan_note(struct mesh_plan *p, enum mesh_weight w, const char *fmt, ...)
{
    char text[2048];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    p->notes =
        grow(p->a, p->notes, p->notes_n, &p->notes_cap, sizeof(*p->notes));
    p->notes[p->notes_n++] =
        (struct mesh_note){.weight = w, .text = arena_strdup(p->a, text)};
    p->blockers += w == MESH_BLOCK;
}

const char *
mesh_plan_summary(const struct mesh_plan *p)
{
    return arena_printf(p->a, "%zu to add, %zu to change, %zu to destroy",
                        p->add, p->change, p->destroy);
}

void
mesh_plan_release(struct mesh_plan *p)
{
    json_free(p->owned);
    p->owned = NULL;
}
