/*
 * cells_pod.h - the functions behind cells (cells.h), by the files they are in.
 */
#ifndef DEVENV_SANDBOX_CELLS_POD_H
#define DEVENV_SANDBOX_CELLS_POD_H

#include "lib/base/buf.h"
#include "lib/base/json.h"

struct cell {
    const struct json *obj;
    struct str arg; /* what stands behind the function's name */
    int64_t now_s;
};
/* Appends the cell's text. */
typedef void cell_fn(const struct cell *c, struct buf *out);

/* Pods, nodes, events (cells_pod.c); services and what stands before them
 * (cells_net.c). NULL: no such function. */
cell_fn *cells_pod_function(struct str name);
cell_fn *cells_net_function(struct str name);

/* "5m", none when there is no time, "<invalid>". */
void cells_put_age(const struct json *stamp, const char *none, int64_t now_s,
                   struct buf *out);
/* A LabelSelector as text, "<none>" when it is empty; sorted. */
void cells_put_selector(const struct json *selector, struct buf *out);

#endif
