/*
 * store.h - inside of cache.h: the objects of one collection, in order.
 *
 * What: a vector sorted by (namespace, name), and the queue of changes that
 * nobody was told yet. Pure: no connection, no loop.
 * Invariants: of one object at most one change is queued (several are folded);
 * an object that left the vector lives until its DELETED was taken.
 * A full list is laid over what is there: kube_store_begin, a put for each
 * object, kube_store_sweep removes what the list did not name; unchanged
 * objects (same uid, resourceVersion and bytes) make no change.
 */
#ifndef LIB_KUBE_STORE_H
#define LIB_KUBE_STORE_H

#include "lib/base/arena.h"

#include "lib/kube/cache.h"
#include "lib/kube/skim.h"

struct kube_box; /* an object with its bookkeeping */

struct kube_pending {
    enum kube_change_type type;
    struct kube_box *box; /* NULL: folded away */
};

struct kube_store {
    struct kube_box **v;
    size_t n, cap;
    struct kube_pending *queue;
    size_t queued, queue_cap;
    size_t bytes, max;
    unsigned epoch;
    struct arena *scratch;
    enum kube_form form;
};

void kube_store_init(struct kube_store *s, size_t max, enum kube_form form);
void kube_store_release(struct kube_store *s);
/* Takes the object in text (a list's item, an event's object); a new version
 * replaces the old one. More than max objects is ERR_LIMIT. version (may be
 * NULL) gets the text's resourceVersion, valid until the next call. */
bool kube_store_put(struct kube_store *s, struct str text, struct str *version,
                    struct error *err);
/* Takes the object out that text names; unknown ones are ignored. */
bool kube_store_del(struct kube_store *s, struct str text, struct str *version,
                    struct error *err);
/* The same for texts that were skimmed already. */
bool kube_store_put_skimmed(struct kube_store *s, struct str text,
                            const struct kube_skim *skim, struct error *err);
bool kube_store_drop_skimmed(struct kube_store *s, const struct kube_skim *skim,
                             struct error *err);
/* A full list begins; it is complete. */
void kube_store_begin(struct kube_store *s);
void kube_store_sweep(struct kube_store *s);

const struct kube_object *kube_store_at(const struct kube_store *s, size_t i);
/* Position of the first object not before (ns, name). */
size_t kube_store_lower(const struct kube_store *s, struct str ns,
                        struct str name);
/* Takes at most max changes off the queue. The deleted objects among them
 * belong to the caller now: kube_store_drop. */
size_t kube_store_take(struct kube_store *s, struct kube_change *out,
                       size_t max);
/* Frees the objects of DELETED changes. */
void kube_store_drop(struct kube_change *v, size_t n);

#endif
