#include "devenv/oci_call.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"

#include "lib/kube/gvr.h"
#include "lib/kube/http.h"

#define TRIES      3
#define PAUSE_MS   500
#define STALL_MS   30000
#define ANSWER_MAX ((size_t)4 << 20)

void
oci_answer_release(struct oci_answer *a)
{
    buf_release(&a->body);
    free(a->location);
    *a = (struct oci_answer){0};
}

/* ---- one request, waited for ---- */

struct waiting {
    struct oci_answer *out;
    char *challenge; /* WWW-Authenticate */
    struct error err;
    bool done;
};

static void
on_done(void *arg, const struct kube_http_response *r, const struct error *err)
{
    struct waiting *w = arg;

    w->done = true;
    w->out->status = r->status;
    buf_str(&w->out->body, r->body);
    w->out->location = mem_strdup(r->location);
    w->challenge = mem_strdup(r->wanted);
    if (err)
        w->err = *err;
}

static void
request_once(struct oci *o, const char *url, const char *authorization,
             const struct oci_request *r, struct waiting *w)
{
    AUTO(mem_free_ptr)
    char *type = r->type ? mem_printf("Content-Type: %s", r->type) : NULL;
    AUTO(mem_free_ptr)
    char *accept = r->accept ? mem_printf("Accept: %s", r->accept) : NULL;
    char *auth =
        authorization ? mem_printf("Authorization: %s", authorization) : NULL;
    const char *headers[4] = {0};
    size_t n = 0;
    size_t max = r->max ? r->max : ANSWER_MAX;

    if (type)
        headers[n++] = type;
    if (accept)
        headers[n++] = accept;
    if (auth)
        headers[n++] = auth;
    struct kube_http_request q = {.method = r->method,
                                  .url = url,
                                  .headers = headers,
                                  .body = r->body,
                                  .want = "WWW-Authenticate",
                                  .max_body = max,
                                  .stall_ms = STALL_MS,
                                  .follow = strcmp(r->method, "GET") == 0,
                                  .identity = true,
                                  .on_done = on_done,
                                  .arg = w};

    buf_init(&w->out->body, max);
    if (!kube_http_start(o->http, &q, &w->err))
        w->done = true;
    while (!w->done)
        loop_turn(o->loop, -1);
    mem_wipe(auth);
}

/* ---- who one is ---- */

/* The value of name="value" in a challenge; the caller frees it. */
static char *
parameter(const char *challenge, const char *name)
{
    AUTO(mem_free_ptr) char *key = mem_printf("%s=\"", name);
    const char *at = strstr(challenge, key);
    const char *end;

    if (!at)
        return mem_strdup("");
    at += strlen(key);
    end = strchr(at, '"');
    return end ? mem_strndup(at, (size_t)(end - at)) : mem_strdup("");
}

/* "Basic ...", or NULL. */
static char *
basic(const struct oci *o)
{
    struct buf b = BUF_INIT((size_t)1 << 20);
    char *value = NULL;

    if (o->options.credentials &&
        dockerconfig_basic_for(o->options.credentials, o->ref.host, &b))
        value = mem_printf("Basic %s", buf_cstr(&b));
    dockerconfig_wipe(&b);
    return value;
}

/* What somebody who may not can do about it. */
static void
denied_remedy(const struct oci *o, struct error *err)
{
    const char *helper =
        o->options.credentials
            ? dockerconfig_helper(o->options.credentials, o->ref.host)
            : NULL;

    if (helper)
        error_remedy(err, "MT-PKG-PULL",
                     "The credential for %s is kept by docker-credential-%s, "
                     "which meshtop does not run:\nput a plain one into a "
                     "configuration of its own and name it in DOCKER_CONFIG.",
                     o->ref.host, helper);
    else
        error_remedy(err, "MT-PKG-PULL", "docker login %s", o->ref.host);
}

/* Asks the token server that the challenge names. */
static char *
token(struct oci *o, const char *challenge, bool push, struct error *err)
{
    AUTO(mem_free_ptr) char *realm = parameter(challenge, "realm");
    AUTO(mem_free_ptr) char *service = parameter(challenge, "service");
    AUTO(mem_free_ptr)
    char *scope =
        mem_printf("repository:%s:pull%s", o->repository, push ? ",push" : "");
    AUTO(buf_release) struct buf url = BUF_INIT(8192);
    AUTO(oci_answer_release) struct oci_answer a = {0};
    struct waiting w = {.out = &a};
    struct oci_request r = {.method = "GET"};
    char *who = NULL, *value = NULL;

    if (!str_starts(str_of(realm), STR("https://")) &&
        strcmp(o->scheme, "http") != 0) {
        error_set(err, ERR_DENIED, "%s names a token server without TLS: %s",
                  o->host, realm);
        return NULL;
    }
    buf_puts(&url, realm);
    if (*service)
        kube_query_add(&url, "service", str_of(service));
    kube_query_add(&url, "scope", str_of(scope));
    who = basic(o);
    request_once(o, buf_cstr(&url), who, &r, &w);
    mem_wipe(who);
    free(w.challenge);
    AUTO(json_free_ptr)
    struct json *j = json_parse(buf_view(&a.body), NULL, NULL);
    const char *t = json_get_string(j, "token");

    if (!t)
        t = json_get_string(j, "access_token");
    if (a.status == 200 && t && *t)
        value = mem_printf("Bearer %s", t);
    if (!value) {
        error_set(err, ERR_DENIED, "%s gives no token (%d)", realm, a.status);
        denied_remedy(o, err);
    }
    return value;
}

