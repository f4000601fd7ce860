/*
 * status.h - what an API server says when it refuses.
 *
 * What: the Status object (meta/v1) or whatever stood in its place, turned
 * once into struct error plus the details a form wants (causes by field).
 * Lifetimes: struct kube_status owns its strings; kube_status_release.
 */
#ifndef LIB_KUBE_STATUS_H
#define LIB_KUBE_STATUS_H

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/str.h"

struct kube_cause {
    char *reason;  /* "FieldValueRequired", "FieldManagerConflict" */
    char *message; /* "Required value" */
    char *field;   /* "spec.color", or "" */
};

struct kube_status {
    int http;             /* status of the answer */
    char *reason;         /* "NotFound", "Conflict", ...; "" when none came */
    char *message;        /* never "" */
    char *kind, *name;    /* details; "" when absent */
    char *uid;            /* details.uid (a delete's answer) */
    char *continue_token; /* metadata.continue of an expired list */
    struct kube_cause *causes;
    size_t causes_n;       /* at most 256 are kept */
    int64_t retry_after_s; /* -1: not said */
};

/* Reads a refusal. http is the answer's status, retry_after_s its header (-1:
 * none); body may be a Status, plain text, HTML or empty: there is always a
 * message. */
void kube_status_read(int http, struct str body, int64_t retry_after_s,
                      struct kube_status *out);
void kube_status_release(struct kube_status *s);
/* Fills *err: code by reason, else by HTTP status (401 and 403 ERR_DENIED, 404
 * ERR_NOT_FOUND, AlreadyExists ERR_EXISTS, other 409 ERR_CONFLICT, 410
 * ERR_GONE, 400 and 422 ERR_INVALID, 405/406/415/501 ERR_UNSUPPORTED, 413
 * ERR_LIMIT, 408/504 ERR_TIMEOUT, 429 and 5xx ERR_NETWORK), http, message, and
 * for 401/403 a remedy (MT-FORBIDDEN with the question to ask). Returns
 * false. */
bool kube_status_error(const struct kube_status *s, struct error *err);

/* What RBAC said no to. Views into the message; absent ones are empty. */
struct kube_denied {
    struct str user;
    struct str verb;          /* "list" */
    struct str resource, sub; /* "widgets", "status" */
    struct str group;         /* "" is the core group */
    struct str ns;            /* empty: everywhere, see cluster */
    struct str name;          /* of the object */
    struct str path;          /* "/metrics" instead of a resource */
    bool cluster;             /* "at the cluster scope": cluster-scoped, or in
                                 all namespaces */
};
/* Reads `... is forbidden: User "u" cannot list resource "widgets" in API group
 * "example.org" in the namespace "ns"` (apiserver
 * endpoints/handlers/responsewriters/errors.go, forbiddenMessage), also behind
 * other words, as an error's message has it. False when it is none. */
bool kube_denied_read(struct str message, struct kube_denied *out);
/* Appends the question that asks the server for this right:
 * "kubectl auth can-i list widgets.example.org -n ns". */
bool kube_denied_question(const struct kube_denied *d, struct buf *out);

#endif
