/*
 * proxy.h - inside of http.h: which proxy the environment names for an address.
 *
 * What: HTTP_PROXY, HTTPS_PROXY and NO_PROXY (or in lower case) by Go's rules
 * (golang.org/x/net/http/httpproxy), so that we go where kubectl goes:
 * loopback addresses and "localhost" never through a proxy; NO_PROXY knows
 * addresses, networks, names with their subdomains, and ports. Pure.
 */
#ifndef LIB_KUBE_PROXY_H
#define LIB_KUBE_PROXY_H

#include "lib/base/error.h"
#include "lib/base/str.h"

/* "" or NULL: not set. */
struct kube_proxy_env {
    const char *http, *https, *no;
    bool cgi; /* inside a CGI script HTTP_PROXY may be the client's header */
};

struct kube_proxy_env kube_proxy_environment(void);
/* The proxy's URL for url (http or https) into fresh *out, NULL for none.
 * False when the environment's is no address. */
bool kube_proxy_of(const char *url, struct kube_proxy_env env, char **out,
                   struct error *err);

#endif
