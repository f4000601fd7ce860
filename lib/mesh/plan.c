#include "lib/mesh/plan.h"

#include <stdarg.h>
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
    p->replace += sign == MESH_REPLACE;
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
                                 .note = "",
                                 .composition = "",
                                 .revision = ""};
    count(p, sign);
    return i;
}

static void
add_note(struct mesh_plan *p, struct mesh_note n, const char *fmt, va_list ap)
{
    char text[2048];

    vsnprintf(text, sizeof(text), fmt, ap);
    n.text = arena_strdup(p->a, text);
    p->notes =
        grow(p->a, p->notes, p->notes_n, &p->notes_cap, sizeof(*p->notes));
    p->notes[p->notes_n++] = n;
    p->blockers += n.weight == MESH_BLOCK;
}

void
mesh_plan_note(struct mesh_plan *p, enum mesh_weight w, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_note(p, (struct mesh_note){w, "", NULL, MESH_NO_ITEM}, fmt, ap);
    va_end(ap);
}

void
mesh_plan_tell(struct mesh_plan *p, enum mesh_weight w, const char *code,
               size_t item, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_note(p, (struct mesh_note){w, code, NULL, item}, fmt, ap);
    va_end(ap);
}

const char *
mesh_plan_summary(const struct mesh_plan *p)
{
    const char *text =
        arena_printf(p->a, "%zu to add, %zu to change, %zu to destroy", p->add,
                     p->change, p->destroy);

    return p->replace
               ? arena_printf(p->a, "%s, %zu to replace", text, p->replace)
               : text;
}

void
mesh_plan_release(struct mesh_plan *p)
{
    json_free(p->owned);
    p->owned = NULL;
}
