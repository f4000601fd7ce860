#include "devenv/docker_hijack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/mem.h"

#include "lib/kube/http_head.h"

#include "devenv/failure.h"

#define HEAD_MAX ((size_t)64 << 10)

struct hijack {
    const struct docker_hijack *q;
    int fd;
    struct loop_fd *watch;
    struct buf request; /* then: how much of input went */
    struct str left;    /* what is to be sent now */
    struct buf head;    /* head, later the body of a refusal */
    struct http_head fields;
    bool open;       /* the head came: the connection is the program's */
    bool input_sent; /* and its end was told */
    bool done, late;
    int os_error;
};

/* ---- connecting ---- */

static socklen_t
unix_address(const char *path, struct sockaddr_storage *out)
{
    struct sockaddr_un *u = (struct sockaddr_un *)out;

    if (strlen(path) >= sizeof(u->sun_path))
        return 0;
    u->sun_family = AF_UNIX;
    memcpy(u->sun_path, path, strlen(path) + 1);
    return sizeof(*u);
}

/* "tcp://127.0.0.1:2375"; names are not looked up here. */
static socklen_t
tcp_address(const char *url, struct sockaddr_storage *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct str host, port;
    AUTO(mem_free_ptr) char *name = NULL;
    uint64_t n;

    if (!str_starts(str_of(url), STR("tcp://")) ||
        !str_cut(str_of(url + 6), ':', &host, &port) || !str_to_u64(port, &n) ||
        n > 65535)
        return 0;
    name = str_eqz(host, "localhost") ? mem_strdup("127.0.0.1")
                                      : mem_strndup(host.s, host.n);
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)n);
    return inet_pton(AF_INET, name, &v4->sin_addr) == 1 ? sizeof(*v4) : 0;
}

static bool
connect_to(const struct docker *d, struct hijack *h, struct error *err)
{
    struct sockaddr_storage a = {0};
    const char *path = docker_socket(d);
    socklen_t n =
        path[0] ? unix_address(path, &a) : tcp_address(docker_host(d), &a);

    if (!n)
        return error_set(err, ERR_UNSUPPORTED,
                         "cannot %s: standard input needs a unix socket or a "
                         "numeric address, not %s",
                         h->q->doing, docker_host(d));
    h->fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (h->fd >= 0 && (connect(h->fd, (struct sockaddr *)&a, n) == 0 ||
                       errno == EINPROGRESS || errno == EAGAIN))
        return true;
    error_errno(err, errno == EACCES ? ERR_DENIED : ERR_NETWORK,
                "cannot %s: cannot connect to %s", h->q->doing, docker_host(d));
    if (err)
        failure_remedy(err, err->code == ERR_DENIED ? "MT-ENGINE-PERM"
                                                    : "MT-ENGINE-DOWN");
    return false;
}

/* ---- the conversation ---- */

static void
finish(struct hijack *h, int os_error)
{
    h->done = true;
    h->os_error = os_error;
    loop_fd_del(h->watch);
    h->watch = NULL;
}

static void
on_late(void *arg)
{
    ((struct hijack *)arg)->late = true;
}

