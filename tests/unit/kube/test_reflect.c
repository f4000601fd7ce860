#include "lib/kube/reflect.h"

#include "tests/unit/test.h"

/* Chance that says the least, and the most. */
static uint32_t
least(uint32_t limit UNUSED)
{
    return 0;
}

static uint32_t
most(uint32_t limit)
{
    return limit - 1;
}

static struct kube_reflect r;
static int64_t now_ms;
static bool lost;

static void
fresh(void)
{
    kube_reflect_init(&r, 0);
    now_ms = 1000000;
}

static int64_t
fail_with(enum kube_ask ask, int http, enum err_code code, bool answered)
{
    struct error err = {.code = code, .http = http};
    struct kube_reflect_end e = {.ask = ask,
                                 .err = code ? &err : NULL,
                                 .answered = answered,
                                 .retry_after_s = -1};

    return kube_reflect_ended(&r, now_ms, &e, least, &lost);
}

/* What is asked after an answer to WatchList, and after which pause. */
static void
watchlist_answers(void **state)
{
    static const struct {
        int http;
        enum err_code code;
        enum kube_ask next;
        int64_t pause;
        bool for_good;
    } rows[] = {
        {400, ERR_INVALID, KUBE_ASK_LIST, 0, true},
        {422, ERR_INVALID, KUBE_ASK_LIST, 0, true},
        {405, ERR_UNSUPPORTED, KUBE_ASK_LIST, 0, true},
        {501, ERR_UNSUPPORTED, KUBE_ASK_LIST, 0, true},
        {401, ERR_DENIED, KUBE_ASK_LIST, 0, false},
        {403, ERR_DENIED, KUBE_ASK_LIST, 0, false},
        {404, ERR_NOT_FOUND, KUBE_ASK_LIST, 0, false},
        {500, ERR_NETWORK, KUBE_ASK_LIST, 0, false},
        {503, ERR_NETWORK, KUBE_ASK_LIST, 0, false},
        {0, ERR_PARSE, KUBE_ASK_LIST, 0, false},
        {0, ERR_LIMIT, KUBE_ASK_LIST, 0, false},
        {429, ERR_NETWORK, KUBE_ASK_STREAM, 800, false},
        {0, ERR_NETWORK, KUBE_ASK_STREAM, 800, false},
        {0, ERR_TIMEOUT, KUBE_ASK_STREAM, 800, false},
        {410, ERR_GONE, KUBE_ASK_STREAM, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        fresh();
        assert_int_equal(kube_reflect_ask(&r), KUBE_ASK_STREAM);
        assert_int_equal(
            fail_with(KUBE_ASK_STREAM, rows[i].http, rows[i].code, false),
            rows[i].pause);
        assert_int_equal(kube_reflect_ask(&r), rows[i].next);
        assert_int_equal(r.plain, rows[i].for_good);
        /* The list that follows is the reflector's. */
        if (rows[i].next == KUBE_ASK_LIST) {
            assert_string_equal(kube_reflect_list_version(&r), "0");
            assert_true(kube_reflect_pages(&r));
            fail_with(KUBE_ASK_LIST, 500, ERR_NETWORK, false);
            assert_int_equal(kube_reflect_ask(&r), rows[i].for_good
                                                       ? KUBE_ASK_LIST
                                                       : KUBE_ASK_STREAM);
        }
    }
}

/* Who may not list asks each five minutes, however long it lasts. */
static void
who_is_refused_is_calm(void **state)
{
    (void)state;
    fresh();
    for (int i = 0; i < 20; i++) {
        assert_int_equal(fail_with(KUBE_ASK_STREAM, 403, ERR_DENIED, false), 0);
        assert_int_equal(kube_reflect_ask(&r), KUBE_ASK_LIST);
        assert_int_equal(fail_with(KUBE_ASK_LIST, 403, ERR_DENIED, false),
                         300000);
        assert_true(lost);
        assert_int_equal(kube_reflect_ask(&r), KUBE_ASK_STREAM);
        now_ms += 300000;
    }
    /* Let in once, and an outage is an outage. */
    kube_reflect_listed(&r, STR("7"), false);
    kube_reflect_began(&r, now_ms, least);
    assert_int_equal(fail_with(KUBE_ASK_WATCH, 429, ERR_NETWORK, true), 800);
}

/* ... and to a watch. */
static void
watch_answers(void **state)
{
    static const struct {
        int http;
        enum err_code code;
        enum kube_ask next;
        int64_t pause;
        bool lost;
    } rows[] = {
        {410, ERR_GONE, KUBE_ASK_STREAM, 0, false},
        {429, ERR_NETWORK, KUBE_ASK_WATCH, 800, true},
        {500, ERR_NETWORK, KUBE_ASK_WATCH, 800, true},
        {503, ERR_NETWORK, KUBE_ASK_WATCH, 800, true},
        {0, ERR_NETWORK, KUBE_ASK_PROBE, 800, true},
        {0, ERR_TIMEOUT, KUBE_ASK_PROBE, 800, true},
        {401, ERR_DENIED, KUBE_ASK_STREAM, 800, true},
        {403, ERR_DENIED, KUBE_ASK_STREAM, 800, true},
        {404, ERR_NOT_FOUND, KUBE_ASK_STREAM, 800, true},
        {409, ERR_CONFLICT, KUBE_ASK_STREAM, 800, true},
        {0, ERR_PARSE, KUBE_ASK_STREAM, 800, true},
        {0, ERR_LIMIT, KUBE_ASK_STREAM, 800, true},
        {0, ERR_NONE, KUBE_ASK_STREAM, 800, true}, /* short and silent */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        fresh();
        kube_reflect_listed(&r, STR("7"), false);
        kube_reflect_began(&r, now_ms, least);
        assert_int_equal(
            fail_with(KUBE_ASK_WATCH, rows[i].http, rows[i].code, true),
            rows[i].pause);
        assert_int_equal(kube_reflect_ask(&r), rows[i].next);
        assert_int_equal(lost, rows[i].lost);
    }
    /* Three 5xx in a row, and a list is due. */
    fresh();
    kube_reflect_listed(&r, STR("7"), false);
    for (int i = 0; i < 2; i++)
        fail_with(KUBE_ASK_WATCH, 500, ERR_NETWORK, true);
    assert_int_equal(kube_reflect_ask(&r), KUBE_ASK_WATCH);
    fail_with(KUBE_ASK_WATCH, 500, ERR_NETWORK, true);
    assert_int_equal(kube_reflect_ask(&r), KUBE_ASK_STREAM);
}

/* A proper end after a second, or after an event, is none of these. */
static void
clean_ends(void **state)
{
    (void)state;
    fresh();
    kube_reflect_listed(&r, STR("7"), false);
    kube_reflect_began(&r, now_ms, least);
    now_ms += 999;
    assert_true(kube_reflect_short(&r, now_ms));
    now_ms += 1;
    assert_int_equal(fail_with(KUBE_ASK_WATCH, 0, ERR_NONE, true), 0);
    assert_false(lost);
    assert_int_equal(kube_reflect_ask(&r), KUBE_ASK_WATCH);
    kube_reflect_began(&r, now_ms, least);
    assert_true(kube_reflect_saw(&r, STR("8"), true));
    assert_int_equal(fail_with(KUBE_ASK_WATCH, 0, ERR_NONE, true), 0);
    assert_false(lost);
    assert_string_equal(r.version, "8");
}

/* 0.8 s, doubled to 30 s, up to twice as long by chance; two quiet minutes
 * begin anew; a server's Retry-After is kept to. */
static void
pauses(void **state)
{
    static const int64_t want[] = {800,   1600,  3200,  6400,
                                   12800, 25600, 30000, 30000};
    struct error err = {.code = ERR_NETWORK};
    struct kube_reflect_end e = {
        .ask = KUBE_ASK_STREAM, .err = &err, .retry_after_s = -1};

    (void)state;
    fresh();
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct kube_reflect copy = r;

        assert_int_equal(kube_reflect_ended(&copy, now_ms, &e, most, &lost),
                         2 * want[i] - 1);
        assert_int_equal(kube_reflect_ended(&r, now_ms, &e, least, &lost),
                         want[i]);
        now_ms += 60000;
    }
    now_ms += 120000;
    assert_int_equal(kube_reflect_ended(&r, now_ms, &e, least, &lost), 800);
    e.retry_after_s = 7;
    assert_int_equal(kube_reflect_ended(&r, now_ms, &e, least, &lost), 7000);
    e.retry_after_s = 1000000;
    assert_int_equal(kube_reflect_ended(&r, now_ms, &e, least, &lost), 30000);
}

