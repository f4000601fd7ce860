/*
 * discovery.h - which kinds the cluster serves, and which one a word means.
 *
 * What: two requests (aggregated discovery, /api and /apis); where a server
 * has none, the legacy documents, one a group version. Words are resolved as
 * kubectl does (client-go restmapper: DiscoveryRESTMapper, PriorityRESTMapper,
 * ShortcutExpander). A client with a cache_dir keeps the documents on disk,
 * per server (discovery_disk.h): the first load is answered from there at once
 * and checked against the server beside (ETag, 304); a word or kind that is
 * not there is looked up once more on the server.
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
/* Loads, or loads again; a load that runs already is joined. The first load
 * may be answered from disk, later ones ask the server. False and err when it
 * cannot start; else fn runs once, unless d is freed before. */
bool kube_discovery_load(struct kube_discovery *d, kube_discovery_fn *fn,
                         void *arg, struct error *err);
/* The same when it is not loaded yet, else fn is just called from the loop. */
bool kube_discovery_need(struct kube_discovery *d, kube_discovery_fn *fn,
                         void *arg, struct error *err);
/* Calls of (fn, arg) that are due never come. */
void kube_discovery_forget(struct kube_discovery *d, kube_discovery_fn *fn,
                           void *arg);
/* Turns the loop until the server has said what it serves; true at once when
 * it has before and !again. */
bool kube_discovery_wait(struct kube_discovery *d, bool again,
                         struct error *err);
bool kube_discovery_loaded(const struct kube_discovery *d);
/* Takes texts for the documents /api and /apis, as from disk; what they name
 * beside (legacy documents) is missing then. For tests and fuzzing. */
bool kube_discovery_read(struct kube_discovery *d, struct str api,
                         struct str apis);
/* True when what is there came from disk and no server has confirmed it. */
bool kube_discovery_stale(const struct kube_discovery *d);
/* Called when what is served has become different, by whichever load. One
 * listener; fn NULL: none. */
typedef void kube_discovery_news_fn(void *arg);
void kube_discovery_on_news(struct kube_discovery *d,
                            kube_discovery_news_fn *fn, void *arg);
/* What was left out, one sentence, or NULL. */
const char *kube_discovery_problem(const struct kube_discovery *d);

/* What a user's word means: plural, singular, short name or kind, in any case,
 * optionally with ".group" (or how it begins: "storageclass.storage") or
 * ".version.group" behind ("dataproducts", "product.meshifi.io",
 * "deployments.v1.apps"). Of several: the core group first, then the group's
 * order in discovery; of a group its preferred version. None: ERR_NOT_FOUND
 * with the nearest word; several of one group and version: ERR_CONFLICT that
 * lists them. */
const struct kube_kind *kube_discovery_find(const struct kube_discovery *d,
                                            const char *word,
                                            struct error *err);
/* kube_discovery_find for commands, turning the loop: loads what is not
 * loaded, from disk if need be; a word that is not found there is looked up on
 * the server. */
const struct kube_kind *kube_discovery_seek(struct kube_discovery *d,
                                            const char *word,
                                            struct error *err);
/* All kinds a word may mean, the one kube_discovery_find takes first; how many
 * there are, at most max are put into out. For "could also be". */
size_t kube_discovery_matches(const struct kube_discovery *d, const char *word,
                              const struct kube_kind **out, size_t max);
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
