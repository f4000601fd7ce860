/*
 * A call lives through attempts. An attempt waits for credentials, is one
 * HTTP call, and ends in one of: an answer that is given to the caller; a 401
 * that makes the credentials renew themselves, once; an answer with
 * Retry-After, after which it is tried again; the next page of a list.
 */
#include "lib/kube/client.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/random.h"

#include "lib/kube/auth.h"
#include "lib/kube/request.h"
#include "lib/kube/stamp.h"

/* One try, and ten more. */
#define TRIES_MAX     11
#define RETRY_MAX_S   30
#define BROKEN_S      1
#define TIMEOUT_MS    32000
#define PAGE_ITEMS    500
#define WARNINGS_MAX  256
#define CONTINUES_MAX 100000
#define SAID_MAX      1000

#if defined(__x86_64__)
#define ARCH "amd64"
#elif defined(__aarch64__)
#define ARCH "arm64"
#else
#define ARCH "unknown"
#endif

/* A pool and its credentials; a client whose access was changed keeps the old
 * one until its calls have ended. */
struct kube_client {
    struct loop *l;
    struct kube_access *access;
    struct kube_auth *auth;
    struct kube_http *http;
    unsigned http_serial;       /* of the certificate the pool was made with */
    struct kube_http **retired; /* pools whose calls still run */
    size_t retired_n, retired_cap;
    struct kube_call *calls;
    bool read_only, once;
    char *user_agent, *cache_dir;
    int64_t timeout_ms;
    kube_warning_fn *on_warning;
    void *warning_arg;
    struct strlist said; /* warnings that were told */
    kube_plugin_fn *on_plugin;
    void *plugin_arg;
    struct kube_stamp stamp; /* of the kubeconfig file */
};

struct kube_call {
    struct kube_client *c;
    struct kube_call *prev, *next;
    struct kube_wire wire;
    struct kube_http_call *http;
    struct loop_timer *retry;
    bool waiting;        /* for credentials */
    bool renewed;        /* credentials were, after a 401 */
    bool reread;         /* so was the kubeconfig */
    unsigned generation; /* of the credentials that were sent */
    bool stopped;        /* the item callback wants no more */
    bool ended;          /* inside its callback */
    unsigned tries;
    int64_t timeout_ms, stall_ms;
    size_t max_body;
    struct strlist warnings;
    /* lists */
    kube_item_fn *on_item;
    size_t path_n; /* of wire.path without continue */
    size_t items, pages;
    char *resource_version;
    /* streams */
    const struct kube_stream_fns *stream; /* NULL: no stream */
    kube_reply_fn *fn;
    void *arg;
};

static void attempt(struct kube_call *k);

/* ---- calls ---- */

static void
attempt_later(void *arg)
{
    attempt(arg);
}

static void
call_free(struct kube_call *k)
{
    if (k->prev)
        k->prev->next = k->next;
    else
        k->c->calls = k->next;
    if (k->next)
        k->next->prev = k->prev;
    loop_undefer(k->c->l, attempt_later, k);
    kube_http_cancel(k->http);
    loop_timer_del(k->retry);
    kube_wire_release(&k->wire);
    strlist_release(&k->warnings);
    free(k->resource_version);
    free(k);
}

/* Gives the end to the caller; the call is gone when it returns. */
static void
finish(struct kube_call *k, const struct kube_http_response *r,
       const struct kube_status *status, const struct error *err)
{
    struct kube_reply reply = {
        .http = r ? r->status : 0,
        .body = r ? str_trim(r->body) : STR(""),
        .content_type = r ? r->content_type : "",
        .etag = r ? r->etag : "",
        .warnings = &k->warnings,
        .status = status,
        .date_s = r ? r->date_s : 0,
        .resource_version = k->resource_version ? k->resource_version : "",
        .items = k->items,
    };

    log_debug("%s %s: %d, %zu bytes%s%s", k->wire.method,
              buf_cstr(&k->wire.path), reply.http, reply.body.n,
              err ? ": " : "", err ? err->msg : "");
    k->ended = true;
    k->fn(k->arg, &reply, err);
    call_free(k);
}

