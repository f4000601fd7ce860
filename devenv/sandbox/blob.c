#include "devenv/sandbox/blob.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/mem.h"

/*
 * States come and go all the time, between the small pieces that requests make
 * of the heap, and would leave holes all over it; places of their own keep the
 * two apart. What is dropped waits for the next of its length.
 */
enum { STEP = 64, STEPS = 128, SPARE_MAX = 8 << 20 };

struct places {
    struct blob *spare[STEPS + 1]; /* by steps; chained through aux */
    size_t bytes;
};

static struct places *
places(void)
{
    static struct places all;

    return &all;
}

static size_t
steps_of(size_t n)
{
    return (sizeof(struct blob) + n) / STEP + 1;
}

static void
place_give(struct blob *b)
{
    struct places *p = places();
    size_t steps = steps_of(b->n);

    if (steps > STEPS || p->bytes + steps * STEP > SPARE_MAX) {
        free(b);
        return;
    }
    b->aux = p->spare[steps];
    p->spare[steps] = b;
    p->bytes += steps * STEP;
}

struct blob *
blob_room(size_t n)
{
    struct places *p = places();
    size_t steps = steps_of(n);
    struct blob *b = steps <= STEPS ? p->spare[steps] : NULL;

    if (b) {
        p->spare[steps] = b->aux;
        p->bytes -= steps * STEP;
    } else {
        b = mem_alloc(steps * STEP);
    }
    *b = (struct blob){.users = 1, .n = n};
    b->data[n] = '\0';
    return b;
}

struct blob *
blob_new(struct str s)
{
    struct blob *b = blob_room(s.n);

    if (s.n)
        memcpy(b->data, s.s, s.n);
    return b;
}

struct blob *
blob_keep(struct blob *b)
{
    assert(b->users > 0);
    b->users++;
    return b;
}

void
blob_drop(struct blob *b)
{
    if (!b)
        return;
    assert(b->users > 0);
    if (--b->users > 0)
        return;
    blob_set_aux(b, NULL, NULL);
    place_give(b);
}

struct str
blob_view(const struct blob *b)
{
    return (struct str){b->data, b->n};
}

void
blob_set_aux(struct blob *b, void *aux, void (*aux_free)(void *))
{
    if (b->aux && b->aux_free)
        b->aux_free(b->aux);
    b->aux = aux;
    b->aux_free = aux_free;
}
