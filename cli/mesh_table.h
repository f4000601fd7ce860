/*
 * mesh_table.h - domains, products and contracts as aligned columns.
 */
#ifndef CLI_MESH_TABLE_H
#define CLI_MESH_TABLE_H

#include "lib/mesh/model.h"

enum mesh_table_width {
    MESH_TABLE_BRIEF, /* for the overview */
    MESH_TABLE_TEXT,
    MESH_TABLE_WIDE
};

struct mesh_table_options {
    enum mesh_table_width width;
    const char *ns, *name; /* NULL: all */
    const char *indent;
};

/* The items of a role that match, sorted by namespace and name; live in a. */
const struct mesh_item **mesh_table_items(const struct mesh *m,
                                          enum mesh_role role,
                                          const struct mesh_table_options *o,
                                          struct arena *a, size_t *n);
/* Prints them with a head line. */
void mesh_table_print(const struct mesh_item *const *v, size_t n,
                      enum mesh_role role, const struct mesh_table_options *o);

#endif
