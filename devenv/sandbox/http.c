#include "devenv/sandbox/http.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/random.h"

#include "devenv/sandbox/connections.h"
#include "devenv/sandbox/http_parts.h"
#include "devenv/sandbox/identity.h"
#include "devenv/sandbox/listen.h"

/*
 * libmicrohttpd runs without threads: its epoll descriptor hangs in our loop,
 * and the server's turn calls http_run. What is not obvious:
 * - An exchange that is not answered yet, and a stream with nothing to say,
 *   are suspended connections: the library does not look at them, not even for
 *   a client that left. So their sockets hang in our loop too, for the hang-up
 *   alone (edge-triggered).
 * - MHD_get_timeout does not see resumed connections, hence `pending`; one
 *   MHD_run prepares a chunk and the next sends it, hence the rounds.
 * - While a TLS handshake waits for its client, MHD_get_timeout says 0 all the
 *   time: when turns bring nothing we sleep a little.
 */

#define BODY_DISCARD  ((size_t)32 << 20) /* read on, for a 413 in peace */
#define BLOCK         32768
#define RUN_ROUNDS    4
#define QUIET_TURNS   8  /* without any callback: sleep 1 ms */
#define QUIETER_TURNS 64 /* sleep 5 ms */
#define TIMEOUT_S     30
#define SPARE         16 /* connections that are told of the crowd */
#define IDLE_FACTOR   4  /* kept-alive connections live 4 timeouts */

/* Ephemeral keys and authenticated ciphers alone. */
#define TLS_PRIORITIES                                                         \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:"         \
    "-CIPHER-ALL:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:-MAC-ALL:+AEAD"

enum progress {
    ARRIVING,
    HANDLING, /* the handler runs */
    WAITING,  /* the handler will answer later */
    HELD,     /* answered, not sent yet */
    ANSWERED
};

struct http_stream {
    struct http_stream *next, **link;
    struct http *h; /* an exchange may be gone before its stream */
    struct MHD_Connection *c;
    const struct http_stream_ops *ops;
    void *arg;
    char *user;
    bool asleep, dead;
    struct loop_fd *watch;
};

struct header {
    struct header *next;
    const char *name, *value;
};

struct exchange {
    struct http_request r; /* first: the public part */
    struct exchange *next, **link;
    struct MHD_Connection *c;
    struct connection *connection;
    enum progress progress;
    char *target;
    struct buf body;
    bool begun, suspended, too_big, forget;
    struct error *bad_target; /* in the arena, or NULL */
    size_t received;          /* of the body, kept or not */
    struct header *headers;
    struct MHD_Response *response;
    unsigned status;
    struct loop_fd *watch;
};

struct http {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    struct http_options o;
    unsigned port, timeout_ms;
    struct loop_fd *watch;
    struct connections connections;
    struct exchange *exchanges;
    struct http_stream *streams;
    size_t waiting_n, streams_n;
    uint64_t ids; /* state of http_new_id */
    bool pending, active, closing;
    unsigned quiet;
};

/* ---- connections ---- */

static void
on_connection(void *arg, struct MHD_Connection *c, void **context,
              enum MHD_ConnectionNotificationCode what)
{
    struct http *h = arg;
    struct connection *k = *context;

    h->active = true;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);

        k = connections_add(&h->connections, info->connect_fd);
        k->crowded = h->connections.n > h->connections.max;
        connections_deadline(&h->connections, k, h->timeout_ms);
        *context = k;
    } else if (k) {
        connections_del(&h->connections, k);
        *context = NULL;
    }
}

/* One too many is closed at once: waiting in the backlog looks like a hang. */
static enum MHD_Result
on_accept(void *arg, const struct sockaddr *from, socklen_t n)
{
    const struct http *h = arg;

    (void)from;
    (void)n;
    return h->connections.n < h->connections.max + SPARE ? MHD_YES : MHD_NO;
}

/* ---- exchanges ---- */

static struct exchange *
exchange_of(struct http_request *r)
{
    return (struct exchange *)r;
}

/* The library has the request line: the exchange begins. */
static void *
on_target(void *arg, const char *target, struct MHD_Connection *c)
{
    struct http *h = arg;
    struct exchange *x = mem_zalloc(1, sizeof(*x));
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    h->active = true;
    x->c = c;
    x->connection = info->socket_context;
    x->target = mem_strndup(target, strnlen(target, URL_MAX + 1));
    x->body = BUF_INIT(HTTP_BODY_MAX);
    x->r.http = h;
    x->r.arena = arena_new();
    x->r.target = x->target;
    x->next = h->exchanges;
    x->link = &h->exchanges;
    if (x->next)
        x->next->link = &x->next;
    h->exchanges = x;
    connections_deadline(&h->connections, x->connection, h->timeout_ms);
    return x;
}

