#include "lib/kube/cache.h"

#include "tests/unit/kube/fake_client.h"
#include "tests/unit/test.h"

#define LIST  "GET /apis/x.io/v1/things?limit="
#define WATCH "GET /apis/x.io/v1/things?watch=true"

/*
 * The peer answers each kind of request with the next entry of a script: a
 * status and a body; the stream stays open unless `close`.
 */
struct answer {
    int status; /* 0: the connection is closed without a word */
    const char *body;
    bool close;
};

static struct kube_cache *cache;
static const struct answer *script;
static struct buf
    asked; /* a letter a request: S stream list, W watch, L list */
static struct buf paths;   /* the queries, a space after each */
static struct buf accepts; /* what was accepted */
static char version[64];   /* of the last watch */
static struct buf told;
static struct fake_conn *stream; /* the open one */
static bool flag;
static const char *until_state, *until_told;

#define OBJ(name, ver)                                                         \
    "{\"metadata\":{\"name\":\"" name "\",\"uid\":\"u-" name                   \
    "\",\"resourceVersion\":\"" ver "\"}}"
#define EVENT(type, name, ver)                                                 \
    "{\"type\":\"" type "\",\"object\":" OBJ(name, ver) "}\n"
#define INITIAL_END(ver)                                                       \
    "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":"    \
    "\"" ver                                                                   \
    "\",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}}\n"
#define BOOKMARK(ver)                                                          \
    "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":"    \
    "\"" ver "\"}}}\n"
#define GONE                                                                   \
    "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"message\":\"too "   \
    "old\",\"reason\":\"Expired\",\"code\":410}}\n"
#define FORBIDDEN                                                              \
    "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"no\"}"
#define ITEMS(items, ver)                                                      \
    "{\"kind\":\"ThingList\",\"metadata\":{\"resourceVersion\":\"" ver         \
    "\"},\"items\":[" items "]}"

static void
serve(void *arg, struct fake_conn *c, const struct fake_request *r)
{
    const struct answer *a = script;
    bool watch = str_contains(r->path, STR("watch=true"));
    size_t at = str_find(r->path, STR("resourceVersion="), 0);
    struct str v, rest;

    (void)arg;
    buf_printf(&paths, "%.*s ", STR_ARG(str_from(r->path, sizeof(LIST) - 11)));
    at = str_find(r->head, STR("Accept: "), 0);
    buf_str(&accepts, str_sub(r->head, at, at + 100));
    at = str_find(r->path, STR("resourceVersion="), 0);
    if (str_contains(r->path, STR("sendInitialEvents=true")))
        buf_putc(&asked, 'S');
    else
        buf_putc(&asked, watch ? 'W' : 'L');
    if (at != SIZE_MAX) {
        str_cut(str_from(r->path, at + 16), '&', &v, &rest);
        snprintf(version, sizeof(version), "%.*s", STR_ARG(v));
    }
    if (a->body)
        script++;
    if (!a->body || a->status == 0) {
        fake_close(c);
    } else if (a->status == 200 && watch) {
        stream = c;
        fake_stream(c);
        fake_send(c, str_of(a->body));
        if (a->close)
            fake_close(c);
    } else {
        fake_answer(c, a->status, NULL, str_of(a->body));
    }
}

static void
check_flag(void)
{
    flag = flag ||
           (until_state && strstr(until_state, "LIVE") &&
            kube_cache_state(cache) == KUBE_CACHE_LIVE) ||
           (until_state && strstr(until_state, "STALE") &&
            kube_cache_state(cache) == KUBE_CACHE_STALE) ||
           (until_state && strstr(until_state, "ERROR") &&
            kube_cache_error(cache)) ||
           (until_told && strstr(buf_cstr(&told), until_told));
}

static void
on_changes(void *arg, const struct kube_change *v, size_t n)
{
    (void)arg;
    for (size_t i = 0; i < n; i++)
        buf_printf(&told, "%c%s:%s ", "+*-"[v[i].type], v[i].object->name.s,
                   v[i].object->version.s);
    check_flag();
}

static void
on_state(void *arg)
{
    (void)arg;
    check_flag();
}

