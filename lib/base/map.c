#include "lib/base/map.h"

#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/random.h"

/*
 * Open addressing over an array of entries: slots hold entry index + 1, 0 is
 * free. A deleted entry keeps its slot (key.s == NULL) until the next rebuild,
 * which happens when used reaches 3/4 of the slots.
 */

static uint64_t
hash_of(struct str key)
{
    static uint64_t seed;
    uint64_t h;

    if (!seed) {
        random_bytes(&seed, sizeof(seed));
        seed |= 1;
    }
    h = seed;
    for (size_t i = 0; i < key.n; i++)
        h = (h ^ (unsigned char)key.s[i]) * 0x9E3779B97F4A7C15u;
    return h ^ h >> 29;
}

static struct map_entry *
find(const struct map *m, struct str key, uint64_t hash)
{
    if (!m->slot_count)
        return NULL;
    for (size_t i = hash & (m->slot_count - 1); m->slots[i];
         i = (i + 1) & (m->slot_count - 1)) {
        struct map_entry *e = &m->entries[m->slots[i] - 1];

        if (e->key.s && e->hash == hash && str_eq(e->key, key))
            return e;
    }
    return NULL;
}

static void
link_slot(struct map *m, size_t index)
{
    size_t i = m->entries[index].hash & (m->slot_count - 1);

    while (m->slots[i])
        i = (i + 1) & (m->slot_count - 1);
    m->slots[i] = (uint32_t)index + 1;
}

/* Closes the holes and makes room for one more entry. */
static void
rebuild(struct map *m)
{
    size_t n = 0, slots = 16;

    for (size_t i = 0; i < m->used; i++) {
        if (m->entries[i].key.s)
            m->entries[n++] = m->entries[i];
    }
    m->used = n;
    while (slots * 3 / 4 < (n + 1) * 3 / 2)
        slots *= 2;
    free(m->slots);
    m->slots = mem_zalloc(slots, sizeof(*m->slots));
    m->slot_count = slots;
    m->entries =
        mem_grow(m->entries, &m->cap, slots * 3 / 4, sizeof(*m->entries));
    for (size_t i = 0; i < n; i++)
        link_slot(m, i);
}

void *
map_put(struct map *m, struct str key, void *value)
{
    uint64_t hash = hash_of(key);
    struct map_entry *e = find(m, key, hash);

    if (e) {
        void *old = e->value;

        e->value = value;
        return old;
    }
    if (m->used >= m->slot_count * 3 / 4)
        rebuild(m);
    e = &m->entries[m->used];
    e->key = str_n(mem_strndup(key.s, key.n), key.n);
    e->hash = hash;
    e->value = value;
    link_slot(m, m->used++);
    m->live++;
    return NULL;
}

void *
map_get(const struct map *m, struct str key)
{
    struct map_entry *e = m->live ? find(m, key, hash_of(key)) : NULL;

    return e ? e->value : NULL;
}

bool
map_has(const struct map *m, struct str key)
{
    return m->live && find(m, key, hash_of(key));
}

void *
map_del(struct map *m, struct str key)
{
    struct map_entry *e = m->live ? find(m, key, hash_of(key)) : NULL;

    if (!e)
        return NULL;
    free((char *)e->key.s);
    e->key = (struct str){0};
    m->live--;
    return e->value;
}

size_t
map_count(const struct map *m)
{
    return m->live;
}

static struct map_entry *
live_from(const struct map *m, size_t i)
{
    for (; i < m->used; i++) {
        if (m->entries[i].key.s)
            return &m->entries[i];
    }
    return NULL;
}

struct map_entry *
map_first(const struct map *m)
{
    return live_from(m, 0);
}

struct map_entry *
map_next(const struct map *m, const struct map_entry *e)
{
    return live_from(m, (size_t)(e - m->entries) + 1);
}

void
map_release(struct map *m, void (*free_value)(void *))
{
    for (struct map_entry *e = map_first(m); e; e = map_next(m, e)) {
        if (free_value)
            free_value(e->value);
        free((char *)e->key.s);
    }
    free(m->entries);
    free(m->slots);
    *m = (struct map){0};
}
