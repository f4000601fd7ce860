#include "lib/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
    [ERR_NONE] = "ok",
    [ERR_USAGE] = "usage",
    [ERR_PARSE] = "parse error",
    [ERR_LIMIT] = "limit reached",
    [ERR_IO] = "input/output",
    [ERR_NETWORK] = "network",
    [ERR_TIMEOUT] = "timeout",
    [ERR_NOT_FOUND] = "not found",
    [ERR_EXISTS] = "already exists",
    [ERR_CONFLICT] = "conflict",
    [ERR_INVALID] = "invalid",
    [ERR_DENIED] = "denied",
    [ERR_GONE] = "gone",
    [ERR_UNSUPPORTED] = "not supported",
    [ERR_CANCELLED] = "cancelled",
    [ERR_INTERNAL] = "internal",
};

static void fill(struct error *err, enum err_code code, const char *fmt,
                 va_list ap) __attribute__((format(printf, 3, 0)));

static void
fill(struct error *err, enum err_code code, const char *fmt, va_list ap)
{
    char msg[sizeof(err->msg)]; /* fmt's arguments may point into *err */

    vsnprintf(msg, sizeof(msg), fmt, ap);
    *err = (struct error){.code = code};
    memcpy(err->msg, msg, sizeof(msg));
}

bool
error_set(struct error *err, enum err_code code, const char *fmt, ...)
{
    va_list ap;

    if (!err)
        return false;
    va_start(ap, fmt);
    fill(err, code, fmt, ap);
    va_end(ap);
    return false;
}

bool
error_errno(struct error *err, enum err_code code, const char *fmt, ...)
{
    int saved = errno;
    va_list ap;

    if (!err)
        return false;
    va_start(ap, fmt);
    fill(err, code, fmt, ap);
    va_end(ap);
    size_t n = strlen(err->msg);

    snprintf(err->msg + n, sizeof(err->msg) - n, ": %s", strerror(saved));
    return false;
}

void
error_remedy(struct error *err, const char *id, const char *fmt, ...)
{
    va_list ap;

    if (!err)
        return;
    snprintf(err->id, sizeof(err->id), "%s", id);
    va_start(ap, fmt);
    vsnprintf(err->remedy, sizeof(err->remedy), fmt, ap);
    va_end(ap);
}

bool
error_wrap(struct error *err, const char *fmt, ...)
{
    char msg[sizeof(err->msg)];
    va_list ap;

    if (!err)
        return false;
    va_start(ap, fmt);
    int n = vsnprintf(msg, sizeof(msg), fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof(msg))
        snprintf(msg + n, sizeof(msg) - (size_t)n, ": %s", err->msg);
    memcpy(err->msg, msg, sizeof(msg));
    return false;
}

const char *
error_name(enum err_code code)
{
    return (size_t)code < ARRAY_LEN(names) ? names[code] : "?";
}
