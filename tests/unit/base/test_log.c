/* The debug log: who may read it, and what never gets into it. */
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

#include "tests/unit/test.h"

static void
lines_are_plain_text_in_a_private_file(void **state)
{
    AUTO(buf_release) struct buf got = BUF_INIT(100000);
    char path[] = "/tmp/meshtop-test-XXXXXX";
    struct stat st;

    (void)state;
    assert_non_null(mkdtemp(path));
    AUTO(mem_free_ptr) char *file = file_join(path, "log");

    assert_false(log_enabled(LOG_ERROR));
    log_line(LOG_ERROR, "nobody hears this");
    assert_true(log_open(file, LOG_INFO, NULL));
    log_debug("too quiet");
    log_line(LOG_INFO, "name %s", "\x1b[31mgrün\n\xff\xe2\x80\xae");
    log_line(LOG_WARN, "%*d", 9000, 1);
    log_close();
    log_line(LOG_ERROR, "closed");
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(file_read(file, &got, NULL));
    assert_non_null(strstr(buf_cstr(&got), "Z info  name \\x1b[31mgrün\\x0a"
                                           "\\xff\\xe2\\x80\\xae\n"));
    assert_null(strstr(buf_cstr(&got), "quiet"));
    assert_null(strstr(buf_cstr(&got), "closed"));
    assert_true(got.n < 4300);
    assert_true(file_remove_tree(path, NULL));
}

static void
a_log_that_cannot_be_opened_is_an_error(void **state)
{
    struct error err = {0};

    (void)state;
    assert_false(log_open("/nonexistent/log", LOG_INFO, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_false(log_enabled(LOG_ERROR));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_plain_text_in_a_private_file),
        cmocka_unit_test(a_log_that_cannot_be_opened_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
