/*
 * plan_text.h - plans (lib/mesh/plan.h) for people.
 *
 * Text comes from a cluster: it passes the filter of columns_text. Values of
 * Secrets were masked by the planner.
 */
#ifndef CLI_PLAN_TEXT_H
#define CLI_PLAN_TEXT_H

#include <stdio.h>

#include "cli/args.h"
#include "cli/plan_run.h"

enum plan_depth {
    PLAN_ROWS,    /* objects only */
    PLAN_CHANGES, /* and the fields that differ */
    PLAN_FULL     /* and the fields of new objects, and what stays */
};

struct plan_style {
    bool color;
    size_t width; /* columns; longer lines are broken */
    enum plan_depth depth;
    FILE *out;
};

/* By --no-color, --diff and the terminal of out (standard output or error).
 * ERR_USAGE: no such depth. */
bool plan_style_of(struct plan_style *s, const struct args *a, FILE *out,
                   struct error *err);
/* Signs + ~ - -/+ = !, one line an object, its differing fields below it, then
 * the notes. Composed objects that stay as they are have no line. */
void plan_text(const struct mesh_plan *p, const struct plan_style *s);
/* "Plan: 3 to add, ..." */
void plan_text_total(const struct plan_total *t, const struct plan_style *s);

/* ---- pieces, for what else is said of plans ---- */
/* Colour of a sign ("" without colours) and the end of it. */
const char *plan_color(const struct plan_style *s, enum mesh_sign sign);
const char *plan_color_end(const struct plan_style *s);
const char *plan_sign(enum mesh_sign sign);
/* One differing field behind indent spaces, with a newline. */
void plan_text_diff(const struct mesh_diff *d, size_t indent,
                    const struct plan_style *s);

#endif
