/* The controllers' queue: once each, in order, delayed, retried. */
#include "devenv/sandbox/queue.h"

#include "tests/unit/test.h"

static struct job
job(const char *name)
{
    return (struct job){JOB_XR, "g", "things", "ns", name};
}

static void
expect(struct queue *q, int64_t now, const char *names)
{
    struct str rest = str_of(names), want;
    struct job j;

    while (*names && str_next(&rest, ',', &want)) {
        assert_true(queue_take(q, now, QUEUE_NORMAL, &j) ||
                    queue_take(q, now, QUEUE_LOW, &j));
        if (!str_eqz(want, j.name))
            fail_msg("%s instead of %.*s", j.name, STR_ARG(want));
        assert_string_equal(j.ns, "ns");
        assert_string_equal(j.plural, "things");
    }
    assert_false(queue_take(q, now, QUEUE_NORMAL, &j));
    assert_false(queue_take(q, now, QUEUE_LOW, &j));
}

static void
add(struct queue *q, const char *name, enum queue_lane lane, int64_t now,
    int64_t delay)
{
    struct job j = job(name);

    queue_add(q, lane, &j, now, delay);
}

static void
each_job_is_there_once(void **state)
{
    struct queue *q = queue_new();

    (void)state;
    add(q, "a", QUEUE_NORMAL, 0, 0);
    add(q, "b", QUEUE_NORMAL, 0, 0);
    add(q, "a", QUEUE_NORMAL, 0, 0);
    assert_int_equal(queue_length(q), 2);
    expect(q, 0, "a,b");
    assert_int_equal(queue_due(q, 0), -1);
    queue_free(q);
}

static void
the_low_lane_waits_and_is_left_by_promotion(void **state)
{
    struct queue *q = queue_new();
    struct job j;

    (void)state;
    add(q, "low", QUEUE_LOW, 0, 0);
    add(q, "both", QUEUE_LOW, 0, 0);
    add(q, "a", QUEUE_NORMAL, 0, 0);
    add(q, "both", QUEUE_NORMAL, 0, 0);
    add(q, "a", QUEUE_LOW, 0, 0);
    for (int i = 0; i < 2; i++)
        assert_true(queue_take(q, 0, QUEUE_NORMAL, &j));
    assert_false(queue_take(q, 0, QUEUE_NORMAL, &j));
    assert_int_equal(queue_due(q, 0), 0);
    expect(q, 0, "low");
    queue_free(q);
}

static void
delays_and_the_earliest_wins(void **state)
{
    struct queue *q = queue_new();

    (void)state;
    add(q, "late", QUEUE_NORMAL, 0, 100);
    add(q, "soon", QUEUE_NORMAL, 0, 50);
    add(q, "late", QUEUE_NORMAL, 0, 20);
    add(q, "late", QUEUE_NORMAL, 0, 70);
    assert_int_equal(queue_due(q, 0), 20);
    expect(q, 19, "");
    expect(q, 20, "late");
    assert_int_equal(queue_due(q, 20), 30);
    add(q, "soon", QUEUE_NORMAL, 20, 0);
    expect(q, 20, "soon");
    /* The stale entries at 50, 70 and 100 bring nothing. */
    expect(q, 200, "");
    assert_int_equal(queue_length(q), 0);
    queue_free(q);
}

static void
retries_back_off_until_forgotten(void **state)
{
    static const int64_t want[] = {1000, 2000, 4000, 5000, 5000};
    struct queue *q = queue_new();
    struct job j = job("a"), got;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        queue_retry(q, QUEUE_NORMAL, &j, 0, 1000, 5000);
        assert_int_equal(queue_due(q, 0), want[i]);
        assert_true(queue_take(q, want[i], QUEUE_NORMAL, &got));
    }
    queue_forget(q, &j);
    queue_retry(q, QUEUE_NORMAL, &j, 0, 1000, 5000);
    assert_int_equal(queue_due(q, 0), 1000);
    queue_free(q);
}

static void
a_taken_job_may_come_again(void **state)
{
    struct queue *q = queue_new();
    struct job j;

    (void)state;
    add(q, "a", QUEUE_NORMAL, 0, 0);
    assert_true(queue_take(q, 0, QUEUE_NORMAL, &j));
    queue_add(q, QUEUE_NORMAL, &j, 0, 0);
    queue_forget(q, &j);
    assert_string_equal(j.name, "a");
    expect(q, 0, "a");
    queue_free(q);
}

static void
many_delays_come_in_order(void **state)
{
    struct queue *q = queue_new();
    struct job j;
    int last = -1;
    char name[16];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "%d", i);
        add(q, name, QUEUE_NORMAL, 0, (i * 7919) % 1000 + 1);
    }
    for (int i = 0; i < 1000; i++) {
        assert_true(queue_take(q, 2000, QUEUE_NORMAL, &j));
        int due = (atoi(j.name) * 7919) % 1000;

        assert_true(due >= last);
        last = due;
    }
    expect(q, 2000, "");
    queue_free(q);
}

/* A thousand jobs of one namespace, one of another, and jobs of another kind:
 * they take turns. */
static void
namespaces_and_kinds_take_turns(void **state)
{
    struct queue *q = queue_new();
    struct job lonely = {JOB_XR, "g", "things", "small", "lonely"};
    struct job other = {JOB_MANAGED, "g", "buckets", "ns", "bucket"};
    struct job j;
    char name[16];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "%d", i);
        add(q, name, QUEUE_NORMAL, 0, 0);
    }
    queue_add(q, QUEUE_NORMAL, &lonely, 0, 0);
    queue_add(q, QUEUE_NORMAL, &other, 0, 0);
    static const char *const want[] = {"0", "lonely", "bucket", "1", "2"};

    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_true(queue_take(q, 0, QUEUE_NORMAL, &j));
        assert_string_equal(j.name, want[i]);
    }
    /* A promotion leaves the low lane in order. */
    add(q, "low", QUEUE_LOW, 0, 0);
    add(q, "low", QUEUE_NORMAL, 0, 0);
    assert_false(queue_take(q, 0, QUEUE_LOW, &j));
    assert_int_equal(queue_length(q), 998);
    queue_free(q);
}

/* Two thousand broken jobs: the burst at once, the rest at the rate. */
static void
retries_share_one_rate(void **state)
{
    enum { JOBS = 2000, START = 1000000 };
    struct queue *q = queue_new();
    struct job j;
    char name[16];
    size_t n = 0;

    (void)state;
    for (int i = 0; i < JOBS; i++) {
        struct job broken = {JOB_XR, "g", "things", "ns", name};

        snprintf(name, sizeof(name), "%d", i);
        queue_retry(q, QUEUE_NORMAL, &broken, START, 1000, 5000);
    }
    while (queue_take(q, START + 1000, QUEUE_NORMAL, &j))
        n++;
    assert_int_equal(n, QUEUE_RETRY_BURST + QUEUE_RETRY_RATE);
    while (queue_take(q, START + 3000, QUEUE_NORMAL, &j))
        n++;
    assert_int_equal(n, QUEUE_RETRY_BURST + 3 * QUEUE_RETRY_RATE);
    queue_free(q);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_job_is_there_once),
        cmocka_unit_test(the_low_lane_waits_and_is_left_by_promotion),
        cmocka_unit_test(delays_and_the_earliest_wins),
        cmocka_unit_test(retries_back_off_until_forgotten),
        cmocka_unit_test(a_taken_job_may_come_again),
        cmocka_unit_test(many_delays_come_in_order),
        cmocka_unit_test(namespaces_and_kinds_take_turns),
        cmocka_unit_test(retries_share_one_rate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
