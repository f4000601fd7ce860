#include "lib/kube/http.h"

#include "tests/unit/kube/fake.h"
#include "tests/unit/test.h"

struct seen {
    struct kube_http *h;
    struct kube_http_call *call;
    bool done;
    unsigned dones, heads;
    int status;
    struct buf body;
    struct error err;
    struct strlist warnings;
    char type[64], wanted[64];
    int64_t retry_after_s, date_s;
    unsigned stop_after; /* pieces */
    bool cancel, restart;
};

static struct loop *l;
static struct fake peer;
static const char *script; /* raw answer of the peer */
static struct buf last;    /* head and body of the last request */

static void
serve(void *arg, struct fake_conn *c, const struct fake_request *r)
{
    (void)arg;
    buf_reset(&last);
    buf_printf(&last, "%.*s %.*s\n%.*s\n%.*s", STR_ARG(r->method),
               STR_ARG(r->path), STR_ARG(r->head), STR_ARG(r->body));
    fake_send(c, str_of(script));
    if (!strstr(script, "Content-Length"))
        fake_close(c);
}

static bool
on_head(void *arg, const struct kube_http_response *r)
{
    struct seen *s = arg;

    s->heads++;
    s->status = r->status;
    return true;
}

static void on_done(void *arg, const struct kube_http_response *r,
                    const struct error *err);

static bool
on_data(void *arg, struct str piece)
{
    struct seen *s = arg;

    buf_str(&s->body, piece);
    if (s->cancel)
        kube_http_cancel(s->call);
    if (s->restart) {
        struct kube_http_request r = {
            .url = peer.url, .on_done = on_done, .arg = s};

        s->restart = false;
        script = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        assert_non_null(kube_http_start(s->h, &r, NULL));
    }
    return !s->stop_after || --s->stop_after;
}

static void
on_done(void *arg, const struct kube_http_response *r, const struct error *err)
{
    struct seen *s = arg;

    s->done = true;
    s->dones++;
    s->status = r->status;
    s->retry_after_s = r->retry_after_s;
    s->date_s = r->date_s;
    snprintf(s->type, sizeof(s->type), "%s", r->content_type);
    snprintf(s->wanted, sizeof(s->wanted), "%s", r->wanted);
    buf_str(&s->body, r->body);
    for (size_t i = 0; i < r->warnings->n; i++)
        strlist_add(&s->warnings, str_of(r->warnings->v[i]));
    if (err)
        s->err = *err;
}

static void
seen_release(struct seen *s)
{
    buf_release(&s->body);
    strlist_release(&s->warnings);
}

/* Sends r (url and callbacks are filled in) and waits for its end. */
static void
run(struct seen *s, struct kube_http_request r, const char *answer)
{
    *s = (struct seen){.body = BUF_INIT(1 << 20)};
    script = answer;
    s->h = kube_http_new(l, NULL, NULL);
    r.url = r.url ? r.url : peer.url;
    r.on_done = on_done;
    r.arg = s;
    s->call = kube_http_start(s->h, &r, NULL);
    assert_non_null(s->call);
    assert_int_equal(kube_http_running(s->h), 1);
    fake_until(l, &s->done);
    assert_int_equal(s->dones, 1);
    assert_int_equal(kube_http_running(s->h), 0);
    kube_http_free(s->h);
}

static void
whole_answer(void **state)
{
    static const char *const headers[] = {"X-Y: z", NULL};
    struct seen s;

    (void)state;
    run(&s,
        (struct kube_http_request){
            .method = "PUT", .headers = headers, .body = STR("hello")},
        "HTTP/1.1 100 Continue\r\n\r\n"
        "HTTP/1.1 429 Too Many\r\nContent-Length: 4\r\nRetry-After: 7\r\n"
        "Content-type: text/plain; charset=utf-8\r\n"
        "Date: Sat, 21 Nov 2026 02:51:41 GMT\r\n"
        "Warning: 299 - \"unknown field \\\"a\\\"\"\r\n"
        "Warning: 299 - \"unknown field \\\"a\\\"\"\r\n"
        "warning: 299 agent \"two\"\r\nWarning: 199 - \"no\"\r\n\r\nslow");
    assert_int_equal(s.err.code, ERR_NONE);
    assert_int_equal(s.status, 429);
    assert_int_equal(s.retry_after_s, 7);
    assert_int_equal(s.date_s, 1795229501);
    assert_string_equal(s.type, "text/plain; charset=utf-8");
    assert_string_equal(buf_cstr(&s.body), "slow");
    assert_int_equal(s.warnings.n, 2);
    assert_string_equal(s.warnings.v[0], "unknown field \"a\"");
    assert_true(str_starts(buf_view(&last), STR("PUT /\n")));
    assert_true(str_contains(buf_view(&last), STR("X-Y: z\r\n")));
    assert_true(str_ends(buf_view(&last), STR("\nhello")));
    seen_release(&s);
}

