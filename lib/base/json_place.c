#include "lib/base/json_place.h"

#include <stdlib.h>

#include "lib/base/mem.h"

/* By node, the newest of equal ones first: a node that was freed while reading
 * may have left its address to another one. */
static int
by_node(const void *a, const void *b)
{
    const struct json_placed *x = a, *y = b;
    uintptr_t p = (uintptr_t)x->node, q = (uintptr_t)y->node;

    if (p != q)
        return p < q ? -1 : 1;
    if (x->at.line != y->at.line)
        return x->at.line > y->at.line ? -1 : 1;
    return x->at.column > y->at.column ? -1 : 1;
}

void
json_places_add(struct json_places *p, const struct json *node,
                struct json_place at)
{
    if (!p)
        return;
    p->v = mem_grow(p->v, &p->cap, p->n + 1, sizeof(*p->v));
    p->v[p->n++] = (struct json_placed){node, at};
    p->sorted = false;
}

const struct json_place *
json_places_find(struct json_places *p, const struct json *node)
{
    size_t low = 0, high = p->n;

    if (!p->sorted && p->n)
        qsort(p->v, p->n, sizeof(*p->v), by_node);
    p->sorted = true;
    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if ((uintptr_t)p->v[mid].node < (uintptr_t)node)
            low = mid + 1;
        else
            high = mid;
    }
    return low < p->n && p->v[low].node == node ? &p->v[low].at : NULL;
}

void
json_places_release(struct json_places *p)
{
    free(p->v);
    *p = (struct json_places){0};
}
