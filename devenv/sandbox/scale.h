/*
 * scale.h - the autoscaling/v1 Scale view of custom objects that have a scale
 * subresource.
 */
#ifndef DEVENV_SANDBOX_SCALE_H
#define DEVENV_SANDBOX_SCALE_H

#include "lib/base/json.h"

#include "devenv/sandbox/registry.h"

/* The Scale of obj; NULL when its kind has none. */
struct json *scale_of(const struct kind *k, const struct json *obj);
/* Does obj, of a custom kind, say how many? Else a 500, as the server does. */
bool scale_known(const struct kind *k, const struct json *obj,
                 struct status *st);
/* Adds what is wrong with the fields of obj that its scale is made of.
 * status_only: obj is a write of the status. */
void scale_check(const struct kind *k, const struct json *obj, bool status_only,
                 struct schema_findings *bad);
/* Removes the replicas from a field set of managedFields. */
void scale_disown(const struct kind *k, struct json *fields);
/* Puts scale's spec.replicas into obj; of built-in kinds 422 when they are no
 * count (custom kinds are checked when they are stored). */
bool scale_apply(const struct kind *k, const struct json *scale,
                 struct json *obj, struct status *st);

#endif
