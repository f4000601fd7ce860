/*
 * auth.h - inside of client.h: credentials that renew themselves.
 *
 * What: the Authorization and Impersonate headers of an access. A token file
 * is read again after a minute; an exec plugin runs when it is needed, again
 * after its credential expired or the server answered 401 (client-go
 * plugin/pkg/client/auth/exec). A plugin never gets our terminal.
 * Invariants: no credential holds a control character (it would end a header
 * line). Lifetimes: texts handed out live until the next kube_auth_get.
 */
#ifndef LIB_KUBE_AUTH_H
#define LIB_KUBE_AUTH_H

#include "lib/base/loop.h"

#include "lib/kube/kubeconfig.h"

struct kube_auth;

/* Called from the loop when credentials are there (err NULL) or cannot be
 * had. */
typedef void kube_auth_fn(void *arg, const struct error *err);

/* access must outlive the auth. */
struct kube_auth *kube_auth_new(struct loop *l,
                                const struct kube_access *access,
                                kube_auth_fn *fn, void *arg);
void kube_auth_free(struct kube_auth *a);
/* True: fresh credentials are there now (or none are needed). False: fn will
 * be called; asking again meanwhile is fine. */
bool kube_auth_get(struct kube_auth *a);
/* The server answered 401. True when renewing may help: ask again. */
bool kube_auth_refused(struct kube_auth *a);
/* Adds "Name: value" lines. */
void kube_auth_headers(const struct kube_auth *a, struct strlist *out);
/* The client certificate and key (PEM) to use, from the access or from the
 * plugin; NULL when there is none. *serial changes when they do. */
void kube_auth_certificate(const struct kube_auth *a, const char **cert,
                           const char **key, unsigned *serial);

#endif
