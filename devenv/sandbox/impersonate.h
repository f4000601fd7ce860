/*
 * impersonate.h - acting as somebody else.
 *
 * What: the headers Impersonate-User, -Group, -Uid and -Extra-KEY. Each thing
 * that is taken on has to be allowed by itself (verb "impersonate" on users,
 * groups, serviceaccounts, uids, userextras/KEY); from then on the request is
 * the other one's, and has none of the rights of who sent it.
 * Source: apiserver endpoints/filters/impersonation.go.
 */
#ifndef DEVENV_SANDBOX_IMPERSONATE_H
#define DEVENV_SANDBOX_IMPERSONATE_H

#include "devenv/sandbox/rbac.h"

/* Makes r->who the one it acts as, when it asks for that. False: it may not
 * (403 in st), or asks for it in a wrong way (r->refused). */
bool impersonate(const struct rbac *b, struct http_request *r,
                 struct status *st);

#endif
