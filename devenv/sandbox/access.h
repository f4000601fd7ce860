/*
 * access.h - what a request wants to do, in the words that roles use.
 *
 * What: apiserver's RequestInfo (endpoints/request/requestinfo.go): verb,
 * group, resource, subresource, name and namespace, or a verb and a path for
 * everything that is no resource; and the refusal of it (403).
 * Lifetime: the texts are those of the request, or static.
 */
#ifndef DEVENV_SANDBOX_ACCESS_H
#define DEVENV_SANDBOX_ACCESS_H

#include "devenv/sandbox/http.h"
#include "devenv/sandbox/identity.h"

/* No text is NULL. */
struct access {
    bool resource;    /* else verb and path alone count */
    const char *verb; /* "get", "list", "deletecollection", "impersonate" */
    const char *path;
    const char *group, *version, *plural, *sub;
    const char *name; /* "" when there is none */
    const char *ns;   /* "": the whole cluster */
};

/* Everything "". */
void access_init(struct access *a);
/* What r asks for. */
void access_of(const struct http_request *r, struct access *a);
/* It is one of those that may take as long as they like, watches apart: they
 * belong to no flow (genericfilters.BasicLongRunningRequestCheck). */
bool access_runs_long(const struct access *a);
/* 403 in the server's words; why: appended, or "". Returns false. */
bool access_refuse(const struct access *a, const struct identity *who,
                   const char *why, struct status *st);

#endif
