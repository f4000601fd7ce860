/*
 * How curl hangs on the loop (its multi-socket interface):
 *
 *   curl -> us   SOCKETFUNCTION: watch this descriptor; TIMERFUNCTION: call me
 *                in n ms. Both only touch the loop's tables.
 *   loop -> curl curl_multi_socket_action, then every finished transfer is
 *                taken out of curl_multi_info_read and its on_done is called.
 *
 * curl forbids adding and removing transfers inside its own callbacks (head
 * and data come from there), so both are done by one deferred call of the
 * pool: `sweep` adds the calls in state NEW and drops those in state DEAD.
 */
#include "lib/kube/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include "lib/kube/http_head.h"

#define BODY_MAX      ((size_t)64 << 20)
#define CONNECT_MS    10000
#define REDIRECTS_MAX 10L
/* A dead link is noticed after 15 + 3 x 5 seconds. */
#define KEEPALIVE_IDLE_S  15
#define KEEPALIVE_EVERY_S 5
#define KEEPALIVE_PROBES  3
#define UNACKED_MS        30000

/* DEAD waits for the sweep; DONE is inside its on_done. */
enum call_state { NEW, RUNNING, DEAD, DONE };

struct kube_http_call {
    struct kube_http *h;
    struct kube_http_call *prev, *next;
    enum call_state state;
    CURL *easy;
    struct curl_slist *headers, *connect_to;
    struct buf body;
    struct http_head head;
    bool head_told, refused; /* refused: a callback answered false */
    bool follow;
    int64_t stall_ms, last_ms;
    struct loop_timer *stall;
    bool stalled;
    kube_http_head_fn *on_head;
    kube_http_data_fn *on_data;
    kube_http_done_fn *on_done;
    kube_http_read_fn *read;
    void *arg;
    char *url;
    char *payload;
    size_t payload_n, payload_sent;
    char *issuer;
    long os_errno;
    char trouble[CURL_ERROR_SIZE];
};

struct kube_http {
    struct loop *l;
    CURLM *multi;
    struct loop_timer *timer;
    struct kube_http_call *calls;
    size_t running;
    bool sweeping; /* a sweep is deferred */
    char *ca, *cert, *key, *server_name, *proxy, *unix_socket;
    bool insecure;
};

struct http_socket {
    struct kube_http *h;
    struct loop_fd *watch;
    curl_socket_t fd;
};

/* ---- the end of a call ---- */

static void
call_free(struct kube_http_call *c)
{
    if (c->prev)
        c->prev->next = c->next;
    else if (c->h->calls == c)
        c->h->calls = c->next;
    if (c->next)
        c->next->prev = c->prev;
    c->h->running--;
    if (c->easy && c->state != NEW)
        curl_multi_remove_handle(c->h->multi, c->easy);
    curl_easy_cleanup(c->easy);
    curl_slist_free_all(c->headers);
    curl_slist_free_all(c->connect_to);
    loop_timer_del(c->stall);
    buf_release(&c->body);
    http_head_release(&c->head);
    free(c->url);
    free(c->payload);
    free(c->issuer);
    free(c);
}

static void
response_of(const struct kube_http_call *c, struct kube_http_response *r)
{
    const struct http_head *h = &c->head;

    *r = (struct kube_http_response){
        .status = h->status,
        .body = buf_view(&c->body),
        .content_type = h->content_type ? h->content_type : "",
        .etag = h->etag ? h->etag : "",
        .location = h->location ? h->location : "",
        .wanted = h->wanted ? h->wanted : "",
        .issuer = c->issuer ? c->issuer : "",
        .retry_after_s = h->retry_after_s,
        .warnings = &h->warnings,
        .date_s = h->date ? MAX(curl_getdate(h->date, NULL), 0) : 0,
    };
}

struct trouble {
    CURLcode code;
    enum err_code err;
    const char *id;
    const char *remedy;
};

