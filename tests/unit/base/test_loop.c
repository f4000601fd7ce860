/* The loop against the real kernel: order, deletion in callbacks, sleep. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/loop.h"

#include "tests/unit/test.h"

/* What a callback does: write its letter, then what `then` says. */
struct actor {
    char letter;
    struct loop_timer *timer, *victim;
    struct loop_fd *fd, *fd_victim;
    unsigned events;
};

static struct buf trace = {.max = 1000};
static struct loop *l;

static int
setup(void **state)
{
    (void)state;
    buf_reset(&trace);
    l = loop_new(NULL);
    return l ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    loop_free(l);
    buf_release(&trace);
    return 0;
}

static void
say(void *arg)
{
    struct actor *a = arg;

    buf_putc(&trace, a->letter);
    loop_timer_del(a->victim);
    a->victim = NULL;
}

static void
stop(void *arg)
{
    (void)arg;
    loop_stop(l, 7);
}

static void
timers_run_in_order_of_time_then_of_arming(void **state)
{
    static const int delays[] = {120, 40, 40, 400, 20, 40, 0};
    struct actor a[ARRAY_LEN(delays)];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(delays); i++) {
        a[i] = (struct actor){.letter = (char)('a' + i)};
        a[i].timer = loop_timer_add(l, delays[i], say, &a[i]);
    }
    loop_timer_set(a[3].timer, 80);
    loop_timer_add(l, 160, stop, NULL);
    int64_t before = clock_mono_ms(clock_system());

    assert_int_equal(loop_run(l), 7);
    assert_string_equal(buf_cstr(&trace), "gebcfda");
    assert_true(clock_mono_ms(clock_system()) - before >= 160);
}

static void
a_thousand_timers_keep_their_order_through_deletions(void **state)
{
    enum { N = 1000 };
    struct actor a[N];
    size_t expected = 0;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        a[i] = (struct actor){.letter = (char)('a' + i * 7919 % 10)};
        a[i].timer =
            loop_timer_add(l, (int64_t)(i * 7919 % 10) * 2, say, &a[i]);
    }
    for (size_t i = 0; i < N; i++) {
        if (i % 3 == 0)
            loop_timer_del(a[i].timer);
        else
            expected++;
    }
    loop_timer_add(l, 30, stop, NULL);
    loop_run(l);
    assert_int_equal(trace.n, expected);
    for (size_t i = 1; i < trace.n; i++)
        assert_true(trace.s[i - 1] <= trace.s[i]);
}

static void
rearm(void *arg)
{
    struct actor *a = arg;

    buf_putc(&trace, a->letter);
    loop_timer_set(a->timer, 0);
}

static void
a_timer_armed_in_a_timer_waits_for_the_next_turn(void **state)
{
    struct actor a = {.letter = 'r'};

    (void)state;
    a.timer = loop_timer_add(l, 0, rearm, &a);
    loop_turn(l, 0);
    assert_string_equal(buf_cstr(&trace), "r");
    loop_turn(l, 0);
    assert_string_equal(buf_cstr(&trace), "rr");
    loop_timer_set(a.timer, -1);
    loop_turn(l, 0);
    assert_string_equal(buf_cstr(&trace), "rr");
}

static void
a_deleted_timer_is_never_called(void **state)
{
    struct actor b = {.letter = 'b'}, a = {.letter = 'a'};

    (void)state;
    a.timer = loop_timer_add(l, 0, say, &a);
    b.timer = loop_timer_add(l, 0, say, &b);
    a.victim = b.timer;
    loop_turn(l, 0);
    a.victim = a.timer; /* deletes itself */
    loop_timer_set(a.timer, 0);
    loop_turn(l, 0);
    loop_turn(l, 0);
    assert_string_equal(buf_cstr(&trace), "aa");
    loop_timer_del(NULL);
}

static void
on_fd(void *arg, unsigned events)
{
    struct actor *a = arg;

    buf_putc(&trace, a->letter);
    a->events = events;
    loop_fd_del(a->fd_victim);
    a->fd_victim = NULL;
}

