/*
 * One engine: finding it, agreeing on the version, and one request at a time.
 * HTTP itself is lib/kube/http's; every request goes to "http://localhost"
 * with the pool bound to the engine's socket.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/docker_call.h"
#include "devenv/docker_socket.h"
#include "devenv/failure.h"

#define LIMIT_MS    30000
#define PING_MS     5000
#define BODY_MAX    ((size_t)16 << 20)
#define PATIENCE_MS 60000
#define PEM_MAX     ((size_t)1 << 20)
#define TRIED_MAX   700

struct docker {
    struct loop *loop;
    struct kube_http *http;
    char *host, *base, *source;
    char *version;
    char api[16], prefix[24];
    bool podman;
    int64_t patience_ms;
};

struct docker_async {
    struct docker *d;
    struct docker_request q;
    struct kube_http_call *call;
    char *doing;
    docker_done_fn *fn;
    void *arg;
};

/* ---- a request ---- */

/* The engine did not answer, or not to the end. */
static void
broken(const struct docker_async *c, const struct kube_http_response *r,
       const struct error *why, struct error *err)
{
    error_set(err, why->code, "cannot %s: %s", c->doing, why->msg);
    if (why->code == ERR_CANCELLED)
        err->http = r->status;
    if (why->code == ERR_DENIED) {
        const char *path = docker_socket(c->d);

        error_set(err, ERR_DENIED, "you may not use %s",
                  path[0] ? path : c->d->host);
        failure_remedy(err, "MT-ENGINE-PERM");
    } else if (r->status == 0 && why->code != ERR_CANCELLED) {
        failure_remedy(err, "MT-ENGINE-DOWN");
    }
}

static bool
judge(const struct docker_async *c, const struct kube_http_response *r,
      const struct error *why, struct error *err)
{
    if (why) {
        broken(c, r, why, err);
        return false;
    }
    if (r->status / 100 == 2 || r->status == 304)
        return true;
    return docker_refused(r->status, r->content_type, r->body, c->doing, err);
}

static bool
async_data(void *arg, struct str piece)
{
    const struct docker_async *c = arg;

    return c->q.on_data(c->q.arg, piece);
}

static ssize_t
async_read(void *arg, char *p, size_t n)
{
    const struct docker_async *c = arg;

    return c->q.read(c->q.arg, p, n);
}

static void
async_free(struct docker_async *c)
{
    free(c->doing);
    free(c);
}

static void
async_done(void *arg, const struct kube_http_response *r,
           const struct error *why)
{
    struct docker_async *c = arg;
    struct error err = {0};
    bool ok = judge(c, r, why, &err);

    c->fn(c->arg, r, ok ? NULL : &err);
    async_free(c);
}

static struct kube_http_call *
send(struct docker_async *c, struct error *err)
{
    const struct docker_request *q = &c->q;
    struct docker *d = c->d;
    AUTO(mem_free_ptr)
    char *url = mem_printf("%s%s%s", d->base, d->prefix, q->path);
    AUTO(mem_free_ptr)
    char *type =
        mem_printf("Content-Type: %s", q->type ? q->type : "application/json");
    const char *headers[3] = {0};
    size_t n = 0;
    struct kube_http_request r = {
        .method = q->method,
        .url = url,
        .headers = headers,
        .body = q->body,
        .read = q->read ? async_read : NULL,
        .read_n = q->read_n,
        .want = "Api-Version",
        .max_body = q->max_body ? q->max_body : BODY_MAX,
        .timeout_ms = q->limit_ms ? MAX(q->limit_ms, 0) : LIMIT_MS,
        .connect_ms = PING_MS,
        .stall_ms = q->stall_ms,
        .on_data = q->on_data ? async_data : NULL,
        .on_done = async_done,
        .arg = c,
    };

    if (q->body.n || q->read)
        headers[n++] = type;
    if (q->header)
        headers[n++] = q->header;
    return kube_http_start(d->http, &r, err);
}

struct docker_async *
docker_call_start(struct docker *d, const struct docker_request *q,
                  docker_done_fn *fn, void *arg, struct error *err)
{
    struct docker_async *c = mem_zalloc(1, sizeof(*c));

    *c = (struct docker_async){
        .d = d, .q = *q, .doing = mem_strdup(q->doing), .fn = fn, .arg = arg};
    c->call = send(c, err);
    if (c->call)
        return c;
    async_free(c);
    return NULL;
}

void
docker_call_cancel(struct docker_async *c)
{
    if (!c)
        return;
    kube_http_cancel(c->call);
    async_free(c);
}

/* ---- a request and its answer ---- */

struct answer {
    struct buf *body; /* or NULL */
    char *version;    /* Api-Version */
    bool done, ok;
    struct error *err;
};

static void
on_answer(void *arg, const struct kube_http_response *r,
          const struct error *err)
{
    struct answer *w = arg;

    w->done = true;
    w->ok = !err;
    if (err && w->err)
        *w->err = *err;
    if (w->body)
        buf_str(w->body, r->body);
    w->version = mem_strdup(r->wanted);
}

