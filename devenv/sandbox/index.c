#include "devenv/sandbox/index.h"

#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/random.h"

#define FIRST_SLOTS 64 /* a power of two */

/*
 * A node's tower has a level more with probability 1/4 each. `struct index`
 * itself stands before the first node: links[i] is where the pointer to the
 * next node of level i is kept, in the head or in a node.
 */

void
index_init(struct index *x)
{
    *x = (struct index){.dice = 0x9e3779b9u};
}

void
index_release(struct index *x)
{
    for (struct index_node *n = x->head[0], *next; n; n = next) {
        next = n->next[0];
        free(n);
    }
    free(x->slots);
    index_init(x);
}

/* Seeded once a process, against crafted keys. */
static uint32_t
hash_of(struct str key)
{
    static uint64_t seed;
    uint64_t h, word;
    size_t i = 0;

    while (!seed)
        random_bytes(&seed, sizeof(seed));
    h = seed ^ key.n;
    for (; i + 8 <= key.n; i += 8) {
        memcpy(&word, key.s + i, 8);
        h = (h ^ word) * 0x9e3779b97f4a7c15u;
        h ^= h >> 32;
    }
    for (word = 0; i < key.n; i++)
        word = word << 8 | (unsigned char)key.s[i];
    h = (h ^ word) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(h >> 32);
}

static void
grow(struct index *x)
{
    x->slots_n = x->slots_n ? x->slots_n * 2 : FIRST_SLOTS;
    free(x->slots);
    x->slots = mem_zalloc(x->slots_n, sizeof(struct index_node *));
    for (struct index_node *n = x->head[0]; n; n = n->next[0]) {
        struct index_node **slot = &x->slots[n->hash & (x->slots_n - 1)];

        n->chain = *slot;
        *slot = n;
    }
}

static struct index_node *
lookup(const struct index *x, struct str key, uint32_t hash)
{
    struct index_node *n =
        x->slots_n ? x->slots[hash & (x->slots_n - 1)] : NULL;

    while (n && (n->hash != hash || !str_eq(n->key, key)))
        n = n->chain;
    return n;
}

/* Fills links with the places that point at the first node >= key. */
static void
descend(const struct index *x, struct str key,
        struct index_node **links[INDEX_LEVELS])
{
    struct index_node **at = (struct index_node **)x->head;

    for (unsigned level = INDEX_LEVELS; level-- > 0;) {
        while (at[level] && str_cmp(at[level]->key, key) < 0)
            at = at[level]->next;
        links[level] = &at[level];
    }
}

struct index_node *
index_seek(const struct index *x, struct str key)
{
    struct index_node **links[INDEX_LEVELS];

    descend(x, key, links);
    return *links[0];
}

struct index_node *
index_find(const struct index *x, struct str key)
{
    return lookup(x, key, hash_of(key));
}

/* xorshift32: the shape of the towers is no secret. */
static unsigned
tower(struct index *x)
{
    unsigned levels = 1;

    x->dice ^= x->dice << 13;
    x->dice ^= x->dice >> 17;
    x->dice ^= x->dice << 5;
    for (uint32_t d = x->dice; (d & 3) == 0 && levels < INDEX_LEVELS; d >>= 2)
        levels++;
    return levels;
}

struct index_node *
index_need(struct index *x, struct str key)
{
    struct index_node **links[INDEX_LEVELS], **slot;
    uint32_t hash = hash_of(key);
    struct index_node *n = lookup(x, key, hash);

    if (n)
        return n;
    if (x->count >= x->slots_n)
        grow(x);
    descend(x, key, links);

    unsigned levels = tower(x);
    size_t head = sizeof(*n) + levels * sizeof(void *);
    char *text;

    n = mem_zalloc(1, head + key.n + 1);
    text = (char *)n + head;
    memcpy(text, key.s, key.n);
    n->key = str_n(text, key.n);
    n->levels = levels;
    n->hash = hash;
    slot = &x->slots[hash & (x->slots_n - 1)];
    n->chain = *slot;
    *slot = n;
    for (unsigned i = 0; i < levels; i++) {
        n->next[i] = *links[i];
        *links[i] = n;
    }
    x->count++;
    return n;
}

void
index_delete(struct index *x, struct index_node *node)
{
    struct index_node **links[INDEX_LEVELS];
    struct index_node **slot = &x->slots[node->hash & (x->slots_n - 1)];

    while (*slot != node)
        slot = &(*slot)->chain;
    *slot = node->chain;
    descend(x, node->key, links);
    for (unsigned i = 0; i < node->levels; i++)
        *links[i] = node->next[i];
    x->count--;
    free(node);
}