/* ---- one attempt ---- */

static void
on_retry(void *arg)
{
    struct kube_call *k = arg;

    loop_timer_del(k->retry);
    k->retry = NULL;
    attempt(k);
}

/* A quarter more at most: many who were told the same second to come back
 * shall not come back together. */
static bool
wait_and_try(struct kube_call *k, int64_t seconds)
{
    int64_t ms = MIN(seconds, RETRY_MAX_S) * 1000;

    if (k->stream || k->tries >= TRIES_MAX)
        return false;
    ms += random_below((uint32_t)ms / 4 + 1);
    k->retry = loop_timer_add(k->c->l, ms, on_retry, k);
    return true;
}

/* The kubeconfig file is another one than we read: as whom and where may have
 * changed with it. A write was not done where it was refused or never arrived.
 */
static bool
read_again(struct kube_call *k)
{
    struct kube_client *c = k->c;
    const struct kube_access *a = c->access;

    if (k->reread || !kube_stamp_changed(a->source, &c->stamp))
        return false;
    AUTO(kube_access_free_ptr)
    struct kube_access *now = kube_access_open(a->file, a->context, NULL);

    if (!now || !kube_client_set_access(c, now, NULL))
        return false;
    k->reread = true;
    attempt(k);
    return true;
}

static bool
is_elsewhere(const struct error *err)
{
    return strcmp(err->id, "MT-CONNECT") == 0 ||
           strncmp(err->id, "MT-TLS", 6) == 0;
}

/* client-go rest/with_retry.go; a write may have happened when a 5xx comes. */
static bool
try_again(struct kube_call *k, const struct kube_status *s)
{
    bool may = s->http == 429 || (s->http >= 500 && k->wire.repeatable);

    if (s->http == 401 && !k->renewed &&
        kube_auth_refused(k->c->auth, k->generation)) {
        k->renewed = true;
        attempt(k);
        return true;
    }
    if (s->http == 401 && read_again(k))
        return true;
    return may && s->retry_after_s >= 0 && wait_and_try(k, s->retry_after_s);
}

/* Tells a warning to whoever shows them, the first time it comes. */
static void
say_warning(struct kube_client *c, const char *text)
{
    if (!c->on_warning || c->said.n >= SAID_MAX ||
        strlist_has(&c->said, str_of(text)))
        return;
    strlist_add(&c->said, str_of(text));
    c->on_warning(c->warning_arg, text);
}

static void
keep_warnings(struct kube_call *k, const struct strlist *from)
{
    for (size_t i = 0; i < from->n && k->warnings.n < WARNINGS_MAX; i++) {
        if (!strlist_has(&k->warnings, str_of(from->v[i])))
            strlist_add(&k->warnings, str_of(from->v[i]));
        say_warning(k->c, from->v[i]);
    }
}

static void
ask_page(struct kube_call *k, const char *token)
{
    buf_truncate(&k->wire.path, k->path_n);
    if (token && *token)
        kube_query_add(&k->wire.path, "continue", str_of(token));
    k->tries = 0;
    attempt(k);
}

static bool
count_item(void *arg, struct str item)
{
    struct kube_call *k = arg;

    k->items++;
    k->stopped = !k->on_item(k->arg, item);
    return !k->stopped;
}

/* Gives the items of a page to the caller; NULL and err when it is no list. */
static struct json *
read_page(struct kube_call *k, struct str body, struct error *err)
{
    size_t before = k->items;
    struct json *rest = NULL;
    const struct json *items;
    const char *kind;

    if (json_each_item(body, "items", count_item, k, &rest, err)) {
        items = json_get(rest, "items");
        kind = json_string_or(json_get(rest, "kind"), "");
        /* An empty list may be null; anything else without items must at
         * least be called a list. */
        if ((!items || json_is(items, JSON_NULL)) &&
            (k->items > before || str_ends(str_of(kind), STR("List"))))
            return rest;
        json_free(rest);
        error_set(err, ERR_PARSE, "the answer is no list");
    }
    error_wrap(err, "%s", k->c->access->server);
    return NULL;
}

