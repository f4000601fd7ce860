/*
 * status.h - what runs: one environment as one document.
 *
 * What: engine, cluster, versions, packages, the mesh's health, disk, the last
 * failure, where the logs are; read side by side, each within a limit, from a
 * cluster that may be dead. The document is what `status -o json` prints; what
 * could not be read is absent or has an "error" in its place:
 *   profile, title, engine, state ("running", "dead", "unfinished", "absent"),
 *   since (RFC 3339; dead: the last sign of life), where ("engine",
 *   "cluster"), trouble, remedy,
 *   engineState {error, id}: the engine could not be asked
 *   sandbox {pid, ageSeconds, memoryBytes, databaseBytes, objects}
 *   cluster {name, context, server, kubeconfig, version, latencyMicros}
 *   containers [{name, state, ageSeconds, memoryBytes, image, exitCode}]
 *   versions [{thing, have, want, relation}]; relation is "same", "older",
 *     "newer", "other" or "" (nothing to compare with)
 *   packages [NAME], examples [NAME]
 *   functions [{name, package, ok, message}]
 *   mesh {ready, domains, contracts, products: {total, ok, waiting, failing},
 *     attention [{health, text, hint, hits}]}
 *   disk {stateBytes, cacheBytes, imageBytes}
 *   lastError {id, message}, logs [PATH]
 * Invariants: changes nothing; no probe holds up another.
 * Lifetimes: the caller frees the document.
 */
#ifndef DEVENV_STATUS_H
#define DEVENV_STATUS_H

#include "lib/base/json.h"

#include "devenv/profile.h"
#include "devenv/step.h"

struct env_status_ask {
    struct loop *loop;
    const struct profile *profile;    /* NULL: a cluster that is not ours */
    const char *kubeconfig, *context; /* of that one; NULL: kubectl's rules */
    const char *title;                /* "profile demo (sandbox)" */
    int64_t limit_ms;                 /* of each probe; 0: 2 s */
    bool brief;                       /* no mesh_live: what needs attention is
                                         left out, counts are the objects' own */
};
/* Turns the loop (in a task: puts it aside). Never NULL. */
struct json *env_status_read(const struct env_status_ask *ask);

/* What our own `sandbox status -o json` says of a profile's control plane,
 * running or not; the caller frees it. NULL: it could not be asked. */
struct json *env_status_sandbox(struct step_run *run, const char *profile,
                                int64_t limit_ms, struct error *err);
/* -1, 0, 1 by the first three numbers of "v1.2.3"; 2: one is no version. */
int env_version_compare(const char *a, const char *b);
/* "v2.3.4" of "host/path:v2.3.4@sha256:...", "" without a tag; in fresh
 * memory. */
char *env_image_tag(const char *ref);

#endif
