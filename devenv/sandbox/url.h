/*
 * url.h - the target of a request, taken apart: path segments, parameters.
 *
 * What: RFC 3986 percent decoding after splitting, so that an encoded "/" can
 * never make a segment; "+" is a space in parameters only (as Go's
 * ParseQuery). Refused as ERR_PARSE: bad escapes in the path, NUL and control
 * bytes, invalid UTF-8, "." and ".." segments, a target without a leading "/".
 * Parameters with bad escapes or a semicolon are left out, as Go does.
 * Caps: 8 KiB of target, 16 segments, 64 parameters -> ERR_LIMIT.
 * Lifetime: everything lives in the struct; url_release.
 */
#ifndef DEVENV_SANDBOX_URL_H
#define DEVENV_SANDBOX_URL_H

#include "lib/base/error.h"
#include "lib/base/str.h"

#define URL_MAX          8192
#define URL_SEGMENTS_MAX 16
#define URL_PARAMS_MAX   64

struct url_param {
    const char *name, *value; /* decoded; "" for "?watch" */
};

struct url {
    char *path; /* decoded as a whole, "/api/v1/namespaces" */
    const char *segments[URL_SEGMENTS_MAX]; /* decoded, never "" */
    size_t segments_n;
    bool doubled;                            /* "//" somewhere */
    struct url_param params[URL_PARAMS_MAX]; /* in order, repeats kept */
    size_t params_n;
    char *text; /* what the views point into */
};

/* Takes target ("/apis/g/v?limit=5") apart. Empty segments ("//", a trailing
 * "/") are left out. */
bool url_parse(struct str target, struct url *u, struct error *err);
void url_release(struct url *u);
/* The first value of a parameter, or NULL. */
const char *url_param(const struct url *u, const char *name);

#endif
