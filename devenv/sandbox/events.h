/*
 * events.h - Event objects: the core view and the events.k8s.io view of the
 * same stored object, their columns, and their end after an hour.
 */
#ifndef DEVENV_SANDBOX_EVENTS_H
#define DEVENV_SANDBOX_EVENTS_H

#include "lib/base/json.h"

#include "lib/schema/schema.h"

struct registry;
struct registry_write;

#define EVENTS_TTL_S 3600

void events_prepare(const struct registry_write *w, struct json *obj,
                    const struct json *old, struct schema_findings *bad);
bool events_cell(size_t i, const struct json *obj, int64_t now_s,
                 struct buf *out);
bool events_new_cell(size_t i, const struct json *obj, int64_t now_s,
                     struct buf *out);
/* Stored is the core form. */
void events_from_core(struct json *obj);
void events_to_core(struct json *obj);
/* Deletes events older than EVENTS_TTL_S; how many. */
size_t events_expire(struct registry *r);

#endif