/* Two readable pipes in one batch: whichever comes first deletes the other. */
static void
a_deleted_descriptor_is_not_called_in_the_same_batch(void **state)
{
    struct actor a = {.letter = 'a'}, b = {.letter = 'b'};
    int p[2], q[2];

    (void)state;
    assert_int_equal(pipe(p) | pipe(q), 0);
    assert_int_equal(write(p[1], "x", 1) + write(q[1], "x", 1), 2);
    a.fd = loop_fd_add(l, p[0], LOOP_READ, on_fd, &a, NULL);
    b.fd = loop_fd_add(l, q[0], LOOP_READ, on_fd, &b, NULL);
    a.fd_victim = b.fd;
    b.fd_victim = a.fd;
    loop_turn(l, 1000);
    assert_int_equal(trace.n, 1);
    struct actor *winner = trace.s[0] == 'a' ? &a : &b;

    assert_int_equal(winner->events, LOOP_READ);
    winner->fd_victim = winner->fd;
    loop_turn(l, 1000);
    loop_turn(l, 0);
    assert_int_equal(trace.n, 2);
    close(p[0]), close(p[1]), close(q[0]), close(q[1]);
}

static void
interest_can_be_taken_back_and_hangup_comes_with_it(void **state)
{
    struct actor a = {.letter = 'a'};
    int p[2];

    (void)state;
    assert_int_equal(pipe(p), 0);
    a.fd = loop_fd_add(l, p[0], LOOP_READ, on_fd, &a, NULL);
    close(p[1]);
    loop_fd_set(a.fd, 0);
    loop_turn(l, 0);
    assert_string_equal(buf_cstr(&trace), "");
    loop_fd_set(a.fd, LOOP_READ);
    loop_turn(l, 1000);
    assert_int_equal(a.events, LOOP_READ | LOOP_HANGUP);
    loop_fd_del(a.fd);
    close(p[0]);
}

static void
a_plain_file_is_refused(void **state)
{
    struct error err = {0};
    int file = open("/tmp", O_TMPFILE | O_RDWR, 0600);

    (void)state;
    assert_null(loop_fd_add(l, file, LOOP_READ, on_fd, NULL, &err));
    assert_int_equal(err.code, ERR_IO);
    close(file);
}

static void
on_signal(void *arg, int signo)
{
    struct actor *a = arg;

    buf_printf(&trace, "%c%d ", a->letter, signo);
    loop_stop(l, 0);
}

static void
signals_come_as_calls_and_the_mask_comes_back(void **state)
{
    struct actor a = {.letter = 'a'};
    char want[20];
    sigset_t now;

    (void)state;
    struct loop_signal *one = loop_signal_add(l, SIGUSR1, on_signal, &a, NULL);
    struct loop_signal *two = loop_signal_add(l, SIGUSR2, on_signal, &a, NULL);

    raise(SIGUSR1);
    loop_run(l);
    raise(SIGUSR2);
    loop_run(l);
    snprintf(want, sizeof(want), "a%d a%d ", SIGUSR1, SIGUSR2);
    assert_string_equal(buf_cstr(&trace), want);
    loop_signal_del(one);
    sigprocmask(SIG_BLOCK, NULL, &now);
    assert_int_equal(sigismember(&now, SIGUSR1), 0);
    assert_int_equal(sigismember(&now, SIGUSR2), 1);
    loop_signal_del(two);
    sigprocmask(SIG_BLOCK, NULL, &now);
    assert_int_equal(sigismember(&now, SIGUSR2), 0);
}