static void
wait_for(const char *state, const char *text)
{
    flag = false;
    until_state = state;
    until_told = text;
    check_flag();
    fake_until(l, &flag);
}

static void
start(const struct answer *answers, struct kube_cache_options o)
{
    struct kube_cache_fns fns = {on_changes, on_state, NULL};

    script = answers;
    buf_reset(&asked);
    buf_reset(&told);
    buf_reset(&paths);
    buf_reset(&accepts);
    o.gvr = KUBE_GVR("x.io", "v1", "things");
    o.backoff_ms = o.backoff_ms ? o.backoff_ms : 1;
    cache = kube_cache_new(client, &o, &fns, NULL);
    assert_non_null(cache);
    assert_int_equal(kube_cache_state(cache), KUBE_CACHE_SYNCING);
}

static void
stop(const char *requests)
{
    for (int i = 0; i < 10000 && asked.n < strlen(requests); i++)
        loop_turn(l, 1);
    assert_string_equal(buf_cstr(&asked), requests);
    kube_cache_free(cache);
    cache = NULL;
}

/* The good case: one stream, from the first list to live events. */
static void
watch_list(void **state)
{
    static const struct answer answers[] = {
        {200,
         EVENT("ADDED", "b", "2") EVENT("ADDED", "a", "3") INITIAL_END("3"),
         false},
        {0}};

    (void)state;
    start(answers, (struct kube_cache_options){0});
    wait_for("LIVE", NULL);
    assert_int_equal(kube_cache_count(cache), 2);
    assert_string_equal(kube_cache_at(cache, 0)->name.s, "a");
    assert_null(kube_cache_at(cache, 2));
    assert_non_null(kube_cache_find(cache, NULL, "b"));
    assert_null(kube_cache_find(cache, "x", "b"));
    assert_true(kube_cache_as_of(cache) > 1700000000000);
    fake_send(stream, STR(EVENT("MODIFIED", "a", "4") "{\"type\":\"DELE"));
    wait_for(NULL, "*a:4");
    fake_send(stream, STR("TED\",\"object\":" OBJ("b", "5") "}\n"));
    wait_for(NULL, "-b:2");
    assert_string_equal(buf_cstr(&told), "+b:2 +a:3 *a:4 -b:2 ");
    stop("S");
}

/* Cut after any number of bytes, the view comes back by itself, complete. */
static void
cut_anywhere(void **state)
{
    static const char text[] = EVENT("ADDED", "a", "2") INITIAL_END("3")
        EVENT("MODIFIED", "a", "4") EVENT("ADDED", "c", "5");

    (void)state;
    for (size_t n = 0; n < sizeof(text); n += 3) {
        char *part = mem_strndup(text, n);
        const struct answer answers[] = {
            {200, part, true},
            {200, EVENT("ADDED", "a", "9") INITIAL_END("9"), false},
            {200, EVENT("ADDED", "a", "9"), false},
            {0}};
        bool listed = n >= sizeof(EVENT("ADDED", "a", "2")) - 1 +
                               sizeof(INITIAL_END("3")) - 1;

        start(answers, (struct kube_cache_options){0});
        if (listed) {
            /* a watch from the last version brings what is missing */
            wait_for(NULL, "a:9");
            assert_int_equal(kube_cache_state(cache), KUBE_CACHE_LIVE);
            script = answers + 3;
        } else {
            wait_for("LIVE", NULL);
        }
        assert_string_equal(kube_cache_find(cache, "", "a")->version.s, "9");
        assert_int_equal(kube_cache_state(cache), KUBE_CACHE_LIVE);
        kube_cache_free(cache);
        free(part);
    }
}

/* A server that refuses WatchList gets LIST and WATCH. */
static void
plain_server(void **state)
{
    static const struct answer answers[] = {
        {422, "{\"kind\":\"Status\",\"message\":\"forbidden\"}", false},
        {200, ITEMS(OBJ("a", "1") "," OBJ("b", "2"), "7"), false},
        {200, EVENT("ADDED", "c", "8"), false},
        {0}};

    (void)state;
    start(answers, (struct kube_cache_options){0});
    wait_for("LIVE", NULL);
    wait_for(NULL, "+c:8");
    assert_string_equal(version, "7");
    assert_string_equal(buf_cstr(&told), "+a:1 +b:2 +c:8 ");
    stop("SLW");
}

