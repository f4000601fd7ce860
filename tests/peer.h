/*
 * peer.h - a blocking HTTPS client for tests, tools and benches of the
 * sandbox: one connection, requests and answers one after the other or
 * pipelined by hand. On GnuTLS alone, so that a fault in curl or in lib/kube
 * cannot hide one in the server. It does not verify certificates.
 */
#ifndef TESTS_PEER_H
#define TESTS_PEER_H

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/base/buf.h"

struct peer {
    int fd;
    gnutls_session_t tls;
    gnutls_certificate_credentials_t cred;
    const char *token;
    struct buf in;
    bool chunked;  /* of the answer being read */
    bool whole;    /* its last chunk was there */
    size_t length; /* of it, when not chunked */
};

static UNUSED int
peer_connect(unsigned port, int timeout_s)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval t = {.tv_sec = timeout_s};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
        return fd;
    close(fd);
    return -1;
}

static UNUSED void
peer_close(struct peer *p)
{
    if (p->tls)
        gnutls_deinit(p->tls);
    if (p->cred)
        gnutls_certificate_free_credentials(p->cred);
    if (p->fd >= 0)
        close(p->fd);
    buf_release(&p->in);
    *p = (struct peer){.fd = -1};
}

/* False when nobody listens or the handshake fails. token may be NULL. */
static UNUSED bool
peer_open(struct peer *p, unsigned port, const char *token, int timeout_s)
{
    int rc;

    *p = (struct peer){.fd = peer_connect(port, timeout_s), .token = token};
    p->in = BUF_INIT(BUF_TEXT_MAX);
    if (p->fd < 0)
        return false;
    gnutls_certificate_allocate_credentials(&p->cred);
    gnutls_init(&p->tls, GNUTLS_CLIENT);
    gnutls_set_default_priority(p->tls);
    gnutls_credentials_set(p->tls, GNUTLS_CRD_CERTIFICATE, p->cred);
    gnutls_transport_set_int(p->tls, p->fd);
    do
        rc = gnutls_handshake(p->tls);
    while (rc < 0 && !gnutls_error_is_fatal(rc) && rc != GNUTLS_E_AGAIN);
    if (rc == 0)
        return true;
    peer_close(p);
    return false;
}

static UNUSED bool
peer_write(struct peer *p, struct str s)
{
    while (s.n) {
        ssize_t n = gnutls_record_send(p->tls, s.s, s.n);

        if (n < 0 && gnutls_error_is_fatal((int)n))
            return false;
        if (n == GNUTLS_E_AGAIN)
            return false;
        if (n > 0)
            s = str_from(s, (size_t)n);
    }
    return true;
}

/* Reads some more; false at the end, on an error, or when time is over. GnuTLS
 * says AGAIN both when the socket did and after a message that carries no data
 * (TLS 1.3 session tickets, which Go's servers send): errno tells which. */
static UNUSED bool
peer_more(struct peer *p)
{
    char block[16384];
    ssize_t n;

    do {
        errno = 0;
        n = gnutls_record_recv(p->tls, block, sizeof(block));
    } while (
        n < 0 && !gnutls_error_is_fatal((int)n) &&
        (n != GNUTLS_E_AGAIN || (errno != EAGAIN && errno != EWOULDBLOCK)));
    return n > 0 && buf_add(&p->in, block, (size_t)n);
}

/* body NULL: none. type NULL: JSON. */
static UNUSED bool
peer_send(struct peer *p, const char *method, const char *target,
          const char *type, const char *body)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    buf_printf(&b, "%s %s HTTP/1.1\r\nHost: localhost\r\n", method, target);
    if (p->token)
        buf_printf(&b, "Authorization: Bearer %s\r\n", p->token);
    if (body)
        buf_printf(&b, "Content-Type: %s\r\nContent-Length: %zu\r\n",
                   type ? type : "application/json", strlen(body));
    buf_puts(&b, "\r\n");
    buf_puts(&b, body ? body : "");
    return peer_write(p, buf_view(&b));
}

/* Reads the head of an answer; its status, or 0. */
static UNUSED int
peer_head(struct peer *p)
{
    size_t end;
    const char *at;
    int status;

    while ((end = str_find(buf_view(&p->in), STR("\r\n\r\n"), 0)) == SIZE_MAX) {
        if (!peer_more(p))
            return 0;
    }
    p->in.s[end] = '\0';
    status = (int)strtol(p->in.s + strlen("HTTP/1.1 "), NULL, 10);
    at = strcasestr(p->in.s, "\r\nContent-Length:");
    p->length = at ? strtoul(at + 17, NULL, 10) : 0;
    p->chunked = strcasestr(p->in.s, "\r\nTransfer-Encoding: chunked");
    buf_consume(&p->in, end + 4);
    return status;
}

/* Appends the next chunk to out; false at the end of the stream or when none
 * came in time. */
static UNUSED bool
peer_chunk(struct peer *p, struct buf *out)
{
    size_t eol, n;

    while ((eol = str_find(buf_view(&p->in), STR("\r\n"), 0)) == SIZE_MAX) {
        if (!peer_more(p))
            return false;
    }
    n = strtoul(p->in.s, NULL, 16);
    while (p->in.n < eol + 2 + n + 2) {
        if (!peer_more(p))
            return false;
    }
    buf_add(out, p->in.s + eol + 2, n);
    buf_consume(&p->in, eol + 2 + n + 2);
    p->whole = n == 0;
    return n > 0;
}

/* Reads a whole answer; its status, or 0. */
static UNUSED int
peer_reply(struct peer *p, struct buf *body)
{
    int status = peer_head(p);

    buf_reset(body);
    if (p->chunked) {
        while (peer_chunk(p, body))
            ;
        return status;
    }
    while (p->in.n < p->length) {
        if (!peer_more(p))
            return 0;
    }
    buf_add(body, p->in.s, p->length);
    buf_consume(&p->in, p->length);
    return status;
}

/* Request and answer. */
static UNUSED int
peer_call(struct peer *p, const char *method, const char *target,
          const char *body, struct buf *out)
{
    return peer_send(p, method, target, NULL, body) ? peer_reply(p, out) : 0;
}

#endif
