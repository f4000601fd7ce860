/*
 * install.h - one mesh package or example put on any cluster, and taken off,
 * by a plan.
 *
 * What: NAME is a built-in package or example, a folder with functions.yaml,
 * xrds/ or compositions/ (a package), or any other folder or file of
 * manifests. The plan is made by looking; carrying it out looks again.
 * Rules: what is there and never was ours is used as it is when it does not
 * differ, and taken over only when the user says so. Taking off goes from what
 * is composed to what defines it: composite resources, Compositions, XRDs
 * (observed.md: an XRD whose objects live hangs), then the functions that no
 * other Composition names.
 * Lifetimes: a zeroed plan is filled by *_plan and released in any case. All
 * turn the loop.
 */
#ifndef DEVENV_INSTALL_H
#define DEVENV_INSTALL_H

#include "devenv/drift.h"
#include "devenv/package.h"

/* Planned but not in this build: ERR_USAGE, "package X is not shipped yet";
 * neither built in nor a path: ERR_NOT_FOUND, MT-NO-SUCH-PACKAGE. */
bool install_name_ok(const char *name, struct error *err);
/* A package (and no example)? */
bool install_is_package(const char *name);

struct install_item {
    const struct manifest *m;
    enum drift what; /* NONE: stays, ABSENT: is made, CHANGED */
    char *fields;    /* what would change, or "" */
    bool foreign;
};

struct install_plan {
    struct manifest_set set;
    struct install_item *v;           /* one per manifest */
    size_t n, made, changed, foreign; /* foreign: of those that change */
};
bool install_plan(struct env *e, const char *name, struct install_plan *out,
                  struct error *err);
void install_plan_release(struct install_plan *p);
/* Applies all and waits: functions Healthy, XRDs Established; of an example
 * until all is Ready. The profile notes it when its lock is held. */
bool install_run(struct env *e, const char *name, struct step_run *run,
                 struct error *err);

/* An object that goes, or stands in the way. */
struct install_object {
    struct kube_gvr gvr;    /* strings live as long as the discovery */
    char *kind, *ns, *name; /* ns NULL: cluster-scoped */
};

struct uninstall_plan {
    struct manifest_set set;       /* what is on the cluster and ours */
    struct manifest_set functions; /* of these, that nobody else uses */
    struct strlist kept;           /* "Function/x: somebody else's" */
    /* Composite resources that nobody composes, in the order they go; what
     * they compose goes with them. */
    struct install_object *users;
    size_t users_n, users_cap;
};
bool uninstall_plan(struct env *e, const char *name, struct uninstall_plan *out,
                    struct error *err);
void uninstall_plan_release(struct uninstall_plan *p);
/* Refused (ERR_CONFLICT, MT-PACKAGE-IN-USE, with a list) while there are
 * users; force deletes them first. What does not go within 180 s is named
 * with its finalizer (MT-STUCK-FINALIZER). */
bool uninstall_run(struct env *e, const char *name,
                   const struct uninstall_plan *p, bool force,
                   struct step_run *run, struct error *err);

#endif
