/*
 * fake.h - a peer on the other end of a real socket, in the test's own loop.
 *
 * What: listens on loopback, reads one HTTP/1.1 request after the other and
 * hands each to the test, which writes any bytes it likes. For what a real
 * server cannot be made to do on demand: cut streams, garbage, silence.
 */
#ifndef TESTS_UNIT_KUBE_FAKE_H
#define TESTS_UNIT_KUBE_FAKE_H

/* clang-format off */
#include "tests/unit/test.h"
/* clang-format on */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/loop.h"
#include "lib/base/mem.h"

struct fake;

struct fake_conn {
    struct fake *f;
    struct loop_fd *watch;
    int fd;
    struct buf in, out; /* out: what the client has not taken yet */
    bool closing;       /* when out is empty */
};

struct fake_request {
    struct str method, path, head, body;
};

typedef void fake_fn(void *arg, struct fake_conn *c,
                     const struct fake_request *r);

struct fake {
    struct loop *l;
    struct loop_fd *watch;
    int fd;
    fake_fn *fn;
    void *arg;
    struct fake_conn *conns[64];
    char url[64];
    unsigned requests;
};

static UNUSED void
fake_drop(struct fake_conn *c)
{
    if (c->fd < 0)
        return;
    loop_fd_del(c->watch);
    c->watch = NULL;
    close(c->fd);
    c->fd = -1;
}

/* Ends the connection once all that was sent has gone. */
static UNUSED void
fake_close(struct fake_conn *c)
{
    c->closing = true;
    if (!c->out.n)
        fake_drop(c);
}

static UNUSED void
fake_flush(struct fake_conn *c)
{
    ssize_t n = 1;

    while (c->fd >= 0 && c->out.n && n > 0) {
        n = send(c->fd, c->out.s, c->out.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0)
            buf_consume(&c->out, (size_t)n);
        else if (errno != EAGAIN)
            fake_drop(c);
    }
    if (c->fd < 0)
        return;
    loop_fd_set(c->watch,
                c->out.n ? LOOP_READ | LOOP_WRITE : (unsigned)LOOP_READ);
    if (c->closing && !c->out.n)
        fake_drop(c);
}

static UNUSED void
fake_send(struct fake_conn *c, struct str s)
{
    buf_str(&c->out, s);
    fake_flush(c);
}

/* A whole answer; head lines end with \r\n. */
static UNUSED void
fake_answer(struct fake_conn *c, int status, const char *head, struct str body)
{
    struct buf b = BUF_INIT(BUF_TEXT_MAX);

    buf_printf(&b, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n", status,
               body.n, head ? head : "Content-Type: application/json\r\n");
    buf_str(&b, body);
    fake_send(c, buf_view(&b));
    buf_release(&b);
}

/* The head of a stream that ends when the connection does. */
static UNUSED void
fake_stream(struct fake_conn *c)
{
    fake_send(c, STR("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                     "Connection: close\r\n\r\n"));
}

static UNUSED bool
fake_take(struct fake_conn *c)
{
    struct str in = buf_view(&c->in), line, rest;
    size_t head = str_find(in, STR("\r\n\r\n"), 0), length = 0, at;
    struct fake_request r = {0};
    uint64_t n = 0;

    if (head == SIZE_MAX)
        return false;
    r.head = str_sub(in, 0, head + 2);
    at = str_find(r.head, STR("Content-Length: "), 0);
    if (at != SIZE_MAX) {
        str_cut(str_from(r.head, at + 16), '\r', &line, &rest);
        str_to_u64(line, &n);
        length = (size_t)n;
    }
    if (in.n < head + 4 + length)
        return false;
    r.body = str_sub(in, head + 4, length);
    str_cut(in, ' ', &r.method, &rest);
    str_cut(rest, ' ', &r.path, &rest);
    c->f->requests++;
    c->f->fn(c->f->arg, c, &r);
    buf_consume(&c->in, head + 4 + length);
    return c->fd >= 0;
}

static UNUSED void
fake_read(void *arg, unsigned events)
{
    struct fake_conn *c = arg;
    char piece[4096];
    ssize_t n;

    if (events & LOOP_WRITE)
        fake_flush(c);
    if (c->fd < 0 || !(events & (LOOP_READ | LOOP_HANGUP)))
        return;
    n = read(c->fd, piece, sizeof(piece));
    if (n <= 0) {
        fake_drop(c);
        return;
    }
    buf_add(&c->in, piece, (size_t)n);
    while (fake_take(c))
        ;
}

static UNUSED void
fake_accept(void *arg, unsigned events)
{
    struct fake *f = arg;
    struct fake_conn *c = mem_zalloc(1, sizeof(*c));

    (void)events;
    c->f = f;
    c->fd = accept(f->fd, NULL, NULL);
    buf_init(&c->in, BUF_TEXT_MAX);
    buf_init(&c->out, BUF_TEXT_MAX);
    c->watch = loop_fd_add(f->l, c->fd, LOOP_READ, fake_read, c, NULL);
    for (size_t i = 0; i < ARRAY_LEN(f->conns); i++) {
        if (f->conns[i] && f->conns[i]->fd >= 0)
            continue;
        if (f->conns[i]) {
            buf_release(&f->conns[i]->in);
            buf_release(&f->conns[i]->out);
            free(f->conns[i]);
        }
        f->conns[i] = c;
        return;
    }
    fail_msg("too many connections");
}

static UNUSED void
fake_init(struct fake *f, struct loop *l, fake_fn *fn, void *arg)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof(a);

    *f = (struct fake){.l = l, .fn = fn, .arg = arg};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    f->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(f->fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(f->fd, 16), 0);
    getsockname(f->fd, (struct sockaddr *)&a, &n);
    snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%d", ntohs(a.sin_port));
    f->watch = loop_fd_add(l, f->fd, LOOP_READ, fake_accept, f, NULL);
}

/* The same on a unix socket; who made path removes it. */
static UNUSED void
fake_init_unix(struct fake *f, struct loop *l, const char *path, fake_fn *fn,
               void *arg)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    *f = (struct fake){.l = l, .fn = fn, .arg = arg};
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    f->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(f->fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(f->fd, 16), 0);
    snprintf(f->url, sizeof(f->url), "unix://%.50s", path);
    f->watch = loop_fd_add(l, f->fd, LOOP_READ, fake_accept, f, NULL);
}

/* As a process that dies: nobody accepts any more, nothing is answered. */
static UNUSED void
fake_die(struct fake *f)
{
    for (size_t i = 0; i < ARRAY_LEN(f->conns); i++)
        if (f->conns[i])
            fake_drop(f->conns[i]);
    if (f->fd < 0)
        return;
    loop_fd_del(f->watch);
    f->watch = NULL;
    close(f->fd);
    f->fd = -1;
}

static UNUSED void
fake_release(struct fake *f)
{
    fake_die(f);
    for (size_t i = 0; i < ARRAY_LEN(f->conns); i++) {
        if (!f->conns[i])
            continue;
        buf_release(&f->conns[i]->in);
        buf_release(&f->conns[i]->out);
        free(f->conns[i]);
    }
}

/* Turns the loop until *flag, at most 10 s. */
static UNUSED void
fake_until(struct loop *l, const bool *flag)
{
    for (int i = 0; i < 20000 && !*flag; i++)
        loop_turn(l, 1);
    assert_true(*flag);
}

#endif
