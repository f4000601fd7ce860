/*
 * crossplane.h - Crossplane put into a cluster without Helm, watched while it
 * comes up, and taken out again.
 *
 * What: the objects of Crossplane's chart, 2.0.0 to 2.3.x, rendered from
 * assets/crossplane-chart/objects.yaml by one version switch; where a package
 * is fetched from; what the words of a registry mean; the order of removal.
 * The objects are those of `helm template` for the same values, but for this:
 * app.kubernetes.io/managed-by says meshtop, there is no helm.sh/chart label
 * (no chart was installed), each object has our two marks, and the namespace
 * comes first (tests/unit/devenv/golden/).
 * Marks: label meshtop.dev/run = profile; annotation meshtop.dev/digest = the
 * hash of the rendered object, so that a check sees in one look whether the
 * cluster has what would be applied. Objects without the label are foreign:
 * used only when the user said --adopt, never deleted.
 * After devenv.md sections 3 and 5, observed.md.
 */
#ifndef DEVENV_CROSSPLANE_H
#define DEVENV_CROSSPLANE_H

#include "devenv/env.h"
#include "devenv/manifest.h"

#define CROSSPLANE_NAMESPACE "crossplane-system"
#define CROSSPLANE_HOST      "xpkg.crossplane.io"
#define CROSSPLANE_IMAGE     CROSSPLANE_HOST "/crossplane/crossplane"
#define CROSSPLANE_VERSION   "2.3.4" /* the default; kept equal to the lock */

/* Which run an object belongs to, and what it was made from. */
#define MARK_RUN    "meshtop.dev/run"
#define MARK_DIGEST "meshtop.dev/digest"

/* Facts of the profile: what the first `up` was told, for those after it. */
#define FACT_MIRROR      "registry/mirror"
#define FACT_CA          "registry/ca"
#define FACT_PULL_SECRET "registry/secret"
#define FACT_XP_ADOPTED  "crossplane/adopted" /* its namespace */
#define FACT_XP_KINDS    "crossplane/kinds" /* its CRDs were there before us */
#define PULL_SECRET      "meshtop-pull"

/* ---- the objects (crossplane_objects.c) ---- */

/* Zero and NULL mean the chart's own default. */
struct crossplane_values {
    const char *version;            /* "2.3.4"; NULL: CROSSPLANE_VERSION */
    const char *run;                /* value of MARK_RUN; NULL: no marks */
    const char *image;              /* without tag; NULL: CROSSPLANE_IMAGE */
    const char *ca_config, *ca_key; /* registryCaBundleConfig, or NULL */
    const char *pull_secret;        /* for the pods' own image, or NULL */
    unsigned replicas;
};

/* Versions we know the chart of: 2.0.0 to 2.3.x. Others are ERR_UNSUPPORTED,
 * text that is no version ERR_USAGE. */
bool crossplane_version_ok(const char *version, struct error *err);
/* Adds the objects in the order they are applied: the namespace, then the
 * chart's. */
bool crossplane_objects(const struct crossplane_values *v,
                        struct manifest_set *out, struct error *err);
/* Puts both marks on an object. */
void crossplane_mark(struct json *object, const char *run);

/* ---- where things are fetched from (crossplane_source.c) ---- */

/* mirror is "HOST[:PORT][/PREFIX]" and takes the place of ref's registry:
 * "xpkg.crossplane.io/a/b:v1" -> "HOST/PREFIX/a/b:v1". Without a mirror ref as
 * it is. In fresh memory. */
char *crossplane_mirrored(const char *ref, const char *mirror);
/* The ImageConfig that makes Crossplane fetch packages of host from mirror,
 * with the pull secret (may be NULL). */
struct json *crossplane_image_config(const char *host, const char *mirror,
                                     const char *pull_secret, const char *run);

/* An ImageConfig per registry of these Functions' packages, where the profile
 * has a mirror or a pull secret; none else. */
bool crossplane_apply_sources(struct env *e,
                              const struct manifest_set *functions,
                              struct error *err);
/* Are they there as they would be applied? Only reads. */
bool crossplane_sources_in_place(struct env *e,
                                 const struct manifest_set *functions);

/* What a message of the package manager or of a kubelet says about fetching an
 * image. */
