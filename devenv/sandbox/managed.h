/*
 * managed.h - metadata.managedFields: who set which field, and server-side
 * apply, which asks.
 *
 * What: the field manager of apimachinery util/managedfields and the updater
 * of structured-merge-diff (merge/update.go).
 * Invariants: entries are sorted by operation, time, manager, apiVersion and
 * subresource; none has an empty set; at most 10 are of operation Update,
 * older ones are folded into "ancient-changes".
 */
#ifndef DEVENV_SANDBOX_MANAGED_H
#define DEVENV_SANDBOX_MANAGED_H

#include "devenv/sandbox/fields.h"
#include "devenv/sandbox/status.h"

/* The types of another served version of the kind; NULL: there is none. */
typedef const struct fields_types *managed_types_fn(void *arg,
                                                    const char *api_version);

/* Who writes. */
struct managed_by {
    const char *manager;
    const char *subresource; /* NULL: the object itself */
    const char *api_version;
    const char *now;   /* RFC 3339 */
    const char *reset; /* "f:status": the root member that a write of this part
                          of the API does not set; or NULL */
    const struct fields_types *types; /* of api_version */
    managed_types_fn *other;          /* NULL: no other version is served */
    void *other_arg;
    /* What an object of the kind is before anything is set: those fields are
     * nobody's at a create. NULL: nothing. */
    const struct json *empty;
};

/* A POST or PUT or plain patch: notes in now's managedFields what it changed
 * against old (NULL: it is new). now may bring managedFields of its own ([] or
 * [{}] resets them). An old object that has none stays without. Entries of
 * versions that are not served go. */
void managed_update(const struct managed_by *by, const struct json *old,
                    struct json *now);
/* The managedFields of both say the same, but for times. */
bool managed_times_alone(const struct json *old, const struct json *now);

/* Server-side apply of config to *live (which has only apiVersion and kind when
 * the object is created); *live is replaced. False: 409 with
 * FieldManagerConflict causes, 500 when config does not fit the schema, 400
 * when it has managedFields; *live is then of no use. */
bool managed_apply(const struct managed_by *by, struct json **live,
                   const struct json *config, bool force, struct status *st);

#endif
