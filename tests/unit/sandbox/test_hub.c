#include "devenv/sandbox/hub.h"

#include "tests/unit/test.h"

#define KIND STR("example.org/widgets")

struct world {
    struct loop *loop;
    struct store *store;
    struct hub *hub;
};

static void
world_open(struct world *w, const struct store_options *o)
{
    w->loop = loop_new(NULL);
    w->store = store_open(":memory:", o, NULL);
    w->hub = hub_new(w->loop, w->store);
}

static void
world_close(struct world *w)
{
    hub_free(w->hub);
    store_close(w->store);
    loop_free(w->loop);
}

static void
put(struct world *w, const char *key, const char *text)
{
    struct blob *b = blob_new(str_of(text));

    assert_true(store_put(w->store, KIND, str_of(key), STORE_ANY, b, NULL) > 0);
    blob_drop(b);
}

static void
del(struct world *w, const char *key)
{
    struct blob *b = blob_new(STR("last"));

    assert_true(store_delete(w->store, KIND, str_of(key), STORE_ANY, b, NULL) >
                0);
    blob_drop(b);
}

static void
commit(struct world *w)
{
    assert_true(store_commit(w->store, NULL));
    hub_turn(w->hub);
}

/* A view that writes "+json@rev", "~", "-", "B@rev", and counts. */
static void
show_event(void *arg, enum hub_type type, struct blob *json, int64_t rev,
           bool first, struct buf *out)
{
    ++*(int *)arg;
    buf_printf(out, "%c%s@%lld%s ", "+~-"[type], json -> data, (long long)rev,
               first ? "!" : "");
}

static void
show_bookmark(void *arg, int64_t rev, bool initial_end, bool first,
              struct buf *out)
{
    (void)arg;
    (void)first;
    buf_printf(out, "%s@%lld ", initial_end ? "END" : "B", (long long)rev);
}

static const struct hub_view_ops ops = {show_event, show_bookmark, NULL};

static void
woken(void *arg)
{
    ++*(int *)arg;
}

static const char *
text_of(struct hub_watch *w, size_t step)
{
    static char text[4096];
    size_t n = 0, got;

    while ((got = hub_watch_read(w, text + n, step)) != 0 &&
           got != HTTP_STREAM_END)
        n += got;
    snprintf(text + n, sizeof(text) - n, "%s",
             got == HTTP_STREAM_END ? "OVER" : "");
    return text;
}

static void
test_live_events(void **state)
{
    struct world w;
    int wakes = 0, formats = 0;

    (void)state;
    world_open(&w, NULL);
    put(&w, "a/x", "x1");
    commit(&w);

    struct hub_watch_options o = {
        .kind = KIND, .view = hub_view(w.hub, "v", &ops, &formats), .since = 1};
    struct hub_watch *one = hub_watch_new(w.hub, &o, woken, &wakes, NULL);

    assert_string_equal(text_of(one, 64), "");
    put(&w, "a/x", "x2");
    put(&w, "a/y", "y1");
    del(&w, "a/x");
    /* nothing that is not committed */
    assert_string_equal(text_of(one, 64), "");
    hub_turn(w.hub);
    assert_int_equal(wakes, 0);
    commit(&w);
    while (!wakes)
        loop_turn(w.loop, 100);
    assert_string_equal(text_of(one, 3), "~x2@2! +y1@3 -last@4 ");
    hub_watch_free(one);

    /* an older start sees the same from the log */
    o.since = 2;
    one = hub_watch_new(w.hub, &o, woken, &wakes, NULL);
    assert_string_equal(text_of(one, 64), "+y1@3! -last@4 ");
    hub_watch_free(one);
    /* the future: over at once */
    o.since = 99;
    one = hub_watch_new(w.hub, &o, woken, &wakes, NULL);
    assert_string_equal(text_of(one, 64), "OVER");
    hub_watch_free(one);
    world_close(&w);
}

static void
test_initial_state(void **state)
{
    struct world w;
    int wakes = 0, formats = 0;

    (void)state;
    world_open(&w, NULL);
    put(&w, "a/x", "x1");
    put(&w, "b/x", "x2");
    put(&w, "a/y", "y1");
    commit(&w);

    struct hub_watch_options o = {.kind = KIND,
                                  .view = hub_view(w.hub, "v", &ops, &formats),
                                  .initial = true,
                                  .initial_end_bookmark = true};
    struct hub_watch *all = hub_watch_new(w.hub, &o, woken, &wakes, NULL);

    o.ns = STR("a");

    struct hub_watch *a = hub_watch_new(w.hub, &o, woken, &wakes, NULL);

    o.name = STR("y");

    struct hub_watch *ay = hub_watch_new(w.hub, &o, woken, &wakes, NULL);

    /* what comes after the start is an event, also when it was not read yet */
    put(&w, "a/y", "y2");
    del(&w, "b/x");
    commit(&w);
    assert_string_equal(text_of(all, 5),
                        "+x1@1! +y1@3 +x2@2 END@3 ~y2@4 -last@5 ");
    assert_string_equal(text_of(a, 64), "+x1@1! +y1@3 END@3 ~y2@4 ");
    assert_string_equal(text_of(ay, 64), "+y1@3! END@3 ~y2@4 ");
    hub_watch_free(all);
    hub_watch_free(a);
    hub_watch_free(ay);
    world_close(&w);
}

