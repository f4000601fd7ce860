#include "devenv/sandbox/index.h"

#include <stdlib.h>

#include "lib/base/mem.h"

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
    index_init(x);
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
    struct index_node *n = index_seek(x, key);

    return n && str_eq(n->key, key) ? n : NULL;
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
    struct index_node **links[INDEX_LEVELS];

    descend(x, key, links);
    if (*links[0] && str_eq((*links[0])->key, key))
        return *links[0];

    unsigned levels = tower(x);
    size_t head = sizeof(struct index_node) + levels * sizeof(void *);
    struct index_node *n = mem_zalloc(1, head + key.n + 1);
    char *text = (char *)n + head;

    memcpy(text, key.s, key.n);
    n->key = str_n(text, key.n);
    n->levels = levels;
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

    descend(x, node->key, links);
    for (unsigned i = 0; i < node->levels; i++)
        *links[i] = node->next[i];
    x->count--;
    free(node);
}
