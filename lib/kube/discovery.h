/*
 * discovery.h - which kinds the cluster serves, and which one a word means.
 *
 * What: two requests (aggregated discovery, /api and /apis); where a server
 * has none, the legacy documents, one a group version. Words are resolved as
 * kubectl does.
 * Lifetimes: a struct kube_kind and its strings live until the discovery is
 * freed, also when a later load no longer lists it (caches and views hold on
 * to them). Free it before its client.
 * Caps: 16 MiB a document, 20,000 kinds, 2,000 group versions.
 */
#ifndef LIB_KUBE_DISCOVERY_H
#define LIB_KUBE_DISCOVERY_H

#include "lib/kube/client.h"

struct kube_discovery;

struct kube_discovery *kube_discovery_new(struct kube_client *c);
void kube_discovery_free(struct kube_discovery *d);

/* err NULL: the list is fresh. Groups that could not be read (an aggregated
 * API server that is down) are left out and named by
 * kube_discovery_problem. */
typedef void kube_discovery_fn(void *arg, const struct error *err);
/* Loads, or loads again; a load that runs already is joined. False and err
 * when it cannot start; else fn runs once, unless d is freed before. */
bool kube_discovery_load(struct kube_discovery *d, kube_discovery_fn *fn,
                         void *arg, struct error *err);
/* The same, turning the loop; true at once when it is loaded and !again. */
bool kube_discovery_wait(struct kube_discovery *d, bool again,
                         struct error *err);
bool kube_discovery_loaded(const struct kube_discovery *d);
/* What was left out, one sentence, or NULL. */
const char *kube_discovery_problem(const struct kube_discovery *d);

/* What a user's word means: plural, singular, short name or kind, in any case,
 * optionally with ".group" or ".version.group" behind ("dataproducts",
 * "product.meshifi.io", "deployments.v1.apps"). Of several: the core group
 * first, then the group's order in discovery; of a group its preferred
 * version. None: ERR_NOT_FOUND with the nearest word. */
const struct kube_kind *kube_discovery_find(const struct kube_discovery *d,
                                            const char *word,
                                            struct error *err);
/* The kind of an object: exact apiVersion and kind; NULL when not served. */
const struct kube_kind *kube_discovery_of(const struct kube_discovery *d,
                                          struct str api_version,
                                          struct str kind);
const struct kube_kind *kube_discovery_gvr(const struct kube_discovery *d,
                                           const struct kube_gvr *gvr);
/* All that is served (preferred versions and others), in order; NULL past the
 * last. */
const struct kube_kind *kube_discovery_at(const struct kube_discovery *d,
                                          size_t i);
/* The i-th kind of a category ("managed", "all"), preferred versions only. */
const struct kube_kind *kube_discovery_category(const struct kube_discovery *d,
                                                const char *category, size_t i);

#endif
