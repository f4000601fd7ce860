/*
 * logs.h - the log lines of what runs: files, pods, nodes.
 *
 * What: the newest lines of a log, and on request those that come, one call a
 * line. For `meshtop logs` and the support bundle.
 * Invariants: lines are whole, without their end, and at most LOGS_LINE_MAX
 * bytes (the rest of a longer one is dropped); bytes are as the source gave
 * them: whoever prints them filters. Nothing waits outside the loop; a follow
 * ends with its source, or when *stop is set.
 */
#ifndef DEVENV_LOGS_H
#define DEVENV_LOGS_H

#include "lib/kube/client.h"

#define LOGS_LINE_MAX ((size_t)64 << 10)
#define LOGS_ALL      ((int64_t)-1)

typedef void logs_fn(void *arg, struct str line);

struct logs {
    int64_t tail; /* newest lines first told; LOGS_ALL: as many as there are, at
                     most 32 MiB */
    bool follow;
    const volatile int *stop; /* or NULL */
    int64_t limit_ms;         /* without follow; 0: 30 s */
    logs_fn *on_line;
    void *arg;
};

/* A file; missing: ERR_NOT_FOUND. A follow goes on when the file is cut or
 * replaced by a new one, and ends when its folder is gone. */
bool logs_file(struct loop *l, const char *path, const struct logs *o,
               struct error *err);

struct logs_pod {
    const char *ns, *name;
    const char *container; /* NULL: the only one, or the first */
    bool previous;         /* of the container that ended before */
};
bool logs_pod(struct kube_client *c, const struct logs_pod *pod,
              const struct logs *o, struct error *err);

#endif