static void
limits(void **state)
{
    struct seen s;

    (void)state;
    run(&s, (struct kube_http_request){.max_body = 3},
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour");
    assert_int_equal(s.err.code, ERR_LIMIT);
    assert_non_null(strstr(s.err.msg, "more than 3 bytes"));
    seen_release(&s);
}

static void
broken(void **state)
{
    static const struct {
        const char *answer;
        enum err_code code;
    } rows[] = {
        {"", ERR_NETWORK},
        {"HTTP/1.1 200 OK\r\nContent-Le", ERR_NETWORK},
        {"garbage\r\n\r\n", ERR_UNSUPPORTED},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
         ERR_NETWORK},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab",
         ERR_NETWORK},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct seen s;

        run(&s, (struct kube_http_request){0}, rows[i].answer);
        if (s.err.code != rows[i].code)
            fail_msg("row %zu: %d %s", i, s.err.code, s.err.msg);
        seen_release(&s);
    }
}

static void
no_peer(void **state)
{
    struct seen s;

    (void)state;
    run(&s, (struct kube_http_request){.url = "http://127.0.0.1:1/x"}, "");
    assert_int_equal(s.err.code, ERR_NETWORK);
    assert_string_equal(s.err.id, "MT-CONNECT");
    assert_non_null(strstr(s.err.msg, "http://127.0.0.1:1"));
    seen_release(&s);
}

static void
bad_address(void **state)
{
    static const char *const urls[] = {"", "ftp://x/", "file:///etc/passwd",
                                       "http://", "x"};
    struct kube_http *h = kube_http_new(l, NULL, NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct kube_http_request r = {.url = urls[i], .on_done = on_done};
        struct error err = {0};

        assert_null(kube_http_start(h, &r, &err));
        assert_int_equal(err.code, ERR_USAGE);
    }
    kube_http_free(h);
}

