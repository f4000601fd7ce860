#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "tests/kv.h"
#include "tests/peer.h"
#include "tests/unit/test.h"

/*
 * The server runs in a child, the test is its client. The child ends when its
 * pipe closes, and its exit code says whether it ended well.
 */
struct child {
    pid_t pid;
    int pipe;
    unsigned port;
    char token[64];
    char *folder, *data;
};

struct say {
    unsigned port;
    char token[64];
};

static void
on_pipe(void *arg, unsigned events)
{
    (void)events;
    loop_stop(arg, 0);
}

static void
serve(const char *data, int in, int out, unsigned timeout_s)
{
    struct loop *l = loop_new(NULL);
    struct server_options o = {.data = data, .quiet = true};
    struct error err = {0};
    struct say say = {0};
    struct server *s;

    o.http_timeout_s = timeout_s;
    o.http_connections = 12;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    s = server_new(l, &o, kv_modules, &err);
    if (s) {
        say.port = http_port(s->http);
        snprintf(say.token, sizeof(say.token), "%s", s->identity.token);
    } else {
        fprintf(stderr, "# %s\n", err.msg);
    }
    if (write(out, &say, sizeof(say)) == (ssize_t)sizeof(say) && s) {
        loop_fd_add(l, in, LOOP_READ, on_pipe, l, NULL);
        loop_run(l);
    }
    server_free(s);
    loop_free(l);
    exit(s ? 0 : 1);
}

static bool
start(struct child *c, const char *data, unsigned timeout_s)
{
    int down[2], up[2];
    struct say say = {0};

    *c = (struct child){0};
    c->folder = mem_strdup("/tmp/meshtop-server.XXXXXX");
    assert_non_null(mkdtemp(c->folder));
    c->data = data ? mem_strdup(data) : file_join(c->folder, "s.db");
    assert_int_equal(pipe(down), 0);
    assert_int_equal(pipe(up), 0);
    c->pid = fork();
    if (c->pid == 0) {
        close(down[1]);
        close(up[0]);
        serve(c->data, down[0], up[1], timeout_s);
    }
    close(down[0]);
    close(up[1]);
    c->pipe = down[1];
    assert_int_equal(read(up[0], &say, sizeof(say)), sizeof(say));
    close(up[0]);
    c->port = say.port;
    memcpy(c->token, say.token, sizeof(c->token));
    return say.port != 0;
}

static void
stop(struct child *c)
{
    int status = -1;

    close(c->pipe);
    waitpid(c->pid, &status, 0);
    assert_int_equal(status, 0);
    file_remove_tree(c->folder, NULL);
    free(c->folder);
    free(c->data);
}

static void
answers(struct peer *p, const char *method, const char *target,
        const char *body, int status, const char *text)
{
    struct buf b = BUF_INIT(BUF_TEXT_MAX);

    assert_int_equal(peer_call(p, method, target, body, &b), status);
    if (text && !strstr(buf_cstr(&b), text))
        assert_string_equal(buf_cstr(&b), text);
    buf_release(&b);
}

static void
test_requests(void **state)
{
    struct child c;
    struct peer p;

    (void)state;
    assert_true(start(&c, ":memory:", 0));
    assert_true(peer_open(&p, c.port, c.token, 10));
    answers(&p, "GET", "/livez", NULL, 200, "ok");
    answers(&p, "GET", "/readyz?verbose", NULL, 200, "readyz check passed");
    answers(&p, "GET", "/livez/ping", NULL, 200, "ok");
    answers(&p, "GET", "/version", NULL, 200, "\"major\": \"1\"");
    answers(&p, "GET", "/sandbox/status", NULL, 200, "\"objects\":0");
    answers(&p, "PUT", "/kv/a", "hello", 201, "1");
    answers(&p, "PUT", "/kv/a", "world", 200, "2");
    answers(&p, "GET", "/kv/a", NULL, 200, "a=world");
    answers(&p, "GET", "/kv/b", NULL, 404, "\"message\":\"no b\"");
    answers(&p, "PUT", "/kv/b", "", 201, "3");
    answers(&p, "GET", "/kv", NULL, 200, "a=world\nb=\n");
    answers(&p, "DELETE", "/kv/b", NULL, 200, "4");
    answers(&p, "POST", "/echo/x%2Fy?a=1&b=%26+", "12345", 200,
            "POST /echo/x/y a=1 b=&  5");
    peer_close(&p);
    stop(&c);
}

