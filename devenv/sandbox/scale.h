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
/* Puts scale's spec.replicas into obj; 422 when they are no count. */
bool scale_apply(const struct kind *k, const struct json *scale,
                 struct json *obj, struct status *st);

#endif
