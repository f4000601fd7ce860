/*
 * plan_world.h - what a plan is made against: a cluster, a folder, nothing.
 *
 * live: the cluster that the options name (cli/target.h), asked by single
 * requests. DIR: the objects of a folder, as exported. nothing: no object at
 * all. The latter two know the built-in packages (assets/mesh-core) as far as
 * folder and files do not bring their own, and every Function that is built in
 * counts as installed; they need no cluster and no network.
 * Lifetimes: plan_world_open ... plan_world_release; must not move.
 */
#ifndef CLI_PLAN_WORLD_H
#define CLI_PLAN_WORLD_H

#include "devenv/manifest.h"

#include "cli/overlay.h"
#include "cli/plan_fetch.h"

struct plan_world {
    const char *against; /* "live", "nothing" or "folder" */
    char *title;         /* "profile demo (sandbox)", "folder export" */
    const char *ns;      /* for objects that name none */
    struct target t;
    bool connected;
    struct plan_fetch *fetch; /* live */
    struct overlay objects;   /* else */
    struct mesh_host host;    /* what plans ask */
};

/* By --against; without it the cluster, or nothing where there is none (then
 * *said is a sentence for standard error, else NULL). set: what is planned. */
bool plan_world_open(struct plan_world *w, const struct args *a,
                     const struct manifest_set *set, const char **said,
                     struct error *err);
/* The same on a cluster that is open already; t is borrowed. */
bool plan_world_on(struct plan_world *w, struct target *t, const char *ns,
                   struct error *err);
void plan_world_release(struct plan_world *w);
/* Fetches what plans asked for. *more: something new is known, plan again. */
bool plan_world_fetch(struct plan_world *w, bool *more, struct error *err);
/* Gives an object without a namespace the one that apply would give it. */
void plan_world_place(struct plan_world *w, const struct manifest *m);

#endif
