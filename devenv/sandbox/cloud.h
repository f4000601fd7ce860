/*
 * cloud.h - the world outside, as the simulated provider finds it.
 *
 * What: what was created and still exists is an object of kind
 * ExternalResource, one for each bucket, dataset, ... So it survives a restart
 * and the managed resource that made it (an orphan can be imported), and a user
 * can look at it, change it (drift) or delete it with kubectl. It is found by
 * group, kind and external name; one that somebody made by hand may have any
 * name.
 * Invariants: two managed resources with the same external name look at the
 * same one; whoever wrote it last (managedBy) is told when it changes.
 * Lifetimes: trees handed out belong to the caller.
 */
#ifndef DEVENV_SANDBOX_CLOUD_H
#define DEVENV_SANDBOX_CLOUD_H

#include "lib/base/map.h"

#include "devenv/sandbox/managed_kinds.h"

#define CLOUD_GROUP    "sandbox.meshtop.io"
#define CLOUD_VERSION  "v1alpha1"
#define CLOUD_EXTERNAL "ExternalResource"
#define CLOUD_PLURAL   "externalresources"
#define CLOUD_FAULT    "Fault"
#define CLOUD_FAULTS   "faults"

struct cloud {
    struct registry *registry;
    struct map foreign; /* of those with names of their own: identity -> name */
    bool looked;        /* foreign is complete */
};

/* Which one is meant. */
struct cloud_id {
    const char *group, *kind, *external_name;
};

void cloud_init(struct cloud *c, struct registry *r);
void cloud_release(struct cloud *c);
/* The ExternalResource, or NULL. */
struct json *cloud_find(struct cloud *c, const struct cloud_id *id);
/* Takes parameters. Makes it, or writes it anew when it is there; mr is who
 * manages it, plural its resource. *revision: of the write. */
bool cloud_put(struct cloud *c, const struct cloud_id *id,
               const struct json *mr, const char *plural, int64_t now_s,
               struct json *parameters, struct status *st);
bool cloud_delete(struct cloud *c, const struct cloud_id *id,
                  struct status *st);
/* Somebody wrote or deleted an ExternalResource. */
void cloud_heard(struct cloud *c, const struct registry_event *e);
/* Writes were taken back. */
void cloud_forget(struct cloud *c);

#endif
