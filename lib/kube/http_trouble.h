/*
 * http_trouble.h - inside of http.h: what curl says when a connection fails, as
 * errors with ids and remedies. One row a cause.
 */
#ifndef LIB_KUBE_HTTP_TROUBLE_H
#define LIB_KUBE_HTTP_TROUBLE_H

#include "lib/base/error.h"
#include "lib/base/str.h"

/* code is a CURLcode, where the peer's address, what curl's sentence, os_errno
 * of the connect or 0. */
void http_trouble(int code, struct str where, const char *what, int os_errno,
                  struct error *err);

#endif
