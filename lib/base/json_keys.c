#include "lib/base/json_node.h"

/*
 * 64 bits of a cheap hash tell almost always that a key is new; otherwise the
 * members are compared, in a map once there are many.
 */

enum { MAP_FROM = 32 };

struct json *
json_keys_find(struct json_keys *k, const struct json *object, struct str key)
{
    uint64_t bit = 1;

    if (key.n)
        bit = (uint64_t)1 << (((unsigned char)key.s[0] * 7u +
                               (unsigned char)key.s[key.n - 1] * 3u + key.n) &
                              63);
    bool maybe = k->seen & bit;

    k->seen |= bit;
    if (!maybe)
        return NULL;
    if (k->n < MAP_FROM)
        return json_get_str(object, key);
    return map_get(&k->map, key);
}

void
json_keys_add(struct json_keys *k, struct json *object, struct json *member)
{
    k->n++;
    if (k->n == MAP_FROM) {
        for (struct json *c = json_first(object); c; c = json_next(c))
            map_put(&k->map, str_of(json_key(c)), c);
    } else if (k->n > MAP_FROM) {
        map_put(&k->map, str_of(json_key(member)), member);
    }
}

void
json_keys_replace(struct json_keys *k, struct json *object, struct json *old,
                  struct json *fresh)
{
    if (k->n >= MAP_FROM)
        map_put(&k->map, str_of(json_key(old)), fresh);
    json_replace(object, old, fresh);
}

void
json_keys_release(struct json_keys *k)
{
    map_release(&k->map, NULL);
}