static const struct trouble troubles[] = {
    {CURLE_COULDNT_RESOLVE_HOST, ERR_NETWORK, "MT-DNS",
     "Check the server's name and the network."},
    {CURLE_COULDNT_RESOLVE_PROXY, ERR_NETWORK, "MT-PROXY",
     "Check proxy-url and the variables HTTPS_PROXY and NO_PROXY."},
    {CURLE_COULDNT_CONNECT, ERR_NETWORK, "MT-CONNECT",
     "Is the server running, and is this its address?"},
    {CURLE_OPERATION_TIMEDOUT, ERR_TIMEOUT, "MT-TIMEOUT", ""},
    {CURLE_PEER_FAILED_VERIFICATION, ERR_NETWORK, "MT-TLS-CA",
     "The server is not the one the configuration was made for, or its "
     "certificate authority has changed: get a fresh kubeconfig."},
    {CURLE_SSL_CACERT_BADFILE, ERR_PARSE, "MT-TLS-CA-BAD",
     "The certificate authority in the configuration cannot be read as PEM."},
    {CURLE_SSL_CERTPROBLEM, ERR_PARSE, "MT-TLS-CERT-BAD",
     "The client certificate or key in the configuration cannot be used."},
    {CURLE_SSL_CONNECT_ERROR, ERR_NETWORK, "MT-TLS", ""},
    {CURLE_TOO_MANY_REDIRECTS, ERR_LIMIT, "", ""},
    {CURLE_UNSUPPORTED_PROTOCOL, ERR_UNSUPPORTED, "", ""},
    {CURLE_BAD_CONTENT_ENCODING, ERR_PARSE, "", ""},
};

/* The server of a call, for sentences: "https://127.0.0.1:6443", or the path
 * of its socket. */
static struct str
origin(const struct kube_http_call *c)
{
    if (c->h->unix_socket)
        return str_of(c->h->unix_socket);

    struct str url = str_of(c->url);
    size_t at = str_find(url, STR("://"), 0);
    size_t end = at == SIZE_MAX ? url.n : str_find(url, STR("/"), at + 3);

    return str_sub(url, 0, end);
}

static void
call_error(const struct kube_http_call *c, CURLcode code, struct error *err)
{
    struct str where = origin(c);
    const char *what = c->trouble[0] ? c->trouble : curl_easy_strerror(code);

    if (c->body.over) {
        error_set(err, ERR_LIMIT, "%.*s answered more than %zu bytes",
                  STR_ARG(where), c->body.max);
        return;
    }
    if (c->stalled) {
        error_set(err, ERR_TIMEOUT, "%.*s was silent for %.1f s",
                  STR_ARG(where), (double)c->stall_ms / 1000.0);
        return;
    }
    if (c->refused) {
        error_set(err, ERR_CANCELLED, "stopped reading from %.*s",
                  STR_ARG(where));
        return;
    }
    if (code == CURLE_SEND_FAIL_REWIND)
        what = "it ended before an answer came, and whether the peer did what "
               "was asked is not known";
    for (size_t i = 0; i < ARRAY_LEN(troubles); i++) {
        if (troubles[i].code != code)
            continue;
        if (code == CURLE_COULDNT_CONNECT && c->os_errno)
            error_set(err, c->os_errno == EACCES ? ERR_DENIED : ERR_NETWORK,
                      "cannot connect to %.*s: %s", STR_ARG(where),
                      strerror((int)c->os_errno));
        else
            error_set(err, troubles[i].err, "%.*s: %s", STR_ARG(where), what);
        if (troubles[i].id[0])
            error_remedy(err, troubles[i].id, "%s", troubles[i].remedy);
        return;
    }
    error_set(err, ERR_NETWORK, "the connection to %.*s broke: %s",
              STR_ARG(where), what);
}

/* The common name in "Issuer:O = Corp, CN = Corp CA" of the peer's own
 * certificate; all of it when there is none. */