static void
test_who_may_come(void **state)
{
    struct child c;
    struct peer p;

    (void)state;
    assert_true(start(&c, ":memory:", 0));
    assert_true(peer_open(&p, c.port, NULL, 10));
    answers(&p, "GET", "/kv", NULL, 401, "\"reason\":\"Unauthorized\"");
    answers(&p, "GET", "/sandbox/status", NULL, 401, NULL);
    answers(&p, "GET", "/livez/../kv", NULL, 400, NULL);
    answers(&p, "PUT", "/livez", "x", 401, NULL);
    answers(&p, "GET", "/livez", NULL, 200, "ok");
    p.token = "wrong";
    answers(&p, "GET", "/kv", NULL, 401, NULL);
    /* what a stranger sends is not kept: 401, not 413 */
    char *big = mem_zalloc(1, HTTP_BODY_MAX + 2);

    memset(big, 'x', HTTP_BODY_MAX + 1);
    answers(&p, "POST", "/echo", big, 401, NULL);
    free(big);
    p.token = "";
    answers(&p, "GET", "/kv", NULL, 401, NULL);
    p.token = c.token;
    answers(&p, "GET", "/kv", NULL, 200, "");
    peer_close(&p);
    stop(&c);
}

static void
test_hostile_requests(void **state)
{
    struct child c;
    struct peer p;
    struct buf b = BUF_INIT(BUF_TEXT_MAX), answer = BUF_INIT(BUF_TEXT_MAX);

    (void)state;
    assert_true(start(&c, ":memory:", 0));
    assert_true(peer_open(&p, c.port, c.token, 10));
    answers(&p, "GET", "/a/../../etc/passwd", NULL, 400, "in the path");
    answers(&p, "GET", "/%2e%2e/x", NULL, 400, "in the path");
    answers(&p, "GET", "/x%zz", NULL, 400, "invalid escape");
    answers(&p, "GET", "/x%00y", NULL, 400, "control character");
    answers(&p, "GET", "*", NULL, 400, "no absolute path");

    /* a huge URL: said, and the connection lives on */
    buf_puts(&b, "/");
    buf_fill(&b, 'a', URL_MAX + 10);
    answers(&p, "GET", buf_cstr(&b), NULL, 414, "the limit is 8192");
    answers(&p, "GET", "/livez", NULL, 200, "ok");

    /* a body just allowed, and one too long */
    buf_reset(&b);
    buf_fill(&b, 'x', HTTP_BODY_MAX);
    answers(&p, "POST", "/echo", buf_cstr(&b), 200, " 3145728");
    buf_puts(&b, "y");
    answers(&p, "POST", "/echo", buf_cstr(&b), 413,
            "Request entity too large: limit is 3145728");
    answers(&p, "GET", "/livez", NULL, 200, "ok");

    /* a body announced as enormous is refused before it comes */
    buf_reset(&b);
    buf_printf(&b,
               "POST /echo HTTP/1.1\r\nHost: localhost\r\n"
               "Authorization: Bearer %s\r\n"
               "Content-Length: 99999999999\r\n\r\n",
               c.token);
    assert_true(peer_write(&p, buf_view(&b)));
    assert_int_equal(peer_reply(&p, &answer), 413);
    peer_close(&p);
    /* a stranger's is not even called too large */
    assert_true(peer_open(&p, c.port, c.token, 10));
    assert_true(peer_write(&p, STR("POST /echo HTTP/1.1\r\nHost: localhost\r\n"
                                   "Content-Length: 99999999999\r\n\r\n")));
    assert_int_equal(peer_reply(&p, &answer), 401);
    peer_close(&p);

    /* a flood of headers */
    assert_true(peer_open(&p, c.port, c.token, 10));
    buf_reset(&b);
    buf_puts(&b, "GET /livez HTTP/1.1\r\nHost: localhost\r\n");
    for (int i = 0; i < 4000; i++)
        buf_printf(&b, "X-%d: 0123456789\r\n", i);
    buf_puts(&b, "\r\n");
    peer_write(&p, buf_view(&b));
    int status = peer_reply(&p, &answer);

    assert_true(status == 431 || status == 413 || status == 0);
    peer_close(&p);

    /* not HTTP, and not TLS */
    assert_true(peer_open(&p, c.port, c.token, 10));
    peer_write(&p, STR("\x16\x03\x01 nonsense\r\n\r\n"));
    status = peer_reply(&p, &answer);
    assert_true(status == 400 || status == 0);
    peer_close(&p);

    int fd = peer_connect(c.port, 10);

    assert_int_equal(write(fd, "GET / HTTP/1.0\r\n\r\n", 18), 18);
    char byte[64];

    while (read(fd, byte, sizeof(byte)) > 0)
        ;
    close(fd);
    assert_true(peer_open(&p, c.port, c.token, 10));
    answers(&p, "GET", "/livez", NULL, 200, "ok");
    peer_close(&p);
    buf_release(&b);
    buf_release(&answer);
    stop(&c);
}

