/*
 * http_in.h - inside of http.h: pools and calls, shared by their life (http.c)
 * and what is told curl of a call before it starts (http_setup.c).
 *
 * Invariants and lifetimes: http.h's; a call is in exactly one lane.
 */
#ifndef LIB_KUBE_HTTP_IN_H
#define LIB_KUBE_HTTP_IN_H

#include "lib/base/buf.h"

#include "lib/kube/http.h"
#include "lib/kube/http_head.h"

/* DEAD waits for the sweep; DONE is inside its on_done. */
enum call_state { NEW, RUNNING, DEAD, DONE };

struct curl_slist;
struct lane;

struct kube_http_call {
    struct kube_http *h;
    struct lane *lane;
    struct kube_http_call *prev, *next;
    enum call_state state;
    void *easy; /* curl's */
    struct curl_slist *headers, *connect_to;
    struct buf body;
    struct http_head head;
    bool head_told, refused; /* refused: a callback answered false */
    bool follow;
    bool proxied; /* by a proxy of the pool or of the environment */
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
    char trouble[256]; /* CURL_ERROR_SIZE */
};

/* One of curl's multi handles. Above so many streams on a connection curl opens
 * one more for each further call, so calls are dealt out in lanes. */
struct lane {
    struct kube_http *h;
    struct lane *next;
    void *multi; /* curl's */
    struct loop_timer *timer;
    size_t running;
};

struct kube_http {
    struct loop *l;
    struct lane *lanes;
    struct kube_http_call *calls;
    size_t running;
    bool sweeping; /* a sweep is deferred */
    char *ca, *cert, *key, *server_name, *proxy, *unix_socket;
    bool insecure;
    bool
        api; /* made with struct kube_tls: proxies as Go's programs find them */
};

/* Everything of a call but its callbacks: TLS, proxy, address, body, headers,
 * limits. */
bool http_setup(struct kube_http_call *c, const struct kube_http_request *r,
                struct error *err);

#endif