static void
keep_issuer(struct kube_http_call *c)
{
    struct curl_certinfo *chain = NULL;
    struct str text, rest;
    size_t at;

    if (!c->h->insecure ||
        curl_easy_getinfo(c->easy, CURLINFO_CERTINFO, &chain) != CURLE_OK ||
        !chain || chain->num_of_certs < 1)
        return;
    for (struct curl_slist *l = chain->certinfo[0]; l; l = l->next) {
        if (!str_starts(str_of(l->data), STR("Issuer:")))
            continue;
        text = str_from(str_of(l->data), 7);
        at = str_find(text, STR("CN"), 0);
        if (at != SIZE_MAX && str_cut(str_from(text, at), '=', &rest, &text))
            str_cut(text, ',', &text, &rest);
        text = str_trim(text);
        free(c->issuer);
        c->issuer = mem_strndup(text.s, text.n);
    }
}

static bool
is_break(CURLcode code)
{
    return code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR ||
           code == CURLE_SEND_ERROR || code == CURLE_HTTP2 ||
           code == CURLE_HTTP2_STREAM || code == CURLE_SEND_FAIL_REWIND;
}

static void
call_finish(struct kube_http_call *c, CURLcode code)
{
    struct kube_http_response r;
    struct error err = {0};

    curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &c->os_errno);
    keep_issuer(c);
    curl_multi_remove_handle(c->h->multi, c->easy);
    curl_easy_cleanup(c->easy);
    c->easy = NULL;
    c->state = DONE;
    response_of(c, &r);
    /* curl is content with a head that was cut. */
    if (code == CURLE_OK && !c->head_told)
        code = CURLE_GOT_NOTHING;
    r.broke = !r.status && is_break(code);
    if (code != CURLE_OK)
        call_error(c, code, &err);
    c->on_done(c->arg, &r, code == CURLE_OK ? NULL : &err);
    call_free(c);
}

/* ---- curl calls us ---- */

static void
sweep(void *arg)
{
    struct kube_http *h = arg;
    struct kube_http_call *next;

    h->sweeping = false;
    for (struct kube_http_call *c = h->calls; c; c = next) {
        next = c->next;
        if (c->state == DEAD) {
            call_free(c);
        } else if (c->state == NEW) {
            c->state = RUNNING;
            curl_multi_add_handle(h->multi, c->easy);
        }
    }
}

static void
need_sweep(struct kube_http *h)
{
    if (h->sweeping)
        return;
    h->sweeping = true;
    loop_defer(h->l, sweep, h);
}

static bool
head_done(struct kube_http_call *c)
{
    struct kube_http_response r;

    if (c->head_told || c->head.status < 200)
        return true;
    if (c->follow && c->head.location && c->head.status / 100 == 3)
        return true;
    c->head_told = true;
    response_of(c, &r);
    if (c->on_head && !c->on_head(c->arg, &r)) {
        c->refused = true;
        return false;
    }
    return true;
}

static size_t
on_header(char *p, size_t one, size_t n, void *arg)
{
    struct kube_http_call *c = arg;

    n *= one;
    if (c->state == DEAD)
        return 0;
    c->last_ms = loop_now(c->h->l);
    if (http_head_line(&c->head, str_trim(str_n(p, n))) && !head_done(c))
        return 0;
    return n;
}

static size_t
on_body(char *p, size_t one, size_t n, void *arg)
{
    struct kube_http_call *c = arg;

    n *= one;
    if (c->state == DEAD)
        return 0;
    c->last_ms = loop_now(c->h->l);
    if (c->on_data && c->head.status / 100 == 2) {
        c->refused = !c->on_data(c->arg, str_n(p, n));
        return c->refused || c->state == DEAD ? 0 : n;
    }
    return buf_add(&c->body, p, n) ? n : 0;
}

/* The body, once: curl would send a request again, bodies and all, when a
 * connection it had used before ends without an answer. The peer may have done
 * what it says; without a way back to its start curl cannot. */
