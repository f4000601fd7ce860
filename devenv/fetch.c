/*
 * A download is rounds over its addresses. A round in which enough new bytes
 * came counts as progress; `tries` rounds without it end it. What came stays in
 * the part, so each round goes on where the last one stopped.
 *
 *   cache_holds -> part_open -> rounds -> hash -> part_finish
 *                     ^------- a resumed part that is wrong begins anew, once
 */
#include "devenv/fetch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/random.h"

#include "devenv/failure.h"
#include "devenv/fetch_part.h"
#include "devenv/fetch_transfer.h"

#define SUMS_MAX   ((size_t)64 << 10)
#define SIZE_CAP   ((uint64_t)512 << 20)
#define URLS_MAX   8
#define ROUNDS_MAX 200 /* whatever the progress */

struct job {
    struct step_run *run;
    struct kube_http *http;
    const struct fetch_request *r;
    struct fetch_options o;
    const char *urls[URLS_MAX];
    bool dead[URLS_MAX];
    char etags[URLS_MAX][TRANSFER_ETAG];
    size_t n;
    struct part *part; /* or: */
    struct buf *text;
    int64_t until_ms;
    uint64_t came, best;
    struct error err; /* of the first address, as long as there is one */
};

static void
fill_options(struct fetch_options *o)
{
    o->limit_ms = o->limit_ms ? o->limit_ms : 15 * 60 * 1000;
    o->slow_ms = o->slow_ms ? o->slow_ms : 30000;
    o->slow_bytes = o->slow_bytes ? o->slow_bytes : 30000;
    o->pause_ms = o->pause_ms ? o->pause_ms : 500;
    o->tries = o->tries ? o->tries : 5;
}

/* ---- rounds ---- */

/* Asks one address; *pause_ms grows to what it asked for. */
static enum transfer_end
ask(struct job *j, size_t i, int64_t *pause_ms)
{
    struct transfer t = {.run = j->run,
                         .http = j->http,
                         .o = &j->o,
                         .what = j->r->what,
                         .url = j->urls[i],
                         .part = j->part,
                         .text = j->text,
                         .total = j->part ? j->r->size : 0,
                         .etag = j->etags[i],
                         .until_ms = j->until_ms};
    enum transfer_end end = transfer_run(&t);

    j->came += t.came;
    *pause_ms = MAX(*pause_ms, t.retry_after_ms);
    j->dead[i] = end == TRANSFER_ELSEWHERE;
    if (end == TRANSFER_WHOLE)
        return end;
    if (strcmp(t.err.msg, j->err.msg) != 0) /* the same again says nothing */
        step_log(j->run, str_of(t.err.msg));
    if (i == 0 || !j->err.code || end == TRANSFER_NEVER)
        j->err = t.err;
    return end;
}

/* One round. TRANSFER_ELSEWHERE: every address is dead. */
static enum transfer_end
ask_all(struct job *j, int64_t *pause_ms)
{
    enum transfer_end all = TRANSFER_ELSEWHERE;

    for (size_t i = 0; i < j->n; i++) {
        enum transfer_end end;

        if (j->dead[i])
            continue;
        end = ask(j, i, pause_ms);
        if (end == TRANSFER_WHOLE || end == TRANSFER_NEVER)
            return end;
        if (end == TRANSFER_AGAIN)
            all = TRANSFER_AGAIN;
    }
    return all;
}

/* Between half and all of the pause, so that many who failed together do not
 * come back together. */
static int64_t
jitter(int64_t ms)
{
    return ms / 2 + (int64_t)random_below((uint32_t)(ms / 2 + 1));
}

/* A name that does not resolve, a port nobody listens on: seldom better soon.
 */
#define UNREACHED_MAX 3

static bool
unreached(const struct job *j)
{
    return strcmp(j->err.id, "MT-NET-DNS") == 0;
}

static bool
rounds(struct job *j, struct error *err)
{
    unsigned idle = 0;

    for (unsigned n = 0; n < ROUNDS_MAX && idle < j->o.tries; n++) {
        int64_t pause = 0;
        enum transfer_end end = ask_all(j, &pause);

        if (end == TRANSFER_WHOLE)
            return true;
        if (end != TRANSFER_AGAIN)
            break;
        idle++;
        if (j->part && j->part->have >= j->best + j->o.slow_bytes) {
            j->best = j->part->have;
            idle = 0;
        }
        if (idle == j->o.tries || (idle == UNREACHED_MAX && unreached(j)))
            break;
        pause = MAX(pause, jitter(j->o.pause_ms << MIN(MAX(idle, 1) - 1, 4)));
        step_detail(j->run, "%s; trying again in %.1f s", j->err.msg,
                    (double)pause / 1000.0);
        if (!step_pause(j->run, pause, err))
            return false;
    }
    *err = j->err;
    return false;
}

/* ---- the file ---- */

static bool
mismatch(struct job *j, const char *want, const char *got, struct error *err)
{
    part_discard(j->part);
    error_set(err, ERR_INVALID,
              "%s: checksum differs (want %s, got %s). File deleted.",
              j->r->what, want, got);
    failure_remedy(err, "MT-SUM-MISMATCH");
    return false;
}

/* What an earlier try left was wrong: once more from the start. */
static bool
begin_anew(struct job *j, struct error *err)
{
    step_log(j->run, STR("what an earlier download left does not fit; "
                         "it begins anew"));
    j->best = 0;
    memset(j->dead, 0, sizeof(j->dead));
    memset(j->etags, 0, sizeof(j->etags));
    return part_restart(j->part, err);
}

