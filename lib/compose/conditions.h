/*
 * conditions.h - status.conditions as Crossplane keeps them, and its list of
 * names in messages.
 *
 * Source: crossplane-runtime 2.0 apis/common/v1/condition.go,
 * pkg/conditions, pkg/resource/resource.go (StableNAndSomeMore).
 */
#ifndef LIB_COMPOSE_CONDITIONS_H
#define LIB_COMPOSE_CONDITIONS_H

#include "lib/base/json.h"

struct condition {
    const char *type, *status, *reason;
    const char *message; /* NULL or "": none */
    int64_t generation;  /* observedGeneration; 0: the member is left out */
};

/* Sets c in obj.status.conditions: an equal one keeps its
 * lastTransitionTime, any difference replaces it whole, in its place; a new
 * one goes to the end. now_s: seconds since 1970. True: something changed. */
bool condition_set(struct json *obj, const struct condition *c, int64_t now_s);
/* The condition of that type in obj.status.conditions, or NULL. */
struct json *condition_get(const struct json *obj, const char *type);
/* condition_get(...).status is "True". */
bool condition_true(const struct json *obj, const char *type);
/* "a, b" · exactly three "a, b, and c" · more "a, b, c, and 2 more"; names in
 * byte order (the list is sorted). Appends to out. */
void condition_names(struct strlist *names, struct buf *out);

#endif
