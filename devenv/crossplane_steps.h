/*
 * crossplane_steps.h - what the steps that bring Crossplane in share.
 *
 * What: where things come from (what was said now, else what the profile
 * remembers), the objects as this run wants them, and whose Crossplane is
 * there.
 */
#ifndef DEVENV_CROSSPLANE_STEPS_H
#define DEVENV_CROSSPLANE_STEPS_H

#include "devenv/crossplane.h"
#include "devenv/up_steps.h"

/* HOST[/PREFIX], or NULL. */
const char *up_mirror(const struct up *up);
/* The file with its CA, the same way; NULL: none. */
const char *up_mirror_ca(const struct up *up);
/* The namespace of the Crossplane in use. */
const char *up_crossplane_namespace(const struct up *up);
/* Adds the objects; the first is the namespace. */
bool up_crossplane_objects(const struct up *up, struct manifest_set *out,
                           struct error *err);

struct up_found {
    bool any, ours;
    char ns[64], image[256];
    char who[512]; /* whose a foreign one is, in words */
};

/* A Deployment of Crossplane in any namespace, ours before others'; else a
 * Helm release without one. */
bool up_find_crossplane(const struct up *up, struct up_found *f,
                        struct error *err);

#endif
