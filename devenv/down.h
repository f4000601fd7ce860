/*
 * down.h - taking down what up made, and proving that nothing is left.
 *
 * What: a look at all there is (devenv/audit.h), a graph of steps that remove
 * it in an order that works, and the same look again. Steps, by devenv.md 5.3:
 * orphans (programs a killed meshtop left) -> composites (XRs first, where
 * something outside hangs on them or the cluster is not ours) -> crossplane,
 * mark (engine context) or the cluster itself -> extras (labelled containers
 * and volumes) -> kubeconfig (our entry in the user's file) -> purge -> files
 * -> audit.
 * Invariants: only what carries our proof is removed: labels with exactly our
 * profile's name, ids the profile recorded, a mark with our run-id; force goes
 * on where something does not answer and widens nothing. The profile's state
 * is the proof: it stays (and is a leftover) when containers could not be
 * looked at. Running it again goes on; a profile that is not there is fine.
 * Lifetimes: down_new ... down_free; env and options outlive it. The profile is
 * locked from down_begin to down_free.
 */
#ifndef DEVENV_DOWN_H
#define DEVENV_DOWN_H

#include "devenv/audit.h"

struct down_options {
    bool force;           /* go on when the API or the engine cannot be asked */
    bool purge;           /* downloads, tools and a node image we pulled */
    bool drop_finalizers; /* of what does not go */
    int64_t gone_ms;      /* how long deletion may take; 0: 180 s */
};

struct down;

struct down *down_new(struct env *e, const struct down_options *o,
                      const struct step_graph_options *g, struct error *err);
/* NULL is fine. */
void down_free(struct down *d);
struct step_graph *down_graph(struct down *d);

/* Locks the profile and looks what there is. Turns the loop. */
bool down_begin(struct down *d, struct error *err);
/* What the first look found, for the list that is shown before. */
const struct audit *down_found(const struct down *d);
/* What would be lost that `up` cannot bring back, one or more sentences with
 * newlines between, or "": then nobody need be asked. */
const char *down_risk(const struct down *d);
/* Runs the graph and turns the loop until it ended. Something left: false,
 * MT-LEFTOVER. */
bool down_run(struct down *d, struct error *err);
/* After the graph: what is left, what purging freed (bytes), what may
 * still exist elsewhere (dropped finalizers, a cluster that did not answer),
 * what stays because it is not ours. */
const struct audit *down_left(const struct down *d);
uint64_t down_freed(const struct down *d);
const struct strlist *down_leaks(const struct down *d);
const struct strlist *down_stays(const struct down *d);

/* Takes back what an `up` put on a cluster we are guests in (its rollback):
 * composite resources, packages, Crossplane, whatever else has our label. The
 * mark stays. Turns the loop. */
bool down_guest(struct env *e, struct step_run *run, struct error *err);

/* --only examples|packages: those alone; the engine stays (packages: the
 * examples as well). Not up: ERR_NOT_FOUND. Turns the loop. */
bool down_only(struct env *e, const char *what, struct step_run *run,
               struct error *err);

#endif