static void
test_watch(void **state)
{
    struct child c;
    struct peer p, w;
    struct buf b = BUF_INIT(65536);

    (void)state;
    assert_true(start(&c, ":memory:", 0));
    assert_true(peer_open(&p, c.port, c.token, 10));
    answers(&p, "PUT", "/kv/a", "1", 201, "1");
    assert_true(peer_open(&w, c.port, c.token, 10));
    assert_true(peer_send(&w, "GET", "/watch", NULL, NULL));
    assert_int_equal(peer_head(&w), 200);
    while (!strstr(buf_cstr(&b), "END"))
        assert_true(peer_chunk(&w, &b));
    answers(&p, "PUT", "/kv/a", "2", 200, "2");
    answers(&p, "DELETE", "/kv/a", NULL, 200, "3");
    while (!strstr(buf_cstr(&b), "-a"))
        assert_true(peer_chunk(&w, &b));
    assert_string_equal(buf_cstr(&b), "+a=1@1\nEND@1\n~a=2@2\n-a=@3\n");
    peer_close(&w);
    /* the server's end closes the stream properly */
    assert_true(peer_open(&w, c.port, c.token, 10));
    assert_true(peer_send(&w, "GET", "/watch?since=3", NULL, NULL));
    assert_int_equal(peer_head(&w), 200);
    peer_close(&p);
    stop(&c);
    buf_reset(&b);
    assert_false(peer_chunk(&w, &b));
    assert_true(w.whole);
    peer_close(&w);
    buf_release(&b);
}

/* Until the server says so: what status has for word. */
static void
wait_for_status(struct peer *p, const char *target, const char *want)
{
    struct buf b = BUF_INIT(65536);

    for (int i = 0; i < 2000; i++) {
        assert_int_equal(peer_call(p, "GET", target, NULL, &b), 200);
        if (strstr(buf_cstr(&b), want))
            break;
        usleep(1000);
    }
    if (!strstr(buf_cstr(&b), want))
        assert_string_equal(buf_cstr(&b), want);
    buf_release(&b);
}

static void
test_clients_that_leave(void **state)
{
    struct child c;
    struct peer p, w[4];

    (void)state;
    assert_true(start(&c, ":memory:", 0));
    assert_true(peer_open(&p, c.port, c.token, 10));
    for (int i = 0; i < 4; i++) {
        assert_true(peer_open(&w[i], c.port, c.token, 10));
        assert_true(
            peer_send(&w[i], "GET", i < 2 ? "/watch" : "/wait", NULL, NULL));
        if (i < 2)
            assert_int_equal(peer_head(&w[i]), 200);
    }
    wait_for_status(&p, "/sandbox/status", "\"watches\":2");
    wait_for_status(&p, "/sandbox/status", "\"connections\":5");
    for (int i = 0; i < 4; i++) {
        shutdown(w[i].fd, SHUT_RDWR);
        peer_close(&w[i]);
    }
    wait_for_status(&p, "/sandbox/status", "\"watches\":0");
    wait_for_status(&p, "/left", "2 0");
    wait_for_status(&p, "/sandbox/status", "\"connections\":1");
    peer_close(&p);
    stop(&c);
}