static void
on_completed(void *arg, struct MHD_Connection *c, void **context,
             enum MHD_RequestTerminationCode why)
{
    struct http *h = arg;
    struct exchange *x = *context;

    (void)c;
    (void)why;
    h->active = true;
    if (!x)
        return;
    *context = NULL;
    if (x->progress == WAITING || x->progress == HELD)
        h->waiting_n--;
    if (x->response)
        MHD_destroy_response(x->response);
    loop_fd_del(x->watch);
    connections_deadline(&h->connections, x->connection,
                         (int64_t)h->timeout_ms * IDLE_FACTOR);
    *x->link = x->next;
    if (x->next)
        x->next->link = x->link;
    url_release(&x->r.url);
    arena_free(x->r.arena);
    buf_release(&x->body);
    free(x->target);
    free(x);
}

static void
resume(struct exchange *x)
{
    if (!x->suspended)
        return;
    x->suspended = false;
    MHD_resume_connection(x->c);
    x->r.http->pending = true;
}

/* Hands the answer to the library. */
static enum MHD_Result
send_answer(struct exchange *x)
{
    struct MHD_Response *response = x->response;
    enum MHD_Result done;

    x->response = NULL;
    x->progress = ANSWERED;
    done = MHD_queue_response(x->c, x->status, response);
    MHD_destroy_response(response);
    return done;
}

static void
client_left(void *arg, unsigned events)
{
    struct exchange *x = arg;

    (void)events;
    loop_fd_del(x->watch);
    x->watch = NULL;
    if (x->progress != WAITING)
        return;
    void (*gone)(void *) = x->r.gone;

    x->r.gone = NULL;
    if (gone)
        gone(x->r.gone_arg);
    /* The library closes the connection when it cannot send this. */
    http_reply(&x->r, 503, "text/plain", STR(""));
}

/* ---- answers ---- */

void
http_set_header(struct http_request *r, const char *name, const char *value)
{
    struct header *e = arena_alloc(r->arena, sizeof(*e));

    e->name = arena_strdup(r->arena, name);
    e->value = arena_strdup(r->arena, value);
    e->next = exchange_of(r)->headers;
    exchange_of(r)->headers = e;
}

static void
add_headers(struct exchange *x, struct MHD_Response *p, const char *type)
{
    char id[RANDOM_UUID_LEN];

    http_new_id(&x->r.http->ids, id);
    MHD_add_response_header(p, "Audit-Id", id);
    if (!type || *type)
        MHD_add_response_header(p, "Content-Type",
                                type ? type : "application/json");
    for (const struct header *e = x->headers; e; e = e->next)
        MHD_add_response_header(p, e->name, e->value);
    if (!MHD_get_response_header(p, "Cache-Control"))
        MHD_add_response_header(p, "Cache-Control", "no-cache, private");
    if (x->r.crowded)
        MHD_add_response_header(p, "Connection", "close");
}

/* Every answer comes through here. In the handler it is sent when the handler
 * returns. */
static void
answer(struct http_request *r, int status, const char *type,
       struct MHD_Response *p)
{
    struct exchange *x = exchange_of(r);
    struct http *h = r->http;
    bool hold = !h->closing && h->o.hold && h->o.hold(h->o.arg);

    if (!p)
        die("no memory for an answer");
    add_headers(x, p, type);
    loop_fd_del(x->watch);
    x->watch = NULL;
    x->response = p;
    x->status = (unsigned)status;
    if (x->progress == HANDLING) {
        if (hold) {
            x->progress = HELD;
            h->waiting_n++;
        }
    } else if (hold) {
        x->progress = HELD;
    } else {
        h->waiting_n--;
        send_answer(x);
        resume(x);
    }
}

void
http_reply(struct http_request *r, int status, const char *type,
           struct str body)
{
    void *bytes = (void *)(uintptr_t)(body.n ? body.s : "");

    answer(
        r, status, type,
        MHD_create_response_from_buffer(body.n, bytes, MHD_RESPMEM_MUST_COPY));
}

void
http_reply_buf(struct http_request *r, int status, const char *type,
               struct buf *body)
{
    struct http_parts parts = {0};
    size_t n = body->n;

