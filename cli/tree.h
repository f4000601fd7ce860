/*
 * tree.h - a composed tree as the mesh sees it, as text.
 */
#ifndef CLI_TREE_H
#define CLI_TREE_H

#include "lib/mesh/model.h"

/* NAME HEALTH SYNCED READY NOTE; wide: RESOURCE and the first message too.
 * ascii: no line-drawing characters. */
void tree_print(const struct mesh_tree *t, bool wide, bool ascii,
                const char *indent);

#endif