/* For commands: one list, no watch. */
static void
once(void **state)
{
    static const struct answer answers[] = {
        {200, ITEMS(OBJ("a", "1") "," OBJ("b", "2"), "7"), false}, {0}};

    (void)state;
    kube_client_set_once(client, true);
    start(answers, (struct kube_cache_options){0});
    kube_client_set_once(client, false);
    wait_for("LIVE", NULL);
    assert_int_equal(kube_cache_count(cache), 2);
    for (int i = 0; i < 10; i++)
        loop_turn(l, 1);
    stop("L");
}

/* The connection is lost: the view stays, marked, and heals; before the new
 * watch, which begins at the last bookmark, one item is asked for: did the
 * server's versions go back? */
static void
heals(void **state)
{
    static const struct answer answers[] = {
        {200, EVENT("ADDED", "a", "1") INITIAL_END("3"), false},
        {0, "", false},
        {0, "", false},
        {200, ITEMS("", "11"), false},
        {200, EVENT("MODIFIED", "a", "12"), false},
        {0}};

    (void)state;
    start(answers, (struct kube_cache_options){.backoff_ms = 20});
    wait_for("LIVE", NULL);
    fake_send(stream, STR(BOOKMARK("11") "{\"type\":"));
    for (int i = 0; i < 10; i++)
        loop_turn(l, 1);
    fake_close(stream);
    wait_for("STALE", NULL);
    assert_int_equal(kube_cache_count(cache), 1);
    assert_non_null(kube_cache_error(cache));
    wait_for(NULL, "*a:12");
    assert_int_equal(kube_cache_state(cache), KUBE_CACHE_LIVE);
    assert_null(kube_cache_error(cache));
    assert_string_equal(version, "11");
    stop("SLLLW");
}

/* A clean end is no failure: watch on, LIVE all the time. */
static void
clean_end(void **state)
{
    static const struct answer answers[] = {
        {200, EVENT("ADDED", "a", "1") INITIAL_END("3"), true},
        {200, EVENT("MODIFIED", "a", "4"), true},
        {200, EVENT("MODIFIED", "a", "5"), false},
        {0}};

    (void)state;
    start(answers, (struct kube_cache_options){.backoff_ms = 60000});
    wait_for(NULL, "a:5");
    assert_int_equal(kube_cache_state(cache), KUBE_CACHE_LIVE);
    assert_string_equal(version, "4");
    stop("SWW");
}

/* 410 in the stream: a new list over the old view tells only differences. */
static void
gone(void **state)
{
    static const struct answer answers[] = {
        {200,
         EVENT("ADDED", "a", "1") EVENT("ADDED", "b", "1") INITIAL_END("3"),
         true},
        {200, GONE, true},
        {200,
         EVENT("ADDED", "b", "1") EVENT("ADDED", "c", "8") INITIAL_END("9"),
         false},
        {0}};

    (void)state;
    start(answers, (struct kube_cache_options){.backoff_ms = 60000});
    wait_for(NULL, "-a:1");
    assert_string_equal(buf_cstr(&told), "+a:1 +b:1 +c:8 -a:1 ");
    assert_int_equal(kube_cache_state(cache), KUBE_CACHE_LIVE);
    stop("SWS");
}

/* The server's database was put back: versions it has not reached yet end
 * every watch at once. Only a list helps then. */
static void
put_back(void **state)
{
    static const struct answer answers[] = {
        {200, EVENT("ADDED", "a", "90") INITIAL_END("99"), true},
        {200, "", true},
        {200, EVENT("ADDED", "a", "2") INITIAL_END("3"), false},
        {0}};

    (void)state;
    start(answers, (struct kube_cache_options){0});
    wait_for(NULL, "*a:2");
    assert_int_equal(kube_cache_state(cache), KUBE_CACHE_LIVE);
    stop("SWS");
}

/* What is no event, or too big, ends the stream with a reason; the view
 * stays. */
