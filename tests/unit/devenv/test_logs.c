/* Log lines out of files and of pods. */
#include <unistd.h>

#include "lib/base/file.h"

#include "devenv/logs.h"

#include "tests/unit/kube/fake.h"
#include "tests/unit/test.h"

static char path[] = "/tmp/meshtop-logs-XXXXXX";
static struct buf told;
static struct str body;
static char seen[512];

static void
on_line(void *arg, struct str line)
{
    (void)arg;
    buf_printf(&told, "%.*s|", STR_ARG(line));
}

static const char *
tail(const char *text, int64_t n)
{
    const struct logs o = {.tail = n, .on_line = on_line};

    buf_reset(&told);
    assert_true(file_write(path, str_of(text), 0600, NULL));
    assert_true(logs_file(NULL, path, &o, NULL));
    return buf_cstr(&told);
}

static void
the_newest_lines_of_a_file(void **state)
{
    const struct logs o = {.tail = 1, .on_line = on_line};
    struct error err = {0};

    (void)state;
    assert_string_equal(tail("a\nb\nc\n", 2), "b|c|");
    assert_string_equal(tail("a\nb\nc\n", 9), "a|b|c|");
    assert_string_equal(tail("a\nb\nc\n", LOGS_ALL), "a|b|c|");
    assert_string_equal(tail("a\nb\nc", 1), "c|");
    assert_string_equal(tail("a\n\n\n", 2), "||");
    assert_string_equal(tail("", 5), "");
    assert_string_equal(tail("\n", 5), "|");
    assert_string_equal(tail("a\nb\n", 0), "");
    assert_false(logs_file(NULL, "/no/such/file", &o, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_false(logs_file(NULL, "/", &o, &err));
}

static void
a_line_without_an_end_is_cut(void **state)
{
    AUTO(buf_release) struct buf big = BUF_INIT(1 << 20);
    const struct logs o = {.tail = LOGS_ALL, .on_line = on_line};

    (void)state;
    buf_fill(&big, 'x', LOGS_LINE_MAX + 1000);
    buf_puts(&big, "\nnext\n");
    buf_reset(&told);
    assert_true(file_write(path, buf_view(&big), 0600, NULL));
    assert_true(logs_file(NULL, path, &o, NULL));
    assert_int_equal(told.n, LOGS_LINE_MAX + 1 + strlen("next|"));
    assert_true(str_ends(buf_view(&told), STR("|next|")));
}

static void
answer(void *arg, struct fake_conn *c, const struct fake_request *r)
{
    int status = *(int *)arg;

    snprintf(seen, sizeof(seen), "%.*s", STR_ARG(r->path));
    if (status != 200) {
        fake_answer(c, status, NULL, body);
        return;
    }
    fake_stream(c);
    for (size_t i = 0; i < body.n; i++) /* byte by byte */
        fake_send(c, str_sub(body, i, 1));
    fake_close(c);
}

static void
the_log_of_a_pod(void **state)
{
    struct loop *l = loop_new(NULL);
    struct fake peer;
    int status = 200;
    const struct logs_pod pod = {"ns", "p-1", "c", true};
    const struct logs o = {.tail = 7, .on_line = on_line};
    struct error err = {0};

    (void)state;
    fake_init(&peer, l, answer, &status);
    struct kube_access a = {.server = peer.url, .ns = (char *)"d"};
    struct kube_client *client = kube_client_new(l, &a, NULL, NULL);

    body = STR("one\ntwo\nthe last has no end");
    buf_reset(&told);
    assert_true(logs_pod(client, &pod, &o, NULL));
    assert_string_equal(buf_cstr(&told), "one|two|the last has no end|");
    assert_non_null(strstr(seen, "/api/v1/namespaces/ns/pods/p-1/log?"));
    assert_non_null(strstr(seen, "container=c"));
    assert_non_null(strstr(seen, "tailLines=7"));
    assert_non_null(strstr(seen, "previous=true"));
    assert_null(strstr(seen, "follow"));
    /* A container that waits: the server's own words. */
    status = 400;
    body = STR("{\"kind\":\"Status\",\"status\":\"Failure\",\"code\":400,"
               "\"reason\":\"BadRequest\",\"message\":\"container \\\"c\\\" "
               "is waiting to start: ImagePullBackOff\"}");
    assert_false(logs_pod(client, &pod, &o, &err));
    assert_non_null(strstr(err.msg, "ImagePullBackOff"));
    kube_client_free(client);
    fake_release(&peer);
    loop_free(l);
}

static int
begin(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    buf_init(&told, 1 << 20);
    return fd < 0 ? -1 : close(fd);
}

static int
end(void **state)
{
    (void)state;
    buf_release(&told);
    return unlink(path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_lines_of_a_file),
        cmocka_unit_test(a_line_without_an_end_is_cut),
        cmocka_unit_test(the_log_of_a_pod),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
