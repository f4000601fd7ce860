/*
 * status.h - why the API refused, in Kubernetes' own form.
 *
 * What: HTTP code, reason, message and details of a `kind: Status`, built by
 * one function per well-known answer (apimachinery api/errors). Inside
 * devenv/sandbox it takes the place of struct error in every function whose
 * failure goes to a client as it is.
 * Invariants: code 0 means nothing failed; a function that fails has set code,
 * one that succeeds has not touched it.
 * Lifetime: zero-initialised ... status_release; the message and the details
 * are owned.
 */
#ifndef DEVENV_SANDBOX_STATUS_H
#define DEVENV_SANDBOX_STATUS_H

#include "lib/base/error.h"
#include "lib/base/json.h"

#include "lib/schema/schema.h"

struct status {
    int code;           /* HTTP status; 0: no failure */
    const char *reason; /* "NotFound", static or the end of message; or NULL */
    char *message;
    struct json *details; /* or NULL */
    int retry_after_s;    /* > 0: header Retry-After */
};

/* For AUTO(status_release). */
void status_release(struct status *st);
bool status_is(const struct status *st, const char *reason);

/* All of these set *st (dropping what was there) and return false. */
bool status_set(struct status *st, int code, const char *reason,
                const char *fmt, ...) PRINTF_LIKE(4, 5);
/* details: {name, group, kind}; empty ones are left out. For most answers kind
 * is the plural ("widgets"), for Invalid it is the Kind. */
void status_about(struct status *st, const char *group, const char *kind,
                  const char *name);
/* Adds one cause to details; reason and field may be NULL. */
void status_cause(struct status *st, const char *reason, const char *field,
                  const char *message);
bool status_bad_request(struct status *st, const char *fmt, ...)
    PRINTF_LIKE(2, 3);
/* `widgets.example.org "x" not found`; group "" for core kinds. */
bool status_not_found(struct status *st, const char *group, const char *plural,
                      const char *name);
bool status_exists(struct status *st, const char *group, const char *plural,
                   const char *name);
/* `Operation cannot be fulfilled on widgets.example.org "x": WHY`. */
bool status_conflict(struct status *st, const char *group, const char *plural,
                     const char *name, const char *why);
/* `widgets.example.org "x" is forbidden: WHY`. */
bool status_forbidden(struct status *st, const char *group, const char *plural,
                      const char *name, const char *why);
/* As an admission webhook denies: `admission webhook "W" denied the request:
 * WHY`, with WHY itself as the reason. */
bool status_denied(struct status *st, int code, const char *webhook,
                   const char *why);
bool status_unsupported_media(struct status *st, const char *accepted);
bool status_internal(struct status *st, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* 422 `Kind.group "name" is invalid: a` or `: [a, b]`, with causes. */
bool status_invalid(struct status *st, const char *group, const char *kind,
                    const char *name, const struct schema_findings *f);

/* ---- out ---- */
/* Appends the Status object as JSON with a newline at the end. */
void status_print(const struct status *st, bool pretty, struct buf *out);
/* As a tree. */
struct json *status_json(const struct status *st);
/* As an error: code by HTTP status, http set. Returns false. */
bool status_error(const struct status *st, struct error *err);

#endif
