/*
 * named.h - the one object of the mesh that a command was given by name.
 *
 * NAME is a product, else a domain, else a contract; NS/NAME says which of
 * several; KIND/NAME or KIND NAME means an object of any served kind (its own
 * namespace rules: cli/objects.h).
 * Lifetimes: named_open ... named_release; the item lives until the loop turns.
 */
#ifndef CLI_NAMED_H
#define CLI_NAMED_H

#include "lib/mesh/live.h"

#include "cli/target.h"

struct named {
    struct target target;
    struct mesh_live *live;
    const struct mesh_item *item;
};

/* Reads the positional words, waits until the mesh is known. */
bool named_open(struct named *n, const struct args *a, struct error *err);
void named_release(struct named *n);

#endif
