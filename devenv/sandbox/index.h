/*
 * index.h - an ordered map from byte strings to pointers (a skip list with a
 * hash table beside it).
 *
 * What: find in O(1), put and delete in O(log n); walks forward from any key,
 * in byte order. Invariants: keys are copied and owned by the index; a node's
 * address stays the same until it is deleted. Values are the caller's.
 * Lifetime: index_init ... index_release.
 */
#ifndef DEVENV_SANDBOX_INDEX_H
#define DEVENV_SANDBOX_INDEX_H

#include "lib/base/str.h"

#define INDEX_LEVELS 12 /* 4^12 keys before searches grow longer */

struct index_node {
    struct str key; /* NUL-terminated */
    void *value;
    struct index_node *chain; /* of the same slot */
    uint32_t hash;
    unsigned levels;
    struct index_node *next[]; /* levels entries */
};

struct index {
    struct index_node *head[INDEX_LEVELS];
    struct index_node **slots; /* a power of two of them, or none */
    size_t slots_n, count;
    uint32_t dice;
};

void index_init(struct index *x);
/* Frees the nodes. */
void index_release(struct index *x);
struct index_node *index_find(const struct index *x, struct str key);
/* The first node whose key is >= key, or NULL. */
struct index_node *index_seek(const struct index *x, struct str key);
/* The node of key, made with a NULL value when there is none. */
struct index_node *index_need(struct index *x, struct str key);
void index_delete(struct index *x, struct index_node *node);
static inline struct index_node *
index_next(const struct index_node *node)
{
    return node->next[0];
}

#endif
