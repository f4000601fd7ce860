/* What every unit test includes: cmocka needs its headers in this order. */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
/* clang-format on */

#include <unistd.h>

/* A file of a test, without the disk's wait that file_write makes. */
static inline void
test_write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

/* A program: written by another process, since one that is being started
 * (by another test's server, say) would hold what we have open for writing,
 * and then it cannot be run (ETXTBSY). */
static inline void
test_write_script(const char *path, const char *text)
{
    char *command = NULL;
    FILE *f;

    assert_true(asprintf(&command, "umask 077; cat >'%s' && chmod 700 '%s'",
                         path, path) > 0);
    f = popen(command, "we");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(pclose(f), 0);
    free(command);
}

#endif