/* Takes a page; asks for the next or ends. */
static void
on_page(struct kube_call *k, const struct kube_http_response *r)
{
    struct error err = {0};
    struct json *rest = read_page(k, r->body, &err);
    const char *version, *next;

    if (!rest) {
        finish(k, r, NULL, &err);
        return;
    }
    version = json_string(json_at(rest, "metadata", "resourceVersion", NULL));
    next = json_string(json_at(rest, "metadata", "continue", NULL));
    if (!k->resource_version)
        k->resource_version = mem_strdup(version ? version : "");
    if (!k->stopped && next && *next && ++k->pages < CONTINUES_MAX) {
        ask_page(k, next);
        json_free(rest);
        return;
    }
    json_free(rest);
    finish(k, r, NULL, NULL);
}

static void
on_refused(struct kube_call *k, const struct kube_http_response *r)
{
    struct kube_status status;
    struct error err = {0};

    kube_status_read(r->status, r->body, r->retry_after_s, &status);
    if (k->on_item && r->status == 410 && status.continue_token[0]) {
        ask_page(k, status.continue_token);
    } else if (!try_again(k, &status)) {
        kube_status_error(&status, &err);
        finish(k, r, &status, &err);
    }
    kube_status_release(&status);
}

static void
on_done(void *arg, const struct kube_http_response *r, const struct error *err)
{
    struct kube_call *k = arg;

    k->http = NULL;
    keep_warnings(k, r->warnings);
    if (err && is_elsewhere(err) && read_again(k))
        return;
    if (err && r->broke && k->wire.repeatable && wait_and_try(k, BROKEN_S))
        return;
    if (err)
        finish(k, r, NULL, err);
    else if (r->status == 304 && k->wire.if_none_match)
        finish(k, r, NULL, NULL);
    else if (r->status / 100 != 2)
        on_refused(k, r);
    else if (k->on_item)
        on_page(k, r);
    else
        finish(k, r, NULL, NULL);
}

static bool
on_data(void *arg, struct str piece)
{
    struct kube_call *k = arg;

    return k->stream->on_data(k->arg, piece);
}

static bool
on_head(void *arg, const struct kube_http_response *r)
{
    struct kube_call *k = arg;

    if (r->status / 100 == 2 && k->stream->on_open)
        k->stream->on_open(k->arg);
    return true;
}

static void
fail(struct kube_call *k, const struct error *err)
{
    finish(k, NULL, NULL, err);
}

/* Pools that were left and have become idle go. */
static void
drop_idle(struct kube_client *c)
{
    size_t n = 0;

    for (size_t i = 0; i < c->retired_n; i++) {
        if (kube_http_running(c->retired[i]))
            c->retired[n++] = c->retired[i];
        else
            kube_http_free(c->retired[i]);
    }
    c->retired_n = n;
}

/* A plugin may have brought another client certificate: it needs a pool of
 * its own. */
static bool
need_pool(struct kube_client *c, struct error *err)
{
    const struct kube_access *a = c->access;
    struct kube_tls tls = {
        .server_name = a->tls_server_name,
        .proxy = a->proxy,
        .insecure = a->insecure,
    };
    unsigned serial;

    kube_auth_tls(c->auth, &tls.ca, &tls.cert, &tls.key, &serial);
    if (c->http && serial == c->http_serial)
        return true;
    drop_idle(c);
    if (c->http) {
        c->retired = mem_grow(c->retired, &c->retired_cap, c->retired_n + 1,
                              sizeof(struct kube_http *));
        c->retired[c->retired_n++] = c->http;
    }
    c->http_serial = serial;
    c->http = kube_http_new(c->l, &tls, err);
    return c->http != NULL;
}