    /* A long body goes in pieces, so that its sending is seen as work. */
    if (n > BLOCK) {
        http_parts_text(&parts, buf_view(body));
        buf_release(body);
        http_reply_parts(r, status, type, &parts);
        return;
    }
    answer(r, status, type,
           MHD_create_response_from_buffer(n, buf_take(body),
                                           MHD_RESPMEM_MUST_FREE));
}

static ssize_t
read_parts(void *arg, uint64_t at, char *out, size_t max)
{
    size_t n = parts_read(arg, (size_t)at, out, max);

    return n ? (ssize_t)n : MHD_CONTENT_READER_END_WITH_ERROR;
}

void
http_reply_parts(struct http_request *r, int status, const char *type,
                 struct http_parts *p)
{
    struct parts_reader *reader = parts_reader_new(p);

    reader->read = &r->http->active;
    reader->unsent = &r->http->connections.unsent;
    r->http->connections.unsent += reader->parts.copied;
    answer(r, status, type,
           MHD_create_response_from_callback(reader->parts.total, BLOCK,
                                             read_parts, reader,
                                             parts_reader_free));
}

/* ---- streams ---- */

static ssize_t
read_stream(void *arg, uint64_t at, char *out, size_t max)
{
    struct http_stream *s = arg;
    size_t n;

    (void)at;
    s->h->active = true;
    if (s->dead)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (s->h->closing)
        return MHD_CONTENT_READER_END_OF_STREAM;
    n = s->ops->read(s->arg, out, max);
    if (n == HTTP_STREAM_END)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (n == 0) {
        s->asleep = true;
        MHD_suspend_connection(s->c);
    }
    return (ssize_t)n;
}

static void
free_stream(void *arg)
{
    struct http_stream *s = arg;

    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    s->h->streams_n--;
    loop_fd_del(s->watch);
    s->ops->closed(s->arg);
    connections_stream(&s->h->connections, s->user, -1);
    free(s->user);
    free(s);
}

static void
stream_left(void *arg, unsigned events)
{
    struct http_stream *s = arg;

    (void)events;
    s->dead = true;
    loop_fd_del(s->watch);
    s->watch = NULL;
    http_stream_wake(s);
}

void
http_stream_wake(struct http_stream *s)
{
    if (!s->asleep)
        return;
    s->asleep = false;
    MHD_resume_connection(s->c);
    s->h->pending = true;
}

struct http_stream *
http_stream(struct http_request *r, const char *type,
            const struct http_stream_ops *ops, void *arg)
{
    struct http_stream *s = mem_zalloc(1, sizeof(*s));
    struct exchange *x = exchange_of(r);
    struct http *h = r->http;

    *s = (struct http_stream){.h = h, .c = x->c, .ops = ops, .arg = arg};
    s->user = mem_strdup(r->who ? r->who->name : "");
    connections_stream(&h->connections, s->user, 1);
    s->next = h->streams;
    s->link = &h->streams;
    if (s->next)
        s->next->link = &s->next;
    h->streams = s;
    loop_fd_del(x->watch);
    x->watch = NULL;
    s->watch = loop_fd_add(h->loop, x->connection->fd, LOOP_HANGUP, stream_left,
                           s, NULL);
    h->streams_n++;
    answer(r, 200, type,
           MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK,
                                             read_stream, s, free_stream));
    return s;
}

/* ---- requests ---- */

const char *
http_header(const struct http_request *r, const char *name)
{
    const struct exchange *x = (const struct exchange *)r;

    return MHD_lookup_connection_value(x->c, MHD_HEADER_KIND, name);
}

struct header_walk {
    http_header_fn *fn;
    void *arg;
};

static enum MHD_Result
walk_header(void *arg, enum MHD_ValueKind kind, const char *name,
            const char *value)
{
    const struct header_walk *w = arg;

    (void)kind;
    return w->fn(w->arg, name, value ? value : "") ? MHD_YES : MHD_NO;
}

void
http_each_header(const struct http_request *r, http_header_fn *fn, void *arg)
{
    const struct exchange *x = (const struct exchange *)r;
    struct header_walk w = {fn, arg};

    MHD_get_connection_values(x->c, MHD_HEADER_KIND, walk_header, &w);
}

const char *
http_param(const struct http_request *r, const char *name)
{
    return url_param(&r->url, name);
}

