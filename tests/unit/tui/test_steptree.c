/* Steps as rows: what goes when there is little room, figures, time left. */
#include <stdio.h>
#include <stdlib.h>

#include "tui/steptree.h"

#include "tests/unit/test.h"

enum { RUNS = 12 };

struct world {
    struct step_run v[RUNS];
    const struct step_run *p[RUNS];
    char ids[RUNS][8];
};

/* 0-4 are over, 5 and 6 run (5 with parts and bytes), 7 went wrong, the rest is
 * to come. */
static void
make(struct world *w)
{
    *w = (struct world){0};
    for (int i = 0; i < RUNS; i++) {
        snprintf(w->ids[i], sizeof(w->ids[i]), "s%d", i);
        w->v[i] = (struct step_run){.id = w->ids[i], .title = w->ids[i]};
        w->p[i] = &w->v[i];
        if (i < 8)
            w->v[i].began_ms = 100 * (i + 1);
        if (i < 5) {
            w->v[i].state = i % 2 ? STEP_DONE : STEP_ALREADY;
            w->v[i].ended_ms = 100 * (i + 2);
        }
    }
    for (int i = 5; i < 7; i++) {
        w->v[i].state = STEP_RUNNING;
        snprintf(w->v[i].detail, sizeof(w->v[i].detail), "it waits");
    }
    for (int i = 0; i < 10; i++) {
        char name[16];

        snprintf(name, sizeof(name), "part %d", i);
        step_part(&w->v[5], name, i < 7 ? STEP_DONE : STEP_RUNNING, "");
    }
    step_bytes(&w->v[5], 10, 20);
    w->v[7].state = STEP_FAILED;
    error_set(&w->v[7].error, ERR_IO, "no good");
}

static size_t
count(const struct steptree *t, enum steptree_type type, size_t *sum)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n; i++) {
        if (t->rows[i].type == type) {
            n++;
            *sum += t->rows[i].count;
        }
    }
    return n;
}

/* Whatever the height: no more rows than there are, no step is lost, and what
 * runs or failed is a row of its own as long as there is one for each. */
static void
fits(void **state)
{
    struct steptree t;
    struct world w;

    (void)state;
    make(&w);
    steptree_init(&t);
    steptree_set(&t, w.p, RUNS, 5000);
    for (int max = 1; max < 60; max++) {
        size_t steps, hidden = 0;
        bool runs[2] = {false, false}, failed = false;

        steptree_fit(&t, max);
        assert_true(t.n >= 1 && t.n <= (size_t)max);
        steps = count(&t, TREE_STEP, &hidden);
        count(&t, TREE_ENDED, &hidden);
        count(&t, TREE_TO_COME, &hidden);
        for (size_t i = 0; i < t.n; i++) {
            if (t.rows[i].type != TREE_STEP)
                continue;
            failed |= t.rows[i].run == 7;
            runs[0] |= t.rows[i].run == 5;
            runs[1] |= t.rows[i].run == 6;
        }
        if (max >= 5) {
            assert_true(runs[0] && runs[1] && failed);
            assert_int_equal(steps + hidden, RUNS);
        }
    }
    steptree_fit(&t, 60);
    assert_int_equal(t.n, 12 + 10 + 1 + 2 + 1);
    steptree_release(&t);
    step_run_release(&w.v[5]);
}

/* Of many parts those that are over go first. */
static void
parts(void **state)
{
    struct steptree t;
    struct world w;
    size_t shown = 0, going = 0;

    (void)state;
    make(&w);
    steptree_init(&t);
    steptree_set(&t, w.p, RUNS, 5000);
    steptree_fit(&t, 16);
    for (size_t i = 0; i < t.n; i++) {
        if (t.rows[i].type == TREE_PART) {
            shown++;
            going += w.v[5].parts[t.rows[i].part].state == STEP_RUNNING;
        }
    }
    assert_int_equal(going, 3);
    assert_int_equal(shown, 3);
    steptree_release(&t);
    step_run_release(&w.v[5]);
}

