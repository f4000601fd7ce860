/*
 * host_net.c - can what must be fetched be reached, and is our clock right.
 *
 * All hosts are asked at once, each with a limit of its own; no network is a
 * warning with the way to go on without one, never a hang. Any answer of an
 * HTTP server proves the way (registries answer 401).
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/mem.h"

#include "lib/kube/http.h"

#include "devenv/docker.h"
#include "devenv/docker_image.h"
#include "devenv/fetch.h"
#include "devenv/host_check.h"
#include "devenv/lock.h"

#define SITE_LIMIT_MS 6000
#define SITES_MAX     16
#define ALL_LIMIT_MS  (SITE_LIMIT_MS + 1000)
#define SKEW_WARN_S   60
#define SKEW_FAIL_S   300
#define BORN_S        1704067200 /* 2024-01-01: no clock is before that */

struct probe {
    struct host_site site;
    struct error err;
    int status;
    int64_t began_ms, took_ms, date_s;
    bool done;
    bool own_ca;      /* its certificate is signed by host_options.ca */
    char issuer[128]; /* of a certificate that is not trusted, or "" */
};

struct probes {
    struct loop *loop;
    struct probe v[SITES_MAX];
    size_t n;
};

static void
on_done(void *arg, const struct kube_http_response *r, const struct error *err)
{
    struct probe *p = arg;

    p->done = true;
    p->status = r->status;
    p->date_s = r->date_s;
    if (err)
        p->err = *err;
}

static bool
all_done(void *arg)
{
    struct probes *all = arg;
    bool done = true;

    for (size_t i = 0; i < all->n; i++) {
        struct probe *p = &all->v[i];

        if (p->done && !p->took_ms)
            p->took_ms = MAX(loop_now(all->loop) - p->began_ms, 1);
        done &= p->done;
    }
    return done;
}

static void
add_site(struct probes *all, const char *url, const char *what, bool own_ca)
{
    if (all->n < ARRAY_LEN(all->v))
        all->v[all->n++] =
            (struct probe){.site = {url, what}, .own_ca = own_ca};
}

/* The scheme and host of a URL. */
static const char *
origin_of(struct arena *a, const char *url)
{
    struct str s = str_of(url);
    size_t at = str_find(s, STR("://"), 0);
    size_t end = at == SIZE_MAX ? s.n : str_find(s, STR("/"), at + 3);

    return arena_printf(a, "%.*s/", STR_ARG(str_sub(s, 0, end)));
}

static void
add_tool(struct host *h, const struct lock *lock, const char *name,
         struct probes *all)
{
    const struct lock_entry *e = lock_default(lock, name);
    const struct lock_file *f = e ? lock_file(e, NULL) : NULL;

    if (f)
        add_site(all, origin_of(h->arena, f->url),
                 arena_printf(h->arena, "%s", name), false);
}

/* Is the node image in the engine already? */
static bool
has_node_image(struct host *h, struct step_run *run, const struct lock *lock)
{
    const struct lock_entry *e = lock_default(lock, "node");
    const char *ref = h->o->node_image ? h->o->node_image : e ? e->ref : NULL;
    struct docker_image image;

    return ref && h->docker &&
           docker_image(h->docker, run, ref, h->arena, &image, NULL);
}

/* The hosts of what is missing here. */
static void
find_sites(struct host *h, struct step_run *run, struct probes *all)
{
    struct lock lock = {0};

    for (const struct host_site *s = h->o->sites; s && s->url; s++)
        add_site(all, s->url, s->what, h->o->ca != NULL);
    if (h->o->sites || !lock_load(&lock, NULL))
        return;
    if (h->kind_missing)
        add_tool(h, &lock, "kind", all);
    if (h->o->mirror) {
        add_site(all,
                 arena_printf(
                     h->arena, "%s/",
                     origin_of(h->arena, arena_printf(h->arena, "https://%s",
                                                      h->o->mirror))),
                 "packages", h->o->ca != NULL);
    } else {
        if (h->docker && !has_node_image(h, run, &lock))
            add_site(all, "https://registry-1.docker.io/v2/", "node image",
                     false);
        add_site(all, "https://xpkg.crossplane.io/v2/", "Crossplane", false);
    }
    lock_release(&lock);
}

static void
start_all(struct probes *all, struct kube_http *http, struct kube_http *own)
{
    for (size_t i = 0; i < all->n; i++) {
        struct probe *p = &all->v[i];
        struct kube_http_request r = {.method = "HEAD",
                                      .url = p->site.url,
                                      .timeout_ms = SITE_LIMIT_MS,
                                      .connect_ms = SITE_LIMIT_MS,
                                      .on_done = on_done,
                                      .arg = p};

        p->began_ms = loop_now(all->loop);
        p->done = !kube_http_start(p->own_ca ? own : http, &r, &p->err);
    }
}

/* ---- what the answers mean ---- */

static const struct {
    const char *id; /* of lib/kube/http.c */
    const char *ours, *before, *after;
} meanings[] = {
    {"MT-DNS", "MT-NET-DNS", "Cannot reach ", " (the name is not resolved)."},
    {"MT-CONNECT", "MT-NET-DNS", "Cannot reach ", " (nobody accepts)."},
    {"MT-TIMEOUT", "MT-NET-DNS", "Cannot reach ", " (no answer in 6 s)."},
    {"MT-PROXY", "MT-NET-PROXY", "The proxy's name is not resolved (asked for ",
     ")."},
    {"MT-TLS-CA", "MT-NET-PROXY", "A proxy answers for ",
     " (its certificate is not trusted)."},
    {"MT-TLS-NAME", "MT-NET-PROXY", "A proxy answers for ",
     " (its certificate names others)."},
    {"MT-TLS-PLAIN", "MT-NET-PROXY", "A proxy answers for ",
     " (it speaks no TLS)."},
    {"MT-TLS", "MT-NET-PROXY", "A proxy answers for ", " (it speaks no TLS)."},
};