/* What expires again and again is paused for: nothing turns hot. */
static void
no_hot_loops(void **state)
{
    static const int https[] = {0,   400, 401, 403, 404, 409, 410,
                                422, 429, 500, 501, 502, 503, 504};
    static const enum err_code codes[] = {ERR_NETWORK, ERR_TIMEOUT, ERR_PARSE,
                                          ERR_LIMIT,   ERR_GONE,    ERR_DENIED};

    (void)state;
    for (size_t h = 0; h < ARRAY_LEN(https); h++) {
        for (size_t c = 0; c < ARRAY_LEN(codes) * 2; c++) {
            int64_t begin;

            fresh();
            begin = now_ms;
            if (c % 2)
                kube_reflect_listed(&r, STR("7"), false);
            for (int i = 0; i < 1000; i++) {
                kube_reflect_began(&r, now_ms, least);
                now_ms +=
                    fail_with(kube_reflect_ask(&r), https[h],
                              https[h] == 410 ? ERR_GONE : codes[c / 2], c % 2);
            }
            /* 30 s a pause in the end, at most three questions for each */
            assert_true(now_ms - begin > 300 * 30000);
        }
    }
}

/* A stream's silence: by the bookmarks, else by its own end. */
static void
silence(void **state)
{
    (void)state;
    fresh();
    kube_reflect_listed(&r, STR("7"), false);
    kube_reflect_began(&r, now_ms, most);
    assert_int_equal(r.seconds, 599);
    assert_int_equal(kube_reflect_stall(&r, now_ms, 0), 629000);
    kube_reflect_heard(&r, now_ms + 620000);
    assert_int_equal(kube_reflect_stall(&r, now_ms + 620000, 0), 30000);
    assert_int_equal(kube_reflect_stall(&r, now_ms + 650000, 0), 0);
    kube_reflect_began(&r, now_ms, least);
    assert_int_equal(r.seconds, 300);
    r.bookmarks = true;
    assert_int_equal(kube_reflect_stall(&r, now_ms, 0), 150000);
    kube_reflect_heard(&r, now_ms + 60000);
    assert_int_equal(kube_reflect_stall(&r, now_ms + 60000, 0), 150000);
    kube_reflect_heard(&r, now_ms + 290000);
    assert_int_equal(kube_reflect_stall(&r, now_ms + 290000, 0), 40000);
    assert_int_equal(kube_reflect_stall(&r, now_ms + 290000, 50), 50);
    assert_int_equal(kube_reflect_stall(&r, now_ms + 290051, 50), 0);
}