static void
hostile(void **state)
{
    static const struct {
        const char *line;
        enum err_code code;
    } rows[] = {
        {"garbage\n", ERR_PARSE},
        {"{\"type\":\"ADDED\",\"object\":[]}\n", ERR_PARSE},
        {"{\"type\":\"ADDED\",\"object\":{\"metadata\":{}}}\n", ERR_PARSE},
        {"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":500,"
         "\"message\":\"boom\"}}\n",
         ERR_NETWORK},
        {"{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\","
         "\"x\":\"0123456789012345678901234567890123456789012345678901234567"
         "89012345678901234567890123456789\"}}}\n",
         ERR_LIMIT},
        {EVENT("ADDED", "x", "4") EVENT("ADDED", "y", "5")
             EVENT("ADDED", "z", "6"),
         ERR_LIMIT},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        static const struct answer answers[] = {
            {200, EVENT("ADDED", "a", "1") INITIAL_END("3"), false}, {0}};

        start(answers, (struct kube_cache_options){.max_object = 100,
                                                   .max_objects = 3,
                                                   .backoff_ms = 60000});
        wait_for("LIVE", NULL);
        fake_send(stream, str_of(rows[i].line));
        wait_for("STALE", NULL);
        if (kube_cache_error(cache)->code != rows[i].code)
            fail_msg("row %zu: %s", i, kube_cache_error(cache)->msg);
        assert_non_null(kube_cache_find(cache, NULL, "a"));
        kube_cache_free(cache);
    }
}

/* An event line without end is cut off at the cap, not collected for ever. */
static void
endless_line(void **state)
{
    static const struct answer answers[] = {
        {200, EVENT("ADDED", "a", "1") INITIAL_END("3"), false}, {0}};
    char piece[1024];

    (void)state;
    memset(piece, ' ', sizeof(piece));
    start(answers,
          (struct kube_cache_options){.max_object = 100, .backoff_ms = 60000});
    wait_for("LIVE", NULL);
    for (int i = 0; i < 8; i++)
        fake_send(stream, str_n(piece, sizeof(piece)));
    wait_for("STALE", NULL);
    assert_int_equal(kube_cache_error(cache)->code, ERR_LIMIT);
    kube_cache_free(cache);
}

/* No right, no such kind: said at once, tried again later. */
static void
refused(void **state)
{
    static const struct answer answers[] = {
        {403, FORBIDDEN, false}, {403, FORBIDDEN, false},
        {403, FORBIDDEN, false}, {200, ITEMS("", "1"), false},
        {200, "", false},        {0}};
    struct error err = {0};

    (void)state;
    start(answers, (struct kube_cache_options){.backoff_ms = 60000});
    assert_false(kube_cache_wait(cache, 10000, &err));
    assert_int_equal(err.http, 403);
    assert_int_equal(kube_cache_state(cache), KUBE_CACHE_SYNCING);
    kube_cache_retry(cache);
    assert_true(kube_cache_wait(cache, 10000, &err));
    wait_for("LIVE", NULL);
    stop("SLSLW");
}

static void
silent(void **state)
{
    static const struct answer answers[] = {
        {200, EVENT("ADDED", "a", "1") INITIAL_END("3"), false},
        {200, ITEMS("", "3"), false},
        {200, EVENT("MODIFIED", "a", "4"), false},
        {0}};

    (void)state;
    start(answers, (struct kube_cache_options){.stall_ms = 50});
    wait_for("LIVE", NULL);
    wait_for("STALE", NULL);
    assert_int_equal(kube_cache_error(cache)->code, ERR_TIMEOUT);
    wait_for(NULL, "*a:4");
    kube_cache_free(cache);
}

/* While we were away the server's versions went back, and it keeps a watch
 * from the future open without a word: the probe finds out. */
static void
put_back_silently(void **state)
{
    static const struct answer answers[] = {
        {200, EVENT("ADDED", "a", "90") INITIAL_END("99"), false},
        {200, ITEMS("", "50"), false},
        {200, EVENT("ADDED", "a", "40") INITIAL_END("51"), false},
        {0}};

    (void)state;
    start(answers, (struct kube_cache_options){0});
    wait_for("LIVE", NULL);
    fake_send(stream, STR("{\"type\":\"ADDED\""));
    fake_close(stream);
    wait_for(NULL, "*a:40");
    stop("SLS");
}