static bool
is_red(void *arg, struct blob *json)
{
    (void)arg;
    return strstr(json->data, "red") != NULL;
}

static void
test_selectors(void **state)
{
    struct world w;
    int wakes = 0, formats = 0;

    (void)state;
    world_open(&w, NULL);
    put(&w, "x", "red1");
    commit(&w);

    struct hub_watch_options o = {.kind = KIND,
                                  .view = hub_view(w.hub, "v", &ops, &formats),
                                  .filter = is_red,
                                  .since = 1};
    struct hub_watch *one = hub_watch_new(w.hub, &o, woken, &wakes, NULL);

    put(&w, "x", "red2");
    put(&w, "x", "blue"); /* stops matching: gone, old content, new revision */
    put(&w, "x", "green");
    put(&w, "x", "red3"); /* starts matching: added */
    put(&w, "y", "blue");
    del(&w, "y");
    del(&w, "x");
    commit(&w);
    assert_string_equal(text_of(one, 64), "~red2@2! -red2@3 +red3@5 -last@8 ");
    /* a write it does not match wakes nobody */
    wakes = 0;
    put(&w, "z", "blue");
    commit(&w);
    for (int i = 0; i < 5; i++)
        loop_turn(w.loop, 5);
    assert_int_equal(wakes, 0);
    hub_watch_free(one);
    world_close(&w);
}

static void
test_formatted_once(void **state)
{
    enum { WATCHES = 50 };
    struct world w;
    struct hub_watch *v[WATCHES];
    int wakes = 0, formats = 0;

    (void)state;
    world_open(&w, NULL);
    put(&w, "x", "1");
    commit(&w);

    struct hub_watch_options o = {
        .kind = KIND, .view = hub_view(w.hub, "v", &ops, &formats), .since = 1};

    for (int i = 0; i < WATCHES; i++)
        v[i] = hub_watch_new(w.hub, &o, woken, &wakes, NULL);
    assert_int_equal(hub_watches(w.hub), WATCHES);
    put(&w, "x", "2");
    commit(&w);
    for (int i = 0; i < WATCHES; i++)
        assert_string_equal(text_of(v[i], 64), "~2@2! ");
    formats = 0;
    put(&w, "x", "3");
    put(&w, "x", "4");
    commit(&w);
    for (int i = 0; i < WATCHES; i++)
        assert_string_equal(text_of(v[i], 64), "~3@3 ~4@4 ");
    assert_int_equal(formats, 2);
    for (int i = 0; i < WATCHES; i++)
        hub_watch_free(v[i]);
    world_close(&w);
}

/* Shows what begins with 'a', and counts. */
static bool
with_a(void *arg, struct blob *json)
{
    ++*(int *)arg;
    return json->data[0] == 'a';
}

static void
test_shared_filter(void **state)
{
    enum { WATCHES = 50 };
    struct world w;
    struct hub_watch *v[WATCHES + 1];
    int wakes = 0, formats = 0, asked = 0, alone = 0;

    (void)state;
    world_open(&w, NULL);
    put(&w, "x", "b1");
    commit(&w);

    struct hub_watch_options o = {.kind = KIND,
                                  .view = hub_view(w.hub, "v", &ops, &formats),
                                  .since = 1,
                                  .filter = with_a,
                                  .filter_arg = &asked};

    for (int i = 0; i < WATCHES; i++) {
        char name[] = "a*";

        o.filter_name = name;
        v[i] = hub_watch_new(w.hub, &o, woken, &wakes, NULL);
    }
    o.filter_name = NULL;
    o.filter_arg = &alone;
    v[WATCHES] = hub_watch_new(w.hub, &o, woken, &wakes, NULL);
    put(&w, "x", "a2");
    put(&w, "x", "a3");
    put(&w, "x", "b4");
    put(&w, "x", "b5");
    commit(&w);
    for (int i = 0; i <= WATCHES; i++)
        assert_string_equal(text_of(v[i], 64), "+a2@2! ~a3@3 -a3@4 ");
    /* each of the five states once, however many watch */
    assert_int_equal(asked, 5);
    assert_true(alone >= 5);
    /* what one has seen does not go when another leaves */
    hub_watch_free(v[0]);
    put(&w, "x", "a6");
    commit(&w);
    assert_string_equal(text_of(v[1], 64), "+a6@6 ");
    for (int i = 1; i <= WATCHES; i++)
        hub_watch_free(v[i]);
    world_close(&w);
}

