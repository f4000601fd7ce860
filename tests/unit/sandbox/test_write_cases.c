/*
 * Writes to one object, and what the API server's own libraries made of them
 * (recorded by tests/diffapi): each case is played here.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/tools/write_cases.h"
#include "tests/unit/test.h"

static void
recorded(void **state)
{
    FILE *f = fopen("tests/unit/sandbox/data/write_cases.jsonl", "r");
    char *line = NULL;
    size_t cap = 0, played = 0;
    ssize_t n;

    (void)state;
    assert_non_null(f);
    while ((n = getline(&line, &cap, f)) > 0) {
        AUTO(json_free_ptr)
        struct json *j = json_parse(str_n(line, (size_t)n), NULL, NULL);
        AUTO(json_free_ptr) struct json *got = write_case(json_get(j, "case"));
        const struct json *want = json_get(j, "want");

        played++;
        for (size_t i = 0; i < json_len(want); i++) {
            AUTO(mem_free_ptr) char *is = json_text(json_item(got, i), 0);
            AUTO(mem_free_ptr) char *must = json_text(json_item(want, i), 0);

            if (!json_equal(json_item(got, i), json_item(want, i)))
                fail_msg("line %zu, step %zu\ngot  %s\nwant %s", played, i, is,
                         must);
        }
        assert_int_equal(json_len(got), json_len(want));
    }
    free(line);
    fclose(f);
    assert_true(played >= 100);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(recorded)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
