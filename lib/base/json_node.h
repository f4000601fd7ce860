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

/* A node with its key (NULL: none) and text: the value of a string, the source
 * of a number, for JSON_BOOL anything but empty is true. */
struct json *json_node(enum json_type type, const struct str *key,
                       struct str text);
/* Appends child with the key it has; no look for an equal key. */
void json_link(struct json *container, struct json *child);
/* The members of an object (elements of an array) in fresh memory, free();
 * by key when sorted. NULL when there are none. */
struct json **json_children(const struct json *j, bool sorted, size_t *n);
/* True when s is a number as RFC 8259 section 6 writes it. */
bool json_number_valid(struct str s);

#endif
