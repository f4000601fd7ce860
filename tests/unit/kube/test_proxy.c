/* Proxies of the environment: what Go's httpproxy answers
 * (tests/diff/kubeconfig -proxy makes the table), and what we do. */
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

#include "lib/kube/proxy.h"

#include "tests/unit/test.h"

/* A proxy of another scheme is passed on by Go and refused by its transport. */
static bool
is_odd(const char *proxy)
{
    return strncmp(proxy, "ftp://", 6) == 0 ||
           strncmp(proxy, "http://:", 8) == 0;
}

static void
recorded(void **state)
{
    struct buf table = BUF_INIT(1 << 20);
    struct str rest, line;
    size_t n = 0;

    (void)state;
    assert_true(file_read("tests/unit/kube/data/proxy.jsonl", &table, NULL));
    rest = buf_view(&table);
    for (; str_next(&rest, '\n', &line); n += line.n > 0) {
        AUTO(json_free_ptr) struct json *row = json_parse(line, NULL, NULL);
        struct kube_proxy_env env = {
            .http = json_get_string(row, "http"),
            .https = json_get_string(row, "https"),
            .no = json_get_string(row, "no"),
            .cgi = json_bool(json_get(row, "cgi"), false)};
        const char *want = json_string_or(json_get(row, "proxy"), "");
        AUTO(mem_free_ptr) char *got = NULL;
        struct error err = {0};

        if (!line.n)
            continue;
        bool ok = kube_proxy_of(json_get_string(row, "url"), env, &got, &err);

        if (json_get(row, "error") || is_odd(want))
            want = "error";
        if (strcmp(ok ? (got ? got : "") : "error", want) != 0)
            fail_msg("%.*s: ours %s %s", STR_ARG(line),
                     ok ? (got ? got : "none") : "error", err.msg);
    }
    assert_true(n > 200);
    buf_release(&table);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
