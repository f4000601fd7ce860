/*
 * json_place.h - where the values of a tree stood in the text it was read from.
 *
 * What: json_parse and yaml_parse note, when their options ask for it, the line
 * and column of every value and key. What an alias or a merge key copied has no
 * place of its own; the alias has.
 * Invariants: lines and columns count from 1, columns in characters. A place is
 * found by its node, so the tree must not be changed between (work on a copy).
 * Lifetimes: zero is an empty list; json_places_release. Nodes are never read.
 */
#ifndef LIB_BASE_JSON_PLACE_H
#define LIB_BASE_JSON_PLACE_H

#include "lib/base/base.h"

struct json;

struct json_place {
    unsigned line, column;         /* of the value */
    unsigned key_line, key_column; /* of its key; 0: an element or a root */
    /* A literal block ("|"): its first line of text is line + 1. */
    bool block;
};

struct json_places {
    struct json_placed {
        const struct json *node;
        struct json_place at;
    } * v;
    size_t n, cap;
    bool sorted;
};

/* A later place of the same node replaces the earlier one. p may be NULL. */
void json_places_add(struct json_places *p, const struct json *node,
                     struct json_place at);
/* NULL: none is known. */
const struct json_place *json_places_find(struct json_places *p,
                                          const struct json *node);
void json_places_release(struct json_places *p);

#endif
