/* Steps as a graph: order, parallel waits, failures, stops, undo. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devenv/step.h"

#include "tests/unit/test.h"

/* What the steps of the tests share: the story they write, and how the world
 * is. */
struct world {
    char told[1024];
    struct loop *l;
    const char *fails, *there, *broken;
    bool a_waits, b_waits;
    struct step_graph *g;
    int stops;
    int programs;
};

static void
tell(struct world *w, const char *what, const struct step_run *run)
{
    size_t n = strlen(w->told);

    snprintf(w->told + n, sizeof(w->told) - n, "%s:%s ", what, run->id);
}

static enum step_verdict
check(void *context, struct step_run *run)
{
    const struct world *w = context;

    if (w->there && strstr(w->there, run->id))
        return STEP_IS_DONE;
    if (w->broken && strstr(w->broken, run->id))
        return STEP_IS_BROKEN;
    return STEP_IS_TODO;
}

static bool
act(void *context, struct step_run *run, struct error *err)
{
    struct world *w = context;

    tell(w, "act", run);
    if (w->fails && strstr(w->fails, run->id))
        return error_set(err, ERR_IO, "%s is no good", run->id);
    return true;
}

static bool
undo(void *context, struct step_run *run, struct error *err)
{
    (void)err;
    tell(context, "undo", run);
    return true;
}

static void
inputs(void *context, struct buf *out)
{
    (void)context;
    buf_puts(out, "abc");
}

/* a and b are independent; c needs both; d needs c; e is alone and soft. */
static const struct step table[] = {
    {.id = "a",
     .title = "A",
     .usual_ms = 10,
     .check = check,
     .act = act,
     .undo = undo,
     .inputs = inputs},
    {.id = "b",
     .title = "B",
     .usual_ms = 40,
     .check = check,
     .act = act,
     .undo = undo,
     .on = "kind context"},
    {.id = "b",
     .title = "B2",
     .usual_ms = 40,
     .check = check,
     .act = act,
     .on = "sandbox"},
    {.id = "c",
     .title = "C",
     .needs = "a b unknown",
     .usual_ms = 5,
     .check = check,
     .act = act},
    {.id = "d",
     .title = "D",
     .needs = "c",
     .usual_ms = 5,
     .check = check,
     .act = act,
     .undo = undo},
    {.id = "x", .title = "X", .needs = "a", .on = "moon", .act = act},
    {.id = "e",
     .title = "E",
     .usual_ms = 5,
     .check = check,
     .act = act,
     .flags = STEP_SOFT},
    {0},
};

static struct step_graph *
graph(struct world *w, const char *until)
{
    struct step_graph_options o = {.engine = "kind", .until = until};
    struct error err = {0};

    w->l = loop_new(NULL);
    w->g = steps_new(w->l, table, w, &o, &err);
    return w->g;
}

static void
end(struct world *w)
{
    steps_free(w->g);
    loop_free(w->l);
}

static enum step_state
state_of(const struct world *w, const char *id)
{
    return steps_find(w->g, id)->state;
}