static void
test_too_slow_and_too_many(void **state)
{
    struct child c;
    struct peer p, half;
    int raw[40], refused;
    char byte;

    (void)state;
    assert_true(start(&c, ":memory:", 2));
    assert_true(peer_open(&p, c.port, c.token, 10));
    /* One sends half a request, one half a handshake, one nothing; each byte
     * now and then keeps nobody alive. */
    assert_true(peer_open(&half, c.port, c.token, 10));
    assert_true(peer_write(&half, STR("GET /livez HTTP/1.1\r\nHost:")));
    raw[0] = peer_connect(c.port, 10);
    raw[1] = peer_connect(c.port, 10);
    assert_int_equal(write(raw[1], "\x16\x03\x01\x02", 4), 4);
    wait_for_status(&p, "/sandbox/status", "\"connections\":4");
    assert_int_equal(read(raw[0], &byte, 1), 0);
    assert_true(read(raw[1], &byte, 1) <= 0);
    assert_false(peer_more(&half));
    wait_for_status(&p, "/sandbox/status", "\"connections\":1");
    close(raw[0]);
    close(raw[1]);
    peer_close(&half);

    /* 12 connections are allowed; 16 more are told to wait, others closed at
     * once */
    struct peer more;
    struct buf answer = BUF_INIT(65536);

    for (int i = 0; i < 11; i++)
        raw[i] = peer_connect(c.port, 10);
    wait_for_status(&p, "/sandbox/status", "\"connections\":12");
    assert_true(peer_open(&more, c.port, c.token, 10));
    assert_true(peer_send(&more, "GET", "/kv", NULL, NULL));
    assert_int_equal(peer_reply(&more, &answer), 429);
    assert_string_equal(buf_cstr(&answer),
                        "Too many requests, please try again later.\n");
    assert_false(peer_more(&more));
    peer_close(&more);
    buf_release(&answer);
    for (int i = 11; i < 40; i++)
        raw[i] = peer_connect(c.port, 10);
    for (int turn = 0; turn < 500; turn++) {
        refused = 0;
        for (int i = 0; i < 40; i++)
            refused += recv(raw[i], &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
        if (refused >= 40 - 11 - 16)
            break;
        answers(&p, "GET", "/livez", NULL, 200, "ok");
        usleep(1000);
    }
    assert_int_equal(refused, 40 - 11 - 16);
    for (int i = 0; i < 40; i++)
        close(raw[i]);
    peer_close(&p);
    stop(&c);
}

/* Whom a request is meant for: names of loopback, with any port. */
static void
test_host(void **state)
{
    static const struct {
        const char *host;
        int status;
    } rows[] = {
        {"localhost", 200},       {"LocalHost:1", 200},
        {"127.0.0.1:8443", 200},  {"127.9.9.9", 200},
        {"[::1]", 200},           {"[::1]:65535", 200},
        {"evil.example", 421},    {"evil.example:8443", 421},
        {"localhost.evil", 421},  {"127.0.0.1.evil.example", 421},
        {"127.0.0.1:x", 421},     {"127.0.0", 421},
        {"127.0.0.256", 421},     {"10.0.0.1", 421},
        {"[::2]", 421},           {"[::1]x", 421},
        {"localhost:65536", 421}, {"", 421},
    };
    struct child c;
    struct peer p;
    struct buf b = BUF_INIT(65536), answer = BUF_INIT(65536);

    (void)state;
    assert_true(start(&c, ":memory:", 0));
    assert_true(peer_open(&p, c.port, c.token, 10));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_reset(&b);
        buf_printf(&b,
                   "GET /kv HTTP/1.1\r\nHost: %s\r\n"
                   "Authorization: Bearer %s\r\n\r\n",
                   rows[i].host, c.token);
        assert_true(peer_write(&p, buf_view(&b)));
        if (peer_reply(&p, &answer) != rows[i].status)
            fail_msg("Host: %s is not answered with %d", rows[i].host,
                     rows[i].status);
    }
    buf_reset(&b);
    buf_puts(&b, "GET /livez HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    assert_true(peer_write(&p, buf_view(&b)));
    assert_int_equal(peer_reply(&p, &answer), 421);
    assert_non_null(strstr(buf_cstr(&answer), "evil.example"));
    peer_close(&p);
    buf_release(&b);
    buf_release(&answer);
    stop(&c);
}

/* Watches leave a quarter of the connections to others. */
static void
test_watch_limit(void **state)
{
    struct child c;
    struct peer p, w[9], more;
    struct buf answer = BUF_INIT(65536);

    (void)state;
    assert_true(start(&c, ":memory:", 0));
    assert_true(peer_open(&p, c.port, c.token, 10));
    for (int i = 0; i < 9; i++) {
        assert_true(peer_open(&w[i], c.port, c.token, 10));
        assert_true(peer_send(&w[i], "GET", "/watch?watch=1", NULL, NULL));
        assert_int_equal(peer_head(&w[i]), 200);
    }
    assert_true(peer_open(&more, c.port, c.token, 10));
    assert_true(peer_send(&more, "GET", "/watch?watch=1", NULL, NULL));
    assert_int_equal(peer_reply(&more, &answer), 429);
    answers(&p, "GET", "/kv", NULL, 200, NULL);
    peer_close(&w[0]);
    wait_for_status(&p, "/sandbox/status", "\"watches\":8");
    assert_true(peer_send(&more, "GET", "/watch?watch=1", NULL, NULL));
    assert_int_equal(peer_head(&more), 200);
    peer_close(&more);
    for (int i = 1; i < 9; i++)
        peer_close(&w[i]);
    peer_close(&p);
    buf_release(&answer);
    stop(&c);
}

static void
limit_files(pid_t pid, rlim_t n)
{
    struct rlimit r;

    assert_int_equal(prlimit(pid, RLIMIT_FSIZE, NULL, &r), 0);
    r.rlim_cur = n;
    assert_int_equal(prlimit(pid, RLIMIT_FSIZE, &r, NULL), 0);
}

static void
test_disk_full(void **state)
{
    struct child c;
    struct peer p, w;
    struct buf b = BUF_INIT(65536);
    char *big = mem_zalloc(1, 200001);

    (void)state;
    memset(big, 'x', 200000);
    assert_true(start(&c, NULL, 0));
    assert_true(peer_open(&p, c.port, c.token, 10));
    answers(&p, "PUT", "/kv/a", "1", 201, "1");
    assert_true(peer_open(&w, c.port, c.token, 10));
    assert_true(peer_send(&w, "GET", "/watch?since=1", NULL, NULL));
    assert_int_equal(peer_head(&w), 200);
    limit_files(c.pid, 100000);
    answers(&p, "PUT", "/kv/a", big, 500, "\"reason\":\"InternalError\"");
    answers(&p, "GET", "/kv/a", NULL, 200, "a=1");
    answers(&p, "GET", "/left", NULL, 200, "0 1");
    limit_files(c.pid, RLIM_INFINITY);
    answers(&p, "PUT", "/kv/a", "2", 200, "2");
    /* the watch never heard of the write that failed */
    assert_true(peer_chunk(&w, &b));
    assert_string_equal(buf_cstr(&b), "~a=2@2\n");
    peer_close(&p);
    peer_close(&w);
    buf_release(&b);
    free(big);
    stop(&c);
}

static void
test_two_servers_one_file(void **state)
{
    struct child a, b;

    (void)state;
    assert_true(start(&a, NULL, 0));
    assert_false(start(&b, a.data, 0));

    int status;

    waitpid(b.pid, &status, 0);
    close(b.pipe);
    file_remove_tree(b.folder, NULL);
    free(b.folder);
    free(b.data);
    stop(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_who_may_come),
        cmocka_unit_test(test_hostile_requests),
        cmocka_unit_test(test_watch),
        cmocka_unit_test(test_clients_that_leave),
        cmocka_unit_test(test_too_slow_and_too_many),
        cmocka_unit_test(test_host),
        cmocka_unit_test(test_watch_limit),
        cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_two_servers_one_file),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
