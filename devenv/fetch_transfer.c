#include "devenv/fetch_transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include "devenv/failure.h"

/* A peer that asks for a longer pause is asked no more. */
#define RETRY_AFTER_MAX_S 60

struct call {
    struct transfer *t;
    struct kube_http_call *http;
    struct loop_timer *slow;
    uint64_t window; /* bytes since the timer was set */
    bool done, judged;
    bool untrusted; /* the certificate is */
    enum transfer_end end;
};

struct str
transfer_host(const char *url)
{
    struct str s = str_of(url);
    size_t at = str_find(s, STR("://"), 0);
    struct str host, rest;

    str_cut(str_from(s, at == SIZE_MAX ? 0 : at + 3), '/', &host, &rest);
    return host;
}

/* The transfer is over for a reason of ours; what curl says later is moot. */
static bool judge(struct call *c, enum transfer_end end, const char *id,
                  const char *fmt, ...) PRINTF_LIKE(4, 5);

static bool
judge(struct call *c, enum transfer_end end, const char *id, const char *fmt,
      ...)
{
    struct transfer *t = c->t;
    char why[600];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    t->err = (struct error){0};
    error_set(&t->err, ERR_NETWORK, "%s cannot be downloaded: %s", t->what,
              why);
    failure_remedy(&t->err, id);
    c->judged = true;
    c->end = end;
    return false;
}

/* ---- what comes ---- */

static bool
is_page(struct str piece)
{
    static const char *const starts[] = {"<!doctype", "<html", "<head"};

    piece = str_trim(piece);
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        if (piece.n > strlen(starts[i]) &&
            strncasecmp(piece.s, starts[i], strlen(starts[i])) == 0)
            return true;
    }
    return false;
}

static bool
judge_page(struct call *c)
{
    struct str host = transfer_host(c->t->url);

    return judge(c, TRANSFER_NEVER, "MT-NET-PROXY",
                 "%.*s answers with a web page: a proxy or a login page stands "
                 "in between",
                 STR_ARG(host));
}

static uint64_t
have(const struct transfer *t)
{
    return t->part ? t->part->have : t->text->n;
}

/* What the peer says is still to come: for progress, and to refuse at once
 * what would be too long in the end. */
static bool
note_length(struct call *c, const char *length)
{
    struct transfer *t = c->t;
    uint64_t rest;

    if (!t->part || !str_to_u64(str_of(length), &rest))
        return true;
    if (rest <= t->part->cap && t->part->have + rest <= t->part->cap) {
        t->total = t->part->have + rest;
        return true;
    }
    c->judged = true;
    c->end = TRANSFER_NEVER;
    return error_set(&t->err, ERR_LIMIT, "%s: %llu bytes are announced",
                     t->what, (unsigned long long)(t->part->have + rest));
}

static bool
on_head(void *arg, const struct kube_http_response *r)
{
    struct call *c = arg;
    struct transfer *t = c->t;

    if (r->status / 100 != 2)
        return true;
    if (strncmp(r->content_type, "text/html", 9) == 0)
        return judge_page(c);
    snprintf(t->etag, TRANSFER_ETAG, "%s",
             strlen(r->etag) < TRANSFER_ETAG ? r->etag : "");
    if (r->status == 206 && t->part && t->part->have)
        t->part->resumed = true;
    /* The whole thing, although only the rest was asked for. */
    if (r->status != 206 && t->part && t->part->have &&
        !part_restart(t->part, &t->err)) {
        c->judged = true;
        c->end = TRANSFER_NEVER;
        return false;
    }
    return note_length(c, r->wanted);
}

static bool
on_data(void *arg, struct str piece)
{
    struct call *c = arg;
    struct transfer *t = c->t;
    struct error why = {0};

    if (have(t) == 0 && is_page(piece))
        return judge_page(c);
    t->came += piece.n;
    c->window += piece.n;
    if (t->part ? part_add(t->part, piece, &why) : buf_str(t->text, piece)) {
        step_bytes(t->run, have(t), t->total);
        return true;
    }
    if (!t->part)
        return judge(c, TRANSFER_ELSEWHERE, "MT-SUM-MISSING",
                     "%s is no checksum file: it is larger than %zu bytes",
                     t->url, t->text->max);
    t->err = why;
    error_wrap(&t->err, "%s", t->what);
    c->judged = true;
    c->end = TRANSFER_NEVER;
    return false;
}

