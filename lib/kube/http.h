/*
 * http.h - HTTP requests on the loop; the only door to curl.
 *
 * What: a struct kube_http is a pool of connections with one set of TLS
 * facts; a call is one request on it. HTTP/2 where the peer has it (calls
 * then share a connection), HTTP/1.1 keep-alive else. Also used for downloads
 * (a pool with tls NULL).
 * Invariants: no callback runs inside a function of this file that the caller
 * calls, only from the loop; on_done runs exactly once unless the call is
 * cancelled, which never calls back (docs/STYLE.md rule 14); any function of
 * this file but kube_http_free may be called from any callback.
 * Lifetimes: a call ends by itself when on_done returns, or with
 * kube_http_cancel; what callbacks are given is valid during the call only.
 * Nothing of curl's configuration files or of ~/.netrc is read.
 */
#ifndef LIB_KUBE_HTTP_H
#define LIB_KUBE_HTTP_H

#include "lib/base/error.h"
#include "lib/base/loop.h"
#include "lib/base/str.h"

struct kube_http;
struct kube_http_call;

/* Copied by kube_http_new. All NULL/false: the system's CAs (the file
 * SSL_CERT_FILE names, as Go's programs do), no client certificate, the
 * environment's proxy. */
struct kube_tls {
    const char *ca;          /* PEM text; NULL: the system's */
    const char *cert, *key;  /* PEM text */
    const char *server_name; /* name to expect in the certificate */
    const char *proxy;       /* URL; "" for none; NULL: the environment's */
    bool insecure;           /* accept any certificate */
    const char *unix_socket; /* path: every connection goes there, without a
                                proxy, whatever host the URL names */
};

struct kube_http_response {
    int status;               /* 200 ... */
    struct str body;          /* what was collected; NUL-terminated */
    const char *content_type; /* lower case, with parameters, or "" */
    const char *etag;         /* or "" */
    const char *location;     /* or "" */
    const char *wanted;       /* the header that `want` names, or "" */
    const char *issuer;    /* insecure pools: who signed the peer's certificate,
                              as it says itself: "Corp CA"; or "" */
    int64_t retry_after_s; /* -1: the peer did not say */
    const struct strlist *warnings; /* texts of "Warning: 299" headers */
    int64_t date_s; /* the peer's Date, seconds since 1970, or 0 */
    bool broke;     /* at the end: connected, then cut before any answer */
};

/* The head of the answer is there (informational ones and redirects are
 * skipped). False ends the call as ERR_CANCELLED: on_done gets the error. */
typedef bool kube_http_head_fn(void *arg, const struct kube_http_response *r);
/* A piece of a 2xx body. False ends the call as ERR_CANCELLED. */
typedef bool kube_http_data_fn(void *arg, struct str piece);
/* Puts the next at most n bytes of a request's body at p and answers how many
 * (0 only at its end); -1 ends the call as ERR_CANCELLED. */
typedef ssize_t kube_http_read_fn(void *arg, char *p, size_t n);
/* The end. err is NULL when a whole answer came, whatever its status; else it
 * says what broke (ERR_NETWORK, ERR_TIMEOUT, ERR_LIMIT, ERR_CANCELLED) and r
 * holds what came so far (status 0: nothing). */
typedef void kube_http_done_fn(void *arg, const struct kube_http_response *r,
                               const struct error *err);

struct kube_http_request {
    const char *method; /* NULL: "GET" */
    const char *url;
    const char *const *headers; /* "Name: value", NULL-terminated, or NULL */
    struct str body;            /* copied; sent when n > 0 or method is POST,
                                   PUT or PATCH; never twice */
    kube_http_read_fn *read; /* gives a body of read_n bytes instead; or NULL */
    uint64_t read_n;
    const char *want;   /* one more header of the answer, or NULL; not copied */
    size_t max_body;    /* bytes collected, more is ERR_LIMIT; 0: 64 MiB */
    int64_t timeout_ms; /* for all of it; 0: none */
    int64_t connect_ms; /* until connected; 0: 10 s */
    int64_t stall_ms;   /* longest silence of the peer; 0: none */
    bool follow;        /* redirects, https to https only */
    unsigned redirects; /* at most so many; 0: 10 */
    bool identity;      /* ask for no compression (pinned downloads) */
    kube_http_head_fn *on_head; /* or NULL */
    kube_http_data_fn *on_data; /* or NULL: 2xx bodies are collected too */
    kube_http_done_fn *on_done;
    void *arg;
};

struct kube_http *kube_http_new(struct loop *l, const struct kube_tls *tls,
                                struct error *err);
/* Cancels what runs. Not from a callback of this pool. NULL is fine. */
void kube_http_free(struct kube_http *h);
/* Starts a call; r and what it points to are copied. NULL and ERR_USAGE when
 * the URL is none of http and https. */
struct kube_http_call *kube_http_start(struct kube_http *h,
                                       const struct kube_http_request *r,
                                       struct error *err);
/* Ends a call without calling back; NULL is fine. Must not be used after
 * on_done began. */
void kube_http_cancel(struct kube_http_call *call);
/* Calls that have not ended. */
size_t kube_http_running(const struct kube_http *h);

#endif
