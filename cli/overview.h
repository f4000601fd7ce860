/*
 * overview.h - the mesh as text: what `meshtop` prints without a terminal.
 */
#ifndef CLI_OVERVIEW_H
#define CLI_OVERVIEW_H

#include "lib/mesh/live.h"

#include "cli/target.h"

/* Turns the loop until every domain, contract and product is Ready, or
 * limit_ms passed. False only when the cluster cannot be read. */
bool overview_settle(struct mesh_live *live, struct loop *loop,
                     int64_t limit_ms, struct error *err);
/* Domains, products, what needs attention; json: one document. */
void overview_print(struct mesh_live *live, bool json);
/* Every domain, contract and product there is, is OK (and there is one). */
bool overview_all_ready(struct mesh_live *live);

/* A whole command: opens the cluster, waits until all is Ready, at most
 * limit_ms, prints heading and overview. 0 when all is Ready, else 80. */
int overview_run(const struct args *a, int64_t limit_ms,
                 void (*heading)(const struct target *t));

#endif
