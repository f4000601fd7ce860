#include <unistd.h>

#include "devenv/sandbox/listen.h"

#include "tests/unit/test.h"

static void
test_addresses(void **state)
{
    static const struct {
        const char *text, *host; /* NULL: refused */
        unsigned port;
    } rows[] = {
        {"127.0.0.1:0", "127.0.0.1", 0},
        {"127.0.0.1:65535", "127.0.0.1", 65535},
        {"localhost:8443", "127.0.0.1", 8443},
        {":8443", "127.0.0.1", 8443},
        {"[::1]:8443", "::1", 8443},
        {"0.0.0.0:8443", NULL, 0},
        {"[::]:8443", NULL, 0},
        {"192.168.1.2:8443", NULL, 0},
        {"127.0.0.2:8443", NULL, 0},
        {"example.org:8443", NULL, 0},
        {"127.0.0.1:65536", NULL, 0},
        {"127.0.0.1:", NULL, 0},
        {"127.0.0.1:-1", NULL, 0},
        {"127.0.0.1", NULL, 0},
        {"", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *host = NULL;
        unsigned port = 0;
        struct error err = {0};
        bool good = listen_parse(rows[i].text, &host, &port, &err);

        assert_int_equal(good, rows[i].host != NULL);
        assert_int_equal(err.code, good ? ERR_NONE : ERR_USAGE);
        if (good) {
            assert_string_equal(host, rows[i].host);
            assert_int_equal(port, rows[i].port);
        }
    }
}

static void
test_nobody_shares_a_port(void **state)
{
    struct error err = {0};
    unsigned port = 0, again = 0;
    int fd = listen_open("127.0.0.1", 0, &port, &err);

    (void)state;
    assert_true(fd >= 0 && port > 0);
    assert_int_equal(listen_open("127.0.0.1", port, &again, &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
    assert_string_equal(err.id, "MT-PORT-TAKEN");
    close(fd);
    fd = listen_open("127.0.0.1", port, &again, &err);
    assert_true(fd >= 0);
    assert_int_equal(again, port);
    close(fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_nobody_shares_a_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