static void
on_slow(void *arg)
{
    struct call *c = arg;
    const struct fetch_options *o = c->t->o;

    if (c->window >= o->slow_bytes) {
        c->window = 0;
        loop_timer_set(c->slow, o->slow_ms);
        return;
    }
    kube_http_cancel(c->http);
    struct str host = transfer_host(c->t->url);

    judge(c, TRANSFER_AGAIN, "MT-NET-DOWNLOAD",
          "%.*s sent %llu bytes in %.1f s, that is too slow", STR_ARG(host),
          (unsigned long long)c->window, (double)o->slow_ms / 1000.0);
    c->done = true;
}

/* ---- how it ended ---- */

static const struct broken {
    const char *id; /* lib/kube/http's */
    enum transfer_end end;
    const char *ours;
} brokens[] = {
    {"MT-DNS", TRANSFER_AGAIN, "MT-NET-DNS"},
    {"MT-CONNECT", TRANSFER_AGAIN, "MT-NET-DNS"},
    {"MT-TIMEOUT", TRANSFER_AGAIN, "MT-NET-DNS"},
    {"MT-PROXY", TRANSFER_NEVER, "MT-NET-PROXY"},
    {"MT-TLS-CA", TRANSFER_ELSEWHERE, "MT-NET-PROXY"},
    {"MT-TLS-CA-BAD", TRANSFER_NEVER, "MT-NET-DOWNLOAD"},
};

static void
judge_broken(struct call *c, const struct error *err)
{
    if (strstr(err->msg, "407")) { /* of a proxy's CONNECT */
        judge(c, TRANSFER_NEVER, "MT-NET-PROXY", "%s", err->msg);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(brokens); i++) {
        if (strcmp(err->id, brokens[i].id) == 0) {
            judge(c, brokens[i].end, brokens[i].ours, "%s", err->msg);
            c->untrusted = strcmp(err->id, "MT-TLS-CA") == 0;
            return;
        }
    }
    /* A redirect to plain http, or too many of them. */
    judge(c,
          err->code == ERR_UNSUPPORTED || err->code == ERR_LIMIT
              ? TRANSFER_ELSEWHERE
              : TRANSFER_AGAIN,
          "MT-NET-DOWNLOAD", "%s", err->msg);
}

static const struct refusal {
    int status;
    enum transfer_end end;
    const char *id;
} refusals[] = {
    {429, TRANSFER_AGAIN, "MT-NET-RATELIMIT"},
    {407, TRANSFER_NEVER, "MT-NET-PROXY"},
    {403, TRANSFER_AGAIN, "MT-NET-DOWNLOAD"}, /* intermittent at some CDNs */
    {408, TRANSFER_AGAIN, "MT-NET-DOWNLOAD"},
    {500, TRANSFER_AGAIN, "MT-NET-DOWNLOAD"},
    {502, TRANSFER_AGAIN, "MT-NET-DOWNLOAD"},
    {503, TRANSFER_AGAIN, "MT-NET-DOWNLOAD"},
    {504, TRANSFER_AGAIN, "MT-NET-DOWNLOAD"},
    {0, TRANSFER_ELSEWHERE, "MT-NET-DOWNLOAD"}, /* all others */
};

static void
judge_status(struct call *c, const struct kube_http_response *r)
{
    struct str host = transfer_host(c->t->url);
    const struct refusal *f = refusals;
    enum transfer_end end;

    while (f->status && f->status != r->status)
        f++;
    end = f->end;
    if (r->retry_after_s > RETRY_AFTER_MAX_S)
        end = TRANSFER_ELSEWHERE;
    else if (r->retry_after_s > 0)
        c->t->retry_after_ms = r->retry_after_s * 1000;
    if (r->retry_after_s > 0)
        judge(c, end, f->id, "%.*s answers %d and asks to wait %lld s",
              STR_ARG(host), r->status, (long long)r->retry_after_s);
    else
        judge(c, end, f->id, "%.*s answers %d", STR_ARG(host), r->status);
}