static ssize_t
read_payload(struct kube_http_call *c, char *p, size_t n)
{
    n = MIN(n, c->payload_n - c->payload_sent);
    memcpy(p, c->payload + c->payload_sent, n);
    c->payload_sent += n;
    return (ssize_t)n;
}

static size_t
on_read(char *p, size_t one, size_t n, void *arg)
{
    struct kube_http_call *c = arg;
    ssize_t got;

    if (c->state == DEAD)
        return CURL_READFUNC_ABORT;
    c->last_ms = loop_now(c->h->l);
    got = c->read ? c->read(c->arg, p, one * n) : read_payload(c, p, one * n);
    if (got >= 0)
        return (size_t)got;
    c->refused = true;
    return CURL_READFUNC_ABORT;
}

static void
drain(struct kube_http *h)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(h->multi, &left))) {
        struct kube_http_call *c = NULL;
        CURLcode code = m->data.result;

        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c);
        if (c->state == DEAD)
            need_sweep(h);
        else
            call_finish(c, code);
    }
}

static void
on_socket_ready(void *arg, unsigned events)
{
    struct http_socket *s = arg;
    struct kube_http *h = s->h;
    int mask = 0, running;

    if (events & (LOOP_READ | LOOP_HANGUP))
        mask |= CURL_CSELECT_IN;
    if (events & (LOOP_WRITE | LOOP_HANGUP))
        mask |= CURL_CSELECT_OUT;
    curl_multi_socket_action(h->multi, s->fd, mask, &running);
    drain(h);
}

static int
on_socket_change(CURL *easy, curl_socket_t fd, int what, void *arg,
                 void *socket_arg)
{
    struct kube_http *h = arg;
    struct http_socket *s = socket_arg;
    unsigned events = 0;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (s) {
            loop_fd_del(s->watch);
            free(s);
        }
        curl_multi_assign(h->multi, fd, NULL);
        return 0;
    }
    if (what & CURL_POLL_IN)
        events |= LOOP_READ;
    if (what & CURL_POLL_OUT)
        events |= LOOP_WRITE;
    if (s) {
        loop_fd_set(s->watch, events);
        return 0;
    }
    s = mem_zalloc(1, sizeof(*s));
    s->h = h;
    s->fd = fd;
    s->watch = loop_fd_add(h->l, fd, events, on_socket_ready, s, NULL);
    curl_multi_assign(h->multi, fd, s);
    return 0;
}

static void
on_timer(void *arg)
{
    struct kube_http *h = arg;
    int running;

    curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    drain(h);
}

static int
on_timer_change(CURLM *multi, long ms, void *arg)
{
    struct kube_http *h = arg;

    (void)multi;
    loop_timer_set(h->timer, ms);
    return 0;
}

static int
on_socket_open(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    static const int values[][3] = {
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S},
        {IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_EVERY_S},
        {IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKED_MS},
    };

    (void)arg;
    (void)purpose;
    /* Best effort: without them a dead link is noticed later. */
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        setsockopt(fd, values[i][0], values[i][1], &values[i][2], sizeof(int));
    return CURL_SOCKOPT_OK;
}

static void
on_stall(void *arg)
{
    struct kube_http_call *c = arg;
    int64_t quiet = loop_now(c->h->l) - c->last_ms;

    if (quiet < c->stall_ms) {
        loop_timer_set(c->stall, c->stall_ms - quiet);
        return;
    }
    c->stalled = true;
    call_finish(c, CURLE_OPERATION_TIMEDOUT);
}

/* ---- pools ---- */