static void
needs_come_first_and_rows_of_other_engines_are_left_out(void **state UNUSED)
{
    struct world w = {0};
    char digest[65];

    graph(&w, NULL);
    assert_int_equal(steps_count(w.g), 5);
    /* "unknown" takes no part, and nobody is told to wait for it */
    assert_string_equal(steps_find(w.g, "c")->needs, "a b");
    assert_null(steps_find(w.g, "a")->needs);
    assert_int_equal(steps_estimate_ms(w.g), 50);
    assert_true(steps_wait(w.g, NULL));
    assert_string_equal(w.told, "act:a act:b act:e act:c act:d ");
    assert_int_equal(steps_estimate_ms(w.g), 0);
    steps_digest(w.g, "a", digest);
    assert_string_equal(
        digest,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    steps_digest(w.g, "b", digest);
    assert_string_equal(digest, "");
    end(&w);
}

static void
until_takes_what_it_needs_only(void **state UNUSED)
{
    struct world w = {0};

    graph(&w, "c");
    assert_true(steps_wait(w.g, NULL));
    assert_string_equal(w.told, "act:a act:b act:c ");
    end(&w);
    w.told[0] = '\0';
    graph(&w, "x"); /* of another engine */
    assert_true(steps_wait(w.g, NULL));
    assert_string_equal(w.told, "act:a ");
    end(&w);
    assert_null(graph(&w, "nonsense"));
    loop_free(w.l);
}

static void
what_is_there_is_not_done_again(void **state UNUSED)
{
    struct world w = {.there = "a c", .broken = "b"};

    graph(&w, NULL);
    assert_true(steps_wait(w.g, NULL));
    assert_string_equal(w.told, "act:b act:e act:d ");
    assert_int_equal(state_of(&w, "a"), STEP_ALREADY);
    assert_int_equal(state_of(&w, "b"), STEP_DONE);
    end(&w);
}

static void
a_plan_changes_nothing(void **state UNUSED)
{
    struct world w = {.there = "a d"};

    graph(&w, NULL);
    steps_plan(w.g);
    assert_string_equal(w.told, "");
    assert_int_equal(state_of(&w, "a"), STEP_ALREADY);
    assert_int_equal(state_of(&w, "b"), STEP_PENDING);
    assert_true(steps_find(w.g, "b")->looked);
    /* what it needs is not there: nobody looked */
    assert_false(steps_find(w.g, "d")->looked);
    assert_true(steps_wait(w.g, NULL));
    assert_string_equal(w.told, "act:b act:e act:c ");
    end(&w);
}

static void
a_failure_starts_nothing_more_and_is_retried(void **state UNUSED)
{
    struct world w = {.fails = "b"};
    struct error err = {0};

    graph(&w, NULL);
    assert_false(steps_wait(w.g, &err));
    assert_string_equal(err.msg, "b is no good");
    assert_int_equal(state_of(&w, "a"), STEP_DONE);
    assert_int_equal(state_of(&w, "b"), STEP_FAILED);
    assert_int_equal(state_of(&w, "c"), STEP_SKIPPED);
    w.fails = NULL;
    w.told[0] = '\0';
    assert_true(steps_wait(w.g, &err));
    assert_null(strstr(w.told, "act:a"));
    assert_non_null(strstr(w.told, "act:b"));
    assert_non_null(strstr(w.told, "act:d"));
    end(&w);
}

static void
a_soft_failure_is_a_warning(void **state UNUSED)
{
    struct world w = {.fails = "e"};

    graph(&w, NULL);
    assert_true(steps_wait(w.g, NULL));
    assert_int_equal(state_of(&w, "e"), STEP_WARNED);
    assert_int_equal(state_of(&w, "d"), STEP_DONE);
    end(&w);
}

static void
undo_goes_backwards_over_what_was_done_or_begun(void **state UNUSED)
{
    struct world w = {.fails = "d", .there = "b"};

    graph(&w, NULL);
    assert_false(steps_wait(w.g, NULL));
    w.told[0] = '\0';
    assert_true(steps_undo(w.g, NULL));
    assert_string_equal(w.told, "undo:d undo:a ");
    w.told[0] = '\0';
    assert_true(steps_undo(w.g, NULL)); /* once */
    assert_string_equal(w.told, "");
    end(&w);
}

/* ---- steps that wait ---- */

static bool
other_waits_too(void *arg)
{
    const struct world *w = arg;

    return w->a_waits && w->b_waits;
}

static bool
meet(void *context, struct step_run *run, struct error *err)
{
    struct world *w = context;

    *(run->id[0] == 'a' ? &w->a_waits : &w->b_waits) = true;
    return step_wait(run, 10000, other_waits_too, w, err);
}

static bool
never(void *arg UNUSED)
{
    return false;
}

static bool
wait_for_ever(void *context UNUSED, struct step_run *run, struct error *err)
{
    step_detail(run, "it does not come");
    return step_wait(run, run->id[0] == 's' ? 1 : 60000, never, NULL, err);
}

static bool
go_wrong(void *context UNUSED, struct step_run *run UNUSED, struct error *err)
{
    return error_set(err, ERR_DENIED, "wrong");
}

static struct error
run_table(const struct step *t, struct world *w, int stops)
{
    const struct step_graph_options o = {0};
    struct error err = {0};

    w->l = loop_new(NULL);
    w->g = steps_new(w->l, t, w, &o, NULL);
    steps_start(w->g);
    while (steps_running(w->g)) {
        loop_turn(w->l, 20);
        if (w->programs && stops-- > 0)
            steps_stop(w->g);
    }
    for (size_t i = 0; i < steps_count(w->g); i++) {
        if (steps_at(w->g, i)->state == STEP_FAILED)
            err = steps_at(w->g, i)->error;
    }
    return err;
}

static void
independent_steps_wait_at_the_same_time(void **state UNUSED)
{
    static const struct step both[] = {{.id = "a", .title = "A", .act = meet},
                                       {.id = "b", .title = "B", .act = meet},
                                       {0}};
    struct world w = {0};

    assert_int_equal(run_table(both, &w, 0).code, ERR_NONE);
    assert_int_equal(state_of(&w, "a"), STEP_DONE);
    end(&w);
}

static void
a_wait_has_a_limit_and_says_its_reason(void **state UNUSED)
{
    static const struct step slow[] = {
        {.id = "s", .title = "slow", .act = wait_for_ever}, {0}};
    struct world w = {0};
    struct error err = run_table(slow, &w, 0);

    assert_int_equal(err.code, ERR_TIMEOUT);
    assert_string_equal(err.msg, "slow: not done after 0 s; it does not come");
    end(&w);
}

static void
a_failure_ends_the_waits_of_the_others(void **state UNUSED)
{
    static const struct step t[] = {
        {.id = "x", .title = "X", .act = wait_for_ever},
        {.id = "y", .title = "Y", .act = go_wrong},
        {0}};
    struct world w = {0};

    assert_string_equal(run_table(t, &w, 0).msg, "wrong");
    assert_int_equal(state_of(&w, "x"), STEP_CANCELLED);
    end(&w);
}

static void
what_does_not_need_it_goes_on(void **state UNUSED)
{
    static const struct step t[] = {
        {.id = "y", .title = "Y", .act = go_wrong, .flags = STEP_GOES_ON},
        {.id = "a", .title = "A", .act = meet},
        {.id = "b", .title = "B", .act = meet},
        {.id = "c", .title = "C", .needs = "a b", .act = act},
        {.id = "d", .title = "D", .needs = "y", .act = act},
        {0}};
    struct world w = {0};

    assert_string_equal(run_table(t, &w, 0).msg, "wrong");
    assert_int_equal(state_of(&w, "a"), STEP_DONE);
    assert_string_equal(w.told, "act:c ");
    assert_int_equal(state_of(&w, "d"), STEP_SKIPPED);
    end(&w);
}

/* ---- stops and programs ---- */

static bool
sleep_long(void *context, struct step_run *run, struct error *err)
{
    const char *const argv[] = {"sh", "-c", "echo begun; exec sleep 1000",
                                NULL};
    struct step_program p = {.argv = argv, .limit_ms = 600000};
    struct world *w = context;
    int status;

    w->programs++;
    return step_program(run, &p, &status, NULL, err);
}

static void
the_second_stop_ends_children(void **state UNUSED)
{
    static const struct step t[] = {
        {.id = "p", .title = "P", .act = sleep_long},
        {.id = "w", .title = "W", .act = wait_for_ever},
        {.id = "n", .title = "N", .needs = "w", .act = sleep_long},
        {0}};
    struct world w = {0};

    run_table(t, &w, 2);
    assert_int_equal(w.programs, 1);
    assert_int_equal(state_of(&w, "p"), STEP_CANCELLED);
    assert_int_equal(state_of(&w, "w"), STEP_CANCELLED);
    assert_int_equal(state_of(&w, "n"), STEP_SKIPPED);
    end(&w);
}

static void
count_lines(void *arg, int fd, struct str line UNUSED)
{
    *(int *)arg += fd;
}

static void
a_program_is_logged_and_answers(void **state UNUSED)
{
    const char *const argv[] = {
        "sh", "-c", "cat; printf 'bad\\033[31m\\n' >&2; exit 3", NULL};
    AUTO(buf_release) struct buf out = BUF_INIT(1000);
    struct step_run run = {.loop = loop_new(NULL), .title = "t"};
    int fds = 0, status = 0;
    struct step_program p = {.argv = argv,
                             .input = STR("one\ntwo\n"),
                             .limit_ms = 10000,
                             .on_line = count_lines,
                             .arg = &fds};

    assert_true(step_program(&run, &p, &status, &out, NULL));
    assert_int_equal(status, 3);
    assert_int_equal(fds, 4);
    assert_string_equal(buf_cstr(&out), "one\ntwo\n");
    assert_int_equal(run.log.n, 3);
    for (size_t i = 0; i < run.log.n; i++)
        assert_null(strchr(run.log.v[i], '\033'));
    for (int i = 0; i < 1000; i++)
        step_log(&run, STR("more"));
    assert_int_equal(run.log.n, STEP_LOG_LINES);
    step_part(&run, "x", STEP_RUNNING, "one");
    step_part(&run, "x", STEP_DONE, "two");
    assert_int_equal(run.parts_n, 1);
    assert_string_equal(run.parts[0].detail, "two");
    step_run_release(&run);
    loop_free(run.loop);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            needs_come_first_and_rows_of_other_engines_are_left_out),
        cmocka_unit_test(until_takes_what_it_needs_only),
        cmocka_unit_test(what_is_there_is_not_done_again),
        cmocka_unit_test(a_plan_changes_nothing),
        cmocka_unit_test(a_failure_starts_nothing_more_and_is_retried),
        cmocka_unit_test(a_soft_failure_is_a_warning),
        cmocka_unit_test(undo_goes_backwards_over_what_was_done_or_begun),
        cmocka_unit_test(independent_steps_wait_at_the_same_time),
        cmocka_unit_test(a_wait_has_a_limit_and_says_its_reason),
        cmocka_unit_test(a_failure_ends_the_waits_of_the_others),
        cmocka_unit_test(what_does_not_need_it_goes_on),
        cmocka_unit_test(the_second_stop_ends_children),
        cmocka_unit_test(a_program_is_logged_and_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
