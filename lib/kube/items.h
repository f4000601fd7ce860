/*
 * items.h - inside of cache.h: a list taken apart while it arrives.
 *
 * What: bytes of a JSON object go in as they come; each element of one array
 * member ("items", "rows") goes out as text; everything else is kept, small,
 * as an object in which that array is empty. So a list of any length passes
 * through the memory of one item. What goes out is balanced, not checked
 * (skim.h and whoever parses it do that).
 * Caps: an item, and the rest; more is ERR_LIMIT. Only objects are items, null
 * for the array is an empty one.
 * Lifetimes: items_init ... items_release; an item is valid in its callback.
 */
#ifndef LIB_KUBE_ITEMS_H
#define LIB_KUBE_ITEMS_H

#include "lib/base/buf.h"
#include "lib/base/error.h"

typedef bool kube_items_fn(void *arg, struct str item);

struct kube_items {
    const char *key;
    struct buf item, rest, word; /* word: the last string at the top */
    unsigned state;
    size_t depth;
    bool quoted, escaped; /* inside a string; after a backslash */
    bool found;           /* the array was there */
    kube_items_fn *fn;
    void *arg;
};

/* key is not copied. */
void kube_items_init(struct kube_items *s, const char *key, size_t max_item,
                     size_t max_rest, kube_items_fn *fn, void *arg);
void kube_items_release(struct kube_items *s);
/* Begins another text. */
void kube_items_reset(struct kube_items *s);
/* False: what is no list of objects, a cap, or fn said no (err untouched
 * then); nothing more may be fed. */
bool kube_items_feed(struct kube_items *s, struct str piece, struct error *err);
/* The text ended: is it whole? *rest gets the object without its items. */
bool kube_items_end(struct kube_items *s, struct str *rest, struct error *err);

#endif
