/*
 * http.h - the sandbox's HTTPS server; the only door to libmicrohttpd.
 *
 * What: requests come whole (body read, target taken apart) to one handler,
 * which answers once: in the handler, or later (the request waits, its
 * connection sleeps), or with a stream that is pulled.
 * Held answers: while options.hold answers true (the store has writes that do
 * not last yet), answers are kept and go out at http_release; after a failed
 * commit http_release_failed sends that failure in place of them.
 * Caps: target 8 KiB (414 beyond), target and headers together 32 KiB (431),
 * body 3 MiB (413), connections min(1024, RLIMIT_NOFILE / 2) and 16 more that
 * are told so (http_request.crowded) before any other is closed at once, 30 s
 * for a request to arrive, 120 s for an answer to be taken or for a connection
 * to be idle (a sleeping stream has no limit). Lifetimes: a request lives until
 * its answer is sent or its client is gone; after http_reply* or http_stream
 * the handler must not touch it again.
 */
#ifndef DEVENV_SANDBOX_HTTP_H
#define DEVENV_SANDBOX_HTTP_H

#include "lib/base/arena.h"
#include "lib/base/json.h"
#include "lib/base/loop.h"

#include "devenv/sandbox/blob.h"
#include "devenv/sandbox/status.h"
#include "devenv/sandbox/tls.h"
#include "devenv/sandbox/url.h"

struct connections;
struct http;
struct http_refusal;
struct http_stream;
struct identity;

#define HTTP_BODY_MAX ((size_t)3 << 20)

struct http_request {
    const char *method; /* "GET", upper case */
    const char *target; /* as it came */
    struct url url;
    struct str body;             /* "" when there is none */
    struct arena *arena;         /* for what lives as long as the request */
    const struct tls_peer *peer; /* the certificate of its connection */
    bool crowded; /* its connection is one too many: closed with the answer */
    struct http *http;
    /* For whoever admits requests: who it is, and the refusal that it gets
     * (http_refuse; NULL: it may go on). */
    const struct identity *who;
    const struct http_refusal *refused;
    /* For the handler while the request waits: called once if the client
     * leaves before the answer; the request is gone when it returns. */
    void (*gone)(void *gone_arg);
    void *gone_arg;
};

typedef void http_handler_fn(void *arg, struct http_request *r);

struct http_options {
    const struct tls_identity *id;
    const char *host; /* "127.0.0.1" or "::1" */
    unsigned port;    /* 0: any */
    http_handler_fn *handler;
    /* True while an answer given now must be held; NULL: never. */
    bool (*hold)(void *arg);
    /* Asked when a request's line and headers are there. False: its body is
     * read and forgotten (what a stranger sends takes no memory), the handler
     * sees an empty one. NULL: always true. */
    bool (*admit)(void *arg, struct http_request *r);
    void *arg;                /* of all */
    unsigned timeout_s;       /* 0: 30 */
    unsigned max_connections; /* 0: as above */
};

/* Listens. ERR_EXISTS when the port is taken; ERR_DENIED; ERR_IO. */
struct http *http_new(struct loop *l, const struct http_options *o,
                      struct error *err);
/* Ends streams, sends what is ready, closes. NULL is fine. */
void http_free(struct http *h);
unsigned http_port(const struct http *h);
/* Reads what came, calls handlers, sends what is ready. Part of the server's
 * turn. Answers how long the loop may sleep, in milliseconds (-1: for ever). */
int http_run(struct http *h);
/* Sends the held answers (see the top). */
void http_release(struct http *h);
void http_release_failed(struct http *h, const struct error *why);
/* Something was answered or woken since http_run: it should run again. */
bool http_pending(const struct http *h);
/* What is open now, for connections.h. */
const struct connections *http_connections(const struct http *h);
/* Connections now, waiting requests, open streams. */
void http_counts(const struct http *h, size_t *connections, size_t *waiting,
                 size_t *streams);

/* ---- reading a request ---- */
/* A header's value (name in any case), or NULL. */
const char *http_header(const struct http_request *r, const char *name);
/* Every header in the order of the request; false from fn stops. */
typedef bool http_header_fn(void *arg, const char *name, const char *value);
void http_each_header(const struct http_request *r, http_header_fn *fn,
                      void *arg);
/* A query parameter's first value, or NULL. */
const char *http_param(const struct http_request *r, const char *name);

/* ---- answering; exactly once ---- */
/* Adds a header to the coming answer (both copied). Every answer has
 * Audit-Id and Cache-Control: no-cache, private without being asked. */
void http_set_header(struct http_request *r, const char *name,
                     const char *value);
/* The two headers that say which flow a request belongs to: there is one flow
 * here. Clients that see them do not hold themselves back. */
void http_set_flow(struct http_request *r);
/* type NULL: application/json; "": none. The body is copied. */
void http_reply(struct http_request *r, int status, const char *type,
                struct str body);
/* The same; takes the bytes of body, which is empty after. */
void http_reply_buf(struct http_request *r, int status, const char *type,
                    struct buf *body);
/* Prints j and a newline. j stays the caller's. */
void http_reply_json(struct http_request *r, int status, const struct json *j);
/* A Kubernetes Status (devenv/sandbox/status.h); sends its Retry-After. */
void http_reply_status(struct http_request *r, const struct status *st);
/* Keeps st, for a request that is not to be answered before its body is there;
 * st is empty after. http_reply_refusal answers with it. */
void http_refuse(struct http_request *r, struct status *st);
/* The same with a text in place of a Status. */
void http_refuse_text(struct http_request *r, int code, struct str text);
void http_reply_refusal(struct http_request *r);
/* A Status with the usual reason of the code and this message. */
void http_fail(struct http_request *r, int code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* A body of pieces that are not copied: a long list. */
struct http_parts {
    struct http_part {
        struct blob *blob;
        size_t from, n;
    } * v;
    size_t n, cap, total;
    size_t copied; /* of total */
};
/* A piece of b (which gets one user more). */
void http_parts_blob(struct http_parts *p, struct blob *b, size_t from,
                     size_t n);
/* A copied text. */
void http_parts_text(struct http_parts *p, struct str s);
void http_parts_release(struct http_parts *p);
/* Takes the pieces; p is empty after. */
void http_reply_parts(struct http_request *r, int status, const char *type,
                      struct http_parts *p);

/* ---- streams ---- */
#define HTTP_STREAM_END SIZE_MAX
struct http_stream_ops {
    /* Writes at most max bytes to out and answers how many; 0: nothing now,
     * sleeps until http_stream_wake; HTTP_STREAM_END: finished. */
    size_t (*read)(void *arg, char *out, size_t max);
    /* Called exactly once, when the stream is over for whatever reason (a
     * vanished client within milliseconds). The stream is gone after. */
    void (*closed)(void *arg);
};
/* Answers 200 chunked with the header at once (held like any answer). */
struct http_stream *http_stream(struct http_request *r, const char *type,
                                const struct http_stream_ops *ops, void *arg);
/* There is something to read again, or the end. Cheap when it is awake. */
void http_stream_wake(struct http_stream *s);

#endif
