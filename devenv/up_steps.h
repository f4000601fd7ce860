/*
 * up_steps.h - what the steps of `up` share, and the functions behind them.
 *
 * What: the table in up.c names these functions; each family lives in a file
 * of its own (steps_host.c, steps_kind.c, steps_crossplane.c, steps_mesh.c,
 * steps_context.c). The context of every step is a struct up.
 * Lifetimes: what a step opens here (docker, kind's path) belongs to the
 * struct up and is released by up.c after the graph has ended.
 */
#ifndef DEVENV_UP_STEPS_H
#define DEVENV_UP_STEPS_H

#include "devenv/up.h"

struct docker;

struct up {
    struct env *env;
    const struct up_options *options;
    struct docker *docker; /* opened by the step "engine"; NULL before */
    char *kind;            /* path of the kind program, by the step "kind" */
    char *node_image;      /* reference the cluster is made of */
};

#endif