/* True: there is something new to say who one is. */
static bool
authorize(struct oci *o, const char *challenge, bool push, struct error *err)
{
    bool bearer = strncasecmp(challenge, "Bearer", 6) == 0;
    char *value = bearer ? token(o, challenge, push, err)
                  : strncasecmp(challenge, "Basic", 5) == 0 ? basic(o)
                                                            : NULL;

    if (!value)
        return false;
    mem_wipe(o->authorization);
    o->authorization = value;
    return true;
}

/* ---- again, until it is an answer ---- */

/* Only names of this machine are tried in plain HTTP unasked. */
static bool
is_loopback(const char *host)
{
    return str_starts(str_of(host), STR("localhost:")) ||
           strcmp(host, "localhost") == 0 ||
           str_starts(str_of(host), STR("127.")) ||
           str_starts(str_of(host), STR("[::1]"));
}

static char *
url_of(const struct oci *o, const char *path)
{
    return *path == '/' ? mem_printf("%s://%s%s", o->scheme, o->host, path)
                        : mem_strdup(path);
}

/* Credentials go to the registry itself only. */
static bool
is_own(const struct oci *o, const char *url)
{
    AUTO(mem_free_ptr) char *own = mem_printf("%s://%s/", o->scheme, o->host);

    return str_starts(str_of(url), str_of(own));
}

static bool
try_once(struct oci *o, const struct oci_request *r, struct oci_answer *out,
         char **challenge, struct error *err)
{
    AUTO(mem_free_ptr) char *url = url_of(o, r->path);
    struct waiting w = {.out = out};

    request_once(o, url, is_own(o, url) ? o->authorization : NULL, r, &w);
    *challenge = w.challenge;
    if (w.err.code) {
        *err = w.err;
        return false;
    }
    o->settled = true;
    return out->status < 500 ||
           error_set(err, ERR_NETWORK, "%s answers %d", o->host, out->status);
}

bool
oci_call(struct oci *o, const struct oci_request *r, struct oci_answer *out,
         struct error *err)
{
    bool asked = false;
    struct error why = {0};

    for (unsigned tries = 0; tries < TRIES;) {
        AUTO(mem_free_ptr) char *challenge = NULL;
        struct error refused = {0};

        why = (struct error){0};
        if (try_once(o, r, out, &challenge, &why)) {
            if (out->status != 401 || asked || !challenge ||
                !authorize(o, challenge, r->push, &refused)) {
                if (refused.code && out->status == 401)
                    *err = refused;
                return !refused.code;
            }
            asked = true;
            oci_answer_release(out);
            continue;
        }
        oci_answer_release(out);
        if (!o->settled && is_loopback(o->host) &&
            strcmp(o->scheme, "https") == 0) {
            o->scheme = "http";
            continue;
        }
        if (why.code == ERR_LIMIT || why.code == ERR_USAGE)
            break;
        if (++tries < TRIES)
            loop_pause(o->loop, PAUSE_MS << tries);
    }
    *err = why;
    return false;
}

bool
oci_refused(const struct oci *o, const struct oci_answer *a, const char *what,
            struct error *err)
{
    AUTO(json_free_ptr)
    struct json *j = json_parse(buf_view(&a->body), NULL, NULL);
    const struct json *e = json_first(json_get(j, "errors"));
    const char *code = json_string_or(json_get(e, "code"), "");
    const char *words = json_string_or(json_get(e, "message"), "");
    bool denied = a->status == 401 || a->status == 403;

    error_set(err, denied ? ERR_DENIED : ERR_NOT_FOUND,
              "%s: %s answers %d%s%s%s%s", what, o->host, a->status,
              *code ? " " : "", code, *words ? ": " : "", words);
    if (denied)
        denied_remedy(o, err);
    else
        error_remedy(err, "MT-PKG-PULL", "Is the name right? %s", o->ref.exact);
    return false;
}
