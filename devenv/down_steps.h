/*
 * down_steps.h - inside of down.h: what its steps share.
 *
 * The context of every step is a struct down. down.c has the table, the looks
 * and the end; down_cluster.c what stands in a cluster; down_kind.c what an
 * engine holds.
 */
#ifndef DEVENV_DOWN_STEPS_H
#define DEVENV_DOWN_STEPS_H

#include "devenv/down.h"

struct down {
    struct env *env;
    const struct down_options *options;
    struct step_graph *graph;
    char engine[16]; /* the profile's, as it was at the start */
    bool made;       /* something on the engine, as far as the profile knows */
    struct docker *docker;  /* kind; NULL: it does not answer */
    struct error no_docker; /* why */
    bool guest;             /* the cluster is not ours (owner_is_guest) */
    struct strlist foreign; /* containers of our name that are not ours */
    bool api;               /* the cluster's API answers */
    bool unproven;          /* something of ours could not be looked at */
    struct audit found, left;
    struct buf risk;
    struct strlist leaks, stays;
    uint64_t freed;
};

/* A failure that --force goes on with: true, and the step's log says why. */
bool down_forgive(struct down *d, struct step_run *run, const struct error *why,
                  struct error *err);

/* ---- down_kind.c ---- */
/* Finds the engine, and the containers that have our cluster's name and are
 * not ours. */
void down_look_kind(struct down *d, struct step_run *run);
/* The engine does not answer, and may hold something of ours. */
bool down_needs_engine(const struct down *d);
/* What the engine holds of ours. */
void down_audit_kind(struct down *d, struct step_run *run, struct audit *out);
bool down_nodes(void *down, struct step_run *run, struct error *err);
bool down_extras(void *down, struct step_run *run, struct error *err);
/* Node images that came because of us and that no container uses. */
void down_purge_images(struct down *d, struct step_run *run);

/* ---- down_cluster.c ---- */
/* Fills down.api, and down.risk with what is in the cluster beside ours. */
void down_look_cluster(struct down *d, struct step_run *run);
/* On a cluster that is not ours: what there is of ours, while the API is
 * connected. */
void down_audit_cluster(struct down *d, struct audit *out);
enum step_verdict down_composites_check(void *down, struct step_run *run);
bool down_composites(void *down, struct step_run *run, struct error *err);
/* A cluster we are guests in: is there anything to take back? */
enum step_verdict down_guest_check(void *down, struct step_run *run);
bool down_crossplane(void *down, struct step_run *run, struct error *err);
bool down_rest(void *down, struct step_run *run, struct error *err);
bool down_mark(void *down, struct step_run *run, struct error *err);

#endif
