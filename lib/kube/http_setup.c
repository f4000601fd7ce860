#include <curl/curl.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/base/mem.h"

#include "lib/kube/http_in.h"
#include "lib/kube/proxy.h"

#define CONNECT_MS    10000
#define REDIRECTS_MAX 10L

static void
set_blob(CURL *e, CURLoption option, const char *text)
{
    struct curl_blob b = {(void *)(uintptr_t)text, strlen(text),
                          CURL_BLOB_NOCOPY};

    curl_easy_setopt(e, option, &b);
}

static void
setup_tls(struct kube_http_call *c)
{
    struct kube_http *h = c->h;

    if (h->ca) {
        /* Without this curl would also read the system's whole folder for
         * every connection. */
        curl_easy_setopt(c->easy, CURLOPT_CAINFO, NULL);
        curl_easy_setopt(c->easy, CURLOPT_CAPATH, NULL);
        set_blob(c->easy, CURLOPT_CAINFO_BLOB, h->ca);
    } else if (getenv("SSL_CERT_FILE")) {
        curl_easy_setopt(c->easy, CURLOPT_CAPATH, NULL);
        curl_easy_setopt(c->easy, CURLOPT_CAINFO, getenv("SSL_CERT_FILE"));
    }
    if (h->cert)
        set_blob(c->easy, CURLOPT_SSLCERT_BLOB, h->cert);
    if (h->key)
        set_blob(c->easy, CURLOPT_SSLKEY_BLOB, h->key);
    if (h->insecure) {
        curl_easy_setopt(c->easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(c->easy, CURLOPT_SSL_VERIFYHOST, 0L);
        curl_easy_setopt(c->easy, CURLOPT_CERTINFO, 1L);
    }
    if (h->unix_socket)
        curl_easy_setopt(c->easy, CURLOPT_PROXY, "");
    if (h->unix_socket)
        curl_easy_setopt(c->easy, CURLOPT_UNIX_SOCKET_PATH, h->unix_socket);
}

/* Go speaks of socks5 and lets the proxy find the host: curl's socks5h. To a
 * proxy over TLS it takes the cluster's certificate authority, too. */
static bool
setup_proxy(struct kube_http_call *c, struct error *err)
{
    struct kube_http *h = c->h;
    AUTO(mem_free_ptr) char *found = NULL;
    AUTO(mem_free_ptr) char *remote = NULL;
    const char *proxy = h->proxy;

    if (!h->api || h->unix_socket)
        return true;
    if (!proxy) {
        if (!kube_proxy_of(c->url, kube_proxy_environment(), &found, err))
            return false;
        proxy = found ? found : "";
    }
    if (str_starts(str_of(proxy), STR("socks5://")))
        proxy = remote = mem_printf("socks5h://%s", proxy + 9);
    c->proxied = *proxy != 0;
    curl_easy_setopt(c->easy, CURLOPT_PROXY, proxy);
    curl_easy_setopt(c->easy, CURLOPT_NOPROXY, "");
    if (h->ca)
        set_blob(c->easy, CURLOPT_PROXY_CAINFO_BLOB, h->ca);
    if (h->insecure) {
        curl_easy_setopt(c->easy, CURLOPT_PROXY_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(c->easy, CURLOPT_PROXY_SSL_VERIFYHOST, 0L);
    }
    return true;
}

/* curl checks the certificate against the URL's host, so a name of its own to
 * expect becomes the URL's host, and the connection is led to the real one. */
static bool
setup_server_name(struct kube_http_call *c, CURLU *url)
{
    char *host = NULL, *port = NULL, *full = NULL, *text;
    bool ok;

    ok = curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
         curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ==
             CURLUE_OK &&
         curl_url_set(url, CURLUPART_HOST, c->h->server_name, 0) == CURLUE_OK &&
         curl_url_get(url, CURLUPART_URL, &full, 0) == CURLUE_OK;
    if (ok) {
        text = mem_printf("::%s:%s", host, port);
        c->connect_to = curl_slist_append(NULL, text);
        free(text);
        text = mem_printf("Host: %s:%s", host, port);
        c->headers = curl_slist_append(c->headers, text);
        free(text);
        curl_easy_setopt(c->easy, CURLOPT_CONNECT_TO, c->connect_to);
        curl_easy_setopt(c->easy, CURLOPT_URL, full);
    }
    curl_free(host);
    curl_free(port);
    curl_free(full);
    return ok;
}

static bool
is_local(CURLU *url)
{
    char *host = NULL;
    bool local;

    if (curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
        return false;
    local = strncmp(host, "127.", 4) == 0 || strcmp(host, "[::1]") == 0 ||
            strcmp(host, "localhost") == 0;
    curl_free(host);
    return local;
}

static bool
setup_url(struct kube_http_call *c, const struct kube_http_request *r,
          struct error *err)
{
    CURLU *url = curl_url();
    bool secure = strncasecmp(c->url, "https://", 8) == 0;
    bool ok = secure || strncasecmp(c->url, "http://", 7) == 0;

    if (ok)
        ok = curl_url_set(url, CURLUPART_URL, c->url, 0) == CURLUE_OK;
    if (ok) {
        curl_easy_setopt(c->easy, CURLOPT_URL, c->url);
        /* Compression pays on a network, and costs both ends of a loopback
         * time. */
        if (!r->identity && (c->proxied || !is_local(url)))
            curl_easy_setopt(c->easy, CURLOPT_ACCEPT_ENCODING, "");
        if (secure && c->h->server_name)
            ok = setup_server_name(c, url);
    }
    curl_url_cleanup(url);
    if (!ok)
        return error_set(err, ERR_USAGE, "%s is no http or https address",
                         c->url);
    curl_easy_setopt(c->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c->easy, CURLOPT_REDIR_PROTOCOLS_STR,
                     secure ? "https" : "http,https");
    return true;
}

static void
setup_body(struct kube_http_call *c, const struct kube_http_request *r)
{
    const char *m = r->method ? r->method : "GET";
    bool post = r->body.n || r->read || strcmp(m, "POST") == 0 ||
                strcmp(m, "PUT") == 0 || strcmp(m, "PATCH") == 0;

    if (post) {
        c->payload = mem_strndup(r->body.s ? r->body.s : "", r->body.n);
        c->payload_n = r->body.n;
        curl_easy_setopt(c->easy, CURLOPT_POST, 1L);
        curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)(r->read ? r->read_n : r->body.n));
        c->headers = curl_slist_append(c->headers, "Expect:");
    }
    if (strcmp(m, "HEAD") == 0)
        curl_easy_setopt(c->easy, CURLOPT_NOBODY, 1L);
    else if (strcmp(m, "GET") != 0)
        curl_easy_setopt(c->easy, CURLOPT_CUSTOMREQUEST, m);
}

static void
setup_rest(struct kube_http_call *c, const struct kube_http_request *r)
{
    CURL *e = c->easy;

    for (const char *const *p = r->headers; p && *p; p++)
        c->headers = curl_slist_append(c->headers, *p);
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, c->headers);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->trouble);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(r->connect_ms ? r->connect_ms : CONNECT_MS));
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
    if (r->follow) {
        curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 1L);
        curl_easy_setopt(e, CURLOPT_MAXREDIRS,
                         r->redirects ? (long)r->redirects : REDIRECTS_MAX);
    }
}

bool
http_setup(struct kube_http_call *c, const struct kube_http_request *r,
           struct error *err)
{
    setup_tls(c);
    if (!setup_proxy(c, err) || !setup_url(c, r, err))
        return false;
    setup_body(c, r);
    setup_rest(c, r);
    return true;
}