static void
draw_to(const struct steptree *t, int width, bool ascii, struct buf *out)
{
    struct canvas c;

    canvas_init(&c, width, (int)t->n, ascii);
    for (size_t i = 0; i < t->n; i++)
        steptree_draw(t, i, &c, (struct rect){0, (int)i, width, 1});
    canvas_text(&c, out);
    canvas_release(&c);
}

/* No width breaks it, and bytes from outside never steer the terminal. */
static void
widths(void **state)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    struct steptree t;
    struct world w;

    (void)state;
    make(&w);
    snprintf(w.v[6].detail, sizeof(w.v[6].detail),
             "\033[31m\xc2\x9b"
             "2J\xe2\x80\xae\a\r\n\xff end");
    steptree_init(&t);
    steptree_set(&t, w.p, RUNS, 5000);
    for (int width = 1; width < 200; width += 7) {
        steptree_all(&t, NULL, NULL);
        buf_reset(&b);
        draw_to(&t, width, width % 2, &b);
        for (size_t i = 0; i < b.n; i++)
            assert_true((unsigned char)b.s[i] >= ' ' || b.s[i] == '\n');
        assert_null(strstr(buf_cstr(&b), "\xc2\x9b"));
        assert_null(strstr(buf_cstr(&b), "\xe2\x80\xae"));
    }
    buf_reset(&b);
    draw_to(&t, 80, true, &b);
    for (size_t i = 0; i < b.n; i++)
        assert_true((unsigned char)b.s[i] < 0x7f);
    steptree_release(&t);
    step_run_release(&w.v[5]);
}

static void
figures(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } times[] = {{-5, "0 ms"},        {0, "0 ms"},        {999, "999 ms"},
                 {1000, "1.0 s"},     {59999, "59.9 s"},  {60000, "1m00s"},
                 {3599999, "59m59s"}, {3600000, "1h00m"}, {90000000, "25h00m"}};
    static const struct {
        uint64_t n;
        const char *text;
    } bytes[] = {{0, "0 B"},
                 {999, "999 B"},
                 {1000, "1.0 kB"},
                 {9999, "9.9 kB"},
                 {10000, "10 kB"},
                 {1900000000, "1.9 GB"},
                 {UINT64_MAX, "18446 PB"}};
    char out[STEPTEXT_LEN];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        assert_string_equal(steptext_ms(times[i].ms, out), times[i].text);
    for (size_t i = 0; i < ARRAY_LEN(bytes); i++)
        assert_string_equal(steptext_bytes(bytes[i].n, out), bytes[i].text);
}

/* The rate follows what comes; a figure that falls begins anew. */
static void
meter(void **state)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1024);
    struct step_run run = {.done = 30000000, .total = 90000000};
    struct step_meter m = {0};

    (void)state;
    step_meter_feed(&m, 10000000, 1000);
    step_meter_feed(&m, 15000000, 1500);
    assert_true(m.per_s < 1);
    step_meter_feed(&m, 30000000, 2000);
    assert_true(m.per_s > 19999999 && m.per_s < 20000001);
    steptext_progress(&run, &m, &b);
    assert_string_equal(buf_cstr(&b), "30 MB of 90 MB  20 MB/s  4.0 s left");
    step_meter_feed(&m, 5, 3000);
    assert_true(m.per_s < 1);
    buf_reset(&b);
    steptext_progress(&(struct step_run){.done = 12}, &m, &b);
    assert_string_equal(buf_cstr(&b), "12 B");
}

static void
summary(void **state)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1024);
    struct steptree t;
    struct world w;

    (void)state;
    make(&w);
    w.v[11].state = STEP_SKIPPED;
    steptree_init(&t);
    steptree_set(&t, w.p, RUNS, 70000);
    steptree_summary(&t, 5000, &b);
    assert_string_equal(buf_cstr(&b),
                        "6 of 12 steps  1m05s  slowest: s5 1m09s");
    steptree_release(&t);
    step_run_release(&w.v[5]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fits),   cmocka_unit_test(parts),
        cmocka_unit_test(widths), cmocka_unit_test(figures),
        cmocka_unit_test(meter),  cmocka_unit_test(summary)};

    return cmocka_run_group_tests_name("tui/steptree", tests, NULL, NULL);
}