enum pull_verdict {
    PULL_FINE,      /* nothing that speaks of a failure to fetch */
    PULL_TRANSIENT, /* it may pass: name service, timeouts, busy */
    PULL_REFUSED    /* asking again gives the same answer */
};
enum pull_verdict crossplane_pull_verdict(const char *message);
/* Fills err (MT-PKG-PULL, MT-NET-RATELIMIT) with the registry's own words, the
 * long way they took cut off, and the remedy. what is the package or image.
 * Returns false. */
bool crossplane_pull_error(const char *what, const char *message,
                           struct error *err);

/* ---- waits that end as soon as the end is known ---- */

/* Until each Function of the set is Installed, Healthy and of the package it
 * names; the functions are the step's parts. A registry's refusal ends it at
 * once (MT-PKG-PULL, MT-NET-RATELIMIT), a pod that cannot start too
 * (MT-POD-START), MT-PKG-UNHEALTHY what stays unhealthy; Crossplane's own
 * retries, which come ever later, are helped along. */
bool crossplane_wait_functions(struct env *e,
                               const struct manifest_set *functions,
                               struct step_run *run, struct error *err);
/* Remembers what the Functions' packages are, by digest (facts "package/REF");
 * another digest than before is MT-DIGEST-CHANGED. The caller saves. */
bool crossplane_pin_functions(struct env *e,
                              const struct manifest_set *functions,
                              struct error *err);

/* XRDs: begin before they are applied (so that warnings of an earlier try do
 * not count), wait after, end in any case (NULL is fine). An XRD that
 * Crossplane finds invalid is MT-XRD-SILENT within seconds. */
struct crossplane_xrds;
struct crossplane_xrds *
crossplane_xrds_begin(struct env *e, struct step_run *run, struct error *err);
bool crossplane_xrds_wait(struct crossplane_xrds *x,
                          const struct manifest_set *xrds, struct error *err);
void crossplane_xrds_end(struct crossplane_xrds *x);

/* Until each Composition has a revision whose pipeline is not invalid. */
bool crossplane_wait_compositions(struct env *e,
                                  const struct manifest_set *compositions,
                                  struct step_run *run, struct error *err);

/* Until all data domains, contracts and products are Ready. MT-XR-RBAC when
 * Crossplane lacks a right, MT-XR-NOTREADY with the way to the first leaf that
 * is not, at the limit (120 s) or when a refusal stays as it is. */
bool crossplane_wait_ready(struct env *e, struct step_run *run,
                           struct error *err);
/* Why a composite resource is not Ready: its tree into the step's log, the
 * first leaf that is not and its last warning into err (MT-XR-NOTREADY).
 * Returns false. Turns the loop. */
bool crossplane_explain_xr(struct env *e, struct step_run *run,
                           const struct json *xr, struct error *err);

/* ---- permissions (crossplane_rbac.c) ---- */

#define COMPOSE_ROLE "meshtop:compose:"

/* The ClusterRole COMPOSE_ROLE and the package's name with what Crossplane may
 * not compose by itself of what these Compositions compose: read from their
 * resources and templates, or from the annotation meshtop.dev/composes of the
 * package's metadata ("v1/Namespace, batch/v1/Job"), which then says all.
 * NULL: nothing is missing. Kinds whose apiVersion a template computes are
 * added to unknown. */
struct json *crossplane_compose_role(const char *package, const char *run,
                                     const struct manifest_set *compositions,
                                     const char *composes,
                                     struct strlist *unknown);

/* ---- removal (crossplane_remove.c) ---- */

struct crossplane_removal {
    bool crossplane;      /* Crossplane as well, not only packages */
    bool keep_foreign;    /* objects without our mark stay; what needs them is
                             left in place and named in `left` */
    int64_t limit_ms;     /* of each wait; 0: 180 s */
    struct strlist *left; /* what stays and why, or NULL */
};

/* Takes out what the profile put on its cluster, in the order that works
 * (devenv.md 3.5, observed.md): composite resources and their end, then
 * Compositions, XRDs, Functions, their revisions, roles, Crossplane's
 * Deployments and objects, its CRDs, its namespace. What others use stays with
 * all it needs and loses our label: it is theirs now. Something that does not
 * go is MT-STUCK-FINALIZER with the finalizer and whose it is. What is not
 * there is fine. */
bool crossplane_remove(struct env *e, const struct crossplane_removal *o,
                       struct step_run *run, struct error *err);

#endif
