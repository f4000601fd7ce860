/*
 * plan_text.h - a plan (lib/mesh/plan.h) on standard output, as text or JSON.
 *
 * Text comes from a cluster: it passes the filter of columns_text. Values of
 * Secrets are never shown.
 */
#ifndef CLI_PLAN_TEXT_H
#define CLI_PLAN_TEXT_H

#include <stdio.h>

#include "lib/base/json.h"

#include "lib/mesh/plan.h"

/* Signs + ~ - = !, one line an object, its differing fields below it, then the
 * notes. Composed objects that stay as they are have no line. */
void plan_text(const struct mesh_plan *p, FILE *out);
/* The same as a tree; the caller frees it. */
struct json *plan_json(const struct mesh_plan *p);

#endif
