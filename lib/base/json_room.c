#include <stdlib.h>

#include "lib/base/json_node.h"
#include "lib/base/mem.h"

/*
 * Trees come and go by the thousand pieces, and a heap that splits and joins
 * blocks for each of them takes more time than what the trees are read for.
 * What is given back waits for the next piece of its length, up to a limit, so
 * that a big tree returns to the heap. Under a sanitizer nothing waits: it must
 * see who uses a piece that was freed.
 */
enum { STEP = 16, STEPS = 40 };

#ifdef __SANITIZE_ADDRESS__
enum { SPARE_MAX = 0 };
#else
enum { SPARE_MAX = 4 << 20 };
#endif

struct spare {
    struct spare *next;
};

struct rooms {
    struct spare *spare[STEPS + 1]; /* by length, in steps */
    size_t bytes;                   /* of all that wait */
};

static struct rooms *
rooms(void)
{
    static struct rooms all;

    return &all;
}

static size_t
steps_of(size_t size)
{
    return (size + STEP - 1) / STEP;
}

void *
json_room(size_t size)
{
    struct rooms *all = rooms();
    size_t steps = steps_of(size);
    struct spare *s = steps <= STEPS ? all->spare[steps] : NULL;

    if (!s)
        return mem_alloc(steps * STEP);
    all->spare[steps] = s->next;
    all->bytes -= steps * STEP;
    return s;
}

void
json_room_give(void *p, size_t size)
{
    struct rooms *all = rooms();
    size_t steps = steps_of(size);
    struct spare *s = p;

    if (steps > STEPS || all->bytes + steps * STEP > SPARE_MAX) {
        free(p);
        return;
    }
    s->next = all->spare[steps];
    all->spare[steps] = s;
    all->bytes += steps * STEP;
}
