/*
 * continue.h - the token of a list's next page.
 *
 * What: base64url of {"v":"meta.k8s.io/v1","rv":22,"start":"/l1\u0000"}, as
 * apiserver pkg/storage/continue.go; rv -1 goes on at the newest state.
 */
#ifndef DEVENV_SANDBOX_CONTINUE_H
#define DEVENV_SANDBOX_CONTINUE_H

#include "devenv/sandbox/status.h"

/* start is the last key that was shown, relative to what is listed. */
void continue_encode(int64_t rev, bool slash, struct str start,
                     struct buf *out);
/* The key after which to go on, into start (without a leading slash). 400. */
bool continue_decode(struct str token, int64_t *rev, struct buf *start,
                     struct status *st);

#endif