static void
go(struct kube_call *k)
{
    struct kube_client *c = k->c;
    struct strlist headers = {0};
    AUTO(mem_free_ptr)
    char *url = mem_printf("%s%s", c->access->server, buf_cstr(&k->wire.path));
    struct kube_http_request r = {
        .method = k->wire.method,
        .url = url,
        .body = buf_view(&k->wire.body),
        .max_body = k->max_body,
        .identity = c->access->disable_compression,
        .timeout_ms = k->stream ? 0 : k->timeout_ms,
        .stall_ms = k->stall_ms,
        .on_head = k->stream ? on_head : NULL,
        .on_data = k->stream ? on_data : NULL,
        .on_done = on_done,
        .arg = k,
    };
    struct error err = {0};

    k->waiting = false;
    k->tries++;
    k->generation = kube_auth_generation(c->auth);
    if (!need_pool(c, &err)) {
        fail(k, &err);
        return;
    }
    kube_auth_headers(c->auth, &headers);
    strlist_addf(&headers, "User-Agent: %s", c->user_agent);
    strlist_addf(&headers, "Accept: %s", k->wire.accept);
    if (k->wire.content_type)
        strlist_addf(&headers, "Content-Type: %s", k->wire.content_type);
    if (k->wire.if_none_match)
        strlist_addf(&headers, "If-None-Match: %s", k->wire.if_none_match);
    headers.v =
        mem_grow(headers.v, &headers.cap, headers.n + 1, sizeof(char *));
    headers.v[headers.n] = NULL;
    r.headers = (const char *const *)headers.v;
    k->http = kube_http_start(c->http, &r, &err);
    for (size_t i = 0; i < headers.n; i++)
        explicit_bzero(headers.v[i], strlen(headers.v[i]));
    strlist_release(&headers);
    if (!k->http)
        fail(k, &err);
}

/* Not from the caller's start of a call: it may end the call at once. */
static void
attempt(struct kube_call *k)
{
    k->waiting = true;
    if (kube_auth_get(k->c->auth))
        go(k);
}

/* Lets every call that waits for credentials begin again. */
static void
wake(struct kube_client *c)
{
    for (struct kube_call *k = c->calls; k; k = k->next) {
        if (k->waiting)
            loop_defer(c->l, attempt_later, k);
        k->waiting = false;
    }
}

/* Credentials are there, or cannot be had. */
static void
on_auth(void *arg, const struct error *err)
{
    struct kube_client *c = arg;
    struct kube_call *k = c->calls;

    if (!err) {
        wake(c);
        return;
    }
    /* A call that ends may start or cancel others: begin again each time. */
    while (k) {
        if (k->waiting) {
            k->waiting = false;
            fail(k, err);
            k = c->calls;
        } else {
            k = k->next;
        }
    }
}

/* ---- clients ---- */

static void
on_plugin_line(void *arg, struct str line)
{
    struct kube_client *c = arg;

    if (c->on_plugin)
        c->on_plugin(c->plugin_arg, line);
}

void
kube_client_on_plugin(struct kube_client *c, kube_plugin_fn *fn, void *arg)
{
    c->on_plugin = fn;
    c->plugin_arg = arg;
}

static void
set_access(struct kube_client *c, const struct kube_access *access)
{
    c->access = kube_access_copy(access);
    c->auth = kube_auth_new(c->l, c->access, on_auth, c);
    kube_auth_on_line(c->auth, on_plugin_line, c);
    kube_stamp_changed(c->access->source, &c->stamp);
}

struct kube_client *
kube_client_new(struct loop *l, const struct kube_access *access,
                const struct kube_client_options *o, struct error *err)
{
    struct kube_client *c = mem_zalloc(1, sizeof(*c));

    c->l = l;
    c->read_only = o && o->read_only;
    c->timeout_ms = o && o->timeout_ms ? o->timeout_ms : TIMEOUT_MS;
    c->user_agent = mem_strdup(o && o->user_agent ? o->user_agent
                                                  : "meshtop/" MESHTOP_VERSION
                                                    " (linux/" ARCH ")");
    c->cache_dir = mem_strdup(o ? o->cache_dir : NULL);
    set_access(c, access);
    if (need_pool(c, err))
        return c;
    kube_client_free(c);
    return NULL;
}

