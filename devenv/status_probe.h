/*
 * status_probe.h - the inside of status.h, for status_*.c only.
 *
 * A probe is a task that writes into the document; it waits only in calls that
 * have a limit or look at its run's stop, which is set when the limit is over.
 */
#ifndef DEVENV_STATUS_PROBE_H
#define DEVENV_STATUS_PROBE_H

#include "lib/base/task.h"

#include "lib/kube/discovery.h"

#include "devenv/status.h"

enum trouble_rank { TROUBLE_OF_CLUSTER = 1, TROUBLE_OF_ENGINE };

struct probing {
    const struct env_status_ask *ask;
    struct json *doc;
    const char *engine; /* "" for a cluster that is not ours */
    int64_t limit_ms, end_ms;
    int stop;
    enum trouble_rank trouble; /* the one that stands there; 0: none */
};

typedef void probe_fn(struct probing *s, struct step_run *run);
probe_fn probe_engine, probe_cluster, probe_disk;

/* {"error": message, "id": id} at doc[key]. */
void probe_error(struct probing *s, const char *key, const struct error *err);
/* Milliseconds left, at least 1. */
int64_t probe_left(const struct probing *s);
/* What is wrong: of the engine's trouble and the cluster's, which is its
 * effect, the engine's is kept. since_s 0: not known. */
void probe_trouble(struct probing *s, enum trouble_rank rank, const char *state,
                   int64_t since_s, const char *trouble, const char *remedy);
/* One line of the list of versions; want NULL: nothing to compare with. */
void probe_version(struct probing *s, const char *thing, const char *have,
                   const char *want);

#endif