static void
test_behind_the_log(void **state)
{
    struct store_options so = {.log_events = 4};
    struct error err = {0};
    struct world w;
    int wakes = 0, formats = 0;

    (void)state;
    world_open(&w, &so);
    put(&w, "x", "1");
    commit(&w);

    struct hub_watch_options o = {.kind = KIND,
                                  .view = hub_view(w.hub, "v", &ops, &formats)};
    struct hub_watch *slow = hub_watch_new(w.hub, &o, woken, &wakes, NULL);
    char one[1];

    assert_int_equal(hub_watch_read(slow, one, 1), 1);
    for (int i = 0; i < 9; i++)
        put(&w, "x", "2");
    commit(&w);
    /* the line under way is finished, then it is over */
    assert_string_equal(text_of(slow, 64), "1@1! OVER");
    hub_watch_free(slow);
    o.since = 2;
    assert_null(hub_watch_new(w.hub, &o, woken, &wakes, &err));
    assert_int_equal(err.code, ERR_GONE);
    assert_string_equal(err.msg, "too old resource version: 2 (6)");
    world_close(&w);
}

static void
test_bookmarks_and_end(void **state)
{
    struct world w;
    int wakes = 0, formats = 0;

    (void)state;
    world_open(&w, NULL);
    put(&w, "x", "1");
    commit(&w);

    struct hub_watch_options o = {.kind = STR("other/kind"),
                                  .view = hub_view(w.hub, "v", &ops, &formats),
                                  .since = 1,
                                  .bookmarks = true,
                                  .timeout_ms = 2020};
    struct hub_watch *one = hub_watch_new(w.hub, &o, woken, &wakes, NULL);

    assert_string_equal(text_of(one, 64), "");
    put(&w, "x", "2");
    commit(&w);
    while (!wakes)
        loop_turn(w.loop, 1000);
    /* 2 s before the end, and past the events that are not its own */
    assert_string_equal(text_of(one, 64), "B@2 ");
    wakes = 0;
    while (!wakes)
        loop_turn(w.loop, 3000);
    assert_string_equal(text_of(one, 64), "OVER");
    hub_watch_free(one);

    /* a view that is dropped ends its watches */
    o.timeout_ms = 0;
    one = hub_watch_new(w.hub, &o, woken, &wakes, NULL);
    wakes = 0;
    hub_view_drop(w.hub, "v");
    assert_int_equal(wakes, 1);
    assert_string_equal(text_of(one, 64), "OVER");
    hub_watch_free(one);
    world_close(&w);
}

static void
note(void *arg, const struct store_event *e)
{
    struct buf *b = arg;

    buf_printf(b, "%s@%lld ", e->key.s, (long long)e->rev);
}

static void
test_listeners(void **state)
{
    struct world w;
    struct buf ours = BUF_INIT(1024), all = BUF_INIT(1024);

    (void)state;
    world_open(&w, NULL);
    hub_listen(w.hub, KIND, note, &ours);
    hub_listen(w.hub, (struct str){0}, note, &all);
    put(&w, "x", "1");

    struct blob *b = blob_new(STR("{}"));

    store_put(w.store, STR("other/kind"), STR("y"), STORE_ANY, b, NULL);
    blob_drop(b);
    put(&w, "z", "1");
    hub_turn(w.hub);
    assert_string_equal(buf_cstr(&all), "");
    commit(&w);
    assert_string_equal(buf_cstr(&ours), "x@1 z@3 ");
    assert_string_equal(buf_cstr(&all), "x@1 y@2 z@3 ");
    put(&w, "x", "2");
    store_rollback(w.store);
    put(&w, "w", "2");
    commit(&w);
    assert_string_equal(buf_cstr(&ours), "x@1 z@3 w@4 ");
    buf_release(&ours);
    buf_release(&all);
    world_close(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_live_events),
        cmocka_unit_test(test_initial_state),
        cmocka_unit_test(test_selectors),
        cmocka_unit_test(test_formatted_once),
        cmocka_unit_test(test_shared_filter),
        cmocka_unit_test(test_behind_the_log),
        cmocka_unit_test(test_bookmarks_and_end),
        cmocka_unit_test(test_listeners),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
