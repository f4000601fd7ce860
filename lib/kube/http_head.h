/*
 * http_head.h - inside of http.h: the head of an answer, line by line.
 *
 * Invariants: a status line forgets all that came before (redirects, 100
 * Continue); names are compared without case. Lifetimes: http_head_release
 * frees; a zeroed head is an empty one. Texts may be NULL.
 */
#ifndef LIB_KUBE_HTTP_HEAD_H
#define LIB_KUBE_HTTP_HEAD_H

#include "lib/base/str.h"

struct http_head {
    int status;
    char *content_type, *etag, *location, *date;
    const char *want; /* name of one more header to keep, or NULL; not owned */
    char *wanted;
    int64_t retry_after_s; /* -1: not said */
    struct strlist warnings;
};

/* Takes a line, without its end; true when it is the empty one that ends a
 * head. */
bool http_head_line(struct http_head *h, struct str line);
void http_head_release(struct http_head *h);

#endif
