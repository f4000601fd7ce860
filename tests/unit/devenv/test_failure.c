#include "lib/base/file.h"

#include "devenv/failure.h"
#include "devenv/step.h"

#include "tests/unit/test.h"

#define PAGE "docs/FAILURES.md"

static void
every_row_can_be_used(void **state)
{
    int last = 10;

    (void)state;
    for (const struct failure *f = failure_table; f->id; f++) {
        struct error err = {0};
        struct str line, rest = str_of(f->remedy);

        assert_true(strlen(f->id) < sizeof(err.id));
        assert_true(strlen(f->remedy) < sizeof(err.remedy));
        assert_true(*f->sentence);
        while (rest.n && str_next(&rest, '\n', &line)) {
            if (line.n > 78)
                fail_msg("%s: \"%.*s\" is too long", f->id, STR_ARG(line));
        }
        assert_ptr_equal(failure_find(f->id), f);
        /* by exit code, so that the table reads like the documentation */
        if (f->exit > 2 && f->exit < 100) {
            if (f->exit < last)
                fail_msg("%s is out of order", f->id);
            last = f->exit;
        }
    }
    assert_null(failure_find("MT-NOTHING"));
    assert_non_null(failure_find("mt-port-taken"));
}

static void
an_ids_exit_code_wins_over_the_codes(void **state)
{
    struct error err = {0};

    (void)state;
    error_set(&err, ERR_NETWORK, "refused");
    assert_int_equal(failure_exit(&err), 30);
    error_remedy(&err, "MT-PKG-PULL", "log in");
    assert_int_equal(failure_exit(&err), 70);
    /* a row without an exit code, and an id without a row */
    error_remedy(&err, "MT-CONNECT", "start it");
    assert_int_equal(failure_exit(&err), 30);
    error_remedy(&err, "MT-NOTHING", "?");
    assert_int_equal(failure_exit(&err), 30);
    error_set(&err, ERR_IO, "broken");
    assert_int_equal(failure_exit(&err), 1);
    error_set(&err, ERR_USAGE, "what?");
    assert_int_equal(failure_exit(&err), 2);
    error_set(&err, ERR_CANCELLED, "stopped");
    assert_int_equal(failure_exit(&err), 130);
}

static void
programs_get_every_part(void **state)
{
    AUTO(strlist_release) struct strlist seen = {0};
    AUTO(json_free_ptr) struct json *j = NULL;
    struct error err = {0};

    (void)state;
    error_set(&err, ERR_LIMIT, "the disk is full");
    failure_remedy(&err, "MT-HOST-DISK");
    strlist_addf(&seen, "/ has %d GB", 3);
    j = failure_json(&err, "host", &seen);
    assert_string_equal(json_get_string(j, "id"), "MT-HOST-DISK");
    assert_string_equal(json_get_string(j, "step"), "host");
    assert_string_equal(json_get_string(j, "docs"),
                        "docs/FAILURES.md#mt-host-disk");
    assert_int_equal(json_int64_or(json_get(j, "exit"), 0), 13);
    assert_string_equal(json_string(json_item(json_get(j, "evidence"), 0)),
                        "/ has 3 GB");
    assert_int_equal(json_len(json_get(j, "remedy")), 4);
    assert_true(json_is(json_get(j, "retryable"), JSON_BOOL));
}

/* A step's parts that are not well, then the newest lines of its log. */
static void
steps_tell_what_they_saw(void **state)
{
    AUTO(json_free_ptr) struct json *j = NULL;
    struct step_run run = {.id = "cluster"};
    const struct json *seen;
    char line[32];

    (void)state;
    step_part(&run, "pod-a", STEP_DONE, "fine");
    step_part(&run, "pod-b", STEP_FAILED, "ErrImagePull");
    for (int i = 0; i < 20; i++) {
        snprintf(line, sizeof(line), "line %d", i);
        step_log(&run, str_of(line));
    }
    error_set(&run.error, ERR_IO, "it ended");
    j = failure_of_step(&run);
    seen = json_get(j, "evidence");
    assert_int_equal(json_len(seen), FAILURE_EVIDENCE);
    assert_string_equal(json_string(json_item(seen, 0)), "pod-b: ErrImagePull");
    assert_string_equal(json_string(json_item(seen, 1)), "line 13");
    assert_string_equal(json_string(json_item(seen, 7)), "line 19");
    assert_string_equal(json_get_string(j, "step"), "cluster");
    step_run_release(&run);
}

/* GENERATE=1 writes the page. */
static void
the_page_is_the_table(void **state)
{
    AUTO(buf_release) struct buf want = BUF_INIT(BUF_TEXT_MAX);
    AUTO(buf_release) struct buf have = BUF_INIT(BUF_TEXT_MAX);
    struct error err = {0};

    (void)state;
    failure_page(&want);
    if (getenv("GENERATE"))
        assert_true(file_write(PAGE, buf_view(&want), 0644, &err));
    assert_true(file_read(PAGE, &have, &err));
    if (!str_eq(buf_view(&have), buf_view(&want)))
        fail_msg("%s is not the table: GENERATE=1 writes it again", PAGE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_can_be_used),
        cmocka_unit_test(an_ids_exit_code_wins_over_the_codes),
        cmocka_unit_test(programs_get_every_part),
        cmocka_unit_test(steps_tell_what_they_saw),
        cmocka_unit_test(the_page_is_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
