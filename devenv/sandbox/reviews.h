/*
 * reviews.h - the kinds that only answer a question: may I, may she, what may
 * I, who am I, whose token is this; and the tokens of ServiceAccounts.
 *
 * What: authorization.k8s.io/v1 and authentication.k8s.io/v1. Nothing is
 * stored; an answer is true when it is given.
 * Source: kubernetes registry/authorization, registry/authentication,
 * registry/core/serviceaccount/storage/token.go.
 */
#ifndef DEVENV_SANDBOX_REVIEWS_H
#define DEVENV_SANDBOX_REVIEWS_H

#include "devenv/sandbox/authn.h"
#include "devenv/sandbox/rbac.h"

struct rest;
struct types;

/* What answers are found in; nothing is owned. */
struct reviews {
    struct registry *registry;
    const struct rbac *rbac;
    struct authn *authn;
    struct types *types;
};

struct reviews_kind {
    const char *group, *version, *plural, *singular, *kind;
    bool namespaced;
    bool managed; /* says who set its fields */
    /* Sets the status of the review; false: st. */
    bool (*answer)(const struct reviews *v, struct rest *rq,
                   struct json *review);
};

/* For discovery. */
size_t reviews_count(void);
const struct reviews_kind *reviews_row(size_t i);
/* Answers when the path is one of theirs. */
bool reviews_serve(const struct reviews *v, struct http_request *r);

/* ---- the inside ---- */

/* The body as an object of that kind: members in the order of Go's type,
 * unknown ones dropped (with warnings). NULL: st. */
struct json *reviews_read(const struct reviews *v, struct rest *rq,
                          const char *api_version, const char *kind);
/* Sets metadata.managedFields of what was read: all is the sender's. */
void reviews_note_manager(struct rest *rq, struct json *review);
/* 422 with one finding; kind "": reviews have none. Returns false. */
bool reviews_invalid(struct status *st, const char *group, const char *kind,
                     const char *name, const char *field, const char *why);
/* POST .../serviceaccounts/NAME/token */
void reviews_token(const struct reviews *v, struct rest *rq);

#endif
