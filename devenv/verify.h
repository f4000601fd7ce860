/*
 * verify.h - the proof that a mesh works, by looking at the cluster only.
 *
 * What: the API answers, functions are Healthy, the mesh's kinds Established,
 * and every example on the profile is what its hand-written
 * expectations.yaml says: domains, products, contracts, phases, composed
 * resources, lineage. Nothing is written. The expectations are compared with
 * raw objects, not with lib/mesh's view of them: the proof must not share a
 * bug with the program it proves.
 */
#ifndef DEVENV_VERIFY_H
#define DEVENV_VERIFY_H

#include "devenv/env.h"

/* One check; detail is what was found instead ("" when ok). */
typedef void verify_fn(void *arg, const char *group, const char *name, bool ok,
                       const char *detail);

struct verify_result {
    size_t passed, missed;
};

/* Runs every check. False only when checking itself was impossible. */
bool verify_run(struct env *e, verify_fn *fn, void *arg,
                struct verify_result *out, struct error *err);
/* The checks of one expectations document alone (parsed YAML). */
bool verify_expectations(struct env *e, const struct json *expectations,
                         verify_fn *fn, void *arg, struct verify_result *out,
                         struct error *err);

#endif