struct kube_http *
kube_http_new(struct loop *l, const struct kube_tls *tls, struct error *err)
{
    struct kube_http *h;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        error_set(err, ERR_INTERNAL, "curl cannot start");
        return NULL;
    }
    h = mem_zalloc(1, sizeof(*h));
    h->l = l;
    h->multi = curl_multi_init();
    if (!h->multi) {
        error_set(err, ERR_INTERNAL, "curl cannot start");
        free(h);
        curl_global_cleanup();
        return NULL;
    }
    if (tls) {
        h->ca = mem_strdup(tls->ca);
        h->cert = mem_strdup(tls->cert);
        h->key = mem_strdup(tls->key);
        h->server_name = mem_strdup(tls->server_name);
        h->proxy = mem_strdup(tls->proxy);
        h->unix_socket = mem_strdup(tls->unix_socket);
        h->insecure = tls->insecure;
    }
    h->timer = loop_timer_add(l, -1, on_timer, h);
    curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket_change);
    curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
    curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timer_change);
    curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
    curl_multi_setopt(h->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    return h;
}

void
kube_http_free(struct kube_http *h)
{
    if (!h)
        return;
    while (h->calls)
        call_free(h->calls);
    loop_undefer(h->l, sweep, h);
    curl_multi_cleanup(h->multi);
    loop_timer_del(h->timer);
    free(h->ca);
    free(h->cert);
    mem_wipe(h->key);
    free(h->server_name);
    free(h->proxy);
    free(h->unix_socket);
    free(h);
    curl_global_cleanup();
}

size_t
kube_http_running(const struct kube_http *h)
{
    return h->running;
}

/* ---- the start of a call ---- */

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
    if (h->proxy || h->unix_socket)
        curl_easy_setopt(c->easy, CURLOPT_PROXY,
                         h->unix_socket ? "" : h->proxy);
    if (h->unix_socket)
        curl_easy_setopt(c->easy, CURLOPT_UNIX_SOCKET_PATH, h->unix_socket);
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
        if (!r->identity && !is_local(url))
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
        curl_easy_setopt(c->easy, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(c->easy, CURLOPT_READDATA, c);
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
    curl_easy_setopt(e, CURLOPT_PRIVATE, c);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->trouble);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, on_socket_open);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(r->connect_ms ? r->connect_ms : CONNECT_MS));
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
    if (r->follow) {
        curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 1L);
        curl_easy_setopt(e, CURLOPT_MAXREDIRS,
                         r->redirects ? (long)r->redirects : REDIRECTS_MAX);
    }
}

struct kube_http_call *
kube_http_start(struct kube_http *h, const struct kube_http_request *r,
                struct error *err)
{
    struct kube_http_call *c = mem_zalloc(1, sizeof(*c));

    c->h = h;
    c->state = NEW;
    c->url = mem_strdup(r->url);
    c->on_head = r->on_head;
    c->on_data = r->on_data;
    c->on_done = r->on_done;
    c->read = r->read;
    c->head.want = r->want;
    c->arg = r->arg;
    c->follow = r->follow;
    c->head.retry_after_s = -1;
    c->stall_ms = r->stall_ms;
    c->last_ms = loop_now(h->l);
    buf_init(&c->body, r->max_body ? r->max_body : BODY_MAX);
    c->next = h->calls;
    if (h->calls)
        h->calls->prev = c;
    h->calls = c;
    h->running++;
    c->easy = curl_easy_init();
    if (!c->easy) {
        error_set(err, ERR_INTERNAL, "curl gives no handle");
        call_free(c);
        return NULL;
    }
    setup_tls(c);
    if (!setup_url(c, r, err)) {
        call_free(c);
        return NULL;
    }
    setup_body(c, r);
    setup_rest(c, r);
    if (c->stall_ms > 0)
        c->stall = loop_timer_add(h->l, c->stall_ms, on_stall, c);
    need_sweep(h);
    return c;
}

void
kube_http_cancel(struct kube_http_call *c)
{
    if (!c || c->state == DEAD || c->state == DONE)
        return;
    if (c->state == NEW) {
        call_free(c);
        return;
    }
    c->state = DEAD;
    loop_timer_del(c->stall);
    c->stall = NULL;
    need_sweep(c->h);
}