static void
silence(void **state)
{
    struct seen s;

    (void)state;
    run(&s, (struct kube_http_request){.stall_ms = 30, .on_head = on_head},
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
    assert_int_equal(s.err.code, ERR_TIMEOUT);
    assert_non_null(strstr(s.err.msg, "silent"));
    assert_int_equal(s.heads, 1);
    seen_release(&s);
    run(&s, (struct kube_http_request){.timeout_ms = 30},
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
    assert_int_equal(s.err.code, ERR_TIMEOUT);
    seen_release(&s);
}

#define CHUNKS                                                                 \
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"                    \
    "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n"

static void
stop_reading(void **state)
{
    struct seen s = {.stop_after = 1, .body = BUF_INIT(100)};
    struct kube_http_request r = {
        .url = peer.url, .on_data = on_data, .on_done = on_done, .arg = &s};

    (void)state;
    script = CHUNKS;
    s.h = kube_http_new(l, NULL, NULL);
    assert_non_null(kube_http_start(s.h, &r, NULL));
    fake_until(l, &s.done);
    assert_int_equal(s.err.code, ERR_CANCELLED);
    kube_http_free(s.h);
    seen_release(&s);
}

/* From inside a data callback a call may be cancelled, another started. */
static void
inside_callbacks(void **state)
{
    struct seen s = {.cancel = true, .restart = true, .body = BUF_INIT(100)};
    struct kube_http_request r = {
        .url = peer.url, .on_data = on_data, .on_done = on_done, .arg = &s};

    (void)state;
    script = CHUNKS;
    s.h = kube_http_new(l, NULL, NULL);
    s.call = kube_http_start(s.h, &r, NULL);
    fake_until(l, &s.done);
    assert_int_equal(s.dones, 1); /* of the second call */
    assert_true(str_ends(buf_view(&s.body), STR("ok")));
    assert_int_equal(kube_http_running(s.h), 0);
    kube_http_free(s.h);
    seen_release(&s);
}

/* Cancelled before it began, while it runs, and by the end of the pool. */
static void
cancelled(void **state)
{
    struct seen s = {.body = BUF_INIT(100)};
    struct kube_http_request r = {
        .url = peer.url, .on_head = on_head, .on_done = on_done, .arg = &s};
    bool headed = false;

    (void)state;
    script = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab";
    s.h = kube_http_new(l, NULL, NULL);
    kube_http_cancel(kube_http_start(s.h, &r, NULL));
    s.call = kube_http_start(s.h, &r, NULL);
    while (!headed) {
        loop_turn(l, 1);
        headed = s.heads > 0;
    }
    kube_http_cancel(s.call);
    kube_http_start(s.h, &r, NULL);
    loop_turn(l, 1);
    kube_http_free(s.h);
    for (int i = 0; i < 20; i++)
        loop_turn(l, 1);
    assert_int_equal(s.dones, 0);
    seen_release(&s);
}

static void
redirect(void **state)
{
    struct seen s;

    (void)state;
    run(&s, (struct kube_http_request){.on_head = on_head},
        "HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(s.status, 302);
    seen_release(&s);
    run(&s, (struct kube_http_request){.follow = true, .on_head = on_head},
        "HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(s.err.code, ERR_LIMIT); /* it never ends */
    assert_int_equal(s.heads, 0);
    seen_release(&s);
    run(&s, (struct kube_http_request){.follow = true},
        "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n"
        "Content-Length: 0\r\n\r\n");
    assert_int_equal(s.err.code, ERR_UNSUPPORTED);
    seen_release(&s);
}

/* A pool bound to a socket asks nobody else, whatever the URL and the
 * environment say, and names the socket when it is not there. */
static void
unix_socket(void **state)
{
    char path[] = "/tmp/meshtop-http.XXXXXX";
    struct kube_tls tls = {.unix_socket = path};
    struct seen s = {.body = BUF_INIT(100)};
    struct kube_http_request r = {.url = "http://nowhere.invalid:1/x",
                                  .want = "Api-Version",
                                  .on_head = on_head,
                                  .on_done = on_done,
                                  .arg = &s};
    struct fake other;

    (void)state;
    close(mkstemp(path));
    unlink(path);
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    fake_init_unix(&other, l, path, serve, NULL);
    script = "HTTP/1.1 200 OK\r\nAPI-version: 1.41\r\n\r\nto the end";
    s.h = kube_http_new(l, &tls, NULL);
    assert_non_null(kube_http_start(s.h, &r, NULL));
    fake_until(l, &s.done);
    assert_int_equal(s.err.code, ERR_NONE);
    assert_string_equal(buf_cstr(&s.body), "to the end");
    assert_string_equal(s.wanted, "1.41");
    assert_true(str_contains(buf_view(&last), STR("Host: nowhere.invalid:1")));
    fake_release(&other);
    unlink(path);
    s.done = false;
    assert_non_null(kube_http_start(s.h, &r, NULL));
    fake_until(l, &s.done);
    unsetenv("http_proxy");
    assert_int_equal(s.err.code, ERR_NETWORK);
    assert_string_equal(s.err.id, "MT-CONNECT");
    assert_non_null(strstr(s.err.msg, path));
    assert_non_null(strstr(s.err.msg, "No such file"));
    kube_http_free(s.h);
    seen_release(&s);
}

struct reader {
    struct seen seen; /* first: callbacks get it */
    size_t given, fails_at;
};

static ssize_t
give(void *arg, char *p, size_t n)
{
    struct reader *w = arg;
    size_t k = MIN(n, (size_t)100000 - w->given);

    if (w->fails_at && w->given >= w->fails_at)
        return -1;
    k = MIN(k, (size_t)7000);
    memset(p, 'r', k);
    w->given += k;
    return (ssize_t)k;
}

/* A body that is read while it is sent; a reader that fails ends the call. */
static void
streamed_body(void **state)
{
    (void)state;
    for (size_t fails = 0; fails <= 20000; fails += 20000) {
        struct reader w = {.seen = {.body = BUF_INIT(100)}, .fails_at = fails};
        struct kube_http_request r = {.method = "PUT",
                                      .url = peer.url,
                                      .read = give,
                                      .read_n = 100000,
                                      .on_done = on_done,
                                      .arg = &w};

        script = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        buf_reset(&last);
        w.seen.h = kube_http_new(l, NULL, NULL);
        assert_non_null(kube_http_start(w.seen.h, &r, NULL));
        fake_until(l, &w.seen.done);
        assert_int_equal(w.seen.err.code, fails ? ERR_CANCELLED : ERR_NONE);
        if (!fails) {
            assert_true(str_starts(buf_view(&last), STR("PUT /\n")));
            assert_false(str_contains(buf_view(&last), STR("Expect")));
            assert_true(last.n > 100000);
        }
        kube_http_free(w.seen.h);
        seen_release(&w.seen);
    }
}

static int
setup(void **state)
{
    (void)state;
    l = loop_new(NULL);
    buf_init(&last, 1 << 20);
    fake_init(&peer, l, serve, NULL);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    fake_release(&peer);
    buf_release(&last);
    loop_free(l);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_answer), cmocka_unit_test(limits),
        cmocka_unit_test(broken),       cmocka_unit_test(no_peer),
        cmocka_unit_test(bad_address),  cmocka_unit_test(silence),
        cmocka_unit_test(stop_reading), cmocka_unit_test(inside_callbacks),
        cmocka_unit_test(cancelled),    cmocka_unit_test(redirect),
        cmocka_unit_test(unix_socket),  cmocka_unit_test(streamed_body),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
