/*
 * map.h - a hash map from byte strings to pointers, in insertion order.
 *
 * Invariants: keys are copied and owned by the map; iteration follows the
 * order of first insertion; deleting while iterating is allowed for the entry
 * just visited. Hash: seeded once per process against crafted keys.
 * Lifetime: values are the caller's unless map_release gets a free function.
 */
#ifndef LIB_BASE_MAP_H
#define LIB_BASE_MAP_H

#include "lib/base/str.h"

struct map_entry {
    struct str key; /* owned, NUL-terminated; key.s == NULL: deleted */
    uint64_t hash;
    void *value;
};

struct map {
    struct map_entry *entries; /* insertion order, with holes */
    size_t used, live, cap;
    uint32_t *slots;
    size_t slot_count; /* a power of two or 0 */
};

/* An all-zero struct map is an empty map. */
/* Sets key to value; returns the previous value or NULL. */
void *map_put(struct map *m, struct str key, void *value);
void *map_get(const struct map *m, struct str key);
bool map_has(const struct map *m, struct str key);
/* Removes key; returns its value or NULL. */
void *map_del(struct map *m, struct str key);
size_t map_count(const struct map *m);
/* for (struct map_entry *e = map_first(m); e; e = map_next(m, e)) */
struct map_entry *map_first(const struct map *m);
struct map_entry *map_next(const struct map *m, const struct map_entry *e);
/* Frees the map and, when free_value is not NULL, each value. m is empty
 * after and may be used again. */
void map_release(struct map *m, void (*free_value)(void *));

#endif