static void
on_child(void *arg, pid_t pid, int status)
{
    (void)arg;
    buf_printf(&trace, "%s%d ", WIFEXITED(status) ? "exit" : "signal",
               WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    loop_stop(l, 0);
}

static void
a_child_is_reaped_once(void **state)
{
    (void)state;
    pid_t pid = fork();

    if (pid == 0)
        _exit(3);
    struct loop_child *c = loop_child_add(l, pid, on_child, NULL, NULL);

    assert_non_null(c);
    loop_run(l);
    loop_turn(l, 0);
    loop_child_del(c);
    pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    c = loop_child_add(l, pid, on_child, NULL, NULL);
    kill(pid, SIGKILL);
    loop_run(l);
    assert_string_equal(buf_cstr(&trace), "exit3 signal9 ");
    struct error err = {0};

    assert_null(loop_child_add(l, pid, on_child, NULL, &err));
    assert_int_equal(err.code, ERR_IO);
}

static void
defer_again(void *arg)
{
    struct actor *a = arg;

    buf_putc(&trace, a->letter);
    if (a->letter < 'c') {
        a->letter++;
        loop_defer(l, defer_again, a);
    }
}

static void
deferred_calls_run_after_timers_and_one_generation_a_turn(void **state)
{
    struct actor a = {.letter = 'a'}, x = {.letter = 'x'}, t = {.letter = 't'};

    (void)state;
    loop_defer(l, defer_again, &a);
    loop_defer(l, say, &x);
    loop_timer_add(l, 0, say, &t);
    loop_undefer(l, say, &x);
    loop_turn(l, -1);
    assert_string_equal(buf_cstr(&trace), "ta");
    loop_turn(l, -1);
    loop_turn(l, -1);
    loop_turn(l, 0);
    assert_string_equal(buf_cstr(&trace), "tabc");
}

static int
hook(void *arg)
{
    int *budget = arg;

    buf_putc(&trace, 'h');
    return *budget;
}

static void
a_hook_limits_the_sleep(void **state)
{
    int budget = 5;
    struct loop_hook *h = loop_hook_add(l, hook, &budget);
    int64_t before = clock_mono_ms(clock_system());

    (void)state;
    loop_turn(l, 60000);
    assert_true(clock_mono_ms(clock_system()) - before < 30000);
    loop_hook_del(h);
    loop_turn(l, 0);
    assert_string_equal(buf_cstr(&trace), "h");
}

/* An idle loop with handles of every kind sleeps through: two turns (the one
 * that waits, the one that stops) and no processor time worth naming. */
static void
an_idle_loop_does_not_wake(void **state)
{
    struct actor a = {.letter = 'a'};
    int forever = -1, p[2];
    struct rusage before, after;

    (void)state;
    assert_int_equal(pipe(p), 0);
    loop_fd_add(l, p[0], LOOP_READ, on_fd, &a, NULL);
    loop_signal_add(l, SIGUSR1, on_signal, &a, NULL);
    loop_timer_add(l, -1, say, &a);
    loop_timer_add(l, 1 << 30, say, &a);
    loop_hook_add(l, hook, &forever);
    loop_timer_add(l, 200, stop, NULL);
    getrusage(RUSAGE_SELF, &before);
    loop_run(l);
    getrusage(RUSAGE_SELF, &after);
    assert_string_equal(buf_cstr(&trace), "h");
    assert_true(after.ru_nvcsw - before.ru_nvcsw < 20);
    close(p[0]);
    close(p[1]);
}

static void
turn_inside(void *arg)
{
    struct actor *a = arg;

    loop_timer_del(a->timer);
    loop_turn(l, 0);
    buf_putc(&trace, a->letter);
}

static void
a_turn_may_run_inside_a_callback(void **state)
{
    struct actor a = {.letter = 'a'}, b = {.letter = 'b'}, c = {.letter = 'c'};

    (void)state;
    a.timer = loop_timer_add(l, 0, turn_inside, &a);
    loop_timer_add(l, 0, say, &b);
    loop_defer(l, say, &c);
    loop_turn(l, 0);
    assert_string_equal(buf_cstr(&trace), "bca");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(timers_run_in_order_of_time_then_of_arming),
        T(a_thousand_timers_keep_their_order_through_deletions),
        T(a_timer_armed_in_a_timer_waits_for_the_next_turn),
        T(a_deleted_timer_is_never_called),
        T(a_deleted_descriptor_is_not_called_in_the_same_batch),
        T(interest_can_be_taken_back_and_hangup_comes_with_it),
        T(a_plain_file_is_refused),
        T(signals_come_as_calls_and_the_mask_comes_back),
        T(a_child_is_reaped_once),
        T(deferred_calls_run_after_timers_and_one_generation_a_turn),
        T(a_hook_limits_the_sleep),
        T(an_idle_loop_does_not_wake),
        T(a_turn_may_run_inside_a_callback),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
