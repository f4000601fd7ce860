/*
 * merge.h - the JSON merge patch (RFC 7386) between two trees, and an object
 * without what only its server writes.
 */
#ifndef LIB_KUBE_MERGE_H
#define LIB_KUBE_MERGE_H

#include "lib/base/json.h"

/* The patch that makes after of before: changed members whole (lists are one
 * value), removed ones null. {} when they are equal. Both must be objects. The
 * caller frees it. */
struct json *kube_merge_diff(const struct json *before,
                             const struct json *after);

enum {
    /* for $EDITOR: what a user can change */
    KUBE_STRIP_SERVER = 1, /* managedFields, status, uid, resourceVersion,
                              creation and deletion stamps, generation, and
                              kubectl's last-applied annotation */
    /* for a file that brings a deleted object back */
    KUBE_STRIP_OWNED = 2, /* finalizers, ownerReferences, and what Crossplane
                             wrote into spec.crossplane */
};
void kube_strip(struct json *object, unsigned what);

#endif