void
kube_client_free(struct kube_client *c)
{
    if (!c)
        return;
    while (c->calls)
        call_free(c->calls);
    for (size_t i = 0; i < c->retired_n; i++)
        kube_http_free(c->retired[i]);
    free(c->retired);
    kube_http_free(c->http);
    kube_auth_free(c->auth);
    kube_access_free(c->access);
    strlist_release(&c->said);
    free(c->user_agent);
    free(c->cache_dir);
    free(c);
}

void
kube_client_free_ptr(struct kube_client **c)
{
    kube_client_free(*c);
}

struct loop *
kube_client_loop(const struct kube_client *c)
{
    return c->l;
}

const struct kube_access *
kube_client_access(const struct kube_client *c)
{
    return c->access;
}

const char *
kube_client_cache_dir(const struct kube_client *c)
{
    return c->cache_dir;
}

void
kube_client_on_warning(struct kube_client *c, kube_warning_fn *fn, void *arg)
{
    c->on_warning = fn;
    c->warning_arg = arg;
}

bool
kube_client_read_only(const struct kube_client *c)
{
    return c->read_only;
}

void
kube_client_set_once(struct kube_client *c, bool once)
{
    c->once = once;
}

bool
kube_client_once(const struct kube_client *c)
{
    return c->once;
}

bool
kube_client_set_access(struct kube_client *c, const struct kube_access *access,
                       struct error *err)
{
    struct kube_access *old = c->access;

    kube_auth_free(c->auth);
    set_access(c, access);
    kube_access_free(old);
    c->http_serial = UINT32_MAX;
    if (!need_pool(c, err))
        return false;
    wake(c);
    return true;
}

/* ---- starts ---- */

static struct kube_call *
call_new(struct kube_client *c, const struct kube_wire *wire, kube_reply_fn *fn,
         void *arg)
{
    struct kube_call *k = mem_zalloc(1, sizeof(*k));

    k->c = c;
    k->wire = *wire;
    k->fn = fn;
    k->arg = arg;
    k->next = c->calls;
    if (c->calls)
        c->calls->prev = k;
    c->calls = k;
    loop_defer(c->l, attempt_later, k);
    return k;
}

struct kube_call *
kube_client_send(struct kube_client *c, const struct kube_request *r,
                 kube_reply_fn *fn, void *arg, struct error *err)
{
    struct kube_wire wire;
    struct kube_call *k;

    if (!kube_wire_init(&wire, r, c->read_only, err))
        return NULL;
    k = call_new(c, &wire, fn, arg);
    k->max_body = r->max_body;
    k->timeout_ms = r->timeout_ms ? r->timeout_ms : c->timeout_ms;
    return k;
}

struct kube_call *
kube_client_list(struct kube_client *c, const struct kube_request *r,
                 kube_item_fn *on_item, kube_reply_fn *fn, void *arg,
                 struct error *err)
{
    struct kube_request q = *r;
    struct kube_call *k;
    char limit[16];

    q.verb = KUBE_GET;
    q.name = q.sub = NULL;
    k = kube_client_send(c, &q, fn, arg, err);
    if (!k)
        return NULL;
    snprintf(limit, sizeof(limit), "%u", r->page ? r->page : PAGE_ITEMS);
    kube_query_add(&k->wire.path, "limit", str_of(limit));
    k->path_n = k->wire.path.n;
    k->on_item = on_item;
    return k;
}

struct kube_call *
kube_client_stream(struct kube_client *c, const char *path, int64_t stall_ms,
                   const struct kube_stream_fns *fns, void *arg,
                   struct error *err)
{
    struct kube_request r = {
        .verb = KUBE_RAW_GET, .path = path, .accept = fns->accept};
    struct kube_call *k = kube_client_send(c, &r, fns->on_end, arg, err);

    if (!k)
        return NULL;
    k->stream = fns;
    k->stall_ms = stall_ms;
    return k;
}

void
kube_call_cancel(struct kube_call *k)
{
    struct kube_client *c = k ? k->c : NULL;
    bool waits = false;

    if (!k || k->ended)
        return;
    call_free(k);
    for (k = c->calls; k; k = k->next)
        waits |= k->waiting;
    if (!waits)
        kube_auth_stop(c->auth);
}