static void
handle(struct exchange *x)
{
    struct http *h = x->r.http;

    connections_deadline(&h->connections, x->connection, 0);
    x->progress = HANDLING;
    x->r.body = buf_view(&x->body);
    if (x->bad_target)
        http_fail(&x->r, x->bad_target->code == ERR_LIMIT ? 414 : 400, "%s",
                  x->bad_target->msg);
    else if (x->too_big && !x->forget)
        http_fail(&x->r, 413, "Request entity too large: limit is %zu",
                  HTTP_BODY_MAX);
    else
        h->o.handler(h->o.arg, &x->r);
}

/* Runs the handler; what is not answered by it sleeps. */
static enum MHD_Result
finish(struct exchange *x)
{
    struct http *h = x->r.http;

    handle(x);
    if (x->progress == HANDLING && x->response)
        return send_answer(x);
    if (x->progress == HANDLING) {
        x->progress = WAITING;
        h->waiting_n++;
        x->watch = loop_fd_add(h->loop, x->connection->fd, LOOP_HANGUP,
                               client_left, x, NULL);
    }
    x->suspended = true;
    MHD_suspend_connection(x->c);
    return MHD_YES;
}

/* The certificate of the other end, looked at once for a connection. */
static const struct tls_peer *
peer_of(struct exchange *x)
{
    struct connection *k = x->connection;
    const union MHD_ConnectionInfo *info;

    if (!k->peer_read) {
        info =
            MHD_get_connection_info(x->c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
        tls_peer_read(info->tls_session, &k->peer);
        k->peer_read = true;
    }
    return &k->peer;
}

/* Whether the request's body is worth keeping. */
static bool
admit(struct exchange *x)
{
    struct http *h = x->r.http;
    struct error err = {0};

    x->r.peer = peer_of(x);
    x->r.crowded = x->connection->crowded;
    if (!url_parse(str_of(x->target), &x->r.url, &err)) {
        x->bad_target = arena_alloc(x->r.arena, sizeof(err));
        *x->bad_target = err;
        return false;
    }
    return !h->o.admit || h->o.admit(h->o.arg, &x->r);
}

/* The first call of an exchange: headers are there, the body is not. */
static enum MHD_Result
begin(struct exchange *x, const char *method)
{
    const char *length = MHD_lookup_connection_value(
        x->c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    struct http *h = x->r.http;
    uint64_t n = 0;

    x->begun = true;
    x->r.method = arena_strdup(x->r.arena, method);
    x->forget = !admit(x);
    if (!length || !str_to_u64(str_of(length), &n) || n <= BODY_DISCARD)
        return MHD_YES;
    /* Far too long to be read for politeness: answered at once, closed. */
    x->too_big = true;
    handle(x);
    if (x->progress == HELD)
        h->waiting_n--;
    return send_answer(x);
}

static enum MHD_Result
on_request(void *arg, struct MHD_Connection *c, const char *url,
           const char *method, const char *version, const char *data,
           size_t *data_n, void **context)
{
    struct http *h = arg;
    struct exchange *x = *context;

    (void)c;
    (void)url;
    (void)version;
    h->active = true;
    if (!x->begun)
        return begin(x, method);
    if (*data_n) {
        if (!x->forget)
            x->too_big = x->too_big || !buf_add(&x->body, data, *data_n);
        x->received += *data_n;
        *data_n = 0;
        return x->received <= BODY_DISCARD ? MHD_YES : MHD_NO;
    }
    /* After a resume the library comes once more. */
    return x->progress == ARRIVING ? finish(x) : MHD_YES;
}

/* ---- holding answers back ---- */

/* Sends what is held; with why, that instead. */
static void
release(struct http *h, const struct error *why)
{
    for (struct exchange *x = h->exchanges, *next; x; x = next) {
        next = x->next;
        if (x->progress != HELD)
            continue;
        if (why) {
            MHD_destroy_response(x->response);
            x->response = NULL;
            x->headers = NULL;
            x->progress = WAITING;
            http_fail(&x->r, why->code == ERR_LIMIT ? 507 : 500, "%s",
                      why->msg);
        } else {
            h->waiting_n--;
            send_answer(x);
            resume(x);
        }
    }
}

void
http_release(struct http *h)
{
    release(h, NULL);
}

void
http_release_failed(struct http *h, const struct error *why)
{
    release(h, why);
}

/* ---- the turn ---- */

int
http_run(struct http *h)
{
    MHD_UNSIGNED_LONG_LONG wait = 0;
    bool timed = false, any = h->pending;

    for (int round = 0; round < RUN_ROUNDS; round++) {
        h->pending = h->active = false;
        MHD_run(h->daemon);
        any = any || h->active;
        timed = MHD_get_timeout(h->daemon, &wait) == MHD_YES;
        if (!h->pending && (!timed || wait > 0 || !h->active))
            break;
    }
    h->quiet = any ? 0 : h->quiet + 1;
    if (h->pending)
        return 0;
    if (!timed)
        return -1;
    if (wait > 0)
        return (int)MIN(wait, 60000);
    return h->quiet <= QUIET_TURNS ? 0 : h->quiet <= QUIETER_TURNS ? 1 : 5;
}

static void
on_ready(void *arg, unsigned events)
{
    /* The turn that follows calls http_run. */
    (void)arg;
    (void)events;
}

/* ---- start and end ---- */

static void
on_log(void *arg, const char *fmt, va_list ap)
{
    char line[512];

    (void)arg;
    vsnprintf(line, sizeof(line), fmt, ap);
    log_debug("http: %s", line);
}

static struct MHD_Daemon *
start_daemon(struct http *h, int fd)
{
    unsigned flags = MHD_USE_EPOLL | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME |
                     MHD_USE_ERROR_LOG;

    return MHD_start_daemon(
        flags, 0, on_accept, h, on_request, h, MHD_OPTION_EXTERNAL_LOGGER,
        on_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_HTTPS_MEM_CERT,
        h->o.id->cert, MHD_OPTION_HTTPS_MEM_KEY, h->o.id->key,
        MHD_OPTION_HTTPS_MEM_TRUST, h->o.id->ca, MHD_OPTION_HTTPS_PRIORITIES,
        TLS_PRIORITIES, MHD_OPTION_CONNECTION_LIMIT,
        h->connections.max + SPARE + 16, MHD_OPTION_CONNECTION_TIMEOUT,
        h->timeout_ms / 1000 * IDLE_FACTOR, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, h, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, h,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

struct http *
http_new(struct loop *l, const struct http_options *o, struct error *err)
{
    struct http *h = mem_zalloc(1, sizeof(*h));
    const union MHD_DaemonInfo *info;
    int fd;

    *h = (struct http){.loop = l, .o = *o};
    random_bytes(&h->ids, sizeof(h->ids));
    h->timeout_ms = (o->timeout_s ? o->timeout_s : TIMEOUT_S) * 1000;
    fd = listen_open(o->host, o->port, &h->port, err);
    if (fd < 0) {
        free(h);
        return NULL;
    }
    connections_init(&h->connections, l);
    h->connections.max =
        o->max_connections ? o->max_connections : listen_connections();
    h->daemon = start_daemon(h, fd);
    if (!h->daemon) {
        error_set(err, ERR_INTERNAL, "cannot start the HTTPS server");
        close(fd);
        http_free(h);
        return NULL;
    }
    info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    h->watch = loop_fd_add(l, info->epoll_fd, LOOP_READ, on_ready, h, err);
    if (!h->watch) {
        http_free(h);
        return NULL;
    }
    return h;
}

/* Nothing may be suspended when the library stops. */
static void
end_exchanges(struct http *h)
{
    h->closing = true;
    for (struct exchange *x = h->exchanges, *next; x; x = next) {
        next = x->next;
        if (x->progress == WAITING) {
            http_fail(&x->r, 503, "the sandbox is stopping");
        } else if (x->progress == HELD) {
            h->waiting_n--;
            send_answer(x);
            resume(x);
        }
    }
    for (struct http_stream *s = h->streams; s; s = s->next)
        http_stream_wake(s);
}

void
http_free(struct http *h)
{
    if (!h)
        return;
    if (h->daemon) {
        end_exchanges(h);
        for (int i = 0; i < 2 * RUN_ROUNDS; i++)
            MHD_run(h->daemon);
        loop_fd_del(h->watch);
        MHD_stop_daemon(h->daemon);
    }
    connections_release(&h->connections);
    free(h);
}

bool
http_pending(const struct http *h)
{
    return h->pending;
}

unsigned
http_port(const struct http *h)
{
    return h->port;
}

const struct connections *
http_connections(const struct http *h)
{
    return &h->connections;
}

void
http_counts(const struct http *h, size_t *connections, size_t *waiting,
            size_t *streams)
{
    *connections = h->connections.n;
    *waiting = h->waiting_n;
    *streams = h->streams_n;
}
