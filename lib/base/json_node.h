/*
 * json_node.h - what json.c offers to the other json_*.c files alone.
 *
 * What: making and linking nodes without the checks of the public API. Why:
 * the scanner, the printer and the numbers need no cJSON, so json.c stays the
 * only door to it.
 */
#ifndef LIB_BASE_JSON_NODE_H
#define LIB_BASE_JSON_NODE_H

#include "lib/base/json.h"
#include "lib/base/map.h"

/* Room for a piece of a tree; its giver says the same size (not 0) again. Not
 * initialised. */
void *json_room(size_t size);
void json_room_give(void *p, size_t size);
/* A node with its key (NULL: none) and text: the value of a string, the source
 * of a number, for JSON_BOOL anything but empty is true. */
struct json *json_node(enum json_type type, const struct str *key,
                       struct str text);
/* Appends child with the key it has; no look for an equal key. */
void json_link(struct json *container, struct json *child);
/* The same with this key; returns child. */
struct json *json_link_as(struct json *object, const char *key,
                          struct json *child);
/* The members of an object (elements of an array) in fresh memory, free();
 * by key when sorted. NULL when there are none. */
struct json **json_children(const struct json *j, bool sorted, size_t *n);
/* True when s is a number as RFC 8259 section 6 writes it. */
bool json_number_valid(struct str s);

/* The keys of one object that is being read, all zero at first: finds an equal
 * key without a walk over the members. */
struct json_keys {
    uint64_t seen; /* 64 bits of a cheap hash */
    size_t n;
    struct map map; /* key -> member, once there are many */
};
/* The member with this key or NULL; the caller adds or replaces next. */
struct json *json_keys_find(struct json_keys *k, const struct json *object,
                            struct str key);
/* After member was linked to object. */
void json_keys_add(struct json_keys *k, struct json *object,
                   struct json *member);
/* json_replace that keeps k right. */
void json_keys_replace(struct json_keys *k, struct json *object,
                       struct json *old, struct json *fresh);
void json_keys_release(struct json_keys *k);

#endif
