#include "devenv/sandbox/bodies.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#define FIRST_SLOTS 256 /* a power of two */
#define OVERHEAD    256 /* of an entry: itself, and what is kept with a blob */

struct entry {
    int64_t rev;
    struct blob *json;
    struct entry *chain;
    struct entry *newer, *older;
};

struct bodies {
    struct entry **slots;
    size_t slots_n, n;
    struct entry *newest, *oldest;
    struct entry *spare; /* chained; to be used again */
    size_t bytes, max;
};

struct bodies *
bodies_new(size_t max_bytes)
{
    struct bodies *b = mem_zalloc(1, sizeof(*b));

    b->max = max_bytes;
    b->slots_n = FIRST_SLOTS;
    b->slots = mem_zalloc(b->slots_n, sizeof(struct entry *));
    return b;
}

void
bodies_free(struct bodies *b)
{
    if (!b)
        return;
    for (struct entry *e = b->newest, *next; e; e = next) {
        next = e->older;
        blob_drop(e->json);
        free(e);
    }
    for (struct entry *e = b->spare, *next; e; e = next) {
        next = e->chain;
        free(e);
    }
    free(b->slots);
    free(b);
}

/* Revisions are dense: their low bits spread them evenly. */
static struct entry **
slot_of(const struct bodies *b, int64_t rev)
{
    struct entry **at = &b->slots[(size_t)rev & (b->slots_n - 1)];

    while (*at && (*at)->rev != rev)
        at = &(*at)->chain;
    return at;
}

static void
grow(struct bodies *b)
{
    b->slots_n *= 2;
    b->slots = mem_resize(b->slots, b->slots_n, sizeof(struct entry *));
    memset(b->slots, 0, b->slots_n * sizeof(struct entry *));
    for (struct entry *e = b->newest; e; e = e->older) {
        struct entry **at = &b->slots[(size_t)e->rev & (b->slots_n - 1)];

        e->chain = *at;
        *at = e;
    }
}

static void
leave_line(struct bodies *b, struct entry *e)
{
    *(e->newer ? &e->newer->older : &b->newest) = e->older;
    *(e->older ? &e->older->newer : &b->oldest) = e->newer;
}

static void
join_line(struct bodies *b, struct entry *e)
{
    e->newer = NULL;
    e->older = b->newest;
    *(b->newest ? &b->newest->newer : &b->oldest) = e;
    b->newest = e;
}

static void
forget(struct bodies *b, struct entry **at)
{
    struct entry *e = *at;

    *at = e->chain;
    leave_line(b, e);
    b->bytes -= e->json->n + OVERHEAD;
    b->n--;
    blob_drop(e->json);
    e->chain = b->spare;
    b->spare = e;
}

struct blob *
bodies_get(struct bodies *b, int64_t rev, bool use)
{
    struct entry *e = *slot_of(b, rev);

    if (!e)
        return NULL;
    if (use && b->newest != e) {
        leave_line(b, e);
        join_line(b, e);
    }
    return e->json;
}

void
bodies_put(struct bodies *b, int64_t rev, struct blob *json)
{
    struct entry *e = b->spare, **at;

    if (e)
        b->spare = e->chain;
    else
        e = mem_alloc(sizeof(*e));

    if (b->n >= b->slots_n)
        grow(b);
    at = slot_of(b, rev);
    *e = (struct entry){.rev = rev, .json = blob_keep(json)};
    *at = e;
    join_line(b, e);
    b->n++;
    b->bytes += json->n + OVERHEAD;
    while (b->bytes > b->max && b->oldest != e)
        forget(b, slot_of(b, b->oldest->rev));
}

void
bodies_drop(struct bodies *b, int64_t rev)
{
    struct entry **at = slot_of(b, rev);

    if (*at)
        forget(b, at);
}

size_t
bodies_bytes(const struct bodies *b)
{
    return b->bytes;
}