static bool
wait_for(struct docker *d, struct step_run *run, const struct docker_request *q,
         struct answer *w)
{
    struct docker_async *c = docker_call_start(d, q, on_answer, w, w->err);

    while (c && !w->done) {
        if (run && step_cancelled(run, w->err)) {
            docker_call_cancel(c);
            return false;
        }
        loop_turn(d->loop, -1);
    }
    return w->ok;
}

bool
docker_call(struct docker *d, struct step_run *run,
            const struct docker_request *q, struct buf *body, struct error *err)
{
    struct answer w = {.body = body, .err = err};
    bool ok;

    if (body)
        *body = BUF_INIT(q->max_body ? q->max_body : BODY_MAX);
    ok = wait_for(d, run, q, &w);
    free(w.version);
    return ok;
}

struct json *
docker_call_json(struct docker *d, struct step_run *run,
                 const struct docker_request *q, struct error *err)
{
    AUTO(buf_release) struct buf body = {0};
    struct json *j;
    struct error e;

    if (!docker_call(d, run, q, &body, err))
        return NULL;
    j = json_parse(buf_view(&body), NULL, &e);
    if (!j) {
        error_set(err, ERR_PARSE,
                  "cannot %s: the engine at %s answered what "
                  "is no JSON: %s",
                  q->doing, d->host, e.msg);
        if (err)
            failure_remedy(err, "MT-ENGINE-DOWN");
    }
    return j;
}

struct json *
docker_get(struct docker *d, struct step_run *run, const char *path,
           struct error *err)
{
    AUTO(mem_free_ptr) char *doing = mem_printf("read %s", path);
    struct docker_request q = {.path = path, .doing = doing};

    return docker_call_json(d, run, &q, err);
}

/* ---- opening ---- */

static bool
read_pem(const char *folder, const char *name, char **out, struct error *err)
{
    AUTO(mem_free_ptr) char *path = file_join(folder, name);
    AUTO(buf_release) struct buf text = BUF_INIT(PEM_MAX);

    if (!file_exists(path))
        return true;
    if (!file_read(path, &text, err))
        return false;
    *out = buf_take(&text);
    return true;
}

static bool
open_pool(struct docker *d, const struct docker_address *a, struct error *err)
{
    char *ca = NULL, *cert = NULL, *key = NULL;
    struct kube_tls tls = {.unix_socket = docker_address_path(a->url),
                           .insecure = a->no_check};
    bool ok = !a->tls || (read_pem(a->tls, "ca.pem", &ca, err) &&
                          read_pem(a->tls, "cert.pem", &cert, err) &&
                          read_pem(a->tls, "key.pem", &key, err));

    tls.ca = ca;
    tls.cert = cert;
    tls.key = key;
    if (ok)
        d->http = kube_http_new(d->loop, &tls, err);
    free(ca);
    free(cert);
    mem_wipe(key);
    return d->http != NULL;
}

/* "1.41" as a number that compares; 0 for anything else. */
static uint64_t
api_number(const char *text)
{
    struct str major, minor;
    uint64_t a, b;

    if (!str_cut(str_of(text), '.', &major, &minor) || !str_to_u64(major, &a) ||
        !str_to_u64(minor, &b) || a > 99 || b > 999)
        return 0;
    return a * 1000 + b;
}

static bool
wrong_api(const struct docker *d, const char *theirs, struct error *err)
{
    error_set(err, ERR_UNSUPPORTED,
              "the engine at %s speaks API %s, meshtop %s to %s", d->host,
              theirs, DOCKER_API_MIN, DOCKER_API_MAX);
    if (err)
        failure_remedy(err, "MT-ENGINE-API");
    return false;
}

static bool
agree(struct docker *d, const char *newest, struct error *err)
{
    uint64_t theirs = api_number(newest);

    if (theirs < api_number(DOCKER_API_MIN))
        return wrong_api(d, newest[0] ? newest : "of no number", err);
    snprintf(d->api, sizeof(d->api), "%s",
             theirs < api_number(DOCKER_API_MAX) ? newest : DOCKER_API_MAX);
    snprintf(d->prefix, sizeof(d->prefix), "/v%s", d->api);
    return true;
}

static bool
ping(struct docker *d, struct step_run *run, struct error *err)
{
    struct docker_request q = {
        .path = "/_ping", .limit_ms = PING_MS, .doing = "reach the engine"};
    AUTO(buf_release) struct buf body = {0};
    struct answer w = {.body = &body, .err = err};
    bool ok;

    body = BUF_INIT(4096);
    ok = wait_for(d, run, &q, &w) && agree(d, w.version, err);
    free(w.version);
    return ok;
}

