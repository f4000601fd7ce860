/*
 * Every watch that was recorded from a real API server (tests/wire/kubeapi),
 * cut after each of its bytes: what follows is what that server would send to
 * whoever comes back, and the copy ends as if nothing had been cut.
 */
#include "lib/base/file.h"

#include "lib/kube/cache.h"
#include "lib/kube/skim.h"

#include "tests/unit/kube/fake_client.h"
#include "tests/unit/test.h"

enum { LINES = 32 };

struct line {
    struct str text, type, object;
    struct kube_skim skim;
};

static struct arena *arena;
static struct line lines[LINES];
static size_t lines_n;
static size_t cut;   /* bytes of the first stream */
static bool done;    /* it was given */
static bool chunked; /* a cut is an error of the transfer, else an end */

/* Is the object of line i there in the end? */
static bool
lasts(size_t i)
{
    for (size_t k = i + 1; k < lines_n; k++) {
        if (lines[k].skim.o.name.n &&
            str_eq(lines[k].skim.o.uid, lines[i].skim.o.uid))
            return false;
    }
    return lines[i].skim.o.name.n && !str_eq(lines[i].type, STR("DELETED"));
}

static const struct str end_version = {"999999", 6};

static void
send_part(struct fake_conn *c, struct str s)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    if (chunked && s.n)
        buf_printf(&b, "%zx\r\n%.*s\r\n", s.n, STR_ARG(s));
    else
        buf_str(&b, s);
    fake_send(c, buf_view(&b));
}

static void
serve(void *arg UNUSED, struct fake_conn *c, const struct fake_request *r)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    size_t at = str_find(r->path, STR("&resourceVersion="), 0);
    bool list = str_contains(r->path, STR("sendInitialEvents"));
    uint64_t from = 0, version = 0;
    struct str v, rest;

    if (!str_contains(r->path, STR("watch=true"))) {
        fake_answer(c, 200, NULL,
                    STR("{\"kind\":\"List\",\"items\":[],\"metadata\":{"
                        "\"resourceVersion\":\"999999\"}}"));
        return;
    }
    if (at != SIZE_MAX) {
        str_cut(str_from(r->path, at + 17), '&', &v, &rest);
        str_to_u64(v, &from);
    }
    for (size_t i = 0; i < lines_n; i++) {
        str_to_u64(lines[i].skim.o.version, &version);
        if (!done || (list ? lasts(i) : version > from))
            buf_printf(&b, "%.*s\n", STR_ARG(lines[i].text));
    }
    if (done && list)
        buf_printf(&b,
                   "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{"
                   "\"resourceVersion\":\"%.*s\",\"annotations\":{"
                   "\"k8s.io/initial-events-end\":\"true\"}}}}\n",
                   STR_ARG(end_version));
    fake_send(c, chunked ? STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
                               "\r\n\r\n")
                         : STR("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"));
    if (done) {
        send_part(c, buf_view(&b));
        return;
    }
    done = true;
    send_part(c, str_sub(buf_view(&b), 0, cut));
    fake_close(c);
}

static bool
is_whole(const struct kube_cache *k)
{
    size_t n = 0;

    for (size_t i = 0; i < lines_n; i++) {
        char ns[64], name[64];
        const struct kube_object *o;

        if (!lasts(i))
            continue;
        n++;
        snprintf(ns, sizeof(ns), "%.*s", STR_ARG(lines[i].skim.o.ns));
        snprintf(name, sizeof(name), "%.*s", STR_ARG(lines[i].skim.o.name));
        o = kube_cache_find(k, ns, name);
        if (!o || !str_eq(o->version, lines[i].skim.o.version))
            return false;
    }
    return n == kube_cache_count(k) && kube_cache_state(k) == KUBE_CACHE_LIVE;
}

static void
cut_at(size_t n, const char *file)
{
    struct kube_cache_options o = {.gvr = KUBE_GVR("x.io", "v1", "things"),
                                   .backoff_ms = 1};
    struct kube_cache *k;

    cut = n;
    done = false;
    chunked = n % 2;
    k = kube_cache_new(client, &o, NULL, NULL);
    for (int i = 0; i < 200000 && !(done && is_whole(k)); i++) {
        loop_turn(l, 1);
        kube_cache_retry(k);
    }
    if (!is_whole(k))
        fail_msg("%s cut at byte %zu: %s", file, n,
                 kube_cache_error(k) ? kube_cache_error(k)->msg : "wrong");
    kube_cache_free(k);
}

/* The events of the stream that begins at *text; false: there is no more. */
static bool
next_stream(struct str *text, size_t *bytes)
{
    struct str line;

    lines_n = *bytes = 0;
    arena_reset(arena);
    while (str_next(text, '\n', &line)) {
        size_t at = str_find(line, STR("{\"type\":\""), 0);

        if (str_starts(line, STR("> GET")) && lines_n)
            return true;
        if (!str_starts(line, STR("<")) || at == SIZE_MAX)
            continue;
        struct line *to = &lines[lines_n];

        to->text = str_from(line, at);
        if (!kube_skim_event(to->text, &to->type, &to->object, NULL) ||
            !kube_skim_object(to->object, arena, &to->skim, NULL))
            continue;
        *bytes += to->text.n + 1;
        lines_n += lines_n + 1 < LINES;
    }
    return lines_n > 0;
}

static void
recorded(void **state)
{
    static const char *const files[] = {"05-watch-bookmarks.txt",
                                        "06-watchlist.txt", "07-gone.txt"};
    size_t streams = 0, cuts = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        AUTO(mem_free_ptr)
        char *path = mem_printf("tests/wire/kubeapi/%s", files[i]);
        AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
        struct str text;
        size_t bytes;

        assert_true(file_read(path, &b, NULL));
        text = buf_view(&b);
        while (next_stream(&text, &bytes)) {
            streams++;
            for (size_t n = 0; n <= bytes; n++, cuts++)
                cut_at(n, files[i]);
        }
    }
    assert_true(streams >= 6 && cuts > 5000);
}

static int
setup(void **state)
{
    (void)state;
    arena = arena_new();
    fake_client_up(serve, "d");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    fake_client_down();
    arena_free(arena);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(recorded)};

    return cmocka_run_group_tests(tests, setup, teardown);
}
