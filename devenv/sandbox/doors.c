#include "devenv/sandbox/doors.h"

#include "devenv/sandbox/connections.h"
#include "devenv/sandbox/identity.h"

#define TOO_MANY "Too many requests, please try again later.\n"

static bool
too_many(struct http_request *r)
{
    http_refuse_text(r, 429, STR(TOO_MANY));
    return false;
}

/* ---- the host ---- */

static bool
is_port(struct str s)
{
    uint64_t n;

    return str_to_u64(s, &n) && n <= 65535;
}

/* 127.0.0.0/8 in full. */
static bool
is_loopback_v4(struct str s)
{
    struct str part;
    uint64_t n, parts = 0;

    while (str_next(&s, '.', &part)) {
        if (part.n > 3 || !str_to_u64(part, &n) || n > 255 ||
            (parts == 0 && n != 127))
            return false;
        parts++;
    }
    return parts == 4;
}

bool
doors_host(const char *host)
{
    struct str name = str_of(host), port;

    if (!host)
        return true;
    if (str_starts(name, STR("[::1]"))) {
        port = str_from(name, strlen("[::1]"));
        return !port.n || (port.s[0] == ':' && is_port(str_from(port, 1)));
    }
    if (str_cut(name, ':', &name, &port) && !is_port(port))
        return false;
    return is_loopback_v4(name) ||
           (name.n == 9 && !strncasecmp(name.s, "localhost", 9));
}

static bool
wrong_host(struct http_request *r, const char *host)
{
    struct status st = {0};

    status_set(&st, 421, "BadRequest",
               "this server is called 127.0.0.1, [::1] or localhost, and the "
               "request is for \"%.100s\": use one of these names in the URL "
               "(with a proxy or a tunnel, set the header Host)",
               host);
    http_refuse(r, &st);
    return false;
}

bool
doors_open(struct http_request *r)
{
    const char *host = http_header(r, "Host");

    if (!doors_host(host))
        return wrong_host(r, host);
    return !r->crowded || too_many(r);
}

/* ---- how much ---- */

static bool
is_watch(const struct http_request *r)
{
    const char *flag = http_param(r, "watch");
    size_t at = r->url.segments_n && !strcmp(r->url.segments[0], "api") ? 2 : 3;

    return (flag && strcmp(flag, "0") != 0 && strcmp(flag, "false") != 0) ||
           (r->url.segments_n > at && !strcmp(r->url.segments[at], "watch"));
}

bool
doors_more(struct http_request *r)
{
    const struct connections *c = http_connections(r->http);
    size_t all = c->max * 3 / 4, own = r->who->master ? all : all / 2;
    size_t connections, waiting, streams;

    http_counts(r->http, &connections, &waiting, &streams);
    if (c->unsent > DOORS_UNSENT_MAX)
        return too_many(r);
    return !is_watch(r) ||
           (streams < all && connections_streams_of(c, r->who->name) < own) ||
           too_many(r);
}
