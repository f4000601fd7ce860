/*
 * doors.h - what is refused before anybody asks who it is: requests that were
 * meant for another host, and more than the server can carry.
 *
 * Host: a page in a browser whose name was pointed at 127.0.0.1 (DNS
 * rebinding) names itself there; only loopback's own names are ours. 421.
 * Too much: 429 with Retry-After, in the words of a real server's flow control
 * (../shared vectors 14): connections beyond the limit, watches beyond that of
 * all or of one user, answers that nobody takes.
 * Watches leave a quarter of the connections to others; a user who is not the
 * admin has at most half of them.
 */
#ifndef DEVENV_SANDBOX_DOORS_H
#define DEVENV_SANDBOX_DOORS_H

#include "devenv/sandbox/http.h"

#define DOORS_UNSENT_MAX ((size_t)256 << 20) /* bytes made for answers */

/* A Host header's value ("127.0.0.1:6443", "[::1]", "localhost") is one of
 * ours; NULL (HTTP/1.0): yes. */
bool doors_host(const char *host);
/* Whether r may come in at all; false: r->refused is set. Asked first. */
bool doors_open(struct http_request *r);
/* Whether r->who may have one more of what r asks for; false: r->refused. */
bool doors_more(struct http_request *r);

#endif
