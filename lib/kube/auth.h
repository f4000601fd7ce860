/*
 * auth.h - inside of client.h: credentials that renew themselves.
 *
 * What: the Authorization and Impersonate headers of an access, and its TLS
 * files. A token file is read again after a minute; certificates and the CA
 * when their files have changed; an exec plugin runs when it is needed, again
 * shortly before its credential expires and after the server answered 401
 * (client-go plugin/pkg/client/auth/exec): one run for all who wait.
 * A plugin never gets our terminal, neither as standard input nor as /dev/tty;
 * what it says on standard error is told while it runs. It is ended when it
 * takes too long, or nobody waits any more.
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
/* Who is told a plugin's lines of standard error; fn NULL: nobody. */
typedef void kube_auth_line_fn(void *arg, struct str line);
void kube_auth_on_line(struct kube_auth *a, kube_auth_line_fn *fn, void *arg);
void kube_auth_free(struct kube_auth *a);
/* True: fresh credentials are there now (or none are needed). False: fn will
 * be called; asking again meanwhile is fine. */
bool kube_auth_get(struct kube_auth *a);
/* Nobody waits for a plugin any more: it is ended. */
void kube_auth_stop(struct kube_auth *a);
/* How often the credential has been renewed; a request notes it as it goes. */
unsigned kube_auth_generation(const struct kube_auth *a);
/* The server answered 401 to a request of that generation. True when renewing
 * may help, or has happened meanwhile: ask again. */
bool kube_auth_refused(struct kube_auth *a, unsigned generation);
/* Adds "Name: value" lines. */
void kube_auth_headers(const struct kube_auth *a, struct strlist *out);
/* The CA, the client certificate and the key (PEM) to use, of the access, its
 * files as they are now, or the plugin; NULL when there is none. *serial
 * changes when they do. */
void kube_auth_tls(const struct kube_auth *a, const char **ca,
                   const char **cert, const char **key, unsigned *serial);

#endif