/* Expired in the stream, as an answer, and a version too large: the second
 * list asks for the newest. What expires again and again is paused for. */
static void
expired(void **state)
{
    static const char *const ends[] = {
        GONE,
        "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"message\":"
        "\"Timeout: Too large resource version: 9, current: 2\",\"reason\":"
        "\"Timeout\",\"details\":{\"causes\":[{\"reason\":"
        "\"ResourceVersionTooLarge\",\"message\":\"Too large resource "
        "version\"}],\"retryAfterSeconds\":1},\"code\":504}}\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        const struct answer answers[] = {
            {200, ITEMS(OBJ("a", "1"), "7"), false},
            {200, ends[i], true},
            {200, ITEMS(OBJ("a", "2"), "9"), false},
            {200, ends[i], true},
            {0}};

        start(answers, (struct kube_cache_options){.no_watchlist = true,
                                                   .backoff_ms = 60000});
        wait_for("STALE", NULL);
        assert_string_equal(buf_cstr(&told), "+a:1 *a:2 ");
        assert_non_null(
            strstr(buf_cstr(&paths), i ? "limit=500 " : "resourceVersion=7 "));
        stop("LWLW");
    }
}

/* LIST and WATCH as the reflector asks: "0" and pages; a page that expires is
 * followed by one list of everything. */
static void
pages(void **state)
{
    static const struct answer answers[] = {
        {200,
         "{\"kind\":\"ThingList\",\"metadata\":{\"resourceVersion\":\"7\","
         "\"continue\":\"t/k=\"},\"items\":[" OBJ("a", "1") "]}",
         false},
        {410,
         "{\"kind\":\"Status\",\"reason\":\"Expired\",\"message\":\"old\","
         "\"metadata\":{\"continue\":\"new\"},\"code\":410}",
         false},
        {200, ITEMS(OBJ("b", "2") "," OBJ("c", "3"), "8"), false},
        {200, "", false},
        {0}};

    (void)state;
    start(answers, (struct kube_cache_options){
                       .no_watchlist = true, .page = 1, .backoff_ms = 60000});
    wait_for("LIVE", NULL);
    assert_int_equal(kube_cache_count(cache), 2);
    for (int i = 0; i < 10000 && asked.n < 4; i++)
        loop_turn(l, 1);
    assert_int_equal(
        strncmp(buf_cstr(&paths),
                "limit=1&resourceVersion=0 limit=1&continue=t%2Fk%3D "
                "resourceVersion=0 watch=true",
                70),
        0);
    stop("LLLW");
}

/* Events that fall, and events of other kinds: the first end the stream, the
 * second are none of ours. Unknown types are of a later Kubernetes. */
static void
order(void **state)
{
    static const struct answer answers[] = {
        {200,
         EVENT("ADDED", "a", "9") INITIAL_END("9") EVENT("MODIFIED", "a", "12")
             EVENT("MODIFIED", "a", "12") EVENT("FUTURE", "z", "13"),
         false},
        {200, EVENT("ADDED", "a", "12") INITIAL_END("14"), false},
        {0}};

    (void)state;
    start(answers,
          (struct kube_cache_options){.kind = "Thing", .backoff_ms = 60000});
    wait_for(NULL, "a:12");
    assert_int_equal(kube_cache_count(cache), 1);
    fake_send(stream, STR("{\"type\":\"ADDED\",\"object\":{\"kind\":\"Thing\","
                          "\"metadata\":{\"name\":\"b\",\"resourceVersion\":"
                          "\"13\"}}}\n{\"type\":\"ADDED\",\"object\":{\"kind\":"
                          "\"Other\",\"metadata\":{\"name\":\"o\","
                          "\"resourceVersion\":\"14\"}}}\n"));
    wait_for(NULL, "+b:13");
    assert_int_equal(kube_cache_count(cache), 2);
    fake_send(stream, STR(EVENT("MODIFIED", "a", "10")));
    wait_for("STALE", NULL);
    assert_string_equal(kube_cache_error(cache)->msg,
                        "the server's events are out of order: version 10 "
                        "after 13");
    kube_cache_retry(cache);
    wait_for("LIVE", NULL);
    assert_int_equal(kube_cache_count(cache), 1);
    stop("SS");
}

