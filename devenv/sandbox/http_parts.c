#include "devenv/sandbox/http_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/duration.h"

#define ANSWER_MAX ((size_t)1 << 30)

void
http_parts_blob(struct http_parts *p, struct blob *b, size_t from, size_t n)
{
    if (!n)
        return;
    p->v = mem_grow(p->v, &p->cap, p->n + 1, sizeof(*p->v));
    p->v[p->n++] = (struct http_part){blob_keep(b), from, n};
    p->total += n;
}

void
http_parts_text(struct http_parts *p, struct str s)
{
    struct blob *b = blob_new(s);

    http_parts_blob(p, b, 0, s.n);
    p->copied += s.n;
    blob_drop(b);
}

void
http_parts_release(struct http_parts *p)
{
    for (size_t i = 0; i < p->n; i++)
        blob_drop(p->v[i].blob);
    free(p->v);
    *p = (struct http_parts){0};
}

struct parts_reader *
parts_reader_new(struct http_parts *p)
{
    struct parts_reader *r = mem_zalloc(1, sizeof(*r));

    r->parts = *p;
    *p = (struct http_parts){0};
    return r;
}

size_t
parts_read(struct parts_reader *r, size_t at, char *out, size_t max)
{
    size_t done = 0;

    if (r->read)
        *r->read = true;
    while (done < max && r->piece < r->parts.n) {
        const struct http_part *p = &r->parts.v[r->piece];
        size_t skip = at + done - r->start;
        size_t n = MIN(p->n - skip, max - done);

        memcpy(out + done, p->blob->data + p->from + skip, n);
        done += n;
        if (skip + n == p->n) {
            r->start += p->n;
            r->piece++;
        }
    }
    return done;
}

void
parts_reader_free(void *reader)
{
    struct parts_reader *r = reader;

    if (r->unsent)
        *r->unsent -= r->parts.copied;
    http_parts_release(&r->parts);
    free(r);
}

void
http_new_id(uint64_t *state, char out[RANDOM_UUID_LEN])
{
    uint64_t v[2];

    for (int i = 0; i < 2; i++) {
        uint64_t z = *state += 0x9e3779b97f4a7c15u;

        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        v[i] = z ^ (z >> 31);
    }
    snprintf(out, RANDOM_UUID_LEN, "%08x-%04x-4%03x-%04x-%012llx",
             (unsigned)(v[0] >> 32), (unsigned)(v[0] >> 16) & 0xffff,
             (unsigned)v[0] & 0xfff, (unsigned)(v[1] >> 48 & 0x3fff) | 0x8000,
             (unsigned long long)(v[1] & 0xffffffffffff));
}

/* ---- answers made of trees ---- */

void
http_set_flow(struct http_request *r)
{
    const char *timeout = http_param(r, "timeout");
    int64_t ns;

    /* A bad ?timeout is refused before there are flows. */
    if (timeout && *timeout && !duration_parse(str_of(timeout), &ns, NULL))
        return;
    http_set_header(r, "X-Kubernetes-Pf-Flowschema-Uid",
                    "5e7d6a4c-4d1b-4b0e-9f5c-1d2f8a1c0b11");
    http_set_header(r, "X-Kubernetes-Pf-Prioritylevel-Uid",
                    "5e7d6a4c-4d1b-4b0e-9f5c-1d2f8a1c0b12");
}

void
http_reply_json(struct http_request *r, int status, const struct json *j)
{
    struct buf b = BUF_INIT(ANSWER_MAX);

    json_print(j, JSON_COMPACT, &b);
    buf_putc(&b, '\n');
    http_reply_buf(r, status, NULL, &b);
}

void
http_reply_status(struct http_request *r, const struct status *st)
{
    struct buf b = BUF_INIT(ANSWER_MAX);

    if (st->retry_after_s > 0)
        http_set_header(r, "Retry-After",
                        arena_printf(r->arena, "%d", st->retry_after_s));
    status_print(st, false, &b);
    http_reply_buf(r, st->code, NULL, &b);
}

struct http_refusal {
    int code, retry_after_s;
    const char *type; /* NULL: JSON */
    struct str body;
};

void
http_refuse(struct http_request *r, struct status *st)
{
    struct http_refusal *f = arena_alloc(r->arena, sizeof(*f));
    AUTO(buf_release) struct buf b = BUF_INIT(ANSWER_MAX);

    status_print(st, false, &b);
    f->code = st->code;
    f->retry_after_s = st->retry_after_s;
    f->body = arena_str(r->arena, buf_view(&b));
    status_release(st);
    r->refused = f;
}

void
http_refuse_text(struct http_request *r, int code, struct str text)
{
    struct http_refusal *f = arena_alloc(r->arena, sizeof(*f));

    f->code = code;
    f->retry_after_s = code == 429 ? 1 : 0;
    f->type = "text/plain; charset=utf-8";
    f->body = arena_str(r->arena, text);
    r->refused = f;
}

void
http_reply_refusal(struct http_request *r)
{
    const struct http_refusal *f = r->refused;

    if (f->retry_after_s > 0)
        http_set_header(r, "Retry-After",
                        arena_printf(r->arena, "%d", f->retry_after_s));
    if (f->code == 403 || f->type)
        http_set_header(r, "X-Content-Type-Options", "nosniff");
    http_reply(r, f->code, f->type, f->body);
}

/* apimachinery meta/v1 types.go: the reason that goes with a code */
static const struct {
    int code;
    const char *reason;
} reasons[] = {
    {400, "BadRequest"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "NotFound"},
    {405, "MethodNotAllowed"},
    {406, "NotAcceptable"},
    {409, "Conflict"},
    {410, "Expired"},
    {413, "RequestEntityTooLarge"},
    {414, "BadRequest"},
    {415, "UnsupportedMediaType"},
    {422, "Invalid"},
    {429, "TooManyRequests"},
    {500, "InternalError"},
    {503, "ServiceUnavailable"},
    {504, "Timeout"},
    {507, "InternalError"},
};

void
http_fail(struct http_request *r, int code, const char *fmt, ...)
{
    AUTO(status_release) struct status st = {0};
    const char *reason = NULL;
    char text[1024];
    va_list ap;

    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (reasons[i].code == code)
            reason = reasons[i].reason;
    }
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    status_set(&st, code, reason, "%s", text);
    http_reply_status(r, &st);
}
