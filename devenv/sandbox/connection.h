/*
 * connection.h - connection details of composite resources and claims.
 *
 * What: reading the Secret a resource writes its details to, and writing one
 * for an owner, as Crossplane does for legacy XRs and their claims.
 * Source: crossplane 2.0.8 composite/{api,connection}.go, claim/connection.go.
 */
#ifndef DEVENV_SANDBOX_CONNECTION_H
#define DEVENV_SANDBOX_CONNECTION_H

#include "devenv/sandbox/control.h"

/* The data of the Secret that ref {name, namespace} means, in ns unless that is
 * "" (then in ref's); a fresh tree, NULL: no ref, no Secret, no data. */
struct json *connection_read(struct control *c, const struct json *ref,
                             const char *ns);

enum connection_how {
    CONNECTION_MERGE,  /* keys that are there already stay */
    CONNECTION_REPLACE /* data is all there is */
};
/* Brings the Secret ns/name of owner to data (k -> base64, NULL: none). *wrote:
 * it differed. False: err says why, e.g. that it is somebody else's. */
bool connection_write(struct control *c, const struct json *owner,
                      const char *ns, const char *name, const struct json *data,
                      enum connection_how how, bool *wrote, struct error *err);

#endif