/* A list without a version: the watch begins without one too. */
static void
no_version(void **state)
{
    static const struct answer answers[] = {
        {200, "{\"kind\":\"ThingList\",\"metadata\":{},\"items\":[]}", false},
        {200,
         EVENT("ADDED", "b", "9") EVENT("ADDED", "a", "3")
             EVENT("MODIFIED", "a", "10"),
         false},
        {0}};

    (void)state;
    start(answers, (struct kube_cache_options){.no_watchlist = true});
    wait_for(NULL, "a:10");
    stop("LW");
}

/* Metadata alone, and the server's rows. */
static void
forms(void **state)
{
    static const struct answer meta[] = {
        {200, EVENT("ADDED", "a", "2") INITIAL_END("3"), false}, {0}};
    static const struct answer table[] = {
        {200,
         "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Table\",\"metadata\":{},"
         "\"columnDefinitions\":[{\"name\":\"Name\",\"type\":\"string\"}],"
         "\"rows\":[{\"cells\":[\"a\"],\"object\":" OBJ(
             "a",
             "2") "}]}}\n"
                  "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Table\","
                  "\"columnDefinitions\":null,\"rows\":[{\"cells\":[\"\"],"
                  "\"object\":{\"metadata\":{\"resourceVersion\":\"3\","
                  "\"annotations\":{\"k8s.io/"
                  "initial-events-end\":\"true\"}}}}]}}\n"
                  "{\"type\":\"DELETED\",\"object\":{\"kind\":\"Table\","
                  "\"columnDefinitions\":null,\"rows\":[{\"cells\":[\"a\"],"
                  "\"object\":" OBJ("a", "4") "}]}}\n",
         false},
        {0}};

    (void)state;
    start(meta, (struct kube_cache_options){.form = KUBE_META});
    wait_for("LIVE", NULL);
    assert_non_null(strstr(buf_cstr(&accepts), "as=PartialObjectMetadata;"));
    stop("S");
    start(table, (struct kube_cache_options){.form = KUBE_TABLE});
    wait_for("LIVE", NULL);
    assert_non_null(strstr(buf_cstr(&accepts), "as=Table;"));
    assert_non_null(strstr(buf_cstr(&paths), "includeObject=Metadata"));
    assert_string_equal(
        json_get_string(json_first(kube_cache_columns(cache)), "name"), "Name");
    assert_int_equal(kube_cache_count(cache), 0);
    stop("S");
}

static void
bad_names(void **state)
{
    struct kube_cache_options o = {.gvr = KUBE_GVR("x.io", "v1", "a/b")};
    struct error err = {0};

    (void)state;
    assert_null(kube_cache_new(client, &o, NULL, &err));
    assert_int_equal(err.code, ERR_USAGE);
}

static int
setup(void **state)
{
    (void)state;
    buf_init(&asked, 1 << 16);
    buf_init(&told, 1 << 16);
    buf_init(&paths, 1 << 16);
    buf_init(&accepts, 1 << 16);
    fake_client_up(serve, "d");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    fake_client_down();
    buf_release(&asked);
    buf_release(&told);
    buf_release(&paths);
    buf_release(&accepts);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(watch_list),   cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(plain_server), cmocka_unit_test(once),
        cmocka_unit_test(heals),        cmocka_unit_test(clean_end),
        cmocka_unit_test(gone),         cmocka_unit_test(put_back),
        cmocka_unit_test(hostile),      cmocka_unit_test(endless_line),
        cmocka_unit_test(refused),      cmocka_unit_test(silent),
        cmocka_unit_test(bad_names),    cmocka_unit_test(put_back_silently),
        cmocka_unit_test(expired),      cmocka_unit_test(pages),
        cmocka_unit_test(order),        cmocka_unit_test(no_version),
        cmocka_unit_test(forms),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
