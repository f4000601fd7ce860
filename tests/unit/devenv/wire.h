/*
 * wire.h - the recordings of tests/wire/docker, and a peer that plays them.
 *
 * A recording: lines that begin with '#' (the request first: "# GET /path"),
 * the head of the answer, an empty line, its body. "\r" at the end of a body's
 * line stands for a carriage return; a body may be a hex dump. With
 * Transfer-Encoding: chunked the body is what the chunks held, but for
 * NN-*-raw-chunks, which hold the chunks themselves.
 */
#ifndef TESTS_UNIT_DEVENV_WIRE_H
#define TESTS_UNIT_DEVENV_WIRE_H

#include <ctype.h>
#include <dirent.h>

#include "lib/base/file.h"
#include "lib/base/str.h"

#include "tests/unit/kube/fake.h"

#define WIRE "tests/wire/docker"

struct recording {
    char *method, *path; /* of the request */
    struct buf raw;      /* the answer, as it went over the wire */
    size_t head_n;       /* of raw */
    bool chunked, sized; /* else the connection's end is its end */
};

static UNUSED void
recording_release(struct recording *r)
{
    free(r->method);
    free(r->path);
    buf_release(&r->raw);
}

static UNUSED bool
is_hex_line(struct str line)
{
    if (line.n < 10 || line.s[6] != ' ' || line.s[7] != ' ')
        return false;
    for (size_t i = 0; i < 6; i++)
        if (!isxdigit((unsigned char)line.s[i]))
            return false;
    return true;
}

static UNUSED void
add_hex(struct buf *out, struct str line)
{
    for (size_t at = 8; at + 1 < MIN(line.n, (size_t)56); at += 3) {
        char two[3] = {line.s[at], line.s[at + 1], 0};

        if (isxdigit((unsigned char)two[0]))
            buf_putc(out, (char)strtol(two, NULL, 16));
    }
}

static UNUSED void
add_body(struct buf *out, struct str text)
{
    bool hex = is_hex_line(text);

    while (text.n) {
        const char *end = memchr(text.s, '\n', text.n);
        size_t n = end ? (size_t)(end - text.s) + 1 : text.n;
        struct str line = str_sub(text, 0, n);

        text = str_from(text, n);
        if (hex)
            add_hex(out, line);
        else if (str_ends(line, STR("\\r\n"))) {
            buf_str(out, str_sub(line, 0, n - 3));
            buf_puts(out, "\r\n");
        } else {
            buf_str(out, line);
        }
    }
}

/* Reads a recording: name is a file's name without ".http". */
static UNUSED void
recording_load(struct recording *r, const char *name)
{
    char path[256];
    struct buf text = BUF_INIT(1 << 20), body = BUF_INIT(1 << 20);
    struct str rest, line, method;
    struct error e;

    snprintf(path, sizeof(path), WIRE "/%s.http", name);
    if (!file_read(path, &text, &e))
        fail_msg("%s", e.msg);
    *r = (struct recording){.raw = BUF_INIT(1 << 20)};
    rest = buf_view(&text);
    while (rest.n && rest.s[0] == '#') {
        str_cut(rest, '\n', &line, &rest);
        if (!r->method && str_cut(str_from(line, 2), ' ', &method, &line)) {
            r->method = mem_strndup(method.s, method.n);
            str_cut(line, ' ', &line, &method);
            r->path = mem_strndup(line.s, line.n);
        }
    }
    while (rest.n && rest.s[0] != '\n') {
        str_cut(rest, '\n', &line, &rest);
        buf_printf(&r->raw, "%.*s\r\n", STR_ARG(line));
        r->chunked |= str_starts(line, STR("Transfer-Encoding: chunked"));
        r->sized |= str_starts(line, STR("Content-Length:"));
    }
    buf_puts(&r->raw, "\r\n");
    r->head_n = r->raw.n;
    add_body(&body, str_from(rest, 1));
    if (r->chunked && !strstr(name, "raw-chunks")) {
        if (body.n)
            buf_printf(&r->raw, "%zx\r\n", body.n);
        buf_str(&r->raw, buf_view(&body));
        buf_puts(&r->raw, body.n ? "\r\n0\r\n\r\n" : "0\r\n\r\n");
    } else {
        buf_str(&r->raw, buf_view(&body));
    }
    buf_release(&text);
    buf_release(&body);
}

/* The answers of a peer, one request after the other; the last one again. */
struct script {
    struct recording v[6];
    size_t n, at;
    bool cuts; /* answer cut_at ends after cut bytes */
    size_t cut_at, cut;
    bool hold;          /* the last one's end never comes */
    char asked[6][512]; /* "METHOD path" */
};

static UNUSED void
script_play(void *arg, struct fake_conn *c, const struct fake_request *q)
{
    struct script *s = arg;
    size_t i = MIN(s->at, s->n - 1);
    const struct recording *r = &s->v[i];
    struct str raw = buf_view(&r->raw);
    bool cut = s->cuts && i == s->cut_at;

    if (s->at < ARRAY_LEN(s->asked))
        snprintf(s->asked[s->at], sizeof(s->asked[0]), "%.*s %.*s",
                 STR_ARG(q->method), STR_ARG(q->path));
    if (cut)
        raw = str_sub(raw, 0, s->cut);
    if (s->hold && i == s->n - 1)
        raw.n -= strlen("0\r\n\r\n");
    /* A client asks again when it got no line on a connection it used. */
    s->at += memchr(raw.s, '\n', raw.n) != NULL;
    fake_send(c, raw);
    if (cut || (!r->chunked && !r->sized))
        fake_close(c);
}

static UNUSED void
script_release(struct script *s)
{
    for (size_t i = 0; i < s->n; i++)
        recording_release(&s->v[i]);
    *s = (struct script){0};
}

/* names: recordings, spaces between. */
static UNUSED void
script_load(struct script *s, const char *names)
{
    struct str rest = str_of(names), name;

    *s = (struct script){0};
    while (rest.n && str_next(&rest, ' ', &name)) {
        AUTO(mem_free_ptr) char *z = mem_strndup(name.s, name.n);

        assert_true(s->n < ARRAY_LEN(s->v));
        recording_load(&s->v[s->n++], z);
    }
}

#endif