static void
versions(void **state)
{
    (void)state;
    fresh();
    /* synthetic events of a watch without a version are in no order */
    kube_reflect_listed(&r, STR(""), false);
    kube_reflect_began(&r, now_ms, least);
    assert_true(kube_reflect_saw(&r, STR("9"), false));
    assert_true(kube_reflect_saw(&r, STR("3"), false));
    assert_string_equal(r.version, "");
    assert_true(kube_reflect_saw(&r, STR("10"), true));
    assert_true(kube_reflect_saw(&r, STR("11"), false));
    assert_string_equal(r.version, "11");
    assert_true(kube_reflect_saw(&r, STR("11"), false));
    assert_false(kube_reflect_saw(&r, STR("9"), false));
    assert_true(kube_reflect_saw(&r, STR("184467440737095516160"), false));
    assert_true(kube_reflect_saw(&r, STR("opaque"), false));
    assert_true(kube_reflect_saw(&r, STR("1"), false));
    /* the same stream after a WatchList's end is in order at once */
    fresh();
    kube_reflect_began(&r, now_ms, least);
    kube_reflect_listed(&r, STR("5"), false);
    assert_true(kube_reflect_saw(&r, STR("6"), false));
    assert_string_equal(r.version, "6");
    kube_reflect_saw(&r, STR("1000"), true);
    assert_false(kube_reflect_saw(&r, STR("1"), false));
    kube_reflect_listed(&r, STR("1"), false);
    /* the probe: lower versions than ours */
    r.probe = true;
    kube_reflect_probed(&r, STR("1"));
    assert_int_equal(kube_reflect_ask(&r), KUBE_ASK_WATCH);
    kube_reflect_probed(&r, STR("0"));
    assert_int_equal(kube_reflect_ask(&r), KUBE_ASK_STREAM);
    assert_string_equal(kube_reflect_list_version(&r), "");
}

/* Which LIST, when. */
static void
lists(void **state)
{
    struct error err = {.code = ERR_GONE, .http = 410};
    struct kube_reflect_end e = {.ask = KUBE_ASK_LIST,
                                 .err = &err,
                                 .continued = true,
                                 .retry_after_s = -1};

    (void)state;
    fresh();
    r.plain = true;
    assert_string_equal(kube_reflect_list_version(&r), "0");
    assert_int_equal(kube_reflect_ended(&r, now_ms, &e, least, &lost), 0);
    assert_false(kube_reflect_pages(&r)); /* a page expired: in one piece */
    kube_reflect_listed(&r, STR("5"), false);
    r.listed = false;
    assert_string_equal(kube_reflect_list_version(&r), "5");
    assert_false(kube_reflect_pages(&r));
    e.continued = false;
    assert_int_equal(kube_reflect_ended(&r, now_ms, &e, least, &lost), 0);
    assert_string_equal(kube_reflect_list_version(&r), "");
    assert_true(kube_reflect_pages(&r));
    /* "0" in pages: this server has no cache, pages are better */
    fresh();
    r.plain = true;
    kube_reflect_listed(&r, STR("5"), true);
    r.listed = false;
    assert_string_equal(kube_reflect_list_version(&r), "5");
    assert_true(kube_reflect_pages(&r));
    r.once = true;
    assert_string_equal(kube_reflect_list_version(&r), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(watchlist_answers),
        cmocka_unit_test(who_is_refused_is_calm),
        cmocka_unit_test(watch_answers),
        cmocka_unit_test(clean_ends),
        cmocka_unit_test(pauses),
        cmocka_unit_test(no_hot_loops),
        cmocka_unit_test(silence),
        cmocka_unit_test(versions),
        cmocka_unit_test(lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
