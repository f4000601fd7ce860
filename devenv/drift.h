/*
 * drift.h - would applying a manifest once more change the object?
 *
 * What: a server-side dry run with the fields forced answers with the object
 * as it would be; what differs from the object as it is, is drift: a field
 * another manager changed, one that is gone, one that an earlier version of
 * ours left. What only the server writes (managedFields, versions, status) is
 * no part of the comparison; nor is our label, where the object has it.
 */
#ifndef DEVENV_DRIFT_H
#define DEVENV_DRIFT_H

#include "devenv/env.h"
#include "devenv/manifest.h"

enum drift {
    DRIFT_NONE,
    DRIFT_ABSENT,  /* the object is not there, or its kind not served */
    DRIFT_CHANGED, /* fields: "spec.x is 1, should be 2; ..." */
    DRIFT_UNKNOWN  /* err: the server would not say */
};

struct drift_found {
    struct buf fields; /* of DRIFT_CHANGED: the first few */
    bool foreign;      /* there, and no field of it was ever set by us */
};

/* Only reads. found is filled in any case: release its buf. Absent: err says
 * what. Turns the loop. */
enum drift drift_look(struct env *e, const struct manifest *m,
                      struct drift_found *found, struct error *err);
/* It has not our label, and no field of it was ever set by us. */
bool drift_is_foreign(const struct json *object);

#endif
