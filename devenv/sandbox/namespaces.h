/*
 * namespaces.h - the life of a namespace: what may be created in it, and how
 * it goes: Terminating, its content deleted, then its finalizer removed.
 */
#ifndef DEVENV_SANDBOX_NAMESPACES_H
#define DEVENV_SANDBOX_NAMESPACES_H

#include "lib/schema/schema.h"

#include "devenv/sandbox/registry.h"

struct store_event;

void namespaces_prepare(const struct registry_write *w, struct json *obj,
                        const struct json *old, struct schema_findings *bad);
/* An object of k may be created in ns: 404, 403. */
bool namespaces_admit(struct registry *r, const struct kind *k, const char *ns,
                      const char *name, struct status *st);
/* Marks it Terminating. */
bool namespaces_stays(struct registry *r, struct json *obj, bool dry);
/* The ones that may not be deleted; 403. */
bool namespaces_may_go(const char *name, struct status *st);
/* Creates default, kube-system, kube-public and kube-node-lease when missing.
 */
bool namespaces_ensure(struct registry *r, struct error *err);
/* Notes which namespaces are going and lost an object. */
void namespaces_on_event(struct registry *r, const struct store_event *e);
/* Finds those that were going when the server started. */
void namespaces_resume(struct registry *r);
/* Goes on with those; true when there was one. */
bool namespaces_turn(struct registry *r);

#endif
