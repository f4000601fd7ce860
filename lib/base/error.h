/*
 * error.h - why something failed, as a value.
 *
 * What: a code for programs, one plain sentence for people, and, where it is
 * known, an id (MT-PORT-TAKEN) and the exact remedy. Rules: functions that can
 * fail return bool or a pointer and take `struct error *err` last; err is
 * untouched on success and may be NULL; outputs are untouched on failure
 * (docs/STYLE.md rule 6). Nothing in lib/ prints an error.
 */
#ifndef LIB_BASE_ERROR_H
#define LIB_BASE_ERROR_H

#include "lib/base/base.h"

enum err_code {
    ERR_NONE = 0,
    ERR_USAGE,   /* the caller's words are wrong */
    ERR_PARSE,   /* input is not what its format says */
    ERR_LIMIT,   /* a cap was reached */
    ERR_IO,      /* a file or a pipe */
    ERR_NETWORK, /* connect, TLS, a stream that broke */
    ERR_TIMEOUT,
    ERR_NOT_FOUND,
    ERR_EXISTS,
    ERR_CONFLICT,
    ERR_INVALID,     /* well-formed but refused by a schema or a rule */
    ERR_DENIED,      /* not authorised, permission denied */
    ERR_GONE,        /* a resourceVersion or continue token too old */
    ERR_UNSUPPORTED, /* understood, not served */
    ERR_CANCELLED,
    ERR_INTERNAL
};

struct error {
    enum err_code code;
    int http;         /* HTTP status when one was the cause, else 0 */
    char id[32];      /* "MT-PORT-TAKEN" or "" */
    char msg[1024];   /* one sentence, no newline at the end */
    char remedy[512]; /* what to do, or "" */
};

/* Fills *err (when not NULL) and returns false, so that a function can
 * `return error_set(err, ERR_IO, "...")`. Too long a message is cut. */
bool error_set(struct error *err, enum err_code code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* error_set that appends ": " and strerror(errno). */
bool error_errno(struct error *err, enum err_code code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* Adds an id and a remedy to an error that is set. */
void error_remedy(struct error *err, const char *id, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* Puts "what: " in front of the message. Returns false. */
bool error_wrap(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The code's short name, "not found". */
const char *error_name(enum err_code code);

#endif
