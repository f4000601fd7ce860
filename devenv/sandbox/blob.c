#include "devenv/sandbox/blob.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/mem.h"

/* States come and go all the time: sizes in steps let the heap give a place to
 * the next one as it is. */
#define STEP 256

struct blob *
blob_new(struct str s)
{
    struct blob *b = mem_alloc((sizeof(*b) + s.n + STEP) / STEP * STEP);

    *b = (struct blob){.users = 1, .n = s.n};
    if (s.n)
        memcpy(b->data, s.s, s.n);
    b->data[s.n] = '\0';
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
    free(b);
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