static struct str
host_of(const struct probe *p)
{
    struct str s = str_of(p->site.url);
    size_t at = str_find(s, STR("://"), 0);

    s = str_from(s, at == SIZE_MAX ? 0 : at + 3);
    return str_sub(s, 0, str_find(s, STR("/"), 0));
}

static void
judge_error(const struct probe *p, struct host_check *c)
{
    struct str host = host_of(p);

    if (strcmp(p->err.id, "MT-DNS") != 0)
        host_note(c, "%s", p->err.msg);
    if (*p->issuer) {
        host_blame(c, HOST_WARN, "MT-NET-PROXY",
                   "A proxy answers for %.*s (certificate by \"%s\").",
                   STR_ARG(host), p->issuer);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
        if (strcmp(meanings[i].id, p->err.id) != 0)
            continue;
        host_blame(c, HOST_WARN, meanings[i].ours, "%s%.*s%s",
                   meanings[i].before, STR_ARG(host), meanings[i].after);
        return;
    }
    host_blame(c, HOST_WARN, "MT-NET-DNS", "Cannot reach %.*s (%s).",
               STR_ARG(host), p->err.msg);
}

/* Codes of an answer that is none of the server's. */
static void
judge_answer(const struct probe *p, struct host_check *c)
{
    struct str host = host_of(p);

    host_note(c, "%.*s (%s): %d after %lld ms", STR_ARG(host), p->site.what,
              p->status, (long long)p->took_ms);
    if (p->status == 407)
        host_blame(c, HOST_WARN, "MT-NET-PROXY",
                   "The proxy wants a login (asked for %.*s).", STR_ARG(host));
    else if (p->status == 429)
        host_blame(c, HOST_WARN, "MT-NET-RATELIMIT",
                   "%.*s refuses for now (rate limit).", STR_ARG(host));
}

static void
judge_all(struct host *h, const struct probes *all, struct host_check *c)
{
    int64_t now = h->o->now_s ? h->o->now_s : time(NULL);
    size_t reached = 0;

    for (size_t i = 0; i < all->n; i++) {
        const struct probe *p = &all->v[i];

        /* through a proxy a status may be the proxy's own */
        if (p->err.code && p->status != 407) {
            judge_error(p, c);
            continue;
        }
        reached += p->status != 407;
        judge_answer(p, c);
        if (p->date_s && !h->skew_known) {
            h->skew_known = true;
            h->skew_s = now - p->date_s;
        }
    }
    host_found(c, "%zu of %zu hosts answer", reached, all->n);
}

void
host_check_network(struct host *h, struct step_run *run, struct host_check *c)
{
    struct kube_tls tls = {.ca = h->o->ca};
    struct probes all = {.loop = run->loop};
    char issuer[sizeof(all.v->issuer)] = "";
    struct error err = {0};

    find_sites(h, run, &all);
    if (!all.n) {
        host_found(c, "nothing has to be fetched");
        return;
    }
    struct kube_http *http = kube_http_new(run->loop, NULL, &err);
    struct kube_http *own = http ? kube_http_new(run->loop, &tls, &err) : NULL;

    if (own) {
        start_all(&all, http, own);
        step_wait(run, ALL_LIMIT_MS, all_done, &all, &err);
    }
    kube_http_free(own);
    kube_http_free(http);
    if (err.code == ERR_CANCELLED) {
        host_skip(c, "stopped");
        return;
    }
    for (size_t i = 0; i < all.n; i++) {
        struct probe *p = &all.v[i];

        if (!p->done)
            p->err = err;
        if (strcmp(p->err.id, "MT-TLS-CA") != 0)
            continue;
        if (!*issuer) /* asked once: one proxy stands in all ways */
            fetch_issuer(run, p->site.url, issuer);
        snprintf(p->issuer, sizeof(p->issuer), "%s", issuer);
    }
    judge_all(h, &all, c);
}

void
host_check_clock(struct host *h, struct step_run *run, struct host_check *c)
{
    int64_t now = h->o->now_s ? h->o->now_s : time(NULL);
    int64_t off = h->skew_s < 0 ? -h->skew_s : h->skew_s;

    (void)run;
    host_needed(c, "less than a minute off");
    if (now < BORN_S) {
        host_found(c, "stands before 2024");
        host_blame(c, HOST_FAIL, "MT-HOST-CLOCK",
                   "The clock of this machine was never set.");
        return;
    }
    if (!h->skew_known) {
        host_skip(c, "nobody answered to compare it with");
        return;
    }
    host_found(c, "%lld s %s", (long long)off,
               h->skew_s < 0 ? "behind" : "ahead");
    host_note(c, "compared with the Date of an HTTPS answer");
    if (off >= SKEW_WARN_S)
        host_blame(c, off >= SKEW_FAIL_S ? HOST_FAIL : HOST_WARN,
                   "MT-HOST-CLOCK",
                   "The clock of this machine is %lld s %s: certificates "
                   "and tokens may not be valid.",
                   (long long)off, h->skew_s < 0 ? "behind" : "ahead");
}