/* Brings the content of the part and judges it. */
static bool
bring(struct job *j, const char *sha256, struct error *err)
{
    struct part *p = j->part;
    char got[sizeof(((struct error *)0)->msg)];
    struct error why = {0};

    for (bool again = true;; again = false) {
        bool there = j->r->size && p->have == j->r->size;

        if (there || rounds(j, &why)) {
            part_hash(p, got);
            if (strcmp(got, sha256) == 0)
                return part_finish(p, err);
        } else if (why.code == ERR_LIMIT) { /* longer than it may be */
            snprintf(got, sizeof(got), "%s", why.msg);
        } else {
            if (strcmp(why.id, "MT-HOST-DISK") == 0)
                part_discard(p);
            if (err)
                *err = why;
            return false;
        }
        if (!again || !p->resumed)
            return mismatch(j, sha256, got, err);
        if (!begin_anew(j, err))
            return false;
    }
}

static void
set_urls(struct job *j, const char *url, const struct strlist *mirrors)
{
    j->n = 0;
    j->urls[j->n++] = url;
    for (size_t i = 0; mirrors && i < mirrors->n && j->n < URLS_MAX; i++)
        j->urls[j->n++] = mirrors->v[i];
}

/* The file whose hash is known. */
static bool
fetch_known(struct job *j, const char *sha256, struct fetch_result *out,
            struct error *err)
{
    AUTO(mem_free_ptr) char *path = cache_path(sha256, err);
    uint64_t cap = j->r->size ? j->r->size : j->r->max;
    bool holds = false, there = true, ok = path != NULL;
    struct part p = {.fd = -1};

    while (ok && there) {
        ok = cache_holds(j->run, path, sha256, &holds, err);
        if (!ok || holds)
            break;
        part_release(&p);
        ok = part_open(&p, j->run, path, cap ? cap : SIZE_CAP, j->until_ms,
                       &there, err);
    }
    if (ok && !holds) {
        set_urls(j, j->r->url, j->r->mirrors);
        j->part = &p;
        j->text = NULL;
        ok = bring(j, sha256, err);
    }
    part_release(&p);
    if (!ok)
        return false;
    out->path = mem_strdup(path);
    snprintf(out->sha256, sizeof(out->sha256), "%s", sha256);
    out->cached = holds;
    out->bytes = j->came;
    return true;
}

/* ---- the vendor's checksum ---- */

static bool
no_checksum(const struct job *j, const char *why, struct error *err)
{
    error_set(err, ERR_NOT_FOUND,
              "%s is not pinned, and its vendor's checksum file cannot be "
              "used: %s",
              j->r->what, why);
    failure_remedy(err, "MT-SUM-MISSING");
    return false;
}

static const char *
base_of(const char *url)
{
    return strrchr(url, '/') + 1;
}

static bool
vendors_hash(struct job *j, char sha256[65], struct error *err)
{
    AUTO(buf_release) struct buf text = BUF_INIT(SUMS_MAX);
    struct error why = {0};
    bool came, refused;

    set_urls(j, j->r->checksum_url, NULL);
    j->text = &text;
    came = rounds(j, &why);
    refused = j->dead[0];
    j->text = NULL;
    j->err = (struct error){0};
    memset(j->dead, 0, sizeof(j->dead));
    memset(j->etags, 0, sizeof(j->etags));
    /* A refusal means there is none; other troubles speak for themselves. */
    if (refused && (strcmp(why.id, "MT-NET-DOWNLOAD") == 0 ||
                    strcmp(why.id, "MT-SUM-MISSING") == 0))
        return no_checksum(j, why.msg, err);
    if (!came) {
        if (err)
            *err = why;
        return false;
    }
    if (fetch_checksum(buf_view(&text), base_of(j->r->url), sha256))
        return true;
    snprintf(why.msg, sizeof(why.msg), "%s says no SHA-256 for %s",
             j->r->checksum_url, base_of(j->r->url));
    return no_checksum(j, why.msg, err);
}

static bool
fetch_job(struct job *j, struct fetch_result *out, struct error *err)
{
    char sha256[65];

    if (j->r->sha256)
        return fetch_known(j, j->r->sha256, out, err);
    if (!vendors_hash(j, sha256, err) || !fetch_known(j, sha256, out, err))
        return false;
    out->vendor = true;
    return true;
}

static bool
is_https(const char *url)
{
    return strncmp(url, "https://", 8) == 0;
}

bool
fetch_file(struct step_run *run, const struct fetch_request *r,
           const struct fetch_options *o, struct fetch_result *out,
           struct error *err)
{
    struct fetch_result result = {0};
    struct job j = {.run = run, .r = r};
    bool ok = is_https(r->url) &&
              (r->sha256 || (r->checksum_url && is_https(r->checksum_url)));

    for (size_t i = 0; r->mirrors && i < r->mirrors->n; i++)
        ok = ok && is_https(r->mirrors->v[i]);
    if (!ok)
        return error_set(err, ERR_USAGE,
                         "%s: only https and a known checksum will do",
                         r->what);
    if (o)
        j.o = *o;
    fill_options(&j.o);
    j.until_ms = clock_mono_ms(clock_system()) + j.o.limit_ms;
    j.http = kube_http_new(run->loop, &(struct kube_tls){.ca = j.o.ca}, err);
    if (!j.http)
        return false;
    ok = fetch_job(&j, &result, err);
    kube_http_free(j.http);
    if (ok)
        *out = result;
    return ok;
}

void
fetch_result_release(struct fetch_result *r)
{
    free(r->path);
    *r = (struct fetch_result){0};
}