static void
send_more(struct hijack *h)
{
    ssize_t n;

    while (h->left.n) {
        n = send(h->fd, h->left.s, h->left.n, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        /* A program may end before it has read all: its output counts. */
        if (n < 0)
            n = (ssize_t)h->left.n;
        h->left = str_from(h->left, (size_t)n);
    }
    if (!h->left.n && h->open && !h->input_sent) {
        h->input_sent = true;
        shutdown(h->fd, SHUT_WR);
    }
    loop_fd_set(h->watch,
                h->left.n ? LOOP_READ | LOOP_WRITE : (unsigned)LOOP_READ);
}

/* Takes whole lines of the head; true when it is complete. */
static bool
take_head(struct hijack *h)
{
    const char *end;

    while ((end = memchr(buf_cstr(&h->head), '\n', h->head.n))) {
        size_t n = (size_t)(end - h->head.s) + 1;
        bool last = http_head_line(&h->fields,
                                   str_trim(str_sub(buf_view(&h->head), 0, n)));

        buf_consume(&h->head, n);
        if (last && h->fields.status)
            return true;
    }
    return false;
}

/* A refusal is over when its body is there. */
static bool
refusal_is_whole(const struct hijack *h)
{
    uint64_t n;

    return h->fields.wanted && str_to_u64(str_of(h->fields.wanted), &n) &&
           h->head.n >= n;
}

static void
receive(struct hijack *h, struct str bytes)
{
    bool had_head = h->fields.status && h->open;

    if (!had_head) {
        if (!buf_str(&h->head, bytes)) {
            finish(h, EMSGSIZE);
            return;
        }
        if (!h->fields.status || h->fields.status < 101)
            h->open = take_head(h) &&
                      (h->fields.status == 101 || h->fields.status / 100 == 2);
        if (!h->open) {
            if (h->fields.status >= 300 && refusal_is_whole(h))
                finish(h, 0);
            return;
        }
        h->left = h->q->input;
        send_more(h);
        bytes = buf_view(&h->head);
    }
    if (!docker_frames_feed(h->q->frames, bytes))
        finish(h, 0);
}

static void
on_ready(void *arg, unsigned events)
{
    struct hijack *h = arg;
    char piece[16384];
    ssize_t n;

    if (events & LOOP_WRITE)
        send_more(h);
    if (!(events & (LOOP_READ | LOOP_HANGUP)))
        return;
    n = recv(h->fd, piece, sizeof(piece), 0);
    if (n > 0)
        receive(h, str_n(piece, (size_t)n));
    else if (n == 0)
        finish(h, 0);
    else if (errno == ECONNRESET && h->open)
        finish(h, 0); /* Podman's end, when input was left over */
    else if (errno != EAGAIN && errno != EINTR)
        finish(h, errno);
}

/* ---- the end ---- */

static bool
outcome(const struct docker *d, const struct hijack *h, struct error *err)
{
    if (h->open && !h->os_error)
        return true;
    if (!h->os_error && h->fields.status >= 300)
        return docker_refused(h->fields.status,
                              h->fields.content_type ? h->fields.content_type
                                                     : "",
                              buf_view(&h->head), h->q->doing, err);
    error_set(err, ERR_NETWORK, "cannot %s: the connection to %s broke%s%s",
              h->q->doing, docker_host(d), h->os_error ? ": " : "",
              h->os_error ? strerror(h->os_error) : "");
    if (err)
        failure_remedy(err, "MT-ENGINE-DOWN");
    return false;
}

static bool
converse(struct docker *d, struct step_run *run, struct hijack *h,
         struct error *err)
{
    struct loop_timer *t =
        loop_timer_add(docker_loop(d), h->q->limit_ms, on_late, h);
    bool stopped = false;

    while (!h->done && !h->late && !(stopped = run && step_cancelled(run, err)))
        loop_turn(docker_loop(d), -1);
    loop_timer_del(t);
    if (stopped)
        return false;
    if (!h->done)
        return error_set(err, ERR_TIMEOUT, "cannot %s: not done after %.1f s",
                         h->q->doing, (double)h->q->limit_ms / 1000.0);
    return outcome(d, h, err);
}

bool
docker_hijack(struct docker *d, struct step_run *run,
              const struct docker_hijack *q, struct error *err)
{
    struct hijack h = {.q = q, .fd = -1, .fields = {.want = "Content-Length"}};
    bool ok = connect_to(d, &h, err);

    buf_init(&h.request, HEAD_MAX + q->body.n);
    buf_init(&h.head, HEAD_MAX);
    buf_printf(&h.request,
               "POST %s%s HTTP/1.1\r\nHost: localhost\r\n"
               "Connection: Upgrade\r\nUpgrade: tcp\r\n"
               "Content-Type: application/json\r\n"
               "Content-Length: %zu\r\n\r\n",
               docker_prefix(d), q->path, q->body.n);
    buf_str(&h.request, q->body);
    h.left = buf_view(&h.request);
    if (ok)
        h.watch = loop_fd_add(docker_loop(d), h.fd, LOOP_READ | LOOP_WRITE,
                              on_ready, &h, err);
    ok = h.watch && converse(d, run, &h, err);
    loop_fd_del(h.watch);
    if (h.fd >= 0)
        close(h.fd);
    http_head_release(&h.fields);
    buf_release(&h.request);
    buf_release(&h.head);
    return ok;
}
