/*
 * gc.h - the garbage collector: dependents go when their owners are gone.
 *
 * What: an index from owner uid to dependents, fed by committed events; the
 * rules of kube-controller-manager's garbagecollector.go.
 */
#ifndef DEVENV_SANDBOX_GC_H
#define DEVENV_SANDBOX_GC_H

#include "lib/base/str.h"

struct gc;
struct registry;
struct store_event;

/* Whether the collector may have to do with an object, told without parsing:
 * what is none of its business is most of a store (store_options.mark). */
bool gc_concerns(struct str text);
/* Reads every object of the store that is marked. */
struct gc *gc_new(struct registry *r);
/* Once after the start: what an earlier server left half done. True when there
 * was anything to look at. */
bool gc_turn(struct gc *g);
void gc_free(struct gc *g);
/* May delete and write. */
void gc_on_event(struct gc *g, const struct store_event *e);

#endif
