/*
 * load.h - manifests that are applied when the sandbox starts (--load).
 *
 * What: YAML and JSON files, and folders of them with all below, in the order
 * given and then by name; definitions first, then namespaces, then the rest.
 * An object whose kind is not served yet waits until it is: an XRD in the same
 * load makes it. Package metadata (meta.pkg.crossplane.io) and, in folders,
 * documents that are no objects (expectations) are left out.
 * Caps: 10,000 files, 16 MiB each.
 * Lifetime: load_new ... load_free.
 */
#ifndef DEVENV_SANDBOX_LOAD_H
#define DEVENV_SANDBOX_LOAD_H

#include "lib/base/str.h"

#include "devenv/sandbox/registry.h"

struct load;

/* Reads everything; a file that is missing or cannot be read as manifests is
 * an error that names it. */
struct load *load_new(const struct strlist *paths, struct error *err);
void load_free(struct load *l);

enum load_progress { LOAD_FAILED = -1, LOAD_WAITS, LOAD_DONE };
/* Applies what can be applied now. An object that is refused is the end. */
enum load_progress load_step(struct load *l, struct registry *r,
                             struct error *err);
/* What still waits for its kind, as an error. */
void load_missing(const struct load *l, struct error *err);

#endif
