/*
 * conflict.h - whose fields a server-side apply wanted to take.
 *
 * What: the 409 of an apply, field by field: which one, who manages it, since
 * when and through which version (apiserver
 * endpoints/handlers/fieldmanager/... conflict.go: a cause for each, or, where
 * a server sends none, the message alone). Other 409s (a stale
 * resourceVersion) have none.
 * Lifetimes: struct kube_conflicts owns its texts. Caps: what a struct
 * kube_status keeps (256 causes), 256 of a message.
 */
#ifndef LIB_KUBE_CONFLICT_H
#define LIB_KUBE_CONFLICT_H

#include "lib/kube/status.h"

/* Texts are never NULL; "" where the server did not say. */
struct kube_conflict {
    char *field;   /* ".spec.size", ".spec.list[name=\"x\"]" */
    char *manager; /* "kubectl-edit" */
    char *sub;     /* subresource it writes through: "status" */
    char *version; /* apiVersion of an Update; "" for another apply */
    char *time;    /* "2026-11-21T04:42:05Z" of an Update */
};

struct kube_conflicts {
    struct kube_conflict *v;
    size_t n;
};

/* False, and nothing to release, when s is no conflict of an apply. */
bool kube_conflicts_read(const struct kube_status *s,
                         struct kube_conflicts *out);
void kube_conflicts_release(struct kube_conflicts *c);
/* Appends `.spec.size belongs to "kubectl-edit" (v1, since 2026-...)`. */
bool kube_conflict_text(const struct kube_conflict *c, struct buf *out);

#endif
