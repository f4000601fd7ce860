/*
 * events.h - Event objects: the core view and the events.k8s.io view of the
 * same stored object, and their end after an hour.
 */
#ifndef DEVENV_SANDBOX_EVENTS_H
#define DEVENV_SANDBOX_EVENTS_H

#include "lib/base/json.h"

struct registry;

#define EVENTS_TTL_S 3600

/* Stored is the core form. */
void events_from_core(struct json *obj);
void events_to_core(struct json *obj);
/* Deletes events older than EVENTS_TTL_S; how many. */
size_t events_expire(struct registry *r);

#endif
