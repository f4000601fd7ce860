/*
 * gone.h - objects deleted, and waited for until they are gone.
 *
 * What: deletes a list of objects in one go, then looks until none is left.
 * Something that does not go is named with what holds it: the finalizer, the
 * controller that would take it away, and whether that controller runs. When
 * it is known not to run the wait ends after a few seconds, not at its limit.
 * Finalizers are dropped only when asked for; what may stay behind in a cloud
 * because of it is listed.
 * Why: a finalizer without its controller is the commonest reason for a
 * cluster that cannot be emptied (devenv.md 3.5, 5.4 #22, section 6).
 * Invariants: an object that was replaced by another of the same name (uid)
 * counts as gone and is not touched.
 */
#ifndef DEVENV_GONE_H
#define DEVENV_GONE_H

#include "devenv/env.h"

struct gone_object {
    struct kube_gvr gvr; /* strings of a discovery */
    char *kind, *ns, *name, *uid;
    bool composed; /* goes with its owner: waited for, not deleted */
    bool gone;
    char *finalizer; /* that holds it, or NULL */
    char *external;  /* what it stands for outside, or NULL */
};

struct gone_list {
    struct gone_object *v;
    size_t n, cap;
};

struct gone_options {
    int64_t limit_ms; /* 0: 180 s */
    int64_t grace_ms; /* before a missing controller is believed; 0: 10 s */
    bool drop;        /* take finalizers off what is stuck */
    struct strlist *leaks; /* what dropping may have left behind, or NULL */
};

/* Adds the objects of a kind (all namespaces) that have the label (NULL:
 * all). A kind that is not served adds none. */
bool gone_find(struct env *e, const struct kube_kind *kind, const char *label,
               struct gone_list *out, struct error *err);
/* A kind that may hold objects of ours (groups we put objects of), listed and
 * deleted, once a kind: in its group's preferred version, else in the first. */
bool gone_may_be_ours(const struct kube_discovery *d,
                      const struct kube_kind *kind);
void gone_release(struct gone_list *l);
/* Deletes all and waits. MT-STUCK-FINALIZER names the first that holds. */
bool gone_delete(struct env *e, struct gone_list *l,
                 const struct gone_options *o, struct step_run *run,
                 struct error *err);
/* Who takes a finalizer off, for people: "crossplane", "the provider of the
 * kind", "kube-controller-manager"; NULL: not known. */
const char *gone_controller(const char *finalizer);

#endif