static void
on_done(void *arg, const struct kube_http_response *r, const struct error *err)
{
    struct call *c = arg;

    c->done = true;
    if (c->judged)
        return;
    c->judged = true;
    c->end = TRANSFER_WHOLE;
    /* "Nothing beyond what you have": the hash will tell. */
    if (!err && r->status == 416 && c->t->part && c->t->part->have)
        return;
    if (err)
        judge_broken(c, err);
    else if (r->status / 100 != 2)
        judge_status(c, r);
}

/* ---- who is in the way ---- */

#define ISSUER_MS 5000

struct issuer {
    char *out;
    bool done;
};

static void
on_issuer(void *arg, const struct kube_http_response *r,
          const struct error *err UNUSED)
{
    struct issuer *i = arg;

    snprintf(i->out, 128, "%s", r->issuer);
    for (char *c = i->out; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    }
    i->done = true;
}

static bool
issuer_told(void *arg)
{
    return ((const struct issuer *)arg)->done;
}

void
fetch_issuer(struct step_run *run, const char *url, char out[128])
{
    struct kube_http *http =
        kube_http_new(run->loop, &(struct kube_tls){.insecure = true}, NULL);
    struct issuer i = {.out = out};
    struct kube_http_request r = {.method = "HEAD",
                                  .url = url,
                                  .timeout_ms = ISSUER_MS,
                                  .follow = true,
                                  .on_done = on_issuer,
                                  .arg = &i};

    out[0] = '\0';
    if (http && kube_http_start(http, &r, NULL))
        step_wait(run, ISSUER_MS, issuer_told, &i, NULL);
    kube_http_free(http);
}

static void
name_issuer(struct transfer *t)
{
    char who[128];
    size_t n = strlen(t->err.msg);

    fetch_issuer(t->run, t->url, who);
    if (*who)
        snprintf(t->err.msg + n, sizeof(t->err.msg) - n,
                 " (certificate by \"%s\")", who);
}

/* ---- the request ---- */

static bool
is_done(void *arg)
{
    return ((const struct call *)arg)->done;
}

static void
wait_for(struct call *c)
{
    struct transfer *t = c->t;
    int64_t left = t->until_ms - clock_mono_ms(clock_system());
    struct error why = {0};

    if (step_wait(t->run, MAX(left, 0), is_done, c, &why))
        return;
    kube_http_cancel(c->http);
    if (why.code == ERR_TIMEOUT) {
        judge(c, TRANSFER_NEVER, "MT-NET-DOWNLOAD", "it takes too long");
        return;
    }
    t->err = why;
    c->end = TRANSFER_NEVER;
}

enum transfer_end
transfer_run(struct transfer *t)
{
    struct call c = {.t = t};
    struct str host = transfer_host(t->url);
    char range[64], if_range[TRANSFER_ETAG + 16];
    const char *headers[3] = {NULL};
    size_t n = 0;

    t->retry_after_ms = 0;
    if (t->text)
        buf_reset(t->text);
    if (have(t)) {
        snprintf(range, sizeof(range), "Range: bytes=%llu-",
                 (unsigned long long)have(t));
        headers[n++] = range;
        /* A weak validator may not be used for this (RFC 9110 13.1.5). */
        snprintf(if_range, sizeof(if_range), "If-Range: %s", t->etag);
        if (t->etag[0] == '"')
            headers[n++] = if_range;
    }
    struct kube_http_request r = {.url = t->url,
                                  .headers = headers,
                                  .follow = true,
                                  .redirects = FETCH_REDIRECTS_MAX,
                                  .identity = true,
                                  .want = "Content-Length",
                                  .max_body = (size_t)1 << 20,
                                  .on_head = on_head,
                                  .on_data = on_data,
                                  .on_done = on_done,
                                  .arg = &c};

    step_detail(t->run, "downloading %s from %.*s", t->what, STR_ARG(host));
    t->err = (struct error){0};
    c.http = kube_http_start(t->http, &r, &t->err);
    if (!c.http)
        return TRANSFER_ELSEWHERE;
    c.slow = loop_timer_add(t->run->loop, t->o->slow_ms, on_slow, &c);
    wait_for(&c);
    loop_timer_del(c.slow);
    if (c.untrusted)
        name_issuer(t);
    return c.end;
}
