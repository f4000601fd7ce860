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

#include "lib/kube/http_in.h"
#include "lib/kube/http_trouble.h"

#define BODY_MAX    ((size_t)64 << 20)
#define STREAMS_MAX 100 /* calls a lane */
/* A dead link is noticed after 15 + 3 x 5 seconds. */
#define KEEPALIVE_IDLE_S  15
#define KEEPALIVE_EVERY_S 5
#define KEEPALIVE_PROBES  3
#define UNACKED_MS        30000

struct http_socket {
    struct lane *lane;
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
    if (c->lane)
        c->lane->running--;
    if (c->easy && c->state != NEW)
        curl_multi_remove_handle(c->lane->multi, c->easy);
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
    http_trouble(code, where, what, (int)c->os_errno, err);
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
    curl_multi_remove_handle(c->lane->multi, c->easy);
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
            curl_multi_add_handle(c->lane->multi, c->easy);
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
drain(struct lane *lane)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(lane->multi, &left))) {
        struct kube_http_call *c = NULL;
        CURLcode code = m->data.result;

        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c);
        if (c->state == DEAD)
            need_sweep(c->h);
        else
            call_finish(c, code);
    }
}

static void
on_socket_ready(void *arg, unsigned events)
{
    struct http_socket *s = arg;
    struct lane *lane = s->lane;
    int mask = 0, running;

    if (events & (LOOP_READ | LOOP_HANGUP))
        mask |= CURL_CSELECT_IN;
    if (events & (LOOP_WRITE | LOOP_HANGUP))
        mask |= CURL_CSELECT_OUT;
    curl_multi_socket_action(lane->multi, s->fd, mask, &running);
    drain(lane);
}

static int
on_socket_change(CURL *easy, curl_socket_t fd, int what, void *arg,
                 void *socket_arg)
{
    struct lane *lane = arg;
    struct http_socket *s = socket_arg;
    unsigned events = 0;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (s) {
            loop_fd_del(s->watch);
            free(s);
        }
        curl_multi_assign(lane->multi, fd, NULL);
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
    s->lane = lane;
    s->fd = fd;
    s->watch = loop_fd_add(lane->h->l, fd, events, on_socket_ready, s, NULL);
    curl_multi_assign(lane->multi, fd, s);
    return 0;
}

static void
on_timer(void *arg)
{
    struct lane *lane = arg;
    int running;

    curl_multi_socket_action(lane->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    drain(lane);
}

static int
on_timer_change(CURLM *multi, long ms, void *arg)
{
    struct lane *lane = arg;

    (void)multi;
    loop_timer_set(lane->timer, ms);
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

static struct lane *
lane_new(struct kube_http *h, struct error *err)
{
    struct lane *lane = mem_zalloc(1, sizeof(*lane));

    lane->h = h;
    lane->multi = curl_multi_init();
    if (!lane->multi) {
        error_set(err, ERR_INTERNAL, "curl cannot start");
        free(lane);
        return NULL;
    }
    lane->timer = loop_timer_add(h->l, -1, on_timer, lane);
    lane->next = h->lanes;
    h->lanes = lane;
    curl_multi_setopt(lane->multi, CURLMOPT_SOCKETFUNCTION, on_socket_change);
    curl_multi_setopt(lane->multi, CURLMOPT_SOCKETDATA, lane);
    curl_multi_setopt(lane->multi, CURLMOPT_TIMERFUNCTION, on_timer_change);
    curl_multi_setopt(lane->multi, CURLMOPT_TIMERDATA, lane);
    curl_multi_setopt(lane->multi, CURLMOPT_PIPELINING,
                      (long)CURLPIPE_MULTIPLEX);
    curl_multi_setopt(lane->multi, CURLMOPT_MAX_CONCURRENT_STREAMS,
                      (long)STREAMS_MAX);
    return lane;
}

/* The fullest lane that has room, so that others run empty. */
static struct lane *
lane_for(struct kube_http *h, struct error *err)
{
    struct lane *best = NULL;

    for (struct lane *lane = h->lanes; lane; lane = lane->next) {
        if (lane->running < STREAMS_MAX &&
            (!best || lane->running > best->running))
            best = lane;
    }
    return best ? best : lane_new(h, err);
}

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
    h->api = tls != NULL;
    if (!lane_new(h, err)) {
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
    for (struct lane *lane = h->lanes, *next; lane; lane = next) {
        next = lane->next;
        curl_multi_cleanup(lane->multi);
        loop_timer_del(lane->timer);
        free(lane);
    }
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
setup_callbacks(struct kube_http_call *c)
{
    CURL *e = c->easy;

    curl_easy_setopt(e, CURLOPT_PRIVATE, c);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(e, CURLOPT_READDATA, c);
    curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, on_socket_open);
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
    c->lane = lane_for(h, err);
    if (!c->lane) {
        call_free(c);
        return NULL;
    }
    c->lane->running++;
    c->easy = curl_easy_init();
    if (!c->easy) {
        error_set(err, ERR_INTERNAL, "curl gives no handle");
        call_free(c);
        return NULL;
    }
    setup_callbacks(c);
    if (!http_setup(c, r, err)) {
        call_free(c);
        return NULL;
    }
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
