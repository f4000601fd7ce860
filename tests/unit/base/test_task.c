/* Tasks wait side by side on one loop. */
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/task.h"

#include "tests/unit/test.h"

#define NAPS 5

struct sleeper {
    struct loop *l;
    int64_t ms;
    int naps;
    bool in_callback;
};

static void
wake(void *arg)
{
    *(bool *)arg = true;
}

/* Waits for a timer by turning the loop, as all *_wait functions do. */
static void
nap(struct loop *l, int64_t ms)
{
    bool over = false;
    struct loop_timer *t = loop_timer_add(l, ms, wake, &over);

    while (!over)
        loop_turn(l, -1);
    loop_timer_del(t);
}

static void
sleep_often(void *arg)
{
    struct sleeper *s = arg;

    for (int i = 0; i < NAPS; i++) {
        nap(s->l, s->ms);
        s->naps++;
    }
}

static void
tasks_wait_side_by_side(void **state UNUSED)
{
    struct loop *l = loop_new(NULL);
    struct sleeper quick = {.l = l, .ms = 1}, slow = {.l = l, .ms = 20};
    struct task *a = task_start(l, sleep_often, &slow, NULL);
    struct task *b = task_start(l, sleep_often, &quick, NULL);

    assert_int_equal(quick.naps + slow.naps, 0); /* not inside task_start */
    while (!task_done(b))
        loop_turn(l, -1);
    /* the quick one did not wait for the slow one */
    assert_int_equal(quick.naps, NAPS);
    assert_true(slow.naps < NAPS);
    while (!task_done(a))
        loop_turn(l, -1);
    assert_int_equal(slow.naps, NAPS);
    task_free(a);
    task_free(b);
    loop_free(l);
}

static void
look_for_a_time(void *arg)
{
    struct sleeper *s = arg;
    int64_t end = clock_mono_ms(clock_system()) + s->ms;

    while (clock_mono_ms(clock_system()) < end) {
        loop_turn(s->l, 3);
        s->naps++;
    }
}

static void
a_timeout_is_kept_when_nothing_happens(void **state UNUSED)
{
    struct loop *l = loop_new(NULL);
    struct sleeper s = {.l = l, .ms = 30};
    struct task *t = task_start(l, look_for_a_time, &s, NULL);

    while (!task_done(t))
        loop_turn(l, -1);
    assert_in_range(s.naps, 1, 12); /* it slept, it did not spin */
    task_free(t);
    loop_free(l);
}

/* A callback that itself turns the loop while tasks wait. */
static void
turn_inside(void *arg)
{
    struct sleeper *s = arg;

    nap(s->l, 10);
    s->in_callback = true;
}

static void
callbacks_may_turn_the_loop_beside_tasks(void **state UNUSED)
{
    struct loop *l = loop_new(NULL);
    struct sleeper s = {.l = l, .ms = 1}, c = {.l = l};
    struct task *t = task_start(l, sleep_often, &s, NULL);
    struct loop_timer *timer = loop_timer_add(l, 0, turn_inside, &c);

    while (!task_done(t) || !c.in_callback)
        loop_turn(l, -1);
    assert_int_equal(s.naps, NAPS);
    loop_timer_del(timer);
    task_free(t);
    loop_free(l);
}

static void
start_another(void *arg)
{
    struct sleeper *s = arg;
    struct sleeper inner = {.l = s->l, .ms = 1};
    struct task *t = task_start(s->l, sleep_often, &inner, NULL);

    while (!task_done(t))
        loop_turn(s->l, 5);
    task_free(t);
    s->naps = inner.naps;
}

static void
a_task_starts_a_task(void **state UNUSED)
{
    struct loop *l = loop_new(NULL);
    struct sleeper s = {.l = l};
    struct task *t = task_start(l, start_another, &s, NULL);

    while (!task_done(t))
        loop_turn(l, -1);
    assert_int_equal(s.naps, NAPS);
    task_free(t);
    loop_free(l);
}

static int
use_stack(int depth)
{
    volatile char room[4096];

    room[0] = (char)depth;
    return depth ? use_stack(depth - 1) + room[0] * 0 : 1;
}

static void
go_deep(void *arg)
{
    struct sleeper *s = arg;

    s->naps = use_stack(150);
    nap(s->l, 1);
    s->naps += use_stack(150);
}

static void
many_tasks_with_deep_stacks(void **state UNUSED)
{
    enum { MANY = 100 };
    struct loop *l = loop_new(NULL);
    struct sleeper s[MANY] = {{0}};
    struct task *t[MANY];

    for (int i = 0; i < MANY; i++) {
        s[i].l = l;
        t[i] = task_start(l, go_deep, &s[i], NULL);
    }
    for (int i = 0; i < MANY; i++) {
        while (!task_done(t[i]))
            loop_turn(l, -1);
        assert_int_equal(s[i].naps, 2);
        task_free(t[i]);
    }
    loop_free(l);
}

static void
one_that_never_began_is_freed(void **state UNUSED)
{
    struct loop *l = loop_new(NULL);
    struct sleeper s = {.l = l, .ms = 1};

    task_free(task_start(l, sleep_often, &s, NULL));
    loop_turn(l, 0);
    assert_int_equal(s.naps, 0);
    loop_free(l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_wait_side_by_side),
        cmocka_unit_test(a_timeout_is_kept_when_nothing_happens),
        cmocka_unit_test(callbacks_may_turn_the_loop_beside_tasks),
        cmocka_unit_test(a_task_starts_a_task),
        cmocka_unit_test(many_tasks_with_deep_stacks),
        cmocka_unit_test(one_that_never_began_is_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
