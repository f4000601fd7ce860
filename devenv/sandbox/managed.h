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

/* Who writes. */
struct managed_by {
    const char *manager;
    const char *subresource; /* NULL: the object itself */
    const char *api_version;
    const char *now; /* RFC 3339 */
};

/* A POST or PUT or plain patch: notes in now's managedFields what it changed
 * against old (NULL: it is new). now may bring managedFields of its own ([] or
 * [{}] resets them). An old object that has none stays without. */
void managed_update(const struct fields_types *t, const struct managed_by *by,
                    const struct json *old, struct json *now);

enum managed_result { MANAGED_APPLIED, MANAGED_SAME, MANAGED_REFUSED };
/* Server-side apply of config to live, a copy of old (changed in place; with
 * only apiVersion and kind, and old NULL, when it is created). MANAGED_SAME:
 * nothing changed, live is as it was. MANAGED_REFUSED: 409 with
 * FieldManagerConflict causes, 500 when config does not fit the schema, 400
 * when it has managedFields; live is then of no use. */
enum managed_result managed_apply(const struct fields_types *t,
                                  const struct managed_by *by,
                                  const struct json *old, struct json *live,
                                  struct json *config, bool force,
                                  struct status *st);

#endif
