/*
 * diff.h - mesh_diff_of with a choice, for the files of lib/mesh only.
 */
#ifndef LIB_MESH_DIFF_H
#define LIB_MESH_DIFF_H

#include <stdio.h>

#include "lib/base/mem.h"

#include "lib/mesh/planner.h"

/* whole: after replaces before (PUT), so what it lacks is removed; else it is
 * applied over it. */
const struct mesh_diff *diff_objects(const struct json *before,
                                     const struct json *after, bool whole,
                                     struct arena *a, size_t *n);

#endif