/* Who answers: Podman says so in its components. */
static bool
ask_version(struct docker *d, struct step_run *run, struct error *err)
{
    struct docker_request q = {.path = "/version",
                               .limit_ms = PING_MS,
                               .doing = "ask the engine's version"};
    AUTO(json_free_ptr) struct json *j = docker_call_json(d, run, &q, err);
    const struct json *c = json_get(j, "Components");
    const char *oldest = json_get_string(j, "MinAPIVersion");

    if (!j)
        return false;
    if (oldest && api_number(oldest) > api_number(d->api))
        return wrong_api(d, oldest, err);
    d->version = mem_strdup(json_string_or(json_get(j, "Version"), ""));
    for (c = json_first(c); c; c = json_next(c))
        if (strstr(json_string_or(json_get(c, "Name"), ""), "Podman"))
            d->podman = true;
    return true;
}

static struct docker *
open_address(struct loop *l, const struct docker_address *a,
             struct step_run *run, struct error *err)
{
    struct docker *d = mem_zalloc(1, sizeof(*d));
    const char *tcp = strstr(a->url, "://") + 3;

    d->loop = l;
    d->patience_ms = PATIENCE_MS;
    d->host = mem_strdup(a->url);
    d->source = mem_strdup(a->from);
    d->base = docker_address_path(a->url)
                  ? mem_strdup("http://localhost")
                  : mem_printf("%s://%s", a->tls ? "https" : "http", tcp);
    if (open_pool(d, a, err) && ping(d, run, err) && ask_version(d, run, err))
        return d;
    docker_free(d);
    return NULL;
}

/* What became of one candidate, for the sentence that lists them. */
static void
note(struct buf *tried, const struct docker_address *a, const char *why)
{
    const char *path = docker_address_path(a->url);

    if (tried->n < TRIED_MAX)
        buf_printf(tried, "%s%s%s%s", tried->n ? ", " : "",
                   path ? path : a->url, why[0] ? ": " : "", why);
}

static const char *
short_reason(const struct error *e)
{
    const char *at = strstr(e->msg, ": ");

    for (const char *p = at; p; p = strstr(p + 1, ": "))
        at = p;
    return at ? at + 2 : e->msg;
}

static void
none_answers(const struct docker_addresses *l, const struct buf *tried,
             const struct error *denied, struct error *err)
{
    if (denied->code) {
        if (err)
            *err = *denied;
        return;
    }
    bool named = strcmp(l->v[0].from, "default") != 0;

    error_set(err, ERR_NETWORK, "no container engine answers (%s%s%s)",
              named ? l->v[0].from : "tried", named ? ": " : " ",
              buf_cstr(tried));
    if (err)
        failure_remedy(err, "MT-ENGINE-DOWN");
}

struct docker *
docker_open(struct loop *l, const char *host, struct step_run *run,
            struct error *err)
{
    struct docker_addresses list;
    AUTO(buf_release) struct buf tried = BUF_INIT(4096);
    struct error denied = {0}, e;
    struct docker *d = NULL;

    if (!docker_addresses(host, &list, err))
        return NULL;
    for (size_t i = 0; i < list.n && !d; i++) {
        const char *path = docker_address_path(list.v[i].url);
        struct stat st;

        if (path && stat(path, &st) < 0 && errno == ENOENT) {
            note(&tried, &list.v[i], list.n == 1 ? "it is not there" : "");
            continue;
        }
        e = (struct error){0};
        d = open_address(l, &list.v[i], run, &e);
        if (d)
            break;
        if (e.code == ERR_CANCELLED || e.code == ERR_UNSUPPORTED) {
            if (err)
                *err = e;
            docker_addresses_release(&list);
            return NULL;
        }
        if (e.code == ERR_DENIED && !denied.code)
            denied = e;
        note(&tried, &list.v[i], short_reason(&e));
    }
    if (!d)
        none_answers(&list, &tried, &denied, err);
    docker_addresses_release(&list);
    return d;
}

void
docker_free(struct docker *d)
{
    if (!d)
        return;
    kube_http_free(d->http);
    free(d->host);
    free(d->base);
    free(d->source);
    free(d->version);
    free(d);
}

/* ---- what it is ---- */

struct loop *
docker_loop(const struct docker *d)
{
    return d->loop;
}

const char *
docker_host(const struct docker *d)
{
    return d->host;
}

const char *
docker_socket(const struct docker *d)
{
    const char *path = docker_address_path(d->host);

    return path ? path : "";
}

const char *
docker_source(const struct docker *d)
{
    return d->source;
}

bool
docker_is_podman(const struct docker *d)
{
    return d->podman;
}

const char *
docker_provider(const struct docker *d)
{
    return d->podman ? "podman" : "docker";
}

const char *
docker_product(const struct docker *d)
{
    return d->podman ? "Podman" : "Docker";
}

const char *
docker_version(const struct docker *d)
{
    return d->version;
}

const char *
docker_api(const struct docker *d)
{
    return d->api;
}

const char *
docker_prefix(const struct docker *d)
{
    return d->prefix;
}

int64_t
docker_patience(const struct docker *d)
{
    return d->patience_ms;
}

void
docker_set_patience(struct docker *d, int64_t ms)
{
    d->patience_ms = ms;
}
