/*
 * package.h - mesh packages and example meshes: put on a cluster, taken off.
 *
 * What: a package is a folder of assets/ (functions.yaml, xrds/,
 * compositions/, crossplane.yaml) or one the user names with the same shape;
 * an example is a
 * folder of examples/ (manifests and expectations.yaml) or a user's folder.
 * Traps known from the real Crossplane: an XRD whose objects still live hangs
 * on deletion, so objects go first; what is put on waits until it works.
 */
#ifndef DEVENV_PACKAGE_H
#define DEVENV_PACKAGE_H

#include "devenv/env.h"
#include "devenv/manifest.h"

void example_names(struct strlist *out);
bool package_is_builtin(const char *name);
bool example_is_builtin(const char *name);
/* A package that the design names and this build does not bring. */
bool package_is_planned(const char *name);

/* The parts of a package, in the order they are put on. */
enum package_part { PACKAGE_FUNCTIONS, PACKAGE_XRDS, PACKAGE_COMPOSITIONS };

/* Adds the manifests of one part of a package (a built-in name or a path), as
 * they are put on a cluster; a folder without this part adds none. Neither
 * built in nor there: ERR_NOT_FOUND with what is built in. */
bool package_load(struct manifest_set *set, const char *package,
                  enum package_part part, struct error *err);
/* The same for an example, sorted. */
bool example_load(struct manifest_set *set, const char *example,
                  struct error *err);

/* Applies one part of a package (a built-in name or a path) and waits until
 * functions are Healthy and XRDs Established. */
bool package_install_part(struct env *e, const char *package,
                          enum package_part part, struct step_run *run,
                          struct error *err);
/* Is the part there as it must be (manifest_in_place), functions Healthy, XRDs
 * Established? False: why says what is missing. Only reads. */
bool package_part_in_place(struct env *e, const char *package,
                           enum package_part part, struct buf *why);
/* Gives Crossplane the rights the package's Compositions need (crossplane.h);
 * nothing where none are missing, and on the sandbox. */
bool package_allow(struct env *e, const char *package, struct step_run *run,
                   struct error *err);
/* Has it them, as they would be given? Only reads. */
bool package_is_allowed(struct env *e, const char *package);
/* Takes them away again; none is fine. */
bool package_disallow(struct env *e, const char *package, struct error *err);
/* "mesh-core", or the last part of a path. */
const char *package_title(const char *package);
/* The text of a built-in package's part: what its digest is made from. */
void package_part_text(const char *package, enum package_part part,
                       struct buf *out);
/* All parts and rights. The profile remembers it when its lock is held: here
 * and below nothing is written of a cluster that is no profile's. */
bool package_install(struct env *e, const char *package, struct step_run *run,
                     struct error *err);
/* Removes compositions and XRDs; refused (ERR_CONFLICT, with a list) while
 * objects of its kinds exist. Functions stay: others may use them. */
bool package_uninstall(struct env *e, const char *package, struct step_run *run,
                       struct error *err);

/* Applies an example (a built-in name or a path); does not wait for Ready. */
bool example_add(struct env *e, const char *example, struct step_run *run,
                 struct error *err);
/* Are the example's objects there as they must be? Only reads. */
bool example_in_place(struct env *e, const char *example, struct buf *why);
/* Waits until all data domains, contracts and products are Ready. */
bool example_wait_ready(struct env *e, struct step_run *run, struct error *err);
/* Deletes the example's objects and waits until they are gone. */
bool example_remove(struct env *e, const char *example, struct step_run *run,
                    struct error *err);

#endif
